//! What each of core's calls costs the provider, with no process, socket, TLS or vendor around it.
//!
//! `cargo bench` measures; `cargo test --bench calls` runs each once, to see that it still does.
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on fails")]

#[path = "../examples/benchmark/credential.rs"]
mod credential;
#[path = "../examples/benchmark/instant.rs"]
mod instant;

use std::{convert::Infallible, sync::Arc};

use divan::{Bencher, black_box};
use p521::ecdsa::{
    Signature, SigningKey, VerifyingKey,
    signature::{Signer as _, Verifier as _},
};
use sandbox::core::wire::tfplugin6::{
    apply_resource_change, get_provider_schema, plan_resource_change, provider_client::ProviderClient, read_resource,
};
use terraform_provider_smtp::{
    age::{Recipient, Seal},
    framework::{Provider, msgpack, schema::Attribute},
    protocol,
    provider::Smtp,
    secret::Secret,
};
use tokio::runtime::{self, Runtime};
use tonic::{body::Body, client::GrpcService};

fn main() {
    divan::main();
}

/// Reads a state from the form in which it travels.
#[divan::bench]
fn decode_state(bencher: Bencher) {
    let core = core(instant::provider());
    let bytes = core.applied().new_state.unwrap().msgpack.clone();
    bencher.bench(|| msgpack::decode(black_box(&bytes), &core.attributes).unwrap());
}

/// Writes a state in the form in which it travels.
#[divan::bench]
fn encode_state(bencher: Bencher) {
    let core = core(instant::provider());
    let state = msgpack::decode(&core.applied().new_state.unwrap().msgpack, &core.attributes).unwrap();
    bencher.bench(|| msgpack::encode(black_box(&state), &core.attributes));
}

/// Prepares to encrypt a password to two recipients, before the reset.
#[divan::bench]
fn prepare_seal(bencher: Bencher) {
    let recipients = recipients();
    bencher.bench(|| Seal::prepare(black_box(&recipients), getrandom::fill).unwrap());
}

/// Encrypts a password, after the reset.
#[divan::bench]
fn seal_password(bencher: Bencher) {
    let seal = Seal::prepare(&recipients(), getrandom::fill).unwrap();
    let password = Secret::new("ItUuCc8h4I5MihiysY8HB6XSbWZmVZ");
    bencher.bench(|| seal.seal(black_box(&password)));
}

fn recipients() -> [Recipient; 2] {
    let parse = |text| Recipient::parse(text).unwrap();
    [
        parse("age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"),
        parse("age13ppjsl6lgqezs762gwqj42s94jyqudqfaz8lf0ag3vle8z7s0yjsuep7er"),
    ]
}

/// Sets the provider up, as every start does.
#[divan::bench]
fn make_provider(bencher: Bencher) {
    bencher.bench(Smtp::new);
}

/// Checks a P-521 signature, as every start does when core proves that it holds the key of its certificate.
#[divan::bench]
fn verify_signature_of_core(bencher: Bencher) {
    let mut scalar = [0; 66];
    scalar[65] = 7;
    let key = SigningKey::from_slice(&scalar).unwrap();
    let (message, signature): (_, Signature) = (b"a transcript", key.sign(b"a transcript"));
    let public = VerifyingKey::from(&key).to_sec1_point(false);
    bencher.bench(|| {
        VerifyingKey::from_sec1_bytes(black_box(public.as_bytes())).unwrap().verify(message, &signature).unwrap();
    });
}

/// Answers with the schema.
#[divan::bench]
fn get_provider_schema(bencher: Bencher) {
    let core = core(instant::provider());
    bencher.bench(|| core.schema());
}

/// Plans a creation.
#[divan::bench]
fn plan_resource_change(bencher: Bencher) {
    let core = core(instant::provider());
    bencher.with_inputs(|| core.to_plan()).bench_values(|request| core.plan(request));
}

/// Carries a creation out: the vendor is asked, the password is reset, and the state is answered.
#[divan::bench]
fn apply_resource_change(bencher: Bencher) {
    let core = core(instant::provider());
    bencher.with_inputs(|| core.to_apply()).bench_values(|request| core.apply(request));
}

/// Refreshes what was applied.
#[divan::bench]
fn read_resource(bencher: Bencher) {
    let core = core(instant::provider());
    let apply_resource_change::Response { new_state, private, .. } = core.applied();
    let type_name = core.to_plan().type_name;
    let request = read_resource::Request { type_name, current_state: new_state, private };
    bencher
        .with_inputs(|| request.clone())
        .bench_values(|request| core.runtime.block_on(async { core.client().read_resource(request).await.unwrap() }));
}

/// Plays core's part in this process. Every call goes from its bytes to the bytes of its answer.
struct Core<S> {
    attributes: Vec<Attribute>,
    runtime: Runtime,
    service: S,
}

fn core(provider: Smtp) -> Core<impl GrpcService<Body, ResponseBody = Body, Error = Infallible> + Clone> {
    let attributes = provider.resources()[0].schema().attributes.clone();
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    Core { attributes, runtime, service: protocol::service(Arc::new(provider)) }
}

impl<S: GrpcService<Body, ResponseBody = Body, Error = Infallible> + Clone> Core<S> {
    fn schema(&self) -> get_provider_schema::Response {
        let request = get_provider_schema::Request {};
        self.runtime.block_on(async { self.client().get_provider_schema(request).await.unwrap().into_inner() })
    }

    fn plan(&self, request: plan_resource_change::Request) -> plan_resource_change::Response {
        self.runtime.block_on(async { self.client().plan_resource_change(request).await.unwrap().into_inner() })
    }

    fn apply(&self, request: apply_resource_change::Request) -> apply_resource_change::Response {
        self.runtime.block_on(async { self.client().apply_resource_change(request).await.unwrap().into_inner() })
    }

    fn applied(&self) -> apply_resource_change::Response {
        let answer = self.apply(self.to_apply());
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
        answer
    }

    fn to_plan(&self) -> plan_resource_change::Request {
        credential::plan(&credential::user_name(0), &self.attributes)
    }

    fn to_apply(&self) -> apply_resource_change::Request {
        credential::apply(self.to_plan(), self.plan(self.to_plan()))
    }

    fn client(&self) -> ProviderClient<S> {
        ProviderClient::new(self.service.clone())
    }
}

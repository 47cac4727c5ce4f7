//! Everything that reads bytes from outside, as functions of these bytes.
//!
//! `cargo test --test parsers` gives them random bytes, `fuzz/run` those that a fuzzer breeds. A target panics where
//! something is wrong: reading crashes, reveals a secret, or returns something else than what went in.

use std::{ffi::OsString, sync::LazyLock};

use terraform_provider_smtp::{
    age::{self, Identities, Recipient, Seal},
    framework::{
        Call, Client, Private, Provider, Resource,
        diagnostic::Diagnostics,
        json, msgpack, plan,
        schema::Schema,
        validate::{self, WriteOnly},
        value::Value,
    },
    protocol::Handshake,
    provider::Smtp,
    secret::Secret,
    smtp::FailureKind,
    vendors::{VENDORS, Vendor},
};
use tokio::runtime::Runtime;

use crate::{NEEDLE, mail_server::MailServer, seeds, vendors::Vendors};

/// A name, and the function that reads the bytes.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// Every target, by name.
pub(crate) const TARGETS: &[Target] = &[
    ("age_file", age_file),
    ("age_keys", age_keys),
    ("client_certificate", client_certificate),
    ("import_id", import_id),
    ("retry_after", retry_after),
    ("smtp_reply", smtp_reply),
    ("state", state),
    ("value", value),
    ("vendor_error", vendor_error),
    ("vendor_list", vendor_list),
    ("vendor_reset", vendor_reset),
];

/// An encrypted file, with armor and without.
fn age_file(bytes: &[u8]) {
    static IDENTITIES: LazyLock<Identities> =
        LazyLock::new(|| Identities::parse(&Secret::new(seeds::IDENTITY)).unwrap());
    let armored = age::open_armored(&String::from_utf8_lossy(bytes), &IDENTITIES);
    for content in [armored, age::open(bytes, &IDENTITIES)].into_iter().flatten() {
        assert_eq!(*content, NEEDLE.as_bytes(), "nobody can make another file that opens");
    }
    decrypt(String::from_utf8_lossy(bytes).into_owned(), seeds::IDENTITY, bytes);
}

/// A recipient, or an identity file.
fn age_keys(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(recipient) = Recipient::parse(&text) {
        assert!(Seal::prepare(&[recipient], getrandom::fill).is_some(), "whatever is a recipient can be encrypted to");
        assert_eq!(text, text.to_lowercase());
    }
    decrypt(String::new(), &text, bytes);
}

/// Calls the function that decrypts. Its error says nothing of its arguments, which are `bytes`.
fn decrypt(file: String, identity: &str, bytes: &[u8]) {
    let arguments = [Value::String(file), Secret::new(identity).into()];
    let function = CONFIGURED.functions().iter().find(|function| function.name() == "decrypt").unwrap();
    if let Err(fault) = function.call(&arguments) {
        assert_mute(&fault.text, bytes);
    }
}

/// The certificate with which core will connect.
fn client_certificate(bytes: &[u8]) {
    let pem = String::from_utf8_lossy(bytes);
    let terms = Handshake::read(|name| match name {
        "TF_PLUGIN_MAGIC_COOKIE" => Some("d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2".into()),
        "PLUGIN_PROTOCOL_VERSIONS" => Some("6".into()),
        "PLUGIN_CLIENT_CERT" => Some(OsString::from(&*pem)),
        _ => None,
    });
    if let Err(refusal) = terms {
        assert_eq!(
            refusal.to_string(),
            "PLUGIN_CLIENT_CERT is not a PEM certificate; refusing to serve without client authentication."
        );
    }
}

/// What follows the resource's address in `terraform import`.
fn import_id(bytes: &[u8]) {
    // Without settings nothing is asked: an id is read, or not.
    static SMTP: LazyLock<Smtp> = LazyLock::new(Smtp::new);
    let id = String::from_utf8_lossy(bytes);
    if let Err(diagnostics) = RUNTIME.block_on(resource(&SMTP).import(&Call::default(), &id)) {
        assert_sound(&diagnostics);
    }
}

/// The vendor's word on when to ask again: the values of two headers, in lines.
fn retry_after(bytes: &[u8]) {
    let mut answer = b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n".to_vec();
    for (name, value) in ["Retry-After", "X-RateLimit-Reset"].iter().zip(bytes.split(|byte| *byte == b'\n')) {
        let value = value.iter().filter(|byte| !matches!(byte, b'\r' | 0));
        answer.extend(name.bytes().chain(*b": ").chain(value.copied()).chain(*b"\r\n"));
    }
    answer.extend(b"\r\n");
    answers().read(hubspot(), answer);
}

/// What a mail server says before TLS. What it says within is read by the same code.
fn smtp_reply(bytes: &[u8]) {
    static SERVER: LazyLock<MailServer> = LazyLock::new(MailServer::start);
    let failure = RUNTIME.block_on(SERVER.check(bytes)).unwrap_err();
    let code = failure.code.map(|code| code.to_string()).unwrap_or_default();
    assert_ne!(failure.kind, FailureKind::TimedOut, "whatever comes, the end of it is seen");
    let enhanced = failure.enhanced.map(|code| code.to_string()).unwrap_or_default();
    assert!(enhanced.bytes().all(|byte| byte == b'.' || byte.is_ascii_digit()), "{enhanced}");
    assert!(code.is_empty() || String::from_utf8_lossy(bytes).contains(&code), "{code} was not said");
}

/// A state as core keeps it.
fn state(bytes: &[u8]) {
    match json::decode(bytes, &schema().attributes) {
        Ok(state) => {
            let stored = msgpack::encode(&state, &schema().attributes);
            assert!(msgpack::decode(&stored, &schema().attributes) == Ok(state), "a state comes out as it went in");
        }
        Err(malformed) => assert_mute(&malformed.to_string(), bytes),
    }
}

/// A configuration, a prior state or a plan.
fn value(bytes: &[u8]) {
    let value = match msgpack::decode(bytes, &schema().attributes) {
        Ok(value) => value,
        Err(malformed) => return assert_mute(&malformed.to_string(), bytes),
    };
    let encoded = msgpack::encode(&value, &schema().attributes);
    assert!(msgpack::decode(&encoded, &schema().attributes) == Ok(value.clone()), "a value comes out as it went in");
    if value.is_null() {
        return;
    }
    let mut diagnostics = validate::config(&schema().attributes, &value, WriteOnly::Allowed);
    diagnostics.extend(resource(&CONFIGURED).validate(&value));
    assert_sound(&diagnostics);
    for prior in [Value::Null, value.clone()] {
        let mut draft = plan::draft(schema(), value.clone(), prior, Private(bytes.to_vec()));
        if let Err(diagnostics) = resource(&CONFIGURED).plan(&Call::default(), &mut draft) {
            assert_sound(&diagnostics);
        }
    }
}

/// The body of a refusal.
fn vendor_error(bytes: &[u8]) {
    let [vendor, status, body @ ..] = bytes else { return };
    let status = [400, 403, 404, 409, 410, 415, 422][usize::from(*status) % 7];
    answers().reset(a_vendor(*vendor), response(status, body));
}

/// The body of an answer to a question.
fn vendor_list(bytes: &[u8]) {
    let [vendor, body @ ..] = bytes else { return };
    answers().read(a_vendor(*vendor), response(200, body));
}

/// The body of an answer to a reset.
fn vendor_reset(bytes: &[u8]) {
    let [vendor, body @ ..] = bytes else { return };
    answers().reset(a_vendor(*vendor), response(200, body));
}

fn response(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n", body.len());
    [head.as_bytes(), b"Content-Type: application/json\r\n\r\n", body].concat()
}

fn answers() -> &'static Vendors {
    static ANSWERS: LazyLock<Vendors> = LazyLock::new(Vendors::start);
    &ANSWERS
}

fn a_vendor(byte: u8) -> &'static Vendor {
    VENDORS[usize::from(byte) % VENDORS.len()]
}

fn hubspot() -> &'static Vendor {
    VENDORS.iter().find(|vendor| vendor.name == "hubspot").unwrap()
}

fn resource(smtp: &Smtp) -> &dyn Resource {
    &*smtp.resources()[0]
}

fn schema() -> &'static Schema {
    resource(&CONFIGURED).schema()
}

/// Diagnostics are for people: short, without content, and nothing that steers a terminal.
#[track_caller]
fn assert_sound(diagnostics: &Diagnostics) {
    for diagnostic in diagnostics {
        let text = format!("{} {}", diagnostic.summary, diagnostic.detail);
        assert!(diagnostic.summary.split(' ').count() <= 8, "{text}");
        assert!(!format!("{diagnostic:?}").contains(NEEDLE), "{text}");
        assert!(!text.chars().any(|character| character.is_control() && character != '\n'), "{text:?}");
    }
}

/// What is said of bytes that cannot be read is the same whatever they hold.
#[track_caller]
fn assert_mute(said: &str, bytes: &[u8]) {
    assert!(!said.contains(NEEDLE) && said.len() < 200, "{said} is said of {} bytes", bytes.len());
}

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A provider that has a login for every vendor, and whose plans ask nobody.
static CONFIGURED: LazyLock<Smtp> = LazyLock::new(|| {
    let smtp = Smtp::new();
    let settings = VENDORS.iter().map(|vendor| {
        let login = vendor.logins[0]
            .iter()
            .filter(|field| !field.is_variable)
            .map(|field| (field.name, Value::Secret(NEEDLE.to_owned().into())));
        (vendor.name, Value::object(login))
    });
    let config = smtp.schema().attributes.iter().map(|attribute| (attribute.name.to_string(), Value::Null));
    let mut config = Value::object(config);
    settings.for_each(|(name, login)| config.set(name, login));
    let client = Client { version: "1.11.4".to_owned() };
    RUNTIME.block_on(smtp.configure(&Call::default(), &client, config)).unwrap();
    smtp
});

//! A provider that does what its configuration says, for what no real provider should do: panic, fail late, wait for
//! ever.

use std::{env, process, sync::Arc};

use async_trait::async_trait;
use terraform_provider_smtp::{
    framework::{
        Call, Change, Client, Crash, DataSource, Function, FunctionError, ListResource, Listed, NewState, Private,
        Provider, Query, Resource, ResourceState, Signature,
        diagnostic::{Diagnostic, Diagnostics, Path, Result},
        plan::Draft,
        schema::{Attribute, Schema, Type},
        value::Value,
    },
    protocol::{self, Start},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    process::Command,
};

/// A command that serves one of these providers: this test program, with the name of the one test to run.
///
/// That test has to begin with [`serve_if_asked`].
pub(crate) fn command(provider: &str, host: &str) -> Command {
    let mut command = sandbox::core::command(env::current_exe().unwrap());
    command.args(["--exact", host, "--nocapture", "--quiet"]).env(ASKED_FOR, provider);
    command
}

/// Serves in the place of a test, where [`command`] started this process; otherwise returns.
pub(crate) fn serve_if_asked() {
    let provider: Arc<dyn Provider> = match env::var(ASKED_FOR).as_deref() {
        Ok("fake") => Arc::new(FakeProvider::new()),
        Ok("broken") => Arc::new(Broken),
        _ => return,
    };
    let served = protocol::serve(provider, Start::ByCore);
    process::exit(i32::from(served != process::ExitCode::SUCCESS));
}

const ASKED_FOR: &str = "FAKE_PROVIDER";

/// The variable that names the gate at which the fake provider says that it is closed.
pub(crate) const CLOSES_AT: &str = "FAKE_PROVIDER_CLOSES_AT";

/// What a panic says, and nobody may read.
pub(crate) const PANIC_MESSAGE: &str = "the-message-of-the-panic";

/// Where a call waits, so that a test knows that it is in flight.
pub(crate) struct Gate(TcpListener);

/// A call that waits.
pub(crate) struct Waiting(TcpStream);

impl Gate {
    pub(crate) async fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn address(&self) -> String {
        self.0.local_addr().unwrap().to_string()
    }

    /// Waits for a call that waits.
    pub(crate) async fn arrival(&self) -> Waiting {
        Waiting(self.0.accept().await.unwrap().0)
    }
}

impl Waiting {
    /// Waits until the call is asked to stop, which it ignores.
    pub(crate) async fn stopped(&mut self) {
        self.hear(b's').await;
    }

    /// Lets the call go on.
    pub(crate) async fn release(&mut self) {
        self.0.write_all(b"r").await.unwrap();
    }

    /// Waits until the provider is asked to close.
    pub(crate) async fn closing(&mut self) {
        self.hear(b'c').await;
    }

    /// Waits until the call has stored its state.
    pub(crate) async fn stored(&mut self) {
        self.hear(b'd').await;
    }

    async fn hear(&mut self, word: u8) {
        assert_eq!(self.0.read_u8().await.unwrap(), word);
    }
}

struct FakeProvider {
    schema: Schema,
    data_sources: Vec<Arc<dyn DataSource>>,
    functions: Vec<Arc<dyn Function>>,
    list_resources: Vec<Arc<dyn ListResource>>,
    resources: Vec<Arc<dyn Resource>>,
}

impl FakeProvider {
    fn new() -> Self {
        let schema = Schema { attributes: vec![Attribute::optional("token", Type::String, "")], ..Schema::default() };
        Self {
            schema,
            data_sources: vec![Arc::new(Thing { schema: thing() })],
            functions: vec![Arc::new(Repeat::new())],
            list_resources: vec![Arc::new(Thing { schema: thing() })],
            resources: vec![Arc::new(Thing { schema: thing() })],
        }
    }
}

#[async_trait]
impl Provider for FakeProvider {
    fn address(&self) -> &'static str {
        "example/fake"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn resources(&self) -> &[Arc<dyn Resource>] {
        &self.resources
    }

    fn data_sources(&self) -> &[Arc<dyn DataSource>] {
        &self.data_sources
    }

    fn functions(&self) -> &[Arc<dyn Function>] {
        &self.functions
    }

    fn list_resources(&self) -> &[Arc<dyn ListResource>] {
        &self.list_resources
    }

    fn validate(&self, _: &Value) -> Diagnostics {
        Diagnostics::default()
    }

    async fn configure(&self, _: &Call, _: &Client, _: Value) -> Result<()> {
        Ok(())
    }

    /// Says so at the gate that the environment names, and waits there to be released; or panics.
    async fn close(&self) {
        let Ok(address) = env::var(CLOSES_AT) else { return };
        let mut gate = TcpStream::connect(address).await.unwrap();
        gate.write_all(b"c").await.unwrap();
        assert_eq!(gate.read_u8().await.unwrap(), b'r', "{PANIC_MESSAGE}");
    }
}

/// The schema of the fake resource.
pub(crate) fn thing() -> Schema {
    let attributes = vec![
        Attribute::required("does", Type::String, "What happens when it is made, changed, read or ended."),
        Attribute::optional("gate", Type::String, "Where it waits first."),
        Attribute::optional("text", Type::String, "Any text.").requires_replace(),
        Attribute::optional("once", Type::String, "Never stored.").sensitive().write_only(),
        Attribute::computed("result", Type::String, "How it went.").sensitive(),
    ];
    Schema { version: 2, attributes, ..Schema::default() }
}

/// A configuration of the fake resource.
pub(crate) fn config(does: &str) -> Value {
    Value::object([
        ("does", does.into()),
        ("gate", Value::Null),
        ("text", Value::Null),
        ("once", Value::Null),
        ("result", Value::Null),
    ])
}

struct Thing {
    schema: Schema,
}

impl Thing {
    /// Does what `state` says and puts the result into `new`.
    async fn act(&self, call: &Call, planned: &Value, new: &NewState) -> Result<()> {
        let does = planned.get("does").as_str().unwrap();
        assert_ne!(does, "panic", "{PANIC_MESSAGE}");
        if does.ends_with("in doubt") {
            let mut left = planned.clone();
            left.set("result", "left");
            new.doubt(Some(ResourceState { state: left, private: Private(b"left".to_vec()) }));
            assert_ne!(does, "panic in doubt", "{PANIC_MESSAGE}");
            if does == "settle in doubt" {
                new.settle();
            }
            return Err(Diagnostic::error("Failed", "It failed.").into());
        }
        if does == "fail" {
            return Err(Diagnostic::error("Failed", "It failed.").at(Path::attribute("does")).into());
        }
        let mut gate = match planned.get("gate").as_str() {
            Some(address) => Some(TcpStream::connect(address).await.unwrap()),
            None => None,
        };
        let result = match &mut gate {
            Some(gate) => wait(call, gate).await,
            None => "done",
        };
        call.warn(Diagnostic::warning("Warned", "A warning."));
        let mut state = planned.clone();
        state.set("result", result);
        new.set(ResourceState { state, private: Private(b"new".to_vec()) });
        if let Some(gate) = &mut gate {
            gate.write_all(b"d").await.unwrap();
        }
        assert_ne!(does, "panic late", "{PANIC_MESSAGE}");
        match does {
            "fail late" => Err(Diagnostic::error("Failed late", "It failed after it was stored.").into()),
            _ => Ok(()),
        }
    }
}

/// Waits for release, and says so when it is asked to stop meanwhile.
async fn wait(call: &Call, gate: &mut TcpStream) -> &'static str {
    let mut result = "released";
    loop {
        tokio::select! {
            () = call.stop.cancelled(), if result == "released" => {
                gate.write_all(b"s").await.unwrap();
                result = "stopped";
            }
            word = gate.read_u8() => {
                assert_eq!(word.unwrap(), b'r');
                return result;
            }
        }
    }
}

#[async_trait]
impl Resource for Thing {
    fn type_name(&self) -> &'static str {
        "fake_thing"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, _: &Value) -> Diagnostics {
        Diagnostics::default()
    }

    fn plan(&self, _: &Call, draft: &mut Draft) -> Result<()> {
        assert_ne!(draft.config.get("does").as_str(), Some("panic"), "{PANIC_MESSAGE}");
        draft.private = Private(b"planned".to_vec());
        if draft.prior != Value::Null {
            draft.planned.set("result", Value::Unknown);
        }
        Ok(())
    }

    fn plan_destroy(&self, _: &Value) -> Private {
        Private(b"destroy".to_vec())
    }

    async fn read(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        if prior.state.get("does").as_str() == Some("go") {
            return Ok(None);
        }
        let new = NewState::holding(prior.clone());
        self.act(call, &prior.state, &new).await?;
        Ok(Some(new.take()))
    }

    async fn create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        self.act(call, &change.planned, new).await
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        self.act(call, &change.planned, new).await
    }

    async fn delete(&self, call: &Call, prior: &Value, _: &Private) -> Result<()> {
        self.act(call, prior, &NewState::holding(ResourceState::default())).await
    }

    fn after_crash(&self, crash: Crash) -> &'static str {
        match crash {
            Crash::BeforeAct => "The thing was not changed.",
            Crash::InDoubt => "The thing may have been changed.",
            Crash::Deleting => "The thing may be gone.",
        }
    }

    async fn import(&self, _: &Call, id: &str) -> Result<ResourceState> {
        Ok(ResourceState { state: config(id), private: Private(b"imported".to_vec()) })
    }

    fn import_id(&self, state: &Value) -> Option<String> {
        assert_ne!(state.get("text").as_str(), Some("panic in identity"), "{PANIC_MESSAGE}");
        state.get("does").as_str().map(str::to_owned)
    }
}

/// Lists three things, however few are wanted.
#[async_trait]
impl ListResource for Thing {
    fn type_name(&self) -> &'static str {
        "fake_thing"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        DataSource::validate(self, config)
    }

    async fn list(&self, call: &Call, config: Value, query: Query) -> Result<Vec<Listed>> {
        self.act(call, &config, &NewState::holding(ResourceState::default())).await?;
        let listed = |id: &str| Listed {
            import_id: id.to_owned(),
            display_name: format!("the {id} thing"),
            state: query.with_states.then(|| self::config(id)),
        };
        Ok(["first", "second", "third"].map(listed).into())
    }
}

/// Looks the thing up: the same happens as when it is made.
#[async_trait]
impl DataSource for Thing {
    fn type_name(&self) -> &'static str {
        "fake_look"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        match config.get("does").as_str() {
            Some("nothing") => Diagnostic::error("Useless", "It does nothing.").at(Path::attribute("does")).into(),
            _ => Diagnostics::default(),
        }
    }

    async fn read(&self, call: &Call, config: Value) -> Result<Value> {
        let new = NewState::holding(ResourceState::default());
        self.act(call, &config, &new).await?;
        Ok(new.take().state)
    }
}

/// Repeats a text.
struct Repeat {
    signature: Signature,
}

impl Repeat {
    fn new() -> Self {
        let signature = Signature {
            summary: "Repeats a text.",
            description: String::new(),
            parameters: repeat_parameters(),
            variadic: None,
            returns: Type::String,
        };
        Self { signature }
    }
}

/// What the fake function takes.
pub(crate) fn repeat_parameters() -> Vec<Attribute> {
    let short = |text: &str| if text.len() > 20 { Err("must be short") } else { Ok(()) };
    vec![
        Attribute::required("text", Type::String, "Any text.").sensitive().validated_by(short),
        Attribute::required("times", Type::Number, "How often."),
    ]
}

impl Function for Repeat {
    fn name(&self) -> &'static str {
        "repeat"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn call(&self, arguments: &[Value]) -> std::result::Result<Value, FunctionError> {
        let text = arguments[0].as_secret().unwrap().for_state();
        assert_ne!(text, "panic", "{PANIC_MESSAGE}");
        match arguments[1].as_number().unwrap().as_i64() {
            Some(times @ 0..100) => Ok(text.repeat(usize::try_from(times).unwrap()).into()),
            _ => Err(FunctionError::of(1, "must be less than 100")),
        }
    }
}

/// A provider of which nothing works.
struct Broken;

#[async_trait]
impl Provider for Broken {
    fn address(&self) -> &'static str {
        panic!("{PANIC_MESSAGE}")
    }

    fn schema(&self) -> &Schema {
        panic!("{PANIC_MESSAGE}")
    }

    fn resources(&self) -> &[Arc<dyn Resource>] {
        panic!("{PANIC_MESSAGE}")
    }

    fn data_sources(&self) -> &[Arc<dyn DataSource>] {
        panic!("{PANIC_MESSAGE}")
    }

    fn functions(&self) -> &[Arc<dyn Function>] {
        panic!("{PANIC_MESSAGE}")
    }

    fn list_resources(&self) -> &[Arc<dyn ListResource>] {
        panic!("{PANIC_MESSAGE}")
    }

    fn validate(&self, _: &Value) -> Diagnostics {
        panic!("{PANIC_MESSAGE}")
    }

    async fn configure(&self, _: &Call, _: &Client, _: Value) -> Result<()> {
        panic!("{PANIC_MESSAGE}")
    }
}

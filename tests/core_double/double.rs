//! Core, as far as one resource goes: refreshes, plans, applies, imports and destroys it, each time in processes of its own.
//!
//! Every answer is held against core's rules ([`rules`]).

use std::{
    fs::{self, File},
    io::Read,
    process::Stdio,
};

use sandbox::{
    Sandbox,
    core::{
        self, Plugin, decode, encode, rules,
        wire::{
            plugin::Empty,
            tfplugin6::{
                ClientCapabilities, Diagnostic, DynamicValue, RawState, apply_resource_change, configure_provider,
                diagnostic::Severity, import_resource_state, plan_resource_change, provider_client::ProviderClient,
                read_resource, upgrade_resource_state, validate_provider_config, validate_resource_config,
            },
        },
    },
};
use tempfile::NamedTempFile;
use terraform_provider_smtp::{
    framework::{Provider, schema::Attribute, value::Value},
    provider::Smtp,
};
use tonic::transport::Channel;

const TYPE_NAME: &str = "smtp_credential_password";

/// What core stores of the resource.
#[derive(Clone, Default)]
pub(crate) struct Stored {
    pub(crate) state: Value,
    pub(crate) private: Vec<u8>,
}

/// In which order a replacement is carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    DeleteFirst,
    CreateFirst,
}

/// What a plan is going to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Action {
    Nothing,
    Create,
    Update,
    Replace,
}

/// Why a plan is made.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Wish {
    /// For the configuration.
    Configured,
    /// For the configuration, with `-replace`.
    Replaced,
}

/// A plan as core keeps it until it is applied.
pub(crate) struct Plan {
    pub(crate) action: Action,
    pub(crate) planned: Value,
    /// What the user is warned of.
    pub(crate) warnings: Vec<Diagnostic>,
    private: Vec<u8>,
}

/// Core, and all that it knows of one resource.
pub(crate) struct Double<'a> {
    sandbox: &'a Sandbox,
    provider: Schema,
    resource: Schema,
    version: i64,
    pub(crate) stored: Stored,
    /// Whom to trust at the mail server.
    authority: NamedTempFile,
    /// The process that has planned since the last apply, if any has.
    planning: Option<Session>,
}

type Schema = Vec<Attribute>;

/// One process of the provider, configured.
struct Session {
    plugin: Plugin,
    provider: ProviderClient<Channel>,
    log: File,
}

impl<'a> Double<'a> {
    /// Starts without a state.
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        let smtp = Smtp::new();
        let resource = smtp.resources()[0].schema();
        let authority = NamedTempFile::new().unwrap();
        fs::write(authority.path(), sandbox.ca_certificate_pem()).unwrap();
        Self {
            authority,
            sandbox,
            provider: smtp.schema().attributes.clone(),
            resource: resource.attributes.clone(),
            version: resource.version,
            stored: Stored::default(),
            planning: None,
        }
    }

    /// Imports the resource.
    pub(crate) async fn import(&mut self, id: &str) {
        let mut session = self.session().await;
        let request = import_resource_state::Request { type_name: TYPE_NAME.to_owned(), id: id.to_owned() };
        let answer = session.provider.import_resource_state(request).await.unwrap().into_inner();
        without_errors(&answer.diagnostics);
        let [imported] = &answer.imported_resources[..] else { panic!("an import makes one resource") };
        assert_eq!(imported.type_name, TYPE_NAME);
        self.stored = Stored { state: self.decode(imported.state.clone()), private: imported.private.clone() };
        rules::assert_storable(&self.resource, &self.stored.state);
        self.stored = self.read(&mut session, &self.stored).await;
        session.end().await;
        assert!(!self.stored.state.is_null(), "what is imported is there");
    }

    /// Refreshes, and plans for a configuration.
    pub(crate) async fn plan(&mut self, config: &Value, wish: Wish) -> Plan {
        let mut session = self.planning().await;
        self.refresh(&mut session).await;
        let plan = self.plan_in(&mut session, &self.stored, config, wish).await;
        self.planning = Some(session);
        plan
    }

    /// Carries out a plan, now that the whole configuration is known; answers with the warnings.
    pub(crate) async fn apply(&mut self, plan: Plan, config: &Value, order: Order) -> Vec<Diagnostic> {
        self.planning().await.end().await;
        let mut session = self.session().await;
        let before = self.stored.clone();
        let mut warnings = Vec::new();
        match (plan.action, order) {
            (Action::Nothing, _) => {}
            (Action::Create | Action::Update, _) => warnings = self.make(&mut session, plan, config).await,
            (Action::Replace, Order::DeleteFirst) => {
                warnings = self.end(&mut session, &before, plan.private.clone()).await;
                self.stored = Stored::default();
                warnings.extend(self.make(&mut session, plan, config).await);
            }
            (Action::Replace, Order::CreateFirst) => {
                self.stored = Stored::default();
                warnings = self.make(&mut session, plan, config).await;
                let private = self.plan_destroy(&mut session, &before).await;
                warnings.extend(self.end(&mut session, &before, private).await);
            }
        }
        session.end().await;
        warnings
    }

    /// Destroys the resource.
    pub(crate) async fn destroy(&mut self) {
        let mut planning = self.planning().await;
        self.refresh(&mut planning).await;
        let private = self.plan_destroy(&mut planning, &self.stored).await;
        planning.end().await;
        let mut applying = self.session().await;
        let before = std::mem::take(&mut self.stored);
        self.end(&mut applying, &before, private).await;
        applying.end().await;
    }

    /// One plan: validated, proposed, drawn up, and for a replacement drawn up again without a prior state.
    async fn plan_in(&self, session: &mut Session, prior: &Stored, config: &Value, wish: Wish) -> Plan {
        let request = validate_resource_config::Request {
            type_name: TYPE_NAME.to_owned(),
            config: self.encode(config),
            client_capabilities: Some(ClientCapabilities { write_only_attributes_allowed: true }),
        };
        let validated = session.provider.validate_resource_config(request).await.unwrap().into_inner();
        without_errors(&validated.diagnostics);

        let (answer, planned) = self.plan_once(session, &prior.state, prior.private.clone(), config).await;
        let mut plan =
            Plan { action: Action::Update, planned, warnings: answer.diagnostics, private: answer.planned_private };
        let asked = rules::is_replaced(&answer.requires_replace, &prior.state, &plan.planned);
        if prior.state.is_null() {
            plan.action = Action::Create;
        } else if asked || wish == Wish::Replaced {
            // The second time core hands on the private data of the first.
            let (again, planned) = self.plan_once(session, &Value::Null, plan.private, config).await;
            assert!(again.requires_replace.is_empty(), "a create cannot replace anything");
            plan = Plan { action: Action::Replace, planned, private: again.planned_private, ..plan };
        } else if plan.planned == prior.state {
            plan.action = Action::Nothing;
        }
        plan
    }

    async fn plan_once(
        &self,
        session: &mut Session,
        prior: &Value,
        prior_private: Vec<u8>,
        config: &Value,
    ) -> (plan_resource_change::Response, Value) {
        let request = plan_resource_change::Request {
            type_name: TYPE_NAME.to_owned(),
            prior_state: self.encode(prior),
            proposed_new_state: self.encode(&rules::proposed(&self.resource, prior, config)),
            config: self.encode(config),
            prior_private,
        };
        let answer = session.provider.plan_resource_change(request.clone()).await.unwrap().into_inner();
        without_errors(&answer.diagnostics);
        let again = session.provider.plan_resource_change(request).await.unwrap().into_inner();
        assert!(again == answer, "the same plan has two answers");
        let planned = self.decode(answer.planned_state.clone());
        rules::assert_plan_valid(&self.resource, config, &planned);
        (answer, planned)
    }

    async fn plan_destroy(&self, session: &mut Session, prior: &Stored) -> Vec<u8> {
        let nothing = Value::Null;
        let (answer, _) = self.plan_once(session, &prior.state, prior.private.clone(), &nothing).await;
        assert!(answer.requires_replace.is_empty(), "a destroy replaces nothing");
        answer.planned_private
    }

    /// Creates or updates: plans once more with what is known by now, then applies that.
    async fn make(&mut self, session: &mut Session, plan: Plan, config: &Value) -> Vec<Diagnostic> {
        let before = std::mem::take(&mut self.stored);
        let last = self.plan_in(session, &before, config, Wish::Configured).await;
        rules::assert_compatible(&plan.planned, &last.planned, "the plan at apply");
        match (plan.action, last.action) {
            (Action::Update, Action::Nothing) => {
                self.stored = before;
                return Vec::new();
            }
            (Action::Create | Action::Replace, Action::Create) | (Action::Update, Action::Update) => {}
            (first, last) => panic!("{first:?} was planned, and at apply {last:?}"),
        }
        let applied = self.apply_in(session, &before.state, &last.planned, config, last.private).await;
        let state = self.decode(applied.new_state);
        rules::assert_compatible(&last.planned, &state, "the new state");
        rules::assert_storable(&self.resource, &state);
        self.stored = Stored { state, private: applied.private };
        applied.diagnostics
    }

    /// Deletes an object.
    async fn end(&self, session: &mut Session, before: &Stored, private: Vec<u8>) -> Vec<Diagnostic> {
        let applied = self.apply_in(session, &before.state, &Value::Null, &Value::Null, private).await;
        assert!(self.decode(applied.new_state).is_null(), "what is deleted is gone");
        applied.diagnostics
    }

    async fn apply_in(
        &self,
        session: &mut Session,
        prior: &Value,
        planned: &Value,
        config: &Value,
        planned_private: Vec<u8>,
    ) -> apply_resource_change::Response {
        assert!(config.is_wholly_known(), "core applies with a known configuration");
        let request = apply_resource_change::Request {
            type_name: TYPE_NAME.to_owned(),
            prior_state: self.encode(prior),
            planned_state: self.encode(planned),
            config: self.encode(config),
            planned_private,
        };
        let applied = session.provider.apply_resource_change(request).await.unwrap().into_inner();
        without_errors(&applied.diagnostics);
        applied
    }

    /// Brings the stored state to today's schema, as it lies in the state file, and to what the vendor says.
    async fn refresh(&mut self, session: &mut Session) {
        if self.stored.state.is_null() {
            return;
        }
        let json = serde_json::to_vec(&rules::json(&self.stored.state)).unwrap();
        let request = upgrade_resource_state::Request {
            type_name: TYPE_NAME.to_owned(),
            version: self.version,
            raw_state: Some(RawState { json, ..RawState::default() }),
        };
        let answer = session.provider.upgrade_resource_state(request).await.unwrap().into_inner();
        without_errors(&answer.diagnostics);
        assert!(self.decode(answer.upgraded_state) == self.stored.state, "a state of today needs no upgrade");
        self.stored = self.read(session, &self.stored).await;
    }

    async fn read(&self, session: &mut Session, stored: &Stored) -> Stored {
        let request = read_resource::Request {
            type_name: TYPE_NAME.to_owned(),
            current_state: self.encode(&stored.state),
            private: stored.private.clone(),
        };
        let answer = session.provider.read_resource(request).await.unwrap().into_inner();
        without_errors(&answer.diagnostics);
        let state = self.decode(answer.new_state);
        if state.is_null() {
            return Stored::default();
        }
        rules::assert_storable(&self.resource, &state);
        Stored { state, private: answer.private }
    }

    /// Ends the process that has planned: what comes now it could not know of.
    pub(crate) async fn end_planning(&mut self) {
        if let Some(session) = self.planning.take() {
            session.end().await;
        }
    }

    /// The process that plans; plans have no effects, so one serves until the next apply.
    async fn planning(&mut self) -> Session {
        match self.planning.take() {
            Some(session) => session,
            None => self.session().await,
        }
    }

    async fn session(&self) -> Session {
        let mut command = core::command(env!("CARGO_BIN_EXE_terraform-provider-smtp"));
        let log = tempfile::tempfile().unwrap();
        command.envs(self.sandbox.env()).env("TF_LOG_PROVIDER", "TRACE");
        command.env("SMTP_CA_CERTIFICATE_FILE", self.authority.path());
        command.stderr(Stdio::from(log.try_clone().unwrap()));
        let plugin = Plugin::start(command).await;
        let mut provider = plugin.connect().await.provider;
        let config = encode(&Value::object::<&str>([]), &self.provider);
        let request = validate_provider_config::Request { config: config.clone() };
        without_errors(&provider.validate_provider_config(request).await.unwrap().into_inner().diagnostics);
        let request = configure_provider::Request { terraform_version: "1.15.5".to_owned(), config };
        without_errors(&provider.configure_provider(request).await.unwrap().into_inner().diagnostics);
        Session { plugin, provider, log }
    }

    fn encode(&self, value: &Value) -> Option<DynamicValue> {
        encode(value, &self.resource)
    }

    fn decode(&self, value: Option<DynamicValue>) -> Value {
        decode(value, &self.resource)
    }
}

impl Session {
    /// Ends the process as core does, and looks through what it has logged.
    async fn end(self) {
        let Self { plugin, provider, mut log } = self;
        drop(provider);
        plugin.connect().await.controller.shutdown(Empty {}).await.unwrap();
        plugin.ended().await;
        let mut logged = String::new();
        std::io::Seek::rewind(&mut log).unwrap();
        log.read_to_string(&mut logged).unwrap();
        assert!(!logged.contains("panic"), "{logged}");
    }
}

#[track_caller]
fn without_errors(diagnostics: &[Diagnostic]) {
    let errors: Vec<_> = diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

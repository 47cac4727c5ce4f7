//! Core, as far as one resource goes: refreshes, plans, applies, imports and destroys it, each time in processes of its
//! own.
//!
//! Nothing fails here: a diagnostic of an error is a failure of the test.

use std::{
    fs::{self, File},
    io::Read,
    process::Stdio,
    sync::Arc,
};

use sandbox::{
    Sandbox,
    core::{
        self, Plugin,
        caller::{Caller, Plan, Schemas, Stored, Wish},
        encode,
        wire::{
            plugin::Empty,
            tfplugin6::{Diagnostic, configure_provider, validate_provider_config},
        },
    },
};
use tempfile::NamedTempFile;
use terraform_provider_smtp::framework::value::Value;

/// In which order a replacement is carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Order {
    DeleteFirst,
    CreateFirst,
}

/// Core, and all that it knows of one resource.
pub(crate) struct Double<'a> {
    sandbox: &'a Sandbox,
    schemas: Arc<Schemas>,
    pub(crate) stored: Stored,
    /// The authority to trust at the mail server.
    authority: NamedTempFile,
    /// The process that has planned since the last apply, if any has.
    planning: Option<Session>,
}

/// One process of the provider, configured.
struct Session {
    plugin: Plugin,
    caller: Caller,
    log: File,
}

impl<'a> Double<'a> {
    /// Starts without a state, with `smtp_credential_password`.
    pub(crate) fn new(sandbox: &'a Sandbox) -> Self {
        Self::of(sandbox, Schemas::new())
    }

    /// Starts without a state.
    pub(crate) fn of(sandbox: &'a Sandbox, schemas: Schemas) -> Self {
        let authority = NamedTempFile::new().unwrap();
        fs::write(authority.path(), sandbox.ca_certificate_pem()).unwrap();
        Self { authority, sandbox, schemas: Arc::new(schemas), stored: Stored::default(), planning: None }
    }

    /// Imports the resource.
    pub(crate) async fn import(&mut self, id: &str) {
        let mut session = self.session().await;
        (self.stored, _) = session.caller.import(id.to_owned()).await.unwrap();
        session.end().await;
        assert!(!self.stored.state.is_null(), "what is imported is there");
    }

    /// Refreshes, and plans for a configuration.
    pub(crate) async fn plan(&mut self, config: &Value, wish: Wish) -> Plan {
        let mut session = self.planning().await;
        self.refresh(&mut session).await;
        let plan = session.caller.plan(&self.stored, config, wish).await.unwrap();
        self.planning = Some(session);
        plan
    }

    /// Carries out a plan, now that the whole configuration is known; returns the warnings.
    pub(crate) async fn apply(&mut self, plan: Plan, config: &Value, order: Order) -> Vec<Diagnostic> {
        self.planning().await.end().await;
        let session = self.session().await;
        let create_first = order == Order::CreateFirst;
        let before = std::mem::take(&mut self.stored);
        let applied = session.caller.clone().apply(before, plan, config.clone(), create_first).await;
        for ended in [applied.made, applied.deleted].into_iter().flatten() {
            ended.unwrap();
        }
        assert!(applied.deposed.is_none());
        self.stored = applied.stored;
        session.end().await;
        applied.warnings
    }

    /// Destroys the resource.
    pub(crate) async fn destroy(&mut self) {
        let mut planning = self.planning().await;
        self.refresh(&mut planning).await;
        let private = planning.caller.plan_destroy(&self.stored).await.unwrap();
        planning.end().await;
        let mut applying = self.session().await;
        let before = std::mem::take(&mut self.stored);
        applying.caller.delete(&before, private).await.unwrap();
        applying.end().await;
    }

    async fn refresh(&mut self, session: &mut Session) {
        if !self.stored.state.is_null() {
            let (refreshed, _) = session.caller.refresh(&self.stored).await.unwrap();
            self.stored = if refreshed.state.is_null() { Stored::default() } else { refreshed };
        }
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
        let config = encode(&Value::object::<&str>([]), &self.schemas.provider);
        let request = validate_provider_config::Request { config: config.clone() };
        let validated = provider.validate_provider_config(request).await.unwrap().into_inner();
        core::caller::without_errors(validated.diagnostics).unwrap();
        let request = configure_provider::Request { terraform_version: "1.15.5".to_owned(), config };
        let configured = provider.configure_provider(request).await.unwrap().into_inner();
        core::caller::without_errors(configured.diagnostics).unwrap();
        Session { plugin, caller: Caller { provider, schemas: Arc::clone(&self.schemas) }, log }
    }
}

impl Session {
    /// Ends the process as core does, and looks through what it has logged.
    async fn end(self) {
        let Self { plugin, caller, mut log } = self;
        drop(caller);
        plugin.connect().await.controller.shutdown(Empty {}).await.unwrap();
        plugin.ended().await;
        let mut logged = String::new();
        std::io::Seek::rewind(&mut log).unwrap();
        log.read_to_string(&mut logged).unwrap();
        assert!(!logged.contains("panic"), "{logged}");
    }
}

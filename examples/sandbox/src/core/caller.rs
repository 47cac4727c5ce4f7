//! Core's part of a run: the calls it makes to a process of the provider for one resource, their order, and what it
//! stores of the responses.
//!
//! Every response is checked against core's rules ([`rules`]).

use std::sync::Arc;

use terraform_provider_smtp::{
    framework::{Provider, schema::Attribute, value::Value},
    provider::Smtp,
};
use tonic::{Response, Status, transport::Channel};

use super::{
    decode, encode, rules,
    wire::tfplugin6::{
        ClientCapabilities, Diagnostic, DynamicValue, RawState, apply_resource_change, diagnostic::Severity,
        import_resource_state, plan_resource_change, provider_client::ProviderClient, read_resource,
        upgrade_resource_state, validate_resource_config,
    },
};

/// The schemas, which core asks for once.
pub struct Schemas {
    pub provider: Vec<Attribute>,
    type_name: &'static str,
    resource: Vec<Attribute>,
    /// The version of the resource's schema.
    version: i64,
}

/// What core stores of an object.
#[derive(Clone, Default, PartialEq)]
pub struct Stored {
    pub state: Value,
    pub private: Vec<u8>,
}

/// What a plan is going to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Action {
    Nothing,
    Create,
    Update,
    Replace,
}

/// A plan as core keeps it.
#[derive(Clone)]
pub struct Plan {
    pub action: Action,
    pub planned: Value,
    pub warnings: Vec<Diagnostic>,
    pub private: Vec<u8>,
}

/// What core holds against a resource, in addition to its configuration.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wish {
    Configured,
    /// `-replace`.
    Replaced,
    /// It is tainted.
    Renewed,
}

/// Why a call came to nothing.
#[derive(Debug)]
pub enum Failure {
    /// The provider says why.
    Said(Vec<Diagnostic>),
    /// The provider is gone.
    Lost,
}

/// What came of a create or an update, and with it of the objects.
pub struct Applied {
    /// What is stored now.
    pub stored: Stored,
    /// What `create_before_destroy` has left to be deleted.
    pub deposed: Option<Stored>,
    /// Whether a create has failed and left an object all the same.
    pub is_tainted: bool,
    /// How the create or the update ended; nothing where it did not begin.
    pub made: Option<Result<(), Failure>>,
    /// How the deletion ended, where there was one.
    pub deleted: Option<Result<(), Failure>>,
    pub warnings: Vec<Diagnostic>,
}

impl Applied {
    fn nothing(stored: Stored) -> Self {
        Self { stored, deposed: None, is_tainted: false, made: None, deleted: None, warnings: Vec::new() }
    }
}

/// One process as one resource sees it.
#[derive(Clone)]
pub struct Caller {
    pub provider: ProviderClient<Channel>,
    pub schemas: Arc<Schemas>,
}

impl Schemas {
    /// Those that core needs for `smtp_credential_password`.
    pub fn new() -> Self {
        Self::of("smtp_credential_password")
    }

    /// Those that core needs for a resource.
    pub fn of(type_name: &str) -> Self {
        let smtp = Smtp::new();
        let resource = smtp.resources().iter().find(|resource| resource.type_name() == type_name).unwrap();
        let schema = resource.schema();
        Self {
            provider: smtp.schema().attributes.clone(),
            type_name: resource.type_name(),
            resource: schema.attributes.clone(),
            version: schema.version,
        }
    }
}

impl Caller {
    /// Imports, and refreshes what was imported.
    pub async fn import(&mut self, id: String) -> Result<(Stored, Vec<Diagnostic>), Failure> {
        let request =
            import_resource_state::Request { type_name: self.schemas.type_name.to_owned(), id, ..Default::default() };
        let answer = answered(self.provider.import_resource_state(request).await)?;
        without_errors(answer.diagnostics)?;
        let [imported] = &answer.imported_resources[..] else { panic!("an import makes one resource") };
        assert_eq!(imported.type_name, self.schemas.type_name);
        let stored = Stored { state: self.decode(imported.state.clone()), private: imported.private.clone() };
        rules::assert_storable(&self.schemas.resource, &stored.state);
        self.read(&stored).await
    }

    /// Brings a state to today's schema, as it lies in the state file, and to what the vendor says.
    pub async fn refresh(&mut self, stored: &Stored) -> Result<(Stored, Vec<Diagnostic>), Failure> {
        let json = serde_json::to_vec(&rules::json(&stored.state)).unwrap();
        let raw_state = Some(RawState { json, ..RawState::default() });
        let version = self.schemas.version;
        let request =
            upgrade_resource_state::Request { type_name: self.schemas.type_name.to_owned(), version, raw_state };
        let answer = answered(self.provider.upgrade_resource_state(request).await)?;
        without_errors(answer.diagnostics)?;
        assert!(self.decode(answer.upgraded_state) == stored.state, "a state of today needs no upgrade");
        self.read(stored).await
    }

    async fn read(&mut self, stored: &Stored) -> Result<(Stored, Vec<Diagnostic>), Failure> {
        let request = read_resource::Request {
            type_name: self.schemas.type_name.to_owned(),
            current_state: self.encode(&stored.state),
            private: stored.private.clone(),
        };
        let answer = answered(self.provider.read_resource(request).await)?;
        let warnings = without_errors(answer.diagnostics)?;
        let state = self.decode(answer.new_state);
        rules::assert_storable(&self.schemas.resource, &state);
        Ok((Stored { state, private: answer.private }, warnings))
    }

    /// Validates and plans a configuration. A replacement is planned again without a prior state.
    pub async fn plan(&mut self, prior: &Stored, config: &Value, wish: Wish) -> Result<Plan, Failure> {
        self.validate(config).await?;
        if wish == Wish::Renewed && !prior.state.is_null() {
            // What is tainted counts as absent.
            let (answer, planned) = self.plan_once(&Value::Null, Vec::new(), config).await?;
            assert!(answer.requires_replace.is_empty(), "a create cannot replace anything");
            let (warnings, private) = (answer.diagnostics, answer.planned_private);
            return Ok(Plan { action: Action::Replace, planned, warnings, private });
        }
        let (answer, planned) = self.plan_once(&prior.state, prior.private.clone(), config).await?;
        let (warnings, private) = (answer.diagnostics, answer.planned_private);
        let mut plan = Plan { action: Action::Update, planned, warnings, private };
        let asked = rules::is_replaced(&answer.requires_replace, &prior.state, &plan.planned);
        if prior.state.is_null() {
            plan.action = Action::Create;
        } else if asked || wish == Wish::Replaced {
            // The second time core hands on the private data of the first.
            let (again, planned) = self.plan_once(&Value::Null, plan.private, config).await?;
            assert!(again.requires_replace.is_empty(), "a create cannot replace anything");
            plan = Plan { action: Action::Replace, planned, private: again.planned_private, ..plan };
        } else if plan.planned == prior.state {
            plan.action = Action::Nothing;
        }
        Ok(plan)
    }

    /// Carries a plan out, now that the whole configuration is known.
    pub async fn apply(mut self, before: Stored, plan: Plan, config: Value, create_first: bool) -> Applied {
        let nothing = Applied::nothing(before.clone());
        match (plan.action, create_first) {
            (Action::Nothing, _) => nothing,
            (Action::Create | Action::Update, _) => self.make(before, plan, &config).await,
            (Action::Replace, false) => match self.delete(&before, plan.private.clone()).await {
                Ok(warnings) => {
                    let mut applied = self.make(Stored::default(), plan, &config).await;
                    applied.warnings.extend(warnings);
                    Applied { deleted: Some(Ok(())), ..applied }
                }
                Err(failure) => Applied { deleted: Some(Err(failure)), ..nothing },
            },
            (Action::Replace, true) => {
                let mut applied = self.make(Stored::default(), plan, &config).await;
                if !matches!(applied.made, Some(Ok(()))) {
                    // What a failed create leaves becomes the object, tainted; where it leaves nothing, core puts the
                    // old one back.
                    return if applied.is_tainted {
                        Applied { deposed: Some(before), ..applied }
                    } else {
                        Applied { stored: before, ..applied }
                    };
                }
                match self.destroy(&before).await {
                    Ok(warnings) => {
                        applied.warnings.extend(warnings);
                        Applied { deleted: Some(Ok(())), ..applied }
                    }
                    Err(failure) => Applied { deposed: Some(before), deleted: Some(Err(failure)), ..applied },
                }
            }
        }
    }

    /// Plans a deletion and carries it out.
    pub async fn destroy(&mut self, before: &Stored) -> Result<Vec<Diagnostic>, Failure> {
        let private = self.plan_destroy(before).await?;
        self.delete(before, private).await
    }

    /// Plans a deletion; returns the private data of the plan.
    pub async fn plan_destroy(&mut self, before: &Stored) -> Result<Vec<u8>, Failure> {
        let (answer, _) = self.plan_once(&before.state, before.private.clone(), &Value::Null).await?;
        assert!(answer.requires_replace.is_empty(), "a destroy replaces nothing");
        Ok(answer.planned_private)
    }

    /// Creates or updates: plans once more with what is known by now, then applies that.
    async fn make(&mut self, before: Stored, plan: Plan, config: &Value) -> Applied {
        let mut applied = Applied::nothing(before.clone());
        let last = match self.plan(&before, config, Wish::Configured).await {
            Ok(last) => last,
            Err(failure) => return Applied { made: Some(Err(failure)), ..applied },
        };
        rules::assert_compatible(&plan.planned, &last.planned, "the plan at apply");
        match (plan.action, last.action) {
            (Action::Update, Action::Nothing) => return Applied { made: Some(Ok(())), ..applied },
            (Action::Create | Action::Replace, Action::Create) | (Action::Update, Action::Update) => {}
            (first, last) => panic!("{first:?} was planned, and at apply {last:?}"),
        }
        let answer = match self.change(&before.state, &last.planned, config, last.private).await {
            Ok(answer) => answer,
            Err(failure) => return Applied { made: Some(Err(failure)), ..applied },
        };
        let state = self.decode(answer.new_state);
        match without_errors(answer.diagnostics) {
            Ok(warnings) => {
                rules::assert_compatible(&last.planned, &state, "the new state");
                applied.warnings = warnings;
                applied.made = Some(Ok(()));
            }
            Err(failure) => {
                if before.state.is_null() && !state.is_null() {
                    rules::assert_storable(&self.schemas.resource, &state);
                    let is_left = state.get("password").is_null() && *state.get("stale") == Value::Bool(true);
                    assert!(
                        is_left && state.get("rotated_at").is_null(),
                        "what a failed create leaves has no password"
                    );
                    applied.is_tainted = true;
                } else {
                    let mut known = before.state.clone();
                    if *state.get("stale") == Value::Bool(true) {
                        known.set("stale", true);
                    }
                    if state.get("previous").is_null() {
                        known.set("previous", Value::Null);
                    }
                    assert!(
                        state == known,
                        "a failed update leaves the previous state; but that it is stale may be known, and the previous credential revoked"
                    );
                }
                applied.made = Some(Err(failure));
                if !state.is_null() {
                    applied.stored = Stored { state, private: answer.private };
                }
                return applied;
            }
        }
        rules::assert_storable(&self.schemas.resource, &state);
        applied.stored = Stored { state, private: answer.private };
        applied
    }

    /// Deletes an object as planned; returns the warnings.
    pub async fn delete(&mut self, before: &Stored, private: Vec<u8>) -> Result<Vec<Diagnostic>, Failure> {
        let answer = self.change(&before.state, &Value::Null, &Value::Null, private).await?;
        let state = self.decode(answer.new_state);
        let deleted = without_errors(answer.diagnostics);
        assert_eq!(state.is_null(), deleted.is_ok(), "what is deleted is gone, and what is not is kept");
        assert!(state.is_null() || state == before.state, "what is not deleted is as it was");
        deleted
    }

    async fn change(
        &mut self,
        prior: &Value,
        planned: &Value,
        config: &Value,
        planned_private: Vec<u8>,
    ) -> Result<apply_resource_change::Response, Failure> {
        assert!(config.is_wholly_known(), "core applies with a known configuration");
        let request = apply_resource_change::Request {
            type_name: self.schemas.type_name.to_owned(),
            prior_state: self.encode(prior),
            planned_state: self.encode(planned),
            config: self.encode(config),
            planned_private,
        };
        answered(self.provider.apply_resource_change(request).await)
    }

    async fn validate(&mut self, config: &Value) -> Result<(), Failure> {
        let request = validate_resource_config::Request {
            type_name: self.schemas.type_name.to_owned(),
            config: self.encode(config),
            client_capabilities: Some(ClientCapabilities { write_only_attributes_allowed: true }),
        };
        let answer = answered(self.provider.validate_resource_config(request).await)?;
        without_errors(answer.diagnostics).map(drop)
    }

    async fn plan_once(
        &mut self,
        prior: &Value,
        prior_private: Vec<u8>,
        config: &Value,
    ) -> Result<(plan_resource_change::Response, Value), Failure> {
        let request = plan_resource_change::Request {
            type_name: self.schemas.type_name.to_owned(),
            prior_state: self.encode(prior),
            proposed_new_state: self.encode(&rules::proposed(&self.schemas.resource, prior, config)),
            config: self.encode(config),
            prior_private,
        };
        let answer = answered(self.provider.plan_resource_change(request.clone()).await)?;
        without_errors(answer.diagnostics.clone())?;
        let again = answered(self.provider.plan_resource_change(request).await)?;
        assert!(again == answer, "the same plan has two answers");
        let planned = self.decode(answer.planned_state.clone());
        rules::assert_plan_valid(&self.schemas.resource, config, &planned);
        Ok((answer, planned))
    }

    fn encode(&self, value: &Value) -> Option<DynamicValue> {
        encode(value, &self.schemas.resource)
    }

    fn decode(&self, value: Option<DynamicValue>) -> Value {
        decode(value, &self.schemas.resource)
    }
}

fn answered<T>(answer: Result<Response<T>, Status>) -> Result<T, Failure> {
    answer.map(Response::into_inner).map_err(|_| Failure::Lost)
}

/// The warnings, where there is no error.
pub fn without_errors(diagnostics: Vec<Diagnostic>) -> Result<Vec<Diagnostic>, Failure> {
    if diagnostics.iter().any(|diagnostic| diagnostic.severity() == Severity::Error) {
        return Err(Failure::Said(diagnostics));
    }
    Ok(diagnostics)
}

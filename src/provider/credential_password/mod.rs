//! The resource `smtp_credential_password`.

mod notes;
mod plan;
mod policy;
mod rotate;
mod rotation;
mod schema;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use self::{
    notes::{Mark, Notes},
    policy::Policy,
    rotate::Rotator,
    schema::{
        Operation, PASSWORD, PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION, REMOTE_VERSION, ROTATED_AT, SMTP_HOST,
        SMTP_PORT, TIMEOUTS, USERNAME,
    },
};
use super::{
    connections::{Connection, Connections},
    diagnose::{self, Doing},
    duration,
    target::{self, Imported, Named, Target},
};
use crate::{
    backend::{self, Backend, Fields, Found, Held, Origin, Presence, Renewal, Submission, Vendor},
    framework::{
        Call, Change, NewState, Private, Resource, Stored,
        diagnostic::{Diagnostic, Diagnostics, Path, Result},
        plan::{Draft, draft},
        schema::Schema,
        validate::invalid,
        value::Value,
    },
    http::Outcome,
};

/// Resets the password of an existing credential and keeps the new one in state.
#[derive(Debug)]
pub(super) struct CredentialPassword {
    schema: Schema,
    connections: Arc<Connections>,
    /// What this process has deleted as the first half of a replacement, by the id of the second half.
    replaced: Mutex<BTreeMap<String, Held>>,
}

impl CredentialPassword {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        Self { schema: schema::schema(), connections, replaced: Mutex::default() }
    }
}

#[async_trait]
impl Resource for CredentialPassword {
    fn type_name(&self) -> &'static str {
        "smtp_credential_password"
    }

    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        match target::named(config) {
            Named::Nothing => diagnostics.push(target::missing()),
            Named::Several(vendors) => diagnostics.push(target::several(&vendors)),
            Named::One(vendor) if vendor.origin == Origin::Vendor => {
                diagnostics.extend(not_for_the_caller(vendor, config));
            }
            Named::One(_) | Named::Undecided => {}
        }
        diagnostics.extend(own_password(config));
        diagnostics.extend(Policy::validate(config.get(PASSWORD_POLICY)));
        if let Some(port) = config.get(SMTP_PORT).as_number()
            && !port.as_i64().is_some_and(|port| (1..=65535).contains(&port))
        {
            diagnostics.push(invalid(Path::attribute(SMTP_PORT), "must be a whole number from 1 to 65535"));
        }
        diagnostics
    }

    fn plan(&self, call: &Call, draft: &mut Draft) -> Result<()> {
        let decision = plan::finish(draft)?;
        if let (true, Some(target)) = (decision.resets, &decision.target)
            && let Connection::Refused(diagnostic) = self.connections.to(target.vendor)
        {
            return Err(diagnostic.into());
        }
        decision.warnings.into_iter().for_each(|warning| call.warn(warning));
        Ok(())
    }

    fn plan_destroy(&self, _: &Value) -> Private {
        Notes::of_destroy().into()
    }

    async fn read(&self, call: &Call, prior: Stored) -> Result<Option<Stored>> {
        let target = known_target(&prior.state)?;
        let backend = match self.connections.to(target.vendor) {
            Connection::Ready(backend) => backend,
            Connection::Unknown => return Ok(Some(prior)),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        let op = operation(call, Operation::Read, &prior.state);
        match backend.read(&op, &target.fields, &held(&prior.state)).await {
            Ok(Presence::Found(found)) => {
                let host = missing_host(&op, &*backend, &target, &prior.state).await?;
                Ok(Some(Stored { state: completed(prior.state, found, host), ..prior }))
            }
            Ok(Presence::Gone) => {
                if prior.state.get(PASSWORD).as_secret().is_some() {
                    call.warn(diagnose::dropped(&target));
                }
                Ok(None)
            }
            Err(error) => Err(diagnose::failed(Doing::Reading, &target, &error).into()),
        }
    }

    async fn create(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let target = known_target(&change.planned)?;
        let op = operation(call, Operation::Create, &change.planned);
        let replaced = self.replaced().remove(&target.id());
        let rotator = self.rotator(target.clone(), replaced.clone().unwrap_or_default())?;
        let rotated = rotator.rotate(call, op, change, new).await;
        rotated.map_err(|failed| match replaced {
            // A password that the vendor has replaced is of no use, wherever it is.
            Some(held) if failed.outcome != Outcome::Changed => {
                say_where_the_old_password_is(failed.diagnostic, &target, &held).into()
            }
            _ => failed.diagnostic.into(),
        })
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let op = operation(call, Operation::Update, &change.planned);
        let rotator = || self.rotator(known_target(&change.planned)?, held(&change.prior));
        if change.planned.get(ROTATED_AT).is_unknown() {
            let rotated = rotator()?.rotate(call, op, change, new).await;
            return rotated.map_err(|failed| failed.diagnostic.into());
        }
        let mut state = change.planned.clone();
        if !state.is_wholly_known() {
            rotator()?.fill_in(&op, &mut state).await?;
        }
        new.put(Stored { state, private: Notes::of_state(&change.private) });
        Ok(())
    }

    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()> {
        let op = operation(call, Operation::Delete, prior);
        let held = held(prior);
        // As the first half of a replacement it must not let go of the old password, still valid, when the second half cannot
        // work; and what it replaces is for the second half to retire.
        if let Some(Mark::Create(target)) = Notes::from(planned).plan {
            let target = target.and_then(|noted| noted.target()).map_or_else(|| known_target(prior), Ok)?;
            let id = target.id();
            self.rotator(target, held.clone())?.check(&op).await?;
            self.replaced().insert(id, held);
            return Ok(());
        }
        // A destroy leaves a password as it is, and ends a credential that this resource made.
        let target = known_target(prior)?;
        if target.vendor.renewal == Renewal::Successor {
            let rotator = self.rotator(target, held)?;
            let retired = rotator.backend.retire(&op, &rotator.held).await;
            retired.map_err(|error| diagnose::failed(Doing::Retiring, &rotator.target, &error))?;
        }
        Ok(())
    }

    fn after_crash(&self) -> &'static str {
        "The password may have been changed. Apply again: the password is reset once more, and the last reset counts."
    }

    async fn import(&self, call: &Call, id: &str) -> Result<Stored> {
        let imported = Imported::from_id(id)?;
        let vendor = imported.vendor();
        let backend = self.backend(vendor)?;
        let (target, found, version) = match imported {
            Imported::Target(target) => (target, Found::default(), None),
            Imported::Credential { id, .. } => {
                let op = operation(call, Operation::Read, &Value::Null);
                let held = Held { version: Some(id.clone()), ..Held::default() };
                let unknown = Target::told(vendor, Fields::default());
                match backend.read(&op, &unknown.fields, &held).await {
                    Ok(Presence::Found(found)) => (Target::told(vendor, found.target.clone()), found, Some(id)),
                    Ok(Presence::Gone) => return Err(diagnose::gone(&unknown).into()),
                    Err(error) => return Err(diagnose::failed(Doing::Reading, &unknown, &error).into()),
                }
            }
        };
        // The state of an import is what a plan makes of the bare target: the first plan is then empty.
        let config = Value::object([(vendor.name, target.value())]);
        let mut draft = draft(&self.schema, config, Value::Null, Private::default());
        plan::finish(&mut draft)?;
        let mut state = without_unknowns(draft.planned);
        state.set(REMOTE_VERSION, version);
        Ok(Stored { state: completed(state, found, None), private: Private::default() })
    }
}

impl CredentialPassword {
    fn rotator(&self, target: Target, held: Held) -> Result<Rotator> {
        Ok(Rotator { backend: self.backend(target.vendor)?, target, held })
    }

    fn backend(&self, vendor: &Vendor) -> Result<Arc<dyn Backend>> {
        match self.connections.to(vendor) {
            Connection::Ready(backend) => Ok(backend),
            Connection::Unknown => Err(unknown_settings(vendor).into()),
            Connection::Refused(diagnostic) => Err(diagnostic.into()),
        }
    }

    fn replaced(&self) -> MutexGuard<'_, BTreeMap<String, Held>> {
        self.replaced.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The errors for arguments about a password that the vendor makes.
fn not_for_the_caller(vendor: &Vendor, config: &Value) -> Vec<Diagnostic> {
    let names = [PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION].into_iter();
    let error = |name: &'static str| {
        let title = vendor.title;
        let detail = format!("{title} makes the password and tells it once, so `{name}` cannot be set.");
        Diagnostic::error(format!("{title} makes the password itself"), detail).at(Path::attribute(name))
    };
    names.filter(|name| !config.get(name).is_null()).map(error).collect()
}

/// The error for arguments about a password of the user's own that do not go together.
fn own_password(config: &Value) -> Option<Diagnostic> {
    let [own, version, policy] = [PASSWORD_WO, PASSWORD_WO_VERSION, PASSWORD_POLICY].map(|name| config.get(name));
    let error = |name: &'static str, words: &str| Some(invalid(Path::attribute(name), words));
    if own.is_null() && !version.is_null() {
        error(PASSWORD_WO_VERSION, "says when to send `password_wo`, which is not set")
    } else if !own.is_null() && !policy.is_null() {
        error(PASSWORD_POLICY, "has no meaning beside `password_wo`: set one of them")
    } else {
        None
    }
}

fn say_where_the_old_password_is(mut diagnostic: Diagnostic, target: &Target, held: &Held) -> Diagnostic {
    diagnostic.detail.push_str(
        " This create is the second half of a replacement: the password from before is still in the state's backup or an \
         earlier version of the state. With `create_before_destroy`, or `rotation_mode = \"in_place\"`, it stays in the state.",
    );
    if let (Renewal::Successor, Some(old)) = (target.vendor.renewal, &held.version) {
        diagnostic.detail.extend([" The credential from before, `", old, "`, still works."]);
    }
    diagnostic
}

/// What the state holds of its credential.
fn held(state: &Value) -> Held {
    let text = |name| state.get(name).as_str().map(str::to_owned);
    Held { version: text(REMOTE_VERSION), username: text(USERNAME) }
}

/// The submission host, where the vendor tells it and the state has none.
async fn missing_host(
    op: &backend::Operation,
    backend: &dyn Backend,
    target: &Target,
    state: &Value,
) -> Result<Option<String>> {
    match target.vendor.smtp {
        Submission::Told { .. } if state.get(SMTP_HOST).is_null() => {
            let host = backend.smtp_host(op, &target.fields).await;
            host.map_err(|error| diagnose::failed(Doing::Reading, target, &error).into())
        }
        _ => Ok(None),
    }
}

/// The state with what an import could not know.
fn completed(mut state: Value, found: Found, host: Option<String>) -> Value {
    for (name, value) in [(USERNAME, found.username), (SMTP_HOST, host)] {
        if state.get(name).is_null() {
            state.set(name, value);
        }
    }
    state
}

fn without_unknowns(value: Value) -> Value {
    match value {
        Value::Object(attributes) => {
            Value::Object(attributes.into_iter().map(|(name, value)| (name, without_unknowns(value))).collect())
        }
        Value::Unknown => Value::Null,
        known => known,
    }
}

/// The target of a state or of an apply's plan, in which nothing about it is unknown.
fn known_target(value: &Value) -> Result<Target> {
    let unknown =
        || Diagnostic::error("The credential is not known", "An argument that names the credential is still unknown.");
    Target::of(value)?.ok_or_else(|| unknown().into())
}

fn operation(call: &Call, operation: Operation, state: &Value) -> backend::Operation {
    let configured = state.get(TIMEOUTS).get(operation.name()).as_str();
    let timeout = duration::parse(configured.unwrap_or(operation.default_timeout())).unwrap_or_default();
    backend::Operation::new(timeout, call.stop.clone()).knowing(state.get(PASSWORD).as_secret().cloned())
}

fn unknown_settings(vendor: &Vendor) -> Diagnostic {
    Diagnostic::error(
        "Provider settings are not known yet",
        format!(
            "A setting in `{}` of the provider block comes from something that does not exist yet, so {} cannot be asked. Apply that \
             first, for instance with `-target`.",
            vendor.name, vendor.title
        ),
    )
}

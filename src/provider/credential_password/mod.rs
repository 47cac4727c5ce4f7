//! The resource `smtp_credential_password`.

mod mark;
mod plan;
mod rotate;
mod schema;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;

use self::{
    mark::Mark,
    rotate::Rotator,
    schema::{ID, Operation, PASSWORD, ROTATED_AT, SMTP_PORT, TIMEOUTS},
};
use super::{
    connections::{Connection, Connections},
    diagnose::{self, Doing},
    duration,
    target::{self, Named, Target},
};
use crate::{
    backend::{self, Backend, Presence},
    framework::{
        Call, Change, NewState, Private, Resource, Stored,
        diagnostic::{Diagnostic, Diagnostics, Path, Result},
        plan::{Draft, draft},
        schema::Schema,
        validate::invalid,
        value::Value,
    },
};

/// Resets the password of an existing credential and keeps the new one in state.
#[derive(Debug)]
pub(super) struct CredentialPassword {
    schema: Schema,
    connections: Arc<Connections>,
    /// The ids that this process has deleted as the first half of a replacement.
    replaced: Mutex<BTreeSet<String>>,
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
            Named::One(_) | Named::Undecided => {}
        }
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
        if let Some(warning) = decision.warning {
            call.warn(warning);
        }
        Ok(())
    }

    fn plan_destroy(&self, _: &Value) -> Private {
        Mark::Destroy.into()
    }

    async fn read(&self, call: &Call, prior: Stored) -> Result<Option<Stored>> {
        let target = known_target(&prior.state)?;
        let backend = match self.connections.to(target.vendor) {
            Connection::Ready(backend) => backend,
            Connection::Unknown => return Ok(Some(prior)),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        let op = operation(call, Operation::Read, &prior.state);
        match backend.read(&op, &target.fields).await {
            Ok(Presence::Found) => Ok(Some(prior)),
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
        let rotated = self.rotator(target.clone())?.rotate(call, &op, change, new).await;
        rotated.map_err(|diagnostic| self.say_where_the_old_password_is(&target, diagnostic).into())
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        if !change.planned.get(ROTATED_AT).is_unknown() {
            new.put(Stored { state: change.planned.clone(), private: Private::default() });
            return Ok(());
        }
        let op = operation(call, Operation::Update, &change.planned);
        let rotator = self.rotator(known_target(&change.planned)?)?;
        rotator.rotate(call, &op, change, new).await.map_err(Diagnostics::from)
    }

    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()> {
        // A destroy leaves the credential's password as it is. As the first half of a replacement it must not let go of the old
        // password, still valid, when the second half cannot work.
        if let Mark::Create { target } = Mark::from(planned) {
            let target = target.and_then(|noted| noted.target()).map_or_else(|| known_target(prior), Ok)?;
            let op = operation(call, Operation::Delete, prior);
            self.rotator(target)?.check(&op).await?;
            if let Some(id) = prior.get(ID).as_str() {
                self.replaced.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
            }
        }
        Ok(())
    }

    fn after_crash(&self) -> &'static str {
        "The password may have been changed. Apply again: the password is reset once more, and the last reset counts."
    }

    async fn import(&self, _: &Call, id: &str) -> Result<Stored> {
        let target = Target::from_import_id(id)?;
        match self.connections.to(target.vendor) {
            Connection::Ready(_) => {}
            Connection::Unknown => return Err(unknown_settings(&target).into()),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        }
        // The state of an import is what a plan makes of the bare target: the first plan is then empty.
        let config = Value::object([(target.vendor.name, target.value())]);
        let mut draft = draft(&self.schema, config, Value::Null, Private::default());
        plan::finish(&mut draft)?;
        let Value::Object(planned) = draft.planned else { unreachable!("a draft is an object") };
        let state =
            planned.into_iter().map(|(name, value)| (name, if value.is_unknown() { Value::Null } else { value }));
        Ok(Stored { state: Value::Object(state.collect()), private: Private::default() })
    }
}

impl CredentialPassword {
    fn rotator(&self, target: Target) -> Result<Rotator> {
        let backend: Arc<dyn Backend> = match self.connections.to(target.vendor) {
            Connection::Ready(backend) => backend,
            Connection::Unknown => return Err(unknown_settings(&target).into()),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        Ok(Rotator { target, backend })
    }

    fn say_where_the_old_password_is(&self, target: &Target, mut diagnostic: Diagnostic) -> Diagnostic {
        if self.replaced.lock().unwrap_or_else(PoisonError::into_inner).contains(&target.id()) {
            diagnostic.detail.push_str(
                " This create is the second half of a replacement: the password from before is still in the state's backup \
                 or an earlier version of the state. With `create_before_destroy`, or `rotation_mode = \"in_place\"`, it stays in the state.",
            );
        }
        diagnostic
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

fn unknown_settings(target: &Target) -> Diagnostic {
    Diagnostic::error(
        "Provider settings are not known yet",
        format!(
            "A setting in `{}` of the provider block comes from something that does not exist yet, so {} cannot be asked. Apply that \
             first, for instance with `-target`.",
            target.vendor.name, target.vendor.title
        ),
    )
}

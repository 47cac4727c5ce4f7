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
    rotate::{Failed, Predecessor, Rotator},
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
    /// What this process has deleted as the first half of a replacement, by the id of the second half: for each of them
    /// what that is to retire.
    replaced: Mutex<BTreeMap<String, Vec<Option<Predecessor>>>>,
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
        if let (true, Some(target)) = (decision.resets, &decision.target) {
            match self.connections.to(target.vendor) {
                Connection::Ready(backend) => {
                    let spared = backend.spare_login(&held(&draft.prior));
                    spared.map_err(|error| diagnose::failed(Doing::Checking, target, &error))?;
                }
                Connection::Refused(diagnostic) => return Err(diagnostic.into()),
                Connection::Unknown => {}
            }
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
        let replaced = self.replaced().get_mut(&target.id()).and_then(Vec::pop);
        let rotator = self.rotator(target, Held::default(), replaced.clone().flatten())?;
        let rotated = rotator.rotate(call, op, change, new).await;
        rotated.map_err(|failed| match replaced {
            Some(predecessor) => say_where_the_old_password_is(failed, predecessor.as_ref()).into(),
            None => failed.diagnostic.into(),
        })
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let stored = change.prior.get(PASSWORD).as_secret().cloned();
        let op = operation(call, Operation::Update, &change.planned).knowing(stored);
        let rotator =
            || self.rotator(known_target(&change.planned)?, held(&change.prior), self.predecessor(&change.prior)?);
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
        let predecessor = self.predecessor(prior)?;
        // As the first half of a replacement it must not let go of the old password, still valid, when the second half cannot
        // work; and what it replaces is for the second half to retire.
        if let Some(Mark::Create(noted)) = Notes::from(planned).plan {
            return self.make_way(call, &op, prior, noted.and_then(|noted| noted.target()), predecessor).await;
        }
        // A destroy leaves a password as it is, and ends a credential that this resource made.
        if let Some(predecessor) = predecessor {
            let retired = predecessor.retire(&op).await;
            retired.map_err(|error| diagnose::failed(Doing::Retiring, &predecessor.target, &error))?;
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
                    Ok(Presence::Gone) => return Err(diagnose::unknown_id(vendor).into()),
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
    fn rotator(&self, target: Target, held: Held, predecessor: Option<Predecessor>) -> Result<Rotator> {
        Ok(Rotator { backend: self.backend(target.vendor)?, target, held, predecessor })
    }

    /// The credential of a state, where its vendor makes another with every reset.
    fn predecessor(&self, state: &Value) -> Result<Option<Predecessor>> {
        let (target, held) = (known_target(state)?, held(state));
        match target.vendor.renewal {
            Renewal::Successor if held.version.is_some() => {
                Ok(Some(Predecessor { backend: self.backend(target.vendor)?, target, held }))
            }
            Renewal::InPlace | Renewal::Successor => Ok(None),
        }
    }

    /// Checks that the second half of a replacement can work, and leaves to it what it is to retire.
    async fn make_way(
        &self,
        call: &Call,
        op: &backend::Operation,
        prior: &Value,
        planned: Option<Target>,
        predecessor: Option<Predecessor>,
    ) -> Result<()> {
        if let (None, Some(predecessor)) = (&planned, &predecessor) {
            call.warn(diagnose::left_to_its_successor(&predecessor.target, predecessor.id()));
        }
        let before = known_target(prior)?;
        let target = planned.unwrap_or_else(|| before.clone());
        let held = if target.vendor.name == before.vendor.name { held(prior) } else { Held::default() };
        let id = target.id();
        self.rotator(target, held, None)?.check(op).await?;
        self.replaced().entry(id).or_default().push(predecessor);
        Ok(())
    }

    fn backend(&self, vendor: &Vendor) -> Result<Arc<dyn Backend>> {
        match self.connections.to(vendor) {
            Connection::Ready(backend) => Ok(backend),
            Connection::Unknown => Err(unknown_settings(vendor).into()),
            Connection::Refused(diagnostic) => Err(diagnostic.into()),
        }
    }

    fn replaced(&self) -> MutexGuard<'_, BTreeMap<String, Vec<Option<Predecessor>>>> {
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
    names.filter(|name| is_set(config.get(name))).map(error).collect()
}

/// The error for arguments about a password of the user's own that do not go together.
fn own_password(config: &Value) -> Option<Diagnostic> {
    let [own, version, policy] = [PASSWORD_WO, PASSWORD_WO_VERSION, PASSWORD_POLICY].map(|name| config.get(name));
    let error = |name: &'static str, words: &str| Some(invalid(Path::attribute(name), words));
    if own.is_null() && is_set(version) {
        error(PASSWORD_WO_VERSION, "says when to send `password_wo`, which is not set")
    } else if is_set(own) && is_set(policy) {
        error(PASSWORD_POLICY, "has no meaning beside `password_wo`: set one of them")
    } else {
        None
    }
}

/// Whether a value is certainly there. What is unknown may turn out null, such as a module's variable; core asks again then.
fn is_set(value: &Value) -> bool {
    !value.is_null() && !value.is_unknown()
}

fn say_where_the_old_password_is(failed: Failed, predecessor: Option<&Predecessor>) -> Diagnostic {
    let Failed { outcome, mut diagnostic } = failed;
    // A password that the vendor has replaced is of no use, wherever it is. A credential with a successor still has its own.
    if outcome == Outcome::Changed && predecessor.is_none() {
        return diagnostic;
    }
    diagnostic.detail.push_str(
        " This create is the second half of a replacement: the password from before is still in the state's backup or an \
         earlier version of the state. With `create_before_destroy`, or `rotation_mode = \"in_place\"`, it stays in the state.",
    );
    if let Some(predecessor) = predecessor {
        let still = " still works: revoke it by hand once nothing needs it any more.";
        diagnostic.detail.extend([" The credential from before, `", predecessor.id(), "`,", still]);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{framework::value::Number, secret::Secret};

    /// The paths of the errors for these arguments beside a target.
    fn errors(target: (&str, &[(&str, &str)]), arguments: &[(&str, Value)]) -> Vec<String> {
        let (vendor, fields) = target;
        let mut config =
            Value::object([(vendor, Value::object(fields.iter().map(|(name, value)| (*name, (*value).into()))))]);
        for (name, value) in arguments {
            config.set(name, value.clone());
        }
        let diagnostics = CredentialPassword::new(Arc::default()).validate(&config);
        diagnostics.iter().map(|diagnostic| diagnostic.path.to_string()).collect()
    }

    const BY_THE_VENDOR: (&str, &[(&str, &str)]) = ("hubspot", &[("user_name", "a@b")]);
    const BY_THE_CALLER: (&str, &[(&str, &str)]) = ("hostup", &[("account_id", "acct_1"), ("address", "a@b")]);

    fn policy() -> Value {
        Value::object([("length", Number::from(20).into())])
    }

    #[test]
    fn a_password_of_the_callers_is_for_vendors_that_take_one() {
        let all = [(PASSWORD_POLICY, policy()), (PASSWORD_WO_VERSION, "1".into())];
        assert_eq!(errors(BY_THE_VENDOR, &all)[..2], [PASSWORD_POLICY, PASSWORD_WO_VERSION]);
        assert_eq!(errors(BY_THE_VENDOR, &[(PASSWORD_WO, Secret::new("x").into())]), [PASSWORD_WO]);
        assert_eq!(errors(BY_THE_CALLER, &[(PASSWORD_WO, Secret::new("x").into())]).len(), 0);
        assert_eq!(errors(BY_THE_CALLER, &[(PASSWORD_POLICY, policy())]).len(), 0);
    }

    #[test]
    fn a_version_needs_a_password_and_a_password_has_no_policy() {
        let (own, version) = (Value::from(Secret::new("x")), Value::from("1"));
        for (arguments, paths) in [
            (vec![(PASSWORD_WO_VERSION, version.clone())], vec![PASSWORD_WO_VERSION]),
            (vec![(PASSWORD_WO, own.clone()), (PASSWORD_WO_VERSION, version)], vec![]),
            (vec![(PASSWORD_WO, own), (PASSWORD_POLICY, policy())], vec![PASSWORD_POLICY]),
        ] {
            assert_eq!(errors(BY_THE_CALLER, &arguments), paths);
        }
    }

    #[test]
    fn what_may_turn_out_null_is_no_error_yet() {
        let unknown = [PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION].map(|name| (name, Value::Unknown));
        for target in [BY_THE_CALLER, BY_THE_VENDOR] {
            assert_eq!(errors(target, &unknown).len(), 0);
            assert_eq!(errors(target, &unknown[2..]).len(), 0);
        }
    }
}

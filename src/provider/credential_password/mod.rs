//! The resource `smtp_credential_password`.

mod aftermath;
mod leftover;
mod made;
mod notes;
mod plan;
mod policy;
mod probe;
mod replaced;
mod rotate;
mod rotation;
mod schema;
mod staleness;
mod turns;
mod upgrade;
mod validate;
mod verification;
mod verify;
mod version;

use std::sync::Arc;

use async_trait::async_trait;

use self::{
    aftermath::{Former, Known},
    leftover::without_unknowns,
    made::Made,
    notes::{Mark, Notes},
    probe::{Probed, Probes},
    replaced::{Created, Half, Replaced},
    rotate::{Predecessor, Rotator},
    schema::{
        Operation, PASSWORD, REMOTE_VERSION, ROTATED_AT, ROTATION_VERSION, SMTP_HOST, STALE, TIMEOUTS, USERNAME,
        VERIFIED,
    },
    staleness::Evidence,
    turns::Turns,
    verify::Place,
};
use super::{
    connections::{Connection, Connections},
    diagnose::{self, Doing},
    duration, lost, mail_server,
    target::{Imported, Target},
};
use crate::{
    framework::{
        Call, Change, Crash, NewState, Private, Resource, ResourceState,
        diagnostic::{Diagnostic, Diagnostics, Result},
        plan::{Draft, draft},
        schema::Schema,
        value::Value,
    },
    http::Outcome,
    secret::Name,
    vendors::{self, Fields, Found, Presence, PriorCredential, ResetKind, SmtpDefaults, VendorApi},
};

/// Resets the password of an existing credential and keeps the new one in state.
#[derive(Debug)]
pub(super) struct CredentialPassword {
    schema: Schema,
    connections: Arc<Connections>,
    probes: Probes,
    replaced: Replaced,
    turns: Arc<Turns>,
    made: Arc<Made>,
}

impl CredentialPassword {
    pub(super) fn new(connections: Arc<Connections>) -> Self {
        let (probes, replaced) = (Probes::default(), Replaced::default());
        Self { schema: schema::schema(), connections, probes, replaced, turns: Arc::default(), made: Arc::default() }
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

    fn upgrade(&self, version: i64, state: Value) -> Value {
        upgrade::state(version, state)
    }

    fn validate(&self, config: &Value) -> Diagnostics {
        validate::config(config)
    }

    fn plan(&self, call: &Call, draft: &mut Draft) -> Result<()> {
        let decision = plan::finish(draft)?;
        if let (true, Some(target)) = (decision.resets, &decision.target) {
            match self.connections.to(target.vendor) {
                Connection::Ready(api) => {
                    let spared = api.refuse_own_login(&held(&draft.prior));
                    spared.map_err(|error| diagnose::failed(Doing::Checking, target, &error))?;
                    if let (Some(other), true) = (api.other_smtp_host(), draft.config.get(SMTP_HOST).is_null()) {
                        call.warn(mail_server::another_smtp_host(target, other));
                    }
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

    async fn read(&self, call: &Call, prior: ResourceState) -> Result<Option<ResourceState>> {
        let target = known_target(&prior.state)?;
        let api = match self.connections.to(target.vendor) {
            Connection::Ready(api) => api,
            Connection::Unknown => return Ok(Some(prior)),
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
        };
        let op = operation(call, Operation::Read, &prior.state);
        match api.read(&op, &target.fields, &held(&prior.state)).await {
            Ok(Presence::Found(found)) => {
                let host = missing_host(&op, &*api, &target, &prior.state).await?;
                let compare = |told: &str, stored: &str| api.compare(told, stored);
                let evidence = Evidence::of_version(&prior.state, found.version.as_deref(), compare);
                let mut state = completed(prior.state, found, host);
                let proven = Notes::from(&prior.private).proven;
                // What is known to be dead is not tried: servers lock out whoever fails too often.
                let probed = match evidence {
                    Evidence::Replaced => Probed::default(),
                    _ => {
                        self.probes
                            .probe(
                                &op,
                                &target,
                                &state,
                                self.connections.roots(),
                                &self.connections.logins(),
                                proven.as_ref(),
                            )
                            .await
                    }
                };
                let evidence = evidence.max(probed.evidence);
                let is_stale = evidence.is_stale(&state);
                state.set(STALE, is_stale);
                let mut private = match probed.evidence {
                    Evidence::Live => Notes::proven(&prior.private, Place::of(&state)),
                    _ => prior.private,
                };
                if probed.evidence == Evidence::Live {
                    state.set(VERIFIED, true);
                }
                if evidence == Evidence::Live {
                    private = Notes::of_live(&private);
                }
                probed.warnings(staleness::seen(&state)).for_each(|warning| call.warn(warning));
                Ok(Some(ResourceState { state, private }))
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
        let id = target.id();
        let rotator = self.rotator(target, PriorCredential::default(), self.replaced.known(&id))?;
        let private = Notes::of_second_half(&change.private, self.replaced.healed(&id));
        let rotated = rotator.rotate(call, &op, &Change { private, ..change.clone() }, new).await;
        let verified = rotated.map_err(|failed| {
            let predecessors = self.replaced.failed(&id);
            lost::of_create(failed.diagnostic, failed.outcome, predecessors.as_ref().map(|all| ids(all)).as_deref())
        })?;
        let Created { verified, retired, waiting } = self.replaced.created(&id, verified);
        for predecessor in waiting {
            call.warn(replaced::waits_for_another(&rotator.target, &predecessor));
        }
        for predecessor in retired {
            predecessor.retire_after_reset(call, &op, &self.made, verified).await;
        }
        Ok(())
    }

    async fn update(&self, call: &Call, change: &Change, new: &NewState) -> Result<()> {
        let op = operation(call, Operation::Update, &change.planned);
        let proven = Notes::from(&change.private).proven;
        let rotator = || {
            let (held, former) = (held(&change.prior), Former::of(&change.prior, proven.clone()));
            self.rotator(known_target(&change.planned)?, held.clone(), Known { held, former })
        };
        if change.planned.get(ROTATED_AT).is_unknown() {
            let predecessor = self.predecessor(&change.prior)?;
            let rotator = rotator()?;
            let rotated = rotator.rotate(call, &op, change, new).await;
            let verified = rotated.map_err(|failed| {
                // The next plan is to say what it is up against, even where no vendor can tell.
                if failed.outcome == Outcome::Changed && rotator.target.vendor.reset_kind == ResetKind::InPlace {
                    let state = staleness::outdated(&change.prior);
                    new.set(ResourceState { state, private: Notes::of_failure(&change.private) });
                }
                failed.diagnostic
            })?;
            if let Some(predecessor) = predecessor {
                predecessor.retire_after_reset(call, &op, &self.made, verified).await;
            }
            return Ok(());
        }
        let mut state = change.planned.clone();
        if !state.is_wholly_known() {
            rotator()?.fill_in(&op, &mut state).await?;
        }
        new.set(ResourceState {
            state,
            private: Notes::of_state(&change.config, proven, Notes::from(&change.private).healed),
        });
        Ok(())
    }

    async fn delete(&self, call: &Call, prior: &Value, planned: &Private) -> Result<()> {
        let op = operation(call, Operation::Delete, prior);
        // As the first half of a replacement it must not let go of the old password, still valid, when the second half cannot
        // work; and what it replaces is for the second half to retire.
        let notes = Notes::from(planned);
        let healed = notes.healed_after();
        if let Some(Mark::Create(noted)) = notes.plan {
            let planned = noted.and_then(|noted| noted.target());
            let former = Former::of(prior, notes.proven);
            let predecessor = self.predecessor(prior)?;
            let is_named = planned.is_some();
            let half = Half { predecessor, known: Known { former, ..Known::default() }, is_named, healed };
            return self.make_way(call, &op, prior, planned, notes.place.as_ref(), half).await;
        }
        // A destroy leaves a password as it is, and ends a credential that this resource made.
        if let Some(predecessor) = self.predecessor(prior)? {
            self.made.let_go(prior);
            if self.made.holds(&predecessor) {
                call.warn(made::still_held(&predecessor.target, predecessor.id()));
                return Ok(());
            }
            if self.replaced.is_unproven(&predecessor.target.id()) {
                call.warn(diagnose::spared(&predecessor.target, predecessor.id()));
                return Ok(());
            }
            let retired = predecessor.retire(&op).await;
            retired.map_err(|error| diagnose::failed(Doing::Retiring, &predecessor.target, &error))?;
        }
        Ok(())
    }

    fn after_crash(&self, crash: Crash) -> &'static str {
        match crash {
            Crash::BeforeAct => "The password was not changed. Apply again.",
            Crash::InDoubt => "The password may have been changed. Apply again: the password is reset once more.",
            Crash::Deleting => "The password may have been changed. Try again.",
        }
    }

    async fn import(&self, call: &Call, id: &str) -> Result<ResourceState> {
        let imported = Imported::from_id(id)?;
        let vendor = imported.vendor();
        let api = self.connections.api(vendor)?;
        let (target, found, version) = match imported {
            Imported::Target(target) => (target, Found::default(), None),
            Imported::Credential { id, .. } => {
                let op = operation(call, Operation::Read, &Value::Null);
                let held = PriorCredential { version: Some(id.clone()), ..PriorCredential::default() };
                let unknown = Target::told(vendor, Fields::default());
                match api.read(&op, &unknown.fields, &held).await {
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
        state.set(ROTATION_VERSION, version::of(&state));
        Ok(ResourceState { state: completed(state, found, None), private: Private::default() })
    }
}

impl CredentialPassword {
    fn rotator(&self, target: Target, held: PriorCredential, known: Known) -> Result<Rotator> {
        let (api, roots) = (self.connections.api(target.vendor)?, self.connections.roots());
        let (logins, turns, made) = (self.connections.logins(), Arc::clone(&self.turns), Arc::clone(&self.made));
        Ok(Rotator { target, api, held, known, roots, logins, turns, made })
    }

    /// The credential of a state, where its vendor makes another with every reset.
    fn predecessor(&self, state: &Value) -> Result<Option<Predecessor>> {
        let (target, held) = (known_target(state)?, held(state));
        match target.vendor.reset_kind {
            ResetKind::NewCredential if held.version.is_some() => {
                Ok(Some(Predecessor { api: self.connections.api(target.vendor)?, target, held }))
            }
            ResetKind::InPlace | ResetKind::NewCredential => Ok(None),
        }
    }

    /// Checks that the second half of a replacement can work, and leaves to it what it is to retire.
    async fn make_way(
        &self,
        call: &Call,
        op: &vendors::Operation,
        prior: &Value,
        planned: Option<Target>,
        place: Option<&Place>,
        half: Half,
    ) -> Result<()> {
        if let (None, Some(predecessor)) = (&planned, &half.predecessor) {
            call.warn(diagnose::left_to_its_successor(&predecessor.target, predecessor.id()));
        }
        let before = known_target(prior)?;
        let target = planned.unwrap_or_else(|| before.clone());
        let held = if target.vendor.name == before.vendor.name { held(prior) } else { PriorCredential::default() };
        let id = target.id();
        let rotator = self.rotator(target, held.clone(), Known::default())?;
        rotator.check(op).await?;
        if let Some(place) = place {
            rotator.check_place(op, place).await?;
        }
        let known = if id == before.id() { Known { held, ..half.known } } else { Known::default() };
        self.made.let_go(prior);
        self.replaced.deleted(id, Half { known, ..half });
        Ok(())
    }
}

fn ids(predecessors: &[Predecessor]) -> Vec<String> {
    predecessors.iter().map(|predecessor| diagnose::stored(predecessor.id()).to_string()).collect()
}

/// What the state holds of its credential.
fn held(state: &Value) -> PriorCredential {
    let text = |name| state.get(name).as_str().map(str::to_owned);
    PriorCredential { version: text(REMOTE_VERSION), username: text(USERNAME) }
}

/// The submission host, where the vendor tells it and the state has none.
async fn missing_host(
    op: &vendors::Operation,
    api: &dyn VendorApi,
    target: &Target,
    state: &Value,
) -> Result<Option<Name>> {
    match target.vendor.smtp {
        SmtpDefaults::Reported { .. } if state.get(SMTP_HOST).is_null() => {
            let host = api.smtp_host(op, &target.fields).await;
            host.map_err(|error| diagnose::failed(Doing::Reading, target, &error).into())
        }
        _ => Ok(None),
    }
}

/// The state with what an import could not know.
fn completed(mut state: Value, found: Found, host: Option<Name>) -> Value {
    for (name, value) in [(USERNAME, found.username), (SMTP_HOST, host)] {
        if state.get(name).is_null() {
            state.set(name, value);
        }
    }
    state
}

/// The target of a state or of an apply's plan, in which nothing about it is unknown.
fn known_target(value: &Value) -> Result<Target> {
    let unknown =
        || Diagnostic::error("The credential is not known", "An argument that names the credential is still unknown.");
    Target::of(value)?.ok_or_else(|| unknown().into())
}

fn operation(call: &Call, operation: Operation, state: &Value) -> vendors::Operation {
    let configured = state.get(TIMEOUTS).get(operation.name()).as_str();
    let timeout = duration::parse(configured.unwrap_or(operation.default_timeout())).unwrap_or_default();
    vendors::Operation::new(timeout, call.stop.clone())
}

#[cfg(test)]
mod tests {
    use std::{
        pin::{Pin, pin},
        sync::{
            Mutex,
            atomic::{AtomicUsize, Ordering},
        },
        task::{Context, Poll, Waker},
    };

    use tokio::sync::Semaphore;

    use super::{
        schema::{ID, IN_PLACE, ROTATION_MODE, ROTATION_TRIGGER},
        *,
    };
    use crate::{
        framework::diagnostic::Path,
        http::{Error, Kind},
        secret::Secret,
        vendors::{Listed, Reset},
    };

    type Answer<T> = std::result::Result<T, Error>;

    /// A vendor that makes a credential with every reset, and writes down what it is asked for.
    #[derive(Debug, Default)]
    struct Fake {
        asked: Mutex<Vec<String>>,
        check: Option<Outcome>,
        reset: Option<Outcome>,
        /// Which resets fail besides, counted from the first.
        fails: Vec<usize>,
        resets: AtomicUsize,
        retire: Option<Outcome>,
        /// What is stopped while it resets.
        stop: Option<tokio_util::sync::CancellationToken>,
        /// What it needs a permit of for every answer to a reset or a revocation.
        answers: Option<Semaphore>,
    }

    impl Fake {
        fn note(&self, asked: &str, fails: Option<Outcome>) -> Answer<()> {
            self.asked.lock().unwrap().push(asked.to_owned());
            fails.map_or(Ok(()), |outcome| Err(Error::new(Kind::Unavailable, outcome, "api.example.com", "a test")))
        }

        async fn answer(&self) {
            if let Some(answers) = &self.answers {
                answers.acquire().await.unwrap().forget();
            }
        }

        /// What it was asked for since it was last looked at.
        fn asked(&self) -> Vec<String> {
            std::mem::take(&mut self.asked.lock().unwrap())
        }
    }

    #[async_trait]
    impl VendorApi for Fake {
        async fn read(&self, _: &vendors::Operation, _: &Fields, held: &PriorCredential) -> Answer<Presence> {
            let mut target = Fields::default();
            target.insert(SUCCESSOR.target[0], Secret::new("newsletter")).unwrap();
            let username = held.version.as_ref().and_then(|id| Name::new(&format!("user of {id}")));
            Ok(Presence::Found(Found {
                target,
                username,
                version: held.version.as_deref().and_then(Name::new),
                ..Found::default()
            }))
        }

        async fn check(&self, _: &vendors::Operation, _: &Fields, held: &PriorCredential) -> Answer<Presence> {
            self.note(&format!("check {}", held.version.as_deref().unwrap_or("nothing")), self.check)?;
            Ok(Presence::Found(Found::default()))
        }

        async fn list(&self, _: &vendors::Operation, _: &Fields) -> Answer<Vec<Listed>> {
            unreachable!("a resource asks for one credential")
        }

        async fn reset(&self, _: &vendors::Operation, target: &Fields, _: Option<&Secret>) -> Answer<Reset> {
            let name = SUCCESSOR.target.iter().find_map(|field| target.text(field)).unwrap_or("another vendor's");
            if let Some(stop) = &self.stop {
                stop.cancel();
            }
            let number = self.resets.fetch_add(1, Ordering::Relaxed);
            let fails = self.fails.contains(&number).then_some(Outcome::NotChanged);
            self.note(&format!("reset {name}"), self.reset.or(fails))?;
            self.answer().await;
            let [username, version] = ["new user", "new"].map(Name::new);
            Ok(Reset { password: Some(Secret::new("new secret")), username, version, ..Reset::default() })
        }

        async fn retire(&self, _: &vendors::Operation, held: &PriorCredential) -> Answer<()> {
            self.note(&format!("revoke {}", held.version.as_deref().unwrap_or("nothing")), self.retire)?;
            self.answer().await;
            Ok(())
        }
    }

    /// The vendor whose resets make another credential.
    static SUCCESSOR: std::sync::LazyLock<&vendors::Vendor> = std::sync::LazyLock::new(|| {
        vendors::VENDORS.iter().find(|vendor| vendor.reset_kind == ResetKind::NewCredential).unwrap()
    });

    /// The resource, and the vendor behind it.
    struct Subject {
        resource: CredentialPassword,
        vendor: Arc<Fake>,
        call: Call,
    }

    impl Subject {
        fn new(vendor: Fake) -> Self {
            let call = Call::new(vendor.stop.clone().unwrap_or_default());
            let vendor = Arc::new(vendor);
            let names = vendors::VENDORS.iter().map(|known| known.name);
            let connections = Connections::ready_with(names.map(|name| (name, vendor.clone() as Arc<dyn VendorApi>)));
            Self { resource: CredentialPassword::new(Arc::new(connections)), vendor, call }
        }

        fn plan(&self, prior: &Value, config: &Value) -> Draft {
            let mut draft = draft(&self.resource.schema, config.clone(), prior.clone(), Private::default());
            self.resource.plan(&self.call, &mut draft).unwrap();
            draft
        }

        /// Creates or updates, and answers with the state that core gets and with the error.
        async fn apply(&self, prior: &Value, config: &Value) -> (Value, Option<Diagnostic>) {
            let (change, new) = self.change(prior, config);
            let applied = if prior.is_null() {
                self.resource.create(&self.call, &change, &new).await
            } else {
                self.resource.update(&self.call, &change, &new).await
            };
            (new.take().state, applied.err().and_then(|errors| errors.iter().next().cloned()))
        }

        fn change(&self, prior: &Value, config: &Value) -> (Change, NewState) {
            let Draft { planned, private, .. } = self.plan(prior, config);
            let change = Change { prior: prior.clone(), planned, config: config.clone(), private };
            (change, NewState::holding(ResourceState { state: prior.clone(), ..ResourceState::default() }))
        }

        /// Deletes as the first half of a replacement: core hands on the private data of the plan without a prior state.
        async fn make_way(&self, prior: &Value, config: &Value) -> Result<()> {
            let private = self.plan(&Value::Null, config).private;
            self.resource.delete(&self.call, prior, &private).await
        }

        async fn destroy(&self, prior: &Value) -> Result<()> {
            self.resource.delete(&self.call, prior, &self.resource.plan_destroy(prior)).await
        }

        /// The warnings since they were last looked at.
        fn warnings(&self) -> Vec<Diagnostic> {
            self.call.take_warnings().iter().cloned().collect()
        }
    }

    fn named(name: impl Into<Value>, role: &str, arguments: &[(&'static str, Value)]) -> Value {
        let [first, second] = SUCCESSOR.target else { panic!("a name and a role") };
        let target = Value::object([(first.name, name.into()), (second.name, role.into())]);
        Value::object([(SUCCESSOR.name, target)].into_iter().chain(arguments.iter().cloned()))
    }

    fn config(trigger: &str, arguments: &[(&'static str, Value)]) -> Value {
        named("newsletter", "send_only", &[&[(ROTATION_TRIGGER, trigger.into())], arguments].concat())
    }

    /// A configuration at a vendor whose resets change a credential in place.
    fn of_another_vendor() -> Value {
        let other = vendors::VENDORS.iter().find(|vendor| vendor.reset_kind == ResetKind::InPlace).unwrap();
        let target = Value::object(other.target.iter().map(|field| (field.name, "a@example.com".into())));
        Value::object([(other.name, target)])
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    /// What `config` is once it is applied, with the credential of this id.
    fn state(config: &Value, id: &str) -> Value {
        let planned = draft(&schema::schema(), config.clone(), Value::Null, Private::default());
        let mut state = without_unknowns(planned.planned);
        for (name, value) in [
            (ID, format!("{}/newsletter", SUCCESSOR.name)),
            (REMOTE_VERSION, id.to_owned()),
            (ROTATED_AT, "2026-01-01T00:00:00.000000Z".to_owned()),
            (USERNAME, format!("user of {id}")),
        ] {
            state.set(name, value);
        }
        state.set(PASSWORD, Secret::new("old secret"));
        state
    }

    fn old(id: &str) -> Value {
        state(&config("one", &[]), id)
    }

    fn assert_new(state: &Value) {
        for (name, value) in [(USERNAME, "new user"), (REMOTE_VERSION, "new")] {
            assert_eq!(state.get(name), &value.into(), "{name}");
        }
        assert_eq!(state.get(PASSWORD), &Secret::new("new secret").into());
        assert!(state.is_wholly_known());
    }

    #[tokio::test]
    async fn in_place_the_successor_is_made_before_the_old_one_is_revoked() {
        let subject = Subject::new(Fake::default());
        let in_place = [(ROTATION_MODE, IN_PLACE.into())];
        let prior = state(&config("one", &in_place), "old");
        let (new, error) = subject.apply(&prior, &config("two", &in_place)).await;
        assert_eq!(error, None);
        assert_new(&new);
        assert_eq!(subject.vendor.asked(), ["check old", "reset newsletter", "revoke old"]);
        assert_eq!(subject.warnings(), []);
    }

    #[tokio::test]
    async fn a_create_revokes_nothing_and_a_deposed_object_its_own() {
        let subject = Subject::new(Fake::default());
        let (new, _) = subject.apply(&Value::Null, &config("two", &[])).await;
        assert_new(&new);
        assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter"]);
        subject.destroy(&old("old")).await.unwrap();
        assert_eq!(subject.vendor.asked(), ["revoke old"]);
    }

    #[tokio::test]
    async fn a_deletion_that_makes_way_leaves_the_revocation_to_the_create() {
        let subject = Subject::new(Fake::default());
        let config = config("two", &[]);
        subject.make_way(&old("old"), &config).await.unwrap();
        assert_eq!(subject.vendor.asked(), ["check old"]);
        let (new, _) = subject.apply(&Value::Null, &config).await;
        assert_new(&new);
        assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter", "revoke old"]);

        subject.apply(&Value::Null, &config).await;
        assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter"], "it is revoked once");
    }

    #[tokio::test]
    async fn a_deletion_makes_no_way_for_a_create_that_cannot_work() {
        let subject = Subject::new(Fake { check: Some(Outcome::NotChanged), ..Fake::default() });
        let errors = subject.make_way(&old("old"), &config("two", &[])).await.unwrap_err();
        assert!(errors.iter().next().unwrap().detail.contains(Outcome::NotChanged.sentence()));
        assert_eq!(subject.vendor.asked(), ["check old"]);
    }

    #[tokio::test]
    async fn a_deletion_without_a_mark_is_a_destroy() {
        let subject = Subject::new(Fake::default());
        subject.resource.delete(&subject.call, &old("old"), &Private::default()).await.unwrap();
        assert_eq!(subject.vendor.asked(), ["revoke old"]);
    }

    #[tokio::test]
    async fn a_create_that_fails_leaves_the_old_one_and_names_it() {
        for outcome in [Outcome::NotChanged, Outcome::MayHaveChanged, Outcome::Changed] {
            let subject = Subject::new(Fake { reset: Some(outcome), ..Fake::default() });
            let config = config("two", &[]);
            subject.make_way(&old("old"), &config).await.unwrap();
            let (new, error) = subject.apply(&Value::Null, &config).await;
            assert_eq!(new.is_null(), outcome == Outcome::NotChanged, "{outcome:?}");
            assert_eq!(subject.vendor.asked(), ["check old", "check nothing", "reset newsletter"], "{outcome:?}");
            let detail = error.unwrap().detail;
            for words in [outcome.sentence(), "The previous credential, `old`, still works"] {
                assert!(detail.contains(words), "{detail}");
            }
            assert!(!detail.contains("no longer work"), "{detail}");
        }
    }

    #[tokio::test]
    async fn a_create_whose_reset_may_have_happened_leaves_an_object_that_has_and_ends_nothing() {
        for config in [config("two", &[]), of_another_vendor()] {
            for outcome in [Outcome::MayHaveChanged, Outcome::Changed] {
                let subject = Subject::new(Fake { reset: Some(outcome), ..Fake::default() });
                let (left, error) = subject.apply(&Value::Null, &config).await;
                assert!(error.unwrap().detail.contains("without a password, and tainted"), "{outcome:?}");
                assert!(left.is_wholly_known() && left.get(STALE) == &true.into());
                for name in [PASSWORD, REMOTE_VERSION, ROTATED_AT] {
                    assert!(left.get(name).is_null(), "{name}");
                }
                subject.vendor.asked();
                subject.destroy(&left).await.unwrap();
                assert!(subject.vendor.asked().is_empty(), "it has no credential of its own to revoke");
            }
        }
    }

    #[tokio::test]
    async fn a_revocation_that_fails_is_a_warning_and_the_state_is_new() {
        let subject = Subject::new(Fake { retire: Some(Outcome::MayHaveChanged), ..Fake::default() });
        let config = config("two", &[]);
        subject.make_way(&old("old"), &config).await.unwrap();
        let (new, error) = subject.apply(&Value::Null, &config).await;
        assert_eq!(error, None);
        assert_new(&new);
        let [warning] = &*subject.warnings() else { panic!("one warning") };
        for words in ["Revoke `old` by hand.", Outcome::Changed.sentence()] {
            assert!(warning.detail.contains(words), "{}", warning.detail);
        }
    }

    #[tokio::test]
    async fn a_stop_hands_the_new_state_out_before_the_old_one_is_revoked() {
        let subject = Subject::new(Fake { stop: Some(<_>::default()), ..Fake::default() });
        let in_place = [(ROTATION_MODE, IN_PLACE.into())];
        let prior = state(&config("one", &in_place), "old");
        let (new, error) = subject.apply(&prior, &config("two", &in_place)).await;
        assert_eq!(error, None);
        assert_new(&new);
        assert_eq!(subject.vendor.asked(), ["check old", "reset newsletter"]);
        let [warning] = &*subject.warnings() else { panic!("one warning") };
        assert!(warning.detail.contains("Revoke `old` by hand."), "{}", warning.detail);
    }

    #[tokio::test]
    async fn a_reset_waits_for_another_of_the_same_credential_and_its_state_for_nothing() {
        let subject = Subject::new(Fake { answers: Some(Semaphore::new(0)), ..Fake::default() });
        let in_place = [(ROTATION_MODE, IN_PLACE.into())];
        let (change, first) = subject.change(&state(&config("one", &in_place), "old"), &config("two", &in_place));
        let (other_change, second) = subject.change(&Value::Null, &config("one", &[]));
        let mut rotating = pin!(subject.resource.update(&subject.call, &change, &first));
        assert!(poll(rotating.as_mut()).is_pending());
        let mut waiting = pin!(subject.resource.create(&subject.call, &other_change, &second));
        assert!(poll(waiting.as_mut()).is_pending());
        assert_eq!(subject.vendor.asked(), ["check old", "reset newsletter"], "the other has not begun");

        subject.vendor.answers.as_ref().unwrap().add_permits(1);
        assert!(poll(rotating.as_mut()).is_pending());
        assert_eq!(subject.vendor.asked(), ["revoke old"], "all the rest is still under way");
        assert_new(&first.take().state);
        assert!(poll(waiting.as_mut()).is_pending());
        assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter"]);
    }

    #[tokio::test]
    async fn a_stop_takes_a_reset_back_that_waits_for_another() {
        let subject = Subject::new(Fake { answers: Some(Semaphore::new(0)), ..Fake::default() });
        let config = config("one", &[]);
        let (change, new) = subject.change(&Value::Null, &config);
        let mut first = pin!(subject.resource.create(&subject.call, &change, &new));
        assert!(poll(first.as_mut()).is_pending());
        subject.vendor.asked();
        subject.call.stop.cancel();
        let (state, error) = subject.apply(&Value::Null, &config).await;
        assert!(state.is_null() && subject.vendor.asked().is_empty());
        let Diagnostic { summary, detail, .. } = error.unwrap();
        assert_eq!(summary, "Stopped before the reset");
        assert!(detail.contains(Outcome::NotChanged.sentence()), "{detail}");
    }

    #[tokio::test]
    async fn whoever_resets_what_another_resource_has_reset_is_told_that_its_password_is_dead() {
        let subject = Subject::new(Fake::default());
        for expected in [0, 1, 1] {
            let (new, error) = subject.apply(&Value::Null, &of_another_vendor()).await;
            assert_eq!((error, new.is_null()), (None, false));
            let mut warnings = subject.warnings();
            warnings.retain(|warning| warning.summary == "Two resources reset the same credential");
            assert_eq!(warnings.len(), expected);
            for warning in warnings {
                assert!(warning.detail.contains(Outcome::Changed.sentence()), "{}", warning.detail);
            }
        }
        for _ in 0..2 {
            subject.apply(&Value::Null, &config("one", &[])).await;
            assert_eq!(subject.warnings(), [], "each has a key of its own");
        }
    }

    #[tokio::test]
    async fn a_destroy_that_fails_says_so_and_keeps_the_object() {
        let subject = Subject::new(Fake { retire: Some(Outcome::MayHaveChanged), ..Fake::default() });
        let errors = subject.destroy(&old("old")).await.unwrap_err();
        let error = errors.iter().next().unwrap();
        assert_eq!(error.summary, "The outcome of the revocation is unknown");
        assert!(!error.detail.contains("reset once more"), "{}", error.detail);
    }

    #[tokio::test]
    async fn two_of_one_name_are_both_revoked() {
        let subject = Subject::new(Fake::default());
        let config = config("two", &[]);
        for id in ["first", "second"] {
            subject.make_way(&old(id), &config).await.unwrap();
        }
        subject.vendor.asked();
        for _ in 0..2 {
            subject.apply(&Value::Null, &config).await;
        }
        let mut revoked = subject.vendor.asked();
        revoked.retain(|asked| asked.starts_with("revoke"));
        revoked.sort();
        assert_eq!(revoked, ["revoke first", "revoke second"]);
    }

    #[tokio::test]
    async fn two_of_one_name_are_both_spared_where_one_has_no_successor() {
        for fails in 0..2 {
            let subject = Subject::new(Fake { fails: vec![fails], ..Fake::default() });
            let config = config("two", &[]);
            for id in ["first", "second"] {
                subject.make_way(&old(id), &config).await.unwrap();
            }
            subject.vendor.asked();
            let mut errors = Vec::new();
            for _ in 0..2 {
                errors.extend(subject.apply(&Value::Null, &config).await.1);
            }
            assert!(!subject.vendor.asked().iter().any(|asked| asked.starts_with("revoke")));
            let [error] = &*errors else { panic!("one fails") };
            assert!(error.detail.contains("`first`, `second`, still work"), "{}", error.detail);
        }
    }

    #[tokio::test]
    async fn what_gives_way_to_another_vendor_is_revoked_at_its_own() {
        let subject = Subject::new(Fake::default());
        let config = of_another_vendor();
        subject.make_way(&old("old"), &config).await.unwrap();
        let (new, error) = subject.apply(&Value::Null, &config).await;
        assert_eq!((error, new.is_null()), (None, false));
        assert_eq!(subject.vendor.asked(), ["check nothing", "check nothing", "reset another vendor's", "revoke old"]);
    }

    #[tokio::test]
    async fn a_successor_that_is_not_named_yet_may_not_be_found() {
        let subject = Subject::new(Fake::default());
        subject.make_way(&old("old"), &named(Value::Unknown, "send_only", &[])).await.unwrap();
        let [warning] = &*subject.warnings() else { panic!("one warning") };
        assert!(warning.detail.contains("revoke `old` by hand"), "{}", warning.detail);

        subject.apply(&Value::Null, &config("two", &[])).await;
        assert_eq!(subject.vendor.asked(), ["check old", "check nothing", "reset newsletter", "revoke old"]);
    }

    #[tokio::test]
    async fn an_import_by_id_knows_the_name_and_adopts_the_role() {
        let subject = Subject::new(Fake::default());
        let imported = subject.resource.import(&subject.call, &format!("{}/old", SUCCESSOR.name)).await.unwrap().state;
        for (name, value) in [
            (ID, format!("{}/newsletter", SUCCESSOR.name).into()),
            (REMOTE_VERSION, "old".into()),
            (USERNAME, "user of old".into()),
            (PASSWORD, Value::Null),
        ] {
            assert_eq!(imported.get(name), &value, "{name}");
        }

        let (adopted, error) = subject.apply(&imported, &named("newsletter", "send_only", &[])).await;
        assert_eq!((error, subject.vendor.asked()), (None, vec![]));
        let [warning] = &*subject.warnings() else { panic!("one warning") };
        assert!(warning.detail.starts_with("Adopted without a reset."), "{}", warning.detail);
        assert_eq!(adopted.get(REMOTE_VERSION), &"old".into());

        let again = subject.plan(&adopted, &named("newsletter", "standard", &[]));
        assert_eq!(again.replace, [Path::attribute(SUCCESSOR.name).then(SUCCESSOR.target[1].name)]);
    }
}

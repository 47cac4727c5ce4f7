//! An apply with a vendor that makes another credential with every reset.

mod overlap;
mod replacement;
mod together;

use std::{
    pin::{Pin, pin},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::*;
use crate::{
    framework::{
        Private, Resource,
        diagnostic::Path,
        plan::{Draft, draft},
        value::Value,
    },
    http::{Error, Kind},
    provider::{
        credential_password::{
            names::{
                ID, IN_PLACE, PASSWORD, PREVIOUS, REMOTE_VERSION, ROTATION_MODE, ROTATION_TRIGGER, STALE, USERNAME,
            },
            schema,
            state::without_unknowns,
        },
        settings::Connections,
    },
    secret::{Name, Secret},
    vendors::{self, Before, Fields, Found, Listed, Presence, Reset, ResetKind, VendorApi},
};

type Answer<T> = std::result::Result<T, Error>;

/// A vendor that makes a credential with every reset, and writes down what it is asked for.
#[derive(Debug, Default)]
struct Fake {
    asked: Mutex<Vec<String>>,
    check: Option<Outcome>,
    reset: Option<Outcome>,
    /// Further resets that fail, counted from the first.
    fails: Vec<usize>,
    resets: AtomicUsize,
    revoke: Option<Outcome>,
    /// Whether another credential needs the room of one that is revoked first.
    is_full: bool,
    /// What is stopped while it resets.
    stop: Option<tokio_util::sync::CancellationToken>,
    /// Every response to a reset or a revocation needs a permit of this.
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

    async fn check_room(
        &self,
        _: &vendors::Operation,
        _: &Fields,
        _: &[&PriorCredential],
        revoked: Option<&PriorCredential>,
    ) -> Answer<()> {
        if self.is_full && revoked.is_none() {
            return Err(Error::new(Kind::NoRoom, Outcome::NotChanged, "api.example.com", "a test"));
        }
        Ok(())
    }

    async fn list(&self, _: &vendors::Operation, _: &Fields) -> Answer<Vec<Listed>> {
        unreachable!("a resource asks for one credential")
    }

    async fn reset(&self, _: &vendors::Operation, target: &Fields, _: &Before, _: Option<&Secret>) -> Answer<Reset> {
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

    async fn revoke(&self, _: &vendors::Operation, _: &vendors::Fields, held: &PriorCredential) -> Answer<()> {
        self.note(&format!("revoke {}", held.version.as_deref().unwrap_or("nothing")), self.revoke)?;
        self.answer().await;
        Ok(())
    }
}

/// The vendor whose resets make another credential.
static SUCCESSOR: std::sync::LazyLock<&vendors::Vendor> = std::sync::LazyLock::new(|| {
    let makes_another = |vendor: &&&vendors::Vendor| vendor.reset_kind == ResetKind::NewCredential;
    // Its user names are those of the responses here, nothing waits, and it is imported by its id alone.
    let is_unnamed = |vendor: &&&vendors::Vendor| {
        (vendor.username)(&Fields::default()).is_none() && vendor.lag.is_none() && vendor.scope.is_empty()
    };
    vendors::VENDORS.iter().filter(makes_another).find(is_unnamed).unwrap()
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
        Self { resource: CredentialPassword::new(Arc::new(connections), Arc::default()), vendor, call }
    }

    fn plan(&self, prior: &Value, config: &Value) -> Draft {
        let mut draft = draft(&self.resource.schema, config.clone(), prior.clone(), Private::default());
        self.resource.plan(&self.call, &mut draft).unwrap();
        draft
    }

    /// Creates or updates. Returns the state that core receives, and the error.
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
    async fn delete_before_create(&self, prior: &Value, config: &Value) -> Result<()> {
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
async fn a_deletion_without_a_mark_is_a_destroy() {
    let subject = Subject::new(Fake::default());
    subject.resource.delete(&subject.call, &old("old"), &Private::default()).await.unwrap();
    assert_eq!(subject.vendor.asked(), ["revoke old"]);
}

#[tokio::test]
async fn a_create_of_unknown_outcome_leaves_a_tainted_object_without_a_password() {
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
async fn a_destroy_that_fails_says_so_and_keeps_the_object() {
    let subject = Subject::new(Fake { revoke: Some(Outcome::MayHaveChanged), ..Fake::default() });
    let errors = subject.destroy(&old("old")).await.unwrap_err();
    let error = errors.iter().next().unwrap();
    assert_eq!(error.summary, "The outcome of the revocation is unknown");
    assert!(!error.detail.contains("reset once more"), "{}", error.detail);
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
    assert!(warning.detail.contains("adopted without a reset."), "{}", warning.detail);
    assert_eq!(adopted.get(REMOTE_VERSION), &"old".into());

    let again = subject.plan(&adopted, &named("newsletter", "standard", &[]));
    assert_eq!(again.replace, [Path::attribute(SUCCESSOR.name).then(SUCCESSOR.target[1].name)]);
}

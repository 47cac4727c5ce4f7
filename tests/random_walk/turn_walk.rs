//! Carries the steps of [`turn`](crate::turn) out. After each, the password in the state works, whatever has failed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use sandbox::{
    KeyState, SmtpFault, Stage,
    core::{
        caller::{Action, Applied, Failure, Plan, Schemas, Stored, Wish},
        contract,
        vendors::{self, Target, Which},
        wire::tfplugin6::Diagnostic,
    },
};
use terraform_provider_smtp::{
    age::{Identities, open_armored},
    framework::value::Value,
    secret::Secret,
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    interrupted,
    operation::Run,
    process::Attached,
    tally::{Tally, count},
    turn::{IDENTITIES, Kind, Step, Wanted},
    verdict::{Reported, names},
    world::World,
};

const OVERLAP: &str = "at_next_rotation";

/// Walks, counts what happened, and keeps `at` at the number of the step that it is at.
pub(crate) fn walk(kind: Kind, steps: &[Step], tally: &'static Tally, at: &AtomicUsize) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut walk = Walk {
            kind,
            tally,
            world: World::new(),
            attached: Attached::new(Schemas::of(kind.type_name())),
            stored: Stored::default(),
            deposed: Vec::new(),
            is_tainted: false,
            passwords: BTreeMap::new(),
            touched: BTreeSet::new(),
        };
        for (number, step) in steps.iter().enumerate() {
            at.store(number, Ordering::Relaxed);
            walk.step(step).await;
            count(&tally.operations, 1);
        }
        walk.attached.end(&walk.world).await;
    });
    runtime.shutdown_background();
}

struct Walk {
    kind: Kind,
    tally: &'static Tally,
    world: World,
    attached: Attached,
    stored: Stored,
    deposed: Vec<Stored>,
    is_tainted: bool,
    /// The password that each credential had when it was the current one.
    passwords: BTreeMap<String, String>,
    /// The credentials of which somebody else has ended the password since.
    touched: BTreeSet<String>,
}

impl Walk {
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Apply(wanted, run) => self.apply(wanted, run).await,
            Step::Refresh(run) => _ = self.refresh(&Run { refreshes: true, ..run.clone() }).await,
            Step::Import => self.import().await,
            Step::Destroy(run) => self.destroy(run).await,
            Step::Taint => self.is_tainted = !self.stored.state.is_null(),
            Step::Age => {
                if !self.stored.state.get("rotated_at").is_null() {
                    self.stored.state.set("rotated_at", "2020-02-29T12:00:00.000000Z");
                }
            }
            Step::ResetElsewhere(which) => {
                self.touch(*which, |walk, target| target.reset_elsewhere(&walk.world.sandbox)).await;
            }
            Step::Delete(which) => self.touch(*which, |walk, target| walk.world.delete(target)).await,
            Step::MakeAgain(which) => self.world.make_again(self.kind.target(*which)),
            Step::ShowPasswordChanges => self.world.sandbox.kirim_email().show_password_changes(),
        }
    }

    async fn touch(&mut self, which: Which, deed: impl Fn(&mut Self, Target)) {
        let target = self.kind.target(which);
        // A process knows the vendor's list.
        self.attached.end(&self.world).await;
        let ids = self.passwords.keys().cloned();
        let before: Vec<_> = ids.map(|id| (self.live(&id), id)).collect();
        deed(self, target);
        for (live, id) in before {
            if live != self.live(&id) {
                self.touched.insert(id);
            }
        }
    }

    // What is true

    /// The id of the credential whose password a state has.
    fn current(state: &Value) -> Option<String> {
        match state.get("current").as_str() {
            Some(id) => Some(id.to_owned()),
            None => state.get("remote_version").as_str().map(|id| format!("smtpd/{id}")),
        }
    }

    /// The password that works for a credential at this moment.
    fn live(&self, id: &str) -> Option<String> {
        if let Some(target) = vendors::targets().find(|target| target.id() == id) {
            return target.vendor.at(&self.world.sandbox).password(target.account());
        }
        let keys = self.world.sandbox.smtpd().keys();
        let key = keys.into_iter().find(|key| id == format!("smtpd/{}", key.id));
        key.filter(|key| key.state == KeyState::Active).map(|key| key.secret)
    }

    /// The password of a state, decrypted with the identity of each recipient.
    fn password(state: &Value) -> Option<String> {
        let Some(file) = state.get("encrypted_password").as_str() else {
            return state.get("password").as_secret().map(|stored| stored.for_state().to_owned());
        };
        assert!(state.get("password").is_null(), "a password is encrypted or not");
        let Value::List(recipients) = state.get("age_recipients") else { panic!("it is encrypted to somebody") };
        let mut opened = BTreeSet::new();
        for recipient in recipients {
            let known = IDENTITIES.iter().find(|[known, _]| recipient.as_str() == Some(known)).unwrap();
            let identities = Identities::parse(&Secret::from(known[1].to_owned())).unwrap();
            opened.insert(open_armored(file, &identities).unwrap().to_vec());
        }
        assert_eq!(opened.len(), 1, "everybody reads the same");
        opened.pop_first().map(|text| String::from_utf8(text).unwrap())
    }

    fn works(&self, state: &Value) -> bool {
        let stored = Self::password(state);
        stored.is_some() && Self::current(state).is_some_and(|id| self.live(&id) == stored)
    }

    /// Of the credentials that the state names, each works; and no other that a reset has made, unless a text names it.
    fn judge(&mut self, reported: &[Diagnostic], strays: usize, what: &str) {
        let state = &self.stored.state;
        if let Some(id) = state.get("previous").as_str().filter(|id| !self.touched.contains(*id)) {
            let known = self.passwords.get(id);
            // After an import nobody knows the password of the one before.
            assert!(known.is_none() || self.live(id).as_ref() == known, "{what}: `previous` does not work: {id}");
            assert!(self.live(id).is_some(), "{what}: `previous` is gone: {id}");
        }
        if let (Some(id), Some(password)) = (Self::current(state), Self::password(state))
            && self.live(&id).as_ref() == Some(&password)
        {
            self.touched.remove(&id);
            self.passwords.insert(id, password);
        }
        let states = self.deposed.iter().map(|deposed| &deposed.state).chain([state]);
        let held = states.flat_map(|state| [Self::current(state), state.get("previous").as_str().map(str::to_owned)]);
        let held: BTreeSet<_> = held.flatten().collect();
        let left = vendors::successors(&self.world.sandbox);
        let left: Vec<_> = left.iter().filter(|id| !held.contains(&format!("smtpd/{id}"))).collect();
        let unnamed = left.iter().filter(|id| !names(reported, id)).count();
        assert!(unnamed <= strays, "{what}: {unnamed} keys are left of which no text says anything; {strays} may be");
        for id in left {
            self.world.sandbox.smtpd().revoke(id);
        }
    }

    // What core does

    async fn refresh(&mut self, run: &Run) -> bool {
        let resets = self.world.resets();
        self.attached.begin(&self.world, run.at_plan.as_ref()).await;
        let ended = if run.refreshes && !self.stored.state.is_null() {
            Some(self.attached.caller(&self.world).await.refresh(&self.stored.clone()).await)
        } else {
            None
        };
        self.world.calm_down();
        assert_eq!(self.world.resets(), resets, "a refresh resets nothing");
        let (refreshed, warnings) = match ended {
            None => return true,
            Some(Ok(refreshed)) => refreshed,
            Some(Err(Failure::Said(errors))) => {
                let is_decided = errors.iter().any(|error| error.detail.contains("`terraform state rm`"));
                let id = Self::current(&self.stored.state);
                let is_gone = id.as_ref().is_none_or(|id| self.live(id).is_none());
                assert!(run.at_plan.is_some() || (is_decided && is_gone), "nothing was wrong: {errors:?}");
                if is_decided && is_gone {
                    self.forget();
                    self.judge(&errors, usize::MAX, "`state rm`");
                }
                return false;
            }
            Some(Err(Failure::Lost)) => panic!("the provider ended by itself"),
        };
        let before = std::mem::replace(&mut self.stored, refreshed);
        if self.stored.state.is_null() {
            assert!(!self.works(&before.state), "what works is not dropped");
            if matches!(self.kind, Kind::Pair(_)) {
                let ids = before.state.get("id").as_str().unwrap_or_default().split(',');
                assert!(ids.into_iter().all(|id| self.live(id).is_none()), "a pair is gone when both are");
            }
            self.forget();
            count(&self.tally.dropped, 1);
        } else {
            for name in ["password", "encrypted_password", "rotated_at", "id", "current", "rotation_trigger"] {
                assert!(self.stored.state.get(name) == before.state.get(name), "a refresh leaves `{name}` alone");
            }
            let is_stale = *self.stored.state.get("stale") == Value::Bool(true);
            assert!(!(is_stale && self.works(&before.state)), "what works is not stale");
            count(&self.tally.stale, is_stale.into());
        }
        self.judge(&warnings, 0, "refresh");
        true
    }

    async fn apply(&mut self, wanted: &Wanted, run: &Run) {
        if !self.refresh(run).await {
            return;
        }
        let config = wanted.config(self.kind, self.world.sandbox.smtp_port());
        let wish = match (self.is_tainted, wanted.replace) {
            (true, _) => Wish::Renewed,
            (false, true) => Wish::Replaced,
            (false, false) => Wish::Configured,
        };
        let before = self.stored.clone();
        let resets = self.world.resets();
        let plan = self.attached.caller(&self.world).await.plan(&before, &config, wish).await.unwrap();
        assert_eq!(self.world.resets(), resets, "a plan resets nothing");
        if matches!(plan.action, Action::Update | Action::Nothing) {
            let is_planned = plan.planned.get("rotated_at").is_unknown();
            assert_eq!(is_planned, self.is_due(&before, wanted), "what is planned is what the contract says");
        }
        self.attached.end(&self.world).await;
        let worked = self.works(&before.state);
        self.attached.begin(&self.world, if run.interruption.is_some() { None } else { run.at_apply.as_ref() }).await;
        if wanted.is_refused {
            self.world.sandbox.smtp_fault(SmtpFault::reply(Stage::Auth, "535 5.7.8 No").always());
        }
        self.world.show_late(run.late);
        let caller = self.attached.caller(&self.world).await;
        let mut chain = JoinSet::new();
        let applying = caller.apply(before.clone(), plan.clone(), config.clone(), wanted.create_first);
        chain.spawn(async move { (0, applying.await) });
        let process = self.attached.started(&self.world).await;
        let (mut ended, was_cut) =
            interrupted::finish(&self.world, process, chain, run.interruption.as_ref(), self.tally).await;
        self.world.calm_down();
        let applied = ended.pop().flatten().unwrap();
        let happened = Happened { before, plan, wanted, run, worked, was_cut, resets };
        let is_applied = self.note(&happened, applied);
        if was_cut {
            self.attached.end(&self.world).await;
        } else if is_applied {
            let stored = self.stored.clone();
            let again = self.attached.caller(&self.world).await.plan(&stored, &config, Wish::Configured).await.unwrap();
            assert_eq!(again.action, Action::Nothing, "there is nothing left to do");
        }
    }

    /// Takes over what was stored, and holds it against what happened. Returns whether all went well.
    fn note(&mut self, happened: &Happened<'_>, applied: Applied) -> bool {
        let Happened { before, plan, wanted, run, worked, was_cut, resets } = happened;
        let results = [&applied.made, &applied.deleted];
        let failure = results.into_iter().flatten().find_map(|result| result.as_ref().err());
        assert!(*was_cut || !matches!(failure, Some(Failure::Lost)), "the provider ended by itself");
        let mut reported = applied.warnings.clone();
        let mut said = Reported::default();
        for failure in results.into_iter().flatten().filter_map(|result| result.as_ref().err()) {
            said.add(Reported::of(failure));
            if let Failure::Said(diagnostics) = failure {
                reported.extend(diagnostics.clone());
            }
        }
        self.stored = applied.stored;
        self.deposed.extend(applied.deposed);
        let is_made = matches!(applied.made, Some(Ok(())));
        self.is_tainted = !self.stored.state.is_null() && (applied.is_tainted || (self.is_tainted && !is_made));
        let is_calm = run.interruption.is_none() && run.at_apply.is_none() && !wanted.is_refused;
        let is_there = wanted.targets(self.kind).iter().all(|target| self.world.has(*target));
        // A machine that is busy may not log in within a second.
        let is_patient = wanted.verify != Some("1s");
        assert!(failure.is_none() || !is_calm || !is_there || !is_patient, "nothing was wrong: {failure:?}");

        let state = &self.stored.state;
        let now = self.world.resets();
        let current = Self::current(&before.state);
        let is_update = matches!(plan.action, Action::Update | Action::Nothing);
        let is_rotated = state.get("rotated_at") != before.state.get("rotated_at");
        if is_update {
            let is_spared = match self.kind {
                Kind::Pair(_) => true,
                Kind::Overlap => [&before.state, &plan.planned]
                    .iter()
                    .all(|side| side.get("retire_previous").as_str() == Some(OVERLAP)),
            };
            if *worked && (is_spared || !was_cut) {
                assert!(self.works(state), "the password in the state no longer works: {reported:?}");
            }
            if *worked && is_spared {
                let kept = self.live(current.as_deref().unwrap());
                assert_eq!(kept, Self::password(&before.state), "the credential in use was touched");
            }
            if let (Kind::Pair(_), Some(current)) = (self.kind, &current) {
                assert_eq!(now[current], resets[current], "the credential in use was reset");
            }
        }
        if is_made && (is_rotated || !is_update) {
            assert!(self.works(state), "what was applied does not work");
            let is_encrypted = !state.get("encrypted_password").is_null();
            assert_eq!(is_encrypted, !wanted.recipients.is_empty());
            if wanted.verify.is_some() && is_update && matches!(self.kind, Kind::Pair(_)) {
                assert_eq!(*state.get("verified"), Value::Bool(true), "it is proven before it takes over");
            }
        }
        let all: usize = now.values().sum::<usize>() - resets.values().sum::<usize>();
        count(&self.tally.resets, all);
        count(&self.tally.failed_resets, failure.is_some().into());
        count(&self.tally.of_unknown_outcome, said.possible + said.certain);
        // What the overlap takes back has happened, and is over.
        let is_taken_back = matches!(self.kind, Kind::Overlap) && wanted.is_refused;
        if !was_cut && !is_taken_back {
            let worked = usize::from(is_made && (is_rotated || !is_update));
            assert!(all >= worked + said.certain, "{all} resets, and more are reported: {reported:?}");
            assert!(
                (all == 0) == (worked + said.certain + said.possible == 0) || said.possible > 0,
                "{all}: {reported:?}"
            );
        }
        if *was_cut {
            // What it has revoked or reset before its end, it could not report.
            let previous = state.get("previous").as_str().map(str::to_owned);
            for id in [previous, Self::current(state)].into_iter().flatten() {
                if self.live(&id).as_ref() != self.passwords.get(&id) {
                    self.touched.insert(id);
                }
            }
        }
        let strays = if *was_cut { usize::MAX } else { said.possible + said.certain };
        if state.is_null() {
            self.forget();
        }
        self.judge(&reported, strays, "apply");
        failure.is_none()
    }

    /// Whether the contract wants an update to rotate.
    fn is_due(&self, before: &Stored, wanted: &Wanted) -> bool {
        let state = &before.state;
        let was_reset = !state.get("rotated_at").is_null();
        let is_adopted = |name: &str| !was_reset && state.get(name).is_null();
        let trigger = state.get("rotation_trigger").as_str() != Some(wanted.trigger) && !is_adopted("rotation_trigger");
        let stored: BTreeSet<_> = match state.get("age_recipients") {
            Value::List(recipients) => recipients.iter().filter_map(Value::as_str).collect(),
            _ => BTreeSet::new(),
        };
        let recipients = stored != wanted.recipients.iter().copied().collect() && !is_adopted("age_recipients");
        let is_stale = *state.get("stale") == Value::Bool(true);
        let is_healed = wanted.on_external_change == Some("rotate") && !contract::is_braked(&before.private);
        let is_old = *state.get("rotation_due") == Value::Bool(true)
            && state.get("rotate_after").as_str() == wanted.rotate_after;
        let is_listed = match self.kind {
            Kind::Pair(_) => {
                let current = Self::current(state);
                wanted.targets(self.kind).iter().any(|target| Some(target.id()) == current)
            }
            Kind::Overlap => true,
        };
        trigger || recipients || (is_stale && is_healed) || is_old || !is_listed
    }

    async fn import(&mut self) {
        let targets = [Which::First, Which::Second].map(|which| self.kind.target(which));
        if !self.stored.state.is_null() || !targets.iter().all(|target| self.world.has(*target)) {
            return;
        }
        self.attached.begin(&self.world, None).await;
        let resets = self.world.resets();
        let id = match self.kind {
            Kind::Pair(_) => targets.map(Target::id).join(","),
            Kind::Overlap => targets[0].import_id(&self.world.sandbox),
        };
        (self.stored, _) = self.attached.caller(&self.world).await.import(id).await.unwrap();
        self.is_tainted = false;
        assert_eq!(self.world.resets(), resets, "an import resets nothing");
        assert!(Self::password(&self.stored.state).is_none());
        self.judge(&[], 0, "import");
    }

    async fn destroy(&mut self, run: &Run) {
        if !self.refresh(run).await {
            return;
        }
        self.attached.end(&self.world).await;
        self.attached.begin(&self.world, run.at_apply.as_ref()).await;
        let (resets, mut reported) = (self.world.resets(), Vec::new());
        let mut objects = std::mem::take(&mut self.deposed);
        let current = std::mem::take(&mut self.stored);
        objects.extend(Some(current.clone()).filter(|current| !current.state.is_null()));
        for object in objects {
            match self.attached.caller(&self.world).await.destroy(&object).await {
                Ok(warnings) => reported.extend(warnings),
                Err(Failure::Said(errors)) => {
                    let is_overlap = matches!(self.kind, Kind::Overlap);
                    assert!(is_overlap && run.at_apply.is_some(), "nothing was wrong: {errors:?}");
                    reported.extend(errors);
                    if object == current { self.stored = object } else { self.deposed.push(object) }
                }
                Err(Failure::Lost) => panic!("the provider ended by itself"),
            }
        }
        self.world.calm_down();
        assert_eq!(self.world.resets(), resets, "a destroy resets nothing");
        // A destroy reports what it has revoked before it failed.
        if let Some(id) = self.stored.state.get("previous").as_str().filter(|id| self.live(id).is_none()) {
            self.touched.insert(id.to_owned());
        }
        if self.stored.state.is_null() {
            self.is_tainted = false;
        }
        self.judge(&reported, 0, "destroy");
    }

    /// Nothing is stored any more.
    fn forget(&mut self) {
        self.stored = Stored::default();
        self.is_tainted = false;
    }
}

/// An apply, as far as it is known before it ends.
struct Happened<'a> {
    before: Stored,
    plan: Plan,
    wanted: &'a Wanted,
    run: &'a Run,
    /// Whether the stored password worked.
    worked: bool,
    was_cut: bool,
    resets: BTreeMap<String, usize>,
}

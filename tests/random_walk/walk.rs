//! Carries operations out, and holds what follows against the model.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
};

use sandbox::{
    self, Denial,
    core::{
        arguments::{Arguments, MailServer, Moment},
        caller::{Action, Applied, Failure, Plan, Schemas, Stored, Wish},
        contract::{self, Due, History},
        vendors::{self, Known, Target},
        wire::tfplugin6::Diagnostic,
    },
};
use terraform_provider_smtp::framework::value::Value;
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    faults::{Act, Fault},
    interrupted,
    meanwhile::{Deed, Done, When},
    operation::{Operation, RESOURCES, Run, Wanted},
    process::Attached,
    tally::{Tally, count},
    verdict::{Reported, names},
    world::World,
};

/// Walks, counts what happened, and keeps `at` at the number of the operation that it is at.
pub(crate) fn walk(operations: &[Operation], tally: &'static Tally, at: &AtomicUsize) {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let mut walk = Walk::new(tally);
        for (number, operation) in operations.iter().enumerate() {
            at.store(number, Ordering::Relaxed);
            if walk.step(operation).await == Step::Taken {
                count(&tally.operations, 1);
            }
        }
        walk.attached.end(&walk.world).await;
    });
    runtime.shutdown_background();
}

/// Whether an operation could happen where the walk had got to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Step {
    Taken,
    PassedOver,
}

struct Walk {
    world: World,
    resources: [Resource; RESOURCES],
    attached: Attached,
    saved: Option<Vec<Planned>>,
    tally: &'static Tally,
}

/// What core has of one resource, and what it has been through.
#[derive(Clone, Default)]
struct Resource {
    stored: Stored,
    deposed: Vec<(Target, Stored)>,
    /// The credential in the state; nothing where there is no state.
    target: Option<Target>,
    lived: Option<History>,
    is_tainted: bool,
    /// Whether its credential was deleted since its reset: what is made again of that name knows nothing of it.
    is_doubtful: bool,
}

/// A planned configuration, and what it should come to.
#[derive(Clone)]
struct Planned {
    wanted: Wanted,
    plan: Plan,
    due: Due,
}

impl Walk {
    fn new(tally: &'static Tally) -> Self {
        Self {
            tally,
            world: World::new(),
            resources: Default::default(),
            attached: Attached::new(Schemas::new()),
            saved: None,
        }
    }

    async fn step(&mut self, operation: &Operation) -> Step {
        match operation {
            Operation::Apply(wanted, run) => match self.plan(wanted, run).await {
                Some(planned) => self.apply(planned, run).await,
                None => return Step::Taken,
            },
            Operation::Save(wanted, run) => self.saved = self.plan(wanted, run).await,
            Operation::ApplySaved(run) => match self.saved.take() {
                Some(planned) => self.apply(planned, run).await,
                None => return Step::PassedOver,
            },
            Operation::Refresh(run) => drop(self.refresh_all(&Run { refreshes: true, ..run.clone() }).await),
            Operation::Import(resource, target) => return self.import(*resource, *target).await,
            Operation::Destroy(resource, run) => return self.destroy(*resource, run).await,
            Operation::Taint(resource) => {
                let resource = &mut self.resources[*resource];
                if resource.stored.state.is_null() || resource.is_tainted {
                    return Step::PassedOver;
                }
                resource.is_tainted = true;
                self.saved = None;
            }
            Operation::ResetElsewhere(target) => {
                // A process logs in once with each stored password.
                self.attached.end(&self.world).await;
                target.reset_elsewhere(&self.world.sandbox);
            }
            Operation::Contradict(target) => {
                self.world.sandbox.kirim_email().deny(target.account(), Denial::WithPassword);
            }
            Operation::ShowPasswordChanges => self.world.sandbox.kirim_email().show_password_changes(),
            Operation::Delete(target) => {
                self.world.delete(*target);
                for resource in self.resources.iter_mut().filter(|resource| resource.target == Some(*target)) {
                    resource.is_doubtful = true;
                }
            }
            Operation::MakeAgain(target) => self.world.make_again(*target),
            Operation::Revoke(vendor) | Operation::GiveBack(vendor) => {
                // A process keeps the token that it was started with, so a new token needs a new process.
                self.attached.end(&self.world).await;
                if matches!(operation, Operation::Revoke(_)) {
                    self.world.revoke(vendor);
                } else {
                    self.world.give_back(vendor);
                }
            }
            Operation::Restart => self.attached.end(&self.world).await,
        }
        Step::Taken
    }

    // Planning

    /// Refreshes, and plans; nothing where that failed.
    async fn plan(&mut self, wanted: &[Wanted], run: &Run) -> Option<Vec<Planned>> {
        let resets = vendors::resets(&self.world.sandbox);
        if !self.refresh_all(run).await {
            return None;
        }
        let mut planned = Vec::new();
        for wanted in wanted {
            let resource = &self.resources[wanted.resource];
            let wish = match (resource.is_tainted, wanted.replace) {
                (true, _) => Wish::Renewed,
                (false, true) => Wish::Replaced,
                (false, false) => Wish::Configured,
            };
            let due = match wish {
                Wish::Configured => History::due(resource.lived().as_ref(), &wanted.arguments),
                Wish::Renewed | Wish::Replaced => Due::New,
            };
            let config = wanted.arguments.config(Moment::Plan, &self.world.sandbox);
            let stored = resource.stored.clone();
            let is_stale = resource.lived().is_some_and(|lived| lived.is_stale);
            let heals = due != Due::Nothing
                && is_stale
                && !contract::is_braked(&stored.private)
                && wanted.arguments.on_external_change.value == Some("rotate");
            count(&self.tally.healed, heals.into());
            let plan = self.attached.caller(&self.world).await.plan(&stored, &config, wish).await.unwrap();
            let is_new = matches!(plan.action, Action::Create | Action::Replace);
            assert_eq!(is_new, due == Due::New, "{:?} is planned, and {due:?} is due", plan.action);
            planned.push(Planned { wanted: wanted.clone(), plan, due });
        }
        assert_eq!(vendors::resets(&self.world.sandbox), resets, "neither refresh nor plan resets anything");
        Some(planned)
    }

    /// Begins a run, and refreshes all that is stored unless the run does without; returns whether that worked.
    async fn refresh_all(&mut self, run: &Run) -> bool {
        let resets = vendors::resets(&self.world.sandbox);
        self.attached.begin(&self.world, run.at_plan.as_ref()).await;
        let mut worked = true;
        for index in (0..RESOURCES).filter(|_| run.refreshes) {
            worked &= self.refresh(index, run.at_plan.is_some()).await;
        }
        self.world.calm_down();
        assert_eq!(vendors::resets(&self.world.sandbox), resets, "a refresh resets nothing");
        worked
    }

    async fn refresh(&mut self, index: usize, is_faulty: bool) -> bool {
        let Resource { stored, target: Some(target), is_doubtful, .. } = self.resources[index].clone() else {
            return true;
        };
        let is_there = self.world.has_state(target, &stored.state);
        match self.attached.caller(&self.world).await.refresh(&stored).await {
            Ok((refreshed, warnings)) if refreshed.state.is_null() => {
                assert!(!is_there, "what the vendor has is not dropped");
                let warned =
                    warnings.iter().any(|warning| warning.summary == "A stored password was removed from state");
                assert_eq!(warned, !stored.state.get("password").is_null(), "a dropped password is reported");
                let deposed = std::mem::take(&mut self.resources[index].deposed);
                self.resources[index] = Resource { deposed, ..Resource::default() };
                self.saved = None;
                count(&self.tally.dropped, 1);
            }
            Ok((refreshed, warnings)) => {
                assert!(is_there, "what the vendor does not have is dropped");
                let live = self.world.password(&stored.state);
                let port = self.world.sandbox.smtp_port();
                let expected = contract::is_stale(&stored.state, target, live.as_deref(), port);
                let is_stale = *refreshed.state.get("stale") == Value::Bool(true);
                assert!(is_doubtful || is_stale == expected, "`stale` is {is_stale}");
                let summaries = ["The stored password is stale", "The stored password is refused"];
                let warned = warnings.iter().filter(|warning| summaries.contains(&warning.summary.as_str())).count();
                let is_stored = !stored.state.get("rotated_at").is_null();
                let setting = stored.state.get("on_external_change").as_str().unwrap_or("warn");
                let is_expected = is_stale && is_stored && setting == "warn";
                assert_eq!(
                    warned,
                    usize::from(is_expected),
                    "a stale password is a warning once, where that is asked for"
                );
                count(&self.tally.stale, is_stale.into());
                for name in ["password", "rotated_at", "id", "rotation_trigger"] {
                    assert!(refreshed.state.get(name) == stored.state.get(name), "a refresh leaves `{name}` alone");
                }
                if refreshed != stored {
                    self.resources[index].stored = refreshed;
                    self.saved = None;
                }
            }
            Err(Failure::Said(errors)) => {
                // The list of an account whose last credential was deleted is empty, which may be an outage as well: a
                // person decides.
                let says_what_to_do = errors.iter().any(|error| error.detail.contains("`terraform state rm`"));
                let is_decided = !is_there && says_what_to_do;
                let is_known = is_faulty || is_decided || self.world.is_revoked(target.vendor);
                assert!(is_known, "nothing was wrong: {errors:?}");
                if is_decided {
                    let deposed = std::mem::take(&mut self.resources[index].deposed);
                    self.resources[index] = Resource { deposed, ..Resource::default() };
                    self.saved = None;
                }
                assert_eq!(Reported::of(&Failure::Said(errors)), Reported::default(), "a refresh changes nothing");
                return false;
            }
            Err(Failure::Lost) => panic!("the provider ended by itself"),
        }
        true
    }

    // Applying

    async fn apply(&mut self, planned: Vec<Planned>, run: &Run) {
        self.saved = None;
        self.attached.end(&self.world).await;
        let sandbox_resets: BTreeMap<_, _> = self.world.resets();
        let before = self.resources.clone();
        let dead = |resource: &Resource| {
            let stored = resource.stored.state.get("password").as_secret();
            stored.is_some_and(|stored| {
                self.world.password(&resource.stored.state).as_deref() != Some(stored.for_state())
            })
        };
        let was_dead: Vec<bool> = before.iter().map(dead).collect();
        self.attached.begin(&self.world, if run.interruption.is_some() { None } else { run.at_apply.as_ref() }).await;
        self.world.show_late(run.late);
        let targets: Vec<_> = planned.iter().map(|one| one.wanted.arguments.target).collect();
        let done = run.meanwhile.as_ref().map(|meanwhile| meanwhile.begin(&self.world, &targets));
        let caller = self.attached.caller(&self.world).await;
        let mut chains = JoinSet::new();
        for (number, Planned { wanted, plan, .. }) in planned.iter().enumerate() {
            let stored = before[wanted.resource].stored.clone();
            let (plan, config) = (plan.clone(), wanted.arguments.config(Moment::Apply, &self.world.sandbox));
            let applying = caller.clone().apply(stored, plan, config, wanted.create_first);
            chains.spawn(async move { (number, applying.await) });
        }
        let process = self.attached.started(&self.world).await;
        let (mut applied, was_cut) =
            interrupted::finish(&self.world, process, chains, run.interruption.as_ref(), self.tally).await;
        self.world.calm_down();
        let done = done.and_then(|done| done.lock().unwrap().take());

        let is_calm = run.interruption.is_none() && run.at_apply.is_none();
        let mut warnings = Vec::new();
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for (number, one) in planned.iter().enumerate() {
            let applied = applied[number].take().unwrap();
            self.note(one, &before[one.wanted.resource], &applied, run, was_cut, done.as_ref());
            if let ([_], true, Some(interruption)) = (&planned[..], was_cut, &run.interruption)
                && interruption.by == Act::Terminate
                && interruption.during == sandbox::Operation::Reset
            {
                assert!(!matches!(applied.made, Some(Err(Failure::Lost))), "what is sent is finished and stored");
            }
            let group = groups.entry(one.wanted.arguments.target.id()).or_default();
            group.add(one, &applied, was_dead[one.wanted.resource]);
            for failure in [&applied.made, &applied.deleted].into_iter().flatten().filter_map(|it| it.as_ref().err()) {
                if let Failure::Said(diagnostics) = failure {
                    warnings.extend(diagnostics.clone());
                }
            }
            warnings.extend(applied.warnings);
        }
        let faulty = !is_calm;
        for group in groups.values() {
            self.judge(group, &sandbox_resets, faulty, done.as_ref());
        }
        if let Some(done) = &done {
            self.note_others(done, &planned, run);
        }
        let strays = groups.values().filter(|group| group.target.is_some_and(|target| target.vendor.makes_successors));
        let strays = strays.map(|group| group.reported.possible + group.lost()).sum::<usize>();
        self.judge_keys(&warnings, if was_cut { usize::MAX } else { strays });
        if was_cut {
            return self.attached.end(&self.world).await;
        }
        for one in &planned {
            let resource = &self.resources[one.wanted.resource];
            if resource.target.is_none()
                || resource.is_tainted
                || !groups[&one.wanted.arguments.target.id()].worked(one)
            {
                continue;
            }
            let stored = resource.stored.clone();
            let config = one.wanted.arguments.config(Moment::Apply, &self.world.sandbox);
            let again = self.attached.caller(&self.world).await.plan(&stored, &config, Wish::Configured).await.unwrap();
            assert_eq!(again.action, Action::Nothing, "there is nothing left to do");
        }
    }

    /// Takes over what was stored, and holds it against what the resource was to become.
    fn note(
        &mut self,
        one: &Planned,
        before: &Resource,
        applied: &Applied,
        run: &Run,
        was_cut: bool,
        done: Option<&Done>,
    ) {
        let Planned { wanted, plan, due } = one;
        let target = wanted.arguments.target;
        let results = [&applied.made, &applied.deleted];
        let lost = results.into_iter().flatten().any(|result| matches!(result, Err(Failure::Lost)));
        assert!(was_cut || !lost, "the provider ended by itself");

        let is_calm = run.interruption.is_none() && run.at_apply.is_none();
        let vendor_works = self.world.has(target) && !self.world.is_revoked(target.vendor);
        let verify = wanted.arguments.verify.value.as_ref().filter(|_| *due != Due::Nothing);
        let is_busy = run.interruption.is_none() && run.at_apply.as_ref().is_some_and(Fault::is_mail_busy);
        let is_verifiable = verify.is_none_or(|verify| verify.at == MailServer::Sandbox && !is_busy);
        let can_work = vendor_works && is_verifiable;
        if !is_verifiable && !lost {
            let failed = [&applied.made, &applied.deleted].into_iter().flatten().find_map(|it| it.as_ref().err());
            let Some(failed) = failed else { panic!("a mail server that is not there is seen before the reset") };
            assert_eq!(
                Reported::of(failed),
                Reported::default(),
                "what is seen before the reset costs none: {failed:?}"
            );
        }
        let is_delete_first = plan.action == Action::Replace && !wanted.create_first;
        let is_prevented = done.is_some_and(|done| done.prevents(target));
        if let Some(Err(Failure::Said(errors))) = applied.made.as_ref().filter(|_| is_calm && can_work && !is_prevented)
        {
            panic!("nothing was wrong: {errors:?}");
        }
        let is_place_known = !wanted.arguments.verify.late && !wanted.arguments.host.late;
        let is_known = wanted.arguments.target_known == Known::Wholly && (!vendor_works || is_place_known);
        if is_delete_first && !can_work && is_known && !lost {
            assert!(applied.stored == before.stored, "what cannot work leaves the password in the state");
        }
        if is_delete_first && matches!(applied.deleted, Some(Err(_))) {
            assert!(applied.stored == before.stored && applied.made.is_none());
        }
        let resource = &mut self.resources[wanted.resource];
        if let (Some(stored), Some(target)) = (applied.deposed.clone(), before.target) {
            resource.deposed.push((target, stored));
        }
        if applied.stored.state.is_null() {
            let deposed = std::mem::take(&mut resource.deposed);
            *resource = Resource { deposed, ..Resource::default() };
            return;
        }
        resource.stored = applied.stored.clone();
        if matches!(applied.made, Some(Ok(()))) || plan.action == Action::Nothing {
            resource.lived = Some(History::after(before.lived.as_ref(), &wanted.arguments, *due));
            resource.target = Some(target);
            resource.is_tainted = false;
            resource.is_doubtful &= *due == Due::Nothing;
            assert_state(one, before, &applied.stored.state);
            let verified = applied.stored.state.get("verified");
            let is_cut = run.interruption.is_some() && verified.is_null();
            let may_fail = verify.is_some_and(|verify| verify.timeout == "1s") && *verified == Value::Bool(false);
            let expected = match (*due, verify) {
                (Due::Nothing, _) => before.stored.state.get("verified").clone(),
                (_, None) => Value::Null,
                (_, Some(_)) => true.into(),
            };
            let live = self.world.password(&applied.stored.state);
            let stored = stored_password(&applied.stored.state, &wanted.arguments);
            let is_ended = *due != Due::Nothing && stored.is_some() && done.is_some_and(|done| done.ended == stored);
            if let Some(done) = done.filter(|_| is_ended && live != stored) {
                let is_said_to_work = *verified == Value::Bool(true);
                let user_name = applied.stored.state.get("username").as_str().unwrap_or_default();
                assert!(!is_said_to_work || done.is_after_login_of(user_name), "a dead password is said to work");
                count(&self.tally.overtaken, 1);
            }
            assert!(
                *verified == expected || is_cut || may_fail || is_ended,
                "`verified` is {verified:?}, not {expected:?}"
            );
            count(&self.tally.verified, (verify.is_some() && *verified == Value::Bool(true)).into());
            count(&self.tally.unverified, may_fail.into());
        } else if applied.is_tainted {
            let reported = applied.made.as_ref().and_then(|made| made.as_ref().err()).map(Reported::of);
            assert!(
                reported.is_some_and(|reported| reported != Reported::default()),
                "what has reset nothing leaves nothing"
            );
            resource.lived = Some(History::after(None, &wanted.arguments, *due));
            resource.target = Some(target);
            (resource.is_tainted, resource.is_doubtful) = (true, false);
            count(&self.tally.left, 1);
        } else {
            let mut known = before.stored.state.clone();
            if *applied.stored.state.get("stale") == Value::Bool(true) {
                let reported = applied.made.as_ref().and_then(|made| made.as_ref().err()).map(Reported::of);
                assert!(known == applied.stored.state || reported.is_some_and(|reported| reported.certain == 1));
                known.set("stale", true);
            }
            assert!(applied.stored.state == known, "what failed leaves the state as it was");
        }
    }

    /// What the vendor has seen fits what was reported. Where nobody can be wrong, the stored password is the vendor's.
    fn judge(&self, group: &Group, before: &BTreeMap<String, usize>, faulty: bool, done: Option<&Done>) {
        let Some(target) = group.target else { return };
        let by_others = usize::from(done.is_some_and(|done| done.is_reset_of(target)));
        let happened = target.resets(&self.world.sandbox).wrapping_sub(before[&target.id()]) - by_others;
        let worked = group.members.iter().filter(|member| member.worked && member.due != Due::Nothing);
        let worked: Vec<_> = worked.collect();
        // "The password was changed" is true of somebody else's reset too, and no vendor shows whose it was.
        let least = worked.len() + group.reported.certain.saturating_sub(by_others);
        let most = worked.len() + group.reported.certain + group.reported.possible;
        // A password of the caller's own may be sent again: the same request has the same end.
        let most = if target.vendor.takes_passwords && faulty && most > 0 { usize::MAX } else { most };
        assert!(
            (least..=most).contains(&happened),
            "{happened} resets of {target:?}, and {least} to {most} were reported"
        );

        count(&self.tally.resets, happened);
        count(&self.tally.failed_resets, group.members.iter().filter(|member| !member.worked).count());
        count(&self.tally.of_unknown_outcome, group.reported.possible + group.reported.certain);
        count(&self.tally.shared, worked.len().saturating_sub(1));
        let is_certain = group.reported == Reported::default();
        let mut live = 0;
        for member in &worked {
            let state = &self.resources[member.resource].stored.state;
            let stored = state.get("password").as_secret().map(|stored| stored.for_state().to_owned());
            let stored = stored.or_else(|| member.own.clone());
            let is_live = stored.is_some() && stored == self.world.password(state);
            live += usize::from(is_live);
            if target.vendor.makes_successors {
                let is_ended = done.is_some_and(|done| done.ended == stored);
                assert!(is_live || is_ended, "every key has its own secret");
            }
        }
        let ends = |done: &&Done| done.target == target && done.deed.ends();
        let is_overtaken = done.filter(ends).is_some_and(|done| {
            done.deed == Deed::Delete || done.resets + by_others == target.resets(&self.world.sandbox)
        });
        if is_certain && !worked.is_empty() && !target.vendor.makes_successors {
            assert_eq!(live >= 1, !is_overtaken, "the last reset wins, and its password is stored");
        }
        if !target.vendor.makes_successors {
            let warned = group.members.iter().filter(|member| member.warned).count();
            // A provider that was killed may have had the new password already, and only its answer is missing.
            let lost = group.members.iter().filter(|member| member.is_lost).count();
            let may_have_worked = worked.len() + lost;
            let expected = worked.len().saturating_sub(1)..=may_have_worked.saturating_sub(1);
            assert!(expected.contains(&warned), "a second reset warns: {warned} of {expected:?}");
        }
    }

    /// Takes note of what somebody else did in the middle of a run: to theirs nothing has happened, and what they did
    /// to ours is done.
    fn note_others(&mut self, done: &Done, planned: &[Planned], run: &Run) {
        count(&self.tally.intrusions, 1);
        if let Some(id) = &done.key {
            let is_left = vendors::successors(&self.world.sandbox).contains(id);
            assert!(is_left, "what somebody else has made is not revoked");
            self.world.sandbox.smtpd().revoke(id);
        }
        match done.deed {
            Deed::Delete => {
                self.world.was_deleted(done.target);
                for resource in self.resources.iter_mut().filter(|resource| resource.target == Some(done.target)) {
                    resource.is_doubtful = true;
                }
            }
            Deed::Revoke if done.prevents(done.target) => self.world.was_revoked(done.target.vendor),
            Deed::Make | Deed::Reset | Deed::Revoke => {}
        }
        // A response that shows the credential as it was before the last of two resets does not show which of them is
        // ours.
        let is_early = matches!(done.when, When::BeforeReset | When::BeforeResponse | When::BeforeLookBack);
        let is_undecided = is_early && done.is_reset_of(done.target) && run.late.is_some_and(|late| late.answers);
        for one in planned.iter().filter(|one| is_undecided && one.wanted.arguments.target == done.target) {
            let resource = &mut self.resources[one.wanted.resource];
            resource.is_doubtful |= one.due != Due::Nothing && done.target.vendor.shows_changes;
        }
    }

    /// Of the keys that resets make, none is left that is neither stored nor named, but for those of which nobody can
    /// know. The user revokes them by hand.
    fn judge_keys(&mut self, reported: &[Diagnostic], strays: usize) {
        let states = self.resources.iter().flat_map(|resource| {
            resource.deposed.iter().map(|(_, deposed)| &deposed.state).chain([&resource.stored.state])
        });
        let held: BTreeSet<_> = states.filter_map(|state| state.get("remote_version").as_str()).collect();
        let left: Vec<_> = vendors::successors(&self.world.sandbox);
        let left: Vec<_> = left.iter().filter(|id| !held.contains(id.as_str())).collect();
        let unnamed = left.iter().filter(|id| !names(reported, id)).count();
        assert!(unnamed <= strays, "{unnamed} keys are left that no diagnostic names, and {strays} may be");
        for id in left {
            self.world.sandbox.smtpd().revoke(id);
        }
    }

    // Importing and destroying

    async fn import(&mut self, index: usize, target: Target) -> Step {
        if !self.resources[index].stored.state.is_null() || !self.world.has(target) {
            return Step::PassedOver;
        }
        self.saved = None;
        let resets = vendors::resets(&self.world.sandbox);
        self.attached.begin(&self.world, None).await;
        let id = target.import_id(&self.world.sandbox);
        match self.attached.caller(&self.world).await.import(id).await {
            Ok((stored, _)) => {
                assert!(!stored.state.is_null() && stored.state.get("password").is_null());
                let deposed = std::mem::take(&mut self.resources[index].deposed);
                let lived = Some(History::imported(target));
                self.resources[index] =
                    Resource { stored, deposed, target: Some(target), lived, ..Resource::default() };
            }
            Err(failure) => {
                assert!(self.world.is_revoked(target.vendor), "nothing was wrong: {failure:?}");
                self.judge_keys(&[], 1);
            }
        }
        assert_eq!(vendors::resets(&self.world.sandbox), resets, "an import resets nothing");
        Step::Taken
    }

    async fn destroy(&mut self, index: usize, run: &Run) -> Step {
        let resource = self.resources[index].clone();
        if resource.stored.state.is_null() && resource.deposed.is_empty() {
            return Step::PassedOver;
        }
        let resets = vendors::resets(&self.world.sandbox);
        if !self.refresh_all(run).await {
            return Step::Taken;
        }
        self.saved = None;
        self.attached.end(&self.world).await;
        self.attached.begin(&self.world, run.at_apply.as_ref()).await;
        let mut reported = Vec::new();
        let mut objects = std::mem::take(&mut self.resources[index].deposed);
        let resource = self.resources[index].clone();
        if let Some(target) = resource.target {
            objects.push((target, resource.stored.clone()));
            self.resources[index] = Resource::default();
        }
        for (target, object) in objects {
            match self.attached.caller(&self.world).await.destroy(&object).await {
                Ok(warnings) => reported.extend(warnings),
                Err(Failure::Said(errors)) => {
                    let is_trouble = run.at_apply.is_some() || self.world.is_revoked(target.vendor);
                    assert!(is_trouble && target.vendor.makes_successors, "nothing was wrong: {errors:?}");
                    reported.extend(errors);
                    if object == resource.stored {
                        let deposed = std::mem::take(&mut self.resources[index].deposed);
                        self.resources[index] = Resource { deposed, ..resource.clone() };
                    } else {
                        self.resources[index].deposed.push((target, object));
                    }
                }
                Err(Failure::Lost) => panic!("the provider ended by itself"),
            }
        }
        self.world.calm_down();
        assert_eq!(vendors::resets(&self.world.sandbox), resets, "a destroy resets nothing");
        self.judge_keys(&reported, 0);
        Step::Taken
    }
}

impl Resource {
    /// What it has been through, with what its state says.
    fn lived(&self) -> Option<History> {
        let mut lived = self.lived.clone()?;
        lived.is_stale = *self.stored.state.get("stale") == Value::Bool(true);
        lived.is_braked = contract::is_braked(&self.stored.private);
        Some(lived)
    }
}

/// The password that a state stands for: the one in it, or the user's own.
fn stored_password(state: &Value, arguments: &Arguments) -> Option<String> {
    let stored = state.get("password").as_secret().map(|stored| stored.for_state().to_owned());
    stored.or_else(|| arguments.own.value.as_ref().map(|own| own.0.clone()))
}

/// The stored state is what the configuration asks for.
fn assert_state(one: &Planned, before: &Resource, state: &Value) {
    let (arguments, due) = (&one.wanted.arguments, one.due);
    let before = &before.stored.state;
    assert_eq!(state.get("id").as_str(), Some(arguments.target.id().as_str()));
    let is_reset = state.get("rotated_at") != before.get("rotated_at");
    assert_eq!(is_reset, due != Due::Nothing, "`rotated_at` shows a reset");
    if due == Due::Nothing {
        assert!(state.get("password") == before.get("password"), "without a reset the password stays");
        return;
    }
    let stored = state.get("password").as_secret();
    assert_eq!(stored.is_none(), arguments.own.value.is_some(), "a password of the user's own is not stored");
    let (host, port) = arguments.target.vendor.submission.unzip();
    let (host, port) = (arguments.host.value.or(host), arguments.port.value.or(port));
    assert_eq!(state.get("smtp_host").as_str(), host);
    assert_eq!(state.get("smtp_port"), &port.into());
}

/// The resources of one run that name the same credential.
#[derive(Default)]
struct Group {
    target: Option<Target>,
    members: Vec<Member>,
    reported: Reported,
}

struct Member {
    resource: usize,
    due: Due,
    worked: bool,
    is_lost: bool,
    warned: bool,
    own: Option<String>,
}

impl Group {
    fn add(&mut self, one: &Planned, applied: &Applied, was_dead: bool) {
        let arguments = &one.wanted.arguments;
        self.target = Some(arguments.target);
        self.members.push(Member {
            resource: one.wanted.resource,
            due: one.due,
            worked: matches!(applied.made, Some(Ok(()))),
            is_lost: matches!(applied.made, Some(Err(Failure::Lost))),
            warned: applied.warnings.iter().any(|warning| warning.summary == "Two resources reset the same credential"),
            own: arguments.own.value.as_ref().map(|own| own.0.clone()),
        });
        if let Some(Err(failure)) = &applied.made {
            let mut reported = Reported::of(failure);
            // Nobody can know that what a mail server refuses was dead before, where the vendor shows no change.
            if was_dead && arguments.verify.value.is_some() && !arguments.target.vendor.shows_changes {
                reported = Reported { certain: 0, possible: reported.certain + reported.possible };
            }
            self.reported.add(reported);
        }
        // Before a reset nothing can have changed; after it, it is about another credential.
        if let Some(Err(failure)) = &applied.deleted {
            let reported = Reported::of(failure);
            let is_first = applied.made.is_none() && matches!(failure, Failure::Said(_));
            assert!(!is_first || reported == Reported::default(), "a check resets nothing: {failure:?}");
        }
    }

    /// How many credentials an answer was lost of.
    fn lost(&self) -> usize {
        self.reported.certain
    }

    fn worked(&self, one: &Planned) -> bool {
        let member = self.members.iter().find(|member| member.resource == one.wanted.resource);
        member.is_some_and(|member| member.worked) || one.plan.action == Action::Nothing
    }
}

//! What may happen, to the resources, to the vendors and on the way between them.

use proptest::{collection, option, prelude::*};
use sandbox::{
    Model, VENDORS,
    core::{
        arguments::{Arguments, MailServer, arguments},
        vendors::{Target, Which},
    },
};

use crate::{
    faults::{Fault, Interruption, faults, interruptions},
    meanwhile::{Meanwhile, meanwhile},
};

/// How many resources there are.
pub(crate) const RESOURCES: usize = 3;

/// One step of a walk. What cannot happen where the walk has got to is passed over, so that a walk can be shortened.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// Configurations are planned and applied.
    Apply(Vec<Wanted>, Run),
    /// Configurations are planned, and the plan is saved.
    Save(Vec<Wanted>, Run),
    /// The saved plan is applied.
    ApplySaved(Run),
    Refresh(Run),
    Import(usize, Target),
    Destroy(usize, Run),
    Taint(usize),
    /// Somebody else resets the password; at SMTPD they revoke the newest key.
    ResetElsewhere(Target),
    /// KIRIM.EMAIL answers the next reset with `success: false`, though it makes a password.
    Contradict(Target),
    /// KIRIM.EMAIL shows from here on when passwords were changed.
    ShowPasswordChanges,
    /// Somebody deletes the credential.
    Delete(Target),
    /// Somebody makes a credential of that name again.
    MakeAgain(Target),
    /// The token becomes worthless.
    Revoke(&'static Model),
    /// It becomes good again.
    GiveBack(&'static Model),
    /// The provider's process ends; another begins with the next operation.
    Restart,
}

/// A configuration of one resource.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) resource: usize,
    pub(crate) arguments: Arguments,
    /// Whether `-replace` asks for a replacement.
    pub(crate) replace: bool,
    /// `create_before_destroy`.
    pub(crate) create_first: bool,
}

/// What a run of core goes through.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// `-refresh=false` where it is false.
    pub(crate) refreshes: bool,
    /// What goes wrong while core plans.
    pub(crate) at_plan: Option<Fault>,
    /// What goes wrong while core applies.
    pub(crate) at_apply: Option<Fault>,
    pub(crate) interruption: Option<Interruption>,
    /// What the vendors show late while core applies.
    pub(crate) late: Option<Late>,
    /// What somebody else does while core applies.
    pub(crate) meanwhile: Option<Meanwhile>,
}

/// What a vendor shows late of a change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Late {
    /// How many reads show it as it was before.
    pub(crate) reads: usize,
    /// Whether the answer to the reset does too.
    pub(crate) answers: bool,
}

impl Operation {
    /// The same with less of it, in several ways.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let lonely = |run: &Run| Run { meanwhile: None, ..run.clone() };
        let quiet = |run: &Run| Run { at_plan: None, at_apply: None, interruption: None, late: None, ..run.clone() };
        let calm = |run: &Run| lonely(&quiet(run));
        match self {
            Self::Apply(wanted, run) => {
                let without = |index: usize| [&wanted[..index], &wanted[index + 1..]].concat();
                let fewer = (0..wanted.len()).map(|index| Self::Apply(without(index), run.clone()));
                let runs = [calm(run), quiet(run), lonely(run)].map(|run| Self::Apply(wanted.clone(), run));
                runs.into_iter().chain(fewer).collect()
            }
            Self::Save(wanted, run) => vec![Self::Save(wanted.clone(), calm(run))],
            Self::ApplySaved(run) => vec![Self::ApplySaved(calm(run))],
            Self::Destroy(resource, run) => vec![Self::Destroy(*resource, calm(run))],
            Self::Refresh(run) => vec![Self::Refresh(calm(run))],
            _ => Vec::new(),
        }
    }
}

/// Walks of up to so many operations.
pub(crate) fn walks(operations: usize) -> impl Strategy<Value = Vec<Operation>> {
    let homes = (vendor(), vendor(), option::weighted(0.6, vendor()));
    // Half of the walks have two resources at one vendor, which then often name the same credential.
    let homes = homes.prop_map(|(first, second, third)| [first, third.unwrap_or(first), second]).no_shrink();
    homes.prop_flat_map(move |homes| collection::vec(operation(homes), operations))
}

fn vendor() -> impl Strategy<Value = &'static Model> {
    prop::sample::select(VENDORS)
}

fn operation(homes: [&'static Model; RESOURCES]) -> impl Strategy<Value = Operation> {
    let target = move || (0..RESOURCES, which()).prop_map(move |(resource, which)| homes[resource].target(which));
    prop_oneof![
        24 => (wanted(homes), run(), option::weighted(0.3, meanwhile())).prop_map(|(mut wanted, run, meanwhile)| {
            // A password that somebody else has ended is tried for as long as `verify` says.
            for verify in wanted.iter_mut().filter_map(|wanted| wanted.arguments.verify.value.as_mut()) {
                verify.timeout = if meanwhile.is_some() { "1s" } else { verify.timeout };
            }
            Operation::Apply(wanted, Run { meanwhile, ..run })
        }),
        3 => (wanted(homes), run()).prop_map(|(wanted, run)| Operation::Save(wanted, run)),
        4 => run().prop_map(Operation::ApplySaved),
        4 => run().prop_map(Operation::Refresh),
        3 => (0..RESOURCES, which()).prop_map(move |(resource, which)| Operation::Import(resource, homes[resource].target(which))),
        4 => (0..RESOURCES, run()).prop_map(|(resource, run)| Operation::Destroy(resource, run)),
        2 => (0..RESOURCES).prop_map(Operation::Taint),
        3 => target().prop_map(Operation::ResetElsewhere),
        1 => target().prop_map(Operation::Contradict),
        1 => Just(Operation::ShowPasswordChanges),
        2 => target().prop_map(Operation::Delete),
        4 => target().prop_map(Operation::MakeAgain),
        1 => vendor().prop_map(Operation::Revoke),
        3 => vendor().prop_map(Operation::GiveBack),
        1 => Just(Operation::Restart),
    ]
}

fn which() -> impl Strategy<Value = Which> {
    prop_oneof![6 => Just(Which::First), 1 => Just(Which::Second)]
}

/// Configurations for some of the resources, one for each.
fn wanted(homes: [&'static Model; RESOURCES]) -> impl Strategy<Value = Vec<Wanted>> {
    let one = |resource: usize| {
        let chance = prop::bool::weighted(0.1);
        let nowhere = prop::bool::weighted(0.1);
        let arguments = (arguments(homes[resource]), nowhere).prop_map(|(mut arguments, nowhere)| {
            if let Some(verify) = arguments.verify.value.as_mut().filter(|_| nowhere) {
                verify.at = MailServer::Nowhere;
            }
            arguments
        });
        (arguments, chance, any::<bool>()).prop_map(move |(arguments, replace, create_first)| Wanted {
            resource,
            arguments,
            replace,
            create_first,
        })
    };
    let some = move |resource| option::weighted(0.55, one(resource));
    (some(0), some(1), some(2)).prop_map(|(a, b, c)| [a, b, c].into_iter().flatten().collect())
}

pub(crate) fn run() -> impl Strategy<Value = Run> {
    let refreshes = prop::bool::weighted(0.8);
    // A refresh takes a mail server at its word.
    let at_plan = faults().prop_filter("no mail server refuses what is right", |fault| !fault.is_of_mail());
    let (at_plan, at_apply) = (option::weighted(0.05, at_plan), option::weighted(0.25, faults()));
    let late = (0..4_usize, any::<bool>()).prop_map(|(reads, answers)| Late { reads, answers });
    (refreshes, at_plan, at_apply, option::weighted(0.15, interruptions()), option::weighted(0.3, late)).prop_map(
        |(refreshes, at_plan, at_apply, interruption, late)| Run {
            refreshes,
            at_plan,
            at_apply,
            interruption,
            late,
            meanwhile: None,
        },
    )
}

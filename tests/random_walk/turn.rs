//! What may happen to a resource whose credentials take turns or follow each other: a pair, or a credential with an
//! overlap.

use proptest::{collection, option, prelude::*};
use sandbox::{
    Model, Smtpd, VENDORS,
    core::vendors::{Known, Target, Which, argument},
};
use terraform_provider_smtp::framework::value::Value;

use crate::operation::{Run, run};

/// What a walk is about.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    /// `smtp_credential_pair`, mostly at the first of two vendors.
    Pair([&'static Model; 2]),
    /// `smtp_credential_password` with `retire_previous`.
    Overlap,
}

/// One step of a walk. One that cannot happen is passed over.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Apply(Wanted, Run),
    Refresh(Run),
    Import,
    Destroy(Run),
    Taint,
    /// Years pass.
    Age,
    /// Somebody else resets the password; at SMTPD they revoke the newest key.
    ResetElsewhere(Which),
    Delete(Which),
    MakeAgain(Which),
    ShowPasswordChanges,
}

/// A configuration.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
pub(crate) struct Wanted {
    /// Which of two vendors, or at SMTPD which of two names.
    pub(crate) is_elsewhere: bool,
    /// Whether the credentials of a pair are listed the other way round.
    pub(crate) is_reversed: bool,
    pub(crate) trigger: &'static str,
    pub(crate) rotate_after: Option<&'static str>,
    /// The keys that the password is encrypted to.
    pub(crate) recipients: &'static [&'static str],
    /// How long a new password is tried, if at all.
    pub(crate) verify: Option<&'static str>,
    pub(crate) on_external_change: Option<&'static str>,
    pub(crate) retire_previous: Option<&'static str>,
    pub(crate) replace: bool,
    pub(crate) create_first: bool,
    /// Whether the mail server refuses every login while it is applied.
    pub(crate) is_refused: bool,
}

/// The recipients of these tests, with their identities.
pub(crate) const IDENTITIES: [[&str; 2]; 2] = [
    [
        "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
        "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
    ],
    [
        "age13ppjsl6lgqezs762gwqj42s94jyqudqfaz8lf0ag3vle8z7s0yjsuep7er",
        "AGE-SECRET-KEY-1QYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQ696K9E",
    ],
];

impl Kind {
    /// The resource's type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Self::Pair(_) => "smtp_credential_pair",
            Self::Overlap => "smtp_credential_password",
        }
    }

    /// One of the credentials of the walk.
    pub(crate) fn target(self, which: Which) -> Target {
        match self {
            Self::Pair([home, _]) => home.target(which),
            Self::Overlap => Smtpd::MODEL.target(which),
        }
    }
}

impl Wanted {
    /// The credentials that it names.
    pub(crate) fn targets(&self, kind: Kind) -> Vec<Target> {
        match kind {
            Kind::Pair(vendors) => {
                let mut targets = vendors[usize::from(self.is_elsewhere)].targets().to_vec();
                if self.is_reversed {
                    targets.reverse();
                }
                targets
            }
            Kind::Overlap => vec![Smtpd::MODEL.targets()[usize::from(self.is_elsewhere)]],
        }
    }

    /// The configuration as core sends it.
    pub(crate) fn config(&self, kind: Kind, smtp_port: u16) -> Value {
        let targets = self.targets(kind);
        let mut named = targets.iter().map(|target| argument(*target, Known::Wholly));
        let target = match kind {
            Kind::Pair(_) => Value::List(named.collect()),
            Kind::Overlap => named.next_back().unwrap(),
        };
        let recipients: Vec<_> = self.recipients.iter().map(|recipient| Value::from(*recipient)).collect();
        let verify = |timeout: &'static str| {
            let fields = [("host", Value::from("localhost")), ("port", smtp_port.into()), ("timeout", timeout.into())];
            Value::object(fields)
        };
        let is_overlap = matches!(kind, Kind::Overlap);
        Value::object([
            (targets[0].vendor.name, target),
            ("age_recipients", if recipients.is_empty() { Value::Null } else { Value::List(recipients) }),
            ("on_external_change", self.on_external_change.into()),
            ("retire_previous", self.retire_previous.filter(|_| is_overlap).into()),
            ("rotate_after", self.rotate_after.into()),
            ("rotation_mode", is_overlap.then_some("in_place").into()),
            ("rotation_trigger", self.trigger.into()),
            ("verify", self.verify.map(verify).into()),
        ])
    }
}

impl Step {
    /// The same with less of it.
    pub(crate) fn simpler(&self) -> Vec<Self> {
        let calm = |run: &Run| Run { at_plan: None, at_apply: None, interruption: None, late: None, ..run.clone() };
        match self {
            Self::Apply(wanted, run) => {
                let plain = Wanted {
                    rotate_after: None,
                    recipients: &[],
                    verify: None,
                    on_external_change: None,
                    is_refused: false,
                    ..wanted.clone()
                };
                vec![Self::Apply(wanted.clone(), calm(run)), Self::Apply(plain, run.clone())]
            }
            Self::Refresh(run) => vec![Self::Refresh(calm(run))],
            Self::Destroy(run) => vec![Self::Destroy(calm(run))],
            _ => Vec::new(),
        }
    }
}

/// Walks of up to so many steps.
pub(crate) fn walks(steps: usize) -> impl Strategy<Value = (Kind, Vec<Step>)> {
    let in_place: Vec<_> = VENDORS.iter().filter(|vendor| !vendor.makes_successors).copied().collect();
    let vendor = move || prop::sample::select(in_place.clone());
    let kind = prop_oneof![
        3 => (vendor(), vendor()).prop_map(|(home, other)| Kind::Pair([home, other])),
        2 => Just(Kind::Overlap),
    ];
    (kind.no_shrink(), collection::vec(step(), steps))
}

fn step() -> impl Strategy<Value = Step> {
    let which = || prop_oneof![Just(Which::First), Just(Which::Second)];
    prop_oneof![
        30 => (wanted(), run()).prop_map(|(wanted, run)| Step::Apply(wanted, run)),
        3 => run().prop_map(Step::Refresh),
        2 => Just(Step::Import),
        2 => run().prop_map(Step::Destroy),
        1 => Just(Step::Taint),
        4 => Just(Step::Age),
        3 => which().prop_map(Step::ResetElsewhere),
        1 => which().prop_map(Step::Delete),
        3 => which().prop_map(Step::MakeAgain),
        1 => Just(Step::ShowPasswordChanges),
    ]
}

fn wanted() -> impl Strategy<Value = Wanted> {
    const TEAM: &str = IDENTITIES[0][0];
    const CI: &str = IDENTITIES[1][0];
    let seldom = || prop::bool::weighted(0.05);
    let recipients = prop_oneof![
        6 => Just(&[][..]),
        3 => Just(&[TEAM][..]),
        2 => Just(&[TEAM, CI][..]),
        1 => Just(&[CI, TEAM, CI][..]),
    ];
    let named = (seldom(), any::<bool>(), prop::sample::select(vec!["one", "two", "three"]));
    let age = option::of(prop::sample::select(vec!["1h", "1h", "90d"]));
    let verify = option::weighted(0.3, prop_oneof![2 => Just("20s"), 1 => Just("1s")]);
    let external = option::of(prop::sample::select(vec!["rotate", "ignore"]));
    let retire = prop_oneof![5 => Just(Some("at_next_rotation")), 1 => Just(Some("at_once")), 1 => Just(None)];
    let how = (seldom(), any::<bool>(), prop::bool::weighted(0.15));
    (named, age, recipients, verify, external, retire, how).prop_map(
        |(
            (is_elsewhere, is_reversed, trigger),
            rotate_after,
            recipients,
            verify,
            on_external_change,
            retire_previous,
            (replace, create_first, is_refused),
        )| Wanted {
            is_elsewhere,
            is_reversed,
            trigger,
            rotate_after,
            recipients,
            // Every login that is refused takes as long as that.
            verify: if is_refused { verify.map(|_| "1s") } else { verify },
            on_external_change,
            retire_previous,
            replace,
            create_first,
            is_refused,
        },
    )
}

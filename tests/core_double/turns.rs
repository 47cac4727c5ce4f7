//! Pairs and overlaps, with ages and recipients, any of which may be unknown at plan: core accepts every answer, and
//! the credential in use is never reset.

use proptest::{collection, prelude::*};
use sandbox::{
    HostUp, KirimEmail, Model, Smtpd,
    core::{
        caller::{Action, Schemas, Wish},
        explore::explore,
        vendors::{self, Known, argument},
    },
};
use terraform_provider_smtp::{
    age::{Identities, open_armored},
    framework::value::Value,
    secret::Secret,
};
use tokio::runtime::Runtime;

use crate::double::{Double, Order};

const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
/// How many histories of a vendor are lived.
const HISTORIES: u32 = 5;

/// One configuration, with what is unknown while it is planned.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a choice of its own")]
struct Step {
    trigger: (Option<&'static str>, bool),
    rotate_after: (Option<&'static str>, bool),
    is_encrypted: (bool, bool),
    is_element_late: bool,
    is_reversed: bool,
    /// Whether years have passed since the last step.
    is_old: bool,
    is_overlap: bool,
}

#[test]
fn core_accepts_what_a_pair_at_kirim_email_plans_and_stores() {
    explore(HISTORIES, &collection::vec(steps(), 2..6), |steps| live(KirimEmail::MODEL, &steps));
}

#[test]
fn core_accepts_what_a_pair_at_hostup_plans_and_stores() {
    explore(HISTORIES, &collection::vec(steps(), 2..6), |steps| live(HostUp::MODEL, &steps));
}

#[test]
fn core_accepts_what_an_overlap_at_smtpd_plans_and_stores() {
    explore(HISTORIES, &collection::vec(steps(), 2..6), |steps| live(Smtpd::MODEL, &steps));
}

fn steps() -> impl Strategy<Value = Step> {
    let late = || prop::bool::weighted(0.2);
    let trigger = (prop::sample::select(vec![None, Some("one"), Some("two")]), late());
    let rotate_after = (prop::sample::select(vec![None, Some("1h"), Some("90d")]), late());
    let others = (late(), any::<bool>(), any::<bool>(), prop::bool::weighted(0.8));
    (trigger, rotate_after, (any::<bool>(), late()), others).prop_map(
        |(trigger, rotate_after, is_encrypted, (is_element_late, is_reversed, is_old, is_overlap))| Step {
            trigger,
            rotate_after,
            is_encrypted,
            is_element_late,
            is_reversed,
            is_old,
            is_overlap,
        },
    )
}

impl Step {
    fn config(&self, vendor: &'static Model, is_planned: bool) -> Value {
        let text = |(value, late): (Option<&'static str>, bool)| {
            if late && is_planned { Value::Unknown } else { value.into() }
        };
        let mut targets = vendor.targets();
        if self.is_reversed && !vendor.makes_successors {
            targets.reverse();
        }
        let [first, second] = targets;
        let late = if self.is_element_late && is_planned { Known::ButOneField } else { Known::Wholly };
        let target = if vendor.makes_successors {
            argument(first, Known::Wholly)
        } else {
            Value::List([argument(first, Known::Wholly), argument(second, late)].into())
        };
        let recipients = match self.is_encrypted {
            (_, true) if is_planned => Value::Unknown,
            (true, _) => Value::List([Value::from(RECIPIENT)].into()),
            (false, _) => Value::Null,
        };
        let retires = if self.is_overlap { "at_next_rotation" } else { "at_once" };
        Value::object([
            (vendor.name, target),
            ("age_recipients", recipients),
            ("retire_previous", vendor.makes_successors.then_some(retires).into()),
            ("rotate_after", text(self.rotate_after)),
            ("rotation_mode", vendor.makes_successors.then_some("in_place").into()),
            ("rotation_trigger", text(self.trigger)),
        ])
    }
}

fn live(vendor: &'static Model, steps: &[Step]) {
    let type_name = if vendor.makes_successors { "smtp_credential_password" } else { "smtp_credential_pair" };
    Runtime::new().unwrap().block_on(async {
        let sandbox = vendors::sandbox();
        let mut double = Double::of(&sandbox, Schemas::of(type_name));
        for step in steps {
            if step.is_old && !double.stored.state.get("rotated_at").is_null() {
                double.stored.state.set("rotated_at", "2020-02-29T12:00:00.000000Z");
            }
            let (resets, before) = (vendors::resets(&sandbox), double.stored.state.clone());
            let plan = double.plan(&step.config(vendor, true), Wish::Configured).await;
            assert_eq!(vendors::resets(&sandbox), resets, "neither refresh nor plan resets anything");
            let is_planned = plan.action == Action::Create || plan.planned.get("rotated_at").is_unknown();
            let config = step.config(vendor, false);
            double.apply(plan, &config, Order::DeleteFirst).await;

            let state = &double.stored.state;
            let happened = vendors::resets(&sandbox) - resets;
            let is_rotated = state.get("rotated_at") != before.get("rotated_at");
            assert_eq!(happened, usize::from(is_rotated), "one reset for each rotation");
            assert!(is_planned || !is_rotated, "nothing is rotated that was not planned");
            let password = |state: &Value| sandbox.hubspot().password(state.get("username").as_str().unwrap());
            assert_eq!(password(state), stored(state), "the password in the state works");
            let is_kept = !vendor.makes_successors || *before.get("retire_previous") == Value::from("at_next_rotation");
            if !before.is_null() && is_kept && (!vendor.makes_successors || step.is_overlap) {
                assert_eq!(password(&before), stored(&before), "the credential in use is not touched");
            }
            assert_eq!(!state.get("encrypted_password").is_null(), step.is_encrypted.0);
            let again = double.plan(&config, Wish::Configured).await;
            let is_due = *double.stored.state.get("rotation_due") == Value::Bool(true);
            assert_eq!(again.action == Action::Nothing, !is_due, "there is nothing left to do");
        }
        double.destroy().await;
        assert!(vendors::successors(&sandbox).is_empty(), "a destroy revokes what resets have made");
    });
}

/// The password of a state, decrypted.
fn stored(state: &Value) -> Option<String> {
    let Some(file) = state.get("encrypted_password").as_str() else {
        return state.get("password").as_secret().map(|stored| stored.for_state().to_owned());
    };
    let identities = Identities::parse(&Secret::from(IDENTITY.to_owned())).unwrap();
    let opened = open_armored(file, &identities).unwrap().to_vec();
    String::from_utf8(opened).ok()
}

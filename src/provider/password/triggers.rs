//! Decides which changes of an existing resource reset its password, and which are only adopted.

use super::{
    names::{
        AGE_RECIPIENTS, ON_EXTERNAL_CHANGE, PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION, ROTATE, ROTATE_AFTER,
        ROTATED_AT, ROTATION_DUE, ROTATION_MODE, ROTATION_TRIGGER, STALE,
    },
    private_data::PrivateData,
    state::State,
};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Path},
        plan::Draft,
        value::Value,
    },
    provider::attributes::{age_recipients, lists, password_policy, rotate_after},
    vendors::{PasswordSource, Vendor},
};

/// How the changes of an existing resource reset its password.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(in crate::provider) enum ResetMode {
    /// Not at all.
    None,
    /// By an update.
    InPlace,
    /// By a replacement.
    Replacement,
}

/// The reset that a change triggers, and the arguments that it adopts without one.
#[derive(Debug)]
pub(in crate::provider) struct ResetTriggers {
    pub(in crate::provider) mode: ResetMode,
    /// The attributes whose change requires the replacement.
    pub(in crate::provider) replaced: Vec<Path>,
    pub(in crate::provider) adopted: Vec<Path>,
    /// Why a stale password is reset although the configuration did not change, or why it is not.
    pub(in crate::provider) stale: Option<StalePassword>,
    /// Whether a stale password is the only trigger.
    pub(in crate::provider) heals: bool,
}

/// What a plan does about a stale password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::provider) enum StalePassword {
    /// It is reset.
    Rotated,
    /// It is not reset, because this number of rotations in a row has not helped.
    Exhausted(u32),
}

/// Evaluates the changes from the prior state to the planned one.
///
/// An import cannot know values that no vendor returns. Until this provider has reset the password once, an argument
/// that is set for the first time is therefore adopted without a reset.
///
/// `by_mode` is how a changed trigger or a stale password resets.
pub(in crate::provider) fn evaluate(draft: &mut Draft, vendor: Option<&Vendor>, by_mode: ResetMode) -> ResetTriggers {
    let mut asked =
        ResetTriggers { mode: ResetMode::None, replaced: Vec::new(), adopted: Vec::new(), stale: None, heals: false };
    if draft.prior.is_null() {
        return asked;
    }
    let adopts = draft.prior.get(ROTATED_AT).is_null();
    adopt_target(draft, vendor, adopts, &mut asked);
    ignore_same_lists(draft, vendor);

    let (prior, planned, known) = (&draft.prior, &draft.planned, State::of(&draft.prior));
    // Of several triggers the strongest mode wins: a replacement also covers everything that an update would do.
    let mut ask = |name: &'static str, changed: bool, mode: ResetMode| {
        if changed && adopts && prior.get(name).is_null() {
            asked.adopted.push(Path::attribute(name));
        } else if changed {
            asked.mode = asked.mode.max(mode);
            asked.replaced.extend((mode == ResetMode::Replacement).then(|| Path::attribute(name)));
        }
    };
    ask(AGE_RECIPIENTS, age_recipients::changes(prior, planned), ResetMode::InPlace);
    ask(ROTATION_TRIGGER, prior.get(ROTATION_TRIGGER) != planned.get(ROTATION_TRIGGER), by_mode);
    // Core only replaces if an attribute that requires it changes, and `rotation_due` goes from true to false.
    ask(ROTATION_DUE, !adopts && rotate_after::rotates(prior, planned), by_mode);
    if vendor.is_some_and(|vendor| vendor.password_source == PasswordSource::Caller) {
        let policy = |state: &Value| password_policy::of(state.get(PASSWORD_POLICY));
        // Policies are compared by what they allow, so spelling out a default changes nothing. A policy with unknown
        // parts may change.
        let policy_changed = policy(planned).is_none_or(|planned| Some(planned) != policy(prior));
        let version_changed = prior.get(PASSWORD_WO_VERSION) != planned.get(PASSWORD_WO_VERSION);
        let own = draft.config.get(PASSWORD_WO);
        let stored = age_recipients::has_password(prior);
        ask(PASSWORD_POLICY, own.is_null() && policy_changed, ResetMode::InPlace);
        ask(PASSWORD_WO_VERSION, !own.is_null() && version_changed, ResetMode::InPlace);
        // A pair has no `password_wo`. The state of a credential that had one may become a pair's, without its password.
        let has_own = known.current.is_empty();
        // `password_wo` replaces a stored password, and its removal brings one back. An unknown one may do either.
        if has_own && !adopts && (own.is_unknown() || own.is_null() != stored) {
            asked.mode = asked.mode.max(ResetMode::InPlace);
        }
        // Without a version nothing else changes in the plan, so this is the only sign that it was not sent.
        if adopts && !own.is_null() && planned.get(PASSWORD_WO_VERSION).is_null() {
            asked.adopted.push(Path::attribute(PASSWORD_WO));
        }
    }
    let setting = planned.get(ON_EXTERNAL_CHANGE);
    // An unknown setting may turn out to be `rotate`.
    let rotates = setting.is_unknown() || setting.as_str() == Some(ROTATE);
    if known.is_stale && rotates {
        // Only rotations that nothing else triggers are counted: any other reset would have been made anyway, and
        // starts over.
        let is_alone = asked.mode == ResetMode::None && draft.replace.is_empty();
        if PrivateData::from(&draft.private).healed < MOST_IN_A_ROW {
            asked.heals = is_alone;
            asked.mode = asked.mode.max(by_mode);
            // Core only replaces if an attribute that requires it changes, and `stale` goes from true to false.
            asked.replaced.extend((by_mode == ResetMode::Replacement).then(|| Path::attribute(STALE)));
            asked.stale = Some(StalePassword::Rotated);
        } else if is_alone {
            asked.stale = Some(StalePassword::Exhausted(MOST_IN_A_ROW));
        }
    }
    asked
}

/// Returns whether the apply, which knows every value, is certain to decide as this plan does.
pub(in crate::provider) fn is_certain(config: &Value) -> bool {
    [
        AGE_RECIPIENTS,
        ON_EXTERNAL_CHANGE,
        PASSWORD_POLICY,
        PASSWORD_WO,
        PASSWORD_WO_VERSION,
        ROTATE_AFTER,
        ROTATION_MODE,
        ROTATION_TRIGGER,
    ]
    .iter()
    .all(|name| config.get(name).is_wholly_known())
}

/// The warning for an argument that is adopted without a reset.
pub(in crate::provider) fn adoption(path: &Path, own_password: bool) -> Diagnostic {
    let unsent = if own_password { " `password_wo` was not sent." } else { "" };
    let way = if *path == Path::attribute(PASSWORD_WO) {
        "To send it, replace the resource with `-replace`.".to_owned()
    } else {
        format!("To reset the password, change `{path}` again.")
    };
    Diagnostic::warning(
        "No reset after the import",
        format!(
            "The imported credential was adopted without a reset. Its password is unknown until the next \
             rotation.{unsent} {way}"
        ),
    )
    .at(path.clone())
}

fn adopt_target(draft: &mut Draft, vendor: Option<&Vendor>, adopts: bool, asked: &mut ResetTriggers) {
    // Some arguments of a target cannot be read from the vendor, such as a role. After an import they are null in the
    // state, and setting them must not replace the resource.
    let Some(vendor) = vendor.filter(|_| adopts) else { return };
    let prior = draft.prior.get(vendor.name);
    let unknown_to_import = |path: &Path| {
        vendor.target.iter().any(|field| {
            let at = Path::attribute(vendor.name).then(field.name);
            *path == at && prior.as_object().is_some() && prior.get(field.name).is_null()
        })
    };
    let (adopted, replace) = std::mem::take(&mut draft.replace).into_iter().partition(unknown_to_import);
    (asked.adopted, draft.replace) = (adopted, replace);
}

/// Lists that differ in nothing that matters do not replace the resource.
fn ignore_same_lists(draft: &mut Draft, vendor: Option<&Vendor>) {
    let Some(vendor) = vendor else { return };
    let (prior, planned) = (draft.prior.get(vendor.name), draft.planned.get(vendor.name));
    let is_same = |path: &Path| {
        vendor.target.iter().any(|field| {
            *path == Path::attribute(vendor.name).then(field.name)
                && lists::is_same(field, prior.get(field.name), planned.get(field.name))
        })
    };
    draft.replace.retain(|path| !is_same(path));
}

/// The maximum number of rotations in a row for a stale password. Two parties that both rotate would otherwise go on
/// forever.
const MOST_IN_A_ROW: u32 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::attributes::configured::Configured;
    use crate::{
        framework::{Private, plan::draft},
        provider::{
            attributes::age_recipients::ENCRYPTED_PASSWORD,
            credential_password::{Decision, finish, schema},
            password::names::{self, IN_PLACE, PASSWORD},
        },
        secret::Secret,
    };

    fn config(changes: &[(&'static str, Value)]) -> Value {
        let mailbox = Value::object([("account_id", "acct_1".into()), ("address", "info@example.com".into())]);
        let mut config = Value::object([("hostup", mailbox)]);
        for (name, value) in changes {
            config.set(*name, value.clone());
        }
        config
    }

    fn planned(config: Value, prior: Value) -> (Draft, Decision) {
        let mut draft = draft(&schema(), config, prior, Private::default());
        let decision = finish(&mut draft, Configured::default()).unwrap();
        assert_eq!(decision.resets, draft.planned.get(ROTATED_AT).is_unknown());
        (draft, decision)
    }

    /// The state after an apply of this configuration, or after an import with nothing but these changes.
    fn state(password: Value, rotated_at: Value, changes: &[(&'static str, Value)]) -> Value {
        let mut state = planned(config(changes), Value::Null).0.planned;
        for (name, value) in [(PASSWORD, password), (ROTATED_AT, rotated_at), (names::SMTP_HOST, "srv11".into())] {
            state.set(name, value);
        }
        state
    }

    fn at() -> Value {
        "2026-01-01T00:00:00.000000Z".into()
    }

    fn stored(changes: &[(&'static str, Value)]) -> Value {
        state(Secret::new("generated").into(), at(), changes)
    }

    fn own(changes: &[(&'static str, Value)]) -> Value {
        state(Value::Null, at(), changes)
    }

    fn imported(changes: &[(&'static str, Value)]) -> Value {
        state(Value::Null, Value::Null, changes)
    }

    fn policy(length: u16) -> (&'static str, Value) {
        (PASSWORD_POLICY, Value::object([("length", length.into())]))
    }

    fn wo() -> (&'static str, Value) {
        (PASSWORD_WO, Secret::new("my own").into())
    }

    fn version(text: &str) -> (&'static str, Value) {
        (PASSWORD_WO_VERSION, text.into())
    }

    #[test]
    fn a_password_of_the_callers_is_reset_in_place_when_its_inputs_change() {
        let unknown_policy = (PASSWORD_POLICY, Value::object([("length", Value::Unknown)]));
        let unknown_wo = (PASSWORD_WO, Value::Unknown);
        let unknown_version = (PASSWORD_WO_VERSION, Value::Unknown);
        for (row, changes, prior, resets) in [
            (1, vec![], stored(&[]), false),
            (2, vec![policy(24)], stored(&[]), true),
            (3, vec![policy(24)], stored(&[policy(24)]), false),
            (4, vec![], stored(&[policy(24)]), true),
            (5, vec![policy(32)], stored(&[]), false),
            (6, vec![unknown_policy], stored(&[policy(24)]), true),
            (7, vec![(PASSWORD_POLICY, Value::Unknown)], stored(&[policy(24)]), true),
            (11, vec![wo()], stored(&[]), true),
            (12, vec![wo()], stored(&[policy(24)]), true),
            (13, vec![wo(), version("1")], stored(&[]), true),
            (14, vec![unknown_wo.clone()], stored(&[]), true),
            (21, vec![wo()], own(&[]), false),
            (22, vec![wo(), version("1")], own(&[version("1")]), false),
            (23, vec![wo(), version("2")], own(&[version("1")]), true),
            (24, vec![wo()], own(&[version("1")]), true),
            (25, vec![wo(), unknown_version], own(&[version("1")]), true),
            (26, vec![], own(&[version("1")]), true),
            (27, vec![policy(24)], own(&[]), true),
            // It may turn out null, which means a generated password.
            (28, vec![unknown_wo.clone(), version("1")], own(&[version("1")]), true),
            (31, vec![policy(24)], imported(&[]), false),
            (32, vec![wo(), version("1")], imported(&[]), false),
            (33, vec![wo(), version("2")], imported(&[version("1")]), true),
            (34, vec![policy(25)], imported(&[policy(24)]), true),
            (35, vec![unknown_wo], imported(&[]), false),
        ] {
            let (draft, decision) = planned(config(&changes), prior);
            assert_eq!(decision.resets, resets, "row {row}");
            assert_eq!(draft.replace, [], "row {row} is in place");
        }
    }

    #[test]
    fn another_set_of_recipients_resets_in_place_in_every_mode() {
        const ONE: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        const TWO: &str = "age13ppjsl6lgqezs762gwqj42s94jyqudqfaz8lf0ag3vle8z7s0yjsuep7er";
        let to = |recipients: &[&str]| {
            (AGE_RECIPIENTS, Value::List(recipients.iter().map(|recipient| (*recipient).into()).collect()))
        };
        let encrypted = |recipients: &[&str]| {
            let mut state = state(Value::Null, at(), &[to(recipients)]);
            state.set(ENCRYPTED_PASSWORD, "-----BEGIN AGE ENCRYPTED FILE-----");
            state
        };
        let unknown = (AGE_RECIPIENTS, Value::Unknown);
        let partly = (AGE_RECIPIENTS, Value::List(vec![ONE.into(), Value::Unknown]));
        for mode in [IN_PLACE, names::REPLACE] {
            for (row, changes, prior, resets, adopts) in [
                (1, vec![to(&[ONE])], stored(&[]), true, false),
                (2, vec![], encrypted(&[ONE]), true, false),
                (3, vec![to(&[ONE])], encrypted(&[ONE]), false, false),
                (4, vec![to(&[TWO, ONE, ONE])], encrypted(&[ONE, TWO]), false, false),
                (5, vec![to(&[ONE, TWO])], encrypted(&[ONE]), true, false),
                (6, vec![to(&[TWO])], encrypted(&[ONE, TWO]), true, false),
                (7, vec![unknown.clone()], encrypted(&[ONE]), true, false),
                (8, vec![partly.clone()], encrypted(&[ONE]), true, false),
                (11, vec![to(&[ONE])], imported(&[]), false, true),
                (12, vec![unknown.clone()], imported(&[]), false, true),
                (13, vec![to(&[ONE])], imported(&[to(&[ONE])]), false, false),
                (14, vec![to(&[TWO])], imported(&[to(&[ONE])]), true, false),
                (15, vec![], imported(&[to(&[ONE])]), true, false),
                // A password of the user's own is not stored, so there is nothing to encrypt.
                (21, vec![wo()], encrypted(&[ONE]), true, false),
                (22, vec![to(&[ONE])], own(&[]), true, false),
            ] {
                let changes: Vec<_> = changes.into_iter().chain([(ROTATION_MODE, mode.into())]).collect();
                let (draft, decision) = planned(config(&changes), prior.clone());
                assert_eq!((decision.resets, draft.replace.len()), (resets, 0), "row {row}");
                assert_eq!(!decision.warnings.is_empty(), adopts, "row {row}");
                if !resets {
                    for name in [PASSWORD, ENCRYPTED_PASSWORD] {
                        assert_eq!(draft.planned.get(name), prior.get(name), "row {row}");
                    }
                }
            }
        }
    }

    #[test]
    fn recipients_that_an_apply_finds_known_fit_what_was_planned_unknown() {
        const ONE: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
        let list = || Value::List(vec![ONE.into()]);
        let mut encrypted = state(Value::Null, at(), &[(AGE_RECIPIENTS, list())]);
        encrypted.set(ENCRYPTED_PASSWORD, "-----BEGIN AGE ENCRYPTED FILE-----");
        for prior in [stored(&[]), encrypted, imported(&[]), Value::Null] {
            for (unknown, known) in
                [(Value::Unknown, vec![Value::Null, list()]), (Value::List(vec![Value::Unknown]), vec![list()])]
            {
                let plan =
                    |recipients: Value| planned(config(&[(AGE_RECIPIENTS, recipients)]), prior.clone()).0.planned;
                let before = plan(unknown);
                for known in known {
                    let after = plan(known);
                    for attribute in schema().attributes {
                        let (before, after) = (before.get(&attribute.name), after.get(&attribute.name));
                        let is_recipients = attribute.name == AGE_RECIPIENTS;
                        assert!(is_recipients || before.is_unknown() || before == after, "{}", attribute.name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_known_password_of_the_users_is_planned_null_and_an_unknown_one_unknown() {
        for (given, expected) in
            [(wo().1, Value::Null), (Value::Unknown, Value::Unknown), (Value::Null, Value::Unknown)]
        {
            let (draft, _) = planned(config(&[(PASSWORD_WO, given)]), Value::Null);
            assert_eq!(draft.planned.get(PASSWORD), &expected);
            assert_eq!(draft.planned.get(PASSWORD_WO), &Value::Null);
        }
    }

    #[test]
    fn what_an_apply_finds_known_fits_what_was_planned_unknown() {
        for prior in [stored(&[]), own(&[]), imported(&[])] {
            let plan = |own: Value| planned(config(&[(PASSWORD_WO, own), policy(24)]), prior.clone()).0.planned;
            let before = plan(Value::Unknown);
            for own in [wo().1, Value::Null] {
                let after = plan(own);
                for attribute in schema().attributes {
                    let (before, after) = (before.get(&attribute.name), after.get(&attribute.name));
                    assert!(before.is_unknown() || before == after, "{}", attribute.name);
                }
            }
        }
    }

    #[test]
    fn a_third_rotation_in_a_row_for_a_stale_password_is_not_planned() {
        let stale = |changes: &[(&'static str, Value)]| {
            let mut state = stored(changes);
            state.set(STALE, true);
            state
        };
        let rotate = (ON_EXTERNAL_CHANGE, Value::from("rotate"));
        let trigger = (ROTATION_TRIGGER, Value::from("two"));
        for mode in [IN_PLACE, names::REPLACE] {
            let mode = (ROTATION_MODE, Value::from(mode));
            // How many there were, what else is asked for, whether it resets, and how many there are after the apply.
            for (healed, more, resets, after) in [
                (0, None, true, 1),
                (1, None, true, 2),
                (2, None, false, 2),
                (3, None, false, 3),
                (2, Some(&trigger), true, 0),
                (1, Some(&trigger), true, 0),
            ] {
                let settings = [rotate.clone(), mode.clone()];
                let changes: Vec<_> = settings.iter().chain(more).cloned().collect();
                let private = Private::from(PrivateData { healed, ..PrivateData::default() });
                let mut draft = draft(&schema(), config(&changes), stale(&settings), private);
                let decision = finish(&mut draft, Configured::default()).unwrap();
                assert_eq!(decision.resets, resets, "{healed} {more:?}");
                let notes = PrivateData::from(&draft.private);
                assert_eq!(if resets { notes.healed_after() } else { notes.healed }, after, "{healed} {more:?}");
                let brakes = decision.warnings.iter().any(|warning| warning.summary.starts_with("Somebody else keeps"));
                assert_eq!(brakes, !resets);
            }
        }
    }

    #[test]
    fn what_is_adopted_says_that_nothing_was_sent_and_what_sends_it() {
        for (changes, words) in [
            (vec![policy(24)], "rotation. To reset the password, change `password_policy` again"),
            (
                vec![wo(), version("1")],
                "rotation. `password_wo` was not sent. To reset the password, change `password_wo_version` again",
            ),
            (vec![wo()], "rotation. `password_wo` was not sent. To send it, replace the resource"),
            (
                vec![(PASSWORD_WO, Value::Unknown)],
                "rotation. `password_wo` was not sent. To send it, replace the resource",
            ),
        ] {
            let warnings = planned(config(&changes), imported(&[])).1.warnings;
            assert_eq!(warnings.len(), 1);
            assert!(warnings[0].detail.contains(words), "{}", warnings[0].detail);
        }
        assert!(planned(config(&[]), imported(&[])).1.warnings.is_empty());
    }
}

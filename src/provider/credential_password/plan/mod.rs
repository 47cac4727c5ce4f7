//! Plans a create or an update: a pure function of the configuration and the prior state.

use super::{
    names::{
        ID, IN_PLACE, PASSWORD_WO, PREVIOUS, REMOTE_VERSION, ROTATED_AT, ROTATION_DUE, ROTATION_MODE, ROTATION_VERSION,
        SMTP_HOST, SMTP_PORT, STALE, USERNAME, VERIFIED, VERIFY,
    },
    private_data::PrivateData,
    state::State,
    validate,
};
use crate::{
    framework::{
        Call,
        diagnostic::{Diagnostic, Result},
        plan::Draft,
        value::Value,
    },
    provider::{
        attributes::{age_recipients, configured::Configured, retire_previous, rotate_after, target},
        diagnostics::{
            drift, mail_server,
            vendor::{self, Step},
        },
        password::triggers::{self, ResetMode, StalePassword},
        settings::{Connection, Connections},
    },
    vendors::{SmtpDefaults, Target, Vendor},
};

/// Finishes a drafted plan. Fails if the configured vendor login could not carry out the planned reset. Nothing is
/// sent.
pub(super) fn plan(connections: &Connections, call: &Call, draft: &mut Draft) -> Result<()> {
    let configured = connections.configured();
    let decision = finish(draft, configured)?;
    if decision.target.as_ref().is_some_and(|target| target.vendor.has_parts()) {
        // Of an API that the provider block describes, validation knew nothing.
        let found = validate::configured(&draft.config, configured);
        if found.has_errors() {
            return Err(found);
        }
    }
    if let (true, Some(target)) = (decision.resets, &decision.target) {
        match connections.to(target.vendor) {
            Connection::Ready(api) => {
                let refused = api.refuse_target(&target.fields);
                refused.map_err(|error| vendor::failed(Step::Planning, target, &error).at(target::path(target)))?;
                let prior = State::of(&draft.prior).stored.credential;
                let refused = api.refuse_own_login(&target.fields, &prior);
                refused.map_err(|error| vendor::failed(Step::Planning, target, &error))?;
                // Only a warning: the reset itself does not depend on the server.
                if let (Some(other), true) = (api.smtp_host_of_login(), draft.config.get(SMTP_HOST).is_null()) {
                    call.warn(mail_server::another_smtp_host(target, other));
                }
            }
            Connection::Refused(diagnostic) => return Err(diagnostic.into()),
            // Core plans again at apply, when the settings are known.
            Connection::Unknown => {}
        }
    }
    decision.warnings.into_iter().for_each(|warning| call.warn(warning));
    Ok(())
}

/// The result of a plan.
#[derive(Debug)]
pub(in crate::provider) struct Decision {
    /// The credential; `None` while a part of it is unknown.
    pub(in crate::provider) target: Option<Target>,
    /// Whether the apply resets the password.
    pub(in crate::provider) resets: bool,
    /// The warnings to report.
    pub(in crate::provider) warnings: Vec<Diagnostic>,
}

/// Finishes a drafted plan: fills in the computed attributes and decides whether the apply resets the password.
///
/// The apply resets the password if and only if `rotated_at` is planned as unknown. Every other known value depends
/// only on the configuration, so core's second plan of a replacement, which has a null prior state, agrees with the
/// first.
pub(in crate::provider) fn finish(draft: &mut Draft, configured: Configured) -> Result<Decision> {
    let target = target::of(&draft.planned, configured)?;
    let vendor = target.as_ref().map(|target| target.vendor);
    let in_place = draft.planned.get(ROTATION_MODE).as_str() == Some(IN_PLACE);
    // The planned mode applies, so one apply can change the mode and trigger a reset.
    let by_mode = if in_place { ResetMode::InPlace } else { ResetMode::Replacement };
    let asked = triggers::evaluate(draft, vendor, by_mode);
    draft.replace.extend(asked.replaced);
    let is_new = draft.prior.is_null() || !draft.replace.is_empty();
    let resets = is_new || asked.mode == ResetMode::InPlace;

    let notes = PrivateData::from(&draft.private);
    // A reset in place (`resets`) keeps the credential and mostly its user name. A vendor that creates a new credential
    // may also choose a new user name (`renews`), and so may a vendor that is not known yet.
    let renews = resets && vendor.is_none_or(Vendor::renames);
    let kept = |name: &str, is_kept: bool| if is_kept { draft.prior.get(name).clone() } else { Value::Unknown };
    // The target settles the user name at some vendors. Otherwise only a reset that keeps the credential keeps it.
    let username =
        target.as_ref().and_then(|target| (target.vendor.username)(&target.fields)).map(|name| Value::from(&*name));
    let username = username.unwrap_or_else(|| kept(USERNAME, !is_new && !renews));
    // A reset changes the version, so it is kept only if there is no reset. Some vendors report none at all.
    let version = match vendor {
        Some(vendor) if !vendor.reports_version => Value::Null,
        _ => kept(REMOTE_VERSION, !resets),
    };
    let (host, port) = match vendor.map(|vendor| vendor.smtp) {
        Some(SmtpDefaults::At { host, port }) => (host.into(), port.into()),
        Some(SmtpDefaults::Of { host, port, .. }) => {
            (target.as_ref().map_or(Value::Unknown, |target| host(&target.fields).into()), port.into())
        }
        // A host that was configured is not the vendor's, so once it is removed the vendor's is fetched.
        Some(SmtpDefaults::ByRegion { port, .. } | SmtpDefaults::Reported { port }) => {
            (kept(SMTP_HOST, !is_new && !notes.smtp_host_was_configured), port.into())
        }
        Some(SmtpDefaults::Undocumented) => (Value::Null, Value::Null),
        None => (Value::Unknown, Value::Unknown),
    };

    let planned = &mut draft.planned;
    planned.set(ID, target.as_ref().map_or(Value::Unknown, |target| target.id().into()));
    planned.set(USERNAME, username);
    planned.set(REMOTE_VERSION, version);
    let due = rotate_after::planned(&draft.prior, planned, resets);
    planned.set(ROTATION_DUE, due);
    let previous = retire_previous::planned(&draft.prior, planned, is_new, resets);
    planned.set(PREVIOUS, previous);
    if draft.config.get(SMTP_HOST).is_null() {
        planned.set(SMTP_HOST, host);
    }
    if draft.config.get(SMTP_PORT).is_null() {
        planned.set(SMTP_PORT, port);
    }
    let own_password = !draft.config.get(PASSWORD_WO).is_null();
    if resets {
        // Only a known `password_wo` is certain to leave `password` null: an unknown one may turn out to be null.
        age_recipients::plan_reset(planned, matches!(draft.config.get(PASSWORD_WO), Value::Secret(_)));
        planned.set(ROTATED_AT, Value::Unknown);
        planned.set(ROTATION_VERSION, Value::Unknown);
        // While a trigger is unknown, the apply may decide not to reset, and then it keeps the prior `stale` and
        // `verified`. Core only accepts that for values that are planned unknown.
        let is_certain = is_new || triggers::is_certain(&draft.config);
        let or_unknown = |value: Value, is_kept: bool| if is_certain || is_kept { value } else { Value::Unknown };
        planned.set(STALE, or_unknown(Value::Bool(false), *draft.prior.get(STALE) == Value::Bool(false)));
        let is_unverified = planned.get(VERIFY).is_null();
        let verified = or_unknown(Value::Null, draft.prior.get(VERIFIED).is_null());
        planned.set(VERIFIED, if is_unverified { verified } else { Value::Unknown });
    }
    draft.private = PrivateData::of_plan(draft, target.as_ref(), asked.heals).into();
    // A reset sends what would otherwise only be adopted, so there is nothing to warn about.
    let adopted = asked.adopted.iter().filter(|_| !resets);
    let adopted = adopted.map(|path| triggers::adoption(path, own_password));
    let id = State::of(&draft.prior).id;
    let stale = asked.stale.map(|stale| match stale {
        StalePassword::Rotated => drift::rotation(&id),
        StalePassword::Exhausted(rotations) => drift::rotations_exhausted(&id, rotations),
    });
    let warnings = adopted.chain(stale).collect();
    Ok(Decision { target, resets, warnings })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        framework::{Private, diagnostic::Path, plan, value::Number},
        provider::credential_password::{
            names::{
                IGNORE, IN_PLACE, ON_EXTERNAL_CHANGE, PASSWORD, ROTATE, ROTATE_AFTER, ROTATION_MODE, ROTATION_TRIGGER,
                TIMEOUTS, WARN,
            },
            schema,
        },
        secret::Secret,
    };

    const USER: &str = "zh48@62515.smtp.hubspot.net";

    fn config(changes: &[(&'static str, Value)]) -> Value {
        let mut config = Value::object([("hubspot", Value::object([("user_name", USER.into())]))]);
        for (name, value) in changes {
            config.set(*name, value.clone());
        }
        config
    }

    /// The state of a resource that this provider has rotated.
    fn rotated(changes: &[(&'static str, Value)]) -> Value {
        let mut state = planned(&config(&[]), &Value::Null).state;
        state.set(PASSWORD, Secret::new("old"));
        state.set(ROTATED_AT, "2026-01-01T00:00:00.000000Z");
        state.set(ROTATION_VERSION, Number::from(1_767_225_600));
        state.set(ROTATION_TRIGGER, "one");
        for (name, value) in changes {
            state.set(*name, value.clone());
        }
        state
    }

    fn imported() -> Value {
        rotated(&[
            (PASSWORD, Value::Null),
            (ROTATED_AT, Value::Null),
            (ROTATION_TRIGGER, Value::Null),
            (ROTATION_VERSION, Number::from(0).into()),
        ])
    }

    struct Planned {
        state: Value,
        replace: Vec<Path>,
        resets: bool,
        warns: bool,
    }

    fn planned(config: &Value, prior: &Value) -> Planned {
        let mut draft = plan::draft(&schema::schema(), config.clone(), prior.clone(), Private::default());
        let decision = finish(&mut draft, Configured::default()).unwrap();
        assert_eq!(
            decision.resets,
            draft.planned.get(ROTATED_AT).is_unknown(),
            "the apply resets when rotated_at is unknown"
        );
        let [at, version] = [ROTATED_AT, ROTATION_VERSION].map(|name| draft.planned.get(name).is_unknown());
        assert_eq!(at, version, "the version is unknown exactly when the time is");
        Planned {
            state: draft.planned,
            replace: draft.replace,
            resets: decision.resets,
            warns: !decision.warnings.is_empty(),
        }
    }

    #[test]
    fn a_create_plans_everything_except_what_the_reset_reports() {
        let plan = planned(&config(&[]), &Value::Null);
        assert!(plan.resets);
        for (name, value) in [
            (ID, format!("hubspot/{USER}").into()),
            (USERNAME, USER.into()),
            (SMTP_HOST, "smtp.hubapi.com".into()),
            (SMTP_PORT, 587_u16.into()),
            (ROTATION_MODE, Value::Null),
            (ON_EXTERNAL_CHANGE, Value::Null),
            (PASSWORD, Value::Unknown),
            (ROTATION_VERSION, Value::Unknown),
        ] {
            assert_eq!(plan.state.get(name), &value, "{name}");
        }
    }

    #[test]
    fn the_trigger_decides_about_a_reset() {
        let trigger = |value: Value| vec![(ROTATION_TRIGGER, value)];
        let in_place = |value: Value| vec![(ROTATION_TRIGGER, value), (ROTATION_MODE, IN_PLACE.into())];
        // configuration, prior state, resets, replaces, warns
        for (row, config_changes, prior, resets, replaces, warns) in [
            (1, trigger("one".into()), rotated(&[]), false, false, false),
            (2, trigger("two".into()), rotated(&[]), true, true, false),
            (3, trigger(Value::Unknown), rotated(&[]), true, true, false),
            (4, trigger(Value::Null), rotated(&[]), true, true, false),
            (5, trigger("one".into()), rotated(&[(ROTATION_TRIGGER, Value::Null)]), true, true, false),
            (6, in_place("one".into()), rotated(&[]), false, false, false),
            (7, in_place("two".into()), rotated(&[]), true, false, false),
            (8, in_place(Value::Unknown), rotated(&[]), true, false, false),
            (9, trigger(Value::Null), imported(), false, false, false),
            (10, trigger("one".into()), imported(), false, false, true),
            (11, in_place("one".into()), imported(), false, false, true),
            (12, trigger(Value::Unknown), imported(), false, false, true),
        ] {
            let plan = planned(&config(&config_changes), &prior);
            assert_eq!(plan.resets, resets, "resets in row {row}");
            assert_eq!(!plan.replace.is_empty(), replaces, "replaces in row {row}");
            assert_eq!(plan.warns, warns, "warns in row {row}");
        }
    }

    #[test]
    fn a_stale_password_is_rotated_only_where_that_is_asked_for() {
        let setting = |setting: &str, mode: &str, trigger: Value| {
            config(&[(ON_EXTERNAL_CHANGE, setting.into()), (ROTATION_MODE, mode.into()), (ROTATION_TRIGGER, trigger)])
        };
        let stale = rotated(&[(STALE, true.into())]);
        let by_trigger = Path::attribute(ROTATION_TRIGGER);
        let by_staleness = Path::attribute(STALE);
        // configuration, prior state, resets, replaces for, warns
        for (row, config, prior, resets, replaces, warns) in [
            (1, setting(WARN, "replace", "one".into()), &stale, false, vec![], false),
            (2, setting(IGNORE, "replace", "one".into()), &stale, false, vec![], false),
            (3, setting(ROTATE, "replace", "one".into()), &stale, true, vec![&by_staleness], true),
            (4, setting(ROTATE, IN_PLACE, "one".into()), &stale, true, vec![], true),
            (5, setting(ROTATE, "replace", "two".into()), &stale, true, vec![&by_trigger, &by_staleness], true),
            (6, setting(WARN, "replace", "two".into()), &stale, true, vec![&by_trigger], false),
            (7, setting(ROTATE, "replace", "one".into()), &rotated(&[]), false, vec![], false),
            (8, setting(ROTATE, "replace", "one".into()), &rotated(&[(STALE, Value::Null)]), false, vec![], false),
        ] {
            let plan = planned(&config, prior);
            assert_eq!(plan.resets, resets, "resets in row {row}");
            assert_eq!(plan.replace.iter().collect::<Vec<_>>(), replaces, "replaces in row {row}");
            assert_eq!(plan.warns, warns, "warns in row {row}");
            let after = if resets { &Value::Bool(false) } else { prior.get(STALE) };
            assert_eq!(plan.state.get(STALE), after, "row {row}");
            if !replaces.is_empty() {
                assert_eq!(plan.state, planned(&config, &Value::Null).state, "core's second plan of row {row}");
            }
        }
    }

    #[test]
    fn a_password_that_is_due_is_rotated_in_the_way_of_the_mode() {
        let due = |changes: &[(&'static str, Value)]| {
            let changes = [&[(ROTATE_AFTER, "90d".into()), (ROTATION_DUE, true.into())], changes].concat();
            rotated(&changes)
        };
        let setting = |after: Value, mode: &str, trigger: Value| {
            config(&[(ROTATE_AFTER, after), (ROTATION_MODE, mode.into()), (ROTATION_TRIGGER, trigger)])
        };
        let replace = |after: Value| setting(after, "replace", "one".into());
        let in_place = |after: Value| setting(after, IN_PLACE, "one".into());
        let (by_trigger, by_age) = (Path::attribute(ROTATION_TRIGGER), Path::attribute(ROTATION_DUE));
        let not_yet = due(&[(ROTATION_DUE, false.into())]);
        let never = due(&[(ROTATED_AT, Value::Null), (PASSWORD, Value::Null)]);
        // configuration, prior state, resets, replaces for
        for (row, config, prior, resets, replaces) in [
            (1, replace("90d".into()), due(&[]), true, vec![&by_age]),
            (2, in_place("90d".into()), due(&[]), true, vec![]),
            (3, replace("30d".into()), due(&[]), false, vec![]),
            (4, in_place("30d".into()), due(&[]), false, vec![]),
            (5, replace(Value::Null), due(&[]), false, vec![]),
            (6, in_place(Value::Null), due(&[]), false, vec![]),
            (7, replace(Value::Unknown), due(&[]), true, vec![&by_age]),
            (8, in_place(Value::Unknown), due(&[]), true, vec![]),
            (9, setting("90d".into(), "replace", "two".into()), due(&[]), true, vec![&by_trigger, &by_age]),
            (10, setting("90d".into(), IN_PLACE, "two".into()), due(&[]), true, vec![]),
            (11, setting("30d".into(), "replace", "two".into()), due(&[]), true, vec![&by_trigger]),
            (12, setting(Value::Null, IN_PLACE, "two".into()), due(&[]), true, vec![]),
            (13, replace("90d".into()), not_yet.clone(), false, vec![]),
            (14, replace(Value::Unknown), not_yet.clone(), false, vec![]),
            (15, in_place(Value::Unknown), not_yet, false, vec![]),
            (16, replace("90d".into()), never.clone(), false, vec![]),
            (17, in_place(Value::Unknown), never, false, vec![]),
            (18, replace("90d".into()), rotated(&[]), false, vec![]),
        ] {
            let plan = planned(&config, &prior);
            assert_eq!(plan.resets, resets, "resets in row {row}");
            assert_eq!(plan.replace.iter().collect::<Vec<_>>(), replaces, "replaces in row {row}");
            // A state in which the password is due although it was never reset is not one that a refresh stores.
            assert_eq!(plan.state.get(ROTATION_DUE), &Value::Bool(row == 16), "due in row {row}");
            assert!(!plan.warns, "row {row}");
            if !resets {
                assert_eq!(plan.state.get(PASSWORD), prior.get(PASSWORD), "row {row}");
            }
            if !replaces.is_empty() {
                assert_eq!(plan.state, planned(&config, &Value::Null).state, "core's second plan of row {row}");
            }
        }
    }

    #[test]
    fn an_age_that_is_decided_at_apply_leaves_open_what_a_rotation_changes() {
        for stale in [false, true] {
            let changes = [
                (ROTATE_AFTER, "90d".into()),
                (ROTATION_DUE, true.into()),
                (STALE, stale.into()),
                (VERIFIED, true.into()),
            ];
            let prior = rotated(&changes);
            let plan = |after: Value| {
                let in_place = (ROTATION_MODE, IN_PLACE.into());
                planned(&config(&[(ROTATE_AFTER, after), in_place, (ROTATION_TRIGGER, "one".into())]), &prior).state
            };
            let before = plan(Value::Unknown);
            for after in ["90d".into(), "30d".into(), Value::Null].map(plan) {
                for attribute in schema::schema().attributes {
                    let (before, after) = (before.get(&attribute.name), after.get(&attribute.name));
                    assert!(before.is_unknown() || before == after, "{}", attribute.name);
                }
            }
        }
    }

    #[test]
    fn what_may_turn_out_to_reset_nothing_leaves_open_whether_it_heals() {
        for prior in [Value::Null, Value::Bool(false), Value::Bool(true)].map(|stale| rotated(&[(STALE, stale)])) {
            let mode = (ROTATION_MODE, IN_PLACE.into());
            for argument in [ROTATION_TRIGGER, ON_EXTERNAL_CHANGE] {
                let plan = |value: Value| {
                    let trigger = (ROTATION_TRIGGER, "one".into());
                    planned(&config(&[mode.clone(), trigger, (argument, value)]), &prior).state
                };
                let before = plan(Value::Unknown);
                let values: &[&str] = if argument == ROTATION_TRIGGER { &["one", "two"] } else { &[WARN, ROTATE] };
                for value in values {
                    let after = plan((*value).into());
                    for attribute in schema::schema().attributes {
                        let (before, after) = (before.get(&attribute.name), after.get(&attribute.name));
                        assert!(before.is_unknown() || before == after, "{argument} = {value}: {}", attribute.name);
                    }
                }
            }
        }
    }

    #[test]
    fn how_a_verification_ends_is_open_only_where_the_apply_resets() {
        let verify = || Value::object([("host", "mail.example.com".into())]);
        let in_place = (ROTATION_MODE, IN_PLACE.into());
        // verify, trigger, verified before, verified in the plan
        for (row, verify, trigger, before, expected) in [
            (1, Value::Null, "one".into(), true.into(), true.into()),
            (2, Value::Null, "two".into(), true.into(), Value::Null),
            (3, Value::Null, Value::Unknown, true.into(), Value::Unknown),
            (4, Value::Null, Value::Unknown, Value::Null, Value::Null),
            (5, verify(), "one".into(), Value::Null, Value::Null),
            (6, verify(), "one".into(), false.into(), false.into()),
            (7, verify(), "two".into(), true.into(), Value::Unknown),
            (8, Value::Unknown, "two".into(), true.into(), Value::Unknown),
        ] {
            let config = config(&[in_place.clone(), (ROTATION_TRIGGER, trigger), (VERIFY, verify)]);
            let plan = planned(&config, &rotated(&[in_place.clone(), (VERIFIED, before)]));
            assert_eq!(plan.state.get(VERIFIED), &expected, "row {row}");
        }
        for (verify, expected) in [(Value::Null, Value::Null), (verify(), Value::Unknown)] {
            let config = config(&[(VERIFY, verify)]);
            assert_eq!(planned(&config, &Value::Null).state.get(VERIFIED), &expected);
        }
    }

    #[test]
    fn a_change_of_where_to_verify_resets_nothing() {
        for verify in [Value::Null, Value::Unknown, Value::object([("host", "mail.example.com".into())])] {
            let config = config(&[(ROTATION_TRIGGER, "one".into()), (VERIFY, verify)]);
            let plan = planned(&config, &rotated(&[]));
            assert!(!plan.resets && plan.replace.is_empty());
            assert_eq!(plan.state.get(PASSWORD), &Secret::new("old").into());
        }
    }

    #[test]
    fn after_the_adoption_the_next_change_rotates() {
        let mut adopted = imported();
        adopted.set(ROTATION_TRIGGER, "one");
        let plan = planned(&config(&[(ROTATION_TRIGGER, "two".into())]), &adopted);
        assert!(plan.resets && !plan.replace.is_empty());
    }

    #[test]
    fn settings_that_reset_nothing_keep_the_password_known() {
        for change in [
            (TIMEOUTS, Value::object([("create", "90s".into())])),
            (ROTATION_MODE, IN_PLACE.into()),
            (SMTP_HOST, "smtp-eu1.hubapi.com".into()),
            (SMTP_PORT, 465_u16.into()),
        ] {
            let config = config(&[(ROTATION_TRIGGER, "one".into()), change.clone()]);
            let plan = planned(&config, &rotated(&[]));
            assert!(!plan.resets && plan.replace.is_empty(), "{}", change.0);
            assert!(plan.state.is_wholly_known(), "{}", change.0);
            assert_eq!(plan.state.get(PASSWORD), &Secret::new("old").into());
        }
    }

    #[test]
    fn an_argument_that_is_removed_gives_way_to_the_vendors() {
        let prior = rotated(&[(SMTP_HOST, "elsewhere".into())]);
        let plan = planned(&config(&[(ROTATION_TRIGGER, "one".into())]), &prior);
        assert!(!plan.resets);
        assert_eq!(plan.state.get(SMTP_HOST), &"smtp.hubapi.com".into());
    }

    #[test]
    fn another_target_replaces_and_resets() {
        let other = Value::object([("user_name", "other".into())]);
        let plan = planned(&config(&[("hubspot", other), (ROTATION_TRIGGER, "one".into())]), &rotated(&[]));
        assert!(plan.resets);
        assert_eq!(plan.replace, [Path::attribute("hubspot").then("user_name")]);
        assert_eq!(plan.state.get(ID), &"hubspot/other".into());
    }

    #[test]
    fn a_target_that_is_not_known_yet_leaves_what_follows_from_it_unknown() {
        for target in [Value::Unknown, Value::object([("user_name", Value::Unknown)])] {
            let plan = planned(&config(&[("hubspot", target)]), &Value::Null);
            assert!(plan.state.get(ID).is_unknown() && plan.state.get(USERNAME).is_unknown());
        }
    }

    #[test]
    fn the_second_plan_of_a_replacement_agrees_with_the_first() {
        let config = config(&[(ROTATION_TRIGGER, "two".into())]);
        assert_eq!(planned(&config, &rotated(&[])).state, planned(&config, &Value::Null).state);
    }
}

//! Private data: what a plan stores for the apply, and an apply for the next plan.
//!
//! Core plans a replacement twice. If the replacement deletes first, its deletion receives the private data of the
//! second plan, the one with a null prior state. A deletion therefore knows whether it is part of a replacement, and of
//! which credential.

use serde::{Deserialize, Serialize};

use super::names::SMTP_HOST;
use crate::{
    framework::{Private, plan::Draft, value::Value},
    provider::attributes::{target::StoredTarget, verify},
    rotation::SmtpEndpoint,
    vendors::Target,
};

/// The private data of a plan or a state. Data that cannot be parsed is treated as absent.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(in crate::provider) struct PrivateData {
    /// What the planned apply does; `None` in a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::provider) action: Option<PlannedAction>,
    /// Where a create will try the new password; `None` if that is not known yet, and in a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::provider) endpoint: Option<SmtpEndpoint>,
    /// Whether `smtp_host` was configured, so that removing it fetches the vendor's host again. In a plan, whether it
    /// was or is: after a failed apply core keeps the plan's private data together with the prior state.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::provider) smtp_host_was_configured: bool,
    /// Where the stored password has logged in; `None` if it never has. Only a rejection by that server proves that the
    /// password no longer works.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(in crate::provider) logged_in_at: Option<SmtpEndpoint>,
    /// The number of rotations in a row that only a stale password triggered.
    #[serde(skip_serializing_if = "is_zero")]
    pub(in crate::provider) healed: u32,
    /// Whether this plan's apply adds one to them; never set in a state.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(in crate::provider) heals: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes it so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

/// The plan that an apply belongs to.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::provider) enum PlannedAction {
    /// A create, alone or as the second half of a replacement, with its target if that was known.
    Create(Option<StoredTarget>),
    /// A destroy.
    Destroy,
}

impl PrivateData {
    /// The private data of the plan of a create or update. `heals` is whether only a stale password triggers its reset.
    pub(in crate::provider) fn of_plan(draft: &Draft, target: Option<&Target>, heals: bool) -> Self {
        let host = draft.config.get(SMTP_HOST);
        let is_create = draft.prior.is_null();
        let prior = Self::from(&draft.private);
        // Core plans the create of a replacement with a null state, and with the private data of the plan that required
        // it.
        let heals = heals || is_create && prior.heals;
        Self {
            logged_in_at: prior.logged_in_at,
            action: is_create.then(|| PlannedAction::Create(target.map(StoredTarget::of))),
            // An unknown host may turn out to be another server, so there is nothing to check before the delete.
            endpoint: verify::endpoint(&draft.planned).filter(|_| is_create && !host.is_unknown()),
            // Once set, it stays set until an apply without the argument has succeeded.
            smtp_host_was_configured: !host.is_null() || prior.smtp_host_was_configured,
            healed: if is_create && !heals { 0 } else { prior.healed },
            heals,
        }
    }

    /// The private data of a planned destroy.
    pub(in crate::provider) fn of_destroy() -> Self {
        Self { action: Some(PlannedAction::Destroy), ..Self::default() }
    }

    /// The private data to keep with the prior state after the apply of `planned` failed.
    pub(in crate::provider) fn of_failure(planned: &Private) -> Private {
        Self { action: None, endpoint: None, heals: false, ..Self::from(planned) }.into()
    }

    /// Returns the number of rotations in a row for a stale password, counting this plan's apply.
    pub(in crate::provider) fn healed_after(&self) -> u32 {
        if self.heals { self.healed.saturating_add(1) } else { 0 }
    }

    /// The private data of a new state. `healed` counts the rotations in a row for a stale password.
    pub(in crate::provider) fn of_state(config: &Value, logged_in_at: Option<SmtpEndpoint>, healed: u32) -> Private {
        let logged_in_at = logged_in_at.map(SmtpEndpoint::without_timeout);
        Self { smtp_host_was_configured: !config.get(SMTP_HOST).is_null(), logged_in_at, healed, ..Self::default() }
            .into()
    }

    /// The private data of a create that is the second half of a replacement. `healed` counts the rotations in a row
    /// for a stale password, this one included; 0 if something else triggered it.
    pub(in crate::provider) fn of_second_half(planned: &Private, healed: u32) -> Private {
        match healed.checked_sub(1) {
            Some(before) => Self { healed: before, heals: true, ..Self::from(planned) }.into(),
            None => planned.clone(),
        }
    }

    /// Updates private data after the stored password has logged in.
    pub(in crate::provider) fn of_login(private: &Private, logged_in_at: Option<SmtpEndpoint>) -> Private {
        Self { logged_in_at: logged_in_at.map(SmtpEndpoint::without_timeout), ..Self::from(private) }.into()
    }

    /// Updates private data once the stored password is known to be current: the rotations so far have helped, so they
    /// are no longer counted.
    pub(in crate::provider) fn of_live(private: &Private) -> Private {
        Self { healed: 0, ..Self::from(private) }.into()
    }
}

/// Private data with nothing in it.
const NOTHING: &[u8] = b"{}";

impl From<PrivateData> for Private {
    fn from(notes: PrivateData) -> Self {
        // A map with string keys always serializes. Core stores these bytes, so empty data is stored as no bytes.
        let json = serde_json::to_vec(&notes).unwrap_or_default();
        Self(if json == NOTHING { Vec::new() } else { json })
    }
}

impl From<&Private> for PrivateData {
    fn from(private: &Private) -> Self {
        serde_json::from_slice(&private.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::attributes::configured::Configured;
    use crate::provider::attributes::target;

    fn draft(config: Value) -> Draft {
        Draft { prior: Value::Null, config, planned: Value::Null, replace: vec![], private: Private::default() }
    }

    #[test]
    fn a_state_keeps_where_a_password_logged_in_but_not_how_long_it_was_tried() {
        let host = Some("mail.example.com".to_owned());
        let timeout = Some(std::time::Duration::from_secs(90));
        let endpoint = SmtpEndpoint { host, port: 587, security: crate::smtp::Security::Tls, timeout };
        let config = Value::object([(SMTP_HOST, Value::Null)]);
        let at = |private: &Private| PrivateData::from(private).logged_in_at.unwrap();
        for private in [
            PrivateData::of_state(&config, Some(endpoint.clone()), 0),
            PrivateData::of_login(&Private::default(), Some(endpoint.clone())),
        ] {
            assert_eq!((at(&private), at(&private).timeout), (endpoint.clone(), None));
        }
    }

    #[test]
    fn a_mark_survives_the_way_through_core() {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        let target = target::of(&named, Configured::default()).unwrap().unwrap();
        let private = Private::from(PrivateData::of_plan(&draft(Value::Null), Some(&target), false));
        let Some(PlannedAction::Create(Some(noted))) = PrivateData::from(&private).action else {
            panic!("no target in {private:?}")
        };
        assert_eq!(noted.target(Configured::default()).unwrap().id(), "hubspot/a@b");
        assert!(matches!(
            PrivateData::from(&Private::from(PrivateData::of_destroy())).action,
            Some(PlannedAction::Destroy)
        ));
    }

    #[test]
    fn the_state_keeps_no_mark() {
        let config = Value::object([(SMTP_HOST, "mail.example.com".into())]);
        let planned = PrivateData::of_plan(&draft(config.clone()), None, true).into();
        for state in [PrivateData::of_state(&config, None, 1), PrivateData::of_failure(&planned)] {
            let notes = PrivateData::from(&state);
            assert!(notes.action.is_none() && !notes.heals && notes.smtp_host_was_configured);
        }
    }

    #[test]
    fn a_host_that_was_configured_stays_so_until_an_apply_without_it_has_worked() {
        let config = Value::object([(SMTP_HOST, Value::Null)]);
        let prior = PrivateData { smtp_host_was_configured: true, ..PrivateData::default() }.into();
        let planned = PrivateData::of_plan(&Draft { private: prior, ..draft(config.clone()) }, None, false).into();
        assert!(PrivateData::from(&PrivateData::of_failure(&planned)).smtp_host_was_configured);
        assert!(!PrivateData::from(&PrivateData::of_state(&config, None, 0)).smtp_host_was_configured);
    }

    #[test]
    fn rotations_for_a_stale_password_are_counted_until_there_is_another() {
        let config = Value::object([(SMTP_HOST, Value::Null)]);
        let at = |healed| Private::from(PrivateData { healed, ..PrivateData::default() });
        let existing = |private| Draft { prior: config.clone(), private, ..draft(config.clone()) };
        let new = |private| Draft { private, ..draft(config.clone()) };
        let after = |planned: &Private| PrivateData::from(planned).healed_after();

        for before in [0, 1, 7] {
            let heals = Private::from(PrivateData::of_plan(&existing(at(before)), None, true));
            let other = Private::from(PrivateData::of_plan(&existing(at(before)), None, false));
            assert_eq!((after(&heals), after(&other), PrivateData::from(&other).healed), (before + 1, 0, before));
            assert_eq!(PrivateData::of_failure(&heals), at(before), "a failed rotation is not counted");
            assert_eq!(PrivateData::of_live(&at(before)), at(0));
            // As replacements: core plans them once more, with what the first plan noted.
            let [heals, other] =
                [heals, other].map(|first| Private::from(PrivateData::of_plan(&new(first), None, false)));
            assert_eq!((after(&heals), after(&other)), (before + 1, 0));
            // When it is applied, core plans the create from nothing. The deletion has what was noted.
            for healed in [before + 1, 0] {
                let create = Private::from(PrivateData::of_plan(&new(Private::default()), None, false));
                assert_eq!(after(&PrivateData::of_second_half(&create, healed)), healed);
            }
        }
        assert_eq!(after(&PrivateData::of_plan(&new(Private::default()), None, false).into()), 0, "a create");
    }

    #[test]
    fn where_there_is_nothing_to_note_there_are_no_bytes() {
        let config = Value::object([(SMTP_HOST, Value::Null)]);
        let update = Draft { prior: Value::object([(SMTP_HOST, Value::Null)]), ..draft(config.clone()) };
        let planned = Private::from(PrivateData::of_plan(&update, None, false));
        let marked = Private::from(PrivateData::of_plan(&draft(config.clone()), None, false));
        assert_ne!(marked, Private::default(), "a create is marked");
        for private in [
            PrivateData::of_state(&config, None, 0),
            PrivateData::of_failure(&marked),
            PrivateData::of_failure(&planned),
            planned,
        ] {
            assert_eq!(private, Private::default());
        }
    }

    #[test]
    fn anything_else_is_no_note() {
        for bytes in ["", "{", "null", r#"{"action":"later"}"#, r#"{"schema_version":"0"}"#] {
            let notes = PrivateData::from(&Private(bytes.into()));
            assert!(notes.action.is_none() && !notes.smtp_host_was_configured, "{bytes}");
        }
    }
}

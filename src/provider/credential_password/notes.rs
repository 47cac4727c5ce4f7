//! What a plan writes down for the apply, and an apply for the next plan.
//!
//! Core plans a replacement twice, and hands the deletion of a delete-first replacement the private data of the plan whose
//! prior state was null. So a deletion can tell whether it is the first half of a replacement, and of which credential.

use serde::{Deserialize, Serialize};

use super::{schema::SMTP_HOST, verify::Place};
use crate::{
    framework::{Private, plan::Draft, value::Value},
    provider::target::{Noted, Target},
};

/// The private data of a plan or a state. What cannot be read counts as not written.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Notes {
    /// Which plan this is; none in a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) plan: Option<Mark>,
    /// Where a create will try the new password; none where that is not known yet, and in a state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<Place>,
    /// Whether `smtp_host` was configured, so that removing it fetches the vendor's again. In a plan, whether it was or is: beside a
    /// failed apply core keeps the plan's notes and the state from before.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(super) smtp_host_was_configured: bool,
    /// Where the stored password has logged in; none where it never has. Only that server can show by a refusal that it is dead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) proven: Option<Place>,
}

/// Which plan an apply belongs to.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mark {
    /// A create, alone or as the second half of a replacement; the target where it was known.
    Create(Option<Noted>),
    /// A destroy.
    Destroy,
}

impl Notes {
    /// The notes of a plan that is no destroy.
    pub(super) fn of_plan(draft: &Draft, target: Option<&Target>) -> Self {
        let host = draft.config.get(SMTP_HOST);
        let is_create = draft.prior.is_null();
        let prior = Self::from(&draft.private);
        Self {
            proven: prior.proven,
            plan: is_create.then(|| Mark::Create(target.map(Noted::of))),
            place: Place::of(&draft.planned).filter(|_| is_create && !host.is_unknown()),
            smtp_host_was_configured: !host.is_null() || prior.smtp_host_was_configured,
        }
    }

    /// The notes of a destroy.
    pub(super) fn of_destroy() -> Self {
        Self { plan: Some(Mark::Destroy), ..Self::default() }
    }

    /// What of a plan's notes stays beside the state from before.
    pub(super) fn of_failure(planned: &Private) -> Private {
        Self { plan: None, place: None, ..Self::from(planned) }.into()
    }

    /// What stays beside the state of this configuration, whose password has logged in there.
    pub(super) fn of_state(config: &Value, proven: Option<Place>) -> Private {
        Self { smtp_host_was_configured: !config.get(SMTP_HOST).is_null(), proven, ..Self::default() }.into()
    }

    /// The same notes, beside a password that has logged in there.
    pub(super) fn proven(private: &Private, proven: Option<Place>) -> Private {
        Self { proven, ..Self::from(private) }.into()
    }
}

/// Notes without a note.
const NOTHING: &[u8] = b"{}";

impl From<Notes> for Private {
    fn from(notes: Notes) -> Self {
        // Maps with text keys are always JSON. Core stores these bytes, so where there is nothing to note there are none.
        let json = serde_json::to_vec(&notes).unwrap_or_default();
        Self(if json == NOTHING { Vec::new() } else { json })
    }
}

impl From<&Private> for Notes {
    fn from(private: &Private) -> Self {
        serde_json::from_slice(&private.0).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(config: Value) -> Draft {
        Draft { prior: Value::Null, config, planned: Value::Null, replace: vec![], private: Private::default() }
    }

    #[test]
    fn a_mark_survives_the_way_through_core() {
        let named = Value::object([("hubspot", Value::object([("user_name", "a@b".into())]))]);
        let target = Target::of(&named).unwrap().unwrap();
        let private = Private::from(Notes::of_plan(&draft(Value::Null), Some(&target)));
        let Some(Mark::Create(Some(noted))) = Notes::from(&private).plan else { panic!("no target in {private:?}") };
        assert_eq!(noted.target().unwrap().id(), "hubspot/a@b");
        assert!(matches!(Notes::from(&Private::from(Notes::of_destroy())).plan, Some(Mark::Destroy)));
    }

    #[test]
    fn the_state_keeps_no_mark() {
        let config = Value::object([(SMTP_HOST, "mail.example.com".into())]);
        let planned = Notes::of_plan(&draft(config.clone()), None).into();
        for state in [Notes::of_state(&config, None), Notes::of_failure(&planned)] {
            let notes = Notes::from(&state);
            assert!(notes.plan.is_none() && notes.smtp_host_was_configured);
        }
    }

    #[test]
    fn a_host_that_was_configured_stays_so_until_an_apply_without_it_has_worked() {
        let config = Value::object([(SMTP_HOST, Value::Null)]);
        let prior = Notes { smtp_host_was_configured: true, ..Notes::default() }.into();
        let planned = Notes::of_plan(&Draft { private: prior, ..draft(config.clone()) }, None).into();
        assert!(Notes::from(&Notes::of_failure(&planned)).smtp_host_was_configured);
        assert!(!Notes::from(&Notes::of_state(&config, None)).smtp_host_was_configured);
    }

    #[test]
    fn where_there_is_nothing_to_note_there_are_no_bytes() {
        let config = Value::object([(SMTP_HOST, Value::Null)]);
        let update = Draft { prior: Value::object([(SMTP_HOST, Value::Null)]), ..draft(config.clone()) };
        let planned = Private::from(Notes::of_plan(&update, None));
        let marked = Private::from(Notes::of_plan(&draft(config.clone()), None));
        assert_ne!(marked, Private::default(), "a create is marked");
        for private in
            [Notes::of_state(&config, None), Notes::of_failure(&marked), Notes::of_failure(&planned), planned]
        {
            assert_eq!(private, Private::default());
        }
    }

    #[test]
    fn anything_else_is_no_note() {
        for bytes in ["", "{", "null", r#"{"plan":"later"}"#, r#"{"schema_version":"0"}"#] {
            let notes = Notes::from(&Private(bytes.into()));
            assert!(notes.plan.is_none() && !notes.smtp_host_was_configured, "{bytes}");
        }
    }
}

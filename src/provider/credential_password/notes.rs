//! What a plan writes down for the apply, and an apply for the next plan.
//!
//! Core plans a replacement twice, and hands the deletion of a delete-first replacement the private data of the plan whose
//! prior state was null. So a deletion can tell whether it is the first half of a replacement, and of which credential.

use serde::{Deserialize, Serialize};

use super::{schema::SMTP_HOST, verify::Place};
use crate::{
    framework::{Private, plan::Draft},
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
    /// Whether `smtp_host` was configured, so that removing it fetches the vendor's again.
    pub(super) smtp_host_was_configured: bool,
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
        Self {
            plan: is_create.then(|| Mark::Create(target.map(Noted::of))),
            place: Place::of(&draft.planned).filter(|_| is_create && !host.is_unknown()),
            smtp_host_was_configured: !host.is_null(),
        }
    }

    /// The notes of a destroy.
    pub(super) fn of_destroy() -> Self {
        Self { plan: Some(Mark::Destroy), ..Self::default() }
    }

    /// What of a plan's notes stays beside the state.
    pub(super) fn of_state(planned: &Private) -> Private {
        Self { plan: None, place: None, ..Self::from(planned) }.into()
    }
}

impl From<Notes> for Private {
    fn from(notes: Notes) -> Self {
        // Maps with text keys are always JSON.
        Self(serde_json::to_vec(&notes).unwrap_or_default())
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
    use crate::framework::value::Value;

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
        let state = Notes::of_state(&Notes::of_plan(&draft(config), None).into());
        let notes = Notes::from(&state);
        assert!(notes.plan.is_none() && notes.smtp_host_was_configured);
    }

    #[test]
    fn anything_else_is_no_note() {
        for bytes in ["", "{", "null", r#"{"plan":"later"}"#, r#"{"schema_version":"0"}"#] {
            let notes = Notes::from(&Private(bytes.into()));
            assert!(notes.plan.is_none() && !notes.smtp_host_was_configured, "{bytes}");
        }
    }
}

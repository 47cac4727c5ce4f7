//! What a plan writes down for the apply.
//!
//! Core plans a replacement twice, and hands the deletion of a delete-first replacement the private data of the plan whose
//! prior state was null. So a deletion can tell whether it is the first half of a replacement, and of which credential.

use serde::{Deserialize, Serialize};

use crate::{
    framework::{Private, value::Value},
    provider::target::{Noted, Target},
};

/// Which plan an apply belongs to.
#[derive(Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", tag = "plan")]
pub(super) enum Mark {
    /// A create, alone or as the second half of a replacement; the target where it was known.
    Create { target: Option<Noted> },
    /// A destroy.
    Destroy,
    /// Anything else, or a core that hands on something else.
    #[serde(other)]
    None,
}

impl Mark {
    /// The mark of a plan that is no destroy.
    pub(super) fn of_plan(prior: &Value, target: Option<&Target>) -> Self {
        if prior.is_null() { Self::Create { target: target.map(Noted::of) } } else { Self::None }
    }
}

impl From<Mark> for Private {
    fn from(mark: Mark) -> Self {
        match mark {
            Mark::None => Self::default(),
            // A map with text keys and text values is always JSON.
            mark => Self(serde_json::to_vec(&mark).unwrap_or_default()),
        }
    }
}

impl From<&Private> for Mark {
    fn from(private: &Private) -> Self {
        serde_json::from_slice(&private.0).unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_the_way_through_core() {
        let target = Target::from_import_id("hubspot/a@b").unwrap();
        let private = Private::from(Mark::of_plan(&Value::Null, Some(&target)));
        let Mark::Create { target: Some(noted) } = Mark::from(&private) else { panic!("no target in {private:?}") };
        assert_eq!(noted.target().unwrap().id(), "hubspot/a@b");
        assert!(matches!(Mark::from(&Private::from(Mark::Destroy)), Mark::Destroy));
    }

    #[test]
    fn anything_else_is_no_mark() {
        for bytes in ["", "{", "null", r#"{"plan":"later"}"#, r#"{"schema_version":"0"}"#] {
            assert!(matches!(Mark::from(&Private(bytes.into())), Mark::None), "{bytes}");
        }
    }
}

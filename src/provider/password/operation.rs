//! `timeouts`: the operations that take time, and how long each may take.

use super::names::TIMEOUTS;
use crate::{
    framework::{
        Call,
        schema::{Attribute, Type},
        value::Value,
    },
    provider::attributes::duration,
    vendors::Operation,
};

/// An operation with a timeout.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(in crate::provider) enum Timed {
    Create,
    Delete,
    Read,
    Update,
}

impl Timed {
    const ALL: [Self; 4] = [Self::Create, Self::Delete, Self::Read, Self::Update];

    /// Its name in `timeouts`.
    fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Delete => "delete",
            Self::Read => "read",
            Self::Update => "update",
        }
    }

    /// The default timeout, as a user would write it.
    fn default_timeout(self) -> &'static str {
        match self {
            Self::Create | Self::Update => "5m",
            Self::Delete | Self::Read => "1m",
        }
    }

    /// The argument `timeouts`.
    pub(in crate::provider) fn argument() -> Attribute {
        Attribute::optional(
            TIMEOUTS,
            Type::Object(Self::ALL.iter().map(|operation| operation.attribute()).collect()),
            "How long each operation may take, including waits for the vendor's rate limit. A reset that has been sent \
             is waited for beyond it, up to the provider's `request_timeout`.",
        )
    }

    fn attribute(self) -> Attribute {
        let description =
            format!("Timeout of `{}`, such as `90s`. Default: `{}`.", self.name(), self.default_timeout());
        Attribute::optional(self.name(), Type::String, description).validated_by(duration::check)
    }

    /// Starts the operation. Its timeout comes from `timeouts` in `state`, or from the default.
    pub(in crate::provider) fn operation(self, call: &Call, state: &Value) -> Operation {
        let configured = state.get(TIMEOUTS).get(self.name()).as_str();
        let timeout = duration::parse(configured.unwrap_or(self.default_timeout())).unwrap_or_default();
        Operation::new(timeout, call.stop.clone())
    }
}

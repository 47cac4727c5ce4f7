//! States, and the changes from one to the next.

use super::value::Value;

/// Bytes that core keeps beside a state or a plan and never shows. They are no place for secrets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Private(pub Vec<u8>);

/// A state and the private data beside it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceState {
    /// The state; null for no object.
    pub state: Value,
    /// The private data.
    pub private: Private,
}

/// One approved change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The state before; null for a create.
    pub prior: Value,
    /// What was planned, with unknowns.
    pub planned: Value,
    /// The configuration, wholly known; the only place of write-only values.
    pub config: Value,
    /// The private data that the plan answered with.
    pub private: Private,
}

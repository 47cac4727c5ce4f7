//! States, and the changes from one to the next.

use super::value::Value;

/// Bytes that core stores with a state or a plan and never shows. They are not encrypted, so they must not hold
/// secrets.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Private(pub Vec<u8>);

/// A state and its private data.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResourceState {
    /// The state; null if there is no object.
    pub state: Value,
    /// The private data.
    pub private: Private,
}

/// One approved change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The prior state; null for a create.
    pub prior: Value,
    /// The planned state, with unknown values.
    pub planned: Value,
    /// The configuration, wholly known. Only here are write-only values set.
    pub config: Value,
    /// The private data of the plan.
    pub private: Private,
}

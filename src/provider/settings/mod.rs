//! The provider's own configuration, and the connections that follow from it.

mod block;
mod certificates;
mod connections;
mod environment;

pub(in crate::provider) use self::{
    block::{schema, validate},
    connections::{Connection, Connections},
};

//! The provider block, and the connections that it configures.

mod block;
mod certificates;
mod connections;
mod environment;
mod http_block;
mod http_schema;

pub(in crate::provider) use self::{
    block::{schema, validate},
    connections::{Connection, Connections},
};

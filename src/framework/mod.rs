//! Terraform's concepts as plain Rust traits and types.
//!
//! The plugin server serves a [`Provider`] with its [`Resource`]s, [`ListResource`]s, [`DataSource`]s and [`Function`]s. The traits
//! document when core calls a method, what it guarantees, and what it expects in return. This module knows nothing of
//! gRPC, HTTP or SMTP.

mod call;
mod data_source;
pub mod decode_error;
pub mod diagnostic;
mod function;
pub mod json;
mod list_resource;
pub mod msgpack;
mod new_state;
pub mod number;
pub mod object;
pub mod plan;
mod provider;
mod resource;
pub mod schema;
mod shape;
mod slots;
mod state;
pub mod validate;
pub mod value;

pub use self::{
    call::Call,
    data_source::DataSource,
    decode_error::DecodeError,
    function::{Function, FunctionError, Signature},
    list_resource::{ListResource, Listed, Query},
    new_state::{Crash, NewState},
    provider::{Client, Provider, TIME_TO_CLOSE},
    resource::Resource,
    state::{Change, Private, ResourceState},
};

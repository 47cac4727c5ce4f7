//! Any HTTP API, as the provider's `http` block describes it.
//!
//! A description becomes a recipe for the engine that runs the built-in vendors that differ by value only. So nothing
//! that keeps a reset safe is up to its author.

mod checks;
mod compile;
mod description;
mod placeholders;
mod request_checks;
mod unconfigured;

pub use self::{
    checks::{Fault, faults},
    compile::{HttpApi, compile},
    description::{Address, Description, ErrorPlaces, Paging, Read, Request, Reset, Smtp},
    unconfigured::VENDOR,
};

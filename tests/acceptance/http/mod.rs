//! Any HTTP API, described in the provider block.

mod bad_input;
mod offline;
mod recipe;
mod recipes;
mod unsure;

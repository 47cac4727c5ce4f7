//! Any HTTP API, described in the provider block.

mod api;
mod bad_input;
mod importing;
mod lists;
mod offline;
mod placeholders;
mod recipe;
mod recipes;
mod secrets;
mod unsure;

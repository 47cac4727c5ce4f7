//! The plugin server.
mod wire;

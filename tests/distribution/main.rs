//! The packages that registries expect, and the core that is fetched where none is installed.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod fetching;
#[cfg(unix)]
mod packages;
#[cfg(unix)]
mod pipeline;
mod server;

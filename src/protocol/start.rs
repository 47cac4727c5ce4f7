//! How the process was started.

/// How the process was started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// By core, with the settings of its handshake in the environment.
    ByCore,
    /// By a developer who debugs the provider. Without TLS; core finds the process through `TF_REATTACH_PROVIDERS`.
    ForDebugging,
}

//! Who starts the process.

/// Who starts the process.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// Core, which says through the environment how it wants to connect.
    ByCore,
    /// Someone who debugs the provider. Without TLS; core is told where by `TF_REATTACH_PROVIDERS`.
    ForDebugging,
}

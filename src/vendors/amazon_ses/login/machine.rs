//! What the services have in common that give credentials to a machine.

use std::time::Duration;

use crate::http::{ErrorFormat, Form};

/// The format of errors is not documented.
pub(super) static UNDOCUMENTED: ErrorFormat = ErrorFormat {
    refusal: Form(&[]),
    code: &[],
    codes: &[],
    message: &[],
    fields: None,
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

/// How long a service on the same machine is waited for. Elsewhere its address leads nowhere.
pub(super) const TIME: Duration = Duration::from_secs(3);

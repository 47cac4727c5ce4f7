//! The receiver of a rotation's results.

use jiff::Timestamp;

use super::endpoint::SmtpEndpoint;
use crate::{
    secret::{Name, Secret},
    smtp::{Failure, Server},
    vendors::Note,
};

/// Receives the results of a rotation as soon as they are known.
///
/// [`Rotator::rotate`](super::Rotator::rotate) calls these methods in order: `revoked` if the request
/// revokes a credential first, `doubt`, then either `settle`, or `store`
/// once or more, with notices after the first `store`. After `doubt` alone the outcome is unknown. No method may fail,
/// block or log, because nothing may come between the vendor's response and the state.
pub(crate) trait Sink: Sync {
    /// Called when the credential that the request revokes first is revoked. Nothing else has changed yet.
    fn revoked(&self) {}

    /// Called immediately before the reset is sent. Until [`store`](Self::store) or [`settle`](Self::settle) follows,
    /// it is unknown whether the password was changed.
    fn doubt(&self);

    /// Called if the reset certainly did not happen. Nothing follows.
    fn settle(&self);

    /// Called with the new credential as soon as the vendor has returned it, and again with the same password when more
    /// is known about it. The state must be stored when this returns.
    fn store(&self, new: &NewCredential);

    /// Called with a warning about a reset that has happened, never before the first [`store`](Self::store).
    fn notice(&self, notice: Notice);
}

/// The credential after a reset.
#[derive(Clone, Debug)]
pub(crate) struct NewCredential {
    /// The password; `None` if it is the user's own.
    pub(crate) password: Option<Secret>,
    /// The user name that the vendor reports.
    pub(crate) username: Option<Name>,
    /// The vendor's last-changed marker; `None` if it may not be that of this reset.
    pub(crate) version: Option<Name>,
    /// The submission host, if the vendor was asked for it.
    pub(crate) smtp_host: Option<Name>,
    /// The time of the reset in whole microseconds, different from that of the previous reset.
    pub(crate) rotated_at: Timestamp,
    /// Whether the password has logged in.
    pub(crate) verified: Verified,
    /// Where the password has logged in.
    pub(crate) logged_in_at: Option<SmtpEndpoint>,
}

/// Whether a new password works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verified {
    /// It logged in.
    LoggedIn,
    /// It did not log in within the timeout.
    Rejected,
    /// It was not tried, or the login was interrupted.
    NotChecked,
}

/// A warning about a reset that has happened.
#[derive(Debug)]
pub(crate) enum Notice {
    /// This run had already reset the same credential for another resource, whose password no longer works.
    ResetAgain,
    /// A pair of this run has it as the previous credential, whose password no longer works.
    ResetOfPrevious,
    /// The password is stored in another Unicode form than the vendor returned.
    PasswordRecomposed,
    /// The vendor's response names another user than the state.
    OtherUser(Name),
    /// The new password was not tried because the user name is unknown.
    NoUsername,
    /// The new password did not log in within the timeout.
    LoginFailed { server: Box<Server>, failure: Failure },
    /// The login was interrupted, so it is unknown whether the password works.
    LoginInterrupted { server: Box<Server> },
    /// The mail server still accepts the previous password, although the new one has logged in.
    PreviousAccepted { server: Box<Server> },
    /// The previous password could not be tried; without a failure, the login was interrupted.
    PreviousNotTried { server: Box<Server>, failure: Option<Failure> },
    /// A note of the vendor.
    Vendor(Note),
}

//! Where a rotation puts what it knows, the moment it knows it.

use jiff::Timestamp;

use super::endpoint::SmtpEndpoint;
use crate::{
    secret::{Name, Secret},
    smtp::{Failure, Server},
    vendors::Note,
};

/// Where a rotation puts what it knows, the moment it knows it.
///
/// No method fails, waits or logs: between the vendor's response and the state there is nothing that could lose the password.
pub(crate) trait Sink: Sync {
    /// Called just before the reset is sent. From here until [`store`](Self::store) or [`settle`](Self::settle) nobody knows
    /// whether the password was changed.
    fn doubt(&self);

    /// Called when the reset is proven not to have happened.
    fn settle(&self);

    /// Called with what a reset has made, and again with the same password whenever more is known of it.
    fn store(&self, new: &NewCredential);

    /// Called with what the user should know about a reset that has happened, after the first [`store`](Self::store).
    fn notice(&self, notice: Notice);
}

/// What a reset has made.
#[derive(Clone, Debug)]
pub(crate) struct NewCredential {
    /// The password; `None` where the user has made it.
    pub(crate) password: Option<Secret>,
    /// The user name that the vendor reports.
    pub(crate) username: Option<Name>,
    /// What the vendor reports as the credential's last change; `None` where that may be another than this reset.
    pub(crate) version: Option<Name>,
    /// The submission host, where the vendor was to be asked for it.
    pub(crate) smtp_host: Option<Name>,
    /// When it was made, in whole microseconds, and another time than that of what it replaces.
    pub(crate) rotated_at: Timestamp,
    /// Whether the password has logged in.
    pub(crate) verified: Verified,
    /// Where it has.
    pub(crate) logged_in_at: Option<SmtpEndpoint>,
}

/// What is known of a new password.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Verified {
    /// It logged in.
    LoggedIn,
    /// It did not, for as long as it was tried.
    Rejected,
    /// It was not tried, or the login was cut short.
    NotChecked,
}

/// Something about a reset that has happened.
#[derive(Debug)]
pub(crate) enum Notice {
    /// This run had reset the same credential before, for another resource, whose password is now dead.
    ResetAgain,
    /// The password is stored in another Unicode form than the vendor gave it.
    PasswordRecomposed,
    /// The vendor's response names another user than the state does.
    OtherUser(Name),
    /// The new password was not tried: nobody knows the user name.
    NoUsername,
    /// The new password did not log in, for as long as it was tried.
    LoginFailed { server: Box<Server>, failure: Failure },
    /// The login was cut short, so nothing is known.
    LoginInterrupted { server: Box<Server> },
    /// What the vendor reports about it.
    Vendor(Note),
}

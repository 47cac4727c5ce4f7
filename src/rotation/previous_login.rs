//! Tries the previous password once the new one has logged in, to show that it no longer works.
//!
//! If a replacement creates first, the create does not know the previous password; the deletion that follows does. So
//! a create leaves a note of where the new password has logged in, and the deletion tries the old one there.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::time::timeout;

use super::{endpoint::SmtpEndpoint, login_queue::LoginQueues, reconcile::StoredLogin, sink::Notice};
use crate::{
    smtp::{Extent, Failure, Server},
    vendors::Operation,
};

/// Where new passwords of this process have logged in whose previous passwords were not known, by the id of the
/// credential.
#[derive(Debug, Default)]
pub(super) struct UntriedPrevious(Mutex<BTreeMap<String, SmtpEndpoint>>);

impl UntriedPrevious {
    /// Notes where a new password has logged in whose previous one is not known.
    pub(super) fn leave(&self, id: String, endpoint: SmtpEndpoint) {
        self.lock().insert(id, endpoint);
    }

    /// Takes the note about a credential.
    pub(super) fn take(&self, id: &str) -> Option<SmtpEndpoint> {
        self.lock().remove(id)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, SmtpEndpoint>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Logs in once with the previous password, by the mechanism with which the new one has logged in. Returns what the
/// user should know; nothing if the password is rejected with 535.
pub(super) async fn try_previous(
    op: &Operation,
    logins: &LoginQueues,
    server: &Server,
    endpoint: &SmtpEndpoint,
    login: &StoredLogin,
) -> Option<Notice> {
    let reply = async {
        let guard = logins.acquire(server).await;
        let mut tried = guard.tried(1);
        let login = server.log_in_again(&login.username, &login.password, Extent::One, &mut tried);
        let login = timeout(endpoint.timeout(), login).await.ok()?;
        let reply = login.answer.clone();
        // The reply is known; closing the session is optional, unless it contradicts the reply.
        Some(timeout(endpoint.timeout(), login.leave()).await.unwrap_or(reply))
    };
    let reply = op.wait(reply).await.ok().flatten();
    let not_tried =
        |failure: Option<Failure>| Some(Notice::PreviousNotTried { server: server.clone().into(), failure });
    match reply {
        Some(Ok(())) => Some(Notice::PreviousAccepted { server: server.clone().into() }),
        Some(Err(failure)) if failure.is_wrong_password() => None,
        Some(Err(failure)) => not_tried(Some(failure)),
        None => not_tried(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smtp::Security;

    #[test]
    fn where_a_new_password_has_logged_in_is_noted_until_it_is_taken() {
        let untried = UntriedPrevious::default();
        let endpoint = SmtpEndpoint { host: None, port: 587, security: Security::Tls, timeout: None };
        untried.leave("a".to_owned(), endpoint.clone());
        assert_eq!([untried.take("b"), untried.take("a"), untried.take("a")], [None, Some(endpoint), None]);
    }
}

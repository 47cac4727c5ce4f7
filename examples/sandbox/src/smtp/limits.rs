//! What a mail server puts up with from one address.

use std::{
    collections::VecDeque,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::super::lock;

/// Nothing is limited until it is asked for.
#[derive(Default)]
pub(crate) struct Limits {
    ban: Mutex<Option<Ban>>,
    logins: Mutex<Option<Logins>>,
}

/// After this many refused logins nobody is admitted any more, as with fail2ban.
struct Ban {
    most: usize,
    refused: usize,
}

/// So many AUTH commands in any such time, refused ones among them, as Postfix's `smtpd_client_auth_rate_limit` has it.
struct Logins {
    most: usize,
    per: Duration,
    past: VecDeque<Instant>,
}

impl Limits {
    /// Lets nobody in any more after so many refused logins from now on.
    pub(crate) fn ban_after(&self, refused: usize) {
        *lock(&self.ban) = Some(Ban { most: refused, refused: 0 });
    }

    /// Lets so many log in in any such time.
    pub(crate) fn allow(&self, logins: usize, per: Duration) {
        *lock(&self.logins) = Some(Logins { most: logins, per, past: VecDeque::new() });
    }

    /// Notes a refused login.
    pub(crate) fn refused(&self) {
        if let Some(ban) = &mut *lock(&self.ban) {
            ban.refused += 1;
        }
    }

    /// Returns whether a client is admitted.
    pub(crate) fn lets_in(&self) -> bool {
        lock(&self.ban).as_ref().is_none_or(|ban| ban.refused < ban.most)
    }

    /// Counts an AUTH command, and returns whether it is looked at.
    pub(crate) fn lets_log_in(&self) -> bool {
        let mut logins = lock(&self.logins);
        let Some(Logins { most, per, past }) = &mut *logins else { return true };
        let now = Instant::now();
        past.retain(|at| now.duration_since(*at) < *per);
        past.push_back(now);
        past.len() <= *most
    }
}

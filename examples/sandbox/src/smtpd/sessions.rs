//! The access tokens and the refresh token of one account.

use std::time::{Duration, Instant};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::super::random;

/// Who is logged in: any number of access tokens, and one refresh token at most.
pub(crate) struct Sessions {
    /// How long the access tokens live that are given out from now on.
    pub lifetime: Duration,
    access: Vec<Access>,
    refresh: Option<Refresh>,
}

struct Access {
    token: String,
    user_name: String,
    expires: Option<Instant>,
}

struct Refresh {
    token: String,
    user_name: String,
}

/// What a login gives.
pub(crate) struct Granted {
    /// The access token.
    pub access_token: String,
    /// The refresh token.
    pub refresh_token: String,
}

impl Default for Sessions {
    fn default() -> Self {
        Self { lifetime: Duration::from_hours(1), access: Vec::new(), refresh: None }
    }
}

impl Sessions {
    /// Logs a user or an API key in. The refresh token of the previous login is worth nothing from here on.
    pub(crate) fn grant(&mut self, user_name: &str) -> Granted {
        let refresh_token = random::alphanumeric(128);
        self.refresh = Some(Refresh { token: refresh_token.clone(), user_name: user_name.to_owned() });
        Granted { access_token: self.admit(user_name), refresh_token }
    }

    /// Gives another access token; nothing where the refresh token is worth nothing.
    pub(crate) fn refresh(&mut self, refresh_token: &str) -> Option<Granted> {
        let refresh = self.refresh.as_ref().filter(|refresh| refresh.token == refresh_token)?;
        let user_name = refresh.user_name.clone();
        Some(Granted { access_token: self.admit(&user_name), refresh_token: refresh_token.to_owned() })
    }

    /// Makes the refresh token worthless; returns whether it was worth something.
    pub(crate) fn revoke(&mut self, refresh_token: &str) -> bool {
        self.refresh.take_if(|refresh| refresh.token == refresh_token).is_some()
    }

    /// Returns who is logged in with an access token.
    pub(crate) fn check(&self, access_token: &str) -> Option<&str> {
        let alive = |access: &&Access| {
            access.token == access_token && access.expires.is_none_or(|expires| expires > Instant::now())
        };
        self.access.iter().find(alive).map(|access| access.user_name.as_str())
    }

    /// Ends what was given to a user or an API key.
    pub(crate) fn end_of(&mut self, user_name: &str) {
        self.access.retain(|access| access.user_name != user_name);
        self.refresh.take_if(|refresh| refresh.user_name == user_name);
    }

    /// Ends every access token.
    pub(crate) fn expire_access(&mut self) {
        self.access.clear();
    }

    /// Ends the refresh token.
    pub(crate) fn expire_refresh(&mut self) {
        self.refresh = None;
    }

    fn admit(&mut self, user_name: &str) -> String {
        let token = token();
        let expires = Instant::now().checked_add(self.lifetime);
        self.access.push(Access { token: token.clone(), user_name: user_name.to_owned(), expires });
        token
    }
}

/// In the shape of a JWT (RFC 7519), which nobody but the vendor can check.
fn token() -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let payload = URL_SAFE_NO_PAD.encode(r#"{"iss":"SMTPD Inc"}"#);
    format!("{header}.{payload}.{}", random::alphanumeric(43))
}

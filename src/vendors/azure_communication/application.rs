//! Entra applications, as Microsoft Graph shows them.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Deserialize;

use super::login::{CLIENT_ID, CLIENT_SECRET};
use crate::{
    http::{Answer, Error, Kind, Outcome, Result},
    secret::{Outside, Secret},
    vendors::{
        cache::Weigh,
        fields::Fields,
        listing::{Entries, Key, Listing, Scalar},
    },
};

/// What is asked for of an application.
pub(super) const FIELDS: &str = "id,appId,passwordCredentials";

/// An application.
#[derive(Debug)]
pub(super) struct Application {
    client_id: Option<Outside>,
    /// Its client secrets, expired ones too.
    pub(super) secrets: Vec<ClientSecret>,
}

/// What Graph shows of a client secret.
#[derive(Debug)]
pub(super) struct ClientSecret {
    pub(super) id: Outside,
    pub(super) name: Option<Outside>,
    /// The first three characters.
    hint: Option<Outside>,
    pub(super) created_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
}

impl Application {
    /// Reads an application. A response about another one is an error.
    pub(super) async fn read(host: &str, id: &str, asked: impl Future<Output = Result<Answer>>) -> Result<Self> {
        let mut listing = Listing::at(host);
        let view: View = listing.page(asked).await?;
        if !view.id.0.raw().eq_ignore_ascii_case(id) {
            let reason = "it is about another application than the one requested";
            let error = Error::new(Kind::Unreadable, Outcome::NotChanged, host, reason);
            return Err(Error { status: Some(200), ..error });
        }
        let secrets = listing.entries(view.password_credentials)?.into_iter().map(ClientSecret::of).collect();
        Ok(Self { client_id: view.app_id.text().cloned(), secrets })
    }

    /// The secret with this id.
    pub(super) fn secret(&self, id: &str) -> Option<&ClientSecret> {
        self.secrets.iter().find(|secret| secret.id.raw().eq_ignore_ascii_case(id))
    }

    /// The ids of all its secrets.
    pub(super) fn ids(&self) -> BTreeSet<Outside> {
        self.secrets.iter().map(|secret| secret.id.clone()).collect()
    }
}

impl ClientSecret {
    fn of(view: SecretView) -> Self {
        let moment = |time: &Scalar| time.moment(|_| None);
        Self {
            id: view.key_id.0,
            name: view.display_name.text().cloned(),
            hint: view.hint.text().cloned(),
            created_at: moment(&view.start_date_time),
            ends_at: moment(&view.end_date_time),
        }
    }

    /// Returns whether it is no longer valid at this time.
    pub(super) fn has_ended(&self, now: Timestamp) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }
}

impl Weigh for Application {
    fn weight(&self) -> usize {
        let text = |text: &Option<Outside>| text.as_ref().map_or(0, |text| text.raw().len());
        let secret = |secret: &ClientSecret| {
            size_of::<ClientSecret>() + secret.id.raw().len() + text(&secret.name) + text(&secret.hint)
        };
        self.secrets.iter().map(secret).sum()
    }
}

/// The client secret that the provider logs in with, and its application.
#[derive(Debug)]
pub(super) struct Own {
    client_id: String,
    client_secret: Secret,
}

impl Own {
    /// The secret in the settings; `None` if they log in otherwise.
    pub(super) fn of(settings: &Fields) -> Option<Self> {
        let client_secret = settings.secret(&CLIENT_SECRET)?.clone();
        Some(Self { client_id: settings.get(&CLIENT_ID).to_owned(), client_secret })
    }

    /// The ids of the secrets that may be this one. A token does not show which one it was granted for, but an
    /// application shows how each of its secrets begins.
    pub(super) fn ids(&self, application: &Application) -> Vec<Outside> {
        let is_own = |id: &Outside| id.raw().eq_ignore_ascii_case(&self.client_id);
        if !application.client_id.as_ref().is_some_and(is_own) {
            return Vec::new();
        }
        let may_be = |secret: &&ClientSecret| {
            // Without a hint it may be this one: to spare one too many is better than to be locked out.
            secret.hint.as_ref().is_none_or(|hint| {
                // As a check, so nothing of the secret leaves it.
                let differs = |text: &str| if text.starts_with(hint.raw()) { Err(()) } else { Ok(()) };
                self.client_secret.check(differs).is_err()
            })
        };
        application.secrets.iter().filter(may_be).map(|secret| secret.id.clone()).collect()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    id: Key,
    #[serde(default)]
    app_id: Scalar,
    password_credentials: Entries<SecretView>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretView {
    key_id: Key,
    #[serde(default)]
    display_name: Scalar,
    #[serde(default)]
    hint: Scalar,
    #[serde(default)]
    start_date_time: Scalar,
    #[serde(default)]
    end_date_time: Scalar,
}

//! SMTPD's API keys, each with a secret.
//!
//! The vendor documents no SMTP login whose password could be reset. What can be rotated is an API key of the account: a
//! reset makes a new one, whose key is the user name and whose secret is the password, and the one before is then revoked.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    Appeared, Backend, Before, Field, Fields, Found, Held, ImportId, Listed, Note, Origin, Presence, Renewal, Reset,
    Submission, Trace, Vendor,
    bearer::{Bearer, Offer},
    check,
    told::Told,
};
use crate::{
    http::{Api, Client, Dialect, Error, Kind, Method, Operation, Outcome, Request, Result},
    secret::{Outside, Secret},
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "smtpd",
    title: "SMTPD",
    api_docs: "https://docs.smtpd.dev/api/account/api-keys",
    settings: &[&API_KEY, &API_SECRET, &BASE_URL, &PASSWORD, &USERNAME],
    logins: &[&[&API_KEY, &API_SECRET], &[&USERNAME, &PASSWORD]],
    rights: "the right to manage the account's API keys, which the role `iac` is meant for",
    advice: &[(
        "40102",
        "Check `api_key` and `api_secret`, or `username` and `password`. SMTPD revokes an API key that was not used for 90 days.",
    )],
    target: &[&NAME, &ROLE],
    identity: &[&NAME],
    scope: &[],
    import: ImportId::Credential,
    origin: Origin::Vendor,
    renewal: Renewal::Successor,
    tells_version: true,
    username: |_| None,
    smtp: Submission::Undocumented,
    connect: |settings, client| Arc::new(Smtpd::new(settings, client)),
};

static API_KEY: Field = Field::shown(
    "api_key",
    "API key to log in with, of the role `iac`. It must not be one that a resource rotates.",
    check::token,
)
.or_env("SMTPD_API_KEY");
static API_SECRET: Field = Field::secret("api_secret", "Secret of `api_key`.", check::token).or_env("SMTPD_API_SECRET");
static BASE_URL: Field = Field::shown(
    "base_url",
    "Where the API is, by default `https://api.smtpd.dev`. `http` is taken for this machine's loopback only.",
    check::base_url,
)
.or_env("SMTPD_BASE_URL");
static NAME: Field = Field::shown(
    "name",
    "Name of the API key, such as `newsletter`. It stays the same when a reset makes a new key.",
    check::line,
);
static PASSWORD: Field = Field::secret("password", "Password of `username`.", check::line).or_env("SMTPD_PASSWORD");
static ROLE: Field = Field::shown(
    "role",
    "What the API key may do: `iac`, `read_only`, `send_only` or `standard`.",
    |text| match text {
        "iac" | "read_only" | "send_only" | "standard" => Ok(()),
        _ => Err("must be `iac`, `read_only`, `send_only` or `standard`"),
    },
);
static USERNAME: Field = Field::shown(
    "username",
    "User to log in as; with `password` it takes the place of `api_key` and `api_secret`.",
    check::line,
)
.or_env("SMTPD_USERNAME");

/// Errors as in <https://docs.smtpd.dev/api/authentication>. A refused login comes with 403, as if a right were missing.
static DIALECT: Dialect = Dialect {
    code: &["code"],
    codes: &[("40102", Kind::Unauthorized), ("40106", Kind::Unauthorized)],
    message: &["message"],
    fields: None,
    request_id: &[],
    unprocessed: &[],
};

const KEYS: [&str; 4] = ["api", "v1", "account", "api_key"];

#[derive(Debug)]
struct Smtpd {
    api: Api,
    /// The key that the provider is logged in with; none where it is a user.
    own_key: Option<String>,
    login: Bearer,
    /// The ids of the keys that there were before anything was reset.
    before: Told<BTreeSet<Outside>>,
    keys: Told<Vec<ApiKey>>,
    /// The ids of the keys that resets have made here.
    made: Mutex<BTreeSet<Outside>>,
}

#[async_trait]
impl Backend for Smtpd {
    /// A list holds all keys of the account: no paging of it is documented. One that was revoked stays on it.
    async fn read(&self, op: &Operation, _: &Fields, held: &Held) -> Result<Presence> {
        // A reset whose answer told no id leaves nothing to look for.
        let Some(id) = &held.version else { return Ok(Presence::Found(Found::default())) };
        let keys = self.keys.get(op, "", self.fetch(op)).await?;
        match keys.iter().find(|key| key.id.raw() == id && key.is_active) {
            Some(key) => Ok(Presence::Found(key.found())),
            None => Ok(Presence::Gone),
        }
    }

    /// Asks for the keys, once: who may not see them may not make one. A new key can be made whatever has become of the old one, so
    /// that is not looked for.
    async fn check(&self, op: &Operation, _: &Fields, held: &Held) -> Result<Presence> {
        self.spare_login(held)?;
        let ids = async { Ok(self.fetch(op).await?.into_iter().map(|key| key.id).collect()) };
        self.before.get(op, "", ids).await?;
        Ok(Presence::Found(Found::default()))
    }

    /// A revoked key is no credential any more, though it stays on the vendor's list.
    async fn list(&self, op: &Operation, _: &Fields) -> Result<Vec<Listed>> {
        let keys = self.keys.get(op, "", self.fetch(op)).await?;
        Ok(keys.iter().filter(|key| key.is_active).map(ApiKey::listed).collect())
    }

    /// Whoever revokes the key that they are logged in with does not get in again.
    fn spare_login(&self, held: &Held) -> Result<()> {
        match &held.username {
            Some(key) if self.own_key.as_ref() == Some(key) => Err(Error::new(
                Kind::OwnLogin,
                Outcome::NotChanged,
                self.api.host(),
                "the provider is logged in with this API key, and would lock itself out by revoking it",
            )),
            _ => Ok(()),
        }
    }

    /// <https://docs.smtpd.dev/api/account/api-keys>: the fields of this answer are capitalised, those of a list are not, so both are read.
    async fn reset(&self, op: &Operation, target: &Fields, _: Option<&Secret>) -> Result<Reset> {
        self.keys.forget(op).await?;
        let fields = [&NAME, &ROLE].map(|field| (field.name, target.text(field).unwrap_or_default().into()));
        let send = |token| self.request(Method::POST, &[], &token).json(fields.to_vec()).reset(op);
        let answer = self.login.send(op, &self.api, send).await?;
        let password = answer.secret(&["Secret"]).map_or_else(|| answer.password(&["secret"]), Ok)?;
        let text = |name| answer.text(&[name]).filter(|text| !text.raw().is_empty());
        let (key, id) = (text("Key").or_else(|| text("key")), text("ID").or_else(|| text("id")));
        let [username, version] = [&key, &id].map(|text| text.as_ref().and_then(Outside::name));
        self.made().extend(id);
        let notes = if username.is_some() && version.is_some() { vec![] } else { vec![Note::OddAnswer] };
        Ok(Reset { password: Some(password), username, version, notes })
    }

    /// Keys of the name asked for whose ids are new: neither on the list from before, nor in the state, nor made here. Others may have
    /// made them.
    async fn look_back(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Trace> {
        let Some(listed) = self.before.kept(op, "").await? else { return Ok(Trace::Untold) };
        let keys = self.fetch(op).await?;
        let mut made = self.made();
        let is_new = |key: &ApiKey| {
            key.is_active
                && key.name.as_ref().map(Outside::raw) == target.text(&NAME)
                && before.held.version.as_deref() != Some(key.id.raw())
                && !listed.contains(&key.id)
                && !made.contains(&key.id)
        };
        let new = keys.iter().filter(|key| is_new(key));
        let new: Vec<_> = new.collect();
        // The next reset of this name did not make them.
        made.extend(new.iter().map(|key| key.id.clone()));
        let appeared = new.iter().map(|key| Appeared { id: key.id.name(), created_at: key.created_at() });
        Ok(if new.is_empty() { Trace::NoChange } else { Trace::Appeared(appeared.collect()) })
    }

    async fn retire(&self, op: &Operation, held: &Held) -> Result<()> {
        self.spare_login(held)?;
        let Some(id) = &held.version else { return Ok(()) };
        self.keys.forget(op).await?;
        let send = |token| self.request(Method::PUT, &[id, "revoke"], &token).set(op);
        match self.login.send(op, &self.api, send).await {
            Ok(_) => Ok(()),
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn close(&self, op: &Operation) {
        let Some(grant) = self.login.end(op).await else { return };
        let Some(refresh_token) = grant.refresh_token else { return };
        let request = self.api.request(Method::POST, &["oauth", "revoke"]).bearer(&grant.token);
        // Nothing depends on it, and there is nobody left to tell.
        let _ = request.json(vec![("refresh_token", refresh_token.into())]).read(op).await;
    }
}

impl Smtpd {
    fn new(settings: &Fields, client: &Client) -> Self {
        let text = |field| settings.text(field).map(str::to_owned);
        let own_key = text(&API_KEY);
        let [secret, password] = [&API_SECRET, &PASSWORD].map(|field| settings.secret(field).cloned());
        let login = Offer::Login {
            username: own_key.clone().or_else(|| text(&USERNAME)).unwrap_or_default(),
            password: secret.or(password).unwrap_or_default(),
        };
        Self {
            api: client.api(settings.base_url(&BASE_URL, "https://api.smtpd.dev"), &DIALECT),
            own_key,
            login: Bearer::granted(&["oauth", "token"], login),
            before: Told::default(),
            keys: Told::default(),
            made: Mutex::default(),
        }
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<Outside>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn request(&self, method: Method, path: &[&str], token: &Secret) -> Request {
        self.api.request(method, &[&KEYS, path].concat()).bearer(token)
    }

    async fn fetch(&self, op: &Operation) -> Result<Vec<ApiKey>> {
        let send = |token| self.request(Method::GET, &[], &token).read(op);
        self.login.send(op, &self.api, send).await?.json()
    }
}

/// A key as a list shows it.
#[derive(Debug, Deserialize)]
struct ApiKey {
    id: Outside,
    is_active: bool,
    key: Option<Outside>,
    name: Option<Outside>,
    /// In seconds since 1970.
    #[serde(default)]
    created_at_utc: serde_json::Value,
}

impl ApiKey {
    fn found(&self) -> Found {
        let mut target = Fields::default();
        // A name that cannot stand in a configuration is left for the configuration to say.
        if let Some(name) = &self.name {
            target.insert_told(&NAME, name);
        }
        let username = self.key.as_ref().and_then(Outside::name);
        Found { target, username, version: self.id.name(), ..Found::default() }
    }

    fn listed(&self) -> Listed {
        let Found { target, username, version, .. } = self.found();
        Listed { target, username, version, created_at: self.created_at() }
    }

    fn created_at(&self) -> Option<Timestamp> {
        let seconds = self.created_at_utc.as_i64().filter(|seconds| *seconds > 0)?;
        Timestamp::from_second(seconds).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::Settings;

    #[test]
    fn the_key_that_is_logged_in_is_spared_and_any_other_is_not() {
        let client = Client::new(Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(1),
            max_requests_per_second: None,
            user_agent: String::new(),
        });
        let mut settings = Fields::default();
        settings.insert(&API_KEY, Secret::new("own")).unwrap();
        let smtpd = Smtpd::new(&settings, &client);
        let spared = |key: &str| smtpd.spare_login(&Held { username: Some(key.to_owned()), ..Held::default() });
        let error = spared("own").unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::OwnLogin, Outcome::NotChanged));
        assert!(spared("other").is_ok() && smtpd.spare_login(&Held::default()).is_ok());
    }
}

//! SMTPD's API keys, each with a secret.
//!
//! The vendor documents no SMTP login whose password could be reset. What can be rotated is an API key of the account:
//! a reset creates a new one, whose key is the user name and whose secret is the password, and the previous one is then
//! revoked.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;

use super::{
    AppearedCredential, Before, Field, Fields, Found, ImportId, Listed, Note, Observation, PasswordSource, Presence,
    PriorCredential, Reset, ResetKind, SmtpDefaults, Vendor, VendorApi, VendorOrigin, absence,
    cache::{Cache, Weigh},
    check,
    listing::{Key, Listing, Object, Scalar},
    oauth::{TokenRequest, TokenSource},
};
use crate::{
    http::{Agreement, Answer, Api, Error, ErrorFormat, Form, Kind, Mark, Method, Operation, Outcome, Request, Result},
    secret::{Outside, Secret},
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "smtpd",
    origin: VendorOrigin::BuiltIn,
    title: "SMTPD",
    api_docs: "https://docs.smtpd.dev/api/account/api-keys",
    base_url: "https://api.smtpd.dev",
    base_url_of: |_| None,
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[&API_KEY, &API_SECRET, &PASSWORD, &USERNAME],
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
    password_source: PasswordSource::Vendor,
    longest_password: None,
    reset_kind: ResetKind::NewCredential,
    reset_delay: None,
    lag: None,
    reports_version: true,
    username: &|_| None,
    smtp: SmtpDefaults::Undocumented,
    connect: &|settings, api| Arc::new(Smtpd::new(settings, api)),
};

static API_KEY: Field = Field::shown(
    "api_key",
    "API key to log in with, with the role `iac`. It must not be one that a resource rotates.",
    check::token,
)
.or_env("SMTPD_API_KEY");
static API_SECRET: Field = Field::secret("api_secret", "Secret of `api_key`.", check::token).or_env("SMTPD_API_SECRET");
static NAME: Field = Field::shown(
    "name",
    "Name of the API key, such as `newsletter`. It stays the same when a reset creates a new key.",
    check::line,
);
static PASSWORD: Field = Field::secret("password", "Password of `username`.", check::line).or_env("SMTPD_PASSWORD");
static ROLE: Field = Field::shown(
    "role",
    "What the API key may do: `iac`, `read_only`, `send_only` or `standard`. SMTPD does not show the role of a key, so \
     it is not part of a generated configuration.",
    |text| match text {
        "iac" | "read_only" | "send_only" | "standard" => Ok(()),
        _ => Err("must be `iac`, `read_only`, `send_only` or `standard`"),
    },
);
static USERNAME: Field = Field::shown(
    "username",
    "User to log in as; used with `password` instead of `api_key` and `api_secret`.",
    check::line,
)
.or_env("SMTPD_USERNAME");

/// Errors as in <https://docs.smtpd.dev/api/authentication>. A rejected login comes with 403, as if a permission were
/// missing.
static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Number("/code")], &[Mark::Text("/message")]]),
    code: &["/code"],
    codes: &[("40102", Kind::Unauthorized), ("40106", Kind::Unauthorized)],
    message: &["/message"],
    fields: None,
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

const KEYS: [&str; 4] = ["api", "v1", "account", "api_key"];

#[derive(Debug)]
struct Smtpd {
    api: Api,
    /// The key that the provider is logged in with; none where it is a user.
    own_key: Option<String>,
    login: TokenSource,
    /// The ids of the keys that there were before anything was reset.
    before: Cache<BTreeSet<Outside>>,
    keys: Cache<Vec<ApiKey>>,
    /// The ids of the keys that resets have made here.
    made: Mutex<BTreeSet<Outside>>,
}

#[async_trait]
impl VendorApi for Smtpd {
    /// A list holds all keys of the account: no paging of it is documented. One that was revoked stays on it. One that
    /// is not on it is asked for by itself.
    async fn read(&self, op: &Operation, _: &Fields, prior: &PriorCredential) -> Result<Presence> {
        // Without an id from the reset's response there is nothing to look for.
        let Some(id) = &prior.version else { return Ok(Presence::Found(Found::default())) };
        let keys = self.keys.get_or_fetch(op, "", Box::pin(self.fetch(op))).await?;
        match keys.iter().find(|key| key.id.raw() == id) {
            Some(key) => Ok(key.presence()),
            None => absence::asked(self.one(op, id).await.map(|key| key.presence())),
        }
    }

    /// Fetches the keys once: without the permission to list them there is none to create one. A new key can be created
    /// even if the old one is gone, so that is not checked.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        self.refuse_own_login(target, prior)?;
        let ids = async { Ok(self.fetch(op).await?.into_iter().map(|key| key.id).collect()) };
        let ids = self.before.get_or_fetch(op, "", Box::pin(ids)).await?;
        // The key that is logged in with is on a list that is whole.
        if ids.is_empty() && self.own_key.is_some() {
            return Err(absence::contradiction(self.api.host(), absence::WITHOUT_OWN_KEY));
        }
        Ok(Presence::Found(Found::default()))
    }

    /// A revoked key is no credential any more, though it stays on the vendor's list.
    async fn list(&self, op: &Operation, _: &Fields) -> Result<Vec<Listed>> {
        let keys = self.keys.get_or_fetch(op, "", Box::pin(self.fetch(op))).await?;
        Ok(keys.iter().filter(|key| key.is_active).map(ApiKey::listed).collect())
    }

    /// Revoking the key that the provider logs in with would lock it out.
    fn refuse_own_login(&self, _: &Fields, prior: &PriorCredential) -> Result<()> {
        match &prior.username {
            Some(key) if self.own_key.as_ref() == Some(key) => Err(Error::new(
                Kind::OwnLogin,
                Outcome::NotChanged,
                self.api.host(),
                "the provider logs in with this API key and would lock itself out by revoking it",
            )),
            _ => Ok(()),
        }
    }

    /// <https://docs.smtpd.dev/api/account/api-keys>: the fields of this response are capitalized, those of a list are
    /// not, so both are read.
    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset> {
        self.keys.forget(op).await?;
        let fields = [&NAME, &ROLE].map(|field| (field.name, target.get(field).into()));
        let send = |token| self.request(Method::POST, &[], &token).json(fields.to_vec()).reset(op);
        let answer = self.login.send(op, send).await?;
        let password = answer.secret("/Secret").map_or_else(|| answer.password("/secret"), Ok)?;
        let text = |pointer| answer.text(pointer).filter(|text| !text.raw().is_empty());
        let (key, id) = (text("/Key").or_else(|| text("/key")), text("/ID").or_else(|| text("/id")));
        let [username, version] = [&key, &id].map(|text| text.as_ref().and_then(Outside::name));
        self.made().extend(id);
        let notes = if username.is_some() && version.is_some() { vec![] } else { vec![Note::UndocumentedResponse] };
        Ok(Reset { password: Some(password), username, version, notes })
    }

    /// Looks for keys with the requested name and a new id: not on the list before the reset, not in the state, and not
    /// created here. Others may have created them.
    async fn find_lost_reset(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Observation> {
        let Some(listed) = self.before.kept(op, "").await? else { return Ok(Observation::Unknown) };
        let keys = self.fetch(op).await?;
        let mut made = self.made();
        let is_new = |key: &ApiKey| {
            key.is_active
                && key.name.as_ref().map(Outside::raw) == target.text(&NAME)
                && before.prior.version.as_deref() != Some(key.id.raw())
                && !listed.contains(&key.id)
                && !made.contains(&key.id)
        };
        let new: Vec<_> = keys.iter().filter(|key| is_new(key)).collect();
        // The next reset of this name did not make them.
        made.extend(new.iter().map(|key| key.id.clone()));
        let appeared = new.iter().map(|key| AppearedCredential { id: key.id.name(), created_at: key.created_at });
        Ok(if new.is_empty() { Observation::Unchanged } else { Observation::Appeared(appeared.collect()) })
    }

    async fn revoke(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<()> {
        self.refuse_own_login(target, prior)?;
        let Some(id) = &prior.version else { return Ok(()) };
        // The state has only the id of a previous key, and the login names its key.
        if prior.username.is_none() && self.own_key.is_some() {
            let username = self.one(op, id).await?.key.map(|key| key.raw().to_owned());
            self.refuse_own_login(target, &PriorCredential { username, ..prior.clone() })?;
        }
        self.keys.forget(op).await?;
        let send = |token| self.request(Method::PUT, &[id, "revoke"], &token).set(op, &Agreement::Undocumented);
        match self.login.send(op, send).await {
            Ok(answer) if answer.is_empty() => Ok(()),
            // The response to a revocation is not documented, but that of a key is.
            Ok(answer) => match absence::asked(self.one(op, id).await.map(|key| key.presence())) {
                Ok(Presence::Gone) => Ok(()),
                Ok(Presence::Found(_)) => Err(answer.unreadable("the key is still active after it").unconfirmed()),
                Err(error) => Err(error.unconfirmed()),
            },
            Err(error) => Err(error),
        }
    }

    async fn close(&self, op: &Operation) {
        let Some(grant) = self.login.end(op).await else { return };
        let Some(refresh_token) = grant.refresh_token else { return };
        let request = self.api.request(Method::POST, &["oauth", "revoke"]).bearer(&grant.token);
        // Nothing depends on it, and there is no call left to report it to.
        let _ = request.json(vec![("refresh_token", refresh_token.into())]).read(op).await;
    }
}

impl Smtpd {
    fn new(settings: &Fields, api: Api) -> Self {
        let own_key = settings.text(&API_KEY).map(str::to_owned);
        let (username, password) = match own_key {
            Some(_) => (&API_KEY, &API_SECRET),
            None => (&USERNAME, &PASSWORD),
        };
        let login = TokenRequest::Login {
            username: settings.get(username).to_owned(),
            password: settings.get_secret(password),
        };
        Self {
            login: TokenSource::granted(api.clone(), &["oauth", "token"], login),
            api,
            own_key,
            before: Cache::default(),
            keys: Cache::default(),
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
        let mut listing = Listing::at(self.api.host());
        let page = listing.next(self.ask(op, &[])).await?;
        Ok(listing.entries(page)?.into_iter().map(ApiKey::of).collect())
    }

    /// Fetches one key. A response about another key is an error.
    async fn one(&self, op: &Operation, id: &str) -> Result<ApiKey> {
        let answer = self.ask(op, &[id]).await?;
        let Object(view) = answer.json()?;
        let key = ApiKey::of(view);
        if key.id.raw() == id {
            Ok(key)
        } else {
            Err(answer.unreadable("it is about another key than the one requested"))
        }
    }

    async fn ask(&self, op: &Operation, path: &[&str]) -> Result<Answer> {
        let send = |token| self.request(Method::GET, path, &token).read(op);
        self.login.send(op, send).await
    }
}

/// A key as the vendor shows it.
#[derive(Deserialize)]
struct View {
    id: Key,
    is_active: bool,
    #[serde(default)]
    key: Scalar,
    #[serde(default)]
    name: Scalar,
    /// In seconds since 1970.
    #[serde(default)]
    created_at_utc: Scalar,
}

/// What is kept of it.
#[derive(Debug)]
struct ApiKey {
    id: Outside,
    is_active: bool,
    key: Option<Outside>,
    name: Option<Outside>,
    created_at: Option<Timestamp>,
}

impl Weigh for Vec<ApiKey> {
    fn weight(&self) -> usize {
        let text = |text: &Option<Outside>| text.as_ref().map_or(0, |text| text.raw().len());
        self.iter().map(|key| size_of::<ApiKey>() + key.id.raw().len() + text(&key.key) + text(&key.name)).sum()
    }
}

impl ApiKey {
    fn of(View { id: Key(id), is_active, key, name, created_at_utc }: View) -> Self {
        let created_at = created_at_utc.moment(|seconds| Timestamp::from_second(seconds).ok());
        let [key, name] = [key, name].map(|scalar| scalar.text().cloned());
        Self { id, is_active, key, name, created_at }
    }

    /// A revoked key is no credential any more.
    fn presence(&self) -> Presence {
        if self.is_active { Presence::Found(self.found()) } else { Presence::Gone }
    }

    fn found(&self) -> Found {
        let mut target = Fields::default();
        // A name that is not valid in a configuration is omitted.
        if let Some(name) = &self.name {
            target.insert_name(&NAME, name);
        }
        let username = self.key.as_ref().and_then(Outside::name);
        Found { target, username, version: self.id.name(), ..Found::default() }
    }

    fn listed(&self) -> Listed {
        let Found { target, username, version, .. } = self.found();
        Listed { target, username, version, created_at: self.created_at }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::http::{BaseUrl, Client, Settings};

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
        let base_url = BaseUrl::parse(VENDOR.base_url).unwrap();
        let smtpd = Smtpd::new(&settings, client.api(base_url, VENDOR.error_format, VENDOR.rate_window));
        let spared = |key: &str| {
            let prior = PriorCredential { username: Some(key.to_owned()), ..PriorCredential::default() };
            smtpd.refuse_own_login(&Fields::default(), &prior)
        };
        let error = spared("own").unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::OwnLogin, Outcome::NotChanged));
        assert!(
            spared("other").is_ok() && smtpd.refuse_own_login(&Fields::default(), &PriorCredential::default()).is_ok()
        );
    }
}

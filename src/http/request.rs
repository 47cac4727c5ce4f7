//! A request, from its parts to its answer.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::classify::{Intent, ONCE};
use super::client::Api;
use super::exchange::Exchange;
use super::gate::Place;
use super::retry::{Backoff, Failure, with_retries};
use super::route::Route;
use super::transport::Transport;
use super::words::Agreement;
use super::{Answer, Error, Kind, Operation, Outcome, Result, message, path};
use crate::secret::Secret;

/// One request to a vendor. Nothing is checked or sent before [`read`](Self::read) or [`reset`](Self::reset).
pub struct Request {
    api: Api,
    method: Method,
    url: Result<Url, &'static str>,
    authorization: Option<Authorization>,
    body: Option<Body>,
}

/// How a request is authorized.
enum Authorization {
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic { username: String, password: Secret },
}

/// What a request carries: text fields, in one of two encodings.
enum Body {
    Form(Vec<(&'static str, BodyText)>),
    Json(Vec<(&'static str, BodyText)>),
}

/// The text of a field in a request's body.
#[derive(Clone, Debug)]
pub enum BodyText {
    /// Such as a grant type, a role or a name: a vendor's words may repeat it.
    Open(String),
    /// Such as a password or a token.
    Secret(Secret),
}

impl BodyText {
    fn for_wire(&self) -> &str {
        match self {
            Self::Open(text) => text,
            Self::Secret(secret) => secret.for_wire(),
        }
    }
}

impl From<&str> for BodyText {
    fn from(text: &str) -> Self {
        Self::Open(text.to_owned())
    }
}

impl From<Secret> for BodyText {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl Api {
    /// Begins a request to the path that these segments make below the base URL. Each is encoded as a whole.
    pub fn request(&self, method: Method, path: &[&str]) -> Request {
        Request::new(self.clone(), method, path)
    }
}

impl Request {
    pub(super) fn new(api: Api, method: Method, segments: &[&str]) -> Self {
        let url = path::encode(segments).map(|path| api.base.join(&path));
        Self { api, method, url, authorization: None, body: None }
    }

    /// Adds a parameter to the query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        if let Ok(url) = &mut self.url {
            url.query_pairs_mut().append_pair(name, value);
        }
        self
    }

    /// Authorizes the request with a bearer token (RFC 6750).
    #[must_use]
    pub fn bearer(mut self, token: &Secret) -> Self {
        self.authorization = Some(Authorization::Bearer(token.clone()));
        self
    }

    /// Authorizes the request with a user name and a password (RFC 7617).
    #[must_use]
    pub fn basic(mut self, username: &str, password: &Secret) -> Self {
        self.authorization = Some(Authorization::Basic { username: username.to_owned(), password: password.clone() });
        self
    }

    /// Gives it a form as its body.
    #[must_use]
    pub fn form(mut self, fields: Vec<(&'static str, BodyText)>) -> Self {
        self.body = Some(Body::Form(fields));
        self
    }

    /// Gives it a JSON object of text fields as its body.
    #[must_use]
    pub fn json(mut self, fields: Vec<(&'static str, BodyText)>) -> Self {
        self.body = Some(Body::Json(fields));
        self
    }

    /// Sends a request that may be sent any number of times. Its answer may hold 16 MiB.
    pub async fn read(self, op: &Operation) -> Result<Answer> {
        self.send(op, Intent::Read, &Agreement::Undocumented).await
    }

    /// Sends a reset whose answer is the only copy of the password. Its answer may hold 64 KiB.
    ///
    /// It is sent again only when the earlier one is proven unprocessed. A stop takes it back until it has left; after
    /// that the answer is waited for. It is not begun with less than a second to the operation's deadline.
    pub async fn reset(self, op: &Operation) -> Result<Answer> {
        self.send(op, Intent::Reset, &Agreement::Undocumented).await
    }

    /// Sends a request that sets a password of the caller's own: the same request has the same end, so it is sent again where its
    /// outcome is not known. A 2xx is success only in the words of `agreement`.
    pub async fn set(self, op: &Operation, agreement: &Agreement) -> Result<Answer> {
        self.send(op, Intent::Set, agreement).await
    }

    async fn send(self, op: &Operation, intent: Intent, agreement: &Agreement) -> Result<Answer> {
        let prepared = self.prepare()?;
        let place = prepared.api.gate.place();
        with_retries(op, Backoff::default(), |number| Box::pin(prepared.attempt(op, intent, agreement, &place, number)))
            .await
    }

    /// Does whatever can fail before the first byte is sent.
    fn prepare(self) -> Result<Prepared> {
        let setup = |reason: &'static str| Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), reason);
        let url = self.url.clone().map_err(setup)?;
        let route = Transport::route(&self.api.base)
            .map_err(|reason| Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), reason))?;

        let mut headers = HeaderMap::new();
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.header().map_err(setup)?);
        }
        let body = self.body.as_ref().map(Body::encode);
        if let (Some(fields), Some(body)) = (&self.body, &body) {
            headers.insert(CONTENT_TYPE, fields.content_type());
            headers.insert(CONTENT_LENGTH, body.len().into());
        } else if [Method::PATCH, Method::POST, Method::PUT].contains(&self.method) {
            // RFC 9110, section 8.6: a method that expects a body says that there is none.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }

        // Whatever is sent may be repeated in the answer, wherever it came from.
        self.authorization.iter().flat_map(Authorization::secrets).for_each(|secret| secret.remember());
        for (_, value) in self.body.iter().flat_map(Body::fields) {
            if let BodyText::Secret(secret) = value {
                secret.remember();
            }
        }
        let body = body.as_deref().map_or(&[][..], Vec::as_slice);
        let message = message::encode(&self.method, &url, self.api.client.user_agent(), &headers, body);
        Ok(Prepared { api: self.api, method: self.method, route, message })
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The path names a credential.
        f.debug_struct("Request").field("method", &self.method).field("host", &self.api.host()).finish_non_exhaustive()
    }
}

/// A request that can be sent as often as it may be.
struct Prepared {
    api: Api,
    method: Method,
    route: Route,
    message: Zeroizing<Vec<u8>>,
}

impl Prepared {
    async fn attempt(
        &self,
        op: &Operation,
        intent: Intent,
        agreement: &Agreement,
        place: &Place,
        number: u32,
    ) -> Result<Answer, Failure> {
        let (host, gate) = (self.api.host(), &self.api.gate);
        let pass = gate.pass(place, op, self.api.client.limit(), host).await.map_err(Failure::last)?;

        // No path: it names a credential.
        let method = self.method.as_str();
        if intent != Intent::Read {
            tracing::debug!(method, host, number, "sending");
        }
        let start = Instant::now();
        let (timeout, quota) = (self.api.client.request_timeout(), OnceLock::new());
        let error_format = self.api.error_format;
        let (transport, route) = (self.api.client.transport(), &self.route);
        let exchange = Exchange { transport, route, op, intent, host, error_format, agreement, timeout, quota: &quota };
        let mut result = exchange.run(&self.message).await;

        let quota = quota.get().copied().unwrap_or_default();
        match &mut result {
            Err(Failure { error, tries }) if error.kind == Kind::RateLimited => {
                // Where there is no other try, none of those that wait has a better chance.
                let asked = if *tries == ONCE { Some(Duration::MAX) } else { error.retry_after };
                pass.refused(error, asked, quota);
                if gate.opens_too_late(op) {
                    *tries = ONCE;
                }
            }
            // It says nothing of the limit: the next one may ask.
            Err(Failure { error, .. }) if error.kind == Kind::Stopped => drop(pass),
            _ => pass.ended(quota),
        }

        let ms = start.elapsed().as_millis();
        match &result {
            // It may hold the only copy of a password: there is no word of it before that is stored.
            Ok(_) if intent != Intent::Read => {}
            Ok(answer) => tracing::debug!(method, host, number, ms, status = answer.status, "answered"),
            Err(Failure { error, .. }) => {
                tracing::debug!(method, host, number, ms, status = error.status, reason = %error.reason, "failed");
            }
        }
        result
    }
}

impl Authorization {
    /// Whatever of it nobody but the vendor may see.
    fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Bearer(token) => vec![token.clone()],
            Self::Basic { password, .. } => vec![password.clone(), self.credentials()],
        }
    }

    /// What follows the scheme in the header.
    fn credentials(&self) -> Secret {
        match self {
            Self::Bearer(token) => token.clone(),
            Self::Basic { username, password } => {
                let pair = Zeroizing::new(format!("{username}:{}", password.for_wire()));
                Secret::new(BASE64_STANDARD.encode(pair.as_bytes()))
            }
        }
    }

    fn header(&self) -> Result<HeaderValue, &'static str> {
        let scheme = match self {
            Self::Bearer(_) => "Bearer",
            Self::Basic { .. } => "Basic",
        };
        let text = Zeroizing::new(format!("{scheme} {}", self.credentials().for_wire()));
        let mut value = HeaderValue::from_str(&text)
            .map_err(|_| "the access token holds a character that a header cannot carry, such as a line break")?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl Body {
    fn fields(&self) -> &[(&'static str, BodyText)] {
        match self {
            Self::Form(fields) | Self::Json(fields) => fields,
        }
    }

    fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Json(_) => "application/json",
        })
    }

    fn encode(&self) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Form(fields) => {
                let mut form = form_urlencoded::Serializer::new(String::with_capacity(room(fields)));
                for (name, value) in fields {
                    form.append_pair(name, value.for_wire());
                }
                Zeroizing::new(form.finish().into_bytes())
            }
            Self::Json(fields) => {
                let room = room(fields);
                let fields: BTreeMap<_, _> = fields.iter().map(|(name, value)| (*name, value.for_wire())).collect();
                let mut json = Zeroizing::new(Vec::with_capacity(room));
                // Text under text keys is always JSON.
                let _ = serde_json::to_writer(&mut *json, &fields);
                json
            }
        }
    }
}

/// The most bytes that these fields take in either encoding: a buffer that grows leaves copies behind.
fn room(fields: &[(&'static str, BodyText)]) -> usize {
    fields.iter().map(|(name, value)| (name.len() + value.for_wire().len()) * 6 + 6).sum::<usize>() + 2
}

//! Builds and sends requests.

use std::{
    fmt,
    sync::{Arc, OnceLock},
    time::{Duration, Instant, SystemTime},
};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE},
};
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

use super::{
    answer::Answer,
    classify::{Intent, ONCE},
    client::Api,
    error::{Error, Kind, Outcome, Result},
    exchange::Exchange,
    gate::Place,
    json_body::{BodyText, Json},
    message,
    operation::Operation,
    path,
    retry::{Backoff, Failure, with_retries},
    route::Route,
    sign::{Sign, Unsigned},
    transport::Transport,
    words::Agreement,
};
use crate::secret::{Outside, Secret};

/// One request to a vendor. Nothing is checked or sent before [`read`](Self::read), [`set`](Self::set) or
/// [`reset`](Self::reset).
pub struct Request {
    api: Api,
    method: Method,
    url: Result<Url, &'static str>,
    authorization: Option<Authorization>,
    headers: Vec<(HeaderName, Secret)>,
    signer: Option<Arc<dyn Sign>>,
    body: Option<Body>,
}

/// How a request is authorized.
enum Authorization {
    /// RFC 6750.
    Bearer(Secret),
    /// RFC 7617.
    Basic { username: String, password: Secret },
}

/// The body of a request, in one of two encodings.
enum Body {
    Form(Vec<(&'static str, BodyText)>),
    Json(Json),
}

impl Api {
    /// Starts a request to the path of these segments below the base URL. Each segment is percent-encoded.
    pub fn request(&self, method: Method, path: &[&str]) -> Request {
        Request::new(self.clone(), method, path)
    }
}

impl Request {
    pub(super) fn new(api: Api, method: Method, segments: &[&str]) -> Self {
        let url = path::encode(segments).map(|path| api.base.join(&path));
        Self { api, method, url, authorization: None, headers: Vec::new(), signer: None, body: None }
    }

    /// Changes the URL to that of a link in an earlier response. The error says why the link is not followed: it must
    /// not lead the login to another server.
    pub fn at(mut self, link: &Outside) -> Result<Self, &'static str> {
        self.url = Ok(match (link.raw().strip_prefix('?'), self.url) {
            (Some(query), Ok(mut url)) => {
                url.set_query(Some(query));
                url.set_fragment(None);
                url
            }
            _ => self.api.base.follow(link.raw())?,
        });
        Ok(self)
    }

    /// Ends the path with a slash, for APIs that know no other.
    #[must_use]
    pub fn with_slash(mut self) -> Self {
        if let Ok(url) = &mut self.url {
            url.set_path(&format!("{}/", url.path()));
        }
        self
    }

    /// Adds a query parameter.
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

    /// Adds a header. Its value is treated as a secret.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: Secret) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Authorizes each try of the request with a signature.
    #[must_use]
    pub fn signed(mut self, signer: Arc<dyn Sign>) -> Self {
        self.signer = Some(signer);
        self
    }

    /// Sets a form as the body.
    #[must_use]
    pub fn form(mut self, fields: Vec<(&'static str, BodyText)>) -> Self {
        self.body = Some(Body::Form(fields));
        self
    }

    /// Sets a JSON object of string fields as the body.
    #[must_use]
    pub fn json(self, fields: Vec<(&'static str, BodyText)>) -> Self {
        let fields = fields.into_iter().map(|(name, text)| (name.to_owned(), Json::Text(text)));
        self.json_of(Json::Object(fields.collect()))
    }

    /// Sets JSON of any depth as the body.
    #[must_use]
    pub fn json_of(mut self, json: Json) -> Self {
        self.body = Some(Body::Json(json));
        self
    }

    /// Sends a request that may be repeated freely. The response may have up to 16 MiB.
    pub async fn read(self, op: &Operation) -> Result<Answer> {
        self.send(op, Intent::Read, &Agreement::Undocumented).await
    }

    /// Sends a reset. Its response, of up to 64 KiB, is the only copy of the password.
    ///
    /// It is repeated only if the vendor certainly has not processed it. A stop cancels it until it has been sent;
    /// after that, its response is awaited. It is not sent with less than a second left to the operation's deadline.
    pub async fn reset(self, op: &Operation) -> Result<Answer> {
        self.send(op, Intent::Reset, &Agreement::Undocumented).await
    }

    /// Sends a request that sets a password of the caller's. It is repeated if its outcome is unknown, because
    /// repeating it has the same result. A 2xx is a success only if it has the form of `agreement`.
    pub async fn set(self, op: &Operation, agreement: &Agreement) -> Result<Answer> {
        self.send(op, Intent::Set, agreement).await
    }

    async fn send(self, op: &Operation, intent: Intent, agreement: &Agreement) -> Result<Answer> {
        let prepared = self.prepare()?;
        // One place for all tries: a retried request must not fall behind newer ones.
        let place = prepared.api.gate.place();
        with_retries(op, Backoff::default(), |number| Box::pin(prepared.attempt(op, intent, agreement, &place, number)))
            .await
    }

    /// Does everything that can fail before a byte is sent.
    fn prepare(self) -> Result<Prepared> {
        let setup = |reason: &'static str| Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), reason);
        let url = self.url.clone().map_err(setup)?;
        let route = Transport::route(&self.api.base)
            .map_err(|reason| Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), reason))?;

        let mut headers = HeaderMap::new();
        if let Some(authorization) = &self.authorization {
            headers.insert(AUTHORIZATION, authorization.header().map_err(setup)?);
        }
        for (name, value) in &self.headers {
            headers.insert(name.clone(), sensitive(value.for_wire()).map_err(setup)?);
        }
        let body = self.body.as_ref().map(Body::encode);
        if let (Some(fields), Some(body)) = (&self.body, &body) {
            headers.insert(CONTENT_TYPE, fields.content_type());
            headers.insert(CONTENT_LENGTH, body.len().into());
        } else if [Method::PATCH, Method::POST, Method::PUT].contains(&self.method) {
            // RFC 9110, section 8.6: for a method that expects a body, send the length even if there is none.
            headers.insert(CONTENT_LENGTH, HeaderValue::from_static("0"));
        }

        // A response may repeat anything that was sent.
        self.authorization.iter().flat_map(Authorization::secrets).for_each(|secret| secret.remember());
        self.headers.iter().for_each(|(_, value)| value.remember());
        for text in self.body.iter().flat_map(Body::texts) {
            if let BodyText::Secret(secret) = text {
                secret.remember();
            }
        }
        let mut prepared = Prepared {
            api: self.api,
            method: self.method,
            url,
            route,
            headers,
            body: body.unwrap_or_default(),
            signer: self.signer,
            message: Zeroizing::default(),
        };
        prepared.message = prepared.encode()?;
        Ok(prepared)
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Without the path, which identifies a credential.
        f.debug_struct("Request").field("method", &self.method).field("host", &self.api.host()).finish_non_exhaustive()
    }
}

/// A request that is ready to be sent, possibly several times.
struct Prepared {
    api: Api,
    method: Method,
    url: Url,
    route: Route,
    headers: HeaderMap,
    body: Zeroizing<Vec<u8>>,
    signer: Option<Arc<dyn Sign>>,
    /// The encoded request, which is sent unless it is signed.
    message: Zeroizing<Vec<u8>>,
}

impl Prepared {
    /// Encodes a try, with a signature of its own.
    fn encode(&self) -> Result<Zeroizing<Vec<u8>>> {
        let mut headers = self.headers.clone();
        if let Some(signer) = &self.signer {
            let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
            let signed = signer.sign(&Unsigned {
                method: &self.method,
                url: &self.url,
                host: &message::authority(&self.url),
                content_type,
                body: &self.body,
                now: SystemTime::now(),
            });
            for (name, value) in signed {
                let value = sensitive(value.for_wire());
                let setup = |reason| Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), reason);
                headers.insert(name, value.map_err(setup)?);
            }
        }
        let own = (self.api.client.user_agent(), self.api.syntax.accept());
        Ok(message::encode(&self.method, &self.url, own, &headers, &self.body))
    }

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

        // Without the path, which identifies a credential.
        let method = self.method.as_str();
        if intent != Intent::Read {
            tracing::debug!(method, host, number, "sending");
        }
        let start = Instant::now();
        let (timeout, quota) = (self.api.client.request_timeout(), OnceLock::new());
        let (error_format, syntax) = (self.api.error_format, self.api.syntax);
        // Only now: a signature is valid for minutes, which the gate and the retries may take.
        let signed = if self.signer.is_some() { Some(self.encode().map_err(Failure::last)?) } else { None };
        let message = signed.as_ref().unwrap_or(&self.message);
        let (transport, route) = (self.api.client.transport(), &self.route);
        let quota_of = &quota;
        let exchange =
            Exchange { transport, route, op, intent, host, error_format, syntax, agreement, timeout, quota: quota_of };
        let mut result = exchange.run(message).await;

        let quota = quota.get().copied().unwrap_or_default();
        match &mut result {
            Err(Failure { error, tries }) if error.kind == Kind::RateLimited => {
                // A limit that rules out a retry rules out the waiting requests too.
                let asked = if *tries == ONCE { Some(Duration::MAX) } else { error.retry_after };
                pass.refused(error, asked, quota);
                if gate.opens_too_late(op) {
                    *tries = ONCE;
                }
            }
            // A stop says nothing about the limit, so the next request may probe.
            Err(Failure { error, .. }) if error.kind == Kind::Stopped => drop(pass),
            _ => pass.ended(quota),
        }

        let ms = start.elapsed().as_millis();
        match &result {
            // It may hold the only copy of a password, so nothing is logged before that is stored.
            Ok(_) if intent != Intent::Read => {}
            Ok(answer) => tracing::debug!(method, host, number, ms, status = answer.status, "received a response"),
            Err(Failure { error, .. }) => {
                tracing::debug!(method, host, number, ms, status = error.status, reason = %error.reason, "failed");
            }
        }
        result
    }
}

impl Authorization {
    /// Returns the parts that only the vendor may see.
    fn secrets(&self) -> Vec<Secret> {
        match self {
            Self::Bearer(token) => vec![token.clone()],
            Self::Basic { password, .. } => vec![password.clone(), self.credentials()],
        }
    }

    /// Returns what follows the scheme in the header.
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
        sensitive(&text)
    }
}

/// Returns a header that `Debug` does not show.
fn sensitive(text: &str) -> Result<HeaderValue, &'static str> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| "the access token contains a character that is not allowed in a header, such as a line break")?;
    value.set_sensitive(true);
    Ok(value)
}

impl Body {
    fn texts(&self) -> Vec<&BodyText> {
        match self {
            Self::Form(fields) => fields.iter().map(|(_, text)| text).collect(),
            Self::Json(json) => json.texts(),
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
            Self::Json(json) => json.encode(),
        }
    }
}

/// Returns an upper bound for the encoded size in bytes, because a growing buffer would leave copies behind.
fn room(fields: &[(&'static str, BodyText)]) -> usize {
    fields.iter().map(|(name, value)| (name.len() + value.for_wire().len()) * 6 + 6).sum::<usize>() + 2
}

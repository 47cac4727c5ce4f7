//! HubSpot's SMTP API tokens.
//!
//! Three generations of one API: all reset with an empty POST and return the new password once. None reports when a
//! password was last changed.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Before, Field, Fields, Found, ImportId, Listed, Note, PasswordSource, Presence, PriorCredential, Reset, ResetKind,
    SmtpDefaults, Vendor, VendorApi, VendorOrigin,
    absence::{self, Lists, Sight},
    cache::{Cache, Weigh},
    check,
    listing::{Entries, Key, Listing, Object, Scalar},
    oauth::{TokenRequest, TokenSource},
};
use crate::{
    http::{Answer, Api, ErrorFormat, Form, Kind, Mark, Method, Operation, Request, Result},
    secret::{Outside, Secret},
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "hubspot",
    origin: VendorOrigin::BuiltIn,
    title: "HubSpot",
    api_docs: "https://developers.hubspot.com/docs/api-reference/legacy/transactional-emails-v1/post-email-public-v1-smtpapi-tokens-userName-password-reset",
    base_url: "https://api.hubapi.com",
    base_url_of: |_| None,
    error_format: &ERROR_FORMAT,
    rate_window: Some(RATE_WINDOW),
    settings: &[&ACCESS_TOKEN, &API_VERSION, &CLIENT_ID, &CLIENT_SECRET, &REFRESH_TOKEN],
    logins: &[&[&ACCESS_TOKEN], &[&CLIENT_ID, &CLIENT_SECRET, &REFRESH_TOKEN]],
    rights: "the scope `transactional-email`, in an account with the Transactional Email add-on",
    advice: &[(
        DAILY,
        "The account's daily request limit is used up. It resets at midnight in the account's time zone: apply again \
         then. A longer `timeouts` does not help.",
    )],
    target: &[&USER_NAME],
    identity: &[&USER_NAME],
    scope: &[],
    import: ImportId::Identity,
    password_source: PasswordSource::Vendor,
    longest_password: None,
    reset_kind: ResetKind::InPlace,
    reset_delay: None,
    lag: None,
    reports_version: false,
    username: &|target| target.text(&USER_NAME).map(Cow::Borrowed),
    smtp: SmtpDefaults::At { host: "smtp.hubapi.com", port: 587 },
    connect: &|settings, api| Arc::new(HubSpot::new(settings, api)),
};

static ACCESS_TOKEN: Field =
    Field::secret("access_token", "Access token of a private app or a service key.", check::token)
        .or_env("HUBSPOT_ACCESS_TOKEN");
static API_VERSION: Field = Field::shown(
    "api_version",
    "Generation of the API: `v1` (default), `v3` or `2026-03`. HubSpot supports `v1` and `v3` until September 2027.",
    |text| Generation::parse(text).map(drop).ok_or("must be `v1`, `v3` or `2026-03`"),
);
static CLIENT_ID: Field = Field::shown(
    "client_id",
    "Client id of an OAuth app; used with `client_secret` and `refresh_token` instead of `access_token`.",
    check::token,
)
.or_env("HUBSPOT_CLIENT_ID");
static CLIENT_SECRET: Field =
    Field::secret("client_secret", "Client secret of the OAuth app.", check::token).or_env("HUBSPOT_CLIENT_SECRET");
static REFRESH_TOKEN: Field = Field::secret("refresh_token", "Refresh token granted to the OAuth app.", check::token)
    .or_env("HUBSPOT_REFRESH_TOKEN");
static USER_NAME: Field = Field::shown(
    "user_name",
    "User name of the SMTP API token, such as `zh48wgsfld@62515.smtp.hubspot.net`. Later generations of the API call it the token's id.",
    check::segment,
);

/// Errors as in <https://developers.hubspot.com/docs/api-reference/error-handling>: 423 is a lock and 477 a migration
/// between data centers, both refused before anything is done.
static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[
        &[Mark::Text("/message")],
        &[Mark::Text("/category"), Mark::Text("/correlationId"), Mark::Text("/errorType")],
    ]),
    code: &["/policyName", "/category", "/errorType"],
    codes: &[(DAILY, Kind::RateLimited)],
    message: &["/message"],
    fields: None,
    request_id: &["/correlationId", "/requestId"],
    unprocessed: &[423, 477],
    rate_limits: &[],
};

/// The `policyName` of a 429 that lasts until midnight (<https://developers.hubspot.com/docs/api/usage-details>).
const DAILY: &str = "DAILY";

/// The time over which requests are counted (<https://developers.hubspot.com/apisbytier>).
const RATE_WINDOW: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Generation {
    V1,
    V3,
    Dated,
}

impl Generation {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "v1" => Some(Self::V1),
            "v3" => Some(Self::V3),
            "2026-03" => Some(Self::Dated),
            _ => None,
        }
    }

    fn tokens(self) -> &'static [&'static str] {
        match self {
            Self::V1 => &["email", "public", "v1", "smtpapi", "tokens"],
            Self::V3 => &["marketing", "v3", "transactional", "smtp-tokens"],
            Self::Dated => &["marketing", "transactional", "2026-03", "smtp-tokens"],
        }
    }

    fn oauth(self) -> &'static [&'static str] {
        match self {
            Self::V1 | Self::V3 => &["oauth", "v1", "token"],
            Self::Dated => &["oauth", "2026-03", "token"],
        }
    }
}

#[derive(Debug)]
struct HubSpot {
    api: Api,
    generation: Generation,
    login: TokenSource,
    is_european: bool,
    /// The tokens of the account by their user names, fetched once for all resources of this process.
    listed: Cache<BTreeMap<Outside, Token>>,
}

/// A token in a list.
#[derive(Clone, Copy, Debug)]
struct Token {
    /// Whether it is said to be deleted, which `v1` goes on listing.
    is_deleted: bool,
    created_at: Option<Timestamp>,
}

impl Weigh for Token {
    fn weight(&self) -> usize {
        0
    }
}

#[async_trait]
impl VendorApi for HubSpot {
    /// `v1` has no call about a single token. Later ones have, and their list is documented with filters: without one
    /// it need not be complete.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        let user_name = target.get(&USER_NAME);
        if self.generation == Generation::V1 {
            let see = |listed: &BTreeMap<Outside, Token>| {
                let sight = match listed.get(user_name) {
                    Some(token) if token.is_deleted => Sight::Ended,
                    Some(_) => Sight::Here(Found::default()),
                    None => Sight::Missing,
                };
                Ok((sight, listed.is_empty()))
            };
            let lists = Lists { cache: &self.listed, key: "", host: self.api.host() };
            return lists.look(op, prior, || Box::pin(self.fetch(op)), see).await;
        }
        if self.listed.get_or_fetch(op, "", Box::pin(self.fetch(op))).await?.contains_key(user_name) {
            return Ok(Presence::Found(Found::default()));
        }
        absence::asked(self.one(op, user_name).await)
    }

    /// A private app's token names its data center, and the European one has a server of its own:
    /// <https://developers.hubspot.com/docs/api/marketing/transactional-emails>.
    fn smtp_host_of_login(&self) -> Option<&'static str> {
        self.is_european.then_some("smtp-eu1.hubapi.com")
    }

    async fn list(&self, op: &Operation, _: &Fields) -> Result<Vec<Listed>> {
        let listed = self.listed.get_or_fetch(op, "", Box::pin(self.fetch(op))).await?;
        let listed = listed.iter().filter(|(_, token)| !token.is_deleted).map(|(user_name, token)| {
            let mut target = Fields::default();
            // One that cannot be named in a configuration is left without a name.
            target.insert_name(&USER_NAME, user_name);
            Listed { target, username: user_name.name(), created_at: token.created_at, ..Listed::default() }
        });
        Ok(listed.collect())
    }

    async fn shows(&self, op: &Operation, target: &Fields) -> Result<bool> {
        let listed = self.listed.get_or_fetch_since(op, "", Instant::now(), Box::pin(self.fetch(op))).await?;
        let user_name = target.get(&USER_NAME);
        Ok(listed.get(user_name).is_some_and(|token| !token.is_deleted))
    }

    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset> {
        let user_name = target.get(&USER_NAME);
        let send = |token| self.request(Method::POST, &[user_name, "password-reset"], &token).reset(op);
        let answer = self.login.send(op, send).await?;
        let password = Some(answer.password("/password")?);
        let named = match self.generation {
            Generation::V1 => answer.text("/userName"),
            Generation::V3 | Generation::Dated => answer.text("/id"),
        };
        let reported = named.as_ref().and_then(Outside::name);
        // What is no name is not repeated, and no name that was asked for.
        let notes = if named.is_some() && reported.is_none() { vec![Note::UndocumentedResponse] } else { vec![] };
        Ok(Reset { password, username: reported, notes, ..Reset::default() })
    }
}

impl HubSpot {
    fn new(settings: &Fields, api: Api) -> Self {
        let generation = settings.text(&API_VERSION).and_then(Generation::parse).unwrap_or(Generation::V1);
        let of_europe = |token: &str| if token.starts_with("pat-eu1-") { Ok(()) } else { Err(()) };
        let access_token = settings.secret(&ACCESS_TOKEN);
        let is_european = access_token.is_some_and(|token| token.check(of_europe).is_ok());
        let login = match access_token {
            Some(token) => TokenSource::fixed(token.clone()),
            None => TokenSource::granted(
                api.clone(),
                generation.oauth(),
                TokenRequest::Form(vec![
                    ("grant_type", "refresh_token".into()),
                    ("client_id", settings.get(&CLIENT_ID).into()),
                    ("client_secret", settings.get_secret(&CLIENT_SECRET).into()),
                    ("refresh_token", settings.get_secret(&REFRESH_TOKEN).into()),
                ]),
            ),
        };
        Self { api, generation, login, is_european, listed: Cache::default() }
    }

    fn request(&self, method: Method, path: &[&str], token: &Secret) -> Request {
        self.api.request(method, &[self.generation.tokens(), path].concat()).bearer(token)
    }

    async fn ask(&self, op: &Operation, path: &[&str], query: &[(&str, &str)]) -> Result<Answer> {
        let send = |token| {
            let request = self.request(Method::GET, path, &token);
            query.iter().fold(request, |request, (name, value)| request.query(name, value)).read(op)
        };
        self.login.send(op, send).await
    }

    /// Fetches one token. A response about another token is an error.
    async fn one(&self, op: &Operation, user_name: &str) -> Result<Presence> {
        let answer = self.ask(op, &[user_name], &[]).await?;
        let Object(token): Object<View> = answer.json()?;
        if token.id.0.raw() == user_name {
            Ok(Presence::Found(Found::default()))
        } else {
            Err(answer.unreadable("it is about another token than the one requested"))
        }
    }

    async fn fetch(&self, op: &Operation) -> Result<BTreeMap<Outside, Token>> {
        let mut listing = Listing::at(self.api.host());
        if self.generation == Generation::V1 {
            let page = listing.next(self.ask(op, &[], &[])).await?;
            let mut tokens = BTreeMap::new();
            for ViewV1 { user_name: Key(user_name), deleted: is_deleted, created_at } in listing.entries(page)? {
                let token = Token { is_deleted, created_at: moment(&created_at) };
                // Of several with one name it is the live one that counts.
                let kept = tokens.entry(user_name).or_insert(token);
                if kept.is_deleted {
                    *kept = token;
                }
            }
            return Ok(tokens);
        }
        let mut ids = BTreeMap::new();
        let mut after: Option<Outside> = None;
        loop {
            let more = after.as_ref().map(|after| ("after", after.raw()));
            let query: Vec<_> = [("limit", "100")].into_iter().chain(more).collect();
            let Page { results, paging } = listing.page(self.ask(op, &[], &query)).await?;
            let known = ids.len();
            let token = |view: View| (view.id.0, Token { is_deleted: false, created_at: moment(&view.created_at) });
            ids.extend(listing.entries(results)?.into_iter().map(token));
            // A page that brings nothing new would be followed by itself for ever.
            let next = paging.and_then(|paging| paging.next).map(|next| next.after.0);
            match next.filter(|_| ids.len() > known) {
                Some(next) => after = Some(next),
                None => return Ok(ids),
            }
        }
    }
}

/// Milliseconds since 1970 with `v1`, RFC 3339 later.
fn moment(time: &Scalar) -> Option<Timestamp> {
    time.moment(|milliseconds| Timestamp::from_millisecond(milliseconds).ok())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ViewV1 {
    user_name: Key,
    #[serde(default)]
    deleted: bool,
    #[serde(default)]
    created_at: Scalar,
}

#[derive(Deserialize)]
struct Page {
    results: Entries<View>,
    paging: Option<Paging>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    id: Key,
    #[serde(default)]
    created_at: Scalar,
}

#[derive(Deserialize)]
struct Paging {
    next: Option<Next>,
}

#[derive(Deserialize)]
struct Next {
    after: Key,
}

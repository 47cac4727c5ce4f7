//! KIRIM.EMAIL's SMTP credentials.
//!
//! The vendor's specification, guide and clients do not agree on how a list is wrapped and a time is written, so both
//! forms of each are read.

use std::{cmp::Ordering, collections::BTreeMap, fmt, sync::Arc};

use async_trait::async_trait;
use jiff::{Timestamp, civil::DateTime};
use serde::{
    Deserialize, Deserializer,
    de::{
        MapAccess, SeqAccess, Visitor,
        value::{MapAccessDeserializer, SeqAccessDeserializer},
    },
};

use super::{
    Before, Field, Fields, Found, ImportId, Listed, Note, Observation, PasswordSource, Presence, PriorCredential,
    Reset, ResetKind, SmtpDefaults, Vendor, VendorApi, VendorOrigin, absence,
    cache::{Cache, Weigh},
    check,
    listing::{Entries, Key, Listing, Object, Scalar},
};
use crate::{
    http::{Answer, Api, ErrorFormat, FieldErrors, Form, Mark, Method, Operation, Request, Result},
    secret::{Name, Outside, Secret},
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "kirim_email",
    origin: VendorOrigin::BuiltIn,
    title: "KIRIM.EMAIL",
    api_docs: "https://smtp-docs.kirim.email/openapi/operations/3bb48e47b58f0aa9c096797e224cbdf3",
    base_url: "https://smtp-app.kirim.email",
    base_url_of: |_| None,
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[&API_KEY, &USERNAME],
    logins: &[&[&API_KEY, &USERNAME]],
    rights: "to belong to the account `username`, which owns the domain that the credential is in",
    advice: &[],
    target: &[&DOMAIN, &CREDENTIAL_GUID],
    identity: &[&DOMAIN, &CREDENTIAL_GUID],
    scope: &[&DOMAIN],
    import: ImportId::Identity,
    password_source: PasswordSource::Vendor,
    longest_password: None,
    reset_kind: ResetKind::InPlace,
    reset_delay: Some("A reset reaches the mail server with a short delay, and until then the old password works."),
    lag: None,
    reports_version: true,
    username: &|_| None,
    smtp: SmtpDefaults::Undocumented,
    connect: &|settings, api| Arc::new(KirimEmail::new(settings, api)),
};

static API_KEY: Field = Field::secret("api_key", "API key of the account.", check::token).or_env("KIRIM_EMAIL_API_KEY");
static CREDENTIAL_GUID: Field = Field::shown(
    "credential_guid",
    "GUID of the credential, such as `92703823-f3a4-48e2-8e87-7adf25454800`. The API calls it `user_smtp_guid`.",
    check::guid,
);
static DOMAIN: Field =
    Field::shown("domain", "Domain that the credential belongs to, such as `example.com`.", check::segment);
static USERNAME: Field =
    Field::shown("username", "User name of the account.", check_username).or_env("KIRIM_EMAIL_USERNAME");

/// Errors as the API's pages show them; the vendor's own clients read `error` too.
static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Is("/success", false)], &[Mark::Text("/message"), Mark::Text("/error")]]),
    code: &[],
    codes: &[],
    message: &["/message", "/error"],
    fields: Some(FieldErrors::Named),
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

/// The most that a page of a list can be asked for.
const PAGE: usize = 100;

#[derive(Debug)]
struct KirimEmail {
    api: Api,
    username: String,
    api_key: Secret,
    /// The credentials of each domain, by GUID.
    listed: Cache<BTreeMap<Outside, Credential>>,
}

#[async_trait]
impl VendorApi for KirimEmail {
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        let (domain, guid) = names(target);
        let listed = self.listed.get_or_fetch(op, domain, Box::pin(self.fetch(op, domain))).await?;
        if let Some(credential) = listed.get(guid) {
            return Ok(Presence::Found(credential.found(prior)));
        }
        // Credentials that come and go while the pages are fetched can hide one that stays.
        absence::asked(self.one(op, domain, guid).await.map(|credential| Presence::Found(credential.found(prior))))
    }

    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>> {
        let domain = scope.get(&DOMAIN);
        let listed = self.listed.get_or_fetch(op, domain, Box::pin(self.fetch(op, domain))).await?;
        Ok(listed.values().map(|credential| credential.listed(scope)).collect())
    }

    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset> {
        let (domain, guid) = names(target);
        let answer = self.request(Method::PUT, domain, &[guid, "reset-password"]).reset(op).await?;
        // A password is kept even with `success: false`: if the vendor did change it, this is its only copy.
        let failed = answer.flag("/success") == Some(false);
        let password = answer.password("/data/new_password");
        let password = password.map_err(|lost| if answer.is_refusal() { answer.refused() } else { lost })?;

        let pointer = |name: &str| format!("/data/credential/{name}");
        let text = |name| answer.text(&pointer(name));
        let time = |name| match answer.number(&pointer(name)).and_then(|time| i64::try_from(time).ok()) {
            Some(seconds) => Scalar::Number(seconds),
            None => text(name).map_or(Scalar::Nothing, Scalar::Text),
        };
        let credential = Credential {
            user_smtp_guid: Key(text("user_smtp_guid").unwrap_or_else(|| Outside::new(guid))),
            username: text("username").map_or(Scalar::Nothing, Scalar::Text),
            last_password_changed: time("last_password_changed"),
            modified_at: time("modified_at"),
            created_at: Scalar::Nothing,
        };
        let is_another = !credential.is(guid);
        let odd = (failed || is_another).then_some(Note::UndocumentedResponse);
        let behind = (answer.flag("/data/remote_synced") == Some(false)).then_some(Note::NotYetActive);
        let Found { username, version, .. } = credential.found(&PriorCredential::default());
        Ok(Reset { password: Some(password), username, version, notes: odd.into_iter().chain(behind).collect() })
    }

    async fn shows(&self, op: &Operation, target: &Fields) -> Result<bool> {
        let (domain, guid) = names(target);
        self.one(op, domain, guid).await.map(|_| true)
    }

    async fn find_lost_reset(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Observation> {
        let versions = self.versions(op, target).await?;
        Ok(trace(&versions, before))
    }

    async fn versions(&self, op: &Operation, target: &Fields) -> Result<Vec<Name>> {
        let (domain, guid) = names(target);
        let credential = self.one(op, domain, guid).await?;
        Ok(credential.versions())
    }

    fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        order(one, other)
    }
}

impl KirimEmail {
    fn new(settings: &Fields, api: Api) -> Self {
        Self {
            api,
            username: settings.get(&USERNAME).to_owned(),
            api_key: settings.get_secret(&API_KEY),
            listed: Cache::default(),
        }
    }

    fn request(&self, method: Method, domain: &str, below: &[&str]) -> Request {
        let path = [&["api", "domains", domain, "credentials"], below].concat();
        self.api.request(method, &path).basic(&self.username, &self.api_key)
    }

    /// Fetches one credential. A response about another credential is an error.
    async fn one(&self, op: &Operation, domain: &str, guid: &str) -> Result<Credential> {
        let answer = ask(op, self.request(Method::GET, domain, &[guid])).await?;
        let Object(One { data: Object(credential) }) = answer.json()?;
        if credential.is(guid) {
            Ok(credential)
        } else {
            Err(answer.unreadable("it is about another credential than the one requested, with another GUID"))
        }
    }

    async fn fetch(&self, op: &Operation, domain: &str) -> Result<BTreeMap<Outside, Credential>> {
        let mut listed = BTreeMap::new();
        let mut listing = Listing::at(self.api.host());
        for page in 1_u32.. {
            let request = self.request(Method::GET, domain, &[]);
            let request = request.query("limit", &PAGE.to_string()).query("page", &page.to_string());
            let page: Page = listing.page(ask(op, request)).await?;
            let (seen, count) = (listed.len(), page.data.0.count());
            let items = listing.entries(page.data.0)?;
            listed.extend(items.into_iter().map(|credential| (credential.user_smtp_guid.0.clone(), credential)));
            // Not every form announces a next page, so there may be one after every full page with new entries.
            if count < PAGE || listed.len() == seen {
                break;
            }
        }
        Ok(listed)
    }
}

/// Asks what may be asked any number of times.
async fn ask(op: &Operation, request: Request) -> Result<Answer> {
    let answer = request.read(op).await?;
    if answer.flag("/success") == Some(false) { Err(answer.refused()) } else { Ok(answer) }
}

fn names(target: &Fields) -> (&str, &str) {
    (target.get(&DOMAIN), target.get(&CREDENTIAL_GUID))
}

/// RFC 7617, section 2: a colon would begin the password.
fn check_username(text: &str) -> Result<(), &'static str> {
    if text.contains(':') { Err("must not contain `:`") } else { check::token(text) }
}

#[derive(Deserialize)]
struct One {
    data: Object<Credential>,
}

#[derive(Deserialize)]
struct Page {
    data: Items,
}

/// A page's entries: bare, or wrapped once more with what is said of the pages.
struct Items(Entries<Credential>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Either;

        impl<'de> Visitor<'de> for Either {
            type Value = Items;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list, or an object with one")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> std::result::Result<Items, A::Error> {
                Entries::deserialize(SeqAccessDeserializer::new(items)).map(Items)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Items, A::Error> {
                Wrapped::deserialize(MapAccessDeserializer::new(map)).map(|wrapped| Items(wrapped.data))
            }
        }

        deserializer.deserialize_any(Either)
    }
}

#[derive(Deserialize)]
struct Wrapped {
    data: Entries<Credential>,
}

#[derive(Debug, Deserialize)]
struct Credential {
    user_smtp_guid: Key,
    #[serde(default)]
    username: Scalar,
    #[serde(default)]
    last_password_changed: Scalar,
    #[serde(default)]
    modified_at: Scalar,
    #[serde(default)]
    created_at: Scalar,
}

impl Weigh for Credential {
    fn weight(&self) -> usize {
        let scalars = [&self.username, &self.last_password_changed, &self.modified_at, &self.created_at];
        let texts = scalars.iter().filter_map(|scalar| scalar.text()).chain([&self.user_smtp_guid.0]);
        texts.map(|text| text.raw().len()).sum()
    }
}

impl Credential {
    /// A GUID is the same in other letters (RFC 9562, section 4).
    fn is(&self, guid: &str) -> bool {
        self.user_smtp_guid.0.raw().eq_ignore_ascii_case(guid)
    }

    fn found(&self, prior: &PriorCredential) -> Found {
        let username = self.username.text().and_then(Outside::name);
        Found { username, version: self.version(prior), versions: self.versions(), ..Found::default() }
    }

    fn listed(&self, scope: &Fields) -> Listed {
        let Found { username, version, .. } = self.found(&PriorCredential::default());
        let mut target = scope.clone();
        // One that cannot be named in a configuration is left without a name.
        target.insert_name(&CREDENTIAL_GUID, &self.user_smtp_guid.0);
        let created_at = self.created_at.moment(|seconds| Timestamp::from_second(seconds).ok());
        Listed { target, username, version, created_at: created_at.filter(|time| time.as_second() > 0) }
    }

    /// Returns when it was last changed, as `field=time`, from the field in the state or else from the most specific
    /// one.
    fn version(&self, prior: &PriorCredential) -> Option<Name> {
        let versions = self.versions();
        let prior = prior.version.as_deref().map(field);
        versions.iter().find(|version| Some(field(version)) == prior).or(versions.first()).cloned()
    }

    /// Returns all last-changed fields as `field=time`, the most specific first.
    fn versions(&self) -> Vec<Name> {
        let fields = [(PASSWORD_CHANGED, &self.last_password_changed), ("modified_at", &self.modified_at)];
        fields.iter().filter_map(|(name, time)| Name::new(&format!("{name}={}", moment(time)?))).collect()
    }
}

/// The field that moves with the password alone; any edit moves the other one.
const PASSWORD_CHANGED: &str = "last_password_changed";

/// What the credential's versions show after a reset whose response was lost.
///
/// A change of the password is certain only in comparison with the version of the reset that made the stored one. What
/// a check has read may be older than an earlier reset, which would then look like a later change.
fn trace(now: &[Name], before: &Before) -> Observation {
    let is_held = |version: &&Name| before.prior.version.as_deref().map(field) == Some(field(version));
    let is_later = |version: &Name| before.is_exceeded_by(version, order);
    let mut of_password = now.iter().filter(|version| field(version) == PASSWORD_CHANGED).filter(is_held);
    if of_password.any(|version| is_later(version) == Some(true)) {
        return Observation::PasswordChanged;
    }
    match now.iter().filter_map(is_later).max() {
        Some(true) => Observation::Changed,
        Some(false) => Observation::Unchanged,
        None => Observation::Unknown,
    }
}

/// Returns the field of a version.
fn field(version: &str) -> &str {
    version.split('=').next().unwrap_or_default()
}

/// Normalizes a time to seconds since 1970, or to a civil time if it has no zone. 0 means unknown.
fn moment(time: &Scalar) -> Option<String> {
    let seconds = match time {
        Scalar::Number(number) => *number,
        Scalar::Text(text) => match text.raw().parse::<Timestamp>() {
            Ok(time) => time.as_second(),
            Err(_) => return text.raw().parse::<DateTime>().ok().map(|time| time.to_string()),
        },
        Scalar::Nothing => return None,
    };
    (seconds > 0).then(|| seconds.to_string())
}

/// The order of two versions: moments of one field, both written in the same way.
fn order(one: &str, other: &str) -> Option<Ordering> {
    let [(field, one), (of, other)] = [one.split_once('=')?, other.split_once('=')?];
    if field != of {
        return None;
    }
    let seconds = |moment: &str| moment.parse::<i64>().ok();
    let civil = |moment: &str| moment.parse::<DateTime>().ok();
    let by_seconds = seconds(one).zip(seconds(other)).map(|(one, other)| one.cmp(&other));
    by_seconds.or_else(|| civil(one).zip(civil(other)).map(|(one, other)| one.cmp(&other)))
}

#[cfg(test)]
mod tests {
    use Ordering::{Equal, Greater, Less};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_moments_of_one_field_in_one_form_are_compared() {
        for (one, other, expected) in [
            ("modified_at=11", "modified_at=9", Some(Greater)),
            ("modified_at=9", "modified_at=9", Some(Equal)),
            ("modified_at=9", "modified_at=11", Some(Less)),
            ("modified_at=2026-01-02T00:00:00", "modified_at=2026-01-01T23:59:59", Some(Greater)),
            ("modified_at=2026-01-02T00:00:00", "modified_at=1767312000", None),
            ("last_password_changed=11", "modified_at=9", None),
            ("modified_at=soon", "modified_at=9", None),
            ("modified_at", "modified_at=9", None),
            ("11", "9", None),
        ] {
            assert_eq!(order(one, other), expected, "{one} and {other}");
        }
    }

    #[test]
    fn only_a_later_time_of_the_password_itself_proves_a_reset() {
        let (password, edit) = ("last_password_changed=5", "modified_at=5");
        for (row, prior, found, now, expected) in [
            (
                1,
                Some(password),
                &[password, edit][..],
                &["last_password_changed=6", "modified_at=6"][..],
                Observation::PasswordChanged,
            ),
            (2, Some(password), &[password, edit], &[password, "modified_at=6"], Observation::Changed),
            (3, Some(edit), &[edit], &["modified_at=6"], Observation::Changed),
            (4, Some(edit), &[password, edit], &["last_password_changed=6", "modified_at=6"], Observation::Changed),
            (5, None, &[password], &["last_password_changed=6"], Observation::Changed),
            // Within the same second, unmoved, or a read that lags behind.
            (6, Some(password), &[password, edit], &[password, edit], Observation::Unchanged),
            (
                7,
                Some(password),
                &[password, edit],
                &["last_password_changed=4", "modified_at=4"],
                Observation::Unchanged,
            ),
            // A check that lagged behind the reset in the state.
            (8, Some(password), &["last_password_changed=4"], &[password], Observation::Unchanged),
            // Somebody else's reset, which the check had seen.
            (9, Some("last_password_changed=4"), &[password], &[password], Observation::Unchanged),
            (10, Some(password), &[password], &[edit], Observation::Unknown),
            (11, None, &[], &[password, edit], Observation::Unknown),
            (12, Some(password), &[password], &[], Observation::Unknown),
        ] {
            let texts = |texts: &[&str]| texts.iter().filter_map(|text| Name::new(text)).collect::<Vec<_>>();
            let found = Found {
                version: found.first().and_then(|text| Name::new(text)),
                versions: texts(found),
                ..Found::default()
            };
            let prior = PriorCredential { version: prior.map(str::to_owned), ..PriorCredential::default() };
            assert_eq!(trace(&texts(now), &Before { prior, found }), expected, "row {row}");
        }
    }

    #[test]
    fn a_version_is_a_time_and_the_name_of_its_field() {
        let prior = |version: &str| PriorCredential { version: Some(version.to_owned()), ..PriorCredential::default() };
        for (last_password_changed, modified_at, prior, expected) in [
            (json!(7), json!(9), PriorCredential::default(), Some("last_password_changed=7")),
            (json!(7), json!(9), prior("modified_at=8"), Some("modified_at=9")),
            (json!(0), json!(9), PriorCredential::default(), Some("modified_at=9")),
            (json!(null), json!("1970-01-01T00:00:09Z"), PriorCredential::default(), Some("modified_at=9")),
            (json!("1970-01-01T00:00:07+00:00"), json!(9), prior("odd"), Some("last_password_changed=7")),
            (json!(7), json!(0), prior("modified_at=8"), Some("last_password_changed=7")),
            (json!({}), json!("soon"), PriorCredential::default(), None),
            (json!(-1), json!(1.5), PriorCredential::default(), None),
        ] {
            let [last_password_changed, modified_at] =
                [last_password_changed, modified_at].map(|time| serde_json::from_value(time).unwrap());
            let credential = Credential {
                user_smtp_guid: Key(Outside::new("")),
                username: Scalar::Nothing,
                last_password_changed,
                modified_at,
                created_at: Scalar::Nothing,
            };
            assert_eq!(credential.version(&prior).as_deref(), expected);
        }
    }
}

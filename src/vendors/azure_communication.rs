//! Azure Communication Services, whose SMTP passwords are client secrets of Microsoft Entra applications.
//!
//! A reset makes a new secret of the application through Microsoft Graph, and the previous one is then removed. Graph
//! shows a change late, and parallel changes of one application collide.

mod application;
mod login;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex as BriefMutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use jiff::SignedDuration;
use tokio::{
    sync::{Mutex, OwnedMutexGuard},
    time::{Instant, sleep},
};

use self::application::{Application, Own};
use super::{
    AppearedCredential, Before, Field, Fields, Found, ImportId, Lag, Listed, Note, Observation, PasswordSource,
    Presence, PriorCredential, Reset, ResetKind, SmtpDefaults, Vendor, VendorApi, VendorOrigin, absence, cache::Cache,
    check, oauth::TokenSource,
};
use crate::{
    clock,
    http::{
        Agreement, Answer, Api, Error, ErrorFormat, Form, Json, Kind, Mark, Method, Operation, Outcome, Request, Result,
    },
    secret::{Outside, Secret},
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "azure_communication",
    origin: VendorOrigin::BuiltIn,
    title: "Azure Communication Services",
    api_docs: "https://learn.microsoft.com/graph/api/application-addpassword",
    base_url: "https://graph.microsoft.com",
    base_url_of: |_| None,
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[
        &login::AUTHORITY_URL,
        &login::CLIENT_ID,
        &login::CLIENT_SECRET,
        &login::OIDC_REQUEST_TOKEN,
        &login::OIDC_REQUEST_URL,
        &login::OIDC_TOKEN,
        &login::OIDC_TOKEN_FILE_PATH,
        &SECRET_LIFETIME,
        &login::TENANT_ID,
        &login::USE_OIDC,
    ],
    logins: login::LOGINS,
    rights: "Microsoft Graph's application permission `Application.ReadWrite.OwnedBy`, as an owner of the application, or \
             `Application.ReadWrite.All`",
    advice: &[
        (
            "CredentialInvalidLifetimeAsPerAppPolicy",
            "A policy of the tenant limits how long a client secret may be valid. Set `secret_lifetime` of \
             `azure_communication` to that, and `rotate_after` of the resource to less.",
        ),
        (
            "CredentialTypeNotAllowedAsPerAppPolicy",
            "A policy of the tenant forbids client secrets of this application. Ask an administrator of the tenant to \
             exempt the application.",
        ),
        ("7000215", "Check `client_secret`: it is the value of a secret, not its id."),
        ("7000222", "The secret in `client_secret` has expired. Log in with another one."),
        ("700016", "Check `client_id` and `tenant_id`: the tenant has no such application."),
        ("90002", "Check `tenant_id`: there is no such tenant at `authority_url`."),
        ("70021", NO_FEDERATION),
        ("700211", NO_FEDERATION),
        ("700212", NO_FEDERATION),
        ("700213", NO_FEDERATION),
        ("700024", "The OIDC token is not valid now. It lasts some minutes only: use a new one, and check the clock."),
    ],
    target: &[&APPLICATION_OBJECT_ID, &USERNAME],
    identity: &[&APPLICATION_OBJECT_ID],
    scope: &[&APPLICATION_OBJECT_ID],
    import: ImportId::ScopedCredential,
    password_source: PasswordSource::Vendor,
    longest_password: None,
    reset_kind: ResetKind::NewCredential,
    reset_delay: None,
    lag: Some(Lag { verify: Duration::from_mins(1), settle: SETTLES, unseen: LONGEST_LAG }),
    reports_version: true,
    username: &|target| target.text(&USERNAME).map(Cow::Borrowed),
    smtp: SmtpDefaults::At { host: "smtp.azurecomm.net", port: 587 },
    connect: &|settings, api| Arc::new(AzureCommunication::new(settings, api)),
};

const NO_FEDERATION: &str = "Check that the application has a federated credential for the issuer, the subject and the \
                             audience of the OIDC token.";

static APPLICATION_OBJECT_ID: Field = Field::shown(
    "application_object_id",
    "Object id of the Entra application whose client secret is the SMTP password. It is another id than the \
     application's client id.",
    check::segment,
);
static USERNAME: Field = Field::shown(
    "username",
    "User name for SMTP that Azure Communication Services has for the application. The API does not show it, so it is \
     not part of a generated configuration.",
    check::line,
);
static SECRET_LIFETIME: Field = Field::shown(
    "secret_lifetime",
    "How long a new client secret is valid, in whole days, such as `180d`. By default Microsoft decides: two years.",
    |text| parse_days(text).map(drop).ok_or("must be a number of days from 1 to 3650, such as `180d`"),
);

/// Errors as in <https://learn.microsoft.com/graph/errors>.
static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/error/code")], &[Mark::Text("/error/message")]]),
    code: &["/error/code"],
    codes: &[],
    message: &["/error/message"],
    fields: None,
    request_id: &["/error/innerError/request-id"],
    unprocessed: &[],
    rate_limits: &[],
};

/// How long Graph and the mail server may not know a new secret. Nothing is documented, and others have seen seconds.
const SETTLES: Duration = Duration::from_secs(30);

/// How long a new secret may be missing.
const LONGEST_LAG: Duration = Duration::from_mins(2);

/// The pauses before a secret is looked for again. An application in the state was read by an earlier process.
const LOOKS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(6)];

/// The pauses before a secret that Graph does not find is removed again.
const REMOVALS: [Duration; 4] =
    [Duration::from_secs(2), Duration::from_secs(4), Duration::from_secs(8), Duration::from_secs(16)];

/// The name of every secret that is made here, which the portal calls its description.
const NAME: &str = "terraform-provider-smtp";

#[derive(Debug)]
struct AzureCommunication {
    api: Api,
    login: TokenSource,
    /// The application and the secret that the provider logs in with; none with OIDC.
    own: Option<Own>,
    lifetime: Option<SignedDuration>,
    applications: Cache<Application>,
    /// The ids of the secrets that there were before anything was reset.
    before: Cache<BTreeSet<Outside>>,
    /// The ids of the secrets that resets have made here.
    made: BriefMutex<BTreeSet<Outside>>,
    /// The ids of secrets that may be the one that the provider logs in with.
    own_ids: BriefMutex<BTreeSet<Outside>>,
    /// The application that is being changed, by its id: one change at a time.
    turns: BriefMutex<BTreeMap<String, Arc<Mutex<()>>>>,
}

#[async_trait]
impl VendorApi for AzureCommunication {
    /// A secret is listed by its application. One that is missing is looked for again after some time, since Graph
    /// shows a new one late.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        // Without an id from the reset's response there is nothing to look for.
        let Some(id) = &prior.version else { return Ok(Presence::Found(Found::default())) };
        absence::asked(self.look(op, target, id).await)
    }

    /// Fetches the application once. A new secret can be made even if the old one is gone, so that is not checked.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        let ids = async { Ok(self.fetch(op, target).await?.ids()) };
        match self.before.get_or_fetch(op, &key(target), Box::pin(ids)).await {
            Ok(_) => self.refuse_own_login(target, prior).map(|()| Presence::Found(Found::default())),
            Err(error) => absence::asked(Err(error)),
        }
    }

    fn successor(&self) -> &'static str {
        "client secret of this application with the description `terraform-provider-smtp`"
    }

    /// Knows what earlier requests have shown.
    fn refuse_own_login(&self, _: &Fields, prior: &PriorCredential) -> Result<()> {
        match &prior.version {
            Some(id) if lock(&self.own_ids).contains(id.as_str()) => {
                Err(Error::new(Kind::OwnLogin, Outcome::NotChanged, self.api.host(), OWN_LOGIN))
            }
            _ => Ok(()),
        }
    }

    /// A secret that has expired is no credential any more, though it stays on the list.
    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>> {
        let fetched = Box::pin(self.fetch(op, scope));
        let application = self.applications.get_or_fetch(op, &key(scope), fetched).await?;
        let now = clock::now();
        let listed = application.secrets.iter().filter(|secret| !secret.has_ended(now)).map(|secret| Listed {
            target: application_of(scope),
            username: None,
            version: secret.id.name(),
            created_at: secret.created_at,
        });
        Ok(listed.collect())
    }

    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset> {
        let _turn = self.turn(op, target).await?;
        self.applications.forget(op).await?;
        let end = self.lifetime.and_then(|lifetime| clock::now().checked_add(lifetime).ok());
        // In whole seconds, as documented.
        let end = end.and_then(|end| end.round(jiff::Unit::Second).ok()).map(|end| ("endDateTime", end.to_string()));
        let fields = [("displayName", NAME.to_owned())].into_iter().chain(end);
        let credential = fields.map(|(name, text)| (name.to_owned(), Json::Text(text.as_str().into()))).collect();
        let body = Json::Object([("passwordCredential".to_owned(), Json::Object(credential))].into());
        let send = |token| self.request(Method::POST, target, &["addPassword"], &token).json_of(body.clone()).reset(op);
        let answer = self.login.send(op, send).await?;
        let password = answer.password("/secretText")?;
        let id = answer.text("/keyId").filter(|id| !id.raw().is_empty());
        let version = id.as_ref().and_then(Outside::name);
        lock(&self.made).extend(id);
        let notes = if version.is_some() { vec![] } else { vec![Note::UndocumentedResponse] };
        Ok(Reset { password: Some(password), version, notes, ..Reset::default() })
    }

    /// Looks for secrets with a name as made here and a new id: not there before the reset, not in the state, and not
    /// created here. Another process may have made them.
    async fn find_lost_reset(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Observation> {
        let Some(listed) = self.before.kept(op, &key(target)).await? else { return Ok(Observation::Unknown) };
        let application = self.fetch(op, target).await?;
        let mut made = lock(&self.made);
        let is_new = |id: &Outside| {
            before.prior.version.as_deref() != Some(id.raw()) && !listed.contains(id) && !made.contains(id)
        };
        let is_named = |name: &Option<Outside>| name.as_ref().is_some_and(|name| name.raw() == NAME);
        let secrets = application.secrets.iter();
        let new: Vec<_> = secrets.filter(|secret| is_named(&secret.name) && is_new(&secret.id)).collect();
        // The next reset of this application did not make them.
        made.extend(new.iter().map(|secret| secret.id.clone()));
        let appeared =
            new.iter().map(|secret| AppearedCredential { id: secret.id.name(), created_at: secret.created_at });
        Ok(if new.is_empty() { Observation::Unchanged } else { Observation::Appeared(appeared.collect()) })
    }

    /// The application is fetched first, because it shows whether the secret is the one that the provider logs in with.
    async fn revoke(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<()> {
        let Some(id) = &prior.version else { return Ok(()) };
        let _turn = self.turn(op, target).await?;
        self.applications.forget(op).await?;
        // Without the application there is no secret of it.
        self.fetch(op, target).await?;
        self.refuse_own_login(target, prior)?;
        let mut pauses = REMOVALS.iter();
        loop {
            let unknown = match self.remove(op, target, id).await {
                Ok(answer) if answer.is_empty() => return Ok(()),
                // The documented response is empty, but the application itself shows what happened.
                Ok(answer) => match self.fetch(op, target).await {
                    Ok(application) if application.secret(id).is_none() => return Ok(()),
                    Ok(_) => return Err(answer.unreadable("the secret is still there after it").unconfirmed()),
                    Err(error) => return Err(error.unconfirmed()),
                },
                Err(error) if is_unknown_secret(&error) => error,
                Err(error) => return Err(error),
            };
            if self.fetch(op, target).await?.secret(id).is_none() {
                return Err(Error { kind: Kind::NotFound, ..unknown });
            }
            // Graph does not have it everywhere yet.
            // Not a fault of the request, as its status says, but a Graph that lags: the advice is to try again later.
            let Some(pause) = pauses.next() else { return Err(Error { kind: Kind::Unavailable, ..unknown }) };
            op.wait(sleep(*pause)).await?;
        }
    }
}

impl AzureCommunication {
    fn new(settings: &Fields, api: Api) -> Self {
        Self {
            // Making an API cannot fail, so the first request says what is wrong.
            login: login::source(settings, &api).unwrap_or_else(TokenSource::Unusable),
            api,
            own: Own::of(settings),
            lifetime: settings.text(&SECRET_LIFETIME).and_then(parse_days),
            applications: Cache::default(),
            before: Cache::default(),
            made: BriefMutex::default(),
            own_ids: BriefMutex::default(),
            turns: BriefMutex::default(),
        }
    }

    fn request(&self, method: Method, target: &Fields, path: &[&str], token: &Secret) -> Request {
        let application = ["v1.0", "applications", target.get(&APPLICATION_OBJECT_ID)];
        self.api.request(method, &[&application, path].concat()).bearer(token)
    }

    /// Waits until nothing else here changes the application.
    async fn turn(&self, op: &Operation, target: &Fields) -> Result<OwnedMutexGuard<()>> {
        let turn = Arc::clone(lock(&self.turns).entry(key(target)).or_default());
        op.wait(turn.lock_owned()).await
    }

    async fn look(&self, op: &Operation, target: &Fields, id: &str) -> Result<Presence> {
        let mut application =
            self.applications.get_or_fetch(op, &key(target), Box::pin(self.fetch(op, target))).await?;
        let mut pauses = LOOKS.iter();
        loop {
            let since = Instant::now();
            match (application.secret(id), pauses.next()) {
                (Some(secret), _) if secret.has_ended(clock::now()) => return Ok(Presence::Gone),
                (Some(secret), _) => {
                    let target = application_of(target);
                    return Ok(Presence::Found(Found { target, version: secret.id.name(), ..Found::default() }));
                }
                (None, None) => return Ok(Presence::Gone),
                (None, Some(pause)) => op.wait(sleep(*pause)).await?,
            }
            let fetched = Box::pin(self.fetch(op, target));
            application = self.applications.get_or_fetch_since(op, &key(target), since, fetched).await?;
        }
    }

    /// Fetches the application, and notes which of its secrets may be the provider's own.
    async fn fetch(&self, op: &Operation, target: &Fields) -> Result<Application> {
        let id = target.get(&APPLICATION_OBJECT_ID);
        let send = |token| {
            let request = self.request(Method::GET, target, &[], &token);
            request.query("$select", application::FIELDS).read(op)
        };
        let application = Application::read(self.api.host(), id, Box::pin(self.login.send(op, send))).await?;
        if let Some(own) = &self.own {
            lock(&self.own_ids).extend(own.ids(&application));
        }
        Ok(application)
    }

    async fn remove(&self, op: &Operation, target: &Fields, id: &str) -> Result<Answer> {
        let send = |token| {
            let request = self.request(Method::POST, target, &["removePassword"], &token);
            request.json(vec![("keyId", id.into())]).set(op, &Agreement::Undocumented)
        };
        self.login.send(op, send).await
    }
}

/// What distinguishes applications.
fn key(target: &Fields) -> String {
    // Two spellings of one id must not get two turns: parallel changes of one application collide.
    target.get(&APPLICATION_OBJECT_ID).to_ascii_lowercase()
}

/// The part of a target that the application shows.
fn application_of(scope: &Fields) -> Fields {
    let mut target = Fields::default();
    target.insert_name(&APPLICATION_OBJECT_ID, &Outside::new(scope.get(&APPLICATION_OBJECT_ID)));
    target
}

/// Returns whether Graph says that it does not know a secret, which it also says of one that it does not know yet.
fn is_unknown_secret(error: &Error) -> bool {
    // Nothing is documented for this case. Other clients look for this text, too.
    let says = |message: &str| message.contains("No password credential found with keyId");
    error.status == Some(400) && error.message.as_deref().is_some_and(says)
}

fn parse_days(text: &str) -> Option<SignedDuration> {
    let days: u16 = text.strip_suffix('d').filter(|days| !days.starts_with('+'))?.parse().ok()?;
    (1..=3650).contains(&days).then(|| SignedDuration::from_hours(24 * i64::from(days)))
}

fn lock<T>(mutex: &BriefMutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

const OWN_LOGIN: &str =
    "as far as Microsoft shows, the provider logs in with this client secret and would lock itself out by removing it";

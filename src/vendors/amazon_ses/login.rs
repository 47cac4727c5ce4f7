//! What the provider logs in to AWS with: the sources that AWS's own tools look at, in their order.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>. Nothing is read or sent before a call
//! needs it. A source that is set and does not work is an error: another login than the one that was meant could belong
//! to another account.

mod container;
mod document;
mod environment;
mod instance;
mod machine;
mod profile;
mod sts;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use self::{container::Container, instance::Instance, profile::Profiles, sts::Sts};
use super::{partition::Partition, variables as names};
use crate::{
    clock,
    http::{Answer, Api, Error, Kind, Operation, Outcome, Result},
    secret::Secret,
    vendors::Fields,
};

/// How long before they expire temporary credentials are fetched again.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// An access key to sign requests with.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct AwsKey {
    pub(super) id: String,
    pub(super) secret: Secret,
    pub(super) session_token: Option<Secret>,
    /// When it expires, if it is temporary.
    pub(super) expires_at: Option<Timestamp>,
}

impl AwsKey {
    /// A key that does not expire.
    fn lasting(id: &str, secret: &Secret, session_token: Option<&Secret>) -> Self {
        let (id, secret, session_token) = (id.to_owned(), secret.clone(), session_token.cloned());
        Self { id, secret, session_token, expires_at: None }
    }

    /// Reads a temporary key from the object at a JSON pointer of a response, whose field for the token is called
    /// `token`.
    fn granted(answer: &Answer, object: &str, token: &str) -> Result<Self> {
        let lacks = || answer.unreadable("it has no complete credentials");
        let secret = |name: &str| answer.secret(&format!("{object}/{name}")).ok_or_else(lacks);
        let text = |name: &str| answer.text(&format!("{object}/{name}"));
        let id = text("AccessKeyId").filter(|id| !id.raw().is_empty()).ok_or_else(lacks)?;
        let expires_at = text("Expiration").and_then(|time| time.raw().parse().ok());
        let (secret, session_token) = (secret("SecretAccessKey")?, Some(secret(token)?));
        Ok(Self { id: id.raw().to_owned(), secret, session_token, expires_at })
    }

    fn lasts(&self) -> bool {
        self.expires_at.is_none_or(|end| clock::now().duration_until(end) > MARGIN)
    }
}

/// The login of one provider block.
#[derive(Debug)]
pub(super) struct Login {
    settings: Fields,
    host: Box<str>,
    sts: Sts,
    profiles: Profiles,
    container: Container,
    instance: Instance,
    key: Mutex<Option<AwsKey>>,
}

impl Login {
    pub(super) fn new(settings: &Fields, api: &Api, partition: &'static Partition) -> Self {
        Self {
            settings: settings.clone(),
            host: api.host().into(),
            sts: Sts::new(settings, api, partition),
            profiles: Profiles::of(settings),
            container: Container::of(settings, api),
            instance: Instance::of(settings, api),
            key: Mutex::default(),
        }
    }

    /// Returns whether the provider is known to log in with this key. Sends nothing.
    pub(super) fn is_own_key(&self, id: &str) -> bool {
        let is_fixed = self.settings.text(&names::PROFILE).is_none();
        let fixed = self.settings.text(&names::ACCESS_KEY_ID).filter(|_| is_fixed);
        fixed == Some(id) || self.key.try_lock().is_ok_and(|key| key.as_ref().is_some_and(|key| key.id == id))
    }

    /// Returns the key to sign with, fetched where there is none that lasts.
    pub(super) async fn key(&self, op: &Operation) -> Result<AwsKey> {
        // Locked while it is fetched, so concurrent calls share one key.
        let mut key = op.wait(self.key.lock()).await?;
        if let Some(key) = key.as_ref().filter(|key| key.lasts()) {
            return Ok(key.clone());
        }
        let fetched = self.fetch(op).await?;
        *key = Some(fetched.clone());
        Ok(fetched)
    }

    /// Forgets a key that was refused; `false` where no other can be fetched in its place.
    pub(super) async fn forget(&self, op: &Operation, refused: &AwsKey) -> Result<bool> {
        // Only if it is still the refused one: another call may already have replaced it.
        op.wait(self.key.lock()).await?.take_if(|key| key == refused);
        Ok(refused.expires_at.is_some())
    }

    async fn fetch(&self, op: &Operation) -> Result<AwsKey> {
        if let Some(profile) = self.settings.text(&names::PROFILE) {
            return self.of_profile(op, profile).await?.ok_or_else(|| self.without_profile(profile));
        }
        if let Some(key) = environment::key(&self.settings) {
            return Ok(key);
        }
        if let Some(identity) = environment::web_identity(&self.settings) {
            return self.sts.with_web_identity(op, &identity, None).await;
        }
        let named = self.settings.text(&names::AWS_PROFILE);
        let profile = named.unwrap_or("default");
        match self.of_profile(op, profile).await? {
            Some(key) => return Ok(key),
            None if named.is_some() => return Err(self.without_profile(profile)),
            None => {}
        }
        if let Some(key) = self.container.key(op).await? {
            return Ok(key);
        }
        self.instance.key(op).await.map_err(|last| match last.kind {
            Kind::Stopped => last,
            _ => self.nothing(&last),
        })
    }

    /// Returns the key of a profile; `None` if the profile has no credentials.
    async fn of_profile(&self, op: &Operation, name: &str) -> Result<Option<AwsKey>> {
        let profiles = self.profiles.read(op, &self.host).await?;
        let mut chain = profiles.chain(name).map_err(|reason| setup(&self.host, reason))?;
        let Some(first) = chain.pop() else { return Ok(None) };
        let region = profiles.region(name);
        let mut key = match first {
            profile::Step::Key(key) => key,
            profile::Step::WebIdentity(identity) => self.sts.with_web_identity(op, &identity, region).await?,
            profile::Step::Environment => {
                environment::key(&self.settings).ok_or_else(|| setup(&self.host, WITHOUT_ENVIRONMENT))?
            }
            profile::Step::Container => {
                self.container.key(op).await?.ok_or_else(|| setup(&self.host, WITHOUT_CONTAINER))?
            }
            profile::Step::Instance => self.instance.key(op).await?,
            profile::Step::Role(_) => return Err(setup(&self.host, "a role has nothing to be assumed with")),
        };
        while let Some(profile::Step::Role(role)) = chain.pop() {
            key = self.sts.with_key(op, key, &role, region).await?;
        }
        Ok(Some(key))
    }

    fn without_profile(&self, name: &str) -> Error {
        let files = self.profiles.described();
        setup(&self.host, format!("{} has no credentials in {files}", shown_profile(name)))
    }

    /// The error when no source has credentials. It names all of them, since any may have been meant.
    fn nothing(&self, last: &Error) -> Error {
        let reason = format!(
            "no AWS credentials were found. Looked at, in this order: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, \
             which are not both set; `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`, which are not both set; the \
             profile `default` in {}, which has no credentials; `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` and \
             `AWS_CONTAINER_CREDENTIALS_FULL_URI`, which are not set; and the metadata service of EC2: {}",
            self.profiles.described(),
            last.reason
        );
        setup(&self.host, reason)
    }
}

/// The error of a source of credentials that does not work. Nothing was sent to the vendor.
fn setup(host: &str, reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(Kind::NoLogin, Outcome::NotChanged, host, reason)
}

/// Says which source has failed, and how.
fn failed(source: &str, error: Error) -> Error {
    if error.kind == Kind::Stopped {
        return error;
    }
    let said = match (error.status, &error.code, &error.message) {
        (None, ..) => format!("{} sent no usable response: {}", error.host, error.reason),
        (Some(status), None, None) => format!("{} returned {status}: {}", error.host, error.reason),
        (Some(status), code, message) => {
            let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
            let message = message.as_ref().map(|message| format!(", “{message}”")).unwrap_or_default();
            format!("{} returned {status}{code}{message}", error.host)
        }
    };
    setup("", format!("{source} failed: {said}"))
}

/// Names a profile, whose name may be anything.
fn shown_profile(name: &str) -> String {
    crate::secret::Name::new(name).map_or_else(|| "the profile".to_owned(), |name| format!("the profile `{name}`"))
}

const WITHOUT_ENVIRONMENT: &str = "the profile's `credential_source` is `Environment`, but `AWS_ACCESS_KEY_ID` and \
                                   `AWS_SECRET_ACCESS_KEY` are not both set";
const WITHOUT_CONTAINER: &str = "the profile's `credential_source` is `EcsContainer`, but no variable says where a \
                                 container's credentials are";

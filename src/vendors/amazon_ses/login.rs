//! What the provider logs in to AWS with: the sources that AWS's own tools look at, in their order.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html>. Nothing is read or sent before a call
//! needs it. A source that is set and does not work is an error: another login than the one that was meant could belong
//! to another account.

mod container;
mod document;
mod environment;
mod instance;
pub(super) mod key;
mod machine;
mod profile;
mod sts;

use std::{
    collections::BTreeSet,
    sync::{Mutex as BriefMutex, MutexGuard, PoisonError},
};

use tokio::sync::Mutex;

use self::{
    container::Container,
    instance::Instance,
    key::{AwsKey, setup, shown_profile},
    profile::Profiles,
    sts::Sts,
};
use super::{partition::Partition, variables as names};
use crate::{
    http::{Api, Error, Kind, Operation, Result},
    vendors::Fields,
};

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
    /// The ids of all keys so far. Apart from the key, because that is locked while another is fetched, and the question
    /// whether a key is the provider's own must not be left open meanwhile.
    used: BriefMutex<BTreeSet<String>>,
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
            used: BriefMutex::default(),
        }
    }

    /// Returns whether the provider is known to log in with this key, or to have done so. Sends nothing.
    pub(super) fn is_own_key(&self, id: &str) -> bool {
        // A profile in the settings comes first, and then the key of the variables does not log in.
        let is_fixed = self.settings.text(&names::PROFILE).is_none();
        let fixed = self.settings.text(&names::ACCESS_KEY_ID).filter(|_| is_fixed);
        fixed == Some(id) || self.used().contains(id)
    }

    fn used(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the key to sign with, fetched where there is none that lasts.
    pub(super) async fn key(&self, op: &Operation) -> Result<AwsKey> {
        // Locked while it is fetched, so concurrent calls share one key.
        let mut key = op.wait(self.key.lock()).await?;
        if let Some(key) = key.as_ref().filter(|key| key.lasts()) {
            return Ok(key.clone());
        }
        let fetched = self.fetch(op).await?;
        self.used().insert(fetched.id.clone());
        *key = Some(fetched.clone());
        Ok(fetched)
    }

    /// Forgets a key that was refused; `false` where no other can be fetched in its place.
    pub(super) async fn forget(&self, op: &Operation, refused: &AwsKey) -> Result<bool> {
        // Only if it is still the refused one: another call may already have replaced it.
        op.wait(self.key.lock()).await?.take_if(|key| key == refused);
        // A key without an end would only be fetched again as it is.
        Ok(refused.expires_at.is_some())
    }

    async fn fetch(&self, op: &Operation) -> Result<AwsKey> {
        let half = |reason| setup(&self.host, reason);
        if let Some(profile) = self.settings.text(&names::PROFILE) {
            return self.of_profile(op, profile).await?.ok_or_else(|| self.without_profile(profile));
        }
        if let Some(key) = environment::key(&self.settings).map_err(half)? {
            return Ok(key);
        }
        if let Some(identity) = environment::web_identity(&self.settings).map_err(half)? {
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
        // The last one, because where there is no such service it takes seconds to find out.
        self.instance.key(op).await.map_err(|last| match last.kind {
            // A stop says nothing of whether there are credentials.
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
                let key = environment::key(&self.settings).map_err(|reason| setup(&self.host, reason))?;
                key.ok_or_else(|| setup(&self.host, WITHOUT_ENVIRONMENT))?
            }
            profile::Step::Container => {
                self.container.key(op).await?.ok_or_else(|| setup(&self.host, WITHOUT_CONTAINER))?
            }
            profile::Step::Instance => self.instance.key(op).await?,
            profile::Step::Role(_) => {
                return Err(setup(&self.host, "there are no credentials to assume the role with"));
            }
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
            "no AWS credentials were found. Sources tried, in this order: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, \
             which are not set; `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`, which are not set; the \
             profile `default` in {}, which has no credentials; `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` and \
             `AWS_CONTAINER_CREDENTIALS_FULL_URI`, which are not set; and the metadata service of EC2: {}",
            self.profiles.described(),
            last.reason
        );
        setup(&self.host, reason)
    }
}

const WITHOUT_ENVIRONMENT: &str = "the profile's `credential_source` is `Environment`, but `AWS_ACCESS_KEY_ID` and \
                                   `AWS_SECRET_ACCESS_KEY` are not set";
const WITHOUT_CONTAINER: &str = "the profile's `credential_source` is `EcsContainer`, but no variable says where a \
                                 container's credentials are";

#[cfg(test)]
mod tests {
    use std::{io::Write, time::Duration};

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::{
        http::{BaseUrl, Client, Settings},
        secret::Secret,
        vendors::amazon_ses::errors::ERROR_FORMAT,
    };

    #[tokio::test]
    async fn a_key_stays_the_providers_own_while_another_is_fetched() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "[default]\naws_access_key_id = AKIAOWN\naws_secret_access_key = secret\n").unwrap();
        let mut settings = Fields::default();
        for field in [&names::SHARED_CREDENTIALS_FILE, &names::CONFIG_FILE] {
            settings.insert(field, Secret::new(file.path().to_str().unwrap())).unwrap();
        }
        let client = Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(30),
            max_requests_per_second: None,
            user_agent: "test/1".to_owned(),
        };
        let api = Client::new(client).api(BaseUrl::parse("https://iam.amazonaws.com").unwrap(), &ERROR_FORMAT, None);
        let login = Login::new(&settings, &api, Partition::of("eu-central-1"));
        assert!(!login.is_own_key("AKIAOWN"), "nothing is read before it is needed");
        let op = Operation::new(Duration::from_secs(30), CancellationToken::new());
        let key = login.key(&op).await.unwrap();
        assert_eq!(key.id, "AKIAOWN");
        let fetching = login.key.lock().await;
        assert!(login.is_own_key("AKIAOWN") && !login.is_own_key("AKIAOTHER"));
        drop(fetching);
        login.forget(&op, &key).await.unwrap();
        assert!(login.is_own_key("AKIAOWN"));
    }
}

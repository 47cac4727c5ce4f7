//! Amazon SES's SMTP credentials, which are access keys of an IAM user.
//!
//! The user name is the id of the access key, and the password is derived from its secret and the region that mail is
//! sent from. A reset makes a new key, and the previous one is then deleted. A user has at most two keys.

mod errors;
mod iam;
mod login;
mod partition;
mod signature;
mod target;
mod variables;

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use self::{
    iam::{AccessKey, Iam},
    partition::Partition,
    target::{REGION, USER_NAME},
};
use super::{
    AppearedCredential, Before, Fields, Found, ImportId, Lag, Listed, Note, Observation, PasswordSource, Presence,
    PriorCredential, Reset, ResetKind, SmtpDefaults, Vendor, VendorApi, VendorOrigin,
    absence::{Lists, Sight},
    cache::Cache,
};
use crate::{
    clock,
    http::{Api, Error, Kind, Operation, Outcome, Result},
    secret::{Outside, Secret},
    smtp::ses,
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "amazon_ses",
    origin: VendorOrigin::BuiltIn,
    title: "Amazon SES",
    api_docs: "https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccessKey.html",
    base_url: partition::COMMERCIAL.iam,
    base_url_of: |settings| {
        let partition = settings_partition(settings);
        (partition != &partition::COMMERCIAL).then_some(partition.iam)
    },
    error_format: &errors::ERROR_FORMAT,
    rate_window: None,
    settings: variables::SETTINGS,
    // Everything else that AWS's tools look at is found when it is needed.
    logins: &[&[&variables::ACCESS_KEY_ID, &variables::SECRET_ACCESS_KEY], &[]],
    rights: "the IAM actions `iam:CreateAccessKey`, `iam:DeleteAccessKey` and `iam:ListAccessKeys` on the IAM user, and \
             for an import `iam:GetAccessKeyLastUsed`",
    // IAM's reference names the codes that end in `Exception`, and most answers have the short ones.
    advice: &[
        ("AccessDenied", DENIED),
        ("AccessDeniedException", DENIED),
        ("NotAuthorized", DENIED),
        ("ExpiredToken", EXPIRED),
        ("ExpiredTokenException", EXPIRED),
        ("InvalidClientTokenId", UNKNOWN_KEY),
        ("UnrecognizedClientException", UNKNOWN_KEY),
        ("LimitExceeded", ONE_TOO_MANY),
        ("RequestExpired", "Check the clock of this machine: AWS refuses requests that are more than 15 minutes off."),
        ("SignatureDoesNotMatch", "Check the secret access key that the provider logs in with."),
    ],
    target: &[&USER_NAME, &REGION],
    identity: &[&USER_NAME],
    scope: &[&USER_NAME],
    import: ImportId::Credential,
    password_source: PasswordSource::Vendor,
    longest_password: None,
    reset_kind: ResetKind::NewCredential,
    reset_delay: None,
    lag: Some(Lag { verify: Duration::from_mins(2), settle: Duration::from_secs(15), unseen: Duration::from_mins(2) }),
    reports_version: true,
    username: &|_| None,
    smtp: SmtpDefaults::Of {
        host: |target| target.text(&REGION).map(|region| Partition::of(region).smtp_host(region)),
        form: "email-smtp.<region>.amazonaws.com",
        port: 587,
    },
    connect: &|settings, api| Arc::new(AmazonSes::new(settings, api)),
};

/// What AWS allows.
const MOST_KEYS: usize = 2;

const ONE_TOO_MANY: &str = "AWS allows two access keys per IAM user. Delete the one that is not in use, or let this \
                            user have no keys but those of this resource, then apply again.";

const DENIED: &str = "Allow the provider's login the IAM actions `iam:CreateAccessKey`, `iam:DeleteAccessKey` and \
                      `iam:ListAccessKeys` on the IAM user, and `iam:GetAccessKeyLastUsed` for an import. IAM also denies \
                      access to an access key id that it does not know, so in an import check the id and the account, too.";

const EXPIRED: &str =
    "The temporary AWS credentials of the provider have expired. Log in to AWS again, then try again.";

const UNKNOWN_KEY: &str = "AWS does not know the access key that the provider logs in with. Check it, and whether it \
                           belongs to the partition of `region`.";

fn settings_partition(settings: &Fields) -> &'static Partition {
    Partition::of(variables::region(settings).unwrap_or_default())
}

#[derive(Debug)]
struct AmazonSes {
    iam: Iam,
    partition: &'static Partition,
    /// The keys that there were before anything was reset, by user.
    before: Cache<BTreeSet<Outside>>,
    keys: Cache<Vec<AccessKey>>,
    /// The ids of the keys that resets have made here.
    made: Mutex<BTreeSet<Outside>>,
}

#[async_trait]
impl VendorApi for AmazonSes {
    /// IAM has no call for a single key that would say that there is none, so a list decides, and then a second one.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        // Without an id from the reset's response there is nothing to look for.
        let Some(id) = &prior.version else { return Ok(Presence::Found(Found::default())) };
        let owner;
        let user = if let Some(user) = target.text(&USER_NAME) {
            user
        } else {
            // An import names only the key, but a list is that of a user.
            owner = self.iam.owner(op, id).await?;
            owner.raw()
        };
        let lists = Lists { cache: &self.keys, key: user, host: self.iam.host() };
        let see = |keys: &Vec<AccessKey>| {
            let sight = match keys.iter().find(|key| key.id.raw() == id) {
                Some(key) if key.is_active() => Sight::Here(key.found(user)),
                Some(_) => Sight::Ended,
                None => Sight::Missing,
            };
            Ok((sight, keys.is_empty()))
        };
        match lists.look(op, prior, || Box::pin(self.iam.keys(op, user)), see).await {
            // IAM's own words about the user; without the user there is no key.
            Err(error) if error.kind == Kind::NotFound => Ok(Presence::Gone),
            looked => looked,
        }
    }

    /// Lists the keys again: without that right, or without the user, nothing can be reset.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        self.refuse_target(target)?;
        self.refuse_own_login(target, prior)?;
        let user = target.get(&USER_NAME);
        let now = tokio::time::Instant::now();
        let keys = self.keys.get_or_fetch_since(op, user, now, Box::pin(self.iam.keys(op, user))).await?;
        // The login is known now, whatever source it is from.
        self.refuse_own_login(target, prior)?;
        let ids = keys.iter().map(|key| key.id.clone()).collect();
        self.before.get_or_fetch(op, user, async { Ok(ids) }).await?;
        Ok(Presence::Found(Found::default()))
    }

    async fn check_room(
        &self,
        op: &Operation,
        target: &Fields,
        held: &[&PriorCredential],
        revoked: Option<&PriorCredential>,
    ) -> Result<()> {
        let user = target.get(&USER_NAME);
        let keys = self.keys.get_or_fetch(op, user, Box::pin(self.iam.keys(op, user))).await?;
        let revoked = revoked.and_then(|revoked| revoked.version.as_deref());
        let is_kept = |key: &&AccessKey| revoked != Some(key.id.raw());
        // Keys that are not active count, too: as far as is known, they take a place like the others.
        if keys.iter().filter(is_kept).count() < MOST_KEYS {
            return Ok(());
        }
        let reason = format!("the IAM user has as many access keys as AWS allows: {}", described(&keys, held));
        Err(Error { status: Some(200), ..self.refuse(Kind::NoRoom, reason) })
    }

    /// A provider block calls the IAM of one partition, which does not know the users of another.
    fn refuse_target(&self, target: &Fields) -> Result<()> {
        if Partition::of(target.get(&REGION)) != self.partition {
            return Err(self.refuse(Kind::Setup, OTHER_PARTITION));
        }
        Ok(())
    }

    fn successor(&self) -> &'static str {
        "access key of this IAM user"
    }

    /// Deleting the key that the provider logs in with would lock it out.
    fn refuse_own_login(&self, _: &Fields, prior: &PriorCredential) -> Result<()> {
        match &prior.version {
            Some(id) if self.iam.is_own_key(id) => Err(self.refuse(
                Kind::OwnLogin,
                "the provider logs in with this access key and would lock itself out by deleting it",
            )),
            _ => Ok(()),
        }
    }

    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>> {
        let user = scope.get(&USER_NAME);
        let keys = self.keys.get_or_fetch(op, user, Box::pin(self.iam.keys(op, user))).await?;
        Ok(keys.iter().filter(|key| key.is_active()).map(|key| key.listed(user)).collect())
    }

    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, _: Option<&Secret>) -> Result<Reset> {
        // Before the request: after a lost response the kept list would be wrong, too.
        self.keys.forget(op).await?;
        let answer = self.iam.create(op, target.get(&USER_NAME)).await?;
        let password = ses::password(&answer.password(iam::SECRET)?, target.get(&REGION));
        // It is made here: no response contains it, so it is not known yet to what redacts secrets.
        password.remember();
        let id = answer.text(iam::ID).filter(|id| !id.raw().is_empty());
        let name = id.as_ref().and_then(Outside::name);
        self.made().extend(id);
        let notes = if name.is_some() { vec![] } else { vec![Note::UndocumentedResponse] };
        Ok(Reset { password: Some(password), username: name.clone(), version: name, notes })
    }

    /// Looks for keys of the user with a new id: not on the list before the reset, not in the state, and not created
    /// here. Others may have created them.
    async fn find_lost_reset(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Observation> {
        let user = target.get(&USER_NAME);
        let Some(listed) = self.before.kept(op, user).await? else { return Ok(Observation::Unknown) };
        let keys = self.iam.keys(op, user).await?;
        let mut made = self.made();
        let is_new = |key: &&AccessKey| {
            before.prior.version.as_deref() != Some(key.id.raw())
                && !listed.contains(&key.id)
                && !made.contains(&key.id)
        };
        let new: Vec<_> = keys.iter().filter(is_new).collect();
        // The next reset of this user did not make them.
        made.extend(new.iter().map(|key| key.id.clone()));
        let appeared = new.iter().map(|key| AppearedCredential { id: key.id.name(), created_at: key.created_at });
        Ok(if new.is_empty() { Observation::Unchanged } else { Observation::Appeared(appeared.collect()) })
    }

    async fn revoke(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<()> {
        self.refuse_own_login(target, prior)?;
        let Some(id) = &prior.version else { return Ok(()) };
        self.keys.forget(op).await?;
        // The key may be from a profile or a machine, so it is not known before a login which one it is.
        self.iam.log_in(op).await?;
        self.refuse_own_login(target, prior)?;
        self.iam.delete(op, target.get(&USER_NAME), id).await.map(drop)
    }
}

impl AmazonSes {
    fn new(settings: &Fields, api: Api) -> Self {
        let partition = settings_partition(settings);
        Self {
            iam: Iam::new(settings, api.in_xml(), partition),
            partition,
            before: Cache::default(),
            keys: Cache::default(),
            made: Mutex::default(),
        }
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<Outside>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse(&self, kind: Kind, reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
        Error::new(kind, Outcome::NotChanged, self.iam.host(), reason)
    }
}

/// Names keys, their ages, and which of them the state holds: the current one, and then the previous one.
fn described(keys: &[AccessKey], held: &[&PriorCredential]) -> String {
    let now = clock::now();
    let mut text = String::new();
    for key in keys {
        let name = key.id.name();
        let id = name.as_deref().map_or_else(|| "one that cannot be shown".to_owned(), |id| format!("`{id}`"));
        let mut facts = Vec::new();
        if let Some(made) = key.created_at {
            let days = now.duration_since(made).as_hours() / 24;
            facts.push(format!("made on {}, {days} days ago", made.strftime("%F")));
        }
        if !key.is_active() {
            facts.push("not active".to_owned());
        }
        match held.iter().position(|held| held.version.as_deref() == Some(key.id.raw())) {
            Some(0) => facts.push("held by the state".to_owned()),
            Some(_) => facts.push("held by the state as `previous`".to_owned()),
            None => {}
        }
        let separator = if text.is_empty() { "" } else { " and " };
        let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
        // A text grows.
        let _ = write!(text, "{separator}{id}{facts}");
    }
    text
}

const OTHER_PARTITION: &str = "the region of the credential belongs to another AWS partition than the provider's; set \
                               `region` in the provider block to a region of that partition";

#[cfg(test)]
mod tests;

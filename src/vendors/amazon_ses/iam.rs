//! Calls to IAM, by its query API.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/>

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{SeqAccess, Visitor, value::SeqAccessDeserializer},
};

use super::{login::Login, partition::Partition, signature::Signature, target::USER_NAME};
use crate::{
    http::{Agreement, Answer, Api, BodyText, Form, Kind, Mark, Method, Operation, Outcome, Request, Result},
    secret::Outside,
    vendors::{
        Fields, Found, Listed,
        cache::Weigh,
        listing::{Entries, Key, Listing, Object, Scalar},
    },
};

/// Where the response to [`Iam::create`] has the secret.
pub(super) const SECRET: &str = "/CreateAccessKeyResponse/CreateAccessKeyResult/AccessKey/SecretAccessKey";
/// Where it has the id.
pub(super) const ID: &str = "/CreateAccessKeyResponse/CreateAccessKeyResult/AccessKey/AccessKeyId";

const DELETED: Agreement = Agreement::Documented {
    status: 200,
    // The documented response has nothing else, so not even the id of the key can be compared.
    form: Form(&[&[Mark::Text("/DeleteAccessKeyResponse/ResponseMetadata/RequestId")]]),
};

#[derive(Debug)]
pub(super) struct Iam {
    api: Api,
    login: Login,
    signing_region: &'static str,
}

impl Iam {
    pub(super) fn new(settings: &Fields, api: Api, partition: &'static Partition) -> Self {
        Self { login: Login::new(settings, &api, partition), api, signing_region: partition.signing_region }
    }

    pub(super) fn host(&self) -> &str {
        self.api.host()
    }

    /// Returns whether the provider is known to log in with this key. Sends nothing.
    pub(super) fn is_own_key(&self, id: &str) -> bool {
        self.login.is_own_key(id)
    }

    /// Finds out which key the provider logs in with.
    pub(super) async fn log_in(&self, op: &Operation) -> Result<()> {
        self.login.key(op).await.map(drop)
    }

    /// Makes an access key.
    pub(super) async fn create(&self, op: &Operation, user: &str) -> Result<Answer> {
        self.send(op, "CreateAccessKey", &[("UserName", user)], |request| request.reset(op)).await
    }

    /// Deletes an access key.
    pub(super) async fn delete(&self, op: &Operation, user: &str, id: &str) -> Result<()> {
        let fields = [("UserName", user), ("AccessKeyId", id)];
        self.send(op, "DeleteAccessKey", &fields, |request| request.set(op, &DELETED)).await.map(drop)
    }

    /// Returns the name of the user that has an access key. IAM denies access to one that it does not know.
    pub(super) async fn owner(&self, op: &Operation, id: &str) -> Result<Outside> {
        let send = |request: Request| request.read(op);
        let answer = self.send(op, "GetAccessKeyLastUsed", &[("AccessKeyId", id)], send).await?;
        let name = answer.text("/GetAccessKeyLastUsedResponse/GetAccessKeyLastUsedResult/UserName");
        name.filter(|name| !name.raw().is_empty()).ok_or_else(|| answer.unreadable("it has no user name"))
    }

    /// Lists the access keys of a user. A list that goes on without anything new does not end, so it is an error.
    pub(super) async fn keys(&self, op: &Operation, user: &str) -> Result<Vec<AccessKey>> {
        let mut listing = Listing::at(self.host());
        let (mut keys, mut seen, mut marker) = (Vec::new(), BTreeSet::new(), None::<Outside>);
        loop {
            // Always with the name: AWS lets only a login with a key of that very user leave it out.
            let mut fields = vec![("UserName", user)];
            fields.extend(marker.as_ref().map(|marker| ("Marker", marker.raw())));
            let send = |request: Request| request.read(op);
            let answer = listing.answer(self.send(op, "ListAccessKeys", &fields, send)).await?;
            let Object(ListResponse { response: Object(ListResult { result: Object(page) }) }) = answer.json()?;
            if let Members::Some(entries) = page.keys {
                keys.extend(listing.entries(entries)?.into_iter().map(AccessKey::of));
            }
            let known = seen.len();
            seen.extend(keys.iter().map(|key| key.id.clone()));
            // IAM may return fewer entries than fit on a page, so only this says which page is the last.
            let Key(is_truncated) = page.is_truncated;
            // XML has no types, so the flag is a text.
            marker = match (is_truncated.raw(), page.marker.text()) {
                ("false", _) => return Ok(keys),
                ("true", Some(next)) if seen.len() > known && !next.raw().is_empty() => Some(next.clone()),
                ("true", _) => return Err(answer.unreadable("the list has more pages but no new entries")),
                _ => return Err(answer.unreadable("the response does not have the documented form")),
            };
        }
    }

    /// Sends a request, and once more with new credentials where the first ones have expired: what is refused was not
    /// done.
    async fn send<F>(
        &self,
        op: &Operation,
        action: &'static str,
        fields: &[(&'static str, &str)],
        send: impl Fn(Request) -> F,
    ) -> Result<Answer>
    where
        F: Future<Output = Result<Answer>>,
    {
        let known = [("Action", action), ("Version", "2010-05-08")];
        let form: Vec<(&'static str, BodyText)> =
            known.iter().chain(fields).map(|(name, value)| (*name, BodyText::from(*value))).collect();
        let mut is_again = false;
        loop {
            let key = self.login.key(op).await?;
            let signature = Signature { key: key.clone(), region: self.signing_region.to_owned(), service: "iam" };
            let request = self.api.request(Method::POST, &[]).form(form.clone()).signed(signature.shared());
            match send(request).await {
                Err(error)
                    if !is_again
                        && (error.kind, error.outcome) == (Kind::Unauthorized, Outcome::NotChanged)
                        && self.login.forget(op, &key).await? =>
                {
                    is_again = true;
                }
                result => return result,
            }
        }
    }
}

/// An access key of a user. Its secret is never listed.
#[derive(Debug)]
pub(super) struct AccessKey {
    pub(super) id: Outside,
    status: Scalar,
    pub(super) created_at: Option<Timestamp>,
}

impl Weigh for Vec<AccessKey> {
    fn weight(&self) -> usize {
        self.iter().map(|key| size_of::<AccessKey>() + key.id.raw().len()).sum()
    }
}

impl AccessKey {
    fn of(KeyView { id: Key(id), status, created_at }: KeyView) -> Self {
        Self { id, status, created_at: created_at.moment(|_| None) }
    }

    /// Returns whether the key can be used, as far as is known.
    pub(super) fn is_active(&self) -> bool {
        // A status that is not known counts as active: a key that works must not be taken for one that has ended.
        !self.status.text().is_some_and(|status| ["Expired", "Inactive"].contains(&status.raw()))
    }

    pub(super) fn found(&self, user: &str) -> Found {
        let mut target = Fields::default();
        target.insert_name(&USER_NAME, &Outside::new(user));
        Found { target, username: self.id.name(), version: self.id.name(), ..Found::default() }
    }

    pub(super) fn listed(&self, user: &str) -> Listed {
        let Found { target, username, version, .. } = self.found(user);
        Listed { target, username, version, created_at: self.created_at }
    }
}

#[derive(Deserialize)]
struct ListResponse {
    #[serde(rename = "ListAccessKeysResponse")]
    response: Object<ListResult>,
}

#[derive(Deserialize)]
struct ListResult {
    #[serde(rename = "ListAccessKeysResult")]
    result: Object<Page>,
}

#[derive(Deserialize)]
struct Page {
    #[serde(rename = "AccessKeyMetadata")]
    keys: Members<KeyView>,
    #[serde(rename = "IsTruncated")]
    is_truncated: Key,
    #[serde(default, rename = "Marker")]
    marker: Scalar,
}

/// A key as IAM shows it.
#[derive(Deserialize)]
struct KeyView {
    #[serde(rename = "AccessKeyId")]
    id: Key,
    #[serde(rename = "Status")]
    status: Scalar,
    #[serde(default, rename = "CreateDate")]
    created_at: Scalar,
}

/// The elements of a list. An empty one is an element without any, which looks like an empty text.
enum Members<T> {
    Nothing,
    Some(Entries<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Members<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Any<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Any<T> {
            type Value = Members<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Members<T>, E> {
                if text.trim().is_empty() { Ok(Members::Nothing) } else { Err(E::custom("a text")) }
            }

            fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> std::result::Result<Members<T>, A::Error> {
                Entries::deserialize(SeqAccessDeserializer::new(items)).map(Members::Some)
            }
        }

        deserializer.deserialize_any(Any(PhantomData))
    }
}

//! `HostUp`'s mailboxes.
//!
//! The caller chooses the password, so a reset whose outcome is unknown is simply repeated. The API does not report
//! when a password was last changed.

use std::{borrow::Cow, sync::Arc};

use async_trait::async_trait;
use serde::Deserialize;
use tokio::time::Instant;

use super::{
    Before, Field, Fields, Found, ImportId, Listed, Note, PasswordSource, Presence, PriorCredential, Reset, ResetKind,
    SmtpDefaults, Vendor, VendorApi, VendorOrigin,
    absence::{self, Lists, Sight},
    cache::{Cache, Weigh},
    check,
    listing::{Entries, Key, Listing, Object},
};
use crate::{
    http::{
        Agreement, Answer, Api, Error, ErrorFormat, FieldErrors, Form, Kind, Mark, Method, Operation, Outcome, Request,
        Result,
    },
    secret::{Name, Outside, Secret},
};

pub(super) static VENDOR: Vendor = Vendor {
    name: "hostup",
    origin: VendorOrigin::BuiltIn,
    title: "HostUp",
    api_docs: "https://developer.hostup.se/endpoints/webhosting-services/put-v2-shared-hosting-accountid-email-accounts-address-password",
    base_url: "https://cloud.hostup.se",
    base_url_of: |_| None,
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[&API_KEY],
    logins: &[&[&API_KEY]],
    rights: "the scopes `read:hosting` and `write:hostingconsole:services`",
    advice: &[
        (
            "account_not_eligible_cpanel",
            "The hosting account is on HostUp's legacy control panel, where no API changes a mailbox's password. \
             Change it there by hand, or ask HostUp's support to move the account to a newer plan.",
        ),
        (
            "invalid_request",
            "If HostUp's message is about `newPassword`, it does not accept this password: change `password_policy`, \
             or set another `password_wo`.",
        ),
    ],
    target: &[&ACCOUNT_ID, &ADDRESS],
    identity: &[&ACCOUNT_ID, &ADDRESS],
    scope: &[&ACCOUNT_ID],
    import: ImportId::Identity,
    password_source: PasswordSource::Caller,
    longest_password: None,
    reset_kind: ResetKind::InPlace,
    reset_delay: None,
    lag: None,
    reports_version: false,
    username: &|target| target.text(&ADDRESS).filter(|address| !is_id(address)).map(Cow::Borrowed),
    smtp: SmtpDefaults::Reported { port: 587 },
    connect: &|settings, api| Arc::new(HostUp::new(settings, api)),
};

static ACCOUNT_ID: Field = Field::shown(
    "account_id",
    "Id of the shared-hosting account, such as `acct_01hxa3b4c5d6e7f8g9h0j1k2m3`.",
    check::segment,
);
static ADDRESS: Field = Field::shown(
    "address",
    "E-mail address of the mailbox, or its id, such as `mail_…`; with the id, `username` is the address that HostUp \
     reports.",
    mailbox,
);
static API_KEY: Field =
    Field::secret("api_key", "API key, with the scopes for hosting.", check::token).or_env("HOSTUP_API_KEY");

/// Errors are RFC 7807's problem documents; the vendor's `code` is the one to branch on.
static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/code")], &[Mark::Text("/detail"), Mark::Text("/title")]]),
    code: &["/code"],
    codes: &[],
    message: &["/detail", "/title"],
    fields: Some(FieldErrors::Pointed),
    request_id: &["/requestId"],
    unprocessed: &[],
    rate_limits: &[],
};

/// The documented response to a reset: 200, with the mailbox's address.
static CHANGED: Agreement = Agreement::Documented { status: 200, form: Form(&[&[Mark::Text("/email")]]) };

#[derive(Debug)]
struct HostUp {
    api: Api,
    api_key: Secret,
    mailboxes: Cache<Mailboxes>,
    hosts: Cache<Option<Name>>,
}

#[async_trait]
impl VendorApi for HostUp {
    /// A list holds all mailboxes of an account: no paging of it is documented, and no call about a single one. A
    /// refused list says nothing about a mailbox, not even a 404, which may as well mean an account of somebody else's.
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        let (account_id, address) = (target.get(&ACCOUNT_ID), target.get(&ADDRESS));
        let lists = Lists { cache: &self.mailboxes, key: account_id, host: self.api.host() };
        let see = |mailboxes: &Mailboxes| {
            let sight = match mailboxes.find(address) {
                Ok(Some(mailbox)) => Sight::Here(Found { username: mailbox.email.name(), ..Found::default() }),
                Ok(None) => Sight::Missing,
                Err(Ambiguous) => {
                    let error = absence::contradiction(self.api.host(), AMBIGUOUS);
                    return Err(Error { kind: Kind::Conflict, ..error });
                }
            };
            Ok((sight, mailboxes.0.is_empty()))
        };
        lists.look(op, prior, || Box::pin(self.fetch(op, account_id)), see).await
    }

    /// A mailbox whose address cannot be a target's is named by its id.
    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>> {
        let account_id = scope.get(&ACCOUNT_ID);
        let mailboxes = self.mailboxes.get_or_fetch(op, account_id, Box::pin(self.fetch(op, account_id))).await?;
        let listed = mailboxes.0.iter().map(|mailbox| {
            let mut target = scope.clone();
            if !target.insert_name(&ADDRESS, &mailbox.email) {
                // One that has no usable name at all is left without.
                target.insert_name(&ADDRESS, &mailbox.id);
            }
            Listed { target, username: mailbox.email.name(), ..Listed::default() }
        });
        Ok(listed.collect())
    }

    async fn shows(&self, op: &Operation, target: &Fields) -> Result<bool> {
        let (account_id, address) = (target.get(&ACCOUNT_ID), target.get(&ADDRESS));
        let fetched = Box::pin(self.fetch(op, account_id));
        let mailboxes = self.mailboxes.get_or_fetch_since(op, account_id, Instant::now(), fetched).await?;
        Ok(matches!(mailboxes.find(address), Ok(Some(_))))
    }

    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, new: Option<&Secret>) -> Result<Reset> {
        let (account_id, address) = (target.get(&ACCOUNT_ID), target.get(&ADDRESS));
        let new = new.ok_or_else(|| {
            Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), "there is no password to send")
        })?;
        // As the list writes it: what a check has found is what is reset.
        let listed = self.mailboxes.kept(op, account_id).await?;
        let mailbox = listed.as_ref().and_then(|listed| listed.find(address).ok().flatten());
        let named = mailbox.filter(|_| !is_id(address)).map_or(address, |mailbox| mailbox.email.raw());
        let request = self.request(Method::PUT, account_id, &["email-accounts", named, "password"]);
        let answer = request.json(vec![("newPassword", new.clone().into())]).set(op, &CHANGED).await?;
        Ok(reset(address, &answer))
    }

    async fn smtp_host(&self, op: &Operation, target: &Fields) -> Result<Option<Name>> {
        let account_id = target.get(&ACCOUNT_ID);
        let host = self.hosts.get_or_fetch(op, account_id, self.host(op, account_id)).await?;
        Ok(Option::clone(&host))
    }
}

impl HostUp {
    fn new(settings: &Fields, api: Api) -> Self {
        Self { api, api_key: settings.get_secret(&API_KEY), mailboxes: Cache::default(), hosts: Cache::default() }
    }

    fn request(&self, method: Method, account_id: &str, path: &[&str]) -> Request {
        let path = [&["api", "v2", "shared-hosting", account_id], path].concat();
        self.api.request(method, &path).bearer(&self.api_key)
    }

    /// <https://developer.hostup.se/endpoints/webhosting-services/get-v2-shared-hosting-accountid-email-accounts>
    async fn fetch(&self, op: &Operation, account_id: &str) -> Result<Mailboxes> {
        let mut listing = Listing::at(self.api.host());
        let asked = self.request(Method::GET, account_id, &["email-accounts"]).read(op);
        let page: List = listing.page(asked).await?;
        let mailbox = |entry: Entry| Mailbox { id: entry.id.0, email: entry.email.0 };
        Ok(Mailboxes(listing.entries(page.email_accounts)?.into_iter().map(mailbox).collect()))
    }

    /// <https://developer.hostup.se/endpoints/webhosting-services/get-v2-shared-hosting-accountid-account-details>
    async fn host(&self, op: &Operation, account_id: &str) -> Result<Option<Name>> {
        let answer = self.request(Method::GET, account_id, &["account-details"]).read(op).await?;
        let Object(details): Object<Details> = answer.json()?;
        Ok(details.access.server_hostname.and_then(|host| host.host()))
    }
}

/// Interprets the response to a reset.
fn reset(address: &str, answer: &Answer) -> Reset {
    let named = answer.text("/email").and_then(|email| email.name());
    // What is no name is not repeated.
    let notes = if named.is_some() { vec![] } else { vec![Note::UndocumentedResponse] };
    // In other letters it is the same mailbox: no other user to warn of.
    let username = named.filter(|email| !email.eq_ignore_ascii_case(address));
    Reset { username, notes, ..Reset::default() }
}

/// A mailbox by its address or its id.
fn mailbox(text: &str) -> Result<(), &'static str> {
    check::segment(text)?;
    let is_named = match text.rsplit_once('@') {
        Some((local, domain)) => !local.is_empty() && !domain.is_empty(),
        None => text.strip_prefix("mail_").is_some_and(|rest| !rest.is_empty()),
    };
    if is_named && !text.contains(char::is_whitespace) {
        Ok(())
    } else {
        Err("must be an e-mail address, or the id of a mailbox, which starts with `mail_`")
    }
}

fn is_id(address: &str) -> bool {
    !address.contains('@')
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    email_accounts: Entries<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    id: Key,
    email: Key,
}

#[derive(Debug)]
struct Mailbox {
    id: Outside,
    email: Outside,
}

/// The mailboxes of an account.
#[derive(Debug)]
struct Mailboxes(Vec<Mailbox>);

/// Several mailboxes have one address in different letters, and none of them in those that were asked for.
#[derive(Debug)]
struct Ambiguous;

const AMBIGUOUS: &str = "several mailboxes have this address in different case, and none matches exactly";

impl Mailboxes {
    /// The mailbox with this address or id; of several in different letters, the one that is written the same.
    fn find(&self, address: &str) -> Result<Option<&Mailbox>, Ambiguous> {
        let exact = self.0.iter().find(|mailbox| mailbox.email.raw() == address || mailbox.id.raw() == address);
        let mut alike = self.0.iter().filter(|mailbox| mailbox.is(address));
        match (exact, alike.next(), alike.next()) {
            (Some(exact), ..) => Ok(Some(exact)),
            (None, Some(_), Some(_)) => Err(Ambiguous),
            (None, first, _) => Ok(first),
        }
    }
}

impl Weigh for Mailboxes {
    fn weight(&self) -> usize {
        self.0.iter().map(|mailbox| size_of::<Mailbox>() + mailbox.id.raw().len() + mailbox.email.raw().len()).sum()
    }
}

impl Mailbox {
    /// Ids are compared as they are. Addresses are the same in other letters (the host keeps them in lower case):
    /// taking them for two would drop a password from the state for the way in which an address is written.
    fn is(&self, address: &str) -> bool {
        if is_id(address) { self.id.raw() == address } else { self.email.raw().eq_ignore_ascii_case(address) }
    }
}

#[derive(Deserialize)]
struct Details {
    access: Access,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Access {
    server_hostname: Option<Outside>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mailbox_goes_by_its_address_or_its_id() {
        for good in
            ["info@example.com", "mail_01hxa3b4c5d6e7f8g9h0j1k2m3", "mail_1@example.com", "info+news@exämple.se"]
        {
            assert_eq!(mailbox(good), Ok(()), "{good}");
        }
        for bad in
            ["", "info", "@example.com", "info@", "mail_", "mail", "in fo@example.com", "a/b@c", "a@b%2f", "a@b..c"]
        {
            assert!(mailbox(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_the_same_in_other_letters_and_an_id_is_not() {
        let listed = Mailbox { id: Outside::new("mail_1a"), email: Outside::new("info@example.com") };
        assert!(listed.is("info@example.com") && listed.is("Info@Example.com") && listed.is("mail_1a"));
        assert!(!listed.is("mail_1A") && !listed.is("info@example.org") && !listed.is("mail_1a@example.com"));
    }
}

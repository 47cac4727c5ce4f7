//! Checks a description before anything is sent.

use std::collections::BTreeSet;

use http::HeaderName;

use super::{
    description::{Address, Description, Read, Reset},
    placeholders::{has_placeholder, names_part, sends_password},
};
use crate::{
    http::{BaseUrl, pointer},
    vendors::{
        check,
        recipe::{ID, PASSWORD, USERNAME},
    },
};

/// What is wrong with an argument of the block.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The way to the argument, from the block.
    pub path: Vec<String>,
    /// What is wrong, after the argument's name: `must …`.
    pub words: String,
}

/// The most parts of a credential's name.
const MOST_PARTS: usize = 8;

/// Headers that the client sets itself, or that change what a request is.
const RESERVED_HEADERS: &[&str] = &[
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "user-agent",
];

/// Checks the name of a credential, whose parts are names of their own.
pub(super) fn name(text: &str) -> Result<(), &'static str> {
    if text.split('/').count() > MOST_PARTS {
        return Err("must have at most eight parts between `/`");
    }
    text.split('/').try_for_each(check::segment)
}

/// Returns everything that is wrong with a description.
pub fn faults(description: &Description) -> Vec<Fault> {
    let mut checker = Checker { description, faults: Vec::new() };
    checker.whole();
    checker
        .faults
        .into_iter()
        .chain(description.address.iter().flat_map(|address| address_faults(address, &description.credential)))
        .collect()
}

/// Returns everything that is wrong with an address.
fn address_faults(address: &Address, credential: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |path: &[&str], words: &str| faults.push(Fault { path: owned(path), words: words.to_owned() });
    if address.base_url.contains(['{', '}']) {
        fault(&["base_url"], "must not have a placeholder: which server gets the login must not depend on a name");
    } else if let Err(words) = BaseUrl::parse(&address.base_url) {
        fault(&["base_url"], words);
    }
    if let Some(Err(words)) = address.bearer_token.as_ref().map(|token| token.check(check::token)) {
        fault(&["bearer_token"], words);
    }
    let is_sent = |text: &str| match check::line(text) {
        Ok(()) if names_part(credential, text) => Err("must not have a placeholder: it is sent as it is"),
        checked => checked,
    };
    if let Some((username, password)) = &address.basic {
        // The first colon ends the user name (RFC 7617), so the rest of it would be sent as the password.
        let is_user = |text: &str| if text.contains(':') { Err("must not contain a colon") } else { is_sent(text) };
        if let Err(words) = is_user(username) {
            fault(&["basic", "username"], words);
        }
        if let Err(words) = password.check(is_sent) {
            fault(&["basic", "password"], words);
        }
    }
    for (name, value) in &address.headers {
        let is_header = |text: &str| match is_sent(text) {
            Ok(()) if !text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) => Err("must be printable ASCII"),
            checked => checked,
        };
        if let Err(words) = value.check(is_header) {
            fault(&["headers", name], words);
        }
    }
    faults
}

fn owned(path: &[&str]) -> Vec<String> {
    path.iter().map(|&step| step.to_owned()).collect()
}

/// Which placeholders a request may have, in addition to the parts of the name.
#[derive(Clone, Copy)]
pub(super) struct Allowed {
    pub(super) password: bool,
    pub(super) id: bool,
    pub(super) username: bool,
}

pub(super) struct Checker<'d> {
    pub(super) description: &'d Description,
    faults: Vec<Fault>,
}

impl Checker<'_> {
    pub(super) fn fault(&mut self, path: &[&str], words: impl Into<String>) {
        self.faults.push(Fault { path: owned(path), words: words.into() });
    }

    fn whole(&mut self) {
        let description = self.description;
        self.credential();
        self.login();
        // No policy allows a shorter password.
        if description.max_password_length.is_some_and(|length| length < 12) {
            self.fault(&["max_password_length"], "must be at least 12");
        }
        let username = description.smtp.as_ref().and_then(|smtp| smtp.username.as_deref());
        match (&description.reset, &description.create, &description.revoke) {
            (Some(_), Some(_), _) => self.fault(&["create"], "must not be combined with `reset`; set only one of them"),
            (None, None, _) => self.fault(&[], "must have a `reset` block, or a `create` and a `revoke` block"),
            (Some(_), None, Some(_)) => {
                self.fault(&["revoke"], "requires `create`: a reset in place leaves nothing to revoke");
            }
            (None, Some(_), None) => {
                self.fault(&["create"], "requires a `revoke` block, which ends the previous credential");
            }
            _ => {}
        }
        if let Some(reset) = &description.reset {
            self.reset(reset, username.is_some());
        }
        if let Some(create) = &description.create {
            self.create(create, username.is_some());
        }
        if let Some(revoke) = &description.revoke {
            // A state need not have the user name that a response had: not after an import, and not that of `previous`.
            self.request("revoke", revoke, Allowed { password: false, id: true, username: username.is_some() });
            // All credentials of one name share what else a request can say, the one in use included.
            if !has_placeholder(revoke, ID) {
                self.fault(
                    &["revoke"],
                    "must have `{id}`, or it would not say which of the credentials to end; `id` in `create` is where that is",
                );
            }
            if !revoke.refused.is_empty() {
                self.fault(&["revoke", "refused"], "is for `reset` and `create` only");
            }
        }
        if let Some(read) = &description.read {
            self.read(read, username.is_some());
        }
        let reports_username =
            [&description.reset, &description.create].into_iter().flatten().any(|reset| reset.username.is_some())
                || description.read.as_ref().is_some_and(|read| read.username.is_some());
        for (block, reset) in [("reset", &description.reset), ("create", &description.create)] {
            if username.is_some() && reset.as_ref().is_some_and(|reset| reset.username.is_some()) {
                self.fault(
                    &[block, "username"],
                    "must not be combined with `smtp.username`: either the name says it or the API",
                );
            }
        }
        if username.is_none() && !reports_username {
            self.fault(
                &[],
                "must say where the user name for SMTP comes from: `smtp.username`, or `username` in `reset`, `create` or `read`",
            );
        }
        if let Some(error) = &description.error {
            for (name, place) in [("message", &error.message), ("code", &error.code), ("request_id", &error.request_id)]
            {
                self.place(&["error", name], place.as_deref());
            }
            if error.message.is_none() && error.code.is_none() {
                self.fault(&["error"], "must have `message` or `code`, by which an error of this API is recognized");
            }
            if error.unprocessed.iter().any(|status| !(400..=599).contains(status)) {
                self.fault(&["error", "unprocessed"], "must be statuses from 400 to 599");
            }
        }
        self.smtp();
    }

    fn credential(&mut self) {
        let names: Vec<_> = self.description.credential.split('/').collect();
        let is_name = |name: &&str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let reserved = names.iter().find(|name| [PASSWORD, ID, USERNAME].contains(*name));
        if !names.iter().all(is_name) {
            self.fault(
                &["credential"],
                "must be names of letters, digits and `_`, joined by `/`, such as `domain/user`",
            );
        } else if let Some(reserved) = reserved {
            self.fault(
                &["credential"],
                format!("must not have a part called `{reserved}`, which is a placeholder of its own"),
            );
        } else if names.len() > MOST_PARTS {
            self.fault(&["credential"], "must have at most eight parts");
        } else if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            self.fault(&["credential"], "must not have the same part twice");
        }
    }

    fn login(&mut self) {
        let Description { has_bearer_token, has_basic, headers, .. } = self.description;
        if *has_bearer_token && *has_basic {
            self.fault(&["basic"], "must not be combined with `bearer_token`; set only one of them");
        }
        if !has_bearer_token && !has_basic && headers.is_empty() {
            self.fault(&[], "must have a login: `bearer_token`, `basic` or `headers`");
        }
        let mut seen = BTreeSet::new();
        for name in headers {
            let lower = name.to_ascii_lowercase();
            let words = if HeaderName::try_from(name.as_str()).is_err() {
                Some("is not the name of a header")
            } else if RESERVED_HEADERS.contains(&&*lower) {
                Some("must not be set: the provider sets it, or it would change what is sent")
            } else if lower == "authorization" && (*has_bearer_token || *has_basic) {
                Some("must not be combined with `bearer_token` or `basic`, which set it")
            } else if !seen.insert(lower) {
                Some("is set twice, in different case")
            } else {
                None
            };
            if let Some(words) = words {
                self.fault(&["headers", name], words);
            }
        }
    }

    fn reset(&mut self, reset: &Reset, username: bool) {
        self.request("reset", &reset.request, Allowed { password: true, id: true, username });
        self.places("reset", reset);
        let reads_version = self.description.read.as_ref().is_some_and(|read| read.version.is_some());
        if has_placeholder(&reset.request, ID) && !reads_version {
            self.fault(&["reset"], "has `{id}`, which is what `read` finds at `version`; set that");
        }
        match (sends_password(&reset.request), &reset.password) {
            (true, Some(_)) => self.fault(
                &["reset", "password"],
                "must not be set where the body has `{password}`: either the caller makes the password or the API does",
            ),
            (false, None) => self.fault(
                &["reset"],
                "must lead to a password: `{password}` in `json` or `form`, or `password` for its place in the response",
            ),
            _ => {}
        }
    }

    fn create(&mut self, create: &Reset, username: bool) {
        self.request("create", &create.request, Allowed { password: false, id: false, username });
        self.places("create", create);
        if create.password.is_none() {
            self.fault(&["create", "password"], "must be set to the place of the password in the response");
        }
        if create.version.is_none() {
            self.fault(
                &["create", "id"],
                "must be set to the place of the new credential's id, by which it is revoked",
            );
        }
    }

    fn places(&mut self, block: &str, reset: &Reset) {
        let version = if block == "create" { "id" } else { "version" };
        for (name, place) in [("password", &reset.password), ("username", &reset.username), (version, &reset.version)] {
            self.place(&[block, name], place.as_deref());
        }
    }

    fn read(&mut self, read: &Read, username: bool) {
        let creates = self.description.create.is_some();
        let is_list = read.items.is_some();
        // In place, there is no id before the first look-up.
        let allowed = Allowed { password: false, id: creates && !is_list, username };
        self.request("read", &read.request, allowed);
        for (name, place) in [
            ("id", &read.id),
            ("username", &read.username),
            ("version", &read.version),
            ("created_at", &read.created_at),
        ] {
            self.place(&["read", name], place.as_deref());
        }
        if let Some(items) = &read.items {
            self.is_plain(&["read", "items"], items);
            if let Err(words) = pointer::check(items) {
                self.fault(&["read", "items"], words);
            }
        }
        for (place, template) in &read.matches {
            self.place(&["read", "match", place], Some(place));
            self.template(&["read", "match", place], template, allowed);
        }
        if is_list && read.matches.is_empty() {
            self.fault(&["read", "match"], "must say which entry of `items` is the credential");
        }
        if is_list && creates && read.id.is_none() {
            self.fault(
                &["read", "id"],
                "must be set to the place of an entry's id, where a reset makes a new credential",
            );
        }
        if !creates && !is_list && read.id.is_some() {
            self.fault(&["read", "id"], "is for lists, and for APIs with `create`");
        }
        if creates && !is_list && !has_placeholder(&read.request, ID) {
            self.fault(
                &["read"],
                "must ask for the credential by `{id}`, or have `items`, where a reset makes a new one",
            );
        }
        if creates && read.version.is_some() {
            self.fault(&["read", "version"], "is for resets in place; a new credential has its `id`");
        }
        if !read.request.refused.is_empty() {
            self.fault(&["read", "refused"], "is for `reset` and `create` only");
        }
        self.paging(read);
    }

    fn paging(&mut self, read: &Read) {
        let paging = &read.paging;
        let ways = [paging.page.is_some(), paging.cursor.is_some(), paging.next.is_some()];
        if ways.iter().filter(|way| **way).count() > 1 {
            self.fault(&["read", "paging"], "must have only one of `page`, `cursor` and `next`");
        }
        if ways.contains(&true) && read.items.is_none() {
            self.fault(&["read", "paging"], "is for lists; set `items`");
        }
        if paging.cursor.is_some() != paging.cursor_parameter.is_some() {
            self.fault(&["read", "paging", "cursor"], "and `cursor_parameter` must be set together");
        }
        for (name, place) in [("cursor", &paging.cursor), ("next", &paging.next)] {
            self.place(&["read", "paging", name], place.as_deref());
        }
        for (name, parameter) in [("page", &paging.page), ("cursor_parameter", &paging.cursor_parameter)] {
            self.is_plain(&["read", "paging", name], parameter.as_deref().unwrap_or_default());
        }
        if paging.first_page.is_some_and(|first| first < 0) {
            self.fault(&["read", "paging", "first_page"], "must be a whole number from 0");
        }
    }

    fn smtp(&mut self) {
        let Some(smtp) = &self.description.smtp else { return };
        if let Some(host) = &smtp.host
            && (host.contains(['{', '}']) || url::Host::parse(host).is_err())
        {
            self.fault(
                &["smtp", "host"],
                "must be a host name or an IP address, without a port and without placeholders",
            );
        }
        // What is no port is read as 0.
        if smtp.port == Some(0) {
            self.fault(&["smtp", "port"], "must be a whole number from 1 to 65535");
        }
        if smtp.port.is_some() && smtp.host.is_none() {
            self.fault(&["smtp", "port"], "requires `host`");
        }
        if let Some(username) = &smtp.username {
            // Without `{username}`, which would stand for itself.
            self.template(&["smtp", "username"], username, Allowed { password: false, id: false, username: false });
        }
    }
}

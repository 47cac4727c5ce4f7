//! What a recipe is made of.

use http::HeaderName;

use crate::{
    http::{Agreement, Condition, Method},
    vendors::fields::{Field, Fields},
};

/// How one API resets, lists and revokes.
///
/// A template is a text with placeholders in braces: the names of target fields or of a name's parts, `{username}`,
/// `{password}` where the caller makes it, and `{id}`, the `remote_version` of the credential that is meant. Places in
/// responses are JSON pointers.
#[derive(Debug)]
pub(in crate::vendors) struct Recipe {
    /// How every request is authorized.
    pub(in crate::vendors) login: Login,
    /// Whether the login is a credential on the list itself, so that the list is never empty.
    pub(in crate::vendors) logs_in_with_a_credential: bool,
    /// Headers of every request, each with the setting that is its value.
    pub(in crate::vendors) headers: &'static [(HeaderName, &'static Field)],
    /// The parts of a target that is one name, separated by `/`; empty where placeholders are target fields.
    pub(in crate::vendors) parts: Parts,
    /// The reset.
    pub(in crate::vendors) reset: Reset,
    /// The list of the credentials of a scope, where there is one.
    pub(in crate::vendors) list: Option<List>,
    /// The request for a single credential, where there is one.
    pub(in crate::vendors) one: Option<One>,
    /// A template of the user name for SMTP, if it is the same for all credentials or follows from the target.
    pub(in crate::vendors) username: Option<&'static str>,
    /// The submission host, by the settings, at a vendor with [`SmtpDefaults::ByRegion`](crate::vendors::SmtpDefaults::ByRegion).
    pub(in crate::vendors) smtp_host: fn(&Fields) -> Option<&'static str>,
}

/// The parts of a name.
#[derive(Clone, Copy, Debug)]
pub(in crate::vendors) struct Parts {
    /// The field of the target that is the name.
    pub(in crate::vendors) name: Option<&'static Field>,
    /// Its parts, in their order.
    pub(in crate::vendors) fields: &'static [&'static Field],
}

impl Parts {
    /// Placeholders are target fields.
    pub(in crate::vendors) const NONE: Self = Self { name: None, fields: &[] };
}

/// How requests are authorized.
#[derive(Debug)]
pub(in crate::vendors) enum Login {
    /// RFC 7617, with a user name that is the same for everybody.
    Basic {
        /// The user name.
        username: &'static str,
        /// The setting with the password.
        password: &'static Field,
    },
    /// RFC 6750.
    Bearer {
        /// The setting with the token.
        token: &'static Field,
        /// Finds the id of the credential that the token belongs to, if the token shows it.
        own_id: fn(&str) -> Option<&str>,
    },
    /// By headers alone.
    Headers,
}

/// What a reset does.
#[derive(Debug)]
pub(in crate::vendors) enum Reset {
    /// It sets a password that the caller makes.
    Set {
        /// The request, with `{password}` in its body.
        request: Call,
        /// The documented response.
        success: Agreement,
        /// Where the response has what is known of the credential.
        response: Response,
    },
    /// It makes the vendor generate a password for the same credential.
    Generate {
        /// The request.
        request: Call,
        /// The documented response.
        success: Agreement,
        /// Where the response has the password.
        password: &'static str,
        /// Where the response has what else is known of the credential.
        response: Response,
    },
    /// It makes a new credential.
    Create {
        /// The request.
        request: Call,
        /// The documented response.
        success: Agreement,
        /// Where the response has the password.
        password: &'static str,
        /// Where the response has what else is known of the credential. Its version is its id.
        response: Response,
        /// The request that revokes the credential `{id}`.
        revoke: Call,
        /// The documented response to that.
        revoked: Agreement,
        /// How many credentials the list may have, where that is documented.
        most: Option<usize>,
    },
}

/// Where a response has what is known of a credential.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::vendors) struct Response {
    /// The user name for SMTP.
    pub(in crate::vendors) username: Option<&'static str>,
    /// The last-changed marker, or the id where a reset makes a new credential.
    pub(in crate::vendors) version: Option<&'static str>,
}

impl Response {
    /// Nothing.
    pub(in crate::vendors) const NOTHING: Self = Self { username: None, version: None };
}

/// A request.
#[derive(Debug)]
pub(in crate::vendors) struct Call {
    /// The method.
    pub(in crate::vendors) method: Method,
    /// A template. What a placeholder stands for stays one segment.
    pub(in crate::vendors) path: &'static str,
    /// The query: names, and templates of values.
    pub(in crate::vendors) query: &'static [(&'static str, &'static str)],
    /// The body.
    pub(in crate::vendors) body: Body,
}

impl Call {
    /// A GET.
    pub(in crate::vendors) const fn get(path: &'static str) -> Self {
        Self { method: Method::GET, path, query: &[], body: Body::Nothing }
    }
}

/// The body of a request.
#[derive(Debug)]
pub(in crate::vendors) enum Body {
    /// None.
    Nothing,
    /// A form: names, and templates of values.
    Form(&'static [(&'static str, &'static str)]),
    /// JSON whose texts are templates.
    Json(&'static str),
    /// The same with optional parts of the target. A text with one that is not set is left out, and a text that is only the
    /// placeholder of a list becomes its elements, or its default if it is not set.
    JsonWithOptional(&'static str, &'static [&'static Field]),
}

/// A list of credentials.
#[derive(Debug)]
pub(in crate::vendors) struct List {
    /// The request.
    pub(in crate::vendors) request: Call,
    /// What every page fulfills.
    pub(in crate::vendors) success: &'static [Condition],
    /// Where a page has its entries.
    pub(in crate::vendors) items: &'static str,
    /// How further pages are requested.
    pub(in crate::vendors) paging: Paging,
    /// Where an entry has what identifies it. Required where a reset makes a new credential, and for
    /// [`Paging::After`].
    pub(in crate::vendors) id: Option<&'static str>,
    /// Whether that may be a number.
    pub(in crate::vendors) has_numeric_ids: bool,
    /// The fields of the target that say which credentials the list holds.
    pub(in crate::vendors) scope: &'static [&'static Field],
    /// Which entries are the target: places in an entry, and templates of what is there, compared without regard to
    /// case. Where a reset makes a new credential, several may be.
    pub(in crate::vendors) matches: &'static [(&'static str, &'static str)],
    /// How a target is named after an entry, where that is possible.
    pub(in crate::vendors) naming: Option<Naming>,
    /// Where an entry has what is known of the credential.
    pub(in crate::vendors) response: Response,
    /// Where an entry has the time at which it was made.
    pub(in crate::vendors) created_at: Option<&'static str>,
}

/// How a target is named after an entry of a list.
#[derive(Debug)]
pub(in crate::vendors) struct Naming {
    /// The field of the target.
    pub(in crate::vendors) field: &'static Field,
    /// A template of it.
    pub(in crate::vendors) template: &'static str,
    /// Its placeholders that an entry shows: where, and a template of what follows there.
    pub(in crate::vendors) parts: &'static [(&'static Field, &'static str, &'static str)],
}

/// How further pages are requested.
#[derive(Debug)]
pub(in crate::vendors) enum Paging {
    /// There is only one.
    Single,
    /// By number. A page without entries ends the list.
    Page {
        /// The query parameter for the number.
        parameter: &'static str,
        /// The number of the first page.
        first: u64,
    },
    /// By the number of entries to skip. A page with fewer entries than requested is the last one.
    Skip {
        /// The query parameter for the number of entries, and its value.
        limit: (&'static str, usize),
        /// The query parameter for the number of entries to skip.
        skip: &'static str,
    },
    /// By the id of the last entry of the previous page.
    After {
        /// The query parameter for the number of entries, and its value.
        limit: (&'static str, usize),
        /// The query parameter for the id.
        after: &'static str,
        /// Where a page says whether another one follows.
        has_more: &'static str,
    },
    /// By what a page says of the next one, until it says nothing.
    Cursor {
        /// The query parameter for it.
        parameter: &'static str,
        /// Where a page has it.
        next: &'static str,
    },
    /// By a link to the next page, on the same server, until there is none.
    Link {
        /// Where a page has it.
        next: &'static str,
    },
}

/// A request for a single credential. A 404 in the vendor's format means that it is gone.
#[derive(Debug)]
pub(in crate::vendors) struct One {
    /// The request.
    pub(in crate::vendors) request: Call,
    /// What the response fulfills.
    pub(in crate::vendors) success: &'static [Condition],
    /// Where the response may have the id. A response about another credential is an error.
    pub(in crate::vendors) id: &'static [&'static str],
    /// What else shows that it is about this credential: places, and templates of what is there.
    pub(in crate::vendors) matches: &'static [(&'static str, &'static str)],
    /// Where the response has what is known of the credential.
    pub(in crate::vendors) response: Response,
}

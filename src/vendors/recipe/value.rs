//! What a recipe is made of.

use crate::{
    http::{Agreement, Method},
    vendors::fields::{Field, Fields},
};

/// How one vendor resets, lists and revokes.
///
/// A template is a text with placeholders in braces: the names of target fields, `{password}` where the caller makes
/// it, and `{id}`, the `remote_version` of the credential that is meant. Places in responses are JSON pointers.
#[derive(Debug)]
pub(in crate::vendors) struct Recipe {
    /// How every request is authorized.
    pub(in crate::vendors) login: Login,
    /// The reset.
    pub(in crate::vendors) reset: Reset,
    /// The list of the credentials of a scope.
    pub(in crate::vendors) list: List,
    /// The request for a single credential, where there is one.
    pub(in crate::vendors) one: Option<One>,
    /// The user name for SMTP, if it is the same for all credentials.
    pub(in crate::vendors) username: Option<&'static str>,
    /// The submission host, by the settings, at a vendor with
    /// [`SmtpDefaults::ByRegion`](crate::vendors::SmtpDefaults::ByRegion).
    pub(in crate::vendors) smtp_host: fn(&Fields) -> Option<&'static str>,
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
    },
    /// It makes a new credential.
    Create {
        /// The request.
        request: Call,
        /// Where the response has the password.
        password: &'static str,
        /// Where the response has the id.
        id: &'static str,
        /// The request that revokes the credential `{id}`.
        revoke: Call,
    },
}

/// A request.
#[derive(Debug)]
pub(in crate::vendors) struct Call {
    /// The method.
    pub(in crate::vendors) method: Method,
    /// A template. What a placeholder stands for stays one segment.
    pub(in crate::vendors) path: &'static str,
    /// The body.
    pub(in crate::vendors) body: Body,
}

/// The body of a request.
#[derive(Debug)]
pub(in crate::vendors) enum Body {
    /// None.
    Nothing,
    /// A form: names, and templates of values.
    Form(&'static [(&'static str, &'static str)]),
    /// JSON whose texts are templates. A field whose text needs an optional part of the target that is not set is left
    /// out.
    Json(&'static str),
}

/// A list of credentials.
#[derive(Debug)]
pub(in crate::vendors) struct List {
    /// A template of the path.
    pub(in crate::vendors) path: &'static str,
    /// Where a page has its entries.
    pub(in crate::vendors) items: &'static str,
    /// How further pages are requested.
    pub(in crate::vendors) paging: Paging,
    /// The field of an entry that identifies it.
    pub(in crate::vendors) id: &'static str,
    /// The fields of the target that say which credentials the list holds.
    pub(in crate::vendors) scope: &'static [&'static Field],
    /// A template of what that field is for the target, compared without regard to case. Unused where a reset makes a
    /// new credential: there it is `remote_version`.
    pub(in crate::vendors) target: &'static str,
    /// The field of the target that an entry shows, in which of its fields, and a template of what follows it there.
    pub(in crate::vendors) name: (&'static Field, &'static str, &'static str),
    /// The field of an entry with the time at which it was made.
    pub(in crate::vendors) created_at: Option<&'static str>,
}

/// How further pages are requested.
#[derive(Debug)]
pub(in crate::vendors) enum Paging {
    /// There is only one.
    Single,
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
}

/// A request for a single credential. A 404 in the vendor's format means that it is gone.
#[derive(Debug)]
pub(in crate::vendors) struct One {
    /// A template of the path.
    pub(in crate::vendors) path: &'static str,
    /// Where the response may have the id. A response about another credential is an error.
    pub(in crate::vendors) id: &'static [&'static str],
}

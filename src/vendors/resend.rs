//! Resend's API keys, each of which is an SMTP password. A reset makes a new key, and the previous one is then revoked.

use std::borrow::Cow;

use super::{
    Field, ImportId, PasswordSource, ResetKind, SmtpDefaults, Vendor, VendorOrigin, check,
    recipe::{self, Body, Call, List, Login, Naming, Paging, Parts, Recipe, Reset, Response},
};
use crate::http::{Agreement, ErrorFormat, Form, Kind, Mark, Method};

pub(super) static VENDOR: Vendor = Vendor {
    name: "resend",
    origin: VendorOrigin::BuiltIn,
    title: "Resend",
    api_docs: "https://resend.com/docs/api-reference/api-keys/create-api-key",
    base_url: "https://api.resend.com",
    base_url_of: |_| None,
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[&API_KEY],
    logins: &[&[&API_KEY]],
    rights: "the permission `full_access`",
    advice: &[(
        "validation_error",
        "If Resend's message is that the API key is invalid, check `api_key`; otherwise check `name` and `domain_id`.",
    )],
    target: &[&NAME, &DOMAIN_ID],
    identity: &[&NAME],
    scope: &[],
    import: ImportId::Credential,
    password_source: PasswordSource::Vendor,
    longest_password: None,
    reset_kind: ResetKind::NewCredential,
    reset_delay: None,
    lag: None,
    reports_version: true,
    username: &|_| Some(Cow::Borrowed(USERNAME)),
    smtp: SmtpDefaults::At { host: "smtp.resend.com", port: 587 },
    connect: &|settings, api| recipe::connect(&RECIPE, settings, api),
};

static API_KEY: Field = Field::secret(
    "api_key",
    "API key to log in with, with the permission `full_access`. It must not be one that a resource rotates.",
    check::token,
)
.or_env("RESEND_API_KEY");
static DOMAIN_ID: Field = Field::shown(
    "domain_id",
    "Id of the only domain that the API key may send for. By default it may send for all. Resend does not show it for a \
     key, so it is not part of a generated configuration.",
    check::segment,
)
.optional();
static NAME: Field = Field::shown(
    "name",
    "Name of the API key, such as `newsletter`. It stays the same when a reset creates a new key.",
    check::line,
);

const USERNAME: &str = "resend";

static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/name")], &[Mark::Text("/message")]]),
    code: &["/name"],
    // Resend sends it with 401, but such a key is valid and lacks the permission. `validation_error` is not here: it is
    // sent for a key that is not valid as well as for a wrong name.
    codes: &[("restricted_api_key", Kind::Forbidden)],
    message: &["/message"],
    fields: None,
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

static RECIPE: Recipe = Recipe {
    login: Login::Bearer { token: &API_KEY, own_id: |_| None },
    logs_in_with_a_credential: true,
    headers: &[],
    parts: Parts::NONE,
    reset: Reset::Create {
        request: Call {
            method: Method::POST,
            path: "/api-keys",
            query: &[],
            body: Body::JsonWithOptional(
                r#"{"name": "{name}", "permission": "sending_access", "domain_id": "{domain_id}"}"#,
                &[&DOMAIN_ID],
            ),
        },
        success: Agreement::Undocumented,
        password: "/token",
        response: Response { username: None, version: Some("/id") },
        revoke: Call { method: Method::DELETE, path: "/api-keys/{id}", query: &[], body: Body::Nothing },
        revoked: Agreement::Undocumented,
        most: None,
    },
    list: Some(List {
        request: Call::get("/api-keys"),
        success: &[],
        items: "/data",
        paging: Paging::After { limit: ("limit", 100), after: "after", has_more: "/has_more" },
        id: Some("/id"),
        has_numeric_ids: false,
        scope: &[],
        matches: &[("/name", "{name}")],
        naming: Some(Naming { field: &NAME, template: "{name}", parts: &[(&NAME, "/name", "")] }),
        response: Response::NOTHING,
        created_at: Some("/created_at"),
    }),
    one: None,
    username: Some(USERNAME),
    smtp_host: |_| None,
};

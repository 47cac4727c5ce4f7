//! `SendGrid`'s API keys, each of which is an SMTP password. A reset makes a new key, and the previous one is then
//! revoked.

use std::borrow::Cow;

use super::{
    Field, Fields, ImportId, ListRule, PasswordSource, ResetKind, SmtpDefaults, Vendor, VendorOrigin, check,
    recipe::{self, Body, Call, List, Login, Naming, One, Paging, Parts, Recipe, Reset, Response},
};
use crate::http::{Agreement, ErrorFormat, Form, Mark, Method};

pub(super) static VENDOR: Vendor = Vendor {
    name: "sendgrid",
    origin: VendorOrigin::BuiltIn,
    title: "SendGrid",
    api_docs: "https://www.twilio.com/docs/sendgrid/api-reference/api-keys/create-api-keys",
    base_url: "https://api.sendgrid.com",
    base_url_of: |settings| is_european(settings).then_some("https://api.eu.sendgrid.com"),
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[&API_KEY, &REGION],
    logins: &[&[&API_KEY]],
    rights: "the scopes `api_keys.create`, `api_keys.read`, `api_keys.delete`, `mail.send`, and any others in the resource's \
             `scopes`",
    advice: &[],
    target: &[&NAME, &SCOPES],
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
    smtp: SmtpDefaults::ByRegion { hosts: &[HOST, EUROPEAN_HOST], port: 587 },
    connect: &|settings, api| recipe::connect(&RECIPE, settings, api),
};

static API_KEY: Field =
    Field::secret("api_key", "API key to log in with. It must not be one that a resource rotates.", check::token)
        .or_env("SENDGRID_API_KEY");
static NAME: Field = Field::shown(
    "name",
    "Name of the API key, such as `newsletter`. It stays the same when a reset creates a new key.",
    check::line,
);
static SCOPES: Field = Field::list(
    "scopes",
    "What the API key may do, as SendGrid names it; `mail.send` must be one of them. By default `[\"mail.send\"]`: the key \
     may send mail, and nothing else. The order does not matter. An import does not read the scopes of a key, so they are not \
     part of a generated configuration.",
    scope,
    &ListRule {
        default: &["mail.send"],
        required: ("mail.send", "must contain `mail.send`: without that scope a key cannot send mail"),
    },
);
static REGION: Field = Field::shown(
    "region",
    "Region of the account: `global`, the default, or `eu`, for a regional subuser. It decides `smtp_host` and where the \
     API is.",
    |text| match text {
        "global" | "eu" => Ok(()),
        _ => Err("must be `global` or `eu`"),
    },
);

const USERNAME: &str = "apikey";
const HOST: &str = "smtp.sendgrid.net";
const EUROPEAN_HOST: &str = "smtp.eu.sendgrid.net";

static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/errors/0/message")]]),
    code: &[],
    codes: &[],
    message: &["/errors/0/message"],
    fields: None,
    request_id: &["/id"],
    unprocessed: &[],
    rate_limits: &[],
};

static RECIPE: Recipe = Recipe {
    // A key is `SG.`, its id, and its secret.
    login: Login::Bearer { token: &API_KEY, own_id: |token| token.strip_prefix("SG.")?.split('.').next() },
    logs_in_with_a_credential: true,
    headers: &[],
    parts: Parts::NONE,
    reset: Reset::Create {
        request: Call {
            method: Method::POST,
            path: "/v3/api_keys",
            query: &[],
            // Without scopes the key could do everything.
            body: Body::JsonWithOptional(r#"{"name": "{name}", "scopes": "{scopes}"}"#, &[&SCOPES]),
        },
        success: Agreement::Undocumented,
        password: "/api_key",
        response: Response { username: None, version: Some("/api_key_id") },
        revoke: Call { method: Method::DELETE, path: "/v3/api_keys/{id}", query: &[], body: Body::Nothing },
        revoked: Agreement::Undocumented,
        most: Some(100),
    },
    list: Some(List {
        request: Call::get("/v3/api_keys"),
        success: &[],
        items: "/result",
        paging: Paging::Single,
        id: Some("/api_key_id"),
        has_numeric_ids: false,
        scope: &[],
        matches: &[("/name", "{name}")],
        naming: Some(Naming { field: &NAME, template: "{name}", parts: &[(&NAME, "/name", "")] }),
        response: Response::NOTHING,
        created_at: None,
    }),
    // The specification wraps the key in a list, and clients read it without one.
    one: Some(One {
        request: Call::get("/v3/api_keys/{id}"),
        success: &[],
        id: &["/api_key_id", "/result/0/api_key_id"],
        matches: &[],
        response: Response::NOTHING,
    }),
    username: Some(USERNAME),
    smtp_host: |settings| Some(if is_european(settings) { EUROPEAN_HOST } else { HOST }),
};

/// Checks a scope. All that are documented have these characters only.
fn scope(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)) {
        Ok(())
    } else {
        Err("must be a single scope, such as `mail.send`, of ASCII letters, digits, `.`, `_` and `-`")
    }
}

fn is_european(settings: &Fields) -> bool {
    settings.text(&REGION) == Some("eu")
}

//! Mailgun's SMTP credentials. The caller chooses the password, so a reset whose outcome is unknown is simply repeated.

use std::borrow::Cow;

use super::{
    Field, Fields, ImportId, PasswordSource, ResetKind, SmtpDefaults, Vendor, VendorOrigin, check,
    recipe::{self, Body, Call, List, Login, Naming, Paging, Parts, Recipe, Reset, Response},
};
use crate::http::{Agreement, ErrorFormat, Form, Mark, Method};

pub(super) static VENDOR: Vendor = Vendor {
    name: "mailgun",
    origin: VendorOrigin::BuiltIn,
    title: "Mailgun",
    api_docs: "https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/credentials/put-v3-domains--domain-name--credentials--spec-",
    base_url: "https://api.mailgun.net",
    base_url_of: |settings| is_european(settings).then_some("https://api.eu.mailgun.net"),
    error_format: &ERROR_FORMAT,
    rate_window: None,
    settings: &[&API_KEY, &REGION],
    logins: &[&[&API_KEY]],
    rights: "to be an API key of the account, not a sending key of a domain",
    advice: &[],
    target: &[&DOMAIN, &LOGIN],
    identity: &[&DOMAIN, &LOGIN],
    scope: &[&DOMAIN],
    import: ImportId::Identity,
    password_source: PasswordSource::Caller,
    longest_password: Some(32),
    reset_kind: ResetKind::InPlace,
    reset_delay: None,
    lag: None,
    reports_version: false,
    username: &|target| Some(Cow::Owned(format!("{}@{}", target.text(&LOGIN)?, target.text(&DOMAIN)?))),
    smtp: SmtpDefaults::ByRegion { hosts: &[HOST, EUROPEAN_HOST], port: 587 },
    connect: &|settings, api| recipe::connect(&RECIPE, settings, api),
};

static API_KEY: Field = Field::secret("api_key", "API key of the account.", check::token).or_env("MAILGUN_API_KEY");
static DOMAIN: Field = Field::shown("domain", "Sending domain, such as `example.com`.", check::segment);
static LOGIN: Field = Field::shown(
    "login",
    "Name of the credential, the part of its address before the `@`. The user name for SMTP is `login@domain`.",
    // The vendor's page writes the whole address in this place, but its clients send this part.
    |text| if text.contains('@') { Err("must be the part before the `@`") } else { check::segment(text) },
);
static REGION: Field = Field::shown(
    "region",
    "Region of the account: `us`, the default, or `eu`. It decides `smtp_host` and where the API is.",
    |text| match text {
        "us" | "eu" => Ok(()),
        _ => Err("must be `us` or `eu`"),
    },
);

const HOST: &str = "smtp.mailgun.org";
const EUROPEAN_HOST: &str = "smtp.eu.mailgun.org";

/// The message of a successful reset. Errors have a message in the same field; a login that is refused gets plain text.
const CHANGED: &str = "Password changed";

static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::TextIsNot("/message", CHANGED), Mark::Body("Forbidden")]]),
    code: &[],
    codes: &[],
    message: &["/message"],
    fields: None,
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

static RECIPE: Recipe = Recipe {
    login: Login::Basic { username: "api", password: &API_KEY },
    logs_in_with_a_credential: false,
    headers: &[],
    parts: Parts::NONE,
    reset: Reset::Set {
        request: Call {
            method: Method::PUT,
            path: "/v3/domains/{domain}/credentials/{login}",
            query: &[],
            body: Body::Form(&[("password", "{password}")]),
        },
        success: Agreement::Documented { status: 200, form: Form(&[&[Mark::TextIs("/message", CHANGED)]]) },
        response: Response::NOTHING,
    },
    list: Some(List {
        request: Call::get("/v3/domains/{domain}/credentials"),
        success: &[],
        items: "/items",
        paging: Paging::Skip { limit: ("limit", 100), skip: "skip" },
        id: Some("/login"),
        has_numeric_ids: false,
        scope: &[&DOMAIN],
        matches: &[("/login", "{login}@{domain}")],
        naming: Some(Naming { field: &LOGIN, template: "{login}", parts: &[(&LOGIN, "/login", "@{domain}")] }),
        response: Response { username: Some("/login"), version: None },
        created_at: Some("/created_at"),
    }),
    one: None,
    username: None,
    smtp_host: |settings| Some(if is_european(settings) { EUROPEAN_HOST } else { HOST }),
};

fn is_european(settings: &Fields) -> bool {
    settings.text(&REGION) == Some("eu")
}

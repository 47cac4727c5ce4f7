//! How the provider logs in to Microsoft Entra: with a client secret, or with an OIDC token of somebody that the
//! application trusts. Settings and variables are those of the provider `azuread`.

use crate::{
    http::{Api, BaseUrl, ErrorFormat, Form, Kind, Mark},
    vendors::{
        assertion::{self, Assertion},
        check,
        fields::{Field, Fields},
        oauth::{TokenRequest, TokenSource},
    },
};

/// The alternatives.
pub(super) const LOGINS: &[&[&Field]] = &[
    &[&TENANT_ID, &CLIENT_ID, &CLIENT_SECRET],
    &[&TENANT_ID, &CLIENT_ID, &USE_OIDC, &OIDC_TOKEN],
    &[&TENANT_ID, &CLIENT_ID, &USE_OIDC, &OIDC_TOKEN_FILE_PATH],
    &[&TENANT_ID, &CLIENT_ID, &USE_OIDC, &OIDC_REQUEST_URL, &OIDC_REQUEST_TOKEN],
];

pub(super) static AUTHORITY_URL: Field = Field::shown(
    "authority_url",
    "Base URL of the host that grants access tokens. Default: `https://login.microsoftonline.com`. `http` is only \
     allowed for loopback addresses.",
    |text| BaseUrl::parse(text).map(drop),
)
.or_env("AZURE_COMMUNICATION_AUTHORITY_URL");
pub(super) static CLIENT_ID: Field =
    Field::shown("client_id", "Client id of the application to log in as.", check::segment)
        .or_env("ARM_CLIENT_ID")
        .or_other_env(&["AZURE_CLIENT_ID"]);
pub(super) static CLIENT_SECRET: Field = Field::secret(
    "client_secret",
    "Client secret of the application to log in as. It must not be one that a resource rotates.",
    check::token,
)
.or_env("ARM_CLIENT_SECRET")
.or_other_env(&["AZURE_CLIENT_SECRET"]);
pub(super) static OIDC_REQUEST_TOKEN: Field =
    Field::secret("oidc_request_token", "Token that authorizes requests to `oidc_request_url`.", check::token)
        .or_env("ARM_OIDC_REQUEST_TOKEN")
        .or_other_env(&["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
pub(super) static OIDC_REQUEST_URL: Field = Field::shown(
    "oidc_request_url",
    "URL that returns an OIDC token, as in GitHub Actions; used with `use_oidc` and `oidc_request_token`.",
    assertion::address,
)
.or_env("ARM_OIDC_REQUEST_URL")
.or_other_env(&["ACTIONS_ID_TOKEN_REQUEST_URL"]);
pub(super) static OIDC_TOKEN: Field =
    Field::secret("oidc_token", "OIDC token; used with `use_oidc`.", check::token).or_env("ARM_OIDC_TOKEN");
pub(super) static OIDC_TOKEN_FILE_PATH: Field = Field::shown(
    "oidc_token_file_path",
    "Path of a file with an OIDC token, which is read again for each login; used with `use_oidc`.",
    check::line,
)
.or_env("ARM_OIDC_TOKEN_FILE_PATH")
.or_other_env(&["AZURE_FEDERATED_TOKEN_FILE"]);
pub(super) static TENANT_ID: Field =
    Field::shown("tenant_id", "Id of the Entra tenant that the application is in.", check::segment)
        .or_env("ARM_TENANT_ID")
        .or_other_env(&["AZURE_TENANT_ID"]);
pub(super) static USE_OIDC: Field =
    Field::switch("use_oidc", "Whether to log in with an OIDC token instead of `client_secret`. Default: `false`.")
        .or_env("ARM_USE_OIDC");

const DEFAULT_AUTHORITY: &str = "https://login.microsoftonline.com";

/// What an OIDC token has to be meant for.
const AUDIENCE: &str = "api://AzureADTokenExchange";

/// Errors as in <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>: the first of the numbers
/// says more than the code of RFC 6749. Refusals of a login come with 400 as well as with 401.
static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/error")], &[Mark::Text("/error_description")]]),
    code: &["/error_codes/0", "/error"],
    codes: &[
        ("7000215", Kind::Unauthorized),
        ("7000222", Kind::Unauthorized),
        ("700016", Kind::Unauthorized),
        ("90002", Kind::Unauthorized),
        ("70021", Kind::Unauthorized),
        ("700211", Kind::Unauthorized),
        ("700212", Kind::Unauthorized),
        ("700213", Kind::Unauthorized),
        ("700024", Kind::Unauthorized),
        ("invalid_client", Kind::Unauthorized),
        ("unauthorized_client", Kind::Unauthorized),
    ],
    message: &["/error_description"],
    fields: None,
    request_id: &["/trace_id"],
    unprocessed: &[],
    rate_limits: &[],
};

/// Where access tokens come from. Fails if an address in the settings is invalid.
pub(super) fn source(settings: &Fields, api: &Api) -> Result<TokenSource, &'static str> {
    let authority = BaseUrl::parse(settings.text(&AUTHORITY_URL).unwrap_or(DEFAULT_AUTHORITY))?;
    let mut form = vec![
        ("client_id", settings.get(&CLIENT_ID).into()),
        ("grant_type", "client_credentials".into()),
        ("scope", scope(api.host()).as_str().into()),
    ];
    let offer = match (settings.secret(&CLIENT_SECRET), assertion(settings, api)?) {
        (None, Some(assertion)) => TokenRequest::Asserted(form, assertion),
        (secret, _) => {
            form.push(("client_secret", secret.cloned().unwrap_or_default().into()));
            TokenRequest::Form(form)
        }
    };
    let path = [settings.get(&TENANT_ID), "oauth2", "v2.0", "token"];
    Ok(TokenSource::granted(api.at(authority, &ERROR_FORMAT), &path, offer))
}

fn assertion(settings: &Fields, api: &Api) -> Result<Option<Assertion>, &'static str> {
    Ok(Some(if let Some(token) = settings.secret(&OIDC_TOKEN) {
        Assertion::Value(token.clone())
    } else if let Some(path) = settings.text(&OIDC_TOKEN_FILE_PATH) {
        Assertion::File(path.into())
    } else if let Some(url) = settings.text(&OIDC_REQUEST_URL) {
        Assertion::issuer(api, url, AUDIENCE, settings.get_secret(&OIDC_REQUEST_TOKEN))?
    } else {
        return Ok(None);
    }))
}

/// All permissions that the application has been granted at Graph. National clouds have a Graph of their own; a proxy
/// in front of it, as in tests, has none.
fn scope(host: &str) -> String {
    const NATIONAL: [&str; 3] = ["dod-graph.microsoft.us", "graph.microsoft.us", "microsoftgraph.chinacloudapi.cn"];
    let graph = if NATIONAL.contains(&host) { host } else { "graph.microsoft.com" };
    format!("https://{graph}/.default")
}

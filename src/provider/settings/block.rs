//! The provider block: its schema, and the settings that it resolves to for each vendor.

use std::time::Duration;

use super::{
    certificates::{self, CA_CERTIFICATE_FILE, CA_CERTIFICATE_FILE_ENV},
    environment::Environment,
    http_block,
    http_schema::{self, BASE_URL},
};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        schema::{Attribute, Schema, Type},
        validate::invalid,
        value::{Number, Value},
    },
    provider::attributes::duration,
    secret::Secret,
    vendors::{self, BaseUrl, Field, Fields, VENDORS, Vendor, Visibility, parse_switch},
};

const MAX_REQUESTS_PER_SECOND: &str = "max_requests_per_second";
const REQUEST_TIMEOUT: &str = "request_timeout";
/// One request in 17 minutes. At a lower rate no operation would finish within its timeout.
const LEAST_REQUESTS_PER_SECOND: f64 = 0.001;
const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// Returns the schema of the provider block.
pub(in crate::provider) fn schema() -> Schema {
    let vendors = VENDORS.iter().map(|vendor| {
        let mut settings: Vec<_> =
            vendor.settings.iter().filter(|field| !field.is_variable).map(|field| setting(field)).collect();
        settings.push(base_url(vendor));
        settings.sort_by(|one, other| one.name.cmp(&other.name));
        let description = format!("Settings for {}. Unset ones are read from environment variables.", vendor.title);
        Attribute::optional(vendor.name, Type::Object(settings), description)
    });
    let common = [
        Attribute::optional(
            CA_CERTIFICATE_FILE,
            Type::String,
            format!(
                "Path of a PEM file with certificates to trust in addition to the system's: CA certificates, or a \
                 server's own. Environment variable: `{CA_CERTIFICATE_FILE_ENV}`."
            ),
        ),
        Attribute::optional(
            MAX_REQUESTS_PER_SECOND,
            Type::Number,
            "Maximum number of HTTP requests per second, at least 0.001. By default the provider sets no limit; it \
             always honors a vendor's `Retry-After`.",
        ),
        Attribute::optional(
            REQUEST_TIMEOUT,
            Type::String,
            "Timeout of one HTTP request including its response, as a duration such as `30s`. Once a reset has been \
             sent, the provider waits this long for its response, even beyond the resource's `timeouts`. Default: \
             `60s`.",
        )
        .validated_by(duration::check),
    ];
    Schema {
        version: 0,
        description: include_str!("../description.md").to_owned(),
        attributes: vendors.chain(common).chain([http_schema::schema()]).collect(),
    }
}

fn setting(field: &Field) -> Attribute {
    let variables: Vec<_> = field.variables().map(|variable| format!("`{variable}`")).collect();
    let variables = match &variables[..] {
        [] => String::new(),
        [one] => format!(" Environment variable: {one}."),
        several => format!(" Environment variables: {}.", several.join(", or ")),
    };
    let description = format!("{}{variables}", field.description);
    let attribute = if field.is_switch {
        Attribute::optional(field.name, Type::Bool, description)
    } else {
        Attribute::optional(field.name, Type::String, description).validated_by(field.check)
    };
    match field.visibility {
        Visibility::Shown => attribute,
        Visibility::Secret => attribute.sensitive(),
    }
}

fn base_url(vendor: &Vendor) -> Attribute {
    let description = format!(
        "Base URL of the API. Default: `{}`. `http` is only allowed for loopback addresses. Environment variable: `{}`.",
        vendor.base_url,
        vendor.base_url_variable(),
    );
    Attribute::optional(BASE_URL, Type::String, description).validated_by(|text| BaseUrl::parse(text).map(drop))
}

/// Validates what no check of a single string can.
pub(in crate::provider) fn validate(config: &Value) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    if let Some(limit) = config.get(MAX_REQUESTS_PER_SECOND).as_number()
        && limit.as_f64().is_none_or(|limit| limit < LEAST_REQUESTS_PER_SECOND)
    {
        diagnostics
            .push(invalid(Path::attribute(MAX_REQUESTS_PER_SECOND), "must be at least 0.001; omit it for no limit"));
    }
    for vendor in VENDORS {
        if let Err(diagnostic) = possible_logins(vendor, config.get(vendor.name)) {
            diagnostics.push(diagnostic);
        }
    }
    diagnostics.extend(http_block::validate(config));
    diagnostics
}

/// Resolves the settings of the HTTP client that all vendors share; `None` while one is unknown. Fails if
/// `ca_certificate_file` cannot be read.
pub(super) async fn client(
    config: &Value,
    core_version: &str,
    environment: Environment<'_>,
) -> Result<Option<vendors::Settings>, Diagnostic> {
    let [ca, limit, timeout] =
        [CA_CERTIFICATE_FILE, MAX_REQUESTS_PER_SECOND, REQUEST_TIMEOUT].map(|name| config.get(name));
    if [ca, limit, timeout].iter().any(|value| value.is_unknown()) {
        return Ok(None);
    }
    Ok(Some(vendors::Settings {
        ca_certificate_file: certificates::read(config, environment(CA_CERTIFICATE_FILE_ENV)).await?,
        request_timeout: timeout.as_str().and_then(duration::parse).unwrap_or(DEFAULT_REQUEST_TIMEOUT),
        max_requests_per_second: limit.as_number().and_then(Number::as_f64),
        user_agent: user_agent(core_version, environment),
    }))
}

/// Builds the user agent. `TF_APPEND_USER_AGENT` may contain anything, so what a header cannot carry is dropped.
fn user_agent(core_version: &str, environment: Environment) -> String {
    let appended = environment("TF_APPEND_USER_AGENT").unwrap_or_default();
    let own = concat!("terraform-provider-smtp/", env!("CARGO_PKG_VERSION"));
    let text = format!("Terraform/{core_version} (+https://www.terraform.io) {own} {appended}");
    let words = text.split(|c: char| !c.is_ascii_graphic()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_USER_AGENT).collect()
}

/// In characters. Servers reject requests whose headers exceed 8 KiB.
const LONGEST_USER_AGENT: usize = 1024;

/// A vendor's settings from the configuration and the environment.
pub(super) enum Resolved {
    /// Complete and valid, with the base URL.
    Complete(Fields, BaseUrl),
    /// A setting depends on something that does not exist yet.
    Unknown,
    /// Incomplete or invalid.
    Refused(Diagnostic),
}

/// Resolves a vendor's settings. The configuration takes precedence over the environment; for a setting that is unknown
/// the environment is not used.
pub(super) fn resolve(vendor: &'static Vendor, block: &Value, environment: Environment) -> Resolved {
    let mut names = vendor.settings.iter().map(|field| field.name).chain([BASE_URL]);
    if block.is_unknown() || names.any(|name| block.get(name).is_unknown()) {
        return Resolved::Unknown;
    }
    let resolved = complete(vendor, block, environment).and_then(|fields| {
        let base_url = address(vendor, &fields, block, environment)?;
        Ok((fields, base_url))
    });
    match resolved {
        Ok((fields, base_url)) => Resolved::Complete(fields, base_url),
        Err(diagnostic) => Resolved::Refused(diagnostic),
    }
}

/// Where a vendor's API is.
fn address(vendor: &Vendor, settings: &Fields, block: &Value, environment: Environment) -> Result<BaseUrl, Diagnostic> {
    if let Some(configured) = block.get(BASE_URL).as_str() {
        return BaseUrl::parse(configured).map_err(|words| refused_setting(vendor, BASE_URL, words));
    }
    let variable = vendor.base_url_variable();
    match environment(&variable) {
        Some(value) => BaseUrl::parse(&value).map_err(|words| refused_variable(&variable, words)),
        None => BaseUrl::parse((vendor.base_url_of)(settings).unwrap_or(vendor.base_url))
            .map_err(|words| refused_setting(vendor, BASE_URL, words)),
    }
}

fn complete(vendor: &'static Vendor, block: &Value, environment: Environment) -> Result<Fields, Diagnostic> {
    let from_environment = |field: &Field| {
        let set = field.variables().find_map(|variable| Some((variable, environment(variable)?)));
        set.filter(|(_, text)| !field.is_switch || parse_switch(text) != Some(false))
    };
    let possible = possible_logins(vendor, block)?;
    let is_there = |field: &&Field| is_configured(block, field) || from_environment(field).is_some();
    // Of several, the environment chooses one of which nothing is missing.
    let login = match (possible.iter().find(|login| login.iter().all(is_there)), &possible[..]) {
        (Some(login), _) => login,
        (None, [login]) if login.iter().any(|field| is_configured(block, field)) => login,
        (None, [login, ..]) if login.iter().any(|field| is_configured(block, field)) => {
            return Err(undecided_login(vendor));
        }
        (None, _) => return Err(no_credentials(vendor, block)),
    };
    // Only the fields of the chosen login are used, each from the configuration or else from the environment. So a
    // token in the environment is never combined with a configured client id.
    let is_login =
        |field: &Field| vendor.logins.iter().flat_map(|login| login.iter()).any(|other| other.name == field.name);
    let mut fields = Fields::default();
    for field in vendor.settings.iter().copied() {
        let chosen = login.iter().any(|other| other.name == field.name);
        // A vendor that looks for a login itself must see half of one, or it would log in with another.
        if is_login(field) && !chosen && !login.is_empty() {
            continue;
        }
        if let Some(value) = configured(block, field) {
            fields.insert(field, value).map_err(|words| refused_setting(vendor, field.name, words))?;
        } else if let Some((variable, value)) = from_environment(field) {
            fields.insert(field, Secret::new(value)).map_err(|words| refused_variable(variable, words))?;
        } else if chosen {
            return Err(incomplete_login(vendor, login, field));
        }
    }
    Ok(fields)
}

/// Returns the logins that the configuration leaves possible: those that have all of the login's arguments that it sets.
/// Fails if there is none, because it sets arguments of two.
fn possible_logins(vendor: &'static Vendor, block: &Value) -> Result<Vec<&'static [&'static Field]>, Diagnostic> {
    let fields = vendor.logins.iter().copied().flatten();
    let configured: Vec<_> = fields.filter(|field| is_configured(block, field)).map(|field| field.name).collect();
    let has = |login: &[&Field], name: &str| login.iter().any(|field| field.name == name);
    let logins = vendor.logins.iter().copied();
    let possible: Vec<_> = logins.filter(|login| configured.iter().all(|name| has(login, name))).collect();
    if !possible.is_empty() || block.is_unknown() {
        return Ok(possible);
    }
    let alternatives = alternatives(vendor, |field| Some(format!("`{}`", field.name)));
    let detail = match vendor.logins.len() {
        2 => format!("Set either {alternatives}, not both."),
        _ => format!("Set only one of these: {alternatives}."),
    };
    let diagnostic = Diagnostic::error(format!("Conflicting credentials for {}", vendor.title), detail);
    Err(diagnostic.at(Path::attribute(vendor.name)))
}

/// Returns whether the configuration sets a field, even if its value is not known yet.
fn is_configured(block: &Value, field: &Field) -> bool {
    block.get(field.name).is_unknown() || configured(block, field).is_some()
}

fn configured(block: &Value, field: &Field) -> Option<Secret> {
    match block.get(field.name) {
        Value::String(text) => Some(Secret::new(text.as_str())),
        Value::Secret(secret) => Some(secret.clone()),
        Value::Bool(true) => Some(Secret::new("true")),
        _ => None,
    }
}

fn no_credentials(vendor: &Vendor, block: &Value) -> Diagnostic {
    // Core silently drops unknown arguments of a nested object, so a typo looks like an empty block.
    let typo = match block.as_object() {
        Some(_) => format!(
            " `{}` is in the provider block but sets no credentials: check the argument names, since unknown ones are \
             ignored.",
            vendor.name
        ),
        None => String::new(),
    };
    Diagnostic::error(
        format!("No credentials for {}", vendor.title),
        format!(
            "The API of {title} is needed, but there are no credentials to call it with. Set {variables}, or the same \
             settings in the `{name}` attribute of the provider block.{typo}",
            title = vendor.title,
            name = vendor.name,
            variables = alternatives(vendor, |field| field.env.map(|variable| format!("`{variable}`"))),
        ),
    )
}

/// The error for a configuration that belongs to several logins, none of which is complete.
fn undecided_login(vendor: &Vendor) -> Diagnostic {
    Diagnostic::error(
        format!("Incomplete credentials for {}", vendor.title),
        format!(
            "In `{}` of the provider block, the credentials are incomplete. Set {}, each in the provider block or in its \
             environment variable.",
            vendor.name,
            alternatives(vendor, |field| Some(format!("`{}`", field.name))),
        ),
    )
}

fn incomplete_login(vendor: &Vendor, login: &[&Field], missing: &Field) -> Diagnostic {
    let given = login.iter().filter(|field| field.name != missing.name).map(|field| format!("`{}`", field.name));
    let variable =
        missing.env.map(|variable| format!(", or the environment variable `{variable}`")).unwrap_or_default();
    Diagnostic::error(
        format!("Incomplete credentials for {}", vendor.title),
        format!(
            "In `{}` of the provider block, `{}` is missing; it is required with {}. Set it{variable}.",
            vendor.name,
            missing.name,
            given.collect::<Vec<_>>().join(" and ")
        ),
    )
}

fn refused_setting(vendor: &Vendor, setting: &'static str, words: &str) -> Diagnostic {
    invalid(Path::attribute(vendor.name).then(setting), words)
}

fn refused_variable(variable: &str, words: &str) -> Diagnostic {
    Diagnostic::error(
        format!("Invalid value in `{variable}`"),
        format!("The environment variable `{variable}` {words}."),
    )
}

/// Lists the ways to log in to a vendor: "`A`, or `B`, `C` and `D`". What all have in common comes first: "`X` and `Y`,
/// with `A`, or `B`".
fn alternatives(vendor: &Vendor, name: impl Fn(&Field) -> Option<String>) -> String {
    let one = |login: &[&Field]| {
        let mut names: Vec<_> = login.iter().filter_map(|field| name(field)).collect();
        match names.pop() {
            Some(last) if !names.is_empty() => format!("{} and {last}", names.join(", ")),
            last => last.unwrap_or_default(),
        }
    };
    let (common, own) = vendor.login_parts();
    let own = own.iter().map(|login| one(login)).collect::<Vec<_>>().join(", or ");
    if common.is_empty() { own } else { format!("{}, with {own}", one(&common)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: Environment = &|_| None;

    fn vendor() -> &'static Vendor {
        VENDORS.iter().find(|vendor| vendor.name == "hubspot").unwrap()
    }

    fn block(settings: &[(&'static str, Value)]) -> Value {
        Value::object(settings.iter().cloned())
    }

    fn secret(text: &str) -> Value {
        Secret::new(text).into()
    }

    fn value(fields: &Fields, name: &str) -> Option<Secret> {
        let field = vendor().settings.iter().find(|field| field.name == name).unwrap();
        fields.secret(field).cloned().or_else(|| fields.text(field).map(Secret::new))
    }

    fn complete(block: &Value, environment: Environment) -> (Fields, BaseUrl) {
        match resolve(vendor(), block, environment) {
            Resolved::Complete(fields, base_url) => (fields, base_url),
            Resolved::Unknown => panic!("unknown"),
            Resolved::Refused(diagnostic) => panic!("{}", diagnostic.detail),
        }
    }

    fn refusal(block: &Value, environment: Environment) -> Diagnostic {
        match resolve(vendor(), block, environment) {
            Resolved::Refused(diagnostic) => diagnostic,
            _ => panic!("not refused"),
        }
    }

    #[test]
    fn the_configuration_wins_over_the_environment() {
        let environment: Environment = &|variable| Some(format!("env-{variable}"));
        let (fields, base_url) = complete(
            &block(&[("access_token", secret("configured")), ("base_url", "https://a.example".into())]),
            environment,
        );
        assert_eq!(value(&fields, "access_token"), Some(Secret::new("configured")));
        assert_eq!(Ok(base_url), BaseUrl::parse("https://a.example"));
    }

    #[test]
    fn without_a_block_the_environment_is_enough() {
        let environment: Environment = &|variable| (variable == "HUBSPOT_ACCESS_TOKEN").then(|| "token".to_owned());
        assert_eq!(value(&complete(&Value::Null, environment).0, "access_token"), Some(Secret::new("token")));
    }

    #[test]
    fn a_login_that_is_configured_is_not_mixed_with_another_from_the_environment() {
        let environment: Environment =
            &|variable| Some(format!("env-{variable}")).filter(|_| variable != "HUBSPOT_BASE_URL");
        let (fields, _) = complete(&block(&[("client_id", "id".into())]), environment);
        assert_eq!(value(&fields, "access_token"), None);
        assert_eq!(value(&fields, "client_secret"), Some(Secret::new("env-HUBSPOT_CLIENT_SECRET")));
    }

    #[test]
    fn a_vendor_that_finds_a_login_itself_sees_half_of_one() {
        let vendor = VENDORS.iter().find(|vendor| vendor.name == "amazon_ses").unwrap();
        let half: Environment = &|variable| (variable == "AWS_ACCESS_KEY_ID").then(|| "AKIAHALF".to_owned());
        let Resolved::Complete(fields, _) = resolve(vendor, &Value::Null, half) else { panic!("not complete") };
        let field = vendor.settings.iter().find(|field| field.name == "AWS_ACCESS_KEY_ID").unwrap();
        assert_eq!(fields.text(field), Some("AKIAHALF"));
    }

    /// The names of the settings that a vendor with several logins in common parts resolves to.
    fn names(block: &Value, variables: &[(&str, &str)]) -> Result<Vec<&'static str>, Diagnostic> {
        let vendor = VENDORS.iter().find(|vendor| vendor.name == "azure_communication").unwrap();
        let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        match resolve(vendor, block, &|name| variable(name).map(str::to_owned)) {
            Resolved::Complete(fields, _) => {
                let set = |field: &&&Field| fields.text(field).is_some() || fields.secret(field).is_some();
                Ok(vendor.settings.iter().filter(set).map(|field| field.name).collect())
            }
            Resolved::Unknown => panic!("unknown"),
            Resolved::Refused(diagnostic) => Err(diagnostic),
        }
    }

    #[test]
    fn logins_that_share_parts_are_distinguished_by_the_others() {
        const SECRET: &[&str] = &["client_id", "client_secret", "tenant_id"];
        const FILE: &[&str] = &["client_id", "oidc_token_file_path", "tenant_id", "use_oidc"];
        const REQUEST: &[&str] = &["client_id", "oidc_request_token", "oidc_request_url", "tenant_id", "use_oidc"];
        let common = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c")];
        let sdk = [("AZURE_TENANT_ID", "t"), ("AZURE_CLIENT_ID", "c")];
        let client_secret = ("ARM_CLIENT_SECRET", "s");
        let file = ("AZURE_FEDERATED_TOKEN_FILE", "/token");
        let github =
            [("ACTIONS_ID_TOKEN_REQUEST_URL", "https://a.example"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "token")];
        let (on, off) = (("ARM_USE_OIDC", "true"), ("ARM_USE_OIDC", "False"));
        let ids = block(&[("tenant_id", "t".into()), ("client_id", "c".into())]);
        let switched_on = block(&[("use_oidc", true.into())]);
        let switched_off = block(&[("use_oidc", false.into()), ("client_secret", secret("s"))]);
        for (row, block, variables, expected) in [
            (1, &Value::Null, [&common[..], &[client_secret]].concat(), SECRET),
            (2, &Value::Null, [&sdk[..], &[("AZURE_CLIENT_SECRET", "s")]].concat(), SECRET),
            (3, &Value::Null, [&sdk[..], &[file, on]].concat(), FILE),
            (4, &Value::Null, [&common[..], &[on], &github].concat(), REQUEST),
            (5, &Value::Null, [&common[..], &[client_secret, on], &github].concat(), SECRET),
            (6, &Value::Null, [&common[..], &[client_secret, off], &github].concat(), SECRET),
            (7, &ids, vec![client_secret], SECRET),
            (8, &ids, vec![file, on], FILE),
            (9, &switched_on, [&common[..], &[client_secret], &github].concat(), REQUEST),
            (10, &switched_off, [&common[..], &github].concat(), SECRET),
        ] {
            assert_eq!(names(block, &variables).unwrap(), expected, "row {row}");
        }
    }

    #[test]
    fn what_is_missing_of_several_logins_is_named() {
        let common = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c")];
        let off = [("ARM_TENANT_ID", "t"), ("ARM_CLIENT_ID", "c"), ("ARM_OIDC_TOKEN", "t"), ("ARM_USE_OIDC", "0")];
        let ids = block(&[("tenant_id", "t".into())]);
        let alone = block(&[("client_secret", secret("s"))]);
        let conflict = block(&[("client_secret", secret("s")), ("oidc_token", secret("t"))]);
        let no_switch = [common[0], common[1], ("ARM_USE_OIDC", "perhaps"), ("ARM_OIDC_TOKEN", "t")];
        for (row, block, variables, summary, words) in [
            (1, &Value::Null, &common[..], "No credentials for", "`ARM_CLIENT_ID`, with `ARM_CLIENT_SECRET`, or `ARM_"),
            (2, &Value::Null, &off[..], "No credentials for", "`ARM_USE_OIDC` and `ARM_OIDC_TOKEN`"),
            (3, &ids, &[], "Incomplete credentials for", "Set `tenant_id` and `client_id`, with `client_secret`, or"),
            (4, &alone, &[], "Incomplete credentials for", "`client_id` is missing"),
            (5, &conflict, &common[..], "Conflicting credentials for", "Set only one of these: `tenant_id` and"),
            (6, &Value::Null, &no_switch[..], "Invalid value", "`ARM_USE_OIDC` must be `true` or `false`"),
        ] {
            let error = names(block, variables).unwrap_err();
            assert!(error.summary.starts_with(summary), "row {row}: {}", error.summary);
            assert!(error.detail.contains(words), "row {row}: {}", error.detail);
        }
    }

    #[test]
    fn an_unknown_setting_is_not_looked_up_in_the_environment() {
        let environment: Environment = &|_| Some("token".to_owned());
        for block in
            [Value::Unknown, block(&[("access_token", Value::Unknown)]), block(&[("base_url", Value::Unknown)])]
        {
            assert!(matches!(resolve(vendor(), &block, environment), Resolved::Unknown));
        }
    }

    #[test]
    fn a_block_without_a_login_is_named() {
        // What is left of `hubspot = { token = "…" }`.
        let dropped = block(&[("access_token", Value::Null), ("base_url", Value::Null)]);
        let words = "`hubspot` is in the provider block but sets no credentials";
        assert!(refusal(&dropped, NOTHING).detail.contains(words));
        assert!(!refusal(&Value::Null, NOTHING).detail.contains(words));
    }

    #[test]
    fn missing_and_incomplete_credentials_name_what_to_set() {
        assert!(refusal(&Value::Null, NOTHING).detail.contains("`HUBSPOT_ACCESS_TOKEN`, or `HUBSPOT_CLIENT_ID`"));
        let incomplete = refusal(&block(&[("client_id", "id".into()), ("refresh_token", secret("r"))]), NOTHING);
        assert!(
            incomplete
                .detail
                .contains("`client_secret` is missing; it is required with `client_id` and `refresh_token`."),
            "{}",
            incomplete.detail
        );
        let two = block(&[("access_token", secret("t")), ("client_id", "id".into())]);
        assert_eq!(
            validate(&Value::object([("hubspot", two)])).iter().next().unwrap().summary,
            "Conflicting credentials for HubSpot"
        );
    }

    #[test]
    fn a_bad_value_is_named_by_where_it_came_from_and_never_repeated() {
        let setting = refusal(&block(&[("access_token", secret("a\nb"))]), NOTHING);
        assert_eq!(setting.path, Path::attribute("hubspot").then("access_token"));
        let variable = refusal(&Value::Null, &|_| Some("a\nb".to_owned()));
        assert_eq!(variable.summary, "Invalid value in `HUBSPOT_ACCESS_TOKEN`");
        assert!(!format!("{setting:?}{variable:?}").contains("a\\nb"));
    }

    #[test]
    fn a_limit_so_low_that_nothing_could_be_sent_is_refused() {
        for (limit, refused) in [
            ("0", true),
            ("-1", true),
            ("1e-300", true),
            ("0.0009", true),
            ("0.001", false),
            ("5", false),
            ("1e300", false),
        ] {
            let config = Value::object([(MAX_REQUESTS_PER_SECOND, Number::parse(limit).unwrap().into())]);
            assert_eq!(validate(&config).has_errors(), refused, "{limit}");
        }
    }

    #[test]
    fn what_is_appended_to_the_user_agent_is_made_fit_for_a_header() {
        for (appended, shown) in [
            ("a/1 (b)", " a/1 (b)"),
            ("a/1\r\nX-Evil: 1", " a/1 X-Evil: 1"),
            (" a\t\u{0}b\n", " a b"),
            ("b\u{fc}cher", " b cher"),
            ("\n", ""),
        ] {
            let agent = user_agent("1.11.4", &|_| Some(appended.to_owned()));
            let own = concat!("terraform-provider-smtp/", env!("CARGO_PKG_VERSION"));
            assert_eq!(agent, format!("Terraform/1.11.4 (+https://www.terraform.io) {own}{shown}"));
        }
        assert!(user_agent("1.11.4", &|_| Some("x".repeat(100_000))).len() <= LONGEST_USER_AGENT);
    }
}

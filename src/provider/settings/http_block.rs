//! The `http` block, read into the description of an API.

use std::collections::BTreeMap;

use super::{
    environment::Environment,
    http_schema::{BASE_URL, BASIC, BEARER_TOKEN, HEADERS, HTTP_BLOCK, PASSWORD, USERNAME},
};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Diagnostics, Path},
        validate::invalid,
        value::{Number, Object, Value},
    },
    secret::Secret,
    vendors::{
        Client,
        http_api::{
            Address, Description, ErrorPlaces, Fault, HttpApi, Paging, Read, Request, Reset, Smtp, VENDOR as HTTP,
            compile, faults,
        },
    },
};

/// The API that the block describes.
pub(super) enum Described {
    /// There is no block.
    Nothing,
    /// The block describes one.
    Api(HttpApi),
    /// The block is wrong, or not known yet.
    Refused(Diagnostics),
}

/// Makes the API that the block describes. Sends nothing. Without a client, it cannot be called.
pub(super) fn connect(config: &Value, client: Option<&Client>, environment: Environment) -> Described {
    let block = config.get(HTTP_BLOCK);
    if block.is_null() {
        return Described::Nothing;
    }
    let Some(description) = description(block, environment) else {
        return Described::Refused(not_known().into());
    };
    if description.address.as_ref().is_some_and(|address| address.base_url.is_empty()) {
        let words = format!("must be set, here or in the environment variable `{}`", HTTP.base_url_variable());
        return Described::Refused(invalid(Path::attribute(HTTP_BLOCK).then(BASE_URL), &words).into());
    }
    compile(&description, client).map_or_else(|faults| Described::Refused(diagnostics(faults)), Described::Api)
}

/// Validates the block as far as it is known. Where the API is may be left to the environment of another command.
pub(super) fn validate(config: &Value) -> Diagnostics {
    let block = config.get(HTTP_BLOCK);
    let Some(mut description) = description(block, &|_| None) else { return Diagnostics::default() };
    description.address = description.address.filter(|address| !address.base_url.is_empty());
    diagnostics(faults(&description))
}

/// The error for a resource at a described API without a description.
pub(super) fn missing() -> Diagnostic {
    let detail = "A resource in the configuration or in the state has `http`, but the provider block has no `http` block that \
                  describes the API, so nothing was sent. Add one, and keep it until the resource is destroyed; the guide \
                  on HTTP APIs has recipes.";
    Diagnostic::error("No `http` block in the provider", detail)
}

/// Converts what is wrong with a description.
fn diagnostics(faults: Vec<Fault>) -> Diagnostics {
    let mut diagnostics = Diagnostics::default();
    for Fault { path, words } in faults {
        let path = path.into_iter().fold(Path::attribute(HTTP_BLOCK), Path::then);
        diagnostics.push(invalid(path, &words));
    }
    diagnostics
}

/// The error for a block that is not known at plan.
fn not_known() -> Diagnostic {
    let detail = "What the `http` block says of requests and responses decides what a plan contains. So everything in it \
                  but `base_url` and the login must be known at plan. Use values that do not depend on other resources.";
    Diagnostic::error("The `http` block is not known yet", detail).at(Path::attribute(HTTP_BLOCK))
}

/// Reads the block; `None` if there is none, or if a part of it is unknown that decides what a plan contains.
fn description(block: &Value, environment: Environment) -> Option<Description> {
    if !matches!(block, Value::Object(_)) {
        return None;
    }
    let login = [BASE_URL, BASIC, BEARER_TOKEN, HEADERS];
    let is_known = |(name, value): (&str, &Value)| login.contains(&name) || value.is_wholly_known();
    // The names of the headers decide nothing, but they must be known to be sent.
    let is_shape_known = block.as_object()?.iter().all(is_known) && !block.get(HEADERS).is_unknown();
    is_shape_known.then(|| Description {
        address: address(block, environment),
        credential: text(block, "credential").unwrap_or_default(),
        has_bearer_token: !block.get(BEARER_TOKEN).is_null(),
        has_basic: !block.get(BASIC).is_null(),
        headers: entries(block.get(HEADERS)).map(|(name, _)| name.to_owned()).collect(),
        max_password_length: number(block, "max_password_length"),
        reset: nested(block, "reset", |block| reset(block, "version")),
        create: nested(block, "create", |block| reset(block, "id")),
        revoke: nested(block, "revoke", request),
        read: nested(block, "read", read),
        error: nested(block, "error", error),
        smtp: nested(block, "smtp", |block| Smtp {
            host: text(block, "host"),
            port: number(block, "port"),
            username: text(block, USERNAME),
        }),
    })
}

/// Reads where the API is and what logs in; `None` while a part of it is unknown.
fn address(block: &Value, environment: Environment) -> Option<Address> {
    let parts = [BASE_URL, BASIC, BEARER_TOKEN, HEADERS].map(|name| block.get(name));
    if !parts.into_iter().all(Value::is_wholly_known) {
        return None;
    }
    let base_url = text(block, BASE_URL).or_else(|| environment(&HTTP.base_url_variable()));
    let basic = block.get(BASIC);
    Some(Address {
        base_url: base_url.unwrap_or_default(),
        bearer_token: block.get(BEARER_TOKEN).as_secret().cloned(),
        basic: text(basic, USERNAME).zip(basic.get(PASSWORD).as_secret().cloned()),
        headers: entries(block.get(HEADERS))
            .filter_map(|(name, value)| Some((name.to_owned(), header(value)?)))
            .collect(),
    })
}

fn header(value: &Value) -> Option<Secret> {
    let secret = value.as_secret().cloned().or_else(|| value.as_str().map(Secret::new))?;
    secret.remember_header();
    Some(secret)
}

fn reset(block: &Value, version: &str) -> Reset {
    Reset {
        request: request(block),
        password: text(block, PASSWORD),
        username: text(block, USERNAME),
        version: text(block, version),
    }
}

fn read(block: &Value) -> Read {
    let paging = block.get("paging");
    Read {
        request: request(block),
        items: text(block, "items"),
        matches: texts(block.get("match")),
        id: text(block, "id"),
        username: text(block, USERNAME),
        version: text(block, "version"),
        created_at: text(block, "created_at"),
        paging: Paging {
            page: text(paging, "page"),
            // What is no number of a page fails the check of the range.
            first_page: Some(paging.get("first_page"))
                .filter(|first| !first.is_null())
                .map(|first| whole(first).unwrap_or(-1)),
            cursor_parameter: text(paging, "cursor_parameter"),
            cursor: text(paging, "cursor"),
            next: text(paging, "next"),
        },
    }
}

fn error(block: &Value) -> ErrorPlaces {
    let statuses = match block.get("unprocessed") {
        // One that is no status fails the check of the range.
        Value::List(items) => items.iter().map(|item| whole(item).unwrap_or_default()).collect(),
        _ => Vec::new(),
    };
    ErrorPlaces {
        message: text(block, "message"),
        code: text(block, "code"),
        request_id: text(block, "request_id"),
        unprocessed: statuses,
    }
}

fn request(block: &Value) -> Request {
    let map = |name: &str| texts(block.get(name));
    Request {
        method: text(block, "method"),
        path: text(block, "path").unwrap_or_default(),
        query: map("query"),
        form: (!block.get("form").is_null()).then(|| map("form")),
        json: text(block, "json"),
        success: map("success"),
        refused: map("refused"),
    }
}

fn nested<T>(block: &Value, name: &str, read: impl FnOnce(&Value) -> T) -> Option<T> {
    let nested = block.get(name);
    (!nested.is_null()).then(|| read(nested))
}

fn text(block: &Value, name: &str) -> Option<String> {
    block.get(name).as_str().map(str::to_owned)
}

fn number<T: TryFrom<i64> + Default>(block: &Value, name: &str) -> Option<T> {
    let value = block.get(name);
    (!value.is_null()).then(|| whole(value).unwrap_or_default())
}

fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    value.as_number().and_then(Number::as_i64).and_then(|number| number.try_into().ok())
}

fn texts(map: &Value) -> BTreeMap<String, String> {
    entries(map).filter_map(|(name, value)| Some((name.to_owned(), value.as_str()?.to_owned()))).collect()
}

fn entries(map: &Value) -> impl Iterator<Item = (&str, &Value)> {
    map.as_object().into_iter().flat_map(Object::iter)
}

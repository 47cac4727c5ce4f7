//! The schema of the `http` block.

use crate::{
    framework::schema::{Attribute, Type},
    vendors::http_api::VENDOR as HTTP,
};

/// The name of the block.
pub(super) const HTTP_BLOCK: &str = "http";

pub(super) const BASE_URL: &str = "base_url";
pub(super) const BASIC: &str = "basic";
pub(super) const BEARER_TOKEN: &str = "bearer_token";
pub(super) const HEADERS: &str = "headers";
pub(super) const PASSWORD: &str = "password";
pub(super) const USERNAME: &str = "username";

/// Returns the block.
pub(super) fn schema() -> Attribute {
    let base_url = format!(
        "Base URL of the API. `http` is only allowed for loopback addresses. Environment variable: `{}`.",
        HTTP.base_url_variable()
    );
    let attributes = vec![
        optional(BASE_URL, Type::String, &base_url),
        block(
            BASIC,
            "Login with a user name and a password (RFC 7617).",
            vec![
                required(USERNAME, "User name, such as `api`."),
                required(PASSWORD, "Password or API key.").sensitive(),
            ],
        ),
        optional(BEARER_TOKEN, Type::String, "Bearer token to log in with (RFC 6750).").sensitive(),
        block(
            "create",
            "The request that creates a new credential, if the API cannot reset one in place. It is sent at most once. Requires `revoke`.",
            reset_attributes(
                "Place of the new password in the response, a JSON pointer. Required.",
                "id",
                "Place of the new credential's id, a JSON pointer. Required. It becomes `remote_version`, and `{id}` in `revoke` and `read`.",
            ),
        ),
        required(
            "credential",
            "The parts of a credential's name, joined by `/`, such as `domain/user`. `name` in a resource has the same \
             form, and `{domain}` and `{user}` are its parts in the requests below.",
        ),
        block(
            "error",
            "Where an error response has its code, message and request id. Only a response with `message` and `code`, as far as they are set, is taken \
             for the API's own error: a 404 of a gateway does not mean that a credential is gone.",
            vec![
                optional("code", Type::String, "Place of the error code, a JSON pointer."),
                optional("message", Type::String, "Place of the message, a JSON pointer."),
                optional("request_id", Type::String, "Place of the request's id, a JSON pointer."),
                optional(
                    "unprocessed",
                    Type::List(Box::new(Type::Number)),
                    "Statuses that prove, as 429 does, that a request was not processed. Such a request is sent again, a \
                     reset too.",
                ),
            ],
        ),
        optional(HEADERS, map(), "Headers of every request, such as `{ \"X-API-Key\" = var.key }`.").sensitive(),
        optional(
            "max_password_length",
            Type::Number,
            "Length in characters of the longest password that the API accepts, at least 12. It limits `password_wo`, too.",
        ),
        block(
            "read",
            "The look-up of a credential, for checks before a reset, refreshes and imports.",
            read_attributes(),
        ),
        block(
            "reset",
            "The request that gives a credential a new password. With `{password}` in its body the provider makes the \
             password, and sends the request again if its outcome is unknown. With `password` the API makes it, and the \
             request is sent at most once.",
            reset_attributes(
                "Place of the new password in the response, a JSON pointer, if the API makes it.",
                "version",
                "Place of the credential's last-changed marker, a JSON pointer.",
            ),
        ),
        block(
            "revoke",
            "The request that revokes the credential `{id}`, at an API with `create`.",
            request_attributes("HTTP method. Default: `DELETE`."),
        ),
        block(
            "smtp",
            "Where mail is submitted, and who logs in.",
            vec![
                optional("host", Type::String, "Host name of the submission server."),
                optional("port", Type::Number, "Port of the submission server. Default: 587."),
                optional(USERNAME, Type::String, "User name for SMTP, such as `{user}@{domain}`."),
            ],
        ),
    ];
    block(
        HTTP_BLOCK,
        "Describes any HTTP API that resets SMTP passwords, for `http` in the resources. Everything but `base_url` and the \
         login must be known at plan. The guide on HTTP APIs has recipes.",
        attributes,
    )
}

fn optional(name: &'static str, r#type: Type, description: &str) -> Attribute {
    Attribute::optional(name, r#type, description)
}

fn required(name: &'static str, description: &str) -> Attribute {
    Attribute::required(name, Type::String, description)
}

fn block(name: &'static str, description: &str, attributes: Vec<Attribute>) -> Attribute {
    Attribute::optional(name, Type::Block(attributes), description)
}

fn map() -> Type {
    Type::Map(Box::new(Type::String))
}

fn request_attributes(method: &str) -> Vec<Attribute> {
    vec![
        optional("form", map(), "Fields of a form as the body."),
        optional("json", Type::String, "JSON as the body; write it with `jsonencode`."),
        optional("method", Type::String, method),
        required("path", "Path below `base_url`, such as `/domains/{domain}/users/{user}`. A part stays one segment."),
        optional("query", map(), "Query parameters."),
        optional(
            "success",
            map(),
            "Values that a success must contain, for APIs that report failures with status 200: JSON pointers, in which `*` is \
             every element, and values as text. Otherwise the outcome is unknown.",
        ),
    ]
}

fn reset_attributes(password: &str, version: &'static str, version_description: &str) -> Vec<Attribute> {
    let mut attributes = request_attributes("HTTP method. Default: `POST`.");
    attributes.extend([
        optional(
            "refused",
            map(),
            "Values in a response with status 200 that prove that nothing was changed, in the form of `success`.",
        ),
        optional(PASSWORD, Type::String, password),
        optional(USERNAME, Type::String, "Place of the user name for SMTP in the response, a JSON pointer."),
        optional(version, Type::String, version_description),
    ]);
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    attributes
}

fn read_attributes() -> Vec<Attribute> {
    let mut attributes = request_attributes("HTTP method. Default: `GET`.");
    attributes.extend([
        optional("created_at", Type::String, "Place of the time at which an entry was made, a JSON pointer into it."),
        optional("id", Type::String, "Place of the id, a JSON pointer; in a list, into an entry."),
        optional(
            "items",
            Type::String,
            "Place of the entries, a JSON pointer, if the response is a list; `\"\"` if the response is the list itself.",
        ),
        optional(
            "match",
            map(),
            "How to recognize the credential: JSON pointers, in a list into an entry, and templates such as `{user}`.",
        ),
        block(
            "paging",
            "How further pages of the list are requested.",
            vec![
                optional("cursor", Type::String, "Place of the next page's cursor, a JSON pointer."),
                optional("cursor_parameter", Type::String, "Query parameter for the cursor."),
                optional("first_page", Type::Number, "Number of the first page. Default: 1."),
                optional("next", Type::String, "Place of the link to the next page, a JSON pointer."),
                optional("page", Type::String, "Query parameter for the number of the page."),
            ],
        ),
        optional(USERNAME, Type::String, "Place of the user name for SMTP, a JSON pointer; in a list, into an entry."),
        optional(
            "version",
            Type::String,
            "Place of the last-changed marker, a JSON pointer; in a list, into an entry. A number or a time that is later \
             than at the last reset means that the password was changed by somebody else.",
        ),
    ]);
    attributes.sort_by(|one, other| one.name.cmp(&other.name));
    attributes
}

//! What a vendor documents, as `tests/fixtures/<vendor>/contract.json` has it.

#![allow(
    clippy::expect_used,
    dead_code,
    unreachable_pub,
    reason = "a library to those that include it, and each of them uses a part"
)]

use std::{fs, path::PathBuf};

use serde_json::{Map, Value};
use terraform_provider_smtp::{
    http::Method,
    secret::Secret,
    vendors::{Field, Fields, VENDORS, Vendor},
};

/// The token, key or password that every case logs in with.
pub const TOKEN: &str = "contract-test-token";

/// One vendor with one form of its API.
#[derive(Clone, Copy)]
pub struct Case {
    pub vendor: &'static Vendor,
    /// Those that log in. `{server}` stands for the address of the server that answers.
    pub settings: &'static [(&'static str, &'static str)],
    /// The values of the vendor's target fields, in their order. A list is JSON.
    pub target: &'static [&'static str],
    /// The `remote_version` that the state holds.
    pub version: Option<&'static str>,
    /// The password that the caller makes, where the vendor leaves it to the caller.
    pub new: Option<&'static str>,
    /// The `Authorization` header of every request except those in `always`; a `*` stands for any text.
    pub authorization: &'static str,
    /// What is answered in every test, such as a login; with any authorization.
    pub always: &'static [Exchange],
    /// How a read finds the credential.
    pub found: &'static [Exchange],
    /// How a read learns that it is gone.
    pub gone: &'static [Exchange],
    /// Whether the list in `gone` has the credential, and says that it has ended.
    pub is_listed_as_ended: bool,
    /// How a read finds it though a list lacks it; empty where the list is complete.
    pub found_late: &'static [Exchange],
    /// The list in `found` with nothing on it.
    pub empty_list: &'static str,
    /// Whether the list is a part of something that was asked for by its id, so that it may well be empty.
    pub empty_list_is_an_answer: bool,
    pub reset: Exchange,
    /// What the reset sends, byte for byte.
    pub reset_body: &'static str,
    /// What else the vendor answers, such as a revocation.
    pub others: &'static [Exchange],
    /// A refusal in the vendor's form.
    pub error: &'static str,
    /// The password in the response to the reset, where the vendor makes it.
    pub password: Option<&'static str>,
    /// What the response has instead, where the password is derived from it.
    pub secret: Option<&'static str>,
    /// The credentials that the list in `found` shows, by their target.
    pub listed: &'static [Expected],
}

impl Case {
    /// Returns whether the documented responses can be given for any credential: requests differ in more than their
    /// bodies, and a password is in the response as it is.
    pub fn can_be_kept_in_a_ledger(&self) -> bool {
        self.reset.sent.is_none() && self.secret.is_none()
    }
}

/// A credential on a list.
#[derive(Clone, Copy)]
pub struct Expected {
    /// The values of the target's fields that the list shows, in their order.
    pub target: &'static [&'static str],
    pub username: &'static str,
    pub version: Option<&'static str>,
    pub created_at: Option<&'static str>,
}

/// One request, and its response.
#[derive(Clone, Copy, Debug)]
pub struct Exchange {
    pub method: &'static str,
    pub path: &'static str,
    /// The body of the request, where requests are identified by it.
    pub sent: Option<&'static str>,
    pub status: u16,
    pub body: &'static str,
}

/// A GET, answered with 200.
pub const fn get(path: &'static str, body: &'static str) -> Exchange {
    Exchange { method: "GET", path, sent: None, status: 200, body }
}

/// A POST, answered with 200.
pub const fn post(path: &'static str, body: &'static str) -> Exchange {
    Exchange { method: "POST", ..get(path, body) }
}

/// Every case of every vendor.
pub fn cases() -> impl Iterator<Item = &'static Case> {
    VENDORS.iter().flat_map(|vendor| cases_of(vendor.name))
}

/// The cases of one vendor.
///
/// # Panics
///
/// If its file is not there, or lacks something.
pub fn cases_of(name: &str) -> &'static [Case] {
    let vendor = VENDORS.iter().find(|vendor| vendor.name == name).expect("a vendor");
    let text = fs::read_to_string(folder(vendor).join("contract.json"))
        .unwrap_or_else(|error| panic!("tests/fixtures/{name}/contract.json: {error}"));
    let cases: Vec<Map<String, Value>> =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("tests/fixtures/{name}/contract.json: {error}"));
    let first = cases.first().expect("a case");
    // What a further case leaves out is as in the first one.
    let complete = |case: &Map<String, Value>| first.clone().into_iter().chain(case.clone()).collect();
    leak(cases.iter().map(|case| Reader { vendor, case: complete(case) }.case()))
}

struct Reader {
    vendor: &'static Vendor,
    case: Map<String, Value>,
}

impl Reader {
    fn case(&self) -> Case {
        for key in self.case.keys() {
            assert!(KEYS.contains(&key.as_str()), "{}: `{key}` is not among {KEYS:?}", self.vendor.name);
        }
        let [reset] = self.exchanges("reset") else { panic!("{}: one reset", self.vendor.name) };
        let settings = self.need("settings").as_object().expect("settings by their names");
        Case {
            vendor: self.vendor,
            settings: leak(settings.iter().map(|(name, value)| (text(name), text_of(value)))),
            target: target(self.vendor, self.need("target")),
            version: self.text("version"),
            new: self.text("new_password"),
            authorization: self.text("authorization").expect("an authorization"),
            always: self.exchanges("always"),
            found: self.exchanges("found"),
            gone: self.exchanges("gone"),
            is_listed_as_ended: self.case.get("is_listed_as_ended") == Some(&Value::Bool(true)),
            found_late: self.exchanges("found_late"),
            empty_list: body(self.vendor, self.need("empty_list")),
            empty_list_is_an_answer: self.case.get("empty_list_is_an_answer") == Some(&Value::Bool(true)),
            reset: *reset,
            reset_body: self.need("reset")["body"].as_str().map_or("", text),
            others: self.exchanges("others"),
            error: body(self.vendor, self.need("error")),
            password: self.text("password"),
            secret: self.text("secret"),
            listed: leak(self.need("listed").as_array().expect("a list").iter().map(|one| Expected {
                target: target(self.vendor, &one["target"]),
                username: text_of(&one["username"]),
                version: one["version"].as_str().map(text),
                created_at: one["created_at"].as_str().map(text),
            })),
        }
    }

    /// Whether the API has one path for everything.
    fn is_identified_by_body(&self) -> bool {
        !self.need("found")[0]["body"].is_null()
    }

    fn need(&self, key: &str) -> &Value {
        self.case.get(key).unwrap_or_else(|| panic!("{}: `{key}` is missing", self.vendor.name))
    }

    fn text(&self, key: &str) -> Option<&'static str> {
        self.case.get(key)?.as_str().map(text)
    }

    /// One exchange, or a list of them.
    fn exchanges(&self, key: &str) -> &'static [Exchange] {
        let value = self.case.get(key).unwrap_or(&Value::Null);
        let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        leak(list.iter().filter(|one| !one.is_null()).map(|one| {
            let (method, path) = one["request"].as_str().and_then(|text| text.split_once(' ')).expect("`GET /path`");
            assert!(method.parse::<Method>().is_ok() && path.starts_with('/'), "{method} {path}");
            let status = one["status"].as_u64().map_or(200, |status| u16::try_from(status).expect("a status"));
            let body = body(self.vendor, one.get("response").unwrap_or(&Value::Null));
            let sent = one["body"].as_str().filter(|_| key != "reset" || self.is_identified_by_body()).map(text);
            Exchange { method: text(method), path: text(path), sent, status, body }
        }))
    }
}

const KEYS: [&str; 19] = [
    "always",
    "authorization",
    "empty_list",
    "empty_list_is_an_answer",
    "error",
    "found",
    "found_late",
    "gone",
    "is_listed_as_ended",
    "listed",
    "new_password",
    "note",
    "others",
    "password",
    "reset",
    "secret",
    "settings",
    "target",
    "version",
];

/// A body: nothing, JSON, or the name of a file in the same folder.
fn body(vendor: &Vendor, value: &Value) -> &'static str {
    match value {
        Value::Null => "",
        Value::String(file) => {
            let path = folder(vendor).join(file);
            text(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        }
        json => text(&json.to_string()),
    }
}

/// The values of target fields, by their names, in the vendor's order. A list may show the first ones only.
fn target(vendor: &Vendor, value: &Value) -> &'static [&'static str] {
    let named = value.as_object().expect("values by the names of fields");
    let values = leak(vendor.target.iter().filter_map(|field| named.get(field.name)).map(value_of));
    assert_eq!(values.len(), named.len(), "{}: fields of a target are misspelt", vendor.name);
    values
}

/// The media type of a body.
pub fn media(body: &str) -> &'static str {
    let is_xml = body.trim_start().starts_with('<') && !body.trim_start().starts_with("<html");
    if is_xml { "text/xml" } else { "application/json" }
}

/// Returns whether a text is what a pattern says, in which `*` stands for any text.
pub fn fits(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, after)) = rest.split_once(part) else { return false };
        rest = after;
    }
    rest.ends_with(last)
}

/// Lists that are no lists, made of an empty one: with an invalid entry, and with no list at all in their place.
pub fn odd_lists(empty: &str) -> [String; 2] {
    let Some((before, after)) = empty.split_once("/>") else {
        let null = if empty == "[]" { "null".to_owned() } else { empty.replace("[]", "null") };
        return [empty.replace("[]", r#"[{"id": 1}]"#), null];
    };
    let name = before.rsplit_once('<').map_or("", |(_, name)| name);
    [format!("{before}><member><Odd/></member></{name}>{after}"), format!("{before}><Odd/></{name}>{after}")]
}

/// Values for some fields.
pub fn fields(names: &[&'static Field], values: &[&str]) -> Fields {
    let mut fields = Fields::default();
    for (field, value) in names.iter().zip(values) {
        if field.list.is_some() {
            let elements: Vec<String> = serde_json::from_str(value).expect("a list of texts");
            let elements: Vec<_> = elements.iter().map(String::as_str).collect();
            fields.insert_list(field, &elements).expect("a list that the field accepts");
        } else {
            fields.insert(field, Secret::new(*value)).expect("a value that the field's check accepts");
        }
    }
    fields
}

fn folder(vendor: &Vendor) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "fixtures", vendor.name].iter().collect()
}

/// A text as it is, and a list as JSON.
fn value_of(value: &Value) -> &'static str {
    if value.is_array() { text(&value.to_string()) } else { text_of(value) }
}

fn text_of(value: &Value) -> &'static str {
    text(value.as_str().expect("a text"))
}

/// Tests end before this is much.
fn text(text: &str) -> &'static str {
    text.to_owned().leak()
}

fn leak<T>(items: impl Iterator<Item = T>) -> &'static [T] {
    items.collect::<Vec<_>>().leak()
}

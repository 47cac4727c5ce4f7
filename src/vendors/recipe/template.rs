//! Fills in the placeholders of a recipe's requests, each encoded for its place.

use serde_json::Value;
use zeroize::Zeroizing;

use super::value::{Body, Call, Parts};
use crate::{
    http::{Api, BodyText, Error, Json, Kind, Outcome, Request, Result},
    secret::Secret,
    vendors::{Field, Fields},
};

/// The password that the caller makes.
pub(in crate::vendors) const PASSWORD: &str = "password";
/// The `remote_version` of the credential that is meant.
pub(in crate::vendors) const ID: &str = "id";
/// The user name for SMTP.
pub(in crate::vendors) const USERNAME: &str = "username";

/// What placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Values<'a> {
    pub(super) target: &'a Fields,
    pub(super) password: Option<&'a Secret>,
    pub(super) id: Option<&'a str>,
    pub(super) username: Option<&'a str>,
    /// The fields of the target that are lists.
    pub(super) lists: &'a [&'static Field],
}

impl<'a> Values<'a> {
    pub(super) fn of(target: &'a Fields) -> Self {
        Self { target, password: None, id: None, username: None, lists: &[] }
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        match name {
            ID => self.id,
            USERNAME if self.username.is_some() => self.username,
            _ => self.target.named(name),
        }
    }

    /// Returns the elements that a template stands for, if it is only the placeholder of a list.
    fn elements(&self, template: &str) -> Option<Vec<&'a str>> {
        let [Piece::Placeholder(name)] = pieces(template)[..] else { return None };
        let field = self.lists.iter().find(|field| field.name == name)?;
        Some(match self.target.list(field) {
            Some(elements) => elements.iter().map(String::as_str).collect(),
            None => field.list?.default.to_vec(),
        })
    }
}

/// A piece of a template.
#[derive(Debug, Eq, PartialEq)]
pub(in crate::vendors) enum Piece<'a> {
    Text(&'a str),
    Placeholder(&'a str),
}

/// Splits a template. A brace that is not closed is text.
pub(in crate::vendors) fn pieces(template: &str) -> Vec<Piece<'_>> {
    let (mut pieces, mut rest) = (Vec::new(), template);
    while let Some((text, (name, after))) =
        rest.split_once('{').and_then(|(text, open)| Some((text, open.split_once('}')?)))
    {
        pieces.extend([Piece::Text(text), Piece::Placeholder(name)]);
        rest = after;
    }
    pieces.push(Piece::Text(rest));
    pieces.retain(|piece| *piece != Piece::Text(""));
    pieces
}

/// Fills in a template without the password; `None` if something is not set.
pub(super) fn open(template: &str, values: &Values) -> Option<String> {
    let piece = |piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Placeholder(name) => values.get(name),
    };
    // What was filled in is not split again: a value with braces in it is no template.
    pieces(template).into_iter().map(piece).collect()
}

/// Fills in a template of a body; `None` if something is not set. With the password in it the text is secret.
fn text(template: &str, values: &Values) -> Option<BodyText> {
    let pieces = pieces(template);
    if !pieces.contains(&Piece::Placeholder(PASSWORD)) {
        return open(template, values).map(BodyText::Open);
    }
    let password = values.password?;
    if let [_] = pieces[..] {
        return Some(password.clone().into());
    }
    let piece = |piece: &Piece| match *piece {
        Piece::Text(text) => Some(text.to_owned()),
        Piece::Placeholder(PASSWORD) => Some(password.for_wire().to_owned()),
        Piece::Placeholder(name) => values.get(name).map(str::to_owned),
    };
    let parts: Option<Vec<_>> = pieces.iter().map(|one| piece(one).map(Zeroizing::new)).collect();
    let parts = parts?;
    // All at once, because a growing text would leave copies behind.
    let mut whole = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in &parts {
        whole.push_str(part);
    }
    Some(Secret::new(whole.as_str()).into())
}

/// Fills in JSON. A field or an element with something that is not set is left out.
fn json(template: &Value, values: &Values) -> Option<Json> {
    Some(match template {
        Value::Array(items) => Json::Array(items.iter().filter_map(|item| json(item, values)).collect()),
        Value::Object(fields) => {
            let field = |(name, field): (&String, &Value)| Some((name.clone(), json(field, values)?));
            Json::Object(fields.iter().filter_map(field).collect())
        }
        Value::String(template) => match values.elements(template) {
            Some(elements) => {
                let element = |element: &str| Json::Text(BodyText::Open(element.to_owned()));
                Json::Array(elements.into_iter().map(element).collect())
            }
            None => Json::Text(text(template, values)?),
        },
        plain => Json::Plain(plain.clone()),
    })
}

fn json_body(template: &str, values: &Values) -> Result<Json, &'static str> {
    // Parsed before anything is filled in, so no value can add a field.
    let template = serde_json::from_str(template).map_err(|_| "the recipe's body is not JSON")?;
    json(&template, values).ok_or(INCOMPLETE)
}

/// Starts a request to a path.
pub(super) fn request(api: &Api, call: &Call, values: &Values) -> Result<Request> {
    let setup = |reason| Error::new(Kind::Setup, Outcome::NotChanged, api.host(), reason);
    let segments = path(call.path, values).ok_or_else(|| setup(INCOMPLETE))?;
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let mut request = api.request(call.method.clone(), &segments);
    if call.path.ends_with('/') {
        request = request.with_slash();
    }
    for (name, template) in call.query {
        request = request.query(name, &open(template, values).ok_or_else(|| setup(INCOMPLETE))?);
    }
    Ok(match &call.body {
        Body::Nothing => request,
        Body::Form(fields) => {
            request.form(fields.iter().filter_map(|(name, template)| Some((*name, text(template, values)?))).collect())
        }
        Body::Json(template) => request.json_of(json_body(template, values).map_err(setup)?),
        Body::JsonWithLists(template, lists) => {
            request.json_of(json_body(template, &Values { lists, ..*values }).map_err(setup)?)
        }
    })
}

/// Returns what distinguishes a request from others of the same call: its path, query and body, without what is not set and
/// without a password.
pub(super) fn content(call: &Call, values: &Values) -> String {
    let values = &Values { password: None, ..*values };
    let opened = |fields: &[(&'static str, &str)]| {
        let field = |&(name, template): &(&'static str, &str)| Some(vec![name.to_owned(), open(template, values)?]);
        fields.iter().filter_map(field).collect::<Vec<_>>()
    };
    let body = match &call.body {
        Body::Nothing => Value::Null,
        Body::Form(fields) => opened(fields).into(),
        Body::Json(template) => plain(template, values),
        Body::JsonWithLists(template, lists) => plain(template, &Values { lists, ..*values }),
    };
    // As JSON, because no value can then be taken for a separator.
    Value::from(vec![path(call.path, values).into(), opened(call.query).into(), body]).to_string()
}

fn plain(template: &str, values: &Values) -> Value {
    json_body(template, values).ok().and_then(|body| serde_json::to_value(body).ok()).into()
}

/// Returns the fields that placeholders name: those of a target, or the parts of its name.
pub(super) fn parts(target: &Fields, parts: Parts) -> Fields {
    let Some(name) = parts.name.and_then(|name| target.text(name)) else { return target.clone() };
    let mut fields = target.clone();
    for (field, text) in parts.fields.iter().zip(name.split('/')) {
        // The name was checked, and its parts are known to fit.
        let _ = fields.insert(field, Secret::new(text));
    }
    fields
}

/// Fills in a path, as its segments; `None` if something is not set.
pub(super) fn path(template: &str, values: &Values) -> Option<Vec<String>> {
    // Split before anything is filled in, so a slash in a value adds no segment.
    template.split('/').filter(|segment| !segment.is_empty()).map(|segment| open(segment, values)).collect()
}

const INCOMPLETE: &str = "a part of the credential's name is missing, so there is nothing to call";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        http::Method,
        vendors::{ListRule, check},
    };

    static DOMAIN: Field = Field::shown("domain", "", check::line);
    static NAME: Field = Field::shown("name", "", check::line).optional();

    fn target(fields: &[(&'static Field, &str)]) -> Fields {
        let mut target = Fields::default();
        for (field, value) in fields {
            target.insert(field, Secret::new(*value)).unwrap();
        }
        target
    }

    #[test]
    fn a_template_is_text_and_placeholders() {
        for (template, expected) in [
            ("", vec![]),
            ("a", vec![Piece::Text("a")]),
            ("{a}", vec![Piece::Placeholder("a")]),
            ("{a}@{b}", vec![Piece::Placeholder("a"), Piece::Text("@"), Piece::Placeholder("b")]),
            ("a{b}c{", vec![Piece::Text("a"), Piece::Placeholder("b"), Piece::Text("c{")]),
        ] {
            assert_eq!(pieces(template), expected, "{template}");
        }
    }

    #[test]
    fn a_value_stays_one_segment_of_a_path_and_is_no_template() {
        let target = target(&[(&DOMAIN, "a/../b"), (&NAME, "{domain}")]);
        let segments = path("/v1/{domain}/x-{name}", &Values::of(&target)).unwrap();
        assert_eq!(segments, ["v1", "a/../b", "x-{domain}"]);
        assert_eq!(path("/v1/{id}", &Values::of(&target)), None);
    }

    #[test]
    fn requests_for_two_credentials_differ_wherever_one_is_named_and_never_by_a_password() {
        let (one, other) = (target(&[(&DOMAIN, "a")]), target(&[(&DOMAIN, "b")]));
        let (first, second) = (Secret::new("hunter2"), Secret::new("hunter3"));
        let call = |path, query, body| Call { method: Method::POST, path, query, body };
        for (call, is_named) in [
            (call("/{domain}", &[], Body::Nothing), true),
            (call("/", &[("q", "{domain}")], Body::Nothing), true),
            (call("/", &[], Body::Form(&[("q", "{domain}"), ("p", "{password}")])), true),
            (call("/", &[], Body::Json(r#"{"q": [{"r": "{domain}"}], "p": "{password}"}"#)), true),
            (call("/", &[("q", "{name}")], Body::Json(r#"{"p": "x{password}"}"#)), false),
        ] {
            let of = |target, password| content(&call, &Values { password: Some(password), ..Values::of(target) });
            assert_eq!(of(&one, &first) != of(&other, &first), is_named, "{call:?}");
            assert_eq!(of(&one, &first), of(&one, &second), "{call:?}");
            assert!(!of(&one, &first).contains("hunter"), "{call:?}");
        }
        let call = call("/", &[("q", "{domain}"), ("r", "{name}")], Body::Nothing);
        let of = |domain, name| content(&call, &Values::of(&target(&[(&DOMAIN, domain), (&NAME, name)])));
        assert_ne!(of("a&r=b", "c"), of("a", "b&r=c"), "a value is no separator");
    }

    #[test]
    fn a_body_keeps_its_types_and_leaves_out_what_is_not_set() {
        let (target, password) = (target(&[(&DOMAIN, "a\"b")]), Secret::new("hunter2"));
        let values = Values { password: Some(&password), ..Values::of(&target) };
        let template = serde_json::json!({
            "a": [1, true, null, "{domain}", "{name}"],
            "b": { "c": "x{password}y", "d": "{name}" },
            "e": "{password}",
        });
        let Some(Json::Object(fields)) = json(&template, &values) else { panic!("no object") };
        let text = format!("{fields:?}");
        assert!(!text.contains("hunter2"), "{text}");
        let Json::Array(items) = &fields["a"] else { panic!("no list") };
        assert_eq!(items.len(), 4);
        let Json::Object(inner) = &fields["b"] else { panic!("no object") };
        assert_eq!(inner.keys().collect::<Vec<_>>(), ["c"]);
        let Json::Text(BodyText::Secret(whole)) = &inner["c"] else { panic!("not secret") };
        assert_eq!(*whole, Secret::new("xhunter2y"));
        assert!(matches!(&fields["e"], Json::Text(BodyText::Secret(whole)) if *whole == password));
    }

    #[test]
    fn a_list_is_an_array_of_its_texts_and_never_missing() {
        static SCOPES: Field = Field::list(
            "scopes",
            "",
            check::line,
            &ListRule { default: &["send"], required: ("send", "must contain `send`") },
        );
        let body = |target: &Fields| {
            let values = Values { lists: &[&SCOPES], ..Values::of(target) };
            let template = serde_json::json!({ "a": "{scopes}", "b": "x{scopes}" });
            let Some(Json::Object(fields)) = json(&template, &values) else { panic!("no object") };
            let Json::Array(items) = &fields["a"] else { panic!("no list") };
            let items = items.iter().map(|item| match item {
                Json::Text(BodyText::Open(text)) => text.clone(),
                other => panic!("{other:?} is no text"),
            });
            (items.collect::<Vec<_>>(), fields.contains_key("b"))
        };
        let mut target = target(&[(&NAME, "newsletter")]);
        assert_eq!(body(&target), (vec!["send".to_owned()], false));
        let elements = ["{name}", "a\", \"b", "send"];
        target.insert_list(&SCOPES, &elements).unwrap();
        assert_eq!(body(&target), (elements.map(str::to_owned).to_vec(), false), "no element is a template");
    }

    #[test]
    fn without_a_password_its_field_is_not_sent_as_a_placeholder() {
        let target = target(&[]);
        assert!(text("{password}", &Values::of(&target)).is_none());
    }
}

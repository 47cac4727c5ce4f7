//! Fills in the placeholders of a recipe's requests, each encoded for its place.

use std::borrow::Cow;

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
    /// The fields of the target without which a part of a body is left out, and those that are lists.
    pub(super) optional: &'a [&'static Field],
}

/// The placeholder that nothing stands for.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Unset(String);

impl Unset {
    /// Says so, for an error.
    fn reason(&self) -> String {
        match &*self.0 {
            // Only a described API resets by it.
            ID => "`{id}` has no value, since what `read` got has nothing at `version`".to_owned(),
            name => format!("`{{{name}}}` has no value"),
        }
    }
}

impl<'a> Values<'a> {
    pub(super) fn of(target: &'a Fields) -> Self {
        Self { target, password: None, id: None, username: None, optional: &[] }
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
        let field = self.optional.iter().find(|field| field.name == name)?;
        Some(match self.target.list(field) {
            Some(elements) => elements.iter().map(String::as_str).collect(),
            None => field.list?.default.to_vec(),
        })
    }

    /// Returns nothing for what may be left out, and otherwise the error.
    fn without<T>(&self, unset: Unset) -> Result<Option<T>, Unset> {
        if self.optional.iter().any(|field| field.name == unset.0) { Ok(None) } else { Err(unset) }
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
    fill(template, values).ok()
}

fn fill(template: &str, values: &Values) -> Result<String, Unset> {
    let piece = |piece| match piece {
        Piece::Text(text) => Ok(text),
        Piece::Placeholder(name) => values.get(name).ok_or_else(|| Unset(name.to_owned())),
    };
    // What was filled in is not split again: a value with braces in it is no template.
    pieces(template).into_iter().map(piece).collect()
}

/// Fills in a template of a body. With the password in it the text is secret.
fn text(template: &str, values: &Values) -> Result<BodyText, Unset> {
    let pieces = pieces(template);
    if !pieces.contains(&Piece::Placeholder(PASSWORD)) {
        return fill(template, values).map(BodyText::Open);
    }
    let unset = |name: &str| Unset(name.to_owned());
    let password = values.password.ok_or_else(|| unset(PASSWORD))?;
    if let [_] = pieces[..] {
        return Ok(password.clone().into());
    }
    let piece = |piece: &Piece| match *piece {
        Piece::Text(text) => Ok(text.to_owned()),
        Piece::Placeholder(PASSWORD) => Ok(password.for_wire().to_owned()),
        Piece::Placeholder(name) => values.get(name).map(str::to_owned).ok_or_else(|| unset(name)),
    };
    let parts: Result<Vec<_>, _> = pieces.iter().map(|one| piece(one).map(Zeroizing::new)).collect();
    let parts = parts?;
    // All at once, because a growing text would leave copies behind.
    let mut whole = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in &parts {
        whole.push_str(part);
    }
    Ok(Secret::new(whole.as_str()).into())
}

/// Fills in JSON; `None` for a text with an optional field that is not set, which its object or array then lacks.
fn json(template: &Value, values: &Values) -> Result<Option<Json>, Unset> {
    Ok(Some(match template {
        Value::Array(items) => {
            Json::Array(items.iter().filter_map(|item| json(item, values).transpose()).collect::<Result<_, _>>()?)
        }
        Value::Object(fields) => {
            let field = |(name, field): (&String, &Value)| {
                json(field, values).transpose().map(|filled| filled.map(|filled| (name.clone(), filled)))
            };
            Json::Object(fields.iter().filter_map(field).collect::<Result<_, _>>()?)
        }
        Value::String(template) => match values.elements(template) {
            Some(elements) => {
                let element = |element: &str| Json::Text(BodyText::Open(element.to_owned()));
                Json::Array(elements.into_iter().map(element).collect())
            }
            None => match text(template, values) {
                Ok(text) => Json::Text(text),
                Err(unset) => return values.without(unset),
            },
        },
        plain => Json::Plain(plain.clone()),
    }))
}

fn json_body(template: &str, values: &Values) -> Result<Json, Cow<'static, str>> {
    // Parsed before anything is filled in, so no value can add a field.
    let template = serde_json::from_str(template).map_err(|_| "the recipe's body is not JSON")?;
    json(&template, values).map_err(|unset| unset.reason())?.ok_or(Cow::Borrowed("the recipe's body is left out"))
}

/// Starts a request to a path. Fails if a placeholder has no value: what names a credential is not left out, since a request
/// without it would be about another one, or about all.
pub(super) fn request(api: &Api, call: &Call, values: &Values) -> Result<Request> {
    let setup = |reason: Cow<'static, str>| Error::new(Kind::Setup, Outcome::NotChanged, api.host(), reason);
    let incomplete = |unset: Unset| setup(unset.reason().into());
    let segments = path(call.path, values).map_err(incomplete)?;
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let mut request = api.request(call.method.clone(), &segments);
    if call.path.ends_with('/') {
        request = request.with_slash();
    }
    for (name, template) in call.query {
        request = request.query(name, &fill(template, values).map_err(incomplete)?);
    }
    Ok(match &call.body {
        Body::Nothing => request,
        Body::Form(fields) => {
            let field = |(name, template): &(&'static str, &str)| Ok((*name, text(template, values)?));
            request.form(fields.iter().map(field).collect::<Result<_, _>>().map_err(incomplete)?)
        }
        Body::Json(template) => request.json_of(json_body(template, values).map_err(setup)?),
        Body::JsonWithOptional(template, optional) => {
            request.json_of(json_body(template, &Values { optional, ..*values }).map_err(setup)?)
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
        Body::JsonWithOptional(template, optional) => plain(template, &Values { optional, ..*values }),
    };
    // As JSON, because no value can then be taken for a separator.
    Value::from(vec![path(call.path, values).ok().into(), opened(call.query).into(), body]).to_string()
}

fn plain(template: &str, values: &Values) -> Value {
    serde_json::from_str(template).map(|template| opened_json(&template, values)).unwrap_or_default()
}

/// Fills in JSON, with null for what is not set.
fn opened_json(template: &Value, values: &Values) -> Value {
    match template {
        Value::Array(items) => items.iter().map(|item| opened_json(item, values)).collect(),
        Value::Object(fields) => {
            fields.iter().map(|(name, field)| (name.clone(), opened_json(field, values))).collect()
        }
        Value::String(template) => match values.elements(template) {
            Some(elements) => elements.into(),
            None => open(template, values).into(),
        },
        plain => plain.clone(),
    }
}

/// Returns the fields that placeholders name: those of a target, or the parts of its name and nothing else, since a part may
/// be called as the name is.
pub(super) fn parts(target: &Fields, parts: Parts) -> Fields {
    let Some(field) = parts.name else { return target.clone() };
    let (mut fields, name) = (Fields::default(), target.text(field));
    for (field, text) in parts.fields.iter().zip(name.into_iter().flat_map(|name| name.split('/'))) {
        // The name was checked, and its parts are known to fit.
        let _ = fields.insert(field, Secret::new(text));
    }
    fields
}

/// Fills in a path, as its segments.
fn path(template: &str, values: &Values) -> Result<Vec<String>, Unset> {
    // Split before anything is filled in, so a slash in a value adds no segment.
    template.split('/').filter(|segment| !segment.is_empty()).map(|segment| fill(segment, values)).collect()
}

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
    fn a_part_may_be_called_as_the_name_is() {
        static PARTS: &[&Field] = &[&DOMAIN, &NAME];
        let fields = parts(&target(&[(&NAME, "a/b")]), Parts { name: Some(&NAME), fields: PARTS });
        assert_eq!(fields, target(&[(&DOMAIN, "a"), (&NAME, "b")]));
        let nothing = parts(&target(&[]), Parts { name: Some(&NAME), fields: PARTS });
        assert_eq!(nothing, target(&[]));
    }

    #[test]
    fn a_value_stays_one_segment_of_a_path_and_is_no_template() {
        let target = target(&[(&DOMAIN, "a/../b"), (&NAME, "{domain}")]);
        let segments = path("/v1/{domain}/x-{name}", &Values::of(&target)).unwrap();
        assert_eq!(segments, ["v1", "a/../b", "x-{domain}"]);
        assert_eq!(path("/v1/{id}", &Values::of(&target)), Err(Unset("id".to_owned())));
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
    fn a_body_keeps_its_types_and_leaves_out_what_is_optional_and_not_set() {
        let (target, password) = (target(&[(&DOMAIN, "a\"b")]), Secret::new("hunter2"));
        let values = Values { password: Some(&password), optional: &[&NAME], ..Values::of(&target) };
        let template = serde_json::json!({
            "a": [1, true, null, "{domain}", "{name}"],
            "b": { "c": "x{password}y", "d": "{name}" },
            "e": "{password}",
        });
        let Ok(Some(Json::Object(fields))) = json(&template, &values) else { panic!("no object") };
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
    fn what_names_a_credential_is_never_left_out() {
        let target = target(&[(&DOMAIN, "a")]);
        for template in [
            serde_json::json!({ "login": "{username}" }),
            serde_json::json!({ "key": { "ids": ["{domain}", "{username}"] } }),
            serde_json::json!({ "key": "x-{username}-{domain}" }),
        ] {
            let values = Values { optional: &[&NAME], ..Values::of(&target) };
            assert_eq!(json(&template, &values).err(), Some(Unset(USERNAME.to_owned())), "{template}");
            let values = Values { username: Some("b"), ..values };
            assert!(json(&template, &values).is_ok(), "{template}");
        }
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
            let values = Values { optional: &[&SCOPES], ..Values::of(target) };
            let template = serde_json::json!({ "a": "{scopes}", "b": "x{scopes}" });
            let Ok(Some(Json::Object(fields))) = json(&template, &values) else { panic!("no object") };
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
        assert_eq!(text("{password}", &Values::of(&target)).err(), Some(Unset("password".to_owned())));
    }
}

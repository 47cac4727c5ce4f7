//! Rewrites XML as JSON, so that everything that reads a response has one format to read.
//!
//! An element with elements becomes an object, or an array if its elements are called [`ITEM`]; any other becomes a
//! string. Attributes and namespaces are dropped. A document that breaks off becomes JSON that breaks off at the same
//! place, so a password before it is still found.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};
use zeroize::{Zeroize, Zeroizing};

/// The name of an element of a list, in the AWS query protocol.
const ITEM: &str = "member";

/// The element of a web page, which no API sends.
const PAGE: &str = "html";

/// The greatest depth of a document. Responses have six levels.
const MOST_LEVELS: usize = 32;

/// How an element is written, as far as that is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shape {
    /// A string, unless an element follows.
    Text,
    Object,
    Array,
}

/// What becomes of a value with a line break in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Breaks {
    /// It is kept.
    Kept,
    /// The document is taken for broken there: it may be the size of a chunk that divides a password.
    Refused,
}

/// Rewrites a document. What is no XML becomes something that is no JSON either, and nothing stays nothing.
pub(super) fn as_json(xml: &[u8], breaks: Breaks) -> Zeroizing<Vec<u8>> {
    let mut json = rewritten(xml, breaks);
    if json.is_empty() && !xml.trim_ascii().is_empty() {
        json.extend_from_slice(NOT_XML);
    }
    json
}

/// What is written for a text that is no XML.
const NOT_XML: &[u8] = b"?";

fn rewritten(xml: &[u8], breaks: Breaks) -> Zeroizing<Vec<u8>> {
    // A character becomes at most six: allocate everything at once, because a growing buffer would leave copies behind.
    let mut json = Zeroizing::new(Vec::with_capacity(6 * xml.len() + 2));
    let mut text = Zeroizing::new(String::with_capacity(xml.len()));
    let Ok(xml) = str::from_utf8(xml) else { return json };
    let mut reader = Reader::from_str(xml);
    // `<Marker/>` and `<Marker></Marker>` are the same in XML, so they become the same JSON.
    reader.config_mut().expand_empty_elements = true;
    // The first level holds the document's element.
    let mut levels = vec![Shape::Text];
    loop {
        match reader.read_event() {
            Ok(Event::Start(element)) if levels.len() < MOST_LEVELS => {
                text.zeroize();
                let name = element.local_name();
                if levels.len() == 1 && name.as_ref().eq_ignore_ascii_case(PAGE) {
                    return json;
                }
                open(&mut json, levels.last_mut(), name.as_ref());
                levels.push(Shape::Text);
            }
            Ok(Event::Text(part)) => text.push_str(&part),
            Ok(Event::CData(part)) => text.push_str(&part),
            Ok(Event::GeneralRef(reference)) => {
                let character = reference.resolve_char_ref().ok().flatten();
                match character {
                    Some(character) => text.push(character),
                    None => match resolve_predefined_entity(&reference) {
                        Some(character) => text.push_str(character),
                        // No vendor sends a document that defines entities of its own.
                        None => return json,
                    },
                }
            }
            Ok(Event::End(_)) => {
                let is_value = levels.last() == Some(&Shape::Text);
                if is_value && breaks == Breaks::Refused && text.contains(['\r', '\n']) && !text.trim().is_empty() {
                    return json;
                }
                close(&mut json, levels.pop(), &text);
                text.zeroize();
                if levels.len() == 1 {
                    json.push(b'}');
                    return json;
                }
            }
            Ok(Event::Decl(_) | Event::Comment(_) | Event::PI(_)) => {}
            Ok(Event::Start(_) | Event::DocType(_) | Event::Empty(_) | Event::Eof) | Err(_) => return json,
        }
    }
}

/// Begins an element in the one that contains it.
fn open(json: &mut Vec<u8>, parent: Option<&mut Shape>, name: &str) {
    let Some(parent) = parent else { return };
    match (*parent, name == ITEM) {
        (Shape::Text, is_item) => {
            *parent = if is_item { Shape::Array } else { Shape::Object };
            json.push(if is_item { b'[' } else { b'{' });
        }
        _ => json.push(b','),
    }
    if *parent == Shape::Object {
        string(json, name);
        json.push(b':');
    }
}

/// Ends an element.
fn close(json: &mut Vec<u8>, shape: Option<Shape>, text: &str) {
    match shape {
        Some(Shape::Object) => json.push(b'}'),
        Some(Shape::Array) => json.push(b']'),
        Some(Shape::Text) | None => string(json, text),
    }
}

fn string(json: &mut Vec<u8>, text: &str) {
    // A string always serializes.
    let _ = serde_json::to_writer(json, text);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::{http::json::look, secret::Outside};

    fn read(xml: &str) -> Value {
        serde_json::from_slice(&as_json(xml.as_bytes(), Breaks::Kept)).unwrap_or(Value::Null)
    }

    #[test]
    fn elements_become_objects_lists_and_strings() {
        let xml = r#"<?xml version="1.0"?>
            <!-- a list --><ListResponse xmlns="https://example.com/">
              <a:Result xmlns:a="x"><UserName>ses &amp; &#x41;&lt;b&gt;</UserName>
                <Keys><member><Id>A</Id></member><member><Id>B</Id></member></Keys>
                <Marker/><Empty></Empty><Raw><![CDATA[<&]]></Raw></a:Result>
            </ListResponse> after it"#;
        let keys = json!([{"Id": "A"}, {"Id": "B"}]);
        let result = json!({"UserName": "ses & A<b>", "Keys": keys, "Marker": "", "Empty": "", "Raw": "<&"});
        assert_eq!(read(xml), json!({"ListResponse": {"Result": result}}));
    }

    #[test]
    fn what_is_no_xml_yields_nothing() {
        for text in [
            "",
            "plain",
            "{\"a\": 1}",
            "<a",
            "<a><b></a>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
            "<a>&unknown;</a>",
            "<HTML><body></body></HTML>",
        ] {
            assert_eq!(read(text), Value::Null, "{text}");
        }
        assert_eq!(read(&"<a>".repeat(100)), Value::Null);
        for (text, expected) in [(&b""[..], &b""[..]), (b" \n", b""), (b"<a>\xff</a>", NOT_XML), (b"gone", NOT_XML)] {
            assert_eq!(*as_json(text, Breaks::Kept), expected);
        }
    }

    #[test]
    fn a_value_before_the_break_in_a_document_is_found_and_a_broken_one_is_not() {
        let xml = "<R><Key><Id>AKIA</Id><Secret>abc/+=</Secret><Date>2026</Date></Key></R>";
        for end in 0..=xml.len() {
            let json = as_json(&xml.as_bytes()[..end], Breaks::Refused);
            let (found, is_whole) = look::<Outside>(&json, "/R/Key/Secret");
            assert_eq!(found.is_some(), end >= xml.find("<Date>").unwrap(), "{}", &xml[..end]);
            assert_eq!(is_whole, end == xml.len());
            assert!(found.is_none_or(|secret| secret.raw() == "abc/+="));
        }
    }

    #[test]
    fn a_value_with_a_line_break_is_not_found_where_breaks_are_refused() {
        let xml = "<R>\r\n1f\r\n<Id>A</Id><Secret>abc\r\n1f\r\ndef</Secret></R>";
        let json = as_json(xml.as_bytes(), Breaks::Refused);
        assert_eq!(look::<Outside>(&json, "/R/Id").0.unwrap().raw(), "A");
        assert!(look::<Outside>(&json, "/R/Secret").0.is_none());
        assert_eq!(read("<R><Message>two\nlines</Message></R>"), json!({"R": {"Message": "two\nlines"}}));
    }

    proptest! {
        #[test]
        fn any_text_survives_and_any_bytes_are_read(text in "\\PC{0,40}", bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let escaped = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            prop_assert_eq!(read(&format!("<a><b>{escaped}</b></a>")), json!({"a": {"b": text}}));
            as_json(&bytes, Breaks::Refused);
        }
    }
}

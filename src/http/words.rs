//! Decides whether a response is in the vendor's format.
//!
//! A status alone proves little: maintenance pages come with 200, and proxies reject with 403 just like vendors. So
//! success and failure are only believed in the form that the vendor documents. This is the only place that checks it.

use http::{HeaderMap, header::CONTENT_TYPE};

use super::{
    condition::{Condition, hold},
    json::{find, is_document},
    salvage::is_page,
};
use crate::secret::Outside;

/// The fields that identify a vendor's JSON object: at least one of each inner list.
#[derive(Debug)]
pub struct Form(pub &'static [&'static [Mark]]);

/// A field of such an object, by its JSON pointer, such as `/message` or `/errors/0/message`.
#[derive(Debug)]
pub enum Mark {
    /// Not an object at all: the whole body is this text.
    Body(&'static str),
    /// Exactly this string.
    TextIs(&'static str, &'static str),
    /// A string that is neither empty nor this one, where success and failure use one field.
    TextIsNot(&'static str, &'static str),
    /// A string that is not empty.
    Text(&'static str),
    /// An integer.
    Number(&'static str),
    /// This boolean.
    Is(&'static str, bool),
}

/// The documented response to a successful request that sets something.
#[derive(Debug)]
pub enum Agreement {
    /// This status, with a JSON object of this form.
    Documented {
        /// The status.
        status: u16,
        /// The form.
        form: Form,
    },
    /// The vendor documents no response, so any 2xx without a body or with a JSON object that is not an error.
    Undocumented,
    /// The response proves nothing, and a look-up has to: any 2xx without a body or with JSON, even in the form of an
    /// error.
    ByLookUp,
    /// JSON that fulfills conditions, whatever its media type: nothing in between knows them.
    Described {
        /// What a success fulfills. Without conditions it is a 2xx without a body, with JSON or with a text, that is
        /// neither an error nor a web page.
        success: &'static [Condition],
        /// What a response fulfills that says that nothing was changed; none if it is empty.
        refused: &'static [Condition],
    },
}

/// The origin of a response, by its format.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Origin {
    /// The vendor.
    Vendor,
    /// Something else: a proxy, a gateway, a captive portal, a web server.
    #[default]
    Foreign,
}

/// The media type of a body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Media {
    /// `application/json`.
    Json,
    /// JSON under another name: with a structured suffix, such as `application/hal+json` (RFC 6839, section 3.1), or
    /// `text/json`.
    OtherJson,
    /// `application/problem+json`, which reports a failure whatever the status is (RFC 9457).
    Problem,
    /// `text/plain`, or no header: RFC 9110, section 8.3, lets the recipient guess.
    Unsaid,
    /// A web page.
    Page,
    /// Anything else.
    Other,
}

impl Media {
    /// Parses the header. Parameters such as the character set are ignored.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Unsaid };
        let text = value.to_str().unwrap_or("/");
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            "" | "text/plain" => Self::Unsaid,
            "application/problem+json" => Self::Problem,
            "text/json" => Self::OtherJson,
            "text/html" | "application/xhtml+xml" => Self::Page,
            special if special.starts_with("application/") && special.ends_with("+json") => Self::OtherJson,
            _ => Self::Other,
        }
    }

    /// Returns whether a body of this type may be JSON.
    pub(super) fn may_be_json(self) -> bool {
        !matches!(self, Self::Page | Self::Other)
    }
}

impl Form {
    /// Returns whether a body is a JSON object of this form.
    pub(super) fn fits(&self, body: &[u8]) -> bool {
        self.0.iter().all(|alternatives| alternatives.iter().any(|mark| mark.is_in(body)))
    }

    /// Returns whether a body has this form, whatever its media type; never if no form is known.
    pub(super) fn is_said_in(&self, body: &[u8]) -> bool {
        !self.0.is_empty() && self.fits(body)
    }

    /// Returns the origin of an error response.
    pub(super) fn of_refusal(&self, media: Media, body: &[u8]) -> Origin {
        let is_own = media.may_be_json() && self.is_said_in(body);
        if is_own { Origin::Vendor } else { Origin::Foreign }
    }
}

impl Mark {
    fn is_in(&self, body: &[u8]) -> bool {
        let has_text = |name, fits: &dyn Fn(&str) -> bool| {
            find(body, name).is_some_and(|text: Outside| !text.raw().trim().is_empty() && fits(text.raw()))
        };
        match self {
            Self::Body(text) => body.trim_ascii() == text.as_bytes(),
            Self::Text(name) => has_text(name, &|_| true),
            Self::TextIs(name, expected) => has_text(name, &|text| text == *expected),
            Self::TextIsNot(name, other) => has_text(name, &|text| text != *other),
            Self::Number(name) => find::<u64>(body, name).is_some(),
            Self::Is(name, flag) => find(body, name) == Some(*flag),
        }
    }
}

impl Agreement {
    /// Returns the origin of a 2xx response. A body in the form of an error is not a success, whatever its status, unless
    /// conditions or a look-up decide that.
    pub(super) fn of(&self, status: u16, media: Media, body: &[u8], refusal: &Form) -> Origin {
        let is_json = matches!(media, Media::Json | Media::Unsaid);
        let is_refusal = refusal.is_said_in(body);
        let is_own = match self {
            Self::Documented { status: documented, form } => {
                status == *documented && is_json && !is_refusal && form.fits(body)
            }
            Self::Undocumented => {
                let text = body.trim_ascii();
                text.is_empty() || (is_json && !is_refusal && text.starts_with(b"{"))
            }
            Self::Described { success: [], .. } => !is_refusal && is_no_page(media, body),
            // Even in the form of an error: some APIs write both alike, and only these values distinguish them.
            Self::Described { success, .. } => hold(success, body),
            Self::ByLookUp => is_json || is_no_page(media, body),
        };
        if is_own { Origin::Vendor } else { Origin::Foreign }
    }

    /// Returns whether the vendor documents how a success looks.
    pub fn is_documented(&self) -> bool {
        match self {
            Self::Documented { .. } => true,
            Self::Undocumented | Self::ByLookUp => false,
            Self::Described { success, .. } => !success.is_empty(),
        }
    }

    /// Returns why a 2xx response that does not agree is no success, if that is described; `None` for a web page, and for
    /// an API with a documented format.
    pub(super) fn disagreement(&self, media: Media, body: &[u8], refusal: &Form) -> Option<&'static str> {
        let Self::Described { success, .. } = self else { return None };
        match success {
            _ if body.trim_ascii().is_empty() => Some("the response has no body, and so is not the described success"),
            // Complete JSON is no page, whatever its media type is.
            _ if !is_no_page(media, body) && !is_document(body) => None,
            [] if refusal.is_said_in(body) || media == Media::Problem => Some("the response reports a failure"),
            [] => Some("its `Content-Type` is that of a web page"),
            _ => Some("the response is not the described success"),
        }
    }

    /// Returns whether a 2xx response says that nothing was changed.
    pub(super) fn is_refusal(&self, body: &[u8]) -> bool {
        match self {
            Self::Described { refused, .. } => !refused.is_empty() && hold(refused, body),
            Self::ByLookUp | Self::Documented { .. } | Self::Undocumented => false,
        }
    }
}

/// Returns whether an API that documents nothing may have sent this with a success: nothing, JSON, or a text. A page may
/// be that of a captive portal.
fn is_no_page(media: Media, body: &[u8]) -> bool {
    let text = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii();
    match media {
        _ if text.is_empty() => true,
        Media::Page | Media::Problem => false,
        Media::Other => is_document(text),
        Media::Json | Media::OtherJson | Media::Unsaid => {
            is_document(text) || !(text.starts_with(b"<") || is_page(text))
        }
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSAL: Form = Form(&[&[Mark::Number("/code")], &[Mark::Text("/message"), Mark::Text("/error/text")]]);
    const AGREEMENT: Agreement = Agreement::Documented { status: 200, form: Form(&[&[Mark::Text("/email")]]) };

    fn media(value: &str) -> Media {
        Media::of(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]))
    }

    #[test]
    fn one_field_may_say_success_and_failure() {
        let refusal = Form(&[&[Mark::TextIsNot("/message", "Changed"), Mark::Body("Forbidden")]]);
        let agreement = Agreement::Documented { status: 200, form: Form(&[&[Mark::TextIs("/message", "Changed")]]) };
        for (body, is_success, is_refusal) in [
            (r#"{"message": "Changed"}"#, true, false),
            (r#"{"message": "Not found"}"#, false, true),
            (r#"{"message": ""}"#, false, false),
            (r#"{"message": 1}"#, false, false),
            ("Forbidden\n", false, true),
            ("Forbidden by a gateway", false, false),
        ] {
            let success = agreement.of(200, Media::Json, body.as_bytes(), &refusal);
            assert_eq!(success == Origin::Vendor, is_success, "{body}");
            assert_eq!(refusal.of_refusal(Media::Unsaid, body.as_bytes()) == Origin::Vendor, is_refusal, "{body}");
        }
        assert_eq!(refusal.of_refusal(Media::Other, b"Forbidden"), Origin::Foreign, "a page of HTML");
    }

    #[test]
    fn a_field_may_be_in_a_list() {
        let form = Form(&[&[Mark::Text("/errors/1/message")]]);
        for (body, fits) in [
            (r#"{"errors": [{"message": "a"}, {"message": "b"}, 1]}"#, true),
            (r#"{"errors": [{"message": "a"}]}"#, false),
            (r#"{"errors": []}"#, false),
            (r#"{"errors": {"1": {"message": "b"}}}"#, true),
            (r#"{"errors": [1, {"message": "b"}"#, false),
        ] {
            assert_eq!(form.fits(body.as_bytes()), fits, "{body}");
        }
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters() {
        for (value, expected) in [
            ("application/json", Media::Json),
            ("Application/JSON; charset=utf-8", Media::Json),
            ("application/hal+json", Media::OtherJson),
            ("text/json", Media::OtherJson),
            ("application/problem+json", Media::Problem),
            ("text/plain; charset=utf-8", Media::Unsaid),
            ("", Media::Unsaid),
            ("text/html; charset=utf-8", Media::Page),
            ("application/xhtml+xml", Media::Page),
            ("application/jsonp", Media::Other),
            ("text/json+html", Media::Other),
        ] {
            assert_eq!(media(value), expected, "{value}");
        }
        assert_eq!(Media::of(&HeaderMap::new()), Media::Unsaid);
    }

    #[test]
    fn a_refusal_is_known_by_all_of_its_fields() {
        for (body, expected) in [
            (r#"{"code": 40102, "message": "No."}"#, Origin::Vendor),
            (r#"{"error": {"text": "No."}, "code": 1}"#, Origin::Vendor),
            (r#"{"message": "Forbidden"}"#, Origin::Foreign),
            (r#"{"code": "40102", "message": "No."}"#, Origin::Foreign),
            (r#"{"code": 1, "message": ""}"#, Origin::Foreign),
            (r#"[{"code": 1, "message": "No."}]"#, Origin::Foreign),
            ("<html>", Origin::Foreign),
            ("", Origin::Foreign),
        ] {
            assert_eq!(REFUSAL.of_refusal(Media::Json, body.as_bytes()), expected, "{body}");
            assert_eq!(REFUSAL.of_refusal(Media::Other, body.as_bytes()), Origin::Foreign, "{body} as a page");
        }
    }

    #[test]
    fn where_nothing_is_documented_a_page_is_no_agreement() {
        for (media, body, expected) in [
            (Media::Unsaid, "", Origin::Vendor),
            (Media::Other, "\r\n", Origin::Vendor),
            (Media::Json, r#"{"id": "a"}"#, Origin::Vendor),
            (Media::Json, r#"{"code": 1, "message": "No."}"#, Origin::Foreign),
            (Media::Json, "null", Origin::Foreign),
            (Media::Other, r#"{"id": "a"}"#, Origin::Foreign),
            (Media::Other, "<html>", Origin::Foreign),
            (Media::Unsaid, "<html>", Origin::Foreign),
        ] {
            assert_eq!(Agreement::Undocumented.of(200, media, body.as_bytes(), &REFUSAL), expected, "{media:?} {body}");
        }
    }

    #[test]
    fn described_conditions_are_proof_under_any_media_type() {
        let conditions: [&'static [Condition]; 2] =
            [&[Condition { pointer: "/ok", value: "true" }], &[Condition { pointer: "/ok", value: "false" }]];
        let agreement = Agreement::Described { success: conditions[0], refused: conditions[1] };
        for media in [Media::Json, Media::OtherJson, Media::Problem, Media::Unsaid, Media::Page, Media::Other] {
            for (body, is_success, is_refusal) in [
                (r#"{"ok": true}"#, true, false),
                (r#"{"ok": true, "code": 1, "message": "Done."}"#, true, false),
                (r#"{"ok": false}"#, false, true),
                (r#"{"ok": true"#, false, false),
                (r#"<html>{"ok": true}</html>"#, false, false),
                (r#"{"login": "https://portal.example.com"}"#, false, false),
                ("", false, false),
            ] {
                let origin = agreement.of(200, media, body.as_bytes(), &REFUSAL);
                assert_eq!(origin == Origin::Vendor, is_success, "{media:?} {body}");
                assert_eq!(agreement.is_refusal(body.as_bytes()), is_refusal, "{media:?} {body}");
            }
        }
    }

    #[test]
    fn without_conditions_anything_but_an_error_and_a_page_is_a_success() {
        let agreement = Agreement::Described { success: &[], refused: &[] };
        let error = r#"{"code": 1, "message": "No."}"#;
        for (media, body, is_success) in [
            (Media::Json, "true", true),
            (Media::Json, r#""OK""#, true),
            (Media::Json, "null", true),
            (Media::Json, r#""<html>""#, true),
            (Media::Json, "[]", true),
            (Media::Json, "OK", true),
            (Media::OtherJson, r#"{"id": "a"}"#, true),
            (Media::Other, r#"{"id": "a"}"#, true),
            (Media::Unsaid, "OK", true),
            (Media::Unsaid, "\u{feff}OK\r\n", true),
            (Media::Page, " \r\n", true),
            (Media::Json, error, false),
            (Media::OtherJson, error, false),
            (Media::Other, error, false),
            (Media::Problem, r#"{"title": "Down"}"#, false),
            (Media::Page, r#"{"id": "a"}"#, false),
            (Media::Page, "OK", false),
            (Media::Json, "<html></html>", false),
            (Media::Unsaid, "\u{feff} <!DOCTYPE html>", false),
            (Media::Unsaid, "<!-- a portal --><body>", false),
            (Media::Unsaid, "Please log in\n<HTML>", false),
            (Media::Other, "<a/>", false),
            (Media::Other, "OK", false),
        ] {
            let origin = agreement.of(200, media, body.as_bytes(), &REFUSAL);
            assert_eq!(origin == Origin::Vendor, is_success, "{media:?} {body}");
            let looked_up = Agreement::ByLookUp.of(200, media, body.as_bytes(), &REFUSAL) == Origin::Vendor;
            assert!(looked_up || !is_success, "{media:?} {body}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Statuses, media types and bodies at random: the documented form alone agrees.
        #[test]
        fn only_the_documented_form_is_agreement(
            status in prop_oneof![2 => Just(200_u16), 1 => 200_u16..300],
            (media_type, is_json) in prop_oneof![
                2 => prop::sample::select(vec!["application/json", "APPLICATION/JSON", "application/json; charset=utf-8"])
                    .prop_map(|media| (media, true)),
                1 => prop::sample::select(vec![
                    "text/html", "text/html; charset=utf-8", "application/problem+json", "application/xml", "text/css",
                    "application/octet-stream", "multipart/form-data", "application/hal+json",
                ]).prop_map(|media| (media, false)),
            ],
            (body, is_documented) in prop_oneof![
                2 => ("[ \n]{0,3}", "[a-z]{1,8}@[a-z]{1,8}\\.se", any::<u32>())
                    .prop_map(|(space, email, more)| (format!(r#"{space}{{"more": {more}, "email": "{email}"}}{space}"#), true)),
                1 => prop::sample::select(vec![
                    "", " ", "null", "{}", "[]", "true", "0", "\"email\"", "<html>Under maintenance</html>", "email=a@b.se",
                    r#"{"email": ""}"#, r#"{"email": null}"#, r#"{"email": 1}"#, r#"{"email": ["a@b.se"]}"#,
                    r#"{"data": {"email": "a@b.se"}}"#, r#"[{"email": "a@b.se"}]"#, r#"{"Email": "a@b.se"}"#,
                    r#"{"login_url": "https://portal.example.com"}"#, r#"{"email": "a@b.s"#, r#"{"email": "a@b.se""#,
                    r#"{"email": "a@b.se", "code": 1, "message": "No."}"#,
                ]).prop_map(|body| (body.to_owned(), false)),
                1 => "[ -~]{0,40}".prop_filter("no object", |text| !text.contains("email"))
                    .prop_map(|body| (body, false)),
            ],
        ) {
            let words = AGREEMENT.of(status, media(media_type), body.as_bytes(), &REFUSAL);
            let expected = status == 200 && is_json && is_documented;
            prop_assert_eq!(words == Origin::Vendor, expected, "{} {} {}", status, media_type, body);
        }
    }
}

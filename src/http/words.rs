//! Whose words a response is in.
//!
//! A status alone proves little: a maintenance page comes with 200, and a proxy refuses with 403 as a vendor does. So agreement and
//! refusal count only in the form that the vendor documents for them. This is the one place that knows such a form when it sees one.

use http::HeaderMap;
use http::header::CONTENT_TYPE;

use super::json::find;
use crate::secret::Outside;

/// The fields by which a JSON object of the vendor's is known: of each inner list at least one is there.
#[derive(Debug)]
pub struct Form(pub &'static [&'static [Mark]]);

/// A field of such an object, by its name or its way in, such as `error.message`.
#[derive(Debug)]
pub enum Mark {
    /// A text that is not empty.
    Text(&'static str),
    /// A whole number.
    Number(&'static str),
    /// This truth value.
    Is(&'static str, bool),
}

/// What a vendor documents as the success of a request that sets something.
#[derive(Debug)]
pub enum Agreement {
    /// This status, with a JSON object of this form.
    Documented {
        /// The status.
        status: u16,
        /// The form.
        form: Form,
    },
    /// The vendor documents no response: a 2xx without a body, or with a JSON object that refuses nothing.
    Undocumented,
}

/// Whose words a response is in.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Words {
    /// The vendor's.
    Own,
    /// Those of something else: a proxy, a gateway, a captive portal, a web server.
    #[default]
    Other,
}

/// What a body is said to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Media {
    /// `application/json`.
    Json,
    /// JSON of a more special kind, such as `application/problem+json` (RFC 6839, section 3.1).
    JsonSuffix,
    /// `text/plain`, or nothing: RFC 9110, section 8.3, leaves it to the reader.
    Unsaid,
    /// Anything else, such as a page.
    Other,
}

impl Media {
    /// Reads the header. Parameters such as the character set say nothing here.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let Some(value) = headers.get(CONTENT_TYPE) else { return Self::Unsaid };
        let text = value.to_str().unwrap_or("/");
        let essence = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Self::Json,
            "" | "text/plain" => Self::Unsaid,
            special if special.starts_with("application/") && special.ends_with("+json") => Self::JsonSuffix,
            _ => Self::Other,
        }
    }
}

impl Form {
    /// Tells whether a body is a JSON object of this form.
    pub(super) fn fits(&self, body: &[u8]) -> bool {
        self.0.iter().all(|alternatives| alternatives.iter().any(|mark| mark.is_in(body)))
    }

    /// Whose words a refusal is in.
    pub(super) fn of_refusal(&self, media: Media, body: &[u8]) -> Words {
        let is_own = media != Media::Other && !self.0.is_empty() && self.fits(body);
        if is_own { Words::Own } else { Words::Other }
    }
}

impl Mark {
    fn is_in(&self, body: &[u8]) -> bool {
        let path = |name: &'static str| name.split('.').collect::<Vec<_>>();
        match self {
            Self::Text(name) => find(body, &path(name)).is_some_and(|text: Outside| !text.raw().trim().is_empty()),
            Self::Number(name) => find::<u64>(body, &path(name)).is_some(),
            Self::Is(name, flag) => find(body, &path(name)) == Some(*flag),
        }
    }
}

impl Agreement {
    /// Whose words a 2xx is in. What has the form of a refusal agrees to nothing, whatever its status.
    pub(super) fn of(&self, status: u16, media: Media, body: &[u8], refusal: &Form) -> Words {
        let is_json = matches!(media, Media::Json | Media::Unsaid);
        let is_refusal = !refusal.0.is_empty() && refusal.fits(body);
        let is_own = match self {
            Self::Documented { status: documented, form } => {
                status == *documented && is_json && !is_refusal && form.fits(body)
            }
            Self::Undocumented => {
                let text = body.trim_ascii();
                text.is_empty() || (is_json && !is_refusal && text.starts_with(b"{"))
            }
        };
        if is_own { Words::Own } else { Words::Other }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REFUSAL: Form = Form(&[&[Mark::Number("code")], &[Mark::Text("message"), Mark::Text("error.text")]]);
    const AGREEMENT: Agreement = Agreement::Documented { status: 200, form: Form(&[&[Mark::Text("email")]]) };

    fn media(value: &str) -> Media {
        Media::of(&HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]))
    }

    #[test]
    fn a_media_type_is_read_without_its_parameters() {
        for (value, expected) in [
            ("application/json", Media::Json),
            ("Application/JSON; charset=utf-8", Media::Json),
            ("application/problem+json", Media::JsonSuffix),
            ("text/plain; charset=utf-8", Media::Unsaid),
            ("", Media::Unsaid),
            ("text/html", Media::Other),
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
            (r#"{"code": 40102, "message": "No."}"#, Words::Own),
            (r#"{"error": {"text": "No."}, "code": 1}"#, Words::Own),
            (r#"{"message": "Forbidden"}"#, Words::Other),
            (r#"{"code": "40102", "message": "No."}"#, Words::Other),
            (r#"{"code": 1, "message": ""}"#, Words::Other),
            (r#"[{"code": 1, "message": "No."}]"#, Words::Other),
            ("<html>", Words::Other),
            ("", Words::Other),
        ] {
            assert_eq!(REFUSAL.of_refusal(Media::Json, body.as_bytes()), expected, "{body}");
            assert_eq!(REFUSAL.of_refusal(Media::Other, body.as_bytes()), Words::Other, "{body} as a page");
        }
    }

    #[test]
    fn where_nothing_is_documented_a_page_is_no_agreement() {
        for (media, body, expected) in [
            (Media::Unsaid, "", Words::Own),
            (Media::Other, "\r\n", Words::Own),
            (Media::Json, r#"{"id": "a"}"#, Words::Own),
            (Media::Json, r#"{"code": 1, "message": "No."}"#, Words::Other),
            (Media::Json, "null", Words::Other),
            (Media::Other, r#"{"id": "a"}"#, Words::Other),
            (Media::Other, "<html>", Words::Other),
            (Media::Unsaid, "<html>", Words::Other),
        ] {
            assert_eq!(Agreement::Undocumented.of(200, media, body.as_bytes(), &REFUSAL), expected, "{media:?} {body}");
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
            prop_assert_eq!(words == Words::Own, expected, "{} {} {}", status, media_type, body);
        }
    }
}

//! What a vendor's responses are written in. What is not JSON is rewritten as JSON as soon as it has arrived.

use http::{HeaderMap, header::CONTENT_TYPE};
use zeroize::Zeroizing;

use super::{
    salvage,
    words::Media,
    xml::{self, Breaks},
};

/// What an API's responses are written in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Syntax {
    Json,
    Xml,
}

impl Syntax {
    /// Returns the `Accept` header.
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Xml => "text/xml",
        }
    }

    /// Returns the media type of a body once it has been rewritten.
    pub(super) fn media(self, headers: &HeaderMap) -> Media {
        match (self, Media::of(headers)) {
            (Self::Json, media) => media,
            (Self::Xml, Media::Unsaid) => Media::Unsaid,
            (Self::Xml, _) => {
                // Not every type that ends in `+xml`: XHTML is a web page.
                let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
                let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
                if ["application/xml", "text/xml"].contains(&&*essence) { Media::Json } else { Media::Other }
            }
        }
    }

    /// Rewrites a body that arrived whole.
    pub(super) fn body(self, body: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Json => body,
            Self::Xml => xml::as_json(&body, Breaks::Kept),
        }
    }

    /// Rewrites what was received of the response to a reset, which may be broken in any way.
    pub(super) fn received(self, text: Zeroizing<Vec<u8>>) -> Zeroizing<Vec<u8>> {
        match self {
            Self::Json => text,
            Self::Xml => xml::as_json(&text, Breaks::Refused),
        }
    }

    /// Returns whether a text contains a complete document.
    pub(super) fn has_document(self, text: &[u8]) -> bool {
        match self {
            Self::Json => salvage::has_document(text),
            Self::Xml => salvage::has_document(&xml::as_json(text, Breaks::Refused)),
        }
    }

    /// Returns the byte without which no document is complete.
    pub(super) fn last_byte(self) -> u8 {
        match self {
            Self::Json => b'}',
            Self::Xml => b'>',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_media_types_of_xml_are_xml() {
        for (value, expected) in [
            ("text/xml", Media::Json),
            ("Application/XML; charset=utf-8", Media::Json),
            ("text/plain", Media::Unsaid),
            ("application/json", Media::Other),
            ("text/html", Media::Other),
            ("application/xhtml+xml", Media::Other),
        ] {
            let headers = HeaderMap::from_iter([(CONTENT_TYPE, value.parse().unwrap())]);
            assert_eq!(Syntax::Xml.media(&headers), expected, "{value}");
        }
        assert_eq!(Syntax::Xml.media(&HeaderMap::new()), Media::Unsaid);
    }
}

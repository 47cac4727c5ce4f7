//! Encodes the part of a URL that identifies a credential. No segment can change the structure of the path.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Encodes the segments, with a slash before each. The error says what is wrong.
pub(super) fn encode(segments: &[&str]) -> Result<String, &'static str> {
    let mut path = String::new();
    for segment in segments {
        if matches!(*segment, "" | "." | "..") {
            return Err("a part of the path is empty, \".\" or \"..\"");
        }
        path.push('/');
        path.extend(utf8_percent_encode(segment, RESERVED));
    }
    Ok(path)
}

/// All but the unreserved characters of RFC 3986, section 2.3. A vendor's own example also encodes `@`.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;
    use crate::http::BaseUrl;

    #[test]
    fn a_user_name_is_encoded_as_the_vendors_example_prints_it() {
        assert_eq!(
            encode(&["tokens", "zh48@62515.smtp.hubspot.net"]).unwrap(),
            "/tokens/zh48%4062515.smtp.hubspot.net"
        );
    }

    #[test]
    fn a_segment_that_is_no_name_is_refused() {
        for segment in ["", ".", ".."] {
            assert!(encode(&["a", segment]).is_err(), "{segment:?}");
        }
    }

    proptest! {
        #[test]
        fn a_segment_keeps_its_place_in_the_url_and_decodes_back(segment in ".+") {
            prop_assume!(segment != "." && segment != "..");
            let base = BaseUrl::parse("https://example.com/prefix").unwrap();
            let url = base.join(&encode(&["a", &segment, "z"]).unwrap());
            let segments: Vec<_> = url.path_segments().unwrap().collect();
            prop_assert_eq!((segments.len(), segments[0], segments[1], segments[3]), (4, "prefix", "a", "z"));
            prop_assert_eq!(percent_decode_str(segments[2]).decode_utf8().unwrap(), segment);
            prop_assert_eq!((url.query(), url.fragment()), (None, None));
        }

        #[test]
        fn no_dots_in_any_writing_climb_out(segment in "(\\.|%2e|%2E|%252e|/|\\\\){1,6}") {
            prop_assume!(segment != "." && segment != "..");
            let url = BaseUrl::parse("https://example.com").unwrap().join(&encode(&["a", &segment, "z"]).unwrap());
            prop_assert_eq!(url.path_segments().unwrap().count(), 3);
        }
    }
}

//! JSON pointers (RFC 6901), the notation of every place in a vendor's JSON.

use std::borrow::Cow;

/// Splits a pointer into the names and indices on the way to its value; the whole document has none.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    // In this order, as the RFC says: otherwise `~01` would become `/`.
    let unescaped = |step: &'_ str| step.replace("~1", "/").replace("~0", "~");
    pointer.split('/').skip(1).map(move |step| if step.contains('~') { unescaped(step).into() } else { step.into() })
}

/// Checks that a text is a pointer.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    let is_escaped = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
    if !text.is_empty() && !text.starts_with('/') {
        Err("must be a JSON pointer, such as `/data/password`, or empty for the whole document")
    } else if !is_escaped {
        Err("must be a JSON pointer: write `~0` for `~`, and `~1` for a `/` in a name")
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_is_split_as_the_rfc_says() {
        for (pointer, expected) in [
            ("", &[][..]),
            ("/", &[""]),
            ("/foo", &["foo"]),
            ("/foo/0", &["foo", "0"]),
            ("/a~1b", &["a/b"]),
            ("/m~0n", &["m~n"]),
            ("/~01", &["~1"]),
            ("/ /", &[" ", ""]),
        ] {
            assert_eq!(steps(pointer).collect::<Vec<_>>(), expected, "{pointer}");
            assert_eq!(check(pointer), Ok(()), "{pointer}");
        }
        for bad in ["foo", "foo/bar", " /foo", "/~", "/~2", "/a~/b"] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }
}

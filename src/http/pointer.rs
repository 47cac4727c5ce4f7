//! JSON pointers (RFC 6901), the notation of every place in a vendor's JSON.

use std::borrow::Cow;

/// Splits a pointer into the names and indices on the way to its value; the whole document has none.
pub(crate) fn steps(pointer: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let unescaped = |step: &'_ str| step.replace("~1", "/").replace("~0", "~");
    pointer.split('/').skip(1).map(move |step| if step.contains('~') { unescaped(step).into() } else { step.into() })
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
        }
    }
}

//! HTML's named characters.

/// Returns the ASCII or Latin-1 character with a name (<https://html.spec.whatwg.org/multipage/named-characters.html>).
pub(super) fn character(name: &str) -> Option<char> {
    let latin_1 = || (0xa0..=0xff_u8).zip(LATIN_1.split_ascii_whitespace()).find(|(_, known)| *known == name);
    let ascii = ASCII.iter().find(|(_, names)| names.contains(&name)).map(|(c, _)| *c);
    ascii.or_else(|| latin_1().map(|(byte, _)| char::from(byte)))
}

/// Returns whether a longer name may begin so.
pub(super) fn is_beginning(text: &str) -> bool {
    let mut known = LATIN_1.split_ascii_whitespace().chain(ASCII.iter().flat_map(|(_, names)| *names).copied());
    known.any(|name| name.starts_with(text))
}

const ASCII: &[(char, &[&str])] = &[
    ('\t', &["Tab"]),
    ('\n', &["NewLine"]),
    ('!', &["excl"]),
    ('"', &["quot", "QUOT"]),
    ('#', &["num"]),
    ('$', &["dollar"]),
    ('%', &["percnt"]),
    ('&', &["amp", "AMP"]),
    ('\'', &["apos"]),
    ('(', &["lpar"]),
    (')', &["rpar"]),
    ('*', &["ast", "midast"]),
    ('+', &["plus"]),
    (',', &["comma"]),
    ('.', &["period"]),
    ('/', &["sol"]),
    (':', &["colon"]),
    (';', &["semi"]),
    ('<', &["lt", "LT"]),
    ('=', &["equals"]),
    ('>', &["gt", "GT"]),
    ('?', &["quest"]),
    ('@', &["commat"]),
    ('[', &["lsqb", "lbrack"]),
    ('\\', &["bsol"]),
    (']', &["rsqb", "rbrack"]),
    ('^', &["Hat"]),
    ('_', &["lowbar"]),
    ('`', &["grave"]),
    ('{', &["lcub", "lbrace"]),
    ('|', &["verbar", "vert"]),
    ('}', &["rcub", "rbrace"]),
];

/// The names of the characters from `U+00A0`.
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn \
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde \
    Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde \
    Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
    egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_html() {
        for (name, expected) in [
            ("amp", '&'),
            ("lt", '<'),
            ("nbsp", '\u{a0}'),
            ("eacute", 'é'),
            ("szlig", 'ß'),
            ("yuml", 'ÿ'),
            ("times", '×'),
        ] {
            assert_eq!(character(name), Some(expected), "{name}");
        }
        assert_eq!(character("am"), None);
        assert!(is_beginning("am") && is_beginning("eacut") && is_beginning("eacute"));
        assert!(!is_beginning("eacutes"));
    }
}

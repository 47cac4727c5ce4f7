//! How programs write a text into another: each encoding by its own definition, and none by the code under test.

use std::fmt::Write;

use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD, Engine};
use proptest::{collection::vec, prelude::*, sample::select};

/// One way to write a text, with whatever it leaves to choose.
#[derive(Clone, Debug)]
pub(crate) enum Encoding {
    Plain,
    /// As `serde_json` does.
    Json,
    /// As Python's `json.dumps` does: whatever is not ASCII in units of UTF-16.
    JsonAscii {
        upper: bool,
    },
    /// As PHP's `json_encode` does with its strictest flags: punctuation in units of UTF-16, `/` behind a backslash.
    JsonHex {
        upper: bool,
    },
    /// RFC 3986, with these characters left as they are, and each byte in letters of either case.
    Percent {
        unreserved: String,
        upper: Vec<bool>,
    },
    /// As JavaScript's `escape` does.
    PercentUnits,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// The five characters that have to be.
    HtmlNamed,
    /// Every character by its number.
    HtmlDecimal,
    HtmlHex {
        upper: bool,
    },
    /// Every character by its number, without the semicolon.
    HtmlBare,
    Base64 {
        url_safe: bool,
        padded: bool,
        wrap: usize,
    },
    Hex {
        upper: bool,
        separator: &'static str,
    },
    /// As Python's `repr` does, or Go's `%q` with an ASCII quote, or a debug text of Rust's.
    Quoted {
        quote: char,
    },
    /// As Python's `repr` of bytes does.
    QuotedBytes,
    /// As C and the shell write bytes.
    Octal,
}

impl Encoding {
    pub(crate) fn write(&self, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Json => {
                let quoted = serde_json::to_string(text).unwrap();
                quoted[1..quoted.len() - 1].to_owned()
            }
            Self::JsonAscii { upper } => {
                let json = Self::Json.write(text);
                json.chars().map(|c| if c.is_ascii() { c.to_string() } else { units("\\u", c, *upper) }).collect()
            }
            Self::JsonHex { upper } => chars(text, |c| match c {
                '/' => "\\/".to_owned(),
                '\\' => "\\\\".to_owned(),
                '<' | '>' | '&' | '\'' | '"' => units("\\u", c, *upper),
                c if !c.is_ascii() => units("\\u", c, *upper),
                c => c.to_string(),
            }),
            Self::Percent { unreserved, upper } => {
                let mut cases = upper.iter().cycle();
                let percent = |byte: &u8| {
                    if *cases.next().unwrap() { format!("%{byte:02X}") } else { format!("%{byte:02x}") }
                };
                let mut percent = Box::new(percent) as Box<dyn FnMut(&u8) -> String>;
                let plain = |c: char| c.is_ascii_alphanumeric() || unreserved.contains(c);
                let mut bytes = |c: char| c.to_string().as_bytes().iter().map(&mut percent).collect();
                text.chars().map(|c| if plain(c) { c.to_string() } else { bytes(c) }).collect()
            }
            Self::PercentUnits => chars(text, |c| match c {
                c if c.is_ascii_alphanumeric() || "@*_+-./".contains(c) => c.to_string(),
                c if u32::from(c) < 0x100 => format!("%{:02X}", u32::from(c)),
                c => units("%u", c, true),
            }),
            Self::Form => url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
            Self::HtmlNamed => chars(text, |c| match c {
                '&' => "&amp;".to_owned(),
                '<' => "&lt;".to_owned(),
                '>' => "&gt;".to_owned(),
                '"' => "&quot;".to_owned(),
                '\'' => "&#39;".to_owned(),
                'é' => "&eacute;".to_owned(),
                c => c.to_string(),
            }),
            Self::HtmlDecimal => chars(text, |c| format!("&#{};", u32::from(c))),
            Self::HtmlHex { upper: true } => chars(text, |c| format!("&#X{:X};", u32::from(c))),
            Self::HtmlHex { upper: false } => chars(text, |c| format!("&#x{:x};", u32::from(c))),
            Self::HtmlBare => chars(text, |c| format!("&#{}", u32::from(c))),
            Self::Base64 { url_safe, padded, wrap } => {
                let engine = match (url_safe, padded) {
                    (false, true) => &BASE64_STANDARD,
                    (false, false) => &BASE64_STANDARD_NO_PAD,
                    (true, true) => &BASE64_URL_SAFE,
                    (true, false) => &BASE64_URL_SAFE_NO_PAD,
                };
                let encoded = engine.encode(text);
                if *wrap == 0 {
                    return encoded;
                }
                let lines: Vec<_> =
                    encoded.as_bytes().chunks(*wrap).map(|line| str::from_utf8(line).unwrap()).collect();
                lines.join("\r\n")
            }
            Self::Hex { upper, separator } => {
                let hex = |byte: &u8| if *upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
                text.as_bytes().iter().map(hex).collect::<Vec<_>>().join(separator)
            }
            Self::Quoted { quote } => chars(text, |c| match c {
                '\\' => "\\\\".to_owned(),
                c if c == *quote => format!("\\{c}"),
                c => c.to_string(),
            }),
            Self::QuotedBytes => bytes(text, |byte| format!("\\x{byte:02x}")),
            Self::Octal => bytes(text, |byte| format!("\\{byte:03o}")),
        }
    }
}

fn chars(text: &str, write: impl Fn(char) -> String) -> String {
    text.chars().map(write).collect()
}

/// Printable ASCII as it is, but for quotes and backslashes; every other byte as `write` does.
fn bytes(text: &str, write: impl Fn(u8) -> String) -> String {
    let one = |byte: u8| match byte {
        b'\\' | b'\'' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => write(byte),
    };
    text.bytes().map(one).collect()
}

fn units(mark: &str, c: char, upper: bool) -> String {
    let mut text = String::new();
    for unit in c.encode_utf16(&mut [0; 2]) {
        if upper { write!(text, "{mark}{unit:04X}") } else { write!(text, "{mark}{unit:04x}") }.unwrap();
    }
    text
}

/// Any encoding.
pub(crate) fn encoding() -> impl Strategy<Value = Encoding> {
    prop_oneof![
        2 => Just(Encoding::Plain),
        3 => Just(Encoding::Json),
        1 => any::<bool>().prop_map(|upper| Encoding::JsonAscii { upper }),
        1 => any::<bool>().prop_map(|upper| Encoding::JsonHex { upper }),
        3 => ("[-._~!$&'()*+,;=:@/? ]{0,6}", vec(any::<bool>(), 1..5))
            .prop_map(|(unreserved, upper)| Encoding::Percent { unreserved, upper }),
        1 => Just(Encoding::PercentUnits),
        1 => Just(Encoding::Form),
        1 => Just(Encoding::HtmlNamed),
        1 => Just(Encoding::HtmlDecimal),
        1 => any::<bool>().prop_map(|upper| Encoding::HtmlHex { upper }),
        1 => Just(Encoding::HtmlBare),
        3 => (any::<bool>(), any::<bool>(), select(vec![0, 4, 5, 60, 76]))
            .prop_map(|(url_safe, padded, wrap)| Encoding::Base64 { url_safe, padded, wrap }),
        2 => (any::<bool>(), select(vec!["", "", " ", ":", "-", ", ", ", 0x", "\n"]))
            .prop_map(|(upper, separator)| Encoding::Hex { upper, separator }),
        1 => select(vec!['"', '\'', '`']).prop_map(|quote| Encoding::Quoted { quote }),
        1 => Just(Encoding::QuotedBytes),
        1 => Just(Encoding::Octal),
    ]
}

/// What the text means: encodings, the innermost first.
pub(crate) fn nested() -> impl Strategy<Value = Vec<Encoding>> {
    vec(encoding(), 1..4)
}

//! ASCII armor: base64 between two lines that name it.

use base64::{Engine, engine::general_purpose::STANDARD};

/// The length of a line, in characters. Only the last one may be shorter.
const WIDTH: usize = 64;

const BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const END: &str = "-----END AGE ENCRYPTED FILE-----";

/// Armors a file. The text ends with a line break.
pub(super) fn wrap(file: &[u8]) -> String {
    let encoded = STANDARD.encode(file);
    let mut text = String::with_capacity(BEGIN.len() + encoded.len() + encoded.len() / WIDTH + END.len() + 4);
    text.push_str(BEGIN);
    for (at, character) in encoded.chars().enumerate() {
        if at % WIDTH == 0 {
            text.push('\n');
        }
        text.push(character);
    }
    text.push('\n');
    text.push_str(END);
    text.push('\n');
    text
}

/// Returns the file in an armored text. White space is accepted only before and after it, and lines may end with CRLF.
/// The base64 must be canonical: there is one text for each file, apart from line breaks.
pub(super) fn unwrap(text: &str) -> Option<Vec<u8>> {
    let mut lines =
        text.trim_matches([' ', '\t', '\r', '\n']).split('\n').map(|line| line.strip_suffix('\r').unwrap_or(line));
    if (lines.next(), lines.next_back()) != (Some(BEGIN), Some(END)) {
        return None;
    }
    let mut encoded = String::with_capacity(text.len());
    let mut lines = lines.peekable();
    while let Some(line) = lines.next() {
        let is_full = line.len() == WIDTH;
        let is_last = lines.peek().is_none();
        if !is_full && (!is_last || line.is_empty() || line.len() > WIDTH) {
            return None;
        }
        encoded.push_str(line);
    }
    STANDARD.decode(encoded).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrapped_is_unwrapped() {
        for length in [1, 2, 3, 47, 48, 49, 95, 96, 97, 1000] {
            let file: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let text = wrap(&file);
            assert_eq!(unwrap(&text).as_deref(), Some(&*file), "{length}");
            assert_eq!(unwrap(&text.replace('\n', "\r\n")).as_deref(), Some(&*file), "{length} with CRLF");
            assert_eq!(unwrap(&format!(" \r\n\t{text}\n\n ")).as_deref(), Some(&*file), "{length} with white space");
            assert!(text.lines().all(|line| line.len() <= WIDTH));
        }
    }

    #[test]
    fn anything_else_is_no_armor() {
        let text = wrap(&[7; 100]);
        let lines: Vec<_> = text.lines().collect();
        for bad in [
            String::new(),
            "\n".to_owned(),
            BEGIN.to_owned(),
            format!("{BEGIN}{END}"),
            text.replace(BEGIN, &BEGIN.to_lowercase()),
            text.replace(END, ""),
            text.replace("\n", "\n\n"),
            text.replace("\n", " \n"),
            text.replace("\n", "\n "),
            text.replace('=', ""),
            format!("{BEGIN}\nComment: a header\n\n{}", lines[1..].join("\n")),
            format!("{text}garbage"),
            format!("{text}{text}"),
            format!("garbage\n{text}"),
            text.replace('B', "\u{e9}"),
            lines.join(""),
        ] {
            assert_eq!(unwrap(&bad), None, "{bad:?}");
        }
    }
}

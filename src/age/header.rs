//! The header of a file: a line with the version, a stanza for each recipient, and a MAC.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use ring::{error::Unspecified, hmac};

use super::{
    derive,
    error::OpenError,
    stanza::{FileKey, Stanza, WIDTH, Wrapped},
};

/// The first line of every file, with its line break.
const VERSION: &str = "age-encryption.org/v1\n";

/// The header of a file that is read.
#[derive(Debug)]
pub(super) struct Header<'f> {
    pub(super) stanzas: Vec<Stanza<'f>>,
    /// What the MAC protects.
    protected: &'f [u8],
    mac: Vec<u8>,
    /// What follows the header.
    pub(super) rest: &'f [u8],
}

/// Writes the header of a new file.
pub(super) fn write(key: &FileKey, stanzas: &[Wrapped]) -> Result<String, Unspecified> {
    let mut header = VERSION.to_owned();
    for stanza in stanzas {
        stanza.write(&mut header);
    }
    header.push_str("---");
    let mac = hmac::sign(&derive::mac(&key[..])?, header.as_bytes());
    header.push(' ');
    STANDARD_NO_PAD.encode_string(mac, &mut header);
    header.push('\n');
    Ok(header)
}

impl<'f> Header<'f> {
    /// Reads a header. Only its form is checked.
    pub(super) fn read(file: &'f [u8]) -> Result<Self, OpenError> {
        Self::parse(file).ok_or(OpenError::Header)
    }

    fn parse(file: &'f [u8]) -> Option<Self> {
        let mut rest = file.strip_prefix(VERSION.as_bytes())?;
        let mut stanzas = Vec::new();
        loop {
            let before = rest;
            let line = next_line(&mut rest)?;
            if let Some(mac) = line.strip_prefix(b"--- ") {
                // The MAC covers the three hyphens of its own line, but not the space after them.
                let protected = file.get(..file.len() - before.len() + 3)?;
                let mac = STANDARD_NO_PAD.decode(mac).ok().filter(|mac| mac.len() == 32)?;
                return Some(Self { stanzas, protected, mac, rest });
            }
            stanzas.push(stanza(line, &mut rest)?);
        }
    }

    /// Checks that the header is as it was when the file was made.
    pub(super) fn verify(&self, key: &FileKey) -> Result<(), OpenError> {
        let verified = derive::mac(&key[..]).and_then(|key| hmac::verify(&key, self.protected, &self.mac));
        verified.map_err(|_| OpenError::Mac)
    }
}

fn stanza<'f>(line: &'f [u8], rest: &mut &'f [u8]) -> Option<Stanza<'f>> {
    let arguments: Vec<_> = line.strip_prefix(b"-> ")?.split(|byte| *byte == b' ').collect();
    if arguments.iter().any(|argument| argument.is_empty() || !argument.iter().all(u8::is_ascii_graphic)) {
        return None;
    }
    let mut body = Vec::new();
    loop {
        let line = next_line(rest)?;
        if line.len() > WIDTH {
            return None;
        }
        STANDARD_NO_PAD.decode_vec(line, &mut body).ok()?;
        // Only a shorter line ends a body, so after a full one there may be an empty one.
        if line.len() < WIDTH {
            return Some(Stanza { arguments, body });
        }
    }
}

/// Returns the next line, without its line break.
fn next_line<'f>(rest: &mut &'f [u8]) -> Option<&'f [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let line = rest.get(..end)?;
    *rest = rest.get(end + 1..)?;
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "--- AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n";

    fn read(stanzas: &str) -> Option<Vec<(String, usize)>> {
        let file = format!("{VERSION}{stanzas}{MAC}rest");
        let header = Header::read(file.as_bytes()).ok()?;
        assert_eq!(header.rest, b"rest");
        assert!(header.protected.ends_with(b"---"));
        let words = |stanza: &Stanza<'_>| String::from_utf8(stanza.arguments.join(&b"|"[..])).unwrap();
        Some(header.stanzas.iter().map(|stanza| (words(stanza), stanza.body.len())).collect())
    }

    #[test]
    fn stanzas_of_any_type_are_read() {
        let full = "A".repeat(64);
        assert_eq!(read(""), Some(vec![]));
        assert_eq!(read("-> a\n\n"), Some(vec![("a".to_owned(), 0)]));
        assert_eq!(
            read(&format!("-> a b !~\nAAAA\n-> c\n{full}\n\n-> d\n{full}\n{full}\nAA\n")),
            Some(vec![("a|b|!~".to_owned(), 3), ("c".to_owned(), 48), ("d".to_owned(), 97)])
        );
    }

    #[test]
    fn what_is_malformed_is_refused() {
        let full = "A".repeat(64);
        for bad in [
            "-> a\n",
            "->\n\n",
            "-> \n\n",
            "-> a  b\n\n",
            "-> a \n\n",
            " -> a\n\n",
            "-> a\tb\n\n",
            "-> \u{e9}\n\n",
            "-> a\r\n\r\n",
            "-> a\nAAAA\nAAAA\n",
            "-> a\nAAA=\n",
            "-> a\nAAB\n",
            "-> a\nAAAAA\n",
            "--- AAAA\n",
            &format!("-> a\n{full}\n"),
            &format!("-> a\n{full}AAAA\n\n"),
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
        for file in ["", "age-encryption.org/v1", VERSION, "age-encryption.org/v2\n--- \n", &format!("{VERSION}--- A")]
        {
            assert_eq!(Header::read(file.as_bytes()).unwrap_err(), OpenError::Header, "{file:?}");
        }
    }
}

//! Finds the end of a response's body (RFC 9112, section 6).

use http::{
    HeaderMap,
    header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use zeroize::Zeroizing;

use super::wiped;

/// How a body is delimited, and how far it has been read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Framing {
    /// This many bytes are missing.
    Length(u64),
    /// In chunks, each preceded by its size.
    Chunked(Chunk),
    /// It ends with the connection.
    ToEnd,
    /// The body is complete.
    Complete,
    /// The headers or the bytes contradict each other, so the end is unknown.
    Unclear,
}

/// The position of the next byte in the chunked coding (RFC 9112, section 7.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Chunk {
    Size(u64, u8),
    Extension(u64),
    SizeEnd(u64),
    Data(u64),
    DataReturn,
    DataEnd,
    TrailerStart,
    Trailer,
    LastEnd,
}

impl Framing {
    /// Determines how the body of a response is delimited.
    pub(super) fn of(status: u16, headers: &HeaderMap) -> Self {
        if matches!(status, 100..=199 | 204 | 304) {
            return Self::Complete;
        }
        let codings: Vec<_> = headers.get_all(TRANSFER_ENCODING).iter().collect();
        // Only the last coding delimits the body. Where it is another than chunked, the end of the connection does.
        if let Some(last) = codings.last() {
            let last = last.to_str().unwrap_or_default().rsplit(',').next().unwrap_or_default();
            let is_chunked = last.trim().eq_ignore_ascii_case("chunked");
            return if is_chunked { Self::Chunked(Chunk::Size(0, 0)) } else { Self::ToEnd };
        }
        // Several equal lengths are one (RFC 9112, section 6.3); two different ones are how a response is smuggled in.
        let mut length = None;
        for value in headers.get_all(CONTENT_LENGTH) {
            for one in value.to_str().unwrap_or("?").split(',') {
                let digits = one.trim();
                let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                let Some(bytes) = is_number.then(|| digits.parse().ok()).flatten() else { return Self::Unclear };
                if length.is_some_and(|length| length != bytes) {
                    return Self::Unclear;
                }
                length = Some(bytes);
            }
        }
        match length {
            Some(0) => Self::Complete,
            Some(bytes) => Self::Length(bytes),
            None => Self::ToEnd,
        }
    }

    /// Appends the decoded bytes to `body`, up to a total of `most`. Returns the number of bytes after its end.
    pub(super) fn decode(
        &mut self,
        mut bytes: &[u8],
        body: &mut Zeroizing<Vec<u8>>,
        most: usize,
    ) -> Result<usize, TooLarge> {
        while !bytes.is_empty() {
            match self {
                Self::Complete => return Ok(bytes.len()),
                Self::Unclear => return Ok(0),
                Self::ToEnd => return append(body, bytes, most).map(|()| 0),
                Self::Length(left) => {
                    let part = front(bytes, *left);
                    append(body, part, most)?;
                    bytes = &bytes[part.len()..];
                    *left -= part.len() as u64;
                    if *left == 0 {
                        *self = Self::Complete;
                    }
                }
                Self::Chunked(Chunk::Data(left)) => {
                    let part = front(bytes, *left);
                    append(body, part, most)?;
                    bytes = &bytes[part.len()..];
                    *left -= part.len() as u64;
                    if *left == 0 {
                        *self = Self::Chunked(Chunk::DataReturn);
                    }
                }
                Self::Chunked(chunk) => {
                    *self = chunk.after(bytes[0]);
                    bytes = &bytes[1..];
                }
            }
        }
        Ok(0)
    }
}

impl Chunk {
    /// Returns the state after a byte that is not data.
    fn after(self, byte: u8) -> Framing {
        // Sixteen digits fill 64 bits, so a longer size cannot wrap round to a small one.
        let next = match (self, byte) {
            (Self::Size(size, digits @ 0..16), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => {
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                Self::Size(size << 4 | u64::from(digit), digits + 1)
            }
            (Self::Size(size, 1..) | Self::Extension(size), b'\r') => Self::SizeEnd(size),
            (Self::Size(size, 1..), b';' | b' ' | b'\t') => Self::Extension(size),
            (Self::Extension(size), byte) if byte != b'\n' => Self::Extension(size),
            (Self::SizeEnd(0) | Self::TrailerStart | Self::Trailer, b'\n') => Self::TrailerStart,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size(0, 0),
            (Self::TrailerStart, b'\r') => Self::LastEnd,
            (Self::TrailerStart | Self::Trailer, _) => Self::Trailer,
            (Self::LastEnd, b'\n') => return Framing::Complete,
            _ => return Framing::Unclear,
        };
        Framing::Chunked(next)
    }
}

/// The body is too long. Its beginning is kept.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct TooLarge;

fn append(body: &mut Zeroizing<Vec<u8>>, bytes: &[u8], most: usize) -> Result<(), TooLarge> {
    let room = most - body.len();
    wiped::append(body, &bytes[..bytes.len().min(room)]);
    if bytes.len() > room { Err(TooLarge) } else { Ok(()) }
}

fn front(bytes: &[u8], most: u64) -> &[u8] {
    &bytes[..usize::try_from(most).unwrap_or(usize::MAX).min(bytes.len())]
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn framing(headers: &[(http::HeaderName, &'static str)]) -> Framing {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(name, HeaderValue::from_static(value));
        }
        Framing::of(200, &map)
    }

    /// The body of these bytes, and what is left to say about its end.
    fn decoded(mut framing: Framing, pieces: &[&[u8]]) -> (Zeroizing<Vec<u8>>, Framing) {
        let mut body = Zeroizing::default();
        for piece in pieces {
            framing.decode(piece, &mut body, 1000).unwrap();
        }
        (body, framing)
    }

    #[test]
    fn the_headers_say_where_a_body_ends() {
        let chunked = Framing::Chunked(Chunk::Size(0, 0));
        for (headers, expected) in [
            (&[][..], Framing::ToEnd),
            (&[(CONTENT_LENGTH, "7")], Framing::Length(7)),
            (&[(CONTENT_LENGTH, "7, 7"), (CONTENT_LENGTH, "7")], Framing::Length(7)),
            (&[(CONTENT_LENGTH, "7"), (CONTENT_LENGTH, "8")], Framing::Unclear),
            (&[(CONTENT_LENGTH, "+7")], Framing::Unclear),
            (&[(CONTENT_LENGTH, "")], Framing::Unclear),
            (&[(CONTENT_LENGTH, "99999999999999999999999")], Framing::Unclear),
            (&[(TRANSFER_ENCODING, "gzip, Chunked"), (CONTENT_LENGTH, "7")], chunked),
            (&[(TRANSFER_ENCODING, "chunked, gzip")], Framing::ToEnd),
        ] {
            assert_eq!(framing(headers), expected, "{headers:?}");
        }
    }

    #[test]
    fn malformed_chunks_leave_the_end_unclear() {
        for bytes in ["\r\n", "zz\r\n", "1\n", "5\r\nabcdefg\r\n", "11111111111111111\r\n", "0\r\n\rx"] {
            let (_, framing) = decoded(Framing::Chunked(Chunk::Size(0, 0)), &[bytes.as_bytes()]);
            assert_eq!(framing, Framing::Unclear, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn chunks_in_whatever_pieces_make_the_body(
            body in prop::collection::vec(any::<u8>(), 0..60),
            size in 1_usize..9,
            cut in any::<prop::sample::Index>(),
            trailer in "(X: y\r\n){0,2}",
        ) {
            let mut coded = Vec::new();
            for chunk in body.chunks(size) {
                coded.extend(format!("0{:X};x=y\r\n", chunk.len()).bytes());
                coded.extend([chunk, b"\r\n"].concat());
            }
            coded.extend(format!("0\r\n{trailer}\r\n").bytes());
            let cut = cut.index(coded.len());
            let (seen, end) = decoded(Framing::Chunked(Chunk::Size(0, 0)), &[&coded[..cut], &coded[cut..]]);
            prop_assert_eq!(&*seen, &body);
            prop_assert_eq!(end, Framing::Complete);
            let (seen, end) = decoded(Framing::Chunked(Chunk::Size(0, 0)), &[&coded[..cut]]);
            prop_assert!(body.starts_with(&seen) && end != Framing::Complete);
        }
    }
}

//! What can still be read in a response that is broken.
//!
//! The answer to a reset is the only copy of the password, so a password is looked for in whatever bytes have come: in the body as
//! far as it could be taken apart, then in all that follows the head: without what looks like chunk sizes, and as it is.

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// Where the bytes behind a status line of success begin, and the status; `None` where there is no such line.
///
/// The version is not judged, and interim responses before it are passed over.
pub(super) fn success(raw: &[u8]) -> Option<(u16, usize)> {
    let mut at = 0;
    loop {
        at += raw[at..].iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        let line = line(&raw[at..]);
        let end = at + line.len();
        match status(line)? {
            100..=199 => at = end + blank_line(&raw[end..])?,
            status @ 200..=299 => return Some((status, end)),
            _ => return None,
        }
    }
}

/// The texts in which to look, in order: what follows the head without what looks like chunk sizes, all that was received after the
/// status line, and what follows the head.
pub(super) fn texts(behind_head: &[u8], rest: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let unchunked = [Chunks::BySize, Chunks::ByLine].map(|chunks| unchunked(behind_head, chunks));
    // Put together from pieces, it counts only if it makes a whole.
    let unchunked = unchunked.into_iter().flatten().filter(|text| has_document(text));
    let behind_head = (behind_head.len() < rest.len()).then_some(behind_head);
    unchunked.chain([rest].into_iter().chain(behind_head).map(|text| Zeroizing::new(text.to_vec()))).collect()
}

/// Tells whether a whole JSON object or array stands in these bytes.
pub(super) fn has_document(bytes: &[u8]) -> bool {
    documents(bytes).any(|document| document.is_whole)
}

/// A JSON object or array that begins within a text.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// From its first byte to the end of the text.
    pub(super) bytes: &'a [u8],
    /// Whether it comes to an end.
    pub(super) is_whole: bool,
}

/// The JSON objects and arrays in a text, one after the other. A page of HTML has none that count.
pub(super) fn documents(text: &[u8]) -> impl Iterator<Item = Document<'_>> {
    let mut next = begin(text).filter(|&start| !is_page(&text[..start]));
    std::iter::from_fn(move || {
        let start = next?;
        let bytes = &text[start..];
        let mut parser = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
        let parsed = parser.next();
        let is_whole = matches!(parsed, Some(Ok(_)));
        next = if let Some(Err(error)) = parsed {
            // What lies within a broken object is not at its documented place: the next one follows a blank line.
            let from = start + offset(bytes, &error).max(1);
            let rest = text.get(from..).unwrap_or_default();
            blank_line(rest).and_then(|at| Some(from + at + begin(&rest[at..])?))
        } else {
            let from = start + parser.byte_offset();
            begin(&text[from..]).map(|at| from + at)
        };
        Some(Document { bytes, is_whole })
    })
}

/// How much a chunk holds where some sizes are wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Chunks {
    /// What its size says if a line ends there, or else the rest of its line.
    BySize,
    /// The rest of its line.
    ByLine,
}

/// Takes out the sizes of chunks, of which any may be wrong and one may be no number at all. `None` where lines and sizes do not take
/// turns: then nobody can say what is a size and what is a part of the password.
fn unchunked(mut coded: &[u8], chunks: Chunks) -> Option<Zeroizing<Vec<u8>>> {
    let mut text = Zeroizing::new(Vec::with_capacity(coded.len()));
    let mut may_be_odd = false;
    while !coded.is_empty() {
        let (size_line, data) = plain_line(coded)?;
        let digits = size_line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let is_size = digits > 0 && matches!(size_line.get(digits), None | Some(b';' | b' ' | b'\t'));
        if !is_size && !std::mem::take(&mut may_be_odd) {
            return None;
        }
        // What begins otherwise is not chunked.
        may_be_odd |= text.is_empty();
        let size = str::from_utf8(&size_line[..digits]).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok());
        let is_true = |&size: &usize| {
            let ends = |rest: &[u8]| rest.is_empty() || rest.starts_with(b"\r\n");
            is_size && chunks == Chunks::BySize && data.get(size..).is_some_and(ends)
        };
        let (chunk, after) = match size.filter(is_true) {
            Some(size) => (&data[..size], &data[size..]),
            None => plain_line(data).map(|(chunk, _)| (chunk, &data[chunk.len()..]))?,
        };
        text.extend_from_slice(chunk);
        coded = after.strip_prefix(b"\r\n").unwrap_or(after);
    }
    Some(text)
}

/// The first line without its end, and what follows. `None` where it has line breaks other than CRLF in it.
fn plain_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line(bytes);
    let plain = line.strip_suffix(b"\r\n").unwrap_or(line);
    let is_plain = !plain.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    is_plain.then_some((plain, &bytes[line.len()..]))
}

/// The first line, with its end.
fn line(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|&byte| byte == b'\n').map_or(bytes.len(), |at| at + 1);
    &bytes[..end]
}

fn status(line: &[u8]) -> Option<u16> {
    let version_and_rest = line.get(5..).filter(|_| line[..5].eq_ignore_ascii_case(b"HTTP/"))?;
    let version = version_and_rest.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let rest = version_and_rest[version..].trim_ascii_start();
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let is_apart = rest.len() < version_and_rest.len() - version;
    (is_apart && digits == 3).then(|| str::from_utf8(&rest[..3]).ok()?.parse().ok()).flatten()
}

/// Where the first line after a blank one begins.
pub(super) fn blank_line(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    while at < bytes.len() {
        let line = line(&bytes[at..]);
        at += line.len();
        if line.trim_ascii().is_empty() {
            return Some(at);
        }
    }
    None
}

fn begin(text: &[u8]) -> Option<usize> {
    text.iter().position(|&byte| is_start(byte))
}

fn is_start(byte: u8) -> bool {
    matches!(byte, b'{' | b'[')
}

/// Tells whether HTML begins here. Scripts in a page may hold JSON of any meaning.
fn is_page(before: &[u8]) -> bool {
    let holds = |tag: &[u8]| before.windows(tag.len()).any(|part| part.eq_ignore_ascii_case(tag));
    holds(b"<!doctype") || holds(b"<html")
}

/// How many bytes a parser had read at its error.
fn offset(text: &[u8], error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
    (before + error.column()).min(text.len())
}

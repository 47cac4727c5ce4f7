//! Finds JSON documents in a broken response.
//!
//! The response to a reset is the only copy of the password, so all received bytes are searched: first the body as far
//! as it could be decoded, then everything after the head, both without what looks like chunk sizes and unchanged.

use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// Returns the 2xx status of the status line and the offset of what follows it; `None` if there is no such line.
///
/// The HTTP version is ignored, and interim responses are skipped.
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

/// Returns the texts to search, in order: what follows the head without what looks like chunk sizes, everything after
/// the status line, and what follows the head.
pub(super) fn texts(behind_head: &[u8], rest: &[u8], has_document: impl Fn(&[u8]) -> bool) -> Vec<Zeroizing<Vec<u8>>> {
    let unchunked = [Chunks::BySize, Chunks::ByLine].map(|chunks| unchunked(behind_head, chunks));
    // A text that was reassembled from pieces is used only if it contains a complete document.
    let unchunked = unchunked.into_iter().flatten().filter(|text| has_document(text));
    let behind_head = (behind_head.len() < rest.len()).then_some(behind_head);
    unchunked.chain([rest].into_iter().chain(behind_head).map(|text| Zeroizing::new(text.to_vec()))).collect()
}

/// Returns whether the bytes contain a complete JSON object or array.
pub(super) fn has_document(bytes: &[u8]) -> bool {
    documents(bytes).any(|document| document.is_whole)
}

/// A JSON object or array that starts somewhere in a text.
#[derive(Debug)]
pub(super) struct Document<'a> {
    /// From its first byte to the end of the text.
    pub(super) bytes: &'a [u8],
    /// Whether it is complete.
    pub(super) is_whole: bool,
}

/// Iterates over the JSON objects and arrays in a text. Those in an HTML page are ignored.
pub(super) fn documents(text: &[u8]) -> impl Iterator<Item = Document<'_>> {
    let mut next = begin(text).filter(|&start| !is_page(&text[..start]));
    std::iter::from_fn(move || {
        let start = next?;
        let bytes = &text[start..];
        let mut parser = serde_json::Deserializer::from_slice(bytes).into_iter::<IgnoredAny>();
        let parsed = parser.next();
        let is_whole = matches!(parsed, Some(Ok(_)));
        next = if let Some(Err(error)) = parsed {
            // Anything inside a broken object is not at its documented place, so continue after a blank line.
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

/// How to find the end of a chunk if some sizes may be wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Chunks {
    /// By its size if a line ends there, or else at the end of its line.
    BySize,
    /// At the end of its line.
    ByLine,
}

/// Removes the sizes of chunks. Any size may be wrong, and one may not even be a number. `None` if sizes and lines do
/// not alternate, because then a size cannot be distinguished from a part of the password.
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
        // Only after the first chunk: a text that starts with something else is not chunked.
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

/// Returns the first line without its end, and what follows. `None` if it contains a line break other than CRLF.
fn plain_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = line(bytes);
    let plain = line.strip_suffix(b"\r\n").unwrap_or(line);
    let is_plain = !plain.iter().any(|byte| matches!(byte, b'\r' | b'\n'));
    is_plain.then_some((plain, &bytes[line.len()..]))
}

/// Returns the first line, including its end.
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

/// Returns the offset of the first line after a blank one.
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

/// Returns whether HTML has started. Scripts in a page may contain JSON of any meaning.
pub(super) fn is_page(before: &[u8]) -> bool {
    let holds = |tag: &[u8]| before.windows(tag.len()).any(|part| part.eq_ignore_ascii_case(tag));
    holds(b"<!doctype") || holds(b"<html")
}

/// Returns the offset of a parser's error in bytes.
fn offset(text: &[u8], error: &serde_json::Error) -> usize {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let before: usize = lines.take(error.line().saturating_sub(1)).map(<[u8]>::len).sum();
    (before + error.column()).min(text.len())
}

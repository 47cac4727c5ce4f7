//! An answer's body, up to a limit.

use reqwest::Response;
use zeroize::Zeroizing;

use super::transport::Trouble;

/// Reads the whole body, or tells why it cannot be had. What was read is wiped in either case.
pub(super) async fn read(mut response: Response, most: usize) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    // What is not announced has room for any answer with a password: a buffer that grows leaves copies behind. One that is
    // larger than what comes takes time to be wiped.
    let announced = response.content_length().map(|bytes| usize::try_from(bytes).unwrap_or(usize::MAX));
    let room = announced.unwrap_or(PASSWORD);
    if room > most {
        return Err(Trouble::TooLarge);
    }
    let mut body = Zeroizing::new(Vec::with_capacity(room));
    while let Some(chunk) = response.chunk().await.map_err(|_| Trouble::Interrupted)? {
        if chunk.len() > most - body.len() {
            return Err(Trouble::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// The most that a page of a list may hold, in bytes.
pub(super) const PAGE: usize = 16 * 1024 * 1024;

/// The most that the answer to a reset may hold, in bytes.
pub(super) const PASSWORD: usize = 64 * 1024;

/// The most that a refusal may hold, in bytes.
pub(super) const REFUSAL: usize = 64 * 1024;

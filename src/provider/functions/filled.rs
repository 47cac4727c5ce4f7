//! A check that functions share.

/// Validates an argument that must not be empty.
pub(super) fn filled(text: &str) -> Result<(), &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(()) }
}

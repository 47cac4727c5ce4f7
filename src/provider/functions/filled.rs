//! The rule for an argument of any text.

/// The rule for an argument of any text.
pub(super) fn filled(text: &str) -> Result<(), &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(()) }
}

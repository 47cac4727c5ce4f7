//! Why a file cannot be decrypted.

/// Why a file cannot be decrypted. Nothing of a file or of an identity is in it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OpenError {
    /// The text is not an armored file.
    Armor,
    /// The header cannot be parsed, or one of its X25519 stanzas is malformed.
    Header,
    /// None of the identities belongs to a recipient of the file.
    NoMatch,
    /// The header was changed after the file was made.
    Mac,
    /// The content was changed or is incomplete.
    Payload,
}

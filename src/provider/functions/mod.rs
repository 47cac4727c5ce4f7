//! What expressions can call: `provider::smtp::…`.

mod ses_password;
mod url;

pub(super) use self::{ses_password::SesPassword, url::Url};

/// The rule for an argument of any text.
fn filled(text: &str) -> Result<(), &'static str> {
    if text.is_empty() { Err("must not be empty") } else { Ok(()) }
}

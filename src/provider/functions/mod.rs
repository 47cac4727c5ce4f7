//! What expressions can call: `provider::smtp::…`.

mod filled;
mod ses_password;
mod url;

pub(super) use self::{ses_password::SesPassword, url::Url};

//! The provider's functions, called as `provider::smtp::…`.

mod filled;
mod ses_password;
mod url;

pub(super) use self::{ses_password::SesPassword, url::Url};

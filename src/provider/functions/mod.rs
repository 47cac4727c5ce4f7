//! The provider's functions, called as `provider::smtp::…`.

mod decrypt;
mod filled;
mod ses_password;
mod url;

pub(super) use self::{decrypt::Decrypt, ses_password::SesPassword, url::Url};

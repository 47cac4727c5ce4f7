//! A login at the mail server, which tells whether a password works.

use std::fmt;

use lettre::{
    SmtpTransport,
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
    },
};

/// What the server said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Answer {
    /// The password works.
    Accepted,
    /// It does not.
    Refused,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        })
    }
}

/// Logs in at a server on this machine, over STARTTLS with a certificate of the given authority.
pub(super) fn login(port: u16, ca_certificate_pem: &str, user_name: &str, password: &str) -> Result<Answer, String> {
    let tls = Certificate::from_pem(ca_certificate_pem.as_bytes())
        .and_then(|authority| {
            TlsParameters::builder(SERVER.to_owned())
                .certificate_store(CertificateStore::None)
                .add_root_certificate(authority)
                .build()
        })
        .map_err(|error| format!("There is no TLS to log in with: {error}."))?;
    let tried = SmtpTransport::builder_dangerous(SERVER)
        .port(port)
        .tls(Tls::Required(tls))
        .credentials(Credentials::new(user_name.to_owned(), password.to_owned()))
        .build()
        .test_connection();
    match tried {
        Ok(_) => Ok(Answer::Accepted),
        Err(error) if error.status().is_some_and(|code| code.to_string() == AUTHENTICATION_FAILED) => {
            Ok(Answer::Refused)
        }
        Err(error) => Err(format!("The mail server cannot be used: {error}.")),
    }
}

const SERVER: &str = "localhost";

/// RFC 4954, section 6.
const AUTHENTICATION_FAILED: &str = "535";

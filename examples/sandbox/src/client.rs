//! A login by a third-party mail client, `lettre`.

pub use lettre::transport::smtp::{Error, authentication::Mechanism};
use lettre::{
    SmtpTransport,
    transport::smtp::{
        authentication::DEFAULT_MECHANISMS,
        client::{Certificate, CertificateStore, Tls as ClientTls, TlsParameters},
    },
};

use super::{Sandbox, Tls};

/// Returns whether the mail server accepts a password over STARTTLS, by whichever mechanism the client chooses.
///
/// # Errors
///
/// If it answers with anything but yes and no.
pub fn logs_in(sandbox: &Sandbox, user_name: &str, password: &str) -> Result<bool, Error> {
    logs_in_by(sandbox, Tls::StartTls, DEFAULT_MECHANISMS, user_name, password)
}

/// Returns whether the mail server accepts a password by one of these mechanisms.
///
/// # Errors
///
/// If it answers with anything but yes and no.
pub fn logs_in_by(
    sandbox: &Sandbox,
    tls: Tls,
    mechanisms: &[Mechanism],
    user_name: &str,
    password: &str,
) -> Result<bool, Error> {
    let parameters = tls_parameters(sandbox)?;
    let (port, tls) = match tls {
        Tls::StartTls => (sandbox.smtp_port(), ClientTls::Required(parameters)),
        Tls::Implicit => (sandbox.smtps_port(), ClientTls::Wrapper(parameters)),
    };
    let transport = SmtpTransport::builder_dangerous("127.0.0.1")
        .port(port)
        .tls(tls)
        .credentials((user_name.to_owned(), password.to_owned()).into())
        .authentication(mechanisms.to_vec())
        .build();
    match transport.test_connection() {
        Err(error) if is_refused(&error) => Ok(false),
        tried => tried,
    }
}

/// The client's TLS, with the sandbox's authority and no other.
pub(crate) fn tls_parameters(sandbox: &Sandbox) -> Result<TlsParameters, Error> {
    TlsParameters::builder("localhost".to_owned())
        .certificate_store(CertificateStore::None)
        .add_root_certificate(Certificate::from_pem(sandbox.ca_certificate_pem().as_bytes())?)
        .build()
}

/// Whether the server refused the password, and nothing else.
pub(crate) fn is_refused(error: &Error) -> bool {
    error.status().is_some_and(|code| code.to_string() == AUTHENTICATION_FAILED)
}

/// RFC 4954, section 6.
const AUTHENTICATION_FAILED: &str = "535";

//! Logging in at the sandbox's submission server.

use lettre::{
    SmtpTransport,
    transport::smtp::client::{Certificate, CertificateStore, Tls, TlsParameters},
};
use sandbox::Sandbox;

/// Tells whether the submission server takes the password.
///
/// # Panics
///
/// Where it answers with anything but yes and no.
pub(super) fn logs_in(sandbox: &Sandbox, username: &str, password: &str) -> bool {
    let authority = Certificate::from_pem(sandbox.ca_certificate_pem().as_bytes()).expect("a certificate in PEM");
    let tls = TlsParameters::builder("localhost".to_owned())
        .certificate_store(CertificateStore::None)
        .add_root_certificate(authority)
        .build()
        .expect("parameters for TLS");
    let transport = SmtpTransport::builder_dangerous("127.0.0.1")
        .port(sandbox.smtp_port())
        .tls(Tls::Required(tls))
        .credentials((username.to_owned(), password.to_owned()).into())
        .build();
    match transport.test_connection() {
        Ok(connected) => connected,
        Err(error) => {
            assert_eq!(error.status().map(|code| code.to_string()).as_deref(), Some("535"), "{error}");
            false
        }
    }
}

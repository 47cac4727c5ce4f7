//! The sandbox, one credential in it, and a client that trusts it.

use std::io::Write;

use sandbox::{HubSpot, Sandbox, SmtpConnection};
use tempfile::NamedTempFile;
use terraform_provider_smtp::{
    secret::Secret,
    smtp::{CertificateFile, Failure, Roots, Security, Server},
};

pub(crate) const USER: &str = "zh48wgsfld@62515.smtp.hubspot.net";

/// Both ways to TLS.
pub(crate) const BOTH: [Security; 2] = [Security::StartTls, Security::Tls];

pub(crate) struct Scene {
    pub(crate) sandbox: Sandbox,
    pub(crate) password: Secret,
    roots: Roots,
    /// Read with the first connection.
    pub(crate) authority: NamedTempFile,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let sandbox = Sandbox::start();
        let password = Secret::new(sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER));
        let mut authority = NamedTempFile::new().unwrap();
        authority.write_all(sandbox.ca_certificate_pem().as_bytes()).unwrap();
        let roots = Roots::new(Some(CertificateFile::read(authority.path()).unwrap()));
        Self { sandbox, password, roots, authority }
    }

    /// The sandbox's mail server.
    pub(crate) fn server(&self, security: Security) -> Server {
        let port = match security {
            Security::StartTls => self.sandbox.smtp_port(),
            Security::Tls => self.sandbox.smtps_port(),
        };
        self.server_at(port, security)
    }

    /// A server that shows a certificate of the sandbox's authority.
    pub(crate) fn server_at(&self, port: u16, security: Security) -> Server {
        Server::new("localhost", port, security, self.roots.clone())
    }

    pub(crate) async fn login(&self, security: Security) -> Result<(), Failure> {
        self.server(security).login(USER, &self.password).await
    }

    /// What the sandbox has recorded of the only connection, which is over.
    pub(crate) fn connection(&self) -> SmtpConnection {
        assert!(self.sandbox.wait_for_ended(1));
        let connections = self.sandbox.smtp_connections();
        assert_eq!(connections.len(), 1);
        connections[0].clone()
    }

    /// Insists that there was nothing to read of the credentials in clear.
    #[track_caller]
    pub(crate) fn kept_auth_to_tls(&self) {
        assert!(self.sandbox.smtp_connections().iter().all(|connection| !connection.auth_before_tls));
    }
}

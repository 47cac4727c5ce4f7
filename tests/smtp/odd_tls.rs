//! Servers whose TLS this client does not do: what is wrong is said, and nothing of a login goes out.

use std::fs;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use serde_json::json;
use tempfile::NamedTempFile;
use terraform_provider_smtp::smtp::{CertificateFile, Failure, FailureKind, Roots, Security, Server};

use crate::peers::{OddTls, Program, Setup};

const BROKEN_OFF: &str = "it aborted the TLS handshake, as servers do";

fn expected(odd: OddTls) -> &'static str {
    match odd {
        OddTls::CbcOnly | OddTls::DheOnly | OddTls::P521 => BROKEN_OFF,
        OddTls::Rsa1024 => "its certificate has an RSA key of fewer than 2048 or more than 8192 bits",
        OddTls::Tls11Only => "it does not support TLS 1.2 or later",
    }
}

async fn checked(odd: OddTls, security: Security) -> Option<Failure> {
    let setup = Setup::new(Program::SmtpServer).with_odd_tls(odd, 0);
    let setup = if security == Security::Tls { setup.with_implicit_tls() } else { setup };
    let peer = setup.start()?;
    if security == Security::Tls {
        let (version, cipher, key) = match odd {
            OddTls::CbcOnly => ("TLSv1.2", "ECDHE-ECDSA-AES128-SHA", "prime256v1"),
            OddTls::DheOnly => ("TLSv1.2", "DHE-RSA-AES256-GCM-SHA384", "RSA 2048"),
            OddTls::P521 => ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "secp521r1"),
            OddTls::Rsa1024 => ("TLSv1.3", "TLS_AES_256_GCM_SHA384", "RSA 1024"),
            OddTls::Tls11Only => ("TLSv1.1", "ECDHE-ECDSA-AES256-SHA", "prime256v1"),
        };
        assert_eq!(
            peer.agrees_on(),
            json!({ "version": version, "cipher": cipher, "key": key }),
            "it is what it is for"
        );
    }
    let roots = Roots::new(Some(CertificateFile::read(&peer.ca_certificate_file()).unwrap()));
    let server = Server::new("localhost", peer.port(), security, roots);
    Some(server.check().await.expect_err("no TLS of this kind"))
}

#[tokio::test]
async fn what_is_wrong_with_a_servers_tls_is_said() {
    for odd in OddTls::ALL {
        for security in [Security::StartTls, Security::Tls] {
            let Some(failure) = checked(odd, security).await else { return };
            assert_eq!(failure.kind, FailureKind::TlsMismatch, "{odd:?} {security:?}: {failure:?}");
            assert!(failure.reason.starts_with(expected(odd)), "{odd:?} {security:?}: {failure:?}");
        }
    }
}

/// An authority that was made again under its old name is not one whose keys are of a kind that nobody accepts.
#[tokio::test]
async fn an_authority_of_the_same_name_with_another_key_is_said_to_be_one() {
    let Some(peer) = Setup::new(Program::SmtpServer).start() else { return };
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "An authority of these tests");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    let another = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    let encoded = STANDARD.encode(another.der());
    let file = NamedTempFile::new().unwrap();
    fs::write(file.path(), format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n")).unwrap();
    let roots = Roots::new(Some(CertificateFile::read(file.path()).unwrap()));
    let failure = Server::new("localhost", peer.port(), Security::StartTls, roots).check().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Certificate, "{failure:?}");
    assert!(failure.reason.starts_with("its certificate is not signed with the key of"), "{failure:?}");
}

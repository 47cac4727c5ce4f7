//! Certificates that are trusted, and those that are not.

use std::{io::Write, sync::Arc};

use base64::{Engine, prelude::BASE64_STANDARD};
use rcgen::{BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, pki_types::PrivateKeyDer};
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

use super::{
    server::{Act, Server},
    *,
};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

pub(crate) fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

pub(crate) fn leaf(host: &str) -> CertificateParams {
    named(&[host])
}

fn named(hosts: &[&str]) -> CertificateParams {
    CertificateParams::new(hosts.iter().map(|&host| host.to_owned()).collect::<Vec<_>>()).unwrap()
}

/// The certificate of a host that is named in the common name only.
fn common_name() -> CertificateParams {
    let mut params = named(&[]);
    params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    params
}

/// A certificate that is an authority's and a server's, as `openssl req -x509` makes it.
fn self_signed(mut params: CertificateParams) -> (Certificate, TlsAcceptor) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let acceptor = serving(&certificate, &key);
    (certificate, acceptor)
}

pub(crate) fn acceptor(authority: &Authority, params: &CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    serving(&certificate, &key)
}

fn serving(certificate: &Certificate, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

pub(crate) fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(certificate))
}

pub(crate) fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

/// The API of a server, trusting what is in `file` too.
fn trusting(file: &NamedTempFile, server: &Server) -> Api {
    let settings = Settings { ca_certificate_file: Some(CertificateFile::read(file.path()).unwrap()), ..settings() };
    api(settings, &format!("https://{}", server.address))
}

fn agree() -> Act {
    Act::answer(200, &[], PASSWORD)
}

#[tokio::test]
async fn an_authority_in_the_users_file_is_trusted() {
    let (ours, other) = (authority("ours"), authority("other"));
    let file = file(&(pem(other.der()) + &pem(ours.der())));
    let server = Server::start_tls([agree()], acceptor(&ours, &leaf("127.0.0.1")));
    assert_eq!(post(&trusting(&file, &server)).reset(&operation(20)).await.unwrap().status, 200);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_reset_is_sent_once_a_handshake_succeeds() {
    let ours = authority("ours");
    let file = file(&pem(ours.der()));
    let acts = [Act::Reset, Act::Babble(b"HTTP/1.1 400 Plain\r\n\r\n".to_vec()), agree()];
    let server = Server::start_tls(acts, acceptor(&ours, &leaf("127.0.0.1")));
    assert_eq!(post(&trusting(&file, &server)).reset(&operation(20)).await.unwrap().status, 200);
    assert_eq!((server.connections(), server.requests().len()), (3, 1));
}

#[tokio::test]
async fn a_connection_that_ends_after_the_handshake_leaves_a_reset_unknown() {
    let ours = authority("ours");
    let file = file(&pem(ours.der()));
    for act in [Act::CloseAfterRequest, Act::ResetAfterRequest] {
        let server = Server::start_tls([act, agree()], acceptor(&ours, &leaf("127.0.0.1")));
        let result = post(&trusting(&file, &server)).reset(&operation(20)).await;
        server.failed(result, Kind::Interrupted, Outcome::MayHaveChanged, 1);
    }
}

#[tokio::test]
async fn an_untrusted_certificate_is_reported_after_one_connection() {
    let (ours, other) = (authority("ours"), authority("other"));
    let file = file(&pem(ours.der()));
    let mut expired = leaf("127.0.0.1");
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut future = leaf("127.0.0.1");
    future.not_before = date_time_ymd(4000, 1, 1);
    for (acceptor, reason) in [
        (acceptor(&ours, &expired), "its certificate has expired"),
        (acceptor(&ours, &future), "its certificate is not valid yet, or the clock of this machine is wrong"),
        (
            acceptor(&ours, &named(&["example.com", "*.example.net", "192.0.2.7"])),
            "its certificate is for another host: it names example.com, *.example.net, 192.0.2.7",
        ),
        (
            acceptor(&ours, &common_name()),
            "its certificate has no subject alternative name, and its common name (CN) is not used",
        ),
        (acceptor(&other, &leaf("127.0.0.1")), "its certificate was issued by an authority that is not trusted"),
    ] {
        let server = Server::start_tls([agree()], acceptor);
        let api = trusting(&file, &server);
        for result in [post(&api).reset(&operation(20)).await, get(&api).read(&operation(20)).await] {
            let error = server.failed(result, Kind::Certificate, Outcome::NotChanged, 0);
            assert_eq!(error.reason, reason);
        }
        assert_eq!(server.connections(), 2);
    }
}

#[tokio::test]
async fn a_handshake_that_stalls_changed_nothing() {
    let server = Server::start([Act::Silence]);
    let api = api(impatient(), &format!("https://{}", server.address));
    let error = server.failed(post(&api).reset(&operation(10)).await, Kind::Unreachable, Outcome::NotChanged, 0);
    assert_eq!(error.reason, "the connection timed out");
}

#[tokio::test]
async fn a_handshake_that_fails_changed_nothing() {
    for act in [Act::Babble(b"HTTP/1.1 400 Plain\r\n\r\n".to_vec()), Act::Reset] {
        let server = Server::start([act]);
        let api = api(settings(), &format!("https://{}", server.address));
        server.failed(post(&api).reset(&operation(10)).await, Kind::Unreachable, Outcome::NotChanged, 0);
        assert!(server.connections() > 1);
    }
}

#[tokio::test]
async fn a_listed_certificate_is_trusted_for_its_names_while_it_is_valid() {
    let mut expired = leaf("127.0.0.1");
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut future = leaf("127.0.0.1");
    future.not_before = date_time_ymd(4000, 1, 1);
    for (params, refusal) in [
        (leaf("127.0.0.1"), None),
        (expired, Some("has expired")),
        (future, Some("is not valid yet")),
        (leaf("example.com"), Some("is for another host: it names example.com")),
        (common_name(), Some("common name (CN) is not used")),
    ] {
        let (certificate, acceptor) = self_signed(params);
        let server = Server::start_tls([agree()], acceptor);
        let result = post(&trusting(&file(&pem(certificate.der())), &server)).reset(&operation(20)).await;
        match refusal {
            None => assert_eq!(result.unwrap().status, 200),
            Some(words) => {
                let error = server.failed(result, Kind::Certificate, Outcome::NotChanged, 0);
                assert!(error.reason.contains(words), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn a_leaf_of_an_untrusted_authority_is_trusted_if_it_is_listed_itself() {
    let other = authority("other");
    let key = KeyPair::generate().unwrap();
    let certificate = leaf("127.0.0.1").signed_by(&key, &other).unwrap();
    let server = Server::start_tls([agree()], serving(&certificate, &key));
    let listed = file(&pem(certificate.der()));
    assert_eq!(post(&trusting(&listed, &server)).reset(&operation(20)).await.unwrap().status, 200);

    // The same names and the same authority are not the same bytes.
    let server = Server::start_tls([agree()], acceptor(&other, &leaf("127.0.0.1")));
    let result = post(&trusting(&listed, &server)).reset(&operation(20)).await;
    server.failed(result, Kind::Certificate, Outcome::NotChanged, 0);
}

#[test]
fn a_file_that_holds_no_certificates_is_refused_in_words() {
    let ours = authority("ours");
    let good = pem(ours.der());
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let cases = [
        (file("").path(), "contains no PEM certificate"),
        (file("garbage").path(), "contains no PEM certificate"),
        (file(key).path(), "contains no PEM certificate"),
        (file(&pem(b"garbage")).path(), "something that is not a certificate"),
        (file(&good[..good.len() - 40]).path(), "something that is not a certificate"),
        (file(&format!("{good}{}", "x".repeat(1024 * 1024))).path(), "is larger than 1 MiB"),
        (&missing, "does not exist"),
        (&missing.join("below"), "does not exist"),
        (&file("").path().join("below"), "is not a directory"),
        (folder.path(), "is a directory"),
        (std::path::Path::new("/dev/zero"), "is not a regular file"),
    ]
    .map(|(path, words)| (CertificateFile::read(path).map(drop), words));
    for (result, words) in cases {
        let error = result.unwrap_err();
        assert!(error.contains(words), "{error}");
    }
    let der = file("");
    std::fs::write(der.path(), ours.der()).unwrap();
    assert!(CertificateFile::read(der.path()).unwrap_err().contains("looks like DER"));
}

#[test]
fn a_byte_order_mark_is_passed_over() {
    let file = file(&format!("\u{feff}{}", pem(authority("ours").der())));
    assert!(CertificateFile::read(file.path()).is_ok());
}

#[cfg(unix)]
#[tokio::test]
async fn a_fifo_is_no_file_and_nobody_waits_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    assert_eq!(CertificateFile::read_in_time(&fifo).await.unwrap_err(), "is not a regular file");
}

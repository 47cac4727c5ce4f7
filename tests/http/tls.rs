//! Certificates that are trusted, and those that are not.

use std::io::Write;
use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tempfile::NamedTempFile;
use tokio_rustls::TlsAcceptor;

use super::server::{Act, Server};
use super::*;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn leaf(host: &str) -> CertificateParams {
    CertificateParams::new([host.to_owned()]).unwrap()
}

fn acceptor(authority: &Authority, params: &CertificateParams) -> TlsAcceptor {
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

fn pem(certificate: &[u8]) -> String {
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64_STANDARD.encode(certificate))
}

fn file(content: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    file
}

/// The API of a server, trusting what is in `file` too.
fn trusting(file: &NamedTempFile, server: &Server) -> Api {
    let settings = Settings { ca_certificate_file: Some(file.path().to_owned()), ..settings() };
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
async fn a_certificate_that_cannot_be_trusted_is_told_after_one_connection() {
    let (ours, other) = (authority("ours"), authority("other"));
    let file = file(&pem(ours.der()));
    let mut expired = leaf("127.0.0.1");
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut future = leaf("127.0.0.1");
    future.not_before = date_time_ymd(4000, 1, 1);
    for (acceptor, reason) in [
        (acceptor(&ours, &expired), "its certificate has expired"),
        (acceptor(&ours, &future), "its certificate is not valid"),
        (acceptor(&ours, &leaf("example.com")), "its certificate is for another host"),
        (acceptor(&other, &leaf("127.0.0.1")), "its certificate is from an authority that is not trusted here"),
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
    let error = server.failed(post(&api).reset(&operation(3)).await, Kind::Unreachable, Outcome::NotChanged, 0);
    assert_eq!(error.reason, "no connection came about in time");
}

#[tokio::test]
async fn a_handshake_that_fails_changed_nothing() {
    for act in [Act::Babble(b"HTTP/1.1 400 Plain\r\n\r\n".to_vec()), Act::Reset] {
        let server = Server::start([act]);
        let api = api(settings(), &format!("https://{}", server.address));
        server.failed(post(&api).reset(&operation(3)).await, Kind::Unreachable, Outcome::NotChanged, 0);
        assert!(server.connections() > 1);
    }
}

#[tokio::test]
async fn a_file_that_holds_no_certificates_is_told_before_anything_is_sent() {
    let ours = authority("ours");
    let good = pem(ours.der());
    let missing = file("").into_temp_path().to_path_buf();
    let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    let cases = [file(""), file("garbage"), file(key), file(&pem(b"garbage")), file(&good[..good.len() - 40])];
    let paths = cases.iter().map(|file| file.path().to_owned()).chain([missing, "/".into()]);

    let server = Server::start_tls([agree()], acceptor(&ours, &leaf("127.0.0.1")));
    for path in paths {
        let settings = Settings { ca_certificate_file: Some(path.clone()), ..settings() };
        let api = api(settings, &format!("https://{}", server.address));
        let error = server.failed(post(&api).reset(&operation(20)).await, Kind::Setup, Outcome::NotChanged, 0);
        assert!(error.reason.contains("`ca_certificate_file`"), "{error}");
        assert!(
            !error.to_string().contains(path.to_str().filter(|path| path.len() > 1).unwrap_or("garbage")),
            "{error}"
        );
    }
    assert_eq!(server.connections(), 0);
}

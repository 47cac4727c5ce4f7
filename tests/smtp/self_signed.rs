//! A mail server whose certificate is its own authority, as `openssl req -x509` makes it.

use std::{net::SocketAddr, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};
use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use terraform_provider_smtp::smtp::{CertificateFile, FailureKind, Roots, Security, Server};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::TlsAcceptor;

/// Serves sessions that offer AUTH PLAIN over TLS, with a certificate that is also given as PEM.
async fn serve(mut params: CertificateParams) -> (SocketAddr, String) {
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let encoded = STANDARD.encode(certificate.der());
    let pem = format!("-----BEGIN CERTIFICATE-----\n{encoded}\n-----END CERTIFICATE-----\n");
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::try_from(key.serialize_der()).unwrap())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            // A client that does not like the certificate is what these tests are about.
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let replies = ["220 ready\r\n", "250-localhost\r\n250 AUTH PLAIN\r\n", "221 bye\r\n"].iter();
            for reply in replies {
                if stream.write_all(reply.as_bytes()).await.is_err() || stream.read(&mut [0; 512]).await.is_err() {
                    break;
                }
            }
        }
    });
    (address, pem)
}

async fn checked(params: CertificateParams, byte_order_mark: &str) -> Result<(), FailureKind> {
    let (address, pem) = serve(params).await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), format!("{byte_order_mark}{pem}")).unwrap();
    let roots = Roots::new(Some(CertificateFile::read(file.path()).unwrap()));
    let server = Server::new("localhost", address.port(), Security::Tls, roots);
    server.check().await.map_err(|failure| failure.kind)
}

#[tokio::test]
async fn a_listed_certificate_is_trusted_for_its_name_while_it_is_valid() {
    let named = |name: &str| CertificateParams::new([name.to_owned()]).unwrap();
    for mark in ["", "\u{feff}"] {
        assert_eq!(checked(named("localhost"), mark).await, Ok(()));
    }
    let mut expired = named("localhost");
    expired.not_after = date_time_ymd(2020, 1, 1);
    let mut future = named("localhost");
    future.not_before = date_time_ymd(4000, 1, 1);
    for params in [named("mail.example.com"), expired, future] {
        assert_eq!(checked(params, "").await, Err(FailureKind::Certificate));
    }
}

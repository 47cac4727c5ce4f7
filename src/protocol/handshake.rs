//! go-plugin's handshake: core's settings in the environment, and the line that the provider prints.

use std::{error::Error, ffi::OsString, fmt};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use rustls::{
    pki_types::{CertificateDer, pem::PemObject},
    server::ParsedCertificate,
};

use super::listener::Address;

/// Core's settings for a provider that it starts.
#[derive(Debug)]
pub struct Handshake {
    /// The only client certificate to accept. `None` if the user has disabled TLS between core and providers.
    pub(super) client_certificate: Option<CertificateDer<'static>>,
    /// Whether core asked if connections are multiplexed, which they are not.
    multiplexing_asked: bool,
}

/// Why the provider cannot serve.
#[derive(Debug, Eq, PartialEq)]
pub enum HandshakeError {
    /// The process was not started by core.
    NotStartedByCore,
    /// Core does not support protocol 6.
    ProtocolTooOld,
    /// The client certificate is invalid. Serving without TLS would let any user of the machine connect.
    ClientCertificate,
}

impl Handshake {
    /// Reads core's settings from the environment.
    pub fn read(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, HandshakeError> {
        if variable(COOKIE.0).is_none_or(|cookie| cookie != COOKIE.1) {
            return Err(HandshakeError::NotStartedByCore);
        }
        let text = |name| variable(name).map(|value| value.to_string_lossy().into_owned());
        let versions = text("PLUGIN_PROTOCOL_VERSIONS").unwrap_or_default();
        if !versions.split(',').any(|version| version.trim() == PROTOCOL) {
            return Err(HandshakeError::ProtocolTooOld);
        }
        Ok(Self {
            client_certificate: text("PLUGIN_CLIENT_CERT").map(|pem| certificate(&pem)).transpose()?,
            multiplexing_asked: variable("PLUGIN_MULTIPLEX_GRPC").is_some(),
        })
    }

    /// Returns the line for stdout: the address of the listener, and the server's certificate.
    pub(super) fn answer(&self, address: &Address, certificate: Option<&CertificateDer<'_>>) -> String {
        let Address { network, location } = address;
        let certificate = certificate.map(|der| STANDARD_NO_PAD.encode(der)).unwrap_or_default();
        // Only if asked for: older versions of go-plugin do not expect a seventh field.
        let multiplexing = if self.multiplexing_asked { "|false" } else { "" };
        format!("1|{PROTOCOL}|{network}|{location}|grpc|{certificate}{multiplexing}")
    }
}

fn certificate(pem: &str) -> Result<CertificateDer<'static>, HandshakeError> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes()).map_err(|_| HandshakeError::ClientCertificate)?;
    // A PEM block may contain anything. Parse it now, since TLS would only fail later, without an explanation.
    ParsedCertificate::try_from(&der).map_err(|_| HandshakeError::ClientCertificate)?;
    Ok(der)
}

impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotStartedByCore => {
                "This is a Terraform and OpenTofu provider. `terraform` or `tofu` starts it; to run it manually, use \
                 -debug."
            }
            Self::ProtocolTooOld => {
                "This provider needs Terraform 1.0 or later, or OpenTofu: the program that started it does not support \
                 plugin protocol 6."
            }
            Self::ClientCertificate => {
                "PLUGIN_CLIENT_CERT is not a PEM certificate; refusing to serve without client authentication."
            }
        })
    }
}

impl Error for HandshakeError {}

/// The variable that core sets, and its value for both Terraform and OpenTofu. It is not secret.
const COOKIE: (&str, &str) =
    ("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");

/// The major version of the plugin protocol; minor versions are not negotiated.
const PROTOCOL: &str = "6";

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Handshake, HandshakeError> {
        let value = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.into());
        Handshake::read(value)
    }

    fn address() -> Address {
        Address { network: "unix", location: "/tmp/tf/s".to_owned() }
    }

    #[test]
    fn protocol_6_may_stand_anywhere_in_the_list() {
        for versions in ["6", "5,6", "6,5", "4, 6"] {
            assert!(read(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", versions)]).is_ok(), "{versions}");
        }
        for versions in ["5", "", "16,60"] {
            let error = read(&[COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", versions)]).unwrap_err();
            assert_eq!(error, HandshakeError::ProtocolTooOld, "{versions}");
        }
    }

    #[test]
    fn another_cookie_is_no_cookie() {
        let error = read(&[(COOKIE.0, "cookie"), ("PLUGIN_PROTOCOL_VERSIONS", "6")]).unwrap_err();
        assert_eq!(error, HandshakeError::NotStartedByCore);
    }

    #[test]
    fn an_invalid_client_certificate_does_not_turn_tls_off() {
        let garbage = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for pem in ["", "certificate", garbage] {
            let terms = [COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "6"), ("PLUGIN_CLIENT_CERT", pem)];
            assert_eq!(read(&terms).unwrap_err(), HandshakeError::ClientCertificate, "{pem}");
        }
    }

    #[test]
    fn the_seventh_field_is_there_only_when_it_is_asked_for() {
        let mut variables = vec![COOKIE, ("PLUGIN_PROTOCOL_VERSIONS", "6")];
        let certificate = CertificateDer::from(vec![0xff, 0xfe]);
        let plain = read(&variables).unwrap().answer(&address(), Some(&certificate));
        assert_eq!(plain, "1|6|unix|/tmp/tf/s|grpc|//4");
        variables.push(("PLUGIN_MULTIPLEX_GRPC", "true"));
        assert_eq!(read(&variables).unwrap().answer(&address(), None), "1|6|unix|/tmp/tf/s|grpc||false");
    }
}

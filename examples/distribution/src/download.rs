//! Downloads over HTTPS, by the system's certificates and the proxy of the environment.

use std::{
    io::{Read, Write, stderr},
    sync::Arc,
    time::Duration,
};

use ureq::{
    Agent,
    tls::{RootCerts, TlsConfig},
};

const CONNECT: Duration = Duration::from_secs(15);
const SILENCE: Duration = Duration::from_secs(30);

/// No archive is larger.
const MAX_BYTES: u64 = 256 << 20;

/// Returns the bytes at an address. The error says why there are none, in words that end a sentence.
pub(crate) fn download(url: &str) -> Result<Vec<u8>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::PlatformVerifier)
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: Agent = Agent::config_builder()
        .tls_config(tls)
        .timeout_connect(Some(CONNECT))
        .timeout_resolve(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .into();
    let mut response = agent.get(url).call().map_err(|error| error.to_string())?;
    let length = response.body().content_length();
    let mut body = response.body_mut().with_config().limit(MAX_BYTES).reader();
    let mut bytes = Vec::new();
    let mut progress = Progress { length, tenths: 0 };
    loop {
        match body.by_ref().take(1 << 20).read_to_end(&mut bytes) {
            Ok(0) => break,
            Ok(_) => progress.show(bytes.len() as u64),
            Err(error) => return Err(format!("the download broke off: {error}")),
        }
    }
    match length {
        Some(length) if length != bytes.len() as u64 => {
            Err(format!("the download broke off after {} of {length} bytes", bytes.len()))
        }
        _ => Ok(bytes),
    }
}

/// Prints a line of progress, even in a test whose output is captured.
pub(crate) fn report(line: &str) {
    _ = writeln!(stderr(), "{line}");
}

struct Progress {
    length: Option<u64>,
    tenths: u64,
}

impl Progress {
    fn show(&mut self, done: u64) {
        let tenths = done * 10 / self.length.filter(|length| *length > 0).unwrap_or(u64::MAX / 16);
        if tenths > self.tenths {
            self.tenths = tenths;
            report(&format!("  {tenths}0 %"));
        }
    }
}

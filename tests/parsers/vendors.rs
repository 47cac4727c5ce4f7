//! A server that answers every vendor's requests with the bytes of a test.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use terraform_provider_smtp::{
    http::{self, Error, Outcome},
    secret::Secret,
    vendors::{BaseUrl, Before, Fields, Operation, PriorCredential, Settings, VENDORS, Vendor, VendorApi, Visibility},
};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::NEEDLE;

/// A server that answers every request with the same bytes, except that it lets everybody log in.
pub(crate) struct Vendors {
    runtime: Runtime,
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
}

/// How long a reset may take: some answers ask for another try, and none is begun with less than a second left.
const TO_RESET: Duration = Duration::from_millis(1100);
/// How long a question may take.
const TO_READ: Duration = Duration::from_millis(100);

/// The password that a vendor is sent, where the caller makes it.
const OWN_PASSWORD: &str = "our-own-passw0rd";

impl Vendors {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, answer) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<u8>>>::default());
        let answers = Arc::clone(&answer);
        thread::spawn(move || serve(&listener, &answers));
        Self { runtime: Runtime::new().unwrap(), address, answer }
    }

    /// Resets and reads at every vendor.
    pub(crate) fn take(&self, answer: Vec<u8>) {
        self.answer_with(answer);
        self.runtime.block_on(async {
            for vendor in VENDORS {
                tokio::join!(reset(self.api(vendor), target(vendor)), read(self.api(vendor), target(vendor)));
            }
        });
    }

    /// Resets at one vendor.
    pub(crate) fn reset(&self, vendor: &Vendor, answer: Vec<u8>) {
        self.answer_with(answer);
        self.runtime.block_on(reset(self.api(vendor), target(vendor)));
    }

    /// Reads at one vendor.
    pub(crate) fn read(&self, vendor: &Vendor, answer: Vec<u8>) {
        self.answer_with(answer);
        self.runtime.block_on(read(self.api(vendor), target(vendor)));
    }

    fn answer_with(&self, answer: Vec<u8>) {
        *self.answer.lock().unwrap() = answer;
    }

    fn api(&self, vendor: &Vendor) -> Arc<dyn VendorApi> {
        let client = http::Client::new(Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(30),
            max_requests_per_second: None,
            user_agent: "parsers".to_owned(),
        });
        let mut settings = Fields::default();
        for field in vendor.logins[0] {
            let text = if field.visibility == Visibility::Secret { NEEDLE } else { "shown" };
            settings.insert(field, Secret::new(text)).unwrap();
        }
        let url = format!("http://{}", self.address);
        // Where a vendor's tokens come from another host.
        if let Some(field) = vendor.settings.iter().find(|field| field.name == "authority_url") {
            settings.insert(field, Secret::new(&*url)).unwrap();
        }
        let base_url = BaseUrl::parse(&url).unwrap();
        vendor.api(&settings, base_url, &client)
    }
}

fn target(vendor: &Vendor) -> Fields {
    let mut target = Fields::default();
    for field in vendor.target.iter().filter(|field| field.list.is_none()) {
        let texts = ["a@example.com", "send_only", "eu-central-1"];
        // The first that the field's check accepts.
        let text = texts.into_iter().find(|text| (field.check)(text).is_ok()).unwrap();
        target.insert(field, Secret::new(text)).unwrap();
    }
    target
}

async fn reset(api: Arc<dyn VendorApi>, target: Fields) {
    let own = Secret::new(OWN_PASSWORD);
    if let Err(error) = api.reset(&operation(TO_RESET), &target, &Before::default(), Some(&own)).await {
        assert_mute(&error);
    }
}

async fn read(api: Arc<dyn VendorApi>, target: Fields) {
    let held = PriorCredential { version: Some("id".to_owned()), username: Some("example".to_owned()) };
    let op = operation(TO_READ);
    let (read, host) = tokio::join!(api.read(&op, &target, &held), api.smtp_host(&op, &target));
    for error in [read.err(), host.err()].into_iter().flatten() {
        assert_eq!(error.outcome, Outcome::NotChanged, "a read changes nothing");
        assert_mute(&error);
    }
}

fn operation(timeout: Duration) -> Operation {
    Operation::new(timeout, CancellationToken::new())
}

/// An error shows no secret that the vendor was sent; the names of its credentials are up to the vendor.
#[track_caller]
fn assert_mute(error: &Error) {
    let shown = format!("{error:?} {error}");
    assert!(!shown.contains(NEEDLE) && !shown.contains(OWN_PASSWORD), "{shown}");
}

fn serve(listener: &TcpListener, answer: &Mutex<Vec<u8>>) {
    const LOGIN: &str = include_str!("../fixtures/smtpd/login.json");
    for stream in listener.incoming() {
        let (mut stream, answer) = (stream.unwrap(), answer.lock().unwrap().clone());
        thread::spawn(move || {
            // The server does not care about a client that gives up.
            let mut request = BufReader::new(stream.try_clone().unwrap());
            let (mut first, mut length, mut line) = (String::new(), 0, String::new());
            let _ = request.read_line(&mut first);
            while request.read_line(&mut line).is_ok_and(|read| read > 2) {
                let header = line.to_ascii_lowercase();
                length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
                line.clear();
            }
            let _ = request.read_exact(&mut vec![0; length]);
            let login = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{LOGIN}", LOGIN.len());
            let is_login = first.starts_with("POST /oauth/token") || first.contains("/oauth2/v2.0/token");
            let _ = stream.write_all(if is_login { login.as_bytes() } else { &answer });
        });
    }
}

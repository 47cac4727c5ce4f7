//! Vendors that repeat a secret in every field of every answer but the one in which it belongs.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard},
    thread,
};

use serde_json::{Value, json};

use crate::encodings::Encoding;

/// What the vendors call the credential of these tests.
pub(crate) const NAME: &str = "info@example.com";
/// The same, where a vendor has ids.
pub(crate) const ID: &str = "mail_01hxa3b4c5d6e7f8g9h0j1k2m3";

/// How a parrot answers.
#[derive(Clone, Debug)]
pub(crate) struct Manner {
    /// Which of the secrets that the vendor knows it repeats, counted from the last.
    pub(crate) which: usize,
    pub(crate) encodings: Vec<Encoding>,
    pub(crate) before: String,
    pub(crate) after: String,
    /// The status of a refusal, of what changes a password, of whatever else.
    pub(crate) refuses: [Option<u16>; 2],
}

/// All four vendors, at one address.
pub(crate) struct Parrot {
    pub(crate) address: String,
    shared: Arc<Mutex<Shared>>,
}

struct Shared {
    manner: Manner,
    /// The passwords that resets make.
    passwords: Vec<String>,
    secrets: Vec<String>,
}

impl Parrot {
    pub(crate) fn start(manner: Manner, logins: &[&str], passwords: Vec<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let secrets = logins.iter().map(|secret| (*secret).to_owned()).collect();
        let shared = Arc::new(Mutex::new(Shared { manner, passwords, secrets }));
        let served = Arc::clone(&shared);
        // It ends with the program.
        thread::spawn(move || listener.incoming().for_each(|stream| serve(stream.unwrap(), &served)));
        Self { address, shared }
    }

    /// Every secret that the vendor was sent or has made.
    pub(crate) fn secrets(&self) -> Vec<String> {
        self.lock().secrets.clone()
    }

    pub(crate) fn refuse(&self, refuses: [Option<u16>; 2]) {
        self.lock().manner.refuses = refuses;
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap()
    }
}

impl Shared {
    /// The text of every field.
    fn text(&self) -> String {
        let Manner { which, encodings, before, after, .. } = &self.manner;
        let secret = &self.secrets[self.secrets.len() - 1 - which % self.secrets.len()];
        format!("{before}{}{after}", encodings.iter().fold(secret.clone(), |text, encoding| encoding.write(&text)))
    }

    fn made(&mut self) -> String {
        let password = self.passwords.pop().unwrap();
        self.secrets.push(password.clone());
        password
    }

    fn answer(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        if path.starts_with("/oauth/token") {
            let granted = json!({"access_token": self.made(), "refresh_token": self.made(), "expires_in": 3600});
            return (200, granted);
        }
        if let Some(new) = body["newPassword"].as_str() {
            self.secrets.push(new.to_owned());
        }
        let [of_change, of_look] = self.manner.refuses;
        if let Some(status) = if method == "GET" { of_look } else { of_change } {
            return (status, self.refusal());
        }
        let is_hubspot = path.contains("smtpapi");
        match (method, path) {
            ("POST", _) if is_hubspot => {
                let made = self.made();
                let text = self.text();
                (200, json!({"password": made, "userName": text, "createdBy": text}))
            }
            ("GET", _) if is_hubspot => (200, json!([{"userName": NAME}, {"userName": self.text()}])),
            ("GET", path) if path.contains("email-accounts") => {
                let text = self.text();
                (
                    200,
                    json!({"emailAccounts": [{"id": ID, "email": text}, {"id": text, "email": NAME}, {"id": text, "email": text}]}),
                )
            }
            ("GET", path) if path.contains("account-details") => {
                (200, json!({"access": {"serverHostname": self.text()}}))
            }
            ("PUT", path) if path.contains("email-accounts") => (200, json!({"email": self.text(), "id": self.text()})),
            (method, path) if path.contains("/credentials") => {
                let made = (method == "PUT").then(|| self.made());
                let text = self.text();
                let one = json!({"user_smtp_guid": NAME, "username": text, "modified_at": text, "last_password_changed": text});
                let other = json!({"user_smtp_guid": text, "username": text, "modified_at": 7});
                (
                    200,
                    match made {
                        Some(made) => json!({"success": true, "data": {"new_password": made, "credential": one}}),
                        None if path.contains("/credentials/") => json!({"success": true, "data": one}),
                        None => json!({"success": true, "data": [one, other]}),
                    },
                )
            }
            ("POST", _) => {
                let made = self.made();
                let text = self.text();
                (200, json!({"Secret": made, "Key": text, "ID": text, "Name": text}))
            }
            ("GET", _) => {
                let text = self.text();
                let key =
                    |id: &str| json!({"id": id, "is_active": true, "key": text, "name": text, "created_at_utc": 7});
                (200, json!([key(NAME), key(&text)]))
            }
            _ => (200, json!({})),
        }
    }

    /// An error with every field that an error format has.
    fn refusal(&self) -> Value {
        let text = self.text();
        json!({
            "category": text, "errorType": text, "code": text, "message": text, "detail": text, "title": text, "error": text,
            "correlationId": text, "requestId": text, "success": false,
            "errors": [{"pointer": text, "detail": text}],
        })
    }
}

fn serve(mut stream: TcpStream, shared: &Mutex<Shared>) {
    let mut request = BufReader::new(stream.try_clone().unwrap());
    let (mut first, mut length, mut line) = (String::new(), 0, String::new());
    request.read_line(&mut first).unwrap();
    while request.read_line(&mut line).unwrap() > 2 {
        let header = line.to_ascii_lowercase();
        length = header.strip_prefix("content-length:").map_or(length, |text| text.trim().parse().unwrap());
        line.clear();
    }
    let mut body = vec![0; length];
    request.read_exact(&mut body).unwrap();
    let mut words = first.split(' ');
    let (method, path) = (words.next().unwrap(), words.next().unwrap());
    let mut shared = shared.lock().unwrap();
    let (status, answer) = shared.answer(method, path, &serde_json::from_slice(&body).unwrap_or_default());
    // A header holds no line break and nothing outside ASCII.
    let id: String = shared.text().chars().filter(|c| (' '..='~').contains(c)).collect();
    let answer = answer.to_string();
    let head = format!("HTTP/1.1 {status} Answer\r\nX-Request-Id: {id}\r\nContent-Length: {}\r\n\r\n", answer.len());
    // The server does not care about a client that has enough.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(answer.as_bytes()));
}

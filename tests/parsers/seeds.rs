//! Bytes that are right, for each target: what a vendor documents, and what core sends.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use terraform_provider_smtp::{
    age::{Recipient, Seal},
    framework::{Provider, msgpack, value::Value},
    provider::Smtp,
    secret::Secret,
    vendors::{VENDORS, Vendor},
};

use crate::NEEDLE;

/// An identity, and the recipient that belongs to it.
pub(crate) const IDENTITY: &str = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
const RECIPIENT: &str = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";

/// What `target` should be able to read, or nearly so.
pub(crate) fn of(target: &str) -> Vec<Vec<u8>> {
    match target {
        "age_file" => {
            let seal = Seal::prepare(&[Recipient::parse(RECIPIENT).unwrap(); 2], getrandom::fill).unwrap();
            let armored = seal.seal(&Secret::new(NEEDLE));
            let encoded: String = armored.lines().filter(|line| !line.starts_with('-')).collect();
            vec![STANDARD.decode(encoded).unwrap(), armored.into_bytes()]
        }
        "age_keys" => strings(&[IDENTITY, RECIPIENT, &format!("# a comment\r\n\n{IDENTITY}\n{IDENTITY}\n")]),
        "client_certificate" => {
            let signed = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
            let der = STANDARD.encode(signed.cert.der());
            vec![format!("-----BEGIN CERTIFICATE-----\n{der}\n-----END CERTIFICATE-----\n").into_bytes()]
        }
        "import_id" => strings(&[
            "hostup/acct_1/info@example.com",
            "hubspot/a@62515.smtp.hubspot.net",
            "kirim_email/example.com/9b2a4c1e-7f0d-4f5e-8a55-3c1c9e0f4b7d",
            "smtpd/3f1c",
        ]),
        "retry_after" => strings(&["0", "1\n1", "-1", "99999\n0", "Fri, 20 Nov 2026 21:00:00 GMT", "soon"]),
        "smtp_reply" => strings(&[
            "220 mail.example.com ESMTP\r\n250-mail.example.com\r\n250-STARTTLS\r\n250 AUTH PLAIN LOGIN\r\n220 Go on\r\n",
            "220-mail\r\n220 mail\r\n250 mail\r\n221 Bye\r\n",
            "421 Later\r\n",
            "554 No\r\n",
        ]),
        "state" => vec![state()],
        "value" => vec![msgpack::encode(&resource(), &Smtp::new().resources()[0].schema().attributes)],
        "vendor_error" => fixtures(&["error"]).iter().map(|seed| [&seed[..1], b"\0", &seed[1..]].concat()).collect(),
        "vendor_list" => fixtures(&["get", "list"]),
        "vendor_reset" => fixtures(&["reset"]),
        _ => Vec::new(),
    }
}

/// A resource with the needle in everything that is no part of a message to the user.
pub(crate) fn resource() -> Value {
    let secret = || Value::Secret(NEEDLE.to_owned().into());
    Value::object([
        ("hubspot", Value::object([("user_name", "a@62515.smtp.hubspot.net".into())])),
        ("id", "hubspot/a@62515.smtp.hubspot.net".into()),
        ("password", secret()),
        ("password_wo", secret()),
        ("rotation_trigger", NEEDLE.into()),
        ("rotation_mode", "in_place".into()),
        ("smtp_port", 587.into()),
        ("timeouts", Value::object([("create", "5s".into()), ("read", "5s".into()), ("update", "5s".into())])),
        (
            "verify",
            Value::object([("host", "mail.example.com".into()), ("port", 587.into()), ("timeout", "1s".into())]),
        ),
    ])
}

/// A state with the needle where it may stand, and where it may not.
pub(crate) fn state() -> Vec<u8> {
    let state = serde_json::json!({
        "hubspot": {"user_name": "a@62515.smtp.hubspot.net"}, "password": NEEDLE, "rotated_at": NEEDLE, "smtp_port": 587.5,
        "smtp_url": NEEDLE, "timeouts": {"create": null}, "username": [NEEDLE], "rotation_trigger": {NEEDLE: NEEDLE},
    });
    serde_json::to_vec(&state).unwrap()
}

fn strings(texts: &[&str]) -> Vec<Vec<u8>> {
    texts.iter().map(|text| text.as_bytes().to_vec()).collect()
}

/// The vendor's place in their list and the bytes, of each vendor's fixtures whose names begin like this.
fn fixtures(beginnings: &[&str]) -> Vec<Vec<u8>> {
    // The fuzzer is a package of its own, in a folder of this one.
    let mut above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|folder| folder.join("tests/fixtures"));
    let folder = above.find(|folder| folder.is_dir()).unwrap();
    let of_vendor = |(place, vendor): (u8, &&Vendor)| {
        let files = fs::read_dir(folder.join(vendor.name)).unwrap().map(|file| file.unwrap().path());
        let is_wanted = |file: &PathBuf| {
            let name = file.file_name().and_then(OsStr::to_str).unwrap();
            file.extension() == Some(OsStr::new("json"))
                && beginnings.iter().any(|beginning| name.starts_with(beginning))
        };
        let mut files: Vec<_> = files.filter(is_wanted).collect();
        files.sort();
        files.into_iter().map(|file| [&[place], &*fs::read(file).unwrap()].concat()).collect::<Vec<_>>()
    };
    (0_u8..).zip(VENDORS).flat_map(of_vendor).collect()
}

//! The test vectors that the format's authors publish.

use std::{env, process::Command};

use base64::{Engine, engine::general_purpose::STANDARD};
use ring::digest::{SHA256, digest};
use serde_json::Value;
use terraform_provider_smtp::{
    age::{Identities, IdentityError, OpenError, open, open_armored},
    secret::Secret,
};

use crate::{
    PAIR,
    fetch::{npm, once},
    identities,
};

#[test]
fn the_published_test_vectors_end_as_they_should() {
    let Some(vectors) = vectors() else { return };
    let (mut exact, mut of_other_types) = (0, 0);
    for (name, vector) in vectors.as_object().unwrap() {
        let ended = ended(vector);
        if of_other_type(vector) {
            assert!(!ended.starts_with("success"), "{name}");
            of_other_types += 1;
        } else {
            assert_eq!(ended, expected(vector), "{name}");
            exact += 1;
        }
    }
    assert_eq!((exact, of_other_types), (100, 43));
}

/// Returns whether a vector is only for passphrases or for hybrid identities, which are not implemented here.
fn of_other_type(vector: &Value) -> bool {
    let has_secrets = !fields(vector, "identity").is_empty() || !fields(vector, "passphrase").is_empty();
    has_secrets && known_identities(vector).is_empty()
}

fn known_identities(vector: &Value) -> Vec<&str> {
    let mut identities = fields(vector, "identity");
    identities.retain(|identity| match Identities::parse(&Secret::new(*identity)) {
        Ok(_) => true,
        Err(IdentityError::OtherType(_)) => false,
        Err(error) => panic!("{error:?}"),
    });
    identities
}

/// Decrypts a vector's file.
fn ended(vector: &Value) -> String {
    let identities = match &*known_identities(vector).join("\n") {
        "" => identities(PAIR[1]),
        known => identities(known),
    };
    let file = STANDARD.decode(vector["file"].as_str().unwrap()).unwrap();
    let opened = if fields(vector, "armored") == ["yes"] {
        String::from_utf8(file).map_err(|_| OpenError::Armor).and_then(|text| open_armored(&text, &identities))
    } else {
        open(&file, &identities)
    };
    match opened {
        Ok(content) => {
            let hash = digest(&SHA256, &content);
            let hex: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
            format!("success {hex}")
        }
        Err(OpenError::Armor) => "armor failure".to_owned(),
        Err(OpenError::Header) => "header failure".to_owned(),
        Err(OpenError::NoMatch) => "no match".to_owned(),
        Err(OpenError::Mac) => "HMAC failure".to_owned(),
        Err(OpenError::Payload) => "payload failure".to_owned(),
    }
}

fn expected(vector: &Value) -> String {
    let [expected] = &*fields(vector, "expect") else { panic!("one result is expected") };
    match *expected {
        "success" => format!("success {}", fields(vector, "payload")[0]),
        failure => failure.to_owned(),
    }
}

fn fields<'v>(vector: &'v Value, name: &str) -> Vec<&'v str> {
    let lines = vector["header"].as_str().unwrap().lines();
    lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).collect()
}

#[expect(clippy::print_stderr, reason = "a skipped test must not look like one that passed")]
fn vectors() -> Option<Value> {
    if env::var_os("AGE_VECTORS").is_some_and(|value| value == "0") {
        eprintln!("skipped: AGE_VECTORS=0");
        return None;
    }
    Some(exported().unwrap_or_else(|reason| {
        panic!(
            "this test reads the vectors of the npm package `cctv-age`, for which this machine needs Node.js 20 or later \
             with npm, and the network the first time; AGE_VECTORS=0 skips it. What went wrong: {reason}"
        )
    }))
}

fn exported() -> Result<Value, String> {
    let manifest = [
        ("package.json", include_str!("vectors/package.json")),
        ("package-lock.json", include_str!("vectors/package-lock.json")),
        ("export.mjs", include_str!("vectors/export.mjs")),
    ];
    let place = once("age", "vectors", &manifest, npm)?;
    let exported = Command::new("node").arg("export.mjs").current_dir(place).output();
    let exported = exported.map_err(|error| error.to_string())?;
    serde_json::from_slice(&exported.stdout).map_err(|_| String::from_utf8_lossy(&exported.stderr).into_owned())
}

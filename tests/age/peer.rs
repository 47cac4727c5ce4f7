//! The program `age`, which reads what is written here, and the other way round.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::{fetch::runs, open, seal};

#[test]
fn the_program_decrypts_what_is_sealed_here() {
    let Some(home) = home() else { return };
    let [one, other] = ["one", "other"].map(|name| key(home.path(), name));
    for content in ["", "hunter2", "p\u{e4}ss\nword", &"x".repeat(200_000)] {
        let file = seal(&[&one.recipient, &other.recipient], content);
        for name in ["one", "other"] {
            let opened = age(home.path(), &["--decrypt", "--identity", &format!("{name}.txt")], file.as_bytes());
            assert_eq!(opened, content.as_bytes(), "{name}");
        }
    }
}

#[test]
fn what_the_program_encrypts_is_opened_here() {
    let Some(home) = home() else { return };
    let [one, other, third] = ["one", "other", "third"].map(|name| key(home.path(), name));
    for content in ["", "hunter2", "p\u{e4}ss\nword", &"x".repeat(200_000)] {
        let arguments = ["--armor", "--recipient", &one.recipient, "--recipient", &other.recipient];
        let file = String::from_utf8(age(home.path(), &arguments, content.as_bytes())).unwrap();
        for key in [&one, &other] {
            assert_eq!(open(&file, &key.identity_file).unwrap(), content.as_bytes());
        }
        assert!(open(&file, &third.identity_file).is_err());
    }
}

/// What `age-keygen` makes.
struct Key {
    identity_file: String,
    recipient: String,
}

fn key(home: &Path, name: &str) -> Key {
    let path = home.join(format!("{name}.txt"));
    assert!(runs(Command::new("age-keygen").arg("--output").arg(&path)), "age-keygen failed");
    let identity_file = fs::read_to_string(path).unwrap();
    let recipient = identity_file.lines().find_map(|line| line.strip_prefix("# public key: ")).unwrap().to_owned();
    Key { identity_file, recipient }
}

fn age(home: &Path, arguments: &[&str], input: &[u8]) -> Vec<u8> {
    fs::write(home.join("input"), input).unwrap();
    let mut age = Command::new("age");
    let input = fs::File::open(home.join("input")).unwrap();
    let output = age.args(arguments).current_dir(home).stdin(Stdio::from(input)).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// A folder for keys; `None` if the program is not installed.
fn home() -> Option<tempfile::TempDir> {
    if runs(Command::new("age").arg("--version")) && runs(Command::new("age-keygen").arg("--version")) {
        return Some(tempfile::tempdir().unwrap());
    }
    // Not by a macro: the test harness hides what those print.
    let line =
        b"skipped: the program `age` is not installed, so nothing was compared with it (Debian: apt-get install age)\n";
    io::stderr().write_all(line).unwrap();
    None
}

//! The quick start: the real Terraform or `OpenTofu` resets a password, notices that somebody else did, and resets it
//! again.
//!
//! `cargo run --example quickstart` needs no account at a vendor: the sandbox imitates `KIRIM.EMAIL` and its mail
//! server.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

#[path = "../core/mod.rs"]
mod core;
mod workspace;

use std::{
    io::{Write, stdout},
    path::Path,
    process::ExitCode,
};

use sandbox::{KirimEmail, Sandbox, Sender, client};
use serde_json::{Value, json};

use self::{
    core::{Core, build_provider},
    workspace::Workspace,
};

const USER_NAME: &str = "myuser";
/// The credentials of the pair: their GUIDs and user names.
const PAIR: [(&str, &str); 2] = [
    ("5f3c1a52-1f0e-4a67-9d0b-6c1d2f7e8a01", "newsletter-a"),
    ("5f3c1a52-1f0e-4a67-9d0b-6c1d2f7e8a02", "newsletter-b"),
];
const ACCEPTED: &str = "accepted";
const REFUSED: &str = "refused";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let core = Core::find()?;
    println!("Building the provider. The first time, this takes some minutes.");
    let provider = build_provider("dev")?;
    let sandbox = Sandbox::start();
    sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, KirimEmail::GUID, USER_NAME);
    let workspace = Workspace::new(&core, &provider, &sandbox, include_str!("main.tf"))?;
    println!("Using {} and, in place of KIRIM.EMAIL, a sandbox at {}\n", core.version(), sandbox.base_url());

    let name = core.name();
    let proven = "the password was reset and has logged in: verified = true";
    step(&format!("{name} apply"), proven, || {
        workspace.run(&["apply", "-auto-approve"])?;
        expect("verified", &workspace.stored("verified")?, true)
    })?;
    let first = workspace.output("password")?;

    let changed = ["-var", "quarter=2027-Q1"];
    step(&format!("{name} apply, with a changed trigger"), "reset again: verified = true", || {
        workspace.run(&[&["apply", "-auto-approve"], &changed[..]].concat())?;
        expect("verified", &workspace.stored("verified")?, true)
    })?;
    let second = workspace.output("password")?;
    log_in(&sandbox, "the old password", &first, REFUSED)?;
    log_in(&sandbox, "the new password", &second, ACCEPTED)?;

    step("somebody else resets it", "the state's password no longer works", || {
        sandbox.kirim_email().reset_elsewhere(USER_NAME).map(drop).ok_or("There is no such credential.".to_owned())
    })?;
    log_in(&sandbox, "the state's password", &second, REFUSED)?;
    step(&format!("{name} plan"), "stale = true, and a rotation is planned for it", || {
        workspace.run(&[&["plan", "-out=plan"], &changed[..]].concat())?;
        let plan = workspace.plan("plan")?;
        expect("stale", &plan.stale, true)?;
        expect("the plan", &plan.actions, json!(["create", "delete"]))
    })?;
    step(&format!("{name} apply plan"), "reset: verified = true, stale = false", || {
        workspace.run(&["apply", "plan"])?;
        expect("verified", &workspace.stored("verified")?, true)?;
        expect("stale", &workspace.stored("stale")?, false)
    })?;
    let third = workspace.output("password")?;

    let kept = "gone from the state, unchanged at KIRIM.EMAIL";
    step(&format!("{name} destroy"), kept, || workspace.run(&["destroy", "-auto-approve"]))?;
    log_in(&sandbox, "the last password", &third, ACCEPTED)?;

    match sandbox.kirim_email().resets(USER_NAME) {
        4 => println!("\nThree resets were asked for, one was somebody else's, and the sandbox counted four."),
        count => return Err(format!("There should have been four resets, and the sandbox counted {count}.")),
    }
    let mails = rotate_while_sending(&core, &provider, &sandbox)?;
    println!("\nDuring three rotations of the pair, {mails} mails were sent, and none was refused.");
    println!("What was applied: main.tf and pair.tf in examples/quickstart. How to go on: README.md.");
    Ok(())
}

/// Rotates a pair while a service sends mail without pause. Returns how many mails it has sent.
fn rotate_while_sending(core: &Core, provider: &Path, sandbox: &Sandbox) -> Result<usize, String> {
    for (guid, user_name) in PAIR {
        sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, guid, user_name);
    }
    let workspace = Workspace::new(core, provider, sandbox, include_str!("pair.tf"))?;
    let name = core.name();
    println!();
    let sender = step(&format!("{name} apply, a pair"), "a service sends mail with one of two credentials", || {
        workspace.run(&["apply", "-auto-approve"])?;
        let sender = Sender::start(sandbox, &workspace.output("username")?, &workspace.output("password")?)?;
        sender.wait_for_mail()?;
        Ok(sender)
    })?;
    step(&format!("{name} apply, three rotations"), "no mail was refused", || {
        let mut mails = 0;
        for quarter in ["2027-Q1", "2027-Q2", "2027-Q3"] {
            workspace.run(&["apply", "-auto-approve", "-var", &format!("quarter={quarter}")])?;
            sender.use_login(&workspace.output("username")?, &workspace.output("password")?);
            let sent = sender.wait_for_mail()?;
            expect("the number of refused mails", &json!(sent.refused), 0)?;
            mails = sent.mails;
        }
        Ok(mails)
    })
}

fn expect(what: &str, found: &Value, expected: impl Into<Value>) -> Result<(), String> {
    let expected = expected.into();
    if *found == expected { Ok(()) } else { Err(format!("{what} should be {expected}, and is {found}.")) }
}

fn log_in(sandbox: &Sandbox, with: &str, password: &str, expected: &str) -> Result<(), String> {
    step(&format!("  log in with {with}"), &format!("{expected} by the mail server"), || {
        let is_accepted = client::logs_in(sandbox, USER_NAME, password)
            .map_err(|error| format!("The mail server cannot be used: {error}."))?;
        match if is_accepted { ACCEPTED } else { REFUSED } {
            answer if answer == expected => Ok(()),
            answer => Err(format!("The mail server should have {expected} this login, and {answer} it.")),
        }
    })
}

/// Says what is being done before it is done, and then how it ended.
fn step<T>(what: &str, ended: &str, work: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    print!("{what:.<42} ");
    stdout().flush().map_err(|error| error.to_string())?;
    let result = work();
    println!("{}", if result.is_ok() { ended } else { "failed" });
    result
}

//! The quick start: the real Terraform or `OpenTofu` resets a password twice, and a mail login tries each.
//!
//! `cargo run --example quickstart` needs no account at a vendor: the sandbox plays `HubSpot` and its mail server.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

#[path = "../core/mod.rs"]
mod core;
mod mail;
#[path = "../sandbox/server/mod.rs"]
mod sandbox;
mod workspace;

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use self::{
    core::{Core, build_provider},
    mail::{Answer, login},
    sandbox::{HubSpot, Sandbox},
    workspace::Workspace,
};

const USER_NAME: &str = "zh48wgsfld@62515.smtp.hubspot.net";

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
    let provider = step("Building the provider", "built", || build_provider("dev"))?;
    let sandbox = Sandbox::start();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER_NAME);
    let workspace = Workspace::new(&core, &provider, &sandbox.env())?;
    println!("Using {} and, in place of HubSpot, a sandbox at {}\n", core.version(), sandbox.base_url());

    let (name, password) = (core.name(), ["output", "-raw", "password"]);
    let reset = "the password was reset, and the state holds the new one";
    step(&format!("{name} apply"), reset, || workspace.run(&["apply", "-auto-approve"]))?;
    let first = workspace.run(&password)?;
    log_in(&sandbox, "it", &first, Answer::Accepted)?;

    let changed = ["apply", "-auto-approve", "-var", "quarter=2027-Q1"];
    step(&format!("{name} apply, with a changed trigger"), "the password was reset again", || workspace.run(&changed))?;
    let second = workspace.run(&password)?;
    log_in(&sandbox, "the old password", &first, Answer::Refused)?;
    log_in(&sandbox, "the new password", &second, Answer::Accepted)?;

    let kept = "gone from the state, unchanged at HubSpot";
    step(&format!("{name} destroy"), kept, || workspace.run(&["destroy", "-auto-approve"]))?;
    log_in(&sandbox, "the new password", &second, Answer::Accepted)?;

    match sandbox.hubspot().resets(USER_NAME) {
        2 => println!("\nTwo resets were asked for, and the sandbox counted two."),
        count => return Err(format!("Two resets were asked for, and the sandbox counted {count}.")),
    }
    println!("What was applied: examples/quickstart/main.tf. How to go on: README.md.");
    Ok(())
}

fn log_in(sandbox: &Sandbox, with: &str, password: &str, expected: Answer) -> Result<(), String> {
    step(&format!("  log in with {with}"), &format!("{expected} by the mail server"), || {
        match login(sandbox.smtp_port(), &sandbox.ca_certificate_pem(), USER_NAME, password)? {
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

//! The quick start: the real Terraform or `OpenTofu` resets a password twice, and a mail login tries each.
//!
//! `cargo run --example quickstart` needs no account at a vendor: the sandbox plays `HubSpot` and its mail server.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

mod mail;
#[path = "../sandbox/server/mod.rs"]
mod sandbox;
mod terraform;

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use self::{
    mail::{Answer, login},
    sandbox::{HubSpot, Sandbox},
    terraform::{Core, Workspace},
};

const USER_NAME: &str = "zh48wgsfld@62515.smtp.hubspot.net";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("\n\n{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let core = Core::find()?;
    step("Building the provider")?;
    let provider = terraform::build_provider()?;
    done("built");

    let sandbox = Sandbox::start();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER_NAME);
    let workspace = Workspace::new(&core, &provider, &sandbox.env())?;
    println!("Using {} and a sandbox in place of HubSpot, at {}\n", core.version(), sandbox.base_url());

    step("terraform apply")?;
    workspace.run(&["apply", "-auto-approve"])?;
    done("HubSpot reset the password; the state holds the new one");
    let first = workspace.run(&["output", "-raw", "password"])?;
    try_password(&sandbox, "  log in with it", &first, Answer::Accepted)?;

    step("terraform apply, with a changed trigger")?;
    workspace.run(&["apply", "-auto-approve", "-var", "quarter=2027-Q1"])?;
    done("reset again");
    let second = workspace.run(&["output", "-raw", "password"])?;
    try_password(&sandbox, "  log in with the old password", &first, Answer::Refused)?;
    try_password(&sandbox, "  log in with the new password", &second, Answer::Accepted)?;

    step("terraform destroy")?;
    workspace.run(&["destroy", "-auto-approve"])?;
    done("gone from the state, unchanged at HubSpot");
    try_password(&sandbox, "  log in with the new password", &second, Answer::Accepted)?;

    match sandbox.hubspot().resets(USER_NAME) {
        2 => println!("\nTwo resets were asked for, and the sandbox counted two."),
        count => return Err(format!("Two resets were asked for, and the sandbox counted {count}.")),
    }
    println!("The configuration is examples/quickstart/main.tf; README.md says how to go on.");
    Ok(())
}

fn try_password(sandbox: &Sandbox, what: &str, password: &str, expected: Answer) -> Result<(), String> {
    step(what)?;
    let answer = login(sandbox.smtp_port(), &sandbox.ca_certificate_pem(), USER_NAME, password)?;
    if answer != expected {
        return Err(format!("The mail server should have {expected} this login, and {answer} it."));
    }
    done(&format!("{answer} by the mail server"));
    Ok(())
}

/// Says what is being done, before it is known how it ends.
fn step(what: &str) -> Result<(), String> {
    print!("{what:.<42} ");
    stdout().flush().map_err(|error| error.to_string())
}

fn done(how: &str) {
    println!("{how}");
}

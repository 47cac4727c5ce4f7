//! The sandbox as a program, to try the provider or a module without a vendor and a network.
//!
//! `cargo run --example sandbox -- --help` lists its options. What it prints can be sourced by a shell.
#![expect(clippy::print_stderr, clippy::print_stdout, reason = "what it prints is what it is for")]

use std::{env, error::Error, fs, process::ExitCode};

use sandbox::{ExampleMail, HubSpot, Ports, Sandbox, VENDORS};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sandbox: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    if env::args().skip(1).any(|argument| ["-h", "--help"].contains(&argument.as_str())) {
        println!("{HELP}");
        return Ok(());
    }
    let options = Options::parse(env::args().skip(1))?;
    let sandbox = Sandbox::start_on(options.ports)?;
    let certificate = tempfile::Builder::new().prefix("sandbox-ca-").suffix(".pem").tempfile()?;
    fs::write(certificate.path(), sandbox.ca_certificate_pem())?;
    let credentials = add_credentials(&sandbox, &options.user_names);
    introduce(&sandbox, &credentials, &certificate.path().display().to_string());
    wait_for_ctrl_c()
}

/// Adds a credential at each vendor. Returns a line for each, with its name and its login.
fn add_credentials(sandbox: &Sandbox, user_names: &[String]) -> Vec<String> {
    let mut credentials = Vec::new();
    for vendor in VENDORS {
        let example = [vendor.examples[0].name.to_owned()];
        let names = if *vendor == HubSpot::MODEL { user_names } else { &example };
        for name in names {
            let id = vendor.at(sandbox).add(name).map(|id| format!(", id {id}")).unwrap_or_default();
            let fields: Vec<_> = vendor.fields(name).iter().map(|(field, value)| format!("{field} {value}")).collect();
            let [username, password] =
                [vendor.at(sandbox).username(name), vendor.at(sandbox).password(name)].map(Option::unwrap_or_default);
            credentials.push(format!(
                "{}: {}{id}; username {username}, password {password}",
                vendor.name,
                fields.join(", ")
            ));
        }
    }
    credentials.extend(ExampleMail::USERS.map(|name| {
        let username = ExampleMail::username(name);
        let password = sandbox.example_mail().password(&username).unwrap_or_default();
        format!("http: name {name}; username {username}, password {password}")
    }));
    credentials
}

fn introduce(sandbox: &Sandbox, credentials: &[String], certificate: &str) {
    println!("# To point the provider here:");
    for (name, value) in sandbox.env() {
        println!("export {name}={value}");
    }
    println!("export SMTP_CA_CERTIFICATE_FILE={certificate}");
    println!("export {}={}", ExampleMail::TOKEN_VARIABLE, sandbox.example_mail().token());
    println!("\n# The APIs over TLS: {}", sandbox.base_url_over_tls());
    println!("# SMTP: localhost:{} with STARTTLS, localhost:{} with TLS", sandbox.smtp_port(), sandbox.smtps_port());
    println!("\n# Credentials that can be reset:");
    for credential in credentials {
        println!("#   {credential}");
    }
    let url = sandbox.base_url();
    println!("\n# The API at {url}{} is described by this block (docs/guides/http.md):", ExampleMail::PATH);
    // A shell that sources this skips the block.
    print!(": <<'END'\n{}END\n", sandbox.http_block());
    println!("\n# To let the next reset happen and lose its response:");
    println!(
        "#   curl -d '{{\"operation\": \"reset\", \"moment\": \"after\", \"effect\": \"close\"}}' {url}/sandbox/faults"
    );
    println!("# To see what was sent (all faults: examples/sandbox/src/lib.rs):");
    println!("#   curl {url}/sandbox/requests");
    println!("\n# Ctrl-C ends it.");
}

const HELP: &str = "\
Imitates the vendors' APIs and their mail server on loopback, and prints the variables that point the provider at it.
For an API that is not built in, it prints an `http` block for the provider. The guide docs/guides/http.md begins with it.

  --port N           port of the APIs over HTTP; a free one by default
  --https-port N     port of the APIs over TLS
  --smtp-port N      port of the mail server with STARTTLS
  --smtps-port N     port of the mail server with TLS
  --user-name NAME   a credential at HubSpot; may be repeated";

fn wait_for_ctrl_c() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(tokio::signal::ctrl_c())?)
}

struct Options {
    ports: Ports,
    user_names: Vec<String>,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { ports: Ports::default(), user_names: Vec::new() };
        while let Some(name) = arguments.next() {
            let mut value = || arguments.next().ok_or_else(|| format!("{name} needs a value"));
            match name.as_str() {
                "--port" => options.ports.http = port(&value()?)?,
                "--https-port" => options.ports.https = port(&value()?)?,
                "--smtp-port" => options.ports.smtp = port(&value()?)?,
                "--smtps-port" => options.ports.smtps = port(&value()?)?,
                "--user-name" => options.user_names.push(value()?),
                _ => {
                    return Err(format!("unknown option {name}; see --help"));
                }
            }
        }
        if options.user_names.is_empty() {
            options.user_names.push(HubSpot::MODEL.examples[0].name.to_owned());
        }
        Ok(options)
    }
}

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| format!("a port is a number from 0 to 65535, not {text}"))
}

//! The provider's binary: flags, then the plugin server.

use std::{
    env,
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use terraform_provider_smtp::{
    protocol::{self, Start},
    provider::Smtp,
};

fn main() -> ExitCode {
    let arguments: Vec<OsString> = env::args_os().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match words.as_slice() {
        [] => protocol::serve(Arc::new(Smtp::new()), Start::ByCore),
        ["-debug" | "--debug"] => protocol::serve(Arc::new(Smtp::new()), Start::ForDebugging),
        ["-help" | "--help" | "-h"] => say(HELP),
        ["-notices" | "--notices"] => say(include_str!("../THIRD-PARTY-NOTICES").trim_end()),
        ["-version" | "--version"] => say(concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"))),
        _ => refuse("Unknown arguments; see -help."),
    }
}

fn say(text: &str) -> ExitCode {
    match writeln!(io::stdout(), "{text}") {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

fn refuse(text: &str) -> ExitCode {
    // Where even that cannot be said, the status says it.
    let _ = writeln!(io::stderr(), "{text}");
    ExitCode::from(2)
}

const HELP: &str = "\
Terraform and OpenTofu provider that rotates SMTP credentials. `terraform` and `tofu` start it by themselves.

  -debug    serve until Ctrl-C, and print what to set so that core uses this process
  -help     print this text
  -notices  print the licenses of third-party code
  -version  print the version";

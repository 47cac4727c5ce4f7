//! The system's roots: who reads them, and how often.
//!
//! `SSL_CERT_FILE` names a FIFO, which is opened as often as it is read. Other systems than Linux ask no file.

use std::{
    fs::{self, File},
    io::Write,
    path::{Path, PathBuf},
    process,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tempfile::TempDir;
use terraform_provider_smtp::{
    framework::{Provider as _, value::Value},
    provider::Smtp,
};

use crate::{
    BINARY,
    core::{Plugin, command, decode, encode},
    sandbox::{HubSpot, Sandbox},
    wire::{
        plugin::Empty,
        tfplugin6::{apply_resource_change, configure_provider, plan_resource_change},
    },
};

const USER: &str = "zh48wgsfld@62515.smtp.hubspot.net";

/// A file of certificates that counts how often it is read.
struct Counted {
    folder: TempDir,
    reads: Arc<AtomicUsize>,
}

impl Counted {
    fn new(content: String) -> Self {
        let (folder, reads) = (tempfile::tempdir().unwrap(), Arc::<AtomicUsize>::default());
        let counted = Self { folder, reads };
        let (path, next) = (counted.path(), counted.folder.path().join("next.pem"));
        make_fifo(&path);
        let count = Arc::clone(&counted.reads);
        // It waits for a reader that may not come, and ends with the process.
        thread::spawn(move || serve(&path, &next, &content, &count));
        counted
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("roots.pem")
    }

    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

fn serve(path: &Path, next: &Path, content: &str, reads: &AtomicUsize) {
    while let Ok(mut fifo) = File::options().write(true).open(path) {
        // Another one for the next reader: this one could still be open to the one before.
        make_fifo(next);
        fs::rename(next, path).unwrap();
        reads.fetch_add(1, Ordering::SeqCst);
        fifo.write_all(content.as_bytes()).unwrap();
    }
}

fn make_fifo(path: &Path) {
    assert!(process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The state after a reset in a process of its own, which has these variables.
async fn reset(sandbox: &Sandbox, roots: &Counted, env: Vec<(&'static str, String)>, verify: Value) -> Value {
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    let mut command = command(BINARY);
    command.env("SSL_CERT_FILE", roots.path()).env_remove("SSL_CERT_DIR").envs(env);
    let plugin = Plugin::start(command).await;
    let core = plugin.connect().await;
    let mut provider = core.provider.clone();
    let smtp = Smtp::new();
    let settings = encode(&Value::object::<&str>([]), &smtp.schema().attributes);
    provider.configure_provider(configure_provider::Request { config: settings, ..Default::default() }).await.unwrap();

    let attributes = &smtp.resources()[0].schema().attributes;
    let config = Value::object([("hubspot", Value::object([("user_name", USER.into())])), ("verify", verify)]);
    let request = plan_resource_change::Request {
        type_name: "smtp_credential_password".to_owned(),
        prior_state: encode(&Value::Null, attributes),
        proposed_new_state: encode(&config, attributes),
        config: encode(&config, attributes),
        ..Default::default()
    };
    let planned = provider.plan_resource_change(request.clone()).await.unwrap().into_inner();
    assert!(planned.diagnostics.is_empty(), "{:?}", planned.diagnostics);
    let request = apply_resource_change::Request {
        type_name: request.type_name,
        prior_state: request.prior_state,
        planned_state: planned.planned_state,
        config: request.config,
        planned_private: planned.planned_private,
    };
    let applied = provider.apply_resource_change(request).await.unwrap().into_inner();
    assert!(applied.diagnostics.is_empty(), "{:?}", applied.diagnostics);
    core.controller.clone().shutdown(Empty {}).await.unwrap();
    drop((core, provider));
    plugin.ended().await;
    decode(applied.new_state, attributes)
}

#[tokio::test]
async fn an_api_and_a_mail_server_are_judged_with_roots_that_are_read_once() {
    let sandbox = Sandbox::start();
    let roots = Counted::new(sandbox.ca_certificate_pem());
    let verify = Value::object([
        ("host", "localhost".into()),
        ("port", sandbox.smtps_port().into()),
        ("security", "tls".into()),
    ]);
    let state = reset(&sandbox, &roots, sandbox.env_over_tls(), verify).await;
    assert_eq!(state.get("verified"), &true.into());
    let connections = sandbox.http_connections();
    assert_eq!((connections.clear, sandbox.hubspot().resets(USER)), (0, 1));
    assert!(connections.full > 0 && sandbox.smtp_connections().len() > 1, "{connections:?}");
    assert_eq!(roots.reads(), 1);
}

#[tokio::test]
async fn a_process_that_needs_no_roots_reads_none() {
    let sandbox = Sandbox::start();
    let roots = Counted::new(sandbox.ca_certificate_pem());
    reset(&sandbox, &roots, sandbox.env(), Value::Null).await;
    assert_eq!(sandbox.hubspot().resets(USER), 1);
    assert_eq!(roots.reads(), 0);
}

#[tokio::test]
async fn a_users_file_that_is_all_that_is_needed_leaves_the_systems_roots_unread() {
    let sandbox = Sandbox::start();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(sandbox.ca_certificate_pem().as_bytes()).unwrap();
    let mut env = sandbox.env_over_tls();
    env.push(("SMTP_CA_CERTIFICATE_FILE", file.path().to_str().unwrap().to_owned()));
    let roots = Counted::new(sandbox.ca_certificate_pem());
    reset(&sandbox, &roots, env, Value::Null).await;
    assert_eq!((sandbox.hubspot().resets(USER), roots.reads()), (1, 0));
}

#[tokio::test]
async fn a_users_file_that_does_not_decide_leaves_it_to_the_system() {
    let sandbox = Sandbox::start();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(Sandbox::start().ca_certificate_pem().as_bytes()).unwrap();
    let mut env = sandbox.env_over_tls();
    env.push(("SMTP_CA_CERTIFICATE_FILE", file.path().to_str().unwrap().to_owned()));
    let roots = Counted::new(sandbox.ca_certificate_pem());
    reset(&sandbox, &roots, env, Value::Null).await;
    assert_eq!((sandbox.hubspot().resets(USER), roots.reads()), (1, 1));
}

#[tokio::test]
async fn each_reset_opens_a_connection_and_resumes_an_earlier_session() {
    let sandbox = Sandbox::start();
    let roots = Counted::new(sandbox.ca_certificate_pem());
    reset(&sandbox, &roots, sandbox.env_over_tls(), Value::Null).await;
    let connections = sandbox.http_connections();
    assert_eq!((connections.full, connections.resumed), (1, 1), "one for the list, and one for the reset");
}

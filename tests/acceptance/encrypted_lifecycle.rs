//! `age_recipients` over a whole lifecycle: the password and the identity are in no state, plan, log or temporary file.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::{Value, json};
use terraform_provider_smtp::{
    age::{Identities, OpenError, open_armored},
    secret::Secret,
};

use crate::support::{ADDRESS, HOSTUP, MAILBOX, USER, Workspace, block, credential, resource};

/// The recipient of a team, and its identity.
pub(crate) const TEAM: [&str; 2] = [
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
];
const VARIABLE: &str = "variable \"age_identity\" {\n  type = string\n  ephemeral = true\n}\n";

#[test]
fn neither_the_password_nor_the_identity_is_anywhere_after_a_whole_lifecycle() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    set_identity(&mut workspace, TEAM[1]);
    let mailbox = "password_wo = provider::smtp::decrypt(smtp_credential_password.newsletter.encrypted_password, \
                   var.age_identity)\n  password_wo_version = smtp_credential_password.newsletter.rotation_version";
    let configuration = |trigger: &str, order: &str| {
        let arguments = format!("{}\n  rotation_trigger = \"{trigger}\"\n  {order}", to(&[TEAM[0]]));
        VARIABLE.to_owned() + &resource("newsletter", USER, &arguments) + &block("mailbox", HOSTUP, mailbox)
    };
    for (trigger, order) in [
        ("one", ""),
        ("two", ""),
        ("three", "rotation_mode = \"in_place\""),
        ("four", "lifecycle { create_before_destroy = true }"),
    ] {
        workspace.write(&configuration(trigger, order));
        let (run, plan_log) = workspace.logged(&["plan", "-json", "-input=false", "-out=plan"]);
        run.quiet();
        workspace.saved_plan();
        let (run, apply_log) = workspace.logged(&["apply", "-json", "-input=false", "plan"]);
        run.quiet();
        let password = opened(&workspace, "smtp_credential_password.newsletter", TEAM[1]);
        assert!(workspace.logs_in(&password) && workspace.logs_in_as(MAILBOX, &password), "both have the new one");
        unpack(&workspace);
        for secret in [&*password, TEAM[1]] {
            assert!(!plan_log.contains(secret) && !apply_log.contains(secret) && apply_log.len() > 10_000);
            let files = files_with(&workspace.path("."), secret);
            assert!(files.is_empty(), "after {trigger}, it is in {files:?}");
        }
        workspace.plan().nothing_to_do();
    }
    workspace.refresh().succeeded();
    workspace.destroy().quiet();
    let [password] = [workspace.sandbox.hubspot().password(USER).expect("the credential has a password")];
    for secret in [&*password, TEAM[1]] {
        assert!(files_with(&workspace.path("."), secret).is_empty());
    }
    assert!(workspace.path("terraform.tfstate.backup").exists(), "the backup was searched");
}

#[test]
fn a_stored_password_becomes_encrypted_and_clear_again() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let clear = workspace.working_password();
    assert_eq!(workspace.state()["encrypted_password"], Value::Null);

    workspace.write(&credential(&to(&[TEAM[0]])));
    assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"));
    let planned = workspace.planned();
    assert_eq!((&planned["password"], planned.get("encrypted_password")), (&Value::Null, None));
    workspace.apply_with(&["plan"]).quiet();
    let encrypted = works(&workspace, TEAM[1]);
    assert_ne!(encrypted, clear, "what was in the state is of no use any more");
    workspace.plan().nothing_to_do();

    workspace.write(&credential(""));
    assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    workspace.working_password();
    assert_eq!(workspace.state()["encrypted_password"], Value::Null);
    assert_eq!(workspace.resets(), 3);
    workspace.plan().nothing_to_do();
}

/// The argument for these recipients.
pub(crate) fn to(recipients: &[&str]) -> String {
    format!("age_recipients = {}", json!(recipients))
}

pub(crate) fn set_identity(workspace: &mut Workspace, identity: &str) {
    workspace.keep_secret(identity);
    workspace.set("TF_VAR_age_identity", identity);
}

/// Insists that the password of the resource at [`ADDRESS`] works and is only encrypted, and returns it.
#[track_caller]
pub(crate) fn works(workspace: &Workspace, identity: &str) -> String {
    let password = opened(workspace, ADDRESS, identity);
    assert!(workspace.logs_in(&password), "the password in the state does not log in");
    password
}

/// Decrypts the password in the state of a resource.
#[track_caller]
pub(crate) fn opened(workspace: &Workspace, address: &str, identity: &str) -> String {
    let state = workspace.state_of(address);
    assert_eq!(state["password"], Value::Null, "{address} has its password in clear text");
    open(state["encrypted_password"].as_str().expect("it is encrypted"), identity).expect("the identity decrypts")
}

pub(crate) fn open(file: &str, identity: &str) -> Result<String, OpenError> {
    let identities = Identities::parse(&Secret::new(identity)).expect("an identity");
    open_armored(file, &identities).map(|content| String::from_utf8(content.to_vec()).expect("a password is text"))
}

/// Unpacks the saved plan, which is a ZIP archive with the state in it.
fn unpack(workspace: &Workspace) {
    let mut python = Command::new("python3");
    let status =
        python.args(["-m", "zipfile", "-e"]).arg(workspace.path("plan")).arg(workspace.path("unpacked")).status();
    assert!(status.is_ok_and(|status| status.success()), "this test unpacks a plan with `python3`");
    assert!(workspace.path("unpacked/tfstate").exists());
}

/// The files below a folder that contain a text, wherever they are.
fn files_with(folder: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    search(folder, text.as_bytes(), &mut found);
    found
}

fn search(folder: &Path, text: &[u8], found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            search(&path, text, found);
        } else if fs::read(&path).expect("a file").windows(text.len()).any(|window| window == text) {
            found.push(path);
        }
    }
}

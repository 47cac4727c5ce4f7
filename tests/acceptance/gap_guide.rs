//! The guide on rotation without a gap: what it shows applies, and does what it says.

use std::{
    io::Write,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::support::{HOSTUP, MAILBOX, Workspace};

const GUIDE: &str = include_str!("../../docs/guides/rotation-without-a-gap.md");

const PAIR: &str = "smtp_credential_pair.newsletter";
const USERS: [&str; 2] = ["newsletter-a@62515.smtp.hubspot.net", "newsletter-b@62515.smtp.hubspot.net"];

/// The guide's resource for AWS, which no test can ask, and what takes its place here.
const AWS: [(&str, &str); 4] = [
    ("resource \"aws_secretsmanager_secret_version\" \"smtp\"", "resource \"smtp_credential_password\" \"mailbox\""),
    ("secret_id                = aws_secretsmanager_secret.smtp.id", HOSTUP),
    ("secret_string_wo =", "password_wo ="),
    ("secret_string_wo_version =", "password_wo_version ="),
];

#[test]
fn a_single_credential_becomes_a_pair_that_rotates_the_one_not_in_use() {
    let Some(mut workspace) = Workspace::with_moved_between_types() else { return };
    workspace.trust_mail_server();
    let [pair, _, moved, ..] = blocks()[..] else { panic!("a pair, an overlap and a move") };
    for user in USERS {
        workspace.add_credential(user);
    }
    let single = "resource \"smtp_credential_password\" \"newsletter\" {\n  \
                  hubspot = { user_name = \"newsletter-a@62515.smtp.hubspot.net\" }\n  rotation_trigger = \"2026-Q4\"\n}\n";
    workspace.write(single);
    workspace.apply().quiet();
    let first = workspace.working_password_of("smtp_credential_password.newsletter");

    let pair = verified(&workspace, pair);
    workspace.write(&format!("{moved}{pair}"));
    workspace.apply().quiet();
    assert_eq!(workspace.working_password_of(PAIR), first);
    workspace.write(&pair.replace("2026-Q4", "2027-Q1"));
    workspace.apply().quiet();
    let second = workspace.working_password_of(PAIR);
    assert!(workspace.logs_in_as(USERS[0], &first) && workspace.logs_in_as(USERS[1], &second));
    assert_eq!(USERS.map(|user| workspace.sandbox.hubspot().resets(user)), [1, 1]);
}

#[test]
fn an_overlap_keeps_the_previous_credential_until_the_next_rotation() {
    let Some(workspace) = Workspace::new() else { return };
    let overlap = blocks()[1];
    let address = "smtp_credential_password.alerts";
    let mut known = Vec::new();
    for trigger in ["2026-Q4", "2027-Q1", "2027-Q2"] {
        workspace.write(&overlap.replace("2026-Q4", trigger));
        workspace.apply().quiet();
        let state = workspace.state_of(address);
        known.push((state["username"].as_str().expect("a user").to_owned(), workspace.working_password_of(address)));
        let previous = known.len().checked_sub(2).map(|at| &known[at]);
        assert_eq!(state["previous"] == Value::Null, previous.is_none());
        assert!(previous.is_none_or(|(user, password)| workspace.logs_in_as(user, password)));
    }
    let (user, password) = &known[0];
    assert!(!workspace.logs_in_as(user, password), "the one before the previous one is revoked");
}

#[test]
fn a_write_only_argument_has_the_password_of_every_rotation() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    workspace.trust_mail_server();
    for user in USERS {
        workspace.add_credential(user);
    }
    let [pair, _, _, _, secret, ..] = blocks()[..] else { panic!("a secret manager") };
    let secret = AWS.iter().fold(secret.to_owned(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    for trigger in ["2026-Q4", "2027-Q1"] {
        workspace.write(&format!("{}{secret}", verified(&workspace, pair).replace("2026-Q4", trigger)));
        workspace.apply().quiet();
        let password = workspace.working_password_of(PAIR);
        let both = json!({ "password": password, "username": workspace.state_of(PAIR)["username"] });
        assert!(workspace.logs_in_as(MAILBOX, &both.to_string()), "the write-only argument had both");
    }
}

#[test]
fn the_schedule_applies() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.trust_mail_server();
    for user in ["scheduled-a@62515.smtp.hubspot.net", "scheduled-b@62515.smtp.hubspot.net"] {
        workspace.add_credential(user);
    }
    workspace.write(&verified(&workspace, blocks()[3]));
    workspace.apply().quiet();
    workspace.plan().nothing_to_do();
}

/// Other providers are not installed here, so their blocks are only checked for their syntax and their form.
#[test]
fn every_block_is_formatted() {
    let Some(workspace) = Workspace::new() else { return };
    assert_eq!(blocks().len(), 7);
    for block in blocks() {
        let mut format = Command::new(workspace.command(&[]).get_program());
        format.args(["fmt", "-check", "-"]).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut format = format.envs(workspace.environment()).spawn().expect("the program starts");
        format.stdin.take().expect("its input").write_all(block.as_bytes()).expect("it reads");
        assert!(format.wait().expect("it ends").success(), "{block}");
    }
}

/// A block whose `verify` asks the sandbox's mail server.
fn verified(workspace: &Workspace, block: &str) -> String {
    assert_eq!(block.matches("= {}\n").count(), 1, "{block}");
    let server = format!("= {{ host = \"localhost\", port = {} }}\n", workspace.sandbox.smtp_port());
    block.replace("= {}\n", &server)
}

fn blocks() -> Vec<&'static str> {
    GUIDE.split("```terraform\n").skip(1).filter_map(|rest| rest.split("```").next()).collect()
}

//! The guide on encrypted passwords and the examples of them: what they show works.

use std::{
    fs,
    io::{self, Write},
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use terraform_provider_smtp::{
    age::{Identities, open_armored},
    secret::Secret,
};

use crate::{
    documented::{ENCRYPTED_EXAMPLES, examples},
    encrypted::CI,
    encrypted_lifecycle::{self, TEAM},
    support::{HOSTUP, MAILBOX, Workspace},
};

const ADDRESS: &str = "smtp_credential_password.newsletter";

/// The guide's resource for AWS, which no test can ask, and what takes its place here.
const AWS: [(&str, &str); 4] = [
    ("resource \"aws_secretsmanager_secret_version\" \"smtp\"", "resource \"smtp_credential_password\" \"mailbox\""),
    ("secret_id                = aws_secretsmanager_secret.smtp.id", HOSTUP),
    ("secret_string_wo         =", "password_wo ="),
    ("secret_string_wo_version =", "password_wo_version ="),
];

#[test]
fn every_command_of_the_guide_does_what_it_says() {
    let Some(workspace) = with_age() else { return };
    let [keys, apply, decrypt, hand_on, lost] = &blocks("shell")[..] else { panic!("the guide has five steps") };
    let [resource, handed_on, url, _] = &blocks("terraform")[..] else { panic!("the guide has four configurations") };

    let printed = run(&workspace, keys);
    let identity = identity(&workspace, "team.txt");
    assert!(printed.starts_with("age1"), "the second command prints the recipient");

    workspace.write(resource);
    run(&workspace, apply);
    let password = works(&workspace, &identity);
    assert_eq!(run(&workspace, decrypt), password);

    let handed_on = AWS.iter().fold(handed_on.clone(), |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    });
    let user = "resource \"terraform_data\" \"user\" {\n  provisioner \"local-exec\" {\n    \
                command = \"printf %s \\\"$SMTP_URL\\\" > url.txt\"\n    \
                environment = { SMTP_URL = local.smtp_url }\n  }\n}\n";
    workspace.write(&[resource, &handed_on, url, user].concat());
    let settings = apply.lines().next().expect("the recipients are set first");
    run(&workspace, &format!("{settings}\n{hand_on}"));
    assert_eq!(works(&workspace, &identity), password);
    assert!(workspace.logs_in_as(MAILBOX, &password), "the write-only argument had it");
    let url = fs::read_to_string(workspace.path("url.txt")).expect("the URL was passed on");
    assert_eq!(url, format!("smtp://zh48wgsfld%4062515.smtp.hubspot.net:{password}@smtp.hubapi.com:587"));

    workspace.write(resource);
    run(&workspace, lost);
    let renewed = self::identity(&workspace, "new.txt");
    assert_ne!(works(&workspace, &renewed), password);
    assert!(opened(&workspace, &identity).is_none(), "the lost identity decrypts no more");
    assert_eq!(workspace.resets(), 2);
}

/// What the guide says of changed recipients is true: the second rotation ends what the old identity can decrypt.
#[test]
fn two_rotations_of_the_guides_encrypted_pair_shut_out_a_leaked_identity() {
    let Some(mut workspace) = Workspace::new() else { return };
    let [resource, _, _, pair] = &blocks("terraform")[..] else { panic!("the guide has four configurations") };
    let users = ["alerts-a@62515.smtp.hubspot.net", "alerts-b@62515.smtp.hubspot.net"];
    for user in users {
        workspace.add_credential(user);
    }
    let apply = |workspace: &mut Workspace, recipient: &str, trigger: &str, user: &str, identity: &str| {
        workspace.set("TF_VAR_age_recipients", &format!("[\"{recipient}\"]"));
        workspace.write(&(resource.clone() + &pair.replace("2026-Q4", trigger)));
        workspace.apply().quiet();
        let password = encrypted_lifecycle::opened(workspace, "smtp_credential_pair.alerts", identity);
        assert!(workspace.logs_in_as(user, &password));
        let output = workspace.output("alerts");
        assert_eq!(output["username"], user);
        assert!(output["encrypted_password"].as_str().is_some_and(|text| text.contains("AGE ENCRYPTED FILE")));
        password
    };
    let leaked = apply(&mut workspace, TEAM[0], "2026-Q4", users[0], TEAM[1]);
    apply(&mut workspace, CI[0], "2026-Q4", users[1], CI[1]);
    assert!(workspace.logs_in_as(users[0], &leaked), "it was in use until then");
    apply(&mut workspace, CI[0], "2027-Q1", users[0], CI[1]);
    assert!(!workspace.logs_in_as(users[0], &leaked));
}

#[test]
fn the_examples_apply() {
    let Some(mut workspace) = Workspace::with_write_only() else { return };
    workspace.remove("versions.tf");
    for file in ENCRYPTED_EXAMPLES {
        let text = fs::read_to_string(examples().join(file)).expect("an example");
        workspace.file(&file.replace('/', "_"), &text);
    }
    let identity = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX";
    let recipient = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj";
    workspace.keep_secret(identity);
    workspace.set("TF_VAR_age_identity", identity);
    workspace.set("TF_VAR_age_recipients", &format!("[\"{recipient}\"]"));
    workspace.set("TF_VAR_store", "cat > stored.txt");
    workspace.apply().succeeded();
    let password = works(&workspace, identity);
    assert_eq!(fs::read_to_string(workspace.path("stored.txt")).ok(), Some(password));
    assert_eq!(workspace.output("encrypted_password"), workspace.state_of(ADDRESS)["encrypted_password"]);
    workspace.plan().nothing_to_do();
}

/// A workspace in which the guide can be followed; `None` where the program `age` is not installed, or core is too old.
fn with_age() -> Option<Workspace> {
    let mut workspace = Workspace::with_write_only()?;
    let runs =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !runs("age") || !runs("age-keygen") {
        // Not by a macro: the test harness hides what those print.
        let line = b"skipped: the guide on encrypted passwords, since the program `age` is not installed (Debian: apt-get install age)\n";
        io::stderr().write_all(line).expect("stderr is open");
        return None;
    }
    // The guide's `terraform` is the program that is tested, and has nobody to ask.
    let program = workspace.command(&[]).get_program().to_owned();
    let program = program.to_str().expect("a path that is text");
    let found =
        if program.contains('/') { program.to_owned() } else { format!("$(PATH=${{PATH#*:}} command -v {program})") };
    let script = format!("#!/bin/sh\nexec \"{found}\" \"$@\"\n");
    fs::create_dir_all(workspace.path("bin")).expect("a folder can be made");
    // Written by another process: what this one writes may be open in a process that another test is starting, and then
    // it cannot be run.
    let mut write = Command::new("sh");
    write.args(["-c", "printf %s \"$1\" > \"$0\" && chmod +x \"$0\""]).arg(workspace.path("bin/terraform")).arg(script);
    assert!(write.status().is_ok_and(|status| status.success()));
    let path = format!("{}:{}", workspace.path("bin").display(), workspace.environment()["PATH"]);
    workspace.set("PATH", &path);
    workspace.set("TF_CLI_ARGS_apply", "-auto-approve");
    Some(workspace)
}

/// Runs a block of the guide in a shell, and returns what it prints.
#[track_caller]
fn run(workspace: &Workspace, commands: &str) -> String {
    let mut shell = Command::new("bash");
    shell.args(["-e", "-o", "pipefail", "-c", commands]).current_dir(workspace.path("."));
    let Output { status, stdout, stderr } =
        shell.env_clear().envs(workspace.environment()).stdin(Stdio::null()).output().expect("a shell");
    let [stdout, stderr] = [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    assert!(status.success(), "{commands}\n{stdout}\n{stderr}");
    stdout
}

fn identity(workspace: &Workspace, file: &str) -> String {
    let identity = fs::read_to_string(workspace.path(file)).expect("age-keygen made it");
    workspace.keep_secret(identity.lines().last().expect("the identity is in the last line"));
    identity
}

/// Insists that the password works and is only encrypted, and returns it.
#[track_caller]
fn works(workspace: &Workspace, identity: &str) -> String {
    let password = opened(workspace, identity).expect("the identity decrypts");
    assert_eq!(workspace.state_of(ADDRESS)["password"], Value::Null);
    assert!(workspace.logs_in(&password));
    password
}

fn opened(workspace: &Workspace, identity: &str) -> Option<String> {
    let state = workspace.state_of(ADDRESS);
    let identities = Identities::parse(&Secret::new(identity)).expect("an identity file");
    let content = open_armored(state["encrypted_password"].as_str().expect("it is encrypted"), &identities).ok()?;
    String::from_utf8(content.to_vec()).ok()
}

/// The code blocks of the guide.
fn blocks(language: &str) -> Vec<String> {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guides/encrypted-password.md");
    let guide = fs::read_to_string(guide).expect("the guide");
    let start = format!("```{language}\n");
    let blocks = guide.split(&start).skip(1);
    blocks.map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

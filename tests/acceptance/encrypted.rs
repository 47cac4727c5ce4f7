//! `age_recipients`: passwords that are in no state, plan, log or temporary file in clear text.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sandbox::HubSpot;
use serde_json::{Value, json};
use terraform_provider_smtp::{
    age::{Identities, OpenError, open_armored},
    secret::Secret,
};

use crate::support::{
    ADDRESS, HOSTUP, HUBSPOT, KIRIM_EMAIL, KIRIM_USER, MAILBOX, SMTPD, USER, Workspace, block, credential, resource,
};

/// The recipient of a team and its identity, and those of a CI.
pub(crate) const TEAM: [&str; 2] = [
    "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj",
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX",
];
pub(crate) const CI: [&str; 2] = [
    "age13ppjsl6lgqezs762gwqj42s94jyqudqfaz8lf0ag3vle8z7s0yjsuep7er",
    "AGE-SECRET-KEY-1QYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQ696K9E",
];
const VARIABLE: &str = "variable \"age_identity\" {\n  type = string\n  ephemeral = true\n}\n";
const STALE: &str = "The stored password is stale";

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

#[test]
fn other_recipients_get_a_new_password_and_the_same_ones_keep_it() {
    let Some(workspace) = Workspace::new() else { return };
    let write = |recipients: &[&str]| workspace.write(&credential(&to(recipients)));
    write(&[TEAM[0], CI[0]]);
    workspace.apply().quiet();
    let first = works(&workspace, TEAM[1]);
    assert_eq!(works(&workspace, CI[1]), first);

    // Another order, and one of them twice.
    write(&[CI[0], TEAM[0], CI[0]]);
    workspace.apply().quiet();
    assert_eq!((works(&workspace, TEAM[1]), workspace.resets()), (first.clone(), 1));
    workspace.plan().nothing_to_do();

    // The identity of the CI is lost.
    write(&[TEAM[0]]);
    assert_eq!(workspace.plan().quiet().action(ADDRESS).as_deref(), Some("update"));
    workspace.apply().quiet();
    assert_ne!(works(&workspace, TEAM[1]), first);
    let state = workspace.state();
    let file = state["encrypted_password"].as_str().expect("it is encrypted");
    assert_eq!(open(file, CI[1]), Err(OpenError::NoMatch));

    // A recipient that is known only after apply counts as another one, and may turn out to be the same.
    let data = format!("resource \"terraform_data\" \"key\" {{\n  input = \"{}\"\n}}\n", TEAM[0]);
    workspace.write(&(data + &credential("age_recipients = [terraform_data.key.output]")));
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 2);
    works(&workspace, TEAM[1]);
    workspace.plan().nothing_to_do();
}

#[test]
fn every_vendors_password_is_encrypted_in_both_modes() {
    for mode in ["replace", "in_place"] {
        let Some(workspace) = Workspace::new() else { return };
        let targets = [("hostup", HOSTUP), ("hubspot", HUBSPOT), ("kirim_email", KIRIM_EMAIL), ("smtpd", SMTPD)];
        let mut before = Vec::new();
        for trigger in ["one", "two"] {
            let arguments =
                format!("rotation_mode = \"{mode}\"\n  rotation_trigger = \"{trigger}\"\n  {}", to(&[TEAM[0]]));
            let blocks = targets.map(|(name, target)| block(name, target, &arguments));
            workspace.write(&blocks.concat());
            workspace.apply().quiet();
            let passwords: Vec<_> = targets
                .iter()
                .map(|(name, _)| {
                    let address = format!("smtp_credential_password.{name}");
                    let password = opened(&workspace, &address, TEAM[1]);
                    let username = workspace.state_of(&address)["username"].as_str().expect("a user name").to_owned();
                    assert!(workspace.logs_in_as(&username, &password), "{name} in mode {mode}");
                    password
                })
                .collect();
            assert!(before.iter().all(|password| !passwords.contains(password)), "all are rotated");
            before = passwords;
            workspace.plan().nothing_to_do();
        }
        workspace.destroy().quiet();
    }
}

#[test]
fn after_an_import_recipients_are_adopted_and_the_next_rotation_encrypts() {
    let Some(mut workspace) = Workspace::with_functions() else { return };
    let before = workspace.sandbox.hubspot().password(USER).expect("the credential has a password");
    set_identity(&mut workspace, TEAM[1]);
    let variable = "variable \"age_identity\" {\n  type = string\n  sensitive = true\n}\n";
    let output = format!(
        "output \"is_null\" {{\n  value = nonsensitive(provider::smtp::decrypt({ADDRESS}.encrypted_password, var.age_identity) == null)\n}}\n"
    );
    let write = |arguments: &str| workspace.write(&[variable, &output, &credential(arguments)].concat());
    write(&to(&[TEAM[0]]));
    workspace.import(&format!("hubspot/{USER}")).succeeded();
    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
    plan.warning().is("No reset after the import").says(&["change `age_recipients` again"]);
    workspace.apply().succeeded();
    let state = workspace.state();
    assert_eq!([&state["password"], &state["encrypted_password"]], [&Value::Null; 2]);
    assert_eq!((workspace.resets(), workspace.output("is_null")), (0, json!(true)));
    assert!(workspace.logs_in(&before));
    workspace.plan().nothing_to_do();

    write(&format!("{}\n  rotation_trigger = \"two\"\n  rotation_mode = \"in_place\"", to(&[TEAM[0]])));
    workspace.apply().succeeded();
    write(&format!("{}\n  rotation_trigger = \"three\"\n  rotation_mode = \"in_place\"", to(&[TEAM[0]])));
    workspace.apply().quiet();
    works(&workspace, TEAM[1]);
    assert_eq!((workspace.resets(), workspace.output("is_null")), (1, json!(false)));
    workspace.plan().nothing_to_do();
}

#[test]
fn the_new_password_logs_in_before_it_is_encrypted_for_good() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.trust_mail_server();
    let verify = format!("verify = {{ host = \"localhost\", port = {} }}", workspace.sandbox.smtp_port());
    for trigger in ["one", "two"] {
        workspace.write(&credential(&format!("{}\n  {verify}\n  rotation_trigger = \"{trigger}\"", to(&[TEAM[0]]))));
        workspace.apply().quiet();
        works(&workspace, TEAM[1]);
        assert_eq!(workspace.state()["verified"], true);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_reset_by_somebody_else_is_healed_with_an_encrypted_password() {
    let Some(workspace) = Workspace::new() else { return };
    let write = |arguments: &str| {
        workspace.write(&block("this", KIRIM_EMAIL, &format!("{}\n  {arguments}", to(&[TEAM[0]]))));
    };
    write("");
    workspace.apply().quiet();
    workspace.sandbox.kirim_email().reset_elsewhere(KIRIM_USER);
    workspace.plan().warning().is(STALE);
    write("on_external_change = \"rotate\"");
    workspace.apply().succeeded();
    workspace.apply().succeeded();
    let password = opened(&workspace, ADDRESS, TEAM[1]);
    assert!(workspace.logs_in_as(KIRIM_USER, &password));
    workspace.plan().nothing_to_do();
}

#[test]
fn a_credential_that_is_gone_takes_its_encrypted_password_along_with_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    let user = "another@62515.smtp.hubspot.net";
    workspace.sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, user);
    workspace.write(&resource("this", user, &to(&[TEAM[0]])));
    workspace.apply().quiet();
    workspace.sandbox.hubspot().delete(user);
    workspace.refresh().warning();
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn what_is_no_list_of_recipients_is_refused_and_not_repeated() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.keep_secret(TEAM[1]);
    for (recipients, words) in [
        ("[]".to_owned(), "`age_recipients` must have at least one recipient"),
        ("[null]".to_owned(), "`age_recipients[0]` must not be null"),
        (format!("[\"{}\", null]", TEAM[0]), "`age_recipients[1]` must not be null"),
        (format!("[\"{}\"]", TEAM[0].to_uppercase()), "`age_recipients[0]` must be in lower case"),
        (format!("[\"age1pq1{}\"]", "q".repeat(1900)), "only X25519 recipients are supported"),
        ("[\"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample\"]".to_owned(), "is an SSH key"),
        (format!("[\"{} \"]", TEAM[0]), "with no typing error"),
        (format!("[\"{}\", \"{}\"]", TEAM[0], TEAM[1]), "`age_recipients[1]` is an age identity, which is secret"),
    ] {
        workspace.write(&credential(&format!("age_recipients = {recipients}")));
        for run in [workspace.validate(), workspace.plan()] {
            assert!(!run.stdout.contains("GFPYYSJ"), "the identity is not printed");
            run.error().says(&[words]);
        }
    }
    for (arguments, words) in [
        (format!("{}\n  verify = {{ on_refresh = true }}", to(&[TEAM[0]])), "`verify.on_refresh` conflicts with"),
        (format!("{}\n  encrypted_password = \"x\"", to(&[TEAM[0]])), "Only the provider sets"),
    ] {
        let arguments = arguments.replace("on_refresh", "host = \"localhost\", on_refresh");
        workspace.write(&credential(&arguments));
        workspace.validate().error().says(&[words]);
    }
    if workspace.knows_write_only() {
        workspace.set("TF_VAR_own", "own-Password_4711!");
        let variable =
            "variable \"own\" {\n  type = string\n  ephemeral = true\n  default = \"own-Password_4711!\"\n}\n";
        let arguments = format!("{}\n  password_wo = var.own", to(&[TEAM[0]]));
        workspace.write(&(variable.to_owned() + &block("this", HOSTUP, &arguments)));
        workspace.plan().error().says(&["`age_recipients` conflicts with `password_wo`"]);
    }
    assert_eq!(workspace.resets_everywhere(), 0);
}

#[test]
fn a_thousand_recipients_can_all_decrypt() {
    let Some(workspace) = Workspace::new() else { return };
    let thousand = format!("concat([for _ in range(999) : \"{}\"], [\"{}\"])", CI[0], TEAM[0]);
    workspace.write(&credential(&format!("age_recipients = {thousand}")));
    workspace.apply().quiet();
    assert_eq!(works(&workspace, TEAM[1]), works(&workspace, CI[1]));
    workspace.plan().nothing_to_do();
}

#[test]
fn a_file_or_an_identity_that_does_not_fit_is_named_and_not_shown() {
    let Some(mut workspace) = Workspace::with_functions() else { return };
    workspace.write(&credential(&to(&[TEAM[0]])));
    workspace.apply().quiet();
    let state = workspace.state();
    let file = state["encrypted_password"].as_str().expect("it is encrypted").to_owned();
    let password = works(&workspace, TEAM[1]);
    let variables =
        "variable \"file\" {\n  type = string\n}\nvariable \"identity\" {\n  type = string\n  sensitive = true\n}\n";
    let output =
        "output \"password\" {\n  value = provider::smtp::decrypt(var.file, var.identity)\n  sensitive = true\n}\n";
    workspace.write(&(variables.to_owned() + output));
    let whole = format!("# created: 2026-01-01T00:00:00Z\n# public key: {}\n{}\n", TEAM[0], TEAM[1]);
    for (file, identity) in [(&file, TEAM[1]), (&file.replace('\n', "\r\n"), &whole)] {
        workspace.set("TF_VAR_file", file);
        workspace.set("TF_VAR_identity", identity);
        workspace.keep_secret(TEAM[1]);
        workspace.apply().succeeded();
        assert_eq!(workspace.output("password"), json!(password));
    }
    let body = file.lines().nth(1).expect("a line of base64");
    let changed = if body.starts_with('A') { "B" } else { "A" };
    for (file, identity, words) in [
        (file.replacen(body, &format!("{changed}{}", &body[1..]), 1), TEAM[1], "its header cannot be read"),
        (file[..150].to_owned(), TEAM[1], "must be the whole text"),
        (file.replace("-----BEGIN AGE ENCRYPTED FILE-----\n", ""), TEAM[1], "is an age file without armor"),
        (file.replace("-----END", "-----End"), TEAM[1], "must be the whole text"),
        ("x".repeat(100_000), TEAM[1], "must be the whole text"),
        (file.clone(), CI[1], "does not belong to any of the recipients"),
        (file.clone(), "", "has no identity"),
        (file.clone(), TEAM[0], "has a public key in line 1"),
        (file.clone(), "needle-of-an-identity", "line 1 that is not an identity"),
    ] {
        workspace.set("TF_VAR_file", &file);
        workspace.set("TF_VAR_identity", identity);
        let run = workspace.plan();
        assert!(!run.stdout.contains("needle-of-an-identity") && !run.stdout.contains(CI[1]));
        run.error().is("Invalid function argument").says(&[words]);
    }
    workspace.write(&(variables.to_owned() + &output.replace("var.identity", "null")));
    workspace.plan().error().says(&["argument must not be null"]);
    workspace.write(&(variables.to_owned() + &output.replace("var.file", "null")));
    workspace.apply().succeeded();
}

/// The argument for these recipients.
pub(crate) fn to(recipients: &[&str]) -> String {
    format!("age_recipients = {}", json!(recipients))
}

fn set_identity(workspace: &mut Workspace, identity: &str) {
    workspace.keep_secret(identity);
    workspace.set("TF_VAR_age_identity", identity);
}

/// Insists that the password of the resource at [`ADDRESS`] works and is only encrypted, and returns it.
#[track_caller]
fn works(workspace: &Workspace, identity: &str) -> String {
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

fn open(file: &str, identity: &str) -> Result<String, OpenError> {
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

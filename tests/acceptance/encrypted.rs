//! `age_recipients`: who can decrypt the stored password, and when it is reset for that.

use sandbox::HubSpot;
use serde_json::{Value, json};
use terraform_provider_smtp::age::OpenError;

use crate::{
    encrypted_lifecycle::{TEAM, open, opened, set_identity, to, works},
    support::{ADDRESS, HOSTUP, HUBSPOT, KIRIM_EMAIL, KIRIM_USER, SMTPD, USER, Workspace, block, credential, resource},
};

/// The recipient of a CI, and its identity.
pub(crate) const CI: [&str; 2] = [
    "age13ppjsl6lgqezs762gwqj42s94jyqudqfaz8lf0ag3vle8z7s0yjsuep7er",
    "AGE-SECRET-KEY-1QYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQZQSPQGQSYQGZQYPQ696K9E",
];
const STALE: &str = "The stored password is stale";

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
fn an_external_reset_is_healed_with_an_encrypted_password() {
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
        // Not a recipient of a plugin, although such a one has a `1` there.
        (format!("[\"{}\"]", TEAM[0].replacen('l', "1", 1)), "with no typing error"),
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

/// The guide warns of it: only an ephemeral identity makes a result that is not stored.
#[test]
fn an_identity_that_is_only_sensitive_makes_a_result_that_is_stored() {
    let Some(mut workspace) = Workspace::with_functions() else { return };
    set_identity(&mut workspace, TEAM[1]);
    let variable = "variable \"age_identity\" {\n  type = string\n  sensitive = true\n}\n";
    let copy = "resource \"terraform_data\" \"copy\" {\n  input = \
                provider::smtp::decrypt(smtp_credential_password.this.encrypted_password, var.age_identity)\n}\n";
    workspace.write(&(variable.to_owned() + copy + &credential(&to(&[TEAM[0]]))));
    let run = workspace.apply().succeeded();
    let password = works(&workspace, TEAM[1]);
    assert_eq!(workspace.state_of("terraform_data.copy")["output"]["value"], json!(password));
    assert!(!run.stdout.contains(&password) && !run.stdout.contains(TEAM[1]));
    let stored = std::fs::read_to_string(workspace.path("terraform.tfstate")).expect("the state");
    assert!(stored.contains(&password) && !stored.contains(TEAM[1]), "the password is stored, the identity is not");
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

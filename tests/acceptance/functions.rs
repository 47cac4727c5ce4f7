//! What expressions can call, in programs that know provider functions.

use serde_json::json;

use crate::support::{ADDRESS, Workspace, credential};

const VARIABLES: &str =
    "variable \"secret\" {\n  type = string\n  sensitive = true\n}\nvariable \"plain\" {\n  type = string\n}\n";

/// A credential of no vendor; `{}` stands for the port.
const OBJECT: &str = r#"{ username = "u@b", password = "p/a:s s", smtp_host = "smtp.example.com", smtp_port = 587 }"#;

#[test]
fn a_resource_is_passed_whole_and_the_url_is_sensitive() {
    let Some(workspace) = Workspace::with_functions() else { return };
    let url = |name: &str, options: &str| {
        format!("output \"{name}\" {{\n  value = provider::smtp::url({ADDRESS}{options})\n  sensitive = true\n}}\n")
    };
    let bare = output(&format!("provider::smtp::url({ADDRESS})"));
    workspace.write(&(credential("") + &bare));
    workspace.plan().error().is("Output refers to sensitive values");

    let relay = ", { smtp_host = \"relay.example.com\", smtp_port = 465 }), \"dj-email-url\"";
    let relay = url("relay", relay).replace(ADDRESS, &format!("merge({ADDRESS}"));
    workspace.write(&[credential(""), url("url", ""), url("lettre", ", \"lettre\", \"starttls\""), relay].concat());
    // The password is unknown in the plan, and so is the result.
    workspace.apply().quiet();
    let password = workspace.working_password();
    let login = format!("zh48wgsfld%4062515.smtp.hubspot.net:{password}");
    assert_eq!(workspace.output("url"), format!("smtp://{login}@smtp.hubapi.com:587"));
    assert_eq!(workspace.output("lettre"), format!("smtp://{login}@smtp.hubapi.com:587?tls=required"));
    assert_eq!(workspace.output("relay"), format!("smtp://{login}@relay.example.com:465?ssl=True"));
    workspace.plan().nothing_to_do();
}

#[test]
fn a_url_has_every_part_encoded_and_requires_tls() {
    let Some(workspace) = Workspace::with_functions() else { return };
    let with = |changes: &str| format!("merge({OBJECT}, {{ {changes} }})");
    let outputs = [
        (OBJECT.to_owned(), "smtp://u%40b:p%2Fa%3As%20s@smtp.example.com:587"),
        (with("smtp_port = \"465\""), "smtps://u%40b:p%2Fa%3As%20s@smtp.example.com:465"),
        (with("username = \"\u{fc}\", password = \"%41\", smtp_host = \"::1\""), "smtp://%C3%BC:%2541@[::1]:587"),
        (with("smtp_host = \"m\u{fc}nchen.example\""), "smtp://u%40b:p%2Fa%3As%20s@xn--mnchen-3ya.example:587"),
        (OBJECT.to_owned() + ", \"django-environ\"", "smtp+tls://u%40b:p%2Fa%3As%20s@smtp.example.com:587"),
        (OBJECT.to_owned() + ", \"tls\", \"curl\"", "smtps://u%40b:p%2Fa%3As%20s@smtp.example.com:587"),
        (
            with("smtp_port = 465") + ", [\"symfony\", \"starttls\"]...",
            "smtp://u%40b:p%2Fa%3As%20s@smtp.example.com:465?require_tls=true",
        ),
    ];
    let named = |(index, (arguments, _)): (usize, &(String, &str))| {
        output(&format!("provider::smtp::url({arguments})")).replace("this", &format!("this_{index}"))
    };
    workspace.write(&outputs.iter().enumerate().map(named).collect::<String>());
    workspace.apply().quiet();
    for (index, (arguments, expected)) in outputs.iter().enumerate() {
        assert_eq!(workspace.output(&format!("this_{index}")), *expected, "{arguments}");
    }
    assert_eq!(workspace.requests(), [""; 0], "no vendor is asked");
}

#[test]
fn a_null_in_a_credential_gives_null() {
    let Some(workspace) = Workspace::with_functions() else { return };
    let nulls =
        ["username", "password", "smtp_host", "smtp_port"].map(|name| format!("merge({OBJECT}, {{ {name} = null }})"));
    let calls = nulls.iter().map(String::as_str).chain(["null"]).enumerate();
    let outputs = calls.map(|(index, credential)| {
        format!("output \"this_{index}\" {{\n  value = provider::smtp::url({credential}, \"lettre\") == null\n}}\n")
    });
    workspace.write(&outputs.collect::<String>());
    workspace.apply().quiet();
    for index in 0..=nulls.len() {
        assert_eq!(workspace.output(&format!("this_{index}")), true, "{index}");
    }
}

#[test]
fn a_password_for_ses_is_what_aws_makes_of_the_key() {
    let Some(workspace) = Workspace::with_functions() else { return };
    for (region, expected) in [
        ("eu-central-1", "BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2"),
        ("us-west-1", "BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj"),
    ] {
        workspace.write(&output(&format!("provider::smtp::ses_password(\"some+secret+key\", \"{region}\")")));
        workspace.apply().quiet();
        assert_eq!(workspace.output("this"), json!(expected));
    }
}

#[test]
fn a_result_is_sensitive_where_an_argument_is() {
    let Some(mut workspace) = Workspace::with_functions() else { return };
    workspace.set("TF_VAR_secret", "some+secret+key");
    workspace.set("TF_VAR_plain", "u");
    workspace.keep_secret("some+secret+key");
    for call in [
        "provider::smtp::ses_password(var.secret, \"eu-central-1\")",
        "provider::smtp::url({ username = var.plain, password = var.secret, smtp_host = \"localhost\", smtp_port = 25 })",
    ] {
        workspace.write(&(VARIABLES.to_owned() + &output(call)));
        workspace.plan().error().is("Output refers to sensitive values");
        workspace.write(&(VARIABLES.to_owned() + &output(call).replace("value", "sensitive = true\n  value")));
        workspace.apply().quiet();
    }
}

#[test]
fn a_bad_argument_is_pointed_at_and_not_shown() {
    let Some(mut workspace) = Workspace::with_functions() else { return };
    workspace.set("TF_VAR_plain", "u");
    let url = |changes: &str, options: &str| {
        let credential = "{ username = var.plain, password = var.secret, smtp_host = \"localhost\", smtp_port = 25 }";
        format!("url(merge({credential}, {{ {changes} }}){options})")
    };
    for (call, secret, words) in [
        ("ses_password(var.secret, \"eu-central-1\")", "", "\"secret_access_key\" parameter: must not be empty"),
        (
            "ses_password(var.secret, \"eu-central-1\")",
            "with a needle",
            "\"secret_access_key\" parameter: must not contain spaces",
        ),
        (
            "ses_password(var.secret, \"eu-central-1\")",
            "ASIAIOSFODNN7EXAMPLE",
            "\"secret_access_key\" parameter: is the id of a temporary key",
        ),
        (
            "ses_password(var.secret, \"eu central 1\")",
            "some+secret+key",
            "\"region\" parameter: must be the name of an AWS region",
        ),
        (&url("username = \"\"", ""), "needle", "\"credential\" parameter: `username` must not be empty"),
        (&url("", ""), "", "\"credential\" parameter: `password` must not be empty"),
        (
            &url("smtp_host = \"localhost:25\"", ""),
            "needle",
            "\"credential\" parameter: `smtp_host` must be a host name",
        ),
        (&url("smtp_port = 0", ""), "needle", "\"credential\" parameter: `smtp_port` must be a whole number"),
        (&url("smtp_port = 2.5", ""), "needle", "\"credential\" parameter: `smtp_port` must be a whole number"),
        (
            &url("", ", \"ssl\""),
            "needle",
            "\"options\" parameter: must be `starttls`, `tls` or one of the libraries `curl`",
        ),
        (
            &url("", ", \"tls\", \"starttls\""),
            "needle",
            "\"options\" parameter: must not have both `starttls` and `tls`",
        ),
        (&url("", ", \"lettre\", \"lettre\""), "needle", "\"options\" parameter: has `lettre` twice"),
        (&url("", ", \"lettre\", \"symfony\""), "needle", "\"options\" parameter: must not have two libraries"),
        (&url("", ", \"curl\""), "needle", "\"options\" parameter: no URL makes `curl` require STARTTLS"),
        (&url("", ", null"), "needle", "\"options\" parameter: argument must not be null"),
    ] {
        workspace.set("TF_VAR_secret", secret);
        let output = output(&format!("provider::smtp::{call}")).replace("value", "sensitive = true\n  value");
        workspace.write(&(VARIABLES.to_owned() + &output));
        let run = workspace.plan();
        assert!(secret.is_empty() || !run.stdout.contains(secret), "{call} shows its argument");
        run.error().is("Invalid function argument").says(&[words]);
    }
    workspace.write(&output("provider::smtp::url({ username = \"u\", password = \"p\", smtp_host = \"h\" })"));
    let error = workspace.plan().error();
    assert!(error.detail.contains("attribute \"smtp_port\" is required"), "{}", error.detail);
}

fn output(value: &str) -> String {
    format!("output \"this\" {{\n  value = {value}\n}}\n")
}

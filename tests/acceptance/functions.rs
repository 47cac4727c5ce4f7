//! What expressions can call, in programs that know provider functions.

use serde_json::json;

use crate::support::{ADDRESS, Workspace, credential};

const VARIABLES: &str =
    "variable \"secret\" {\n  type = string\n  sensitive = true\n}\nvariable \"plain\" {\n  type = string\n}\n";

#[test]
fn a_url_is_built_like_the_resources() {
    let Some(workspace) = Workspace::with_functions() else { return };
    let state = |name: &str| format!("{ADDRESS}.{name}");
    let arguments = ["username", "password", "smtp_host", "smtp_port"].map(state).join(", ");
    let output = format!(
        "output \"url\" {{\n  value = provider::smtp::url({arguments}, \"starttls\")\n  sensitive = true\n}}\n"
    );
    workspace.write(&(credential("") + &output));
    // The password is unknown in the plan, and so is the result.
    workspace.apply().quiet();
    assert_eq!(workspace.output("url"), workspace.state()["smtp_url"]);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_url_has_every_part_encoded() {
    let Some(workspace) = Workspace::with_functions() else { return };
    for (arguments, expected) in [
        (r#""u@b", "p/a:s s", "::1", 25, "starttls""#, "smtp://u%40b:p%2Fa%3As%20s@[::1]:25"),
        (r#""ü", "%41", "smtp.example.com", "2465", "tls""#, "smtps://%C3%BC:%2541@smtp.example.com:2465"),
    ] {
        workspace.write(&output(&format!("provider::smtp::url({arguments})")));
        workspace.apply().quiet();
        assert_eq!(workspace.output("this"), expected);
    }
    assert_eq!(workspace.requests(), [""; 0], "no vendor is asked");
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
        "provider::smtp::url(var.plain, var.secret, \"localhost\", 25, \"tls\")",
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
        ("url(\"\", var.secret, \"localhost\", 25, \"tls\")", "needle", "\"username\" parameter: must not be empty"),
        ("url(var.plain, var.secret, \"localhost\", 25, \"tls\")", "", "\"password\" parameter: must not be empty"),
        (
            "url(var.plain, var.secret, \"localhost:25\", 25, \"tls\")",
            "needle",
            "\"host\" parameter: must be a host name",
        ),
        (
            "url(var.plain, var.secret, \"localhost\", 0, \"tls\")",
            "needle",
            "\"port\" parameter: must be a whole number",
        ),
        (
            "url(var.plain, var.secret, \"localhost\", 2.5, \"tls\")",
            "needle",
            "\"port\" parameter: must be a whole number",
        ),
        (
            "url(var.plain, var.secret, \"localhost\", 25, \"ssl\")",
            "needle",
            "\"security\" parameter: must be `starttls` or `tls`",
        ),
    ] {
        workspace.set("TF_VAR_secret", secret);
        let output = output(&format!("provider::smtp::{call}")).replace("value", "sensitive = true\n  value");
        workspace.write(&(VARIABLES.to_owned() + &output));
        let run = workspace.plan();
        assert!(secret.is_empty() || !run.stdout.contains(secret), "{call} shows its argument");
        run.error().is("Invalid function argument").says(&[words]);
    }
    workspace.write(&output("provider::smtp::url(null, \"p\", \"localhost\", 25, \"tls\")"));
    let detail = workspace.plan().error().detail;
    assert!(detail.contains("username"), "{detail}");
}

fn output(value: &str) -> String {
    format!("output \"this\" {{\n  value = {value}\n}}\n")
}

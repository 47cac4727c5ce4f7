//! Bad input: each is refused with a clear error at the argument at fault, and nothing is reset.

use crate::support::{ADDRESS, HOSTUP, HUBSPOT, SMTPD, USER, Workspace, block, credential, provider, resource};

#[test]
fn bad_arguments_are_refused_at_their_line() {
    let Some(workspace) = Workspace::new() else { return };
    let long = "a".repeat(400);
    for (path, value, words) in [
        ("hubspot.user_name", "", "must not be empty"),
        ("hubspot.user_name", "a/b", "must not contain `/`"),
        ("hubspot.user_name", "a..b", "must not contain `..`"),
        ("hubspot.user_name", "a%40b", "must not contain `%`"),
        ("hubspot.user_name", r"a\nb", "must not contain line breaks or other control characters"),
        ("hubspot.user_name", r"a\u0000b", "must not contain line breaks or other control characters"),
        ("hubspot.user_name", &long, "must have at most 320 bytes"),
        ("rotation_mode", "inplace", "must be `replace` or `in_place`"),
        ("smtp_host", "https://mail.example.com", "must be a host name or an IP address"),
        ("smtp_port", "0", "must be a whole number from 1 to 65535"),
        ("smtp_port", "1.5", "must be a whole number from 1 to 65535"),
        ("smtp_port", "70000", "must be a whole number from 1 to 65535"),
        ("timeouts.create", "soon", "must be a duration longer than zero"),
        ("timeouts.delete", "90", "must be a duration longer than zero"),
        ("timeouts.read", "0s", "must be a duration longer than zero"),
        ("timeouts.update", "-5s", "must be a duration longer than zero"),
    ] {
        let line = line(path, &format!("\"{value}\""));
        workspace.write(&match path {
            "hubspot.user_name" => resource("this", value, ""),
            _ => credential(&line),
        });
        let error = workspace.apply().rejects(path, words).points_at(&line);
        assert_eq!(error.address.as_deref(), Some(ADDRESS));
    }
    nothing_was_sent(&workspace);
}

#[test]
fn a_resource_names_a_credential() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write("resource \"smtp_credential_password\" \"this\" {}\n");
    let error = workspace.validate().error().is("No credential is set").says(&["`hubspot`"]);
    error.points_at("resource \"smtp_credential_password\" \"this\" {}");
    workspace.write("resource \"smtp_credential_password\" \"this\" {\n  hubspot = {}\n}\n");
    workspace.apply().error();
    nothing_was_sent(&workspace);
}

#[test]
fn targets_of_every_vendor_are_judged_at_their_line() {
    let Some(workspace) = Workspace::new() else { return };
    for (target, path, words) in [
        ("hostup = { account_id = \"acct/1\", address = \"a@b.se\" }", "hostup.account_id", "must not contain `/`"),
        ("hostup = { account_id = \"\", address = \"a@b.se\" }", "hostup.account_id", "must not be empty"),
        ("hostup = { account_id = \"acct_1\", address = \"info\" }", "hostup.address", "must be an e-mail address, or"),
        (
            "hostup = { account_id = \"acct_1\", address = \"mail_\" }",
            "hostup.address",
            "must be an e-mail address, or",
        ),
        ("kirim_email = { domain = \"a/b\", credential_guid = \"c\" }", "kirim_email.domain", "must not contain `/`"),
        (
            "kirim_email = { domain = \"a\", credential_guid = \"..\" }",
            "kirim_email.credential_guid",
            "must not contain `..`",
        ),
        ("smtpd = { name = \"\", role = \"iac\" }", "smtpd.name", "must not be empty"),
        (
            "smtpd = { name = \"a\", role = \"admin\" }",
            "smtpd.role",
            "must be `iac`, `read_only`, `send_only` or `standard`",
        ),
    ] {
        workspace.write(&block("this", target, ""));
        workspace.validate().rejects(path, words).points_at(target);
    }
    nothing_was_sent(&workspace);
}

#[test]
fn policies_that_no_password_could_follow_are_refused_at_their_line() {
    let Some(workspace) = Workspace::new() else { return };
    for (policy, path, words) in [
        ("{ length = 11 }", "password_policy.length", "must be a whole number from 12 to 128"),
        ("{ length = 129 }", "password_policy.length", "must be a whole number from 12 to 128"),
        ("{ length = 12.5 }", "password_policy.length", "must be a whole number from 12 to 128"),
        (
            "{ lower = false, upper = false, digits = false, special = false }",
            "password_policy",
            "must enable at least one character class",
        ),
        ("{ special_characters = \"\" }", "password_policy.special_characters", "must not be empty"),
        (
            "{ special_characters = \"aä\" }",
            "password_policy.special_characters",
            "must contain only ASCII punctuation",
        ),
    ] {
        let line = format!("password_policy = {policy}");
        workspace.write(&block("this", HOSTUP, &line));
        workspace.validate().rejects(path, words).points_at(&line);
    }
    // What is not wanted may be empty.
    workspace.write(&block("this", HOSTUP, "password_policy = { special = false, special_characters = \"\" }"));
    workspace.validate().quiet();
    nothing_was_sent(&workspace);
}

#[test]
fn a_resource_names_one_credential_only() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&block("this", HUBSPOT, SMTPD));
    let error = workspace.validate().error().is("More than one credential is set");
    error
        .says(&[
            "`hubspot`, `smtpd` are set.",
            "`azure_communication`, `hostup`, `http`, `hubspot`, `kirim_email`, `mailgun`, `resend`, `sendgrid`, `smtpd`",
        ])
        .points_at(SMTPD);
    workspace.write(&block("this", HUBSPOT, &format!("{SMTPD}\n  {HOSTUP}")));
    workspace.apply().error().says(&["`hostup`, `hubspot`, `smtpd` are set."]);
    nothing_was_sent(&workspace);
}

#[test]
fn a_target_that_turns_out_bad_at_apply_is_refused_before_anything_is_reset() {
    let Some(workspace) = Workspace::new() else { return };
    let late = "resource \"terraform_data\" \"name\" {\n  input = \"a/b\"\n}\n";
    workspace.write(&(late.to_owned() + &credential("").replace(&format!("\"{USER}\""), "terraform_data.name.output")));
    workspace.plan().quiet();
    workspace.apply().rejects("hubspot.user_name", "must not contain `/`");
    nothing_was_sent(&workspace);
}

#[test]
fn bad_settings_are_refused_at_their_line() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_VAR_token", "pat-with-a-line-break\n");
    workspace.keep_secret("pat-with-a-line-break");
    for (path, value, words) in [
        ("hubspot.access_token", "\"\"", "must not be empty"),
        ("hubspot.access_token", "var.token", "must not contain spaces, line breaks"),
        ("hubspot.api_version", "\"v2\"", "must be `v1`, `v3` or `2026-03`"),
        ("hubspot.base_url", "\"http://api.hubapi.com\"", "must use https"),
        ("hubspot.base_url", "\"https://me:secret@api.hubapi.com\"", "must not contain a user name or password"),
        ("hubspot.base_url", "\"https://api.hubapi.com?a=b\"", "must not contain a query"),
        ("hubspot.base_url", "\"https://api.hubapi.com#a\"", "must not contain a fragment"),
        ("hubspot.base_url", "\"api.hubapi.com\"", "must start with https://"),
        ("max_requests_per_second", "0", "must be at least 0.001"),
        ("request_timeout", "\"1 minute\"", "must be a duration longer than zero"),
    ] {
        let line = line(path, value);
        let variable = "variable \"token\" {\n  type = string\n  sensitive = true\n}\n";
        workspace.write(&format!("{variable}provider \"smtp\" {{\n  {line}\n}}\n{}", credential("")));
        workspace.plan().rejects(path, words).points_at(&line);
    }
    nothing_was_sent(&workspace);
}

#[test]
fn a_bad_token_in_the_environment_is_rejected_without_showing_it() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("HUBSPOT_ACCESS_TOKEN", "pat-with-a-line-break\n");
    workspace.keep_secret("pat-with-a-line-break");
    workspace.write(&credential(""));
    let error = workspace.plan().error().is("Invalid value in `HUBSPOT_ACCESS_TOKEN`");
    error.says(&["line break"]);
    nothing_was_sent(&workspace);
}

#[test]
fn one_way_to_log_in_is_set_and_it_is_complete() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    let variable = "variable \"secret\" {\n  default = \"a-secret-4711\"\n}\n";
    workspace.keep_secret("a-secret-4711");
    let configured = |settings: &str| {
        workspace.write(&[variable, &provider(settings), &credential("")].concat());
        workspace.plan().error()
    };
    let two = "access_token = var.secret, client_id = \"id\"";
    let error = configured(two).is("Conflicting credentials for HubSpot").says(&["`access_token`, or `client_id`"]);
    error.points_at(&format!("hubspot = {{ {two} }}"));
    for (settings, words) in [
        ("client_id = \"id\"", "`client_secret` is missing"),
        ("client_id = \"id\", client_secret = var.secret", "`HUBSPOT_REFRESH_TOKEN`"),
    ] {
        let error = configured(settings).is("Incomplete credentials for HubSpot");
        error.says(&["In `hubspot` of the provider block", words]);
    }
    nothing_was_sent(&workspace);
}

/// The line that sets an argument, which may be nested.
fn line(path: &str, value: &str) -> String {
    match path.split_once('.') {
        Some((outer, inner)) => format!("{outer} = {{ {inner} = {value} }}"),
        None => format!("{path} = {value}"),
    }
}

#[track_caller]
fn nothing_was_sent(workspace: &Workspace) {
    assert_eq!(workspace.sandbox.requests().len(), 0);
    assert_eq!(workspace.resets(), 0);
}

//! Where the provider's settings come from, and when they are known.

use sandbox::HubSpot;

use crate::support::{ADDRESS, USER, Workspace, credential, provider, resource};

#[test]
fn a_token_may_come_from_a_variable() {
    let Some(mut workspace) = Workspace::new() else { return };
    let token = workspace.sandbox.hubspot().access_token().to_owned();
    // Configuration wins over environment.
    workspace.set("HUBSPOT_ACCESS_TOKEN", "not-the-token");
    workspace.set("TF_VAR_token", &token);
    let variable = "variable \"token\" {\n  type = string\n  sensitive = true\n}\n";
    workspace.write(&(variable.to_owned() + &provider("access_token = var.token") + &credential("")));
    workspace.apply().quiet();
    workspace.working_password();
}

#[test]
fn an_api_in_clear_text_needs_no_root_certificates() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("SSL_CERT_DIR", "/nonexistent");
    workspace.set("SSL_CERT_FILE", "/nonexistent");
    workspace.write(&credential(""));
    workspace.apply().quiet();
    workspace.working_password();
}

#[test]
fn two_aliases_serve_two_portals() {
    const OTHER: &str = "other@4711.smtp.hubspot.net";
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.sandbox.hubspot().add_account(4711, "token-of-the-other-portal");
    workspace.sandbox.hubspot().add_credential(4711, OTHER);
    workspace.keep_secret("token-of-the-other-portal");
    workspace.set("TF_VAR_token", "token-of-the-other-portal");
    let other = provider("access_token = var.token").replace("{\n", "{\n  alias = \"other\"\n");
    let variable = "variable \"token\" {}\n";
    workspace.write(&[variable, &other, &credential(""), &resource("other", OTHER, "provider = smtp.other")].concat());
    workspace.apply().quiet();
    workspace.working_password();
    workspace.working_password_of("smtp_credential_password.other");
    workspace.plan().nothing_to_do();

    // With the wrong portal's token a credential is not there, and nothing is reset.
    workspace.write(&[variable, &other, &resource("wrong", OTHER, "")].concat());
    let error = workspace.apply_with(&["-target=smtp_credential_password.wrong"]).error();
    error.is("HubSpot does not know this credential").says(&["The password was not changed."]);
    assert_eq!((workspace.resets(), workspace.sandbox.hubspot().resets(OTHER)), (1, 1));
    assert_ne!(HubSpot::PORTAL_ID, 4711);
}

#[test]
fn settings_that_are_not_known_yet_call_no_vendor() {
    let Some(mut workspace) = Workspace::new() else { return };
    let (url, token) = (workspace.sandbox.base_url(), workspace.sandbox.hubspot().access_token().to_owned());
    for (variable, setting, value, wrong) in [
        ("HUBSPOT_BASE_URL", "base_url", &url, "https://example.invalid"),
        ("HUBSPOT_ACCESS_TOKEN", "access_token", &token, "not-the-token"),
    ] {
        // What is unknown is not looked up in the environment either.
        let right = workspace.environment()[variable].clone();
        workspace.set(variable, wrong);
        workspace.set("TF_VAR_late", value);
        workspace.sandbox.forget_requests();
        let resets = workspace.resets();
        workspace.write(&late(setting, "rotation_trigger = \"one\""));
        let plan = workspace.plan().quiet();
        assert_eq!(plan.action(ADDRESS).as_deref(), Some("create"), "{setting}");
        assert_eq!(workspace.sandbox.requests().len(), 0, "{setting}");
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), resets + 1, "{setting}");
        workspace.working_password();
        workspace.plan().nothing_to_do();

        // Unknown once more, with a resource there that cannot be refreshed.
        workspace.sandbox.forget_requests();
        let replace = "-replace=terraform_data.late";
        let plan = workspace.plan_with(&[replace]).quiet();
        assert_eq!(plan.action(ADDRESS), None, "{setting}");
        assert_eq!(workspace.sandbox.requests().len(), 0, "{setting}");
        workspace.write(&late(setting, "rotation_trigger = \"two\""));
        workspace.apply_with(&[replace]).quiet();
        assert_eq!(workspace.resets(), resets + 2, "{setting}");
        workspace.working_password();

        workspace.destroy_with(&["-refresh=false"]).quiet();
        workspace.set(variable, &right);
    }
}

#[test]
fn an_import_waits_until_the_settings_are_known() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_VAR_late", &workspace.sandbox.base_url());
    let import = format!("import {{\n  to = {ADDRESS}\n  id = \"hubspot/{USER}\"\n}}\n");
    workspace.write(&(late("base_url", "") + &import));
    let error = workspace.plan().error().is("Provider settings are not known yet");
    error.says(&["`hubspot` of the provider block", "`-target`"]);
    assert_eq!(workspace.sandbox.requests().len(), 0);

    workspace.apply_with(&["-target=terraform_data.late"]).succeeded();
    workspace.apply().quiet();
    assert_eq!(workspace.state()["username"], USER);
    assert_eq!(workspace.resets(), 0);
}

#[test]
fn what_turns_out_wrong_at_apply_is_refused_then() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_VAR_late", "http://example.com");
    workspace.write(&late("base_url", ""));
    workspace.plan().quiet();
    workspace.apply().rejects("hubspot.base_url", "must use https");
    assert_eq!(workspace.resets(), 0);
}

#[test]
fn without_credentials_a_plan_fails_and_a_validation_does_not() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    for provider in ["", "provider \"smtp\" {}\n", "provider \"smtp\" {\n  hubspot = {}\n}\n"] {
        workspace.write(&(provider.to_owned() + &credential("")));
        workspace.validate().quiet();
        let error = workspace.plan().error().is("No credentials for HubSpot");
        error.says(&["`HUBSPOT_ACCESS_TOKEN`", "`HUBSPOT_REFRESH_TOKEN`", "`hubspot`"]);
    }
    assert_eq!(workspace.sandbox.requests().len(), 0);
}

#[test]
fn the_user_agent_names_core_and_what_the_user_adds() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_APPEND_USER_AGENT", "team-mail/7");
    workspace.write(&credential(""));
    workspace.apply().quiet();
    for request in workspace.sandbox.requests() {
        let agent = request.header("User-Agent").unwrap_or_default();
        assert!(agent.starts_with("Terraform/") && agent.ends_with(" team-mail/7"), "{agent}");
        assert!(agent.contains(concat!("terraform-provider-smtp/", env!("CARGO_PKG_VERSION"))), "{agent}");
    }
    assert_eq!(workspace.state()["username"], USER);
}

#[test]
fn line_breaks_in_the_user_agent_are_removed() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_APPEND_USER_AGENT", "team-mail/7\r\nX-Evil: yes\n");
    workspace.write(&credential(""));
    workspace.apply().quiet();
    for request in workspace.sandbox.requests() {
        let agent = request.header("User-Agent").unwrap_or_default();
        assert!(agent.ends_with(" team-mail/7 X-Evil: yes"), "{agent}");
        assert_eq!(request.header("X-Evil"), None);
    }
}

#[test]
fn an_unusable_certificate_file_is_an_error_before_anything_is_sent() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.file("garbage.pem", "garbage");
    workspace.file("long.pem", &"x".repeat(1 << 20 | 1));
    let pem = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUNeedle\n-----END CERTIFICATE-----\n";
    workspace.file("broken.pem", pem);
    let mut cases = vec![
        ("missing.pem", "names the file `missing.pem`, which does not exist."),
        ("~/authority.pem", "which does not exist. `~` is not expanded here; use `pathexpand"),
        ("garbage.pem", "names the file `garbage.pem`, which contains no PEM certificate."),
        ("broken.pem", "which contains something that is not a certificate"),
        ("long.pem", "which is larger than 1 MiB"),
        (".", "names the file `.`, which is a directory"),
        (pem, "is a certificate but must be the path of a file"),
    ];
    if cfg!(unix) {
        cases.push(("/dev/zero", "which is not a regular file"));
        let fifo = workspace.path("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()));
        cases.push(("fifo", "names the file `fifo`, which is not a regular file"));
    }
    for (value, words) in cases {
        let setting = format!("  ca_certificate_file = {}\n", serde_json::json!(value));
        workspace.write(&(provider("").replace("{\n", &format!("{{\n{setting}")) + &credential("")));
        let error = workspace.plan().error().is("Invalid value for `ca_certificate_file`");
        let error = error.says(&[words]);
        assert!(!error.detail.contains("Needle"), "{}", error.detail);
        assert!(error.code().starts_with("ca_certificate_file = "), "{error:?}");

        workspace.set("SMTP_CA_CERTIFICATE_FILE", value);
        workspace.write(&(provider("") + &credential("")));
        let error = workspace.plan().error().is("Invalid value in `SMTP_CA_CERTIFICATE_FILE`");
        assert!(!error.says(&[words]).detail.contains("Needle"));
        workspace.unset("SMTP_CA_CERTIFICATE_FILE");
    }
    assert_eq!(workspace.sandbox.requests().len(), 0);
}

#[test]
fn a_limit_that_would_never_be_reached_is_refused() {
    let Some(workspace) = Workspace::new() else { return };
    for limit in ["1e-300", "0.0001"] {
        let setting = format!("{{\n  max_requests_per_second = {limit}\n");
        workspace.write(&(provider("").replace("{\n", &setting) + &credential("")));
        let error = workspace.validate().rejects("max_requests_per_second", "must be at least 0.001");
        error.points_at(&format!("max_requests_per_second = {limit}"));
    }
}

/// One setting comes from a resource that does not exist yet.
fn late(setting: &str, arguments: &str) -> String {
    let variable = "variable \"late\" {\n  type = string\n  sensitive = true\n}\n";
    let data = "resource \"terraform_data\" \"late\" {\n  input = var.late\n}\n";
    [variable, data, &provider(&format!("{setting} = terraform_data.late.output")), &credential(arguments)].concat()
}

#[test]
fn a_token_of_another_data_center_asks_for_its_submission_server() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.plan().quiet();

    let token = "pat-eu1-1f1bb0b4-5b0f-4f8e-9f0c-7d1c1b6b5a4e";
    workspace.keep_secret(token);
    workspace.set("HUBSPOT_ACCESS_TOKEN", token);
    let warning = workspace.plan().warning().is("The submission server may be wrong");
    warning.says(&["`smtp-eu1.hubapi.com`", "The password was not changed.", "Set `smtp_host`"]);
    workspace.write(&credential("smtp_host = \"smtp-eu1.hubapi.com\""));
    workspace.plan().quiet();
}

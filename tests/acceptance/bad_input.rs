//! Bad input: each is refused with a clear error at the argument at fault, and nothing is reset.

use crate::support::{ADDRESS, USER, Workspace, credential};

#[test]
fn bad_arguments_are_refused_at_their_line() {
    let Some(workspace) = Workspace::new() else { return };
    let long = format!("user_name = \"{}\"", "a".repeat(400));
    for (argument, words) in [
        ("user_name = \"\"", "`user_name` must not be empty"),
        ("user_name = \"a/b\"", "`user_name` must not contain `/`"),
        ("user_name = \"a..b\"", "`user_name` must not contain `..`"),
        ("user_name = \"a%40b\"", "`user_name` must not contain `%`"),
        ("user_name = \"a\\nb\"", "`user_name` must not contain control characters"),
        ("user_name = \"a\\u0000b\"", "`user_name` must not contain control characters"),
        (long.as_str(), "`user_name` must have at most 320 bytes"),
        ("rotation_mode = \"inplace\"", "`rotation_mode` must be `replace` or `in_place`"),
        ("smtp_host = \"https://mail.example.com\"", "`smtp_host` must be a host name or an IP address"),
        ("smtp_port = 0", "`smtp_port` must be a whole number from 1 to 65535"),
        ("smtp_port = 1.5", "`smtp_port` must be a whole number from 1 to 65535"),
        ("smtp_port = 70000", "`smtp_port` must be a whole number from 1 to 65535"),
        ("create = \"soon\"", "`create` must be a duration longer than zero"),
        ("delete = \"90\"", "`delete` must be a duration longer than zero"),
        ("read = \"0s\"", "`read` must be a duration longer than zero"),
        ("update = \"-5s\"", "`update` must be a duration longer than zero"),
    ] {
        let name = argument.split(' ').next().unwrap_or_default();
        // Nested arguments on lines of their own, so that the line that core quotes is theirs.
        workspace.write(&match name {
            "user_name" => {
                credential("").replace(&format!("{{ user_name = \"{USER}\" }}"), &format!("{{\n    {argument}\n  }}"))
            }
            "create" | "delete" | "read" | "update" => credential(&format!("timeouts = {{\n    {argument}\n  }}")),
            _ => credential(argument),
        });
        let error = workspace.validate().error().is(&format!("Invalid value for `{name}`")).says(&[words]);
        assert_eq!(error.address.as_deref().unwrap_or(ADDRESS), ADDRESS);
        // What is nested in an object is quoted from the object's own line on.
        let line = match name {
            "user_name" => "hubspot = {",
            "create" | "delete" | "read" | "update" => "timeouts = {",
            _ => argument,
        };
        let _ = error.points_at(line);
        let _ = workspace.apply().error().says(&[words]);
    }
    nothing_was_sent(&workspace);
}

#[test]
fn a_resource_names_a_credential() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write("resource \"smtp_credential_password\" \"this\" {}\n");
    let error = workspace.validate().error().is("No credential is named").says(&["`hubspot`"]);
    let _ = error.points_at("resource \"smtp_credential_password\" \"this\" {");
    workspace.write("resource \"smtp_credential_password\" \"this\" {\n  hubspot = {}\n}\n");
    let _ = workspace.apply().error();
    nothing_was_sent(&workspace);
}

#[test]
fn a_target_that_turns_out_bad_at_apply_is_refused_before_anything_is_reset() {
    let Some(workspace) = Workspace::new() else { return };
    let late = "resource \"terraform_data\" \"name\" {\n  input = \"a/b\"\n}\n";
    workspace.write(&(late.to_owned() + &credential("").replace(&format!("\"{USER}\""), "terraform_data.name.output")));
    let _ = workspace.plan().quiet();
    let _ = workspace.apply().error().is("Invalid value for `user_name`").says(&["must not contain `/`"]);
    nothing_was_sent(&workspace);
}

#[test]
fn bad_settings_are_refused_at_their_line() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("TF_VAR_token", "pat-with-a-line-break\n");
    workspace.keep_secret("pat-with-a-line-break");
    for (setting, words) in [
        ("access_token = \"\"", "`access_token` must not be empty"),
        ("access_token = var.token", "line break"),
        ("api_version = \"v2\"", "`api_version` must be `v1`, `v3` or `2026-03`"),
        ("base_url = \"http://api.hubapi.com\"", "`base_url` must use https"),
        ("base_url = \"https://me:secret@api.hubapi.com\"", "`base_url` must not contain a user name or password"),
        ("base_url = \"https://api.hubapi.com?a=b\"", "`base_url` must not contain a query"),
        ("base_url = \"https://api.hubapi.com#a\"", "`base_url` must not contain a fragment"),
        ("base_url = \"api.hubapi.com\"", "`base_url` must start with https://"),
        ("request_timeout = \"1 minute\"", "`request_timeout` must be a duration longer than zero"),
        ("max_requests_per_second = 0", "`max_requests_per_second` must be more than zero"),
    ] {
        let name = setting.split(' ').next().unwrap_or_default();
        let is_common = ["request_timeout", "max_requests_per_second"].contains(&name);
        let setting_line = if is_common { setting.to_owned() } else { format!("hubspot = {{\n    {setting}\n  }}") };
        let variable = "variable \"token\" {\n  type = string\n  sensitive = true\n}\n";
        workspace.write(&format!("{variable}provider \"smtp\" {{\n  {setting_line}\n}}\n{}", credential("")));
        let error = workspace.plan().error().is(&format!("Invalid value for `{name}`")).says(&[words]);
        let _ = error.points_at(setting_line.lines().next().unwrap_or_default());
    }
    nothing_was_sent(&workspace);
}

#[test]
fn a_bad_token_in_the_environment_is_refused_without_telling_it() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.set("HUBSPOT_ACCESS_TOKEN", "pat-with-a-line-break\n");
    workspace.keep_secret("pat-with-a-line-break");
    workspace.write(&credential(""));
    let error = workspace.plan().error().is("Invalid value in `HUBSPOT_ACCESS_TOKEN`");
    let _ = error.says(&["line break", "`trimspace`"]);
    nothing_was_sent(&workspace);
}

#[test]
fn one_way_to_log_in_is_set_and_it_is_complete() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    let variable = "variable \"secret\" {\n  default = \"a-secret-4711\"\n}\n";
    for (settings, summary, words) in [
        ("access_token = var.secret, client_id = \"id\"", "Two ways to log in to HubSpot", "`access_token`, or `client_id`"),
        ("client_id = \"id\"", "Incomplete credentials for HubSpot", "`client_secret`"),
        ("client_id = \"id\", client_secret = var.secret", "Incomplete credentials for HubSpot", "`HUBSPOT_REFRESH_TOKEN`"),
    ] {
        workspace.write(&format!("{variable}provider \"smtp\" {{\n  hubspot = {{ {settings} }}\n}}\n{}", credential("")));
        let error = workspace.plan().error().is(summary).says(&[words]);
        let _ = error.points_at(&format!("hubspot = {{ {settings} }}"));
    }
    nothing_was_sent(&workspace);
}

#[track_caller]
fn nothing_was_sent(workspace: &Workspace) {
    assert_eq!(workspace.sandbox.requests().len(), 0);
    assert_eq!(workspace.resets(), 0);
}

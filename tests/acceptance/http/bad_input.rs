//! Mistakes in a description, each reported at its argument before anything is sent.

use crate::support::Workspace;

/// A complete description, of which parts are replaced.
const DESCRIPTION: &str = r#"provider "smtp" {
  http {
    base_url     = "http://127.0.0.1:9"
    credential   = "domain/user"
    bearer_token = "needle-of-the-bearer"
    reset {
      path = "/domains/{domain}/{user}"
      json = jsonencode({ password = "{password}" })
    }
    read {
      path  = "/domains/{domain}"
      items = "/users"
      match = { "/name" = "{user}" }
    }
    error {
      message = "/message"
    }
    smtp {
      username = "{user}@{domain}"
    }
  }
}
"#;

const RESOURCE: &str =
    "resource \"smtp_credential_password\" \"this\" {\n  http = { name = \"example.com/info\" }\n}\n";

#[test]
fn a_mistake_in_a_description_is_reported_at_its_argument() {
    let Some(workspace) = Workspace::new() else { return };
    let json = "json = jsonencode({ password = \"{password}\" })";
    for (part, other, path, words) in [
        (
            "{domain}/{user}\"\n      json",
            "{domain}/{usr}\"\n      json",
            "http.reset.path",
            "has an unknown placeholder",
        ),
        (
            "/domains/{domain}/{user}",
            "/domains/../{user}",
            "http.reset.path",
            "must not have segments that are empty, `.` or `..`",
        ),
        ("/domains/{domain}/{user}", "domains/{user}", "http.reset.path", "must start with `/`"),
        ("/domains/{domain}/{user}", "/domains/{user}?a=b", "http.reset.path", "must not have a query or a fragment"),
        ("/domains/{domain}/{user}", "/{password}", "http.reset.path", "must not have `{password}`"),
        ("/domains/{domain}/{user}", "/domains/{user", "http.reset.path", "must close every `{`"),
        (json, "json = \"{\"", "http.reset.json", "must be JSON"),
        (json, "json = jsonencode({})", "http.reset", "must lead to a password"),
        (json, "password = \"password\"", "http.reset.password", "must be a JSON pointer"),
        (json, "password = \"/*/password\"", "http.reset.password", "must lead to one value"),
        (
            json,
            "password = \"/password\"\n      method = \"GET\"",
            "http.reset.method",
            "must be one of PATCH, POST, PUT",
        ),
        ("http://127.0.0.1:9", "http://api.example.com", "http.base_url", "must use https"),
        ("http://127.0.0.1:9", "https://{domain}.example.com", "http.base_url", "must not have a placeholder"),
        (
            "bearer_token = \"needle-of-the-bearer\"",
            "headers = { X-Key = \"a\\nb\" }",
            "http.headers.X-Key",
            "must not contain line breaks",
        ),
        (
            "bearer_token = \"needle-of-the-bearer\"",
            "headers = { Host = \"a\" }",
            "http.headers.Host",
            "must not be set",
        ),
        ("bearer_token = \"needle-of-the-bearer\"", "", "http", "must have a login"),
        (
            "credential   = \"domain/user\"",
            "credential = \"domain/password\"",
            "http.credential",
            "must not have a part called `password`",
        ),
        ("match = { \"/name\" = \"{user}\" }", "", "http.read.match", "must say which entry"),
        (
            "username = \"{user}@{domain}\"",
            "host = \"{domain}\"\n username = \"{user}\"",
            "http.smtp.host",
            "must be a host name",
        ),
        (
            "    smtp {\n      username = \"{user}@{domain}\"\n    }\n",
            "",
            "http",
            "must say where the user name for SMTP comes from",
        ),
        ("path  = \"/domains/{domain}\"", "path = \"/{id}\"", "http.read.path", "has an unknown placeholder"),
        (
            "/domains/{domain}/{user}",
            "/domains/{id}",
            "http.reset",
            "has `{id}`, which is what `read` finds at `version`; set that",
        ),
        (json, &format!("{json}\n      username = \"/user\""), "http.reset.username", "must not be combined"),
        ("message = \"/message\"", "unprocessed = [200]", "http.error", "must have `message` or `code`"),
        (
            "message = \"/message\"",
            "message = \"/message\"\n unprocessed = [200]",
            "http.error.unprocessed",
            "must be statuses from 400 to 599",
        ),
        (
            json,
            &format!("{json}\n      success = {{ \"/user\" = \"{{user}}\" }}"),
            "http.reset.success./user",
            "must not have a placeholder",
        ),
        (
            json,
            &format!("{json}\n      refused = {{ \"/user\" = \"not {{username}}\" }}"),
            "http.reset.refused./user",
            "must not have a placeholder",
        ),
        (
            "bearer_token = \"needle-of-the-bearer\"",
            "headers = { X-User = \"needle {user}\" }",
            "http.headers.X-User",
            "must not have a placeholder",
        ),
        (
            json,
            "json = jsonencode({ key = [{ \"of {user}\" = \"{password}\" }] })",
            "http.reset.json",
            "must not have a placeholder in the name of a field",
        ),
        (
            json,
            "form = { \"{user}\" = \"{password}\" }",
            "http.reset.form.{user}",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            "path  = \"/domains/{domain}\"",
            "path  = \"/domains\"\n query = { \"{domain}\" = \"1\" }",
            "http.read.query.{domain}",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            "match = { \"/name\"",
            "match = { \"/names/{user}\"",
            "http.read.match./names/{user}",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            json,
            &format!("{json}\n      success = {{ \"/{{user}}\" = \"1\" }}"),
            "http.reset.success./{user}",
            "must not have a placeholder",
        ),
        (
            "items = \"/users\"",
            "items = \"/users/{domain}\"",
            "http.read.items",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            "items = \"/users\"",
            "items = \"/users\"\n version = \"/{user}\"",
            "http.read.version",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            "items = \"/users\"",
            "items = \"/users\"\n paging {\n page = \"{user}\"\n }",
            "http.read.paging.page",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            "message = \"/message\"",
            "message = \"/{user}/message\"",
            "http.error.message",
            "must not have a placeholder: nothing is filled in there",
        ),
        (
            "bearer_token = \"needle-of-the-bearer\"",
            "basic {\n username = \"{user}\"\n password = \"needle\"\n }",
            "http.basic.username",
            "must not have a placeholder: it is sent as it is",
        ),
        (
            json,
            "json = jsonencode({ password = \"{password}\", user = \"{usr}\" })",
            "http.reset.json",
            "has an unknown placeholder; allowed are the parts of `credential` (`{domain}`, `{user}`), `{id}`, `{username}` and \
             `{password}`",
        ),
        (
            "items = \"/users\"",
            "items = \"/users\"\n paging {\n page = \"page\"\n first_page = -1\n }",
            "http.read.paging.first_page",
            "must be a whole number from 0",
        ),
        (
            "username = \"{user}@{domain}\"",
            "username = \"{user}\"\n host = \"a.example\"\n port = 99999",
            "http.smtp.port",
            "must be a whole number from 1 to 65535",
        ),
        (
            "username = \"{user}@{domain}\"",
            "username = \"{user}\"\n host = \"a.example\"\n port = 587.5",
            "http.smtp.port",
            "must be a whole number from 1 to 65535",
        ),
    ] {
        assert!(DESCRIPTION.contains(part), "{part}");
        workspace.write(&format!("{}{RESOURCE}", DESCRIPTION.replacen(part, other, 1)));
        let run = workspace.validate().failed();
        let summary = format!("Invalid value for `{path}`");
        let found = run.diagnostics.iter().find(|diagnostic| diagnostic.summary == summary);
        let found = found.unwrap_or_else(|| panic!("{other}: no {summary} in {run}"));
        assert!(found.detail.starts_with(&format!("`{path}` {words}")), "{other}: {}", found.detail);
    }
    workspace.write(&format!("{DESCRIPTION}{RESOURCE}"));
    workspace.validate().succeeded();
}

#[test]
fn what_the_block_decides_is_checked_at_plan() {
    let Some(workspace) = Workspace::new() else { return };
    let by_vendor = DESCRIPTION.replace("json = jsonencode({ password = \"{password}\" })", "password = \"/password\"");
    let resource = |arguments: &str| RESOURCE.replace("info\" }", &format!("info\" }}\n  {arguments}"));
    for (description, resource, path, words) in [
        (DESCRIPTION, RESOURCE.replace("example.com/info", "info"), "http.name", "must have the form `domain/user`"),
        (DESCRIPTION, RESOURCE.replace("example.com/info", "a/b/c"), "http.name", "must have the form `domain/user`"),
        (
            DESCRIPTION,
            resource("retire_previous = \"at_once\""),
            "retire_previous",
            "127.0.0.1 resets passwords in place",
        ),
        (&*by_vendor, resource("password_policy = {}"), "password_policy", "127.0.0.1 generates the password itself"),
        (DESCRIPTION, resource("verify = {}"), "verify", "No server to log in to"),
        ("", RESOURCE.to_owned(), "", "No `http` block in the provider"),
    ] {
        workspace.write(&format!("{description}{resource}"));
        let error = workspace.plan().error();
        let said = format!("{} {}", error.summary, error.detail);
        assert!(said.contains(words) && said.contains(path), "{resource}: {said}");
    }
}

#[test]
fn a_password_of_the_users_own_is_no_longer_than_the_api_accepts() {
    let long = "needle-of-21-characte";
    let description = DESCRIPTION.replace("credential   =", "max_password_length = 20\n    credential   =");
    let variable = "variable \"own\" {\n  type = string\n  ephemeral = true\n}\n";
    for own in ["var.own", &format!("\"{long}\"")] {
        let Some(mut workspace) = Workspace::new() else { return };
        workspace.set("TF_VAR_own", long);
        let resource = RESOURCE.replace("info\" }", &format!("info\" }}\n  password_wo = {own}"));
        workspace.write(&format!("{variable}{description}{resource}"));
        for run in [workspace.plan(), workspace.apply()] {
            let error = run.error().is("Invalid value for `password_wo`");
            let error = error.says(&["must have at most 20 characters", "The password was not changed."]);
            assert!(!error.detail.contains(long), "{error:?}");
        }
    }
}

#[test]
fn a_misspelt_argument_is_reported_by_core() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&format!("{}{RESOURCE}", DESCRIPTION.replace("bearer_token", "bearer")));
    assert!(workspace.validate().failed().diagnostics.iter().any(|error| error.summary == "Unsupported argument"));
}

#[test]
fn what_is_not_known_yet_may_only_be_the_login_and_the_address() {
    let Some(workspace) = Workspace::new() else { return };
    let unknown = "resource \"terraform_data\" \"later\" {\n  input = \"later\"\n}\n";
    let login = DESCRIPTION.replace("\"needle-of-the-bearer\"", "terraform_data.later.output");
    workspace.write(&format!("{unknown}{login}{RESOURCE}"));
    assert_eq!(workspace.plan().succeeded().action("smtp_credential_password.this").as_deref(), Some("create"));

    let shape = DESCRIPTION.replace("items = \"/users\"", "items = terraform_data.later.output");
    workspace.write(&format!("{unknown}{shape}{RESOURCE}"));
    assert_eq!(workspace.plan().error().summary, "The `http` block is not known yet");
}

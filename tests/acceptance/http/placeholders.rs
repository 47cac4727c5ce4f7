//! Placeholders that have no value.

use serde_json::json;

use super::api::{Api, LOGIN, resource};
use crate::support::Workspace;

/// A provider block whose revocation is this, in which the user name is that of the response.
fn revoking(revoke: &str, username: &str) -> String {
    let create = "create {\n path = \"/keys\"\n password = \"/password\"\n id = \"/id\"\n username = \"/login\"\n }\n";
    format!(
        "provider \"smtp\" {{\n http {{\n base_url = \"http://127.0.0.1:9\"\n credential = \"account\"\n {LOGIN}{}\n \
         revoke {{\n {revoke}\n }}\n {username}\n }}\n}}\n",
        if username.is_empty() { create.to_owned() } else { create.replace(" username = \"/login\"\n", "") }
    )
}

const USERNAME: &str = "smtp {\n username = \"{account}\"\n }";

#[test]
fn a_revocation_says_which_credential_it_ends() {
    let Some(workspace) = Workspace::new() else { return };
    let json = |json: &str| format!("method = \"POST\"\n path = \"/c/{{account}}/revoke\"\n json = jsonencode({json})");
    let form = |form: &str| format!("method = \"POST\"\n path = \"/c/{{account}}/revoke\"\n form = {form}");
    let of_response = "must not have `{username}` unless `smtp.username` is set; where the user name is the id";
    for (revoke, username, fault) in [
        (json("{ login = \"{username}\" }"), "", Some(("http.revoke.json", of_response))),
        (json("{ id = \"{id}\", login = \"{username}\" }"), "", Some(("http.revoke.json", of_response))),
        (form("{ login = \"{username}\", id = \"{id}\" }"), "", Some(("http.revoke.form.login", of_response))),
        ("path = \"/c/{username}/{id}\"".to_owned(), "", Some(("http.revoke.path", of_response))),
        (json("{ id = \"{id}\", login = \"{username}\" }"), USERNAME, None),
        (json("{ login = \"{username}\" }"), USERNAME, Some(("http.revoke", "must have `{id}`"))),
        (json("{}"), "", Some(("http.revoke", "must have `{id}`"))),
        (json("{ key = [{ id = \"{id}\" }] }"), "", None),
    ] {
        workspace.write(&format!("{}{}", revoking(&revoke, username), resource("one").replace("a/b", "a")));
        let Some((path, words)) = fault else {
            workspace.validate().succeeded();
            continue;
        };
        let run = workspace.validate().failed();
        let summary = format!("Invalid value for `{path}`");
        let found = run.diagnostics.iter().find(|diagnostic| diagnostic.summary == summary);
        let found = found.unwrap_or_else(|| panic!("{revoke}: no {summary} in {run}"));
        assert!(found.detail.starts_with(&format!("`{path}` {words}")), "{revoke}: {}", found.detail);
    }
}

#[test]
fn a_reset_without_the_id_that_it_needs_is_not_sent() {
    for request in ["path = \"/keys/{id}\"\n", "path = \"/keys\"\n json = jsonencode({ key = { id = \"{id}\" } })\n"] {
        let Some(workspace) = Workspace::new() else { return };
        let api = Api::start(|_, _| (200, json!({ "password": "needle-of-the-vendor" })));
        let reset = format!("reset {{\n {request} password = \"/password\"\n }}\n");
        let read = "read {\n path = \"/{domain}/{user}\"\n version = \"/version\"\n }\n";
        workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{reset}{read}")), resource("one")));
        let error = workspace.apply().error().is("The request cannot be made");
        error.says(&["`{id}` has no value", "nothing at `version`", "was not called", "The password was not changed."]);
        assert_eq!(api.asked().iter().filter(|asked| asked.starts_with("POST")).count(), 0);
    }
}

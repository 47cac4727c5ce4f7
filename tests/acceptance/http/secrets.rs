//! An API that repeats what logs in.

use serde_json::json;

use super::api::{Api, RESET, resource};
use crate::support::Workspace;

#[test]
fn a_token_in_a_header_is_removed_without_its_scheme_too() {
    for header in ["cpanel example:NEEDLE", "Token token=\\\"NEEDLE\\\"", "Zoho-key NEEDLE", "NEEDLE"] {
        let Some(workspace) = Workspace::new() else { return };
        let token = "needle-of-the-header";
        workspace.keep_secret(token);
        let api = Api::start(move |_, _| (401, json!({ "message": format!("The token {token} has no rights.") })));
        let login = format!("headers = {{ Authorization = \"{}\" }}\n", header.replace("NEEDLE", token));
        workspace.write(&format!("{}{}", api.provider(&format!("{login}{RESET}")), resource("one")));
        workspace.apply().error().says(&["“The token [redacted] has no rights.”", "The password was not changed."]);
    }
}

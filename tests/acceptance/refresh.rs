//! What a refresh believes, and what it does not.

use std::collections::BTreeMap;

use sandbox::{Effect, Fault, HubSpot, Operation};

use crate::support::{ADDRESS, USER, Workspace, credential, provider};

#[test]
fn a_credential_that_is_gone_is_dropped_with_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    workspace.sandbox.hubspot().delete(USER);
    let warning = workspace.refresh().warning().is("A stored password was removed from state");
    warning.says(&["HubSpot no longer has this credential", "The password was not changed."]);
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn whatever_else_goes_wrong_is_an_error_and_the_state_is_kept() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let state = workspace.state();
    let page = || {
        Fault::new(Effect::Status {
            status: 404,
            headers: BTreeMap::new(),
            body: Some("<html><body>Not Found</body></html>".to_owned()),
        })
    };
    for (fault, summary) in [
        (Fault::status(401), "HubSpot refused the credentials"),
        (Fault::status(403), "HubSpot denied access"),
        (Fault::status(500).times(9), "HubSpot has a problem"),
        (page(), "HubSpot's response is not as documented"),
        (Fault::body("<html>"), "HubSpot's response is not as documented"),
    ] {
        workspace.sandbox.fault(fault.on(Operation::List));
        let error = workspace.refresh().error().is(summary);
        error.says(&["Reading `hubspot/", "The password was not changed."]);
        workspace.sandbox.clear_faults();
        assert_eq!(workspace.state(), state, "{summary}");
    }
    workspace.plan().nothing_to_do();
}

#[test]
fn later_generations_ask_for_what_their_list_does_not_name() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&(provider("api_version = \"2026-03\"") + &credential("")));
    workspace.apply().quiet();
    let password = workspace.working_password();
    workspace.sandbox.hubspot().unlist(USER);
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.working_password(), password);

    workspace.sandbox.fault(Fault::status(403).on(Operation::Get));
    workspace.refresh().error().is("HubSpot denied access");
    assert_eq!(workspace.addresses(), [ADDRESS]);

    workspace.sandbox.hubspot().delete(USER);
    workspace.refresh().warning().is("A stored password was removed from state");
    assert_eq!(workspace.addresses(), [""; 0]);
}

#[test]
fn one_list_serves_all_resources_of_an_account() {
    let Some(workspace) = Workspace::new() else { return };
    let names: Vec<_> = (0..7).map(|number| format!("user{number}@{}.smtp.hubspot.net", HubSpot::PORTAL_ID)).collect();
    for name in &names {
        workspace.add_credential(name);
    }
    workspace.sandbox.hubspot().page_size(3);
    for (version, pages) in [("v1", 1), ("v3", 3)] {
        workspace.write(&(provider(&format!("api_version = \"{version}\"")) + &each(&names)));
        workspace.apply().quiet();
        workspace.sandbox.forget_requests();
        workspace.plan().nothing_to_do();
        assert_eq!(workspace.sandbox.requests().len(), pages, "{version}");
    }
    for name in &names {
        assert_eq!(workspace.sandbox.hubspot().resets(name), 1);
        workspace.working_password_of(&format!("{ADDRESS}[\"{name}\"]"));
    }
}

fn each(names: &[String]) -> String {
    let credential = credential(&format!("for_each = toset({names:?})"));
    credential.replace(&format!("\"{USER}\""), "each.key")
}

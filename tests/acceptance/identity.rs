//! Resource identities (Terraform 1.12): the import id, stored with each state. A reset may change it, and no password is lost by that.

use sandbox::{Effect, Fault, Operation, VENDORS};
use serde_json::{Value, json};

use crate::support::{ADDRESS, HUBSPOT, SMTPD, USER, Workspace, block, credential};

const PAIR: &str = "smtp_credential_pair.this";
const ORDERS: [&str; 3] = ["", "lifecycle { create_before_destroy = true }", "rotation_mode = \"in_place\""];

/// Insists that the identity at [`ADDRESS`] imports what the state holds.
#[track_caller]
fn assert_identity(workspace: &Workspace) {
    let state = workspace.state();
    let id = match &state["smtpd"] {
        Value::Null => state["id"].clone(),
        _ => format!("smtpd/{}", state["remote_version"].as_str().unwrap_or_default()).into(),
    };
    assert_eq!(workspace.identity_of(ADDRESS), json!({ "id": id }));
}

fn trigger(order: &str, text: &str) -> String {
    format!("{order}\n  rotation_trigger = \"{text}\"")
}

#[test]
fn each_rotation_stores_its_password_and_its_identity() {
    for vendor in VENDORS {
        for order in ORDERS {
            let Some(workspace) = Workspace::with_identity() else { return };
            let target = vendor.argument(vendor.examples[0].name);
            let mut identities = Vec::new();
            for text in ["one", "two", "three"] {
                workspace.write(&block("this", &target, &trigger(order, text)));
                workspace.apply().quiet();
                workspace.working_password();
                assert_identity(&workspace);
                identities.push(workspace.identity_of(ADDRESS));
                workspace.plan().nothing_to_do();
            }
            identities.dedup();
            // A reset that makes a new credential gives it a new id.
            assert_eq!(identities.len(), if vendor.makes_successors { 3 } else { 1 }, "{vendor:?} {order}");
            workspace.destroy().quiet();
        }
    }
}

#[test]
fn a_replacement_by_request_stores_its_identity() {
    for target in [HUBSPOT, SMTPD] {
        for order in ORDERS {
            let Some(workspace) = Workspace::with_identity() else { return };
            workspace.write(&block("this", target, order));
            workspace.apply().quiet();
            workspace.apply_with(&[&format!("-replace={ADDRESS}")]).quiet();
            workspace.working_password();
            assert_identity(&workspace);
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn a_lost_response_leaves_what_the_next_apply_makes_whole() {
    for target in [HUBSPOT, SMTPD] {
        for order in ORDERS {
            let Some(workspace) = Workspace::with_identity() else { return };
            workspace.write(&block("this", target, &trigger(order, "one")));
            workspace.apply().quiet();
            workspace.write(&block("this", target, &trigger(order, "two")));
            workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
            workspace.apply().failed();
            workspace.apply().succeeded();
            workspace.working_password();
            assert_identity(&workspace);
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn a_first_reset_that_is_lost_leaves_a_tainted_resource_that_is_replaced() {
    for target in [HUBSPOT, SMTPD] {
        let Some(workspace) = Workspace::with_identity() else { return };
        workspace.write(&block("this", target, ""));
        workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
        workspace.apply().failed();
        workspace.apply().succeeded();
        workspace.working_password();
        assert_identity(&workspace);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_refused_rotation_keeps_the_password_and_the_identity() {
    for target in [HUBSPOT, SMTPD] {
        let Some(workspace) = Workspace::with_identity() else { return };
        workspace.write(&block("this", target, &trigger(ORDERS[2], "one")));
        workspace.apply().quiet();
        let (state, identity) = (workspace.state(), workspace.identity_of(ADDRESS));
        workspace.write(&block("this", target, &trigger(ORDERS[2], "two")));
        workspace.sandbox.fault(Fault::status(403).on(Operation::Reset).before());
        workspace.apply().error().says(&["The password was not changed."]);
        assert_eq!((workspace.state(), workspace.identity_of(ADDRESS)), (state, identity));
        workspace.working_password();
    }
}

#[test]
fn an_overlap_has_the_identity_of_the_new_credential() {
    let Some(workspace) = Workspace::with_identity() else { return };
    for text in ["one", "two", "three"] {
        let arguments = format!("retire_previous = \"at_next_rotation\"\n  {}", trigger(ORDERS[2], text));
        workspace.write(&block("this", SMTPD, &arguments));
        workspace.apply().quiet();
        workspace.working_password();
        assert_identity(&workspace);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_refresh_after_an_external_change_keeps_the_identity() {
    let Some(workspace) = Workspace::with_identity() else { return };
    let kirim = &VENDORS.iter().find(|vendor| vendor.shows_changes).expect("a vendor that shows changes");
    workspace.write(&block("this", &kirim.argument(kirim.examples[0].name), "on_external_change = \"rotate\""));
    workspace.apply().quiet();
    kirim.at(&workspace.sandbox).reset_elsewhere(kirim.examples[0].name);
    workspace.refresh().succeeded();
    assert_identity(&workspace);
    assert_eq!(workspace.state()["stale"], true);
    workspace.apply().succeeded();
    workspace.working_password();
    assert_identity(&workspace);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_key_that_was_revoked_externally_is_created_again() {
    let Some(workspace) = Workspace::with_identity() else { return };
    workspace.write(&block("this", SMTPD, ""));
    workspace.apply().quiet();
    let id = workspace.state()["remote_version"].as_str().expect("an id").to_owned();
    workspace.sandbox.smtpd().revoke(&id);
    workspace.apply().succeeded();
    assert_ne!(workspace.state()["remote_version"], id);
    workspace.working_password();
    assert_identity(&workspace);
}

fn pair(users: [&str; 2], text: &str) -> String {
    let [first, second] = users.map(|user| format!("{{ user_name = \"{user}\" }}"));
    format!(
        "resource \"smtp_credential_pair\" \"this\" {{\n  hubspot = [{first}, {second}]\n  rotation_trigger = \"{text}\"\n}}\n"
    )
}

#[track_caller]
fn assert_pair(workspace: &Workspace, current: &str, other: &str) {
    let id = format!("hubspot/{current},hubspot/{other}");
    assert_eq!(workspace.identity_of(PAIR), json!({ "id": id }));
    assert_eq!(workspace.state_of(PAIR)["current"], format!("hubspot/{current}"));
    workspace.working_password_of(PAIR);
    workspace.plan().nothing_to_do();
}

#[test]
fn the_identity_of_a_pair_begins_with_the_current_credential() {
    let [a, b, c] = ["a@example.com", "b@example.com", "c@example.com"];
    let Some(workspace) = Workspace::with_identity() else { return };
    for user in [a, b, c] {
        workspace.add_credential(user);
    }
    for (users, text, current, other) in [
        ([a, b], "one", a, b),
        ([a, b], "two", b, a),
        // The order of the list changes nothing, nor does another credential that is not in use.
        ([b, a], "two", b, a),
        ([b, c], "two", b, c),
        // The current one has left the list.
        ([c, a], "two", c, a),
        ([c, a], "three", a, c),
    ] {
        workspace.write(&pair(users, text));
        workspace.apply().succeeded();
        assert_pair(&workspace, current, other);
    }
    workspace.apply_with(&[&format!("-replace={PAIR}")]).succeeded();
    assert_pair(&workspace, c, a);

    // A rotation that fails keeps the current one.
    workspace.write(&pair([c, a], "four"));
    workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    workspace.apply().failed();
    assert_eq!(workspace.identity_of(PAIR)["id"], format!("hubspot/{c},hubspot/{a}"));
    workspace.working_password_of(PAIR);
    workspace.apply().succeeded();
    assert_pair(&workspace, a, c);

    // The identity imports the same pair.
    let identity = workspace.identity_of(PAIR)["id"].as_str().expect("an id").to_owned();
    workspace.run(&["state", "rm", PAIR]).succeeded();
    workspace.write(&(import(PAIR, &identity) + &pair([a, c], "four")));
    workspace.apply().succeeded();
    assert_eq!(workspace.identity_of(PAIR), json!({ "id": identity }));
    assert_eq!(workspace.state_of(PAIR)["current"], format!("hubspot/{a}"));
}

#[test]
fn a_moved_pair_gets_its_identity_with_its_second_credential() {
    let Some(workspace) = Workspace::with_identity() else { return };
    workspace.add_credential("b@example.com");
    workspace.write(&credential("rotation_trigger = \"one\""));
    workspace.apply().quiet();
    let moved = format!("moved {{\n  from = {ADDRESS}\n  to   = {PAIR}\n}}\n");
    workspace.write(&(pair([USER, "b@example.com"], "one") + &moved));
    workspace.apply().quiet();
    assert_eq!(workspace.addresses(), [PAIR]);
    assert_pair(&workspace, USER, "b@example.com");
    assert_eq!(workspace.resets(), 1);
}

fn import(address: &str, id: &str) -> String {
    format!("import {{\n  to       = {address}\n  identity = {{ id = \"{id}\" }}\n}}\n")
}

#[test]
fn an_import_by_identity_is_an_import_by_id() {
    for vendor in VENDORS {
        let Some(workspace) = Workspace::with_identity() else { return };
        let name = vendor.examples[0].name;
        let id = if vendor.makes_successors {
            format!("{}/{}", vendor.name, workspace.add(vendor, name).expect("a key has an id"))
        } else {
            let values = vendor.fields(name).into_iter().map(|(_, value)| value);
            std::iter::once(vendor.name.to_owned()).chain(values).collect::<Vec<_>>().join("/")
        };
        workspace.write(&(import(ADDRESS, &id) + &block("this", &vendor.argument(name), "")));
        workspace.apply().succeeded();
        assert_eq!(workspace.identity_of(ADDRESS), json!({ "id": id }));
        assert_eq!(workspace.state()["password"], Value::Null);
        assert_eq!(workspace.resets_everywhere(), 0);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn an_identity_that_names_nothing_known_is_an_error() {
    for (address, identity, summary, words) in [
        (ADDRESS, "nobody/x", "Invalid import id", "starts with an unknown vendor"),
        (ADDRESS, "", "Invalid import id", "has no vendor before a `/`"),
        (ADDRESS, "hubspot/x@y,hubspot/z@y", "Invalid import id", "has the form `hubspot/<user_name>`"),
        (PAIR, "hubspot/x@y,hostup/acct_1/z@y", "Invalid import id", "names two vendors"),
    ] {
        let Some(workspace) = Workspace::with_identity() else { return };
        let resource = if address == PAIR { pair(["x@y", "z@y"], "one") } else { credential("") };
        workspace.write(&(import(address, identity) + &resource));
        workspace.plan().error().is(summary).says(&[words]);
    }
}

/// A state of an earlier release has no identity.
#[test]
fn a_state_without_an_identity_gets_one_with_its_next_refresh() {
    let Some(workspace) = Workspace::with_identity() else { return };
    workspace.write(&credential(""));
    workspace.apply().quiet();
    let path = workspace.path("terraform.tfstate");
    let mut state: Value = serde_json::from_slice(&std::fs::read(&path).expect("the state")).expect("JSON");
    let instance = state["resources"][0]["instances"][0].as_object_mut().expect("an instance");
    instance.remove("identity");
    instance.remove("identity_schema_version");
    std::fs::write(&path, state.to_string()).expect("the state can be written");
    assert_eq!(workspace.identity_of(ADDRESS), Value::Null);
    workspace.plan().nothing_to_do();
    workspace.refresh().succeeded();
    assert_identity(&workspace);
    assert_eq!(workspace.resets(), 1);
}

//! Create, rotate, read, destroy.

use serde_json::{Value, json};

use super::scene::{A, B, HOSTUP, PAIR, hubspot, resets, trigger, turn, vendors, works_as, workspace};
use crate::support::Workspace;

#[test]
fn credentials_take_turns_at_every_vendor_and_the_one_in_use_is_never_touched() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::new() else { return };
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        let [a, b] = [A, B].map(|user| vendor.id(user));
        let write = |text: &str| workspace.write(&vendor.pair([A, B], &trigger(text)));
        write("one");
        workspace.apply().quiet();
        let mut before = works_as(&workspace, A);
        assert_eq!(turn(&workspace), (json!(a), Value::Null));
        assert_eq!(workspace.state_of(PAIR)["id"], format!("{a},{b}"));
        workspace.plan().nothing_to_do();

        for (text, user, id, [old, old_id]) in
            [("two", B, &b, [A, &a]), ("three", A, &a, [B, &b]), ("four", B, &b, [A, &a])]
        {
            write(text);
            let version = workspace.state_of(PAIR)["rotation_version"].as_i64();
            let plan = workspace.plan_with(&["-out=plan"]).quiet();
            assert_eq!(plan.action(PAIR).as_deref(), Some("update"));
            let planned = &workspace.saved_plan()["resource_changes"][0]["change"]["after"];
            assert_eq!([&planned["current"], &planned["previous"]], [&json!(id), &json!(old_id)]);
            workspace.apply_with(&["plan"]).quiet();
            let after = works_as(&workspace, user);
            assert_eq!(turn(&workspace), (json!(id), json!(old_id)));
            assert!(workspace.logs_in_as(old, &before), "{vendor:?}: the previous password still works");
            assert!(workspace.state_of(PAIR)["rotation_version"].as_i64() > version);
            workspace.plan().nothing_to_do();
            before = after;
        }
        assert_eq!(workspace.resets_everywhere(), 4);
        workspace.destroy().quiet();
        assert_eq!(workspace.resets_everywhere(), 4);
        assert!(workspace.logs_in_as(B, &before), "a destroy leaves the passwords");
    }
}

#[test]
fn settings_that_rotate_nothing_keep_the_password_known() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    for argument in ["timeouts = { create = \"90s\" }", "smtp_port = 465", "on_external_change = \"ignore\"", ""] {
        workspace.write(&hubspot([A, B], &format!("{}\n  {argument}", trigger("one"))));
        workspace.apply().quiet();
        workspace.plan().nothing_to_do();
    }
    assert_eq!((works_as(&workspace, A), resets(&workspace)), (password, [1, 0, 0]));
}

#[test]
fn a_trigger_that_is_not_known_yet_rotates_only_if_it_turns_out_different() {
    let Some(workspace) = workspace() else { return };
    let write = |input: &str, replacement: &str| {
        let data = format!(
            "resource \"terraform_data\" \"version\" {{\n  input = \"{input}\"\n  triggers_replace = \"{replacement}\"\n}}\n"
        );
        workspace.write(&(data + &hubspot([A, B], "rotation_trigger = terraform_data.version.output")));
    };
    write("one", "before");
    workspace.apply().quiet();
    let state = workspace.state_of(PAIR);
    write("one", "after");
    assert_eq!(workspace.plan().quiet().action(PAIR).as_deref(), Some("update"));
    workspace.apply().quiet();
    assert_eq!((workspace.state_of(PAIR), resets(&workspace)), (state, [1, 0, 0]));
    write("two", "after");
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert_eq!(resets(&workspace), [1, 1, 0]);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_policy_rotates_to_the_other_credential() {
    let Some(workspace) = Workspace::new() else { return };
    for user in [A, B] {
        HOSTUP.open(&workspace, user);
    }
    workspace.write(&HOSTUP.pair([A, B], ""));
    workspace.apply().quiet();
    let old = works_as(&workspace, A);
    workspace.write(&HOSTUP.pair([A, B], "password_policy = { length = 20 }"));
    workspace.apply().quiet();
    assert_eq!(works_as(&workspace, B).len(), 20);
    assert!(workspace.logs_in_as(A, &old));
    workspace.plan().nothing_to_do();
}

/// A rotation costs no more requests than that of a single credential, plus one look-up.
#[test]
fn a_rotation_asks_for_no_more_than_one_look_up_in_addition() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::new() else { return };
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        let count = |arguments: &dyn Fn(&str) -> String| {
            for text in ["one", "two"] {
                workspace.sandbox.forget_requests();
                workspace.write(&arguments(text));
                workspace.apply_with(&["-refresh=false"]).quiet();
            }
            let count = workspace.sandbox.requests().len();
            workspace.destroy_with(&["-refresh=false"]).quiet();
            count
        };
        let single = count(&|text| {
            let target = format!("{} = {}", vendor.name(), vendor.element(A));
            crate::support::block("this", &target, &format!("{}\n  rotation_mode = \"in_place\"", trigger(text)))
        });
        let pair = count(&|text| vendor.pair([A, B], &trigger(text)));
        assert!(pair <= single + 1, "{vendor:?}: {pair} requests, and {single} for a single one");
    }
}

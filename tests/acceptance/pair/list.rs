//! Changes of the list.

use sandbox::HostUp;
use serde_json::{Value, json};

use super::scene::{
    A, B, C, HOSTUP, HUBSPOT, KIRIM_EMAIL, PAIR, block, hubspot, resets, trigger, turn, works_as, workspace,
};
use crate::support::Workspace;

#[test]
fn nothing_is_reset_while_the_current_credential_is_in_the_list() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    for users in [[B, A], [C, A], [A, C], [A, B]] {
        workspace.write(&hubspot(users, &trigger("one")));
        assert_eq!(workspace.plan().quiet().action(PAIR).as_deref(), Some("update"));
        workspace.apply().quiet();
        let state = workspace.state_of(PAIR);
        let [first, second] = users.map(|user| HUBSPOT.id(user));
        assert_eq!(state["id"], format!("{first},{second}"));
        assert_eq!((&state["previous"], &state["password"]), (&Value::Null, &json!(password)));
        workspace.plan().nothing_to_do();
    }
    assert_eq!(resets(&workspace), [1, 0, 0]);
    works_as(&workspace, A);
    // In the order of another list, the next rotation still resets the other one.
    workspace.write(&hubspot([B, A], &trigger("two")));
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert!(workspace.logs_in_as(A, &password));
}

/// At `HostUp` an address is the same in other letters.
#[test]
fn another_spelling_of_the_current_credential_is_still_the_current_one() {
    let Some(workspace) = Workspace::new() else { return };
    for user in [A, B, C] {
        HOSTUP.open(&workspace, user);
    }
    workspace.write(&HOSTUP.pair([A, B], &trigger("one")));
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    for users in [["A@example.com", C], [B, "a@Example.com"]] {
        workspace.write(&HOSTUP.pair(users, &trigger("one")));
        workspace.apply().quiet();
        let spelled = users.into_iter().find(|user| user.eq_ignore_ascii_case(A)).expect("it is in the list");
        assert_eq!(turn(&workspace), (HOSTUP.id(spelled).into(), Value::Null));
        assert_eq!(workspace.state_of(PAIR)["password"], password);
        workspace.plan().nothing_to_do();
    }
    workspace.write(&HOSTUP.pair([B, A], &trigger("two")));
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert!(workspace.logs_in_as(A, &password));
}

#[test]
fn without_the_current_credential_the_first_of_the_new_list_takes_over() {
    let Some(workspace) = workspace() else { return };
    workspace.write(&hubspot([A, B], ""));
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    workspace.write(&hubspot([C, B], ""));
    workspace.apply().quiet();
    works_as(&workspace, C);
    assert_eq!(turn(&workspace), (HUBSPOT.id(C).into(), HUBSPOT.id(A).into()));
    assert!(workspace.logs_in_as(A, &password), "it was not touched");
    assert_eq!(resets(&workspace), [1, 0, 1]);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_pair_moves_to_another_vendor_and_leaves_a_password_that_works() {
    let Some(workspace) = workspace() else { return };
    KIRIM_EMAIL.open(&workspace, "k");
    KIRIM_EMAIL.open(&workspace, "l");
    for user in ["m@example.com", "n@example.com"] {
        HOSTUP.open(&workspace, user);
    }
    let mut before: Option<(&str, String, String)> = None;
    for (vendor, users) in
        [(HUBSPOT, [A, B]), (HOSTUP, ["m@example.com", "n@example.com"]), (KIRIM_EMAIL, ["k", "l"]), (HUBSPOT, [B, C])]
    {
        workspace.write(&vendor.pair(users, ""));
        workspace.apply().quiet();
        let password = works_as(&workspace, users[0]);
        let (current, previous) = turn(&workspace);
        assert_eq!(current, vendor.id(users[0]));
        match &before {
            Some((user, password, id)) => {
                assert_eq!(previous, *id);
                assert!(workspace.logs_in_as(user, password));
            }
            None => assert_eq!(previous, Value::Null),
        }
        workspace.plan().nothing_to_do();
        before = Some((users[0], password, vendor.id(users[0])));
    }
}

#[test]
fn an_element_that_is_not_known_yet_is_waited_for() {
    let Some(workspace) = workspace() else { return };
    let write = |input: &str, replacement: &str, list: &str| {
        let data = format!(
            "resource \"terraform_data\" \"user\" {{\n  input = \"{input}\"\n  triggers_replace = \"{replacement}\"\n}}\n"
        );
        workspace.write(&(data + &block(&format!("hubspot = [{list}]"), "")));
    };
    let late = "{ user_name = terraform_data.user.output }";
    let known = |user: &str| HUBSPOT.element(user);
    write(A, "1", &format!("{late}, {}", known(B)));
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    // The current credential is not among the known ones: a rotation is planned, and turns out not to be needed.
    write(A, "2", &format!("{late}, {}", known(B)));
    assert_eq!(workspace.plan().quiet().action(PAIR).as_deref(), Some("update"));
    workspace.apply().quiet();
    assert_eq!((works_as(&workspace, A), resets(&workspace)), (password, [1, 0, 0]));
    // It is among them: nothing is reset, whatever the other one turns out to be.
    write(C, "3", &format!("{}, {late}", known(A)));
    workspace.apply().quiet();
    assert_eq!(resets(&workspace), [1, 0, 0]);
    // It turns out to be gone from the list.
    write(C, "4", &format!("{late}, {}", known(B)));
    workspace.apply().quiet();
    works_as(&workspace, C);
    assert_eq!(resets(&workspace), [1, 0, 1]);
    workspace.plan().nothing_to_do();
}

#[test]
fn with_two_accounts_the_submission_server_is_that_of_the_account() {
    const OTHER: &str = "acct_01hxa3b4c5d6e7f8g9h0j1k2m4";
    let Some(workspace) = Workspace::new() else { return };
    let hostup = workspace.sandbox.hostup();
    HOSTUP.open(&workspace, A);
    hostup.add_account(1, OTHER);
    hostup.server_hostname(OTHER, Some("other.example.com"));
    workspace.add_mailbox(B);
    hostup.remove(B);
    hostup.add_mailbox(OTHER, B);
    let elements = [(HostUp::ACCOUNT_ID, A), (OTHER, B)]
        .map(|(account, user)| format!("{{ account_id = \"{account}\", address = \"{user}\" }}"));
    for (text, user, host) in [("one", A, "localhost"), ("two", B, "other.example.com"), ("three", A, "localhost")] {
        workspace.write(&block(&format!("hostup = [{}]", elements.join(", ")), &trigger(text)));
        workspace.apply().quiet();
        works_as(&workspace, user);
        assert_eq!(workspace.state_of(PAIR)["smtp_host"], host);
        workspace.plan().nothing_to_do();
    }
}

//! Bad input: a clear error at the argument at fault, and nothing is reset.

use super::scene::{A, B, C, HOSTUP, HUBSPOT, PAIR, block, hubspot, resets, said, trigger, works_as, workspace};
use crate::support::{MAILBOX, Workspace};

#[test]
fn a_list_names_two_different_credentials_of_one_vendor() {
    let Some(workspace) = workspace() else { return };
    let [a, b] = [A, B].map(|user| HUBSPOT.element(user));
    let long = "a".repeat(400);
    let mailbox = HOSTUP.element(MAILBOX);
    for (list, summary, words) in [
        (format!("hubspot = [{a}]"), "Invalid value for `hubspot`", "must list exactly two credentials"),
        (format!("hubspot = [{a}, {b}, {a}]"), "Invalid value for `hubspot`", "must list exactly two credentials"),
        ("hubspot = []".to_owned(), "Invalid value for `hubspot`", "must list exactly two credentials"),
        ("hubspot = null".to_owned(), "No credentials are set", "`hubspot`"),
        (format!("hubspot = [{a}, null]"), "Invalid value for `hubspot[1]`", "must not be null"),
        (format!("hubspot = [{a}, {a}]"), "Invalid value for `hubspot[1]`", "names the same credential"),
        (format!("hubspot = [{a}, {}]", a.replace("a@", "A@")), "Invalid value for `hubspot[1]`", "Case is ignored"),
        (
            "hubspot = [{ user_name = \"a,b\" }, { user_name = \"c\" }]".to_owned(),
            "Invalid value for `hubspot[0].user_name`",
            "must not contain a comma",
        ),
        (
            format!("hubspot = [{a}, {{ user_name = \"{long}\" }}]"),
            "Invalid value for `hubspot[1].user_name`",
            "must have at most 320 bytes",
        ),
        (
            format!("hubspot = [{a}, {b}]\n  hostup = [{mailbox}, {mailbox}]"),
            "More than one vendor is set",
            "`hostup`, `hubspot` are set",
        ),
        (
            "smtpd = [{ name = \"a\", role = \"send_only\" }, { name = \"b\", role = \"send_only\" }]".to_owned(),
            "A reset there makes a new credential",
            "Use `smtp_credential_password` with `retire_previous`",
        ),
    ] {
        workspace.write(&block(&list, ""));
        let error = workspace.validate().error().is(summary).says(&[words]);
        assert_eq!(error.address.as_deref(), Some(PAIR));
        workspace.apply().error().is(summary);
    }
    let policy = "password_policy = { length = 20 }";
    workspace.write(&hubspot([A, B], policy));
    workspace.apply().error().is("HubSpot generates the password itself").points_at(policy);
    workspace.write(&hubspot([A, B], "smtp_port = 0"));
    workspace.apply().error().is("Invalid value for `smtp_port`");
    workspace.write(&hubspot([A, B], "previous = \"hubspot/x\""));
    workspace.apply().error().is("`previous` cannot be set");
    assert_eq!((resets(&workspace), workspace.addresses().len()), ([0; 3], 0));
    assert_eq!(workspace.sandbox.requests().len(), 0);
}

#[test]
fn what_is_no_age_and_what_is_of_overlaps_is_refused() {
    let Some(workspace) = workspace() else { return };
    for age in ["", "0", "-1h", "59m", "-90d", "1d12h", "soon"] {
        let line = format!("rotate_after = \"{age}\"");
        workspace.write(&hubspot([A, B], &line));
        let error = workspace.validate().error().is("Invalid value for `rotate_after`").points_at(&line);
        error.says(&["of at least `1h`"]);
        workspace.apply().error().is("Invalid value for `rotate_after`");
    }
    for line in ["retire_previous = \"at_next_rotation\"", "rotation_mode = \"in_place\""] {
        workspace.write(&hubspot([A, B], line));
        workspace.validate().error().is("Unsupported argument").points_at(line);
        workspace.apply().failed();
    }
    assert_eq!((resets(&workspace), workspace.addresses().len()), ([0; 3], 0));
    assert_eq!(workspace.sandbox.requests().len(), 0);
}

#[test]
fn a_list_that_is_not_known_at_all_is_waited_for() {
    let Some(workspace) = workspace() else { return };
    let configuration = |users: &[&str]| {
        let list: Vec<_> = users.iter().map(|user| HUBSPOT.element(user)).collect();
        let data = format!("resource \"terraform_data\" \"list\" {{\n  input = [{}]\n}}\n", list.join(", "));
        data + &block("hubspot = terraform_data.list.output", "")
    };
    for users in [&[A][..], &[A, A], &[A, B, C]] {
        workspace.write(&configuration(users));
        workspace.validate().quiet();
        workspace.apply().failed();
        assert_eq!(resets(&workspace), [0; 3]);
    }
    workspace.write(&configuration(&[A, B]));
    workspace.apply().quiet();
    assert_eq!(resets(&workspace), [1, 0, 0]);
    works_as(&workspace, A);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_list_that_turns_out_wrong_is_refused_before_anything_is_reset() {
    let Some(workspace) = workspace() else { return };
    let data = |user: &str| format!("resource \"terraform_data\" \"user\" {{\n  input = \"{user}\"\n}}\n");
    let [a, late] = [HUBSPOT.element(A), "{ user_name = terraform_data.user.output }".to_owned()];
    for user in ["A@example.com", "x,y"] {
        workspace.write(&(data(user) + &block(&format!("hubspot = [{a}, {late}]"), "")));
        workspace.validate().quiet();
        workspace.apply().failed();
    }
    assert_eq!(resets(&workspace), [0; 3]);
    workspace.write(&(data(B) + &block(&format!("hubspot = [{a}, {late}]"), "")));
    workspace.apply().quiet();
    assert_eq!(resets(&workspace), [1, 0, 0]);
    workspace.plan().nothing_to_do();
}

/// One mailbox has two ids: its address and the one that `HostUp` gave it.
#[test]
fn one_mailbox_under_two_names_is_refused_before_anything_is_reset() {
    let Some(workspace) = Workspace::new() else { return };
    let id = workspace.add_mailbox(A);
    workspace.add_mailbox(B);
    let names = [A.to_owned(), id];
    for [one, other] in [[0, 1], [1, 0]].map(|order| order.map(|index| names[index].as_str())) {
        workspace.write(&HOSTUP.pair([one, other], ""));
        let error = workspace.apply().error().is("Both credentials are the same mailbox");
        error.says(&["The password was not changed.", &format!("`{A}`")]);
        assert_eq!((workspace.sandbox.hostup().resets(A), workspace.addresses().len()), (0, 0));
    }
    // It is noticed also where one of them is the current credential.
    for current in &names {
        workspace.write(&HOSTUP.pair([current, B], &trigger("one")));
        workspace.apply().quiet();
        let (resets, password) = (workspace.sandbox.hostup().resets(A), workspace.working_password_of(PAIR));
        let other = names.iter().find(|name| name != &current).expect("the other name");
        let both =
            ("Both credentials are the same mailbox", "List two credentials with different user names.".to_owned());
        let [is, of_other] = [current, other].map(|name| HOSTUP.id(name));
        let advice = format!("Replace `{of_other}` in the list with `{is}`, or with another credential.");
        let outside = ("The current credential is the same mailbox", advice);
        let nobody = "nobody@example.com";
        for (list, (summary, advice)) in [
            ([current.as_str(), other.as_str()], &both),
            ([other.as_str(), B], &outside),
            ([other.as_str(), nobody], &outside),
        ] {
            workspace.write(&HOSTUP.pair(list, &trigger("two")));
            let run = workspace.apply().failed();
            let error = said(&run, summary);
            error.says(&["The password was not changed.", &format!("`{A}`"), &format!("`{is}`"), &of_other, advice]);
            assert_eq!(workspace.working_password_of(PAIR), password);
            assert_eq!(workspace.sandbox.hostup().resets(A), resets);
        }
        workspace.destroy().quiet();
    }
}

//! `rotate_after`: a pair takes turns by the age of the password that is in use.

use serde_json::{Value, json};

use super::scene::{A, B, PAIR, hubspot, resets, trigger, turn, vendors, works_as, workspace};
use crate::{rotate_after::age_of, support::Workspace};

const AGE: &str = "rotate_after = \"90d\"";

#[test]
fn a_password_that_is_too_old_is_followed_by_that_of_the_other_credential() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::new() else { return };
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        workspace.write(&vendor.pair([A, B], AGE));
        workspace.apply().quiet();
        let old = works_as(&workspace, A);
        assert_eq!(workspace.state_of(PAIR)["rotation_due"], false);
        workspace.plan().nothing_to_do();

        age_of(&workspace, PAIR);
        workspace.plan_with(&["-refresh=false"]).nothing_to_do();
        assert_eq!(workspace.plan().quiet().action(PAIR).as_deref(), Some("update"));
        assert_eq!(workspace.resets_everywhere(), 1, "a plan resets nothing");
        workspace.apply().quiet();
        works_as(&workspace, B);
        assert_eq!(turn(&workspace), (json!(vendor.id(B)), json!(vendor.id(A))));
        assert_eq!(workspace.state_of(PAIR)["rotation_due"], false);
        assert!(workspace.logs_in_as(A, &old), "{vendor:?}: the previous password still works");
        assert_eq!(workspace.resets_everywhere(), 2);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn another_age_rotates_nothing_and_age_with_a_trigger_rotates_once() {
    let Some(workspace) = workspace() else { return };
    let write = |age: &str, text: &str| workspace.write(&hubspot([A, B], &format!("{age}\n  {}", trigger(text))));
    write(AGE, "one");
    workspace.apply().quiet();
    let password = works_as(&workspace, A);
    age_of(&workspace, PAIR);
    workspace.refresh().quiet();
    assert_eq!(workspace.state_of(PAIR)["rotation_due"], true);
    for age in ["rotate_after = \"30d\"", "", "rotate_after = \"36500d\""] {
        write(age, "one");
        workspace.apply().quiet();
        assert_eq!(workspace.state_of(PAIR)["rotation_due"], false, "{age}");
    }
    assert_eq!((works_as(&workspace, A), resets(&workspace)), (password, [1, 0, 0]));

    write(AGE, "one");
    workspace.apply().quiet();
    workspace.refresh().quiet();
    write(AGE, "two");
    workspace.apply().quiet();
    works_as(&workspace, B);
    assert_eq!(resets(&workspace), [1, 1, 0]);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_credential_that_this_provider_has_never_reset_is_never_due() {
    let Some(workspace) = workspace() else { return };
    let ids = [A, B].map(|user| format!("hubspot/{user}")).join(",");
    workspace.write(&hubspot([A, B], AGE));
    workspace.run(&["import", "-no-color", "-input=false", PAIR, &ids]).succeeded();
    workspace.apply().quiet();
    let state = workspace.state_of(PAIR);
    assert_eq!((&state["rotated_at"], &state["rotation_due"]), (&Value::Null, &json!(false)));
    assert_eq!(resets(&workspace), [0, 0, 0]);
    workspace.plan().nothing_to_do();
}

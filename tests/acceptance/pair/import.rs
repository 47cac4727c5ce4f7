//! Taking over two credentials that exist, without touching either.

use serde_json::Value;

use super::scene::{A, B, HOSTUP, HUBSPOT, PAIR, hubspot, resets, trigger, turn, vendors, works_as, workspace};
use crate::support::Workspace;

fn import(workspace: &Workspace, id: &str) -> crate::support::Run {
    workspace.run(&["import", "-no-color", "-input=false", PAIR, id])
}

#[test]
fn an_import_touches_nothing_and_the_trigger_is_adopted() {
    for vendor in vendors() {
        let Some(workspace) = Workspace::new() else { return };
        for user in [A, B] {
            vendor.open(&workspace, user);
        }
        let old = [A, B].map(|user| workspace.sandbox.hubspot().password(user).expect("a password"));
        let [a, b] = [A, B].map(|user| vendor.id(user));
        workspace.write(&vendor.pair([A, B], ""));
        import(&workspace, &format!("{a},{b}")).succeeded();
        let state = workspace.state_of(PAIR);
        assert_eq!((&state["current"], &state["id"]), (&Value::from(a.clone()), &Value::from(format!("{a},{b}"))));
        assert_eq!(state["username"], A);
        for unknown in ["password", "previous", "rotated_at", "remote_version"] {
            assert_eq!(state[unknown], Value::Null, "{unknown}");
        }
        workspace.plan().nothing_to_do();

        workspace.write(&vendor.pair([A, B], &trigger("one")));
        let warning = workspace.plan().warning().is("No reset after the import");
        warning.says(&["The password of the current one is not known."]);
        workspace.apply().succeeded();
        assert_eq!((workspace.resets_everywhere(), &workspace.state_of(PAIR)["password"]), (0, &Value::Null));
        assert!([A, B].iter().zip(&old).all(|(user, password)| workspace.logs_in_as(user, password)));
        workspace.plan().nothing_to_do();

        workspace.write(&vendor.pair([A, B], &trigger("two")));
        workspace.apply().quiet();
        works_as(&workspace, B);
        assert_eq!(turn(&workspace), (b.into(), a.into()));
        assert!(workspace.logs_in_as(A, &old[0]), "{vendor:?}: the first is never touched");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn the_first_id_is_the_current_credentials_wherever_the_configuration_has_it() {
    let Some(workspace) = workspace() else { return };
    let [a, b] = [A, B].map(|user| HUBSPOT.id(user));
    let block = format!("import {{\n  to = {PAIR}\n  id = \"{b},{a}\"\n}}\n");
    workspace.write(&(block + &hubspot([A, B], "")));
    workspace.apply().quiet();
    assert_eq!(turn(&workspace), (b.clone().into(), Value::Null));
    assert_eq!(workspace.state_of(PAIR)["id"], format!("{a},{b}"));
    workspace.write(&hubspot([A, B], &trigger("one")));
    workspace.apply().succeeded();
    workspace.write(&hubspot([A, B], &trigger("two")));
    workspace.apply().quiet();
    works_as(&workspace, A);
    assert_eq!(resets(&workspace), [1, 0, 0]);
}

#[test]
fn a_bad_import_id_is_explained() {
    let Some(workspace) = workspace() else { return };
    let mailbox = workspace.add_mailbox("m@example.com");
    workspace.write(&hubspot([A, B], ""));
    let [a, b] = [A, B].map(|user| HUBSPOT.id(user));
    let account = HOSTUP.id("m@example.com");
    let by_id = HOSTUP.id(&mailbox);
    for (id, words) in [
        (a.clone(), "does not have two parts"),
        (format!("{a},{b},{a}"), "does not have two parts"),
        (format!("{a},"), "has no vendor before a `/`"),
        (format!("{a},{a}"), "names the same credential"),
        (format!("{a},{}", a.to_uppercase().replace("HUBSPOT", "hubspot")), "names the same credential"),
        (format!("{a},{account}"), "names two vendors"),
        (format!("{account},{by_id}"), "Both credentials are the same mailbox"),
        ("smtpd/1,smtpd/2".to_owned(), "A reset there makes a new credential"),
        (format!("{a},hubspot/nobody"), "HubSpot does not know this credential"),
        (format!("hubspot/nobody,{a}"), "HubSpot does not know this credential"),
    ] {
        let run = import(&workspace, &id).failed();
        // For people, lines are broken and framed.
        let text = run.stderr.split(['\n', '│', ' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        assert!(text.contains(words), "{id}: {run}");
    }
    assert_eq!((workspace.addresses().len(), resets(&workspace)), (0, [0; 3]));
}

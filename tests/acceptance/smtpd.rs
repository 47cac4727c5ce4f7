//! SMTPD, where a reset makes an API key and revokes the one that it replaces.

use serde_json::Value;

use crate::{
    sandbox::{ApiKey, Effect, Fault, KeyState, Operation, Role},
    support::{ADDRESS, Workspace},
};

const DELETE_FIRST: &str = "";
const CREATE_FIRST: &str = "lifecycle { create_before_destroy = true }";
const IN_PLACE: &str = "rotation_mode = \"in_place\"";
const ORDERS: [&str; 3] = [DELETE_FIRST, CREATE_FIRST, IN_PLACE];
const NAME: &str = "newsletter";

#[test]
fn a_rotation_makes_the_new_key_before_it_revokes_the_old_one() {
    for order in ORDERS {
        let Some(workspace) = rotating(order) else { return };
        let old = current(&workspace);
        workspace.sandbox.forget_requests();
        workspace.apply().quiet();
        assert_ne!(current(&workspace).id, old.id);
        assert_eq!(state_of(&workspace, &old), KeyState::Revoked, "{order}");
        let made = ("POST", "/api/v1/account/api_key".to_owned());
        let revoked = ("PUT", format!("/api/v1/account/api_key/{}/revoke", old.id));
        assert_eq!(changes(&workspace), [made, revoked], "{order}");
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_replacement_for_another_reason_does_the_same() {
    let reasons: [fn(&Workspace) -> Vec<&str>; 4] = [
        |workspace| {
            workspace.run(&["taint", "-no-color", ADDRESS]).succeeded();
            vec![]
        },
        |_| vec!["-replace=smtp_credential_password.this"],
        |workspace| {
            workspace.write(&key("mailer", "send_only", ""));
            vec![]
        },
        |workspace| {
            workspace.write(&key(NAME, "standard", ""));
            workspace.plan_with(&["-out=plan"]).quiet();
            vec!["plan"]
        },
    ];
    for (number, reason) in reasons.into_iter().enumerate() {
        let Some(workspace) = rotating(DELETE_FIRST) else { return };
        let old = current(&workspace);
        let options = reason(&workspace);
        workspace.sandbox.forget_requests();
        workspace.apply_with(&options).quiet();
        assert_eq!(state_of(&workspace, &old), KeyState::Revoked, "reason {number}");
        assert_eq!(changes(&workspace).iter().map(|(method, _)| *method).collect::<Vec<_>>(), ["POST", "PUT"]);
        workspace.working_password();
    }
}

#[test]
fn a_process_logs_in_once_and_gives_its_login_back() {
    let Some(workspace) = rotating(IN_PLACE) else { return };
    workspace.sandbox.forget_requests();
    workspace.apply().quiet();
    let requests = workspace.sandbox.requests();
    let count = |path: &str| requests.iter().filter(|request| request.path == path).count();
    // One process for the plan with its refresh, and one for the apply.
    assert_eq!((count("/oauth/token?grant_type=password"), count("/oauth/me")), (2, 1));
    let logouts: Vec<_> = requests.iter().filter(|request| request.path == "/oauth/revoke").collect();
    assert_eq!(logouts.iter().map(|logout| logout.status).collect::<Vec<_>>(), [Some(200), Some(200)]);
}

#[test]
fn a_reset_that_fails_leaves_the_old_key_working() {
    for order in ORDERS {
        for (fault, outcome) in [
            (Fault::status(403).before(), "The password was not changed."),
            (Fault::status(500).before(), "The password may have been changed."),
            (Fault::new(Effect::Close), "The password may have been changed."),
            (Fault::new(Effect::Truncate(10)), "The password was changed."),
        ] {
            let Some(workspace) = rotating(order) else { return };
            let (old, state) = (current(&workspace), workspace.state());
            workspace.sandbox.fault(fault.on(Operation::Reset));
            let error = workspace.apply().error().says(&[outcome]);
            assert_eq!(state_of(&workspace, &old), KeyState::Active, "{order}");
            if order == DELETE_FIRST {
                error.says(&[&format!("The credential from before, `{}`, still works", old.id)]);
                assert!(workspace.addresses().is_empty());
            } else {
                assert_eq!(workspace.state(), state, "{order}");
                workspace.working_password();
            }
            workspace.apply().quiet();
            workspace.working_password();
        }
    }
}

#[test]
fn a_reset_that_cannot_work_deletes_nothing() {
    for order in ORDERS {
        let Some(mut workspace) = rotating(order) else { return };
        let (old, state) = (current(&workspace), workspace.state());
        workspace.set("SMTPD_API_SECRET", "wrong");
        let error = workspace.apply_with(&["-refresh=false"]).error().is("SMTPD refused the credentials");
        error.says(&["403 40102", "The password was not changed.", "Check `api_key` and `api_secret`"]);
        assert_eq!(workspace.state(), state, "{order}");
        assert_eq!(state_of(&workspace, &old), KeyState::Active);
    }
}

#[test]
fn a_revocation_that_fails_keeps_the_new_key_and_names_the_old_one() {
    for order in [DELETE_FIRST, IN_PLACE] {
        let Some(workspace) = rotating(order) else { return };
        let old = current(&workspace);
        workspace.sandbox.fault(Fault::status(403).on(Operation::Revoke).before());
        let warning = workspace.apply().warning().is("The old credential may still be valid");
        warning.says(&["The password was changed.", &format!("Revoke `{}` by hand.", old.id)]);
        assert_ne!(workspace.state()["remote_version"], Value::from(old.id.as_str()));
        assert_eq!(state_of(&workspace, &old), KeyState::Active);
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_deposed_key_is_revoked_by_the_next_apply_where_the_first_could_not() {
    let Some(workspace) = rotating(CREATE_FIRST) else { return };
    let old = current(&workspace);
    workspace.sandbox.fault(Fault::status(403).on(Operation::Revoke).before());
    workspace.apply().error().is("SMTPD denied the access");
    let new = workspace.state()["remote_version"].clone();
    assert_ne!(new, Value::from(old.id.as_str()));
    workspace.working_password();

    workspace.sandbox.forget_requests();
    workspace.apply().quiet();
    assert_eq!(state_of(&workspace, &old), KeyState::Revoked);
    assert_eq!(workspace.state()["remote_version"], new);
    let revoked = ("PUT", format!("/api/v1/account/api_key/{}/revoke", old.id));
    assert_eq!(changes(&workspace), [revoked]);
}

#[test]
fn a_destroy_revokes_the_key_in_the_state_and_nothing_else() {
    let Some(workspace) = rotating(DELETE_FIRST) else { return };
    let own = current(&workspace);
    let namesake = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly);
    workspace.destroy().quiet();
    for key in workspace.sandbox.smtpd().keys() {
        assert_eq!(key.state == KeyState::Revoked, key.id == own.id, "{}", key.name);
    }
    assert_eq!(state_of(&workspace, &namesake), KeyState::Active);
}

#[test]
fn a_destroy_of_what_is_gone_succeeds() {
    let ways: [fn(&Workspace, &str); 2] =
        [|workspace, id| workspace.sandbox.smtpd().revoke(id), |workspace, id| workspace.sandbox.smtpd().remove(id)];
    for gone in ways {
        let Some(workspace) = rotating(DELETE_FIRST) else { return };
        gone(&workspace, &current(&workspace).id);
        workspace.destroy_with(&["-refresh=false"]).quiet();
        assert!(workspace.addresses().is_empty());
    }
}

#[test]
fn a_key_that_somebody_revoked_is_made_anew() {
    let Some(workspace) = rotating(IN_PLACE) else { return };
    workspace.sandbox.smtpd().revoke(&current(&workspace).id);
    let plan = workspace.plan();
    assert_eq!(plan.action(ADDRESS).as_deref(), Some("create"));
    plan.warning().is("A stored password was dropped");
    workspace.apply().succeeded();
    current(&workspace);
}

#[test]
fn an_import_by_id_adopts_the_role_and_the_next_change_rotates() {
    for order in ORDERS {
        let Some(workspace) = Workspace::new() else { return };
        let before = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly);
        workspace.write(&key(NAME, "send_only", order));
        workspace.import(&format!("smtpd/{}", before.id)).succeeded();
        let state = workspace.state();
        for (name, value) in
            [("id", format!("smtpd/{NAME}")), ("username", before.key.clone()), ("remote_version", before.id.clone())]
        {
            assert_eq!(state[name], value, "{name}");
        }
        assert_eq!((&state["password"], &state["rotated_at"]), (&Value::Null, &Value::Null));

        let plan = workspace.plan();
        assert_eq!(plan.action(ADDRESS).as_deref(), Some("update"));
        plan.warning().says(&["Adopted without a reset.", "`smtpd.role`"]);
        workspace.apply().succeeded();
        assert_eq!(workspace.sandbox.smtpd().resets(NAME), 0);
        workspace.plan().nothing_to_do();

        workspace.write(&key(NAME, "standard", order));
        workspace.apply().quiet();
        assert_eq!(state_of(&workspace, &before), KeyState::Revoked, "{order}");
        assert_eq!(current(&workspace).role, Role::Standard);
    }
}

#[test]
fn what_is_revoked_or_unknown_cannot_be_imported() {
    let Some(workspace) = Workspace::new() else { return };
    let revoked = workspace.sandbox.smtpd().add_key(NAME, Role::SendOnly).id;
    workspace.sandbox.smtpd().revoke(&revoked);
    workspace.write(&key(NAME, "send_only", ""));
    for id in [&*revoked, "another"] {
        let run = workspace.import(&format!("smtpd/{id}")).failed();
        assert!(run.stderr.contains("no active credential with this id"), "{run}");
    }
}

#[test]
fn the_provider_does_not_revoke_the_key_that_it_is_logged_in_with() {
    for order in [DELETE_FIRST, IN_PLACE] {
        let Some(workspace) = Workspace::new() else { return };
        let own = workspace.sandbox.smtpd().login_key().clone();
        workspace.write(&key(&own.name, "iac", order));
        workspace.import(&format!("smtpd/{}", own.id)).succeeded();
        workspace.apply().succeeded();
        let state = workspace.state();

        workspace.write(&key(&own.name, "iac", &format!("{order}\n  rotation_trigger = \"one\"")));
        workspace.apply().succeeded();
        workspace.write(&key(&own.name, "iac", &format!("{order}\n  rotation_trigger = \"two\"")));
        workspace.sandbox.forget_requests();
        for refused in [workspace.apply(), workspace.destroy()] {
            let error = refused.error().is("The provider logs in with this credential");
            error.says(&["was not asked", "The password was not changed.", "Log in to SMTPD with another credential"]);
        }
        assert_eq!(changes(&workspace), []);
        assert_eq!(workspace.state()["remote_version"], state["remote_version"]);
    }
}

#[test]
fn created_first_the_providers_own_key_gets_a_successor_to_log_in_with() {
    let Some(mut workspace) = Workspace::new() else { return };
    let own = workspace.sandbox.smtpd().login_key().clone();
    let config = |trigger: &str| key(&own.name, "iac", &format!("{CREATE_FIRST}\n  rotation_trigger = \"{trigger}\""));
    workspace.write(&config("one"));
    workspace.import(&format!("smtpd/{}", own.id)).succeeded();
    workspace.apply().succeeded();
    workspace.write(&config("two"));
    workspace.apply().error().is("The provider logs in with this credential");
    assert_eq!(state_of(&workspace, &own), KeyState::Active);

    let secret = workspace.working_password();
    let key = workspace.state()["username"].as_str().expect("a key").to_owned();
    workspace.set("SMTPD_API_KEY", &key);
    workspace.set("SMTPD_API_SECRET", &secret);
    workspace.apply().quiet();
    assert_eq!(state_of(&workspace, &own), KeyState::Revoked);
    workspace.plan().nothing_to_do();
}

#[test]
fn a_user_takes_the_place_of_a_key() {
    let Some(mut workspace) = Workspace::new() else { return };
    workspace.sandbox.smtpd().add_user("jack@example.com", "pass word");
    workspace.keep_secret("pass word");
    for variable in ["SMTPD_API_KEY", "SMTPD_API_SECRET"] {
        workspace.unset(variable);
    }
    workspace.set("SMTPD_USERNAME", "jack@example.com");
    workspace.set("SMTPD_PASSWORD", "pass word");
    workspace.write(&key(NAME, "send_only", ""));
    workspace.apply().quiet();
    current(&workspace);
}

#[test]
fn a_role_that_does_not_exist_is_refused() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&key(NAME, "admin", ""));
    let error = workspace.plan().error();
    error.is("Invalid value for `smtpd.role`").says(&["must be `iac`, `read_only`, `send_only` or `standard`"]);
}

/// A workspace in which the first apply is done, and the next one rotates.
fn rotating(order: &str) -> Option<Workspace> {
    let workspace = Workspace::new()?;
    workspace.write(&key(NAME, "send_only", &format!("{order}\n  rotation_trigger = \"one\"")));
    workspace.apply().quiet();
    current(&workspace);
    workspace.write(&key(NAME, "send_only", &format!("{order}\n  rotation_trigger = \"two\"")));
    Some(workspace)
}

fn key(name: &str, role: &str, arguments: &str) -> String {
    format!(
        "resource \"smtp_credential_password\" \"this\" {{\n  smtpd = {{\n    name = \"{name}\"\n    role = \"{role}\"\n  }}\n  {arguments}\n}}\n"
    )
}

/// The key in the state, which is the only one of its name that works.
fn current(workspace: &Workspace) -> ApiKey {
    let secret = workspace.working_password();
    let active = |key: &ApiKey| key.name == NAME && key.state == KeyState::Active;
    let [key] = &*workspace.sandbox.smtpd().keys().into_iter().filter(active).collect::<Vec<_>>() else {
        panic!("one key works");
    };
    let state = workspace.state();
    let known = [("remote_version", &key.id), ("username", &key.key), ("id", &format!("smtpd/{NAME}"))];
    assert!(known.iter().all(|(name, value)| state[name] == **value) && key.secret == secret, "{state}");
    key.clone()
}

fn state_of(workspace: &Workspace, key: &ApiKey) -> KeyState {
    let keys = workspace.sandbox.smtpd().keys();
    keys.iter().find(|known| known.id == key.id).expect("a key that is there").state
}

/// The requests that made or revoked keys.
fn changes(workspace: &Workspace) -> Vec<(&'static str, String)> {
    let requests = workspace.sandbox.requests().into_iter();
    let changes = requests.filter(|request| !request.path.starts_with("/oauth/"));
    let methods = changes.filter_map(|request| {
        let method = ["POST", "PUT"].into_iter().find(|method| *method == request.method)?;
        Some((method, request.path))
    });
    methods.collect()
}

//! Responses that prove nothing.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use super::{
    api::{Api, CREATE, LOGIN, RESET, resource},
    recipe::{Ending, Fixture, Vendor},
};
use crate::support::Workspace;

/// A fixture whose reset gets another response with status 200.
fn with_response(recipe: &str, body: Value) -> Fixture {
    let mut fixture = Fixture::of(recipe);
    fixture.refusal = Some(body);
    fixture
}

#[test]
fn a_success_that_is_not_as_described_may_have_changed_the_password() {
    for (recipe, body, resets) in [
        // The caller makes the password, so the same request is sent again.
        ("mailu", json!({ "code": 500, "message": "Something" }), 4),
        ("mailcow", json!([{ "type": "success", "msg": "a" }, { "type": "danger", "msg": "b" }]), 4),
        // The API makes it, so the request is sent once.
        ("lettermint", json!({ "message": "Rotated.", "data": {} }), 1),
    ] {
        let Some(mut workspace) = Workspace::new() else { return };
        let fixture = with_response(recipe, body.clone());
        let vendor = Vendor::start(&fixture, &mut workspace);
        vendor.end_with(Ending::Success);
        vendor.configure(&workspace, "one");
        workspace.apply().quiet();
        let before = vendor.resets();

        vendor.end_with(Ending::Refusal);
        vendor.configure(&workspace, "two");
        workspace.apply().error().says(&["The password may have been changed."]);
        assert_eq!(vendor.resets() - before, resets, "{recipe} {body}");
        vendor.assert_documented();
    }
}

#[test]
fn a_password_is_stored_even_if_the_response_is_not_as_described() {
    let Some(mut workspace) = Workspace::new() else { return };
    let vendor = Vendor::start(&Fixture::of("lettermint"), &mut workspace);
    vendor.end_with(Ending::Success);
    let place = "password = \"/new_token\"";
    vendor.configure_with(&workspace, "one", |text| {
        assert!(text.contains(place));
        text.replace(place, &format!("{place}\n      success  = {{ \"/message\" = \"Done.\" }}"))
    });
    workspace.apply().warning().says(&["The password was changed."]);
    assert_eq!(workspace.state()["password"], json!(vendor.passwords()[0]));
    vendor.assert_documented();
}

#[test]
fn without_a_password_only_an_error_of_the_api_is_no_success() {
    for (body, sentences) in [
        (
            json!({ "message": "Locked, nothing was rotated." }),
            &["“Locked, nothing was rotated.”", "The password may have been changed."][..],
        ),
        (json!({ "data": {} }), &["The password was changed."]),
    ] {
        let Some(workspace) = Workspace::new() else { return };
        let api = Api::start(move |_, _| (200, body.clone()));
        let reset = "reset {\n path = \"/{domain}/{user}\"\n password = \"/password\"\n }\n";
        workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{reset}")), resource("one")));
        let error = workspace.apply().error().says(sentences);
        // The response is complete, so there is nothing to wait for.
        assert!(!error.detail.contains("wait a few minutes"), "{error:?}");
        assert_eq!(api.asked().len(), 1);
    }
}

#[test]
fn an_error_of_the_api_in_place_of_a_success_is_quoted() {
    let described = RESET.replace("\n }", "\n success = { \"/ok\" = \"true\" }\n }");
    for (reset, reason) in [
        (RESET, "“Not found.”: the response reports a failure."),
        (&*described, "“Not found.”: the response is not the described success."),
    ] {
        let Some(workspace) = Workspace::new() else { return };
        let api = Api::start(|_, _| (200, json!({ "ok": false, "message": "Not found." })));
        workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{reset}")), resource("one")));
        let error = workspace.apply().error().says(&[reason, "The password may have been changed.", "Apply again"]);
        for words in ["error format", "captive portal", "wait a few minutes"] {
            assert!(!error.detail.contains(words), "{error:?}");
        }
    }
}

#[test]
fn a_password_that_is_a_number_is_kept_with_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    let api = Api::start(|_, _| (200, json!({ "password": 123_456_789_012_345_u64 })));
    let reset = "reset {\n path = \"/{domain}/{user}\"\n password = \"/password\"\n }\n";
    workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{reset}")), resource("one")));
    workspace.apply().warning().is("The vendor's response is not as documented").says(&["The password was changed."]);
    assert_eq!(workspace.state()["password"], "123456789012345");
    workspace.plan().nothing_to_do();
}

#[test]
fn what_the_api_says_to_a_revocation_without_effect_is_quoted() {
    let Some(workspace) = Workspace::new() else { return };
    let made = AtomicU64::new(0);
    let api = Api::start(move |method, _| match method {
        "POST" => (200, json!({ "password": "made-by-the-api", "id": made.fetch_add(1, Ordering::Relaxed) + 1 })),
        "DELETE" => (200, json!({ "message": "This key is locked." })),
        _ => (200, json!({ "keys": [{ "id": 1, "name": "b" }, { "id": 2, "name": "b" }] })),
    });
    workspace.keep_secret("made-by-the-api");
    let read =
        "read {\n path = \"/keys\"\n items = \"/keys\"\n match = { \"/name\" = \"{user}\" }\n id = \"/id\"\n }\n";
    let write = |trigger| {
        workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{CREATE}{read}")), resource(trigger)));
    };
    write("one");
    workspace.apply().succeeded();
    write("two");
    workspace.apply().warning().says(&["“This key is locked.”: the credential is still listed after it."]);
}

//! Responses that prove nothing.

use serde_json::{Value, json};

use super::{
    api::{Api, LOGIN, resource},
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
fn a_password_that_is_a_number_is_kept_with_a_warning() {
    let Some(workspace) = Workspace::new() else { return };
    let api = Api::start(|_, _| (200, json!({ "password": 123_456_789_012_345_u64 })));
    let reset = "reset {\n path = \"/{domain}/{user}\"\n password = \"/password\"\n }\n";
    workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{reset}")), resource("one")));
    workspace.apply().warning().is("The vendor's response is not as documented").says(&["The password was changed."]);
    assert_eq!(workspace.state()["password"], "123456789012345");
    workspace.plan().nothing_to_do();
}

//! A vendor that says no: every answer in words of its own, with the outcome, the vendor's message and its request id.

use std::collections::BTreeMap;

use sandbox::{ClosedPort, Effect, Fault, Operation};

use crate::support::{Diagnostic, USER, Workspace, credential};

/// An error as HubSpot documents them.
const WORDS: &str = include_str!("../fixtures/hubspot/error.json");
const NOT_CHANGED: &str = "The password was not changed.";
const MAY_HAVE: &str = "The password may have been changed.";
const CHANGED: &str = "The password was changed.";

#[test]
fn every_refusal_has_its_own_words() {
    let Some(workspace) = Workspace::new() else { return };
    let mut details = Vec::new();
    for (status, summary, outcome, advice) in [
        (401, "HubSpot refused the credentials", NOT_CHANGED, "has not expired"),
        (403, "HubSpot denied access", NOT_CHANGED, "the scope `transactional-email`"),
        (404, "HubSpot does not know this credential", NOT_CHANGED, "Check the name"),
        (409, "HubSpot reports a conflict", NOT_CHANGED, "Look at the credential in HubSpot"),
        (422, "HubSpot rejected the request", NOT_CHANGED, "Check the arguments"),
        (500, "The outcome of the reset is unknown", MAY_HAVE, "Apply again"),
    ] {
        let error = refused(&workspace, status, &[]).is(summary);
        let answer = format!(
            "HubSpot (127.0.0.1) returned {status} HUBSPOT_CATEGORY, “This is what HubSpot says” (request id aeb5f871-7f07-4993-9211-075dc63e7cbf)."
        );
        details.push(error.says(&[&answer, &begin(), outcome, advice]).detail.replace(&answer, ""));
    }
    details.sort();
    details.dedup();
    assert_eq!(details.len(), 6, "{details:#?}");
    assert_eq!(workspace.resets(), 0);
}

#[test]
fn a_rate_limit_is_waited_for_within_the_time_there_is() {
    let Some(workspace) = Workspace::new() else { return };
    let error = refused(&workspace, 429, &[("Retry-After", "3600")]).is("HubSpot's rate limit is reached");
    error.says(&["This is what HubSpot says", NOT_CHANGED, "asks to wait 60 min", "try again then"]);
    assert_eq!(workspace.resets(), 0);

    workspace.sandbox.fault(Fault::status_with_header(429, "Retry-After", "1").on(Operation::Reset).before());
    workspace.apply().quiet();
    assert_eq!(workspace.resets(), 1);
    workspace.working_password();
}

#[test]
fn an_answer_without_a_password_says_that_it_is_lost() {
    const LOST: (&str, &str) = ("The new password was lost", CHANGED);
    // Something in between may have answered.
    const UNKNOWN: (&str, &str) = ("The outcome of the reset is unknown", "The password may have been changed.");
    let page = Effect::Body { content_type: "text/html".to_owned(), bytes: b"<html>welcome</html>".to_vec() };
    for (fault, (summary, outcome)) in [
        (Fault::body("{}"), LOST),
        (Fault::body(r#"{"password": null}"#), LOST),
        (Fault::body(r#"{"password": ""}"#), LOST),
        (Fault::body(r#"{"password": 4711}"#), LOST),
        (Fault::new(page), UNKNOWN),
        (Fault::new(Effect::Truncate(10)), LOST),
    ] {
        let Some(workspace) = Workspace::new() else { return };
        workspace.write(&credential(""));
        workspace.sandbox.fault(fault.clone().on(Operation::Reset));
        let error = workspace.apply().error().is(summary);
        let error = error.says(&[&begin(), outcome, "Apply again"]);
        assert!(!error.detail.contains("welcome") && !error.detail.contains("4711"), "no body is shown: {error:?}");
        assert_eq!(workspace.resets(), 1, "{fault:?}");
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), 2, "{fault:?}");
        workspace.working_password();
    }
}

#[test]
fn a_web_page_in_place_of_the_api_is_no_word_of_the_vendors() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    let page =
        Effect::Status { status: 404, headers: BTreeMap::new(), body: Some("<html>nothing here</html>".to_owned()) };
    workspace.sandbox.fault(Fault::new(page).on(Operation::Reset).before());
    let error = workspace.apply().error().is("HubSpot's response is not as documented");
    let error = error.says(&["returned 404", NOT_CHANGED, "`base_url`"]);
    assert!(!error.detail.contains("nothing here"), "{error:?}");
}

#[test]
fn a_redirect_is_not_followed() {
    let Some(workspace) = Workspace::new() else { return };
    workspace.write(&credential(""));
    for (status, outcome) in [(307, NOT_CHANGED), (302, MAY_HAVE)] {
        let location = format!("{}/elsewhere", workspace.sandbox.base_url());
        workspace.sandbox.fault(Fault::new(Effect::Redirect { status, location }).on(Operation::Reset).before());
        workspace.apply().error().says(&[outcome]);
    }
    assert!(workspace.sandbox.requests().iter().all(|request| request.path != "/elsewhere"));
    assert_eq!(workspace.resets(), 0);
}

#[test]
fn a_vendor_that_is_not_there_is_said_to_be_not_there() {
    let Some(mut workspace) = Workspace::new() else { return };
    let closed = ClosedPort::bind();
    workspace.set("HUBSPOT_BASE_URL", &format!("http://{}", closed.address()));
    workspace.write(&credential(""));
    let error = workspace.apply().error().is("HubSpot cannot be reached");
    error.says(&["the connection was refused", NOT_CHANGED, "`base_url`"]);
}

/// The error of an apply whose reset is refused, in the vendor's documented words and before anything is done.
#[track_caller]
fn refused(workspace: &Workspace, status: u16, headers: &[(&str, &str)]) -> Diagnostic {
    workspace.write(&credential(""));
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let effect = Effect::Status { status, headers, body: Some(WORDS.to_owned()) };
    workspace.sandbox.fault(Fault::new(effect).on(Operation::Reset).before());
    workspace.apply().error()
}

fn begin() -> String {
    format!("Resetting the password of `hubspot/{USER}`: HubSpot (127.0.0.1) ")
}

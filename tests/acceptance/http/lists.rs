//! Lists of several pages.

use serde_json::{Value, json};

use super::api::{Api, LOGIN, RESET, resource};
use crate::support::Workspace;

/// An API with a list whose first page has other credentials, and on a second page `b`.
fn listed(next: Value) -> Api {
    Api::start(move |method, path| match (method, path) {
        ("GET", "/users") => {
            (200, json!({ "users": [{ "in": "a", "name": "x" }, { "in": "a", "name": null }], "next": next }))
        }
        ("GET", "/users?page=2" | "/users?after=2" | "/deeper/users") => {
            (200, json!({ "users": [{ "in": "a", "name": "b" }], "next": null }))
        }
        ("GET", "/users?after=1") => (200, json!({ "users": [], "next": "2" })),
        ("POST", "/a/b") => (200, json!({})),
        _ => (404, json!({ "message": "not found" })),
    })
}

fn read(paging: &str) -> String {
    format!(
        "{LOGIN}{RESET}read {{\n path = \"/users\"\n items = \"/users\"\n match = {{ \"/in\" = \"{{domain}}\", \"/name\" = \"{{user}}\" }}\n \
         paging {{\n {paging}\n }}\n }}\n"
    )
}

const LINK: &str = "next = \"/next\"";
const CURSOR: &str = "cursor = \"/next\"\n cursor_parameter = \"after\"";

#[test]
fn every_page_is_read_whatever_is_on_it() {
    for (paging, next) in [
        // Another page of the same domain has entries that only differ in their name.
        (CURSOR, json!("2")),
        (CURSOR, json!(2)),
        // An empty page is not the last one.
        (CURSOR, json!("1")),
        (LINK, json!("?page=2")),
        (LINK, json!("/users?page=2")),
        (LINK, json!("deeper/users")),
    ] {
        let Some(workspace) = Workspace::new() else { return };
        let api = listed(next.clone());
        workspace.write(&format!("{}{}", api.provider(&read(paging)), resource("one")));
        workspace.apply().quiet();
        assert!(api.asked().contains(&"POST /a/b".to_owned()), "{paging} {next}");
    }
}

#[test]
fn a_list_that_cannot_be_followed_to_its_end_lacks_nothing() {
    let Some(workspace) = Workspace::new() else { return };
    let api = listed(json!("?page=2"));
    workspace.write(&format!("{}{}", api.provider(&read(LINK)), resource("one")));
    workspace.apply().quiet();
    for (paging, next, words) in [
        (LINK, json!({ "href": "/users?page=2" }), "the next-page cursor is neither a string nor a number"),
        (LINK, json!(["?page=2"]), "the next-page cursor is neither a string nor a number"),
        (CURSOR, json!(true), "the next-page cursor is neither a string nor a number"),
        (CURSOR, json!(-2), "the next-page cursor is neither a string nor a number"),
        (LINK, json!("//api.example.com/users"), "the link to the next page leads to another server"),
        (LINK, json!("https://api.example.com/users"), "the link to the next page leads to another server"),
        (LINK, json!("/users"), "the list has more pages but no new entries"),
    ] {
        let api = listed(next.clone());
        workspace.write(&format!("{}{}", api.provider(&read(paging)), resource("one")));
        let error = workspace.plan().error();
        assert!(!error.detail.contains("was not called"), "{next}: {}", error.detail);
        error.says(&["returned 200", words, "The password was not changed."]);
    }
}

#[test]
fn a_page_that_is_not_found_says_nothing_of_a_credential() {
    let paging = "page = \"page\"";
    for missing in ["/users?page=1", "/users?page=2"] {
        let Some(workspace) = Workspace::new() else { return };
        let api = Api::start(move |_, path| match path {
            path if path == missing => (404, json!({ "message": "not found" })),
            "/users?page=1" => (200, json!({ "users": [{ "in": "a", "name": "x" }] })),
            _ => (200, json!({ "users": [] })),
        });
        let list = "data \"smtp_credentials\" \"all\" {\n  http = {}\n}\n";
        for asks in [&*resource("one"), list] {
            workspace.write(&format!("{}{asks}", api.provider(&read(paging))));
            let error = workspace.apply().error().is("127.0.0.1 rejected the request");
            error.says(&["returned 404, “not found”", "The password was not changed."]);
        }
        assert!(api.asked().iter().all(|asked| asked.starts_with("GET")));
    }
}

const USERS: [&str; 5] = ["b", "c", "d", "e", "f"];

/// An API whose list is filtered by the body of its request.
fn filtered() -> Api {
    Api::start_with_bodies(|method, path, body| match (method, path) {
        ("POST", "/search") if body.is_empty() => {
            (200, json!({ "users": USERS.map(|user| json!({ "in": "a", "name": user })) }))
        }
        ("POST", "/search") => {
            let user = USERS.into_iter().find(|user| body.contains(&format!("for-{user}")));
            (200, json!({ "users": [{ "in": "a", "name": user }] }))
        }
        _ => (200, json!({})),
    })
}

#[test]
fn a_list_that_the_body_filters_is_requested_for_each_resource() {
    for body in ["json = jsonencode({ filter = [{ user = \"for-{user}\" }] })", "form = { user = \"for-{user}\" }"] {
        let Some(workspace) = Workspace::new() else { return };
        let api = filtered();
        let read = format!(
            "{LOGIN}{RESET}read {{\n method = \"POST\"\n path = \"/search\"\n {body}\n items = \"/users\"\n \
             match = {{ \"/in\" = \"{{domain}}\", \"/name\" = \"{{user}}\" }}\n }}\n"
        );
        let own =
            |user| resource("one").replace("\"this\"", &format!("\"{user}\"")).replace("a/b", &format!("a/{user}"));
        let resources = USERS.map(own).concat();
        workspace.write(&format!("{}{resources}", api.provider(&read)));
        workspace.apply().quiet();
        workspace.plan().nothing_to_do();

        let list = "data \"smtp_credentials\" \"all\" {\n  http = {}\n}\n";
        workspace.write(&format!("{}{resources}{list}", api.provider(&read)));
        let error = workspace.plan().error();
        assert!(error.detail.contains("can only be requested with a part of a credential's name"), "{}", error.detail);
    }
}

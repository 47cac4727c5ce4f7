//! What can be imported and listed.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use serde_json::json;

use super::api::{Api, CREATE, LOGIN, RESET, resource};
use crate::support::Workspace;

/// Credentials from 5 to this one are there, at least 5 and 6, and a reset makes this one.
fn keys(made: &Arc<AtomicU64>) -> Api {
    let made = Arc::clone(made);
    let key = |id: u64| json!({ "id": id, "in": "a", "of": if id == 6 { "c" } else { "b" } });
    Api::start(move |method, path| {
        let made = made.load(Ordering::Relaxed);
        let known = 5..=made.max(6);
        match (method, path) {
            ("POST", "/keys") => (201, json!({ "id": made, "password": "made-by-the-vendor" })),
            ("GET", "/keys" | "/keys?of=a") => (200, json!({ "keys": known.map(key).collect::<Vec<_>>() })),
            ("DELETE", _) => (204, json!(null)),
            (_, path) => match path.rsplit('/').next().and_then(|id| id.parse().ok()).filter(|id| known.contains(id)) {
                Some(id) => (200, key(id)),
                None => (404, json!({ "message": "not found" })),
            },
        }
    })
}

/// A list of all credentials, one of a domain's, a request for one, and the same as JSON.
const READS: [&str; 4] = [
    "read {\n path = \"/keys\"\n items = \"/keys\"\n id = \"/id\"\n match = { \"/in\" = \"{domain}\", \"/of\" = \"{user}\" }\n }\n",
    "read {\n path = \"/keys\"\n query = { of = \"{domain}\" }\n items = \"/keys\"\n id = \"/id\"\n match = { \"/of\" = \"{user}\" }\n }\n",
    "read {\n path = \"/keys/{id}\"\n id = \"/id\"\n match = { \"/of\" = \"{user}\" }\n }\n",
    "",
];

#[test]
fn what_an_import_takes_over_is_revoked_by_the_first_reset() {
    for read in READS {
        let Some(workspace) = Workspace::new() else { return };
        let made = Arc::new(AtomicU64::new(6));
        workspace.keep_secret("made-by-the-vendor");
        let api = keys(&made);
        let provider = api.provider(&format!("{LOGIN}{CREATE}{read}"));
        workspace.write(&format!("{provider}{}", resource("one")));
        // An import prints no JSON.
        let refuses = |id: &str, words: &str| {
            let run = workspace.import(id).failed().to_string().replace('\n', " ");
            assert!(run.contains(words), "{id}: {run}");
        };
        for id in ["http/5", "http/a/b"] {
            refuses(id, "has the form `http/<domain>/<user>/<credential id>`");
        }
        if !read.is_empty() {
            refuses("http/a/b/6", "The password was not changed.");
            refuses("http/a/b/9", "The password was not changed.");
        }
        workspace.import("http/a/b/5").succeeded();
        let state = workspace.state();
        assert_eq!(
            (&state["id"], &state["remote_version"], &state["username"]),
            (&json!("http/a/b"), &json!("5"), &json!("b@a"))
        );
        workspace.apply().succeeded();
        api.asked();

        workspace.write(&format!("{provider}{}", resource("two")));
        made.store(7, Ordering::Relaxed);
        workspace.apply().succeeded();
        assert_eq!(workspace.state()["remote_version"], "7");
        let asked = api.asked();
        assert_eq!(
            asked.iter().filter(|request| !request.starts_with("GET")).collect::<Vec<_>>(),
            ["POST /keys", "DELETE /keys/5"]
        );

        // Both are known by their import ids until the destroy revokes them.
        let keeps =
            resource("three").replace("rotation_mode", "retire_previous = \"at_next_rotation\"\n  rotation_mode");
        workspace.write(&format!("{provider}{keeps}"));
        made.store(8, Ordering::Relaxed);
        workspace.apply().succeeded();
        let state = workspace.state();
        assert_eq!((&state["previous"], &state["remote_version"]), (&json!("http/a/b/7"), &json!("8")));
        api.asked();
        workspace.destroy().succeeded();
        let asked = api.asked();
        for id in [7, 8] {
            assert!(asked.contains(&format!("DELETE /keys/{id}")), "{asked:?}");
        }
    }
}

#[test]
fn an_import_finds_nothing_in_an_empty_list() {
    let Some(workspace) = Workspace::new() else { return };
    let api = Api::start(|_, _| (200, json!({ "keys": [] })));
    workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{CREATE}{}", READS[0])), resource("one")));
    let run = workspace.import("http/a/b/5").failed().to_string().replace('\n', " ");
    assert!(run.contains("127.0.0.1 does not know this credential"), "{run}");
    for untrue in ["the state holds", "state rm", "inconsistent"] {
        assert!(!run.contains(untrue), "{run}");
    }
}

#[test]
fn a_list_that_cannot_name_credentials_is_refused_as_such() {
    let Some(workspace) = Workspace::new() else { return };
    let api = keys(&Arc::default());
    let source = "data \"smtp_credentials\" \"all\" {\n  http = {}\n}\noutput \"ids\" {\n  value = data.smtp_credentials.all.credentials[*].id\n}\n";
    for (read, words) in READS.into_iter().zip([
        None,
        Some("the described list can only be requested with a part of a credential's name"),
        Some("no list of the credentials is described"),
        Some("no list of the credentials is described"),
    ]) {
        workspace.write(&format!("{}{source}", api.provider(&format!("{LOGIN}{CREATE}{read}"))));
        match words {
            None => {
                workspace.apply().succeeded();
                assert_eq!(workspace.output("ids"), json!(["http/a/b/5", "http/a/c/6"]));
            }
            Some(words) => {
                let error = workspace.plan().error().is("The credentials cannot be listed");
                error.says(&[words, "127.0.0.1 was not called", "The password was not changed."]);
            }
        }
    }
    workspace.write(&format!("{}{source}", api.provider(&format!("{LOGIN}{RESET}{}", READS[0]))));
    workspace.apply().succeeded();
    assert_eq!(workspace.output("ids"), json!(["http/a/b", "http/a/c"]));
}

#[test]
fn a_single_credential_may_be_asked_for_in_a_body() {
    let Some(workspace) = Workspace::new() else { return };
    let read = "read {\n method = \"POST\"\n path = \"/keys\"\n json = jsonencode({ key = { id = \"{id}\" } })\n id = \"/id\"\n }\n";
    let api = keys(&Arc::default());
    workspace.write(&format!("{}{}", api.provider(&format!("{LOGIN}{CREATE}{read}")), resource("one")));
    workspace.validate().succeeded();
}

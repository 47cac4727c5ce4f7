//! Amazon SES under the real `terraform`: an imitation of IAM that keeps the keys of one user, at most two, and checks what
//! it is asked.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use percent_encoding::percent_decode_str;
use sandbox::{SmtpFault, Stage};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::{
    encrypted_lifecycle::{TEAM, opened, to},
    support::{ADDRESS, Workspace, block},
};

const NOT_CHANGED: &str = "The password was not changed.";
const SECRET: &str = "the-provider-s-own-secret";
const OVERLAP: &str = "rotation_mode = \"in_place\"\n  retire_previous = \"at_next_rotation\"";

/// IAM's keys of one user, and what was done to them.
#[derive(Clone, Default)]
struct Keys(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    ids: Vec<String>,
    made: usize,
    log: Vec<String>,
    /// What is answered instead.
    refusal: Option<(u16, &'static str)>,
    /// The action that is denied.
    denied: Option<&'static str>,
    /// Whether lists still have the keys that are deleted.
    is_late: bool,
    deleted: Vec<String>,
    /// How many deletions find no key, because IAM does not have it everywhere yet.
    unknown: usize,
}

impl Respond for Keys {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut state = self.0.lock().expect("no panic");
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let form: BTreeMap<_, _> = body.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let decoded = |name| percent_decode_str(form.get(name).copied().unwrap_or_default()).decode_utf8_lossy();
        let authorization = request.headers.get("authorization").and_then(|value| value.to_str().ok());
        let is_signed = authorization.is_some_and(|text| {
            text.starts_with("AWS4-HMAC-SHA256 Credential=AKIAPROVIDER/")
                && text.contains("/us-east-1/iam/aws4_request, ")
        });
        if request.url.path() != "/" || form.get("Version") != Some(&"2010-05-08") || !is_signed {
            return refused(400, "InvalidAction");
        }
        if let Some((status, code)) = state.refusal {
            return refused(status, code);
        }
        if state.denied == Some(form["Action"]) {
            return refused(403, "AccessDenied");
        }
        if decoded("UserName") != "ses-newsletter" && form.contains_key("UserName") {
            return refused(404, "NoSuchEntity");
        }
        let id = decoded("AccessKeyId").into_owned();
        let (action, result) = (
            form["Action"],
            match form["Action"] {
                "ListAccessKeys" => {
                    let late = state.deleted.iter().filter(|_| state.is_late);
                    let members = late.chain(&state.ids).fold(String::new(), |mut text, id| {
                        write!(text, "<member>{}</member>", key(id)).expect("a text grows");
                        text
                    });
                    format!("<AccessKeyMetadata>{members}</AccessKeyMetadata><IsTruncated>false</IsTruncated>")
                }
                "CreateAccessKey" if state.ids.len() == 2 => return refused(409, "LimitExceeded"),
                "CreateAccessKey" => {
                    state.made += 1;
                    let id = format!("AKIA{}", state.made);
                    state.log.push(format!("made {id}"));
                    state.ids.push(id.clone());
                    format!("<AccessKey>{}<SecretAccessKey>secret-of-{id}</SecretAccessKey></AccessKey>", key(&id))
                }
                "DeleteAccessKey" if state.unknown > 0 => {
                    state.unknown -= 1;
                    return refused(404, "NoSuchEntity");
                }
                "DeleteAccessKey" if state.ids.contains(&id) => {
                    state.log.push(format!("deleted {id}"));
                    state.ids.retain(|kept| *kept != id);
                    state.deleted.push(id);
                    String::new()
                }
                "GetAccessKeyLastUsed" if state.ids.contains(&id) => "<UserName>ses-newsletter</UserName>".to_owned(),
                "GetAccessKeyLastUsed" => return refused(403, "AccessDenied"),
                _ => return refused(404, "NoSuchEntity"),
            },
        );
        xml(
            200,
            &format!(
                "<{action}Response xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><{action}Result>{result}</{action}Result>\
             <ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></{action}Response>"
            ),
        )
    }
}

fn key(id: &str) -> String {
    format!(
        "<UserName>ses-newsletter</UserName><AccessKeyId>{id}</AccessKeyId><Status>Active</Status>\
         <CreateDate>2026-11-01T10:30:00Z</CreateDate>"
    )
}

fn refused(status: u16, code: &str) -> ResponseTemplate {
    let error = format!("<Error><Type>Sender</Type><Code>{code}</Code><Message>No {code} today.</Message></Error>");
    xml(status, &format!("<ErrorResponse>{error}<RequestId>r-2</RequestId></ErrorResponse>"))
}

fn xml(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "text/xml")
}

/// A workspace that is logged in to the imitation.
struct Scene {
    workspace: Workspace,
    keys: Keys,
    _server: (MockServer, Runtime),
}

impl Scene {
    fn new() -> Option<Self> {
        let mut workspace = Workspace::new()?;
        let (runtime, keys) = (Runtime::new().expect("a runtime"), Keys::default());
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(keys.clone()).mount(&server).await;
            server
        });
        for variable in ["AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"] {
            workspace.unset(variable);
        }
        workspace.set("AWS_ACCESS_KEY_ID", "AKIAPROVIDER");
        workspace.set("AWS_SECRET_ACCESS_KEY", SECRET);
        workspace.set("AMAZON_SES_BASE_URL", &server.uri());
        workspace.keep_secret(SECRET);
        Some(Self { workspace, keys, _server: (server, runtime) })
    }

    fn with(&self, ids: &[&str]) {
        self.keys.0.lock().expect("no panic").ids = ids.iter().map(|id| (*id).to_owned()).collect();
    }

    fn refuse(&self, refusal: Option<(u16, &'static str)>) {
        self.keys.0.lock().expect("no panic").refusal = refusal;
    }

    /// What was done to the keys since the last question.
    fn log(&self) -> Vec<String> {
        std::mem::take(&mut self.keys.0.lock().expect("no panic").log)
    }

    fn deny(&self, action: Option<&'static str>) {
        self.keys.0.lock().expect("no panic").denied = action;
    }

    fn list_late(&self) {
        self.keys.0.lock().expect("no panic").is_late = true;
    }

    /// Leaves the state with the key `AKIA2`, and `AKIA1` as the previous one.
    fn overlap(&self, arguments: &str) {
        for trigger in ["one", "two"] {
            self.write(trigger, arguments);
            self.workspace.apply().quiet();
        }
        assert_eq!(self.log(), ["made AKIA1", "made AKIA2"]);
        assert_eq!(self.workspace.state()["previous"], "amazon_ses/AKIA1");
    }

    fn write(&self, trigger: &str, arguments: &str) {
        self.write_in("eu-central-1", trigger, arguments);
    }

    fn write_in(&self, region: &str, trigger: &str, arguments: &str) {
        let target = &format!("amazon_ses = {{ user_name = \"ses-newsletter\", region = \"{region}\" }}");
        let arguments = format!("rotation_trigger = \"{trigger}\"\n  {arguments}");
        self.workspace.write(&block("this", target, &arguments));
    }
}

#[test]
fn an_overlap_makes_room_and_the_state_has_what_a_mail_library_needs() {
    let Some(scene) = Scene::new() else { return };
    let workspace = &scene.workspace;
    scene.write("one", OVERLAP);
    assert_eq!(workspace.planned()["smtp_host"], "email-smtp.eu-central-1.amazonaws.com", "it is known at plan");
    workspace.apply().quiet();
    assert_eq!(scene.log(), ["made AKIA1"]);
    let state = workspace.state();
    for (name, value) in [
        ("id", json!("amazon_ses/ses-newsletter")),
        ("username", json!("AKIA1")),
        ("remote_version", json!("AKIA1")),
        ("smtp_port", json!(587)),
        ("previous", Value::Null),
    ] {
        assert_eq!(state[name], value, "{name}");
    }
    // Version 4 of the derivation begins with this byte.
    assert!(state["password"].as_str().is_some_and(|password| password.len() == 44 && password.starts_with('B')));
    workspace.plan().nothing_to_do();

    for (trigger, log, current, previous) in
        [("two", &["made AKIA2"][..], "AKIA2", "AKIA1"), ("three", &["deleted AKIA1", "made AKIA3"], "AKIA3", "AKIA2")]
    {
        scene.write(trigger, OVERLAP);
        workspace.apply().quiet();
        assert_eq!(scene.log(), log);
        let now = workspace.state();
        assert_eq!([&now["username"], &now["previous"]], [current, &*format!("amazon_ses/{previous}")]);
        workspace.plan().nothing_to_do();
    }
    workspace.destroy().quiet();
    assert_eq!(scene.log(), ["deleted AKIA2", "deleted AKIA3"]);
}

#[test]
fn the_derived_password_is_encrypted_and_not_the_secret_of_the_key() {
    let Some(scene) = Scene::new() else { return };
    let workspace = &scene.workspace;
    let arguments = format!("{OVERLAP}\n  {}", to(&[TEAM[0]]));
    let passwords = ["one", "two"].map(|trigger| {
        scene.write(trigger, &arguments);
        workspace.apply().quiet();
        assert_eq!(workspace.state()["password"], Value::Null);
        workspace.plan().nothing_to_do();
        opened(workspace, ADDRESS, TEAM[1])
    });
    assert!(passwords.iter().all(|password| password.len() == 44 && password.starts_with('B')));
    assert!(passwords[0] != passwords[1]);
    assert_eq!(scene.log(), ["made AKIA1", "made AKIA2"]);
}

#[test]
fn at_two_keys_nothing_is_made_and_both_are_named() {
    let Some(scene) = Scene::new() else { return };
    scene.with(&["AKIAOLD", "AKIAOLDER"]);
    scene.write("one", "");
    let error = scene.workspace.apply().failed().error().is("No room for another credential at Amazon SES");
    error.says(&["`AKIAOLD` (made on 2026-11-01", "`AKIAOLDER`", NOT_CHANGED, "Delete one"]);
    assert_eq!(scene.log(), <[&str; 0]>::default());

    // In a rotation the state says which of them is in use, and keeps its password.
    scene.with(&["AKIAOLD"]);
    scene.write("one", "rotation_mode = \"in_place\"");
    scene.workspace.apply().quiet();
    let before = scene.workspace.state();
    assert_eq!(scene.log(), ["made AKIA1"]);
    scene.write("two", "rotation_mode = \"in_place\"");
    let error = scene.workspace.apply().failed().error();
    error.says(&["`AKIAOLD` (made on", "`AKIA1` (made on 2026-11-01, ", "held by the state", NOT_CHANGED]);
    assert_eq!(scene.log(), <[&str; 0]>::default());
    assert_eq!(scene.workspace.state()["password"], before["password"]);
}

#[test]
fn a_replacement_of_an_overlap_revokes_the_previous_key_to_make_room() {
    for is_forced in [true, false] {
        let Some(scene) = Scene::new() else { return };
        scene.overlap(OVERLAP);
        let before = scene.workspace.state();
        let replace = format!("-replace={ADDRESS}");
        let options = if is_forced { vec![&*replace] } else { vec![] };
        if is_forced {
            // AWS may need some time until a list shows what was deleted.
            scene.list_late();
        } else {
            scene.write_in("eu-west-1", "two", OVERLAP);
        }
        scene.deny(Some("DeleteAccessKey"));
        let error = scene.workspace.apply_with(&options).failed().error().is("Amazon SES denied access");
        error.says(&["Revoking `AKIA1`, the previous credential", NOT_CHANGED, "still has it as `previous`"]);
        assert_eq!((scene.log(), scene.workspace.state()), (vec![], before));

        scene.deny(None);
        scene.workspace.apply_with(&options).quiet();
        assert_eq!(scene.log(), ["deleted AKIA1", "made AKIA3", "deleted AKIA2"]);
        let state = scene.workspace.state();
        assert_eq!((&state["username"], &state["previous"]), (&json!("AKIA3"), &Value::Null));
        scene.workspace.plan().nothing_to_do();
    }
}

#[test]
fn a_replacement_of_an_overlap_that_fails_names_what_is_revoked_and_what_still_works() {
    let Some(scene) = Scene::new() else { return };
    scene.overlap(OVERLAP);
    scene.deny(Some("CreateAccessKey"));
    let error = scene.workspace.apply_with(&[&format!("-replace={ADDRESS}")]).failed().error();
    error.says(&[NOT_CHANGED, "`AKIA2`, still works", "`AKIA1`, the credential before it, was revoked first."]);
    assert_eq!(scene.log(), ["deleted AKIA1"]);
}

#[test]
fn a_replacement_of_an_overlap_that_creates_first_needs_the_previous_key_to_be_revoked() {
    const CREATE_FIRST: &str = "lifecycle { create_before_destroy = true }";
    let Some(scene) = Scene::new() else { return };
    let replace = format!("-replace={ADDRESS}");
    scene.overlap(&format!("{OVERLAP}\n  {CREATE_FIRST}"));
    let before = scene.workspace.state();
    let error = scene.workspace.apply_with(&[&replace]).failed().error();
    let error = error.is("No room for another credential at Amazon SES");
    error.says(&["`AKIA1` (made on", "`AKIA2` (made on", NOT_CHANGED, "set its `retire_previous` to `at_once`"]);
    assert_eq!((scene.log(), scene.workspace.state()), (vec![], before));

    // As the error says.
    scene.write("two", &format!("rotation_mode = \"in_place\"\n  retire_previous = \"at_once\"\n  {CREATE_FIRST}"));
    scene.workspace.apply().quiet();
    assert_eq!(scene.log(), ["deleted AKIA1"]);
    scene.workspace.apply_with(&[&replace]).quiet();
    assert_eq!(scene.log(), ["made AKIA3", "deleted AKIA2"]);
}

#[test]
fn a_rotation_in_place_deletes_the_previous_key_after_a_while() {
    let Some(scene) = Scene::new() else { return };
    scene.write("one", "rotation_mode = \"in_place\"");
    scene.workspace.apply().quiet();
    scene.write("two", "rotation_mode = \"in_place\"");
    scene.workspace.apply().quiet();
    assert_eq!(scene.log(), ["made AKIA1", "made AKIA2", "deleted AKIA1"]);
}

#[test]
fn a_login_with_the_new_key_ends_the_wait_for_it() {
    let Some(mut scene) = Scene::new() else { return };
    scene.workspace.trust_mail_server();
    let sandbox = &scene.workspace.sandbox;
    // The mail server knows no key, so a fault makes it accept one.
    sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "235 2.7.0 Accepted").always());
    let arguments =
        format!("rotation_mode = \"in_place\"\n  verify = {{ host = \"127.0.0.1\", port = {} }}", sandbox.smtp_port());
    scene.write("one", &arguments);
    scene.workspace.apply().quiet();
    scene.write("two", &arguments);
    let start = Instant::now();
    scene.workspace.apply().quiet();
    assert!(start.elapsed() < Duration::from_secs(15), "the time after which an untried key works everywhere");
    assert_eq!(scene.workspace.state()["verified"], true);
    assert_eq!(scene.log(), ["made AKIA1", "made AKIA2", "deleted AKIA1"]);
}

/// Nobody should have to apply to learn it.
#[test]
fn a_region_of_another_partition_is_refused_by_the_plan() {
    let Some(scene) = Scene::new() else { return };
    scene.write_in("us-gov-west-1", "one", "");
    let error = scene.workspace.plan().error().is("The request cannot be made");
    error.says(&[
        "Planning `amazon_ses/ses-newsletter`",
        "was not called: the region of the credential belongs to another AWS partition",
        "set `region` in the provider block",
        NOT_CHANGED,
    ]);
    assert_eq!(scene.log(), [""; 0]);
}

#[test]
fn what_iam_refuses_is_reported_and_nothing_is_made() {
    let Some(scene) = Scene::new() else { return };
    for (status, code, summary, advice) in [
        (403, "InvalidClientTokenId", "Amazon SES refused the credentials", "AWS does not know the access key"),
        (403, "AccessDenied", "Amazon SES denied access", "Allow the provider's login the IAM actions"),
        (404, "NoSuchEntity", "Amazon SES does not know this credential", "Check the name"),
    ] {
        scene.refuse(Some((status, code)));
        scene.write("one", "");
        let error = scene.workspace.apply().failed().error().is(summary);
        error.says(&[&format!("returned {status} {code}, “No {code} today.” (request id r-2)"), NOT_CHANGED, advice]);
    }
    assert_eq!(scene.log(), <[&str; 0]>::default());
}

#[test]
fn a_key_is_imported_by_its_id_and_one_that_is_deleted_leaves_the_state() {
    let Some(scene) = Scene::new() else { return };
    let workspace = &scene.workspace;
    scene.with(&["AKIAOLD", "AKIAOTHER"]);
    scene.write("one", "");
    workspace.import("amazon_ses/AKIAOLD").succeeded();
    assert_eq!([&workspace.state()["username"], &workspace.state()["password"]], [&json!("AKIAOLD"), &Value::Null]);
    workspace.apply().succeeded();
    assert_eq!(scene.log(), <[&str; 0]>::default(), "an import is adopted without a reset");
    scene.with(&["AKIAOTHER"]);
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("create"));
    workspace.import("amazon_ses/AKIAUNKNOWN").failed();
}

#[test]
fn a_new_key_that_iam_lists_late_stays_in_the_state_and_an_old_one_does_not() {
    let Some(scene) = Scene::new() else { return };
    let workspace = &scene.workspace;
    for trigger in ["one", "two"] {
        scene.write(trigger, OVERLAP);
        workspace.apply().quiet();
    }
    let before = workspace.state();
    assert_eq!(before["previous"], "amazon_ses/AKIA1");
    // The third list lacks the previous key only.
    for listed in [&["AKIA1"][..], &[], &["AKIA2"]] {
        scene.with(listed);
        let refresh = workspace.refresh();
        if listed == ["AKIA2"] {
            refresh.quiet();
        } else {
            refresh
                .warning()
                .is("A new credential is not shown yet")
                .says(&[NOT_CHANGED, "Plan again in a few minutes."]);
        }
        assert_eq!(workspace.state(), before, "{listed:?}");
    }
    scene.with(&["AKIA1", "AKIA2"]);
    workspace.plan().nothing_to_do();

    workspace.age_resets();
    scene.with(&["AKIA2"]);
    workspace.refresh().succeeded();
    assert_eq!(workspace.state()["previous"], Value::Null);
    scene.with(&["AKIAOTHER"]);
    workspace.refresh().warning().is("A stored password was removed from state");
    assert_eq!(workspace.plan().action(ADDRESS).as_deref(), Some("create"));
}

/// Otherwise it would work for ever, and be in no state.
#[test]
fn a_new_key_that_iam_does_not_know_yet_is_not_taken_for_deleted() {
    let Some(scene) = Scene::new() else { return };
    let workspace = &scene.workspace;
    let unknown = |times| scene.keys.0.lock().expect("no panic").unknown = times;
    scene.write("one", "");
    workspace.apply().quiet();
    unknown(2);
    workspace.destroy().quiet();
    assert_eq!(scene.log(), ["made AKIA1", "deleted AKIA1"]);

    scene.write("two", "");
    workspace.apply().quiet();
    let before = workspace.state();
    unknown(usize::MAX);
    let error = workspace.destroy().error().is("A new credential cannot be revoked yet");
    error.says(&["returned 404 NoSuchEntity", NOT_CHANGED, "created a moment ago", "try again in a few minutes"]);
    assert_eq!(workspace.state(), before);

    // What is unknown minutes later is gone.
    workspace.age_resets();
    workspace.destroy().quiet();
    assert_eq!(scene.log(), ["made AKIA2"]);
    assert!(workspace.run(&["state", "list"]).succeeded().stdout.is_empty());
}

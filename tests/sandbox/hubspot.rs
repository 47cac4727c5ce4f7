//! HubSpot, in all three generations.

use sandbox::{HubSpot, OauthClient, Sandbox};
use serde_json::{Value, json};

use crate::client::{Answer, send};

#[test]
fn a_documented_reset_is_answered_as_documented() {
    let sandbox = with_credential();
    sandbox.hubspot().next_password(USER, "ItUuCc8h4I5MihiysY8HB6XSbWZmVZ");
    sandbox.hubspot().answer_as(USER, "aezckvh3hx@62515.smtp.hubspot.net");
    let answer = authorized(&sandbox, "POST", RESET);
    assert_eq!((answer.status, answer.text()), (200, DOCUMENTED_ANSWER.replace("\n  ", "").replace('\n', "")));
}

#[test]
fn the_later_generations_answer_a_reset_with_their_view() {
    let sandbox = with_credential();
    for base in [V3, DATED] {
        let answer = authorized(&sandbox, "POST", &format!("{base}/{}/password-reset", encoded(USER)));
        let password = sandbox.hubspot().password(USER).unwrap();
        let expected = json!({
            "createdBy": "demo@hubspot.com", "password": password, "emailCampaignId": "14860979",
            "createdAt": "2014-11-11T21:16:09.008Z", "id": USER, "createContact": false,
            "campaignName": "test transactional email",
        });
        assert_eq!((answer.status, answer.json()), (200, expected));
    }
}

#[test]
fn each_reset_makes_another_password_of_thirty_letters_and_digits() {
    let sandbox = with_credential();
    let first = sandbox.hubspot().password(USER).unwrap();
    let second = authorized(&sandbox, "POST", RESET).json()["password"].as_str().unwrap().to_owned();
    let third = authorized(&sandbox, "POST", RESET).json()["password"].as_str().unwrap().to_owned();
    assert_eq!(sandbox.hubspot().resets(USER), 2);
    assert!(first != second && second != third && first != third);
    assert!(third.len() == 30 && third.bytes().all(|byte| byte.is_ascii_alphanumeric()));
}

#[test]
fn the_first_list_is_a_bare_array_without_passwords() {
    let sandbox = with_credential();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, "second@62515.smtp.hubspot.net");
    sandbox.hubspot().delete("second@62515.smtp.hubspot.net");
    sandbox.hubspot().add_credential(1, "of another portal");
    let list = authorized(&sandbox, "GET", LIST).json();
    let list: Vec<_> = list.as_array().unwrap().iter().map(|token| (&token["userName"], &token["deleted"])).collect();
    assert_eq!(list, [(&json!(USER), &json!(false)), (&json!("second@62515.smtp.hubspot.net"), &json!(true))]);
}

#[test]
fn later_lists_come_in_pages_and_can_be_filtered() {
    let sandbox = Sandbox::start();
    for name in ["a", "b", "c", "d", "e"] {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, name);
    }
    sandbox.hubspot().page_size(2);
    sandbox.hubspot().unlist("c");
    let first = authorized(&sandbox, "GET", DATED).json();
    let after = first["paging"]["next"]["after"].as_str().unwrap();
    let last = authorized(&sandbox, "GET", &format!("{DATED}?limit=9&after={}", after.replace('=', "%3D"))).json();
    assert_eq!((ids(&first), ids(&last)), (vec!["a", "b"], vec!["d", "e"]));
    assert!(last.get("paging").is_none());
    let filtered = authorized(&sandbox, "GET", &format!("{DATED}?emailCampaignId=14860981")).json();
    assert_eq!(ids(&filtered), ["c"]);
}

#[test]
fn one_token_can_be_read_until_it_is_deleted() {
    let sandbox = with_credential();
    let path = format!("{V3}/{}", encoded(USER));
    let found = authorized(&sandbox, "GET", &path);
    assert_eq!((found.status, found.json().get("password")), (200, None));
    sandbox.hubspot().delete(USER);
    assert_eq!(authorized(&sandbox, "GET", &path).status, 404);
}

#[test]
fn what_is_not_documented_is_refused() {
    let sandbox = with_credential();
    let cases = [
        ("GET", RESET.to_owned(), 405),
        ("POST", format!("{RESET}?really=yes"), 400),
        ("POST", RESET.replace("%40", "@"), 400),
        ("POST", RESET.replace("%40", "%zz"), 400),
        ("POST", RESET.replace("%40", "%2540"), 404),
        ("POST", RESET.replace("zh48", "zh49"), 404),
        ("POST", format!("{RESET}/"), 404),
        ("POST", format!("{DATED}/{}/password-resets", encoded(USER)), 404),
        ("POST", LIST.to_owned(), 405),
        ("GET", format!("{V3}?limit=0"), 400),
        ("GET", format!("{V3}?after=b"), 400),
        ("GET", format!("{V3}?offset=2"), 400),
        ("GET", OAUTH.to_owned(), 405),
    ];
    for (method, path, status) in cases {
        assert_eq!(authorized(&sandbox, method, &path).status, status, "{method} {path}");
    }
    assert_eq!(sandbox.hubspot().resets(USER), 0);
}

#[test]
fn a_reset_with_a_body_is_refused() {
    let sandbox = with_credential();
    let answer = send(&sandbox, "POST", RESET, &bearer(&sandbox), "{}").unwrap();
    assert_eq!((answer.status, sandbox.hubspot().resets(USER)), (400, 0));
}

#[test]
fn an_unknown_credential_is_reported_in_json_and_an_unknown_path_in_html() {
    let sandbox = Sandbox::start();
    let unknown = authorized(&sandbox, "POST", RESET);
    let keys: Vec<_> = unknown.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(
        (unknown.status, keys),
        (404, ["category", "correlationId", "message", "status"].map(String::from).into())
    );
    let elsewhere = authorized(&sandbox, "GET", "/email/public/v1/smtpapi");
    assert_eq!((elsewhere.status, elsewhere.header("Content-Type")), (404, Some("text/html;charset=utf-8")));
}

#[test]
fn a_token_needs_to_be_known_unexpired_and_of_the_right_scope_and_portal() {
    let sandbox = with_credential();
    let hubspot = sandbox.hubspot();
    hubspot.add_token(HubSpot::PORTAL_ID, "narrow", &["crm.objects.contacts.read"]);
    hubspot.add_account(7, "elsewhere");
    hubspot.add_account(8, "revoked");
    hubspot.revoke_token("revoked");
    let cases = [
        ("Authorization: Bearer narrow\r\n", 403, "MISSING_SCOPES"),
        ("Authorization: Bearer elsewhere\r\n", 404, "OBJECT_NOT_FOUND"),
        ("Authorization: Bearer revoked\r\n", 401, "INVALID_AUTHENTICATION"),
        ("Authorization: Basic bmFycm93\r\n", 401, "INVALID_AUTHENTICATION"),
        ("", 401, "INVALID_AUTHENTICATION"),
    ];
    for (header, status, category) in cases {
        let answer = send(&sandbox, "POST", RESET, header, "").unwrap();
        assert_eq!((answer.status, &answer.json()["category"]), (status, &json!(category)), "{header}");
    }
}

#[test]
fn a_refresh_token_buys_an_access_token_that_expires() {
    let sandbox = with_credential();
    sandbox.hubspot().add_oauth_client(HubSpot::PORTAL_ID, app());
    for path in [OAUTH, "/oauth/2026-03/token"] {
        let granted = send(&sandbox, "POST", path, FORM, GRANT).unwrap().json();
        assert_eq!((&granted["expires_in"], &granted["token_type"]), (&json!(1800), &json!("bearer")));
        let header = format!("Authorization: Bearer {}\r\n", granted["access_token"].as_str().unwrap());
        assert_eq!(send(&sandbox, "GET", LIST, &header, "").unwrap().status, 200);
        sandbox.hubspot().expire_access_tokens();
        let expired = send(&sandbox, "GET", LIST, &header, "").unwrap();
        assert_eq!((expired.status, &expired.json()["category"]), (401, &json!("EXPIRED_AUTHENTICATION")));
    }
}

#[test]
fn oauth_takes_its_parameters_from_a_form_only() {
    let sandbox = with_credential();
    sandbox.hubspot().add_oauth_client(HubSpot::PORTAL_ID, app());
    let cases = [
        (format!("{OAUTH}?{GRANT}"), FORM, "", 400, "BAD_REQUEST"),
        (OAUTH.to_owned(), "Content-Type: application/json\r\n", GRANT, 415, "error"),
        (OAUTH.to_owned(), FORM, "grant_type=refresh_token", 400, "BAD_REQUEST"),
        (OAUTH.to_owned(), FORM, &GRANT.replace("=refresh_token", "=password"), 400, "BAD_GRANT_TYPE"),
        (OAUTH.to_owned(), FORM, &GRANT.replace("an+app", "another"), 400, "BAD_CLIENT_ID"),
        (OAUTH.to_owned(), FORM, &GRANT.replace("a%26b", "ab"), 400, "BAD_CLIENT_SECRET"),
        (OAUTH.to_owned(), FORM, &GRANT.replace("r-e", "re"), 400, "BAD_REFRESH_TOKEN"),
    ];
    for (path, header, body, status, name) in cases {
        let answer = send(&sandbox, "POST", &path, header, body).unwrap();
        assert_eq!((answer.status, &answer.json()["status"]), (status, &json!(name)), "{path} {body}");
    }
}

pub(crate) fn with_credential() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    sandbox
}

pub(crate) fn bearer(sandbox: &Sandbox) -> String {
    format!("Authorization: Bearer {}\r\n", sandbox.hubspot().access_token())
}

pub(crate) fn authorized(sandbox: &Sandbox, method: &str, path: &str) -> Answer {
    send(sandbox, method, path, &bearer(sandbox), "").unwrap()
}

/// The documented reset, ready to be sent.
pub(crate) fn reset(sandbox: &Sandbox) -> String {
    format!("POST {RESET} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", bearer(sandbox))
}

fn encoded(user_name: &str) -> String {
    user_name.replace('@', "%40")
}

fn ids(page: &Value) -> Vec<&str> {
    page["results"].as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect()
}

const GRANT: &str = "grant_type=refresh_token&client_id=an+app&client_secret=a%26b&refresh_token=r-e";

fn app() -> OauthClient {
    OauthClient { client_id: "an app".into(), client_secret: "a&b".into(), refresh_token: "r-e".into() }
}

const DOCUMENTED_ANSWER: &str = r#"{
  "portalId":62515,
  "userName":"aezckvh3hx@62515.smtp.hubspot.net",
  "password":"ItUuCc8h4I5MihiysY8HB6XSbWZmVZ",
  "passwordHash":null,
  "emailCampaignId":14860979,
  "createdAt":1415740569008,
  "deleted":false,
  "createdBy":"demo@hubspot.com",
  "appId":22709,
  "campaignName":"test transactional email"
}"#;

pub(crate) const USER: &str = "zh48wgsfld@62515.smtp.hubspot.net";
pub(crate) const LIST: &str = "/email/public/v1/smtpapi/tokens";
pub(crate) const RESET: &str = "/email/public/v1/smtpapi/tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset";
const V3: &str = "/marketing/v3/transactional/smtp-tokens";
const DATED: &str = "/marketing/transactional/2026-03/smtp-tokens";
const OAUTH: &str = "/oauth/v1/token";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

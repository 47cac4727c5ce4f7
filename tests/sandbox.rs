//! The sandbox judges the provider, so it is judged itself: over a raw connection, and by a mail client of others' making.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on ends there")]

#[path = "../examples/sandbox/server/mod.rs"]
mod sandbox;

use std::{
    io::{ErrorKind, Read, Result, Write},
    net::TcpStream,
    sync::Arc,
    thread,
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use lettre::{
    SmtpTransport,
    transport::smtp::{
        authentication::Mechanism,
        client::{Certificate, CertificateStore, Tls as ClientTls, TlsParameters},
    },
};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject},
};
use sandbox::{Effect, Fault, HubSpot, Login, OauthClient, Operation, Sandbox, Tls};
use serde_json::{Value, json};

const USER: &str = "zh48wgsfld@62515.smtp.hubspot.net";
const LIST: &str = "/email/public/v1/smtpapi/tokens";
const RESET: &str = "/email/public/v1/smtpapi/tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset";
const V3: &str = "/marketing/v3/transactional/smtp-tokens";
const DATED: &str = "/marketing/transactional/2026-03/smtp-tokens";
const OAUTH: &str = "/oauth/v1/token";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

// ---- Documented requests ----

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

// ---- Strictness ----

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
fn an_unknown_credential_is_told_in_json_and_an_unknown_path_in_html() {
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

// ---- HTTP ----

#[test]
fn what_is_not_http_is_refused() {
    let sandbox = Sandbox::start();
    let cases = [
        ("nonsense\r\n\r\n".to_owned(), 400),
        ("GET / HTTP/1.0\r\nHost: a\r\n\r\n".to_owned(), 505),
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".to_owned(), 400),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n".to_owned(), 413),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(), 411),
        (format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", "a".repeat(40_000)), 431),
    ];
    for (request, status) in cases {
        assert_eq!(Answer::parse(&talk(&sandbox, &request).unwrap()).status, status, "{request:.70}");
    }
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let sandbox = with_credential();
    let request = format!("POST {RESET} HTTP/1.1\r\nHost: a\r\n{}\r\n", bearer(&sandbox));
    let bytes = talk(&sandbox, &format!("{request}{request}GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
    assert_eq!(String::from_utf8(bytes.unwrap()).unwrap().matches("HTTP/1.1 200 OK").count(), 2);
    assert_eq!(sandbox.hubspot().resets(USER), 2);
}

#[test]
fn requests_are_recorded_as_they_were_sent() {
    let sandbox = with_credential();
    authorized(&sandbox, "POST", RESET);
    let requests = sandbox.requests();
    let [request] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.path.as_str(), request.status), ("POST", RESET, Some(200)));
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {}", sandbox.hubspot().access_token())));
    sandbox.forget_requests();
    assert!(sandbox.requests().is_empty());
}

#[test]
fn a_hundred_clients_at_once_get_a_password_each() {
    let sandbox = Sandbox::start();
    let names: Vec<_> = (0..100).map(|number| format!("user-{number}")).collect();
    for name in &names {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, name);
    }
    thread::scope(|scope| {
        for name in &names {
            let sandbox = &sandbox;
            scope.spawn(move || {
                for _ in 0..10 {
                    let answer = authorized(sandbox, "POST", &format!("{LIST}/{name}/password-reset"));
                    let current = sandbox.hubspot().password(name).unwrap();
                    assert_eq!(answer.json()["password"], json!(current));
                }
            });
        }
    });
    assert!(names.iter().all(|name| sandbox.hubspot().resets(name) == 10));
}

// ---- Faults ----

#[test]
fn a_fault_before_the_vendor_acts_resets_nothing_and_one_after_it_does() {
    for effect in [Effect::Close, Effect::TcpReset, Effect::Truncate(1), Effect::StatusLine("what".to_owned())] {
        let sandbox = with_credential();
        sandbox.fault(Fault::new(effect.clone()).before());
        let _ = send(&sandbox, "POST", RESET, &bearer(&sandbox), "");
        assert_eq!(sandbox.hubspot().resets(USER), 0, "{effect:?}");
        sandbox.fault(Fault::new(effect.clone()));
        let _ = send(&sandbox, "POST", RESET, &bearer(&sandbox), "");
        assert_eq!((sandbox.hubspot().resets(USER), sandbox.pending_faults()), (1, 0), "{effect:?}");
    }
}

#[test]
fn a_fault_concerns_its_operation_and_user_and_happens_so_many_times() {
    let sandbox = with_credential();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, "second");
    sandbox.fault(Fault::status(503).on(Operation::Reset).of(USER).times(2));
    let statuses = [LIST, &format!("{LIST}/second/password-reset"), RESET, RESET, RESET].map(|path| {
        let method = if path == LIST { "GET" } else { "POST" };
        authorized(&sandbox, method, path).status
    });
    assert_eq!(statuses, [200, 200, 503, 503, 200]);
}

#[test]
fn faults_happen_in_their_order() {
    let sandbox = with_credential();
    sandbox.fault(Fault::status_with_header(429, "Retry-After", "7"));
    sandbox.fault(Fault::page(404));
    let limited = authorized(&sandbox, "POST", RESET);
    assert_eq!((limited.status, limited.header("Retry-After")), (429, Some("7")));
    assert_eq!(limited.json()["errorType"], json!("RATE_LIMIT"));
    let page = authorized(&sandbox, "POST", RESET);
    assert_eq!((page.status, page.header("Content-Type")), (404, Some("text/html")));
    assert!(page.text().starts_with("<html>"));
}

#[test]
fn a_closed_connection_says_nothing_and_a_reset_one_is_an_error() {
    let sandbox = with_credential();
    sandbox.fault(Fault::new(Effect::Close));
    sandbox.fault(Fault::new(Effect::TcpReset));
    assert_eq!(talk(&sandbox, &reset(&sandbox)).unwrap(), b"");
    assert_eq!(talk(&sandbox, &reset(&sandbox)).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(sandbox.requests().iter().map(|request| request.status).collect::<Vec<_>>(), [None, None]);
}

#[test]
fn bodies_can_be_cut_off_replaced_dripped_and_lied_about() {
    let sandbox = with_credential();
    let head = |length| format!("Content-Length: {length}\r\n\r\n");
    let answer_to = |fault: Fault| {
        sandbox.fault(fault);
        String::from_utf8(talk(&sandbox, &reset(&sandbox)).unwrap()).unwrap()
    };
    let whole = answer_to(Fault::new(Effect::Drip(Duration::ZERO)));
    assert!(whole.starts_with("HTTP/1.1 200 OK\r\n") && whole.ends_with('}'));
    let length = whole.split_once("\r\n\r\n").unwrap().1.len();
    assert!(answer_to(Fault::new(Effect::Truncate(10))).ends_with(&format!("{}{{\"portalId", head(length))));
    assert!(answer_to(Fault::body("\0")).ends_with(&format!("{}\0", head(1))));
    assert!(answer_to(Fault::new(Effect::ContentLength(9999))).contains(&head(9999)));
    assert!(answer_to(Fault::new(Effect::HugeBody(100_000))).ends_with(&" ".repeat(100_000)));
    assert!(answer_to(Fault::new(Effect::StatusLine("HTTP/9.9".into()))).starts_with("HTTP/9.9\r\nContent-Type"));
    assert!(answer_to(Fault::new(Effect::Header("Content-Encoding".into(), "gzip".into()))).contains("Encoding: gzip"));
    assert_eq!(sandbox.hubspot().resets(USER), 7);
}

#[test]
fn an_endless_body_ends_when_the_client_has_had_enough() {
    let sandbox = with_credential();
    sandbox.fault(Fault::new(Effect::EndlessBody));
    let mut stream = connect(&sandbox);
    stream.write_all(reset(&sandbox).as_bytes()).unwrap();
    let mut bytes = vec![0; 1 << 20];
    stream.read_exact(&mut bytes).unwrap();
    assert!(bytes.ends_with(b"   ") && !String::from_utf8(bytes).unwrap().contains("Content-Length"));
}

#[test]
fn every_redirect_names_its_place() {
    let sandbox = with_credential();
    for status in [301, 302, 303, 307, 308] {
        sandbox.fault(Fault::new(Effect::Redirect { status, location: "http://localhost:1/".into() }).before());
        let answer = authorized(&sandbox, "POST", RESET);
        assert_eq!((answer.status, answer.header("Location")), (status, Some("http://localhost:1/")));
    }
    assert_eq!(sandbox.hubspot().resets(USER), 0);
}

#[test]
fn a_stalled_answer_waits_for_its_release() {
    let cases = [
        (Fault::new(Effect::Stall).before(), 0),
        (Fault::new(Effect::Stall), 1),
        (Fault::new(Effect::HeadThenStall), 1),
    ];
    for (fault, resets) in cases {
        let sandbox = with_credential();
        sandbox.fault(fault);
        thread::scope(|scope| {
            let client = scope.spawn(|| authorized(&sandbox, "POST", RESET).status);
            assert!(sandbox.wait_for_stalled(1));
            assert_eq!(sandbox.hubspot().resets(USER), resets);
            sandbox.release();
            assert_eq!((client.join().unwrap(), sandbox.hubspot().resets(USER)), (200, 1));
        });
    }
}

#[test]
fn a_sandbox_ends_while_an_answer_is_stalled() {
    let sandbox = with_credential();
    sandbox.fault(Fault::new(Effect::Stall));
    let mut stream = connect(&sandbox);
    stream.write_all(reset(&sandbox).as_bytes()).unwrap();
    assert!(sandbox.wait_for_stalled(1));
    drop(sandbox);
    assert!(stream.read_to_end(&mut Vec::new()).is_ok_and(|length| length == 0));
}

#[test]
fn beyond_the_rate_limit_comes_a_429_and_no_reset() {
    let sandbox = with_credential();
    sandbox.rate_limit(1, Duration::from_hours(1));
    assert_eq!(authorized(&sandbox, "POST", RESET).status, 200);
    let limited = authorized(&sandbox, "POST", RESET);
    let wait: u64 = limited.header("Retry-After").unwrap().parse().unwrap();
    assert!(limited.status == 429 && (3000..=3600).contains(&wait), "{} {wait}", limited.status);
    assert_eq!(sandbox.hubspot().resets(USER), 1);
    sandbox.lift_rate_limit();
    assert_eq!(authorized(&sandbox, "POST", RESET).status, 200);
}

#[test]
fn every_effect_can_be_scripted_over_http() {
    let sandbox = with_credential();
    let effects = json!([
        {"body": {"bytes": "<html>", "content_type": "text/html"}}, "close", {"content_length": 9999}, {"delay_ms": 0},
        {"drip_ms": 0}, "endless_body", {"header": ["Content-Encoding", "gzip"]}, "head_then_stall", {"huge_body": 10},
        {"redirect": {"status": 307, "location": "/elsewhere"}}, "stall", {"status": {"status": 500}},
        {"status_line": "HTTP/9.9 what"}, "tcp_reset", {"truncate": 10},
    ]);
    for effect in effects.as_array().unwrap() {
        let fault = json!({"operation": "reset", "user_name": USER, "times": 1, "moment": "before", "effect": effect});
        assert_eq!(send(&sandbox, "POST", "/sandbox/faults", "", &fault.to_string()).unwrap().status, 204, "{effect}");
    }
    let pending = send(&sandbox, "GET", "/sandbox/faults", "", "").unwrap().json();
    assert_eq!(pending, json!({ "pending": 15 }));
    assert_eq!(authorized(&sandbox, "POST", RESET).text(), "<html>");
    assert_eq!(send(&sandbox, "DELETE", "/sandbox/faults", "", "").unwrap().status, 204);
    assert_eq!(authorized(&sandbox, "POST", RESET).status, 200);
}

#[test]
fn a_script_that_makes_no_sense_is_refused() {
    let sandbox = Sandbox::start();
    for script in ["", "{}", r#"{"effect": "sulk"}"#, r#"{"effect": "close", "tiems": 2}"#] {
        let answer = send(&sandbox, "POST", "/sandbox/faults", "", script).unwrap();
        assert_eq!((answer.status, sandbox.pending_faults()), (400, 0), "{script}");
    }
}

#[test]
fn limits_and_records_are_had_over_http_too() {
    let sandbox = with_credential();
    let limit = r#"{"requests": 1, "per_ms": 3600000}"#;
    assert_eq!(send(&sandbox, "PUT", "/sandbox/rate_limit", "", limit).unwrap().status, 204);
    assert_eq!([(); 2].map(|()| authorized(&sandbox, "GET", LIST).status), [200, 429]);
    let requests = send(&sandbox, "GET", "/sandbox/requests", "", "").unwrap().json();
    assert_eq!((&requests[0]["path"], &requests[1]["status"]), (&json!(LIST), &json!(429)));
    send(&sandbox, "DELETE", "/sandbox/requests", "", "").unwrap();
    send(&sandbox, "DELETE", "/sandbox/rate_limit", "", "").unwrap();
    assert!(sandbox.requests().is_empty());
    assert_eq!(authorized(&sandbox, "GET", LIST).status, 200);
}

// ---- SMTP ----

#[test]
fn exactly_the_current_password_logs_in() {
    let sandbox = Sandbox::start();
    let old = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    let new = authorized(&sandbox, "POST", RESET).json()["password"].as_str().unwrap().to_owned();
    for tls in [Tls::StartTls, Tls::Implicit] {
        for mechanism in [Mechanism::Plain, Mechanism::Login] {
            assert!(logs_in(&sandbox, tls, mechanism, &new), "{tls:?} {mechanism}");
            assert!(!logs_in(&sandbox, tls, mechanism, &old), "{tls:?} {mechanism}");
        }
    }
    let login = |accepted, mechanism, tls| Login { username: USER.to_owned(), accepted, mechanism, tls };
    assert_eq!(sandbox.logins()[..2], [login(true, "PLAIN", Tls::StartTls), login(false, "PLAIN", Tls::StartTls)]);
    assert_eq!(sandbox.logins()[6..], [login(true, "LOGIN", Tls::Implicit), login(false, "LOGIN", Tls::Implicit)]);
}

#[test]
fn nobody_logs_in_with_a_deleted_credential() {
    let sandbox = Sandbox::start();
    let password = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    assert!(logs_in(&sandbox, Tls::Implicit, Mechanism::Plain, &password));
    sandbox.hubspot().delete(USER);
    assert!(!logs_in(&sandbox, Tls::Implicit, Mechanism::Plain, &password));
}

#[test]
fn a_client_that_does_not_know_the_authority_does_not_connect() {
    let sandbox = with_credential();
    let tls = TlsParameters::builder("localhost".to_owned()).certificate_store(CertificateStore::None).build();
    let transport = SmtpTransport::builder_dangerous("127.0.0.1").port(sandbox.smtps_port());
    assert!(transport.tls(ClientTls::Wrapper(tls.unwrap())).build().test_connection().is_err());
}

#[test]
fn in_clear_only_starttls_leads_on() {
    let sandbox = with_credential();
    let script = [
        ("EHLO me", "250-localhost 250-8BITMIME 250-ENHANCEDSTATUSCODES 250 STARTTLS"),
        ("AUTH PLAIN AGEAYg==", "530"),
        ("MAIL FROM:<a@example.com>", "530"),
        ("STARTTLS now", "501"),
        ("STARTTLS", "220"),
    ];
    converse(&mut mail_server(&sandbox), &script);
    assert!(sandbox.logins().is_empty());
}

#[test]
fn what_follows_starttls_in_clear_is_never_read() {
    let sandbox = with_credential();
    let mut stream = mail_server(&sandbox);
    stream.write_all(b"STARTTLS\r\nEHLO me\r\n").unwrap();
    let mut rest = String::new();
    // Closed with bytes unread, which the system may tell as a reset.
    let _ = stream.read_to_string(&mut rest);
    assert!(!rest.contains("250"), "{rest}");
}

#[test]
fn commands_are_answered_by_the_book() {
    let sandbox = Sandbox::start();
    let password = sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    let plain = STANDARD.encode(format!("\0{USER}\0{password}"));
    let for_another = STANDARD.encode(format!("boss\0{USER}\0{password}"));
    let script = [
        ("AUTH PLAIN AGEAYg==", "503"),
        ("EHLO", "501"),
        ("EHLO me", "250-localhost 250-8BITMIME 250-ENHANCEDSTATUSCODES 250 AUTH PLAIN LOGIN"),
        ("STARTTLS", "503"),
        ("MAIL FROM:<a@example.com>", "530"),
        ("AUTH", "501"),
        ("AUTH CRAM-MD5", "504"),
        ("AUTH PLAIN !", "501"),
        ("AUTH PLAIN =", "501"),
        ("AUTH PLAIN AGEAYg==", "535 5.7.8"),
        (&format!("AUTH PLAIN {for_another}"), "535 5.7.8"),
        ("AUTH PLAIN", "334 "),
        ("*", "501"),
        ("AUTH LOGIN", "334 VXNlcm5hbWU6"),
        (&STANDARD.encode(USER), "334 UGFzc3dvcmQ6"),
        ("d3Jvbmc=", "535 5.7.8"),
        ("auth plain", "334 "),
        (&plain, "235 2.7.0"),
        (&format!("AUTH PLAIN {plain}"), "503"),
        ("RCPT TO:<b@example.com>", "503"),
        ("MAIL a@example.com", "501"),
        ("MAIL FROM:<a@example.com>", "250"),
        ("MAIL FROM:<a@example.com>", "503"),
        ("DATA", "503"),
        ("RCPT TO:<b@example.com>", "250"),
        ("DATA", "354"),
        ("Subject: a\r\n\r\n..\r\n.", "250"),
        ("DATA", "503"),
        ("NOOP", "250"),
        ("RSET", "250"),
        ("VRFY a", "502"),
        ("HELLO", "500"),
        (&format!("NOOP {}", "a".repeat(600)), "500"),
        ("QUIT", "221"),
    ];
    let mut stream = secure_mail_server(&sandbox);
    converse(&mut stream, &script);
    assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
}

// ---- Helpers ----

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

const GRANT: &str = "grant_type=refresh_token&client_id=an+app&client_secret=a%26b&refresh_token=r-e";

fn app() -> OauthClient {
    OauthClient { client_id: "an app".into(), client_secret: "a&b".into(), refresh_token: "r-e".into() }
}

fn with_credential() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER);
    sandbox
}

fn encoded(user_name: &str) -> String {
    user_name.replace('@', "%40")
}

fn ids(page: &Value) -> Vec<&str> {
    page["results"].as_array().unwrap().iter().map(|token| token["id"].as_str().unwrap()).collect()
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn parse(bytes: &[u8]) -> Self {
        let mut headers = [httparse::EMPTY_HEADER; 16];
        let mut parsed = httparse::Response::new(&mut headers);
        let length = parsed.parse(bytes).unwrap().unwrap();
        let owned = |header: &httparse::Header| (header.name.into(), String::from_utf8(header.value.into()).unwrap());
        let status = parsed.code.unwrap();
        Self { status, headers: parsed.headers.iter().map(owned).collect(), body: bytes[length..].to_vec() }
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(given, _)| given == name).map(|(_, value)| value.as_str())
    }

    fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

fn bearer(sandbox: &Sandbox) -> String {
    format!("Authorization: Bearer {}\r\n", sandbox.hubspot().access_token())
}

fn authorized(sandbox: &Sandbox, method: &str, path: &str) -> Answer {
    send(sandbox, method, path, &bearer(sandbox), "").unwrap()
}

fn send(sandbox: &Sandbox, method: &str, path: &str, headers: &str, body: &str) -> Result<Answer> {
    let length = body.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n{headers}");
    let bytes = talk(sandbox, &format!("{head}\r\n{body}"))?;
    Ok(if bytes.starts_with(b"HTTP/1.1 ") {
        Answer::parse(&bytes)
    } else {
        Answer { status: 0, headers: vec![], body: bytes }
    })
}

/// The documented reset, ready to be sent.
fn reset(sandbox: &Sandbox) -> String {
    format!("POST {RESET} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{}\r\n", bearer(sandbox))
}

/// Sends bytes and reads until the sandbox closes.
fn talk(sandbox: &Sandbox, request: &str) -> Result<Vec<u8>> {
    let mut stream = connect(sandbox);
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn connect(sandbox: &Sandbox) -> TcpStream {
    TcpStream::connect(sandbox.base_url().strip_prefix("http://").unwrap()).unwrap()
}

fn logs_in(sandbox: &Sandbox, tls: Tls, mechanism: Mechanism, password: &str) -> bool {
    let certificate = Certificate::from_pem(sandbox.ca_certificate_pem().as_bytes()).unwrap();
    let parameters = TlsParameters::builder("localhost".to_owned())
        .certificate_store(CertificateStore::None)
        .add_root_certificate(certificate)
        .build()
        .unwrap();
    let (port, tls) = match tls {
        Tls::StartTls => (sandbox.smtp_port(), ClientTls::Required(parameters)),
        Tls::Implicit => (sandbox.smtps_port(), ClientTls::Wrapper(parameters)),
    };
    let transport = SmtpTransport::builder_dangerous("127.0.0.1")
        .port(port)
        .tls(tls)
        .credentials((USER.to_owned(), password.to_owned()).into())
        .authentication(vec![mechanism])
        .build();
    match transport.test_connection() {
        Ok(connected) => connected,
        Err(error) => {
            assert_eq!(error.status().map(|code| code.to_string()).as_deref(), Some("535"), "{error}");
            false
        }
    }
}

fn mail_server(sandbox: &Sandbox) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.smtp_port())).unwrap();
    assert!(reply(&mut stream).starts_with("220 "));
    stream
}

fn secure_mail_server(sandbox: &Sandbox) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(sandbox.ca_certificate_pem().as_bytes()).unwrap()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let client = ClientConnection::new(Arc::new(config), "127.0.0.1".try_into().unwrap()).unwrap();
    let stream = TcpStream::connect(("127.0.0.1", sandbox.smtps_port())).unwrap();
    let mut stream = StreamOwned::new(client, stream);
    assert!(reply(&mut stream).starts_with("220 "));
    stream
}

fn converse(stream: &mut (impl Read + Write), script: &[(&str, &str)]) {
    for (command, expected) in script {
        stream.write_all(format!("{command}\r\n").as_bytes()).unwrap();
        let reply = reply(stream);
        assert!(reply.starts_with(expected), "{command:.40} was answered with {reply}");
    }
}

/// Reads a reply; its lines are joined with spaces.
fn reply(stream: &mut impl Read) -> String {
    let mut lines = Vec::new();
    loop {
        let line = line(stream);
        let last = line.as_bytes().get(3) != Some(&b'-');
        lines.push(line);
        if last {
            return lines.join(" ");
        }
    }
}

fn line(stream: &mut impl Read) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.extend(byte);
    }
    String::from_utf8(line).unwrap().trim_end_matches("\r\n").to_owned()
}

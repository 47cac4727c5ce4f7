//! What can be made to go wrong, in code and over HTTP.

use std::{
    io::{ErrorKind, Read, Write},
    thread,
    time::Duration,
};

use sandbox::{Effect, Fault, HubSpot, Operation, Sandbox};
use serde_json::json;

use crate::{
    client::{connect, send, talk},
    hubspot::{LIST, RESET, USER, authorized, bearer, reset, with_credential},
};

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

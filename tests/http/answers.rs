//! What the vendor's answers mean, and what is shown of them.

use serde_json::Value;

use super::{
    server::{Act, Server},
    *,
};

#[tokio::test]
async fn a_request_is_what_the_vendor_documents_and_nothing_is_added() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let answer = server.reset().await.unwrap();
    assert_eq!(answer.json::<Value>().unwrap()["password"], "the-new-password");

    let mut lines: Vec<_> = server.requests()[0].lines().map(str::to_owned).collect();
    assert_eq!(lines.remove(0), "POST /tokens/me%40example.com/password-reset HTTP/1.1");
    lines.sort();
    let expected = [
        String::new(),
        "accept: application/json".to_owned(),
        format!("authorization: Bearer {TOKEN}"),
        "content-length: 0".to_owned(),
        format!("host: {}", server.address),
        "user-agent: test/1".to_owned(),
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_query_and_a_form_are_encoded() {
    let server = Server::start([Act::answer(200, &[], "{}")]);
    let fields = vec![("grant_type", "refresh_token".into()), ("refresh_token", Secret::new("a+b&c=d e").into())];
    let request =
        server.api().request(Method::POST, &["oauth", "token"]).query("a b", "c&d").query("e", "f").form(fields);
    request.read(&operation(20)).await.unwrap();

    let seen = &server.requests()[0];
    assert!(seen.starts_with("POST /oauth/token?a+b=c%26d&e=f HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains("content-type: application/x-www-form-urlencoded\r\n"), "{seen}");
    assert!(seen.ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=a%2Bb%26c%3Dd+e"), "{seen}");
}

#[tokio::test]
async fn a_vendors_code_refines_the_kind_but_not_the_outcome() {
    use Kind::{Forbidden, Unauthorized, Unavailable};
    use Outcome::{MayHaveChanged, NotChanged};
    for (status, code, kind, outcome) in [
        (403, "OTHER_LOGIN", Unauthorized, NotChanged),
        (403, "ANOTHER", Forbidden, NotChanged),
        (500, "OTHER_LOGIN", Unavailable, MayHaveChanged),
    ] {
        let body = format!(r#"{{"category": "{code}", "message": "No."}}"#);
        let server = Server::start([Act::answer(status, &[], &body)]);
        let error = server.failed(server.reset().await, kind, outcome, 1);
        assert_eq!((error.status, error.code.as_deref()), (Some(status), Some(code)));
    }
}

#[tokio::test]
async fn every_status_of_a_reset_is_judged_after_one_request() {
    use Kind::{Conflict, Forbidden, NotFound, NotTheApi, Redirected, Rejected, Unauthorized, Unavailable};
    use Outcome::{MayHaveChanged, NotChanged};
    // A refusal is believed in the vendor's own format; any other comes from something in between.
    for (status, in_own_words, outcome) in [
        (101, NotTheApi, MayHaveChanged),
        (300, Redirected, MayHaveChanged),
        (301, Redirected, MayHaveChanged),
        (302, Redirected, MayHaveChanged),
        (303, Redirected, MayHaveChanged),
        (307, Redirected, NotChanged),
        (308, Redirected, NotChanged),
        (400, Rejected, NotChanged),
        (401, Unauthorized, NotChanged),
        (403, Forbidden, NotChanged),
        (404, NotFound, NotChanged),
        (405, Rejected, NotChanged),
        (407, Rejected, NotChanged),
        (408, Unavailable, MayHaveChanged),
        (409, Conflict, NotChanged),
        (410, Rejected, NotChanged),
        (422, Rejected, NotChanged),
        (425, Rejected, NotChanged),
        (500, Unavailable, MayHaveChanged),
        (502, Unavailable, MayHaveChanged),
        (503, Unavailable, MayHaveChanged),
        (504, Unavailable, MayHaveChanged),
        (521, Unavailable, MayHaveChanged),
        (600, NotTheApi, MayHaveChanged),
        (999, NotTheApi, MayHaveChanged),
    ] {
        for (body, words) in [
            (r#"{"category": "ANY", "message": "No."}"#, Origin::Vendor),
            ("", Origin::Foreign),
            ("<html>No.</html>", Origin::Foreign),
            (r#"{"blocked_by": "gateway"}"#, Origin::Foreign),
        ] {
            let is_refusal = (400..500).contains(&status) && status != 408;
            let kind = if is_refusal && words == Origin::Foreign { NotTheApi } else { in_own_words };
            let server = Server::start([Act::answer(status, &["Retry-After: 0"], body)]);
            let error = server.failed(server.reset().await, kind, outcome, 1);
            // The body of a redirect is not read.
            let words = if matches!(status, 100..200 | 300..400) { Origin::Foreign } else { words };
            assert_eq!((error.status, error.words), (Some(status), words), "{body}");
            assert_eq!(error.reason, format!("it returned {status}"));
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_its_target_is_not_shown() {
    let elsewhere = Server::start([Act::answer(200, &[], PASSWORD)]);
    for status in [301, 302, 303, 307, 308] {
        let location = format!("Location: http://{}/secret-place", elsewhere.address);
        let server = Server::start([Act::answer(status, &[&location], r#"{"message":"over there"}"#)]);
        for result in [server.reset().await, server.read().await] {
            let error = result.unwrap_err();
            assert_eq!((error.kind, error.message.as_deref()), (Kind::Redirected, None));
            assert!(!format!("{error:?} {error}").contains("secret-place"));
        }
        assert_eq!(server.requests().len(), 2);
    }
    assert_eq!(elsewhere.requests().len(), 0);
}

#[tokio::test]
async fn the_vendors_words_are_taken_from_where_its_dialect_has_them() {
    for (body, code, message, id) in [
        (
            r#"{"category":"OBJECT_NOT_FOUND","message":"No such token","correlationId":"c-1"}"#,
            Some("OBJECT_NOT_FOUND"),
            Some("No such token"),
            Some("c-1"),
        ),
        (r#"{"category":1004,"other":"x"}"#, Some("1004"), None, Some("from-the-header")),
        (
            r#"{"error":{"code":"gone","text":"It is\n gone"}}"#,
            Some("gone"),
            Some("It is gone"),
            Some("from-the-header"),
        ),
        (r#"{"category":null,"error":{"code":"x"},"message":["y"]}"#, Some("x"), None, Some("from-the-header")),
    ] {
        let server = Server::start([Act::answer(404, &["X-HubSpot-Correlation-Id: from-the-header"], body)]);
        let error = server.failed(server.reset().await, Kind::NotFound, Outcome::NotChanged, 1);
        let said = (error.code.as_deref(), error.message.as_deref(), error.request_id.as_deref());
        assert_eq!(said, (code, message, id), "{body}");
    }
}

#[tokio::test]
async fn a_404_in_other_words_is_not_the_vendors() {
    for body in [
        "",
        "<html><h1>404</h1></html>",
        "not found",
        "[]",
        "\"message\"",
        r#"{"detail":"Not Found"}"#,
        r#"{"message":null}"#,
        r#"{"message":"cut of"#,
        r#"{"message":"\ud800"}"#,
    ] {
        let server = Server::start([Act::answer(404, &[], body)]);
        let error = server.failed(server.read().await, Kind::NotTheApi, Outcome::NotChanged, 1);
        assert_eq!((error.code, error.message), (None, None), "{body}");
    }
}

#[tokio::test]
async fn a_refusal_whose_body_does_not_come_is_in_nobodys_words() {
    let stall = Act::SayAndStall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{".to_vec());
    let flood = Act::Flood(b"HTTP/1.1 403 Forbidden\r\n\r\n".to_vec(), vec![b'x'; 4096]);
    let cut = Act::Say(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\n{".to_vec());
    for act in [stall, flood, cut] {
        let server = Server::start([act]);
        let result = post(&server.api_with(impatient())).reset(&operation(20)).await;
        let error = server.failed(result, Kind::NotTheApi, Outcome::NotChanged, 1);
        assert_eq!(error.message, None);
    }
}

#[tokio::test]
async fn a_response_of_another_form_is_reported_without_its_content() {
    for body in ["", "<html>the-new-password</html>", "{\"password\":\"the-new-password\"", "\u{1f}\u{8b}gzip"] {
        let server = Server::start([Act::answer(200, &["X-Request-Id: r-1", "Content-Encoding: gzip"], body)]);
        let changed = server.reset().await.unwrap().json::<Value>().unwrap_err();
        let looked = server.read().await.unwrap().json::<Value>().unwrap_err();
        assert_eq!((changed.kind, changed.outcome), (Kind::Unreadable, Outcome::Changed), "{body}");
        assert_eq!((looked.kind, looked.outcome), (Kind::Unreadable, Outcome::NotChanged), "{body}");
        assert_eq!(changed.request_id.as_deref(), Some("r-1"));
        assert!(!format!("{changed:?} {changed}").contains("the-new-password"));
    }
}

#[tokio::test]
async fn a_single_value_is_found_among_unexpected_ones() {
    let body = r#"{"data": [], "data": {"seconds": 1.5, "seconds": 7, "seconds": -1, "late": 1e400, "late": true,
        "password": 5, "password": "p", "password": false, "password": null, "password": {}, "password": ["q"]},
        "data": {"other": 1}} and garbage"#;
    let server = Server::start([Act::answer(200, &[], body)]);
    let answer = server.read().await.unwrap();
    assert_eq!(answer.number("/data/seconds"), Some(7));
    assert_eq!(answer.flag("/data/late"), Some(true));
    assert_eq!(answer.secret("/data/password"), Some(Secret::new("p")));
    for pointer in ["/data", "/data/none", "/data/seconds", "/data/seconds/more"] {
        assert_eq!(answer.text(pointer), None, "{pointer}");
    }
}

#[tokio::test]
async fn a_password_that_is_a_number_is_found_with_its_digits_as_written() {
    for (body, expected) in [
        (r#"{"password":123456789012345}"#, Some("123456789012345")),
        (r#"{"password":123456789012345678901234567890}"#, Some("123456789012345678901234567890")),
        (r#"{"password":-42}"#, Some("-42")),
        (r#"{"password":12.3400}"#, Some("12.3400")),
        (r#"{"password":1234} and garbage"#, Some("1234")),
        // Not kept as written.
        (r#"{"password":12e34}"#, None),
        (r#"{"password":true}"#, None),
        (r#"{"password":{"$serde_json::private::Number":"words"}}"#, None),
        // Half a number is a number, too.
        (r#"{"password":1234"#, None),
        (r#"{"password":1234,"#, None),
    ] {
        let server = Server::start([Act::answer(200, &[], body)]);
        let answer = server.reset().await.unwrap();
        assert_eq!(answer.secret_number("/password"), expected.map(Secret::new), "{body}");
        assert_eq!(answer.secret("/password"), None, "{body}");
        assert!(answer.password("/password").is_err(), "{body}");
    }
}

#[tokio::test]
async fn an_id_that_is_cut_off_is_no_id() {
    let server = Server::start([Act::Say(
        b"HTTP/1.1 200 OK\r\nContent-Length: 40\r\n\r\n{\"password\":\"new\",\"id\":77".to_vec(),
    )]);
    let answer = server.reset().await.unwrap();
    assert_eq!(answer.secret("/password"), Some(Secret::new("new")));
    assert_eq!(answer.text_or_number("/id").as_ref().map(Outside::raw), None);
}

#[tokio::test]
async fn a_complete_answer_without_a_password_ends_the_request() {
    let lost = |act| async { Server::start([act]).reset().await.unwrap().password("/password").unwrap_err() };
    let whole = lost(Act::answer(200, &[], r#"{"data":1}"#)).await;
    assert_eq!((whole.outcome, whole.finality), (Outcome::Changed, Finality::Final));
    let page = lost(Act::answer(200, &[], "<html>")).await;
    assert_eq!((page.outcome, page.finality), (Outcome::MayHaveChanged, Finality::InFlight));
}

#[tokio::test]
async fn an_error_in_a_success_body_is_reported_with_the_vendors_message() {
    let body = format!(r#"{{"category":"LOCKED","message":"Locked for {TOKEN}","success":false}}"#);
    let server = Server::start([Act::answer(200, &["X-Request-Id: r-1"], &body)]);
    let answer = server.reset().await.unwrap();
    assert_eq!((answer.flag("/success"), answer.flag("/message")), (Some(false), None));
    let error = answer.refused();
    assert_eq!((error.kind, error.outcome, error.status), (Kind::Rejected, Outcome::NotChanged, Some(200)));
    assert_eq!(error.message.as_deref(), Some("Locked for [redacted]"));
    assert_eq!((error.code.as_deref(), error.request_id.as_deref()), (Some("LOCKED"), Some("r-1")));
}

#[tokio::test]
async fn what_cannot_be_sent_is_refused_before_anything_is() {
    let server = Server::start([Act::answer(200, &[], PASSWORD)]);
    let api = server.api();
    for request in [
        api.request(Method::POST, &["tokens", "..", "password-reset"]),
        api.request(Method::POST, &["tokens", "", "password-reset"]),
        post(&api).bearer(&Secret::new("two\nlines")),
        post(&api).bearer(&Secret::new("one\0zero")),
    ] {
        server.failed(request.reset(&operation(20)).await, Kind::Setup, Outcome::NotChanged, 0);
    }
}

#[tokio::test]
async fn a_page_is_not_read_as_json_even_if_it_looks_like_it() {
    for (media, is_json) in [("text/html", false), ("application/json", true)] {
        let server = Server::start([Act::answer(200, &[&format!("Content-Type: {media}")], "[]")]);
        let answer = server.read().await.unwrap();
        assert_eq!(answer.json::<Vec<u8>>().is_ok(), is_json, "{media}");
    }
}

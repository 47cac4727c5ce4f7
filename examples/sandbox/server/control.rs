//! The sandbox's own interface over HTTP, under `/sandbox/`.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Shared,
    faults::Fault,
    http::{Answer, Request},
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Limit {
    requests: usize,
    per_ms: u64,
}

/// Answers a request to the sandbox itself; nothing where it is meant for a vendor.
pub fn answer(request: &Request, shared: &Shared) -> Option<Answer> {
    let resource = request.path().strip_prefix("/sandbox/")?;
    Some(match (request.method.as_str(), resource) {
        ("DELETE", "faults") => done(|| shared.faults.clear()),
        ("GET", "faults") => Answer::json(200, &json!({ "pending": shared.faults.pending() })),
        ("POST", "faults") => scripted(request, |fault: Fault| shared.faults.add(fault)),
        ("GET", "logins") => Answer::json(200, &shared.journal.logins()),
        ("DELETE", "rate_limit") => done(|| shared.rate_limit.lift()),
        ("PUT", "rate_limit") => scripted(request, |Limit { requests, per_ms }| {
            shared.rate_limit.set(requests, Duration::from_millis(per_ms));
        }),
        ("POST", "release") => done(|| shared.gate.release()),
        ("DELETE", "requests") => done(|| shared.journal.forget_requests()),
        ("GET", "requests") => Answer::json(200, &shared.journal.requests()),
        _ => explained(404, "there is no such thing under /sandbox/"),
    })
}

fn done(act: impl FnOnce()) -> Answer {
    act();
    Answer::empty(204)
}

fn scripted<T: DeserializeOwned>(request: &Request, act: impl FnOnce(T)) -> Answer {
    match serde_json::from_slice(&request.body) {
        Ok(script) => done(|| act(script)),
        Err(error) => explained(400, &error.to_string()),
    }
}

fn explained(status: u16, message: &str) -> Answer {
    Answer::json(status, &json!({ "message": format!("sandbox: {message}") }))
}

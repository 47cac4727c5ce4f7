//! The sandbox's own interface over HTTP, under `/sandbox/`.

use std::time::Duration;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    Shared,
    accounts::Meanwhile,
    faults::{Fault, milliseconds},
    http::{Answer, Request},
    rate_limit::{Counts, Limit, Says},
    smtp::SmtpFault,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitScript {
    requests: usize,
    #[serde(rename = "per_ms", deserialize_with = "milliseconds")]
    per: Duration,
    #[serde(default)]
    counts: Counts,
    #[serde(default)]
    says: Says,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Propagation {
    #[serde(rename = "delay_ms", deserialize_with = "milliseconds")]
    delay: Duration,
    meanwhile: Meanwhile,
}

/// Answers a request to the sandbox itself; nothing where it is meant for a vendor.
pub(crate) fn answer(request: &Request, shared: &Shared) -> Option<Answer> {
    let resource = request.path().strip_prefix("/sandbox/")?;
    Some(match (request.method.as_str(), resource) {
        ("DELETE", "faults") => done(|| shared.faults.clear()),
        ("GET", "faults") => Answer::json(200, &json!({ "pending": shared.faults.pending() })),
        ("POST", "faults") => scripted(request, |fault: Fault| shared.faults.add(fault)),
        ("GET", "logins") => Answer::json(200, &shared.journal.logins()),
        ("DELETE", "propagation") => done(|| shared.accounts.propagate_at_once()),
        ("PUT", "propagation") => scripted(request, |Propagation { delay, meanwhile }| {
            shared.accounts.propagate_after(delay, meanwhile);
        }),
        ("DELETE", "rate_limit") => done(|| shared.rate_limit.lift()),
        ("PUT", "rate_limit") => scripted(request, |LimitScript { requests, per, counts, says }| {
            shared.rate_limit.set(Limit { requests, per, counts, says });
        }),
        ("POST", "release") => done(|| shared.gate.release()),
        ("DELETE", "requests") => done(|| shared.journal.forget_requests()),
        ("GET", "requests") => Answer::json(200, &shared.journal.requests()),
        ("DELETE", "smtp_connections") => done(|| shared.journal.connections.forget()),
        ("GET", "smtp_connections") => Answer::json(200, &shared.journal.connections.all()),
        ("DELETE", "smtp_faults") => done(|| shared.smtp_faults.clear()),
        ("GET", "smtp_faults") => Answer::json(200, &json!({ "pending": shared.smtp_faults.pending() })),
        ("POST", "smtp_faults") => scripted(request, |fault: SmtpFault| shared.smtp_faults.add(fault)),
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

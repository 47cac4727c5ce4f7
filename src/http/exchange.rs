//! One request sent once: until when it can be taken back, and until when its answer is waited for.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use reqwest::Response;
use tokio::time::Instant;

use super::classify::{Intent, OwnWords, Stage, judge_status, judge_trouble};
use super::dialect::request_id;
use super::handover::HandOver;
use super::operation::{LEAST_TO_SEND, out_of_time};
use super::retry::Failure;
use super::retry_after::{next_window, retry_after};
use super::transport::{NO_CONNECTION_IN_TIME, Trouble};
use super::{Answer, Dialect, Error, Kind, Operation, Outcome, Result, body};

/// What an exchange needs to know beside the request itself.
#[derive(Debug)]
pub(super) struct Exchange<'a> {
    pub(super) op: &'a Operation,
    pub(super) intent: Intent,
    pub(super) host: &'a str,
    pub(super) dialect: &'static Dialect,
    /// The longest that it may take.
    pub(super) timeout: Duration,
}

impl Exchange<'_> {
    /// Sends the request and judges what comes back.
    pub(super) async fn run(&self, client: &reqwest::Client, request: reqwest::Request) -> Result<Answer, Failure> {
        let start = Instant::now();
        let end = start.checked_add(self.timeout).map_or(self.op.deadline, |end| end.min(self.op.deadline));
        if self.intent != Intent::Read && self.op.remaining() < LEAST_TO_SEND {
            return Err(Failure::last(out_of_time(self.host)));
        }

        let response =
            self.send(client, request, start, end).await.map_err(|(trouble, stage)| self.failed(trouble, stage))?;
        if response.status().is_success() {
            self.accept(response, end).await
        } else {
            Err(self.refuse(response, end).await)
        }
    }

    /// Waits for the head of the answer. Until a connection stands, a stop or too little time takes the request back.
    async fn send(
        &self,
        client: &reqwest::Client,
        request: reqwest::Request,
        start: Instant,
        end: Instant,
    ) -> Result<Response, (Trouble, Stage)> {
        let hand_over = HandOver::default();
        let mut sending = pin!(hand_over.watch(client.execute(request)));
        // A request that leaves at the last moment would be cut off without its answer.
        let last_moment = end - LEAST_TO_SEND.min((end - start) / 2);

        // The order is what makes it safe: the request is polled only after the reasons to drop it, and once it has
        // left, this `select` is over.
        let early = tokio::select! {
            biased;
            () = self.op.stop.cancelled() => return Err((Trouble::Stopped, Stage::Connecting)),
            () = tokio::time::sleep_until(last_moment) => {
                return Err((Trouble::Unreachable(NO_CONNECTION_IN_TIME), Stage::Connecting));
            }
            response = &mut sending => Some(response),
            () = hand_over.happens() => None,
        };
        let response = match early {
            Some(response) => response,
            None => self.in_time(end, sending).await.map_err(|trouble| (trouble, Stage::Sent))?,
        };
        response.map_err(|error| {
            if hand_over.has_happened() {
                (Trouble::Interrupted, Stage::Sent)
            } else {
                (Trouble::of_connecting(&error), Stage::Connecting)
            }
        })
    }

    /// Waits for something of which the vendor knows already: a stop ends a read, and nothing that changes a password.
    async fn in_time<T>(&self, end: Instant, future: impl Future<Output = T>) -> Result<T, Trouble> {
        let stop = async {
            match self.intent {
                Intent::Read => self.op.stop.cancelled().await,
                Intent::Reset | Intent::Set => std::future::pending().await,
            }
        };
        let mut future = pin!(future);
        tokio::select! {
            biased;
            value = &mut future => Ok(value),
            () = stop => Err(Trouble::Stopped),
            () = tokio::time::sleep_until(end) => {
                // To a process that was stopped meanwhile, the answer may have come in time and not have been read yet.
                let look = if end.elapsed() > OVERSLEPT { LAST_LOOK } else { Duration::ZERO };
                tokio::time::timeout(look, future).await.map_err(|_| Trouble::TimedOut)
            }
        }
    }

    async fn accept(&self, response: Response, end: Instant) -> Result<Answer, Failure> {
        let status = response.status().as_u16();
        let request_id = request_id(response.headers());
        let (most, outcome) = match self.intent {
            Intent::Read => (body::PAGE, Outcome::NotChanged),
            Intent::Reset | Intent::Set => (body::PASSWORD, Outcome::Changed),
        };
        let body = match self.in_time(end, body::read(response, most)).await.and_then(|body| body) {
            Ok(body) => body,
            // A password of the caller's own is known without the answer: that the vendor agreed is all that counts.
            Err(_) if self.intent == Intent::Set => Vec::new().into(),
            Err(trouble) => {
                let Failure { error, tries } = self.failed(trouble, Stage::Agreed);
                return Err(Failure { error: Error { status: Some(status), request_id, ..error }, tries });
            }
        };
        Ok(Answer { status, body, host: self.host.into(), outcome, request_id, dialect: self.dialect })
    }

    /// A refusal is clear without its body: one that cannot be had says nothing.
    async fn refuse(&self, response: Response, end: Instant) -> Failure {
        let status = response.status();
        let headers = response.headers().clone();
        let end = end.min(Instant::now() + REFUSAL_TIME);
        let body = if status.is_redirection() {
            Vec::new().into()
        } else {
            self.in_time(end, body::read(response, body::REFUSAL)).await.and_then(|body| body).unwrap_or_default()
        };

        let said = self.dialect.read(&body, &headers);
        let own_words = if said.speaks_dialect() { OwnWords::Yes } else { OwnWords::No };
        let verdict = judge_status(status.as_u16(), self.intent, self.dialect, own_words)
            .in_other_words(status.as_u16(), self.dialect.meaning(said.code.as_deref()));
        let now = SystemTime::now();
        let wait = match verdict.kind {
            Kind::RateLimited => retry_after(&headers, now).or_else(|| next_window(&headers, now)),
            Kind::Unavailable => retry_after(&headers, now),
            _ => None,
        };
        let error = Error {
            ending: verdict.ending,
            status: Some(status.as_u16()),
            code: said.code,
            message: said.message,
            request_id: said.request_id,
            retry_after: wait,
            ..Error::new(verdict.kind, verdict.outcome, self.host, format!("it answered {}", status.as_u16()))
        };
        Failure { error, tries: verdict.tries }
    }

    fn failed(&self, trouble: Trouble, stage: Stage) -> Failure {
        let verdict = judge_trouble(trouble, stage, self.intent);
        let reason = match (trouble, stage) {
            (Trouble::Certificate(reason) | Trouble::Unreachable(reason), _) => reason,
            (Trouble::ProxyRefused, _) => "the proxy asks for a user name and password",
            (Trouble::Interrupted, Stage::Agreed) => "the connection ended within the answer",
            (Trouble::Interrupted, _) => "the connection ended before an answer",
            (Trouble::Stopped, Stage::Connecting) => "the operation was stopped before the request was sent",
            (Trouble::Stopped, _) => "the operation was stopped",
            (Trouble::TimedOut, Stage::Agreed) => "the answer did not end in time",
            (Trouble::TimedOut, _) => "no answer came in time",
            (Trouble::TooLarge, _) => "the answer is longer than any answer of this API",
        };
        let error = Error::new(verdict.kind, verdict.outcome, self.host, reason);
        Failure { error: Error { ending: verdict.ending, ..error }, tries: verdict.tries }
    }
}

/// How late a timer must be to show that the process was stopped.
const OVERSLEPT: Duration = Duration::from_millis(100);

/// How long an answer that may have come meanwhile is looked for.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How long the body of a refusal is waited for.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

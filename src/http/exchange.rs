//! One request sent once: until when it can be taken back, and until when its answer is waited for.

use std::borrow::Cow;
use std::pin::pin;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::answer::Flaw;
use super::arriving::{self, Arriving, Head, Received};
use super::classify::{Intent, Stage, judge_disagreement, judge_status, judge_trouble};
use super::error_format::request_id;
use super::gate::Quota;
use super::operation::{LEAST_TO_SEND, out_of_time};
use super::retry::Failure;
use super::retry_after::{next_window, retry_after};
use super::route::{Connection, Route};
use super::transport::{NO_CONNECTION_IN_TIME, Obstacle, Transport, TransportError};
use super::words::{Agreement, Media, Words};
use super::{Answer, Error, ErrorFormat, Kind, Operation, Outcome, Result};

/// What an exchange needs to know beside the request itself.
pub(super) struct Exchange<'a> {
    pub(super) transport: &'a Transport,
    pub(super) route: &'a Route,
    pub(super) op: &'a Operation,
    pub(super) intent: Intent,
    pub(super) host: &'a str,
    pub(super) error_format: &'static ErrorFormat,
    /// What agrees to a password of the caller's own.
    pub(super) agreement: &'a Agreement,
    /// The longest that it may take.
    pub(super) timeout: Duration,
    /// What the response says of the vendor's rate limit goes here.
    pub(super) quota: &'a OnceLock<Quota>,
}

impl Exchange<'_> {
    /// Sends the request and judges what comes back.
    pub(super) async fn run(&self, message: &[u8]) -> Result<Answer, Failure> {
        let start = Instant::now();
        if self.intent != Intent::Read && self.op.remaining() < LEAST_TO_SEND {
            return Err(Failure::last(out_of_time(self.host)));
        }
        let end = start.checked_add(self.timeout).map_or(self.op.deadline, |end| end.min(self.op.deadline));
        if let Some(looked) = self.look_over_kept(message, end).await {
            return looked;
        }
        let connection = self.connect(start, end).await.map_err(|Obstacle { trouble, words }| {
            let Failure { error, tries } = self.failed(trouble, Stage::Connecting);
            let reason = words.map_or(error.reason, Cow::Owned);
            Failure { error: Error { reason, ..error }, tries }
        })?;

        let end = match self.intent {
            Intent::Read => end,
            // Once it has left, only its answer tells what became of the password: the deadline does not end the wait for it.
            Intent::Reset | Intent::Set => {
                Instant::now().checked_add(self.timeout).unwrap_or(end.max(self.op.deadline))
            }
        };
        let mut response = Arriving::over(connection, self.intent == Intent::Reset);
        let begun = self.begin(&mut response, message, end).await;
        self.judge(response, begun, end).await
    }

    /// Sends a look-up over a connection that has carried one before. `None` where there is no such connection, or where it ended
    /// before a response: the look-up is then sent over a new one, which does no harm.
    async fn look_over_kept(&self, message: &[u8], end: Instant) -> Option<Result<Answer, Failure>> {
        if self.intent != Intent::Read {
            return None;
        }
        let mut response = Arriving::over(self.transport.kept().take(self.route)?, false);
        match self.begin(&mut response, message, end).await {
            Err(TransportError::Interrupted) => None,
            begun => Some(self.judge(response, begun, end).await),
        }
    }

    /// Sends the request, and waits for the head of the response.
    async fn begin(
        &self,
        response: &mut Arriving<Connection>,
        message: &[u8],
        end: Instant,
    ) -> Result<(), TransportError> {
        let begun = self.in_time(end, async {
            response.send(message).await;
            response.head().await
        });
        begun.await.and_then(|begun| begun)
    }

    async fn judge(
        &self,
        mut response: Arriving<Connection>,
        begun: Result<(), TransportError>,
        end: Instant,
    ) -> Result<Answer, Failure> {
        let head = response.take_head();
        if let Some(head) = &head {
            let _ = self.quota.set(Quota::read(&head.headers, SystemTime::now()));
        }
        match (begun, head) {
            (Ok(()), Some(head)) if (200..300).contains(&head.status) => self.accept(response, head, end).await,
            (Ok(()), Some(head)) => Err(self.refuse(response, head, end).await),
            (begun, _) => {
                let trouble = begun.err().unwrap_or(TransportError::Interrupted);
                match response.success().filter(|_| self.intent == Intent::Reset) {
                    Some(status) => Ok(self.headless(response, status, trouble, end).await),
                    None => Err(self.failed(trouble, Stage::Sent)),
                }
            }
        }
    }

    /// Makes a connection. Until it stands, a stop or too little time takes the request back.
    async fn connect(&self, start: Instant, end: Instant) -> Result<Connection, Obstacle> {
        // A request that leaves at the last moment would be cut off without its answer.
        let last_moment = end - LEAST_TO_SEND.min((end - start) / 2);

        // The order is what makes it safe: a connection counts only while there is no reason to leave it unused.
        tokio::select! {
            biased;
            () = self.op.stop.cancelled() => Err(TransportError::Stopped.into()),
            () = tokio::time::sleep_until(last_moment) => Err(TransportError::Unreachable(NO_CONNECTION_IN_TIME).into()),
            connection = self.transport.connect(self.route) => connection,
        }
    }

    /// Waits for something of which the vendor knows already: a stop ends a read, and nothing that changes a password.
    async fn in_time<T>(&self, end: Instant, future: impl Future<Output = T>) -> Result<T, TransportError> {
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
            () = stop => Err(TransportError::Stopped),
            () = tokio::time::sleep_until(end) => {
                // To a process that was stopped meanwhile, the answer may have come in time and not have been read yet.
                let look = if end.elapsed() > OVERSLEPT { LAST_LOOK } else { Duration::ZERO };
                tokio::time::timeout(look, future).await.map_err(|_| TransportError::TimedOut)
            }
        }
    }

    async fn accept(&self, mut response: Arriving<Connection>, head: Head, end: Instant) -> Result<Answer, Failure> {
        let Head { status, headers } = head;
        let (request_id, media) = (request_id(&headers), Media::of(&headers));
        let answer = |received: Received, flaw| Answer {
            media,
            request_id: request_id.clone(),
            ..self.answer(status, received, flaw)
        };
        if self.intent == Intent::Reset {
            let read = self.in_time(end, response.all()).await.and_then(|read| read);
            // What more might follow a complete response is waited for in vain, and that is no flaw of it.
            let is_flaw = |trouble: &TransportError| *trouble != TransportError::TimedOut || !response.is_complete();
            let flaw = read.err().filter(is_flaw).map(|trouble| self.flaw(trouble, Stage::Agreed));
            return Ok(answer(response.received(), flaw));
        }
        let most = if self.intent == Intent::Read { arriving::PAGE } else { arriving::PASSWORD };
        let body = match self.in_time(end, response.whole_body(most)).await.and_then(|body| body) {
            Ok(body) => body,
            Err(trouble) => {
                let Failure { error, tries } = self.failed(trouble, Stage::Agreed);
                return Err(Failure { error: Error { status: Some(status), request_id, ..error }, tries });
            }
        };
        if self.intent == Intent::Set
            && self.agreement.of(status, media, &body, &self.error_format.refusal) == Words::Other
        {
            let verdict = judge_disagreement();
            let error = Error::new(verdict.kind, verdict.outcome, self.host, format!("it answered {status}"));
            let error = Error { finality: verdict.finality, status: Some(status), request_id, ..error };
            return Err(Failure { error, tries: verdict.tries });
        }
        if self.intent == Intent::Read
            && let Some(connection) = response.into_idle()
        {
            self.transport.kept().keep(self.route, connection);
        }
        Ok(answer(Received { body, beyond: Vec::new(), is_whole: true }, None))
    }

    /// Takes what has come where a status of success was read, and no head that is one.
    async fn headless(
        &self,
        mut response: Arriving<Connection>,
        status: u16,
        trouble: TransportError,
        end: Instant,
    ) -> Answer {
        let _ = self.in_time(end, response.all()).await;
        self.answer(status, response.received(), Some(self.flaw(trouble, Stage::Sent)))
    }

    fn answer(&self, status: u16, received: Received, flaw: Option<Flaw>) -> Answer {
        let Received { body, beyond, is_whole } = received;
        Answer {
            status,
            body,
            beyond,
            is_whole: is_whole && flaw.is_none(),
            flaw,
            media: Media::Unsaid,
            host: self.host.into(),
            outcome: if self.intent == Intent::Read { Outcome::NotChanged } else { Outcome::Changed },
            request_id: None,
            error_format: self.error_format,
        }
    }

    fn flaw(&self, trouble: TransportError, stage: Stage) -> Flaw {
        let Error { kind, outcome, finality, reason, .. } = self.failed(trouble, stage).error;
        Flaw { kind, outcome, finality, reason }
    }

    /// A refusal is clear without its body: one that cannot be had says nothing.
    async fn refuse(&self, mut response: Arriving<Connection>, head: Head, end: Instant) -> Failure {
        let Head { status, headers } = head;
        let end = end.min(Instant::now() + REFUSAL_TIME);
        let body = if (300..400).contains(&status) {
            Zeroizing::default()
        } else {
            let body = self.in_time(end, response.whole_body(arriving::REFUSAL)).await;
            body.and_then(|body| body).unwrap_or_default()
        };

        let said = self.error_format.read(&body, &headers);
        let verdict = judge_status(status, self.intent, self.error_format, said.words)
            .with_vendor_kind(status, self.error_format.meaning(said.code.as_deref()));
        let now = SystemTime::now();
        let wait = match verdict.kind {
            Kind::RateLimited => retry_after(&headers, now).or_else(|| next_window(&headers, now)),
            Kind::Unavailable => retry_after(&headers, now),
            _ => None,
        };
        let error = Error {
            finality: verdict.finality,
            status: Some(status),
            words: said.words,
            code: said.code,
            message: said.message,
            request_id: said.request_id,
            retry_after: wait,
            ..Error::new(verdict.kind, verdict.outcome, self.host, format!("it answered {status}"))
        };
        Failure { error, tries: verdict.tries }
    }

    fn failed(&self, trouble: TransportError, stage: Stage) -> Failure {
        let verdict = judge_trouble(trouble, stage, self.intent);
        let reason = match (trouble, stage) {
            (
                TransportError::Certificate(reason)
                | TransportError::Setup(reason)
                | TransportError::Unreachable(reason),
                _,
            ) => reason,
            (TransportError::ProxyRefused, _) => "the proxy opened no tunnel",
            (TransportError::Interrupted, Stage::Agreed) => "the connection ended within the answer",
            (TransportError::Interrupted, _) => "the connection ended before an answer",
            (TransportError::Stopped, Stage::Connecting) => "the operation was stopped before the request was sent",
            (TransportError::Stopped, _) => "the operation was stopped",
            (TransportError::TimedOut, Stage::Agreed) => "the answer did not end in time",
            (TransportError::TimedOut, _) => "no answer came in time",
            (TransportError::TooLarge, _) => "the answer is longer than any answer of this API",
        };
        let error = Error::new(verdict.kind, verdict.outcome, self.host, reason);
        Failure { error: Error { finality: verdict.finality, ..error }, tries: verdict.tries }
    }
}

/// How late a timer must be to show that the process was stopped.
const OVERSLEPT: Duration = Duration::from_millis(100);

/// How long an answer that may have come meanwhile is looked for.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How long the body of a refusal is waited for.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

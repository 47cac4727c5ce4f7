//! Sends a request once: until when it can be cancelled, and how long its response is awaited.

use std::{
    borrow::Cow,
    pin::pin,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{
    answer::{Answer, BrokenResponse},
    arriving::{self, Arriving, Head, Received},
    classify::{Intent, Stage, classify_foreign_success, classify_status, classify_transport_error},
    error::{Error, Kind, Outcome, Result},
    error_format::{ErrorFormat, request_id},
    gate::Quota,
    operation::{LEAST_TO_SEND, Operation, out_of_time},
    retry::Failure,
    retry_after::{next_window, retry_after},
    route::{Connection, Route},
    syntax::Syntax,
    transport::{ConnectError, NO_CONNECTION_IN_TIME, Transport, TransportError},
    words::{Agreement, Media, Origin},
};

/// Everything an exchange needs in addition to the request itself.
pub(super) struct Exchange<'a> {
    pub(super) transport: &'a Transport,
    pub(super) route: &'a Route,
    pub(super) op: &'a Operation,
    pub(super) intent: Intent,
    pub(super) host: &'a str,
    pub(super) error_format: &'static ErrorFormat,
    pub(super) syntax: Syntax,
    /// What counts as success for a request that sets a password.
    pub(super) agreement: &'a Agreement,
    /// The timeout of the exchange.
    pub(super) timeout: Duration,
    /// Receives what the response says about the vendor's rate limit.
    pub(super) quota: &'a OnceLock<Quota>,
}

impl Exchange<'_> {
    /// Sends the request and classifies the response.
    pub(super) async fn run(&self, message: &[u8]) -> Result<Answer, Failure> {
        let start = Instant::now();
        if self.intent != Intent::Read && self.op.remaining() < LEAST_TO_SEND {
            return Err(Failure::last(out_of_time(self.host)));
        }
        let end = start.checked_add(self.timeout).map_or(self.op.deadline, |end| end.min(self.op.deadline));
        if let Some(looked) = self.look_over_kept(message, end).await {
            return looked;
        }
        let connection = self.connect(start, end).await.map_err(|ConnectError { transport_error, words }| {
            let Failure { error, tries } = self.failed(transport_error, Stage::Connecting);
            let reason = words.map_or(error.reason, Cow::Owned);
            Failure { error: Error { reason, ..error }, tries }
        })?;

        let end = match self.intent {
            Intent::Read => end,
            // Once it has been sent, only the response shows what happened to the password, so the deadline does not
            // end the wait.
            Intent::Reset | Intent::Set => {
                Instant::now().checked_add(self.timeout).unwrap_or(end.max(self.op.deadline))
            }
        };
        let mut response = Arriving::over(connection, self.syntax);
        let begun = self.begin(&mut response, message, end).await;
        self.judge(response, begun, end).await
    }

    /// Sends a read over a kept connection. `None` if there is none, or if it was closed before a response: the read is
    /// then repeated over a new connection, which is harmless.
    async fn look_over_kept(&self, message: &[u8], end: Instant) -> Option<Result<Answer, Failure>> {
        if self.intent != Intent::Read {
            return None;
        }
        let mut response = Arriving::over(self.transport.kept().take(self.route)?, self.syntax);
        match self.begin(&mut response, message, end).await {
            Err(TransportError::Interrupted) => None,
            begun => Some(self.judge(response, begun, end).await),
        }
    }

    /// Sends the request and waits for the head of the response.
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
                let transport_error = begun.err().unwrap_or(TransportError::Interrupted);
                match response.success().filter(|_| self.intent == Intent::Reset) {
                    Some(status) => Ok(self.headless(response, status, transport_error, end).await),
                    None => Err(self.failed(transport_error, Stage::Sent)),
                }
            }
        }
    }

    /// Connects. Until this succeeds, a stop or a lack of time cancels the request.
    async fn connect(&self, start: Instant, end: Instant) -> Result<Connection, ConnectError> {
        // A request that is sent at the last moment would be cut off before its response.
        let last_moment = end - LEAST_TO_SEND.min((end - start) / 2);

        // The order makes it safe: a connection is used only if there is no reason to cancel.
        tokio::select! {
            biased;
            () = self.op.stop.cancelled() => Err(TransportError::Stopped.into()),
            () = tokio::time::sleep_until(last_moment) => Err(TransportError::Unreachable(NO_CONNECTION_IN_TIME).into()),
            connection = self.transport.connect(self.route) => connection,
        }
    }

    /// Waits for something after the request was sent. A stop ends a read, but never a request that changes a password.
    async fn in_time<T>(&self, end: Instant, future: impl Future<Output = T>) -> Result<T, TransportError> {
        let stop = async {
            match self.intent {
                Intent::Read => self.op.stop.cancelled().await,
                Intent::Reset | Intent::Set => std::future::pending().await,
            }
        };
        let mut future = pin!(future);
        // The order makes it safe: if the response is there, neither a stop nor the clock may cost it.
        tokio::select! {
            biased;
            value = &mut future => Ok(value),
            () = stop => Err(TransportError::Stopped),
            () = tokio::time::sleep_until(end) => {
                // If the process was suspended, the response may have arrived in time without having been read.
                let look = if end.elapsed() > OVERSLEPT { LAST_LOOK } else { Duration::ZERO };
                tokio::time::timeout(look, future).await.map_err(|_| TransportError::TimedOut)
            }
        }
    }

    async fn accept(&self, mut response: Arriving<Connection>, head: Head, end: Instant) -> Result<Answer, Failure> {
        let Head { status, headers } = head;
        let (request_id, media) = (request_id(&headers), self.syntax.media(&headers));
        let answer = |received: Received, flaw| Answer {
            media,
            request_id: request_id.clone(),
            ..self.answer(status, received, flaw)
        };
        if self.intent == Intent::Reset {
            let read = self.in_time(end, response.all()).await.and_then(|read| read);
            // A timeout after a complete response only means that nothing more followed.
            let is_flaw = |transport_error: &TransportError| {
                *transport_error != TransportError::TimedOut || !response.is_complete()
            };
            let flaw = read.err().filter(is_flaw).map(|transport_error| self.flaw(transport_error, Stage::Agreed));
            return Ok(answer(response.received(), flaw));
        }
        let most = if self.intent == Intent::Read { arriving::PAGE } else { arriving::PASSWORD };
        let body = match self.in_time(end, response.whole_body(most)).await.and_then(|body| body) {
            Ok(body) => body,
            Err(transport_error) => {
                let Failure { error, tries } = self.failed(transport_error, Stage::Agreed);
                return Err(Failure { error: Error { status: Some(status), request_id, ..error }, tries });
            }
        };
        if self.intent == Intent::Set && self.agreement.is_refusal(&body) {
            let received = Received { body, beyond: Vec::new(), is_whole: true };
            let answer = Answer { request_id, ..self.answer(status, received, None) };
            return Err(Failure::last(answer.refused()));
        }
        // The response to a reset proves itself by its password. To this request, a captive portal's 200 would look
        // the same as the vendor's.
        if self.intent == Intent::Set
            && self.agreement.of(status, media, &body, &self.error_format.refusal) == Origin::Foreign
        {
            let classification = classify_foreign_success();
            let error =
                Error::new(classification.kind, classification.outcome, self.host, format!("it returned {status}"));
            let error = Error {
                finality: classification.finality,
                status: Some(status),
                request_id: request_id.clone(),
                ..error
            };
            let received = Received { body, beyond: Vec::new(), is_whole: true };
            let error = match self.agreement.disagreement(media, &received.body, &self.error_format.refusal) {
                Some(reason) => {
                    let error = Error { kind: Kind::NotDescribed, reason: reason.into(), ..error };
                    answer(received, None).with_message(error)
                }
                None => error,
            };
            return Err(Failure { error, tries: classification.tries });
        }
        if self.intent == Intent::Read
            && let Some(connection) = response.into_idle()
        {
            self.transport.kept().keep(self.route, connection);
        }
        Ok(answer(Received { body, beyond: Vec::new(), is_whole: true }, None))
    }

    /// Collects what was received after a 2xx status line without a valid head.
    async fn headless(
        &self,
        mut response: Arriving<Connection>,
        status: u16,
        transport_error: TransportError,
        end: Instant,
    ) -> Answer {
        let _ = self.in_time(end, response.all()).await;
        self.answer(status, response.received(), Some(self.flaw(transport_error, Stage::Sent)))
    }

    fn answer(&self, status: u16, received: Received, flaw: Option<BrokenResponse>) -> Answer {
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

    fn flaw(&self, transport_error: TransportError, stage: Stage) -> BrokenResponse {
        let Error { kind, outcome, finality, reason, .. } = self.failed(transport_error, stage).error;
        BrokenResponse { kind, outcome, finality, reason }
    }

    /// Creates the failure for an error status. If its body cannot be read, the status is enough.
    async fn refuse(&self, mut response: Arriving<Connection>, head: Head, end: Instant) -> Failure {
        let Head { status, headers } = head;
        let end = end.min(Instant::now() + REFUSAL_TIME);
        let body = if (300..400).contains(&status) {
            Zeroizing::default()
        } else {
            let body = self.in_time(end, response.whole_body(arriving::REFUSAL)).await;
            body.and_then(|body| body).unwrap_or_default()
        };

        let said = self.error_format.read(&body, self.syntax.media(&headers), &headers);
        let code = said.code.as_deref();
        let classification = classify_status(status, self.intent, self.error_format, said.words, code)
            .with_vendor_kind(status, self.error_format.meaning(code));
        let now = SystemTime::now();
        // The headers of a window are about the rate limit, and say nothing about an outage.
        let wait = match classification.kind {
            Kind::RateLimited => retry_after(&headers, now).or_else(|| next_window(&headers, now)),
            Kind::Unavailable => retry_after(&headers, now),
            _ => None,
        };
        let error = Error {
            finality: classification.finality,
            status: Some(status),
            words: said.words,
            code: said.code,
            message: said.message,
            request_id: said.request_id,
            retry_after: wait,
            ..Error::new(classification.kind, classification.outcome, self.host, format!("it returned {status}"))
        };
        Failure { error, tries: classification.tries }
    }

    fn failed(&self, transport_error: TransportError, stage: Stage) -> Failure {
        let classification = classify_transport_error(transport_error, stage, self.intent);
        let reason = match (transport_error, stage) {
            (
                TransportError::Certificate(reason)
                | TransportError::Setup(reason)
                | TransportError::Unreachable(reason),
                _,
            ) => reason,
            (TransportError::ProxyRefused, _) => "the proxy opened no tunnel",
            (TransportError::Interrupted, Stage::Agreed) => "the connection ended during the response",
            (TransportError::Interrupted, _) => "the connection ended before a response",
            (TransportError::Stopped, Stage::Connecting) => "the operation was stopped before the request was sent",
            (TransportError::Stopped, _) => "the operation was stopped",
            (TransportError::TimedOut, Stage::Agreed) => "the response did not end in time",
            (TransportError::TimedOut, _) => "no response arrived in time",
            (TransportError::TooLarge, _) => "the response is longer than any response of this API should be",
        };
        let error = Error::new(classification.kind, classification.outcome, self.host, reason);
        Failure { error: Error { finality: classification.finality, ..error }, tries: classification.tries }
    }
}

/// How late a timer must be to show that the process was suspended.
const OVERSLEPT: Duration = Duration::from_millis(100);

/// How long to look for a response that may have arrived while the process was suspended.
const LAST_LOOK: Duration = Duration::from_secs(1);

/// How long to wait for the body of an error response.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

//! What can be made to go wrong on the way to a login, and when.

use std::{io, sync::Mutex, time::Duration};

use serde::Deserialize;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    time::sleep,
};

use super::{
    super::{
        faults::{milliseconds, once},
        gate::Gate,
        lock,
        tls::Showing,
    },
    Lines,
};

/// Something that goes wrong at one stage of an SMTP connection: by default once.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmtpFault {
    stage: Stage,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default)]
    mechanism: Option<String>,
    #[serde(default = "at_first")]
    times: Option<usize>,
    effect: SmtpEffect,
}

/// How far an SMTP connection has come.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// The greeting.
    Banner,
    /// EHLO in clear.
    Ehlo,
    /// The STARTTLS command.
    #[serde(rename = "starttls")]
    StartTls,
    /// The TLS handshake, by STARTTLS or from the first byte.
    Handshake,
    /// EHLO over TLS.
    EhloOverTls,
    /// The AUTH command, before anybody looks at credentials.
    Auth,
    /// A 334, which asks for the next part of the credentials.
    Challenge,
    /// The reply to credentials, which have been looked at.
    Login,
    /// The QUIT command.
    Quit,
}

/// What goes wrong. An effect that means nothing at its stage is used up there and does nothing.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmtpEffect {
    /// The handshake ends with an alert: nothing in common.
    Alert,
    /// Another certificate.
    Certificate(Showing),
    /// The handshake demands a certificate of the client.
    ClientCertificate,
    /// The connection is closed.
    Close,
    /// All goes on, later.
    #[serde(rename = "delay_ms", deserialize_with = "milliseconds")]
    Delay(Duration),
    /// The reply is one line that does not end, for as long as the client reads.
    EndlessLine,
    /// Line follows line, and none is the last, for as long as the client reads.
    EndlessReply,
    /// EHLO is answered with these extensions and no others.
    Extensions(Vec<String>),
    /// So many bytes in lines of the reply, before its usual ones.
    HugeReply(usize),
    /// These bytes come after the reply and in one piece with it.
    Inject(String),
    /// The handshake is answered as by a server that knows TLS 1.1 at most.
    OldTls,
    /// Another reply, and the command is not obeyed; after a 421 the connection is closed.
    Reply(String),
    /// Nothing comes until it is released; then all goes on.
    Stall,
}

/// Who logs in, and by which mechanism, as far as that is known.
#[derive(Clone, Copy, Default)]
pub(crate) struct Attempt<'a> {
    pub user_name: Option<&'a str>,
    pub mechanism: Option<&'a str>,
}

/// What a fault results in, once waited for.
pub(crate) enum Met {
    /// Nothing more.
    Over,
    /// Close the connection.
    Close,
    /// Answer this, and do nothing.
    Reply(String),
    /// The server does what it always does, and this is done to its reply or to its TLS.
    Shape(SmtpEffect),
}

impl SmtpFault {
    /// A fault that happens once, to the first client that reaches that stage.
    pub fn new(stage: Stage, effect: SmtpEffect) -> Self {
        Self { stage, user_name: None, mechanism: None, times: at_first(), effect }
    }

    /// Another reply at that stage.
    pub fn reply(stage: Stage, reply: &str) -> Self {
        Self::new(stage, SmtpEffect::Reply(reply.to_owned()))
    }

    /// EHLO answered with these extensions and no others, in clear or over TLS.
    pub fn extensions(stage: Stage, extensions: &[&str]) -> Self {
        Self::new(stage, SmtpEffect::Extensions(extensions.iter().map(|&extension| extension.to_owned()).collect()))
    }

    /// Another certificate.
    pub fn certificate(showing: Showing) -> Self {
        Self::new(Stage::Handshake, SmtpEffect::Certificate(showing))
    }

    /// Only at the login of this user.
    pub fn of(mut self, user_name: &str) -> Self {
        self.user_name = Some(user_name.to_owned());
        self
    }

    /// Only where AUTH is by this mechanism.
    pub fn by(mut self, mechanism: &str) -> Self {
        self.mechanism = Some(mechanism.to_owned());
        self
    }

    /// So many times.
    pub fn times(mut self, times: usize) -> Self {
        self.times = Some(times);
        self
    }

    /// Every time.
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    fn concerns(&self, stage: Stage, attempt: Attempt<'_>) -> bool {
        let fits = |wanted: &Option<String>, given: Option<&str>| wanted.is_none() || wanted.as_deref() == given;
        self.stage == stage && fits(&self.user_name, attempt.user_name) && fits(&self.mechanism, attempt.mechanism)
    }
}

impl SmtpEffect {
    /// Sends a reply as this effect has it.
    pub async fn deliver<S>(&self, lines: &mut Lines<S>, reply: &str) -> io::Result<()>
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let code = reply.get(..3).unwrap_or_default();
        let filler = format!("{code}-{}\r\n", "x".repeat(FILLER_LENGTH));
        match self {
            Self::EndlessLine => {
                lines.send(format!("{code} ").as_bytes()).await?;
                loop {
                    lines.send(&[b'x'; FILLER_LENGTH]).await?;
                }
            }
            Self::EndlessReply => loop {
                lines.send(filler.as_bytes()).await?;
            },
            Self::Extensions(extensions) => lines.reply(&ehlo_reply(extensions)).await,
            Self::HugeReply(length) => {
                lines.send(filler.repeat(length.div_ceil(filler.len())).as_bytes()).await?;
                lines.reply(reply).await
            }
            Self::Inject(bytes) => lines.send(format!("{reply}\r\n{bytes}").as_bytes()).await,
            _ => lines.reply(reply).await,
        }
    }
}

/// The faults that are still to happen.
#[derive(Default)]
pub(crate) struct SmtpFaults(Mutex<Vec<SmtpFault>>);

impl SmtpFaults {
    /// Adds a fault after those already there.
    pub(crate) fn add(&self, fault: SmtpFault) {
        lock(&self.0).push(fault);
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// How many faults are still to happen, each counted as often as it will; one that always happens counts once.
    pub(crate) fn pending(&self) -> usize {
        lock(&self.0).iter().map(|fault| fault.times.unwrap_or(1)).sum()
    }

    /// Uses up the oldest fault of this stage, and waits where it is one that takes time.
    pub(crate) async fn meet(&self, stage: Stage, attempt: Attempt<'_>, gate: &Gate) -> Met {
        let Some(effect) = self.take(stage, attempt) else { return Met::Over };
        match effect {
            SmtpEffect::Close => return Met::Close,
            SmtpEffect::Delay(time) => sleep(time).await,
            SmtpEffect::Reply(reply) => return Met::Reply(reply),
            SmtpEffect::Stall => gate.hold().await,
            effect => return Met::Shape(effect),
        }
        Met::Over
    }

    fn take(&self, stage: Stage, attempt: Attempt<'_>) -> Option<SmtpEffect> {
        let mut faults = lock(&self.0);
        let fault = faults.iter_mut().find(|fault| fault.times != Some(0) && fault.concerns(stage, attempt))?;
        fault.times = fault.times.map(|times| times - 1);
        let effect = fault.effect.clone();
        faults.retain(|fault| fault.times != Some(0));
        Some(effect)
    }
}

/// The reply to EHLO that names these extensions.
fn ehlo_reply(extensions: &[String]) -> String {
    let mut lines = vec!["localhost"];
    lines.extend(extensions.iter().map(String::as_str));
    let last = lines.len() - 1;
    let marked = |(at, line): (usize, &&str)| format!("250{}{line}", if at == last { ' ' } else { '-' });
    lines.iter().enumerate().map(marked).collect::<Vec<_>>().join("\r\n")
}

#[expect(clippy::unnecessary_wraps, reason = "null stands for every time, and this for what is not given")]
fn at_first() -> Option<usize> {
    Some(once())
}

/// Short enough for a line of a reply (RFC 5321, section 4.5.3.1.5).
const FILLER_LENGTH: usize = 400;

//! The submission server: it accepts exactly the current passwords, and mail that goes nowhere.

mod auth;
mod faults;
mod handshake;
mod limits;
mod lines;

use std::{borrow::Cow, io, sync::Arc};

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

pub use self::faults::{SmtpEffect, SmtpFault, Stage};
pub(crate) use self::{faults::SmtpFaults, limits::Limits};
use self::{
    faults::{Attempt, Met},
    handshake::secure,
    lines::{Line, Lines},
};
use super::{
    Shared,
    journal::{Tls, Visit},
};

/// Serves one connection that starts in clear and goes on after STARTTLS.
pub(crate) async fn serve_starttls(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let visit = shared.journal.connections.open();
    let mut session = Session::new(stream, &shared, &visit, None);
    if session.welcome().await? == Ended::Closed || session.run().await? == Ended::Closed {
        return Ok(());
    }
    // Whatever came in clear after STARTTLS was never protected, and is thrown away with the connection.
    visit.thrown_away(session.lines.unread());
    let Some(stream) = session.lines.into_inner() else { return Ok(()) };
    let stream = secure(stream, &shared, &visit, Tls::StartTls).await?;
    Session::new(stream, &shared, &visit, Some(Tls::StartTls)).run().await.map(drop)
}

/// Serves one connection that is TLS from its first byte.
pub(crate) async fn serve_tls(stream: TcpStream, shared: Arc<Shared>) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let visit = shared.journal.connections.open();
    let stream = secure(stream, &shared, &visit, Tls::Implicit).await?;
    let mut session = Session::new(stream, &shared, &visit, Some(Tls::Implicit));
    if session.welcome().await? == Ended::Closed {
        return Ok(());
    }
    session.run().await.map(drop)
}

#[derive(Eq, PartialEq)]
enum Ended {
    Closed,
    No,
    StartTls,
}

struct Session<'server, S> {
    lines: Lines<S>,
    shared: &'server Shared,
    visit: &'server Visit<'server>,
    tls: Option<Tls>,
    /// What a fault does to the next reply.
    shape: Option<SmtpEffect>,
    greeted: bool,
    authenticated: bool,
    mail: Mail,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Mail {
    None,
    Sender,
    Recipients,
}

/// Why a command is answered with something other than success.
enum Refused {
    Gone(io::Error),
    Reply(&'static str),
    Scripted(String),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Gone(error)
    }
}

impl<'server, S: AsyncRead + AsyncWrite + Unpin> Session<'server, S> {
    fn new(stream: S, shared: &'server Shared, visit: &'server Visit<'server>, tls: Option<Tls>) -> Self {
        let lines = Lines::new(stream);
        Self { lines, shared, visit, tls, shape: None, greeted: false, authenticated: false, mail: Mail::None }
    }

    async fn welcome(&mut self) -> io::Result<Ended> {
        let met = self.meet(Stage::Banner, Attempt::default()).await;
        let met = if self.shared.limits.lets_in() { met } else { Err(Refused::Reply(BANNED)) };
        self.answer(met.map(|()| GREETING)).await
    }

    async fn run(&mut self) -> io::Result<Ended> {
        loop {
            let line = match self.lines.next(COMMAND_LIMIT).await? {
                Line::Text(line) => line,
                Line::Refused(reply) => {
                    self.visit.command("", "");
                    self.say(reply).await?;
                    continue;
                }
                Line::End => return Ok(Ended::Closed),
            };
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let verb = verb.to_ascii_uppercase();
            self.visit.command(&verb, argument);
            let done = self.obey_unless_faulty(&verb, argument).await;
            let ended = self.answer(done).await?;
            match verb.as_str() {
                "QUIT" => return Ok(Ended::Closed),
                _ if ended != Ended::No => return Ok(ended),
                _ => {}
            }
        }
    }

    /// Sends the resulting reply, and returns whether the connection goes on in clear or as it is.
    async fn answer(&mut self, done: Result<&'static str, Refused>) -> io::Result<Ended> {
        let reply = match done {
            Ok(reply) | Err(Refused::Reply(reply)) => Cow::Borrowed(reply),
            Err(Refused::Scripted(reply)) => Cow::Owned(reply),
            Err(Refused::Gone(error)) => return Err(error),
        };
        self.say(&reply).await?;
        Ok(match reply {
            Cow::Borrowed(READY_FOR_TLS) => Ended::StartTls,
            reply if reply.starts_with("421") => Ended::Closed,
            _ => Ended::No,
        })
    }

    async fn say(&mut self, reply: &str) -> io::Result<()> {
        // Recorded before the client knows, so anyone who has the reply finds it in the journal.
        if self.lines.unread().is_empty() {
            self.visit.round_trip();
        }
        match self.shape.take() {
            Some(shape) => shape.deliver(&mut self.lines, reply).await,
            None => self.lines.reply(reply).await,
        }
    }

    async fn obey_unless_faulty(&mut self, verb: &str, argument: &str) -> Result<&'static str, Refused> {
        let stage = match (verb, self.tls) {
            ("EHLO", None) => Some(Stage::Ehlo),
            ("EHLO", Some(_)) => Some(Stage::EhloOverTls),
            ("QUIT", _) => Some(Stage::Quit),
            ("STARTTLS", _) => Some(Stage::StartTls),
            _ => None,
        };
        if let Some(stage) = stage {
            self.meet(stage, Attempt::default()).await?;
        }
        self.obey(verb, argument).await
    }

    /// Lets a fault happen if there is one for this stage.
    async fn meet(&mut self, stage: Stage, attempt: Attempt<'_>) -> Result<(), Refused> {
        match self.shared.smtp_faults.meet(stage, attempt, &self.shared.gate).await {
            Met::Over => Ok(()),
            Met::Close => Err(io::Error::from(io::ErrorKind::ConnectionAborted).into()),
            Met::Reply(reply) => Err(Refused::Scripted(reply)),
            Met::Shape(effect) => {
                self.shape = Some(effect);
                Ok(())
            }
        }
    }

    async fn obey(&mut self, verb: &str, argument: &str) -> Result<&'static str, Refused> {
        match verb {
            "AUTH" => self.auth(argument).await,
            "DATA" => self.data().await,
            "EHLO" | "HELO" => self.greet(verb, argument),
            "EXPN" | "HELP" | "VRFY" => Err(Refused::Reply("502 5.5.1 Not implemented")),
            "MAIL" => self.mail(argument),
            "NOOP" => Ok("250 2.0.0 Ok"),
            "QUIT" => Ok("221 2.0.0 Bye"),
            "RCPT" => self.recipient(argument),
            "RSET" => {
                self.mail = Mail::None;
                Ok("250 2.0.0 Ok")
            }
            "STARTTLS" => self.start_tls(argument),
            _ => Err(Refused::Reply("500 5.5.2 Unknown command")),
        }
    }

    fn greet(&mut self, verb: &str, domain: &str) -> Result<&'static str, Refused> {
        if domain.trim().is_empty() {
            return Err(Refused::Reply("501 5.5.4 Who are you?"));
        }
        self.mail = Mail::None;
        self.greeted = verb == "EHLO";
        Ok(match (verb, self.tls) {
            ("HELO", _) => "250 localhost",
            (_, None) => "250-localhost\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 STARTTLS",
            (_, Some(_)) => "250-localhost\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN",
        })
    }

    fn start_tls(&mut self, argument: &str) -> Result<&'static str, Refused> {
        if self.tls.is_some() {
            return Err(Refused::Reply("503 5.5.1 TLS is on already"));
        }
        if !argument.is_empty() {
            return Err(Refused::Reply("501 5.5.4 STARTTLS has no argument"));
        }
        Ok(READY_FOR_TLS)
    }

    fn mail(&mut self, argument: &str) -> Result<&'static str, Refused> {
        self.require_login()?;
        if self.mail != Mail::None {
            return Err(Refused::Reply("503 5.5.1 One mail at a time"));
        }
        path(argument, "FROM:")?;
        self.mail = Mail::Sender;
        Ok("250 2.1.0 Ok")
    }

    fn recipient(&mut self, argument: &str) -> Result<&'static str, Refused> {
        self.require_login()?;
        if self.mail == Mail::None {
            return Err(Refused::Reply("503 5.5.1 MAIL comes first"));
        }
        path(argument, "TO:")?;
        self.mail = Mail::Recipients;
        Ok("250 2.1.5 Ok")
    }

    async fn data(&mut self) -> Result<&'static str, Refused> {
        self.require_login()?;
        if self.mail != Mail::Recipients {
            return Err(Refused::Reply("503 5.5.1 RCPT comes first"));
        }
        self.mail = Mail::None;
        self.say("354 End with a dot on a line of its own").await?;
        let mut length = 0;
        loop {
            match self.lines.next(DATA_LINE_LIMIT).await? {
                Line::Text(line) if line == "." => break,
                Line::Text(line) => length += line.len(),
                Line::Refused(_) => length = MAIL_LIMIT + 1,
                Line::End => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            }
        }
        if length > MAIL_LIMIT {
            return Err(Refused::Reply("552 5.3.4 Too much mail"));
        }
        Ok("250 2.0.0 Thrown away, as sandboxes do")
    }

    /// In clear STARTTLS comes before all else (RFC 3207, section 4), and a submission needs a login (RFC 6409).
    fn require_login(&self) -> Result<(), Refused> {
        match self.tls {
            None => Err(Refused::Reply(STARTTLS_FIRST)),
            Some(_) if !self.authenticated => Err(Refused::Reply("530 5.7.0 Authentication required")),
            Some(_) => Ok(()),
        }
    }
}

fn path(argument: &str, keyword: &str) -> Result<(), Refused> {
    let given = argument.get(..keyword.len()).is_some_and(|given| given.eq_ignore_ascii_case(keyword));
    let path = argument.get(keyword.len()..).unwrap_or_default().trim_start();
    if given && path.starts_with('<') && path.contains('>') {
        return Ok(());
    }
    Err(Refused::Reply("501 5.5.4 An address in angle brackets is missing"))
}

const GREETING: &str = "220 localhost ESMTP sandbox";
/// What a server replies once a failure counter has banned the address.
const BANNED: &str = "421 4.7.0 Too many failed logins from this address";
const READY_FOR_TLS: &str = "220 2.0.0 Ready to start TLS";
const STARTTLS_FIRST: &str = "530 5.7.0 Must issue a STARTTLS command first";

/// RFC 5321, section 4.5.3.1.4, with the end of the line.
const COMMAND_LIMIT: usize = 512;
/// RFC 5321, section 4.5.3.1.6, is kept by clients; a server may be generous.
const DATA_LINE_LIMIT: usize = 16 << 10;
const MAIL_LIMIT: usize = 10 << 20;

//! AUTH PLAIN and LOGIN (RFC 4954, RFC 4616).

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{
    super::{
        faults::Moment,
        journal::{Login, Tls},
    },
    Attempt, Line, Mail, Refused, STARTTLS_FIRST, Session, Stage,
};

/// Who wants to log in, and with what.
struct Credentials {
    username: String,
    password: String,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<'_, S> {
    /// Carries out the AUTH command.
    pub(super) async fn auth(&mut self, argument: &str) -> Result<&'static str, Refused> {
        let tls = self.ready_for_auth()?;
        let (mechanism, initial) = match argument.split_once(' ') {
            Some((mechanism, initial)) => (mechanism, Some(initial)),
            None => (argument, None),
        };
        let mechanism = mechanism.to_ascii_uppercase();
        self.meet(Stage::Auth, Attempt { mechanism: Some(&mechanism), ..Attempt::default() }).await?;
        if !self.shared.limits.lets_log_in() {
            return Err(Refused::Reply("450 4.7.1 Too many logins"));
        }
        let (mechanism, credentials) = match mechanism.as_str() {
            "" => return Err(Refused::Reply("501 5.5.4 Which mechanism?")),
            "LOGIN" => ("LOGIN", self.login(initial).await?),
            "PLAIN" => ("PLAIN", self.plain(initial).await?),
            _ => return Err(Refused::Reply("504 5.5.4 PLAIN or LOGIN")),
        };
        let Credentials { username, password } = credentials;
        self.shared.notify_others(None, Some(&username), Moment::Before);
        let accepted = self.shared.accounts.accepts(&username, &password);
        self.shared.journal.login(Login { username: username.clone(), accepted, mechanism, tls });
        self.shared.notify_others(None, Some(&username), Moment::After);
        self.meet(Stage::Login, Attempt { user_name: Some(&username), mechanism: Some(mechanism) }).await?;
        if !accepted {
            self.shared.limits.refused();
            return Err(Refused::Reply("535 5.7.8 Authentication credentials invalid"));
        }
        self.authenticated = true;
        Ok("235 2.7.0 Authentication succeeded")
    }

    fn ready_for_auth(&self) -> Result<Tls, Refused> {
        let tls = self.tls.ok_or(Refused::Reply(STARTTLS_FIRST))?;
        if !self.greeted {
            return Err(Refused::Reply("503 5.5.1 EHLO comes first"));
        }
        if self.authenticated || self.mail != Mail::None {
            return Err(Refused::Reply("503 5.5.1 Not now"));
        }
        Ok(tls)
    }

    async fn plain(&mut self, initial: Option<&str>) -> Result<Credentials, Refused> {
        let response = match initial {
            Some(initial) => decode(initial)?,
            None => self.ask("").await?,
        };
        let parts: Vec<_> = response.split('\0').collect();
        match *parts.as_slice() {
            [authorize, username, password] if authorize.is_empty() || authorize == username => {
                Ok(Credentials { username: username.to_owned(), password: password.to_owned() })
            }
            [_, _, _] => Err(Refused::Reply("535 5.7.8 Nobody acts for somebody else here")),
            _ => Err(Refused::Reply(MALFORMED)),
        }
    }

    async fn login(&mut self, initial: Option<&str>) -> Result<Credentials, Refused> {
        let username = match initial {
            Some(initial) => decode(initial)?,
            None => self.ask("Username:").await?,
        };
        Ok(Credentials { username, password: self.ask("Password:").await? })
    }

    async fn ask(&mut self, challenge: &str) -> Result<String, Refused> {
        self.meet(Stage::Challenge, Attempt::default()).await?;
        self.say(&format!("334 {}", STANDARD.encode(challenge))).await?;
        match self.lines.next(RESPONSE_LIMIT).await? {
            Line::Text(line) if line == "*" => Err(Refused::Reply("501 5.7.0 Cancelled")),
            Line::Text(line) => decode(&line),
            Line::Refused(_) => Err(Refused::Reply("500 5.5.6 Authentication exchange line is too long")),
            Line::End => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into()),
        }
    }
}

/// A lone `=` stands for an empty initial response.
fn decode(encoded: &str) -> Result<String, Refused> {
    let encoded = if encoded == "=" { "" } else { encoded };
    let decoded = STANDARD.decode(encoded).map_err(|_| Refused::Reply(MALFORMED))?;
    String::from_utf8(decoded).map_err(|_| Refused::Reply(MALFORMED))
}

const MALFORMED: &str = "501 5.5.2 Malformed authentication response";

/// RFC 4954, section 4.
const RESPONSE_LIMIT: usize = 12288;

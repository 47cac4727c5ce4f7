//! Statements that another party has signed on who is calling, as JSON Web Tokens: exchanged for an access token, so that
//! there is no long-lived secret (RFC 7521).

use std::{fs::File, io::Read, path::PathBuf};

use tokio::task::spawn_blocking;
use url::form_urlencoded;
use zeroize::Zeroizing;

use super::check;
use crate::{
    http::{Api, BaseUrl, Error, ErrorFormat, Form, Kind, Mark, Method, Operation, Outcome, Result},
    secret::Secret,
};

/// Where an assertion comes from.
#[derive(Debug)]
pub(super) enum Assertion {
    /// The user gave it.
    Value(Secret),
    /// A file that somebody keeps current. It is read for each access token, and need not be there before.
    File(PathBuf),
    /// A server that makes one for each request.
    Issuer {
        /// The server. Its base URL is the whole path.
        issuer: Api,
        /// The query that belongs to the address.
        query: Vec<(String, String)>,
        /// What a request is authorized with.
        token: Secret,
    },
}

impl Assertion {
    /// A server at an address whose query is part of it, which is asked for this audience. `client` is any API with the
    /// same settings. The address has passed [`address`].
    pub(super) fn issuer(client: &Api, url: &str, audience: &str, token: Secret) -> Result<Self, &'static str> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let query: Vec<_> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        // With two audiences it would be open which one counts, so one in the address is left alone.
        let own = query.iter().all(|(name, _)| name != AUDIENCE).then(|| (AUDIENCE.to_owned(), audience.to_owned()));
        let issuer = client.at(BaseUrl::parse(base)?, &ISSUER_ERRORS);
        Ok(Self::Issuer { issuer, query: query.into_iter().chain(own).collect(), token })
    }

    /// Returns one that is valid now, as far as is known.
    pub(super) async fn get(&self, op: &Operation) -> Result<Secret> {
        match self {
            Self::Value(value) => Ok(value.clone()),
            Self::File(path) => {
                let path = path.clone();
                let content = op.wait(spawn_blocking(move || content(path))).await?;
                content
                    .unwrap_or(Err(UNREADABLE))
                    .map_err(|reason| Error::new(Kind::Setup, Outcome::NotChanged, "", reason))
            }
            Self::Issuer { issuer, query, token } => {
                let request = issuer.request(Method::GET, &[]).bearer(token);
                let request = query.iter().fold(request, |request, (name, value)| request.query(name, value));
                let answer = request.read(op).await?;
                answer.secret("/value").ok_or_else(|| answer.unreadable("it has no OIDC token"))
            }
        }
    }
}

/// Checks the address of a server that makes assertions.
pub(super) fn address(text: &str) -> Result<(), &'static str> {
    BaseUrl::parse(text.split_once('?').map_or(text, |(base, _)| base)).map(drop)
}

/// Reads a token from a file. The error never quotes it.
fn content(path: PathBuf) -> Result<Secret, &'static str> {
    // Opening a pipe would block until there is a writer.
    if !path.metadata().map_err(|_| UNREADABLE)?.is_file() {
        return Err("the OIDC token file is not a regular file");
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MOST_BYTES + 1));
    let file = File::open(path).map_err(|_| UNREADABLE)?;
    file.take(MOST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|_| UNREADABLE)?;
    let text = if bytes.len() > MOST_BYTES { None } else { str::from_utf8(&bytes).ok() };
    let token = text.map(str::trim).filter(|text| check::token(text).is_ok());
    token.map(Secret::new).ok_or("the OIDC token file does not contain a token")
}

const UNREADABLE: &str = "the OIDC token file cannot be read";

/// No token is as long: it has to fit into a header elsewhere.
const MOST_BYTES: usize = 64 * 1024;

const AUDIENCE: &str = "audience";

/// Nothing is documented of the errors of such servers; those of GitHub have a message.
static ISSUER_ERRORS: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/message")]]),
    code: &[],
    codes: &[],
    message: &["/message"],
    fields: None,
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

#[cfg(test)]
mod tests {
    use std::{fs, time::Duration};

    use tokio_util::sync::CancellationToken;

    use super::*;

    async fn read(path: PathBuf) -> Result<Secret> {
        Assertion::File(path).get(&Operation::new(Duration::from_mins(1), CancellationToken::new())).await
    }

    #[tokio::test]
    async fn a_file_is_read_again_for_each_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        for (text, expected) in [("one", Ok("one")), ("two\n", Ok("two")), (" \n", Err(())), ("a b", Err(()))] {
            fs::write(&path, text).unwrap();
            let token = read(path.clone()).await;
            assert_eq!(token.clone().map_err(drop), expected.map(Secret::new), "{text:?}");
            assert!(token.is_ok() || token.unwrap_err().kind == Kind::Setup);
        }
        fs::write(&path, "x".repeat(MOST_BYTES + 1)).unwrap();
        for path in [path, folder.path().join("none"), folder.path().to_owned()] {
            let error = read(path).await.unwrap_err();
            assert_eq!((error.kind, error.outcome), (Kind::Setup, Outcome::NotChanged));
        }
    }

    #[test]
    fn an_address_may_have_a_query_and_is_no_plain_one_beyond_this_machine() {
        for (text, is_valid) in [
            ("https://pipelines.example.com/abc//idtoken?api-version=2.0", true),
            ("http://127.0.0.1:80/token?a=b", true),
            ("https://pipelines.example.com", true),
            ("http://pipelines.example.com/token?a=https://example.com", false),
            ("pipelines.example.com", false),
        ] {
            assert_eq!(address(text).is_ok(), is_valid, "{text}");
        }
    }
}

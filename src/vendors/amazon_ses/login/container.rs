//! The credentials of a container, at ECS and EKS.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html>

use std::path::Path;

use http::header::AUTHORIZATION;
use url::Url;

use super::{
    document,
    key::{AwsKey, failed, setup},
    machine::{TIME, UNDOCUMENTED},
};
use crate::{
    http::{Api, BaseUrl, Method, Operation, Result},
    secret::{Outside, Secret},
    vendors::{Fields, amazon_ses::variables as names},
};

const SOURCE: &str = "fetching the credentials of the container";

#[derive(Debug)]
pub(super) struct Container {
    /// Any API of the same client.
    api: Api,
    /// The address, if one is set.
    address: Option<String>,
    token: Option<Secret>,
    token_file: Option<String>,
}

impl Container {
    pub(super) fn of(settings: &Fields, api: &Api) -> Self {
        let relative = settings.text(&names::CONTAINER_RELATIVE_URI).map(|path| format!("http://169.254.170.2{path}"));
        Self {
            api: api.clone(),
            address: relative.or_else(|| settings.text(&names::CONTAINER_FULL_URI).map(str::to_owned)),
            token: settings.secret(&names::CONTAINER_TOKEN).cloned(),
            token_file: settings.text(&names::CONTAINER_TOKEN_FILE).map(str::to_owned),
        }
    }

    /// Returns the container's key; `None` where there is no container.
    pub(super) async fn key(&self, op: &Operation) -> Result<Option<AwsKey>> {
        let Some(address) = &self.address else { return Ok(None) };
        let wrong = |rule: &str| setup("", format!("{SOURCE} failed: its address {rule}"));
        let url = Url::parse(address).map_err(|_| wrong("is not a URL"))?;
        // Without the path, because the authority alone decides whether it may be called without TLS.
        let base = &url[..url::Position::AfterPort];
        let base = BaseUrl::of_metadata(base).map_err(wrong)?;
        // The rest exactly as it is written: the server at that address may need its last slash.
        let mut request = self
            .api
            .at(base, &UNDOCUMENTED)
            .request(Method::GET, &[])
            .at(&Outside::new(url.as_str()))
            .map_err(wrong)?;
        if let Some(token) = self.token(op).await? {
            request = request.header(AUTHORIZATION, token);
        }
        let answer = request.read(&op.within(TIME)).await;
        let key = answer.and_then(|answer| AwsKey::granted(&answer, "", "Token"));
        key.map(Some).map_err(|error| failed(SOURCE, error))
    }

    async fn token(&self, op: &Operation) -> Result<Option<Secret>> {
        // The file first: it is renewed, and the variable is not.
        let Some(file) = &self.token_file else { return Ok(self.token.clone()) };
        let why = match document::read(op, Path::new(file)).await? {
            Ok(Some(token)) => return Ok(Some(Secret::new(token.for_wire().trim()))),
            Ok(None) => "does not exist",
            Err(why) => why,
        };
        Err(setup("", format!("{SOURCE} failed: the file in `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` {why}")))
    }
}

//! The credentials of an EC2 instance, by version 2 of its metadata service.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instance-metadata-security-credentials.html>

use super::{
    key::{AwsKey, failed, setup},
    machine::{TIME, UNDOCUMENTED},
};
use crate::{
    http::{Api, BaseUrl, HeaderName, Method, Operation, Result},
    secret::Secret,
    vendors::{Fields, amazon_ses::variables as names},
};

const ADDRESS: &str = "http://169.254.169.254";
const ROLE: [&str; 4] = ["latest", "meta-data", "iam", "security-credentials"];
const SOURCE: &str = "fetching the credentials of the EC2 instance";
const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const TOKEN_TTL: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");

#[derive(Debug)]
pub(super) struct Instance {
    /// Any API of the same client.
    api: Api,
    address: String,
    is_disabled: bool,
}

impl Instance {
    pub(super) fn of(settings: &Fields, api: &Api) -> Self {
        let is_disabled =
            settings.text(&names::METADATA_DISABLED).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let address = settings.text(&names::METADATA_ENDPOINT).unwrap_or(ADDRESS).to_owned();
        Self { api: api.clone(), address, is_disabled }
    }

    /// Returns the instance's key.
    pub(super) async fn key(&self, op: &Operation) -> Result<AwsKey> {
        if self.is_disabled {
            return Err(setup("", "it is not asked, because `AWS_EC2_METADATA_DISABLED` is `true`"));
        }
        let base = BaseUrl::of_metadata(&self.address)
            .map_err(|rule| setup("", format!("{SOURCE} failed: `AWS_EC2_METADATA_SERVICE_ENDPOINT` {rule}")))?;
        let op = op.within(TIME);
        self.ask(&op, &self.api.at(base, &UNDOCUMENTED)).await.map_err(|error| failed(SOURCE, error))
    }

    async fn ask(&self, op: &Operation, api: &Api) -> Result<AwsKey> {
        // Sent as a read, although it is a PUT: one token more changes nothing, so it may be repeated.
        let request = api.request(Method::PUT, &["latest", "api", "token"]);
        let answer = request.header(TOKEN_TTL, Secret::new("21600")).read(op).await?;
        let token = answer.plain_text().ok_or_else(|| answer.unreadable("it is not a token"))?;
        token.remember();
        let get = |path: &[&str]| api.request(Method::GET, path).header(TOKEN, token.clone()).read(op);
        let answer = get(&ROLE).await?;
        let role = answer.plain_text().ok_or_else(|| answer.unreadable("the instance has no role"))?;
        // The first of several, as AWS's own tools do.
        let role = role.for_wire().lines().next().unwrap_or_default().trim().to_owned();
        let answer = get(&[ROLE[0], ROLE[1], ROLE[2], ROLE[3], &role]).await?;
        AwsKey::granted(&answer, "", "Token")
    }
}

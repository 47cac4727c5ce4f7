//! Roles, which STS gives temporary keys for.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/>

use std::path::PathBuf;

use super::{
    document,
    key::{AwsKey, failed, setup},
};
use crate::{
    http::{Api, BaseUrl, BodyText, Method, Operation, Request, Result},
    secret::{Name, Secret},
    vendors::{
        Fields,
        amazon_ses::{errors::ERROR_FORMAT, partition::Partition, signature::Signature, variables as names},
    },
};

/// A role to assume.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session_name: String,
    pub(super) external_id: Option<Secret>,
    pub(super) duration: Option<String>,
}

impl Role {
    /// A role without further conditions.
    pub(super) fn new(arn: &str, session_name: Option<&str>) -> Self {
        let session_name = session_name.unwrap_or("terraform-provider-smtp").to_owned();
        Self { arn: arn.to_owned(), session_name, external_id: None, duration: None }
    }

    /// Names it, although its ARN may be anything.
    fn described(&self) -> String {
        Name::new(&self.arn).map_or_else(|| "assuming a role".to_owned(), |arn| format!("assuming the role `{arn}`"))
    }
}

/// A role that is assumed with a token of another identity provider.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct WebIdentity {
    pub(super) role: Role,
    pub(super) token_file: PathBuf,
}

#[derive(Debug)]
pub(super) struct Sts {
    /// Any API of the same client.
    api: Api,
    region: Option<String>,
    endpoint: Option<String>,
    partition: &'static Partition,
}

impl Sts {
    pub(super) fn new(settings: &Fields, api: &Api, partition: &'static Partition) -> Self {
        let region = names::region(settings).map(str::to_owned);
        let endpoint = settings.text(&names::ENDPOINT_URL_STS).map(str::to_owned);
        Self { api: api.clone(), region, endpoint, partition }
    }

    /// Assumes a role with a web identity. `region` is used where the settings have none.
    pub(super) async fn with_web_identity(
        &self,
        op: &Operation,
        identity: &WebIdentity,
        region: Option<&str>,
    ) -> Result<AwsKey> {
        let WebIdentity { role, token_file } = identity;
        let source = format!("{} with a web identity", role.described());
        // Read again each time, because such a token lasts for minutes or hours.
        let (what, why) = match document::read(op, token_file).await? {
            Ok(Some(token)) => {
                let token = trimmed(&token);
                token.remember();
                let mut fields = role.fields("AssumeRoleWithWebIdentity");
                fields.push(("WebIdentityToken", token.into()));
                let (api, _) = self.at(region)?;
                // Without a signature: the token is the login, and there is no key yet to sign with.
                let answer = api.request(Method::POST, &[]).form(fields).read(op).await;
                let object = "/AssumeRoleWithWebIdentityResponse/AssumeRoleWithWebIdentityResult/Credentials";
                let key = answer.and_then(|answer| AwsKey::granted(&answer, object, "SessionToken"));
                return key.map_err(|error| failed(&source, error));
            }
            Ok(None) => ("the file with its token", "does not exist"),
            Err(why) => ("the file with its token", why),
        };
        Err(setup("", format!("{source} failed: {what} {why}")))
    }

    /// Assumes a role with a key.
    pub(super) async fn with_key(
        &self,
        op: &Operation,
        key: AwsKey,
        role: &Role,
        region: Option<&str>,
    ) -> Result<AwsKey> {
        let (api, region) = self.at(region)?;
        let request: Request = api.request(Method::POST, &[]).form(role.fields("AssumeRole"));
        let answer = request.signed(Signature { key, region, service: "sts" }.shared()).read(op).await;
        let object = "/AssumeRoleResponse/AssumeRoleResult/Credentials";
        let key = answer.and_then(|answer| AwsKey::granted(&answer, object, "SessionToken"));
        key.map_err(|error| failed(&role.described(), error))
    }

    /// Returns the API, and the region that its requests are signed for.
    fn at(&self, region: Option<&str>) -> Result<(Api, String)> {
        let region = self.region.as_deref().or(region).unwrap_or(self.partition.signing_region).to_owned();
        let address = self.endpoint.clone().unwrap_or_else(|| self.partition.sts(&region));
        let base = BaseUrl::parse(&address).map_err(|rule| {
            setup("", format!("the address of STS, from `AWS_ENDPOINT_URL_STS` or the region, {rule}"))
        })?;
        Ok((self.api.at(base, &ERROR_FORMAT).in_xml(), region))
    }
}

impl Role {
    fn fields(&self, action: &'static str) -> Vec<(&'static str, BodyText)> {
        let mut fields: Vec<(_, BodyText)> = vec![
            ("Action", action.into()),
            ("Version", "2011-06-15".into()),
            ("RoleArn", self.arn.as_str().into()),
            ("RoleSessionName", self.session_name.as_str().into()),
        ];
        fields.extend(self.external_id.clone().map(|id| ("ExternalId", id.into())));
        fields.extend(self.duration.as_deref().map(|seconds| ("DurationSeconds", seconds.into())));
        fields
    }
}

fn trimmed(token: &Secret) -> Secret {
    Secret::new(token.for_wire().trim())
}

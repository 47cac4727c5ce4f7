//! What the provider logs in to AWS with: each source, at servers of its own.

use std::{fs, path::Path};

use tempfile::TempDir;
use wiremock::matchers::header_exists;

use super::*;

const WEB_IDENTITY: &str = "Action=AssumeRoleWithWebIdentity&Version=2011-06-15";
const ROLE: &str = "Action=AssumeRole&";

/// AWS: IAM, STS and the services of a machine, all at one address.
struct Aws {
    server: Server,
    folder: TempDir,
}

impl Aws {
    async fn start() -> Self {
        let server = Server { case: &CASES[0], mock: MockServer::start().await };
        let keys = Mock::given(method("POST")).and(body_string_contains("Action=ListAccessKeys"));
        keys.respond_with(xml(200, super::list().body)).mount(&server.mock).await;
        Self { server, folder: TempDir::new().unwrap() }
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Answers STS with a key of this id.
    async fn assume(&self, action: &str, key: &str, expiration: &str) {
        let name = action.strip_prefix("Action=").unwrap().split('&').next().unwrap();
        let credentials = format!(
            "<AccessKeyId>{key}</AccessKeyId><SecretAccessKey>temporary-secret</SecretAccessKey>\
             <SessionToken>temporary-token</SessionToken><Expiration>{expiration}</Expiration>"
        );
        let body = format!(
            "<{name}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{name}Result><Credentials>{credentials}\
             </Credentials></{name}Result></{name}Response>"
        );
        let mock = Mock::given(method("POST")).and(body_string_contains(action));
        mock.respond_with(xml(200, &body)).mount(&self.server.mock).await;
    }

    /// Lists keys with these settings, with no files but those that are named.
    async fn list_with(&self, settings: &[(&str, &str)]) -> Result<Vec<Listed>, Error> {
        self.api(settings).list(&operation(), &self.server.scope()).await
    }

    fn api(&self, settings: &[(&str, &str)]) -> Arc<dyn VendorApi> {
        let (uri, vendor) = (self.server.mock.uri(), CASES[0].vendor);
        let nowhere = self.folder.path().join("nowhere").to_str().unwrap().to_owned();
        let mut all = std::collections::BTreeMap::from([
            ("AWS_CONFIG_FILE", &*nowhere),
            ("AWS_SHARED_CREDENTIALS_FILE", &*nowhere),
            ("AWS_ENDPOINT_URL_STS", &*uri),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]);
        all.extend(settings.iter().copied());
        let mut settings = Fields::default();
        for (name, value) in all {
            let field = vendor.settings.iter().find(|field| field.name == name).unwrap();
            settings.insert(field, Secret::new(value)).unwrap();
        }
        let client = Client::new(Settings {
            ca_certificate_file: None,
            request_timeout: Duration::from_secs(20),
            max_requests_per_second: None,
            user_agent: "contract".to_owned(),
        });
        vendor.api(&settings, BaseUrl::parse(&uri).unwrap(), &client)
    }

    async fn requests(&self) -> Vec<Request> {
        self.server.mock.received_requests().await.unwrap()
    }

    /// The id of the key that IAM's requests are signed with, in their order.
    async fn signers(&self) -> Vec<String> {
        let requests = self.requests().await;
        let of_iam = requests.iter().filter(|request| request.body.starts_with(b"Action=ListAccessKeys"));
        let signer = |request: &Request| {
            let header = request.headers["authorization"].to_str().unwrap();
            header.split_once("Credential=").unwrap().1.split('/').next().unwrap().to_owned()
        };
        of_iam.map(signer).collect()
    }

    async fn signed_by(&self, settings: &[(&str, &str)], key: &str) {
        self.list_with(settings).await.unwrap();
        assert_eq!(self.signers().await, [key]);
    }
}

/// The variables of a key in the environment.
const ENVIRONMENT: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAENV"), ("AWS_SECRET_ACCESS_KEY", "env-secret")];

#[tokio::test]
async fn a_profile_in_the_block_comes_first_and_one_in_the_environment_after_keys() {
    let text = "[work]\naws_access_key_id = AKIAWORK\naws_secret_access_key = work-secret\n";
    for (setting, expected) in [("profile", "AKIAWORK"), ("AWS_PROFILE", "AKIAENV")] {
        let aws = Aws::start().await;
        let file = aws.file("credentials", text);
        let settings = [&ENVIRONMENT[..], &[(setting, "work"), ("AWS_SHARED_CREDENTIALS_FILE", &file)]].concat();
        aws.signed_by(&settings, expected).await;
    }
}

#[tokio::test]
async fn a_web_identity_is_exchanged_without_a_signature() {
    let aws = Aws::start().await;
    aws.assume(WEB_IDENTITY, "ASIAWEB", "2999-01-01T00:00:00Z").await;
    let token = aws.file("token", "the.web.token\n");
    let settings = [("AWS_ROLE_ARN", "arn:aws:iam::1:role/a"), ("AWS_WEB_IDENTITY_TOKEN_FILE", &*token)];
    aws.signed_by(&settings, "ASIAWEB").await;
    let requests = aws.requests().await;
    let body = String::from_utf8_lossy(&requests[0].body);
    assert!(body.contains("WebIdentityToken=the.web.token") && body.contains("RoleSessionName="), "{body}");
    assert!(!requests[0].headers.contains_key("authorization"));
    assert_eq!(requests[1].headers["x-amz-security-token"], "temporary-token");
}

#[tokio::test]
async fn a_chain_of_profiles_is_followed_to_its_key() {
    let aws = Aws::start().await;
    let config = aws.file(
        "config",
        "# all\n[default]\nregion = eu-west-1\n[profile target]\nrole_arn = arn:aws:iam::2:role/b\nsource_profile = \
         middle\nexternal_id = the-external-id\n[profile middle]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=base\n\
         s3 =\n  max = 1\n",
    );
    let credentials = aws.file("credentials", "[base]\naws_access_key_id=AKIABASE\naws_secret_access_key=s\n");
    aws.assume(
        &format!("{ROLE}Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa"),
        "ASIAONE",
        "2999-01-01T00:00:00Z",
    )
    .await;
    aws.assume(
        &format!("{ROLE}Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A2%3Arole%2Fb"),
        "ASIATWO",
        "2999-01-01T00:00:00Z",
    )
    .await;
    let settings =
        [("AWS_PROFILE", "target"), ("AWS_CONFIG_FILE", &config), ("AWS_SHARED_CREDENTIALS_FILE", &credentials)];
    aws.signed_by(&settings, "ASIATWO").await;
    let signers: Vec<_> = aws
        .requests()
        .await
        .iter()
        .map(|request| request.headers["authorization"].to_str().unwrap().to_owned())
        .collect();
    for (signer, key) in signers.iter().zip(["AKIABASE/", "ASIAONE/", "ASIATWO/"]) {
        assert!(signer.contains(&format!("Credential={key}")), "{signer}");
    }
    assert!(signers[0].contains("/us-east-1/sts/"), "{}", signers[0]);
    assert!(String::from_utf8_lossy(&aws.requests().await[1].body).contains("ExternalId=the-external-id"));
}

#[tokio::test]
async fn a_role_may_be_assumed_with_the_keys_of_the_environment() {
    let aws = Aws::start().await;
    let text = "[profile a]\nrole_arn = arn:aws:iam::1:role/a\ncredential_source = Environment\nregion = eu-west-3\n";
    let config = aws.file("config", text);
    aws.assume(ROLE, "ASIAROLE", "2999-01-01T00:00:00Z").await;
    let settings = [&ENVIRONMENT[..], &[("profile", "a"), ("AWS_CONFIG_FILE", &config)]].concat();
    aws.signed_by(&settings, "ASIAROLE").await;
    let header = aws.requests().await[0].headers["authorization"].to_str().unwrap().to_owned();
    assert!(header.contains("Credential=AKIAENV/") && header.contains("/eu-west-3/sts/"), "{header}");
}

#[tokio::test]
async fn a_container_is_asked_with_its_token_at_the_very_address() {
    let body = r#"{"AccessKeyId":"ASIABOX","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}"#;
    for address in ["/v1/credentials", "/2016-11-01/credentialprovider/", "/", "/a%2Fb//c?role=mail%20one&x", "?a=/"] {
        let aws = Aws::start().await;
        let mock = Mock::given(method("GET")).and(header("authorization", "box-token"));
        mock.respond_with(ResponseTemplate::new(200).set_body_raw(body, "application/json"))
            .mount(&aws.server.mock)
            .await;
        let (uri, token) = (format!("{}{address}", aws.server.mock.uri()), aws.file("token", "box-token\n"));
        let settings =
            [("AWS_CONTAINER_CREDENTIALS_FULL_URI", &*uri), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &*token)];
        aws.signed_by(&settings, "ASIABOX").await;
        let asked = aws.requests().await[0].url.to_string();
        assert!(asked.ends_with(address), "{asked} is not {address}");
    }
}

#[tokio::test]
async fn an_instance_is_asked_last_and_with_a_token() {
    let aws = Aws::start().await;
    let (mock, plain) = (&aws.server.mock, |text: &str| ResponseTemplate::new(200).set_body_string(text));
    let token = Mock::given(method("PUT")).and(path("/latest/api/token"));
    token.and(header_exists("x-aws-ec2-metadata-token-ttl-seconds")).respond_with(plain("tkn")).mount(mock).await;
    let role = "/latest/meta-data/iam/security-credentials";
    let body = r#"{"Code":"Success","AccessKeyId":"ASIAEC2","SecretAccessKey":"s","Token":"t","Expiration":"2999-01-01T00:00:00Z"}"#;
    for (at, text) in [(role.to_owned(), "mail-role"), (format!("{role}/mail-role"), body)] {
        let get = Mock::given(method("GET")).and(path(at)).and(header("x-aws-ec2-metadata-token", "tkn"));
        get.respond_with(plain(text)).mount(mock).await;
    }
    let uri = mock.uri();
    aws.signed_by(&[("AWS_EC2_METADATA_DISABLED", "false"), ("AWS_EC2_METADATA_SERVICE_ENDPOINT", &uri)], "ASIAEC2")
        .await;
}

#[tokio::test]
async fn a_temporary_key_is_fetched_again_before_it_expires_and_when_it_is_refused() {
    for (expiration, refused, expected) in [
        ("2999-01-01T00:00:00Z", false, 1),
        // In the past, so within five minutes of its end.
        ("2026-01-01T00:00:00Z", false, 2),
        ("2999-01-01T00:00:00Z", true, 2),
        // One that does not say when it ends may be over like any other.
        ("", false, 1),
        ("", true, 2),
        ("soon", true, 2),
    ] {
        let aws = Aws::start().await;
        aws.assume(WEB_IDENTITY, "ASIAWEB", expiration).await;
        if refused {
            let text = CASES[0].error.replace("AccessDenied", "ExpiredToken");
            let keys = Mock::given(method("POST")).and(body_string_contains("Action=ListAccessKeys"));
            keys.respond_with(xml(403, &text)).up_to_n_times(1).with_priority(1).mount(&aws.server.mock).await;
        }
        let token = aws.file("token", "the.web.token");
        let api = aws.api(&[("AWS_ROLE_ARN", "arn:aws:iam::1:role/a"), ("AWS_WEB_IDENTITY_TOKEN_FILE", &token)]);
        for _ in 0..2 {
            api.check(&operation(), &aws.server.target(), &PriorCredential::default()).await.unwrap();
        }
        let requests = aws.requests().await;
        let fetched = requests.iter().filter(|request| request.body.starts_with(WEB_IDENTITY.as_bytes())).count();
        assert_eq!(fetched, expected, "{expiration} {refused}");
    }
}

#[tokio::test]
async fn each_source_that_does_not_work_is_named() {
    let config = "[profile sso]\nsso_session = a\n[profile process]\ncredential_process = /bin/a\n[profile empty]\n\
                  region = eu-west-1\n[profile round]\nrole_arn = arn:aws:iam::1:role/a\nsource_profile = about\n\
                  [profile about]\nrole_arn = arn:aws:iam::1:role/b\nsource_profile = round\n[profile mfa]\n\
                  role_arn = arn:aws:iam::1:role/a\nsource_profile = mfa\nmfa_serial = arn\n[profile half]\n\
                  role_arn = arn:aws:iam::1:role/a\n[profile refused]\nrole_arn = arn:aws:iam::1:role/a\n\
                  source_profile = refused\naws_access_key_id = AKIA\naws_secret_access_key = s\n[default]\n\
                  aws_access_key_id = AKIADEFAULT\naws_secret_access_key = s\n[profile id]\naws_access_key_id = AKIA\n\
                  [profile secret]\naws_secret_access_key = s\n[profile own]\nrole_arn = arn:aws:iam::1:role/a\n\
                  source_profile = own\naws_access_key_id = AKIA\n[profile environment]\n\
                  role_arn = arn:aws:iam::1:role/a\ncredential_source = Environment\n";
    let nowhere = ("AWS_CONFIG_FILE", "/nowhere/config");
    for (settings, words) in [
        (&[nowhere][..], &["no AWS credentials were found", "AWS_EC2_METADATA_DISABLED", "profile `default`"][..]),
        // Half of a login is not followed by another source, such as the profile `default`, which has a key.
        (&[ENVIRONMENT[0]], &["`AWS_ACCESS_KEY_ID` is set, but `AWS_SECRET_ACCESS_KEY` is not"]),
        (&[ENVIRONMENT[1]], &["`AWS_SECRET_ACCESS_KEY` is set, but `AWS_ACCESS_KEY_ID` is not"]),
        (
            &[ENVIRONMENT[0], ("AWS_ROLE_ARN", "arn:aws:iam::1:role/a"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere")],
            &["`AWS_ACCESS_KEY_ID` is set, but `AWS_SECRET_ACCESS_KEY` is not"],
        ),
        (
            &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/a")],
            &["`AWS_ROLE_ARN` is set, but `AWS_WEB_IDENTITY_TOKEN_FILE` is not"],
        ),
        (
            &[("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")],
            &["`AWS_WEB_IDENTITY_TOKEN_FILE` is set, but `AWS_ROLE_ARN` is not"],
        ),
        (
            &[("profile", "environment"), ENVIRONMENT[0]],
            &["`AWS_ACCESS_KEY_ID` is set, but `AWS_SECRET_ACCESS_KEY` is not"],
        ),
        (&[("profile", "id")], &["the profile `id` has `aws_access_key_id`, but not `aws_secret_access_key`"]),
        (&[("profile", "secret")], &["the profile `secret` has `aws_secret_access_key`, but not `aws_access_key_id`"]),
        (&[("profile", "own")], &["the profile `own` has `aws_access_key_id`, but not `aws_secret_access_key`"]),
        (&[("profile", "sso")], &["the profile `sso` uses `sso_session`", "export-credentials"]),
        (&[("profile", "process")], &["the profile `process` uses `credential_process`"]),
        (&[("profile", "empty")], &["the profile `empty` has no credentials in "]),
        (&[("AWS_PROFILE", "missing")], &["the profile `missing` has no credentials in "]),
        (&[("profile", "round")], &["`source_profile` cycle"]),
        (&[("profile", "mfa")], &["the profile `mfa` needs an MFA code"]),
        (&[("profile", "half")], &["the profile `half` has a `role_arn` but not exactly one of"]),
        (
            &[("profile", "refused")],
            &["assuming the role `arn:aws:iam::1:role/a` failed", "returned 403 AccessDenied, “"],
        ),
        (
            &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/a"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere/token")],
            &["assuming the role `arn:aws:iam::1:role/a` with a web identity failed", "does not exist"],
        ),
        (
            &[nowhere, ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://example.com/a")],
            &["the credentials of the container failed", "must use https"],
        ),
        (
            &[nowhere, ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://user:word@127.0.0.1/a")],
            &["the credentials of the container failed", "must not contain a user name or password"],
        ),
    ] {
        let aws = Aws::start().await;
        let refused = Mock::given(method("POST")).and(body_string_contains(ROLE));
        refused.respond_with(xml(403, CASES[0].error)).mount(&aws.server.mock).await;
        let file = aws.file("config", config);
        let settings = [&[("AWS_CONFIG_FILE", &*file)], settings].concat();
        let error = aws.list_with(&settings).await.unwrap_err();
        assert_eq!((error.kind, error.outcome), (Kind::NoLogin, Outcome::NotChanged), "{words:?}");
        for words in words {
            assert!(error.reason.contains(words), "{} lacks {words}", error.reason);
        }
        assert_eq!(aws.signers().await.len(), 0);
    }
}

#[tokio::test]
async fn a_file_that_cannot_be_read_is_named() {
    let aws = Aws::start().await;
    let folder: &Path = aws.folder.path();
    let error = aws.list_with(&[("AWS_CONFIG_FILE", folder.to_str().unwrap())]).await.unwrap_err();
    assert_eq!(error.kind, Kind::NoLogin);
    assert!(
        error.reason.contains("of the shared AWS configuration cannot be read")
            || error.reason.contains("is not a text"),
        "{}",
        error.reason
    );
}

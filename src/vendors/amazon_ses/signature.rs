//! AWS Signature Version 4.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>

use std::{fmt::Write as _, sync::Arc};

use http::{HeaderName, header::AUTHORIZATION};
use jiff::Timestamp;
use ring::{digest, hmac};
use zeroize::Zeroizing;

use super::login::key::AwsKey;
use crate::{
    http::{Sign, Unsigned},
    secret::Secret,
};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: &str = "x-amz-date";
const TOKEN: &str = "x-amz-security-token";

/// Signs requests to one service with one key.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    pub(super) key: AwsKey,
    /// The region of the service, which for a global one is that of its partition.
    pub(super) region: String,
    pub(super) service: &'static str,
}

impl Sign for Signature {
    fn sign(&self, unsigned: &Unsigned<'_>) -> Vec<(HeaderName, Secret)> {
        let Unsigned { method, url, host, content_type, body, now } = unsigned;
        // A clock that is off by ages leads to a refusal by AWS, not to a panic.
        let now = Timestamp::try_from(*now).unwrap_or_default();
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let date = &time[..8];

        // In the order of their names.
        let mut headers = vec![("content-type", *content_type), ("host", *host), (DATE, &*time)];
        headers.extend(self.key.session_token.as_ref().map(|token| (TOKEN, token.for_wire())));
        let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        // All at once: the session token is in it, and a growing text would leave copies behind.
        let room = headers.iter().map(|(name, value)| name.len() + value.len() + 2).sum::<usize>();
        let mut canonical = Zeroizing::new(String::with_capacity(room + url.as_str().len() + names.len() + 96));
        // No request that is signed here has a query, which would have to be sorted and encoded again.
        let _ = write!(canonical, "{method}\n{}\n{}\n", url.path(), url.query().unwrap_or_default());
        for (name, value) in &headers {
            let _ = writeln!(canonical, "{name}:{value}");
        }
        let _ = write!(canonical, "\n{names}\n{}", sha256(body));

        let scope = format!("{date}/{}/{}/aws4_request", self.region, self.service);
        let text = format!("{ALGORITHM}\n{time}\n{scope}\n{}", sha256(canonical.as_bytes()));
        let signature = hex(self.signing_key(date, &text).as_ref());
        let id = &self.key.id;
        let authorization =
            format!("{ALGORITHM} Credential={id}/{scope}, SignedHeaders={names}, Signature={signature}");

        let mut signed =
            vec![(HeaderName::from_static(DATE), Secret::new(time)), (AUTHORIZATION, Secret::new(authorization))];
        signed.extend(self.key.session_token.clone().map(|token| (HeaderName::from_static(TOKEN), token)));
        signed
    }
}

impl Signature {
    /// Returns it in the form that requests take.
    pub(super) fn shared(self) -> Arc<dyn Sign> {
        Arc::new(self)
    }

    fn signing_key(&self, date: &str, text: &str) -> hmac::Tag {
        let secret = self.key.secret.for_wire();
        let mut first = Zeroizing::new(Vec::with_capacity(4 + secret.len()));
        first.extend_from_slice(b"AWS4");
        first.extend_from_slice(secret.as_bytes());
        let rounds = [&*self.region, self.service, "aws4_request", text];
        rounds.into_iter().fold(mac(&first, date), |key, message| mac(key.as_ref(), message))
    }
}

fn mac(key: &[u8], message: &str) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes())
}

fn sha256(bytes: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, bytes).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use http::Method;
    use url::Url;

    use super::*;

    /// The key of AWS's own examples; the signatures are those of botocore 1.43.11.
    #[test]
    fn a_request_is_signed_as_botocore_signs_it() {
        let key = AwsKey {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
            session_token: None,
            expires_at: None,
        };
        let signature = Signature { key, region: "us-east-1".to_owned(), service: "iam" };
        let now: Timestamp = "2026-11-28T15:50:02Z".parse().unwrap();
        let signed = signature.sign(&Unsigned {
            method: &Method::POST,
            url: &Url::parse("https://iam.amazonaws.com/").unwrap(),
            host: "iam.amazonaws.com",
            content_type: "application/x-www-form-urlencoded; charset=utf-8",
            body: b"Action=CreateAccessKey&Version=2010-05-08&UserName=ses-newsletter",
            now: now.into(),
        });
        assert_eq!(signed[0], (HeaderName::from_static(DATE), Secret::new("20261128T155002Z")));
        let expected = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261128/us-east-1/iam/aws4_request, \
                        SignedHeaders=content-type;host;x-amz-date, \
                        Signature=c39695d5cbdd2678e0e09dda88c2c97ce06fa34d6f1624392a27cef32c430152";
        assert_eq!(signed[1], (AUTHORIZATION, Secret::new(expected)));
    }
}

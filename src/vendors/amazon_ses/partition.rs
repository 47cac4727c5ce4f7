//! AWS partitions: where IAM and STS are, for the region that mail is sent from.
//!
//! Hosts and signing regions as in botocore's `iam/2010-05-08/endpoint-rule-set-1.json`.

/// A partition of AWS that has SES.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Partition {
    /// The address of IAM.
    pub(super) iam: &'static str,
    /// The region that IAM's requests are signed for.
    pub(super) signing_region: &'static str,
    /// What follows the region in host names.
    domain: &'static str,
}

pub(super) static COMMERCIAL: Partition =
    Partition { iam: "https://iam.amazonaws.com", signing_region: "us-east-1", domain: "amazonaws.com" };
static EU_SOVEREIGN: Partition = Partition {
    iam: "https://iam.eusc-de-east-1.amazonaws.eu",
    signing_region: "eusc-de-east-1",
    domain: "amazonaws.eu",
};
static US_GOV: Partition =
    Partition { iam: "https://iam.us-gov.amazonaws.com", signing_region: "us-gov-west-1", domain: "amazonaws.com" };

impl Partition {
    /// The partition of a region.
    pub(super) fn of(region: &str) -> &'static Self {
        match region.split_once('-') {
            Some(("us", rest)) if rest.starts_with("gov-") => &US_GOV,
            Some(("eusc", _)) => &EU_SOVEREIGN,
            _ => &COMMERCIAL,
        }
    }

    /// The address of STS in a region.
    pub(super) fn sts(&self, region: &str) -> String {
        format!("https://sts.{region}.{}", self.domain)
    }

    /// The submission host of a region.
    pub(super) fn smtp_host(&self, region: &str) -> String {
        format!("email-smtp.{region}.{}", self.domain)
    }
}

/// The check of a region: its form only, because AWS adds regions. China has no SES.
pub(super) fn region(text: &str) -> Result<(), &'static str> {
    if text.starts_with("cn-") {
        return Err("must be a region with Amazon SES, which China does not have");
    }
    // A region becomes part of host names, so no dot, slash or `@` may be in it.
    let parts: Vec<_> = text.split('-').collect();
    let is_word = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    match parts.as_slice() {
        [words @ .., number]
            if words.len() >= 2
                && text.len() <= 32
                && words.iter().all(is_word)
                && number.len() == 1
                && number.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            Ok(())
        }
        _ => Err("must be a region such as `eu-central-1`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_its_hosts() {
        for (name, iam, signing_region, smtp_host) in [
            ("eu-central-1", "iam.amazonaws.com", "us-east-1", "email-smtp.eu-central-1.amazonaws.com"),
            ("us-gov-east-1", "iam.us-gov.amazonaws.com", "us-gov-west-1", "email-smtp.us-gov-east-1.amazonaws.com"),
            (
                "eusc-de-east-1",
                "iam.eusc-de-east-1.amazonaws.eu",
                "eusc-de-east-1",
                "email-smtp.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            assert_eq!(region(name), Ok(()), "{name}");
            let partition = Partition::of(name);
            assert_eq!(partition.iam, format!("https://{iam}"));
            assert_eq!((partition.signing_region, &*partition.smtp_host(name)), (signing_region, smtp_host));
        }
        assert_eq!(Partition::of("eu-west-1").sts("eu-west-1"), "https://sts.eu-west-1.amazonaws.com");
    }

    #[test]
    fn what_is_no_region_is_refused() {
        for text in [
            "",
            "eu-central",
            "eu-central-1a",
            "EU-central-1",
            "eu_central_1",
            "a--1",
            "eu-central-1.evil",
            "cn-north-1",
        ] {
            assert!(region(text).is_err(), "{text}");
        }
    }
}

use super::*;

#[test]
fn a_user_name_is_one_that_iam_accepts() {
    for text in ["ses-newsletter", "a+b=c,d.e@f_g", &"x".repeat(128)] {
        assert_eq!((USER_NAME.check)(text), Ok(()), "{text}");
    }
    for text in ["", "a b", "a/b", "a:b", "ü", "a..b", &"x".repeat(129)] {
        assert!((USER_NAME.check)(text).is_err(), "{text}");
    }
}

#[test]
fn the_address_of_iam_is_that_of_the_partition() {
    for (region, expected) in [
        (None, None),
        (Some("eu-central-1"), None),
        (Some("us-gov-west-1"), Some("https://iam.us-gov.amazonaws.com")),
        (Some("eusc-de-east-1"), Some("https://iam.eusc-de-east-1.amazonaws.eu")),
    ] {
        let mut settings = Fields::default();
        if let Some(region) = region {
            settings.insert(&variables::REGION, Secret::new(region)).unwrap();
        }
        assert_eq!((VENDOR.base_url_of)(&settings), expected, "{region:?}");
    }
}

/// AWS documents two spellings of these codes.
#[test]
fn twins_have_the_same_advice() {
    let advice = |code: &str| VENDOR.advice.iter().find(|(known, _)| *known == code).map(|(_, advice)| *advice);
    for (code, twin) in [
        ("AccessDenied", "AccessDeniedException"),
        ("AccessDenied", "NotAuthorized"),
        ("ExpiredToken", "ExpiredTokenException"),
        ("InvalidClientTokenId", "UnrecognizedClientException"),
    ] {
        assert!(advice(code).is_some(), "{code}");
        assert_eq!(advice(code), advice(twin), "{twin}");
    }
}

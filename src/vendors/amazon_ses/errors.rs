//! How IAM and STS report errors.

use crate::http::{ErrorFormat, Form, Kind, Mark};

/// Errors of IAM and STS.
pub(super) static ERROR_FORMAT: ErrorFormat = ErrorFormat {
    refusal: Form(&[&[Mark::Text("/ErrorResponse/Error/Code")]]),
    code: &["/ErrorResponse/Error/Code"],
    codes: &[
        ("ExpiredToken", Kind::Unauthorized),
        ("ExpiredTokenException", Kind::Unauthorized),
        ("IncompleteSignature", Kind::Unauthorized),
        ("InvalidClientTokenId", Kind::Unauthorized),
        ("RequestExpired", Kind::Unauthorized),
        ("SignatureDoesNotMatch", Kind::Unauthorized),
        ("UnrecognizedClientException", Kind::Unauthorized),
    ],
    message: &["/ErrorResponse/Error/Message"],
    fields: None,
    request_id: &["/ErrorResponse/RequestId"],
    unprocessed: &[],
    // With 400, in botocore's `_retry.json`.
    rate_limits: &[
        "RequestThrottled",
        "RequestThrottledException",
        "Throttling",
        "ThrottlingException",
        "ThrottledException",
        "TooManyRequestsException",
    ],
};

//! The schema of `smtp_credential_pair`.

use crate::{
    framework::schema::{Attribute, Schema, Type},
    provider::{
        attributes::{age_recipients, host, password_policy, rotate_after, target, verify},
        password::{
            names::{
                CURRENT, ID, ON_EXTERNAL_CHANGE, PASSWORD, PASSWORD_POLICY, PREVIOUS, REMOTE_VERSION, ROTATED_AT,
                ROTATION_TRIGGER, ROTATION_VERSION, STALE, USERNAME, VERIFIED, VERIFY,
            },
            operation::Timed,
            state::OnExternalChange,
        },
    },
};

/// Returns the schema of the resource.
pub(super) fn schema() -> Schema {
    Schema {
        version: 0,
        description: include_str!("description.md").to_owned(),
        attributes: target::list_attributes().chain(arguments()).chain(answers()).collect(),
    }
}

/// The arguments other than the credentials.
fn arguments() -> Vec<Attribute> {
    let [smtp_host, smtp_port] = host::arguments();
    vec![
        age_recipients::argument("rotates to the other credential", "`verify.on_refresh`"),
        Attribute::optional(
            ON_EXTERNAL_CHANGE,
            Type::String,
            "What to do when a refresh finds that the current credential was changed elsewhere: `warn` (default) warns \
             at every refresh, `rotate` rotates to the other credential with the next apply, and `ignore` only sets \
             `stale`. Changing between `warn` and `ignore` takes effect at the next refresh.",
        )
        .validated_by(OnExternalChange::check),
        Attribute::optional(
            PASSWORD_POLICY,
            Type::Object(password_policy::attributes()),
            "Rules for the generated password, for vendors that let the caller choose it. The password has at least \
             one character of each enabled class. Changing what the policy allows rotates to the other credential.",
        ),
        rotate_after::argument(),
        Attribute::optional(
            ROTATION_TRIGGER,
            Type::String,
            "Any string. Changing or removing it rotates: the other credential is reset and becomes the current one. \
             Plans show it, so it must not be a secret. A value that is only known after apply is treated as a change.",
        ),
        smtp_host,
        smtp_port,
        Timed::argument(),
        Attribute::optional(
            VERIFY,
            Type::Object(verify::attributes_without_previous()),
            "Where to log in over SMTP with a new password, until it works; `{}` is enough if `smtp_host` is known. No \
             mail is sent. Before the reset, the provider checks that the server is reachable over TLS and offers a \
             login. A rotation whose new password does not log in is an error, and the current credential stays. At \
             create it is a warning.",
        ),
    ]
}

/// The computed attributes.
fn answers() -> Vec<Attribute> {
    vec![
        Attribute::computed(
            CURRENT,
            Type::String,
            "The id of the current credential, whose user name and password are in the state.",
        ),
        age_recipients::answer(),
        Attribute::computed(
            ID,
            Type::String,
            "The ids of both credentials in the order of the configuration, joined by a comma.",
        ),
        Attribute::computed(
            PASSWORD,
            Type::String,
            "The password of the current credential. Null with `age_recipients`, and until the first rotation after an \
             import, or after a credential with `password_wo` was moved: no vendor returns a password twice.",
        )
        .sensitive(),
        Attribute::computed(
            PREVIOUS,
            Type::String,
            "The id of the credential that was current before and still works. Null before the second rotation, after a \
             rotation that failed once that credential may have been reset, and if it was stale or is gone.",
        ),
        Attribute::computed(
            REMOTE_VERSION,
            Type::String,
            "The vendor's last-changed marker for the current credential as of its last reset by this provider; null \
             if the vendor does not report one. A later change elsewhere sets `stale` instead.",
        ),
        Attribute::computed(
            ROTATED_AT,
            Type::String,
            "When this provider reset the password of the current credential, in RFC 3339 format (UTC, with \
             microseconds); different after every rotation. Null after an import, until the first rotation.",
        ),
        rotate_after::computed(),
        Attribute::computed(
            ROTATION_VERSION,
            Type::Number,
            "When this provider last rotated, in seconds since 1970; an update always increases it. 0 after an import, \
             until the first rotation. For the `*_wo_version` arguments of other resources.",
        ),
        Attribute::computed(
            STALE,
            Type::Bool,
            "Whether the stored password no longer works, as far as a refresh can see: the current credential was \
             changed after this provider last reset it, it is gone, or the mail server now rejects the password \
             although it has logged in before (`verify.on_refresh`).",
        ),
        Attribute::computed(
            USERNAME,
            Type::String,
            "The user name of the current credential, to log in with over SMTP.",
        ),
        Attribute::computed(
            VERIFIED,
            Type::Bool,
            "Whether the password has logged in since the reset, right after it or at a refresh (`verify.on_refresh`). \
             Null if `verify` is not set, or was interrupted at create.",
        ),
    ]
}

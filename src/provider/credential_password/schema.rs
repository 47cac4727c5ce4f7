//! The schema of `smtp_credential_password`.

use super::{
    names::{
        ID, IN_PLACE, ON_EXTERNAL_CHANGE, PASSWORD, PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION, REMOTE_VERSION,
        REPLACE, ROTATED_AT, ROTATION_MODE, ROTATION_TRIGGER, ROTATION_VERSION, STALE, USERNAME, VERIFIED, VERIFY,
    },
    operation::Timed,
    state::OnExternalChange,
};
use crate::{
    framework::schema::{Attribute, Schema, Type},
    provider::attributes::{age_recipients, host, password_policy, retire_previous, rotate_after, target, verify},
};

/// The version of the schema. Release 0.1.0 wrote version 0, which [`super::upgrade`] converts.
pub(super) const VERSION: i64 = 1;

/// Returns the schema of the resource.
pub(in crate::provider) fn schema() -> Schema {
    Schema {
        version: VERSION,
        description: include_str!("description.md").to_owned(),
        attributes: target::attributes().chain(arguments()).chain(answers()).collect(),
    }
}

/// The arguments other than the target.
fn arguments() -> Vec<Attribute> {
    let [smtp_host, smtp_port] = host::arguments();
    vec![
        age_recipients::argument("resets the password in place", "`password_wo` and `verify.on_refresh`"),
        Attribute::optional(
            ON_EXTERNAL_CHANGE,
            Type::String,
            "What to do when a refresh finds that the password was changed elsewhere: `warn` (default) warns at every \
             refresh, `rotate` resets it again with the next apply, as a replacement or an update according to \
             `rotation_mode`, and `ignore` only sets `stale`. Changing between `warn` and `ignore` takes effect at the \
             next refresh.",
        )
        .validated_by(OnExternalChange::check),
        Attribute::optional(
            PASSWORD_POLICY,
            Type::Object(password_policy::attributes()),
            "Rules for the generated password, for vendors that let the caller choose it. The password has at least \
             one character of each enabled class. Changing what the policy allows resets the password in place.",
        ),
        Attribute::optional(
            PASSWORD_WO,
            Type::String,
            "A password of your own, for vendors that let the caller choose it. It is sent and never stored; \
             `password` is then null. Set `password_wo_version` with it; otherwise it is sent only once. Requires \
             Terraform 1.11 or OpenTofu 1.11.",
        )
        .write_only()
        .validated_by(own_password),
        Attribute::optional(
            PASSWORD_WO_VERSION,
            Type::String,
            "Any string. Changing it sends `password_wo` again, in place.",
        ),
        retire_previous::argument(),
        rotate_after::argument(),
        Attribute::optional(
            ROTATION_MODE,
            Type::String,
            "How a changed `rotation_trigger`, and a password that is due, are reset: `replace` (default) replaces the \
             resource, `in_place` updates it. An update works with `prevent_destroy`, and if it fails the resource \
             stays in state.",
        )
        .validated_by(|text| match text {
            IN_PLACE | REPLACE => Ok(()),
            _ => Err("must be `replace` or `in_place`"),
        }),
        Attribute::optional(
            ROTATION_TRIGGER,
            Type::String,
            "Any string. Changing or removing it resets the password, by default by replacing the resource. Plans show \
             it, so it must not be a secret. A value that is only known after apply is treated as a change.",
        ),
        smtp_host,
        smtp_port,
        Timed::argument(),
        Attribute::optional(
            VERIFY,
            Type::Object(verify::attributes()),
            "Where to log in over SMTP with a new password, until it works; `{}` is enough if `smtp_host` is known. No \
             mail is sent. Before the reset, the provider checks that the server is reachable over TLS and offers a \
             login. A failed login after the reset is a warning.",
        ),
    ]
}

/// Validates a password of the user's own. AUTH PLAIN cannot carry NUL (RFC 4616, section 2), and mail clients cannot
/// be configured with the other control characters.
fn own_password(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.ends_with(['\n', '\r']) {
        Err("ends with a line break, as text read from a file often does; use `trimspace` to remove it")
    } else if text.contains(|character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
        Err("must not contain line breaks, tabs, NUL or other control characters: mail clients cannot send them")
    } else {
        Ok(())
    }
}

/// The computed attributes.
fn answers() -> Vec<Attribute> {
    vec![
        age_recipients::answer(),
        Attribute::computed(
            ID,
            Type::String,
            "The vendor and what identifies the credential there. It is also the import id, except where a reset makes a new \
             credential: there the import id is that of the credential.",
        ),
        Attribute::computed(
            PASSWORD,
            Type::String,
            "The password. Null with `age_recipients` or `password_wo`, and after an import until the first rotation: \
             no vendor returns a password twice.",
        )
        .sensitive(),
        retire_previous::computed(),
        Attribute::computed(
            REMOTE_VERSION,
            Type::String,
            "The vendor's last-changed marker for the credential as of the last reset by this provider; null if the \
             vendor does not report one. A later change elsewhere sets `stale` instead.",
        ),
        Attribute::computed(
            ROTATED_AT,
            Type::String,
            "When this provider last reset the password, in RFC 3339 format (UTC, with microseconds); different after \
             every reset. Null after an import, until the first rotation.",
        ),
        rotate_after::computed(),
        Attribute::computed(
            ROTATION_VERSION,
            Type::Number,
            "When this provider last reset the password, in seconds since 1970; an update always increases it. 0 after \
             an import, until the first rotation. For the `*_wo_version` arguments of other resources.",
        ),
        Attribute::computed(
            STALE,
            Type::Bool,
            "Whether the stored password no longer works, as far as a refresh can see: the password was changed after \
             this provider last reset it, or the mail server now rejects it although it has logged in before \
             (`verify.on_refresh`). False until this provider has reset it.",
        ),
        Attribute::computed(USERNAME, Type::String, "The user name to log in with over SMTP."),
        Attribute::computed(
            VERIFIED,
            Type::Bool,
            "Whether the password has logged in since the reset, right after it or at a refresh (`verify.on_refresh`). \
             Null if `verify` is not set or was interrupted.",
        ),
    ]
}

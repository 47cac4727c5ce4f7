//! What a user may write in `smtp_credential_password`, and what it answers with.

use super::{
    names::{
        ID, IGNORE, IN_PLACE, ON_EXTERNAL_CHANGE, PASSWORD, PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION,
        REMOTE_VERSION, REPLACE, ROTATE, ROTATED_AT, ROTATION_MODE, ROTATION_TRIGGER, ROTATION_VERSION, SMTP_HOST,
        SMTP_PORT, STALE, TIMEOUTS, USERNAME, VERIFIED, VERIFY, WARN,
    },
    operation::Timed,
};
use crate::{
    framework::schema::{Attribute, Schema, Type},
    provider::attributes::{host, password_policy, target, verify},
};

/// The version of the schema. States of version 0 were written by 0.1.0, and are read by [`super::upgrade`].
pub(super) const VERSION: i64 = 1;

/// The schema of the resource.
pub(super) fn schema() -> Schema {
    Schema {
        version: VERSION,
        description: include_str!("description.md").to_owned(),
        attributes: target::attributes().chain(arguments()).chain(answers()).collect(),
    }
}

/// What a user may write beside the target.
fn arguments() -> Vec<Attribute> {
    vec![
        Attribute::optional(
            ON_EXTERNAL_CHANGE,
            Type::String,
            "What to do when a refresh sees that the password was reset elsewhere: `warn` (default) warns at every refresh, `rotate` \
             resets it once more with the next apply, as a replacement or an update by `rotation_mode`, `ignore` only sets `stale`. \
             Between `warn` and `ignore`, a change counts from the next refresh.",
        )
        .validated_by(|text| match text {
            IGNORE | ROTATE | WARN => Ok(()),
            _ => Err("must be `warn`, `rotate` or `ignore`"),
        }),
        Attribute::optional(
            PASSWORD_POLICY,
            Type::Object(password_policy::attributes()),
            "What a password is made of, where the vendor leaves it to us. It has at least one character of each wanted kind. A change of \
             what it allows resets the password in place.",
        ),
        Attribute::optional(
            PASSWORD_WO,
            Type::String,
            "A password of your own, where the vendor leaves it to us. It is sent and never stored; `password` is then null. Set it together \
             with `password_wo_version`, or it is sent once only. Needs Terraform 1.11 or OpenTofu 1.11.",
        )
        .write_only()
        .validated_by(own_password),
        Attribute::optional(
            PASSWORD_WO_VERSION,
            Type::String,
            "Any text; a change of it sends `password_wo` again, in place.",
        ),
        Attribute::optional(
            ROTATION_MODE,
            Type::String,
            "How a changed `rotation_trigger` rotates: `replace` (default) replaces the resource, `in_place` updates it. In place, \
             `prevent_destroy` is no obstacle and a failed reset cannot drop the resource from state.",
        )
        .validated_by(|text| match text {
            IN_PLACE | REPLACE => Ok(()),
            _ => Err("must be `replace` or `in_place`"),
        }),
        Attribute::optional(
            ROTATION_TRIGGER,
            Type::String,
            "Any text; a change of it, its removal included, resets the password. By default the resource is replaced for it. \
             Plans show it, so it is no place for a secret. A value that is not known until apply counts as a change.",
        ),
        Attribute::optional_computed(
            SMTP_HOST,
            Type::String,
            "Host name of the submission server. The vendor's own where it is not set.",
        )
        .validated_by(host::check),
        Attribute::optional_computed(
            SMTP_PORT,
            Type::Number,
            "Port of the submission server, 1 to 65535. The vendor's own where it is not set.",
        ),
        Attribute::optional(
            TIMEOUTS,
            Type::Object(Timed::ALL.iter().map(|operation| operation.attribute()).collect()),
            "How long the operations may take, waits for the vendor's rate limit included.",
        ),
        Attribute::optional(
            VERIFY,
            Type::Object(verify::attributes()),
            "Where to log in over SMTP with a new password, until it works; `{}` will do where `smtp_host` is known. No mail is sent. \
             What can be checked before a reset is checked before it: that the server answers, over TLS, and offers a login. A login that \
             fails is a warning.",
        ),
    ]
}

/// The rule for a password of the user's own. AUTH PLAIN cannot carry NUL (RFC 4616, section 2), and no client's configuration the rest.
fn own_password(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("must not be empty")
    } else if text.ends_with(['\n', '\r']) {
        Err("ends with a line break, as a text that was read from a file does; `trimspace` removes it")
    } else if text.contains(|character: char| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
        Err("must not contain line breaks, tabs, NUL or other control characters: mail clients cannot send them")
    } else {
        Ok(())
    }
}

/// What the resource answers with.
fn answers() -> Vec<Attribute> {
    vec![
        Attribute::computed(ID, Type::String, "The vendor and what names the credential there; also the import id."),
        Attribute::computed(
            PASSWORD,
            Type::String,
            "The password. Null after an import, until the first rotation: no vendor tells a password twice.",
        )
        .sensitive(),
        Attribute::computed(
            REMOTE_VERSION,
            Type::String,
            "What the vendor told of the credential's last change when this provider last reset the password; null where it tells \
             nothing. A later change does not alter it: that sets `stale`.",
        ),
        Attribute::computed(
            ROTATED_AT,
            Type::String,
            "When this provider last reset the password: RFC 3339 in UTC with six fraction digits, never the same twice. \
             Null after an import, until the first rotation.",
        ),
        Attribute::computed(
            ROTATION_VERSION,
            Type::Number,
            "When this provider last reset the password, in whole seconds since 1970, and always greater than before where a reset is in \
             place; 0 after an import, until the first rotation. For the `*_wo_version` arguments of other resources.",
        ),
        Attribute::computed(
            STALE,
            Type::Bool,
            "Whether a refresh has seen that the password was changed after this provider last reset it, so that the stored one is no \
             longer the live one, or that the mail server refuses it though it has logged in before (`verify.on_refresh`). False until this provider has reset it.",
        ),
        Attribute::computed(USERNAME, Type::String, "The user name to log in with over SMTP."),
        Attribute::computed(
            VERIFIED,
            Type::Bool,
            "Whether the password has logged in since the reset, then or at a refresh (`verify.on_refresh`). Null without `verify`, and \
             where that was cut short.",
        ),
    ]
}

//! Warnings about the credential that a reset has replaced.

use super::vendor::{answered, naming, stored};
use crate::{
    framework::diagnostic::Diagnostic,
    http::{Error, Outcome},
    provider::attributes::target::path,
    rotation::Predecessor,
    vendors::Target,
};

/// The warning for the previous credential that could not be revoked.
pub(in crate::provider) fn not_revoked(target: &Target, old: &str, error: &Error) -> Diagnostic {
    let old = stored(old);
    Diagnostic::warning(
        naming("The previous credential may still be valid", &old),
        format!(
            "Revoking `{old}`, which `{}` replaces: {} {} The new password is stored. Revoke `{old}` by hand.",
            target.id(),
            answered(target, error),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for a vendor that returned the old credential when asked for a new one.
pub(in crate::provider) fn same_credential(target: &Target, old: &str) -> Diagnostic {
    let (title, old) = (target.vendor.title, stored(old));
    Diagnostic::warning(
        naming("The previous credential was not revoked", &old),
        format!(
            "Revoking `{old}`, which `{}` replaces: as far as {title}'s response shows, the new password belongs to \
             this same credential, so it has to stay valid. {} The state is up to date. The previous password may \
             still work as well: check this at {title}, and if it must stop working, create a credential under another \
             name and revoke `{old}` by hand.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for a destroyed credential whose password another resource of the same run has stored.
pub(in crate::provider) fn still_held(target: &Target, id: &str) -> Diagnostic {
    Diagnostic::warning(
        naming("The credential was not revoked", &stored(id)),
        format!(
            "Revoking the credential of `{}`: a password that this run has just stored belongs to `{id}` as well, so \
             it stays valid. {} Once nothing uses it, revoke `{id}` by hand.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The warning for the previous credential that was not revoked because its successor did not log in.
pub(in crate::provider) fn spared(target: &Target, old: &str) -> Diagnostic {
    let old = stored(old);
    Diagnostic::warning(
        naming("The previous credential was not revoked", &old),
        format!(
            "Revoking `{old}`, which `{}` replaces: the new one did not log in, so the previous one is left valid. {} The \
             state is up to date. Once the new one logs in, revoke `{old}` by hand.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for the previous credential that was not revoked because there was no time to wait until its successor works
/// everywhere.
pub(in crate::provider) fn not_settled(target: &Target, old: &str) -> Diagnostic {
    let (old, title) = (stored(old), target.vendor.title);
    Diagnostic::warning(
        naming("The previous credential was not revoked", &old),
        format!(
            "Revoking `{old}`, which `{}` replaces: at {title} a new credential may need some time until it works, and \
             there was no time left to wait for that, so the previous one is left valid. {} The state is up to date. Once \
             the new one logs in, revoke `{old}` by hand.",
            target.id(),
            Outcome::Changed.sentence()
        ),
    )
    .at(path(target))
}

/// The error for the credential of a deposed object that was not revoked, because there was no time to wait until its
/// successor works everywhere.
pub(in crate::provider) fn stopped_before_settled(target: &Target, old: &str) -> Diagnostic {
    let (old, title) = (stored(old), target.vendor.title);
    Diagnostic::error(
        naming("The previous credential was not revoked", &old),
        format!(
            "Revoking the credential of `{}`: at {title} a new credential may need some time until it works, and the \
             operation was stopped while it waited for that, so `{old}` is left valid. {} Apply again to revoke it.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
}

/// The warning for the previous credential whose successor has no known name yet, so the two may not be matched.
pub(in crate::provider) fn successor_unknown(target: &Target, old: &str) -> Diagnostic {
    let old = stored(old);
    Diagnostic::warning(
        naming("The previous credential may stay valid", &old),
        format!(
            "Replacing `{}`: the new credential's name is not known yet. If it differs, the previous one, `{old}`, is not \
             revoked afterwards. {} In that case, revoke `{old}` by hand.",
            target.id(),
            Outcome::NotChanged.sentence()
        ),
    )
    .at(path(target))
}

/// The warning for the previous credential that stays valid as long as another replacement of the same run, whose target was
/// not known at plan time, may still need it.
pub(in crate::provider) fn successor_pending(target: &Target, old: &Predecessor) -> Diagnostic {
    let (id, old, title) = (target.id(), stored(old.id()), old.target.vendor.title);
    Diagnostic::warning(
        naming("The previous credential may stay valid", &old),
        format!(
            "Revoking `{old}`, which `{id}` replaces: another resource of this run is replaced too, and its new target \
             was not known at plan time. If that is not `{id}`, `{old}` is not revoked. {} The state is up to date. \
             After this run, check at {title}, and revoke `{old}` by hand if it is still valid.",
            Outcome::Changed.sentence(),
        ),
    )
    .at(path(target))
}

//! What asks for a reset of an existing resource's password, and what is only adopted.

use super::{
    policy::Policy,
    schema::{
        IN_PLACE, PASSWORD, PASSWORD_POLICY, PASSWORD_WO, PASSWORD_WO_VERSION, ROTATED_AT, ROTATION_MODE,
        ROTATION_TRIGGER,
    },
};
use crate::{
    backend::{Origin, Vendor},
    framework::{
        diagnostic::{Diagnostic, Path},
        plan::Draft,
        value::Value,
    },
};

/// What is done about the changes of an existing resource.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Rotation {
    /// No password is reset.
    None,
    /// The password is reset by an update.
    InPlace,
    /// The resource is replaced.
    Replacement,
}

/// The rotation that an update asks for, and the arguments that it adopts without one.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) rotation: Rotation,
    pub(super) adopted: Vec<Path>,
}

/// Judges the changes from the prior state to what is planned.
///
/// Import cannot know what was never told. So until this provider has reset the password for the first time, an argument that comes
/// to a resource without one is adopted as it is.
pub(super) fn asked(draft: &mut Draft, vendor: Option<&Vendor>) -> Asked {
    let mut asked = Asked { rotation: Rotation::None, adopted: Vec::new() };
    if draft.prior.is_null() {
        return asked;
    }
    let adopts = draft.prior.get(ROTATED_AT).is_null();
    adopt_target(draft, vendor, adopts, &mut asked);

    let (prior, planned) = (&draft.prior, &draft.planned);
    let in_place = planned.get(ROTATION_MODE).as_str() == Some(IN_PLACE);
    let by_trigger = if in_place { Rotation::InPlace } else { Rotation::Replacement };
    let mut ask = |name: &'static str, changed: bool, rotation: Rotation| {
        if changed && adopts && prior.get(name).is_null() {
            asked.adopted.push(Path::attribute(name));
        } else if changed {
            asked.rotation = asked.rotation.max(rotation);
        }
    };
    ask(ROTATION_TRIGGER, prior.get(ROTATION_TRIGGER) != planned.get(ROTATION_TRIGGER), by_trigger);
    if vendor.is_some_and(|vendor| vendor.origin == Origin::Caller) {
        let policy = |state: &Value| Policy::of(state.get(PASSWORD_POLICY));
        let own = !draft.config.get(PASSWORD_WO).is_null();
        let stored = !prior.get(PASSWORD).is_null();
        let version_changed = prior.get(PASSWORD_WO_VERSION) != planned.get(PASSWORD_WO_VERSION);
        ask(
            PASSWORD_POLICY,
            !own && policy(planned).is_none_or(|policy_| Some(policy_) != policy(prior)),
            Rotation::InPlace,
        );
        ask(PASSWORD_WO_VERSION, own && version_changed, Rotation::InPlace);
        // From a stored password to one of the user's own, and back.
        if !adopts && own == stored {
            asked.rotation = asked.rotation.max(Rotation::InPlace);
        }
    }
    asked
}

/// What the user is told about the arguments that are adopted.
pub(super) fn adoption(path: &Path, own_password: bool) -> Diagnostic {
    let unsent = if own_password { " `password_wo` was not sent." } else { "" };
    Diagnostic::warning(
        "No reset after the import",
        format!(
            "Adopted without a reset. No password is known until it changes again.{unsent} Change `{path}` once more to reset the \
             password."
        ),
    )
    .at(path.clone())
}

fn adopt_target(draft: &mut Draft, vendor: Option<&Vendor>, adopts: bool, asked: &mut Asked) {
    let Some(vendor) = vendor.filter(|_| adopts) else { return };
    let prior = draft.prior.get(vendor.name);
    let unknown_to_import = |path: &Path| {
        vendor.target.iter().any(|field| {
            let at = Path::attribute(vendor.name).then(field.name);
            *path == at && prior.as_object().is_some() && prior.get(field.name).is_null()
        })
    };
    let (adopted, replace) = std::mem::take(&mut draft.replace).into_iter().partition(unknown_to_import);
    (asked.adopted, draft.replace) = (adopted, replace);
}

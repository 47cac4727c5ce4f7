//! The contract's table of what resets a password and what does not, as an oracle that shares nothing with the
//! provider.

use terraform_provider_smtp::{framework::value::Value, secret::Secret};

use super::{
    arguments::{Arguments, Policy, Text},
    vendors::{Known, Target},
};

/// What a resource has been through, as far as the contract looks at it.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each answers a question of its own")]
pub struct History {
    target: Target,
    trigger: Option<Text>,
    policy: Option<Policy>,
    own_version: Option<Text>,
    rotate_after: Option<&'static str>,
    /// Whether all of the target is known; an import at SMTPD does not know the role.
    knows_target: bool,
    /// Whether this provider has ever reset it.
    was_reset: bool,
    /// Whether there is a password in state.
    is_stored: bool,
    /// Whether that was seen to be no longer the live one.
    pub is_stale: bool,
    /// Whether it is the live one.
    pub is_live: bool,
    /// Whether it is older than every `rotate_after`.
    pub is_old: bool,
    /// Whether it was rotated so often for being stale that it is not any more.
    pub is_braked: bool,
}

/// What the contract wants done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Due {
    /// No reset.
    Nothing,
    /// One, by an update.
    InPlace,
    /// One, by a replacement or a create.
    New,
}

impl History {
    /// What an import returns: the target alone.
    pub fn imported(target: Target) -> Self {
        Self {
            target,
            trigger: None,
            policy: None,
            own_version: None,
            rotate_after: None,
            knows_target: !target.vendor.makes_successors,
            was_reset: false,
            is_stored: false,
            is_stale: false,
            is_live: true,
            is_old: false,
            is_braked: false,
        }
    }

    /// What it is after an apply.
    pub fn after(before: Option<&Self>, wanted: &Arguments, due: Due) -> Self {
        let (was_reset, is_stored, is_stale) = match (before, due) {
            (Some(before), Due::Nothing) => (before.was_reset, before.is_stored, before.is_stale),
            _ => (true, wanted.own.value.is_none(), false),
        };
        Self {
            target: wanted.target,
            trigger: wanted.trigger.value.clone(),
            policy: wanted.policy.value.clone(),
            own_version: wanted.own_version.value.clone(),
            rotate_after: wanted.rotate_after.value,
            knows_target: true,
            was_reset,
            is_stored,
            is_stale,
            is_live: before.is_none_or(|before| before.is_live) || due != Due::Nothing,
            is_old: due == Due::Nothing && before.is_some_and(|before| before.is_old),
            is_braked: false,
        }
    }

    /// "Refresh sets `rotation_due` once `rotated_at` is older", and "never before this provider has reset the password
    /// once".
    pub fn is_due(&self) -> bool {
        self.was_reset && self.is_old && self.rotate_after.is_some()
    }

    /// What it is of.
    pub fn target(&self) -> Target {
        self.target
    }

    /// The table, row by row.
    pub fn due(before: Option<&Self>, wanted: &Arguments) -> Due {
        // "create": 1
        let Some(before) = before else { return Due::New };
        // "Any change inside a target forces replacement"; what is unknown at plan is one.
        if wanted.target_known != Known::Wholly || wanted.target != before.target {
            return Due::New;
        }
        let changes = [before.trigger(wanted), before.policy(wanted), before.own_version(wanted), before.own(wanted)];
        let changes = changes.into_iter().chain([before.stale(wanted), before.age(wanted)]);
        changes.max_by_key(|due| *due as usize).unwrap_or(Due::Nothing)
    }

    /// Whether the plan warns that something is adopted without a reset.
    pub fn is_adopted(before: Option<&Self>, wanted: &Arguments) -> bool {
        let Some(before) = before else { return false };
        let own = &wanted.own;
        let comes = |was_null: bool, is_set: bool| before.adopts(was_null) && is_set;
        let trigger = comes(before.trigger.is_none(), wanted.trigger.value.is_some() || wanted.trigger.late);
        let policy_changes =
            wanted.policy.late || effect(wanted.policy.value.as_ref()) != effect(before.policy.as_ref());
        let policy = comes(before.policy.is_none(), own.value.is_none() && !own.late && policy_changes);
        let own = own.value.is_some() || own.late;
        let version = wanted.own_version.value.is_some() || wanted.own_version.late;
        let own_version = comes(before.own_version.is_none(), own && version);
        let unsent = comes(true, own && !version);
        !before.knows_target || trigger || (wanted.target.vendor.takes_passwords && (policy || own_version || unsent))
    }

    /// "`rotation_trigger` changed (`replace`: delete + create; `in_place`: update)": 1
    fn trigger(&self, wanted: &Arguments) -> Due {
        let changed = wanted.trigger.value != self.trigger;
        if (!changed && !wanted.trigger.late) || self.adopts(self.trigger.is_none()) {
            return Due::Nothing;
        }
        match (wanted.mode.value, wanted.mode.late) {
            // "with `in_place` nothing is reset if it turns out equal"
            (Some("in_place"), false) if changed => Due::InPlace,
            (Some("in_place"), false) => Due::Nothing,
            _ => Due::New,
        }
    }

    /// "`stale` with `on_external_change = "rotate"`": 1, "planned as replacement or update, by `rotation_mode`".
    fn stale(&self, wanted: &Arguments) -> Due {
        let (setting, mode) = (&wanted.on_external_change, &wanted.mode);
        let rotates = setting.value == Some("rotate");
        if !self.is_stale || self.is_braked || !(rotates || setting.late) {
            return Due::Nothing;
        }
        match (mode.value, mode.late) {
            (Some("in_place"), false) if rotates => Due::InPlace,
            (Some("in_place"), false) => Due::Nothing,
            _ => Due::New,
        }
    }

    /// "A plan that finds `rotation_due = true`, with `rotate_after` unchanged or unknown, rotates in the way of
    /// `rotation_mode`."
    fn age(&self, wanted: &Arguments) -> Due {
        let is_same = wanted.rotate_after.value == self.rotate_after;
        if !self.is_due() || !(is_same || wanted.rotate_after.late) {
            return Due::Nothing;
        }
        match (wanted.mode.value, wanted.mode.late) {
            (Some("in_place"), false) if is_same => Due::InPlace,
            (Some("in_place"), false) => Due::Nothing,
            _ => Due::New,
        }
    }

    /// "update of `password_policy`": 1, "policies are compared by effect".
    fn policy(&self, wanted: &Arguments) -> Due {
        let changed = effect(wanted.policy.value.as_ref()) != effect(self.policy.as_ref());
        let counts = wanted.target.vendor.takes_passwords && wanted.own.value.is_none();
        if changed && counts && !self.adopts(self.policy.is_none()) { Due::InPlace } else { Due::Nothing }
    }

    /// "update of `password_wo_version`": 1
    fn own_version(&self, wanted: &Arguments) -> Due {
        let changed = wanted.own.value.is_some() && wanted.own_version.value != self.own_version;
        if changed && !self.adopts(self.own_version.is_none()) { Due::InPlace } else { Due::Nothing }
    }

    /// "Set while state holds a password, it is a change"; and back.
    fn own(&self, wanted: &Arguments) -> Due {
        let counts = wanted.target.vendor.takes_passwords && self.was_reset;
        if counts && wanted.own.value.is_some() == self.is_stored { Due::InPlace } else { Due::Nothing }
    }

    /// "after import, the first time that what import cannot know goes from null to a value": 0
    fn adopts(&self, was_null: bool) -> bool {
        was_null && !self.was_reset
    }
}

/// Whether a refresh logs in with the password of this state, at the mail server on this port.
pub fn is_tried(state: &Value, port: u16) -> bool {
    let verify = state.get("verify");
    *verify.get("on_refresh") == Value::Bool(true) && *verify.get("port") == Value::from(port)
}

/// "After the second rotation in a row for staleness a brake": whether the notes that belong to a state hold so many.
pub fn is_braked(private: &[u8]) -> bool {
    let notes: serde_json::Value = serde_json::from_slice(private).unwrap_or_default();
    notes["healed"].as_u64().is_some_and(|healed| healed >= 2)
}

/// "refresh saw a newer `remote_version`", or with `on_refresh` a refused login of a password that has logged in:
/// whether a refresh of this state says so, while the vendor's password is this one. "Any other failure" to learn of it
/// leaves what was known.
pub fn is_stale(state: &Value, target: Target, live: Option<&str>, port: u16) -> bool {
    let Some(stored) = state.get("password").as_secret().map(Secret::for_state) else {
        return *state.get("stale") == Value::Bool(true);
    };
    let is_proof = live == Some(stored) || *state.get("verified") == Value::Bool(true);
    let is_shown = target.vendor.shows_changes && !state.get("remote_version").is_null();
    if is_shown || (is_tried(state, port) && is_proof) {
        return live != Some(stored);
    }
    *state.get("stale") == Value::Bool(true)
}

/// What a policy results in: the length, and the special characters in their order.
fn effect(policy: Option<&Policy>) -> (u16, Vec<char>) {
    let default = Policy { length: None, special: None, special_characters: None };
    let policy = policy.unwrap_or(&default);
    let mut characters: Vec<char> = match policy.special {
        Some(false) => Vec::new(),
        _ => policy.special_characters.unwrap_or("-_.~").chars().collect(),
    };
    characters.sort_unstable();
    characters.dedup();
    (policy.length.unwrap_or(32), characters)
}

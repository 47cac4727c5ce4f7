//! The credentials of a pair, and what the tests of pairs insist on.

#![allow(dead_code, reason = "each program of tests has a part of the tests of pairs")]

use sandbox::{HostUp, HubSpot, KirimEmail, Model, VENDORS};
use serde_json::Value;

use crate::support::{Diagnostic, Run, Workspace};

/// The address of the resource that [`hubspot`] and [`block`] write.
pub(crate) const PAIR: &str = "smtp_credential_pair.this";

pub(super) const A: &str = "a@example.com";
pub(super) const B: &str = "b@example.com";
pub(super) const C: &str = "c@example.com";

pub(super) const CHANGED: &str = "The password was changed.";
pub(super) const MAY_HAVE_CHANGED: &str = "The password may have been changed.";
pub(super) const NOT_CHANGED: &str = "The password was not changed.";
pub(super) const UNTOUCHED: &str = "it was not touched, and its data in the state is unchanged.";

/// A vendor whose credentials can be paired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Vendor(&'static Model);

pub(super) const HOSTUP: Vendor = Vendor(HostUp::MODEL);
pub(super) const HUBSPOT: Vendor = Vendor(HubSpot::MODEL);
pub(super) const KIRIM_EMAIL: Vendor = Vendor(KirimEmail::MODEL);

/// All vendors whose resets leave a credential what it is.
pub(super) fn vendors() -> impl Iterator<Item = Vendor> {
    VENDORS.iter().copied().filter(|model| !model.makes_successors).map(Vendor)
}

impl Vendor {
    pub(super) fn name(self) -> &'static str {
        self.0.name
    }

    pub(super) fn open(self, workspace: &Workspace, user: &str) {
        workspace.add(self.0, user);
    }

    pub(super) fn element(self, user: &str) -> String {
        self.0.element(user)
    }

    pub(super) fn id(self, user: &str) -> String {
        let fields = self.0.fields(user).into_iter().map(|(_, value)| value);
        std::iter::once(self.name().to_owned()).chain(fields).collect::<Vec<_>>().join("/")
    }

    /// The resource, with these two credentials.
    pub(super) fn pair(self, users: [&str; 2], arguments: &str) -> String {
        let [first, second] = users.map(|user| self.element(user));
        block(&format!("{} = [{first}, {second}]", self.name()), arguments)
    }
}

/// A resource with this list.
pub(super) fn block(list: &str, arguments: &str) -> String {
    format!("resource \"smtp_credential_pair\" \"this\" {{\n  {list}\n  {arguments}\n}}\n")
}

/// A pair at `HubSpot`.
pub(super) fn hubspot(users: [&str; 2], arguments: &str) -> String {
    HUBSPOT.pair(users, arguments)
}

pub(super) fn trigger(text: &str) -> String {
    format!("rotation_trigger = \"{text}\"")
}

/// A workspace with three credentials at `HubSpot`.
pub(super) fn workspace() -> Option<Workspace> {
    let workspace = Workspace::new()?;
    for user in [A, B, C] {
        workspace.add_credential(user);
    }
    Some(workspace)
}

/// A workspace whose pair has A as the current credential and B as the previous one.
pub(super) fn rotated_twice(arguments: &str) -> Option<Workspace> {
    let workspace = workspace()?;
    for text in ["one", "two", "three"] {
        workspace.write(&hubspot([A, B], &format!("{}\n  {arguments}", trigger(text))));
        workspace.apply().quiet();
    }
    assert_eq!(turn(&workspace), (HUBSPOT.id(A).into(), HUBSPOT.id(B).into()));
    Some(workspace)
}

/// The current credential and the previous one.
pub(super) fn turn(workspace: &Workspace) -> (Value, Value) {
    let state = workspace.state_of(PAIR);
    (state["current"].clone(), state["previous"].clone())
}

pub(super) fn resets(workspace: &Workspace) -> [usize; 3] {
    [A, B, C].map(|user| workspace.sandbox.hubspot().resets(user))
}

/// Insists that the password in the state logs in as this user, and returns it.
#[track_caller]
pub(super) fn works_as(workspace: &Workspace, user: &str) -> String {
    assert_eq!(workspace.state_of(PAIR)["username"], user);
    workspace.working_password_of(PAIR)
}

/// The one diagnostic with this summary.
#[track_caller]
pub(super) fn said(run: &Run, summary: &str) -> Diagnostic {
    let mut found = run.diagnostics.iter().filter(|diagnostic| diagnostic.summary == summary);
    let (Some(only), None) = (found.next(), found.next()) else { panic!("{summary}: {run}") };
    only.clone()
}

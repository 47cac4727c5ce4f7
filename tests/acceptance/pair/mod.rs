//! `smtp_credential_pair`: two credentials that take turns.

mod age;
mod bad_input;
mod encrypted;
mod failures;
mod gap;
mod gone;
mod import;
#[cfg(unix)]
mod kills;
mod list;
mod moved;
mod plain;
mod replacement;
#[cfg(unix)]
mod shared;
#[cfg(unix)]
mod verify;

use sandbox::{HostUp, KirimEmail};
use serde_json::Value;

use crate::support::{Diagnostic, Run, Workspace};

/// The address of the resource that [`hubspot`] and [`block`] write.
pub(crate) const PAIR: &str = "smtp_credential_pair.this";

const A: &str = "a@example.com";
const B: &str = "b@example.com";
const C: &str = "c@example.com";

const CHANGED: &str = "The password was changed.";
const MAY_HAVE_CHANGED: &str = "The password may have been changed.";
const NOT_CHANGED: &str = "The password was not changed.";
const UNTOUCHED: &str = "it was not touched, and the state keeps what it has of it.";

/// A vendor whose credentials can be paired.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Vendor {
    HostUp,
    HubSpot,
    KirimEmail,
}

const VENDORS: [Vendor; 3] = [Vendor::HostUp, Vendor::HubSpot, Vendor::KirimEmail];

impl Vendor {
    fn name(self) -> &'static str {
        match self {
            Self::HostUp => "hostup",
            Self::HubSpot => "hubspot",
            Self::KirimEmail => "kirim_email",
        }
    }

    fn open(self, workspace: &Workspace, user: &str) {
        match self {
            Self::HostUp => _ = workspace.add_mailbox(user),
            Self::HubSpot => workspace.add_credential(user),
            Self::KirimEmail => workspace.add_kirim_credential(&guid(user), user),
        }
    }

    fn element(self, user: &str) -> String {
        match self {
            Self::HostUp => format!("{{ account_id = \"{}\", address = \"{user}\" }}", HostUp::ACCOUNT_ID),
            Self::HubSpot => format!("{{ user_name = \"{user}\" }}"),
            Self::KirimEmail => {
                format!("{{ domain = \"{}\", credential_guid = \"{}\" }}", KirimEmail::DOMAIN, guid(user))
            }
        }
    }

    fn id(self, user: &str) -> String {
        match self {
            Self::HostUp => format!("hostup/{}/{user}", HostUp::ACCOUNT_ID),
            Self::HubSpot => format!("hubspot/{user}"),
            Self::KirimEmail => format!("kirim_email/{}/{}", KirimEmail::DOMAIN, guid(user)),
        }
    }

    /// The resource, with these two credentials.
    fn pair(self, users: [&str; 2], arguments: &str) -> String {
        let [first, second] = users.map(|user| self.element(user));
        block(&format!("{} = [{first}, {second}]", self.name()), arguments)
    }
}

fn guid(user: &str) -> String {
    user.replace('@', "-at-")
}

/// A resource with this list.
fn block(list: &str, arguments: &str) -> String {
    format!("resource \"smtp_credential_pair\" \"this\" {{\n  {list}\n  {arguments}\n}}\n")
}

/// A pair at `HubSpot`.
fn hubspot(users: [&str; 2], arguments: &str) -> String {
    Vendor::HubSpot.pair(users, arguments)
}

fn trigger(text: &str) -> String {
    format!("rotation_trigger = \"{text}\"")
}

/// A workspace with three credentials at `HubSpot`.
fn workspace() -> Option<Workspace> {
    let workspace = Workspace::new()?;
    for user in [A, B, C] {
        workspace.add_credential(user);
    }
    Some(workspace)
}

/// A workspace whose pair has A as the current credential and B as the previous one.
fn rotated_twice(arguments: &str) -> Option<Workspace> {
    let workspace = workspace()?;
    for text in ["one", "two", "three"] {
        workspace.write(&hubspot([A, B], &format!("{}\n  {arguments}", trigger(text))));
        workspace.apply().quiet();
    }
    assert_eq!(turn(&workspace), (Vendor::HubSpot.id(A).into(), Vendor::HubSpot.id(B).into()));
    Some(workspace)
}

/// The current credential and the previous one.
fn turn(workspace: &Workspace) -> (Value, Value) {
    let state = workspace.state_of(PAIR);
    (state["current"].clone(), state["previous"].clone())
}

fn resets(workspace: &Workspace) -> [usize; 3] {
    [A, B, C].map(|user| workspace.sandbox.hubspot().resets(user))
}

/// Insists that the password in the state logs in as this user, and returns it.
#[track_caller]
fn works_as(workspace: &Workspace, user: &str) -> String {
    assert_eq!(workspace.state_of(PAIR)["username"], user);
    workspace.working_password_of(PAIR)
}

/// The one diagnostic with this summary.
#[track_caller]
fn said(run: &Run, summary: &str) -> Diagnostic {
    let mut found = run.diagnostics.iter().filter(|diagnostic| diagnostic.summary == summary);
    let (Some(only), None) = (found.next(), found.next()) else { panic!("{summary}: {run}") };
    only.clone()
}

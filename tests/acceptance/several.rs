//! Several credentials in one configuration, where each case needs one of its own: a run of core costs little more for
//! it.

use sandbox::KirimEmail;

use crate::support::{self, Diagnostic, Run, Workspace};

/// Adds the credential of a row at HubSpot, and returns its user name.
pub(crate) fn open(workspace: &Workspace, row: usize) -> String {
    let user = format!("user-{row}@example.com");
    workspace.add_credential(&user);
    user
}

/// The same at KIRIM.EMAIL.
pub(crate) fn open_kirim(workspace: &Workspace, row: usize) -> String {
    let user = format!("user-{row}");
    workspace.add_kirim_credential(&guid(row), &user);
    user
}

/// The address of the resource of a row.
pub(crate) fn address(row: usize) -> String {
    format!("smtp_credential_password.row-{row}")
}

/// The resource of a row at HubSpot.
pub(crate) fn block(row: usize, arguments: &str) -> String {
    support::resource(&format!("row-{row}"), &format!("user-{row}@example.com"), arguments)
}

/// The same at KIRIM.EMAIL.
pub(crate) fn kirim_block(row: usize, arguments: &str) -> String {
    let (domain, guid) = (KirimEmail::DOMAIN, guid(row));
    let target = format!("kirim_email = {{ domain = \"{domain}\", credential_guid = \"{guid}\" }}");
    support::block(&format!("row-{row}"), &target, arguments)
}

/// The one thing that a run says of a row. Core gives no address with what a deletion says.
#[track_caller]
pub(crate) fn said(run: &Run, row: usize) -> Diagnostic {
    let (address, user) = (address(row), format!("/user-{row}@"));
    let is_of_row = |said: &&Diagnostic| match &said.address {
        Some(said) => *said == address,
        None => said.detail.contains(&user),
    };
    let mut said = run.diagnostics.iter().filter(is_of_row);
    let (Some(only), None) = (said.next(), said.next()) else { panic!("row {row}: {run}") };
    only.clone()
}

fn guid(row: usize) -> String {
    format!("guid-of-row-{row}")
}

//! `age_recipients` at the vendors that the sandbox does not imitate, as their fixtures document them.

use terraform_provider_smtp::vendors::{ResetKind, VENDORS};

use crate::{
    case::cases_of,
    encrypted_lifecycle::{TEAM, opened, to},
    ledger::Ledger,
    replay::{Replay, argument, provider},
    support::{ADDRESS, Workspace, block},
};

#[test]
fn every_documented_vendors_password_is_encrypted_in_both_modes() {
    let is_imitated = |name: &str| sandbox::VENDORS.iter().any(|model| model.name == name);
    for vendor in VENDORS.iter().filter(|vendor| !is_imitated(vendor.name)) {
        for mode in ["replace", "in_place"] {
            let Some(mut workspace) = Workspace::new() else { return };
            let case = &cases_of(vendor.name)[0];
            let passwords: Box<dyn Fn() -> Vec<String>> = match vendor.reset_kind {
                ResetKind::InPlace => {
                    let replay = Replay::start(case, &mut workspace);
                    Box::new(move || replay.passwords())
                }
                ResetKind::NewCredential => {
                    let ledger = Ledger::start(case, &mut workspace);
                    Box::new(move || ledger.live().into_iter().map(|key| key.password).collect())
                }
            };
            for trigger in ["one", "two"] {
                let arguments =
                    format!("rotation_mode = \"{mode}\"\n  rotation_trigger = \"{trigger}\"\n  {}", to(&[TEAM[0]]));
                workspace.write(&(provider(case) + &block("this", &argument(case), &arguments)));
                workspace.apply().quiet();
                let password = opened(&workspace, ADDRESS, TEAM[1]);
                assert!(passwords().last() == Some(&password), "{} in mode {mode}", vendor.name);
                workspace.plan().nothing_to_do();
            }
            workspace.destroy().quiet();
        }
    }
}

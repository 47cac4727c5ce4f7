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
    // A vendor of few places has an imitation of its own in its tests.
    let is_kept = |name: &str| cases_of(name)[0].can_be_kept_in_a_ledger();
    for vendor in VENDORS.iter().filter(|vendor| !is_imitated(vendor.name) && is_kept(vendor.name)) {
        // Where a new credential needs some time until it works, an overlap waits for nothing.
        let is_slow = vendor.lag.is_some();
        let modes = if is_slow {
            &["rotation_mode = \"in_place\"\n  retire_previous = \"at_next_rotation\""][..]
        } else {
            &["rotation_mode = \"replace\"", "rotation_mode = \"in_place\""]
        };
        for mode in modes {
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
                let arguments = format!("{mode}\n  rotation_trigger = \"{trigger}\"\n  {}", to(&[TEAM[0]]));
                workspace.write(&(provider(case) + &block("this", &argument(case), &arguments)));
                workspace.apply().quiet();
                let password = opened(&workspace, ADDRESS, TEAM[1]);
                assert!(passwords().last() == Some(&password), "{} with {mode}", vendor.name);
                workspace.plan().nothing_to_do();
            }
            workspace.destroy().quiet();
        }
    }
}

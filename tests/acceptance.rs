//! The provider as its users run it: the real `terraform` or `tofu`, against the sandbox.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

#[path = "contract/case.rs"]
mod case;
#[path = "smtp/peers/mod.rs"]
mod peers;
#[cfg(unix)]
#[path = "faults/process.rs"]
mod process;
mod support;

#[path = "acceptance/adopting.rs"]
mod adopting;
#[path = "acceptance/amazon_ses.rs"]
mod amazon_ses;
#[path = "acceptance/apply_again.rs"]
mod apply_again;
#[path = "acceptance/azure_communication.rs"]
mod azure_communication;
#[path = "acceptance/bad_input.rs"]
mod bad_input;
#[path = "acceptance/ci.rs"]
mod ci;
#[path = "acceptance/credentials.rs"]
mod credentials;
#[path = "acceptance/documented.rs"]
mod documented;
#[path = "acceptance/doubtful.rs"]
mod doubtful;
#[path = "acceptance/encrypted.rs"]
mod encrypted;
#[path = "acceptance/encrypted_everywhere.rs"]
mod encrypted_everywhere;
#[path = "acceptance/encrypted_guide.rs"]
mod encrypted_guide;
#[path = "acceptance/encrypted_lifecycle.rs"]
mod encrypted_lifecycle;
#[path = "acceptance/every_vendor.rs"]
mod every_vendor;
#[path = "acceptance/external_change.rs"]
mod external_change;
#[path = "acceptance/failed_reset.rs"]
mod failed_reset;
#[path = "acceptance/functions.rs"]
mod functions;
#[path = "acceptance/gap_guide.rs"]
mod gap_guide;
#[path = "acceptance/hostup.rs"]
mod hostup;
#[path = "acceptance/http/mod.rs"]
mod http;
#[path = "acceptance/identity.rs"]
mod identity;
#[path = "acceptance/import.rs"]
mod import;
#[path = "acceptance/installing.rs"]
mod installing;
#[path = "acceptance/kirim_email.rs"]
mod kirim_email;
#[path = "acceptance/late_reset.rs"]
mod late_reset;
#[path = "acceptance/ledger.rs"]
mod ledger;
#[path = "acceptance/lifecycle.rs"]
mod lifecycle;
#[path = "acceptance/module.rs"]
mod module;
#[path = "acceptance/outside_texts.rs"]
mod outside_texts;
#[path = "acceptance/overlap.rs"]
mod overlap;
#[path = "acceptance/overlap_everywhere.rs"]
mod overlap_everywhere;
#[path = "acceptance/own_password.rs"]
mod own_password;
#[path = "acceptance/pair/mod.rs"]
mod pair;
#[path = "acceptance/query.rs"]
mod query;
#[path = "acceptance/recovering.rs"]
mod recovering;
#[path = "acceptance/refresh.rs"]
mod refresh;
#[path = "acceptance/replay.rs"]
mod replay;
#[path = "acceptance/rotate_after.rs"]
mod rotate_after;
#[path = "acceptance/rotation.rs"]
mod rotation;
#[path = "acceptance/sendgrid.rs"]
mod sendgrid;
#[path = "acceptance/settings.rs"]
mod settings;
#[path = "acceptance/several.rs"]
mod several;
#[path = "acceptance/smtpd.rs"]
mod smtpd;
#[path = "acceptance/smtpd_login.rs"]
mod smtpd_login;
#[path = "acceptance/states.rs"]
mod states;
#[path = "acceptance/two_resources.rs"]
mod two_resources;
#[path = "acceptance/usage.rs"]
mod usage;
#[path = "acceptance/vendor_errors.rs"]
mod vendor_errors;
#[path = "acceptance/verify.rs"]
mod verify;
#[path = "acceptance/verify_peers.rs"]
mod verify_peers;
#[path = "acceptance/verify_previous.rs"]
mod verify_previous;

/// These tests run with the program that the user has.
const CORE: Option<&str> = None;

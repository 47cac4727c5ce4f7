//! The provider against core's own rules: a double of core drives the real binary over gRPC, through histories that
//! nobody thought of.
//!
//! A history is an import or nothing, then configurations one after the other, each planned, applied, read and planned
//! again. The sandbox shows how often a password was really reset, and the contract's table ([`contract`]) how often it
//! should have been.
//!
//! A failure prints the smallest history that fails. `PROPTEST_RNG_SEED` and `PROPTEST_CASES` choose other histories
//! and more.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "core_double/double.rs"]
mod double;
#[path = "core_double/history.rs"]
mod history;
#[path = "core_double/turns.rs"]
mod turns;

use icu_normalizer::ComposingNormalizerBorrowed;
use proptest::{collection, option, prelude::*};
use sandbox::{
    HostUp, HubSpot, KirimEmail, Model, Smtpd, VENDORS,
    core::{
        arguments::{Arguments, Given, MailServer, Policy, Text, Verify, arguments},
        caller::Wish,
        vendors::Known,
    },
};

use crate::{
    double::Order,
    history::{History, Start, Step, live},
};

#[test]
fn hubspot_is_reset_exactly_when_the_contract_says_so() {
    explore(HubSpot::MODEL);
}

#[test]
fn kirim_email_is_reset_exactly_when_the_contract_says_so() {
    explore(KirimEmail::MODEL);
}

#[test]
fn smtpd_is_reset_exactly_when_the_contract_says_so() {
    explore(Smtpd::MODEL);
}

#[test]
fn hostup_is_reset_exactly_when_the_contract_says_so() {
    explore(HostUp::MODEL);
}

/// How many histories of a vendor are lived.
const HISTORIES: u32 = 7;

fn explore(vendor: &'static Model) {
    sandbox::core::explore::explore(HISTORIES, &histories(vendor), |history| live(&history));
}

fn histories(vendor: &'static Model) -> impl Strategy<Value = History> {
    let start = prop_oneof![2 => Just(Start::Nothing), 1 => Just(Start::Import(vendor.first()))];
    (start, collection::vec(steps(vendor), 1..5)).prop_map(|(start, steps)| History { start, steps })
}

fn steps(vendor: &'static Model) -> impl Strategy<Value = Step> {
    let wish = prop_oneof![9 => Just(Wish::Configured), 1 => Just(Wish::Replaced)];
    let order = prop_oneof![Just(Order::DeleteFirst), Just(Order::CreateFirst)];
    let (elsewhere, aged) = (prop::bool::weighted(0.25), prop::bool::weighted(0.4));
    // Core stores the composed form, and then the vendor's is another text.
    let composed =
        "\\PC{1,40}".prop_filter("it is composed", |text| ComposingNormalizerBorrowed::new_nfc().is_normalized(text));
    let password = option::weighted(0.3, composed);
    (arguments(vendor), wish, order, (elsewhere, aged), password).prop_map(
        |(arguments, wish, order, (elsewhere, aged), password)| Step {
            arguments,
            wish,
            order,
            elsewhere,
            aged,
            password,
        },
    )
}

// Histories one by one

#[test]
fn what_an_import_cannot_know_is_adopted_and_its_next_change_resets() {
    for vendor in VENDORS {
        let trigger = |text: &str| Step::of(Arguments { trigger: Given::now(text), ..Arguments::bare(vendor.first()) });
        live(&History {
            start: Start::Import(vendor.first()),
            steps: vec![trigger("one"), trigger("one"), trigger("two")],
        });
    }
}

#[test]
fn a_trigger_that_turns_out_equal_resets_only_by_replacement() {
    for mode in ["in_place", "replace"] {
        let arguments = |late| Arguments {
            trigger: Given { late, ..Given::now("one") },
            mode: Given { value: Some(mode), late: false },
            ..Arguments::bare(HubSpot::MODEL.first())
        };
        live(&History { start: Start::Nothing, steps: vec![Step::of(arguments(false)), Step::of(arguments(true))] });
    }
}

#[test]
fn a_password_of_the_users_own_comes_changes_and_goes() {
    let arguments = |own: Option<(&str, Option<&str>)>| {
        let version = own.and_then(|(_, version)| version).map(Text::from);
        Step::of(Arguments {
            own: Given { value: own.map(|(own, _)| Text::from(own)), late: false },
            own_version: Given { value: version, late: false },
            ..Arguments::bare(HostUp::MODEL.first())
        })
    };
    let long = "p\u{e4}ss".repeat(13_000);
    let owns = [None, Some(("first", None)), Some(("second", None)), Some((long.as_str(), Some("1"))), None];
    live(&History { start: Start::Nothing, steps: owns.map(arguments).to_vec() });
}

#[test]
fn policies_are_compared_by_what_they_come_to() {
    let default = Policy { length: None, special: None, special_characters: None };
    let without = Policy { special: Some(false), ..default.clone() };
    let policies = [
        None,
        Some(Policy { length: Some(32), special_characters: Some("~.__-"), ..default }),
        Some(Policy { special_characters: Some("+"), ..without.clone() }),
        Some(without),
        None,
    ];
    let steps = policies.map(|value| {
        let policy = Given { value, late: false };
        Step::of(Arguments { policy, ..Arguments::bare(HostUp::MODEL.first()) })
    });
    live(&History { start: Start::Nothing, steps: steps.to_vec() });
}

#[test]
fn a_credential_gives_way_to_one_of_every_other_vendor() {
    for order in [Order::DeleteFirst, Order::CreateFirst] {
        let steps = VENDORS.iter().flat_map(|vendor| vendor.targets());
        let steps = steps.map(|target| Step { order, ..Step::of(Arguments::bare(target)) }).collect();
        live(&History { start: Start::Nothing, steps });
    }
}

#[test]
fn a_key_whose_successor_was_not_known_at_plan_is_named() {
    let first = Step::of(Arguments::bare(Smtpd::MODEL.first()));
    for known in [Known::ButOneField, Known::Not] {
        let next = Step::of(Arguments { target_known: known, ..Arguments::bare(HostUp::MODEL.first()) });
        live(&History { start: Start::Nothing, steps: vec![first.clone(), next] });
    }
}

#[test]
fn an_external_reset_is_handled_as_the_setting_says() {
    let given = |value, late| Given { value, late };
    for mode in ["replace", "in_place"] {
        for (setting, late) in [("warn", false), ("ignore", false), ("rotate", false), ("warn", true), ("rotate", true)]
        {
            let arguments = |external| Arguments {
                mode: given(Some(mode), false),
                on_external_change: external,
                ..Arguments::bare(KirimEmail::MODEL.first())
            };
            let made = Step::of(arguments(given(Some(setting), false)));
            let met = Step { elsewhere: true, ..Step::of(arguments(given(Some(setting), late))) };
            live(&History { start: Start::Nothing, steps: vec![made, met.clone(), met] });
        }
    }
}

#[test]
fn a_password_that_has_become_too_old_is_rotated_once() {
    for (vendor, mode, is_imported) in
        [(HubSpot::MODEL, "replace", true), (Smtpd::MODEL, "in_place", true), (KirimEmail::MODEL, "in_place", false)]
    {
        let target = vendor.first();
        let step = |(age, late, trigger): (Option<&'static str>, bool, &str)| {
            let arguments = Arguments {
                trigger: Given::now(trigger),
                rotate_after: Given { value: age, late },
                mode: Given { value: Some(mode), late: false },
                ..Arguments::bare(target)
            };
            Step { aged: true, ..Step::of(arguments) }
        };
        let steps = [
            (Some("90d"), false, "one"),
            (Some("90d"), false, "two"),
            (Some("90d"), false, "two"),
            (Some("30d"), false, "two"),
            (Some("30d"), true, "two"),
            (Some("90d"), true, "two"),
            (None, true, "two"),
            (Some("1h"), true, "two"),
            (Some("1h"), false, "three"),
        ];
        let start = if is_imported { Start::Import(target) } else { Start::Nothing };
        live(&History { start, steps: steps.map(step).to_vec() });
    }
}

#[test]
fn how_a_login_ended_is_kept_until_the_next_reset() {
    let verify = |timeout| Verify { at: MailServer::Sandbox, on_refresh: true, timeout };
    for vendor in VENDORS {
        let step = |trigger: &str, verify: Option<Verify>, late: bool| {
            let trigger = Given::now(trigger);
            Step::of(Arguments { trigger, verify: Given { value: verify, late }, ..Arguments::bare(vendor.first()) })
        };
        let steps = vec![
            step("one", Some(verify("20s")), false),
            step("one", Some(verify("60s")), true),
            Step { elsewhere: true, ..step("one", None, false) },
            step("two", Some(verify("20s")), true),
            step("three", None, true),
        ];
        live(&History { start: Start::Nothing, steps });
    }
}

impl Step {
    fn of(arguments: Arguments) -> Self {
        Self {
            arguments,
            wish: Wish::Configured,
            order: Order::DeleteFirst,
            elsewhere: false,
            aged: false,
            password: None,
        }
    }
}

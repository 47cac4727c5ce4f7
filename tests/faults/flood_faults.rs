//! More credentials than a vendor lets through at once.

use std::time::{Duration, Instant};

use sandbox::HubSpot;

use crate::{
    account::Account,
    process_faults::wait_until,
    scene::{Accident, Exit, Scene},
    support::Workspace,
};

/// How many requests the vendor takes in a second; whatever is beyond is answered with 429 and `Retry-After: 1`.
const PER_SECOND: usize = 5;

const CREDENTIALS: usize = 50;

/// All of them, and the list that the process asks for; once more those that left before the first refusal; and in each
/// window those that find it used up: one that asks beyond what the vendor took before, and perhaps two that were on
/// their way.
const MOST_REQUESTS: usize = 2 * CREDENTIALS + 1 + 3 * (CREDENTIALS / PER_SECOND + 1);

#[test]
#[expect(clippy::print_stdout, reason = "the time is measured and not judged: a machine may be busy")]
fn fifty_credentials_all_get_through_a_vendors_limit() {
    let Some(workspace) = Workspace::new() else { return };
    let accounts = (0..CREDENTIALS).map(|number| Account::open(HubSpot::MODEL, &format!("user-{number}"), &workspace));
    let accounts = accounts.collect();
    let scene = Scene::rotating(workspace, accounts, "", "rotation_mode = \"in_place\"");
    let sandbox = &scene.workspace.sandbox;
    sandbox.forget_requests();
    sandbox.rate_limit(PER_SECOND, Duration::from_secs(1));
    let run = scene.start_with(&["-refresh=false"]);
    wait_until(|| !sandbox.requests().is_empty());
    let start = Instant::now();
    let ended = run.wait();
    let took = start.elapsed();
    sandbox.lift_rate_limit();

    let requests = sandbox.requests();
    let refused = requests.iter().filter(|request| request.status == Some(429)).count();
    let allowed = (requests.len() - refused).div_ceil(PER_SECOND);
    println!(
        "{} requests, of which {refused} were refused; the limit allows {allowed} s, it took {took:.1?} until core had ended",
        requests.len()
    );
    assert!(refused > PER_SECOND, "there is a flood");
    assert!(requests.len() <= MOST_REQUESTS, "{} requests are too many", requests.len());
    for after in scene.survives(Accident::of(ended, Exit::Success)) {
        assert_eq!((after.resets, after.reported), (1, "nothing"));
    }
}

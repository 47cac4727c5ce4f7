//! Many credentials at one mail server: their logins are made one at a time, and what one learns the others wait for.

use std::{sync::Arc, time::Duration};

use sandbox::{HubSpot, Meanwhile, SmtpFault, Stage};
use terraform_provider_smtp::framework::{
    Call, Change, NewState, Private, Provider, Resource, ResourceState, plan, value::Value,
};

use crate::{scene::Scene, stored_first::configured};

/// What came of one credential.
struct Made {
    state: Value,
    warnings: Vec<String>,
}

/// Resets so many credentials at once, with these settings of `verify`.
async fn reset(scene: &Scene, count: usize, settings: &[(&'static str, Value)]) -> Vec<Made> {
    let resource = Arc::clone(&configured(scene).await.resources()[0]);
    let mut creates = Vec::new();
    for at in 0..count {
        let user = format!("user{at}@62515.smtp.hubspot.net");
        scene.sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &user);
        creates.push(tokio::spawn(create(Arc::clone(&resource), user, scene.sandbox.smtp_port(), settings.to_vec())));
    }
    let mut made = Vec::new();
    for create in creates {
        made.push(create.await.unwrap());
    }
    made
}

async fn create(resource: Arc<dyn Resource>, user: String, port: u16, settings: Vec<(&'static str, Value)>) -> Made {
    let place = [("host", "localhost".into()), ("port", port.into())];
    let target = Value::object([("user_name", Value::from(user))]);
    let verify = Value::object(place.into_iter().chain(settings));
    let config = Value::object([("hubspot", target), ("verify", verify)]);
    let mut draft = plan::draft(resource.schema(), config.clone(), Value::Null, Private::default());
    let (call, new) = (Call::default(), NewState::holding(ResourceState::default()));
    resource.plan(&call, &mut draft).unwrap();
    let change = Change { prior: Value::Null, planned: draft.planned, config, private: draft.private };
    resource.create(&call, &change, &new).await.unwrap();
    Made { state: new.take().state, warnings: summaries(&call) }
}

fn summaries(call: &Call) -> Vec<String> {
    call.take_warnings().iter().map(|warning| warning.summary.to_string()).collect()
}

#[track_caller]
fn all_verified(made: &[Made]) {
    for Made { state, warnings } in made {
        assert_eq!(
            (state.get("verified"), &warnings[..]),
            (&Value::Bool(true), &[][..]),
            "{:?}",
            state.get("username")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_credentials_at_a_server_that_learns_late_and_bans_early_all_log_in() {
    together(["AUTH PLAIN LOGIN", "AUTH PLAIN", "AUTH LOGIN"], |offered| async move {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &[offered]).always());
        scene.sandbox.propagate_after(Duration::from_secs(2), Meanwhile::OldPassword);
        scene.sandbox.ban_after(5);
        all_verified(&reset(&scene, 10, &[]).await);
        let refused = scene.sandbox.logins().iter().filter(|login| !login.accepted).count();
        assert!((1..5).contains(&refused), "{refused} were refused");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_servers_own_limit_is_kept_to() {
    let scene = Scene::new();
    scene.sandbox.limit_logins(4, Duration::from_secs(2));
    all_verified(&reset(&scene, 12, &[]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_busy_before_the_reset_is_asked_again() {
    let scene = Scene::new();
    scene.sandbox.smtp_fault(SmtpFault::reply(Stage::Banner, "421 4.7.0 Too many connections").times(6));
    all_verified(&reset(&scene, 4, &[]).await);
    assert_eq!(scene.sandbox.pending_smtp_faults(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses_everybody_is_not_asked_for_long() {
    together(["AUTH PLAIN LOGIN", "AUTH LOGIN"], |offered| async move {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &[offered]).always());
        scene.sandbox.propagate_after(Duration::MAX, Meanwhile::NoPassword);
        let made = reset(&scene, 3, &[("timeout", "7s".into())]).await;
        for Made { state, warnings } in &made {
            assert_eq!(state.get("verified"), &Value::Bool(false));
            assert_eq!(warnings, &["The new password did not log in"]);
        }
        // Four for the first; by then the server has had time enough for the others too.
        let refused = scene.sandbox.logins().len();
        assert!((5..=8).contains(&refused), "{refused} were refused where {offered} is offered");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_credential_fails_at_most_four_times() {
    let replies = ["535 5.7.8 No", "535 5.7.139 Disabled", "504 5.5.4 What", "550 5.7.1 No"];
    let offers = [("AUTH PLAIN LOGIN", "10s"), ("AUTH PLAIN", "10s"), ("AUTH LOGIN", "10s")];
    let cases = replies.into_iter().flat_map(|reply| offers.map(|(offered, timeout)| (reply, offered, timeout)));
    together(cases, |(reply, offered, timeout)| async move {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::extensions(Stage::EhloOverTls, &[offered]).always());
        scene.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, reply).always());
        let made = reset(&scene, 1, &[("timeout", timeout.into())]).await;
        assert_eq!(made[0].state.get("verified"), &Value::Bool(false));
        let tried = scene.sandbox.logins().len();
        assert!((2..=4).contains(&tried), "{tried} logins where {offered} is offered and refused with {reply:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_one_mechanism_only_verifies_by_that() {
    together([("PLAIN", 0), ("LOGIN", 0), ("PLAIN", 3), ("LOGIN", 3)], |(refused, delay)| async move {
        let scene = Scene::new();
        scene.sandbox.smtp_fault(SmtpFault::reply(Stage::Login, "535 5.7.8 No").by(refused).always());
        scene.sandbox.propagate_after(Duration::from_secs(delay), Meanwhile::NoPassword);
        all_verified(&reset(&scene, 2, &[("timeout", "9s".into())]).await);
    })
    .await;
}

/// Goes through cases at the same time: most of it is spent in waits.
async fn together<T, F>(cases: impl IntoIterator<Item = T>, case: impl Fn(T) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let running: Vec<_> = cases.into_iter().map(|one| tokio::spawn(case(one))).collect();
    for one in running {
        one.await.unwrap();
    }
}

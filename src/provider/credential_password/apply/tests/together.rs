//! Two resets of one credential, and a stop between them.

use super::*;

#[tokio::test]
async fn a_stop_hands_the_new_state_out_before_the_old_one_is_revoked() {
    let subject = Subject::new(Fake { stop: Some(<_>::default()), ..Fake::default() });
    let in_place = [(ROTATION_MODE, IN_PLACE.into())];
    let prior = state(&config("one", &in_place), "old");
    let (new, error) = subject.apply(&prior, &config("two", &in_place)).await;
    assert_eq!(error, None);
    assert_new(&new);
    assert_eq!(subject.vendor.asked(), ["check old", "reset newsletter"]);
    let [warning] = &*subject.warnings() else { panic!("one warning") };
    assert!(warning.detail.contains("Revoke `old` by hand."), "{}", warning.detail);
}

#[tokio::test]
async fn a_reset_waits_for_another_of_the_same_credential_and_its_state_for_nothing() {
    let subject = Subject::new(Fake { answers: Some(Semaphore::new(0)), ..Fake::default() });
    let in_place = [(ROTATION_MODE, IN_PLACE.into())];
    let (change, first) = subject.change(&state(&config("one", &in_place), "old"), &config("two", &in_place));
    let (other_change, second) = subject.change(&Value::Null, &config("one", &[]));
    let mut rotating = pin!(subject.resource.update(&subject.call, &change, &first));
    assert!(poll(rotating.as_mut()).is_pending());
    let mut waiting = pin!(subject.resource.create(&subject.call, &other_change, &second));
    assert!(poll(waiting.as_mut()).is_pending());
    assert_eq!(subject.vendor.asked(), ["check old", "reset newsletter"], "the other has not begun");

    subject.vendor.answers.as_ref().unwrap().add_permits(1);
    assert!(poll(rotating.as_mut()).is_pending());
    assert_eq!(subject.vendor.asked(), ["revoke old"], "all the rest is still under way");
    assert_new(&first.take().state);
    assert!(poll(waiting.as_mut()).is_pending());
    assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter"]);
}

#[tokio::test]
async fn a_stop_takes_a_reset_back_that_waits_for_another() {
    let subject = Subject::new(Fake { answers: Some(Semaphore::new(0)), ..Fake::default() });
    let config = config("one", &[]);
    let (change, new) = subject.change(&Value::Null, &config);
    let mut first = pin!(subject.resource.create(&subject.call, &change, &new));
    assert!(poll(first.as_mut()).is_pending());
    subject.vendor.asked();
    subject.call.stop.cancel();
    let (state, error) = subject.apply(&Value::Null, &config).await;
    assert!(state.is_null() && subject.vendor.asked().is_empty());
    let Diagnostic { summary, detail, .. } = error.unwrap();
    assert_eq!(summary, "Stopped before the reset");
    assert!(detail.contains(Outcome::NotChanged.sentence()), "{detail}");
}

#[tokio::test]
async fn a_second_reset_of_a_credential_warns_that_the_first_password_is_dead() {
    let subject = Subject::new(Fake::default());
    for expected in [0, 1, 1] {
        let (new, error) = subject.apply(&Value::Null, &of_another_vendor()).await;
        assert_eq!((error, new.is_null()), (None, false));
        let mut warnings = subject.warnings();
        warnings.retain(|warning| warning.summary == "Two resources reset the same credential");
        assert_eq!(warnings.len(), expected);
        for warning in warnings {
            assert!(warning.detail.contains(Outcome::Changed.sentence()), "{}", warning.detail);
        }
    }
    for _ in 0..2 {
        subject.apply(&Value::Null, &config("one", &[])).await;
        assert_eq!(subject.warnings(), [], "each has a key of its own");
    }
}

//! Rotations that leave the previous credential valid.

use super::*;

/// A configuration whose rotations leave the previous credential valid.
fn overlapping(trigger: &str) -> Value {
    config(trigger, &[(ROTATION_MODE, IN_PLACE.into()), ("retire_previous", "at_next_rotation".into())])
}

fn import_id(id: &str) -> Value {
    format!("{}/{id}", SUCCESSOR.name).into()
}

/// The state with the credential `old`, while `older` still works.
fn overlapped() -> Value {
    let mut state = state(&overlapping("one"), "old");
    state.set(PREVIOUS, import_id("older"));
    state
}

#[tokio::test]
async fn a_rotation_revokes_the_one_before_and_keeps_the_one_it_replaces() {
    let subject = Subject::new(Fake::default());
    let (new, error) = subject.apply(&overlapped(), &overlapping("two")).await;
    assert_eq!((error, subject.warnings()), (None, vec![]));
    assert_new(&new);
    assert_eq!(new.get(PREVIOUS), &import_id("old"));
    assert_eq!(subject.vendor.asked(), ["check old", "revoke older", "reset newsletter"]);
}

#[tokio::test]
async fn what_cannot_be_revoked_first_stays_and_nothing_is_reset() {
    for outcome in [Outcome::NotChanged, Outcome::MayHaveChanged] {
        let subject = Subject::new(Fake { revoke: Some(outcome), ..Fake::default() });
        let (kept, error) = subject.apply(&overlapped(), &overlapping("two")).await;
        assert_eq!(kept, overlapped(), "{outcome:?}");
        assert_eq!(subject.vendor.asked(), ["check old", "revoke older"]);
        let detail = error.unwrap().detail;
        for words in ["`older`", Outcome::NotChanged.sentence(), "still has it as `previous`"] {
            assert!(detail.contains(words), "{detail}");
        }
    }
}

#[tokio::test]
async fn a_rotation_that_fails_has_no_previous_one_any_more() {
    for outcome in [Outcome::NotChanged, Outcome::MayHaveChanged, Outcome::Changed] {
        let subject = Subject::new(Fake { reset: Some(outcome), ..Fake::default() });
        let (kept, error) = subject.apply(&overlapped(), &overlapping("two")).await;
        let mut expected = overlapped();
        expected.set(PREVIOUS, Value::Null);
        assert_eq!(kept, expected, "{outcome:?}");
        assert!(error.unwrap().detail.contains(outcome.sentence()));
        assert_eq!(subject.vendor.asked(), ["check old", "revoke older", "reset newsletter"]);
    }
}

#[tokio::test]
async fn a_check_that_fails_leaves_both() {
    let subject = Subject::new(Fake { check: Some(Outcome::NotChanged), ..Fake::default() });
    let (kept, error) = subject.apply(&overlapped(), &overlapping("two")).await;
    assert!(error.is_some());
    assert_eq!((kept, subject.vendor.asked()), (overlapped(), vec!["check old".to_owned()]));
}

#[tokio::test]
async fn what_is_no_longer_kept_is_revoked_without_a_reset() {
    for back in [Value::Null, "at_once".into()] {
        let back = config("one", &[(ROTATION_MODE, IN_PLACE.into()), ("retire_previous", back)]);
        let subject = Subject::new(Fake::default());
        let (new, error) = subject.apply(&overlapped(), &back).await;
        assert_eq!((error, subject.vendor.asked()), (None, vec!["revoke older".to_owned()]));
        assert_eq!((new.get(PREVIOUS), new.get(PASSWORD)), (&Value::Null, &Secret::new("old secret").into()));

        let subject = Subject::new(Fake { revoke: Some(Outcome::MayHaveChanged), ..Fake::default() });
        let (kept, error) = subject.apply(&overlapped(), &back).await;
        assert!(error.unwrap().detail.contains("`older`"));
        assert_eq!(kept, overlapped());
    }
}

#[tokio::test]
async fn a_deletion_revokes_the_previous_one_first_and_both_with_a_replacement() {
    let subject = Subject::new(Fake::default());
    subject.destroy(&overlapped()).await.unwrap();
    assert_eq!(subject.vendor.asked(), ["revoke older", "revoke old"]);

    subject.delete_before_create(&overlapped(), &overlapping("two")).await.unwrap();
    let (new, error) = subject.apply(&Value::Null, &overlapping("two")).await;
    assert_eq!((error, new.get(PREVIOUS)), (None, &Value::Null));
    assert_eq!(
        subject.vendor.asked(),
        ["check old", "check nothing", "reset newsletter", "revoke older", "revoke old"]
    );

    let subject = Subject::new(Fake { revoke: Some(Outcome::NotChanged), ..Fake::default() });
    let errors = subject.destroy(&overlapped()).await.unwrap_err();
    assert!(errors.iter().next().unwrap().detail.contains("`older`"));
    assert_eq!(subject.vendor.asked(), ["revoke older"], "the one in the state is left");
}

#[tokio::test]
async fn a_replacement_without_room_revokes_the_previous_one_before_its_create_and_once() {
    for fails in [None, Some(Outcome::NotChanged), Some(Outcome::Changed)] {
        let subject = Subject::new(Fake { is_full: true, reset: fails, ..Fake::default() });
        subject.delete_before_create(&overlapped(), &overlapping("two")).await.unwrap();
        assert_eq!(subject.vendor.asked(), ["check old", "revoke older"], "the check comes first");
        let (new, error) = subject.apply(&Value::Null, &overlapping("two")).await;
        let mut asked = vec!["check nothing", "reset newsletter"];
        if let Some(error) = error {
            for words in ["`old`, still works", "`older`, the credential before it, was revoked first."] {
                assert!(error.detail.contains(words), "{}", error.detail);
            }
            assert!(fails.is_some());
        } else {
            assert_new(&new);
            assert!(new.get(PREVIOUS).is_null());
            asked.push("revoke old");
        }
        assert_eq!(
            (subject.vendor.asked(), subject.warnings().len()),
            (asked.iter().map(ToString::to_string).collect(), 0)
        );
    }
}

#[tokio::test]
async fn a_replacement_whose_room_cannot_be_made_keeps_the_state() {
    let no_room = || Fake { is_full: true, ..Fake::default() };
    let next = overlapping("two");
    for (vendor, prior, asked, words) in [
        (
            Fake { revoke: Some(Outcome::MayHaveChanged), ..no_room() },
            overlapped(),
            &["check old", "revoke older"][..],
            "The state still has it as `previous`.",
        ),
        (Fake { check: Some(Outcome::NotChanged), ..no_room() }, overlapped(), &["check old"], "Checking"),
        (no_room(), old("old"), &["check old"], "set its `retire_previous` to `at_once`"),
    ] {
        let subject = Subject::new(vendor);
        let errors = subject.delete_before_create(&prior, &next).await.unwrap_err();
        let detail = &errors.iter().next().unwrap().detail;
        assert!(detail.contains(words) && detail.contains(Outcome::NotChanged.sentence()), "{detail}");
        assert_eq!(subject.vendor.asked(), asked);
        assert!(subject.resource.replacements.failed(&format!("{}/newsletter", SUCCESSOR.name)).is_none());
    }
}

#[tokio::test]
async fn what_is_revoked_for_room_is_not_said_to_stay_valid() {
    let subject = Subject::new(Fake { is_full: true, ..Fake::default() });
    subject.delete_before_create(&overlapped(), &named(Value::Unknown, "send_only", &[])).await.unwrap();
    assert_eq!(subject.vendor.asked(), ["check old", "revoke older"]);
    let [warning] = &*subject.warnings() else { panic!("one warning") };
    assert!(warning.detail.contains("revoke `old` by hand"), "{}", warning.detail);
}

#[tokio::test]
async fn a_credential_without_an_id_is_named_by_its_user() {
    let mut prior = overlapped();
    prior.set(REMOTE_VERSION, Value::Null);
    let subject = Subject::new(Fake::default());
    subject.destroy(&prior).await.unwrap();
    assert_eq!(subject.vendor.asked(), ["revoke older"]);
    let (new, error) = subject.apply(&prior, &overlapping("two")).await;
    assert_eq!((error, new.get(PREVIOUS)), (None, &Value::Null));
    let warnings = subject.warnings();
    assert_eq!(warnings.len(), 2);
    for warning in warnings {
        assert!(warning.detail.contains("the user name `user of old`"), "{}", warning.detail);
    }
}

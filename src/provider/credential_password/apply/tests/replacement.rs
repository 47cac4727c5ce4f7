//! Replacements that delete first: the create revokes what the deletion leaves.

use super::*;

#[tokio::test]
async fn a_deletion_of_a_replacement_leaves_the_revocation_to_the_create() {
    let subject = Subject::new(Fake::default());
    let config = config("two", &[]);
    subject.delete_before_create(&old("old"), &config).await.unwrap();
    assert_eq!(subject.vendor.asked(), ["check old"]);
    let (new, _) = subject.apply(&Value::Null, &config).await;
    assert_new(&new);
    assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter", "revoke old"]);

    subject.apply(&Value::Null, &config).await;
    assert_eq!(subject.vendor.asked(), ["check nothing", "reset newsletter"], "it is revoked once");
}

#[tokio::test]
async fn a_deletion_fails_if_the_create_of_the_replacement_cannot_work() {
    let subject = Subject::new(Fake { check: Some(Outcome::NotChanged), ..Fake::default() });
    let errors = subject.delete_before_create(&old("old"), &config("two", &[])).await.unwrap_err();
    assert!(errors.iter().next().unwrap().detail.contains(Outcome::NotChanged.sentence()));
    assert_eq!(subject.vendor.asked(), ["check old"]);
}

#[tokio::test]
async fn a_create_that_fails_leaves_the_old_one_and_names_it() {
    for outcome in [Outcome::NotChanged, Outcome::MayHaveChanged, Outcome::Changed] {
        let subject = Subject::new(Fake { reset: Some(outcome), ..Fake::default() });
        let config = config("two", &[]);
        subject.delete_before_create(&old("old"), &config).await.unwrap();
        let (new, error) = subject.apply(&Value::Null, &config).await;
        assert_eq!(new.is_null(), outcome == Outcome::NotChanged, "{outcome:?}");
        assert_eq!(subject.vendor.asked(), ["check old", "check nothing", "reset newsletter"], "{outcome:?}");
        let detail = error.unwrap().detail;
        for words in [outcome.sentence(), "The previous credential, `old`, still works"] {
            assert!(detail.contains(words), "{detail}");
        }
        assert!(!detail.contains("no longer work"), "{detail}");
    }
}

#[tokio::test]
async fn a_revocation_that_fails_is_a_warning_and_the_state_is_new() {
    let subject = Subject::new(Fake { revoke: Some(Outcome::MayHaveChanged), ..Fake::default() });
    let config = config("two", &[]);
    subject.delete_before_create(&old("old"), &config).await.unwrap();
    let (new, error) = subject.apply(&Value::Null, &config).await;
    assert_eq!(error, None);
    assert_new(&new);
    let [warning] = &*subject.warnings() else { panic!("one warning") };
    for words in ["Revoke `old` by hand.", Outcome::Changed.sentence()] {
        assert!(warning.detail.contains(words), "{}", warning.detail);
    }
}

#[tokio::test]
async fn two_of_one_name_are_both_revoked() {
    let subject = Subject::new(Fake::default());
    let config = config("two", &[]);
    for id in ["first", "second"] {
        subject.delete_before_create(&old(id), &config).await.unwrap();
    }
    subject.vendor.asked();
    for _ in 0..2 {
        subject.apply(&Value::Null, &config).await;
    }
    let mut revoked = subject.vendor.asked();
    revoked.retain(|asked| asked.starts_with("revoke"));
    revoked.sort();
    assert_eq!(revoked, ["revoke first", "revoke second"]);
}

#[tokio::test]
async fn two_of_one_name_are_both_spared_where_one_has_no_successor() {
    for fails in 0..2 {
        let subject = Subject::new(Fake { fails: vec![fails], ..Fake::default() });
        let config = config("two", &[]);
        for id in ["first", "second"] {
            subject.delete_before_create(&old(id), &config).await.unwrap();
        }
        subject.vendor.asked();
        let mut errors = Vec::new();
        for _ in 0..2 {
            errors.extend(subject.apply(&Value::Null, &config).await.1);
        }
        assert!(!subject.vendor.asked().iter().any(|asked| asked.starts_with("revoke")));
        let [error] = &*errors else { panic!("one fails") };
        assert!(error.detail.contains("`first`, `second`, still work"), "{}", error.detail);
    }
}

#[tokio::test]
async fn a_credential_replaced_by_another_vendors_is_revoked_at_its_own() {
    let subject = Subject::new(Fake::default());
    let config = of_another_vendor();
    subject.delete_before_create(&old("old"), &config).await.unwrap();
    let (new, error) = subject.apply(&Value::Null, &config).await;
    assert_eq!((error, new.is_null()), (None, false));
    assert_eq!(subject.vendor.asked(), ["check nothing", "check nothing", "reset another vendor's", "revoke old"]);
}

#[tokio::test]
async fn a_successor_that_is_not_named_yet_may_not_be_found() {
    let subject = Subject::new(Fake::default());
    subject.delete_before_create(&old("old"), &named(Value::Unknown, "send_only", &[])).await.unwrap();
    let [warning] = &*subject.warnings() else { panic!("one warning") };
    assert!(warning.detail.contains("revoke `old` by hand"), "{}", warning.detail);

    subject.apply(&Value::Null, &config("two", &[])).await;
    assert_eq!(subject.vendor.asked(), ["check old", "check nothing", "reset newsletter", "revoke old"]);
}

//! A password is stored before it is tried out.

use std::sync::Arc;

use sandbox::{SmtpEffect, SmtpFault, Stage};
use terraform_provider_smtp::{
    framework::{Call, Change, Client, NewState, Private, Provider, ResourceState, plan, value::Value},
    provider::Smtp,
    secret::Secret,
};

use crate::scene::{Scene, USER};

#[tokio::test(flavor = "multi_thread")]
async fn the_new_password_is_stored_while_it_is_being_tried_out() {
    let scene = Arc::new(Scene::new());
    scene.sandbox.smtp_fault(SmtpFault::new(Stage::Auth, SmtpEffect::Stall));
    let resource = Arc::clone(&configured(&scene).await.resources()[0]);
    let server = [("host", "localhost".into()), ("port", scene.sandbox.smtp_port().into())];
    let target = Value::object([("user_name", USER.into())]);
    let config = Value::object([("hubspot", target), ("verify", Value::object(server))]);
    let mut draft = plan::draft(resource.schema(), config.clone(), Value::Null, Private::default());
    let (call, new) = (Arc::new(Call::default()), NewState::holding(ResourceState::default()));
    resource.plan(&call, &mut draft).unwrap();
    let change = Change { prior: Value::Null, planned: draft.planned, config, private: draft.private };

    let (trying, stored) = (Arc::clone(&call), new.clone());
    let create = tokio::spawn(async move { resource.create(&trying, &change, &stored).await });
    let watch = Arc::clone(&scene);
    assert!(tokio::task::spawn_blocking(move || watch.sandbox.wait_for_stalled(1)).await.unwrap());
    let ResourceState { state, .. } = new.take();
    assert_eq!(state.get("verified"), &Value::Null, "nobody has said whether it works");
    let password = state.get("password").as_secret().map(Secret::for_state).unwrap_or_default();
    assert!(password == scene.sandbox.hubspot().password(USER).unwrap(), "the new password is in the state");

    call.stop.cancel();
    create.await.unwrap().unwrap();
    assert!(new.take().state.get("password").as_secret().is_some(), "a stop leaves it there");
}

pub(crate) async fn configured(scene: &Scene) -> Smtp {
    let smtp = Smtp::new();
    let api = Value::object([
        ("access_token", Secret::new(scene.sandbox.hubspot().access_token()).into()),
        ("base_url", scene.sandbox.base_url().into()),
    ]);
    let authority = scene.authority.path().to_str().unwrap();
    let config = Value::object([("hubspot", api), ("ca_certificate_file", authority.into())]);
    let client = Client { version: "1.11.4".to_owned() };
    smtp.configure(&Call::default(), &client, config).await.unwrap();
    smtp
}

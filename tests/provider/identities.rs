//! Identities and lists of resources, as core asks for them.

use sandbox::core::{
    Plugin, decode, encode,
    wire::tfplugin6::{
        DynamicValue, RawState, ResourceIdentityData, get_metadata, get_provider_schema, get_resource_identity_schemas,
        import_resource_state,
        list_resource::{self, Event},
        provider_client::ProviderClient,
        upgrade_resource_identity, validate_list_resource_config,
    },
};
use terraform_provider_smtp::framework::{
    schema::{Attribute, Type},
    value::Value,
};
use tonic::{Response, Status, Streaming, transport::Channel};

use crate::{
    HOST, Session,
    fake::{self, PANIC_MESSAGE, thing},
    severities,
};

/// The events of a list to its end.
pub(crate) async fn events(answer: Result<Response<Streaming<Event>>, Status>) -> Vec<Event> {
    let (mut stream, mut events) = (answer.unwrap().into_inner(), Vec::new());
    while let Some(event) = stream.message().await.unwrap() {
        events.push(event);
    }
    events
}

fn identity(id: Value) -> ResourceIdentityData {
    ResourceIdentityData { identity_data: encode(&Value::object([("id", id)]), &attributes()) }
}

fn id(identity: Option<ResourceIdentityData>) -> Option<String> {
    let identity = decode(identity?.identity_data, &attributes());
    Some(identity.get("id").as_str().unwrap().to_owned())
}

fn attributes() -> [Attribute; 1] {
    [Attribute::required("id", Type::String, "")]
}

async fn fake() -> (Plugin, ProviderClient<Channel>) {
    let plugin = Plugin::start(fake::command("fake", HOST)).await;
    let provider = plugin.connect().await.provider;
    (plugin, provider)
}

#[tokio::test]
async fn every_resource_has_an_identity_with_one_attribute() {
    let (_plugin, mut core) = fake().await;
    let answer = core.get_resource_identity_schemas(get_resource_identity_schemas::Request {}).await.unwrap();
    let schema = &answer.into_inner().identity_schemas["fake_thing"];
    let [attribute] = &schema.identity_attributes[..] else { panic!("{schema:?}") };
    assert_eq!((schema.version, &*attribute.name, &*attribute.r#type), (0, "id", &b"\"string\""[..]));
    assert!(attribute.required_for_import && !attribute.optional_for_import);
}

#[tokio::test]
async fn each_state_comes_with_its_identity() {
    let mut fake = Session::start().await;
    let applied = fake.apply(&Value::Null, &fake::config("done")).await;
    assert_eq!(id(applied.new_identity).as_deref(), Some("done"));
    let read = fake.read(&fake::config("done")).await;
    assert_eq!(id(read.new_identity).as_deref(), Some("done"));
    let gone = fake.read(&fake::config("go")).await;
    assert_eq!(id(gone.new_identity), None);
    let failed = fake.apply(&Value::Null, &fake::config("fail")).await;
    assert_eq!(id(failed.new_identity), None, "nothing was made");
    let destroyed = fake.apply(&fake::config("done"), &Value::Null).await;
    assert_eq!(id(destroyed.new_identity), None);
}

#[tokio::test]
async fn an_identity_never_costs_the_state() {
    let mut fake = Session::start().await;
    let mut planned = fake::config("done");
    planned.set("text", "panic in identity");
    let applied = fake.apply(&Value::Null, &planned).await;
    assert_eq!(id(applied.new_identity), None);
    assert!(!format!("{:?}", applied.diagnostics).contains(PANIC_MESSAGE));
    assert_eq!(fake.decode(applied.new_state).get("text").as_str(), Some("panic in identity"));
}

#[tokio::test]
async fn an_import_by_identity_is_an_import_by_id() {
    let (_plugin, mut core) = fake().await;
    let type_name = "fake_thing".to_owned();
    for (by_id, by_identity) in [("done", None), ("", Some(identity("done".into())))] {
        let (type_name, id_) = (type_name.clone(), by_id.to_owned());
        let request = import_resource_state::Request { type_name, id: id_, identity: by_identity };
        let imported = core.import_resource_state(request).await.unwrap().into_inner().imported_resources.remove(0);
        assert_eq!(decode(imported.state, &thing().attributes), fake::config("done"));
        assert_eq!(id(imported.identity).as_deref(), Some("done"));
    }
    let broken = DynamicValue { json: br#"{"id":["needle"]}"#.to_vec(), msgpack: Vec::new() };
    let broken = ResourceIdentityData { identity_data: Some(broken) };
    let request = import_resource_state::Request { type_name, id: String::new(), identity: Some(broken) };
    let answer = core.import_resource_state(request).await.unwrap().into_inner();
    assert_eq!((answer.imported_resources.len(), answer.diagnostics.len()), (0, 1));
}

#[tokio::test]
async fn a_stored_identity_is_read_in_every_known_version() {
    let (_plugin, mut core) = fake().await;
    for (json, version, expected) in [
        (r#"{"id":"done"}"#, 0, Ok("done")),
        (r#"{"id":"done","more":1}"#, 0, Ok("done")),
        (r#"{"id":"done"}"#, 1, Err("Identity is too new")),
        (r#"{"id":["needle"]}"#, 0, Err("Value does not match the schema")),
        ("needle", 0, Err("Value does not match the schema")),
    ] {
        let raw_identity = Some(RawState { json: json.into(), ..RawState::default() });
        let request = upgrade_resource_identity::Request { type_name: "fake_thing".to_owned(), version, raw_identity };
        let answer = core.upgrade_resource_identity(request).await.unwrap().into_inner();
        assert!(!format!("{:?}", answer.diagnostics).contains("needle"));
        let summaries: Vec<_> = answer.diagnostics.iter().map(|diagnostic| &*diagnostic.summary).collect();
        match expected {
            Ok(expected) => assert_eq!((id(answer.upgraded_identity).as_deref(), summaries.len()), (Some(expected), 0)),
            Err(summary) => assert_eq!(summaries, [summary]),
        }
    }
}

fn query(does: &str, limit: i64, include_resource_object: bool) -> list_resource::Request {
    let config = encode(&fake::config(does), &thing().attributes);
    list_resource::Request { type_name: "fake_thing".to_owned(), config, include_resource_object, limit }
}

#[tokio::test]
async fn a_list_has_what_is_wanted_and_what_there_is_to_say() {
    let (_plugin, mut core) = fake().await;
    for (limit, with_states) in [(1, false), (2, true), (100, true)] {
        let mut events = events(core.list_resource(query("done", limit, with_states)).await).await;
        let said = events.remove(0);
        assert_eq!((said.diagnostic.len(), said.identity), (1, None), "a warning comes first, without a result");
        let expected: Vec<_> = ["first", "second", "third"].into_iter().take(usize::try_from(limit).unwrap()).collect();
        assert_eq!(events.len(), expected.len());
        for (event, name) in events.into_iter().zip(expected) {
            assert_eq!((id(event.identity).as_deref(), event.display_name), (Some(name), format!("the {name} thing")));
            let object = event.resource_object.map(|object| decode(Some(object), &thing().attributes));
            assert_eq!(object, with_states.then(|| fake::config(name)));
        }
    }
    for limit in [0, -1] {
        assert_eq!(events(core.list_resource(query("panic", limit, true)).await).await, [], "nothing is asked");
    }
}

#[tokio::test]
async fn a_list_that_fails_is_an_error_without_results() {
    let (_plugin, mut core) = fake().await;
    let unknown = list_resource::Request { type_name: "fake_other".to_owned(), ..query("done", 1, false) };
    for (request, summary) in [
        (query("fail", 1, false), "Failed"),
        (query("panic", 1, false), "The provider crashed"),
        (query("nothing", 1, false), "Useless"),
        (unknown, "Unknown list resource type"),
    ] {
        let events = events(core.list_resource(request).await).await;
        let [event] = &events[..] else { panic!("{events:?}") };
        assert_eq!((event.diagnostic.len(), &*event.diagnostic[0].summary), (1, summary));
        assert_eq!(event.identity, None);
    }
    let request = validate_list_resource_config::Request {
        type_name: "fake_thing".to_owned(),
        config: encode(&fake::config("nothing"), &thing().attributes),
    };
    let found = core.validate_list_resource_config(request).await.unwrap().into_inner().diagnostics;
    assert_eq!((severities(&found).len(), &*found[0].summary), (1, "Useless"));
}

#[tokio::test]
async fn lists_are_announced() {
    let (_plugin, mut core) = fake().await;
    let metadata = core.get_metadata(get_metadata::Request {}).await.unwrap().into_inner();
    assert_eq!(metadata.list_resources.iter().map(|list| &*list.type_name).collect::<Vec<_>>(), ["fake_thing"]);
    let schemas = core.get_provider_schema(get_provider_schema::Request {}).await.unwrap().into_inner();
    assert_eq!(schemas.list_resource_schemas.keys().collect::<Vec<_>>(), ["fake_thing"]);
}

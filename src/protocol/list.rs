//! Lists of resources.

use std::sync::Arc;

use tonic::codegen::BoxStream;

use super::{
    call::Ended,
    convert::{self, decode, encode},
    find, identity,
    wire::tfplugin6::list_resource::{Event, Request},
};
use crate::framework::{
    Call, Listed, Provider, Query,
    diagnostic::{Diagnostics, Result},
    schema::Schema,
    validate::{self, WriteOnly},
};

/// The results of one query.
pub(super) type Events = BoxStream<Event>;

/// Lists what a query asks for.
pub(super) async fn list(provider: Arc<dyn Provider>, call: &Call, request: Request) -> Result<Vec<Event>> {
    let list = find::list_resource(&*provider, &request.type_name)?;
    let resource = find::resource(&*provider, list.type_name())?;
    let config = decode(request.config, &list.schema().attributes)?;
    // Values that were unknown when core validated may be known, and invalid, by now.
    let mut found = validate::config(&list.schema().attributes, &config, WriteOnly::Refused);
    found.extend(list.validate(&config));
    if found.has_errors() {
        return Err(found);
    }
    let limit = usize::try_from(request.limit).unwrap_or_default();
    // Nothing is wanted, so no vendor is asked.
    if limit == 0 {
        return Ok(Vec::new());
    }
    let query = Query { limit, with_states: request.include_resource_object };
    let listed = list.list(call, config, query).await?;
    Ok(listed.into_iter().take(limit).map(|listed| event(resource.schema(), listed)).collect())
}

/// Builds the response. Diagnostics come in an event of their own, which core reads first.
pub(super) fn events(ended: Ended<Vec<Event>>, warnings: Diagnostics) -> Events {
    let (listed, errors) = ended.into_parts();
    let diagnostic: Vec<_> = convert::diagnostics(errors).chain(convert::diagnostics(warnings)).collect();
    let said = (!diagnostic.is_empty()).then(|| Event { diagnostic, ..Event::default() });
    let events: Vec<_> = said.into_iter().chain(listed.unwrap_or_default()).map(Ok).collect();
    Box::pin(tokio_stream::iter(events))
}

fn event(schema: &Schema, listed: Listed) -> Event {
    Event {
        identity: Some(identity::from_import_id(listed.import_id)),
        display_name: listed.display_name,
        resource_object: listed.state.map(|state| encode(&state, &schema.attributes)),
        diagnostic: Vec::new(),
    }
}

//! What the provider has: names and schemas, which core asks for before anything else.

use std::sync::Arc;

use super::{
    convert, function,
    wire::tfplugin6::{ServerCapabilities, get_metadata, get_provider_schema},
};
use crate::framework::{DataSource, Function, ListResource, Provider, Resource};

/// The optional features that this server supports.
const CAPABILITIES: ServerCapabilities =
    ServerCapabilities { plan_destroy: true, get_provider_schema_optional: true, move_resource_state: true };

/// Returns the names of everything.
pub(super) fn metadata(provider: &dyn Provider) -> get_metadata::Response {
    let data_source =
        |source: &Arc<dyn DataSource>| get_metadata::DataSourceMetadata { type_name: source.type_name().to_owned() };
    let function = |function: &Arc<dyn Function>| get_metadata::FunctionMetadata { name: function.name().to_owned() };
    let list =
        |list: &Arc<dyn ListResource>| get_metadata::ListResourceMetadata { type_name: list.type_name().to_owned() };
    let resource =
        |resource: &Arc<dyn Resource>| get_metadata::ResourceMetadata { type_name: resource.type_name().to_owned() };
    get_metadata::Response {
        server_capabilities: Some(CAPABILITIES),
        data_sources: provider.data_sources().iter().map(data_source).collect(),
        functions: provider.functions().iter().map(function).collect(),
        list_resources: provider.list_resources().iter().map(list).collect(),
        resources: provider.resources().iter().map(resource).collect(),
        diagnostics: Vec::new(),
    }
}

/// Returns the schemas of everything. Core does not ask for them in every process, so nothing may depend on it.
pub(super) fn schemas(provider: &dyn Provider) -> get_provider_schema::Response {
    let data_source = |source: &Arc<dyn DataSource>| (source.type_name().to_owned(), convert::schema(source.schema()));
    let list = |list: &Arc<dyn ListResource>| (list.type_name().to_owned(), convert::schema(list.schema()));
    let resource = |resource: &Arc<dyn Resource>| (resource.type_name().to_owned(), convert::schema(resource.schema()));
    get_provider_schema::Response {
        provider: Some(convert::schema(provider.schema())),
        data_source_schemas: provider.data_sources().iter().map(data_source).collect(),
        functions: function::all(provider),
        list_resource_schemas: provider.list_resources().iter().map(list).collect(),
        resource_schemas: provider.resources().iter().map(resource).collect(),
        server_capabilities: Some(CAPABILITIES),
        diagnostics: Vec::new(),
    }
}

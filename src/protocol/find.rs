//! Finds what core names by its type.

use std::sync::Arc;

use crate::framework::{
    DataSource, ListResource, Provider, Resource,
    diagnostic::{Diagnostic, Result},
};

/// Returns the resource of a type.
pub(super) fn resource<'p>(provider: &'p dyn Provider, type_name: &str) -> Result<&'p Arc<dyn Resource>> {
    let found = provider.resources().iter().find(|resource| resource.type_name() == type_name);
    Ok(found.ok_or_else(|| unknown("resource", type_name))?)
}

/// Returns the data source of a type.
pub(super) fn data_source<'p>(provider: &'p dyn Provider, type_name: &str) -> Result<&'p Arc<dyn DataSource>> {
    let found = provider.data_sources().iter().find(|source| source.type_name() == type_name);
    Ok(found.ok_or_else(|| unknown("data source", type_name))?)
}

/// Returns what lists the resources of a type.
pub(super) fn list_resource<'p>(provider: &'p dyn Provider, type_name: &str) -> Result<&'p Arc<dyn ListResource>> {
    let found = provider.list_resources().iter().find(|list| list.type_name() == type_name);
    Ok(found.ok_or_else(|| unknown("list resource", type_name))?)
}

fn unknown(kind: &str, type_name: &str) -> Diagnostic {
    let detail = format!("This version of the provider has no {kind} of the type {type_name:?}.");
    Diagnostic::error(format!("Unknown {kind} type"), detail)
}

//! The tfplugin6 service: decodes each call, passes it to the framework's traits, and encodes the response.

use std::{future::Future, sync::Arc};

use tonic::{Request, Response, Status};

use super::{
    apply::Apply,
    call,
    convert::{self, decode, decode_stored, encode, is_null},
    function,
    lifecycle::Lifecycle,
    wire::{
        Answer,
        tfplugin6::{
            self, ClientCapabilities, DynamicValue, ServerCapabilities, apply_resource_change, call_function,
            configure_provider, get_functions, get_metadata, get_provider_schema, import_resource_state,
            move_resource_state, plan_resource_change, provider_server, read_data_source, read_resource, stop_provider,
            upgrade_resource_state, validate_data_resource_config, validate_provider_config, validate_resource_config,
        },
    },
};
use crate::framework::{
    Call, Client, DataSource, Function, Private, Provider, Resource, ResourceState,
    diagnostic::{Diagnostic, Diagnostics, Result},
    plan,
    schema::Attribute,
    validate::{self, WriteOnly},
    value::Value,
};

/// Serves core's calls with a provider.
pub(super) struct Service {
    pub(super) provider: Arc<dyn Provider>,
    pub(super) lifecycle: Arc<Lifecycle>,
}

/// The optional features that this server supports.
const CAPABILITIES: ServerCapabilities =
    ServerCapabilities { plan_destroy: true, get_provider_schema_optional: true, move_resource_state: true };

type Reply<A> = std::result::Result<Response<A>, Status>;

#[tonic::async_trait]
impl provider_server::Provider for Service {
    async fn get_metadata(&self, _: Request<get_metadata::Request>) -> Reply<get_metadata::Response> {
        self.answer(get_metadata::Response::default(), move |provider, _| async move {
            let data_source = |source: &Arc<dyn DataSource>| get_metadata::DataSourceMetadata {
                type_name: source.type_name().to_owned(),
            };
            let function =
                |function: &Arc<dyn Function>| get_metadata::FunctionMetadata { name: function.name().to_owned() };
            let resource = |resource: &Arc<dyn Resource>| get_metadata::ResourceMetadata {
                type_name: resource.type_name().to_owned(),
            };
            Ok(get_metadata::Response {
                server_capabilities: Some(CAPABILITIES),
                data_sources: provider.data_sources().iter().map(data_source).collect(),
                functions: provider.functions().iter().map(function).collect(),
                resources: provider.resources().iter().map(resource).collect(),
                diagnostics: Vec::new(),
            })
        })
        .await
    }

    /// Core does not call this in every process, so nothing may depend on it.
    async fn get_provider_schema(
        &self,
        _: Request<get_provider_schema::Request>,
    ) -> Reply<get_provider_schema::Response> {
        self.answer(get_provider_schema::Response::default(), move |provider, _| async move {
            let data_source =
                |source: &Arc<dyn DataSource>| (source.type_name().to_owned(), convert::schema(source.schema()));
            let resource =
                |resource: &Arc<dyn Resource>| (resource.type_name().to_owned(), convert::schema(resource.schema()));
            Ok(get_provider_schema::Response {
                provider: Some(convert::schema(provider.schema())),
                data_source_schemas: provider.data_sources().iter().map(data_source).collect(),
                functions: function::all(&*provider),
                resource_schemas: provider.resources().iter().map(resource).collect(),
                server_capabilities: Some(CAPABILITIES),
                diagnostics: Vec::new(),
            })
        })
        .await
    }

    async fn validate_provider_config(
        &self,
        request: Request<validate_provider_config::Request>,
    ) -> Reply<validate_provider_config::Response> {
        let request = request.into_inner();
        self.answer(validate_provider_config::Response::default(), move |provider, _| async move {
            let check = |config: &Value| provider.validate(config);
            let diagnostics = validated(&provider.schema().attributes, request.config, WriteOnly::Allowed, check)?;
            Ok(validate_provider_config::Response { diagnostics })
        })
        .await
    }

    async fn validate_resource_config(
        &self,
        request: Request<validate_resource_config::Request>,
    ) -> Reply<validate_resource_config::Response> {
        let request = request.into_inner();
        self.answer(validate_resource_config::Response::default(), move |provider, _| async move {
            let resource = find(&*provider, &request.type_name)?;
            let write_only = write_only(request.client_capabilities);
            let check = |config: &Value| resource.validate(config);
            let diagnostics = validated(&resource.schema().attributes, request.config, write_only, check)?;
            Ok(validate_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn validate_data_resource_config(
        &self,
        request: Request<validate_data_resource_config::Request>,
    ) -> Reply<validate_data_resource_config::Response> {
        let request = request.into_inner();
        self.answer(validate_data_resource_config::Response::default(), move |provider, _| async move {
            let source = find_data_source(&*provider, &request.type_name)?;
            let check = |config: &Value| source.validate(config);
            let diagnostics = validated(&source.schema().attributes, request.config, WriteOnly::Refused, check)?;
            Ok(validate_data_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<upgrade_resource_state::Request>,
    ) -> Reply<upgrade_resource_state::Response> {
        let request = request.into_inner();
        self.answer(upgrade_resource_state::Response::default(), move |provider, _| async move {
            let resource = find(&*provider, &request.type_name)?;
            let state = decode_stored(request.raw_state, request.version, &**resource)?;
            let upgraded_state = Some(encode(&state, &resource.schema().attributes));
            Ok(upgrade_resource_state::Response { upgraded_state, diagnostics: Vec::new() })
        })
        .await
    }

    async fn configure_provider(
        &self,
        request: Request<configure_provider::Request>,
    ) -> Reply<configure_provider::Response> {
        let request = request.into_inner();
        self.answer(configure_provider::Response::default(), move |provider, call| async move {
            let config = decode(request.config, &provider.schema().attributes)?;
            let client = Client { version: request.terraform_version };
            provider.configure(&call, &client, config).await?;
            Ok(configure_provider::Response::default())
        })
        .await
    }

    async fn read_resource(&self, request: Request<read_resource::Request>) -> Reply<read_resource::Response> {
        let request = request.into_inner();
        let (new_state, private) = (request.current_state.clone(), request.private.clone());
        let unchanged = read_resource::Response { new_state, private, diagnostics: Vec::new() };
        self.answer(unchanged, move |provider, call| async move {
            let resource = find(&*provider, &request.type_name)?;
            let attributes = &resource.schema().attributes;
            let state = decode(request.current_state, attributes)?;
            let prior = ResourceState { state, private: Private(request.private) };
            let ResourceState { state, private } = resource.read(&call, prior).await?.unwrap_or_default();
            let new_state = Some(encode(&state, attributes));
            Ok(read_resource::Response { new_state, private: private.0, diagnostics: Vec::new() })
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<plan_resource_change::Request>,
    ) -> Reply<plan_resource_change::Response> {
        let request = request.into_inner();
        self.answer(plan_resource_change::Response::default(), move |provider, call| async move {
            plan_change(&**find(&*provider, &request.type_name)?, &call, request)
        })
        .await
    }

    async fn apply_resource_change(
        &self,
        request: Request<apply_resource_change::Request>,
    ) -> Reply<apply_resource_change::Response> {
        let request = request.into_inner();
        let apply = Arc::new(Apply::new(&request));
        let task = apply.clone();
        let (ended, warnings) = call::run(&self.provider, &self.lifecycle, move |provider, call| async move {
            let resource = find(&*provider, &request.type_name)?;
            task.carry_out(resource.clone(), &call, request).await
        })
        .await;
        Ok(Response::new(apply.answer(ended, warnings)))
    }

    async fn import_resource_state(
        &self,
        request: Request<import_resource_state::Request>,
    ) -> Reply<import_resource_state::Response> {
        let import_resource_state::Request { type_name, id } = request.into_inner();
        self.answer(import_resource_state::Response::default(), move |provider, call| async move {
            let resource = find(&*provider, &type_name)?;
            let ResourceState { state, private } = resource.import(&call, &id).await?;
            let state = Some(encode(&state, &resource.schema().attributes));
            let imported = import_resource_state::ImportedResource { type_name, state, private: private.0 };
            Ok(import_resource_state::Response { imported_resources: vec![imported], diagnostics: Vec::new() })
        })
        .await
    }

    async fn move_resource_state(
        &self,
        request: Request<move_resource_state::Request>,
    ) -> Reply<move_resource_state::Response> {
        let request = request.into_inner();
        self.answer(move_resource_state::Response::default(), move |provider, _| async move {
            let target = find(&*provider, &request.target_type_name)?;
            // Another provider's resource of the same name has another schema. OpenTofu 1.10 and 1.11 name a provider
            // only by the last part of its address.
            let (own, address) = (provider.address(), request.source_provider_address.as_str());
            let is_own = match address.split_once('/') {
                Some((_, address)) => address == own,
                None => own.rsplit('/').next() == Some(address),
            };
            let source = provider.resources().iter().find(|source| source.type_name() == request.source_type_name);
            let Some(source) = source.filter(|_| is_own) else {
                return Err(cannot_move(&request.source_type_name, target.type_name()).into());
            };
            let state = decode_stored(request.source_state, request.source_schema_version, &**source)?;
            let stored = ResourceState { state, private: Private(request.source_private) };
            let moved = target.move_from(source.type_name(), stored);
            let ResourceState { state, private } =
                moved.ok_or_else(|| cannot_move(source.type_name(), target.type_name()))?;
            let target_state = Some(encode(&state, &target.schema().attributes));
            Ok(move_resource_state::Response { target_state, target_private: private.0, diagnostics: Vec::new() })
        })
        .await
    }

    async fn read_data_source(&self, request: Request<read_data_source::Request>) -> Reply<read_data_source::Response> {
        let request = request.into_inner();
        self.answer(read_data_source::Response::default(), move |provider, call| async move {
            let source = find_data_source(&*provider, &request.type_name)?;
            let attributes = &source.schema().attributes;
            let config = decode(request.config, attributes)?;
            // Values that were unknown when core validated may be known, and invalid, by now.
            let mut found = validate::config(attributes, &config, WriteOnly::Refused);
            found.extend(source.validate(&config));
            if found.has_errors() {
                return Err(found);
            }
            let state = Some(encode(&source.read(&call, config).await?, attributes));
            Ok(read_data_source::Response { state, diagnostics: Vec::new() })
        })
        .await
    }

    async fn get_functions(&self, _: Request<get_functions::Request>) -> Reply<get_functions::Response> {
        self.answer(get_functions::Response::default(), move |provider, _| async move {
            Ok(get_functions::Response { functions: function::all(&*provider), diagnostics: Vec::new() })
        })
        .await
    }

    async fn call_function(&self, request: Request<call_function::Request>) -> Reply<call_function::Response> {
        let request = request.into_inner();
        let work = move |provider: Arc<dyn Provider>, _| async move { Ok(function::call(&*provider, request)) };
        let (ended, _) = call::run(&self.provider, &self.lifecycle, work).await;
        Ok(Response::new(function::answer(ended)))
    }

    async fn stop_provider(&self, _: Request<stop_provider::Request>) -> Reply<stop_provider::Response> {
        self.lifecycle.stop_calls();
        Ok(Response::new(stop_provider::Response::default()))
    }
}

impl Service {
    /// Responds with the result of `work`, or with `otherwise` and its errors.
    async fn answer<A, F>(
        &self,
        otherwise: A,
        work: impl FnOnce(Arc<dyn Provider>, Arc<Call>) -> F + Send + 'static,
    ) -> Reply<A>
    where
        A: Answer,
        F: Future<Output = Result<A>> + Send + 'static,
    {
        let (ended, warnings) = call::run(&self.provider, &self.lifecycle, work).await;
        Ok(Response::new(call::answer(ended, warnings, otherwise)))
    }
}

fn validated(
    attributes: &[Attribute],
    config: Option<DynamicValue>,
    write_only: WriteOnly,
    check: impl FnOnce(&Value) -> Diagnostics,
) -> Result<Vec<tfplugin6::Diagnostic>> {
    let config = decode(config, attributes)?;
    let mut found = validate::config(attributes, &config, write_only);
    // What the schema already rejects would only be reported a second time, in other words.
    if !found.has_errors() {
        found.extend(check(&config));
    }
    Ok(convert::diagnostics(found).collect())
}

fn plan_change(
    resource: &dyn Resource,
    call: &Call,
    request: plan_resource_change::Request,
) -> Result<plan_resource_change::Response> {
    let attributes = &resource.schema().attributes;
    let prior = decode(request.prior_state, attributes)?;
    // The proposed state follows from the configuration and the prior state. All it adds is whether the plan is a
    // destroy.
    if is_null(request.proposed_new_state.as_ref()) {
        return Ok(plan_resource_change::Response {
            planned_state: Some(encode(&Value::Null, attributes)),
            planned_private: resource.plan_destroy(&prior).0,
            ..Default::default()
        });
    }
    let config = decode(request.config, attributes)?;
    let mut draft = plan::draft(resource.schema(), config, prior, Private(request.prior_private));
    resource.plan(call, &mut draft)?;
    Ok(plan_resource_change::Response {
        planned_state: Some(encode(&draft.planned, attributes)),
        requires_replace: draft.replace.iter().map(convert::path).collect(),
        planned_private: draft.private.0,
        diagnostics: Vec::new(),
    })
}

fn find<'p>(provider: &'p dyn Provider, type_name: &str) -> Result<&'p Arc<dyn Resource>> {
    provider.resources().iter().find(|resource| resource.type_name() == type_name).ok_or_else(|| {
        let detail = format!("This version of the provider has no resource of the type {type_name:?}.");
        Diagnostic::error("Unknown resource type", detail).into()
    })
}

fn cannot_move(source: &str, target: &str) -> Diagnostic {
    let detail = format!(
        "This state of a {source:?} cannot become that of a {target:?}. The page of {target:?} says which states can."
    );
    Diagnostic::error("This state cannot be moved", detail)
}

fn find_data_source<'p>(provider: &'p dyn Provider, type_name: &str) -> Result<&'p Arc<dyn DataSource>> {
    provider.data_sources().iter().find(|source| source.type_name() == type_name).ok_or_else(|| {
        let detail = format!("This version of the provider has no data source of the type {type_name:?}.");
        Diagnostic::error("Unknown data source type", detail).into()
    })
}

fn write_only(core: Option<ClientCapabilities>) -> WriteOnly {
    match core {
        Some(ClientCapabilities { write_only_attributes_allowed: true }) => WriteOnly::Allowed,
        _ => WriteOnly::Refused,
    }
}

//! The tfplugin6 service: decodes each call, passes it to the framework's traits, and encodes the response.

use std::{future::Future, sync::Arc};

use tonic::{Request, Response, Status};

use super::{
    apply::Apply,
    call,
    convert::{self, decode, decode_stored, encode, is_null},
    discovery, find, function, identity,
    lifecycle::Lifecycle,
    list, moved,
    wire::{
        Answer,
        tfplugin6::{
            self, ClientCapabilities, DynamicValue, apply_resource_change, call_function, configure_provider,
            get_functions, get_metadata, get_provider_schema, get_resource_identity_schemas, import_resource_state,
            list_resource, move_resource_state, plan_resource_change, provider_server, read_data_source, read_resource,
            stop_provider, upgrade_resource_identity, upgrade_resource_state, validate_data_resource_config,
            validate_list_resource_config, validate_provider_config, validate_resource_config,
        },
    },
};
use crate::framework::{
    Call, Client, Private, Provider, Resource, ResourceState,
    diagnostic::{Diagnostics, Result},
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

type Reply<A> = std::result::Result<Response<A>, Status>;

#[tonic::async_trait]
impl provider_server::Provider for Service {
    async fn get_metadata(&self, _: Request<get_metadata::Request>) -> Reply<get_metadata::Response> {
        self.answer(
            get_metadata::Response::default(),
            move |provider, _| async move { Ok(discovery::metadata(&*provider)) },
        )
        .await
    }

    async fn get_provider_schema(
        &self,
        _: Request<get_provider_schema::Request>,
    ) -> Reply<get_provider_schema::Response> {
        self.answer(get_provider_schema::Response::default(), move |provider, _| async move {
            Ok(discovery::schemas(&*provider))
        })
        .await
    }

    async fn get_resource_identity_schemas(
        &self,
        _: Request<get_resource_identity_schemas::Request>,
    ) -> Reply<get_resource_identity_schemas::Response> {
        self.answer(get_resource_identity_schemas::Response::default(), move |provider, _| async move {
            let identity_schemas = identity::schemas(&*provider);
            Ok(get_resource_identity_schemas::Response { identity_schemas, diagnostics: Vec::new() })
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
            let resource = find::resource(&*provider, &request.type_name)?;
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
            let source = find::data_source(&*provider, &request.type_name)?;
            let check = |config: &Value| source.validate(config);
            let diagnostics = validated(&source.schema().attributes, request.config, WriteOnly::Refused, check)?;
            Ok(validate_data_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn validate_list_resource_config(
        &self,
        request: Request<validate_list_resource_config::Request>,
    ) -> Reply<validate_list_resource_config::Response> {
        let request = request.into_inner();
        self.answer(validate_list_resource_config::Response::default(), move |provider, _| async move {
            let list = find::list_resource(&*provider, &request.type_name)?;
            let check = |config: &Value| list.validate(config);
            let diagnostics = validated(&list.schema().attributes, request.config, WriteOnly::Refused, check)?;
            Ok(validate_list_resource_config::Response { diagnostics })
        })
        .await
    }

    async fn upgrade_resource_state(
        &self,
        request: Request<upgrade_resource_state::Request>,
    ) -> Reply<upgrade_resource_state::Response> {
        let request = request.into_inner();
        self.answer(upgrade_resource_state::Response::default(), move |provider, _| async move {
            let resource = find::resource(&*provider, &request.type_name)?;
            let state = decode_stored(request.raw_state, request.version, &**resource)?;
            let upgraded_state = Some(encode(&state, &resource.schema().attributes));
            Ok(upgrade_resource_state::Response { upgraded_state, diagnostics: Vec::new() })
        })
        .await
    }

    async fn upgrade_resource_identity(
        &self,
        request: Request<upgrade_resource_identity::Request>,
    ) -> Reply<upgrade_resource_identity::Response> {
        let request = request.into_inner();
        self.answer(upgrade_resource_identity::Response::default(), move |provider, _| async move {
            let resource = find::resource(&*provider, &request.type_name)?;
            let upgraded_identity = Some(identity::upgraded(&**resource, request.version, request.raw_identity)?);
            Ok(upgrade_resource_identity::Response { upgraded_identity, diagnostics: Vec::new() })
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
        let unchanged = read_resource::Response { new_state, private, ..Default::default() };
        self.answer(unchanged, move |provider, call| async move {
            let resource = find::resource(&*provider, &request.type_name)?;
            let attributes = &resource.schema().attributes;
            let state = decode(request.current_state, attributes)?;
            let prior = ResourceState { state, private: Private(request.private) };
            let ResourceState { state, private } = resource.read(&call, prior).await?.unwrap_or_default();
            let new_state = Some(encode(&state, attributes));
            let new_identity = identity::of(&**resource, &state);
            Ok(read_resource::Response { new_state, private: private.0, diagnostics: Vec::new(), new_identity })
        })
        .await
    }

    async fn plan_resource_change(
        &self,
        request: Request<plan_resource_change::Request>,
    ) -> Reply<plan_resource_change::Response> {
        let request = request.into_inner();
        self.answer(plan_resource_change::Response::default(), move |provider, call| async move {
            plan_change(&**find::resource(&*provider, &request.type_name)?, &call, request)
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
            let resource = find::resource(&*provider, &request.type_name)?;
            task.carry_out(resource.clone(), &call, request).await
        })
        .await;
        Ok(Response::new(apply.answer(ended, warnings)))
    }

    async fn import_resource_state(
        &self,
        request: Request<import_resource_state::Request>,
    ) -> Reply<import_resource_state::Response> {
        let import_resource_state::Request { type_name, id, identity } = request.into_inner();
        self.answer(import_resource_state::Response::default(), move |provider, call| async move {
            let resource = find::resource(&*provider, &type_name)?;
            let id = identity::import_id(id, identity)?;
            let ResourceState { state, private } = resource.import(&call, &id).await?;
            let identity = identity::of(&**resource, &state);
            let state = Some(encode(&state, &resource.schema().attributes));
            let imported = import_resource_state::ImportedResource { type_name, state, private: private.0, identity };
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
            moved::state(&*provider, request)
        })
        .await
    }

    async fn read_data_source(&self, request: Request<read_data_source::Request>) -> Reply<read_data_source::Response> {
        let request = request.into_inner();
        self.answer(read_data_source::Response::default(), move |provider, call| async move {
            let source = find::data_source(&*provider, &request.type_name)?;
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

    async fn list_resource(&self, request: Request<list_resource::Request>) -> Reply<list::Events> {
        let request = request.into_inner();
        let work = move |provider, call: Arc<Call>| async move { list::list(provider, &call, request).await };
        let (ended, warnings) = call::run(&self.provider, &self.lifecycle, work).await;
        Ok(Response::new(list::events(ended, warnings)))
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

fn write_only(core: Option<ClientCapabilities>) -> WriteOnly {
    match core {
        Some(ClientCapabilities { write_only_attributes_allowed: true }) => WriteOnly::Allowed,
        _ => WriteOnly::Refused,
    }
}

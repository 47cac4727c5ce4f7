//! Routes requests to the services: tfplugin6, or one of go-plugin's own.

use std::{convert::Infallible, sync::Arc};

use hyper::{Request, Response, body::Incoming};
use tonic::{
    Status,
    body::Body,
    codegen::{BoxFuture, Service as _},
};

use super::{
    go_plugin::GoPlugin,
    lifecycle::Lifecycle,
    rpc::Service,
    wire::{
        plugin::{
            grpc_broker_server::{self, GrpcBrokerServer},
            grpc_controller_server::{self, GrpcControllerServer},
            grpc_stdio_server::{self, GrpcStdioServer},
        },
        tfplugin6::provider_server::{self, ProviderServer},
    },
};
use crate::framework::Provider;

/// The services of the plugin. Cheap to clone.
#[derive(Clone)]
pub(super) struct Services {
    broker: GrpcBrokerServer<GoPlugin>,
    controller: GrpcControllerServer<GoPlugin>,
    provider: ProviderServer<Service>,
    stdio: GrpcStdioServer<GoPlugin>,
}

impl Services {
    pub(super) fn new(provider: Arc<dyn Provider>, lifecycle: Arc<Lifecycle>) -> Self {
        let go_plugin = GoPlugin { lifecycle: lifecycle.clone() };
        Self {
            broker: GrpcBrokerServer::new(go_plugin.clone()),
            controller: GrpcControllerServer::new(go_plugin.clone()),
            provider: calls(provider, lifecycle),
            stdio: GrpcStdioServer::new(go_plugin),
        }
    }
}

/// Returns the service for core's calls.
pub(super) fn calls(provider: Arc<dyn Provider>, lifecycle: Arc<Lifecycle>) -> ProviderServer<Service> {
    let service = ProviderServer::new(Service { provider, lifecycle });
    service.max_decoding_message_size(LARGEST_MESSAGE).max_encoding_message_size(LARGEST_MESSAGE)
}

impl hyper::service::Service<Request<Incoming>> for Services {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    /// Routes by the first segment of the path: `/tfplugin6.Provider/GetMetadata`.
    fn call(&self, request: Request<Incoming>) -> Self::Future {
        match request.uri().path().split('/').nth(1) {
            Some(provider_server::SERVICE_NAME) => self.provider.clone().call(request),
            Some(grpc_controller_server::SERVICE_NAME) => self.controller.clone().call(request),
            Some(grpc_stdio_server::SERVICE_NAME) => self.stdio.clone().call(request),
            Some(grpc_broker_server::SERVICE_NAME) => self.broker.clone().call(request),
            _ => Box::pin(async { Ok(Status::unimplemented("There is no such service.").into_http()) }),
        }
    }
}

/// In bytes. Attributes of several megabytes occur in states.
const LARGEST_MESSAGE: usize = 256 << 20;

//! The services of go-plugin itself: the shutdown, and two streams that stay empty.

use std::{
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use tokio_stream::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::{Request, Response, Status, Streaming, codegen::BoxStream};

use super::{
    lifecycle::Lifecycle,
    wire::plugin::{
        ConnInfo, Empty, StdioData, grpc_broker_server::GrpcBroker, grpc_controller_server::GrpcController,
        grpc_stdio_server::GrpcStdio,
    },
};

/// Implements go-plugin's own services.
#[derive(Clone)]
pub(super) struct GoPlugin {
    pub(super) lifecycle: Arc<Lifecycle>,
}

#[tonic::async_trait]
impl GrpcController for GoPlugin {
    /// Responds, and lets the process end. Core kills it two seconds later.
    async fn shutdown(&self, _: Request<Empty>) -> Result<Response<Empty>, Status> {
        self.lifecycle.close();
        Ok(Response::new(Empty {}))
    }
}

#[tonic::async_trait]
impl GrpcStdio for GoPlugin {
    /// Stays empty: logs go to stderr.
    async fn stream_stdio(&self, _: Request<()>) -> Result<Response<BoxStream<StdioData>>, Status> {
        Ok(Response::new(Silence::until(self.lifecycle.closing())))
    }
}

#[tonic::async_trait]
impl GrpcBroker for GoPlugin {
    /// Stays empty: no further connections are needed.
    async fn start_stream(&self, _: Request<Streaming<ConnInfo>>) -> Result<Response<BoxStream<ConnInfo>>, Status> {
        Ok(Response::new(Silence::until(self.lifecycle.closing())))
    }
}

/// An empty stream that ends when connections are to close, so it does not keep one open.
struct Silence<T>(Pin<Box<WaitForCancellationFutureOwned>>, PhantomData<fn() -> T>);

impl<T: 'static> Silence<T> {
    fn until(closing: CancellationToken) -> BoxStream<T> {
        Box::pin(Self(Box::pin(closing.cancelled_owned()), PhantomData))
    }
}

impl<T> Stream for Silence<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        ready!(self.0.as_mut().poll(context));
        Poll::Ready(None)
    }
}

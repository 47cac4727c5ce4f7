//! Core's part: starts a provider as Terraform does, and calls it over gRPC with mutual TLS.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
#![expect(missing_docs, reason = "fields and variants are named as core and the schema name them")]

pub mod arguments;
pub mod caller;
pub mod contract;
pub mod explore;
pub mod identity;
pub mod rules;
pub mod vendors;
pub mod wire;

use std::{ffi::OsStr, fs, process::Stdio, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, pki_types::CertificateDer};
use tempfile::TempDir;
use terraform_provider_smtp::framework::{msgpack, schema::Attribute, value::Value};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::UnixStream,
    process::{Child, ChildStdout, Command},
};
use tokio_rustls::TlsConnector;
use tonic::transport::{Channel, Endpoint};

use self::{
    identity::Identity,
    wire::{
        plugin::{
            grpc_broker_client::GrpcBrokerClient, grpc_controller_client::GrpcControllerClient,
            grpc_stdio_client::GrpcStdioClient,
        },
        tfplugin6::{DynamicValue, provider_client::ProviderClient},
    },
};

/// A command with what Terraform sets for every provider, but for its certificate.
pub fn command(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(program);
    command.env("TF_PLUGIN_MAGIC_COOKIE", "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2");
    command.env("PLUGIN_PROTOCOL_VERSIONS", "5,6");
    for name in ["PLUGIN_CLIENT_CERT", "PLUGIN_MULTIPLEX_GRPC", "TF_LOG", "TF_LOG_PROVIDER"] {
        command.env_remove(name);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

/// A running provider.
pub struct Plugin {
    pub child: Child,
    pub identity: Identity,
    /// The fields of its handshake line.
    pub handshake: Vec<String>,
    stdout: BufReader<ChildStdout>,
    sockets: TempDir,
}

impl Plugin {
    /// Starts a provider and reads its handshake line; whatever a test harness prints before is skipped.
    pub async fn start(mut command: Command) -> Self {
        let (identity, sockets) = (Identity::new(), TempDir::new().unwrap());
        command.env("PLUGIN_CLIENT_CERT", identity.pem()).env("PLUGIN_UNIX_SOCKET_DIR", sockets.path());
        let mut child = command.spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("1|") {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).await.unwrap(), 0, "no handshake");
        }
        let handshake = line.trim_end_matches('\n').split('|').map(str::to_owned).collect();
        Self { child, identity, handshake, stdout, sockets }
    }

    /// Connects as the core that started the provider.
    pub async fn connect(&self) -> Core {
        self.connect_with(self.identity.config(self.certificate())).await.unwrap()
    }

    /// Connects as the client with this TLS configuration.
    pub async fn connect_with(&self, tls: ClientConfig) -> Result<Core, tonic::transport::Error> {
        let (tls, path) = (TlsConnector::from(Arc::new(tls)), self.handshake[3].clone());
        let connect = tower::service_fn(move |_| {
            let (tls, path) = (tls.clone(), path.clone());
            async move {
                tls.connect("localhost".try_into().unwrap(), UnixStream::connect(path).await?).await.map(TokioIo::new)
            }
        });
        Ok(Core::new(Endpoint::from_static("http://localhost").connect_with_connector(connect).await?))
    }

    /// The certificate that the provider said it will show.
    pub fn certificate(&self) -> CertificateDer<'static> {
        STANDARD_NO_PAD.decode(&self.handshake[5]).unwrap().into()
    }

    /// Sends a signal, by its name without `SIG`.
    pub async fn signal(&self, name: &str) {
        let pid = self.child.id().unwrap();
        assert!(Command::new("sh").args(["-c", &format!("kill -{name} {pid}")]).status().await.unwrap().success());
    }

    /// Waits until everything that writes to the provider's stdout is gone, and answers with what it wrote there since.
    pub async fn closed_stdout(&mut self) -> String {
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).await.unwrap();
        rest
    }

    /// Waits for a good end, which leaves no socket behind.
    pub async fn ended(mut self) {
        assert!(self.child.wait().await.unwrap().success());
        self.assert_no_socket();
    }

    pub fn assert_no_socket(&self) {
        assert_eq!(fs::read_dir(self.sockets.path()).unwrap().count(), 0);
    }
}

/// The services of one connection.
pub struct Core {
    pub channel: Channel,
    pub broker: GrpcBrokerClient<Channel>,
    pub controller: GrpcControllerClient<Channel>,
    pub provider: ProviderClient<Channel>,
    pub stdio: GrpcStdioClient<Channel>,
}

impl Core {
    pub fn new(channel: Channel) -> Self {
        const LARGEST_MESSAGE: usize = 256 << 20;
        let provider = ProviderClient::new(channel.clone());
        Self {
            broker: GrpcBrokerClient::new(channel.clone()),
            controller: GrpcControllerClient::new(channel.clone()),
            provider: provider.max_decoding_message_size(LARGEST_MESSAGE).max_encoding_message_size(LARGEST_MESSAGE),
            stdio: GrpcStdioClient::new(channel.clone()),
            channel,
        }
    }
}

/// A value on its way to the provider.
pub fn encode(value: &Value, attributes: &[Attribute]) -> Option<DynamicValue> {
    Some(DynamicValue { msgpack: msgpack::encode(value, attributes), json: Vec::new() })
}

/// A value from the provider.
pub fn decode(value: Option<DynamicValue>, attributes: &[Attribute]) -> Value {
    msgpack::decode(&value.unwrap().msgpack, attributes).unwrap()
}

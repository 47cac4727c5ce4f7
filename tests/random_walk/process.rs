//! One process of the provider, which core attaches to: the real binary, without the cost of TLS for each of thousands.

use std::{
    fs::{self, File},
    io::{Read, Seek},
    net::Shutdown,
    os::unix::net::UnixStream as Connection,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use sandbox::core::{
    self,
    caller::{Caller, Schemas},
    wire::tfplugin6::{configure_provider, provider_client::ProviderClient, stop_provider},
};
use tempfile::TempDir;
use terraform_provider_smtp::framework::value::Value;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::UnixStream,
    process::Child,
    time::timeout,
};
use tonic::transport::{Channel, Endpoint};

use crate::{faults::Fault, world::World};

/// A process that is configured.
pub(crate) struct Process {
    pub(crate) provider: ProviderClient<Channel>,
    /// The connections that core has to it.
    connections: Arc<Mutex<Vec<Connection>>>,
    child: Child,
    log: File,
    folder: TempDir,
}

impl Process {
    /// Starts one and attaches to it.
    pub(crate) async fn start(world: &World, schemas: &Schemas) -> Self {
        let folder = TempDir::new().unwrap();
        let roots = folder.path().join("roots.pem");
        fs::write(&roots, world.sandbox.ca_certificate_pem()).unwrap();
        let log = tempfile::tempfile().unwrap();
        let mut command = core::command(env!("CARGO_BIN_EXE_terraform-provider-smtp"));
        command.arg("-debug").env_remove("TF_PLUGIN_MAGIC_COOKIE").env("PLUGIN_UNIX_SOCKET_DIR", folder.path());
        command
            .envs(world.env())
            .env("SMTP_CA_CERTIFICATE_FILE", &roots)
            .env("SSL_CERT_FILE", roots)
            .env("SSL_CERT_DIR", folder.path())
            .env("TF_LOG_PROVIDER", "TRACE");
        command.stderr(Stdio::from(log.try_clone().unwrap()));
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let path = line.split("\"String\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned();
        let connections = Arc::<Mutex<Vec<Connection>>>::default();
        let made = Arc::clone(&connections);
        let connect = tower::service_fn(move |_| {
            let (path, made) = (path.clone(), Arc::clone(&made));
            async move {
                let connection = Connection::connect(path)?;
                connection.set_nonblocking(true)?;
                made.lock().unwrap().push(connection.try_clone()?);
                UnixStream::from_std(connection).map(TokioIo::new)
            }
        });
        let channel = Endpoint::from_static("http://localhost").connect_with_connector(connect).await.unwrap();
        let process = Self { provider: core::Core::new(channel).provider, connections, child, log, folder };
        process.configure(schemas, None).await;
        process
    }

    /// Begins another run.
    pub(crate) async fn configure(&self, schemas: &Schemas, request_timeout: Option<&str>) {
        let config = Value::object([("request_timeout", request_timeout.into())]);
        let config = core::encode(&config, &schemas.provider);
        let request = configure_provider::Request { terraform_version: "1.15.5".to_owned(), config };
        let answer = self.provider.clone().configure_provider(request).await.unwrap().into_inner();
        assert!(answer.diagnostics.is_empty(), "{:?}", answer.diagnostics);
    }

    /// Asks it to stop.
    pub(crate) async fn stop(&self) {
        // It may be killed at the same time.
        let _ = self.provider.clone().stop_provider(stop_provider::Request {}).await;
    }

    /// Hangs up, and leaves it alone with what it does.
    pub(crate) fn hang_up(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            // The other side may be gone.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    /// Asks it to end (SIGTERM).
    pub(crate) fn terminate(&self) {
        if let Some(id) = self.child.id() {
            let sent = Command::new("kill").args(["-TERM", "--", &id.to_string()]).status();
            assert!(sent.unwrap().success());
        }
    }

    /// Waits until it has ended by itself.
    pub(crate) async fn ended(&mut self) {
        let ended = timeout(LONGEST_END, self.child.wait()).await;
        assert!(matches!(ended, Ok(Ok(_))), "it ends when it is asked to");
    }

    /// Ends it without a word, and looks through what it has logged.
    pub(crate) async fn kill(mut self, world: &World) {
        self.kill_now().await;
        let mut logged = String::new();
        self.log.rewind().unwrap();
        self.log.read_to_string(&mut logged).unwrap();
        assert!(!logged.contains("panic"), "{logged}");
        assert!(!world.secrets().iter().any(|secret| logged.contains(secret)), "the log shows a secret");
        drop(self.folder);
    }

    /// Ends it without a word.
    pub(crate) async fn kill_now(&mut self) {
        self.child.kill().await.unwrap();
    }
}

/// The process that core is attached to, if there is one: it lasts until the provider's run is to end.
pub(crate) struct Attached {
    process: Option<Process>,
    schemas: Arc<Schemas>,
}

impl Attached {
    /// Attaches to nothing yet.
    pub(crate) fn new(schemas: Schemas) -> Self {
        Self { process: None, schemas: Arc::new(schemas) }
    }

    /// Begins a run of core, in which something goes wrong.
    pub(crate) async fn begin(&mut self, world: &World, fault: Option<&Fault>) {
        let timeout = if fault.is_some_and(Fault::takes_for_ever) { Some("300ms") } else { None };
        let schemas = Arc::clone(&self.schemas);
        self.started(world).await.configure(&schemas, timeout).await;
        if let Some(fault) = fault {
            fault.happen(&world.sandbox);
        }
    }

    /// Makes core's calls.
    pub(crate) async fn caller(&mut self, world: &World) -> Caller {
        let schemas = Arc::clone(&self.schemas);
        Caller { provider: self.started(world).await.provider.clone(), schemas }
    }

    /// The process, which is started where there is none.
    pub(crate) async fn started(&mut self, world: &World) -> &mut Process {
        if self.process.is_none() {
            self.process = Some(Process::start(world, &self.schemas).await);
        }
        self.process.as_mut().unwrap()
    }

    /// Ends the process.
    pub(crate) async fn end(&mut self, world: &World) {
        if let Some(process) = self.process.take() {
            process.kill(world).await;
        }
    }
}

/// How long a process may take to end once it is asked to.
const LONGEST_END: Duration = Duration::from_secs(60);

//! An API that a test scripts, and descriptions of it.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, ResponseTemplate, matchers::any};

/// An API on loopback that keeps what it was asked.
pub(super) struct Api {
    server: MockServer,
    _runtime: Runtime,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Api {
    /// Starts it. `answer` makes a status and JSON, or null for no body, of a method and a path with its query.
    pub(super) fn start(answer: impl Fn(&str, &str) -> (u16, Value) + Send + Sync + 'static) -> Self {
        Self::start_with_bodies(move |method, path, _| answer(method, path))
    }

    /// Starts one whose answer depends on the body of a request, too.
    pub(super) fn start_with_bodies(answer: impl Fn(&str, &str, &str) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let (runtime, requests) = (Runtime::new().expect("a runtime"), Arc::<Mutex<Vec<_>>>::default());
        let server = runtime.block_on(async {
            let (server, requests) = (MockServer::start().await, Arc::clone(&requests));
            let respond = move |request: &Request| {
                let query = request.url.query().map(|query| format!("?{query}")).unwrap_or_default();
                let path = format!("{}{query}", request.url.path());
                let (status, body) = answer(request.method.as_str(), &path, &String::from_utf8_lossy(&request.body));
                requests.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{} {path}", request.method));
                let response = ResponseTemplate::new(status);
                if body.is_null() { response } else { response.set_body_json(body) }
            };
            Mock::given(any()).respond_with(respond).mount(&server).await;
            server
        });
        Self { server, _runtime: runtime, requests }
    }

    /// Takes what it was asked since the last call.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A provider block with these blocks in the description of the API. A credential is called `domain/user`.
    pub(super) fn provider(&self, blocks: &str) -> String {
        let url = self.server.uri();
        format!(
            "provider \"smtp\" {{\n  http {{\n    base_url = \"{url}\"\n    credential = \"domain/user\"\n    {blocks}\n    \
             error {{\n      message = \"/message\"\n    }}\n    smtp {{\n      username = \"{{user}}@{{domain}}\"\n    \
             }}\n  }}\n}}\n"
        )
    }
}

/// The login of a description.
pub(super) const LOGIN: &str = "bearer_token = \"needle-of-the-bearer\"\n";

/// A reset in place.
pub(super) const RESET: &str =
    "reset {\n path = \"/{domain}/{user}\"\n json = jsonencode({ password = \"{password}\" })\n }\n";

/// A reset that makes a new credential.
pub(super) const CREATE: &str = "create {\n path = \"/keys\"\n password = \"/password\"\n id = \"/id\"\n }\n\
                                 revoke {\n path = \"/keys/{id}\"\n }\n";

/// The resource for `a/b`.
pub(super) fn resource(trigger: &str) -> String {
    format!(
        "resource \"smtp_credential_password\" \"this\" {{\n  http = {{ name = \"a/b\" }}\n  rotation_mode = \"in_place\"\n  \
         rotation_trigger = \"{trigger}\"\n}}\n"
    )
}

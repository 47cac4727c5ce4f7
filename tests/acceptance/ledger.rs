//! A vendor whose resets make new credentials, as far as its fixtures document it: it makes them, lists them and
//! revokes them.
//!
//! A vendor that the sandbox does not imitate needs no more than its fixtures, with the revocation among `others`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate, matchers::any};

use crate::{
    case::{Case, Exchange},
    replay::log_in,
    support::Workspace,
};

/// So many credentials are made in a test at most.
const MOST: usize = 20;

/// One vendor, in one form of its API, and what it has made.
pub(crate) struct Ledger {
    pub(crate) case: &'static Case,
    book: Arc<Mutex<Book>>,
    _server: MockServer,
    _runtime: Runtime,
}

/// What is asked of a vendor and can go wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Trouble {
    /// A reset is refused.
    RefusedReset,
    /// A reset is carried out, and its response is that of a broken server.
    LostReset,
    /// A revocation is refused.
    RefusedRevocation,
}

struct Book {
    case: &'static Case,
    keys: Vec<Key>,
    trouble: Option<Trouble>,
}

/// A credential that a reset has made.
#[derive(Clone)]
pub(crate) struct Key {
    pub(crate) id: String,
    pub(crate) password: String,
    is_live: bool,
}

impl Ledger {
    /// Starts it, and logs the workspace in to it.
    pub(crate) fn start(case: &'static Case, workspace: &mut Workspace) -> Self {
        let runtime = Runtime::new().expect("a runtime");
        let book = Arc::new(Mutex::new(Book { case, keys: Vec::new(), trouble: None }));
        let server = runtime.block_on(async {
            let server = MockServer::start().await;
            Mock::given(any()).respond_with(Clerk(Arc::clone(&book))).mount(&server).await;
            server
        });
        log_in(case, workspace, &server.uri());
        for number in 0..MOST {
            workspace.keep_secret(&Key::new(case, number).password);
        }
        Self { case, book, _server: server, _runtime: runtime }
    }

    /// The credentials that work, the oldest first.
    pub(crate) fn live(&self) -> Vec<Key> {
        lock(&self.book).keys.iter().filter(|key| key.is_live).cloned().collect()
    }

    /// Revokes the newest credential as somebody else.
    pub(crate) fn revoke_newest(&self) {
        lock(&self.book).keys.last_mut().expect("a credential was made").is_live = false;
    }

    /// From now on a reset has this body.
    pub(crate) fn expect(&self, reset_body: &'static str) {
        let mut book = lock(&self.book);
        book.case = Box::leak(Box::new(Case { reset_body, ..*book.case }));
    }

    /// Lets something go wrong once.
    pub(crate) fn trouble(&self, trouble: Trouble) {
        lock(&self.book).trouble = Some(trouble);
    }
}

impl Key {
    fn new(case: &Case, number: usize) -> Self {
        assert!(number < MOST, "a test makes fewer credentials");
        let (documented, password) = documented(case);
        let id = numbered(documented, number);
        // A password may contain the id.
        Self { password: numbered(&password.replace(documented, &id), number), id, is_live: true }
    }

    /// A documented text, about this credential.
    fn put(&self, case: &Case, text: &str) -> String {
        let (id, password) = documented(case);
        text.replace(password, &self.password).replace(id, &self.id)
    }
}

/// The documented id and password.
fn documented(case: &Case) -> (&'static str, &'static str) {
    (case.version.expect("a credential has an id"), case.password.expect("the vendor makes the password"))
}

/// A text of the documented form and length.
fn numbered(text: &str, number: usize) -> String {
    format!("{}{number:02}", &text[..text.len() - 2])
}

struct Clerk(Arc<Mutex<Book>>);

impl Respond for Clerk {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut book = lock(&self.0);
        let (case, path) = (book.case, request.url.path());
        let asks_for = |exchange: &Exchange| request.method.as_str() == exchange.method;
        if let Some(always) = case.always.iter().find(|exchange| asks_for(exchange) && path == exchange.path) {
            return json(always.status, always.body);
        }
        if request.headers.get("authorization").is_none_or(|value| value != case.authorization) {
            return json(401, case.error);
        }
        if asks_for(&case.reset) && path == case.reset.path && request.body == case.reset_body.as_bytes() {
            return book.reset();
        }
        let list = &case.found[0];
        if asks_for(list) && path == list.path {
            return json(list.status, &book.listed());
        }
        let body = String::from_utf8_lossy(&request.body);
        let number = book.keys.iter().position(|key| path.contains(&key.id) || body.contains(&key.id));
        let Some(number) = number else { return json(404, case.error) };
        let key = book.keys[number].clone();
        let is_about_it = |exchange: &&Exchange| asks_for(exchange) && key.put(case, exchange.path) == path;
        if let Some(revocation) = case.others.iter().find(is_about_it) {
            return book.revoke(number, revocation);
        }
        let documented = if key.is_live { case.found_late } else { case.gone };
        let found = documented.iter().find(is_about_it);
        found.map_or_else(|| json(404, case.error), |found| json(found.status, &key.put(case, found.body)))
    }
}

impl Book {
    fn reset(&mut self) -> ResponseTemplate {
        if self.is_in(Trouble::RefusedReset) {
            return json(403, self.case.error);
        }
        let key = Key::new(self.case, self.keys.len());
        self.keys.push(key.clone());
        if self.is_in(Trouble::LostReset) {
            return json(500, self.case.error);
        }
        json(self.case.reset.status, &key.put(self.case, self.case.reset.body))
    }

    fn revoke(&mut self, number: usize, revocation: &Exchange) -> ResponseTemplate {
        if self.is_in(Trouble::RefusedRevocation) {
            return json(403, self.case.error);
        }
        self.keys[number].is_live = false;
        json(revocation.status, &self.keys[number].put(self.case, revocation.body))
    }

    /// The documented list, with what there is in place of the documented credential.
    fn listed(&self) -> String {
        let mut list = serde_json::from_str(self.case.found[0].body).expect("a list in JSON");
        self.replace(&mut list);
        list.to_string()
    }

    fn replace(&self, value: &mut Value) {
        let (id, _) = documented(self.case);
        let is_documented =
            |entry: &Value| entry.as_object().is_some_and(|fields| fields.values().any(|value| value == id));
        match value {
            Value::Array(entries) => {
                if let Some(place) = entries.iter().position(is_documented) {
                    let entry = entries.remove(place).to_string();
                    let live = self.keys.iter().filter(|key| key.is_live);
                    entries.extend(live.map(|key| key.put(self.case, &entry).parse::<Value>().expect("an entry")));
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(|value| self.replace(value)),
            _ => {}
        }
    }

    /// Whether this goes wrong now; after that, it does no more.
    fn is_in(&mut self, trouble: Trouble) -> bool {
        self.trouble.take_if(|next| *next == trouble).is_some()
    }
}

fn json(status: u16, body: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_raw(body, "application/json")
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

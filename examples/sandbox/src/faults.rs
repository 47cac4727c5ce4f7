//! What can be made to go wrong, and when.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use serde::{Deserialize, Deserializer};
use tokio::time::sleep;

use super::{
    gate::Gate,
    http::Answer,
    lock,
    vendor::{Api, Call, Operation},
};

/// Something that goes wrong: by default once, with any call, after the vendor has acted.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    #[serde(default)]
    operation: Option<Operation>,
    #[serde(default)]
    user_name: Option<String>,
    #[serde(default = "once")]
    times: usize,
    #[serde(default)]
    moment: Moment,
    effect: Effect,
}

/// When a fault happens.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Moment {
    /// Instead of the vendor's doing anything: nothing is reset. (After [`Effect::Delay`] and [`Effect::Stall`] it
    /// does.)
    Before,
    /// When the vendor has acted: what was reset stays reset, and only its answer suffers.
    #[default]
    After,
}

/// What goes wrong. Where the vendor has not acted, `{}` with status 200 takes the place of its answer.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Another body, with the vendor's status.
    Body {
        /// What it says it is; by default JSON.
        #[serde(default = "json")]
        content_type: String,
        /// What it is.
        #[serde(deserialize_with = "text")]
        bytes: Vec<u8>,
    },
    /// The connection is closed with no answer.
    Close,
    /// The answer comes whole, but announces so many bytes; the connection is closed after it.
    ContentLength(u64),
    /// Everything comes, later.
    #[serde(rename = "delay_ms", deserialize_with = "milliseconds")]
    Delay(Duration),
    /// The whole answer comes one byte at a time, with a pause after each.
    #[serde(rename = "drip_ms", deserialize_with = "milliseconds")]
    Drip(Duration),
    /// Spaces for a body, for as long as the client reads; no length is announced.
    EndlessBody,
    /// One header more.
    Header(String, String),
    /// The head of the answer comes, then nothing until it is released.
    HeadThenStall,
    /// A body of so many spaces, announced as such.
    HugeBody(u64),
    /// A redirect with that status, which is 301, 302, 303, 307 or 308.
    Redirect {
        /// The status.
        status: u16,
        /// Where to.
        location: String,
    },
    /// Nothing comes until it is released; then all goes on.
    Stall,
    /// Another status, with headers and a body in the vendor's manner unless a body is given.
    Status {
        /// The status.
        status: u16,
        /// Headers such as `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body.
        #[serde(default)]
        body: Option<String>,
    },
    /// Another status line, good or bad.
    StatusLine(String),
    /// The connection is torn down (TCP RST) with no answer.
    TcpReset,
    /// So many bytes of the body come, then the connection is closed.
    Truncate(usize),
}

impl Fault {
    /// A fault that happens once, with any call, after the vendor has acted.
    pub fn new(effect: Effect) -> Self {
        Self { operation: None, user_name: None, times: once(), moment: Moment::default(), effect }
    }

    /// A plain status with a body in the vendor's manner.
    pub fn status(status: u16) -> Self {
        Self::new(Effect::Status { status, headers: BTreeMap::new(), body: None })
    }

    /// A status with a header, such as 429 with `Retry-After`.
    pub fn status_with_header(status: u16, name: &str, value: &str) -> Self {
        let headers = BTreeMap::from([(name.to_owned(), value.to_owned())]);
        Self::new(Effect::Status { status, headers, body: None })
    }

    /// A web server's page with that status, as where no API answers.
    pub fn page(status: u16) -> Self {
        let headers = BTreeMap::from([("Content-Type".to_owned(), "text/html".to_owned())]);
        let body = Some(String::from_utf8_lossy(&Answer::page(status).body).into_owned());
        Self::new(Effect::Status { status, headers, body })
    }

    /// Another body, called JSON.
    pub fn body(bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(Effect::Body { content_type: json(), bytes: bytes.into() })
    }

    /// Only with calls that ask for this.
    pub fn on(mut self, operation: Operation) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only with calls for this user.
    pub fn of(mut self, user_name: &str) -> Self {
        self.user_name = Some(user_name.to_owned());
        self
    }

    /// So many times.
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
        self
    }

    /// Before the vendor acts.
    pub fn before(mut self) -> Self {
        self.moment = Moment::Before;
        self
    }

    fn concerns(&self, moment: Moment, call: &Call) -> bool {
        self.moment == moment
            && self.operation.is_none_or(|operation| operation == call.operation)
            && self.user_name.as_ref().is_none_or(|user_name| Some(user_name) == call.user_name.as_ref())
    }
}

impl Effect {
    /// Waits as long as this effect lasts and returns whether that was all of it.
    pub async fn wait(&self, gate: &Gate) -> bool {
        match self {
            Self::Delay(time) => sleep(*time).await,
            Self::Stall => gate.hold().await,
            _ => return false,
        }
        true
    }

    /// The answer as this effect leaves it, before it is sent.
    pub fn shape(&self, answer: Answer, vendor: &dyn Api) -> Answer {
        match self {
            Self::Body { content_type, bytes } => Answer::text(answer.status, content_type, bytes.clone()),
            Self::Header(name, value) => answer.with_header(name, value),
            Self::Redirect { status, location } => Answer::empty(*status).with_header("Location", location),
            Self::Status { status, headers, body } => {
                let answer = match body {
                    Some(body) => Answer { body: body.clone().into(), ..Answer::empty(*status) },
                    None => vendor.failure(*status),
                };
                headers.iter().fold(answer, |answer, (name, value)| answer.with_header(name, value))
            }
            Self::StatusLine(line) => Answer { status_line: Some(line.clone()), ..answer },
            _ => answer,
        }
    }
}

/// The faults that are still to happen.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<Fault>>);

impl Faults {
    /// Adds a fault after those already there.
    pub(crate) fn add(&self, fault: Fault) {
        lock(&self.0).push(fault);
    }

    /// Lets nothing go wrong any more.
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// How many faults are still to happen, each counted as often as it will.
    pub(crate) fn pending(&self) -> usize {
        lock(&self.0).iter().map(|fault| fault.times).sum()
    }

    /// Uses up the oldest fault that concerns this call at this moment.
    pub(crate) fn take(&self, moment: Moment, call: &Call) -> Option<Effect> {
        let mut faults = lock(&self.0);
        let fault = faults.iter_mut().find(|fault| fault.times > 0 && fault.concerns(moment, call))?;
        fault.times -= 1;
        let effect = fault.effect.clone();
        faults.retain(|fault| fault.times > 0);
        Some(effect)
    }
}

/// How often a fault happens that says nothing else.
pub(crate) fn once() -> usize {
    1
}

fn json() -> String {
    "application/json".to_owned()
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    String::deserialize(deserializer).map(String::into_bytes)
}

/// Reads a number of milliseconds.
pub(crate) fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

//! Configurations: what a user may write, each part of it known at plan or not before apply.

use std::fmt;

use proptest::{option, prelude::*};
use terraform_provider_smtp::framework::value::{Number, Value};

use super::vendors::{Known, Target, Which, argument};
use crate::{Model, Sandbox, VENDORS};

/// A text, of which a failure shows no more than its beginning.
#[derive(Clone, Eq, PartialEq)]
pub struct Text(pub String);

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head: String = self.0.chars().take(40).collect();
        write!(f, "{head:?} ({} bytes)", self.0.len())
    }
}

/// An argument that may be left out, and may be unknown while the plan is made.
#[derive(Clone, Debug)]
pub struct Given<T> {
    pub value: Option<T>,
    pub late: bool,
}

impl<T> Default for Given<T> {
    fn default() -> Self {
        Self { value: None, late: false }
    }
}

/// A `password_policy`.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub length: Option<u16>,
    pub special: Option<bool>,
    pub special_characters: Option<&'static str>,
}

/// A `verify`.
#[derive(Clone, Debug)]
pub struct Verify {
    pub at: MailServer,
    pub on_refresh: bool,
    pub timeout: &'static str,
}

/// Where a `verify` logs in.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum MailServer {
    /// At the sandbox.
    Sandbox,
    /// Where nothing listens.
    Nowhere,
}

/// The arguments of one configuration that is valid.
#[derive(Clone, Debug)]
pub struct Arguments {
    pub target: Target,
    pub target_known: Known,
    pub trigger: Given<Text>,
    pub rotate_after: Given<&'static str>,
    pub mode: Given<&'static str>,
    pub policy: Given<Policy>,
    pub own: Given<Text>,
    pub own_version: Given<Text>,
    pub host: Given<&'static str>,
    pub port: Given<u16>,
    pub timeout: Given<&'static str>,
    pub on_external_change: Given<&'static str>,
    pub verify: Given<Verify>,
}

/// When a configuration is looked at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    Plan,
    Apply,
}

impl Arguments {
    /// A target and nothing else.
    pub fn bare(target: Target) -> Self {
        Self {
            target,
            target_known: Known::Wholly,
            trigger: Given::default(),
            rotate_after: Given::default(),
            mode: Given::default(),
            policy: Given::default(),
            own: Given::default(),
            own_version: Given::default(),
            host: Given::default(),
            port: Given::default(),
            timeout: Given::default(),
            on_external_change: Given::default(),
            verify: Given::default(),
        }
    }

    /// Whether anything is unknown while the plan is made.
    pub fn is_late(&self) -> bool {
        let texts = [&self.trigger, &self.own, &self.own_version].iter().any(|text| text.late);
        let others = [self.mode.late, self.policy.late, self.host.late, self.port.late, self.timeout.late];
        let others = [others.contains(&true), self.rotate_after.late, self.on_external_change.late, self.verify.late];
        texts || others.contains(&true) || self.target_known != Known::Wholly
    }

    /// The configuration as core sends it.
    pub fn config(&self, moment: Moment, sandbox: &Sandbox) -> Value {
        let known = if moment == Moment::Plan { self.target_known } else { Known::Wholly };
        let timeouts = |text: &&str| Value::object([("create", Value::from(*text)), ("update", Value::Null)]);
        Value::object([
            (self.target.vendor.name, argument(self.target, known)),
            ("on_external_change", self.on_external_change.at(moment, |setting| Value::from(*setting))),
            ("password_policy", self.policy.at(moment, Policy::value)),
            ("password_wo", self.own.at(moment, |own| Value::Secret(own.0.clone().into()))),
            ("password_wo_version", self.own_version.at(moment, Text::value)),
            ("rotate_after", self.rotate_after.at(moment, |age| Value::from(*age))),
            ("rotation_mode", self.mode.at(moment, |mode| Value::from(*mode))),
            ("rotation_trigger", self.trigger.at(moment, Text::value)),
            ("smtp_host", self.host.at(moment, |host| Value::from(*host))),
            ("smtp_port", self.port.at(moment, |port| Value::from(*port))),
            ("timeouts", self.timeout.at(moment, timeouts)),
            ("verify", self.verify.at(moment, |verify| verify.value(sandbox))),
        ])
    }
}

impl<T> Given<T> {
    fn null(self) -> Self {
        Self { value: None, ..self }
    }

    fn at(&self, moment: Moment, value: impl Fn(&T) -> Value) -> Value {
        match &self.value {
            _ if self.late && moment == Moment::Plan => Value::Unknown,
            Some(given) => value(given),
            None => Value::Null,
        }
    }
}

impl Given<Text> {
    /// A text that is known.
    pub fn now(text: &str) -> Self {
        Self { value: Some(text.into()), late: false }
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Text {
    /// Whether every mail server accepts it as a password.
    fn is_plain(&self) -> bool {
        self.0.len() < 100 && !self.0.contains('\0')
    }

    fn value(&self) -> Value {
        self.0.as_str().into()
    }
}

impl Verify {
    fn value(&self, sandbox: &Sandbox) -> Value {
        let port = match self.at {
            MailServer::Sandbox => sandbox.smtp_port(),
            MailServer::Nowhere => NOWHERE,
        };
        Value::object([
            ("host", "localhost".into()),
            ("on_refresh", self.on_refresh.into()),
            ("port", port.into()),
            ("timeout", self.timeout.into()),
        ])
    }
}

/// A port on which nothing listens.
const NOWHERE: u16 = 1;

impl Policy {
    fn value(&self) -> Value {
        let length = self.length.map(|length| Number::from(i64::from(length)));
        Value::object([
            ("length", length.into()),
            ("special", self.special.into()),
            ("special_characters", self.special_characters.into()),
        ])
    }
}

/// Valid arguments for one vendor, or now and then for another.
pub fn arguments(main: &'static Model) -> impl Strategy<Value = Arguments> {
    let vendor = prop_oneof![
        12 => Just(main),
        1 => prop::sample::select(VENDORS),
    ];
    let which = prop_oneof![6 => Just(Which::First), 1 => Just(Which::Second)];
    let target_known = prop_oneof![16 => Just(Known::Wholly), 1 => Just(Known::ButOneField), 1 => Just(Known::Not)];
    let mode = prop::sample::select(vec!["replace", "in_place", "in_place"]);
    let host = prop::sample::select(vec!["mail.example.com", "127.0.0.1", "::1", "xn--bcher-kva.example"]);
    let port = prop::sample::select(vec![25_u16, 465, 587, 65535]);
    let timeout = prop::sample::select(vec!["90s", "1h"]);
    let rotate_after = prop::sample::select(vec!["1h", "1h", "90d"]);
    let external = prop::sample::select(vec!["warn", "rotate", "rotate", "ignore"]);
    let first = (vendor, which, target_known, given(text()), given(mode), given(policy()));
    let second = (given(own()), given(text()), given(host), given(port), given(timeout));
    let third = (given(rotate_after), given(external), (option::weighted(0.25, verify()), prop::bool::weighted(0.1)));
    (first, second, third).prop_map(
        |(
            (vendor, which, target_known, trigger, mode, policy),
            (own, own_version, host, port, timeout),
            (rotate_after, on_external_change, (value, late)),
        )| {
            let target = vendor.target(which);
            let verify = Given { value: value.filter(|_| own.value.as_ref().is_none_or(Text::is_plain)), late };
            let bare = Arguments { target_known, trigger, mode, host, port, timeout, ..Arguments::bare(target) };
            let bare = Arguments { rotate_after, on_external_change, verify, ..bare };
            // What does not go together is an error at validate, and no matter of this program; what turns out null
            // goes with all.
            match own.value {
                _ if !target.vendor.takes_passwords => {
                    Arguments { policy: policy.null(), own: own.null(), own_version: own_version.null(), ..bare }
                }
                Some(_) => Arguments { policy: policy.null(), own, own_version, ..bare },
                None => Arguments { policy, own, own_version: own_version.null(), ..bare },
            }
        },
    )
}

/// A text of few, so that changes and returns are frequent, or of any kind.
fn text() -> impl Strategy<Value = Text> {
    let long = prop_oneof![Just("x"), Just("\u{1f4e7}é"), Just("\"\\\u{0}\n")];
    prop_oneof![
        8 => prop::sample::select(vec!["", "one", "two"]).prop_map(|text| Text(text.to_owned())),
        3 => any::<String>().prop_map(Text),
        1 => long.prop_map(|part| Text(part.repeat((64 << 10) / part.len()))),
    ]
}

fn verify() -> impl Strategy<Value = Verify> {
    (any::<bool>(), prop::sample::select(vec!["1s", "20s"])).prop_map(|(on_refresh, timeout)| Verify {
        at: MailServer::Sandbox,
        on_refresh,
        timeout,
    })
}

fn own() -> impl Strategy<Value = Text> {
    // A control character is an error at validate.
    let text = text().prop_map(|text| Text(text.0.replace(char::is_control, "")));
    text.prop_filter("an empty password is refused", |text| !text.0.is_empty())
}

fn policy() -> impl Strategy<Value = Policy> {
    let length = option::of(prop::sample::select(vec![12_u16, 32, 128]));
    // The second is the default, in another order and with doubles.
    let characters = option::of(prop::sample::select(vec!["+", "*!~.__-"]));
    (length, option::of(any::<bool>()), characters).prop_map(|(length, special, special_characters)| Policy {
        length,
        special,
        special_characters,
    })
}

fn given<T: fmt::Debug>(value: impl Strategy<Value = T>) -> impl Strategy<Value = Given<T>> {
    (option::of(value), prop::bool::weighted(0.1)).prop_map(|(value, late)| Given { value, late })
}

//! What goes wrong between provider and vendor, and what core does in the middle.

use std::time::Duration;

use proptest::prelude::*;
use sandbox::{
    self, Effect, KirimEmail, Operation, Sandbox, SmtpEffect, SmtpFault, Stage,
    core::vendors::{self, Target},
};

/// A fault of some of a vendor's answers.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    /// Which calls suffer; by default all.
    on: Option<Operation>,
    trouble: Trouble,
    /// Whether the vendor has acted before; otherwise it does nothing.
    acts: bool,
    /// How many of these calls are spared first.
    spared: usize,
    times: usize,
}

#[derive(Clone, Debug)]
enum Trouble {
    Close,
    /// KIRIM.EMAIL's `success: false`.
    Denial,
    Empty,
    /// Lists that are in the vendors' own format and hold nothing, or somebody else's credential alone.
    Lists(&'static str),
    Html,
    Late,
    /// The mail server turns everybody away.
    MailBusy,
    /// The mail server refuses a login.
    MailRefusal,
    Page(u16),
    Redirect(u16),
    Slow,
    Status(u16),
    TcpReset,
    Throttled(&'static str),
    Truncated,
}

/// What core does when a call is stalled in the middle.
#[derive(Clone, Debug)]
pub(crate) struct Interruption {
    /// The call that is stalled; the vendor has acted by then.
    pub(crate) during: Operation,
    pub(crate) by: Act,
}

/// How core interrupts.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Act {
    /// It hangs up, and the provider is asked to end.
    HangUp,
    /// It asks the provider to stop.
    Stop,
    /// The provider is killed.
    Kill,
    /// The provider is asked to end (SIGTERM).
    Terminate,
}

impl Fault {
    /// A status in answer to a reset, of which nothing comes, after so many resets that go well.
    pub(crate) fn of_reset(status: u16, spared: usize) -> Self {
        Self { on: Some(Operation::Reset), trouble: Trouble::Status(status), acts: false, spared, times: 1 }
    }

    /// A 500 in answer to a reset, which has happened or not.
    pub(crate) fn loses_response(acts: bool) -> Self {
        Self { acts, ..Self::of_reset(500, 0) }
    }

    /// Lets it happen.
    pub(crate) fn happen(&self, sandbox: &Sandbox) {
        match self.trouble {
            Trouble::MailBusy => sandbox.smtp_fault(SmtpFault::reply(Stage::Banner, "554 5.3.2 No service").always()),
            Trouble::MailRefusal => {
                sandbox.smtp_fault(SmtpFault::new(Stage::Auth, SmtpEffect::Reply("535 5.7.8 No".to_owned())));
            }
            Trouble::Denial => {
                for user_name in vendors::targets().filter(|it| it.vendor == KirimEmail::MODEL).map(Target::account) {
                    let denial = sandbox::Fault::body(r#"{"success":false,"message":"Not now"}"#).of(user_name);
                    sandbox.fault(denial.before().on(Operation::Reset).times(self.times));
                }
            }
            _ => {
                if let (Some(operation), 1..) = (self.on, self.spared) {
                    let nothing = sandbox::Fault::new(Effect::Delay(Duration::ZERO)).before();
                    sandbox.fault(nothing.on(operation).times(self.spared));
                }
                sandbox.fault(self.in_sandbox());
            }
        }
    }

    /// Whether it is one of the mail server.
    pub(crate) fn is_of_mail(&self) -> bool {
        matches!(self.trouble, Trouble::MailBusy | Trouble::MailRefusal)
    }

    /// Whether the mail server turns everybody away.
    pub(crate) fn is_mail_busy(&self) -> bool {
        matches!(self.trouble, Trouble::MailBusy)
    }

    /// The sandbox's words for it.
    fn in_sandbox(&self) -> sandbox::Fault {
        let fault = match &self.trouble {
            Trouble::Close => sandbox::Fault::new(Effect::Close),
            Trouble::Denial | Trouble::MailBusy | Trouble::MailRefusal => unreachable!("these are not of one call"),
            Trouble::Empty => sandbox::Fault::body(""),
            Trouble::Lists(list) => sandbox::Fault::body(*list),
            Trouble::Html => sandbox::Fault::body("<html>"),
            Trouble::Late => sandbox::Fault::new(Effect::HeadThenStall),
            Trouble::Page(status) => sandbox::Fault::page(*status),
            Trouble::Redirect(status) => {
                sandbox::Fault::new(Effect::Redirect { status: *status, location: "/elsewhere".to_owned() })
            }
            Trouble::Slow => sandbox::Fault::new(Effect::Delay(Duration::from_millis(15))),
            Trouble::Status(status) => sandbox::Fault::status(*status),
            Trouble::TcpReset => sandbox::Fault::new(Effect::TcpReset),
            Trouble::Throttled(wait) => sandbox::Fault::status_with_header(429, "Retry-After", wait),
            Trouble::Truncated => sandbox::Fault::new(Effect::Truncate(5)),
        };
        let fault = if self.acts { fault } else { fault.before() };
        let fault = fault.times(self.times);
        match self.on {
            Some(operation) => fault.on(operation),
            None => fault,
        }
    }

    /// Whether nobody answers in time, so that a short time must do.
    pub(crate) fn takes_for_ever(&self) -> bool {
        matches!(self.trouble, Trouble::Late)
    }
}

/// Lists without the credentials of the walk: for one vendor each, and of no known format for the others.
const LISTS: [&str; 6] = [
    "[]",
    r#"[{"userName":"another@62515.smtp.hubspot.net","deleted":false,"createdAt":1}]"#,
    r#"[{"id":"another","is_active":true,"key":"another","name":"another"}]"#,
    r#"{"success":true,"data":[],"emailAccounts":[]}"#,
    r#"{"success":true,"data":[{"user_smtp_guid":"another","username":"another"}]}"#,
    r#"{"emailAccounts":[{"id":"mail_another","email":"another@example.com"}]}"#,
];

pub(crate) fn faults() -> impl Strategy<Value = Fault> {
    let on = prop_oneof![
        5 => Just(Some(Operation::Reset)),
        2 => Just(None),
        1 => Just(Some(Operation::List)),
        1 => Just(Some(Operation::Account)),
        1 => Just(Some(Operation::Revoke)),
        1 => Just(Some(Operation::Oauth)),
    ];
    let trouble = prop_oneof![
        1 => Just(Trouble::Close),
        1 => Just(Trouble::Denial),
        1 => Just(Trouble::Empty),
        2 => prop::sample::select(LISTS.to_vec()).prop_map(Trouble::Lists),
        1 => Just(Trouble::Html),
        1 => Just(Trouble::Late),
        1 => Just(Trouble::MailBusy),
        1 => Just(Trouble::MailRefusal),
        1 => prop::sample::select(vec![200, 403, 404, 503]).prop_map(Trouble::Page),
        1 => prop::sample::select(vec![301, 303, 307]).prop_map(Trouble::Redirect),
        1 => Just(Trouble::Slow),
        1 => prop::sample::select(vec![400, 401, 403, 404, 408, 409, 422, 423, 500, 502, 503]).prop_map(Trouble::Status),
        1 => Just(Trouble::TcpReset),
        1 => prop::sample::select(vec!["0", "99999", "-1", "soon"]).prop_map(Trouble::Throttled),
        1 => Just(Trouble::Truncated),
    ];
    let times = prop_oneof![4 => Just(1_usize), 1 => Just(2)];
    let spared = prop_oneof![3 => Just(0_usize), 1 => Just(1)];
    (on, trouble, any::<bool>(), spared, times).prop_map(|(on, trouble, acts, spared, times)| {
        // No provider can see through a vendor that lies: a refusal means that it has not acted, and a 2xx that it has.
        // And only a vendor that has no such credential says so of one that it lists.
        let (on, times) = match trouble {
            // One that lies twice is believed where it has no call about a single credential.
            Trouble::Lists(_) => (Some(Operation::List), 1),
            _ => (on, times),
        };
        let trouble = match (trouble, on) {
            (Trouble::Status(404), None | Some(Operation::Account | Operation::List)) => Trouble::Status(403),
            (trouble, _) => trouble,
        };
        let agrees = matches!(
            trouble,
            Trouble::Empty
                | Trouble::Lists(_)
                | Trouble::Html
                | Trouble::Late
                | Trouble::Page(200)
                | Trouble::Truncated
        );
        let refuses = match trouble {
            Trouble::Page(status) | Trouble::Status(status) => (400..500).contains(&status) && status != 408,
            Trouble::Redirect(status) => status == 307,
            Trouble::Throttled(_) => true,
            _ => false,
        };
        Fault { on, acts: agrees || (acts && !refuses), trouble, spared, times }
    })
}

pub(crate) fn interruptions() -> impl Strategy<Value = Interruption> {
    let during = prop_oneof![
        5 => Just(Operation::Reset),
        1 => Just(Operation::List),
        1 => Just(Operation::Account),
        1 => Just(Operation::Revoke),
    ];
    let by = prop_oneof![Just(Act::HangUp), Just(Act::Kill), Just(Act::Stop), Just(Act::Terminate)];
    (during, by).prop_map(|(during, by)| Interruption { during, by })
}

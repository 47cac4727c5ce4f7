//! What others do at a vendor in the middle of a client's call.

use std::{collections::VecDeque, sync::Mutex};

use super::{faults::Moment, lock, vendor::Operation, vendors::Vendors};

/// Something that somebody else does at an exact moment: when the last of its steps is reached, each after the one
/// before it.
///
/// The client's call goes on when it is done, with whatever it finds then. Nothing waits, so the order is always the
/// same.
pub struct Intrusion {
    steps: VecDeque<Step>,
    act: Act,
}

/// A moment of a run.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Step {
    /// Which call it is; nothing for a login at the mail server.
    pub call: Option<Operation>,
    /// Whose: calls that do not say so are anybody's. Without a name, everybody's.
    pub user_name: Option<String>,
    /// Before the vendor or the mail server acts and before any fault, or when it has acted and has not answered yet.
    pub moment: Moment,
}

type Act = Box<dyn FnOnce(&Vendors) + Send>;

impl Intrusion {
    /// Does this when these steps have been reached one after the other.
    pub fn new(steps: impl IntoIterator<Item = Step>, act: impl FnOnce(&Vendors) + Send + 'static) -> Self {
        Self { steps: steps.into_iter().collect(), act: Box::new(act) }
    }
}

impl Step {
    fn is(&self, call: Option<Operation>, user_name: Option<&str>, moment: Moment) -> bool {
        let is_theirs = self.user_name.is_none() || user_name.is_none() || self.user_name.as_deref() == user_name;
        self.call == call && self.moment == moment && is_theirs
    }
}

/// What others are still to do.
#[derive(Default)]
pub(crate) struct Others(Mutex<Vec<Intrusion>>);

impl Others {
    /// Adds something to do.
    pub(crate) fn add(&self, intrusion: Intrusion) {
        lock(&self.0).push(intrusion);
    }

    /// Lets nobody do anything any more.
    pub(crate) fn clear(&self) {
        lock(&self.0).clear();
    }

    /// Called when a moment has come; lets others do what they do at it.
    pub(crate) fn at(&self, call: Option<Operation>, user_name: Option<&str>, moment: Moment, vendors: &Vendors) {
        let reached: Vec<_> = {
            let mut waiting = lock(&self.0);
            for intrusion in waiting.iter_mut() {
                intrusion.steps.pop_front_if(|step| step.is(call, user_name, moment));
            }
            waiting.extract_if(.., |intrusion| intrusion.steps.is_empty()).collect()
        };
        for intrusion in reached {
            (intrusion.act)(vendors);
        }
    }
}

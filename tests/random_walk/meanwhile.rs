//! What somebody else does in the middle of a run, at an exact moment of it.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use proptest::prelude::*;
use sandbox::{Intrusion, Moment, Operation, Step, Vendors, core::vendors::Target};

use crate::world::World;

/// What somebody else does while the resources of a run are reset.
#[derive(Clone, Debug)]
pub(crate) struct Meanwhile {
    /// The resource of the run whose reset they come across.
    pub(crate) during: usize,
    /// The resource of the run whose credential they touch.
    pub(crate) of: usize,
    pub(crate) when: When,
    pub(crate) deed: Deed,
}

/// A moment of a reset.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum When {
    /// All is checked, and the reset has not reached the vendor.
    BeforeReset,
    /// The vendor has reset it, and has not answered.
    BeforeResponse,
    /// The vendor is asked what became of the reset.
    BeforeLookBack,
    /// The new password is on its way to the mail server; or the previous one, where the response was lost.
    BeforeLogin,
    /// The mail server has looked at it.
    AfterLogin,
    /// The new credential is stored, and the previous one is about to be revoked.
    BeforeRevocation,
}

/// What somebody does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Deed {
    /// They reset the password; at SMTPD they revoke the newest key of that name.
    Reset,
    /// They delete the credential; at SMTPD as above.
    Delete,
    /// They make another credential in the account; at SMTPD one of the same name.
    Make,
    /// They make the provider's token worthless. At SMTPD that is the end of the walk, so there they do nothing.
    Revoke,
}

/// What somebody has done.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) target: Target,
    pub(crate) when: When,
    pub(crate) deed: Deed,
    /// How many resets the vendor had seen by then, those of others included.
    pub(crate) resets: usize,
    /// Whether the credential was there.
    was_there: bool,
    /// The password that it was the end of.
    pub(crate) ended: Option<String>,
    /// The API key that they made.
    pub(crate) key: Option<String>,
    /// The user names with which somebody had logged in by then.
    logged_in: BTreeSet<String>,
}

impl Meanwhile {
    /// Has it done when the moment comes. What was done is stored then.
    pub(crate) fn begin(&self, world: &World, targets: &[Target]) -> Arc<Mutex<Option<Done>>> {
        let done = Arc::<Mutex<Option<Done>>>::default();
        if !targets.is_empty() {
            let shared = Arc::clone(&done);
            let [during, of] = [self.during, self.of].map(|index| targets[index % targets.len()]);
            let (when, deed) = (self.when, self.deed);
            let logins = world.sandbox.login_reader();
            let act = move |vendors: &Vendors| {
                let done = deed.done(vendors, of, when);
                let accepted = logins().into_iter().filter(|login| login.accepted);
                let logged_in = accepted.map(|login| login.username).collect();
                *shared.lock().unwrap() = Some(Done { logged_in, ..done });
            };
            world.sandbox.intrude(Intrusion::new(when.steps(during), act));
        }
        done
    }
}

impl When {
    /// Whether a password that works until then may have logged in.
    fn is_after_login(self) -> bool {
        matches!(self, Self::AfterLogin | Self::BeforeRevocation)
    }

    /// Whether there is such a moment only where a password is tried.
    pub(crate) fn is_of_login(self) -> bool {
        matches!(self, Self::BeforeLogin | Self::AfterLogin)
    }

    fn steps(self, target: Target) -> Vec<Step> {
        let step = |call: Option<Operation>, moment| {
            // Who logs in at SMTPD is not known before there is a key.
            let is_named = call.is_some() || !target.vendor.makes_successors;
            Step { call, user_name: is_named.then(|| target.account().to_owned()), moment }
        };
        let asked = if target.vendor.makes_successors { Operation::List } else { Operation::Get };
        let reset = |moment| step(Some(Operation::Reset), moment);
        match self {
            Self::BeforeReset => vec![reset(Moment::Before)],
            Self::BeforeResponse => vec![reset(Moment::After)],
            Self::BeforeLookBack => vec![reset(Moment::Before), step(Some(asked), Moment::Before)],
            Self::BeforeLogin => vec![reset(Moment::Before), step(None, Moment::Before)],
            Self::AfterLogin => vec![reset(Moment::Before), step(None, Moment::After)],
            Self::BeforeRevocation => vec![reset(Moment::Before), step(Some(Operation::Revoke), Moment::Before)],
        }
    }
}

impl Deed {
    fn done(self, vendors: &Vendors, target: Target, when: When) -> Done {
        let account = target.account();
        let vendor = vendors.get(target.vendor);
        let (live, resets) = (vendor.password(account), vendor.resets(account));
        let mut done = Done {
            target,
            when,
            deed: self,
            resets,
            was_there: live.is_some(),
            ended: None,
            key: None,
            logged_in: BTreeSet::new(),
        };
        match self {
            Self::Reset => vendor.reset_elsewhere(account),
            Self::Delete => vendor.delete(account),
            Self::Make => done.key = vendor.add_stranger(account),
            Self::Revoke => vendor.revoke_token(),
        }
        done.ended = live.filter(|_| self.ends());
        done
    }

    /// Whether it is the end of a password.
    pub(crate) fn ends(self) -> bool {
        matches!(self, Self::Reset | Self::Delete)
    }
}

impl Done {
    /// Whether it is another reset of this credential, which its vendor counts.
    pub(crate) fn is_reset_of(&self, target: Target) -> bool {
        self.deed == Deed::Reset && self.target == target && self.was_there && !target.vendor.makes_successors
    }

    /// Whether the password that it was the end of may have logged in before, as this user.
    pub(crate) fn is_after_login_of(&self, user_name: &str) -> bool {
        // A list is anybody's, so at a vendor with new credentials the moment may have come at the look-back of another
        // resource. There, each password has a user name of its own.
        self.when.is_after_login() || self.target.vendor.makes_successors && self.logged_in.contains(user_name)
    }

    /// Whether it keeps a reset of this credential from working.
    pub(crate) fn prevents(&self, target: Target) -> bool {
        match self.deed {
            Deed::Delete => self.target == target && !target.vendor.makes_successors,
            Deed::Revoke => self.target.vendor == target.vendor && target.vendor.restores_tokens,
            Deed::Make | Deed::Reset => false,
        }
    }
}

pub(crate) fn meanwhile() -> impl Strategy<Value = Meanwhile> {
    let when = prop_oneof![
        3 => Just(When::BeforeReset),
        3 => Just(When::BeforeResponse),
        3 => Just(When::BeforeLookBack),
        2 => Just(When::BeforeLogin),
        1 => Just(When::AfterLogin),
        1 => Just(When::BeforeRevocation),
    ];
    let deed =
        prop_oneof![5 => Just(Deed::Reset), 2 => Just(Deed::Delete), 2 => Just(Deed::Make), 1 => Just(Deed::Revoke)];
    // Mostly the credential that is just being reset.
    let of = prop_oneof![3 => Just(0_usize), 1 => 1..3_usize];
    (0..3_usize, of, when, deed).prop_map(|(during, more, when, deed)| Meanwhile {
        during,
        of: during + more,
        when,
        deed,
    })
}

//! The credentials that the sandbox has, and what it reports about them.

use terraform_provider_smtp::framework::value::Value;

use crate::{Example, Model, Sandbox, UnderTest, VENDORS};

/// A credential as a configuration names it; two of each vendor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Target {
    /// The vendor that has it.
    pub vendor: &'static Model,
    which: Which,
}

/// Which of two.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Which {
    First,
    Second,
}

impl Model {
    /// The credentials of this vendor.
    pub fn targets(&'static self) -> [Target; 2] {
        [Which::First, Which::Second].map(|which| self.target(which))
    }

    /// One of them.
    pub fn target(&'static self, which: Which) -> Target {
        Target { vendor: self, which }
    }

    /// The first of them.
    pub fn first(&'static self) -> Target {
        self.target(Which::First)
    }
}

impl Target {
    fn example(self) -> &'static Example {
        &self.vendor.examples[self.which as usize]
    }

    /// The argument's fields.
    pub fn fields(self) -> &'static [(&'static str, &'static str)] {
        self.example().fields
    }

    /// The `id` that the contract gives it.
    pub fn id(self) -> String {
        let named_by = if self.vendor.makes_successors { 1 } else { 2 };
        let fields = self.fields().iter().map(|(_, text)| *text).take(named_by);
        std::iter::once(self.vendor.name).chain(fields).collect::<Vec<_>>().join("/")
    }

    /// The id to import it by; at a vendor that makes a credential with every reset there has to be one first.
    pub fn import_id(self, sandbox: &Sandbox) -> String {
        let made = self.vendor.makes_successors.then(|| self.at(sandbox).add(self.account())).flatten();
        made.map_or_else(|| self.id(), |id| format!("{}/{id}", self.vendor.name))
    }

    /// What the sandbox counts its resets by: who logs in, or at SMTPD the name of its API keys.
    pub fn account(self) -> &'static str {
        self.example().name
    }

    /// Who logs in, and the current password.
    pub fn login(self, sandbox: &Sandbox) -> (String, String) {
        let vendor = self.at(sandbox);
        (vendor.username(self.account()).unwrap(), vendor.password(self.account()).unwrap())
    }

    /// Somebody else resets the password; at a vendor that makes another credential with every reset they revoke the
    /// newest.
    pub fn reset_elsewhere(self, sandbox: &Sandbox) {
        self.at(sandbox).reset_elsewhere(self.account());
    }

    /// How many resets its vendor has seen.
    pub fn resets(self, sandbox: &Sandbox) -> usize {
        self.at(sandbox).resets(self.account())
    }

    fn at(self, sandbox: &Sandbox) -> &dyn UnderTest {
        self.vendor.at(sandbox)
    }
}

/// A sandbox with all these credentials.
pub fn sandbox() -> Sandbox {
    let sandbox = Sandbox::start();
    sandbox.hostup().refuse_passwords(|_| None);
    for target in targets().filter(|target| !target.vendor.makes_successors) {
        target.at(&sandbox).add(target.account());
    }
    sandbox
}

/// Lets the vendors that make passwords make this one next.
pub fn next_password(sandbox: &Sandbox, password: &str) {
    for target in targets().filter(|target| target.vendor.makes_passwords()) {
        target.at(sandbox).next_password(target.account(), password);
    }
}

/// Every credential there is.
pub fn targets() -> impl Iterator<Item = Target> {
    VENDORS.iter().flat_map(|vendor| vendor.targets())
}

/// How many resets all vendors together have seen.
pub fn resets(sandbox: &Sandbox) -> usize {
    targets().map(|target| target.resets(sandbox)).sum()
}

/// The ids of the credentials that resets have made, as far as they may still be used.
pub fn successors(sandbox: &Sandbox) -> Vec<String> {
    VENDORS.iter().flat_map(|vendor| vendor.at(sandbox).successors()).collect()
}

/// The argument of a vendor that is not known yet.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Known {
    /// All of it is known.
    Wholly,
    /// One field of it is not.
    ButOneField,
    /// Nothing is.
    Not,
}

/// The value of the vendor's argument.
pub fn argument(target: Target, known: Known) -> Value {
    if known == Known::Not {
        return Value::Unknown;
    }
    let mut fields: Vec<(_, Value)> = target.fields().iter().map(|(name, text)| (*name, (*text).into())).collect();
    if known == Known::ButOneField {
        fields[0].1 = Value::Unknown;
    }
    Value::object(fields)
}

//! What vendors share whose resets give a credential another password, and nothing else.

use std::sync::{Arc, Mutex};

use super::{
    accounts::Accounts,
    lock,
    model::{Model, UnderTest},
};

/// An imitated vendor, with one account that the sandbox has opened.
pub struct Imitation<B> {
    pub(crate) accounts: Arc<Accounts>,
    /// What the sandbox's own account logs in with.
    pub(crate) token: String,
    pub(crate) book: Mutex<B>,
}

/// What a vendor knows.
pub trait Book: Sized {
    /// A credential as it is recorded.
    type Credential: Credential;

    /// What tests know of the vendor.
    const MODEL: &'static Model;

    /// All of them.
    fn credentials(&mut self) -> &mut Vec<Self::Credential>;

    /// Adds a credential at the sandbox's own account.
    fn add(vendor: &Imitation<Self>, name: &str);

    /// Lets a token in that may do everything at the sandbox's own account.
    fn admit(&mut self, token: &str);

    /// Makes a token worthless.
    fn revoke(&mut self, token: &str);
}

/// A credential at a vendor.
pub trait Credential {
    /// Who logs in.
    fn user_name(&self) -> &str;

    /// Lets the responses to resets name another user.
    fn answer_as(&mut self, other_name: &str);

    /// Notes that its password was changed, at a vendor that shows that.
    fn touch(&mut self) {}

    /// Lets so many reads after each change show it as it was before, and, if `answers`, the responses to resets too.
    fn show_late(&mut self, _reads: usize, _answers: bool) {}
}

impl<B: Book> Imitation<B> {
    /// What tests know of it.
    pub const MODEL: &'static Model = B::MODEL;

    pub(crate) fn with(accounts: Arc<Accounts>, token: String, book: B) -> Self {
        Self { accounts, token, book: Mutex::new(book) }
    }

    /// The current password, whether or not the mail server knows it.
    pub fn password(&self, user_name: &str) -> Option<String> {
        self.accounts.password(user_name)
    }

    /// How many resets there have been.
    pub fn resets(&self, user_name: &str) -> usize {
        self.accounts.resets(user_name)
    }

    /// Scripts the password that a later reset makes, where the vendor makes them; several are used up in their order.
    pub fn next_password(&self, user_name: &str, password: &str) {
        self.accounts.script(user_name, password);
    }

    /// Resets a password as somebody else would who is logged in at the vendor. Returns it.
    pub fn reset_elsewhere(&self, user_name: &str) -> Option<String> {
        self.change(user_name, Credential::touch);
        self.accounts.reset(user_name)
    }

    /// Lets the responses to resets name another user.
    pub fn answer_as(&self, user_name: &str, other_name: &str) {
        self.change(user_name, |credential| credential.answer_as(other_name));
    }

    /// Removes a credential from every list.
    pub fn remove(&self, user_name: &str) {
        lock(&self.book).credentials().retain(|credential| credential.user_name() != user_name);
        self.accounts.close(user_name);
    }

    pub(crate) fn change(&self, user_name: &str, change: impl Fn(&mut B::Credential)) {
        lock(&self.book).credentials().iter_mut().filter(|found| found.user_name() == user_name).for_each(change);
    }
}

impl<B: Book> UnderTest for Imitation<B> {
    fn model(&self) -> &'static Model {
        B::MODEL
    }

    fn add(&self, name: &str) -> Option<String> {
        B::add(self, name);
        None
    }

    fn username(&self, name: &str) -> Option<String> {
        Some(name.to_owned())
    }

    fn password(&self, name: &str) -> Option<String> {
        Self::password(self, name)
    }

    fn resets(&self, name: &str) -> usize {
        Self::resets(self, name)
    }

    fn next_password(&self, name: &str, password: &str) {
        Self::next_password(self, name, password);
    }

    fn answer_as(&self, name: &str, other: &str) -> Option<()> {
        Self::answer_as(self, name, other);
        Some(())
    }

    fn reset_elsewhere(&self, name: &str) {
        Self::reset_elsewhere(self, name);
    }

    fn delete(&self, name: &str) {
        self.remove(name);
    }

    fn show_late(&self, name: &str, reads: usize, answers: bool) {
        self.change(name, |credential| credential.show_late(reads, answers));
    }

    fn token(&self) -> &str {
        &self.token
    }

    fn revoke_token(&self) {
        lock(&self.book).revoke(&self.token);
    }

    fn restore_token(&self) {
        lock(&self.book).admit(&self.token);
    }
}

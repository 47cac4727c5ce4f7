//! What vendors share whose resets give a credential another password, and nothing else.

use std::sync::{Arc, Mutex};

use super::{accounts::Accounts, lock};

/// An imitated vendor, with one account that the sandbox has opened.
pub struct Imitation<B> {
    pub(crate) accounts: Arc<Accounts>,
    /// What the sandbox's own account logs in with.
    pub(crate) token: String,
    pub(crate) book: Mutex<B>,
}

/// What a vendor knows.
pub trait Book {
    /// A credential as it is written down.
    type Credential: Credential;

    /// All of them.
    fn credentials(&mut self) -> &mut Vec<Self::Credential>;
}

/// A credential at a vendor.
pub trait Credential {
    /// Who logs in.
    fn user_name(&self) -> &str;

    /// Lets the responses to resets name another user.
    fn answer_as(&mut self, other_name: &str);
}

impl<B: Book> Imitation<B> {
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

//! The SMTP accounts of all vendors: who may log in, and with which password at this moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use super::{lock, random};

/// The accounts by user name, which is unique over all vendors. A vendor resets their passwords, the SMTP server checks them.
#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, Account>>);

#[derive(Default)]
struct Account {
    password: Option<String>,
    /// What the mail server still goes by, where it has not heard of the last reset.
    outdated: Option<String>,
    scripted: VecDeque<String>,
    resets: usize,
}

impl Accounts {
    /// Opens an account, or opens it anew, and tells its first password.
    pub fn open(&self, user_name: &str) -> String {
        let password = new_password();
        self.open_with(user_name, &password);
        password
    }

    /// Opens an account, or opens it anew, with this password.
    pub fn open_with(&self, user_name: &str, password: &str) {
        let account = Account { password: Some(password.to_owned()), ..Account::default() };
        lock(&self.0).insert(user_name.to_owned(), account);
    }

    /// Makes a new password, which is the only one from here on; nothing where the account is closed or was never open.
    pub fn reset(&self, user_name: &str) -> Option<String> {
        self.change(user_name, |account| account.scripted.pop_front().unwrap_or_else(new_password))
    }

    /// Makes this the only password; nothing where the account is closed or was never open.
    pub fn set(&self, user_name: &str, password: &str) -> Option<String> {
        self.change(user_name, |_| password.to_owned())
    }

    fn change(&self, user_name: &str, password: impl FnOnce(&mut Account) -> String) -> Option<String> {
        let mut accounts = lock(&self.0);
        let account = accounts.get_mut(user_name).filter(|account| account.password.is_some())?;
        account.resets += 1;
        account.password = Some(password(account));
        account.password.clone()
    }

    /// Lets the mail server go on with the present password, whatever becomes of it, until it catches up.
    pub fn fall_behind(&self, user_name: &str) {
        if let Some(account) = lock(&self.0).get_mut(user_name)
            && account.outdated.is_none()
        {
            account.outdated = account.password.clone();
        }
    }

    /// Lets the mail server know the current password.
    pub fn catch_up(&self, user_name: &str) {
        if let Some(account) = lock(&self.0).get_mut(user_name) {
            account.outdated = None;
        }
    }

    /// Closes an account: nobody logs in with it any more.
    pub fn close(&self, user_name: &str) {
        if let Some(account) = lock(&self.0).get_mut(user_name) {
            account.password = None;
            account.outdated = None;
        }
    }

    /// Scripts the password that a later reset makes; several are used up in their order.
    pub fn script(&self, user_name: &str, password: &str) {
        lock(&self.0).entry(user_name.to_owned()).or_default().scripted.push_back(password.to_owned());
    }

    /// The current password.
    pub fn password(&self, user_name: &str) -> Option<String> {
        lock(&self.0).get(user_name)?.password.clone()
    }

    /// How many resets there have been since the account was opened.
    pub fn resets(&self, user_name: &str) -> usize {
        lock(&self.0).get(user_name).map_or(0, |account| account.resets)
    }

    /// Tells whether the mail server lets this password in.
    pub fn accepts(&self, user_name: &str, password: &str) -> bool {
        let accounts = lock(&self.0);
        let current =
            accounts.get(user_name).and_then(|account| account.outdated.as_ref().or(account.password.as_ref()));
        current.is_some_and(|current| current == password)
    }
}

/// As long as those that vendors make.
fn new_password() -> String {
    random::alphanumeric(30)
}

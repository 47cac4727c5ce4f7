//! The SMTP accounts of all vendors: who may log in, and with which password at this moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use super::{lock, random};

/// The accounts by user name. A vendor resets their passwords, the SMTP server checks them.
#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, Account>>);

#[derive(Default)]
struct Account {
    password: Option<String>,
    scripted: VecDeque<String>,
    resets: usize,
}

impl Accounts {
    /// Opens an account, or opens it anew, and tells its first password.
    pub fn open(&self, user_name: &str) -> String {
        let password = new_password();
        let account = Account { password: Some(password.clone()), ..Account::default() };
        lock(&self.0).insert(user_name.to_owned(), account);
        password
    }

    /// Makes a new password, which is the only one from here on; nothing where the account is closed or was never open.
    pub fn reset(&self, user_name: &str) -> Option<String> {
        let mut accounts = lock(&self.0);
        let account = accounts.get_mut(user_name).filter(|account| account.password.is_some())?;
        account.resets += 1;
        account.password = Some(account.scripted.pop_front().unwrap_or_else(new_password));
        account.password.clone()
    }

    /// Closes an account: nobody logs in with it any more.
    pub fn close(&self, user_name: &str) {
        if let Some(account) = lock(&self.0).get_mut(user_name) {
            account.password = None;
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

    /// Tells whether this is the account's current password.
    pub fn accepts(&self, user_name: &str, password: &str) -> bool {
        self.password(user_name).is_some_and(|current| current == password)
    }
}

/// As long as those that vendors make.
fn new_password() -> String {
    random::alphanumeric(30)
}

//! The SMTP accounts of all vendors: who may log in, and with which password at this moment.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::{Duration, Instant},
};

use serde::Deserialize;

use super::{lock, random};

/// The accounts by user name, which is unique over all vendors. A vendor resets their passwords, the SMTP server checks
/// them.
#[derive(Default)]
pub(crate) struct Accounts {
    accounts: Mutex<HashMap<String, Account>>,
    propagation: Mutex<Option<(Duration, Meanwhile)>>,
}

/// Which password the mail server goes by until it hears of a new one.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Meanwhile {
    /// None at all.
    NoPassword,
    /// The one before.
    OldPassword,
}

#[derive(Default)]
struct Account {
    password: Option<String>,
    /// What the mail server still goes by, where it has not heard of the last reset.
    outdated: Option<String>,
    /// What is between the last change and the mail server, where it hears of one later.
    under_way: Option<UnderWay>,
    scripted: VecDeque<String>,
    resets: usize,
}

/// A change that the mail server has yet to hear of.
struct UnderWay {
    /// Nothing stands for never.
    until: Option<Instant>,
    works: Option<String>,
}

impl Accounts {
    /// Opens an account, or opens it again, and returns its first password.
    pub(crate) fn open(&self, user_name: &str) -> String {
        let password = new_password();
        self.open_with(user_name, &password);
        password
    }

    /// Opens an account, or opens it again, with this password.
    pub(crate) fn open_with(&self, user_name: &str, password: &str) {
        let under_way = self.under_way(None);
        let account = Account { password: Some(password.to_owned()), under_way, ..Account::default() };
        lock(&self.accounts).insert(user_name.to_owned(), account);
    }

    /// Makes a new password, which is the only one from here on; nothing where the account is closed or was never open.
    pub(crate) fn reset(&self, user_name: &str) -> Option<String> {
        self.change(user_name, |account| account.scripted.pop_front().unwrap_or_else(new_password))
    }

    /// Makes this the only password; nothing where the account is closed or was never open.
    pub(crate) fn set(&self, user_name: &str, password: &str) -> Option<String> {
        self.change(user_name, |_| password.to_owned())
    }

    fn change(&self, user_name: &str, password: impl FnOnce(&mut Account) -> String) -> Option<String> {
        let mut accounts = lock(&self.accounts);
        let account = accounts.get_mut(user_name).filter(|account| account.password.is_some())?;
        account.resets += 1;
        account.under_way = self.under_way(account.effective());
        account.password = Some(password(account));
        account.password.clone()
    }

    fn under_way(&self, effective: Option<&str>) -> Option<UnderWay> {
        let (delay, meanwhile) = (*lock(&self.propagation))?;
        let works = effective.filter(|_| meanwhile == Meanwhile::OldPassword).map(str::to_owned);
        Some(UnderWay { until: Instant::now().checked_add(delay), works })
    }

    /// Lets the mail server hear of each new password from now on only after a while.
    pub(crate) fn propagate_after(&self, delay: Duration, meanwhile: Meanwhile) {
        *lock(&self.propagation) = Some((delay, meanwhile));
    }

    /// Lets the mail server hear at once of all new passwords, those before included.
    pub(crate) fn propagate_at_once(&self) {
        *lock(&self.propagation) = None;
        lock(&self.accounts).values_mut().for_each(|account| account.under_way = None);
    }

    /// Lets the mail server go on with the present password, whatever becomes of it, until it catches up.
    pub(crate) fn fall_behind(&self, user_name: &str) {
        if let Some(account) = lock(&self.accounts).get_mut(user_name)
            && account.outdated.is_none()
        {
            account.outdated = account.password.clone();
        }
    }

    /// Lets the mail server know the current password.
    pub(crate) fn catch_up(&self, user_name: &str) {
        if let Some(account) = lock(&self.accounts).get_mut(user_name) {
            account.outdated = None;
        }
    }

    /// Closes an account: nobody logs in with it any more.
    pub(crate) fn close(&self, user_name: &str) {
        if let Some(account) = lock(&self.accounts).get_mut(user_name) {
            account.password = None;
            account.outdated = None;
            account.under_way = None;
        }
    }

    /// Scripts the password that a later reset makes; several are used up in their order.
    pub(crate) fn script(&self, user_name: &str, password: &str) {
        lock(&self.accounts).entry(user_name.to_owned()).or_default().scripted.push_back(password.to_owned());
    }

    /// The current password.
    pub(crate) fn password(&self, user_name: &str) -> Option<String> {
        lock(&self.accounts).get(user_name)?.password.clone()
    }

    /// How many resets there have been since the account was opened.
    pub(crate) fn resets(&self, user_name: &str) -> usize {
        lock(&self.accounts).get(user_name).map_or(0, |account| account.resets)
    }

    /// Returns whether the mail server accepts this password.
    pub(crate) fn accepts(&self, user_name: &str, password: &str) -> bool {
        let accounts = lock(&self.accounts);
        accounts.get(user_name).and_then(Account::effective).is_some_and(|effective| effective == password)
    }
}

impl Account {
    /// The password that the mail server goes by.
    fn effective(&self) -> Option<&str> {
        let under_way = self.under_way.as_ref().filter(|change| change.until.is_none_or(|end| Instant::now() < end));
        match (&self.outdated, under_way) {
            (Some(outdated), _) => Some(outdated),
            (None, Some(change)) => change.works.as_deref(),
            (None, None) => self.password.as_deref(),
        }
    }
}

/// As long as those that vendors make.
fn new_password() -> String {
    random::alphanumeric(30)
}

//! What a vendor told, so that it is asked once in a process.

use std::{collections::BTreeMap, sync::Arc};

use tokio::sync::Mutex;

use crate::http::{Operation, Result};

/// Answers to one kind of question, by what was asked about, such as an account.
#[derive(Debug)]
pub(super) struct Told<T>(Mutex<BTreeMap<String, Arc<T>>>);

impl<T> Default for Told<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Told<T> {
    /// The answer about `key`, from `ask` where there is none yet. Whoever comes meanwhile waits for it; a failure is not kept.
    pub(super) async fn get(&self, op: &Operation, key: &str, ask: impl Future<Output = Result<T>>) -> Result<Arc<T>> {
        let mut told = op.wait(self.0.lock()).await?;
        if let Some(answer) = told.get(key) {
            return Ok(Arc::clone(answer));
        }
        let answer = Arc::new(ask.await?);
        told.insert(key.to_owned(), Arc::clone(&answer));
        Ok(answer)
    }

    /// The answer about `key` where there is one: nobody is asked.
    pub(super) async fn kept(&self, op: &Operation, key: &str) -> Result<Option<Arc<T>>> {
        Ok(op.wait(self.0.lock()).await?.get(key).cloned())
    }

    /// Forgets every answer, because what is about to be done makes them untrue.
    pub(super) async fn forget(&self, op: &Operation) -> Result<()> {
        op.wait(self.0.lock()).await?.clear();
        Ok(())
    }
}

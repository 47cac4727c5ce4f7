//! What a vendor told, so that it is asked once in a process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    http::{Error, Kind, Operation, Result},
    secret::{Name, Outside},
};

/// The most that is kept of what a vendor told, in bytes. What came first is forgotten first, and asked for again when needed.
const MOST_KEPT: usize = 12 * 1024 * 1024;

/// Answers to one kind of question, by what was asked about, such as an account.
#[derive(Debug)]
pub(super) struct Cache<T>(Mutex<BTreeMap<String, Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    /// When the question was asked.
    asked: Instant,
    /// An error is that of a list without end: it would be as long the next time.
    answer: Result<Arc<T>, Box<Error>>,
}

/// What has a size in memory.
pub(super) trait Weigh {
    /// About so many bytes.
    fn weight(&self) -> usize;
}

impl Weigh for Option<Name> {
    fn weight(&self) -> usize {
        self.as_ref().map_or(0, |name| name.len())
    }
}

impl Weigh for BTreeSet<Outside> {
    fn weight(&self) -> usize {
        self.iter().map(|text| size_of::<Outside>() + text.raw().len()).sum()
    }
}

impl<V: Weigh> Weigh for BTreeMap<Outside, V> {
    fn weight(&self) -> usize {
        self.iter().map(|(key, value)| size_of::<(Outside, V)>() + key.raw().len() + value.weight()).sum()
    }
}

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Weigh> Cache<T> {
    /// The answer about `key`, from `ask` where there is none yet. Whoever comes meanwhile waits for it; a failure is not kept.
    pub(super) async fn get_or_fetch(
        &self,
        op: &Operation,
        key: &str,
        ask: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        self.answer(op, key, None, ask).await
    }

    /// The answer to a question about `key` that was asked at `since` or later, from `ask` where there is none yet.
    pub(super) async fn get_or_fetch_since(
        &self,
        op: &Operation,
        key: &str,
        since: Instant,
        ask: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        self.answer(op, key, Some(since), ask).await
    }

    async fn answer(
        &self,
        op: &Operation,
        key: &str,
        since: Option<Instant>,
        ask: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        let mut told = op.wait(self.0.lock()).await?;
        if let Some(kept) = told.get(key)
            && since.is_none_or(|since| kept.asked >= since || kept.answer.is_err())
        {
            return kept.answer.clone().map_err(|error| *error);
        }
        let asked = Instant::now();
        let answer = match ask.await {
            Ok(answer) => Ok(Arc::new(answer)),
            Err(error) if error.kind == Kind::TooLarge => Err(Box::new(error)),
            Err(error) => return Err(error),
        };
        told.insert(key.to_owned(), Kept { asked, answer: answer.clone() });
        forget_the_oldest(&mut told);
        answer.map_err(|error| *error)
    }

    /// The answer about `key` where there is one: nobody is asked.
    pub(super) async fn kept(&self, op: &Operation, key: &str) -> Result<Option<Arc<T>>> {
        Ok(op.wait(self.0.lock()).await?.get(key).and_then(|kept| kept.answer.clone().ok()))
    }

    /// Forgets every answer, because what is about to be done makes them untrue.
    pub(super) async fn forget(&self, op: &Operation) -> Result<()> {
        op.wait(self.0.lock()).await?.clear();
        Ok(())
    }
}

/// Forgets until what is left is small enough, or is the newest answer alone.
fn forget_the_oldest<T: Weigh>(told: &mut BTreeMap<String, Kept<T>>) {
    let weight = |kept: &Kept<T>| kept.answer.as_ref().map_or(0, |answer| answer.weight());
    while told.len() > 1 && told.values().map(weight).sum::<usize>() > MOST_KEPT {
        let oldest = told.iter().min_by_key(|(_, kept)| kept.asked).map(|(key, _)| key.clone());
        oldest.and_then(|key| told.remove(&key));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::http::Outcome;

    struct Text(&'static str, usize);

    impl Weigh for Text {
        fn weight(&self) -> usize {
            self.1
        }
    }

    fn op() -> Operation {
        Operation::new(Duration::from_mins(1), CancellationToken::new())
    }

    fn text(result: Result<Arc<Text>>) -> &'static str {
        result.map_or("an error", |text| text.0)
    }

    #[tokio::test]
    async fn an_answer_serves_until_a_later_one_is_asked_for() {
        let (told, op) = (Cache::default(), op());
        let say = async |words| Ok(Text(words, 1));
        assert_eq!(text(told.get_or_fetch(&op, "a", say("first")).await), "first");
        assert_eq!(text(told.get_or_fetch(&op, "a", say("second")).await), "first");
        let now = Instant::now();
        assert_eq!(text(told.get_or_fetch_since(&op, "a", now, say("third")).await), "third");
        assert_eq!(
            text(told.get_or_fetch_since(&op, "a", now, say("fourth")).await),
            "third",
            "it is as new as asked for"
        );
        assert_eq!(text(told.get_or_fetch(&op, "b", say("another's")).await), "another's");
    }

    #[tokio::test]
    async fn a_list_without_end_is_not_read_again_and_any_other_failure_is() {
        let (told, op) = (Cache::default(), op());
        for (kind, expected) in [(Kind::Unavailable, "an answer"), (Kind::TooLarge, "an error")] {
            let fail = async { Err(Error::new(kind, Outcome::NotChanged, "", "a test")) };
            assert_eq!(text(told.get_or_fetch(&op, "a", fail).await), "an error");
            let say = async { Ok(Text("an answer", 1)) };
            assert_eq!(text(told.get_or_fetch_since(&op, "a", Instant::now(), say).await), expected);
            told.forget(&op).await.unwrap();
        }
    }

    #[tokio::test]
    async fn no_more_is_kept_than_memory_allows() {
        let (told, op) = (Cache::default(), op());
        for key in ["a", "b", "c"] {
            let _ = told.get_or_fetch(&op, key, async { Ok(Text("large", MOST_KEPT / 2)) }).await;
        }
        let _ = told.get_or_fetch(&op, "d", async { Ok(Text("larger", MOST_KEPT * 2)) }).await;
        let mut kept = Vec::new();
        for key in ["a", "b", "c", "d"] {
            kept.extend(told.kept(&op, key).await.unwrap().map(|_| key));
        }
        assert_eq!(kept, ["d"]);
    }
}

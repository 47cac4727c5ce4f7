//! Caches a vendor's responses, so each is fetched once per process.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use tokio::{sync::Mutex, time::Instant};

use crate::{
    http::{Error, Kind, Operation, Result},
    secret::{Name, Outside},
};

/// The maximum size of a cache, in bytes. The oldest entries are dropped first, and fetched again when needed.
const MOST_KEPT: usize = 12 * 1024 * 1024;

/// A cache of one kind of value, by key, such as an account.
#[derive(Debug)]
pub(super) struct Cache<T>(Mutex<BTreeMap<String, Kept<T>>>);

#[derive(Debug)]
struct Kept<T> {
    /// When the request was sent.
    asked: Instant,
    /// Errors are only kept for endless lists, which would be as long the next time.
    answer: Result<Arc<T>, Box<Error>>,
}

/// A value with a size in memory.
pub(super) trait Weigh {
    /// Returns the approximate size in bytes.
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
    /// Returns the value for `key`, fetched with `ask` if it is not cached. Concurrent callers wait for the same fetch.
    /// Failures are not cached.
    pub(super) async fn get_or_fetch(
        &self,
        op: &Operation,
        key: &str,
        ask: impl Future<Output = Result<T>>,
    ) -> Result<Arc<T>> {
        self.answer(op, key, None, ask).await
    }

    /// Like [`get_or_fetch`](Self::get_or_fetch), but ignores values that were requested before `since`.
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
        let mut cache = op.wait(self.0.lock()).await?;
        if let Some(kept) = cache.get(key)
            && since.is_none_or(|since| kept.asked >= since || kept.answer.is_err())
        {
            return kept.answer.clone().map_err(|error| *error);
        }
        // Before the request, since a response may be as old as that.
        let asked = Instant::now();
        let answer = match ask.await {
            Ok(answer) => Ok(Arc::new(answer)),
            Err(error) if error.kind == Kind::TooLarge => Err(Box::new(error)),
            Err(error) => return Err(error),
        };
        cache.insert(key.to_owned(), Kept { asked, answer: answer.clone() });
        forget_the_oldest(&mut cache);
        answer.map_err(|error| *error)
    }

    /// Returns the cached value for `key`, if there is one. Fetches nothing.
    pub(super) async fn kept(&self, op: &Operation, key: &str) -> Result<Option<Arc<T>>> {
        Ok(op.wait(self.0.lock()).await?.get(key).and_then(|kept| kept.answer.clone().ok()))
    }

    /// Clears the cache, because an upcoming change invalidates it.
    pub(super) async fn forget(&self, op: &Operation) -> Result<()> {
        op.wait(self.0.lock()).await?.clear();
        Ok(())
    }
}

/// Drops the oldest entries until the rest is small enough, but always keeps the newest.
fn forget_the_oldest<T: Weigh>(cache: &mut BTreeMap<String, Kept<T>>) {
    let weight = |kept: &Kept<T>| kept.answer.as_ref().map_or(0, |answer| answer.weight());
    while cache.len() > 1 && cache.values().map(weight).sum::<usize>() > MOST_KEPT {
        let oldest = cache.iter().min_by_key(|(_, kept)| kept.asked).map(|(key, _)| key.clone());
        oldest.and_then(|key| cache.remove(&key));
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
        let (cache, op) = (Cache::default(), op());
        let say = async |words| Ok(Text(words, 1));
        assert_eq!(text(cache.get_or_fetch(&op, "a", say("first")).await), "first");
        assert_eq!(text(cache.get_or_fetch(&op, "a", say("second")).await), "first");
        let now = Instant::now();
        assert_eq!(text(cache.get_or_fetch_since(&op, "a", now, say("third")).await), "third");
        assert_eq!(
            text(cache.get_or_fetch_since(&op, "a", now, say("fourth")).await),
            "third",
            "it is as new as asked for"
        );
        assert_eq!(text(cache.get_or_fetch(&op, "b", say("another's")).await), "another's");
    }

    #[tokio::test]
    async fn a_list_without_end_is_not_read_again_and_any_other_failure_is() {
        let (cache, op) = (Cache::default(), op());
        for (kind, expected) in [(Kind::Unavailable, "an answer"), (Kind::TooLarge, "an error")] {
            let fail = async { Err(Error::new(kind, Outcome::NotChanged, "", "a test")) };
            assert_eq!(text(cache.get_or_fetch(&op, "a", fail).await), "an error");
            let say = async { Ok(Text("an answer", 1)) };
            assert_eq!(text(cache.get_or_fetch_since(&op, "a", Instant::now(), say).await), expected);
            cache.forget(&op).await.unwrap();
        }
    }

    #[tokio::test]
    async fn no_more_is_kept_than_memory_allows() {
        let (cache, op) = (Cache::default(), op());
        for key in ["a", "b", "c"] {
            let _ = cache.get_or_fetch(&op, key, async { Ok(Text("large", MOST_KEPT / 2)) }).await;
        }
        let _ = cache.get_or_fetch(&op, "d", async { Ok(Text("larger", MOST_KEPT * 2)) }).await;
        let mut kept = Vec::new();
        for key in ["a", "b", "c", "d"] {
            kept.extend(cache.kept(&op, key).await.unwrap().map(|_| key));
        }
        assert_eq!(kept, ["d"]);
    }
}

//! Lists: how much of one is read, and what of it is kept.
//!
//! A vendor may send pages without end. So a list is bounded in pages, entries and bytes, all pages together, and of an
//! entry only the fields that are needed are kept, each up to a length. What is longer is an error: half a list says
//! nothing about what it lacks.

use std::{fmt, marker::PhantomData};

use jiff::Timestamp;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use crate::{
    http::{Answer, Error, Kind, Outcome, Result},
    secret::Outside,
};

/// The most requests that one list may need.
const MOST_PAGES: u32 = 200;

/// The most entries of one list.
pub(super) const MOST_ENTRIES: usize = 10_000;

/// The most bytes of one list.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The longest text of an entry, in bytes. No name of a credential and no cursor is as long.
const LONGEST_TEXT: usize = 4096;

/// What has been read of one list.
#[derive(Debug)]
pub(super) struct Listing<'a> {
    host: &'a str,
    pages: u32,
    entries: usize,
    bytes: usize,
}

impl<'a> Listing<'a> {
    /// A list at a host, of which nothing has been read.
    pub(super) fn at(host: &'a str) -> Self {
        Self { host, pages: 0, entries: 0, bytes: 0 }
    }

    /// Reads the next page, which is a JSON object.
    pub(super) async fn page<T: DeserializeOwned>(&mut self, asked: impl Future<Output = Result<Answer>>) -> Result<T> {
        let Object(page) = self.next(asked).await?;
        Ok(page)
    }

    /// Reads the next page, whatever JSON it is.
    pub(super) async fn next<T: DeserializeOwned>(&mut self, asked: impl Future<Output = Result<Answer>>) -> Result<T> {
        self.answer(asked).await?.json()
    }

    /// Receives the next page, and parses nothing of it.
    pub(super) async fn answer(&mut self, asked: impl Future<Output = Result<Answer>>) -> Result<Answer> {
        self.pages += 1;
        if self.pages > MOST_PAGES {
            return Err(self.too_long());
        }
        let answer = asked.await.map_err(|error| match error.kind {
            Kind::TooLarge => Error { status: error.status, ..self.too_long() },
            _ => error,
        })?;
        self.bytes = self.bytes.saturating_add(answer.len());
        if self.bytes > MOST_BYTES {
            return Err(self.too_long());
        }
        Ok(answer)
    }

    /// The entries of a page, in their order.
    pub(super) fn entries<T>(&mut self, page: Entries<T>) -> Result<Vec<T>> {
        self.count(page.count)?;
        Ok(page.kept)
    }

    /// Counts entries that were read without [`Entries`].
    pub(super) fn count(&mut self, entries: usize) -> Result<()> {
        self.entries = self.entries.saturating_add(entries);
        if self.entries > MOST_ENTRIES { Err(self.too_long()) } else { Ok(()) }
    }

    fn too_long(&self) -> Error {
        let mebibytes = MOST_BYTES / (1024 * 1024);
        let reason =
            format!("the list is longer than {MOST_PAGES} pages, {MOST_ENTRIES} credentials or {mebibytes} MiB");
        Error { status: Some(200), ..Error::new(Kind::TooLarge, Outcome::NotChanged, self.host, reason) }
    }
}

/// The entries of one page. Once there are more than a whole list may have they are only counted.
#[derive(Debug)]
pub(super) struct Entries<T> {
    kept: Vec<T>,
    count: usize,
}

impl<T> Entries<T> {
    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.count
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Items<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
            type Value = Entries<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Entries<T>, A::Error> {
                let mut entries = Entries { kept: Vec::new(), count: 0 };
                while entries.count < MOST_ENTRIES {
                    let Some(Object(entry)) = items.next_element()? else { return Ok(entries) };
                    entries.kept.push(entry);
                    entries.count += 1;
                }
                // The rest is read to see that the JSON is whole, and none of it is kept. One entry too many is enough
                // to reject the list, so there is no exact count.
                while items.next_element::<IgnoredAny>()?.is_some() {
                    entries.count = MOST_ENTRIES + 1;
                }
                Ok(entries)
            }
        }

        deserializer.deserialize_seq(Items(PhantomData))
    }
}

/// Something that is a JSON object. A derived type alone would accept a JSON array of its fields as well.
pub(super) struct Object<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
            type Value = Object<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> std::result::Result<Object<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Object)
            }
        }

        deserializer.deserialize_map(Fields(PhantomData))
    }
}

/// The text that names an entry. A list with a longer one than any name is not read: it would lack that entry.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Key(pub(super) Outside);

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Text;

        impl Visitor<'_> for Text {
            type Value = Key;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text that is not too long")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> std::result::Result<Key, E> {
                short(text).map(Key).ok_or_else(|| E::invalid_length(text.len(), &self))
            }
        }

        deserializer.deserialize_str(Text)
    }
}

/// A text that need not be there, or a moment, in whichever form it comes. What is of another kind says nothing.
#[derive(Clone, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Scalar {
    /// A text.
    Text(Outside),
    /// A whole number.
    Number(i64),
    /// Neither.
    #[default]
    Nothing,
}

impl Scalar {
    /// The text, if it is one.
    pub(super) fn text(&self) -> Option<&Outside> {
        match self {
            Self::Text(text) => Some(text),
            Self::Number(_) | Self::Nothing => None,
        }
    }

    /// The moment, from RFC 3339 or from a number since 1970 above 0, which `of_number` reads.
    pub(super) fn moment(&self, of_number: impl Fn(i64) -> Option<Timestamp>) -> Option<Timestamp> {
        match self {
            Self::Text(text) => text.raw().parse().ok(),
            Self::Number(number) => Some(*number).filter(|number| *number > 0).and_then(of_number),
            Self::Nothing => None,
        }
    }
}

impl<'de> Deserialize<'de> for Scalar {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Any;

        impl<'de> Visitor<'de> for Any {
            type Value = Scalar;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }

            fn visit_str<E>(self, text: &str) -> std::result::Result<Scalar, E> {
                Ok(short(text).map_or(Scalar::Nothing, Scalar::Text))
            }

            fn visit_i64<E>(self, number: i64) -> std::result::Result<Scalar, E> {
                Ok(Scalar::Number(number))
            }

            fn visit_u64<E>(self, number: u64) -> std::result::Result<Scalar, E> {
                Ok(i64::try_from(number).map_or(Scalar::Nothing, Scalar::Number))
            }

            fn visit_f64<E>(self, _: f64) -> std::result::Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }

            fn visit_bool<E>(self, _: bool) -> std::result::Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }

            fn visit_unit<E>(self) -> std::result::Result<Scalar, E> {
                Ok(Scalar::Nothing)
            }

            // The parser reports an error if a visitor leaves anything unread, here and in `visit_seq`.
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Scalar, A::Error> {
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nothing)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> std::result::Result<Scalar, A::Error> {
                while items.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Scalar::Nothing)
            }
        }

        deserializer.deserialize_any(Any)
    }
}

/// The text of an entry, unless it is longer than any that is needed.
pub(super) fn short(text: &str) -> Option<Outside> {
    (text.len() <= LONGEST_TEXT).then(|| Outside::new(text))
}

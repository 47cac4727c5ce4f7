//! Reads a page of a list, and keeps of each entry only the fields that a recipe names.

use std::{borrow::Cow, fmt, result::Result};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::List;
use crate::{
    secret::Outside,
    vendors::listing::{Key, MOST_ENTRIES, Scalar},
};

/// An entry of a list.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Row {
    pub(super) id: Outside,
    /// What shows a field of the target.
    pub(super) name: Scalar,
    pub(super) created_at: Scalar,
}

/// Finds the entries of a page below `path`. A page without them is an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) list: &'a List,
    pub(super) path: &'a [Cow<'a, str>],
}

/// The entries of a page. Once there are more than a whole list may have, the rest is not kept.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) kept: Vec<Row>,
    pub(super) count: usize,
}

impl<'de> DeserializeSeed<'de> for Page<'_> {
    type Value = Rows;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Rows, D::Error> {
        if self.path.is_empty() { deserializer.deserialize_seq(self) } else { deserializer.deserialize_map(self) }
    }
}

impl<'de> Visitor<'de> for Page<'_> {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a page of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Rows, A::Error> {
        let mut rows = None;
        while let Some(key) = map.next_key::<String>()? {
            match self.path {
                [first, rest @ ..] if key == *first => rows = Some(map.next_value_seed(Page { path: rest, ..self })?),
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        rows.ok_or_else(|| A::Error::custom("no entries"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Rows, A::Error> {
        let mut rows = Rows { kept: Vec::new(), count: 0 };
        while rows.count < MOST_ENTRIES {
            let Some(row) = items.next_element_seed(Entry(self.list))? else { return Ok(rows) };
            rows.kept.push(row);
            rows.count += 1;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            rows.count = MOST_ENTRIES + 1;
        }
        Ok(rows)
    }
}

struct Entry<'a>(&'a List);

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entry<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let Self(list) = self;
        let (mut id, mut name, mut created_at) = (None, Scalar::default(), Scalar::default());
        while let Some(key) = map.next_key::<String>()? {
            if key == list.id {
                let Key(text) = map.next_value()?;
                if list.name.1 == key {
                    name = Scalar::Text(text.clone());
                }
                id = Some(text);
            } else if key == list.name.1 {
                name = map.next_value()?;
            } else if Some(&*key) == list.created_at {
                created_at = map.next_value()?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(Row { id: id.ok_or_else(|| A::Error::custom("no id"))?, name, created_at })
    }
}

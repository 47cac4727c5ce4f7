//! Reads a page of a list, and keeps of each entry only what a recipe names.

use std::{borrow::Cow, fmt, result::Result};

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::value::List;
use crate::{
    http::pointer,
    secret::Outside,
    vendors::listing::{MOST_ENTRIES, Scalar, short},
};

type Steps<'a> = &'a [Cow<'static, str>];

/// The places in an entry that are kept.
#[derive(Debug)]
pub(super) struct Columns(Vec<(&'static str, Vec<Cow<'static, str>>)>);

/// An entry of a list.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Row {
    /// What identifies it; empty where the list has nothing for that.
    pub(super) id: Outside,
    /// What is at the places of the columns.
    values: Vec<Scalar>,
}

impl Columns {
    pub(super) fn of(list: &List) -> Self {
        let naming = list.naming.iter().flat_map(|naming| naming.parts.iter().map(|(_, pointer, _)| *pointer));
        let matches = list.matches.iter().map(|(pointer, _)| *pointer);
        let optional = [list.id, list.response.username, list.response.version, list.created_at].into_iter().flatten();
        let mut pointers: Vec<_> = naming.chain(matches).chain(optional).collect();
        pointers.sort_unstable();
        pointers.dedup();
        Self(pointers.into_iter().map(|pointer| (pointer, pointer::steps(pointer).collect())).collect())
    }

    fn position(&self, pointer: &str) -> Option<usize> {
        self.0.iter().position(|(known, _)| *known == pointer)
    }
}

impl Row {
    /// Returns the text or the number at a place of the columns.
    pub(super) fn text(&self, columns: &Columns, pointer: &str) -> Option<Outside> {
        match self.scalar(columns, pointer)? {
            Scalar::Text(text) => Some(text.clone()),
            Scalar::Number(number) => Some(Outside::new(number.to_string())),
            Scalar::Nothing => None,
        }
    }

    /// Returns what is at a place of the columns.
    pub(super) fn scalar(&self, columns: &Columns, pointer: &str) -> Option<&Scalar> {
        self.values.get(columns.position(pointer)?)
    }

    /// Returns the approximate size in bytes.
    pub(super) fn weight(&self) -> usize {
        let text = |scalar: &Scalar| scalar.text().map_or(0, |text| text.raw().len());
        let values = self.values.iter().map(|value| size_of::<Scalar>() + text(value)).sum::<usize>();
        size_of::<Self>() + self.id.raw().len() + values
    }
}

/// Finds the entries of a page below `path`. A page without them is an error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<'a> {
    pub(super) list: &'a List,
    pub(super) columns: &'a Columns,
    pub(super) path: Steps<'a>,
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
            let Some(row) = items.next_element_seed(self.entry())? else { return Ok(rows) };
            rows.kept.push(row);
            rows.count += 1;
        }
        while items.next_element::<IgnoredAny>()?.is_some() {
            rows.count = MOST_ENTRIES + 1;
        }
        Ok(rows)
    }
}

impl<'a> Page<'a> {
    fn entry(self) -> Entry<'a> {
        Entry { list: self.list, columns: self.columns }
    }
}

/// Reads an entry, which is an object.
struct Entry<'a> {
    list: &'a List,
    columns: &'a Columns,
}

impl<'de> DeserializeSeed<'de> for Entry<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        let Self { list, columns } = self;
        let mut values = vec![Scalar::Nothing; columns.0.len()];
        let wanted = columns.0.iter().enumerate().map(|(place, (_, steps))| (place, &**steps)).collect();
        deserializer.deserialize_map(Part { wanted, values: &mut values })?;
        let row = Row { id: Outside::new(""), values };
        let Some(pointer) = list.id else { return Ok(row) };
        // A list with an id that is longer than any is not read: it would lack that entry.
        let id = match row.scalar(columns, pointer) {
            Some(Scalar::Number(_)) if !list.has_numeric_ids => None,
            _ => row.text(columns, pointer),
        };
        let id = id.ok_or_else(|| D::Error::custom("no id"))?;
        Ok(Row { id, ..row })
    }
}

/// Reads a part of an entry: which columns are below it, by the steps that are left.
struct Part<'a> {
    wanted: Vec<(usize, Steps<'a>)>,
    values: &'a mut [Scalar],
}

impl<'a> Part<'a> {
    fn take(&mut self, scalar: &Scalar) {
        for (place, steps) in &self.wanted {
            if steps.is_empty() {
                self.values[*place] = scalar.clone();
            }
        }
    }

    /// Returns what is wanted of an element; nothing if it is empty.
    fn below(&self, is_here: impl Fn(&str) -> bool) -> Vec<(usize, Steps<'a>)> {
        let below = |(place, steps): &(usize, Steps<'a>)| match *steps {
            [first, rest @ ..] if is_here(first) => Some((*place, rest)),
            _ => None,
        };
        self.wanted.iter().filter_map(below).collect()
    }
}

impl<'de> DeserializeSeed<'de> for Part<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Part<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an entry of a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            let wanted = self.below(|step| step == key);
            if wanted.is_empty() {
                map.next_value::<IgnoredAny>()?;
            } else {
                map.next_value_seed(Part { wanted, values: &mut *self.values })?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        for index in 0_usize.. {
            let wanted = self.below(|step| step == index.to_string());
            let read = if wanted.is_empty() {
                items.next_element::<IgnoredAny>()?.map(drop)
            } else {
                items.next_element_seed(Part { wanted, values: &mut *self.values })?
            };
            if read.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_bool<E>(mut self, flag: bool) -> Result<(), E> {
        // As a text, because templates are compared as texts.
        self.take(&Scalar::Text(Outside::new(if flag { "true" } else { "false" })));
        Ok(())
    }

    // A fraction can be written in several ways, so it identifies nothing.
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(mut self, number: i64) -> Result<(), E> {
        self.take(&Scalar::Number(number));
        Ok(())
    }

    fn visit_str<E>(mut self, text: &str) -> Result<(), E> {
        self.take(&short(text).map_or(Scalar::Nothing, Scalar::Text));
        Ok(())
    }

    fn visit_u64<E>(mut self, number: u64) -> Result<(), E> {
        self.take(&i64::try_from(number).map_or(Scalar::Nothing, Scalar::Number));
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

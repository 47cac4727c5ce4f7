//! Looks credentials up: in lists, or one by one.

use std::{collections::BTreeSet, sync::Arc};

use tokio::time::Instant;

use super::{
    answers::{fulfills, username, version},
    engine::{Engine, NO_LIST, Named},
    page::{Page, Row},
    template::{self, Values},
    value::{List, Login, Naming, One, Paging},
};
use crate::{
    http::{Error, Kind, Operation, Result, pointer},
    secret::{Name, Outside},
    vendors::{absence, fields::Fields, listing::Listing, report::Found},
};

impl Engine {
    pub(super) async fn listed(&self, op: &Operation, list: &List, named: &Named) -> Result<Arc<Vec<Row>>> {
        self.listed.get_or_fetch(op, &Self::scope(list, named), Box::pin(self.fetch(op, list, named))).await
    }

    /// Looks at the credential now, bypassing caches; `None` if the API does not show it.
    pub(super) async fn now(&self, op: &Operation, named: &Named) -> Result<Option<Found>> {
        match (&self.recipe.list, &self.recipe.one) {
            (Some(list), _) => {
                let (scope, fetched) = (Self::scope(list, named), Box::pin(self.fetch(op, list, named)));
                let rows = self.listed.get_or_fetch_since(op, &scope, Instant::now(), fetched).await?;
                Ok(self.find(list, &rows, named, None).map(|row| self.found(list, row, named)))
            }
            (None, Some(one)) => match self.one(op, one, named, None).await {
                Ok(found) => Ok(Some(found)),
                Err(error) if error.kind == Kind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
            (None, None) => Ok(None),
        }
    }

    /// Fetches all pages. A list that announces a page without anything new does not end, so it is an error.
    pub(super) async fn fetch(&self, op: &Operation, list: &List, named: &Named) -> Result<Vec<Row>> {
        let Some(columns) = self.columns() else { return Err(self.setup(NO_LIST)) };
        let (mut rows, mut seen) = (Vec::<Row>::new(), BTreeSet::new());
        let mut listing = Listing::at(self.api.host());
        let mut number = if let Paging::Page { first, .. } = list.paging { first } else { 0 };
        let (mut next, mut followed) = (None::<Outside>, BTreeSet::new());
        let mut linked = None;
        let path: Vec<_> = pointer::steps(list.items).collect();
        loop {
            let request = self.send(&list.request, &named.values())?;
            let request = match (&list.paging, &next) {
                (Paging::Page { parameter, .. }, _) => request.query(parameter, &number.to_string()),
                (Paging::Skip { limit, skip }, _) => {
                    request.query(limit.0, &limit.1.to_string()).query(skip, &rows.len().to_string())
                }
                (Paging::After { limit, after, .. }, _) => {
                    let request = request.query(limit.0, &limit.1.to_string());
                    match rows.last() {
                        Some(row) => request.query(after, row.id.raw()),
                        None => request,
                    }
                }
                (Paging::Cursor { parameter, .. }, Some(next)) => request.query(parameter, next.raw()),
                (Paging::Link { .. }, Some(_)) => linked.take().unwrap_or(request),
                (Paging::Single | Paging::Cursor { .. } | Paging::Link { .. }, _) => request,
            };
            let answer = listing.answer(request.read(op)).await.map_err(|error| self.of_list(error))?;
            fulfills(&answer, list.success)?;
            let page = answer.json_with(Page { list, columns, path: &path })?;
            listing.count(page.count)?;
            let known = seen.len();
            // Whole entries are compared, because not every list has ids.
            seen.extend(page.kept.iter().cloned());
            let mut has_new = seen.len() > known;
            rows.extend(page.kept);
            number += 1;
            let goes_on = match &list.paging {
                Paging::Single => false,
                Paging::Page { .. } => page.count > 0,
                Paging::Skip { limit, .. } => page.count >= limit.1,
                Paging::After { limit, has_more, .. } => answer.flag(has_more).unwrap_or(page.count >= limit.1),
                Paging::Cursor { next: pointer, .. } | Paging::Link { next: pointer } => {
                    next = answer.next_page(pointer)?;
                    // A page may be empty and not the last one.
                    has_new |= next.as_ref().is_some_and(|next| followed.insert(next.clone()));
                    next.is_some()
                }
            };
            if let (Paging::Link { .. }, Some(next)) = (&list.paging, &next) {
                // The login is sent along, so a link that leads to another server is an error.
                let request = self.send(&list.request, &named.values())?.at(next);
                linked = Some(request.map_err(|reason| answer.unreadable(reason))?);
            }
            match (goes_on, has_new) {
                (false, _) => return Ok(rows),
                (true, true) => {}
                (true, false) => return Err(answer.unreadable("the list has more pages but no new entries")),
            }
        }
    }

    /// At a built-in vendor, a 404 for a list is documented to be about what the list is of. Of a described API nothing is
    /// known, and a 404 may as well be about a further page. It is never about one credential.
    fn of_list(&self, error: Error) -> Error {
        match error.kind {
            Kind::NotFound if self.recipe.parts.name.is_some() => Error { kind: Kind::Rejected, ..error },
            _ => error,
        }
    }

    /// Fetches what resets have made. An empty list is no answer where one of its entries logs in.
    pub(super) async fn fetch_keys(&self, op: &Operation, list: &List, named: &Named) -> Result<Vec<Row>> {
        let rows = self.fetch(op, list, named).await?;
        match &self.recipe.login {
            Login::Bearer { .. } if rows.is_empty() && self.recipe.logs_in_with_a_credential => {
                Err(absence::contradiction(self.api.host(), absence::WITHOUT_OWN_KEY))
            }
            _ => Ok(rows),
        }
    }

    /// Asks for one credential.
    pub(super) async fn one(&self, op: &Operation, one: &One, named: &Named, id: Option<&str>) -> Result<Found> {
        let values = Values { id, ..named.values() };
        let answer = self.send(&one.request, &values)?.read(op).await?;
        fulfills(&answer, one.success)?;
        let shown = one.id.iter().find_map(|pointer| answer.text_or_number(pointer));
        let is_this = |(pointer, template): &(&str, &str)| {
            let shown = answer.text_or_number(pointer);
            shown
                .zip(template::open(template, &values))
                .is_some_and(|(shown, it)| shown.raw().eq_ignore_ascii_case(&it))
        };
        let has_id = one.id.is_empty() || shown.is_some_and(|shown| Some(shown.raw()) == id);
        if !has_id || !one.matches.iter().all(is_this) {
            return Err(answer.unreadable("it is about another credential than the one requested"));
        }
        let username = username(&answer, &one.response).or_else(|| named.username.as_deref().and_then(Name::new));
        let version = if self.makes_another() { id.and_then(Name::new) } else { version(&answer, &one.response) };
        let mut target = Fields::default();
        if let Some((field, name)) = &named.whole {
            target.insert_name(field, &Outside::new(name.as_str()));
        }
        Ok(Found { target, username, version, ..Found::default() })
    }

    /// Finds the entry with this id, or else that of the target: written the same, or else in other letters.
    pub(super) fn find<'a>(&self, list: &List, rows: &'a [Row], named: &Named, id: Option<&str>) -> Option<&'a Row> {
        if let Some(id) = id {
            return rows.iter().find(|row| row.id.raw() == id);
        }
        let same = rows.iter().find(|row| self.is_named(list, row, named, |one, other| one == other));
        same.or_else(|| rows.iter().find(|row| self.is_named(list, row, named, str::eq_ignore_ascii_case)))
    }

    /// Returns whether an entry is the target's.
    pub(super) fn is_named(&self, list: &List, row: &Row, named: &Named, is_same: impl Fn(&str, &str) -> bool) -> bool {
        let values = named.values();
        let fits = |(pointer, template): &(&str, &str)| {
            let shown = self.columns().and_then(|columns| row.text(columns, pointer));
            shown.zip(template::open(template, &values)).is_some_and(|(shown, it)| is_same(shown.raw(), &it))
        };
        !list.matches.is_empty() && list.matches.iter().all(fits)
    }

    pub(super) fn found(&self, list: &List, row: &Row, scope: &Named) -> Found {
        let mut target = Fields::default();
        for field in list.scope {
            if let Some(value) = scope.fields.text(field) {
                target.insert_name(field, &Outside::new(value));
            }
        }
        // One that cannot be named in a configuration is left without a name.
        if let Some(naming) = &list.naming
            && let Some(name) = self.name(naming, row, scope)
        {
            target.insert_name(naming.field, &Outside::new(name));
        } else if let Some((field, name)) = &scope.whole
            && self.is_named(list, row, scope, str::eq_ignore_ascii_case)
        {
            target.insert_name(field, &Outside::new(name.as_str()));
        }
        let text = |pointer: Option<&'static str>| row.text(self.columns()?, pointer?)?.name();
        let username = text(list.response.username).or_else(|| scope.username.as_deref().and_then(Name::new));
        let version = if self.makes_another() { row.id.name() } else { text(list.response.version) };
        Found { target, username, version, ..Found::default() }
    }

    /// Returns the name of the target that an entry is.
    fn name(&self, naming: &Naming, row: &Row, scope: &Named) -> Option<String> {
        let (columns, mut fields) = (self.columns()?, scope.fields.clone());
        for (field, pointer, after) in naming.parts {
            let shown = row.text(columns, pointer)?;
            let part = shown.raw().strip_suffix(&*template::open(after, &Values::of(&scope.fields))?)?;
            if !fields.insert_name(field, &Outside::new(part)) {
                return None;
            }
        }
        template::open(naming.template, &Values::of(&fields))
    }
}

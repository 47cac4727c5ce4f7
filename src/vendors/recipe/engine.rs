//! Runs a recipe.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use jiff::{Timestamp, fmt::rfc2822};
use tokio::time::Instant;

use super::{
    page::{Page, Row},
    template::{self, Values},
    value::{Body, Call, Login, One, Paging, Recipe, Reset as Means},
};
use crate::{
    http::{Agreement, Api, Error, Kind, Method, Operation, Outcome, Request, Result, pointer},
    secret::{Name, Outside, Secret},
    vendors::{
        absence::{self, Lists, Sight},
        api::VendorApi,
        before::Before,
        cache::{Cache, Weigh},
        fields::Fields,
        listing::{Listing, Scalar},
        report::{AppearedCredential, Found, Listed, Note, Observation, Presence, PriorCredential, Reset},
    },
};

#[derive(Debug)]
pub(super) struct Engine {
    recipe: &'static Recipe,
    settings: Fields,
    api: Api,
    listed: Cache<Vec<Row>>,
    /// The ids of the credentials that there were before anything was reset.
    before: Cache<BTreeSet<Outside>>,
    /// The ids of the credentials that resets have made here.
    made: Mutex<BTreeSet<Outside>>,
}

impl Weigh for Vec<Row> {
    fn weight(&self) -> usize {
        let text = |scalar: &Scalar| scalar.text().map_or(0, |text| text.raw().len());
        self.iter().map(|row| size_of::<Row>() + row.id.raw().len() + text(&row.name) + text(&row.created_at)).sum()
    }
}

#[async_trait]
impl VendorApi for Engine {
    async fn read(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        let makes_another = self.makes_another();
        // Without an id from the reset's response there is nothing to look for.
        if makes_another && prior.version.is_none() {
            return Ok(Presence::Found(Found::default()));
        }
        let id = prior.version.as_deref().filter(|_| makes_another);
        let scope = self.scope(target);
        if let (Some(one), Some(id)) = (&self.recipe.one, id) {
            let rows = self.listed.get_or_fetch(op, &scope, Box::pin(self.fetch(op, target))).await?;
            return match self.find(&rows, target, Some(id)) {
                Some(row) => Ok(Presence::Found(self.found(row, target))),
                None => absence::asked(self.one(op, one, target, id).await.map(|()| {
                    let version = Name::new(id);
                    Presence::Found(Found { username: self.username(), version, ..Found::default() })
                })),
            };
        }
        let lists = Lists { cache: &self.listed, key: &scope, host: self.api.host() };
        let see = |rows: &Vec<Row>| {
            let row = self.find(rows, target, id);
            Ok((row.map_or(Sight::Missing, |row| Sight::Here(self.found(row, target))), rows.is_empty()))
        };
        lists.look(op, prior, || Box::pin(self.fetch(op, target)), see).await
    }

    /// Where a reset makes a new credential, that can be done even if the old one is gone, so that is not checked.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        if !self.makes_another() {
            return self.read(op, target, prior).await;
        }
        self.refuse_own_login(target, prior)?;
        let ids = async { Ok(self.fetch_keys(op, target).await?.into_iter().map(|row| row.id).collect()) };
        self.before.get_or_fetch(op, &self.scope(target), Box::pin(ids)).await?;
        Ok(Presence::Found(Found::default()))
    }

    fn refuse_own_login(&self, _: &Fields, prior: &PriorCredential) -> Result<()> {
        match (&self.recipe.login, prior.version.as_deref()) {
            // The rule sees the token, and nothing of it leaves the rule.
            (Login::Bearer { token, own_id }, Some(id))
                if self
                    .settings
                    .get_secret(token)
                    .check(|token| if own_id(token) == Some(id) { Err(()) } else { Ok(()) })
                    .is_err() =>
            {
                Err(Error::new(Kind::OwnLogin, Outcome::NotChanged, self.api.host(), OWN_LOGIN))
            }
            _ => Ok(()),
        }
    }

    async fn list(&self, op: &Operation, scope: &Fields) -> Result<Vec<Listed>> {
        let rows = self.listed.get_or_fetch(op, &self.scope(scope), Box::pin(self.fetch(op, scope))).await?;
        let listed = rows.iter().map(|row| {
            let Found { target, username, version, .. } = self.found(row, scope);
            Listed { target, username, version, created_at: moment(&row.created_at) }
        });
        Ok(listed.collect())
    }

    async fn reset(&self, op: &Operation, target: &Fields, _: &Before, new: Option<&Secret>) -> Result<Reset> {
        match &self.recipe.reset {
            Means::Set { request, success } => {
                let new = new.ok_or_else(|| self.without_password())?;
                let values = Values { password: Some(new), ..Values::of(target) };
                self.send(request, &values)?.set(op, success).await?;
                Ok(Reset::default())
            }
            Means::Create { request, password, id, .. } => {
                self.listed.forget(op).await?;
                let answer = self.send(request, &Values::of(target))?.reset(op).await?;
                let password = answer.password(password)?;
                let id = answer.text(id).filter(|id| !id.raw().is_empty());
                let version = id.as_ref().and_then(Outside::name);
                self.made().extend(id);
                let notes = if version.is_some() { vec![] } else { vec![Note::UndocumentedResponse] };
                Ok(Reset { password: Some(password), username: self.username(), version, notes })
            }
        }
    }

    async fn shows(&self, op: &Operation, target: &Fields) -> Result<bool> {
        if self.makes_another() {
            return Ok(false);
        }
        let fetched = Box::pin(self.fetch(op, target));
        let rows = self.listed.get_or_fetch_since(op, &self.scope(target), Instant::now(), fetched).await?;
        Ok(self.find(&rows, target, None).is_some())
    }

    /// Looks for credentials with the requested name and a new id: not on the list before the reset, not in the state,
    /// and not created here. Others may have created them.
    async fn find_lost_reset(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Observation> {
        if !self.makes_another() {
            return Ok(Observation::Unknown);
        }
        let Some(listed) = self.before.kept(op, &self.scope(target)).await? else { return Ok(Observation::Unknown) };
        let rows = self.fetch(op, target).await?;
        let name = target.text(self.recipe.list.name.0);
        let mut made = self.made();
        let is_new = |row: &&Row| {
            row.name.text().map(Outside::raw) == name
                && before.prior.version.as_deref() != Some(row.id.raw())
                && !listed.contains(&row.id)
                && !made.contains(&row.id)
        };
        let new: Vec<_> = rows.iter().filter(is_new).collect();
        // The next reset of this name did not make them.
        made.extend(new.iter().map(|row| row.id.clone()));
        let appeared =
            new.iter().map(|row| AppearedCredential { id: row.id.name(), created_at: moment(&row.created_at) });
        Ok(if new.is_empty() { Observation::Unchanged } else { Observation::Appeared(appeared.collect()) })
    }

    async fn revoke(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<()> {
        self.refuse_own_login(target, prior)?;
        let (Means::Create { revoke, .. }, Some(id)) = (&self.recipe.reset, &prior.version) else { return Ok(()) };
        self.listed.forget(op).await?;
        let request = self.send(revoke, &Values { id: Some(id), ..Values::of(target) })?;
        match request.set(op, &Agreement::Undocumented).await {
            Ok(answer) if answer.is_empty() => Ok(()),
            // Whatever says something may come from something in between, but the list does not.
            Ok(answer) => match self.fetch_keys(op, target).await {
                Ok(rows) if self.find(&rows, target, Some(id)).is_none() => Ok(()),
                Ok(_) => Err(unconfirmed(answer.unreadable("the credential is still listed after it"))),
                Err(error) => Err(unconfirmed(error)),
            },
            Err(error) if error.kind == Kind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    async fn smtp_host(&self, _: &Operation, _: &Fields) -> Result<Option<Name>> {
        Ok((self.recipe.smtp_host)(&self.settings).and_then(Name::host))
    }
}

impl Engine {
    pub(super) fn new(recipe: &'static Recipe, settings: Fields, api: Api) -> Self {
        Self { recipe, settings, api, listed: Cache::default(), before: Cache::default(), made: Mutex::default() }
    }

    fn makes_another(&self) -> bool {
        matches!(self.recipe.reset, Means::Create { .. })
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<Outside>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn username(&self) -> Option<Name> {
        self.recipe.username.and_then(Name::new)
    }

    fn send(&self, call: &Call, values: &Values) -> Result<Request> {
        template::request(&self.api, call, values).map(|request| self.authorized(request))
    }

    fn get(&self, path: &'static str, values: &Values) -> Result<Request> {
        self.send(&Call { method: Method::GET, path, body: Body::Nothing }, values)
    }

    fn authorized(&self, request: Request) -> Request {
        match &self.recipe.login {
            Login::Basic { username, password } => request.basic(username, &self.settings.get_secret(password)),
            Login::Bearer { token, .. } => request.bearer(&self.settings.get_secret(token)),
        }
    }

    /// Returns what tells the lists of two scopes apart: the path of the list.
    fn scope(&self, target: &Fields) -> String {
        template::path(self.recipe.list.path, &Values::of(target)).unwrap_or_default().join("/")
    }

    /// Fetches all pages. A list that announces a page without anything new does not end, so it is an error.
    async fn fetch(&self, op: &Operation, target: &Fields) -> Result<Vec<Row>> {
        let list = &self.recipe.list;
        let (mut rows, mut seen) = (Vec::<Row>::new(), BTreeSet::new());
        let mut listing = Listing::at(self.api.host());
        loop {
            let request = self.get(list.path, &Values::of(target))?;
            let request = match &list.paging {
                Paging::Single => request,
                Paging::Skip { limit, skip } => {
                    request.query(limit.0, &limit.1.to_string()).query(skip, &rows.len().to_string())
                }
                Paging::After { limit, after, .. } => {
                    let request = request.query(limit.0, &limit.1.to_string());
                    match rows.last() {
                        Some(row) => request.query(after, row.id.raw()),
                        None => request,
                    }
                }
            };
            let answer = listing.answer(request.read(op)).await?;
            let path: Vec<_> = pointer::steps(list.items).collect();
            let page = answer.json_with(Page { list, path: &path })?;
            listing.count(page.count)?;
            let known = seen.len();
            seen.extend(page.kept.iter().map(|row| row.id.clone()));
            let has_new = seen.len() > known;
            rows.extend(page.kept);
            let goes_on = match &list.paging {
                Paging::Single => false,
                Paging::Skip { limit, .. } => page.count >= limit.1,
                Paging::After { limit, has_more, .. } => answer.flag(has_more).unwrap_or(page.count >= limit.1),
            };
            match (goes_on, has_new) {
                (false, _) => return Ok(rows),
                (true, true) => {}
                (true, false) => return Err(answer.unreadable("the list goes on without new entries")),
            }
        }
    }

    /// Fetches what resets have made. An empty list is no answer where one of its entries logs in.
    async fn fetch_keys(&self, op: &Operation, target: &Fields) -> Result<Vec<Row>> {
        let rows = self.fetch(op, target).await?;
        match &self.recipe.login {
            Login::Bearer { .. } if rows.is_empty() => {
                Err(absence::contradiction(self.api.host(), absence::WITHOUT_OWN_KEY))
            }
            _ => Ok(rows),
        }
    }

    fn without_password(&self) -> Error {
        Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), "there is no password to send")
    }

    /// Asks for one credential.
    async fn one(&self, op: &Operation, one: &One, target: &Fields, id: &str) -> Result<()> {
        let answer = self.get(one.path, &Values { id: Some(id), ..Values::of(target) })?.read(op).await?;
        let shown = one.id.iter().find_map(|pointer| answer.text(pointer));
        if shown.is_some_and(|shown| shown.raw() == id) {
            Ok(())
        } else {
            Err(answer.unreadable("it is about another credential than the one requested"))
        }
    }

    /// Finds the entry with this id, or else that of the target: written the same, or else in other letters.
    fn find<'a>(&self, rows: &'a [Row], target: &Fields, id: Option<&str>) -> Option<&'a Row> {
        if let Some(id) = id {
            return rows.iter().find(|row| row.id.raw() == id);
        }
        let named = template::open(self.recipe.list.target, &Values::of(target))?;
        let same = rows.iter().find(|row| row.id.raw() == named);
        same.or_else(|| rows.iter().find(|row| row.id.raw().eq_ignore_ascii_case(&named)))
    }

    fn found(&self, row: &Row, scope: &Fields) -> Found {
        let mut target = Fields::default();
        for field in self.recipe.list.scope {
            if let Some(value) = scope.text(field) {
                target.insert_name(field, &Outside::new(value));
            }
        }
        let (field, _, after) = self.recipe.list.name;
        // One that cannot be named in a configuration is left without a name.
        if let (Some(name), Some(after)) = (row.name.text(), template::open(after, &Values::of(scope)))
            && let Some(name) = name.raw().strip_suffix(&*after)
        {
            target.insert_name(field, &Outside::new(name));
        }
        if self.makes_another() {
            Found { target, username: self.username(), version: row.id.name(), ..Found::default() }
        } else {
            Found { target, username: row.id.name(), ..Found::default() }
        }
    }
}

/// Marks the outcome of a revocation as unknown: the vendor responded, but its list does not confirm it.
fn unconfirmed(error: Error) -> Error {
    Error { outcome: Outcome::MayHaveChanged, ..error }
}

/// Returns the time, from RFC 3339, or with a space for the `T`, or from RFC 2822.
fn moment(scalar: &Scalar) -> Option<Timestamp> {
    let in_mail = || rfc2822::parse(scalar.text()?.raw()).ok().map(|time| time.timestamp());
    scalar.moment(|_| None).or_else(in_mail)
}

const OWN_LOGIN: &str = "the provider logs in with this API key and would lock itself out by revoking it";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_in_the_forms_that_vendors_write() {
        for (text, expected) in [
            ("2023-10-06T23:47:56.678Z", Some("2023-10-06T23:47:56.678Z")),
            ("2023-10-06 23:47:56.678+00", Some("2023-10-06T23:47:56.678Z")),
            ("Mon, 11 Oct 2021 17:30:06 -0000", Some("2021-10-11T17:30:06Z")),
            ("soon", None),
        ] {
            let expected = expected.map(|text| text.parse().unwrap());
            assert_eq!(moment(&Scalar::Text(Outside::new(text))), expected, "{text}");
        }
    }
}

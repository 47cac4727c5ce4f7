//! Runs a recipe.

use std::{
    cmp::Ordering,
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::{
    answers::{Issued, is_as_documented, issued, username, version},
    moment::{moment, moment_in},
    page::{Columns, Row},
    template::{self, Values},
    value::{Call, List, Login, Recipe, Reset as Means},
};
use crate::{
    http::{Answer, Api, Error, Kind, Operation, Outcome, Request, Result},
    secret::{Name, Outside, Secret},
    vendors::{
        absence::{self, Lists, Sight},
        api::VendorApi,
        before::Before,
        cache::{Cache, Weigh},
        fields::{Field, Fields},
        report::{AppearedCredential, Found, Listed, Note, Observation, Presence, PriorCredential, Reset},
    },
};

#[derive(Debug)]
pub(super) struct Engine {
    pub(super) recipe: &'static Recipe,
    settings: Fields,
    pub(super) api: Api,
    /// What is kept of the entries of the list; nothing where there is none.
    columns: Option<Columns>,
    pub(super) listed: Cache<Vec<Row>>,
    /// The ids of the credentials that there were before anything was reset.
    before: Cache<BTreeSet<Outside>>,
    /// The ids of the credentials that resets have made here.
    made: Mutex<BTreeSet<Outside>>,
}

/// The placeholders that name a credential.
pub(super) struct Named {
    pub(super) fields: Fields,
    /// The field of the target that is one name, and the name.
    pub(super) whole: Option<(&'static Field, String)>,
    pub(super) username: Option<String>,
}

impl Named {
    pub(super) fn values(&self) -> Values<'_> {
        Values { username: self.username.as_deref(), ..Values::of(&self.fields) }
    }
}

impl Weigh for Vec<Row> {
    fn weight(&self) -> usize {
        self.iter().map(Row::weight).sum()
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
        let named = self.named(target);
        let id = prior.version.as_deref().filter(|_| makes_another);
        match (&self.recipe.list, &self.recipe.one) {
            // The list is fetched once for all resources, so a call for each is made only where it lacks one.
            (Some(list), Some(one)) if id.is_some() => {
                let rows = self.listed(op, list, &named).await?;
                match self.find(list, &rows, &named, id) {
                    Some(row) => Ok(Presence::Found(self.found(list, row, &named))),
                    None => absence::asked(self.one(op, one, &named, id).await.map(Presence::Found)),
                }
            }
            (Some(list), _) => {
                let scope = Self::scope(list, &named);
                let lists = Lists { cache: &self.listed, key: &scope, host: self.api.host() };
                let see = |rows: &Vec<Row>| {
                    let row = self.find(list, rows, &named, id);
                    let sight = row.map_or(Sight::Missing, |row| Sight::Here(self.found(list, row, &named)));
                    Ok((sight, rows.is_empty()))
                };
                lists.look(op, prior, || Box::pin(self.fetch(op, list, &named)), see).await
            }
            (None, Some(one)) => {
                absence::asked(self.one(op, one, &named, prior.version.as_deref()).await.map(Presence::Found))
            }
            (None, None) => Ok(Presence::Found(Found { target: target.clone(), ..Found::default() })),
        }
    }

    /// Where a reset makes a new credential, that can be done even if the old one is gone, so that is not checked.
    async fn check(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<Presence> {
        if !self.makes_another() {
            return self.read(op, target, prior).await;
        }
        self.refuse_own_login(target, prior)?;
        if let Some(list) = &self.recipe.list {
            let named = self.named(target);
            let ids = async { Ok(self.fetch_keys(op, list, &named).await?.into_iter().map(|row| row.id).collect()) };
            self.before.get_or_fetch(op, &Self::scope(list, &named), Box::pin(ids)).await?;
        }
        Ok(Presence::Found(Found::default()))
    }

    /// Looks at the list that an earlier check has fetched, and only fetches another if that one was full.
    async fn check_room(
        &self,
        op: &Operation,
        target: &Fields,
        _: &[&PriorCredential],
        revoked: Option<&PriorCredential>,
    ) -> Result<()> {
        let (Means::Create { most: Some(most), .. }, Some(list)) = (&self.recipe.reset, &self.recipe.list) else {
            return Ok(());
        };
        let named = self.named(target);
        let revoked = revoked.and_then(|revoked| revoked.version.as_deref());
        let is_kept = |id: &&Outside| revoked != Some(id.raw());
        let before = self.before.kept(op, &Self::scope(list, &named)).await?;
        if before.is_some_and(|before| before.iter().filter(is_kept).count() < *most) {
            return Ok(());
        }
        // Resets since then may have made room.
        let rows = self.fetch_keys(op, list, &named).await?;
        if rows.iter().map(|row| &row.id).filter(is_kept).count() < *most {
            return Ok(());
        }
        let reason = format!("the list has as many credentials as are allowed: {most}");
        Err(Error { status: Some(200), ..Error::new(Kind::NoRoom, Outcome::NotChanged, self.api.host(), reason) })
    }

    /// Compares numbers and times; of anything else only whether it is the same.
    fn compare(&self, one: &str, other: &str) -> Option<Ordering> {
        if one == other {
            return Some(Ordering::Equal);
        }
        let numbers = || Some(one.parse::<i64>().ok()?.cmp(&other.parse().ok()?));
        let times = || Some(moment_in(one)?.cmp(&moment_in(other)?));
        // Ids of credentials have no order, even where they are numbers.
        numbers().or_else(times).filter(|_| !self.makes_another())
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
        let none = |reason| Error::new(Kind::NoList, Outcome::NotChanged, self.api.host(), reason);
        let list = self.recipe.list.as_ref().ok_or_else(|| none(NO_LIST))?;
        if !self.names(list) {
            return Err(none(NO_NAMES));
        }
        let (named, columns) = (self.named(scope), self.columns());
        let rows = self.listed(op, list, &named).await?;
        let listed = rows.iter().map(|row| {
            let Found { target, username, version, .. } = self.found(list, row, &named);
            let created_at = list.created_at.and_then(|pointer| moment(row.scalar(columns?, pointer)?));
            Listed { target, username, version, created_at }
        });
        Ok(listed.collect())
    }

    async fn reset(&self, op: &Operation, target: &Fields, before: &Before, new: Option<&Secret>) -> Result<Reset> {
        let named = self.named(target);
        // What the check has just found is later than what the state has from an earlier reset.
        let id = before.found.version.as_deref().or(before.prior.version.as_deref());
        let values = Values { id, ..named.values() };
        match &self.recipe.reset {
            Means::Set { request, success, response } => {
                let new = new.ok_or_else(|| self.setup(NO_PASSWORD))?;
                let values = Values { password: Some(new), ..values };
                let answer = self.send(request, &values)?.set(op, success).await?;
                Ok(Reset {
                    version: version(&answer, response),
                    username: username(&answer, response),
                    ..Reset::default()
                })
            }
            Means::Generate { request, success, password, response } => {
                let answer = self.send(request, &values)?.reset(op).await?;
                let Issued { password, is_text } = issued(&answer, success, password)?;
                let is_documented = is_text && is_as_documented(&answer, success);
                let notes = if is_documented { vec![] } else { vec![Note::UndocumentedResponse] };
                let (username, version) = (username(&answer, response), version(&answer, response));
                Ok(Reset { password: Some(password), username, version, notes })
            }
            Means::Create { request, success, password, response, .. } => {
                // Before the request: after a lost response the kept list would be wrong, too.
                self.listed.forget(op).await?;
                let answer = self.send(request, &values)?.reset(op).await?;
                let Issued { password, is_text } = issued(&answer, success, password)?;
                let id = response.version.and_then(|pointer| answer.text_or_number(pointer));
                let id = id.filter(|id| !id.raw().is_empty());
                let version = id.as_ref().and_then(Outside::name);
                self.made().extend(id);
                let is_documented = is_text && version.is_some() && is_as_documented(&answer, success);
                let notes = if is_documented { vec![] } else { vec![Note::UndocumentedResponse] };
                let username = username(&answer, response).or_else(|| named.username.as_deref().and_then(Name::new));
                Ok(Reset { password: Some(password), username, version, notes })
            }
        }
    }

    async fn shows(&self, op: &Operation, target: &Fields) -> Result<bool> {
        if self.makes_another() {
            return Ok(false);
        }
        Ok(self.now(op, &self.named(target)).await?.is_some())
    }

    /// Looks for credentials with the requested name and a new id: not on the list before the reset, not in the state,
    /// and not created here. Others may have created them. Where a reset is in place, looks at the last change.
    async fn find_lost_reset(&self, op: &Operation, target: &Fields, before: &Before) -> Result<Observation> {
        let named = self.named(target);
        if !self.makes_another() {
            if !self.reads_version() {
                return Ok(Observation::Unknown);
            }
            let Some(version) = self.now(op, &named).await?.and_then(|found| found.version) else {
                return Ok(Observation::Unknown);
            };
            return Ok(match before.is_exceeded_by(&version, |one, other| self.compare(one, other)) {
                Some(true) => Observation::Changed,
                Some(false) => Observation::Unchanged,
                None => Observation::Unknown,
            });
        }
        let (Some(list), Some(columns)) = (&self.recipe.list, self.columns()) else { return Ok(Observation::Unknown) };
        let Some(listed) = self.before.kept(op, &Self::scope(list, &named)).await? else {
            return Ok(Observation::Unknown);
        };
        let rows = self.fetch(op, list, &named).await?;
        let mut made = self.made();
        let is_new = |row: &&Row| {
            self.is_named(list, row, &named, |one, other| one == other)
                && before.prior.version.as_deref() != Some(row.id.raw())
                && !listed.contains(&row.id)
                && !made.contains(&row.id)
        };
        let new: Vec<_> = rows.iter().filter(is_new).collect();
        // The next reset of this name did not make them.
        made.extend(new.iter().map(|row| row.id.clone()));
        let created_at = |row: &Row| list.created_at.and_then(|pointer| moment(row.scalar(columns, pointer)?));
        let appeared = new.iter().map(|row| AppearedCredential { id: row.id.name(), created_at: created_at(row) });
        Ok(if new.is_empty() { Observation::Unchanged } else { Observation::Appeared(appeared.collect()) })
    }

    async fn versions(&self, op: &Operation, target: &Fields) -> Result<Vec<Name>> {
        if self.makes_another() || !self.reads_version() {
            return Ok(Vec::new());
        }
        Ok(self.now(op, &self.named(target)).await?.and_then(|found| found.version).into_iter().collect())
    }

    async fn revoke(&self, op: &Operation, target: &Fields, prior: &PriorCredential) -> Result<()> {
        self.refuse_own_login(target, prior)?;
        let (Means::Create { revoke, revoked, .. }, Some(id)) = (&self.recipe.reset, &prior.version) else {
            return Ok(());
        };
        self.listed.forget(op).await?;
        let named = self.named(target);
        // A new credential may have another user name, and this is about the one before it.
        let username = prior.username.as_deref().or(named.username.as_deref());
        let request = self.send(revoke, &Values { id: Some(id), username, ..named.values() })?;
        let answer = request.set(op, revoked).await?;
        // Whatever says something undocumented may come from something in between, but a look-up does not.
        if revoked.is_documented() || answer.is_empty() {
            return Ok(());
        }
        match (&self.recipe.list, &self.recipe.one) {
            (Some(list), _) => match self.fetch_keys(op, list, &named).await {
                Ok(rows) if self.find(list, &rows, &named, Some(id)).is_none() => Ok(()),
                Ok(_) => Err(unconfirmed(&answer, "the credential is still listed after it")),
                Err(error) => Err(error.unconfirmed()),
            },
            (None, Some(one)) => match absence::asked(self.one(op, one, &named, Some(id)).await.map(Presence::Found)) {
                Ok(Presence::Gone) => Ok(()),
                Ok(Presence::Found(_)) => Err(unconfirmed(&answer, "the credential is still there after it")),
                Err(error) => Err(error.unconfirmed()),
            },
            (None, None) => Ok(()),
        }
    }

    async fn smtp_host(&self, _: &Operation, _: &Fields) -> Result<Option<Name>> {
        Ok((self.recipe.smtp_host)(&self.settings).and_then(Name::host))
    }
}

impl Engine {
    pub(super) fn new(recipe: &'static Recipe, settings: Fields, api: Api) -> Self {
        let columns = recipe.list.as_ref().map(Columns::of);
        Self {
            recipe,
            settings,
            api,
            columns,
            listed: Cache::default(),
            before: Cache::default(),
            made: Mutex::default(),
        }
    }

    pub(super) fn makes_another(&self) -> bool {
        matches!(self.recipe.reset, Means::Create { .. })
    }

    /// Returns whether a look-up shows the last change of a credential.
    fn reads_version(&self) -> bool {
        let list = self.recipe.list.as_ref().and_then(|list| list.response.version);
        list.or(self.recipe.one.as_ref().and_then(|one| one.response.version)).is_some()
    }

    /// Returns whether the entries of a list can be imported: by their names, or by their ids alone.
    fn names(&self, list: &List) -> bool {
        list.naming.is_some() || (self.makes_another() && self.recipe.parts.name.is_none())
    }

    fn made(&self) -> MutexGuard<'_, BTreeSet<Outside>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn columns(&self) -> Option<&Columns> {
        self.columns.as_ref()
    }

    /// Returns the placeholders of a target: its fields, or the parts of its name.
    fn named(&self, target: &Fields) -> Named {
        let fields = template::parts(target, self.recipe.parts);
        let username = self.recipe.username.and_then(|username| template::open(username, &Values::of(&fields)));
        let whole = self.recipe.parts.name.and_then(|field| Some((field, target.text(field)?.to_owned())));
        Named { fields, whole, username }
    }

    pub(super) fn send(&self, call: &Call, values: &Values) -> Result<Request> {
        template::request(&self.api, call, values).map(|request| self.authorized(request))
    }

    fn authorized(&self, request: Request) -> Request {
        let request = match &self.recipe.login {
            Login::Basic { username, password } => request.basic(username, &self.settings.get_secret(password)),
            Login::Bearer { token, .. } => request.bearer(&self.settings.get_secret(token)),
            Login::Headers => request,
        };
        let headers = self.recipe.headers.iter();
        headers.fold(request, |request, (name, value)| request.header(name.clone(), self.settings.get_secret(value)))
    }

    /// Returns what distinguishes the lists of two scopes: what the request for the list sends.
    pub(super) fn scope(list: &List, named: &Named) -> String {
        template::content(&list.request, &named.values())
    }

    pub(super) fn setup(&self, reason: &'static str) -> Error {
        Error::new(Kind::Setup, Outcome::NotChanged, self.api.host(), reason)
    }
}

/// The error for a revocation that a look-up contradicts, with what the API said to it.
fn unconfirmed(answer: &Answer, reason: &'static str) -> Error {
    answer.with_message(answer.unreadable(reason)).unconfirmed()
}

pub(super) const NO_LIST: &str = "no list of the credentials is described";

const NO_NAMES: &str = "the described list can only be requested with a part of a credential's name, or its entries do \
                        not show every part";

const NO_PASSWORD: &str = "there is no password to send";

const OWN_LOGIN: &str = "the provider logs in with this API key and would lock itself out by revoking it";

//! What [`Smtpd`] does with a request.

use super::{
    super::{
        http::{Answer, Request, segment},
        lock,
        vendor::{Api, Call, Operation, Vendor},
    },
    ApiKey, Book, KeyState, Role, Smtpd, now,
    wire::{
        Created, GrantType, INCORRECT_LOGIN, INVALID_REFRESH_TOKEN, LoggedIn, Me, NewKey, Route, View, code, failure,
        invalid, refresh_token, route,
    },
};

impl Api for Smtpd {
    fn call(&self, request: &Request) -> Option<Call> {
        let route = route(request.path())?;
        let named = |encoded: &str| {
            let id = segment(encoded).ok()?;
            lock(&self.book).keys.iter().find(|key| key.id == id).map(|key| key.name.clone())
        };
        let (operation, user_name) = match route {
            Route::Key(id) => (Operation::Get, named(id)),
            Route::Keys if request.method == "POST" => {
                (Operation::Reset, NewKey::of(request).ok().map(|asked| asked.name))
            }
            Route::Keys => (Operation::List, None),
            Route::Logout => (Operation::Logout, None),
            Route::Me => (Operation::Account, None),
            Route::Revoke(id) => (Operation::Revoke, named(id)),
            Route::Token => (Operation::Oauth, None),
        };
        Some(Call { operation, user_name })
    }

    fn answer(&self, request: &Request) -> Answer {
        self.respond(request).unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, status: u16) -> Answer {
        failure(status, "this answer was scripted")
    }
}

impl Vendor for Smtpd {
    fn base_url_variable(&self) -> &'static str {
        "SMTPD_BASE_URL"
    }

    fn credentials(&self) -> Vec<(&'static str, String)> {
        vec![("SMTPD_API_KEY", self.login.key.clone()), ("SMTPD_API_SECRET", self.login.secret.clone())]
    }
}

impl Smtpd {
    fn respond(&self, request: &Request) -> Result<Answer, Answer> {
        let route = route(request.path()).ok_or_else(|| Answer::page(404))?;
        let mut book = lock(&self.book);
        match (route, request.method.as_str()) {
            (Route::Token, "POST") => match GrantType::of(request)? {
                GrantType::Password => book.log_in(request),
                GrantType::RefreshToken => book.refresh(request),
            },
            (Route::Logout, "POST") => book.log_out(request),
            (Route::Me, "GET") => book.me(request),
            (Route::Keys, "GET") => {
                book.admit(request, Need::Read)?;
                let shown = book.keys.iter().filter(|key| key.hidden == 0);
                let views = shown.map(|key| View::of(key, &book.account_id));
                let answer = Answer::json(200, &views.collect::<Vec<_>>());
                book.keys.iter_mut().for_each(|key| key.hidden = key.hidden.saturating_sub(1));
                Ok(answer)
            }
            (Route::Keys, "POST") => {
                book.authorize(request, Need::Write)?;
                let NewKey { role, name } = NewKey::of(request)?;
                let made = self.make(&mut book, &name, role);
                book.made.push(name);
                Ok(Answer::json(201, &Created::of(&made)))
            }
            (Route::Key(id), "GET") => {
                book.admit(request, Need::Read)?;
                Ok(Answer::json(200, &View::of(book.find(id)?, &book.account_id)))
            }
            (Route::Revoke(id), "PUT") => {
                book.admit(request, Need::Write)?;
                let id = book.find(id)?.id.clone();
                self.end(&mut book, &id);
                Ok(Answer::empty(200))
            }
            (route, _) => Err(failure(405, "this path has another method").with_header("Allow", route.methods())),
        }
    }
}

/// What a call needs its caller to be allowed.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Need {
    Nothing,
    Read,
    Write,
}

impl Book {
    fn log_in(&mut self, request: &Request) -> Result<Answer, Answer> {
        if !request.body.is_empty() {
            return Err(invalid("a login has no body"));
        }
        let incorrect = || code(403, INCORRECT_LOGIN);
        let (user_name, password) = request.basic().ok_or_else(incorrect)?;
        let key = self.keys.iter_mut().find(|key| key.key == user_name && key.secret == password);
        match key {
            Some(key) if key.state == KeyState::Active => key.accessed_at = now(),
            _ if self.users.contains(&(user_name.clone(), password)) => {}
            _ => return Err(incorrect()),
        }
        let granted = self.sessions.grant(&user_name);
        Ok(Answer::json(200, &LoggedIn::of(granted, self.sessions.lifetime)))
    }

    fn refresh(&mut self, request: &Request) -> Result<Answer, Answer> {
        let token = refresh_token(request)?;
        let granted = self.sessions.refresh(&token).ok_or_else(|| code(403, INVALID_REFRESH_TOKEN))?;
        Ok(Answer::json(200, &LoggedIn::of(granted, self.sessions.lifetime)))
    }

    fn log_out(&mut self, request: &Request) -> Result<Answer, Answer> {
        if request.query().is_some() {
            return Err(invalid("this call has no query"));
        }
        if !self.sessions.revoke(&refresh_token(request)?) {
            return Err(code(401, INVALID_REFRESH_TOKEN));
        }
        Ok(Answer::empty(200))
    }

    fn me(&self, request: &Request) -> Result<Answer, Answer> {
        self.admit(request, Need::Nothing)?;
        Ok(Answer::json(200, &Me::of(&self.account_id)))
    }

    /// Lets a request in that has no body.
    fn admit(&self, request: &Request, need: Need) -> Result<(), Answer> {
        self.authorize(request, need)?;
        if !request.body.is_empty() {
            return Err(invalid("this call has no body"));
        }
        Ok(())
    }

    /// Lets a request in that has no query.
    fn authorize(&self, request: &Request, need: Need) -> Result<(), Answer> {
        let user_name = request.bearer().and_then(|token| self.sessions.check(token));
        let user_name = user_name.ok_or_else(|| failure(401, "there is no access token, or it is not valid"))?;
        let role = self.keys.iter().find(|key| key.key == user_name).map(|key| key.role);
        let allowed = match role {
            None | Some(Role::Iac | Role::Standard) => true,
            Some(Role::ReadOnly) => need != Need::Write,
            Some(Role::SendOnly) => need == Need::Nothing,
        };
        if !allowed {
            return Err(failure(403, "the role of this API key does not allow it"));
        }
        match request.query() {
            Some(_) => Err(invalid("this call has no query")),
            None => Ok(()),
        }
    }

    fn find(&self, encoded: &str) -> Result<&ApiKey, Answer> {
        let id = segment(encoded).map_err(invalid)?;
        self.keys.iter().find(|key| key.id == id).ok_or_else(|| failure(404, "no API key has this id"))
    }
}

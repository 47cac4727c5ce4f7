//! What [`HubSpot`] does with a request.

use serde_json::json;

use super::{
    super::{
        http::{Answer, Request, segment},
        lock, random,
        tokens::{Refused, grant},
        vendor::{Api, Call, Operation, Vendor},
    },
    Credential, HubSpot, SCOPE, State,
    wire::{
        Generation, Legacy, Page, Paging, Query, Route, TokenRequest, View, failure, invalid, not_found, oauth_failure,
        route, too_many_requests,
    },
};

impl Api for HubSpot {
    fn call(&self, request: &Request) -> Option<Call> {
        let (operation, encoded) = match route(request.path())? {
            Route::Get(id) => (Operation::Get, Some(id)),
            Route::List(_) => (Operation::List, None),
            Route::Reset(_, name) => (Operation::Reset, Some(name)),
            Route::Token => (Operation::Oauth, None),
        };
        Some(Call { operation, user_name: encoded.and_then(|name| segment(name).ok()) })
    }

    fn answer(&self, request: &Request) -> Answer {
        self.respond(request).unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, status: u16) -> Answer {
        match status {
            404 => not_found("nothing of that name"),
            429 => too_many_requests(),
            status => failure(status, "SANDBOX_FAULT", "this answer was scripted"),
        }
    }
}

impl Vendor for HubSpot {
    fn base_url_variable(&self) -> &'static str {
        "HUBSPOT_BASE_URL"
    }

    fn credentials(&self) -> Vec<(&'static str, String)> {
        vec![("HUBSPOT_ACCESS_TOKEN", self.token.clone())]
    }
}

impl HubSpot {
    fn respond(&self, request: &Request) -> Result<Answer, Answer> {
        let route = route(request.path()).ok_or_else(|| Answer::page(404))?;
        let method = route.method();
        if request.method != method {
            return Err(Answer::page(405).with_header("Allow", method));
        }
        match route {
            Route::Get(id) => self.get(self.admit(request)?, id),
            Route::List(Generation::First) => Ok(self.list(self.admit(request)?)),
            Route::List(Generation::Later) => self.page(self.authorize(request)?, request),
            Route::Reset(generation, name) => self.reset(self.admit(request)?, name, generation),
            Route::Token => self.refresh(request),
        }
    }

    /// The portal that a request without a query is for.
    fn admit(&self, request: &Request) -> Result<u64, Answer> {
        let portal_id = self.authorize(request)?;
        match request.query() {
            Some(_) => Err(invalid("this call has no query")),
            None => Ok(portal_id),
        }
    }

    /// The portal that a request without a body is for.
    fn authorize(&self, request: &Request) -> Result<u64, Answer> {
        let unauthorized = |category, message| failure(401, category, message);
        let token = request
            .bearer()
            .ok_or_else(|| unauthorized("INVALID_AUTHENTICATION", "no Authorization: Bearer came with this call"))?;
        let grant = lock(&self.book).tokens.check(token).map_err(|refused| match refused {
            Refused::Expired => unauthorized("EXPIRED_AUTHENTICATION", "the access token has expired"),
            Refused::Unknown => unauthorized("INVALID_AUTHENTICATION", "the access token is not valid"),
        })?;
        if !grant.scopes.iter().any(|scope| scope == SCOPE) {
            return Err(failure(403, "MISSING_SCOPES", &format!("the access token lacks the scope {SCOPE}")));
        }
        if !request.body.is_empty() {
            return Err(invalid("this call has no body"));
        }
        Ok(grant.account)
    }

    fn reset(&self, portal_id: u64, encoded: &str, generation: Generation) -> Result<Answer, Answer> {
        let credential = self.find(portal_id, encoded)?;
        let password = self.accounts.reset(&credential.user_name).ok_or_else(|| not_found("it was just deleted"))?;
        let named = credential.answers_as.clone().unwrap_or_else(|| credential.user_name.clone());
        let credential = Credential { user_name: named, ..credential };
        Ok(match generation {
            Generation::First => Answer::json(200, &Legacy::of(&credential, Some(&password))),
            Generation::Later => Answer::json(200, &View::of(&credential, Some(&password))),
        })
    }

    fn get(&self, portal_id: u64, encoded: &str) -> Result<Answer, Answer> {
        Ok(Answer::json(200, &View::of(&self.find(portal_id, encoded)?, None)))
    }

    fn find(&self, portal_id: u64, encoded: &str) -> Result<Credential, Answer> {
        let name = segment(encoded).map_err(invalid)?;
        let book = lock(&self.book);
        let found = book.credentials.iter().find(|credential| {
            credential.user_name == name && credential.portal_id == portal_id && credential.state != State::Deleted
        });
        found.cloned().ok_or_else(|| not_found("no SMTP API token has this user name"))
    }

    fn list(&self, portal_id: u64) -> Answer {
        let book = lock(&self.book);
        let own = book.credentials.iter().filter(|credential| credential.portal_id == portal_id);
        Answer::json(200, &own.map(|credential| Legacy::of(credential, None)).collect::<Vec<_>>())
    }

    fn page(&self, portal_id: u64, request: &Request) -> Result<Answer, Answer> {
        let query = Query::of(request)?;
        let book = lock(&self.book);
        let own = book.credentials.iter().filter(|found| found.portal_id == portal_id && query.matches(found));
        let own: Vec<_> = own.collect();
        let start = query.start.min(own.len());
        let end = (start + query.limit.unwrap_or(book.page_size).min(book.page_size)).min(own.len());
        let results: Vec<_> = own[start..end].iter().map(|credential| View::of(credential, None)).collect();
        let paging = (end < own.len()).then(|| Paging::at(end, request.path()));
        Ok(Answer::json(200, &Page { results, paging }))
    }

    fn refresh(&self, request: &Request) -> Result<Answer, Answer> {
        let asked = TokenRequest::of(request)?;
        let book = lock(&self.book);
        let client = book.clients.iter().find(|(_, client)| client.client_id == asked.client_id);
        let (portal_id, client) = client.ok_or_else(|| oauth_failure("BAD_CLIENT_ID", "no app has this client_id"))?;
        if client.client_secret != asked.client_secret {
            return Err(oauth_failure("BAD_CLIENT_SECRET", "the client_secret is wrong"));
        }
        if client.refresh_token != asked.refresh_token {
            return Err(oauth_failure("BAD_REFRESH_TOKEN", "the refresh_token is wrong"));
        }
        let access_token = random::alphanumeric(300);
        book.tokens.lend(&access_token, grant(*portal_id, &[SCOPE]), book.lifetime);
        let granted = json!({
            "token_type": "bearer",
            "refresh_token": client.refresh_token,
            "access_token": access_token,
            "expires_in": book.lifetime.as_secs(),
        });
        Ok(Answer::json(200, &granted))
    }
}

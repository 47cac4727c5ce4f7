//! What [`KirimEmail`] does with a request.

use super::{
    super::{
        http::{Answer, Request, segment},
        imitation::Credential as _,
        lock,
        vendor::{Api, Call, Operation, Vendor},
    },
    Book, Credential, Denial, KirimEmail, MailServer,
    wire::{One, Outcome, Page, Path, Resource, View, denied, failure, invalid, list, no_domain, path},
};

impl Api for KirimEmail {
    fn call(&self, request: &Request) -> Option<Call> {
        let (operation, guid) = match path(request.path())?.resource {
            Resource::Get(guid) => (Operation::Get, Some(guid)),
            Resource::List => (Operation::List, None),
            Resource::Reset(guid) => (Operation::Reset, Some(guid)),
        };
        let book = lock(&self.book);
        let named = |guid: &str| book.credentials.iter().find(|credential| credential.guid == guid);
        Some(Call { operation, user_name: guid.and_then(named).map(|credential| credential.user_name.clone()) })
    }

    fn answer(&self, request: &Request) -> Answer {
        self.respond(request).unwrap_or_else(|refusal| refusal)
    }

    fn failure(&self, status: u16) -> Answer {
        failure(status)
    }
}

impl Vendor for KirimEmail {
    fn base_url_variable(&self) -> &'static str {
        "KIRIM_EMAIL_BASE_URL"
    }

    fn credentials(&self) -> Vec<(&'static str, String)> {
        vec![("KIRIM_EMAIL_USERNAME", Self::USERNAME.to_owned()), ("KIRIM_EMAIL_API_KEY", self.token.clone())]
    }
}

impl KirimEmail {
    fn respond(&self, request: &Request) -> Result<Answer, Answer> {
        let Path { domain, resource } = path(request.path()).ok_or_else(|| Answer::page(404))?;
        let method = resource.method();
        if request.method != method {
            return Err(failure(405).with_header("Allow", method));
        }
        let mut book = lock(&self.book);
        let username = book.authenticate(request)?;
        let domain = segment(domain).map_err(|why| invalid("domain", why))?;
        if !book.domains.iter().any(|found| found.name == domain && found.owner == username) {
            return Err(no_domain());
        }
        if !request.body.is_empty() {
            return Err(invalid("body", "this call has no body"));
        }
        if request.query().is_some() && !matches!(resource, Resource::List) {
            return Err(invalid("query", "this call has no query"));
        }
        match resource {
            Resource::Get(guid) => {
                let format = book.format;
                let credential = book.find(&domain, guid)?;
                let answer = Answer::json(200, &One::of(View::of(credential, format)));
                credential.lateness.left = credential.lateness.left.saturating_sub(1);
                Ok(answer)
            }
            Resource::List => {
                let page = Page::of(request)?;
                let own = book.credentials.iter().filter(|credential| credential.domain == domain);
                Ok(list(&own.collect::<Vec<_>>(), &page, &domain, book.envelope, book.format))
            }
            Resource::Reset(guid) => self.reset(&mut book, &domain, guid),
        }
    }

    fn reset(&self, book: &mut Book, domain: &str, guid: &str) -> Result<Answer, Answer> {
        let format = book.format;
        let credential = book.find(domain, guid)?;
        let denial = credential.denial.take();
        if denial == Some(Denial::Bare) {
            return Ok(denied());
        }
        if credential.mail_server == MailServer::Behind {
            self.accounts.fall_behind(&credential.user_name);
        }
        let password = self.accounts.reset(&credential.user_name).ok_or_else(|| failure(404))?;
        credential.touch();
        let view = View::at(credential.answered(), credential, format).under(credential.answers_as.as_deref());
        Ok(Answer::json(200, &Outcome::of(view, &password, credential.mail_server, denial)))
    }
}

impl Book {
    /// The user that a request comes from.
    fn authenticate(&self, request: &Request) -> Result<String, Answer> {
        let (username, api_key) = request.basic().ok_or_else(|| failure(401))?;
        let known = self.users.iter().any(|user| user.username == username && user.api_key == api_key);
        known.then_some(username).ok_or_else(|| failure(401))
    }

    fn find(&mut self, domain: &str, guid: &str) -> Result<&mut Credential, Answer> {
        let found = self.credentials.iter_mut().find(|credential| credential.guid == guid);
        let credential = found.ok_or_else(|| failure(404))?;
        if credential.domain != domain {
            return Err(failure(403));
        }
        Ok(credential)
    }
}

//! What [`HostUp`] does with a request.

use super::{
    super::{
        http::{Answer, Request, segment},
        lock,
        vendor::{Api, Call, Operation, Vendor},
    },
    Book, HostUp, Hosting, Mailbox, Panel,
    wire::{Details, List, Path, Refusal, Reset, Resource, domain, new_password, path},
};

impl Api for HostUp {
    fn call(&self, request: &Request) -> Option<Call> {
        let (operation, address) = match path(request.path())?.resource {
            Resource::Details => (Operation::Account, None),
            Resource::List => (Operation::List, None),
            Resource::Password(address) => (Operation::Reset, segment(address).ok()),
        };
        let book = lock(&self.book);
        let mailbox = address.and_then(|named| book.mailboxes.iter().find(|mailbox| mailbox.is(&named)));
        Some(Call { operation, user_name: mailbox.map(|mailbox| mailbox.address.clone()) })
    }

    fn answer(&self, request: &Request) -> Answer {
        match self.respond(request) {
            Ok(answer) => answer,
            Err(refusal) => refusal.at(request.path()),
        }
    }

    fn failure(&self, status: u16) -> Answer {
        Refusal::of(status).at("/api/v2/shared-hosting")
    }
}

impl Vendor for HostUp {
    fn base_url_variable(&self) -> &'static str {
        "HOSTUP_BASE_URL"
    }

    fn credentials(&self) -> Vec<(&'static str, String)> {
        vec![("HOSTUP_API_KEY", self.token.clone())]
    }
}

impl HostUp {
    fn respond(&self, request: &Request) -> Result<Answer, Refusal> {
        let Path { account_id, resource } = path(request.path()).ok_or_else(|| Refusal::of(404))?;
        if request.method != resource.method() {
            return Err(Refusal::of(405));
        }
        let customer = self.authorize(request, resource.scope())?;
        let account_id = segment(account_id).map_err(Refusal::invalid_path)?;
        let book = lock(&self.book);
        let hosting = book.hosting(customer, &account_id)?;
        if request.query().is_some() && !matches!(resource, Resource::List) {
            return Err(Refusal::invalid("", "this call has no query", "unrecognized_parameter"));
        }
        if !request.body.is_empty() && !matches!(resource, Resource::Password(_)) {
            return Err(Refusal::invalid("", "this call has no body", "unrecognized_body"));
        }
        match resource {
            Resource::Details => Ok(Answer::json(200, &Details::of(hosting))),
            Resource::List => {
                let domain = domain(request)?;
                let own = book.mailboxes.iter().filter(|mailbox| mailbox.account_id == account_id);
                let own = own.filter(|mailbox| domain.as_ref().is_none_or(|domain| mailbox.domain() == domain));
                Ok(Answer::json(200, &List::of(own)))
            }
            Resource::Password(address) => self.reset(&book, hosting, address, request),
        }
    }

    /// The customer that a request comes from.
    fn authorize(&self, request: &Request, scope: &str) -> Result<u64, Refusal> {
        let grant =
            request.bearer().and_then(|key| lock(&self.book).keys.check(key).ok()).ok_or_else(|| Refusal::of(401))?;
        if !grant.scopes.iter().any(|granted| granted == scope) {
            return Err(Refusal::of(403));
        }
        Ok(grant.account)
    }

    fn reset(&self, book: &Book, hosting: &Hosting, address: &str, request: &Request) -> Result<Answer, Refusal> {
        let address = segment(address).map_err(Refusal::invalid_path)?;
        let mut own = book.mailboxes.iter().filter(|mailbox| mailbox.account_id == hosting.id);
        let mailbox = own.find(|mailbox| mailbox.is(&address)).ok_or_else(|| Refusal::of(404))?;
        if hosting.panel == Panel::Legacy {
            return Err(Refusal::of(409));
        }
        let password = new_password(request)?;
        if let Some(why) = (book.weakness)(&password) {
            return Err(Refusal::invalid("/newPassword", why, "password_too_weak"));
        }
        self.accounts.set(&mailbox.address, &password).ok_or_else(|| Refusal::of(404))?;
        Ok(Answer::json(200, &Reset { email: mailbox.answers_as.as_deref().unwrap_or(&mailbox.address) }))
    }
}

impl Book {
    fn hosting(&self, customer: u64, id: &str) -> Result<&Hosting, Refusal> {
        let found = self.hostings.iter().find(|hosting| hosting.id == id && hosting.customer == customer);
        found.ok_or_else(|| Refusal::of(404))
    }
}

impl Mailbox {
    fn is(&self, named: &str) -> bool {
        self.id == named || self.address == named
    }

    /// What follows the `@`.
    pub(crate) fn domain(&self) -> &str {
        self.address.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

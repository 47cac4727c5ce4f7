//! What [`ExampleMail`] does with a request.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    super::{
        http::{Answer, Request, segment},
        lock, random,
        vendor::{Api, Call},
    },
    ExampleMail, Key, User,
    wire::{Asked, Refusal, What, page, password},
};

impl Api for ExampleMail {
    fn call(&self, request: &Request) -> Option<Call> {
        let asked = Asked::by(request)?;
        let domain = asked.domain().ok();
        let user = asked.user().ok().flatten();
        let user_name = user.zip(domain).map(|(user, domain)| format!("{user}@{domain}"));
        Some(Call { operation: asked.what.operation(), user_name })
    }

    fn answer(&self, request: &Request) -> Answer {
        self.respond(request).unwrap_or_else(Refusal::answer)
    }

    fn failure(&self, status: u16) -> Answer {
        Refusal::of(status).answer()
    }
}

impl ExampleMail {
    fn respond(&self, request: &Request) -> Result<Answer, Refusal> {
        let asked = Asked::by(request).ok_or_else(|| Refusal::of(404))?;
        if matches!(asked.what, What::OtherMethod) {
            return Err(Refusal::of(405));
        }
        if request.bearer() != Some(&self.token) {
            return Err(Refusal::of(401));
        }
        if request.query().is_some() && !matches!(asked.what, What::Users | What::Keys) {
            return Err(Refusal::new(400, "invalid_query", "This request has no query."));
        }
        if !request.body.is_empty() && !matches!(asked.what, What::Set) {
            return Err(Refusal::new(400, "invalid_body", "This request has no body."));
        }
        let (domain, name) = (asked.domain()?, asked.user()?);
        let mut users = lock(&self.users);
        let Some(name) = name else {
            let users: Vec<_> = users.iter().filter(|user| user.domain == domain).map(User::shown).collect();
            return page(request, "users", &users);
        };
        let user = users.iter_mut().find(|user| user.domain == domain && user.name == name);
        let user = user.ok_or_else(|| Refusal::of(404))?;
        match asked.what {
            What::Set => {
                let password = password(request)?;
                self.accounts.set(&user.address(), &password).ok_or_else(|| Refusal::of(404))?;
                user.touch();
                Ok(Answer::json(200, &json!({ "ok": true, "changed_at": user.changed_at.to_string() })))
            }
            What::Rotate => {
                let password = self.accounts.reset(&user.address()).ok_or_else(|| Refusal::of(404))?;
                user.touch();
                let changed_at = user.changed_at.to_string();
                Ok(Answer::json(200, &json!({ "ok": true, "password": password, "changed_at": changed_at })))
            }
            What::Keys => {
                let keys: Vec<_> = user.keys.iter().map(|key| key.shown(user)).collect();
                page(request, "keys", &keys)
            }
            What::Create => {
                let key = Key { id: random::alphanumeric(16).to_lowercase(), created_at: Timestamp::now() };
                let password = self.accounts.open(&key.username());
                let answer = json!({ "ok": true, "id": key.id, "username": key.username(), "password": password });
                user.keys.push(key);
                Ok(Answer::json(201, &answer))
            }
            What::Revoke(id) => {
                let id = segment(id).map_err(|why| Refusal::new(400, "invalid_path", why))?;
                let at = user.keys.iter().position(|key| key.id == id).ok_or_else(|| Refusal::of(404))?;
                self.accounts.close(&user.keys.remove(at).username());
                Ok(Answer::json(200, &json!({ "ok": true })))
            }
            What::User | What::Users | What::OtherMethod => {
                Ok(Answer::json(200, &json!({ "ok": true, "user": user.shown() })))
            }
        }
    }
}

impl User {
    fn shown(&self) -> Value {
        json!({ "name": self.name, "address": self.address(), "changed_at": self.changed_at.to_string() })
    }
}

impl Key {
    fn shown(&self, user: &User) -> Value {
        json!({
            "id": self.id,
            "username": self.username(),
            "user": user.name,
            "created_at": self.created_at.to_string(),
        })
    }
}

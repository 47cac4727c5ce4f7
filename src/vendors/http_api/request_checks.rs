//! Checks the requests of a description, and their placeholders and places.

use serde_json::Value;

use super::{
    checks::{Allowed, Checker},
    description::Request,
    placeholders::{method, names, names_part, texts},
};
use crate::{
    http::{Method, pointer},
    vendors::recipe::{ID, PASSWORD, Piece, USERNAME, pieces},
};

impl Checker<'_> {
    pub(super) fn request(&mut self, block: &str, request: &Request, allowed: Allowed) {
        if let Some(method) = &request.method {
            let methods: &[&str] = match block {
                "read" => &["GET", "POST"],
                "revoke" => &["DELETE", "PATCH", "POST", "PUT"],
                _ => &["PATCH", "POST", "PUT"],
            };
            if !methods.contains(&method.as_str()) {
                self.fault(&[block, "method"], format!("must be one of {}", methods.join(", ")));
            }
        }
        // Servers and proxies log URLs.
        let in_url = Allowed { password: false, ..allowed };
        self.path(block, &request.path, in_url);
        for (name, template) in &request.query {
            self.is_plain(&[block, "query", name], name);
            self.template(&[block, "query", name], template, in_url);
        }
        for (name, template) in request.form.iter().flatten() {
            self.is_plain(&[block, "form", name], name);
            self.template(&[block, "form", name], template, allowed);
        }
        if let Some(json) = &request.json {
            match serde_json::from_str::<Value>(json) {
                Err(_) => self.fault(&[block, "json"], "must be JSON; write it with `jsonencode`"),
                Ok(json) => {
                    if names(&json).into_iter().any(|name| names_part(&self.description.credential, name)) {
                        self.fault(
                            &[block, "json"],
                            "must not have a placeholder in the name of a field: nothing is filled in there",
                        );
                    }
                    for text in texts(&json) {
                        self.template(&[block, "json"], text, allowed);
                    }
                }
            }
        }
        if request.json.is_some() && request.form.is_some() {
            self.fault(&[block, "form"], "must not be combined with `json`; set only one of them");
        }
        if method(block, request) == Method::GET && (request.json.is_some() || request.form.is_some()) {
            self.fault(&[block, "method"], "must be `POST` for a request with a body");
        }
        for (name, conditions) in [("success", &request.success), ("refused", &request.refused)] {
            for (place, value) in conditions {
                if let Err(words) = pointer::check(place) {
                    self.fault(&[block, name, place], words);
                }
                if names_part(&self.description.credential, place) || names_part(&self.description.credential, value) {
                    self.fault(&[block, name, place], "must not have a placeholder: it is compared as it is");
                }
            }
        }
    }

    fn path(&mut self, block: &str, path: &str, allowed: Allowed) {
        let inner = path.strip_prefix('/').map(|path| path.strip_suffix('/').unwrap_or(path));
        let words = match inner {
            None => Some("must start with `/`"),
            Some(_) if path.contains(['?', '#']) => Some("must not have a query or a fragment; use `query`"),
            Some(_) if path.contains(['\\', '%']) || path.chars().any(|c| c.is_control() || c.is_whitespace()) => {
                Some("must not contain spaces, backslashes or `%`; the provider encodes what needs it")
            }
            Some(inner) if inner.split('/').any(|segment| matches!(segment, "" | "." | "..")) => {
                Some("must not have segments that are empty, `.` or `..`, which would lead elsewhere")
            }
            Some(_) => None,
        };
        if let Some(words) = words {
            self.fault(&[block, "path"], words);
        }
        self.template(&[block, "path"], path, allowed);
    }

    /// Reports a placeholder where nothing is filled in.
    pub(super) fn is_plain(&mut self, path: &[&str], text: &str) {
        if names_part(&self.description.credential, text) {
            self.fault(path, "must not have a placeholder: nothing is filled in there");
        }
    }

    pub(super) fn place(&mut self, path: &[&str], place: Option<&str>) {
        let Some(place) = place else { return };
        self.is_plain(path, place);
        if place.is_empty() {
            self.fault(path, "must be a JSON pointer to one value, such as `/data/password`");
        } else if let Err(words) = pointer::check(place) {
            self.fault(path, words);
        } else if pointer::steps(place).any(|step| step == "*") {
            self.fault(path, "must lead to one value; `*` is for `success` and `refused` only");
        }
    }

    pub(super) fn template(&mut self, path: &[&str], template: &str, allowed: Allowed) {
        let parts: Vec<_> = self.description.credential.split('/').collect();
        let mut unknown = None;
        for piece in pieces(template) {
            let words = match piece {
                Piece::Text(text) if text.contains(['{', '}']) => {
                    Some("must close every `{` of a placeholder".to_owned())
                }
                Piece::Text(_) => None,
                Piece::Placeholder(PASSWORD) if allowed.password => None,
                Piece::Placeholder(PASSWORD) => {
                    Some("must not have `{password}`, which is for `json` and `form` of `reset` only".to_owned())
                }
                Piece::Placeholder(ID) if allowed.id => None,
                Piece::Placeholder(USERNAME) if allowed.username => None,
                Piece::Placeholder(USERNAME) if path.first() == Some(&"revoke") => Some(
                    "must not have `{username}` unless `smtp.username` is set; where the user name is the id, set `id` in \
                     `create` to its place and use `{id}`"
                        .to_owned(),
                ),
                Piece::Placeholder(USERNAME) => {
                    Some("must not have `{username}` unless `smtp.username` is set".to_owned())
                }
                Piece::Placeholder(name) if parts.contains(&name) => None,
                Piece::Placeholder(_) => {
                    Some(format!("has an unknown placeholder; allowed are {}", allowed.listed(&parts)))
                }
            };
            unknown = unknown.or(words);
        }
        if let Some(words) = unknown {
            self.fault(path, words);
        }
    }
}

impl Allowed {
    /// Names what is allowed.
    fn listed(self, parts: &[&str]) -> String {
        let own = [(ID, self.id), (USERNAME, self.username), (PASSWORD, self.password)];
        let own: Vec<_> =
            own.iter().filter(|(_, is_allowed)| *is_allowed).map(|(name, _)| format!("`{{{name}}}`")).collect();
        let parts = format!("the parts of `credential` (`{{{}}}`)", parts.join("}`, `{"));
        match &own[..] {
            [] => parts,
            [one] => format!("{parts} and {one}"),
            [first @ .., last] => format!("{parts}, {} and {last}", first.join(", ")),
        }
    }
}

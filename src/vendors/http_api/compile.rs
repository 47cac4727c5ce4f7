//! Makes a vendor and a recipe from a description.

use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

use http::HeaderName;

use super::{
    checks::{self, Fault},
    description::{Address, Description, ErrorPlaces, Paging as DescribedPaging, Read, Request},
    placeholders,
    unconfigured::{NAME, VENDOR},
};
use crate::{
    http::{Agreement, Api, BaseUrl, Client, Condition, ErrorFormat, Form, Mark},
    vendors::{
        Field, Fields, ImportId, PasswordSource, ResetKind, SmtpDefaults, UsernameOf, Vendor, VendorApi, VendorOrigin,
        check,
        recipe::{
            self, Body, Call, List, Login, Naming, One, Paging, Parts, Piece, Recipe, Reset as Means, Response, pieces,
        },
    },
};

/// A described API.
#[derive(Debug)]
pub struct HttpApi {
    /// What is known of it.
    pub vendor: &'static Vendor,
    /// How it is called; nothing while its address or what logs in is unknown.
    pub api: Option<Arc<dyn VendorApi>>,
}

/// Makes an API from its description, or returns everything that is wrong with it. Sends nothing.
///
/// A process of the provider is configured once. So what the block says is kept for the lifetime of the process, like the
/// data of a built-in vendor.
pub fn compile(description: &Description, client: Option<&Client>) -> Result<HttpApi, Vec<Fault>> {
    let faults = checks::faults(description);
    if !faults.is_empty() {
        return Err(faults);
    }
    let compiler = Compiler::new(description);
    let recipe: &'static Recipe = Box::leak(Box::new(compiler.recipe()));
    let vendor: &'static Vendor = Box::leak(Box::new(compiler.vendor(recipe)));
    let base_url = description.address.as_ref().and_then(|address| BaseUrl::parse(&address.base_url).ok());
    let api = base_url
        .zip(description.address.as_ref())
        .zip(client)
        .map(|((base_url, address), client)| vendor.api(&compiler.settings(address), base_url, client));
    Ok(HttpApi { vendor, api })
}

// Headers are settings, too, by their names, and a header's name has no space.
static BEARER_TOKEN: Field = Field::secret("the bearer token", "", check::token);
static BASIC_PASSWORD: Field = Field::secret("the password", "", check::line);

struct Compiler<'d> {
    description: &'d Description,
    /// The parts of the name.
    parts: &'static [&'static Field],
    headers: &'static [(HeaderName, &'static Field)],
}

impl<'d> Compiler<'d> {
    fn new(description: &'d Description) -> Self {
        let field = |field| &*Box::leak(Box::new(field));
        let part = |name: &str| field(Field::shown(keep(name), "", check::segment));
        let header = |name: &String| {
            Some((HeaderName::try_from(name.as_str()).ok()?, field(Field::secret(keep(name), "", check::line))))
        };
        Self {
            description,
            parts: description.credential.split('/').map(part).collect::<Vec<_>>().leak(),
            headers: description.headers.iter().filter_map(header).collect::<Vec<_>>().leak(),
        }
    }

    fn settings(&self, address: &Address) -> Fields {
        let mut fields = Fields::default();
        let own = [
            (&BEARER_TOKEN, address.bearer_token.as_ref()),
            (&BASIC_PASSWORD, address.basic.as_ref().map(|(_, password)| password)),
        ];
        let headers = self.headers.iter().map(|(_, field)| (*field, address.headers.get(field.name)));
        for (field, value) in own.into_iter().chain(headers) {
            if let Some(value) = value {
                // They have passed the same checks.
                let _ = fields.insert(field, value.clone());
            }
        }
        fields
    }

    fn vendor(&self, recipe: &'static Recipe) -> Vendor {
        let description = self.description;
        let smtp = description.smtp.as_ref();
        let creates = description.create.is_some();
        let reset = description.reset.as_ref().or(description.create.as_ref());
        let is_callers = description.reset.as_ref().is_some_and(|reset| placeholders::sends_password(&reset.request));
        let reads_version = description.read.as_ref().is_some_and(|read| read.version.is_some());
        let base_url = description.address.as_ref().and_then(|address| BaseUrl::parse(&address.base_url).ok());
        let username: Box<UsernameOf> = Box::new(move |target| recipe::username(recipe, target).map(Cow::Owned));
        Vendor {
            origin: VendorOrigin::Configured {
                name_form: keep(&description.credential),
                renames: !creates && smtp.is_none_or(|smtp| smtp.username.is_none()),
            },
            title: base_url.map_or(VENDOR.title, |base_url| keep(base_url.host())),
            error_format: Box::leak(Box::new(error_format(description.error.as_ref()))),
            password_source: if is_callers { PasswordSource::Caller } else { PasswordSource::Vendor },
            longest_password: description.max_password_length,
            // An id alone does not say what the credential is called.
            scope: if creates { VENDOR.identity } else { &[] },
            import: if creates { ImportId::ScopedCredential } else { ImportId::Identity },
            reset_kind: if creates { ResetKind::NewCredential } else { ResetKind::InPlace },
            reports_version: reads_version || reset.is_some_and(|reset| reset.version.is_some()),
            username: Box::leak(username),
            smtp: match smtp.and_then(|smtp| smtp.host.as_deref()) {
                Some(host) => {
                    SmtpDefaults::At { host: keep(host), port: smtp.and_then(|smtp| smtp.port).unwrap_or(587) }
                }
                None => SmtpDefaults::Undocumented,
            },
            connect: Box::leak(Box::new(move |settings: &Fields, api: Api| recipe::connect(recipe, settings, api))),
            ..VENDOR
        }
    }

    fn recipe(&self) -> Recipe {
        let description = self.description;
        let read = description.read.as_ref();
        Recipe {
            login: self.login(),
            // Nothing says that it does, so a list of this API may be empty.
            logs_in_with_a_credential: false,
            headers: self.headers,
            parts: Parts { name: Some(&NAME), fields: self.parts },
            reset: self.reset(),
            list: read.and_then(|read| Some(self.list(read, read.items.as_deref()?))),
            one: read.filter(|read| read.items.is_none()).map(|read| self.one(read)),
            username: description.smtp.as_ref().and_then(|smtp| smtp.username.as_deref()).map(keep),
            smtp_host: |_| None,
        }
    }

    fn login(&self) -> Login {
        let Description { has_bearer_token, has_basic, address, .. } = self.description;
        if *has_bearer_token {
            // The form of its tokens is not known, so none shows which credential it belongs to.
            Login::Bearer { token: &BEARER_TOKEN, own_id: |_| None }
        } else if *has_basic {
            // Unknown at plan, when nothing is sent.
            let username =
                address.as_ref().and_then(|address| address.basic.as_ref()).map(|(username, _)| keep(username));
            Login::Basic { username: username.unwrap_or_default(), password: &BASIC_PASSWORD }
        } else {
            Login::Headers
        }
    }

    fn reset(&self) -> Means {
        let Description { reset, create, revoke, .. } = self.description;
        let (block, described) = match (reset, create) {
            (Some(reset), _) => ("reset", reset.clone()),
            (None, create) => ("create", create.clone().unwrap_or_default()),
        };
        let request = call(block, &described.request);
        let success = agreement(&described.request);
        let response = Response {
            username: described.username.as_deref().map(keep),
            version: described.version.as_deref().map(keep),
        };
        let password = keep(described.password.as_deref().unwrap_or_default());
        match revoke {
            Some(revoke) => Means::Create {
                request,
                success,
                password,
                response,
                revoke: call("revoke", revoke),
                // A success may look like an error, so where the credential can be looked up, that decides.
                most: None,
                revoked: if revoke.success.is_empty() && self.description.read.is_some() {
                    Agreement::ByLookUp
                } else {
                    agreement(revoke)
                },
            },
            None if described.password.is_none() => Means::Set { request, success, response },
            None => Means::Generate { request, success, password, response },
        }
    }

    fn list(&self, read: &Read, items: &str) -> List {
        let matches: &'static [(&'static str, &'static str)] = pairs(&read.matches);
        List {
            request: call("read", &read.request),
            success: conditions(&read.request.success),
            items: keep(items),
            paging: paging(&read.paging),
            id: read.id.as_deref().map(keep),
            has_numeric_ids: true,
            scope: &[],
            matches,
            naming: self.naming(&read.request, matches),
            response: Response {
                username: read.username.as_deref().map(keep),
                version: read.version.as_deref().map(keep),
            },
            created_at: read.created_at.as_deref().map(keep),
        }
    }

    /// An entry names a credential if it shows every part of the name, alone or before a text.
    fn naming(&self, request: &Request, matches: &'static [(&'static str, &'static str)]) -> Option<Naming> {
        // A list of one domain cannot be requested without knowing the domain.
        let asks_for_a_part = placeholders::has_any(request);
        let part = |field: &&'static Field| {
            let shown = matches.iter().find_map(|(place, template)| match *pieces(template) {
                [Piece::Placeholder(name)] if name == field.name => Some((*place, "")),
                [Piece::Placeholder(name), Piece::Text(after)] if name == field.name => Some((*place, after)),
                _ => None,
            });
            shown.map(|(place, after)| (*field, place, after))
        };
        let parts = self.parts.iter().map(part).collect::<Option<Vec<_>>>().filter(|_| !asks_for_a_part)?;
        let template = self.parts.iter().map(|field| format!("{{{}}}", field.name)).collect::<Vec<_>>().join("/");
        Some(Naming { field: &NAME, template: keep(&template), parts: parts.leak() })
    }

    fn one(&self, read: &Read) -> One {
        let creates = self.description.create.is_some();
        One {
            request: call("read", &read.request),
            success: conditions(&read.request.success),
            id: if creates { read.id.iter().map(|id| keep(id)).collect::<Vec<_>>().leak() } else { &[] },
            matches: pairs(&read.matches),
            response: Response {
                username: read.username.as_deref().map(keep),
                version: read.version.as_deref().map(keep),
            },
        }
    }
}

fn error_format(places: Option<&ErrorPlaces>) -> ErrorFormat {
    let Some(places) = places else { return ErrorFormat { unprocessed: &[], ..NO_ERRORS } };
    let list = |place: &Option<String>| &*place.iter().map(|place| keep(place)).collect::<Vec<_>>().leak();
    // An error has both, where both are described.
    let message = places.message.iter().map(|place| vec![Mark::Text(keep(place))]);
    let code = places.code.iter().map(|place| vec![Mark::Text(keep(place)), Mark::Number(keep(place))]);
    let marks: Vec<&'static [Mark]> = message.chain(code).map(|marks| &*marks.leak()).collect();
    ErrorFormat {
        refusal: Form(marks.leak()),
        code: list(&places.code),
        message: list(&places.message),
        request_id: list(&places.request_id),
        unprocessed: places.unprocessed.clone().leak(),
        ..NO_ERRORS
    }
}

const NO_ERRORS: ErrorFormat = ErrorFormat {
    refusal: Form(&[]),
    code: &[],
    codes: &[],
    message: &[],
    fields: None,
    request_id: &[],
    unprocessed: &[],
    rate_limits: &[],
};

fn paging(paging: &DescribedPaging) -> Paging {
    match paging {
        DescribedPaging { page: Some(parameter), first_page, .. } => Paging::Page {
            parameter: keep(parameter),
            first: first_page.and_then(|first| first.try_into().ok()).unwrap_or(1),
        },
        DescribedPaging { cursor: Some(next), cursor_parameter: Some(parameter), .. } => {
            Paging::Cursor { parameter: keep(parameter), next: keep(next) }
        }
        DescribedPaging { next: Some(next), .. } => Paging::Link { next: keep(next) },
        _ => Paging::Single,
    }
}

fn call(block: &str, request: &Request) -> Call {
    Call {
        method: placeholders::method(block, request),
        path: keep(&request.path),
        query: pairs(&request.query),
        body: match (&request.json, &request.form) {
            (Some(json), _) => Body::Json(keep(json)),
            (None, Some(form)) => Body::Form(pairs(form)),
            (None, None) => Body::Nothing,
        },
    }
}

fn agreement(request: &Request) -> Agreement {
    Agreement::Described { success: conditions(&request.success), refused: conditions(&request.refused) }
}

fn conditions(expected: &BTreeMap<String, String>) -> &'static [Condition] {
    let condition = |(pointer, value): (&String, &String)| Condition { pointer: keep(pointer), value: keep(value) };
    expected.iter().map(condition).collect::<Vec<_>>().leak()
}

fn pairs(map: &BTreeMap<String, String>) -> &'static [(&'static str, &'static str)] {
    map.iter().map(|(name, template)| (keep(name), keep(template))).collect::<Vec<_>>().leak()
}

fn keep(text: &str) -> &'static str {
    text.to_owned().leak()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    #[test]
    fn a_header_replaces_no_login_whatever_it_is_called() {
        let (token, password) = (Secret::new("a-token"), Secret::new("a-password"));
        for name in [BEARER_TOKEN.name, BASIC_PASSWORD.name, "bearer_token", "basic.password", "password", "X-Key"] {
            let other = Secret::new("another");
            let address = Address {
                bearer_token: Some(token.clone()),
                basic: Some(("api".to_owned(), password.clone())),
                headers: BTreeMap::from([(name.to_owned(), other.clone())]),
                ..Address::default()
            };
            let description = Description { headers: vec![name.to_owned()], ..Description::default() };
            let compiler = Compiler::new(&description);
            let settings = compiler.settings(&address);
            assert_eq!(settings.secret(&BEARER_TOKEN), Some(&token), "{name}");
            assert_eq!(settings.secret(&BASIC_PASSWORD), Some(&password), "{name}");
            for (_, field) in compiler.headers {
                assert_eq!(settings.secret(field), Some(&other), "{name}");
            }
        }
    }
}

//! Which credential a resource is about.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    framework::{
        diagnostic::{Diagnostic, Path, Result},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    secret::Secret,
    vendors::{Field, Fields, ImportId, Target, VENDORS, Vendor},
};

/// The vendors that a configuration names.
pub(in crate::provider) enum Named {
    /// None.
    Nothing,
    /// One, whose object may be unknown or hold unknown fields.
    One(&'static Vendor),
    /// It depends on objects that are not known yet.
    Undecided,
    /// Several.
    Several(Vec<&'static Vendor>),
}

/// The attributes that name a credential, one for each vendor.
pub(in crate::provider) fn attributes() -> impl Iterator<Item = Attribute> {
    VENDORS.iter().map(|vendor| {
        let fields = vendor.target.iter().map(|field| {
            Attribute::required(field.name, Type::String, field.description)
                .validated_by(field.check)
                .requires_replace()
        });
        let description = format!("The credential at {}. A change replaces the resource.", vendor.title);
        Attribute::optional(vendor.name, Type::Object(fields.collect()), description).requires_replace()
    })
}

/// The attributes that name an account whose credentials are listed, one for each vendor.
pub(in crate::provider) fn scope_attributes() -> impl Iterator<Item = Attribute> {
    VENDORS.iter().map(|vendor| {
        let fields = vendor.scope.iter();
        let fields = fields
            .map(|field| Attribute::required(field.name, Type::String, field.description).validated_by(field.check));
        let description = match vendor.scope {
            [] => format!("The account at {} that the provider logs in to: `{{}}`.", vendor.title),
            _ => format!("What to list the credentials of at {}.", vendor.title),
        };
        Attribute::optional(vendor.name, Type::Object(fields.collect()), description)
    })
}

/// Which vendors `value` names. A wholly unknown object counts as maybe set.
pub(in crate::provider) fn named(value: &Value) -> Named {
    named_among(VENDORS, value)
}

fn named_among(vendors: &[&'static Vendor], value: &Value) -> Named {
    let set: Vec<_> = vendors.iter().copied().filter(|vendor| value.get(vendor.name).as_object().is_some()).collect();
    let unknown = vendors.iter().any(|vendor| value.get(vendor.name).is_unknown());
    match *set {
        [] if unknown => Named::Undecided,
        [] => Named::Nothing,
        [vendor] => Named::One(vendor),
        _ => Named::Several(set),
    }
}

/// The credential that a configuration, plan or state names; `None` while something about it is unknown.
pub(in crate::provider) fn of(value: &Value) -> Result<Option<Target>> {
    match named(value) {
        Named::One(vendor) => fields_of(vendor, vendor.target, value),
        Named::Undecided => Ok(None),
        Named::Nothing => Err(missing().into()),
        Named::Several(vendors) => Err(several(&vendors).into()),
    }
}

/// The credential of a plan or a state that core approved, in which everything that names it is known.
pub(in crate::provider) fn known(state: &Value) -> Result<Target> {
    of(state)?.ok_or_else(|| {
        let detail = "An argument that identifies the credential is not known yet.";
        Diagnostic::error("Unknown credential", detail).into()
    })
}

/// What the credentials to list have in common, as the configuration of a list names it; `None` while something about it is
/// unknown.
pub(in crate::provider) fn scope_of(value: &Value) -> Result<Option<Target>> {
    match named(value) {
        Named::One(vendor) => fields_of(vendor, vendor.scope, value),
        Named::Undecided => Ok(None),
        Named::Nothing => Err(no_account().into()),
        Named::Several(vendors) => Err(several_accounts(&vendors).into()),
    }
}

/// The path of the attribute that names the credential.
pub(in crate::provider) fn path(target: &Target) -> Path {
    let path = Path::attribute(target.vendor.name);
    match target.vendor.identity {
        [.., last] => path.then(last.name),
        [] => path,
    }
}

/// The value of the vendor's attribute.
pub(in crate::provider) fn value(target: &Target) -> Value {
    Value::object(target.vendor.target.iter().map(|field| (field.name, target.fields.text(field).into())))
}

fn fields_of(vendor: &'static Vendor, fields: &[&'static Field], value: &Value) -> Result<Option<Target>> {
    let object = value.get(vendor.name);
    if !object.is_wholly_known() {
        return Ok(None);
    }
    let texts = fields.iter().filter_map(|field| Some((*field, object.get(field.name).as_str()?)));
    from_texts(vendor, texts).map(Some)
}

fn from_texts<'a>(
    vendor: &'static Vendor,
    texts: impl IntoIterator<Item = (&'static Field, &'a str)>,
) -> Result<Target> {
    let mut fields = Fields::default();
    for (field, text) in texts {
        fields
            .insert(field, Secret::new(text))
            .map_err(|words| invalid(Path::attribute(vendor.name).then(field.name), words))?;
    }
    Ok(Target { vendor, fields })
}

/// What an import id names.
#[derive(Debug)]
pub(in crate::provider) enum Imported {
    /// A target.
    Target(Target),
    /// A credential by the vendor's own id of it.
    Credential {
        /// The vendor.
        vendor: &'static Vendor,
        /// Its id there.
        id: String,
    },
}

impl Imported {
    /// Reads an import id: the vendor, and what it names a credential by, joined by `/`.
    pub(in crate::provider) fn from_id(text: &str) -> Result<Self> {
        let mut parts = text.split('/');
        let name = parts.next().unwrap_or_default();
        let vendor = VENDORS.iter().copied().find(|vendor| vendor.name == name).ok_or_else(|| unknown_vendor(text))?;
        let parts: Vec<_> = parts.collect();
        let wanted = match vendor.import {
            ImportId::Credential => vec!["credential id"],
            ImportId::Identity => vendor.identity.iter().map(|field| field.name).collect(),
        };
        if parts.len() != wanted.len() || parts.contains(&"") {
            let form = wanted.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join("/");
            let detail = format!("The import id of a {} credential has the form `{name}/{form}`.", vendor.title);
            return Err(Diagnostic::error("Invalid import id", detail).into());
        }
        match vendor.import {
            ImportId::Credential => Ok(Self::Credential { vendor, id: parts.concat() }),
            ImportId::Identity => from_texts(vendor, vendor.identity.iter().copied().zip(parts)).map(Self::Target),
        }
    }

    /// The vendor.
    pub(in crate::provider) fn vendor(&self) -> &'static Vendor {
        match self {
            Self::Target(target) => target.vendor,
            Self::Credential { vendor, .. } => vendor,
        }
    }
}

/// A target as it is written into private data.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::provider) struct StoredTarget {
    vendor: String,
    fields: BTreeMap<String, String>,
}

impl StoredTarget {
    /// Notes a target down.
    pub(in crate::provider) fn of(target: &Target) -> Self {
        let fields = target.vendor.target.iter();
        Self {
            vendor: target.vendor.name.to_owned(),
            fields: fields
                .filter_map(|field| Some((field.name.to_owned(), target.fields.text(field)?.to_owned())))
                .collect(),
        }
    }

    /// The target that was noted down; `None` where this version does not know it.
    pub(in crate::provider) fn target(&self) -> Option<Target> {
        let vendor = VENDORS.iter().copied().find(|vendor| vendor.name == self.vendor)?;
        let texts = vendor.target.iter().filter_map(|field| Some((*field, self.fields.get(field.name)?.as_str())));
        from_texts(vendor, texts).ok()
    }
}

/// The error for a configuration that names no credential.
pub(in crate::provider) fn missing() -> Diagnostic {
    Diagnostic::error("No credential is named", format!("Set exactly one of {}.", names(VENDORS)))
}

/// The error for a configuration that names several credentials.
pub(in crate::provider) fn several(set: &[&'static Vendor]) -> Diagnostic {
    let detail = format!(
        "{} are set. A resource resets the password of one credential: set exactly one of {}.",
        names(set),
        names(VENDORS)
    );
    Diagnostic::error("More than one credential is named", detail)
        .at(Path::attribute(set.last().map_or("", |vendor| vendor.name)))
}

/// The error for a list of no account.
fn no_account() -> Diagnostic {
    Diagnostic::error("No account is named", format!("Set exactly one of {}.", names(VENDORS)))
}

/// The error for a list of several accounts.
fn several_accounts(set: &[&'static Vendor]) -> Diagnostic {
    let detail = format!(
        "{} are set. A data source lists the credentials of one account: set exactly one of {}.",
        names(set),
        names(VENDORS)
    );
    Diagnostic::error("More than one account is named", detail)
        .at(Path::attribute(set.last().map_or("", |vendor| vendor.name)))
}

fn unknown_vendor(id: &str) -> Diagnostic {
    let known = VENDORS.iter().map(|vendor| format!("`{}/…`", vendor.name)).collect::<Vec<_>>().join(", ");
    let named =
        if id.contains('/') { "names no vendor that this provider knows" } else { "has no vendor before a `/`" };
    Diagnostic::error("Invalid import id", format!("The import id {named}. It starts with the vendor: {known}."))
}

fn names(vendors: &[&Vendor]) -> String {
    vendors.iter().map(|vendor| format!("`{}`", vendor.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    static OTHER: Vendor = Vendor { name: "other", title: "Other", ..*VENDORS[0] };

    fn object() -> Value {
        Value::object([("user_name", "a@b".into())])
    }

    #[test]
    fn a_configuration_names_exactly_one_vendor() {
        let vendors: &[&'static Vendor] = &[VENDORS[0], &OTHER];
        let [first, second] = [vendors[0].name, "other"];
        let named = |pairs: &[(&'static str, Value)]| named_among(vendors, &Value::object(pairs.iter().cloned()));
        assert!(matches!(named(&[]), Named::Nothing));
        assert!(matches!(named(&[(second, Value::Unknown)]), Named::Undecided));
        assert!(matches!(named(&[(second, object())]), Named::One(vendor) if vendor.name == second));
        assert!(
            matches!(named(&[(first, Value::Unknown), (second, object())]), Named::One(vendor) if vendor.name == second)
        );
        assert!(
            matches!(named(&[(first, object()), (second, object())]), Named::Several(vendors) if vendors.len() == 2)
        );
    }

    #[test]
    fn the_error_for_two_vendors_names_those_that_were_set() {
        let error = several(&[VENDORS[0], &OTHER]);
        let set = format!("`{}`, `other` are set.", VENDORS[0].name);
        assert!(error.detail.starts_with(&set), "{}", error.detail);
        assert_eq!(error.path, Path::attribute("other"));
    }

    #[test]
    fn an_id_names_its_target_again() {
        let imported = Imported::from_id("hubspot/zh48wgsfld@62515.smtp.hubspot.net").unwrap();
        let Imported::Target(target) = imported else { panic!("{imported:?} is no target") };
        assert_eq!(target.id(), "hubspot/zh48wgsfld@62515.smtp.hubspot.net");
        assert_eq!(path(&target), Path::attribute("hubspot").then("user_name"));
        assert_eq!(of(&Value::object([("hubspot", value(&target))])).unwrap().unwrap().id(), target.id());
    }

    #[test]
    fn an_import_id_has_a_known_vendor_and_every_part() {
        for (id, words) in [
            ("", "has no vendor before a `/`"),
            ("zh48", "has no vendor before a `/`"),
            ("nobody/zh48", "names no vendor that this provider knows"),
            ("hubspot", "`hubspot/<user_name>`"),
            ("hubspot/", "`hubspot/<user_name>`"),
            ("hubspot/a/b", "`hubspot/<user_name>`"),
            ("hubspot/a%2fb", "must not contain `%`"),
            ("hubspot/..", "must not contain `..`"),
        ] {
            let diagnostics = Imported::from_id(id).unwrap_err();
            let detail = &diagnostics.iter().next().unwrap().detail;
            assert!(detail.contains(words), "{id}: {detail}");
        }
    }
}

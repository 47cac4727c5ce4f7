//! The credential that a resource manages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{configured::Configured, lists};
use crate::{
    framework::{
        diagnostic::{Diagnostic, Path, Result},
        schema::{Attribute, Type},
        validate::invalid,
        value::Value,
    },
    secret::Secret,
    vendors::{Field, Fields, ImportId, NAMED_VENDORS, ResetKind, Target, Vendor, VendorOrigin},
};

/// The vendors for which a configuration sets an attribute.
pub(in crate::provider) enum Named {
    /// None.
    Nothing,
    /// One, whose fields may be unknown.
    One(&'static Vendor),
    /// Not known yet: at least one vendor's attribute is unknown as a whole.
    Undecided,
    /// Several.
    Several(Vec<&'static Vendor>),
}

/// Returns the attributes that identify a credential, one per vendor.
pub(in crate::provider) fn attributes() -> impl Iterator<Item = Attribute> {
    NAMED_VENDORS.iter().map(|vendor| {
        let fields = vendor.target.iter().map(|field| attribute(field).requires_replace());
        let title = match vendor.origin {
            VendorOrigin::NotConfigured => "the API that the `http` block of the provider describes",
            VendorOrigin::BuiltIn | VendorOrigin::Configured { .. } => vendor.title,
        };
        let description = format!("The credential at {title}. Changing it replaces the resource.");
        Attribute::optional(vendor.name, Type::Object(fields.collect()), description).requires_replace()
    })
}

/// Returns the attributes that identify the credentials of a pair, one per vendor: a list of objects.
pub(in crate::provider) fn list_attributes() -> impl Iterator<Item = Attribute> {
    NAMED_VENDORS.iter().map(|vendor| {
        let fields = vendor.target.iter().map(|field| attribute(field));
        let description = match vendor.reset_kind {
            _ if vendor.origin == VendorOrigin::NotConfigured => {
                "Exactly two different credentials at the API that the `http` block of the provider describes, if that \
                 resets in place. They take turns, as those of any vendor do."
                    .to_owned()
            }
            ResetKind::InPlace => format!(
                "Exactly two different credentials at {}, which take turns. The first is reset when the resource is \
                 created. A change resets nothing while the current credential is still in the list.",
                vendor.title
            ),
            ResetKind::NewCredential => format!(
                "Not supported: at {} a reset makes a new credential. Use `smtp_credential_password` there.",
                vendor.title
            ),
        };
        Attribute::optional(vendor.name, Type::Objects(fields.collect()), description)
    })
}

/// Returns the attributes that select an account to list, one per vendor.
pub(in crate::provider) fn scope_attributes() -> impl Iterator<Item = Attribute> {
    NAMED_VENDORS.iter().map(|vendor| {
        let fields = vendor.scope.iter().map(|field| attribute(field));
        let description = match vendor.scope {
            [] => format!("The account at {} that the provider logs in to: `{{}}`.", vendor.title),
            _ => format!("The account or scope at {} whose credentials are listed.", vendor.title),
        };
        Attribute::optional(vendor.name, Type::Object(fields.collect()), description)
    })
}

fn attribute(field: &Field) -> Attribute {
    let r#type = if field.list.is_some() { Type::List(Box::new(Type::String)) } else { Type::String };
    let attribute = if field.is_optional {
        Attribute::optional(field.name, r#type, field.description)
    } else {
        Attribute::required(field.name, r#type, field.description)
    };
    attribute.validated_by(field.check)
}

/// Finds the vendors that `value` sets. An attribute that is unknown as a whole may turn out to be null.
pub(in crate::provider) fn named(value: &Value) -> Named {
    named_among(&NAMED_VENDORS, value)
}

fn named_among(vendors: &[&'static Vendor], value: &Value) -> Named {
    let set: Vec<_> = vendors.iter().copied().filter(|vendor| is_set(value.get(vendor.name))).collect();
    let unknown = vendors.iter().any(|vendor| value.get(vendor.name).is_unknown());
    match *set {
        // An unknown attribute may still turn out to be the one that is set.
        [] if unknown => Named::Undecided,
        [] => Named::Nothing,
        [vendor] => Named::One(vendor),
        _ => Named::Several(set),
    }
}

/// Returns whether a value is neither null nor unknown.
fn is_set(value: &Value) -> bool {
    !value.is_null() && !value.is_unknown()
}

/// Returns the credential that a configuration, plan or state identifies; `None` while a part of it is unknown.
pub(in crate::provider) fn of(value: &Value, configured: Configured) -> Result<Option<Target>> {
    CREDENTIAL.of(value, configured)
}

/// Returns the credential of a state or of an approved plan, in which every identifying argument is known.
pub(in crate::provider) fn known(state: &Value, configured: Configured) -> Result<Target> {
    of(state, configured)?.ok_or_else(|| {
        let detail = "An argument that identifies the credential is not known yet.";
        Diagnostic::error("Unknown credential", detail).into()
    })
}

/// Returns the scope that the data source's configuration selects; `None` while a part of it is unknown.
pub(in crate::provider) fn scope_of(value: &Value, configured: Configured) -> Result<Option<Target>> {
    ACCOUNT.of(value, configured)
}

/// Returns the path of the attribute that identifies the credential.
pub(in crate::provider) fn path(target: &Target) -> Path {
    let path = Path::attribute(target.vendor.name);
    match target.vendor.identity {
        [.., last] => path.then(last.name),
        [] => path,
    }
}

/// Returns the value of the vendor's attribute.
pub(in crate::provider) fn value(target: &Target) -> Value {
    let list = |list: &[String]| Value::List(list.iter().map(|element| element.as_str().into()).collect());
    let value = |field: &Field| match target.fields.list(field) {
        Some(elements) => list(elements),
        None => target.fields.text(field).into(),
    };
    Value::object(target.vendor.target.iter().map(|field| (field.name, value(field))))
}

/// Returns the credential that an object at this path identifies; `None` while a part of it is unknown.
pub(in crate::provider) fn in_object(vendor: &'static Vendor, object: &Value, at: &Path) -> Result<Option<Target>> {
    fields_of(vendor, vendor.target, object, at)
}

fn fields_of(vendor: &'static Vendor, fields: &[&'static Field], object: &Value, at: &Path) -> Result<Option<Target>> {
    if !object.is_wholly_known() {
        return Ok(None);
    }
    let texts = fields.iter().filter(|field| field.list.is_none());
    let texts = texts.filter_map(|field| Some((*field, object.get(field.name).as_str()?)));
    let mut target = from_texts(vendor, texts, at)?;
    for field in fields {
        lists::insert(&mut target.fields, field, object, at)?;
    }
    Ok(Some(target))
}

fn from_texts<'a>(
    vendor: &'static Vendor,
    texts: impl IntoIterator<Item = (&'static Field, &'a str)>,
    at: &Path,
) -> Result<Target> {
    let mut fields = Fields::default();
    for (field, text) in texts {
        fields.insert(field, Secret::new(text)).map_err(|words| invalid(at.clone().then(field.name), words))?;
        if let VendorOrigin::Configured { name_form, .. } = vendor.origin
            && text.split('/').count() != name_form.split('/').count()
        {
            let words = format!("must have the form `{name_form}`, as the `http` block of the provider says");
            return Err(invalid(at.clone().then(field.name), &words).into());
        }
    }
    Ok(Target { vendor, fields })
}

/// What an import id identifies.
#[derive(Debug)]
pub(in crate::provider) enum Imported {
    /// A credential, by the arguments that identify it.
    Target(Target),
    /// A credential, by the id that its vendor gave it.
    Credential {
        /// The vendor, and the scope that the credential is in.
        scope: Target,
        /// The vendor's id for it.
        id: String,
    },
}

impl Imported {
    /// Parses an import id: the vendor and what identifies the credential there, joined by `/`.
    pub(in crate::provider) fn from_id(text: &str, configured: Configured) -> Result<Self> {
        let mut parts = text.split('/');
        let name = parts.next().unwrap_or_default();
        let vendor =
            NAMED_VENDORS.iter().copied().find(|vendor| vendor.name == name).ok_or_else(|| unknown_vendor(text))?;
        let vendor = configured.vendor(vendor);
        let parts: Vec<_> = match vendor.origin {
            VendorOrigin::NotConfigured => text.split_once('/').map(|(_, rest)| rest).into_iter().collect(),
            VendorOrigin::BuiltIn | VendorOrigin::Configured { .. } => parts.collect(),
        };
        let names: Vec<_> = match (vendor.origin, vendor.import) {
            (VendorOrigin::Configured { name_form, .. }, _) => name_form.split('/').collect(),
            (_, ImportId::Credential | ImportId::ScopedCredential) => {
                vendor.import_scope().iter().map(|field| field.name).collect()
            }
            (_, ImportId::Identity) => vendor.identity.iter().map(|field| field.name).collect(),
        };
        let id = (vendor.import != ImportId::Identity).then_some("credential id");
        let wanted: Vec<_> = names.iter().copied().chain(id).collect();
        // Empty parts would pass as arguments and only fail at the vendor.
        if parts.len() != wanted.len() || parts.contains(&"") {
            let form = wanted.iter().map(|name| format!("<{name}>")).collect::<Vec<_>>().join("/");
            let detail = format!("The import id of a {} credential has the form `{name}/{form}`.", vendor.title);
            return Err(Diagnostic::error("Invalid import id", detail).into());
        }
        // The parts of a name are one field.
        let name = parts[..names.len()].join("/");
        let parts = match (vendor.origin, vendor.import) {
            (VendorOrigin::Configured { .. }, ImportId::Identity) => vec![&*name],
            (VendorOrigin::Configured { .. }, _) => vec![&*name, parts[names.len()]],
            _ => parts,
        };
        match vendor.import {
            ImportId::Credential | ImportId::ScopedCredential => {
                let id = parts.last().copied().unwrap_or_default().to_owned();
                let texts = vendor.import_scope().iter().copied().zip(parts);
                let scope = from_texts(vendor, texts, &Path::attribute(vendor.name))?;
                Ok(Self::Credential { scope, id })
            }
            ImportId::Identity => {
                let texts = vendor.identity.iter().copied().zip(parts);
                from_texts(vendor, texts, &Path::attribute(vendor.name)).map(Self::Target)
            }
        }
    }

    /// The vendor.
    pub(in crate::provider) fn vendor(&self) -> &'static Vendor {
        match self {
            Self::Target(target) => target.vendor,
            Self::Credential { scope, .. } => scope.vendor,
        }
    }
}

/// A target as private data stores it.
#[derive(Debug, Deserialize, Serialize)]
pub(in crate::provider) struct StoredTarget {
    vendor: String,
    fields: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    lists: BTreeMap<String, Vec<String>>,
}

impl StoredTarget {
    /// Converts a target for storage.
    pub(in crate::provider) fn of(target: &Target) -> Self {
        let fields = target.vendor.target.iter();
        let list = |field: &&Field| Some((field.name.to_owned(), target.fields.list(field)?.to_vec()));
        Self {
            lists: fields.clone().filter_map(list).collect(),
            vendor: target.vendor.name.to_owned(),
            fields: fields
                .filter_map(|field| Some((field.name.to_owned(), target.fields.text(field)?.to_owned())))
                .collect(),
        }
    }

    /// Returns the stored target; `None` if this version of the provider does not know its vendor or accept its fields.
    pub(in crate::provider) fn target(&self, configured: Configured) -> Option<Target> {
        let vendor = NAMED_VENDORS.iter().copied().find(|vendor| vendor.name == self.vendor)?;
        let vendor = configured.vendor(vendor);
        let texts = vendor.target.iter().filter_map(|field| Some((*field, self.fields.get(field.name)?.as_str())));
        let mut target = from_texts(vendor, texts, &Path::default()).ok()?;
        for field in vendor.target {
            if let Some(elements) = self.lists.get(field.name) {
                let elements: Vec<_> = elements.iter().map(String::as_str).collect();
                target.fields.insert_list(field, &elements).ok()?;
            }
        }
        Some(target)
    }
}

/// The error for a configuration without a credential.
pub(in crate::provider) fn missing() -> Diagnostic {
    CREDENTIAL.missing()
}

/// The error for a configuration with several credentials.
pub(in crate::provider) fn several(set: &[&'static Vendor]) -> Diagnostic {
    CREDENTIAL.several(set)
}

/// The error for a pair without credentials.
pub(in crate::provider) fn no_pair() -> Diagnostic {
    let detail = format!("Set exactly one of {}, to a list of two credentials.", names(&pairable()));
    Diagnostic::error("No credentials are set", detail)
}

/// The error for a pair with credentials of several vendors.
pub(in crate::provider) fn several_pairs(set: &[&'static Vendor]) -> Diagnostic {
    let detail = format!(
        "{} are set. The credentials of a pair are at one vendor: set exactly one of {}.",
        names(set),
        names(&pairable())
    );
    Diagnostic::error("More than one vendor is set", detail)
        .at(Path::attribute(set.last().map_or("", |vendor| vendor.name)))
}

/// The vendors at which a reset leaves the credential in place, so that two of them can take turns.
fn pairable() -> Vec<&'static Vendor> {
    NAMED_VENDORS.iter().copied().filter(|vendor| vendor.reset_kind == ResetKind::InPlace).collect()
}

/// What a configuration has to identify.
struct Subject {
    noun: &'static str,
    /// Why it is exactly one.
    rule: &'static str,
    fields: fn(&'static Vendor) -> &'static [&'static Field],
}

const CREDENTIAL: Subject = Subject {
    noun: "credential",
    rule: "A resource resets the password of one credential",
    fields: |vendor| vendor.target,
};

const ACCOUNT: Subject =
    Subject { noun: "account", rule: "The credentials of one account are listed", fields: |vendor| vendor.scope };

impl Subject {
    fn of(&self, value: &Value, configured: Configured) -> Result<Option<Target>> {
        match named(value) {
            Named::One(vendor) => {
                let vendor = configured.vendor(vendor);
                fields_of(vendor, (self.fields)(vendor), value.get(vendor.name), &Path::attribute(vendor.name))
            }
            Named::Undecided => Ok(None),
            Named::Nothing => Err(self.missing().into()),
            Named::Several(vendors) => Err(self.several(&vendors).into()),
        }
    }

    fn missing(&self) -> Diagnostic {
        Diagnostic::error(format!("No {} is set", self.noun), format!("Set exactly one of {}.", names(&NAMED_VENDORS)))
    }

    fn several(&self, set: &[&'static Vendor]) -> Diagnostic {
        let detail = format!("{} are set. {}: set exactly one of {}.", names(set), self.rule, names(&NAMED_VENDORS));
        Diagnostic::error(format!("More than one {} is set", self.noun), detail)
            .at(Path::attribute(set.last().map_or("", |vendor| vendor.name)))
    }
}

fn unknown_vendor(id: &str) -> Diagnostic {
    let known = NAMED_VENDORS.iter().map(|vendor| format!("`{}/…`", vendor.name)).collect::<Vec<_>>().join(", ");
    let named = if id.contains('/') { "starts with an unknown vendor" } else { "has no vendor before a `/`" };
    Diagnostic::error("Invalid import id", format!("The import id {named}. It must start with one of {known}."))
}

fn names(vendors: &[&Vendor]) -> String {
    vendors.iter().map(|vendor| format!("`{}`", vendor.name)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendors::VENDORS;

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
        let imported = Imported::from_id("hubspot/zh48wgsfld@62515.smtp.hubspot.net", Configured::default()).unwrap();
        let Imported::Target(target) = imported else { panic!("{imported:?} is no target") };
        assert_eq!(target.id(), "hubspot/zh48wgsfld@62515.smtp.hubspot.net");
        assert_eq!(path(&target), Path::attribute("hubspot").then("user_name"));
        assert_eq!(
            of(&Value::object([("hubspot", value(&target))]), Configured::default()).unwrap().unwrap().id(),
            target.id()
        );
    }

    /// A field that is a list, its vendor, and a credential there with this list.
    fn listing(list: Value) -> (&'static Vendor, &'static Field, Value) {
        let is_list = |field: &&Field| field.list.is_some();
        let with_list = |vendor: &&'static Vendor| Some((*vendor, vendor.target.iter().copied().find(is_list)?));
        let (vendor, field) = VENDORS.iter().find_map(with_list).unwrap();
        let mut object = Value::object(vendor.target.iter().map(|field| (field.name, "a".into())));
        object.set(field.name, list);
        (vendor, field, Value::object([(vendor.name, object)]))
    }

    fn list(texts: &[&str]) -> Value {
        Value::List(texts.iter().map(|text| (*text).into()).collect())
    }

    #[test]
    fn a_list_survives_the_state_and_the_private_data() {
        let [other, default] = ["other", listing(Value::Null).1.list.unwrap().default[0]];
        for elements in [Value::Null, list(&[other, default])] {
            let (vendor, field, config) = listing(elements.clone());
            let target = of(&config, Configured::default()).unwrap().unwrap();
            assert_eq!(value(&target).get(field.name), &elements);
            let stored = serde_json::to_string(&StoredTarget::of(&target)).unwrap();
            assert_eq!(stored.contains("lists"), !elements.is_null(), "{stored}");
            let again = serde_json::from_str::<StoredTarget>(&stored).unwrap().target(Configured::default()).unwrap();
            assert_eq!((again.vendor.name, again.fields), (vendor.name, target.fields));
        }
    }

    #[test]
    fn a_bad_list_is_refused_at_its_element_once_it_is_known() {
        let default = listing(Value::Null).1.list.unwrap().default[0];
        for (elements, at) in [
            (list(&[]), Some("")),
            (list(&["other"]), Some("")),
            (list(&[default, default]), Some("[1]")),
            (list(&[default, "a b"]), Some("[1]")),
            (Value::List(vec![Value::Null, default.into()]), Some("[0]")),
            (Value::List(vec![Value::Null, Value::Unknown]), None),
            (Value::Unknown, None),
            (Value::Null, None),
            (list(&[default]), None),
        ] {
            let (vendor, field, config) = listing(elements.clone());
            let expected = at.map(|at| format!("{}.{}{at}", vendor.name, field.name));
            let path = |diagnostics: crate::framework::diagnostic::Diagnostics| {
                diagnostics.iter().map(|diagnostic| diagnostic.path.to_string()).collect::<Vec<_>>().join(", ")
            };
            assert_eq!(lists::validate(vendor, &config).err().map(path), expected, "{elements:?}");
            assert_eq!(of(&config, Configured::default()).err().map(path), expected, "{elements:?}");
        }
    }

    #[test]
    fn an_import_id_has_a_known_vendor_and_every_part() {
        for (id, words) in [
            ("", "has no vendor before a `/`"),
            ("zh48", "has no vendor before a `/`"),
            ("nobody/zh48", "starts with an unknown vendor"),
            ("hubspot", "`hubspot/<user_name>`"),
            ("hubspot/", "`hubspot/<user_name>`"),
            ("hubspot/a/b", "`hubspot/<user_name>`"),
            ("hubspot/a%2fb", "must not contain `%`"),
            ("hubspot/..", "must not contain `..`"),
        ] {
            let diagnostics = Imported::from_id(id, Configured::default()).unwrap_err();
            let detail = &diagnostics.iter().next().unwrap().detail;
            assert!(detail.contains(words), "{id}: {detail}");
        }
    }
}

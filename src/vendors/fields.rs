//! The settings and targets of vendors, as data and as values.

use std::collections::{BTreeMap, BTreeSet};

use super::check::{self, Check};
use crate::secret::{Outside, Secret};

/// A setting in the provider block, or a part of a target. All are texts; a part of a target may be a list of them.
#[derive(Debug)]
pub struct Field {
    /// The attribute in HCL.
    pub name: &'static str,
    /// What it is, in Markdown.
    pub description: &'static str,
    /// The environment variable that it falls back to.
    pub env: Option<&'static str>,
    /// Whether a setting is read from that variable only, and is no argument.
    pub is_variable: bool,
    /// Other variables that are read if that one is not set, because other programs read them.
    pub other_env: &'static [&'static str],
    /// Whether a target is complete without it. A setting is required by the login that it is in.
    pub is_optional: bool,
    /// Whether it is a switch, `true` or `false`. If it is off, that is the same as if it is not set.
    pub is_switch: bool,
    /// Whether it may be shown.
    pub visibility: Visibility,
    /// What holds for every value. A refusal never repeats the value.
    pub check: Check,
    /// What holds for the list as a whole, where it is a list. Such a part of a target may be shown and is optional.
    pub list: Option<&'static ListRule>,
}

/// A field that is a list of different texts, whose order does not matter.
#[derive(Debug)]
pub struct ListRule {
    /// The elements where the field is not set.
    pub default: &'static [&'static str],
    /// A text that every list has, and the message that refuses a list without it.
    pub required: (&'static str, &'static str),
}

/// Why a list is refused: the element that is at fault, unless it is the whole list, and words that follow its path.
pub type ListFault = (Option<usize>, &'static str);

impl Field {
    /// A field that may be shown.
    pub(super) const fn shown(name: &'static str, description: &'static str, check: Check) -> Self {
        Self {
            name,
            description,
            env: None,
            is_variable: false,
            other_env: &[],
            is_optional: false,
            is_switch: false,
            visibility: Visibility::Shown,
            check,
            list: None,
        }
    }

    /// A field that nobody but the vendor sees.
    pub(super) const fn secret(name: &'static str, description: &'static str, check: Check) -> Self {
        Self { visibility: Visibility::Secret, ..Self::shown(name, description, check) }
    }

    /// A switch.
    pub(super) const fn switch(name: &'static str, description: &'static str) -> Self {
        Self { is_switch: true, ..Self::shown(name, description, check::switch) }
    }

    /// A list of texts, each of which the check accepts.
    pub(super) const fn list(
        name: &'static str,
        description: &'static str,
        check: Check,
        list: &'static ListRule,
    ) -> Self {
        Self { list: Some(list), is_optional: true, ..Self::shown(name, description, check) }
    }

    /// Lets a target be complete without the field.
    pub(super) const fn optional(self) -> Self {
        Self { is_optional: true, ..self }
    }

    /// Lets the field fall back to an environment variable.
    pub(super) const fn or_env(self, variable: &'static str) -> Self {
        Self { env: Some(variable), ..self }
    }

    /// Makes the field no argument, so it is read from its variable only.
    pub(super) const fn variable(self) -> Self {
        Self { is_variable: true, ..self }
    }

    /// Lets the field fall back to further environment variables.
    pub(super) const fn or_other_env(self, variables: &'static [&'static str]) -> Self {
        Self { other_env: variables, ..self }
    }

    /// The environment variables that it falls back to, the first one first.
    pub fn variables(&self) -> impl Iterator<Item = &'static str> {
        self.env.into_iter().chain(self.other_env.iter().copied())
    }
}

/// Whether a field may be shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Visibility {
    /// It appears in plans, ids and messages.
    Shown,
    /// Nobody but the vendor sees it.
    Secret,
}

/// The values of fields, each known to have passed its check.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fields {
    shown: BTreeMap<&'static str, String>,
    secret: BTreeMap<&'static str, Secret>,
    lists: BTreeMap<&'static str, Vec<String>>,
}

impl Fields {
    /// Adds a value, or returns the message of the field's check that refuses it.
    pub fn insert(&mut self, field: &'static Field, value: Secret) -> Result<(), &'static str> {
        value.check(field.check)?;
        match field.visibility {
            Visibility::Shown => _ = self.shown.insert(field.name, value.for_wire().to_owned()),
            Visibility::Secret => {
                value.remember();
                self.secret.insert(field.name, value);
            }
        }
        Ok(())
    }

    /// Adds the elements of a field that is a list.
    pub fn insert_list(&mut self, field: &'static Field, elements: &[&str]) -> Result<(), ListFault> {
        let list = field.list.ok_or((None, "must not be a list"))?;
        if elements.is_empty() {
            return Err((None, "must not be empty; omit it for the default"));
        }
        let mut earlier = BTreeSet::new();
        for (index, element) in elements.iter().enumerate() {
            (field.check)(element).map_err(|words| (Some(index), words))?;
            if !earlier.insert(element) {
                return Err((Some(index), "must not repeat an earlier element"));
            }
        }
        let (required, words) = list.required;
        if !elements.contains(&required) {
            return Err((None, words));
        }
        self.lists.insert(field.name, elements.iter().map(|&element| element.to_owned()).collect());
        Ok(())
    }

    /// Returns the elements of a field that is a list, where it is set.
    pub fn list(&self, field: &Field) -> Option<&[String]> {
        self.lists.get(field.name).map(Vec::as_slice)
    }

    /// Adds what a vendor calls a credential; `false` where it is no name, or the field cannot hold it.
    pub(super) fn insert_name(&mut self, field: &'static Field, name_from_vendor: &Outside) -> bool {
        name_from_vendor.name().is_some_and(|name| self.insert(field, Secret::new(name)).is_ok())
    }

    /// The value of a field that may be shown.
    pub fn text(&self, field: &Field) -> Option<&str> {
        self.shown.get(field.name).map(String::as_str)
    }

    /// The value of a secret field.
    pub fn secret(&self, field: &Field) -> Option<&Secret> {
        self.secret.get(field.name)
    }

    /// The value of the field with this name, if it may be shown.
    pub(super) fn named(&self, name: &str) -> Option<&str> {
        self.shown.get(name).map(String::as_str)
    }

    /// The value of a required field that may be shown. Every target has all of its vendor's fields.
    pub(super) fn get(&self, field: &Field) -> &str {
        self.text(field).unwrap_or_default()
    }

    /// The value of a required secret field.
    pub(super) fn get_secret(&self, field: &Field) -> Secret {
        self.secret(field).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static SCOPES: Field = Field::list(
        "scopes",
        "",
        check::line,
        &ListRule { default: &["send"], required: ("send", "must contain `send`") },
    );
    static NAME: Field = Field::shown("name", "", check::line);

    #[test]
    fn a_list_is_kept_in_its_order_only_as_a_whole() {
        let mut fields = Fields::default();
        assert_eq!(fields.list(&SCOPES), None);
        for (elements, at, words) in [
            (&[] as &[&str], None, "must not be empty; omit it for the default"),
            (&["send", ""], Some(1), "must not be empty"),
            (&["send", "b", "b"], Some(2), "must not repeat an earlier element"),
            (&["Send"], None, "must contain `send`"),
        ] {
            assert_eq!(fields.insert_list(&SCOPES, elements), Err((at, words)), "{elements:?}");
            assert_eq!(fields.list(&SCOPES), None);
        }
        fields.insert_list(&SCOPES, &["b", "send"]).unwrap();
        assert_eq!(fields.list(&SCOPES).unwrap(), ["b", "send"]);
        assert_eq!(fields.text(&SCOPES), None);
        assert!(fields.insert_list(&NAME, &["a"]).is_err());
    }
}

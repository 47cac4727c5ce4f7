//! Schemas: what a user may write, what the provider answers with, and the words that the docs are made from.

use std::borrow::Cow;

/// The schema of the provider block, a resource or a data source.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// The version that is stored with a state of this schema.
    pub version: i64,
    /// What it is for, in Markdown.
    pub description: String,
    /// The attributes, in the order in which the docs should list them.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// The attribute of that name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// What values an attribute takes.
#[derive(Clone, Debug)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// A list of values of one primitive type, or of objects without nested schema.
    List(Box<Type>),
    /// One nested object.
    Object(Vec<Attribute>),
    /// A list of nested objects.
    Objects(Vec<Attribute>),
}

/// Who gives an attribute its value.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// The configuration must.
    Required,
    /// The configuration may.
    Optional,
    /// The configuration may; otherwise the provider does.
    OptionalComputed,
    /// The provider does.
    Computed,
}

/// What a change of an attribute does to an existing object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnChange {
    /// The object is updated in place.
    Update,
    /// The object is replaced.
    Replace,
}

/// Says what is wrong with a text, in words that follow the argument's name: "must not be empty".
pub type Check = fn(&str) -> Result<(), &'static str>;

/// One attribute of a schema or of a nested object.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its name.
    pub name: Cow<'static, str>,
    /// What values it takes.
    pub r#type: Type,
    /// Who gives it its value.
    pub mode: Mode,
    /// Whether core hides it.
    pub sensitive: bool,
    /// Whether it is never stored.
    pub write_only: bool,
    /// What a change of it does.
    pub on_change: OnChange,
    /// What it is for, in Markdown.
    pub description: String,
    /// A rule that a known text must keep.
    pub check: Option<Check>,
}

impl Attribute {
    /// An attribute that the configuration must set.
    pub fn required(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::Required, description)
    }

    /// An attribute that the configuration may set.
    pub fn optional(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::Optional, description)
    }

    /// An attribute that the configuration may set and the provider fills in otherwise.
    pub fn optional_computed(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::OptionalComputed, description)
    }

    /// An attribute that the provider sets.
    pub fn computed(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::Computed, description)
    }

    /// Hides the attribute in core's output.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// Keeps the attribute out of plan and state.
    #[must_use]
    pub fn write_only(self) -> Self {
        Self { write_only: true, ..self }
    }

    /// Makes a change of the attribute replace the object.
    #[must_use]
    pub fn requires_replace(self) -> Self {
        Self { on_change: OnChange::Replace, ..self }
    }

    /// Sets the rule for a known text.
    #[must_use]
    pub fn validated_by(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }

    /// Tells whether a text in it is decoded as a [`Secret`](crate::secret::Secret).
    pub fn is_secret(&self) -> bool {
        self.sensitive || self.write_only
    }

    /// Tells whether the provider may give it a value.
    pub fn is_computed(&self) -> bool {
        matches!(self.mode, Mode::Computed | Mode::OptionalComputed)
    }

    fn new(name: impl Into<Cow<'static, str>>, r#type: Type, mode: Mode, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            r#type,
            mode,
            sensitive: false,
            write_only: false,
            on_change: OnChange::Update,
            description: description.into(),
            check: None,
        }
    }
}

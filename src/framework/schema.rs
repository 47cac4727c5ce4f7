//! Schemas: attributes with their types, checks and descriptions.

use std::borrow::Cow;

/// The schema of the provider block, a resource or a data source.
#[derive(Clone, Debug, Default)]
pub struct Schema {
    /// The version, which core stores with every state.
    pub version: i64,
    /// The description, in Markdown.
    pub description: String,
    /// The attributes, in the order of the documentation.
    pub attributes: Vec<Attribute>,
}

impl Schema {
    /// Returns a top-level attribute by name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// The type of an attribute's values.
#[derive(Clone, Debug)]
pub enum Type {
    /// `bool`.
    Bool,
    /// `number`.
    Number,
    /// `string`.
    String,
    /// A list of values of one primitive type, or of plain objects.
    List(Box<Type>),
    /// One nested object.
    Object(Vec<Attribute>),
    /// A list of nested objects.
    Objects(Vec<Attribute>),
    /// Values of one type by names of the user's choice.
    Map(Box<Type>),
    /// One nested object that is written as a block, so that core reports names that it does not have. Only for
    /// optional attributes of the configuration.
    Block(Vec<Attribute>),
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Mode {
    /// The configuration must set it.
    Required,
    /// The configuration may set it.
    Optional,
    /// The configuration may set it; otherwise the provider does.
    OptionalComputed,
    /// Only the provider sets it.
    Computed,
}

/// How a change of an attribute is applied to an existing object.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnChange {
    /// The object is updated in place.
    Update,
    /// The object is replaced.
    Replace,
}

/// Validates a string. The error follows the argument's name, such as "must not be empty", and never quotes the string.
pub type Check = fn(&str) -> Result<(), &'static str>;

/// One attribute of a schema or of a nested object.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// The name.
    pub name: Cow<'static, str>,
    /// The type of its values.
    pub r#type: Type,
    /// Who sets it.
    pub mode: Mode,
    /// Whether core hides its value in output.
    pub sensitive: bool,
    /// Whether its value is never stored.
    pub write_only: bool,
    /// How a change is applied.
    pub on_change: OnChange,
    /// The description, in Markdown.
    pub description: String,
    /// A check for known strings.
    pub check: Option<Check>,
}

impl Attribute {
    /// Creates an attribute that the configuration must set.
    pub fn required(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::Required, description)
    }

    /// Creates an attribute that the configuration may set.
    pub fn optional(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::Optional, description)
    }

    /// Creates an attribute that the configuration may set and the provider sets otherwise.
    pub fn optional_computed(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::OptionalComputed, description)
    }

    /// Creates an attribute that only the provider sets.
    pub fn computed(name: impl Into<Cow<'static, str>>, r#type: Type, description: impl Into<String>) -> Self {
        Self::new(name, r#type, Mode::Computed, description)
    }

    /// Makes core hide the value in output.
    #[must_use]
    pub fn sensitive(self) -> Self {
        Self { sensitive: true, ..self }
    }

    /// Keeps the value out of plan and state.
    #[must_use]
    pub fn write_only(self) -> Self {
        Self { write_only: true, ..self }
    }

    /// Makes every change replace the object.
    #[must_use]
    pub fn requires_replace(self) -> Self {
        Self { on_change: OnChange::Replace, ..self }
    }

    /// Sets the check for known strings.
    #[must_use]
    pub fn validated_by(self, check: Check) -> Self {
        Self { check: Some(check), ..self }
    }

    /// Returns whether its strings are decoded as [`Secret`](crate::secret::Secret)s.
    pub fn is_secret(&self) -> bool {
        self.sensitive || self.write_only
    }

    /// Returns whether the provider may set it.
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

//! The trait for provider functions.

use std::borrow::Cow;

use super::{
    schema::{Attribute, Type},
    value::Value,
};

/// A provider function.
///
/// A function is pure: the same arguments always give the same result, and it neither blocks nor sends anything. Core
/// calls it during validate, plan and apply, mostly in a process in which the provider was never configured. If an
/// argument is sensitive, core marks the result as sensitive. A function itself cannot declare its result sensitive.
pub trait Function: Send + Sync + 'static {
    /// Returns the name, without `provider::smtp::`.
    fn name(&self) -> &'static str;

    /// Returns the parameters, the return type and the documentation.
    fn signature(&self) -> &Signature;

    /// Computes the result. There is one argument for each parameter, followed by those of the variadic parameter. Each
    /// argument is wholly known, has the parameter's type, has passed its check, and is null only if the parameter is
    /// optional.
    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError>;
}

/// The parameters and the return type of a function, with the texts for its documentation.
#[derive(Clone, Debug)]
pub struct Signature {
    /// One sentence in plain text.
    pub summary: &'static str,
    /// The description, in Markdown.
    pub description: String,
    /// The parameters, in order: required attributes, and optional ones, which accept null. Strings of sensitive
    /// parameters are decoded as [`Secret`](crate::secret::Secret)s.
    pub parameters: Vec<Attribute>,
    /// The parameter that all further arguments belong to, if any are allowed.
    pub variadic: Option<Attribute>,
    /// The type of the result.
    pub returns: Type,
}

/// Why a function failed. It must not quote an argument: core shows the text even if the argument is sensitive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FunctionError {
    /// The error message.
    pub text: Cow<'static, str>,
    /// The argument that it is about, counted from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// Creates an error about the call as a whole, in whole sentences.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), argument: None }
    }

    /// Creates an error about one argument, such as "must not be empty". Core puts the parameter's name and a colon
    /// before it and a full stop after it.
    pub fn of(argument: usize, words: impl Into<Cow<'static, str>>) -> Self {
        Self { text: words.into(), argument: Some(argument) }
    }
}

//! What expressions can call.

use std::borrow::Cow;

use super::{
    schema::{Attribute, Type},
    value::Value,
};

/// A provider function.
///
/// It is pure: the same arguments have the same result, and it neither waits nor asks anybody. Core calls it while it validates,
/// plans and applies, mostly in a process in which the provider was never configured. Where an argument is sensitive, core
/// treats the result as sensitive; nothing that a function itself declares can do so.
pub trait Function: Send + Sync + 'static {
    /// Its name, to follow `provider::smtp::`.
    fn name(&self) -> &'static str;

    /// What it takes and what it gives.
    fn signature(&self) -> &Signature;

    /// Computes the result. There is an argument for each parameter, and after them those of the variadic one; each is wholly known, of
    /// its type, keeps its rule, and is null only where the parameter is optional.
    fn call(&self, arguments: &[Value]) -> Result<Value, FunctionError>;
}

/// What a function takes and gives, and the words that the docs are made from.
#[derive(Clone, Debug)]
pub struct Signature {
    /// One sentence in plain text.
    pub summary: &'static str,
    /// What it is for, in Markdown.
    pub description: String,
    /// The parameters, in order: attributes that are required, or optional where null is accepted. A text in a sensitive one is
    /// read as a [`Secret`](crate::secret::Secret).
    pub parameters: Vec<Attribute>,
    /// The parameter of every further argument, if there may be any.
    pub variadic: Option<Attribute>,
    /// What it gives.
    pub returns: Type,
}

/// Why a function has no result. It never repeats an argument: core shows it whatever is sensitive.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FunctionError {
    /// What is wrong.
    pub text: Cow<'static, str>,
    /// The argument at fault, counted from 0.
    pub argument: Option<usize>,
}

impl FunctionError {
    /// A fault of the call as a whole, in whole sentences.
    pub fn new(text: impl Into<Cow<'static, str>>) -> Self {
        Self { text: text.into(), argument: None }
    }

    /// A fault of one argument. Core names the parameter, puts a colon between it and `words`, and a full stop behind them: "must not
    /// be empty".
    pub fn of(argument: usize, words: impl Into<Cow<'static, str>>) -> Self {
        Self { text: words.into(), argument: Some(argument) }
    }
}

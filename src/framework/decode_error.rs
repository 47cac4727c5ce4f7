//! What is wrong with bytes that should have been a value.

use std::{error::Error, fmt};

use super::diagnostic::{Path, Step};

/// Bytes that are no value of their schema. Tells the place and the kind of the fault, and nothing of the content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// Where the fault is, in names of the schema.
    pub path: Path,
    /// What it is, such as `is not a string`.
    pub fault: &'static str,
}

impl DecodeError {
    /// A fault of the whole value.
    pub(super) fn new(fault: &'static str) -> Self {
        Self { path: Path::default(), fault }
    }

    /// Says that the value is only a part of another.
    pub(super) fn within(self, step: Step) -> Self {
        Self { path: self.path.under(step), ..self }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.steps().is_empty() {
            return write!(f, "the value {}", self.fault);
        }
        write!(f, "`{}` {}", self.path, self.fault)
    }
}

impl Error for DecodeError {}

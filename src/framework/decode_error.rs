//! The error for bytes that are not a valid value.

use std::{error::Error, fmt};

use super::diagnostic::{Path, Step};

/// Bytes that are not a value of their schema. It names the place and the kind of the mistake, never the content.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DecodeError {
    /// The place of the mistake, as a path through the schema.
    pub path: Path,
    /// The mistake, to follow the path: `is not a string`.
    pub fault: &'static str,
}

impl DecodeError {
    /// Creates an error about the whole value.
    pub(super) fn new(fault: &'static str) -> Self {
        Self { path: Path::default(), fault }
    }

    /// Prepends a step to the path, because the value is part of another.
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

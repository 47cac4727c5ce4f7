//! What the user was shown, and how it must fit what happened.

use sandbox::core::{
    caller::Failure,
    wire::tfplugin6::{Diagnostic, diagnostic::Severity},
};

/// What was said of some resets, as numbers of resets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Reported {
    /// Those that certainly happened.
    pub(crate) certain: usize,
    /// Those that nobody knows of.
    pub(crate) possible: usize,
}

impl Reported {
    pub(crate) fn add(&mut self, other: Self) {
        self.certain += other.certain;
        self.possible += other.possible;
    }

    /// What a failure reports.
    pub(crate) fn of(failure: &Failure) -> Self {
        let Failure::Said(diagnostics) = failure else { return Self { certain: 0, possible: 1 } };
        let mut reported = Self::default();
        for error in diagnostics.iter().filter(|diagnostic| diagnostic.severity() == Severity::Error) {
            assert!(error.summary.split(' ').count() <= 8, "{error:?}");
            let said = OUTCOMES.map(|sentence| error.detail.matches(sentence).count());
            match said {
                [1, 0, 0] => {}
                [0, 1, 0] => reported.possible += 1,
                [0, 0, 1] => reported.certain += 1,
                _ => panic!("an error says exactly one outcome: {error:?}"),
            }
        }
        reported
    }
}

/// Whether a diagnostic names an API key.
pub(crate) fn names<'a>(diagnostics: impl IntoIterator<Item = &'a Diagnostic>, key: &str) -> bool {
    diagnostics.into_iter().any(|diagnostic| diagnostic.detail.contains(&format!("`{key}`")))
}

const OUTCOMES: [&str; 3] =
    ["The password was not changed.", "The password may have been changed.", "The password was changed."];

//! What came of one run of the program.

use std::process::Output;

use serde::Deserialize;
use serde_json::Value;

/// A run that has ended, and has shown no secret.
#[derive(Debug)]
pub struct Run {
    /// What it was asked to do.
    pub command: String,
    /// The exit status; nothing where a signal ended it.
    pub status: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
    /// The errors and warnings, where it was asked for JSON.
    pub diagnostics: Vec<Diagnostic>,
}

/// An error or a warning as the user gets it.
#[derive(Clone, Debug, Deserialize)]
pub struct Diagnostic {
    /// `error` or `warning`.
    pub severity: String,
    /// The headline.
    pub summary: String,
    /// The text below it.
    #[serde(default)]
    pub detail: String,
    /// The resource that it is about.
    pub address: Option<String>,
    snippet: Option<Snippet>,
}

#[derive(Clone, Debug, Deserialize)]
struct Snippet {
    code: String,
}

impl Run {
    /// Reads what a run has left.
    pub(super) fn of(command: String, output: &Output) -> Self {
        let [stdout, stderr] =
            [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
        let mut diagnostics = diagnostics(&stdout);
        diagnostics.retain(|diagnostic| diagnostic.summary != "Provider development overrides are in effect");
        Self { command, status: output.status.code(), stdout, stderr, diagnostics }
    }

    /// Insists that it did what it was asked to; a plan may have found changes.
    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert!(matches!(self.status, Some(0 | 2)), "it should have succeeded: {self}");
        self
    }

    /// Insists that it did not do what it was asked to.
    #[track_caller]
    pub fn failed(self) -> Self {
        assert_eq!(self.status, Some(1), "it should have failed: {self}");
        self
    }

    /// Insists that a plan has nothing to do, and nothing to say.
    #[track_caller]
    pub fn nothing_to_do(self) {
        assert_eq!(self.status, Some(0), "there should be nothing to do: {self}");
        assert!(self.diagnostics.is_empty(), "there should be nothing to say: {self}");
    }

    /// The one error there is.
    #[track_caller]
    pub fn error(self) -> Diagnostic {
        self.failed().only("error")
    }

    /// The one error there is: the value at a path is not valid, in these words.
    #[track_caller]
    pub fn rejects(self, path: &str, words: &str) -> Diagnostic {
        self.error().is(&format!("Invalid value for `{path}`")).says(&[&format!("`{path}` {words}")])
    }

    /// The one warning there is.
    #[track_caller]
    pub fn warning(self) -> Diagnostic {
        self.succeeded().only("warning")
    }

    /// Insists that there is neither error nor warning.
    #[track_caller]
    pub fn quiet(self) -> Self {
        let run = self.succeeded();
        assert!(run.diagnostics.is_empty(), "there should be nothing to say: {run}");
        run
    }

    /// What a plan is going to do with a resource, in Terraform's words: `create`, `update`, `replace`, `delete`;
    /// nothing where that is nothing.
    pub fn action(&self, address: &str) -> Option<String> {
        self.actions(address).into_iter().next()
    }

    /// The same for each of its objects: a deposed one is deleted as well.
    pub fn actions(&self, address: &str) -> Vec<String> {
        let is_about = |line: &Value| line["type"] == "planned_change" && line["change"]["resource"]["addr"] == address;
        let changes = self.lines().filter(is_about);
        changes.filter_map(|line| line["change"]["action"].as_str().map(str::to_owned)).collect()
    }

    #[track_caller]
    fn only(self, severity: &str) -> Diagnostic {
        let mut found = self.diagnostics.iter().filter(|diagnostic| diagnostic.severity == severity);
        let (Some(first), None) = (found.next(), found.next()) else {
            panic!("there should be one {severity}: {self}")
        };
        assert!(first.summary.split(' ').count() <= 8, "a summary has at most eight words: {first:?}");
        first.clone()
    }

    fn lines(&self) -> impl Iterator<Item = Value> {
        self.stdout.lines().filter_map(|line| serde_json::from_str(line).ok())
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { command, status, stdout, stderr, .. } = self;
        write!(f, "{command} ended with {status:?}\n{stdout}{stderr}")
    }
}

impl Diagnostic {
    /// The source line that it points at.
    pub fn code(&self) -> &str {
        self.snippet.as_ref().map_or("", |snippet| snippet.code.trim())
    }

    /// Insists on words in the text below the headline.
    #[track_caller]
    pub fn says(self, words: &[&str]) -> Self {
        for words in words {
            assert!(self.detail.contains(words), "`{words}` should be in {self:?}");
        }
        self
    }

    /// Insists on the headline.
    #[track_caller]
    pub fn is(self, summary: &str) -> Self {
        assert_eq!(self.summary, summary, "{self:?}");
        self
    }

    /// Insists on the source line that it points at.
    #[track_caller]
    pub fn points_at(self, code: &str) -> Self {
        assert_eq!(self.code(), code, "{self:?}");
        self
    }
}

/// `validate` prints one object with all of them, everything else a line for each.
fn diagnostics(stdout: &str) -> Vec<Diagnostic> {
    #[derive(Deserialize)]
    struct Validation {
        diagnostics: Vec<Diagnostic>,
    }
    #[derive(Deserialize)]
    struct Line {
        diagnostic: Diagnostic,
    }
    if let Ok(validation) = serde_json::from_str::<Validation>(stdout) {
        return validation.diagnostics;
    }
    stdout.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok()).map(|line| line.diagnostic).collect()
}

//! Writes this crate's events to stderr as hclog lines, which core reads.
//!
//! Core parses each line as JSON and asserts that the standard keys are strings. A line that violates this crashes
//! core, possibly before it has stored a password. So no field of an event can set a key that starts with `@`.
//!
//! Nothing waits until stderr is read: a terminal may be paused, or a disk full.

use std::{
    fmt, io,
    sync::{Arc, LazyLock},
    time::Duration,
};

use serde_json::{Map, Value as Json};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
    span,
};

use super::lines::Lines;
use crate::clock;

/// Starts writing this crate's events to stderr, down to the level that the user set.
pub(super) fn start(variable: impl Fn(&str) -> Option<String>) {
    let level = level(variable);
    if level != LevelFilter::OFF {
        // An existing subscriber takes precedence.
        let _ = tracing::subscriber::set_global_default(Hclog { level, write: print });
    }
}

/// Writes a line including its line break to stderr, or drops it. Never blocks, and cannot fail.
pub(super) fn print(line: String) {
    if let Some(stderr) = STDERR.as_ref() {
        stderr.push(line);
    }
}

/// Waits briefly until everything is written. To be called before the process ends.
pub(super) fn flush() {
    if let Some(stderr) = LazyLock::get(&STDERR).and_then(Option::as_ref) {
        stderr.flush(LONGEST_FLUSH);
    }
}

/// Starts its thread with the first line, since many processes log nothing.
static STDERR: LazyLock<Option<Arc<Lines>>> = LazyLock::new(|| Lines::start(io::stderr(), dropped).ok());

/// Returns the level of `TF_LOG_PROVIDER`, or else of `TF_LOG`. As in core, an unknown word enables everything.
fn level(variable: impl Fn(&str) -> Option<String>) -> LevelFilter {
    let word = |name| variable(name).filter(|word| !word.is_empty());
    let word = word("TF_LOG_PROVIDER").or_else(|| word("TF_LOG"));
    match word.map(|word| word.to_ascii_uppercase()).as_deref() {
        None | Some("OFF") => LevelFilter::OFF,
        Some("ERROR") => LevelFilter::ERROR,
        Some("WARN") => LevelFilter::WARN,
        Some("INFO") => LevelFilter::INFO,
        Some("DEBUG") => LevelFilter::DEBUG,
        Some(_) => LevelFilter::TRACE,
    }
}

/// Formats the events of this crate up to a level. Events of other crates are dropped, since they may quote secrets.
struct Hclog<W> {
    level: LevelFilter,
    write: W,
}

impl<W: Fn(String) + Send + Sync + 'static> Subscriber for Hclog<W> {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().split("::").next() == Some(env!("CARGO_CRATE_NAME"));
        ours && metadata.is_event() && *metadata.level() <= self.level
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level)
    }

    fn event(&self, event: &Event<'_>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        (self.write)(fields.into_line(event.metadata()));
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The message and the fields of an event.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Json>,
}

impl Fields {
    fn into_line(self, metadata: &Metadata<'_>) -> String {
        let Self { message, others } = self;
        let (level, module) = (*metadata.level(), metadata.target());
        let line = line(level, module, message.clone(), others);
        if line.len() <= LONGEST_LINE {
            return line;
        }
        let shortened = message.chars().take(LONGEST_MESSAGE).chain(" (shortened)".chars()).collect();
        self::line(level, module, shortened, Map::new())
    }

    fn insert(&mut self, field: &Field, value: Json) {
        let name = field.name();
        match name.trim_start_matches('@') {
            bare if bare == name => self.others.insert(name.to_owned(), value),
            bare => self.others.insert(format!("_{bare}"), value),
        };
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            _ => self.insert(field, format!("{value:?}").into()),
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            _ => self.insert(field, value.into()),
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }
}

fn line(level: Level, module: &str, message: String, mut fields: Map<String, Json>) -> String {
    fields.insert("@level".to_owned(), level_name(level).into());
    fields.insert("@message".to_owned(), message.into());
    fields.insert("@module".to_owned(), module.into());
    fields.insert("@timestamp".to_owned(), format!("{:.6}", clock::now()).into());
    format!("{}\n", Json::Object(fields))
}

/// Formats the line that replaces dropped ones.
fn dropped(lines: u64) -> String {
    let message = "log lines were dropped here: standard error was not read in time";
    line(Level::WARN, module_path!(), message.to_owned(), Map::from_iter([("lines".to_owned(), lines.into())]))
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warn",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// Less than core allows a process to end.
const LONGEST_FLUSH: Duration = Duration::from_millis(500);

/// Core reads lines of up to 64 KiB whole.
const LONGEST_LINE: usize = 64 << 10;

/// The maximum length of a message that fits into a line even if JSON needs six bytes per character.
const LONGEST_MESSAGE: usize = 8 << 10;

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use proptest::prelude::*;

    use super::*;

    /// The lines that `events` leads to.
    fn lines(level: LevelFilter, events: impl FnOnce()) -> Vec<String> {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let written = lines.clone();
        let write = move |line| written.lock().unwrap().push(line);
        tracing::subscriber::with_default(Hclog { level, write }, events);
        let lines = lines.lock().unwrap();
        lines.clone()
    }

    fn parse(line: &str) -> Map<String, Json> {
        assert_eq!(line.find('\n'), Some(line.len() - 1), "one line");
        assert!(line.len() <= LONGEST_LINE, "{} bytes", line.len());
        serde_json::from_str(line).unwrap()
    }

    fn assert_standard_keys(line: &Map<String, Json>) {
        for key in ["@level", "@message", "@module", "@timestamp"] {
            assert!(line[key].is_string(), "{key}");
        }
    }

    #[test]
    fn a_line_has_the_four_keys_and_the_fields_under_their_own_names() {
        let lines = lines(LevelFilter::INFO, || tracing::info!(attempt = 2, vendor = "hubspot", "asked {}", "again"));
        let line = parse(&lines[0]);
        assert_standard_keys(&line);
        assert_eq!(line["@level"], "info");
        assert_eq!(line["@message"], "asked again");
        assert_eq!(line["attempt"], 2);
        assert_eq!(line["vendor"], "hubspot");
        let timestamp = line["@timestamp"].as_str().unwrap();
        assert_eq!((timestamp.len(), timestamp.as_bytes()[19]), ("2006-01-02T15:04:05.000000Z".len(), b'.'));
    }

    #[test]
    fn no_field_can_take_a_standard_key() {
        let lines = lines(LevelFilter::INFO, || {
            tracing::info!("@message" = 1, "@level" = true, "@@timestamp" = 0.5, "@module" = ?(), "said");
        });
        let line = parse(&lines[0]);
        assert_standard_keys(&line);
        assert_eq!(line["@message"], "said");
        assert_eq!(line["_message"], 1);
        assert_eq!(line["_timestamp"], 0.5);
    }

    #[test]
    fn a_message_of_another_type_is_text() {
        for lines in [
            lines(LevelFilter::INFO, || tracing::info!(message = 1)),
            lines(LevelFilter::INFO, || tracing::info!(message = true)),
            lines(LevelFilter::INFO, || tracing::info!(count = 1)),
        ] {
            assert_standard_keys(&parse(&lines[0]));
        }
    }

    #[test]
    fn a_megabyte_is_shortened() {
        let text = "\u{1}".repeat(1 << 20);
        for lines in [
            lines(LevelFilter::INFO, || tracing::info!("{text}")),
            lines(LevelFilter::INFO, || tracing::info!(text, "short")),
        ] {
            assert_standard_keys(&parse(&lines[0]));
        }
    }

    #[test]
    fn other_crates_and_finer_levels_are_left_out() {
        let lines = lines(LevelFilter::INFO, || {
            tracing::info!(target: "hyper", "other");
            tracing::info!(target: "terraform_provider_smtp_not", "other");
            tracing::debug!("fine");
            tracing::error!("kept");
        });
        assert_eq!(lines.len(), 1);
        assert_eq!(parse(&lines[0])["@level"], "error");
    }

    #[test]
    fn the_level_is_the_providers_or_else_that_of_all() {
        let level = |provider: Option<&str>, all: Option<&str>| {
            level(|name| if name == "TF_LOG" { all } else { provider }.map(str::to_owned))
        };
        assert_eq!(level(None, None), LevelFilter::OFF);
        assert_eq!(level(None, Some("JSON")), LevelFilter::TRACE);
        assert_eq!(level(Some("warn"), Some("TRACE")), LevelFilter::WARN);
        assert_eq!(level(Some(""), Some("INFO")), LevelFilter::INFO);
        assert_eq!(level(Some("off"), Some("INFO")), LevelFilter::OFF);
    }

    proptest! {
        #[test]
        fn any_text_makes_one_line_that_core_can_read(message in any::<String>(), field in "(?s).*") {
            let lines = lines(LevelFilter::TRACE, || tracing::trace!(field, "{message}"));
            let line = parse(&lines[0]);
            assert_standard_keys(&line);
            prop_assert_eq!(&line["@message"], &Json::from(message));
            prop_assert_eq!(&line["field"], &Json::from(field));
        }
    }
}

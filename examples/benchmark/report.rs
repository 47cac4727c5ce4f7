//! The result: for people, for programs, and for the docs.

use std::{env, fmt::Write, fs, path::Path, thread};

use serde_json::{Value as Json, json};

use crate::{
    Result, chart,
    figure::{Bound, Figure, Section, Value},
};

/// All that was measured.
pub(crate) struct Report {
    /// Which program planned and applied.
    pub(crate) core: String,
    pub(crate) sections: Vec<Section>,
}

impl Report {
    /// Writes Markdown: first what is held to a bound, then everything.
    pub(crate) fn markdown(&self) -> String {
        let bounded = self.sections.iter().flat_map(|section| {
            let bounded = section.figures.iter().filter(|figure| figure.bound.is_some());
            bounded.map(|figure| (format!("{}: {}", section.title, figure.measure), figure))
        });
        let mut text = format!("{}\n\n### What is held to a bound\n\n{BOUNDED}", self.machine());
        for (measure, figure) in bounded {
            let [median, ..] = cells(figure);
            let (bound, held) = held(figure);
            writeln_to(&mut text, &[measure, median, bound, held]);
        }
        for section in &self.sections {
            text.extend(["\n### ", &section.title, "\n\n", ALL]);
            for figure in &section.figures {
                let [median, min, max, runs] = cells(figure);
                writeln_to(&mut text, &[figure.measure.clone(), median, min, max, runs]);
            }
        }
        text
    }

    /// Writes the same as JSON.
    pub(crate) fn json(&self) -> Result<String> {
        let sections = self.sections.iter().map(|section| {
            json!({ "title": section.title, "figures": section.figures.iter().map(figure_json).collect::<Vec<_>>() })
        });
        let report = json!({ "machine": self.machine(), "sections": sections.collect::<Vec<_>>() });
        Ok(serde_json::to_string_pretty(&report)?)
    }

    /// Puts the tables and the chart into the docs.
    pub(crate) fn write_docs(&self) -> Result<()> {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        let page = docs.join("benchmarks.md");
        let text = fs::read_to_string(&page)?;
        let around = text.split_once(BEGIN).zip(text.split_once(END));
        let ((before, _), (_, after)) = around.ok_or("docs/benchmarks.md lacks the marks around the tables")?;
        fs::write(page, format!("{before}{BEGIN}\n\n{}\n{END}{after}", self.markdown()))?;
        fs::write(docs.join("benchmarks.svg"), chart::svg(&self.sections))?;
        Ok(())
    }

    /// What it was measured with.
    fn machine(&self) -> String {
        let cores = thread::available_parallelism().map_or(0, usize::from);
        let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let model = model.map(|(_, model)| format!(" ({})", model.trim())).unwrap_or_default();
        format!("{}, {} {}, {cores} cores{model}.", self.core, env::consts::OS, env::consts::ARCH)
    }
}

fn writeln_to(text: &mut String, cells: &[String]) {
    // Writing to a string cannot fail.
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn cells(figure: &Figure) -> [String; 4] {
    let none = String::new;
    match figure.value {
        Value::Spread { median, min, max, runs } => {
            [figure.show(median), figure.show(min), figure.show(max), runs.to_string()]
        }
        Value::Once(value) => [figure.show(value), none(), none(), "1".to_owned()],
        Value::Unknown => ["not measured here".to_owned(), none(), none(), none()],
    }
}

fn held(figure: &Figure) -> (String, String) {
    let bound = match figure.bound {
        Some(Bound::AtLeast(bound)) => format!("at least {}", figure.show(bound)),
        Some(Bound::AtMost(bound)) => format!("at most {}", figure.show(bound)),
        None => String::new(),
    };
    let held = match figure.strain() {
        Some(strain) if strain <= 1.0 => "yes",
        Some(_) => "**no**",
        None => "",
    };
    (bound, held.to_owned())
}

fn figure_json(figure: &Figure) -> Json {
    let (median, min, max, runs) = match figure.value {
        Value::Spread { median, min, max, runs } => (Some(median), Some(min), Some(max), runs),
        Value::Once(value) => (Some(value), Some(value), Some(value), 1),
        Value::Unknown => (None, None, None, 0),
    };
    let (at_least, at_most) = match figure.bound {
        Some(Bound::AtLeast(bound)) => (Some(bound), None),
        Some(Bound::AtMost(bound)) => (None, Some(bound)),
        None => (None, None),
    };
    json!({
        "measure": figure.measure,
        "unit": figure.unit.name(),
        "median": median,
        "min": min,
        "max": max,
        "runs": runs,
        "at_least": at_least,
        "at_most": at_most,
        "held": figure.strain().map(|strain| strain <= 1.0),
    })
}

const ALL: &str = "| measure | median | min | max | runs |\n|---|--:|--:|--:|--:|\n";
const BOUNDED: &str = "| measure | median | bound | held |\n|---|--:|--:|---|\n";

const BEGIN: &str = "<!-- figures: cargo run --release --example benchmark -- --write-docs -->";
const END: &str = "<!-- end of figures -->";

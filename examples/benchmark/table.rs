//! The result for people.

use crate::figure::{Figure, Unit, Value};

/// Writes a Markdown table.
pub(crate) fn markdown(figures: &[Figure]) -> String {
    let lines = figures.iter().map(|figure| format!("| {} |\n", cells(figure).join(" | ")));
    HEAD.to_owned() + &lines.collect::<String>()
}

const HEAD: &str = "\
| measure | median | min | max | runs | at most | held |
|---|--:|--:|--:|--:|--:|---|
";

fn cells(figure: &Figure) -> [String; 7] {
    let number = |value: f64| match figure.unit {
        Unit::Milliseconds => format!("{value:.2} ms"),
        Unit::Megabytes => format!("{value:.2} MB"),
    };
    let none = String::new;
    let [middle, min, max, runs] = match figure.value {
        Value::Spread { median, min, max, runs } => [number(median), number(min), number(max), runs.to_string()],
        Value::Once(value) => [number(value), none(), none(), none()],
        Value::Unknown => ["not measured here".to_owned(), none(), none(), none()],
    };
    let held = match figure.held() {
        Some(true) => "yes",
        Some(false) => "**no**",
        None => "",
    };
    [figure.measure.to_owned(), middle, min, max, runs, figure.bound.map_or_else(none, number), held.to_owned()]
}

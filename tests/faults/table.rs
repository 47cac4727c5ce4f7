//! The tables of `docs/reset-safety.md`: each row is what a test has seen.

use std::{
    env, fs,
    ops::Range,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

use sandbox::{Model, VENDORS};

/// Insists that the page has this row, or writes it where `UPDATE_DOCS` is set: over the row of the same fault, or else
/// at the end of the section's table.
#[track_caller]
pub(crate) fn row(section: &str, cells: &[&str]) {
    let row = format!("| {} |", cells.join(" | "));
    if env::var_os("UPDATE_DOCS").is_none() {
        let found = written(section).contains(&row);
        assert!(found, "docs/reset-safety.md has no row\n{row}\n(UPDATE_DOCS=1 writes it)");
        return;
    }
    let same = format!("| {} |", cells[0]);
    rewrite(section, |table| match table.iter().position(|line| line.starts_with(&same)) {
        Some(number) => table[number] = row,
        None => table.push(row),
    });
}

/// Insists that a section's table has these rows and no other, or writes them where `UPDATE_DOCS` is set.
#[track_caller]
pub(crate) fn rows(section: &str, rows: &[Vec<String>]) {
    let rows: Vec<_> = rows.iter().map(|cells| format!("| {} |", cells.join(" | "))).collect();
    if env::var_os("UPDATE_DOCS").is_some() {
        rewrite(section, |table| *table = rows);
        return;
    }
    for (number, (found, seen)) in written(section).iter().zip(&rows).enumerate() {
        assert_eq!(found, seen, "row {number} of docs/reset-safety.md (UPDATE_DOCS=1 writes what is seen)");
    }
    assert_eq!(written(section).len(), rows.len(), "rows are missing in docs/reset-safety.md, or there are too many");
}

/// The first cells of a section's table.
pub(crate) fn faults(section: &str) -> Vec<String> {
    let first = |row: &String| Some(row.split(" | ").next()?.trim_start_matches("| ").to_owned());
    written(section).iter().filter_map(first).collect()
}

/// The vendors that have a column in a section's table, in its order. Every vendor needs one.
#[track_caller]
pub(crate) fn vendors(section: &str) -> Vec<&'static Model> {
    let lines = lines();
    // Above the rows there is a line of dashes, and above that the titles.
    let titles: Vec<_> = lines[table(&lines, section).start - 2].split('|').map(str::trim).collect();
    let vendors: Vec<_> =
        titles.iter().filter_map(|title| VENDORS.iter().find(|vendor| vendor.title == *title).copied()).collect();
    assert_eq!(vendors.len(), VENDORS.len(), "a vendor has no column in {section}, or two");
    vendors
}

fn written(section: &str) -> Vec<String> {
    let lines = lines();
    lines[table(&lines, section)].to_vec()
}

fn rewrite(section: &str, change: impl FnOnce(&mut Vec<String>)) {
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let mut lines = lines();
    let range = table(&lines, section);
    let mut rows = lines[range.clone()].to_vec();
    change(&mut rows);
    lines.splice(range, rows);
    fs::write(path(), lines.join("\n") + "\n").expect("the page can be written");
}

/// Where a section's table has its rows.
fn table(lines: &[String], section: &str) -> Range<usize> {
    let after = |start: usize, is: &dyn Fn(&String) -> bool| {
        start + lines[start..].iter().position(is).expect("the section has a table") + 1
    };
    let start = after(after(0, &|line| line == section), &|line| line.starts_with("|-"));
    start..start + lines[start..].iter().take_while(|line| line.starts_with('|')).count()
}

fn lines() -> Vec<String> {
    fs::read_to_string(path()).expect("the page").lines().map(str::to_owned).collect()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reset-safety.md")
}

static WRITING: Mutex<()> = Mutex::new(());

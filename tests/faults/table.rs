//! The tables of `docs/reset-safety.md`: each row is what a test has seen.

use std::{
    env, fs,
    path::PathBuf,
    sync::{Mutex, PoisonError},
};

/// Insists that the page has this row, or writes it where `UPDATE_DOCS` is set: over the row of the same fault, or else at the end
/// of the section's table.
#[track_caller]
pub(crate) fn row(section: &str, cells: &[&str]) {
    let row = format!("| {} |", cells.join(" | "));
    if env::var_os("UPDATE_DOCS").is_none() {
        let page = fs::read_to_string(path()).expect("the page");
        let found = page.lines().find(|line| *line == row);
        assert!(found.is_some(), "docs/reset-safety.md has no row\n{row}\n(UPDATE_DOCS=1 writes it)");
        return;
    }
    static WRITING: Mutex<()> = Mutex::new(());
    let _writing = WRITING.lock().unwrap_or_else(PoisonError::into_inner);
    let page = fs::read_to_string(path()).expect("the page");
    let mut lines: Vec<_> = page.lines().map(str::to_owned).collect();
    let start = lines.iter().position(|line| line == section).expect("the section") + 1;
    let table = start + lines[start..].iter().position(|line| line.starts_with("|-")).expect("a table") + 1;
    let end = table + lines[table..].iter().take_while(|line| line.starts_with('|')).count();
    let same = format!("| {} |", cells[0]);
    match lines[table..end].iter().position(|line| line.starts_with(&same)) {
        Some(number) => lines[table + number] = row,
        None => lines.insert(end, row),
    }
    fs::write(path(), lines.join("\n") + "\n").expect("the page can be written");
}

/// The first cells of a section's table.
pub(crate) fn faults(section: &str) -> Vec<String> {
    let page = fs::read_to_string(path()).expect("the page");
    let rows = page.lines().skip_while(|line| *line != section).skip_while(|line| !line.starts_with("|-")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.filter_map(|row| Some(row.split(" | ").next()?.trim_start_matches("| ").to_owned())).collect()
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/reset-safety.md")
}

//! The folders import each other one way only, and a vendor is registered everywhere or nowhere.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod files;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use files::Files;
use terraform_provider_smtp::vendors::VENDORS;

/// What each part of `src/` may name of the others. `clock`, `secret` and `text` may be named everywhere.
const ALLOWED: &[(&str, &[&str])] = &[
    ("age", &[]),
    ("vendors", &["http", "smtp::ses"]),
    ("clock", &[]),
    ("framework", &[]),
    ("http", &["trust"]),
    ("lib", &[]),
    ("main", &["protocol", "provider"]),
    ("protocol", &["framework"]),
    (
        "provider",
        &[
            "age",
            "rotation",
            "vendors",
            "framework",
            "http::Finality",
            "http::Error",
            "http::Kind",
            "http::Outcome",
            "smtp",
        ],
    ),
    ("rotation", &["http::Error", "http::Finality", "http::Kind", "http::Outcome", "smtp", "vendors"]),
    ("secret", &[]),
    ("smtp", &["trust"]),
    ("text", &[]),
    ("trust", &[]),
];

#[test]
fn imports_go_one_way_only() {
    let mut forbidden = Vec::new();
    for file in rust_files(&root().join("src")) {
        let part = part_of(&file);
        let allowed =
            ALLOWED.iter().find(|(name, _)| *name == part).unwrap_or_else(|| panic!("{part} is not in the table")).1;
        for import in imports(&fs::read_to_string(&file).unwrap()) {
            let import_part = import.split("::").next().unwrap();
            let fits = import_part == part
                || ["clock", "secret", "text"].contains(&import_part)
                || allowed.contains(&import_part)
                || allowed.contains(&&*import);
            if !fits {
                forbidden.push(format!("{} names {import}", file.display()));
            }
        }
    }
    assert!(forbidden.is_empty(), "{}", forbidden.join("\n"));
}

#[test]
fn the_check_above_sees_what_a_file_imports() {
    let text =
        "use crate::{\n    http::{Error, kind::{A}},\n    secret::Secret,\n};\nlet x = crate::provider::Smtp::new();";
    let seen = ["http::Error", "http::kind", "provider::Smtp", "secret::Secret"].map(str::to_owned);
    assert_eq!(imports(text), BTreeSet::from(seen));
}

#[test]
fn no_files_import_each_other() {
    let src = root().join("src");
    let files = Files::read(&src, &rust_files(&src));
    let circle = files::circle(&files.imports()).unwrap_or_default();
    let names: Vec<_> = circle.iter().map(|file| file.strip_prefix(&src).unwrap().display().to_string()).collect();
    assert!(names.is_empty(), "each of these imports from the next, and the last from the first: {}", names.join(", "));
}

#[test]
fn the_check_above_finds_files_that_import_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let circle_of = |files: [(&str, &str); 3]| {
        let files = files.map(|(name, text)| {
            let file = folder.path().join(name);
            fs::write(&file, text).unwrap();
            file
        });
        let files = Files::read(folder.path(), &files);
        files::circle(&files.imports()).is_some()
    };
    let lib = ("lib.rs", "mod one;\nmod two;\npub use one::One;");
    let two = ("two.rs", "pub struct Two;\nimpl Two {\n    fn one() -> super::one::One {\n        todo!()\n    }\n}");
    assert!(circle_of([lib, ("one.rs", "use crate::two::Two;\npub struct One(Two);"), two]));
    // Through the name that another file passes on.
    let passed_on = ("two.rs", "pub struct Two(crate::One);");
    assert!(circle_of([lib, ("one.rs", "use crate::two::Two;\npub struct One(Two);"), passed_on]));
    assert!(!circle_of([lib, ("one.rs", "pub struct One;"), two]));
    // What only tests import is no circle.
    assert!(!circle_of([
        lib,
        ("one.rs", "pub struct One;\n#[cfg(test)]\nmod tests {\n    use crate::two::Two;\n}"),
        two
    ]));
}

#[test]
fn the_provider_names_no_vendor() {
    let functions = root().join("src/provider/functions");
    // One of the functions is about a vendor's passwords, and none calls a vendor.
    for file in rust_files(&root().join("src/provider")).into_iter().filter(|file| !file.starts_with(&functions)) {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for vendor in VENDORS {
            assert!(
                !code.contains(vendor.name) && !code.contains(vendor.title),
                "{} names {}",
                file.display(),
                vendor.name
            );
        }
    }
}

/// What a vendor says is raw where it is parsed, compared and sent back; what may be shown has another type.
#[test]
fn no_text_from_outside_is_raw_where_words_and_states_are_made() {
    for folder in ["framework", "protocol", "provider", "smtp"] {
        for file in rust_files(&root().join("src").join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(!text.contains("Outside") && !text.contains(".raw()"), "{} names raw text", file.display());
        }
    }
}

#[test]
fn the_clock_is_read_in_one_place() {
    for file in rust_files(&root().join("src")) {
        let text = fs::read_to_string(&file).unwrap();
        let mut code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        // Both panic where the clock is set beyond the year 9999.
        let reads = |line: &&str| line.contains("Timestamp::now") || line.contains("Zoned::now");
        assert_eq!(code.find(reads), None, "{}: use crate::clock::now", file.display());
    }
}

#[test]
fn every_vendor_is_registered_everywhere() {
    let missing: Vec<String> = VENDORS
        .iter()
        .flat_map(|vendor| {
            let name = vendor.name;
            [
                format!("src/vendors/{name}.rs"),
                format!("docs/guides/{name}.md"),
                format!("examples/vendors/{name}/main.tf"),
                format!("tests/fixtures/{name}/README.md"),
                format!("tests/fixtures/{name}/contract.json"),
            ]
        })
        .filter(|path| !root().join(path).exists())
        .collect();
    assert!(missing.is_empty(), "a vendor lacks {}", missing.join(", "));
    let mut names: Vec<_> = VENDORS.iter().map(|vendor| vendor.name).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        VENDORS.iter().map(|vendor| vendor.name).collect::<Vec<_>>(),
        "vendors are in alphabetical order"
    );
}

/// Another test's server may have the port by then.
#[test]
fn nothing_counts_on_a_port_that_was_given_back() {
    for file in ["src", "tests", "examples"].iter().flat_map(|folder| rust_files(&root().join(folder))) {
        let text = fs::read_to_string(&file).unwrap();
        // A listener that nothing holds is gone once its address is known.
        let given_back = text.split("TcpListener::bind(").skip(1).any(|rest| {
            let statement = rest.split([';', '}']).next().unwrap();
            statement.contains("local_addr")
        });
        let dropped = text.contains(concat!("drop(", "listener)"));
        assert!(!given_back && !dropped, "{}: use sandbox::ClosedPort", file.display());
    }
}

#[test]
fn no_file_is_longer_than_a_reader_can_hold() {
    for file in rust_files(&root().join("src")).into_iter().filter(|file| !file.ends_with("tests.rs")) {
        let text = fs::read_to_string(&file).unwrap();
        let lines = text.split("#[cfg(test)]\nmod tests {").next().unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines without its tests", file.display());
    }
}

/// Every `crate::a::b` and `terraform_provider_smtp::a::b` in a text, each import group taken apart to two levels.
fn imports(text: &str) -> BTreeSet<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join(" ");
    let mut found = BTreeSet::new();
    for marker in ["crate::", "terraform_provider_smtp::"] {
        for (at, _) in code.match_indices(marker) {
            let rest = &code[at + marker.len()..];
            for item in group(rest) {
                match item.split_once("::") {
                    Some((first, rest)) => {
                        found.extend(group(rest).into_iter().map(|second| format!("{first}::{}", word(second))));
                    }
                    None => _ = found.insert(word(item).to_owned()),
                }
            }
        }
    }
    found.into_iter().filter(|import| !import.is_empty()).collect()
}

/// The items of `{a, b::{c, d}}`, or the one item that is no group.
fn group(text: &str) -> Vec<&str> {
    let Some(inside) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !(c.is_alphanumeric() || "_:{".contains(c))).unwrap_or(text.len());
        // A nested group belongs to the item as a whole.
        return vec![if text[..end].contains('{') { text } else { &text[..end] }];
    };
    let (mut depth, mut start, mut items) = (0, 0, Vec::new());
    for (at, character) in inside.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => {
                items.push(inside[start..at].trim());
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                items.push(inside[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items
}

fn word(text: &str) -> &str {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
}

fn part_of(file: &Path) -> String {
    let relative = file.strip_prefix(root().join("src")).unwrap();
    let first = relative.components().next().unwrap().as_os_str();
    Path::new(first).file_stem().unwrap().to_str().unwrap().to_owned()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

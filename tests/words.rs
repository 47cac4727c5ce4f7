//! Wording that stays out of what users read (the documentation, the schema's descriptions and the diagnostics) and of
//! what engineers read: comments and the names of functions.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    fs,
    path::{Path, PathBuf},
};

use terraform_provider_smtp::{
    framework::{
        Provider,
        schema::{Attribute, Schema, Type},
    },
    provider::Smtp,
};

/// Words and phrases, each with what to write instead.
const AVOIDED: &[(&str, &str)] = &[
    ("anew", "again"),
    ("are none", "there are no …, or name what they are"),
    ("beside", "in addition to, next to, with"),
    ("besides", "also, in addition"),
    ("came about", "happened, was made"),
    ("come about", "happen, be made"),
    ("comes about", "happens, is made"),
    ("from before", "previous"),
    ("is none", "there is no …, or name what it is"),
    ("let go of", "removed, released"),
    ("of others' making", "third-party"),
    ("stand in", "are in"),
    ("stands in", "is in"),
    ("stood in", "was in"),
    ("tell", "report, return, show, say"),
    ("telling", "reporting, returning, showing, saying"),
    ("tells", "reports, returns, shows, says"),
    ("the words of", "the format of, the message of"),
    ("told", "reported, returned, shown, said"),
    ("whoever", "everyone who, anyone who, or name them"),
    ("whom", "who, or turn the sentence round"),
];

#[test]
fn the_documentation_avoids_them() {
    let root = root();
    let at_root =
        ["CHANGELOG.md", "CONTRIBUTING.md", "README.md", "RELEASING.md", "SECURITY.md"].map(|name| root.join(name));
    let folders = [(".github", "md"), (".github", "yml"), ("docs", "md"), ("src", "md")];
    let below = folders.iter().flat_map(|(folder, extension)| files(&root.join(folder), extension));
    let pages: Vec<_> = at_root.into_iter().chain(below).collect();
    assert!(pages.len() > 20, "the pages were found");
    let found = pages.iter().flat_map(|page| avoided(&page.display().to_string(), &prose(page)));
    report(found);
}

#[test]
fn the_schemas_avoid_them() {
    let provider = Smtp::new();
    let (resources, data_sources, functions) = (provider.resources(), provider.data_sources(), provider.functions());
    let schemas = std::iter::once(provider.schema())
        .chain(resources.iter().map(|resource| resource.schema()))
        .chain(data_sources.iter().map(|source| source.schema()))
        .chain(provider.list_resources().iter().map(|list| list.schema()));
    let attributes = schemas.flat_map(|schema: &Schema| &schema.attributes);
    let parameters = functions.iter().flat_map(|function| {
        let signature = function.signature();
        signature.parameters.iter().chain(&signature.variadic)
    });
    let mut found = Vec::new();
    for attribute in attributes.chain(parameters) {
        of_attribute("", attribute, &mut found);
    }
    for function in functions {
        found.extend(avoided(function.name(), function.signature().summary));
    }
    report(found);
}

#[test]
fn the_texts_of_the_program_avoid_them() {
    let found = files(&root().join("src"), "rs").into_iter().flat_map(|file| {
        let text = fs::read_to_string(&file).unwrap();
        // What has no space is a name or a path, and nobody reads it as English.
        let texts = literals(&text).into_iter().filter(|literal| literal.contains(' '));
        texts.flat_map(|literal| avoided(&file.display().to_string(), &literal)).collect::<Vec<_>>()
    });
    report(found);
}

#[test]
fn the_comments_avoid_them() {
    report(in_code(comments));
}

#[test]
fn the_names_of_functions_avoid_them() {
    report(in_code(functions));
}

#[test]
fn they_are_found_across_lines_and_only_as_whole_words() {
    let found = |text: &str| avoided("here", text).len();
    assert_eq!(found("The vendor Tells\nus; this key is\n  none."), 2);
    assert_eq!(found("It was foretold of a satellite, and is nonetheless so. A stand-in."), 1);
}

#[test]
fn literals_are_found_between_comments_and_quotes() {
    let code =
        "// \"one\"\nlet two = format!(\"two \\\"{}\\\" \\\n    three\", '\"', 'x');\n\"four\"\n#[cfg(test)]\n\"five\"";
    assert_eq!(literals(code), ["two \\\"{}\\\" \\\n    three", "four"]);
}

#[test]
fn comments_are_found_above_code_and_behind_it_without_what_they_quote() {
    let behind = ["fn f() {}", "// Of others' making."].join(" ");
    let code = format!("/// It\n/// has told.\n{behind}\n    //! If there\n    //! is none, `is told`.\n\"//no\"");
    assert_eq!(comments(&code), ["It has told.", "Of others' making.", "If there , ."]);
    assert_eq!(comments(&code).iter().flat_map(|comment| avoided("here", comment)).count(), 2);
}

#[test]
fn names_are_found_where_functions_are_declared_and_read_as_words() {
    let code =
        "fn a_key_that_is_none() {}\n    pub(crate) async fn of_others_making<T>() {\nlet it = told();\n// A fn told.";
    assert_eq!(functions(code), ["a key that is none", "of others making"]);
    assert_eq!(functions(code).iter().flat_map(|name| avoided("here", name)).count(), 2);
}

/// What to avoid in those texts of each Rust file.
fn in_code(texts: fn(&str) -> Vec<String>) -> Vec<String> {
    let folders = ["benches", "examples", "fuzz/src", "src", "tests"].map(|folder| files(&root().join(folder), "rs"));
    let files: Vec<_> = folders.into_iter().flatten().chain([root().join("build.rs")]).collect();
    assert!(files.len() > 300, "the files were found");
    let found = files.iter().flat_map(|file| {
        let texts = texts(&fs::read_to_string(file).unwrap());
        texts.iter().flat_map(|text| avoided(&file.display().to_string(), text)).collect::<Vec<_>>()
    });
    found.collect()
}

/// The comments of a file, each as one line, without the code in them. “There is none” is usual English.
fn comments(text: &str) -> Vec<String> {
    let (mut comments, mut goes_on) = (Vec::<String>::new(), false);
    for line in text.lines().map(str::trim) {
        let is_whole = line.starts_with("//");
        let comment = if is_whole { Some(line) } else { line.split_once(" // ").map(|(_, behind)| behind) };
        let comment = comment.map(|comment| comment.trim_start_matches(['/', '!', ' ']));
        match (comment, comments.last_mut()) {
            (Some(more), Some(last)) if is_whole && goes_on => {
                last.push(' ');
                last.push_str(more);
            }
            (Some(comment), _) => comments.push(comment.to_owned()),
            (None, _) => {}
        }
        goes_on = is_whole;
    }
    let prose = |comment: String| comment.split('`').step_by(2).collect::<String>();
    let prose = comments.into_iter().map(prose);
    prose.map(|prose| prose.replace("here is none", "here ").replace("here are none", "here ")).collect()
}

/// The names of the functions that a file declares, with blanks in place of `_`.
fn functions(text: &str) -> Vec<String> {
    let declared = text.lines().filter_map(|line| {
        let (before, after) = line.split_once("fn ")?;
        let is_declared = before.chars().all(|c| c.is_alphabetic() || " ():".contains(c));
        is_declared.then(|| after.split(['(', '<']).next().unwrap_or_default().replace('_', " "))
    });
    declared.collect()
}

/// Adds what the descriptions of an attribute, and of those inside it, should avoid.
fn of_attribute(above: &str, attribute: &Attribute, found: &mut Vec<String>) {
    let path = format!("{above}{}", attribute.name);
    found.extend(avoided(&path, &attribute.description));
    for inner in nested(&attribute.r#type) {
        of_attribute(&format!("{path}."), inner, found);
    }
}

/// The attributes of an object, or of the objects in a list.
fn nested(r#type: &Type) -> &[Attribute] {
    match r#type {
        Type::Object(nested) | Type::Objects(nested) | Type::Block(nested) => nested,
        Type::List(element) => nested(element),
        _ => &[],
    }
}

/// Each place in a text that has one of the words, with the words around it.
fn avoided(place: &str, text: &str) -> Vec<String> {
    let words: Vec<_> = text
        .split(|c: char| !c.is_alphanumeric() && c != '\'')
        .map(|word| word.trim_matches('\'').to_lowercase())
        .filter(|word| !word.is_empty())
        .collect();
    let mut found = Vec::new();
    for (phrase, better) in AVOIDED {
        let phrase: Vec<_> = phrase.split(' ').map(|word| word.trim_matches('\'')).collect();
        for (number, window) in words.windows(phrase.len()).enumerate() {
            if window == phrase {
                let around = &words[number.saturating_sub(5)..words.len().min(number + phrase.len() + 5)];
                found.push(format!("{place}: “… {} …”; better: {better}", around.join(" ")));
            }
        }
    }
    found
}

#[track_caller]
fn report(found: impl IntoIterator<Item = String>) {
    let found: Vec<_> = found.into_iter().collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// A page without its code blocks, and without the figures that a program writes.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    let text = match (text.split_once("<!-- figures"), text.split_once("<!-- end of figures -->")) {
        (Some((before, _)), Some((_, after))) => format!("{before}{after}"),
        _ => text,
    };
    text.split("```").step_by(2).collect()
}

/// The string literals of a file without its tests, as they are written. It has no raw ones.
fn literals(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code: Vec<_> = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let code = code.join("\n").replace("'\"'", "");
    let mut literals = Vec::new();
    let mut literal: Option<String> = None;
    let mut chars = code.chars();
    while let Some(c) = chars.next() {
        match (&mut literal, c) {
            (Some(text), '\\') => text.extend(std::iter::once(c).chain(chars.next())),
            (Some(_), '"') => literals.extend(literal.take()),
            (Some(text), _) => text.push(c),
            (None, '"') => literal = Some(String::new()),
            (None, _) => {}
        }
    }
    literals
}

/// The files of a folder and of those in it.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { files(&path, extension) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

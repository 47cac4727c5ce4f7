//! The licenses of the code in the binary: `THIRD-PARTY-NOTICES` is made from the lock file and from the crates' own
//! files.
//!
//! `UPDATE_DOCS=1 cargo test --test notices` writes it again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{
    collections::{BTreeMap, BTreeSet},
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

const FILE: &str = "THIRD-PARTY-NOTICES";

/// How the files begin in which crates keep their licenses and the names of their authors.
const KEPT_IN: [&str; 5] = ["copying", "copyright", "licen", "notice", "unlicen"];

/// What is in every Rust program, and in no lock file. Its authors ask for no more than Apache-2.0's text.
const STANDARD_LIBRARY: (&str, &str) = ("the Rust standard library", "MIT OR Apache-2.0");

struct Crate {
    name: String,
    license: String,
    repository: String,
    /// Its licenses, by the names of their files.
    texts: BTreeMap<String, String>,
}

#[test]
fn the_notices_are_those_of_the_crates_in_the_lock_file() {
    let path = root().join(FILE);
    let notices = notices(&crates());
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &notices).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    let differs = written.lines().zip(notices.lines()).find(|(written, now)| written != now);
    assert_eq!(differs, None, "{FILE} is out of date (UPDATE_DOCS=1 writes it)");
    assert_eq!(written.len(), notices.len(), "{FILE} is out of date (UPDATE_DOCS=1 writes it)");
}

#[test]
fn the_binary_prints_the_notices() {
    let output = Command::new(env!("CARGO_BIN_EXE_terraform-provider-smtp")).arg("-notices").output().unwrap();
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap(), fs::read_to_string(root().join(FILE)).unwrap());
}

/// Every crate whose code is in the binary on some system, by name and version: no macros, and nothing that only builds
/// or tests.
fn crates() -> Vec<Crate> {
    let tree = ["tree", "--edges", "normal,no-proc-macro", "--target", "all", "--prefix", "none", "--no-dedupe"];
    let listed = cargo(&[&tree[..], &["--format", "{p}", "--locked"]].concat());
    let listed: BTreeSet<(&str, &str)> = listed.lines().filter_map(name_and_version).collect();
    let metadata: Value = serde_json::from_str(&cargo(&["metadata", "--format-version", "1", "--locked"])).unwrap();
    let packages = metadata["packages"].as_array().unwrap().iter().filter(|package| {
        let [name, version] = ["name", "version"].map(|key| package[key].as_str().unwrap());
        !package["source"].is_null() && listed.contains(&(name, version))
    });
    let mut crates: Vec<_> = packages.map(Crate::read).collect();
    assert!(crates.len() + 1 >= listed.len(), "every crate that is listed is described");
    crates.sort_by(|one, other| one.name.cmp(&other.name));
    crates
}

/// `tokio v1.52.0` as two words.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

impl Crate {
    fn read(package: &Value) -> Self {
        let text = |key: &str| package[key].as_str().unwrap_or_default();
        let folder = Path::new(text("manifest_path")).parent().unwrap();
        let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let kept = files.filter(|file| KEPT_IN.iter().any(|start| file.to_lowercase().starts_with(start)));
        let texts = kept.filter_map(|file| Some((file.clone(), tidy(&fs::read_to_string(folder.join(file)).ok()?))));
        Self {
            name: format!("{} {}", text("name"), text("version")),
            license: text("license").to_owned(),
            repository: text("repository").trim_end_matches(".git").to_owned(),
            texts: texts.collect(),
        }
    }

    /// What goes with the binary: of several licenses that are offered, MIT's text alone, which is the shortest.
    fn notices(&self, all: &[Self]) -> Vec<String> {
        let offers = |license| self.license.split([' ', '/', '(', ')']).any(|word| word == license);
        let named = |file: &&String, words: &[&str]| words.iter().any(|word| file.to_lowercase().contains(word));
        let has_mit = offers("MIT") && self.texts.keys().any(|file| named(&file, &["mit"]));
        let kept = self.texts.iter().filter(|(file, _)| !(has_mit && named(file, &["apache", "unlicense"])));
        let kept: Vec<_> = kept.map(|(_, text)| text.clone()).collect();
        if !kept.is_empty() {
            return kept;
        }
        // Some crates leave their texts in the repository that they share with others.
        let sibling = all.iter().find(|other| other.repository == self.repository && !other.texts.is_empty());
        match sibling {
            Some(sibling) => sibling.notices(&[]),
            None if offers("Apache-2.0") => vec![apache(all)],
            None => panic!("{} has no text of its license", self.name),
        }
    }
}

/// The text of Apache-2.0, which names no author.
fn apache(all: &[Crate]) -> String {
    let texts = all.iter().flat_map(|one| &one.texts).filter(|(file, _)| file.as_str() == "LICENSE-APACHE");
    texts.map(|(_, text)| text).find(|text| text.contains("END OF TERMS AND CONDITIONS")).unwrap().clone()
}

fn notices(crates: &[Crate]) -> String {
    let mut by_text = BTreeMap::<String, BTreeSet<&str>>::new();
    for one in crates {
        for text in one.notices(crates) {
            by_text.entry(text).or_default().insert(&one.name);
        }
    }
    by_text.entry(apache(crates)).or_default().insert(STANDARD_LIBRARY.0);
    let mut texts: Vec<_> = by_text.into_iter().map(|(text, names)| (names, text)).collect();
    texts.sort();

    let mut written = String::from(
        "terraform-provider-smtp is licensed under the Mozilla Public License 2.0.\n\
         Its binary holds code of others, under the licenses in the list; their texts follow it.\n\n",
    );
    let listed = crates.iter().map(|one| (one.name.as_str(), one.license.as_str())).chain([STANDARD_LIBRARY]);
    written.extend(listed.map(|(name, license)| format!("- {name}: {license}\n")));
    for (names, text) in texts {
        let names = names.into_iter().collect::<Vec<_>>().join("\n");
        let line = "-".repeat(80);
        written.extend([format!("\n{line}\n{names}\n{line}\n\n{text}\n")]);
    }
    written
}

/// A text without what differs from system to system and from editor to editor.
fn tidy(text: &str) -> String {
    text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_matches('\n').to_owned()
}

fn cargo(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO")).args(arguments).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

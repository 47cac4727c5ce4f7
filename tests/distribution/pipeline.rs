//! What the release pipeline runs works here too.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use distribution::sbom;
use serde_json::{Value, json};

#[test]
fn a_tag_that_is_not_the_version_is_refused() {
    let Output { status, stderr, .. } = script(".ci/check-tag", &["v99.0.0"]);
    assert!(!status.success());
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!("The tag is v99.0.0, and Cargo.toml has version {version}.\n");
    assert_eq!(String::from_utf8(stderr).unwrap(), expected);
}

#[test]
fn a_tag_needs_a_section_with_a_date() {
    const CARGO: &str = "[package]\nname = \"terraform-provider-smtp\"\nversion = \"1.2.0\"\nedition = \"2024\"\n\n[dependencies]\nring = { version = \"9.9.9\" }\n";
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".ci")).unwrap();
    let copy = folder.path().join(".ci/check-tag");
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join(".ci/check-tag"), &copy).unwrap();
    fs::write(folder.path().join("Cargo.toml"), CARGO).unwrap();
    let section = "CHANGELOG.md has no section `## 1.2.0 (DATE)`, such as `## 1.2.0 (May 5, 2026)`.\n";
    for (headings, refusal) in [
        ("## 1.2.0 (November 29, 2026)\n\n## 1.1.0 (May 5, 2026)\n", ""),
        ("## 1.2.0 (Unreleased)\n\n## 1.1.0 (May 5, 2026)\n", section),
        ("## 1.2.0\n", section),
        ("## 1.2.0-rc1 (May 5, 2026)\n", section),
        ("## 1x2.0 (May 5, 2026)\n", section),
        ("## 1.1.0 (May 5, 2026)\n", section),
    ] {
        fs::write(folder.path().join("CHANGELOG.md"), format!("# Changelog\n\n{headings}")).unwrap();
        // Read by a shell, since a file that was just written may not be run yet: a process that another test is starting
        // has it open, too, until it runs something else.
        let Output { status, stderr, .. } = Command::new("bash").arg(&copy).arg("v1.2.0").output().unwrap();
        assert_eq!((status.success(), String::from_utf8(stderr).unwrap().as_str()), (refusal.is_empty(), refusal));
    }
}

#[test]
fn the_bill_of_materials_lists_what_is_linked() {
    let metadata = json!({ "packages": [
        { "name": "ring", "version": "0.17.14", "license": "Apache-2.0 AND ISC" },
        { "name": "syn", "version": "3.0.0", "license": "MIT OR Apache-2.0" },
        { "name": "terraform-provider-smtp", "version": "1.0.0", "license": "MPL-2.0" },
        { "name": "old", "version": "1.0.0", "license": "MIT/Apache-2.0" },
    ]});
    let tree = "terraform-provider-smtp v1.0.0 (/here)\nring v0.17.14\nold v1.0.0\nring v0.17.14 (*)\n";
    let bill: Value = serde_json::from_str(&sbom::bill(&metadata.to_string(), tree).unwrap()).unwrap();
    assert_eq!(bill["metadata"]["component"]["name"], "terraform-provider-smtp");
    let found = bill["components"].as_array().unwrap();
    let found: Vec<_> = found.iter().map(|one| (&one["purl"], &one["licenses"][0]["expression"])).collect();
    let [old, ring] = ["pkg:cargo/old@1.0.0", "pkg:cargo/ring@0.17.14"].map(Value::from);
    assert_eq!(found, [(&old, &"MIT OR Apache-2.0".into()), (&ring, &"Apache-2.0 AND ISC".into())]);
    assert!(sbom::bill("{", tree).is_err());
    assert_eq!(sbom::bill("{}", tree).unwrap_err(), "The tree does not have `terraform-provider-smtp` in it.");
}

fn script(path: &str, arguments: &[&str]) -> Output {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    Command::new(project.join(path)).args(arguments).output().unwrap()
}

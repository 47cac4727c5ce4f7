//! What the release pipeline runs works here too.

use std::{
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

//! The bill of materials of the binary, as `CycloneDX` 1.5.

use std::collections::BTreeSet;

use serde_json::{Value, json};

const PROVIDER: &str = "terraform-provider-smtp";

/// Returns the bill, from what `cargo metadata` and `cargo tree --prefix none --format '{p}'` print. The same output
/// makes the same bill.
pub fn bill(metadata: &str, tree: &str) -> Result<String, String> {
    let metadata: Value =
        serde_json::from_str(metadata).map_err(|_| "The metadata is not what cargo prints.".to_owned())?;
    let linked: BTreeSet<_> = tree.lines().filter_map(name_and_version).collect();
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut packages: Vec<_> =
        packages.iter().filter_map(|one| Some((text(one, "name")?, text(one, "version")?, one))).collect();
    packages.retain(|(name, version, _)| linked.contains(&(*name, *version)));
    packages.sort_by_key(|(name, version, _)| (*name, *version));
    let component = |kind: &str, name: &str, version: &str, package: &Value| {
        let purl = format!("pkg:cargo/{name}@{version}");
        let licenses = text(package, "license").map(|license| license.replace('/', " OR "));
        let licenses: Vec<_> = licenses.into_iter().map(|expression| json!({ "expression": expression })).collect();
        json!({ "type": kind, "name": name, "version": version, "purl": purl, "bom-ref": purl, "licenses": licenses })
    };
    let provider = packages.iter().find(|(name, ..)| *name == PROVIDER);
    let (name, version, package) = provider.ok_or_else(|| format!("The tree does not have `{PROVIDER}` in it."))?;
    let others = packages.iter().filter(|(name, ..)| *name != PROVIDER);
    let components: Vec<_> =
        others.map(|(name, version, package)| component("library", name, version, package)).collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": component("application", name, version, package) },
        "components": components,
    });
    Ok(format!("{bill:#}\n"))
}

fn text<'a>(package: &'a Value, key: &str) -> Option<&'a str> {
    package[key].as_str()
}

/// `tokio v1.52.0` as two words.
fn name_and_version(line: &str) -> Option<(&str, &str)> {
    let mut words = line.split_whitespace();
    Some((words.next()?, words.next()?.strip_prefix('v')?))
}

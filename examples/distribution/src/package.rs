//! The files of a release, by the names that the Terraform Registry and `OpenTofu`'s require.

use std::{fs, path::Path, process::Command};

use crate::zip::{self, Entry};

const PROVIDER: &str = "terraform-provider-smtp";

/// What both registries read to learn the version of the plugin protocol. Without it, they assume 5.
const MANIFEST: &str = "{\n  \"version\": 1,\n  \"metadata\": {\n    \"protocol_versions\": [\"6.0\"]\n  }\n}\n";

/// What is in each package, in addition to the binary.
const DOCUMENTS: [&str; 3] = ["LICENSE", "README.md", "THIRD-PARTY-NOTICES"];

/// Writes the package of one platform, such as `linux_amd64`, into a folder, and returns its file name. `project` has
/// the license, the notices and the README. The same files make the same package.
pub fn pack(project: &Path, binary: &Path, version: &str, platform: &str, folder: &Path) -> Result<String, String> {
    is_name(version)?;
    is_name(platform)?;
    let suffix = if platform.starts_with("windows_") { ".exe" } else { "" };
    let program = format!("{PROVIDER}_v{version}{suffix}");
    let mut files = vec![(program.as_str(), read(binary)?, 0o755)];
    for name in DOCUMENTS {
        files.push((name, read(&project.join(name))?, 0o644));
    }
    files.sort();
    let entries: Vec<_> = files.iter().map(|(name, content, mode)| Entry { name, content, mode: *mode }).collect();
    let name = format!("{PROVIDER}_{version}_{platform}.zip");
    write(&folder.join(&name), &zip::write(&entries)?)?;
    Ok(name)
}

/// Writes the manifest and the checksums of the packages of a version in a folder, and returns the name of the file
/// with the checksums. An earlier signature is removed.
pub fn seal(folder: &Path, version: &str) -> Result<String, String> {
    is_name(version)?;
    let prefix = format!("{PROVIDER}_{version}_");
    let sums = format!("{prefix}SHA256SUMS");
    let entries = fs::read_dir(folder).map_err(|error| failed("read", folder, &error))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> = names.filter(|name| name.starts_with(&prefix)).collect();
    names.retain(|name| Path::new(name).extension().is_some_and(|extension| extension == "zip"));
    if names.is_empty() {
        return Err(format!("`{}` has no package of version {version}.", folder.display()));
    }
    let manifest = format!("{prefix}manifest.json");
    write(&folder.join(&manifest), MANIFEST.as_bytes())?;
    names.push(manifest);
    names.sort();
    let line = |name: &String| Ok(format!("{}  {name}\n", zip::sha256(&read(&folder.join(name))?)));
    let lines: String = names.iter().map(line).collect::<Result<_, String>>()?;
    _ = fs::remove_file(folder.join(format!("{sums}.sig")));
    write(&folder.join(&sums), lines.as_bytes())?;
    Ok(sums)
}

/// Signs a file with a key of `GnuPG`, and returns the name of the signature. The Terraform Registry accepts RSA and
/// DSA keys only.
pub fn sign(folder: &Path, file: &str, key: &str) -> Result<String, String> {
    let signature = format!("{file}.sig");
    let part = folder.join(format!("{signature}.part"));
    let mut gpg = Command::new("gpg");
    gpg.args(["--batch", "--yes", "--quiet", "--local-user", key, "--detach-sign", "--output"]);
    let output = gpg.arg(&part).arg(folder.join(file)).output();
    let output = output.map_err(|error| format!("`{file}` is not signed, because `gpg` does not run: {error}."))?;
    if !output.status.success() {
        _ = fs::remove_file(&part);
        let reason = String::from_utf8_lossy(&output.stderr);
        let reason = reason.lines().next().unwrap_or("no reason was given").trim_end_matches('.');
        return Err(format!("`{file}` is not signed with the key `{key}`: {reason}."));
    }
    fs::rename(&part, folder.join(&signature)).map_err(|error| failed("write", folder, &error))?;
    Ok(signature)
}

/// A version and a platform become parts of file names.
fn is_name(text: &str) -> Result<(), String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    if !text.is_empty() && text.chars().all(fits) {
        return Ok(());
    }
    Err(format!("`{text}` is not a version or a platform: only letters, digits and `._-+` are possible."))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| failed("read", path, &error))
}

/// A file gets its name when it is complete.
fn write(path: &Path, content: &[u8]) -> Result<(), String> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder).map_err(|error| failed("write", folder, &error))?;
    let part = path.with_added_extension("part");
    let written = fs::write(&part, content).and_then(|()| fs::rename(&part, path));
    written.map_err(|error| {
        _ = fs::remove_file(&part);
        failed("write", path, &error)
    })
}

fn failed(what: &str, path: &Path, error: &std::io::Error) -> String {
    format!("`{}` cannot be {}: {error}.", path.display(), if what == "read" { "read" } else { "written" })
}

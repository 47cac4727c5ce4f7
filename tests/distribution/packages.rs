//! A package is what registries require, and installs with both cores in each way that users have.

use std::{
    env, fs,
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use distribution::{core, package, zip};
use sandbox::{HubSpot, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::server::offer;

const VERSION: &str = env!("CARGO_PKG_VERSION");
const ADDRESS: &str = "smtp-credentials/smtp";
const USER: &str = HubSpot::MODEL.examples[0].name;

#[test]
fn a_package_has_the_binary_and_its_licenses_and_is_the_same_each_time() {
    let one = packed();
    let name = format!("terraform-provider-smtp_{VERSION}_{}.zip", core::platform());
    let one_bytes = fs::read(one.path().join(&name)).unwrap();
    assert!(one_bytes == fs::read(archive()).unwrap(), "the packages are the same");
    let program = format!("terraform-provider-smtp_v{VERSION}");
    assert!(zip::read(&one_bytes, &program).unwrap() == fs::read(binary()).unwrap());
    for document in ["LICENSE", "README.md", "THIRD-PARTY-NOTICES"] {
        assert_eq!(zip::read(&one_bytes, document).unwrap(), fs::read(project().join(document)).unwrap());
    }
    let manifest = format!("terraform-provider-smtp_{VERSION}_manifest.json");
    let content = fs::read(one.path().join(&manifest)).unwrap();
    let content: Value = serde_json::from_slice(&content).unwrap();
    assert_eq!(content, json!({ "version": 1, "metadata": { "protocol_versions": ["6.0"] } }));

    let sums = fs::read_to_string(one.path().join(format!("terraform-provider-smtp_{VERSION}_SHA256SUMS"))).unwrap();
    let expected: Vec<_> = [&name, &manifest]
        .map(|file| format!("{}  {file}", zip::sha256(&fs::read(one.path().join(file)).unwrap())))
        .into_iter()
        .collect();
    let found: Vec<_> = sums.lines().collect();
    assert_eq!(found, expected);
    assert_eq!(fs::read_dir(one.path()).unwrap().count(), 3, "nothing else is there");
}

#[test]
fn bad_input_is_refused_in_one_sentence_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing");
    let refusals = [
        package::pack(&project(), &missing, "1.0.0", "linux_amd64", folder.path()),
        package::pack(&project(), binary(), "../1.0.0", "linux_amd64", folder.path()),
        package::pack(&project(), binary(), "1.0.0", "", folder.path()),
        package::seal(folder.path(), "1.0.0"),
    ];
    let refusals: Vec<_> = refusals.into_iter().map(Result::unwrap_err).collect();
    assert!(refusals[0].starts_with(&format!("`{}` cannot be read: ", missing.display())), "{}", refusals[0]);
    assert!(refusals[1].starts_with("`../1.0.0` is not a version or a platform"), "{}", refusals[1]);
    assert!(refusals[2].starts_with("`` is not a version or a platform"), "{}", refusals[2]);
    assert_eq!(refusals[3], format!("`{}` has no package of version 1.0.0.", folder.path().display()));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn checksums_are_signed_with_a_key_and_not_with_what_is_not_a_key() {
    if Command::new("gpg").arg("--version").output().is_err() {
        // Not by a macro: the test harness hides what those print.
        let line = b"skipped: no checksums were signed, since the program `gpg` is not installed (Debian: apt-get install gnupg)\n";
        io::stderr().write_all(line).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::copy(archive(), folder.path().join(archive().file_name().unwrap())).unwrap();
    let sums = package::seal(folder.path(), VERSION).unwrap();
    let reason = package::sign(folder.path(), &sums, "nobody@example.invalid").unwrap_err();
    assert!(reason.contains("is not signed with the key `nobody@example.invalid`"), "{reason}");
    assert!(!folder.path().join(format!("{sums}.sig")).exists());

    // GnuPG's sockets need a short path.
    let home = tempfile::Builder::new().prefix("g").tempdir_in("/tmp").unwrap();
    let gpg = |arguments: &[&str]| {
        let output = Command::new("gpg").arg("--homedir").arg(home.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    gpg(&["--batch", "--passphrase", "", "--quick-generate-key", "release@example.invalid", "rsa3072", "sign"]);
    let mut sign = Command::new(env!("CARGO"));
    sign.args(["run", "--quiet", "--locked", "--package", "distribution", "--", "seal", VERSION]);
    sign.arg(folder.path()).arg("release@example.invalid").env("GNUPGHOME", home.path()).current_dir(project());
    let output = sign.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let [signature, signed] = [format!("{sums}.sig"), sums].map(|name| folder.path().join(name));
    gpg(&["--verify", signature.to_str().unwrap(), signed.to_str().unwrap()]);
    Command::new("gpgconf").env("GNUPGHOME", home.path()).args(["--kill", "all"]).output().unwrap();
}

#[test]
fn it_installs_from_packed_and_unpacked_files() {
    for core in cores() {
        let installation = Installation::new(&core);
        let mirror = installation.path("mirror");
        for registry in ["registry.terraform.io", "registry.opentofu.org"] {
            let folder = mirror.join(registry).join(ADDRESS);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(archive(), folder.join(archive().file_name().unwrap())).unwrap();
        }
        installation.installs_from(&format!("filesystem_mirror {{\n path = {mirror:?}\n }}"));

        let installation = Installation::new(&core);
        let mirror = installation.path("mirror");
        for registry in ["registry.terraform.io", "registry.opentofu.org"] {
            let folder = mirror.join(registry).join(ADDRESS).join(VERSION).join(core::platform());
            fs::create_dir_all(&folder).unwrap();
            let program = format!("terraform-provider-smtp_v{VERSION}");
            let content = zip::read(&fs::read(archive()).unwrap(), &program).unwrap();
            fs::write(folder.join(&program), content).unwrap();
            fs::set_permissions(folder.join(program), fs::Permissions::from_mode(0o755)).unwrap();
        }
        installation.installs_from(&format!("filesystem_mirror {{\n path = {mirror:?}\n }}"));
    }
}

#[test]
fn it_installs_from_a_network_mirror_and_its_checksum_is_locked() {
    for core in cores() {
        let installation = Installation::new(&core);
        let mirror = installation.path("mirror");
        let name = archive().file_name().unwrap().to_str().unwrap();
        let hash = format!("zh:{}", zip::sha256(&fs::read(archive()).unwrap()));
        for registry in ["registry.terraform.io", "registry.opentofu.org"] {
            let folder = mirror.join(registry).join(ADDRESS);
            fs::create_dir_all(&folder).unwrap();
            fs::copy(archive(), folder.join(name)).unwrap();
            let versions = json!({ "versions": { VERSION: {} } });
            fs::write(folder.join("index.json"), versions.to_string()).unwrap();
            let archives = json!({ "archives": { core::platform(): { "url": name, "hashes": [hash] } } });
            fs::write(folder.join(format!("{VERSION}.json")), archives.to_string()).unwrap();
        }
        let (address, certificate) = offer(mirror);
        fs::write(installation.path("authority.pem"), certificate).unwrap();
        installation.installs_from(&format!("network_mirror {{\n url = \"{address}/\"\n }}"));
        let option = format!("-net-mirror={address}/");
        let platform = format!("-platform={}", core::platform());
        installation.run(&["providers", "lock", &option, &platform, ADDRESS]);
        let locked = fs::read_to_string(installation.path(".terraform.lock.hcl")).unwrap();
        assert!(locked.contains("h1:"), "{locked}");
        installation.run(&["init", "-input=false"]);
    }
}

/// A folder with a configuration, and a vendor with one credential.
struct Installation<'a> {
    core: &'a Path,
    folder: TempDir,
    sandbox: Sandbox,
}

impl<'a> Installation<'a> {
    fn new(core: &'a Path) -> Self {
        let sandbox = Sandbox::start();
        HubSpot::MODEL.at(&sandbox).add(USER);
        Self { core, folder: tempfile::tempdir().unwrap(), sandbox }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Installs the provider by this method and no other, and resets a password with it.
    #[track_caller]
    fn installs_from(&self, method: &str) {
        let configuration = format!(
            "terraform {{\n  required_providers {{\n    smtp = {{ source = \"{ADDRESS}\", version = \"{VERSION}\" }}\n  }}\n}}\n\
             provider \"smtp\" {{\n  hubspot = {{}}\n}}\n\
             resource \"smtp_credential_password\" \"this\" {{\n  hubspot = {{ user_name = \"{USER}\" }}\n}}\n"
        );
        fs::write(self.path("main.tf"), configuration).unwrap();
        fs::write(self.path("cli.tfrc"), format!("provider_installation {{\n {method}\n}}\n")).unwrap();
        self.run(&["init", "-input=false"]);
        self.run(&["apply", "-auto-approve", "-input=false"]);
        assert_eq!(self.sandbox.hubspot().resets(USER), 1);
    }

    #[track_caller]
    fn run(&self, arguments: &[&str]) {
        let mut command = Command::new(self.core);
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("PATH", env::var_os("PATH").unwrap());
        command.env("HOME", self.folder.path()).env("CHECKPOINT_DISABLE", "1").env("TF_CLI_ARGS", "-no-color");
        command.env("TF_CLI_CONFIG_FILE", self.path("cli.tfrc")).envs(self.sandbox.env());
        if self.path("authority.pem").exists() {
            command.env("SSL_CERT_FILE", self.path("authority.pem"));
        }
        let output = command.output().unwrap();
        let [stdout, stderr] = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "{} {arguments:?}: {stdout}{stderr}", self.core.display());
    }
}

/// The cores to install with: the one on the `PATH` or a fetched one, and `OpenTofu` unless `OTHER_CORES=0`.
fn cores() -> Vec<PathBuf> {
    let is_zero = |name| env::var_os(name).is_some_and(|value| value == "0");
    if is_zero("TF_ACC") {
        return Vec::new();
    }
    let runs = |program: &Path| Command::new(program).arg("version").output().is_ok_and(|run| run.status.success());
    let chosen = env::var_os("TF_ACC_TERRAFORM_PATH").filter(|path| !path.is_empty()).map(PathBuf::from);
    let installed = || ["terraform", "tofu"].map(PathBuf::from).into_iter().find(|program| runs(program));
    let mut cores = vec![chosen.or_else(installed).unwrap_or_else(|| core::fetch(&project()).unwrap())];
    if !is_zero("OTHER_CORES") {
        let opentofu = project().join("tests/cores/opentofu-1.6.2");
        assert!(runs(&opentofu), "OpenTofu 1.6.2 cannot be fetched; OTHER_CORES=0 skips it");
        cores.push(opentofu);
    }
    cores
}

/// A folder with the package of the binary under test.
fn packed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    package::pack(&project(), binary(), VERSION, &core::platform(), folder.path()).unwrap();
    package::seal(folder.path(), VERSION).unwrap();
    folder
}

/// The package, made once for all installations.
fn archive() -> &'static Path {
    static ARCHIVE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = ARCHIVE.get_or_init(|| {
        let folder = packed();
        let path = folder.path().join(format!("terraform-provider-smtp_{VERSION}_{}.zip", core::platform()));
        (folder, path)
    });
    path
}

fn binary() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_terraform-provider-smtp"))
}

fn project() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

//! The provider in a folder where `terraform init` finds it, as `README.md` describes.

use std::{fs, io::Write, path::PathBuf};

use crate::support::{Workspace, credential};

const ADDRESS: &str = "smtp-credentials/smtp";

/// Copies the provider into a mirror, and lets the program install from there alone.
fn mirror(workspace: &Workspace) -> [PathBuf; 2] {
    let version = workspace.json(&["version", "-json"]);
    let platform = version["platform"].as_str().expect("the platform");
    let registries = ["registry.opentofu.org", "registry.terraform.io"];
    let binaries = registries.map(|registry| {
        let folder = workspace.path(&format!("mirror/{registry}/{ADDRESS}/0.1.0/{platform}"));
        fs::create_dir_all(&folder).expect("a folder can be made");
        let binary = folder.join("terraform-provider-smtp");
        fs::copy(env!("CARGO_BIN_EXE_terraform-provider-smtp"), &binary).expect("the binary can be copied");
        binary
    });
    let mirror = workspace.path("mirror");
    let mirror =
        format!("provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n", mirror.display());
    workspace.file("cli.tfrc", &mirror);
    binaries
}

#[test]
fn another_build_is_accepted_once_the_lock_file_has_its_checksum() {
    let Some(workspace) = Workspace::new() else { return };
    let binaries = mirror(&workspace);
    workspace.write(&credential(""));
    let init = ["init", "-no-color", "-input=false"];
    workspace.run(&init).succeeded();
    workspace.apply().quiet();

    // Bytes behind the end of an executable change its checksum and nothing else.
    for binary in binaries {
        let mut file = fs::OpenOptions::new().append(true).open(&binary).expect("the binary");
        file.write_all(b"another build").expect("it can be changed");
    }
    workspace.run(&init).failed();
    let mirror = workspace.path("mirror");
    let option = format!("-fs-mirror={}", mirror.display());
    workspace.run(&["providers", "lock", "-no-color", &option, ADDRESS]).succeeded();
    workspace.run(&init).succeeded();
    workspace.plan().nothing_to_do();
}

#[test]
fn without_a_source_the_program_looks_for_another_namespace() {
    let Some(workspace) = Workspace::new() else { return };
    mirror(&workspace);
    workspace.file("versions.tf", "");
    workspace.write(&credential(""));
    let run = workspace.run(&["init", "-no-color", "-input=false"]).failed();
    assert!(run.to_string().contains("hashicorp/smtp"), "{run}");
}

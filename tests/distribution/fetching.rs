//! A core is fetched once, checked, and kept only if it is complete.

#[cfg(unix)]
use std::os::unix::fs::PermissionsExt;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    thread,
};

use distribution::{
    core::{self, Archive},
    zip::{self, Entry},
};
use sandbox::ClosedPort;

use crate::server::{Server, offer};

const PROGRAM: &str = "#!/bin/sh\necho Terraform v1.0.0\n";

fn packed(name: &str) -> Vec<u8> {
    let license = Entry { name: "LICENSE.txt", content: b"license", mode: 0o644 };
    zip::write(&[license, Entry { name, content: PROGRAM.as_bytes(), mode: 0o755 }]).unwrap()
}

fn archive(url: String, content: &[u8]) -> Archive {
    Archive { url, sha256: zip::sha256(content), program: "terraform".into(), folder: "terraform-1.0.0".into() }
}

/// The one sentence of a failure, after which nothing is left.
#[track_caller]
fn failure(archive: &Archive) -> String {
    let cores = tempfile::tempdir().unwrap();
    let reason = archive.fetch(cores.path()).unwrap_err();
    let left: Vec<_> = fs::read_dir(cores.path().join(&archive.folder)).unwrap().collect();
    let left: Vec<_> = left.into_iter().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["lock"], "{reason}");
    assert!(!reason.contains('\n'), "{reason}");
    reason
}

#[test]
fn it_is_fetched_once_and_runs() {
    let content = packed("terraform");
    let server = Server::start(200, &content, content.len());
    let cores = tempfile::tempdir().unwrap();
    let archive = archive(server.url(), &content);
    for _ in 0..2 {
        let program = archive.fetch(cores.path()).unwrap();
        assert_eq!(program, cores.path().join("terraform-1.0.0/terraform"));
        assert_eq!(fs::read_to_string(&program).unwrap(), PROGRAM);
        #[cfg(unix)]
        {
            // Read by a shell: as long as another test is starting a process, that may have the file open, too.
            assert!(Command::new("sh").arg(&program).output().unwrap().stdout.starts_with(b"Terraform"));
            assert_eq!(fs::metadata(&program).unwrap().permissions().mode() & 0o777, 0o755, "it can be run");
        }
    }
    assert_eq!(server.requests(), 1);
}

#[test]
fn several_at_once_fetch_it_once() {
    let content = packed("terraform");
    let server = Server::start(200, &content, content.len());
    let cores = tempfile::tempdir().unwrap();
    let archive = archive(server.url(), &content);
    thread::scope(|scope| {
        let fetches: Vec<_> = (0..8).map(|_| scope.spawn(|| archive.fetch(cores.path()))).collect();
        for fetch in fetches {
            assert_eq!(fs::read_to_string(fetch.join().unwrap().unwrap()).unwrap(), PROGRAM);
        }
    });
    assert_eq!(server.requests(), 1);
}

#[test]
fn another_checksum_is_refused() {
    let content = packed("terraform");
    let server = Server::start(200, &content, content.len());
    let reason = failure(&archive(server.url(), b"another archive"));
    assert_eq!(reason, format!("{} does not have the SHA-256 that is pinned here", server.url()));
}

#[test]
fn half_a_download_is_refused() {
    let content = packed("terraform");
    let server = Server::start(200, &content, content.len() / 2);
    let reason = failure(&archive(server.url(), &content));
    assert!(reason.starts_with(&format!("{}: the download broke off", server.url())), "{reason}");
}

#[test]
fn an_archive_without_the_program_is_refused() {
    let content = packed("tofu");
    let server = Server::start(200, &content, content.len());
    let reason = failure(&archive(server.url(), &content));
    assert_eq!(reason, format!("{} has no `terraform` in it", server.url()));
}

#[test]
fn a_source_that_does_not_respond_is_named() {
    let server = Server::start(503, b"later", 5);
    let reason = failure(&archive(server.url(), b""));
    assert!(reason.starts_with(&server.url()) && reason.contains("503"), "{reason}");

    let closed = ClosedPort::bind();
    let url = format!("http://{}/terraform.zip", closed.address());
    let reason = failure(&archive(url.clone(), b""));
    assert!(reason.starts_with(&url), "{reason}");
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let content = packed("terraform");
    let server = Server::start(200, &content, content.len());
    let reason = archive(server.url(), &content).fetch(file.path()).unwrap_err();
    let folder = file.path().join("terraform-1.0.0");
    assert!(reason.starts_with(&format!("`{}` cannot be written: ", folder.display())), "{reason}");
    assert_eq!(server.requests(), 0, "nothing is downloaded that cannot be kept");
}

/// The certificates are those of the environment, so the download is in a process of its own.
#[cfg(target_os = "linux")]
#[test]
fn a_server_is_trusted_by_the_certificates_of_the_system() {
    let content = packed("terraform");
    if let Ok(url) = env::var("FETCH_FROM") {
        let cores = tempfile::tempdir().unwrap();
        archive(url, &content).fetch(cores.path()).unwrap();
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("terraform.zip"), content).unwrap();
    let (address, certificate) = offer(folder.path().to_owned());
    let authority = folder.path().join("authority.pem");
    fs::write(&authority, certificate).unwrap();
    let other = folder.path().join("other.pem");
    fs::write(&other, offer(PathBuf::new()).1).unwrap();
    let fetch = |authority: &Path| {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "fetching::a_server_is_trusted_by_the_certificates_of_the_system"]);
        command.env("FETCH_FROM", format!("{address}/terraform.zip"));
        command.env("SSL_CERT_FILE", authority).env_remove("SSL_CERT_DIR").output().unwrap().status.success()
    };
    assert!(fetch(&authority));
    assert!(!fetch(&other));
}

#[test]
fn archives_are_the_same_each_time_and_readable() {
    assert_eq!(packed("terraform"), packed("terraform"));
    assert_eq!(zip::read(&packed("terraform"), "LICENSE.txt").as_deref(), Some(&b"license"[..]));
    assert_eq!(zip::read(&packed("terraform"), "tofu"), None);
    assert_eq!(zip::sha256(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[test]
fn a_damaged_archive_is_never_read_as_another_content() {
    let whole = packed("terraform");
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        assert!(zip::read(&damaged, "terraform").is_none_or(|read| read == PROGRAM.as_bytes()), "byte {at}");
        assert!(zip::read(&whole[..at], "terraform").is_none_or(|read| read == PROGRAM.as_bytes()), "{at} bytes");
    }
}

#[test]
fn this_machine_has_a_name() {
    let platform = core::platform();
    assert!(platform.split('_').count() == 2 && !platform.contains("x86"), "{platform}");
}

//! Makes the files of a release: `pack` those of one platform, `seal` those of all.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what it prints is what it is for")]

use std::{env, fs, path::Path, process::ExitCode};

use distribution::{core, package, sbom};

const USAGE: &str = "\
usage: distribution pack BINARY VERSION PLATFORM FOLDER   writes the package of a platform, such as linux_amd64 or this
       distribution seal VERSION FOLDER [KEY]             writes manifest and checksums, and signs them with a key of gpg
       distribution sbom METADATA TREE FILE               writes the bill of materials from the output of cargo
       distribution core                                  fetches Terraform or OpenTofu, and prints its path";

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[&str]) -> Result<(), String> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    match *arguments {
        ["pack", binary, version, platform, folder] => {
            let this = core::platform();
            let platform = if platform == "this" { &this } else { platform };
            let name = package::pack(&project, Path::new(binary), version, platform, Path::new(folder))?;
            println!("{folder}/{name}");
        }
        ["seal", version, folder, ref key @ ..] if key.len() < 2 => {
            let sums = package::seal(Path::new(folder), version)?;
            println!("{folder}/{sums}");
            match key.first().filter(|key| !key.is_empty()) {
                Some(key) => println!("{folder}/{}", package::sign(Path::new(folder), &sums, key)?),
                None => println!("No key was given, so the checksums are not signed."),
            }
        }
        ["sbom", metadata, tree, file] => {
            let read =
                |path: &str| fs::read_to_string(path).map_err(|error| format!("`{path}` cannot be read: {error}."));
            let bill = sbom::bill(&read(metadata)?, &read(tree)?)?;
            fs::write(file, bill).map_err(|error| format!("`{file}` cannot be written: {error}."))?;
            println!("{file}");
        }
        ["core"] => println!("{}", core::fetch(&project)?.display()),
        _ => return Err(USAGE.to_owned()),
    }
    Ok(())
}

//! Fetches what a test needs from outside into `target/`, once and at fixed versions.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output},
};

/// Installs `folder/name` unless it is there already, and returns its path. `manifest` has the names and contents of
/// the files that `install` reads. Another test that wants the same waits, in this process or another.
pub(crate) fn once(
    folder: &str,
    name: &str,
    manifest: &[(&str, &str)],
    install: impl FnOnce(&Path) -> Command,
) -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(folder);
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let lock = File::create(folder.join(format!("{name}.lock"))).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    let place = folder.join(name);
    let installed = place.join("installed");
    let wanted: String = manifest.iter().map(|(_, content)| *content).collect();
    if fs::read_to_string(&installed).is_ok_and(|found| found == wanted) {
        return Ok(place);
    }
    let _ = fs::remove_dir_all(&place);
    let prepared = fs::create_dir(&place)
        .and_then(|()| manifest.iter().try_for_each(|(file, content)| fs::write(place.join(file), content)));
    prepared.map_err(|error| error.to_string())?;
    match install(&place).output() {
        Ok(Output { status, .. }) if status.success() => {}
        Ok(Output { stderr, .. }) => return Err(String::from_utf8_lossy(&stderr).trim().to_owned()),
        Err(error) => return Err(error.to_string()),
    }
    // Comes last, so an interrupted installation is repeated.
    fs::write(installed, wanted).map_err(|error| error.to_string())?;
    Ok(place)
}

/// The command of npm that installs what a lock file in `place` pins.
pub(crate) fn npm(place: &Path) -> Command {
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel", "error", "--prefix"]).arg(place);
    npm
}

/// Returns whether a command runs and succeeds.
pub(crate) fn runs(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

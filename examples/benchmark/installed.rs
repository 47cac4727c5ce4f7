//! The provider as a user has it: a copy of what was built, and in a folder where `init` finds it.
//!
//! A copy, because the pages of a file that the linker has just written cost the system more at each start than those
//! of one that was copied, and nobody runs the linker's.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use sandbox::{HubSpot, Sandbox};
use tempfile::TempDir;

use crate::{
    Result,
    core::Core,
    credential::user_name,
    figure::{Figure, Section, Unit, milliseconds},
    workspace::{Took, Workspace, credentials},
};

/// Copies of the provider.
pub(crate) struct Installed {
    folder: TempDir,
}

impl Installed {
    /// Copies what was built.
    pub(crate) fn copy(built: &Path) -> Result<Self> {
        let installed = Self { folder: tempfile::tempdir()? };
        fs::create_dir(installed.overrides())?;
        fs::copy(built, installed.provider())?;
        Ok(installed)
    }

    /// The copy.
    pub(crate) fn provider(&self) -> PathBuf {
        self.overrides().join(NAME).with_extension(env::consts::EXE_EXTENSION)
    }

    /// The folder with nothing but the copy, for `dev_overrides`.
    fn overrides(&self) -> PathBuf {
        self.folder.path().join("overrides")
    }

    /// The folder of the mirror, with the copy for each registry that a core may ask for.
    fn mirror(&self, core: &Core) -> Result<PathBuf> {
        let (mirror, platform) = (self.folder.path().join("mirror"), platform(core)?);
        for registry in ["registry.opentofu.org", "registry.terraform.io"] {
            let version = concat!("smtp-credentials/smtp/", env!("CARGO_PKG_VERSION"));
            let folder = mirror.join(registry).join(version).join(&platform);
            fs::create_dir_all(&folder)?;
            fs::copy(self.provider(), folder.join(NAME).with_extension(env::consts::EXE_EXTENSION))?;
        }
        Ok(mirror)
    }
}

/// Plans one credential with the provider from a mirror, as `init` installs it, and from `dev_overrides`, in turn.
/// There is no wrapper: core checks the provider's own bytes.
pub(crate) fn measure(core: &Core, installed: &Installed, runs: usize) -> Result<Section> {
    let sandbox = Sandbox::start();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &user_name(0));
    let configuration = credentials(1, "");
    let mirror = crate::core::cli_config_of_mirror(&installed.mirror(core)?);
    let overrides = crate::core::cli_config(&installed.overrides());
    let [from_mirror, overridden] = [mirror, overrides]
        .map(|cli_config| Workspace::bare(core, &cli_config, &sandbox, &configuration).and_then(Workspace::over_tls));
    let (from_mirror, overridden) = (from_mirror?, overridden?);
    from_mirror.init()?;
    for workspace in [&from_mirror, &overridden] {
        workspace.apply()?;
        workspace.plan()?;
    }
    let mut plans = Vec::new();
    for _ in 0..runs {
        plans.push((from_mirror.plan()?, overridden.plan()?));
    }
    let figure = |measure: &str, of: &dyn Fn(&(Took, Took)) -> Option<f64>| {
        Figure::new(measure, Unit::Milliseconds, plans.iter().filter_map(of))
    };
    let figures = vec![
        figure("Wall time, from a mirror", &|(mirror, _)| Some(milliseconds(mirror.wall))),
        figure("Wall time, by `dev_overrides`", &|(_, overridden)| Some(milliseconds(overridden.wall))),
        figure("CPU of core and the providers, from a mirror", &|(mirror, _)| Some(milliseconds(mirror.cpu?))),
        figure("CPU of core and the providers, by `dev_overrides`", &|(_, overridden)| {
            Some(milliseconds(overridden.cpu?))
        }),
        figure("What the checksum adds to that", &|(mirror, overridden)| {
            Some(milliseconds(mirror.cpu?) - milliseconds(overridden.cpu?))
        }),
    ];
    Ok(Section { title: "`plan` of one resource, installed".to_owned(), figures })
}

/// What core calls this system, such as `linux_amd64`.
fn platform(core: &Core) -> Result<String> {
    let output = core.command().args(["version", "-json"]).output()?;
    let version: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    Ok(version["platform"].as_str().ok_or("core does not say what system this is")?.to_owned())
}

const NAME: &str = env!("CARGO_PKG_NAME");

//! Which program plans and applies.

use std::{
    collections::BTreeMap,
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Mutex, OnceLock, PoisonError},
};

use serde_json::Value;

use super::features::Feature;

/// The one variable that chooses the program.
const CHOICE: &str = "TF_ACC_TERRAFORM_PATH";

/// The one variable that leaves out the tests that fetch a core of their own.
const OTHERS: &str = "OTHER_CORES";

/// A Terraform or an OpenTofu.
#[derive(Clone, Debug)]
pub struct Program(PathBuf);

impl Program {
    /// Finds the program; `None` where `TF_ACC=0` asks for none.
    ///
    /// # Panics
    ///
    /// If there is none and none can be fetched, because a test that did not run must not look like one that passed.
    #[expect(clippy::print_stderr, reason = "anyone who asked for no program should see what that meant")]
    pub fn find() -> Option<Self> {
        if env::var_os("TF_ACC").is_some_and(|value| value == "0") {
            eprintln!("skipped: TF_ACC=0");
            return None;
        }
        if let Some(core) = crate::CORE {
            return Self::fetch(core);
        }
        if let Some(chosen) = env::var_os(CHOICE).filter(|path| !path.is_empty()).map(PathBuf::from) {
            assert!(starts(&chosen), "{CHOICE} is {}, which does not run", chosen.display());
            return Some(Self(chosen));
        }
        let installed = ["terraform", "tofu"].map(PathBuf::from).into_iter().find(|program| starts(program));
        Some(Self(installed.unwrap_or_else(Self::fetched)))
    }

    /// A pinned core, which is fetched once for all tests and runs.
    fn fetched() -> PathBuf {
        static FETCHED: OnceLock<Result<PathBuf, String>> = OnceLock::new();
        let fetched = FETCHED.get_or_init(|| distribution::core::fetch(Path::new(env!("CARGO_MANIFEST_DIR"))));
        fetched.clone().unwrap_or_else(|reason| panic!("{reason} TF_ACC=0 skips these tests."))
    }

    /// Fetches a core from a package registry, or finds it fetched before; `None` where `OTHER_CORES=0` asks for none.
    #[expect(clippy::print_stderr, reason = "anyone who asked for no program should see what that meant")]
    fn fetch(core: &str) -> Option<Self> {
        if env::var_os(OTHERS).is_some_and(|value| value == "0") {
            eprintln!("skipped: {OTHERS}=0");
            return None;
        }
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cores").join(core);
        assert!(
            starts(&program),
            "{core} needs npm or pip and a network, to fetch it once; {OTHERS}=0 skips these tests"
        );
        Some(Self(program))
    }

    /// Returns whether it knows a feature.
    pub fn knows(&self, feature: Feature) -> bool {
        let minor = self.version().split('.').nth(1).and_then(|minor| minor.parse().ok());
        minor.is_some_and(|minor| feature.is_in(self.is_opentofu(), minor))
    }

    fn is_opentofu(&self) -> bool {
        static IS: OnceLock<bool> = OnceLock::new();
        *IS.get_or_init(|| {
            let output = self.command().arg("version").output().expect("the program starts");
            output.stdout.starts_with(b"OpenTofu")
        })
    }

    /// Its version.
    pub fn version(&self) -> String {
        static VERSION: OnceLock<String> = OnceLock::new();
        let ask = || {
            let output = self.command().args(["version", "-json"]).output().expect("the program starts");
            let version: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
            version["terraform_version"].as_str().expect("a version").to_owned()
        };
        VERSION.get_or_init(ask).clone()
    }

    /// Starts to write a command.
    pub fn command(&self) -> Command {
        Command::new(&self.0)
    }
}

/// Tried once for each program: every test asks.
fn starts(program: &Path) -> bool {
    static STARTED: Mutex<BTreeMap<PathBuf, bool>> = Mutex::new(BTreeMap::new());
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    *started.entry(program.to_owned()).or_insert_with(|| {
        let version = Command::new(program).arg("version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        version.is_ok_and(|status| status.success())
    })
}

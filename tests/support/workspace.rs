//! A directory in which the program runs, and the sandbox that it talks to.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

use super::{
    ADDRESS, USER,
    features::Feature,
    marked, needles,
    program::Program,
    run::Run,
    state::{self, Instance},
};
use sandbox::{HostUp, HubSpot, KirimEmail, Model, Recorded, Sandbox, VENDORS, client};

/// What every configuration here starts with.
const REQUIREMENT: &str = r#"terraform {
  required_providers {
    smtp = { source = "smtp-credentials/smtp" }
  }
}
"#;

/// What no user should ever read.
const NEVER_SAID: &[&str] = &["bug in the provider", "panic", "Provider produced"];

/// What no log ever holds, however talkative: the line of a panic of ours.
const NEVER_LOGGED: &[&str] = &["panicked at", "panic: "];

/// Core logs in clear what is dynamically typed, as `terraform_data` is and nothing of this provider.
const OF_CORE: &str = "UpgradeResourceState: ignoring dynamic block";

/// The password of a proxy that is never asked, because everything here is on loopback.
pub const PROXY_PASSWORD: &str = "needle-of-the-proxy";

/// The log of one run.
const LOG: &str = "trace.log";

/// One configuration with its state, and a sandbox for it alone.
pub struct Workspace {
    /// The vendors and the mail server.
    pub sandbox: Sandbox,
    program: Program,
    directory: TempDir,
    environment: BTreeMap<String, String>,
    users: RefCell<BTreeSet<String>>,
    secrets: RefCell<BTreeSet<String>>,
}

impl Workspace {
    /// Sets up an empty workspace and a sandbox with a credential to reset at each vendor; `None` where these tests are
    /// to be skipped.
    pub fn new() -> Option<Self> {
        let program = Program::find()?;
        let sandbox = Sandbox::start();
        let directory = tempfile::tempdir().expect("a temporary directory");
        let workspace = Self {
            environment: environment(directory.path(), &sandbox),
            program,
            directory,
            users: RefCell::default(),
            secrets: RefCell::new(sandbox.env().into_iter().map(|(_, value)| value).collect()),
            sandbox,
        };
        // In clear text, and as a proxy gets it.
        workspace.keep_secret(PROXY_PASSWORD);
        workspace.keep_secret("dXNlcjpuZWVkbGUtb2YtdGhlLXByb3h5");
        // These two are no secrets.
        workspace.secrets.borrow_mut().remove(&workspace.sandbox.base_url());
        workspace.secrets.borrow_mut().remove(KirimEmail::USERNAME);
        fs::create_dir(workspace.temporary()).expect("a folder for temporary files");
        workspace.file("cli.tfrc", &cli_config());
        workspace.file("versions.tf", REQUIREMENT);
        for vendor in VENDORS.iter().filter(|vendor| !vendor.makes_successors) {
            workspace.add(vendor, vendor.examples[0].name);
        }
        Some(workspace)
    }

    /// Sets up the same for provider functions, which older programs do not know.
    pub fn with_functions() -> Option<Self> {
        Self::with(Feature::FUNCTIONS)
    }

    /// Sets up the same for `for_each` in import blocks, which older programs do not know.
    pub fn with_import_for_each() -> Option<Self> {
        Self::with(Feature::IMPORT_FOR_EACH)
    }

    /// Sets up the same for tests with mocked providers, which older programs do not know.
    pub fn with_mocks() -> Option<Self> {
        Self::with(Feature::MOCKS)
    }

    /// Sets up the same for `moved` between two types of resources, which older programs do not know.
    pub fn with_moved_between_types() -> Option<Self> {
        Self::with(Feature::MOVED_BETWEEN_TYPES)
    }

    /// Sets up the same for what older programs do not know: write-only arguments and ephemeral values.
    pub fn with_write_only() -> Option<Self> {
        Self::with(Feature::WRITE_ONLY)
    }

    /// Sets up the same for resource identities, which older programs do not know.
    pub fn with_identity() -> Option<Self> {
        Self::with(Feature::IDENTITY)
    }

    /// Sets up the same for `terraform query`, which older programs do not know.
    pub fn with_query() -> Option<Self> {
        Self::with(Feature::QUERY)
    }

    #[expect(clippy::print_stderr, reason = "a test that did not run is not to look like one that passed")]
    fn with(feature: Feature) -> Option<Self> {
        let workspace = Self::new()?;
        if workspace.program.knows(feature) {
            return Some(workspace);
        }
        eprintln!("skipped: version {} knows no {}", workspace.program.version(), feature.name);
        None
    }

    /// Returns whether the program knows write-only arguments and ephemeral values.
    pub fn knows_write_only(&self) -> bool {
        self.program.knows(Feature::WRITE_ONLY)
    }

    /// Returns whether the program knows `moved` between two types of resources.
    pub fn knows_moved_between_types(&self) -> bool {
        self.program.knows(Feature::MOVED_BETWEEN_TYPES)
    }

    /// Adds a credential at a vendor, by the name that faults go by. Returns its id where the vendor makes one.
    pub fn add(&self, vendor: &Model, name: &str) -> Option<String> {
        self.users.borrow_mut().insert(name.to_owned());
        vendor.at(&self.sandbox).add(name)
    }

    /// Adds a credential at `HubSpot`.
    pub fn add_credential(&self, user_name: &str) {
        self.add(HubSpot::MODEL, user_name);
    }

    /// Adds a mailbox at `HostUp`, and returns its id.
    pub fn add_mailbox(&self, address: &str) -> String {
        self.users.borrow_mut().insert(address.to_owned());
        self.sandbox.hostup().add_mailbox(HostUp::ACCOUNT_ID, address)
    }

    /// Adds a credential at `KIRIM.EMAIL`.
    pub fn add_kirim_credential(&self, guid: &str, user_name: &str) {
        self.sandbox.kirim_email().add_credential(KirimEmail::DOMAIN, guid, user_name);
        self.users.borrow_mut().insert(user_name.to_owned());
    }

    /// From here on nothing that is printed may hold `secret`.
    pub fn keep_secret(&self, secret: &str) {
        self.secrets.borrow_mut().insert(secret.to_owned());
    }

    /// From here on nothing that is printed may hold the password of this user name, whichever it is at the time.
    pub fn keep_password_of(&self, user_name: &str) {
        self.users.borrow_mut().insert(user_name.to_owned());
    }

    /// Has the provider trust the sandbox's mail server.
    pub fn trust_mail_server(&mut self) {
        self.file("authority.pem", &self.sandbox.ca_certificate_pem());
        let path = self.path("authority.pem");
        self.set("SMTP_CA_CERTIFICATE_FILE", path.to_str().expect("a path that is text"));
    }

    /// Sets an environment variable.
    pub fn set(&mut self, variable: &str, value: &str) {
        self.environment.insert(variable.to_owned(), value.to_owned());
    }

    /// Unsets an environment variable.
    pub fn unset(&mut self, variable: &str) {
        self.environment.remove(variable);
    }

    /// Writes the configuration, all but the required providers.
    pub fn write(&self, configuration: &str) {
        self.file("main.tf", configuration);
    }

    /// Writes a file.
    pub fn file(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("a folder to be in")).expect("a folder can be made");
        fs::write(path, text).expect("a file can be written");
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect("a file that is there");
    }

    /// Where a file is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Applies the configuration.
    #[must_use = "a run may have failed"]
    pub fn apply(&self) -> Run {
        self.apply_with(&[])
    }

    /// Applies with further options, or applies a saved plan.
    #[must_use = "a run may have failed"]
    pub fn apply_with(&self, options: &[&str]) -> Run {
        self.run(&[&["apply", "-json", "-auto-approve", "-input=false"], options].concat())
    }

    /// Plans; the exit status shows whether there is something to do.
    #[must_use = "a run may have failed"]
    pub fn plan(&self) -> Run {
        self.plan_with(&[])
    }

    /// Plans with further options.
    #[must_use = "a run may have failed"]
    pub fn plan_with(&self, options: &[&str]) -> Run {
        self.run(&[&["plan", "-json", "-detailed-exitcode", "-input=false"], options].concat())
    }

    /// Plans, and returns what the resource at [`ADDRESS`] is going to be; unknown attributes are missing.
    pub fn planned(&self) -> Value {
        self.plan_with(&["-out=plan"]).succeeded();
        let plan = self.saved_plan();
        let changes = plan["resource_changes"].as_array().expect("a plan lists changes");
        let change = changes.iter().find(|change| change["address"] == ADDRESS).expect("the resource is in the plan");
        change["change"]["after"].clone()
    }

    /// What programs and people read in the plan that was saved as `plan`. Core writes sensitive values for programs,
    /// and marks them.
    #[track_caller]
    pub fn saved_plan(&self) -> Value {
        self.run(&["show", "-no-color", "plan"]).succeeded();
        let plan = self.json(&["show", "-json", "plan"]);
        assert!(
            !self.shows_secret(&marked::removed(&plan).to_string()),
            "a saved plan shows a password where it is not marked"
        );
        plan
    }

    /// Destroys everything.
    #[must_use = "a run may have failed"]
    pub fn destroy(&self) -> Run {
        self.destroy_with(&[])
    }

    /// Destroys with further options.
    #[must_use = "a run may have failed"]
    pub fn destroy_with(&self, options: &[&str]) -> Run {
        self.run(&[&["destroy", "-json", "-auto-approve", "-input=false"], options].concat())
    }

    /// Refreshes the state, and does nothing else.
    #[must_use = "a run may have failed"]
    pub fn refresh(&self) -> Run {
        self.apply_with(&["-refresh-only"])
    }

    /// Judges the configuration.
    #[must_use = "a run may have failed"]
    pub fn validate(&self) -> Run {
        self.run(&["validate", "-json"])
    }

    /// Imports into [`ADDRESS`]. What it says is for people only.
    #[must_use = "a run may have failed"]
    pub fn import(&self, id: &str) -> Run {
        self.run(&["import", "-no-color", "-input=false", ADDRESS, id])
    }

    /// Runs the program, and checks that it shows no secret and leaves no temporary file behind.
    #[must_use = "a run may have failed"]
    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.logged(arguments).0
    }

    /// The same, with the log of core and of the provider at their most talkative.
    #[must_use = "a run may have failed"]
    #[track_caller]
    pub fn logged(&self, arguments: &[&str]) -> (Run, String) {
        self.learn_passwords();
        let output = self.command(arguments).output().expect("the program starts");
        self.judged(arguments, &output)
    }

    /// Makes a run of what the program has left, with the same insistence.
    #[track_caller]
    pub fn judge(&self, arguments: &[&str], output: &Output) -> Run {
        self.judged(arguments, output).0
    }

    #[track_caller]
    fn judged(&self, arguments: &[&str], output: &Output) -> (Run, String) {
        self.learn_passwords();
        let run = Run::of(arguments.join(" "), output);
        for text in [&run.stdout, &run.stderr] {
            for words in NEVER_SAID {
                assert!(!text.contains(words), "nobody should read “{words}”: {run}");
            }
            assert!(!self.shows_secret(text), "`{}` showed a password or a token", run.command);
        }
        let log = self.searched_log(&run.command);
        let left: Vec<_> = fs::read_dir(self.temporary()).expect("the folder is there").collect();
        assert!(left.is_empty(), "`{}` left {left:?} behind", run.command);
        (run, log)
    }

    /// Runs the program for what it is asked to print as JSON, secrets included.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.command(arguments).output().expect("the program starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        self.learn_passwords();
        self.searched_log(&arguments.join(" "));
        serde_json::from_slice(&output.stdout).expect("it prints JSON")
    }

    /// Takes the log away, and checks that it shows no secret.
    #[track_caller]
    fn searched_log(&self, command: &str) -> String {
        let path = self.path(LOG);
        let log = fs::read_to_string(&path).unwrap_or_default();
        let _ = fs::remove_file(path);
        let line = |at: usize| {
            let (before, after) = log.split_at(at);
            let (start, end) =
                (before.rfind('\n').map_or(0, |at| at + 1), after.find('\n').map_or(log.len(), |end| at + end));
            &log[start..end]
        };
        let is_shown = needles::found(&log, &self.secrets.borrow()).any(|at| !line(at).contains(OF_CORE));
        assert!(!is_shown, "the log of `{command}` shows a password or a token");
        for words in NEVER_LOGGED {
            assert!(!log.contains(words), "`{command}` panicked: {log}");
        }
        log
    }

    fn shows_secret(&self, text: &str) -> bool {
        needles::found(text, &self.secrets.borrow()).next().is_some()
    }

    /// The requests to the vendors so far: method, path and status of each.
    pub fn requests(&self) -> Vec<String> {
        let requests = self.sandbox.requests().into_iter();
        let line =
            |request: Recorded| format!("{} {} {}", request.method, request.path, request.status.unwrap_or_default());
        requests.map(line).collect()
    }

    /// The value of an output.
    pub fn output(&self, name: &str) -> Value {
        self.json(&["output", "-json", name])
    }

    /// A command in this workspace, with an environment in which nothing of the machine's own is left.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program.command();
        command
            .args(arguments)
            .current_dir(self.directory.path())
            .env_clear()
            .envs(&self.environment)
            .stdin(Stdio::null());
        command
    }

    /// The environment variables that the program gets.
    pub fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    /// The attributes that the state holds for the resource at [`ADDRESS`].
    #[track_caller]
    pub fn state(&self) -> Value {
        self.state_of(ADDRESS)
    }

    /// Makes all resets in the state old ones, of the first day of 2026.
    pub fn age_resets(&self) {
        let path = self.path("terraform.tfstate");
        let mut state: Value = serde_json::from_str(&fs::read_to_string(path).expect("the state")).expect("JSON");
        let resources = state["resources"].as_array_mut().expect("resources");
        for resource in resources {
            for instance in resource["instances"].as_array_mut().expect("instances") {
                if instance["attributes"]["rotated_at"].is_string() {
                    instance["attributes"]["rotated_at"] = "2026-01-01T00:00:00.000000Z".into();
                }
            }
        }
        self.file("terraform.tfstate", &state.to_string());
    }

    /// The attributes that the state holds for a resource.
    #[track_caller]
    pub fn state_of(&self, address: &str) -> Value {
        let instances = self.instances();
        let found = instances.iter().find(|instance| instance.address == address && !instance.deposed);
        found.unwrap_or_else(|| panic!("{address} is not in the state")).attributes.clone()
    }

    /// The identity that the state holds for a resource.
    #[track_caller]
    pub fn identity_of(&self, address: &str) -> Value {
        let instances = self.instances();
        let found = instances.iter().find(|instance| instance.address == address && !instance.deposed);
        found.unwrap_or_else(|| panic!("{address} is not in the state")).identity.clone()
    }

    /// The addresses of what the state holds, deposed objects left out.
    pub fn addresses(&self) -> Vec<String> {
        let instances = self.instances().into_iter().filter(|instance| !instance.deposed);
        instances.map(|instance| instance.address).collect()
    }

    /// How many resets of [`USER`]'s password there have been.
    pub fn resets(&self) -> usize {
        self.sandbox.hubspot().resets(USER)
    }

    /// How many resets there have been, at all vendors.
    pub fn resets_everywhere(&self) -> usize {
        // User names are unique over all vendors, and each knows the resets of all; at SMTPD a reset is a key.
        let users = self.users.borrow();
        let made = self.sandbox.smtpd().keys().into_iter().map(|key| key.name).collect::<BTreeSet<_>>();
        let resets = users.iter().map(|user| self.sandbox.hubspot().resets(user));
        resets.chain(made.iter().map(|name| self.sandbox.smtpd().resets(name))).sum()
    }

    /// The attributes in the state by the addresses of what has them, and those of deposed objects, as core has stored
    /// them.
    pub fn stored(&self) -> (BTreeMap<String, Value>, Vec<Value>) {
        let is_local = self.path("terraform.tfstate").is_file();
        let text = if is_local {
            fs::read_to_string(self.path("terraform.tfstate")).expect("the state")
        } else {
            let output = self.command(&["state", "pull"]).output().expect("the program starts");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            self.learn_passwords();
            self.searched_log("state pull");
            String::from_utf8(output.stdout).expect("a state is text")
        };
        let instances = if text.trim().is_empty() { Vec::new() } else { state::instances(&text) };
        let (deposed, current): (Vec<_>, Vec<_>) = instances.into_iter().partition(|instance| instance.deposed);
        let current = current.into_iter().map(|instance| (instance.address, instance.attributes)).collect();
        (current, deposed.into_iter().map(|instance| instance.attributes).collect())
    }

    /// Returns whether the mail server accepts a password of [`USER`].
    pub fn logs_in(&self, password: &str) -> bool {
        self.logs_in_as(USER, password)
    }

    /// Returns whether the mail server accepts a password.
    pub fn logs_in_as(&self, username: &str, password: &str) -> bool {
        client::logs_in(&self.sandbox, username, password).expect("the mail server says yes or no")
    }

    /// Insists that the state holds the password that works at this moment, and returns it.
    #[track_caller]
    pub fn working_password(&self) -> String {
        self.working_password_of(ADDRESS)
    }

    /// Insists that the state of a resource holds the password that works at this moment, and returns it.
    #[track_caller]
    pub fn working_password_of(&self, address: &str) -> String {
        let state = self.state_of(address);
        let [username, password] = ["username", "password"].map(|name| state[name].as_str().unwrap_or_default());
        assert!(self.logs_in_as(username, password), "the password in the state does not log in");
        password.to_owned()
    }

    fn instances(&self) -> Vec<Instance> {
        fs::read_to_string(self.path("terraform.tfstate")).map_or_else(|_| Vec::new(), |text| state::instances(&text))
    }

    fn learn_passwords(&self) {
        // User names are unique over all vendors, and each knows the passwords of all; at SMTPD they are secrets of
        // keys.
        let password = |user: &String| self.sandbox.hubspot().password(user);
        let passwords = self.users.borrow().iter().filter_map(password).collect::<Vec<_>>();
        let keys = self.sandbox.smtpd().keys().into_iter().map(|key| key.secret);
        self.secrets.borrow_mut().extend(passwords.into_iter().chain(keys));
    }

    fn temporary(&self) -> PathBuf {
        self.path("tmp")
    }
}

fn environment(directory: &Path, sandbox: &Sandbox) -> BTreeMap<String, String> {
    let text = |path: PathBuf| path.to_str().expect("a path that is text").to_owned();
    let own = [
        ("CHECKPOINT_DISABLE", "1".to_owned()),
        // Core's heap is small, and its garbage collector a sixth of its work.
        ("GOGC", "400".to_owned()),
        ("HOME", text(directory.to_owned())),
        ("HTTPS_PROXY", format!("http://user:{PROXY_PASSWORD}@127.0.0.1:9")),
        ("PATH", std::env::var("PATH").unwrap_or_default()),
        ("TF_CLI_CONFIG_FILE", text(directory.join("cli.tfrc"))),
        ("TF_IN_AUTOMATION", "1".to_owned()),
        ("TF_LOG", "TRACE".to_owned()),
        ("TF_LOG_PATH", text(directory.join(LOG))),
        ("TMPDIR", text(directory.join("tmp"))),
    ];
    own.into_iter().chain(sandbox.env()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Has the program use the provider that was just built, without `init`.
fn cli_config() -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_terraform-provider-smtp"));
    let folder = binary.parent().expect("a binary is in a folder");
    format!(
        "provider_installation {{\n  dev_overrides {{\n    \"smtp-credentials/smtp\" = {:?}\n  }}\n  direct {{}}\n}}\n",
        folder.to_str().expect("a path that is text")
    )
}

//! The ways in which modules use a credential, and the ways in which people start the provider.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use sandbox::HubSpot;

use crate::{
    module,
    support::{ADDRESS, USER, Workspace, credential, resource},
};

#[test]
fn many_credentials_each_keep_their_own_password() {
    let Some(workspace) = Workspace::new() else { return };
    let names = ["a", "b", "c"].map(|name| format!("{name}@{}.smtp.hubspot.net", HubSpot::PORTAL_ID));
    for name in &names {
        workspace.add_credential(name);
    }
    let each = |trigger: &str| {
        let arguments = format!("for_each = toset({names:?})\n  rotation_trigger = {trigger}");
        credential(&arguments).replace(&format!("\"{USER}\""), "each.key")
    };
    workspace.write(&each("\"one\""));
    workspace.apply().quiet();
    let lists = workspace.sandbox.requests().into_iter().filter(|request| request.method == "GET").count();
    assert_eq!(lists, 1, "one list serves all creates");
    workspace.write(&each(&format!("each.key == \"{}\" ? \"two\" : \"one\"", names[1])));
    workspace.apply().quiet();
    let resets: Vec<_> = names.iter().map(|name| workspace.sandbox.hubspot().resets(name)).collect();
    assert_eq!(resets, [1, 2, 1]);
    for name in &names {
        workspace.working_password_of(&format!("{ADDRESS}[\"{name}\"]"));
    }
}

#[test]
fn a_target_leaves_the_others_alone() {
    const OTHER: &str = "other@62515.smtp.hubspot.net";
    let Some(workspace) = Workspace::new() else { return };
    workspace.add_credential(OTHER);
    workspace.write(&(credential("") + &resource("other", OTHER, "")));
    workspace.apply_with(&[&format!("-target={ADDRESS}")]).succeeded();
    assert_eq!(workspace.addresses(), [ADDRESS]);
    assert_eq!((workspace.resets(), workspace.sandbox.hubspot().resets(OTHER)), (1, 0));
    workspace.apply().quiet();
    assert_eq!((workspace.resets(), workspace.sandbox.hubspot().resets(OTHER)), (1, 1));
}

#[test]
fn a_new_password_reaches_what_depends_on_it_in_the_same_apply() {
    let Some(workspace) = Workspace::new() else { return };
    let configuration = |trigger: &str| {
        let version = format!("resource \"terraform_data\" \"user\" {{\n  input = {ADDRESS}.rotated_at\n}}\n");
        let output = format!("output \"password\" {{\n  value = {ADDRESS}.password\n  sensitive = true\n}}\n");
        [credential(&format!("rotation_trigger = \"{trigger}\"")), version, output].concat()
    };
    for trigger in ["one", "two"] {
        workspace.write(&configuration(trigger));
        workspace.apply().quiet();
        assert_eq!(workspace.output("password"), workspace.working_password());
        assert_eq!(workspace.state_of("terraform_data.user")["output"]["value"], workspace.state()["rotated_at"]);
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn the_version_of_a_rotation_grows_with_each_and_with_nothing_else() {
    let Some(workspace) = Workspace::new() else { return };
    let write = |trigger: &str, more: &str| {
        let user =
            format!("resource \"terraform_data\" \"user\" {{\n  triggers_replace = {ADDRESS}.rotation_version\n}}\n");
        let arguments = format!("rotation_trigger = \"{trigger}\"\n  rotation_mode = \"in_place\"\n  {more}");
        workspace.write(&(credential(&arguments) + &user));
    };
    let mut before = 0;
    // Several within a second: each is greater than the one before all the same.
    for trigger in ["one", "two", "three", "four"] {
        write(trigger, "");
        assert_eq!(workspace.planned().get("rotation_version"), None, "it is not known in the plan");
        workspace.apply_with(&["plan"]).quiet();
        let version = workspace.state()["rotation_version"].as_i64().expect("a whole number");
        assert!(version > before && version > 1_700_000_000, "{version} after {before}");
        assert_eq!(workspace.state_of("terraform_data.user")["triggers_replace"]["value"], version);
        before = version;
        write(trigger, "timeouts = { create = \"90s\" }");
        workspace.apply().quiet();
        assert_eq!(workspace.state()["rotation_version"], version);
        workspace.plan().nothing_to_do();
    }
    assert_eq!(workspace.resets(), 4);
}

#[test]
fn a_module_is_tested_with_mocks_as_the_guide_shows() {
    let Some(mut workspace) = Workspace::with_mocks() else { return };
    // A mocked provider asks for no login.
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    workspace.remove("versions.tf");
    let guide = include_str!("../../docs/guides/testing.md");
    let blocks: Vec<_> = guide.split("```terraform\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    let [module, test] = blocks[..] else { panic!("a module and its test") };
    workspace.write(module);
    std::fs::create_dir(workspace.path("tests")).expect("a folder for tests");
    workspace.file("tests/module.tftest.hcl", test);
    assert!(workspace.run(&["test", "-no-color"]).succeeded().stdout.contains("1 passed, 0 failed"));

    module::assert_mocks_all(&workspace, test);

    // What the guide says of a mock without defaults.
    workspace.file("tests/module.tftest.hcl", "mock_provider \"smtp\" {}\n\nrun \"module\" {}\n");
    let run = workspace.run(&["test", "-no-color"]).failed();
    for words in ["not a valid RFC3339 timestamp", "`smtp_port` must be a whole number"] {
        let printed = format!("{}{}", run.stdout, run.stderr).split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(printed.contains(words), "{printed}");
    }
    assert_eq!(workspace.requests(), [""; 0]);
}

#[test]
fn a_provider_that_is_debugged_serves_several_runs() {
    let Some(mut workspace) = Workspace::new() else { return };
    let debugged = Debugged::start(&workspace);
    workspace.set("TF_REATTACH_PROVIDERS", &debugged.reattach);
    workspace.write(&credential(""));
    workspace.plan().quiet();
    workspace.apply().quiet();
    workspace.working_password();
    workspace.plan().nothing_to_do();
    assert_eq!(workspace.resets(), 1);
}

/// A provider that was started by hand; it ends when this is dropped.
struct Debugged {
    process: Child,
    reattach: String,
}

impl Debugged {
    fn start(workspace: &Workspace) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_terraform-provider-smtp"))
            .arg("-debug")
            .env_clear()
            .envs(workspace.environment())
            // Its socket stays there for as long as it runs.
            .env("TMPDIR", workspace.path(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the provider starts");
        let lines = BufReader::new(process.stdout.take().expect("its stdout")).lines();
        let reattach = lines.map_while(Result::ok).find_map(|line| {
            let value = line.trim().strip_prefix("TF_REATTACH_PROVIDERS='")?.strip_suffix('\'')?;
            Some(value.to_owned())
        });
        Self { process, reattach: reattach.expect("it says how to attach to it") }
    }
}

impl Drop for Debugged {
    fn drop(&mut self) {
        // Where it has already ended there is nothing to end.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

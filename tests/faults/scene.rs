//! A workspace before an accident, and what must hold after every one.

use std::{collections::BTreeMap, fs, os::unix::process::ExitStatusExt};

use serde_json::Value;

use super::{
    account::Account,
    process::{Ended, Running, assert_gone},
};
use crate::support::{Diagnostic, Run, Workspace};

/// Applies, and prints what programs read.
pub(crate) const APPLY: [&str; 4] = ["apply", "-json", "-auto-approve", "-input=false"];

/// The sentences of which every error of an apply says one.
const OUTCOMES: [&str; 3] =
    ["The password was not changed.", "The password may have been changed.", "The password was changed."];

/// What core itself reports.
const OF_CORE: [&str; 6] = [
    "Failed to persist state to backend",
    "Failed to save state",
    "Plugin did not respond",
    "Request cancelled",
    "execution halted",
    "operation canceled",
];

/// Credentials with a password in the state, and a rotation before them.
pub(crate) struct Scene {
    /// Where the program runs.
    pub(crate) workspace: Workspace,
    /// The credentials.
    pub(crate) accounts: Vec<Account>,
    before: BTreeMap<String, Before>,
}

struct Before {
    resets: usize,
    attributes: Value,
}

/// What may happen to a run.
pub(crate) struct Accident {
    /// The run.
    pub(crate) ended: Ended,
    /// How it has to end.
    pub(crate) exit: Exit,
    /// Where the old password has to be, if there is no new one.
    pub(crate) keeps: Keeps,
    /// What the guide says to do before anything else.
    pub(crate) remedy: fn(&Workspace),
}

/// How a run ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Exit {
    /// It did what it was asked to.
    Success,
    /// It did not, and said why.
    Failure,
    /// A signal ended it.
    Killed,
}

/// Where an old password is kept until there is a new one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Keeps {
    /// In the state.
    State,
    /// In the state's backup at least: core deletes before it creates.
    Backup,
}

/// What became of one credential.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How many resets the vendor has seen.
    pub(crate) resets: usize,
    /// What the user was shown.
    pub(crate) reported: &'static str,
    /// What the state holds.
    pub(crate) state: &'static str,
}

impl Accident {
    /// A run that had to end like this.
    pub(crate) fn of(ended: Ended, exit: Exit) -> Self {
        Self { ended, exit, keeps: Keeps::State, remedy: |_| () }
    }
}

impl Outcome {
    /// It in one cell of a table.
    pub(crate) fn cell(&self) -> String {
        let reported = match self.reported {
            "nothing" if self.state == NEW => "applied",
            "a warning" => "applied, with a warning",
            sentence => sentence.trim_start_matches("The password ").trim_end_matches('.'),
        };
        format!("{} · {reported} · {}", self.resets, self.state)
    }
}

impl Scene {
    /// Resets the password of every account once and then changes every trigger.
    pub(crate) fn rotating(workspace: Workspace, accounts: Vec<Account>, head: &str, arguments: &str) -> Self {
        Self::prepared(workspace, accounts, head, arguments, |_, _| ())
    }

    /// The same, with more to do before anything else.
    pub(crate) fn prepared(
        workspace: Workspace,
        accounts: Vec<Account>,
        head: &str,
        arguments: &str,
        prepare: fn(&Workspace, &[Account]),
    ) -> Self {
        let configuration = |trigger: &str| {
            let arguments = format!("rotation_trigger = \"{trigger}\"\n  {arguments}");
            let resources = accounts.iter().map(|account| account.resource(&arguments));
            std::iter::once(head.to_owned()).chain(resources).collect::<String>()
        };
        workspace.write(&configuration("one"));
        prepare(&workspace, &accounts);
        workspace.apply_with(&[&parallelism(&accounts)]).succeeded();
        workspace.write(&configuration("two"));
        let mut scene = Self { workspace, accounts, before: BTreeMap::new() };
        scene.remember();
        scene
    }

    /// Takes what is true now for what was true before the accident.
    pub(crate) fn remember(&mut self) {
        let attributes = self.attributes();
        let before = |account: &Account| {
            let resets = account.resets(&self.workspace.sandbox);
            (account.address(), Before { resets, attributes: attributes[&account.address()].clone() })
        };
        self.before = self.accounts.iter().map(before).collect();
    }

    /// Starts to apply, all credentials at once.
    pub(crate) fn start(&self) -> Running {
        self.start_with(&[])
    }

    /// Starts to apply with further options.
    pub(crate) fn start_with(&self, options: &[&str]) -> Running {
        self.learn_passwords();
        let parallelism = parallelism(&self.accounts);
        Running::start(&self.workspace, &[&APPLY, &[parallelism.as_str()][..], options].concat())
    }

    /// Checks what must hold after every accident, and returns what became of each credential.
    ///
    /// - I1: the vendor has seen no more resets than it may.
    /// - I2: what was applied is the vendor's current password, and logs in.
    /// - I3: what has changed in the state is the vendor's, and nothing gave way to null.
    /// - I4: no password, token or key is in what was printed, in core's log at its most talkative, or in temporary files.
    /// - I5: nothing panicked, nobody reads of a bug in the provider, and the exit status is as it should be.
    /// - I6: no process and no socket is left.
    /// - I7: the next plan names exactly what was not applied; the next apply heals it with one reset, and the plan after that is empty.
    #[track_caller]
    pub(crate) fn survives(&self, accident: Accident) -> Vec<Outcome> {
        let Accident { ended, exit, keeps, remedy } = accident;
        assert_gone(ended.group);
        let run = self.judge(&ended);
        assert_eq!(exit_of(&ended), exit, "{run}");
        self.workspace.sandbox.clear_faults();
        self.workspace.sandbox.release();
        remedy(&self.workspace);

        let attributes = self.attributes();
        let plan = self.plan();
        let outcomes: Vec<_> = self
            .accounts
            .iter()
            .map(|account| self.of(account, &run, attributes.get(&account.address()), keeps))
            .collect();
        for (account, after) in self.accounts.iter().zip(&outcomes) {
            let (address, seen) = (account.address(), after.resets);
            assert!(seen <= account.vendor.most_requests(), "{address}: {seen} resets: {run}");
            // A deletion is that of an object that core deposed before it was halted.
            let action = plan.actions(&address).into_iter().find(|action| action != "delete");
            assert_eq!(action.is_some(), after.state != NEW, "{address}: {action:?} is planned: {plan}");
            assert!(
                exit != Exit::Success || after.state == NEW,
                "{address} was applied, and its password is {}",
                after.state
            );
        }
        self.heals(&plan, &outcomes);
        outcomes
    }

    /// Insists that the next apply gets by with one reset for each credential that needs it, and that all is well then.
    #[track_caller]
    fn heals(&self, plan: &Run, outcomes: &[Outcome]) {
        if plan.status == Some(2) {
            let run = self.judge(&self.start().wait()).succeeded();
            // What made it stale is healed; a key that was revoked is gone when the next refresh asks for it.
            let is_known = |said: &Diagnostic| {
                ["A stored password was removed from state", "The stored password is stale"].contains(&&*said.summary)
            };
            assert!(run.diagnostics.iter().all(is_known), "there should be nothing else to say: {run}");
            assert_eq!(self.plan().status, Some(0), "there should be nothing to do");
        }
        let attributes = self.attributes();
        for (account, after) in self.accounts.iter().zip(outcomes) {
            let address = account.address();
            let more = usize::from(after.state != NEW);
            let resets = account.resets(&self.workspace.sandbox) - self.before[&address].resets;
            assert_eq!(resets, after.resets + more, "{address} heals with {more} resets");
            assert!(self.works(&attributes[&address]), "{address} has no password that works");
        }
    }

    /// Reads what a run has left, and checks that it shows no secret anywhere.
    #[track_caller]
    pub(crate) fn judge(&self, ended: &Ended) -> Run {
        self.learn_passwords();
        let arguments: Vec<_> = ended.arguments.iter().map(String::as_str).collect();
        self.workspace.judge(&arguments, &ended.output)
    }

    fn plan(&self) -> Run {
        let arguments = ["plan", "-json", "-detailed-exitcode", "-input=false"];
        self.judge(&Running::start(&self.workspace, &arguments).wait()).succeeded()
    }

    #[track_caller]
    fn of(&self, account: &Account, run: &Run, after: Option<&Value>, keeps: Keeps) -> Outcome {
        let address = account.address();
        let before = &self.before[&address];
        let resets = account.resets(&self.workspace.sandbox) - before.resets;
        let after = after.unwrap_or(&Value::Null);
        // What a create leaves behind whose reset may have happened.
        let is_left = !after.is_null() && after["password"].is_null() && after["stale"] == true;
        let state = if is_left && keeps == Keeps::State {
            let deposed = self.deposed();
            let kept = deposed.iter().any(|object| object["password"] == before.attributes["password"]);
            assert!(kept, "{address}: the old password is not even in a deposed object: {run}");
            if self.works(&before.attributes) { DEPOSED } else { DEPOSED_DEAD }
        } else if (after.is_null() || is_left) && keeps == Keeps::Backup {
            let backup = fs::read_to_string(self.workspace.path("terraform.tfstate.backup")).expect("a backup");
            assert!(backup.contains(before.attributes["password"].as_str().expect("a password")), "{address}: {run}");
            if self.works(&before.attributes) { BACKED_UP } else { DROPPED }
        } else if after["password"] == before.attributes["password"] {
            if self.works(after) { OLD } else { DEAD }
        } else {
            assert!(!after["password"].is_null(), "{address}: an old password gave way to nothing: {run}");
            assert_eq!(after["password"].as_str(), account.password(&self.workspace.sandbox).as_deref(), "{address}");
            assert!(self.works(after), "{address}: the stored password does not log in: {run}");
            NEW
        };
        // Core names no address where a deletion failed.
        let alone = self.accounts.len() == 1;
        let about = |diagnostic: &&Diagnostic| diagnostic.address.as_ref().map_or(alone, |named| *named == address);
        Outcome { resets, reported: reported(run.diagnostics.iter().filter(about)), state }
    }

    /// The attributes of every resource, wherever the state is kept.
    pub(crate) fn attributes(&self) -> BTreeMap<String, Value> {
        self.workspace.stored().0
    }

    /// The attributes of what only waits for its deletion.
    fn deposed(&self) -> Vec<Value> {
        self.workspace.stored().1
    }

    /// Returns whether the password in these attributes logs in.
    pub(crate) fn works(&self, attributes: &Value) -> bool {
        let [username, password] = ["username", "password"].map(|name| attributes[name].as_str().unwrap_or_default());
        self.workspace.logs_in_as(username, password)
    }

    /// From here on, none of the passwords and tokens of this moment may stand anywhere.
    fn learn_passwords(&self) {
        let passwords = self.accounts.iter().filter_map(|account| account.password(&self.workspace.sandbox));
        let before =
            self.before.values().filter_map(|before| before.attributes["password"].as_str().map(str::to_owned));
        passwords.chain(before).for_each(|secret| self.workspace.keep_secret(&secret));
    }
}

/// The new password, which works.
pub(crate) const NEW: &str = "new";
/// The old password, which still works.
pub(crate) const OLD: &str = "old";
/// The old password, which no longer works.
pub(crate) const DEAD: &str = "old, dead";
/// None; the old password still works, and is in the backup.
pub(crate) const BACKED_UP: &str = "none, the old one is in the backup";
/// None; the old password still works, and is in the deposed object.
pub(crate) const DEPOSED: &str = "none, the old one is deposed";
/// None; the old password no longer works, and is in the deposed object.
pub(crate) const DEPOSED_DEAD: &str = "none, the old one is deposed, dead";
/// None; the old password no longer works.
pub(crate) const DROPPED: &str = "none, the old one is dead";

fn exit_of(ended: &Ended) -> Exit {
    let status = ended.output.status;
    match (status.signal(), status.code()) {
        (Some(_), _) => Exit::Killed,
        (_, Some(0)) => Exit::Success,
        (_, code) => {
            assert_eq!(code, Some(1));
            Exit::Failure
        }
    }
}

/// Returns what the diagnostics of one credential report.
pub(crate) fn reported<'a>(diagnostics: impl Iterator<Item = &'a Diagnostic>) -> &'static str {
    let mut ours = diagnostics.filter(|diagnostic| !OF_CORE.contains(&diagnostic.summary.as_str()));
    let Some(first) = ours.next() else { return "nothing" };
    if first.severity == "warning" {
        return "a warning";
    }
    let said: Vec<_> = OUTCOMES.into_iter().filter(|outcome| first.detail.contains(outcome)).collect();
    let [outcome] = *said else { panic!("an error says one outcome: {first:?}") };
    outcome
}

fn parallelism(accounts: &[Account]) -> String {
    format!("-parallelism={}", accounts.len().max(1))
}

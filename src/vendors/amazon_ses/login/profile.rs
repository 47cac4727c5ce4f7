//! Profiles in the shared AWS configuration.
//!
//! <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>

use std::{collections::BTreeMap, env, path::PathBuf};

use super::{
    document,
    key::{AwsKey, setup, shown_profile},
    sts::{Role, WebIdentity},
};
use crate::{
    http::{Operation, Result},
    secret::{Name, Secret},
    vendors::{Fields, amazon_ses::variables as names},
};

/// Where the profiles are.
#[derive(Debug)]
pub(super) struct Profiles {
    config: Option<PathBuf>,
    credentials: Option<PathBuf>,
}

/// What the files say, by profile.
#[derive(Debug, Default)]
pub(super) struct Loaded(BTreeMap<String, BTreeMap<String, Secret>>);

/// One step to a key. All but [`Role`](Self::Role) begin.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Key(AwsKey),
    WebIdentity(WebIdentity),
    Environment,
    Container,
    Instance,
    Role(Role),
}

impl Profiles {
    pub(super) fn of(settings: &Fields) -> Self {
        let path = |field, name: &str| {
            let named = settings.text(field).map(PathBuf::from);
            named.or_else(|| Some(env::home_dir()?.join(".aws").join(name)))
        };
        Self {
            config: path(&names::CONFIG_FILE, "config"),
            credentials: path(&names::SHARED_CREDENTIALS_FILE, "credentials"),
        }
    }

    /// Names the files.
    pub(super) fn described(&self) -> String {
        let files = [&self.config, &self.credentials].into_iter().flatten();
        let names: Vec<_> =
            files.filter_map(|path| Name::new(path.to_str()?)).map(|name| format!("`{name}`")).collect();
        if names.is_empty() { "the shared AWS configuration".to_owned() } else { names.join(" and ") }
    }

    /// Reads both files, of which either may be missing.
    pub(super) async fn read(&self, op: &Operation, host: &str) -> Result<Loaded> {
        let mut loaded = Loaded::default();
        for (path, is_config) in [(&self.config, true), (&self.credentials, false)] {
            let Some(path) = path else { continue };
            match document::read(op, path).await? {
                // What the file of credentials says comes before what the other one says.
                Ok(Some(text)) => loaded.add(text.for_wire(), is_config),
                Ok(None) => {}
                Err(why) => {
                    let name = path.to_str().and_then(Name::new);
                    let name = name.map_or_else(|| "a file".to_owned(), |name| format!("the file `{name}`"));
                    return Err(setup(host, format!("{name} of the shared AWS configuration {why}")));
                }
            }
        }
        Ok(loaded)
    }
}

impl Loaded {
    fn add(&mut self, text: &str, is_config: bool) {
        let mut section = None;
        for line in text.lines() {
            // An indented line belongs to a nested setting, of which none is needed here.
            if line.starts_with([' ', '\t', '#', ';']) {
                continue;
            }
            if let Some((heading, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
                section = named(heading.trim(), is_config);
            } else if let (Some(section), Some((key, value))) = (&section, line.split_once('=')) {
                let value = value.split_once(" #").map_or(value, |(value, _)| value).trim();
                // Not remembered as a secret: a region or the name of a role must not be redacted from messages.
                let profile = self.0.entry(section.clone()).or_default();
                profile.insert(key.trim().to_ascii_lowercase(), Secret::new(value));
            } else if let Some(section) = &section {
                self.0.entry(section.clone()).or_default();
            }
        }
    }

    fn open(&self, profile: &str, key: &str) -> Option<&str> {
        self.0.get(profile)?.get(key).map(Secret::for_wire).filter(|text| !text.is_empty())
    }

    fn secret(&self, profile: &str, key: &str) -> Option<Secret> {
        self.open(profile, key).map(Secret::known)
    }

    pub(super) fn region(&self, profile: &str) -> Option<&str> {
        // It becomes part of a host name, so anything else is ignored.
        self.open(profile, "region").filter(|region| crate::vendors::amazon_ses::partition::region(region).is_ok())
    }

    /// Returns the steps to a profile's key, the first one last; none if it has no credentials. The error says what is
    /// wrong.
    pub(super) fn chain(&self, name: &str) -> Result<Vec<Step>, String> {
        let (mut steps, mut profile, mut seen) = (Vec::new(), name, vec![name]);
        loop {
            let wrong = |what: &str| format!("{} {what}", shown_profile(profile));
            let key = || {
                let half = |set, missing| Err(wrong(&format!("has `{set}`, but not `{missing}`")));
                match (self.open(profile, KEY_ID), self.secret(profile, KEY_SECRET)) {
                    (Some(id), Some(secret)) => {
                        let token = self.secret(profile, "aws_session_token");
                        Ok(Some(Step::Key(AwsKey::lasting(id, &secret, token.as_ref()))))
                    }
                    (Some(_), None) => half(KEY_ID, KEY_SECRET),
                    (None, Some(_)) => half(KEY_SECRET, KEY_ID),
                    (None, None) => Ok(None),
                }
            };
            // A role comes before a key in the same profile, which may be what the role is assumed with.
            let Some(arn) = self.open(profile, "role_arn") else {
                if let Some(key) = key()? {
                    steps.push(key);
                    return Ok(steps);
                }
                let unsupported = ["credential_process", "sso_session", "sso_start_url"]
                    .into_iter()
                    .find(|key| self.open(profile, key).is_some());
                return match unsupported {
                    Some(key) => Err(wrong(&format!("uses `{key}`, which this provider does not support. {EXPORT}"))),
                    None if steps.is_empty() => Ok(steps),
                    None => Err(wrong("has no credentials, and another profile needs them to assume a role")),
                };
            };
            if self.open(profile, "mfa_serial").is_some() {
                return Err(wrong(&format!("needs an MFA code, which the provider cannot ask for. {EXPORT}")));
            }
            let mut role = Role::new(arn, self.open(profile, "role_session_name"));
            role.external_id = self.secret(profile, "external_id");
            role.duration = self.open(profile, "duration_seconds").map(str::to_owned);
            let [source, token_file, credential_source] =
                ["source_profile", "web_identity_token_file", "credential_source"].map(|key| self.open(profile, key));
            match (source, token_file, credential_source) {
                (None, Some(token_file), None) => {
                    steps.push(Step::WebIdentity(WebIdentity { role, token_file: token_file.into() }));
                    return Ok(steps);
                }
                (Some(source), None, None) if source == profile => {
                    steps.push(Step::Role(role));
                    steps.push(key()?.ok_or_else(|| wrong("names itself as `source_profile`, and has no access key"))?);
                    return Ok(steps);
                }
                (Some(source), None, None) => {
                    if seen.contains(&source) {
                        return Err(wrong("is part of a `source_profile` cycle"));
                    }
                    steps.push(Step::Role(role));
                    seen.push(source);
                    profile = source;
                }
                (None, None, Some(source)) => {
                    steps.push(Step::Role(role));
                    steps.push(match source {
                        "Environment" => Step::Environment,
                        "EcsContainer" => Step::Container,
                        "Ec2InstanceMetadata" => Step::Instance,
                        _ => return Err(wrong("has an unknown `credential_source`")),
                    });
                    return Ok(steps);
                }
                _ => {
                    return Err(wrong(
                        "has a `role_arn` but not exactly one of `source_profile`, `web_identity_token_file` and \
                         `credential_source`",
                    ));
                }
            }
        }
    }
}

/// Returns the profile that a heading begins. In one of the two files all but `default` are called `profile`.
fn named(heading: &str, is_config: bool) -> Option<String> {
    let words: Vec<_> = heading.split_whitespace().collect();
    match *words {
        ["profile", name] if is_config => Some(name.trim_matches(['"', '\'']).to_owned()),
        ["default"] => Some("default".to_owned()),
        [name] if !is_config => Some(name.to_owned()),
        _ => None,
    }
}

const KEY_ID: &str = "aws_access_key_id";
const KEY_SECRET: &str = "aws_secret_access_key";
const EXPORT: &str = "`aws configure export-credentials --format env` prints variables that it does support";

//! What `HubSpot`'s own pages print, and what this project's own pages show.

use std::{
    fs,
    path::{Path, PathBuf},
};

use sandbox::{Fault, HubSpot, OauthClient, Operation};
use serde_json::json;
use terraform_provider_smtp::vendors::{ResetKind, VENDORS, Vendor};

use crate::{
    case::cases_of,
    module,
    replay::Replay,
    support::{USER, Workspace, credential, provider},
};

const DOCUMENTED_RESET: &str = "/email/public/v1/smtpapi/tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset";

/// The examples that every program knows, each with the files that make it whole and with the resets that it does.
const EXAMPLES: &[(&[&str], usize)] = &[
    (
        &[
            "data-sources/smtp_credentials/audit.tf",
            "data-sources/smtp_credentials/data-source.tf",
            "data-sources/smtp_credentials/for-each.tf",
            "provider/provider.tf",
        ],
        1,
    ),
    (&["provider/provider.tf", "resources/smtp_credential_password/external-change.tf"], 1),
    (&["provider/provider.tf", "resources/smtp_credential_password/resource.tf"], 1),
    (
        &[
            "provider/provider.tf",
            "resources/smtp_credential_password/import-by-string-id.tf",
            "resources/smtp_credential_password/resource.tf",
        ],
        0,
    ),
    (
        &[
            "functions/url/without-functions.tf",
            "provider/provider.tf",
            "resources/smtp_credential_password/resource.tf",
        ],
        1,
    ),
    (&["provider/provider.tf", "resources/smtp_credential_password/verify.tf"], 1),
    (&["quickstart/main.tf"], 1),
];

/// The credentials of the example of a pair.
const PAIRED: [&str; 2] = ["newsletter-a@62515.smtp.hubspot.net", "newsletter-b@62515.smtp.hubspot.net"];

/// Those of the pair in the quick start.
const PAIRED_GUIDS: [&str; 2] = ["5f3c1a52-1f0e-4a67-9d0b-6c1d2f7e8a01", "5f3c1a52-1f0e-4a67-9d0b-6c1d2f7e8a02"];

/// The examples of a pair, each with the resets that it does.
const PAIR_EXAMPLES: &[(&[&str], usize)] = &[
    (&["provider/provider.tf", "resources/smtp_credential_pair/resource.tf"], 1),
    (
        &[
            "provider/provider.tf",
            "resources/smtp_credential_pair/import-by-string-id.tf",
            "resources/smtp_credential_pair/resource.tf",
        ],
        0,
    ),
    (&["quickstart/pair.tf"], 1),
];

/// Sets up a workspace where the program knows what an example needs.
type Start = fn() -> Option<Workspace>;

/// The examples that older programs do not know.
const NEWER_EXAMPLES: &[(Start, &[&str], usize)] = &[
    (
        Workspace::with_identity,
        &[
            "provider/provider.tf",
            "resources/smtp_credential_password/import-by-identity.tf",
            "resources/smtp_credential_password/resource.tf",
        ],
        0,
    ),
    (
        with_paired,
        &[
            "provider/provider.tf",
            "resources/smtp_credential_pair/import-by-identity.tf",
            "resources/smtp_credential_pair/resource.tf",
        ],
        0,
    ),
    (Workspace::with_functions, &["functions/ses_password/function.tf", "provider/provider.tf"], 0),
    (
        Workspace::with_functions,
        &["functions/url/function.tf", "provider/provider.tf", "resources/smtp_credential_password/resource.tf"],
        1,
    ),
    (
        Workspace::with_import_for_each,
        &[
            "data-sources/smtp_credentials/data-source.tf",
            "data-sources/smtp_credentials/for-each.tf",
            "data-sources/smtp_credentials/import.tf",
            "provider/provider.tf",
        ],
        0,
    ),
];

/// The examples with an encrypted password, which `encrypted.rs` applies.
pub(crate) const ENCRYPTED_EXAMPLES: [&str; 3] =
    ["functions/decrypt/function.tf", "provider/provider.tf", "resources/smtp_credential_password/encrypted.tf"];

#[test]
fn the_documented_reset_byte_for_byte() {
    let Some(workspace) = Workspace::new() else { return };
    // The sandbox's mail server has to know the password in the documented answer.
    workspace.sandbox.hubspot().next_password(USER, "ItUuCc8h4I5MihiysY8HB6XSbWZmVZ");
    workspace.sandbox.fault(Fault::body(include_bytes!("../fixtures/hubspot/reset_v1.json")).on(Operation::Reset));
    workspace.write(&credential(""));

    let warning = workspace.apply().warning().is("The response names another user");
    warning.says(&["aezckvh3hx@62515.smtp.hubspot.net", "The password was changed."]);

    let requests = workspace.sandbox.requests();
    let reset = requests.iter().find(|request| request.method == "POST").expect("a reset was sent");
    assert_eq!(reset.path, DOCUMENTED_RESET);
    assert_eq!(reset.body, b"");
    let token = workspace.sandbox.hubspot().access_token();
    assert_eq!(reset.header("Authorization"), Some(format!("Bearer {token}").as_str()));

    assert_eq!(workspace.working_password(), "ItUuCc8h4I5MihiysY8HB6XSbWZmVZ");
    assert_eq!(workspace.state()["username"], USER);
    workspace.plan().nothing_to_do();
}

#[test]
fn every_generation_of_the_api_resets() {
    let Some(workspace) = Workspace::new() else { return };
    for (count, (version, path)) in [
        ("v1", DOCUMENTED_RESET),
        ("v3", "/marketing/v3/transactional/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset"),
        ("2026-03", "/marketing/transactional/2026-03/smtp-tokens/zh48wgsfld%4062515.smtp.hubspot.net/password-reset"),
    ]
    .into_iter()
    .enumerate()
    {
        workspace.write(&with_version(version));
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), count + 1, "{version}");
        assert!(workspace.sandbox.requests().iter().any(|request| request.path == path), "{version}");
        workspace.working_password();
        workspace.plan().nothing_to_do();
    }
}

#[test]
fn an_oauth_app_takes_the_place_of_a_token() {
    let Some(mut workspace) = Workspace::new() else { return };
    let app = OauthClient {
        client_id: "app-id-4711".to_owned(),
        client_secret: "app-secret-4711".to_owned(),
        refresh_token: "refresh-token-4711".to_owned(),
    };
    workspace.sandbox.hubspot().add_oauth_client(HubSpot::PORTAL_ID, app.clone());
    workspace.unset("HUBSPOT_ACCESS_TOKEN");
    workspace.set("HUBSPOT_CLIENT_ID", &app.client_id);
    workspace.set("HUBSPOT_CLIENT_SECRET", &app.client_secret);
    workspace.set("HUBSPOT_REFRESH_TOKEN", &app.refresh_token);
    workspace.keep_secret(&app.client_secret);
    workspace.keep_secret(&app.refresh_token);
    for (count, (version, path)) in
        [("v1", "/oauth/v1/token"), ("v3", "/oauth/v1/token"), ("2026-03", "/oauth/2026-03/token")]
            .into_iter()
            .enumerate()
    {
        workspace.sandbox.forget_requests();
        workspace.write(&with_version(version));
        workspace.apply().quiet();
        assert_eq!(workspace.resets(), count + 1, "{version}");
        let requests = workspace.sandbox.requests();
        assert!(requests.iter().any(|request| request.method == "POST" && request.path == path), "{version}");
        workspace.working_password();
    }
}

#[test]
fn every_example_applies() {
    for (files, resets) in EXAMPLES {
        let Some(mut workspace) = Workspace::new() else { return };
        workspace.trust_mail_server();
        workspace.set("TF_VAR_smtp_port", &workspace.sandbox.smtp_port().to_string());
        assert_applies(workspace, files, *resets);
    }
}

/// A vendor that the sandbox imitates is asked there. Any other one answers as its fixtures say, so its example names
/// their credential.
#[test]
fn the_example_of_every_vendor_applies() {
    for vendor in VENDORS {
        let Some(mut workspace) = Workspace::new() else { return };
        let example = of_vendor(vendor);
        if workspace.environment().contains_key(&vendor.base_url_variable()) {
            workspace.trust_mail_server();
            assert_applies(workspace, &[&example], 1);
            continue;
        }
        let replay = Replay::start(&cases_of(vendor.name)[0], &mut workspace);
        workspace.remove("versions.tf");
        workspace.write(&fs::read_to_string(examples().join(&example)).expect("an example"));
        workspace.apply().succeeded();
        let [address] = &workspace.addresses()[..] else { panic!("{example} has one credential") };
        assert_eq!(json!(replay.passwords()), json!([workspace.state_of(address)["password"]]), "{example}");
        // The new credential of another kind of reset is on no documented list.
        if vendor.reset_kind == ResetKind::InPlace {
            workspace.plan().nothing_to_do();
        }
    }
}

#[test]
fn every_example_of_a_pair_applies() {
    for (files, resets) in PAIR_EXAMPLES {
        let Some(mut workspace) = Workspace::new() else { return };
        workspace.trust_mail_server();
        workspace.set("TF_VAR_smtp_port", &workspace.sandbox.smtp_port().to_string());
        for user in PAIRED {
            workspace.add_credential(user);
        }
        for guid in PAIRED_GUIDS {
            workspace.add_kirim_credential(guid, guid);
        }
        assert_applies(workspace, files, *resets);
    }
}

#[test]
fn every_example_for_newer_programs_applies() {
    for (start, files, resets) in NEWER_EXAMPLES {
        let Some(mut workspace) = start() else { continue };
        workspace.set("TF_VAR_secret_access_key", "some+secret+key");
        workspace.keep_secret("some+secret+key");
        assert_applies(workspace, files, *resets);
    }
}

#[test]
fn no_example_is_left_out() {
    let (mut there, mut applied) = (Vec::new(), Vec::new());
    terraform_files(&examples(), &mut there);
    let files = EXAMPLES.iter().chain(PAIR_EXAMPLES).map(|(files, _)| *files);
    let files = files.chain(NEWER_EXAMPLES.iter().map(|(_, files, _)| *files)).chain([&ENCRYPTED_EXAMPLES[..]]);
    // The tests of described APIs apply the sandbox's.
    let files = files.chain([&module::FILES[..], &["sandbox/example_mail.tf"]]);
    applied.extend(files.flatten().map(|file| examples().join(file)));
    applied.extend(VENDORS.iter().map(|vendor| examples().join(of_vendor(vendor))));
    there.sort();
    applied.sort();
    applied.dedup();
    assert_eq!(there, applied);
}

#[test]
fn the_example_of_an_import_imports() {
    let Some(workspace) = Workspace::new() else { return };
    let resources = examples().join("resources/smtp_credential_password");
    let resource = fs::read_to_string(resources.join("resource.tf")).expect("an example");
    workspace.write(&resource);
    let command = fs::read_to_string(resources.join("import.sh")).expect("an example");
    let arguments: Vec<_> = command.split_whitespace().skip(1).collect();
    workspace.run(&arguments).succeeded();
    assert_eq!(workspace.state_of("smtp_credential_password.newsletter")["username"], json!(USER));
}

#[test]
fn the_example_of_an_import_of_a_pair_imports() {
    let Some(workspace) = Workspace::new() else { return };
    for user in PAIRED {
        workspace.add_credential(user);
    }
    let resources = examples().join("resources/smtp_credential_pair");
    workspace.write(&fs::read_to_string(resources.join("resource.tf")).expect("an example"));
    let command = fs::read_to_string(resources.join("import.sh")).expect("an example");
    let arguments: Vec<_> = command.split_whitespace().skip(1).collect();
    workspace.run(&arguments).succeeded();
    assert_eq!(workspace.state_of("smtp_credential_pair.newsletter")["username"], json!(PAIRED[0]));
}

/// A workspace with the credentials of the example of a pair, where the program knows identities.
fn with_paired() -> Option<Workspace> {
    let workspace = Workspace::with_identity()?;
    for user in PAIRED {
        workspace.add_credential(user);
    }
    Some(workspace)
}

/// Applies an example in a workspace of its own.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "an example leaves nothing to go on with")]
fn assert_applies(workspace: Workspace, files: &[&str], resets: usize) {
    workspace.remove("versions.tf");
    for file in files {
        let text = fs::read_to_string(examples().join(file)).expect("an example");
        workspace.file(&file.replace('/', "_"), &text);
    }
    workspace.apply().succeeded();
    assert_eq!(workspace.resets_everywhere(), resets, "{files:?}");
    if resets > 0 {
        assert_eq!(workspace.addresses().len(), resets, "{files:?}");
        for address in workspace.addresses() {
            workspace.working_password_of(&address);
        }
    }
    workspace.plan().nothing_to_do();
}

/// A configuration whose password is reset with every version of the API.
fn with_version(version: &str) -> String {
    let provider = provider(&format!("api_version = \"{version}\""));
    provider + &credential(&format!("rotation_trigger = \"{version}\""))
}

fn of_vendor(vendor: &Vendor) -> String {
    format!("vendors/{}/main.tf", vendor.name)
}

pub(crate) fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn terraform_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            terraform_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "tf") {
            found.push(path);
        }
    }
}

//! What a plan costs beside one that needs no provider process: core itself plans `terraform_data`.

use crate::{
    Result,
    binary::Binary,
    figure::{Figure, Unit},
    program::Program,
    sandbox::{HubSpot, Sandbox},
    workspace::Workspace,
};

/// Plans one credential and one `terraform_data` in turn, after one pair that does not count.
///
/// Both are in state, so a plan refreshes them and finds nothing to do.
pub(crate) fn measure(program: &Program, binary: &Binary, runs: usize) -> Result<[Figure; 3]> {
    let sandbox = Sandbox::start();
    sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, USER_NAME);
    let credential = Workspace::new(program, binary, &sandbox, &credential())?;
    let terraform_data = Workspace::new(program, binary, &sandbox, TERRAFORM_DATA)?;
    let pair = [&credential, &terraform_data];
    for workspace in pair {
        workspace.apply()?;
        workspace.plan()?;
    }

    let mut samples = [Vec::new(), Vec::new()];
    for _ in 0..runs {
        for (workspace, samples) in pair.iter().zip(&mut samples) {
            samples.push(workspace.plan()?.as_secs_f64() * 1e3);
        }
    }

    let [ours, cores] = samples;
    let ours = Figure::spread("`plan` of one `smtp_credential_password`", Unit::Milliseconds, ours);
    let cores = Figure::spread("`plan` of one `terraform_data`", Unit::Milliseconds, cores);
    let above = Figure::difference("Difference of the two medians", &ours, &cores).at_most(60.0);
    Ok([ours, cores, above])
}

fn credential() -> String {
    format!(
        r#"terraform {{
  required_providers {{
    smtp = {{ source = "smtp-credentials/smtp" }}
  }}
}}

resource "smtp_credential_password" "this" {{
  hubspot          = {{ user_name = "{USER_NAME}" }}
  rotation_trigger = "2026-Q4"
}}
"#
    )
}

const TERRAFORM_DATA: &str = r#"resource "terraform_data" "this" {
  input            = "zh48wgsfld@62515.smtp.hubspot.net"
  triggers_replace = "2026-Q4"
}
"#;

const USER_NAME: &str = "zh48wgsfld@62515.smtp.hubspot.net";

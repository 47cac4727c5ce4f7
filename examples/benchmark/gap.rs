//! What a service that sends mail without pause notices of rotations: of a pair's, and of a single credential's for
//! comparison.

use std::path::Path;

use sandbox::{HubSpot, Sandbox, Sender, Sent};

use crate::{
    Result,
    core::{Core, cli_config},
    figure::{Figure, Section, Unit, count, milliseconds},
    workspace::Workspace,
};

const PAIR: &str = "smtp_credential_pair";
const SINGLE: &str = "smtp_credential_password";
const USERS: [&str; 3] = ["pair-a@example.com", "pair-b@example.com", "single@example.com"];

/// Rotates both in the same applies, each with a sender that gets the new login when the apply has ended.
pub(crate) fn measure(core: &Core, provider: &Path, rotations: usize) -> Result<Section> {
    let sandbox = Sandbox::start();
    for user in USERS {
        sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, user);
    }
    let cli_config = cli_config(provider.parent().unwrap_or(provider));
    let workspace = Workspace::bare(core, &cli_config, &sandbox, &configuration(0, sandbox.smtp_port()))?.over_tls()?;
    workspace.apply()?;
    let mut senders = Vec::new();
    for resource in [PAIR, SINGLE] {
        let [user_name, password] = login(&workspace, resource)?;
        senders.push((resource, Sender::start(&sandbox, &user_name, &password)?));
    }
    for rotation in 1..=rotations {
        // Each login is used before the next rotation begins.
        for (_, sender) in &senders {
            sender.wait_for_mail()?;
        }
        workspace.rewrite(&configuration(rotation, sandbox.smtp_port()))?;
        workspace.apply()?;
        for (resource, sender) in &senders {
            let [user_name, password] = login(&workspace, resource)?;
            sender.use_login(&user_name, &password);
        }
    }
    let mut figures = Vec::new();
    for (resource, sender) in senders {
        let Sent { mails, refused, gaps } = sender.wait_for_mail()?;
        let refused = Figure::new(format!("Refused logins, `{resource}`"), Unit::Count, [count(refused)]);
        figures.extend([
            Figure::new(format!("Accepted mails, `{resource}`"), Unit::Count, [count(mails)]),
            if resource == PAIR { refused.at_most(0.0) } else { refused },
        ]);
        if resource == SINGLE {
            let gaps = gaps.into_iter().map(milliseconds);
            figures.push(Figure::new(
                format!("Time without mail in a rotation, `{resource}`"),
                Unit::Milliseconds,
                gaps,
            ));
        }
    }
    Ok(Section { title: format!("{rotations} rotations while mail is sent"), figures })
}

fn login(workspace: &Workspace<'_>, resource: &str) -> Result<[String; 2]> {
    Ok([workspace.stored(resource, "username")?, workspace.stored(resource, "password")?])
}

fn configuration(rotation: usize, port: u16) -> String {
    let [a, b, single] = USERS;
    let arguments = format!("rotation_trigger = \"{rotation}\"\n  verify = {{ host = \"localhost\", port = {port} }}");
    format!(
        "terraform {{\n  required_providers {{\n    smtp = {{ source = \"smtp-credentials/smtp\" }}\n  }}\n}}\n\n\
         resource \"{PAIR}\" \"this\" {{\n  hubspot = [{{ user_name = \"{a}\" }}, {{ user_name = \"{b}\" }}]\n  {arguments}\n}}\n\n\
         resource \"{SINGLE}\" \"this\" {{\n  hubspot = {{ user_name = \"{single}\" }}\n  {arguments}\n\n  \
         lifecycle {{\n    create_before_destroy = true\n  }}\n}}\n"
    )
}

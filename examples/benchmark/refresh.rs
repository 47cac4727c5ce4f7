//! What a refresh asks of the vendor.

use sandbox::{HubSpot, Sandbox};

use crate::{
    Result,
    core::Core,
    credential::user_name,
    figure::{Figure, Section, Unit, count, milliseconds},
    meter::Meter,
    workspace::{Workspace, credentials},
};

/// Refreshes 1,000 credentials with the oldest and the newest generation of the API: the one lists all at once, the
/// other in pages of 100.
pub(crate) fn measure(core: &Core, meter: &Meter, resources: usize, runs: usize) -> Result<Section> {
    let mut figures = Vec::new();
    for (generation, page) in [("v1", resources), ("2026-03", 100)] {
        let sandbox = Sandbox::start();
        for number in 0..resources {
            sandbox.hubspot().add_credential(HubSpot::PORTAL_ID, &user_name(number));
        }
        let provider = format!("hubspot = {{ api_version = \"{generation}\" }}");
        let workspace = Workspace::new(core, meter, &sandbox, &credentials(resources, &provider))?;
        workspace.apply()?;
        let (mut requests, mut times) = (Vec::new(), Vec::new());
        for _ in 0..runs {
            sandbox.forget_requests();
            times.push(milliseconds(workspace.refresh()?.wall));
            requests.push(count(sandbox.requests().len()));
        }
        let most = 1.0 + count(resources) / count(page);
        figures.push(Figure::new(format!("HTTP requests, API `{generation}`"), Unit::Count, requests).at_most(most));
        figures.push(Figure::new(format!("Wall time, API `{generation}`"), Unit::Milliseconds, times));
    }
    Ok(Section { title: format!("Refresh of {resources} HubSpot credentials"), figures })
}

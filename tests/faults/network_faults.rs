//! What lies between this machine and a vendor: certificates, and a proxy that wants a password.

use std::fs;

use sandbox::{Effect, Fault, HubSpot, Operation};

use crate::{
    account::Account,
    proxy::{HOST, Manner, Proxy, basic},
    scene::{Accident, Exit, Scene},
    support::{PROXY_PASSWORD, Workspace},
    table,
};

const SECTION: &str = "## Certificates and proxies";

/// Every fault, and what the proxy does with the connections of one apply: the first asks for the list, the others are
/// for the reset.
const FAULTS: [(&str, &[Manner], Exit); 11] = [
    ("a proxy with a password", &[Manner::Tunnel], Exit::Success),
    ("a certificate that has expired", &[Manner::Expired], Exit::Failure),
    ("a certificate that expires before the reset", &[Manner::Tunnel, Manner::Expired], Exit::Failure),
    ("a certificate for another host", &[Manner::Tunnel, Manner::OtherHost], Exit::Failure),
    ("a certificate of an unknown authority", &[Manner::Tunnel, Manner::UnknownAuthority], Exit::Failure),
    ("TLS 1.1 only", &[Manner::Tunnel, Manner::OldTls], Exit::Failure),
    ("the proxy refuses its password with 407", &[Manner::Tunnel, Manner::Status(407)], Exit::Failure),
    ("the proxy does not know the host and returns 502", &[Manner::Tunnel, Manner::Status(502)], Exit::Failure),
    ("the proxy closes the connection", &[Manner::Tunnel, Manner::Close], Exit::Failure),
    (
        "the proxy closes two connections",
        &[Manner::Tunnel, Manner::Close, Manner::Close, Manner::Tunnel],
        Exit::Success,
    ),
    (LOST, &[Manner::Tunnel], Exit::Failure),
];

const LOST: &str = "the response is lost in the tunnel, the vendor has acted";

#[test]
fn nothing_between_here_and_a_vendor_loses_a_password_that_can_be_kept() {
    if Workspace::new().is_none() {
        return;
    }
    // Most of the time is spent in waits between tries.
    let rows = std::thread::scope(|scope| {
        let runs = FAULTS.map(|(fault, manners, exit)| scope.spawn(move || through(fault, manners, exit)));
        runs.map(|run| run.join().expect("the fault is survived"))
    });
    table::rows(SECTION, &rows);
}

fn through(fault: &str, manners: &[Manner], exit: Exit) -> Vec<String> {
    let workspace = Workspace::new().expect("there was a program a moment ago");
    let accounts = vec![Account::open(HubSpot::MODEL, "newsletter", &workspace)];
    let sandbox = workspace.sandbox.base_url().trim_start_matches("http://").parse().expect("an address");
    let proxy = Proxy::start(sandbox, manners);
    // What fails for good is tried for as long as it may; what succeeds is not to run out of time on a busy machine.
    let update = if exit == Exit::Success { "5m" } else { "4s" };
    let arguments = format!("rotation_mode = \"in_place\"\n  timeouts = {{ update = \"{update}\" }}");
    let mut scene = Scene::rotating(workspace, accounts, "", &arguments);

    let direct = fs::read_to_string(scene.workspace.path("main.tf")).expect("the configuration");
    scene.workspace.file("authority.pem", proxy.authority());
    scene.workspace.write(&format!(
        "provider \"smtp\" {{\n  ca_certificate_file = \"authority.pem\"\n  hubspot = {{ base_url = \"https://{HOST}\" }}\n}}\n{direct}"
    ));
    let unreached = scene.workspace.environment()["HTTPS_PROXY"].clone();
    scene.workspace.set("HTTPS_PROXY", &proxy.url(PROXY_PASSWORD));
    if fault == LOST {
        scene.workspace.sandbox.fault(Fault::new(Effect::Close).on(Operation::Reset));
    }
    let ended = scene.start_with(&["-refresh=false"]).wait();
    scene.workspace.write(&direct);
    scene.workspace.set("HTTPS_PROXY", &unreached);

    let asked = proxy.asked();
    assert_eq!(asked.len(), proxy.connections(), "every connection asks for a tunnel");
    for head in asked {
        assert!(head.starts_with(&format!("CONNECT {HOST}:443 HTTP/1.1\r\n")), "{fault}");
        assert!(head.contains(&basic(PROXY_PASSWORD)), "{fault}: the proxy gets its password");
    }
    let [after] = &*scene.survives(Accident::of(ended, exit)) else { panic!("one credential") };
    vec![fault.to_owned(), after.resets.to_string(), after.reported.to_owned(), after.state.to_owned()]
}

//! A service that sends mail without pause does not notice a pair's rotations.

use sandbox::Sender;

use super::scene::{A, B, PAIR, hubspot, trigger, workspace};
use crate::support::{ADDRESS, Workspace, resource};

const ROTATIONS: usize = 4;

#[test]
fn no_login_is_refused_while_a_pair_rotates() {
    let Some(workspace) = workspace() else { return };
    let sender = rotate(&workspace, PAIR, |text| hubspot([A, B], &trigger(text)));
    let sent = sender.wait_for_mail().expect("mail is sent");
    assert_eq!(sent.refused, 0, "{sent:?}");
    assert!(sent.mails > ROTATIONS, "{sent:?}");
    assert!(sent.gaps.is_empty(), "{sent:?}");
}

#[test]
fn a_sender_notices_the_rotation_of_a_single_credential() {
    let Some(workspace) = workspace() else { return };
    let write = |text: &str| workspace.write(&resource("this", A, &trigger(text)));
    write("one");
    workspace.apply().quiet();
    let sender = start(&workspace, ADDRESS);
    sender.wait_for_mail().expect("mail is sent");
    write("two");
    workspace.apply().quiet();
    sender.wait_for_refusal().expect("the previous password is refused");
    use_login(&workspace, ADDRESS, &sender);
    let sent = sender.wait_for_mail().expect("the new password is accepted");
    assert!(sent.refused > 0, "{sent:?}");
    assert_eq!(sent.gaps.len(), 1, "{sent:?}");
}

/// Rotates while mail is sent with the login that the last finished apply has left.
fn rotate(workspace: &Workspace, address: &str, configuration: impl Fn(&str) -> String) -> Sender {
    workspace.write(&configuration("0"));
    workspace.apply().quiet();
    let sender = start(workspace, address);
    for rotation in 1..=ROTATIONS {
        sender.wait_for_mail().expect("mail is sent");
        workspace.write(&configuration(&rotation.to_string()));
        workspace.apply().quiet();
        use_login(workspace, address, &sender);
    }
    sender
}

fn start(workspace: &Workspace, address: &str) -> Sender {
    let [user_name, password] = login(workspace, address);
    Sender::start(&workspace.sandbox, &user_name, &password).expect("a sender")
}

fn use_login(workspace: &Workspace, address: &str, sender: &Sender) {
    let [user_name, password] = login(workspace, address);
    sender.use_login(&user_name, &password);
}

fn login(workspace: &Workspace, address: &str) -> [String; 2] {
    let state = workspace.state_of(address);
    ["username", "password"].map(|name| state[name].as_str().expect("a text").to_owned())
}

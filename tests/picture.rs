//! The picture of a rotation: what a sender sees while a single credential rotates, and while a pair does.
//!
//! `UPDATE_DOCS=1 cargo test --test picture` draws `docs/rotation.svg` again.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::{env, fmt::Write, fs, path::Path};

#[test]
fn the_picture_is_what_the_command_draws() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rotation.svg");
    let drawn = draw();
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&file, &drawn).unwrap();
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), drawn, "UPDATE_DOCS=1 cargo test --test picture draws it again");
}

#[test]
fn in_the_picture_only_the_single_credential_refuses_mails() {
    let refused = |row: &Row| mails(row).filter(|(_, is_accepted)| !is_accepted).count();
    assert_eq!(ROWS.each_ref().map(refused), [4, 0]);
}

/// A credential's password, and from when to when it works.
struct Password {
    name: &'static str,
    class: &'static str,
    from: u32,
    to: u32,
}

/// What happens with one resource. The sender uses the first password until it has read the second one.
struct Row {
    resource: &'static str,
    passwords: [Password; 2],
    result: &'static str,
}

const ROWS: [Row; 2] = [
    Row {
        resource: "smtp_credential_password",
        passwords: [
            Password { name: "old password", class: "first", from: START, to: RESET },
            Password { name: "new password", class: "second", from: RESET, to: END },
        ],
        result: "Mails are refused until the sender has read the new password.",
    },
    Row {
        resource: "smtp_credential_pair",
        passwords: [
            Password { name: "credential A", class: "first", from: START, to: END },
            Password { name: "credential B", class: "second", from: RESET, to: END },
        ],
        result: "No mail is refused: A works until the next rotation.",
    },
];

/// The mails of a row: where they are sent, and whether the server accepts them.
fn mails(row: &Row) -> impl Iterator<Item = (u32, bool)> {
    (START + STEP / 2..END).step_by(STEP as usize).map(|at| {
        let password = &row.passwords[usize::from(at >= READ)];
        (at, (password.from..password.to).contains(&at))
    })
}

fn draw() -> String {
    let mut body = String::new();
    let mut top = 44;
    let bottom = top + HEIGHT * u32::try_from(ROWS.len()).unwrap() - 24;
    for (at, anchor, text) in
        [(RESET, "end", "Terraform rotates"), (READ, "start", "the sender reads the new password")]
    {
        writeln!(body, "<line class=\"event\" x1=\"{at}\" y1=\"24\" x2=\"{at}\" y2=\"{bottom}\"/>").unwrap();
        writeln!(body, "<text class=\"soft\" x=\"{at}\" y=\"16\" text-anchor=\"{anchor}\">{text}</text>").unwrap();
    }
    for row in &ROWS {
        writeln!(body, "<text class=\"heading\" x=\"{LEFT}\" y=\"{top}\">{}</text>", row.resource).unwrap();
        for (number, password) in (0..).zip(&row.passwords) {
            let Password { name, class, from, to } = password;
            let (y, width) = (top + 14 + 26 * number, to - from);
            writeln!(body, "<text x=\"{LEFT}\" y=\"{}\">{name} works</text>", y + 13).unwrap();
            writeln!(body, "<rect class=\"{class}\" x=\"{from}\" y=\"{y}\" width=\"{width}\" height=\"18\" rx=\"3\"/>")
                .unwrap();
        }
        let middle = top + 80;
        writeln!(body, "<text x=\"{LEFT}\" y=\"{}\">mails of a sender</text>", middle + 4).unwrap();
        for (at, is_accepted) in mails(row) {
            // Not by the color alone.
            if is_accepted {
                writeln!(body, "<circle class=\"accepted\" cx=\"{at}\" cy=\"{middle}\" r=\"5\"/>").unwrap();
            } else {
                let cross = format!("M{} {}l10 10m0 -10l-10 10", at - 5, middle - 5);
                writeln!(body, "<path class=\"refused\" d=\"{cross}\"/>").unwrap();
            }
        }
        writeln!(body, "<text class=\"soft\" x=\"{START}\" y=\"{}\">{}</text>", middle + 28, row.result).unwrap();
        top += HEIGHT;
    }
    let height = bottom + 16;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"What a sender sees while a single credential rotates, and while a pair does\">\n\
         {STYLE}{body}</svg>\n"
    )
}

const LEFT: u32 = 16;
const START: u32 = 190;
const RESET: u32 = 410;
const READ: u32 = 530;
const END: u32 = 790;
const STEP: u32 = 30;
const WIDTH: u32 = 820;
const HEIGHT: u32 = 150;

const STYLE: &str = "\
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.heading { font-size: 14px; font-weight: 600 }
.soft { fill: #59636e }
.event { stroke: #818b98; stroke-dasharray: 4 3 }
.first { fill: #8c959f }
.second { fill: #0969da }
.accepted { fill: #1a7f37 }
.refused { stroke: #cf222e; stroke-width: 2.5; fill: none }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .soft { fill: #9198a1 }
  .first { fill: #656c76 }
  .second { fill: #4493f8 }
  .accepted { fill: #3fb950 }
  .refused { stroke: #f85149 }
}
</style>
";

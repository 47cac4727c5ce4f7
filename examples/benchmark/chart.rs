//! The chart: what the providers add to core's own work, and how much of its bound each figure takes up.

use std::fmt::Write;

use crate::figure::{Bound, Figure, Section};

/// Draws the figures as an SVG that can be read on a light and on a dark background.
pub(crate) fn svg(sections: &[Section]) -> String {
    let mut canvas = Canvas::default();
    canvas.work(sections);
    canvas.bounds(sections);
    canvas.finish()
}

/// What is drawn so far, from the top down.
#[derive(Default)]
struct Canvas {
    body: String,
    height: u32,
}

impl Canvas {
    /// Draws processor time with our resources over that with core's own, for the most resources that were measured.
    fn work(&mut self, sections: &[Section]) {
        let largest = ["`plan`", "`apply`"]
            .map(|command| sections.iter().rfind(|section| section.title.starts_with(command)))
            .into_iter()
            .flatten();
        let rows: Vec<_> = largest.filter_map(Work::of).collect();
        let longest = rows.iter().flat_map(|work| [work.core + work.providers, work.cores]).fold(0.0, f64::max);
        self.heading("Processor time");
        self.legend(&[("core", "core's own"), ("ours", "the provider's processes")]);
        for work in rows {
            let both = format!("{:.2} s, the provider adds {:.1} %", (work.core + work.providers) / 1e3, work.share);
            self.row(
                &format!("{}, smtp_credential_password", work.title),
                &both,
                longest,
                &[("core", work.core), ("ours", work.providers)],
            );
            let time = format!("{:.2} s", work.cores / 1e3);
            self.row(&format!("{}, terraform_data", work.title), &time, longest, &[("core", work.cores)]);
        }
    }

    /// Draws every figure that has a bound, as a part of it.
    fn bounds(&mut self, sections: &[Section]) {
        self.height += GAP;
        self.heading("How much of its bound each figure takes up");
        for section in sections {
            for figure in &section.figures {
                let (Some(strain), Some(middle)) = (figure.strain(), figure.middle()) else { continue };
                let class = if strain > 1.0 { "missed" } else { "ours" };
                self.row(
                    &format!("{}: {}", section.title, figure.measure),
                    &format!("{}{}", figure.show(middle), bound(figure)),
                    1.0,
                    &[(class, strain.min(1.0))],
                );
            }
        }
    }

    fn heading(&mut self, text: &str) {
        self.height += 30;
        let y = self.height;
        self.write(format_args!("<text class=\"heading\" x=\"{LEFT}\" y=\"{y}\">{}</text>", escape(text)));
        self.height += 10;
    }

    fn legend(&mut self, entries: &[(&str, &str)]) {
        self.height += 14;
        for ((class, text), x) in entries.iter().zip([LEFT, LEFT + 120]) {
            let y = self.height;
            self.write(format_args!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{}\" width=\"10\" height=\"10\" rx=\"2\"/>\
                 <text class=\"soft\" x=\"{}\" y=\"{y}\">{}</text>",
                y - 10,
                x + 16,
                escape(text)
            ));
        }
        self.height += 6;
    }

    /// Draws one bar of several parts, with a text before it and one behind.
    fn row(&mut self, before: &str, behind: &str, whole: f64, parts: &[(&str, f64)]) {
        let y = self.height + 8;
        let middle = y + 12;
        self.write(format_args!("<text x=\"{LEFT}\" y=\"{middle}\">{}</text>", escape(before)));
        self.write(format_args!(
            "<rect class=\"track\" x=\"{BARS}\" y=\"{y}\" width=\"{BAR_WIDTH}\" height=\"16\" rx=\"3\"/>"
        ));
        let mut x = f64::from(BARS);
        for (class, part) in parts {
            let width = f64::from(BAR_WIDTH) * part / whole;
            self.write(format_args!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"16\" rx=\"3\"/>"
            ));
            x += width;
        }
        let right = BARS + BAR_WIDTH + 10;
        self.write(format_args!("<text class=\"soft\" x=\"{right}\" y=\"{middle}\">{}</text>", escape(behind)));
        self.height += 24;
    }

    fn write(&mut self, element: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.body, "{element}");
    }

    fn finish(self) -> String {
        let (body, height) = (self.body, self.height + 20);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
             role=\"img\" aria-label=\"What the provider costs\">\n{STYLE}{body}</svg>\n"
        )
    }
}

/// Processor time of one command, in milliseconds.
struct Work {
    title: String,
    core: f64,
    providers: f64,
    /// What the providers add to core's own, in percent: the figure of the table.
    share: f64,
    cores: f64,
}

impl Work {
    fn of(section: &Section) -> Option<Self> {
        let named = |name: &str| section.figures.iter().find(|figure| figure.measure == name)?.middle();
        Some(Self {
            title: section.title.replace('`', ""),
            core: named("Core's own CPU")?,
            providers: named("The providers' CPU")?,
            share: named("The providers' CPU in relation to core's own")?,
            cores: named("Core's own CPU with `terraform_data`")?,
        })
    }
}

/// The bound, to be read behind the figure itself.
fn bound(figure: &Figure) -> String {
    match figure.bound {
        Some(Bound::AtLeast(bound)) => format!(", at least {}", figure.show(bound)),
        Some(Bound::AtMost(bound)) => format!(" of {}", figure.show(bound)),
        None => String::new(),
    }
}

fn escape(text: &str) -> String {
    text.replace('`', "").replace('&', "&amp;").replace('<', "&lt;")
}

const BARS: u32 = 440;
const BAR_WIDTH: u32 = 200;
const GAP: u32 = 12;
const LEFT: u32 = 16;
const WIDTH: u32 = 900;

const STYLE: &str = "\
<style>
text { font: 12px system-ui, sans-serif; fill: #1f2328 }
.heading { font-size: 15px; font-weight: 600 }
.soft { fill: #59636e }
.track { fill: #818b98; fill-opacity: 0.15 }
.core { fill: #8c959f }
.ours { fill: #0969da }
.missed { fill: #cf222e }
@media (prefers-color-scheme: dark) {
  text { fill: #f0f6fc }
  .soft { fill: #9198a1 }
  .core { fill: #656c76 }
  .ours { fill: #4493f8 }
  .missed { fill: #f85149 }
}
</style>
";

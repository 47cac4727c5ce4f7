//! Finds secrets in a text, in any encoding.

use std::ops::Range;

use super::{
    binary,
    graph::{self, Graph},
    known::{self, Known},
    layer::Layer,
    step::Budget,
};

/// How many levels of nested base64 or hex are decoded.
const DEPTH: usize = 2;

/// The maximum number of steps for one text: a few times what 64 KiB of ordinary text need.
const STEPS: usize = 8_000_000;

/// Returns the byte ranges of all known secrets, sorted and disjoint; `None` if the text is too complex to search
/// completely.
pub(super) fn secrets(text: &str) -> Option<Vec<Range<usize>>> {
    match &*known::read() {
        Some(known) => search(known, text, STEPS),
        None => Some(Vec::new()),
    }
}

fn search(known: &Known, text: &str, steps: usize) -> Option<Vec<Range<usize>>> {
    // With letters so few, a match across ignored characters would be found in almost every text.
    let mut found: Vec<_> = known.sparse().flat_map(|secret| text.match_indices(secret)).map(ranged).collect();
    let mut budget = Budget::new(steps);
    look(known, &Layer::of(text), DEPTH, &mut budget, &mut found);
    (!budget.is_used_up()).then(|| merged(found))
}

fn ranged((at, found): (usize, &str)) -> Range<usize> {
    at..at + found.len()
}

fn look(known: &Known, layer: &Layer, depth: usize, budget: &mut Budget, found: &mut Vec<Range<usize>>) {
    Graph::of(layer, budget).find(known, budget, |range| found.extend(layer.source(range)));
    // Deeper nesting is not searched. Without a limit, base64 of base64 would never end.
    if depth == 0 {
        return;
    }
    binary::decoded(layer, |bytes| look(known, &bytes, depth - 1, budget, found));
    // The graph finds a secret behind escapes by itself, but not the base64 or hex behind them.
    let mut inner = graph::unescaped(layer, budget);
    for _ in 0..graph::NESTED {
        let Some(layer) = inner else { return };
        binary::decoded(&layer, |bytes| look(known, &bytes, depth - 1, budget, found));
        inner = graph::unescaped(&layer, budget);
    }
}

/// Sorts the ranges and merges those that touch.
fn merged(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(secrets: &[&str]) -> Known {
        let mut known = Known::default();
        for secret in secrets {
            known.remember(secret);
        }
        known
    }

    fn found<'t>(secrets: &[&str], text: &'t str) -> Vec<&'t str> {
        search(&known(secrets), text, STEPS).unwrap().into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn a_secret_that_looks_like_an_encoding_is_found_as_it_is_and_encoded() {
        let secret = r"100%25&amp;a\z+=";
        for written in [
            r"100%25&amp;a\z+=",
            r"100%25&amp;a\\z+=",
            r"100%25&amp;a\\\\z+=",
            r"100%2525%26amp%3Ba%5Cz%2B%3D",
            r"100%25&amp;amp;a\z+=",
            r"100\u002525\u0026amp;a\\z\u002b\u003d",
        ] {
            assert_eq!(found(&[secret], &format!("x {written} y")), [written]);
        }
    }

    #[test]
    fn secrets_that_lie_within_each_other_or_touch_are_one() {
        assert_eq!(
            found(&["hunter2", "hunter2hunter2", "2hunt"], "a hunter2hunter2hunter2 b"),
            ["hunter2hunter2hunter2"]
        );
        assert_eq!(found(&["hunt", "hunter2"], "a hunter3 b"), ["hunt"]);
        assert_eq!(found(&["hunter2"], "a hunter b 2 hunter 2"), ["hunter 2"]);
    }

    #[test]
    fn bytes_that_are_no_text_are_no_replacement_character() {
        let secret = "\u{fffd}i";
        // 0xff and letters, as base64; then the secret itself, three letters into it.
        assert_eq!(found(&[secret], "/2lpaWlpaWlp"), [""; 0]);
        assert_eq!(found(&[secret], "YWFh77+9aWFh"), ["77+9aW"]);
        assert_eq!(found(&[secret], "a \u{fffd}i"), [secret]);
    }

    #[test]
    fn what_is_no_secret_is_left() {
        for text in ["", "hunter", "hunt-er2", "HUNTER2", "missing or invalid refresh_token", "aHVudGVyMw"] {
            assert_eq!(found(&["hunter2"], text), [""; 0], "{text}");
        }
    }

    #[test]
    fn a_text_that_would_take_too_long_is_given_up() {
        let tangled = "+%25".repeat(1000);
        assert_eq!(search(&known(&["++++hunter2"]), &tangled, 10_000), None);
        let found = search(&known(&["hunter2"]), "a hunter2", 10_000).unwrap();
        assert!(matches!(&found[..], [range] if *range == (2..9)));
    }

    #[test]
    fn every_text_of_64_kib_is_done_with_in_the_steps_that_there_are() {
        let secrets: Vec<_> =
            (0..1000_u32).map(|number| format!("{:x}-pass", number.wrapping_mul(2_654_435_761))).collect();
        let known = known(&secrets.iter().map(|secret| &**secret).collect::<Vec<_>>());
        for text in ["field \\\"newPassword\\\" must have %41 &amp; words ", "QWxhZGRpbjpvcGVuIHNlc2FtZQ", "41424344"] {
            assert_eq!(search(&known, &text.repeat(64 * 1024 / text.len()), STEPS), Some(vec![]), "{text}");
        }
    }
}

//! Where in a text secrets stand, in whatever encoding.

use std::ops::Range;

use super::{
    binary,
    graph::{self, Graph},
    known::{self, Known},
    layer::Layer,
    step::Budget,
};

/// How often bytes may be written as text within bytes that are written as text.
const DEPTH: usize = 2;

/// The most work for one text: a few times what 64 KiB of ordinary text need.
const STEPS: usize = 8_000_000;

/// The bytes of the text in which secrets that this process knows stand, in order and apart; `None` where it is too tangled to tell.
pub(super) fn secrets(text: &str) -> Option<Vec<Range<usize>>> {
    match &*known::read() {
        Some(known) => search(known, text, STEPS),
        None => Some(Vec::new()),
    }
}

fn search(known: &Known, text: &str, steps: usize) -> Option<Vec<Range<usize>>> {
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
    if depth == 0 {
        return;
    }
    binary::decoded(layer, |bytes| look(known, &bytes, depth - 1, budget, found));
    let mut inner = graph::unescaped(layer, budget);
    for _ in 0..graph::NESTED {
        let Some(layer) = inner else { return };
        binary::decoded(&layer, |bytes| look(known, &bytes, depth - 1, budget, found));
        inner = graph::unescaped(&layer, budget);
    }
}

/// The ranges in order, those that touch as one.
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

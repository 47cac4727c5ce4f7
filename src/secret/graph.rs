//! All readings of a text: unchanged, or with any of its escapes decoded, even if nested.
//!
//! A secret may itself look like an escape (`100%25`, `a\z`), so a text has more than one reading. The positions in the
//! text are nodes, and an edge leads over one letter, however it is written, to the position after it. The text
//! contains a secret if there is a path with the secret's letters.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    escapes,
    known::{Known, Letters, narrowed},
    layer::Layer,
    plain::{Sequence, sequence},
    step::{Budget, Edge},
};

/// How many levels of nested encodings are decoded.
pub(super) const NESTED: usize = 3;

/// How many characters of a terminal sequence may be skipped while the rest is read as text.
const SEQUENCE: usize = 32;

/// A layer with its edges.
pub(super) struct Graph<'l> {
    chars: &'l [char],
    /// The edges other than the unchanged characters, by start.
    decoded: HashMap<usize, Vec<Edge>>,
}

impl<'l> Graph<'l> {
    /// Creates a graph of the unchanged characters.
    pub(super) fn plain(layer: &'l Layer) -> Self {
        Self { chars: layer.chars(), decoded: HashMap::new() }
    }

    /// Creates a graph of the characters and everything they may be decoded to.
    pub(super) fn of(layer: &'l Layer, budget: &mut Budget) -> Self {
        let mut graph = Self::plain(layer);
        graph.add_sequences(budget);
        // Most texts have no escapes, so only look at positions that may start one.
        let starts: Vec<_> = graph.nodes().filter(|at| graph.edges(*at).any(is_start)).collect();
        for _ in 0..NESTED {
            let mut found = Vec::new();
            for &at in &starts {
                for edge in graph.edges(at).filter(|edge| is_start(*edge)) {
                    let Some(letter) = edge.letter else { continue };
                    let edges = |at| graph.edges(at).collect();
                    escapes::read(&edges, letter, edge.to, budget, &mut |decoded| found.push((at, decoded)));
                }
            }
            let mut is_new = false;
            for (at, edge) in found {
                is_new |= graph.add(at, edge);
            }
            // Without new edges, another level would find the same.
            if !is_new || budget.is_used_up() {
                break;
            }
        }
        graph
    }

    /// Returns the edges that start at a node.
    pub(super) fn edges(&self, at: usize) -> impl Iterator<Item = Edge> {
        let plain = self.chars.get(at).map(|c| Edge::over(*c, at + 1));
        plain.into_iter().chain(self.decoded.get(&at).into_iter().flatten().copied())
    }

    /// Returns the nodes with a character.
    pub(super) fn nodes(&self) -> Range<usize> {
        0..self.chars.len()
    }

    /// Passes to `found` the longest known secret at each node where one starts.
    pub(super) fn find(&self, known: &Known, budget: &mut Budget, mut found: impl FnMut(Range<usize>)) {
        for at in self.nodes() {
            if !budget.step() {
                return;
            }
            for edge in self.edges(at) {
                let secrets = edge.letter.map(|letter| known.beginning(letter)).unwrap_or_default();
                if !secrets.is_empty()
                    && let Some(end) = self.follow(secrets, edge.to, budget)
                {
                    found(at..end);
                }
            }
        }
    }

    /// Returns the end of the longest of `secrets`, whose first letter ends at `at`.
    fn follow(&self, secrets: &[Letters], at: usize, budget: &mut Budget) -> Option<usize> {
        let mut end = None;
        let mut reached = vec![(secrets, at)];
        for depth in 1.. {
            let ends = reached.iter().filter(|(secrets, _)| secrets.first().is_some_and(|first| first.len() == depth));
            end = ends.map(|(_, at)| *at).max().max(end);
            reached = self.next(reached, depth, budget);
            if reached.is_empty() {
                return end;
            }
        }
        end
    }

    /// Returns what is reachable over one more letter and any number of ignorable steps.
    fn next<'k>(
        &self,
        mut reached: Vec<(&'k [Letters], usize)>,
        depth: usize,
        budget: &mut Budget,
    ) -> Vec<(&'k [Letters], usize)> {
        let mut next: Vec<(&[Letters], usize)> = Vec::new();
        let mut seen = HashSet::new();
        while let Some((secrets, at)) = reached.pop() {
            if !budget.step() {
                return Vec::new();
            }
            for edge in self.edges(at) {
                let Some(letter) = edge.letter else {
                    if seen.insert((secrets.as_ptr(), edge.to)) {
                        reached.push((secrets, edge.to));
                    }
                    continue;
                };
                let secrets = narrowed(secrets, depth, letter);
                let is_known = |(other, to): &(&[Letters], usize)| (other.as_ptr(), *to) == (secrets.as_ptr(), edge.to);
                if !secrets.is_empty() && !next.iter().any(is_known) {
                    next.push((secrets, edge.to));
                }
            }
        }
        next
    }

    /// Adds edges that skip a terminal sequence or its beginning.
    fn add_sequences(&mut self, budget: &mut Budget) {
        for at in self.nodes() {
            let rest = self.chars.get(at..).unwrap_or_default();
            let Some(Sequence { whole, .. }) = sequence(rest) else { continue };
            let partial = whole.clamp(SEQUENCE / 2, SEQUENCE).min(rest.len());
            for length in (2..=partial).chain([whole]).take_while(|_| budget.step()) {
                self.add(at, Edge { letter: None, to: at + length });
            }
        }
    }

    /// Adds an edge; returns `false` if it exists.
    fn add(&mut self, at: usize, edge: Edge) -> bool {
        let edges = self.decoded.entry(at).or_default();
        let is_new = !edges.contains(&edge);
        if is_new {
            edges.push(edge);
        }
        is_new
    }
}

fn is_start(edge: Edge) -> bool {
    edge.letter.is_some_and(escapes::is_start)
}

/// Returns the layer with every escape decoded, the longest reading first; `None` if there is none.
pub(super) fn unescaped(layer: &Layer, budget: &mut Budget) -> Option<Layer> {
    let graph = Graph::plain(layer);
    let edges = |at| graph.edges(at).collect();
    let mut inner = Layer::with_capacity(layer.chars().len());
    let (mut at, mut is_escaped) = (0, false);
    while let Some(&c) = layer.chars().get(at) {
        let mut longest: Option<Edge> = None;
        // Not `+` and `=`, which belong to base64.
        if matches!(c, '%' | '&' | '\\') {
            escapes::read(&edges, c, at + 1, budget, &mut |edge| {
                longest = longest.filter(|longest| longest.to >= edge.to).or(Some(edge));
            });
        }
        let Edge { letter, to } = longest.unwrap_or(Edge { letter: Some(c), to: at + 1 });
        if let (Some(letter), Some(source)) = (letter, layer.source(at..to)) {
            inner.push(letter, source);
        }
        is_escaped |= longest.is_some();
        at = to;
    }
    is_escaped.then_some(inner)
}

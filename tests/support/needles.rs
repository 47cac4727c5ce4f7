//! Many texts looked for in a long one at once. A log of everything is megabytes, and a workspace may have hundreds of
//! secrets.

use std::collections::{BTreeMap, BTreeSet};

/// Where in the text, by byte, one of the needles begins. An empty one begins nowhere.
pub(super) fn found<'a>(text: &'a str, needles: &'a BTreeSet<String>) -> impl Iterator<Item = usize> + use<'a> {
    let mut by_start: BTreeMap<usize, Vec<&[u8]>> = BTreeMap::new();
    let mut begins = vec![false; 1 << 16];
    for needle in needles.iter().map(String::as_bytes) {
        match *needle {
            [] => {}
            // Whatever comes after it.
            [first] => {
                for second in 0..=u8::MAX {
                    by_start.entry(start(first, second)).or_default().push(needle);
                    begins[start(first, second)] = true;
                }
            }
            [first, second, ..] => {
                by_start.entry(start(first, second)).or_default().push(needle);
                begins[start(first, second)] = true;
            }
        }
    }
    let bytes = text.as_bytes();
    let starts = (0..bytes.len()).map(|at| (at, start(bytes[at], bytes.get(at + 1).copied().unwrap_or_default())));
    starts.filter_map(move |(at, start)| {
        let is_here = begins[start] && by_start[&start].iter().any(|needle| bytes[at..].starts_with(needle));
        is_here.then_some(at)
    })
}

fn start(first: u8, second: u8) -> usize {
    (usize::from(first) << 8) | usize::from(second)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_is_what_a_search_for_each_alone_finds() {
        let needles: BTreeSet<_> = ["ab", "abc", "b", "xyz", "", "é", "zz"].map(str::to_owned).into();
        for text in ["", "a", "ab", "xabcab", "xy", "xyzz", "b", "aéb", "zzz", "no"] {
            let expected: BTreeSet<_> = needles
                .iter()
                .filter(|needle| !needle.is_empty())
                .flat_map(|needle| (0..text.len()).filter(|at| text.as_bytes()[*at..].starts_with(needle.as_bytes())))
                .collect();
            assert_eq!(found(text, &needles).collect::<BTreeSet<_>>(), expected, "{text}");
        }
    }
}

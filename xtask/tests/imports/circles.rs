//! Cycles in a graph of arrows.

use crate::sources::Arrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

/// Places that lead to each other, and the arrows between them.
pub struct Circle<'a> {
    arrows: Vec<&'a Arrow>,
}

impl fmt::Display for Circle<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines: BTreeSet<String> = self
            .arrows
            .iter()
            .map(|arrow| format!("  {arrow}"))
            .collect();
        write!(f, "{}", Vec::from_iter(lines).join("\n"))
    }
}

/// Returns all cycles. An arrow from a place to itself does not count.
pub fn circles(arrows: &[Arrow]) -> Vec<Circle<'_>> {
    let mut next: BTreeMap<&Path, BTreeSet<&Path>> = BTreeMap::new();
    for arrow in arrows.iter().filter(|arrow| arrow.from != arrow.to) {
        next.entry(&arrow.from).or_default().insert(&arrow.to);
    }
    // For each place, all places reachable from it. The graphs are small.
    let reached: BTreeMap<&Path, BTreeSet<&Path>> = next
        .keys()
        .map(|&place| (place, reached_from(place, &next)))
        .collect();
    let is_together = |a: &Path, b: &Path| {
        let leads = |from: &Path, to: &Path| reached.get(from).is_some_and(|all| all.contains(to));
        leads(a, b) && leads(b, a)
    };
    let mut done: BTreeSet<&Path> = BTreeSet::new();
    let mut circles = Vec::new();
    for &place in next.keys() {
        if is_together(place, place) && !done.contains(place) {
            done.extend(next.keys().filter(|&&other| is_together(place, other)));
            let is_in_it = |arrow: &&Arrow| {
                arrow.from != arrow.to
                    && is_together(place, &arrow.from)
                    && is_together(place, &arrow.to)
            };
            circles.push(Circle {
                arrows: arrows.iter().filter(is_in_it).collect(),
            });
        }
    }
    circles
}

fn reached_from<'a>(
    place: &'a Path,
    next: &BTreeMap<&'a Path, BTreeSet<&'a Path>>,
) -> BTreeSet<&'a Path> {
    let mut reached = BTreeSet::new();
    let mut waiting = vec![place];
    while let Some(place) = waiting.pop() {
        for &to in next.get(place).into_iter().flatten() {
            if reached.insert(to) {
                waiting.push(to);
            }
        }
    }
    reached
}

#[test]
fn circles_are_found() {
    let arrow = |from: &str, to: &str| Arrow {
        from: from.into(),
        to: to.into(),
        path: String::new(),
    };
    let straight = [
        arrow("a", "b"),
        arrow("b", "c"),
        arrow("a", "c"),
        arrow("a", "a"),
    ];
    assert!(circles(&straight).is_empty());
    let round = [
        arrow("a", "b"),
        arrow("b", "c"),
        arrow("c", "b"),
        arrow("c", "d"),
        arrow("e", "f"),
        arrow("f", "g"),
        arrow("g", "e"),
    ];
    let found: Vec<usize> = circles(&round)
        .iter()
        .map(|circle| circle.arrows.len())
        .collect();
    assert_eq!(found, [2, 3]);
}

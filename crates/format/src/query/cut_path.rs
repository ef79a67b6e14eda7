//! Paths that people saw cut: with steps left out in the middle, or with long names cut.

use crate::answer_error::Result;
use crate::answers::short_path::gap_text;
use crate::labels::step::GAP;
use crate::query::path_end::PathEnd;
use crate::query::path_search::{PathSearch, Reading};
use luasnap_heap::{Heap, Label, NodeId, PathStarts, Rank, ShortestPathTree, Snapshot};
use rustc_hash::FxHashSet;

/// The most places of a path that are tried as the one where steps were left out.
const MOST_GAPS: usize = 4;
/// The most objects from which steps that were left out are counted.
const MOST_HEADS: usize = 8;

/// Returns the objects that a path, escaped as it is printed, may mean, if it was cut: each once. None if it was not.
pub(crate) fn objects_by_cut_path(snapshot: &Snapshot, path: &[u8]) -> Result<Vec<NodeId>> {
    let heap = snapshot.everything();
    let reading = Reading {
        cut: true,
        patterns: false,
    };
    if !path.windows(GAP.len()).any(|part| part == GAP.as_bytes()) {
        return Ok(Vec::new());
    }
    let tree = snapshot.everything_tree()?;
    let mut found = Vec::new();
    for gap in gaps(path).take(MOST_GAPS) {
        let heads = PathSearch::in_snapshot(snapshot, gap.head, reading)?.all()?;
        for head in heads.into_iter().take(MOST_HEADS) {
            add_below(heap, tree, head, &gap, &mut found)?;
        }
        if !found.is_empty() {
            break;
        }
    }
    // The gap may be inside a step.
    found.extend(PathSearch::in_snapshot(snapshot, path, reading)?.all()?);
    // One path may lead through several heads.
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    seen.try_reserve(found.len())?;
    found.retain(|node| seen.insert(*node));
    Ok(found)
}

/// A place in a path where steps are left out.
struct Gap<'p> {
    head: &'p [u8],
    /// How many steps are left out, if that is said.
    steps: Option<usize>,
    tail: &'p [u8],
}

/// Returns the places where steps may be left out of a path.
fn gaps(path: &[u8]) -> impl Iterator<Item = Gap<'_>> {
    let marks = path.windows(GAP.len()).enumerate();
    let marks = marks.filter(|(_, part)| *part == GAP.as_bytes());
    marks.filter_map(|(start, _)| {
        let (head, rest) = path.split_at(start);
        let rest = &rest[GAP.len()..];
        // The marks of what follows the number is no gap of its own.
        if head.is_empty() || rest.is_empty() || head.ends_with(b" steps]") {
            return None;
        }
        let counted = counted_gap(rest);
        let (steps, tail) = counted.map_or((None, rest), |(steps, tail)| (Some(steps), tail));
        Some(Gap { head, steps, tail })
    })
}

/// Returns the number of steps that are left out and what follows, if the number is said.
fn counted_gap(rest: &[u8]) -> Option<(usize, &[u8])> {
    let digits = rest.strip_prefix(b"[")?;
    let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
    let count = std::str::from_utf8(&digits[..end]).ok()?.parse().ok()?;
    let text = gap_text(count);
    Some((count, rest.strip_prefix(&text.as_bytes()[GAP.len()..])?))
}

/// Adds the objects whose paths lead through `head`, then by the steps that are left out, one at least, and then by
/// those of the tail. Takes a pass over all paths.
fn add_below(
    heap: &Heap,
    tree: &ShortestPathTree,
    head: NodeId,
    gap: &Gap<'_>,
    found: &mut Vec<NodeId>,
) -> Result {
    const NOT_BELOW: u32 = u32::MAX;
    let starts = PathStarts::of(heap);
    let mut end = PathEnd::new(heap, tree);
    // By rank: the number of steps from the head.
    let mut distances: Vec<u32> = Vec::new();
    distances.try_reserve_exact(tree.len())?;
    for rank in tree.ranks() {
        let distance = match tree.parent(rank) {
            _ if tree.node(rank) == head => 0,
            // Its path does not lead through the head.
            _ if starts.step(heap, tree, rank).is_some() => NOT_BELOW,
            None => NOT_BELOW,
            Some(above) => match distances[above.index()] {
                NOT_BELOW => NOT_BELOW,
                above => above + u32::from(heap.label(tree.edge(rank)) != Label::Value),
            },
        };
        distances.push(distance);
        // What is left for the tail.
        let most = match distance {
            NOT_BELOW => None,
            distance => (distance as usize).checked_sub(gap.steps.unwrap_or(1)),
        };
        let Some(most) = most.filter(|steps| *steps > 0) else {
            continue;
        };
        let fits = match (end.steps(rank, gap.tail)?, gap.steps) {
            (Some(steps), Some(_)) => steps == most,
            (Some(steps), None) => steps <= most,
            (None, _) => false,
        };
        if fits && !is_upvalue_of_next(heap, tree, rank) {
            found.try_reserve(1)?;
            found.push(tree.node(rank));
        }
    }
    Ok(())
}

/// Whether the value of an upvalue has the same path.
fn is_upvalue_of_next(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> bool {
    let mut children = tree.children(rank);
    children.any(|child| heap.label(tree.edge(child)) == Label::Value)
}

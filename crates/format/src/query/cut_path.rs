//! Paths that people saw cut: with steps left out in the middle, or with long names cut.

use crate::answer_error::Result;
use crate::answers::short_path::gap_text;
use crate::query::path_end::PathEnd;
use crate::query::path_search::{PathSearch, Reading};
use luasnap_heap::{Heap, Label, NodeId, PathStarts, Rank, ShortestPathTree, Snapshot};
use rustc_hash::FxHashSet;

/// The most objects from which steps that were left out are counted.
const MOST_HEADS: usize = 8;

/// Returns the objects that a path, escaped as it is printed, may mean, if it was cut: each once. None if it was not.
pub(crate) fn objects_by_cut_path(snapshot: &Snapshot, path: &[u8]) -> Result<Vec<NodeId>> {
    let heap = snapshot.everything();
    let reading = Reading {
        cut: true,
        patterns: false,
    };
    let Some((head, steps, tail)) = around_gap(path) else {
        return match path.windows(3).any(|part| part == b"...") {
            true => PathSearch::in_snapshot(snapshot, path, reading)?.all(),
            false => Ok(Vec::new()),
        };
    };
    let heads = PathSearch::in_snapshot(snapshot, head, reading)?.all()?;
    let tree = snapshot.everything_tree()?;
    let mut found = Vec::new();
    for head in heads.into_iter().take(MOST_HEADS) {
        add_below(heap, tree, (head, steps, tail), &mut found)?;
    }
    // One path may lead through several heads.
    let mut seen: FxHashSet<NodeId> = FxHashSet::default();
    seen.try_reserve(found.len())?;
    found.retain(|node| seen.insert(*node));
    Ok(found)
}

/// Returns what is before the steps that are left out of a path, their number, and what is after them.
fn around_gap(path: &[u8]) -> Option<(&[u8], usize, &[u8])> {
    const OPEN: &[u8] = b"...[";
    let opens = path.windows(OPEN.len()).enumerate();
    for (start, _) in opens.filter(|(_, part)| *part == OPEN) {
        let digits = &path[start + OPEN.len()..];
        let end = digits.iter().position(|byte| !byte.is_ascii_digit())?;
        let count = std::str::from_utf8(&digits[..end]).ok()?.parse().ok();
        if let Some(count) = count
            && let Some(tail) = path[start..].strip_prefix(gap_text(count).as_bytes())
        {
            return Some((&path[..start], count, tail));
        }
    }
    None
}

/// Adds the objects whose paths lead through `head`, then by that many steps, and then by those of `tail`. Takes a pass
/// over all paths.
fn add_below(
    heap: &Heap,
    tree: &ShortestPathTree,
    (head, left_out, tail): (NodeId, usize, &[u8]),
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
        let steps = match distance {
            NOT_BELOW => None,
            distance => (distance as usize).checked_sub(left_out),
        };
        if steps.is_some_and(|steps| steps > 0)
            && end.steps(rank, tail)? == steps
            && !is_upvalue_of_next(heap, tree, rank)
        {
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

//! Objects that a path pattern means, where no group of the snapshot has it as its name: that of a difference, or of
//! all references of C code.

use crate::answer_error::Result;
use crate::query::path_search::{PathSearch, Reading};
use luasnap_heap::{Heap, Kind, Label, NodeId, Rank, Snapshot};
use rustc_hash::FxHashSet;

/// Returns the objects that a pattern, escaped as it is printed, means: `_G.panels.[*]`, `class _G.*`,
/// `[string "..."]:2-3 of _G.compiled.[*]`. None if the word is no pattern. Strings and what else only the VM sees are
/// among them only if there is nothing else.
pub(crate) fn objects_by_pattern(snapshot: &Snapshot, word: &[u8]) -> Result<Vec<NodeId>> {
    let heap = snapshot.everything();
    let mut found = if let Some(class) = word.strip_prefix(b"class ") {
        members(heap, &by_steps(snapshot, class)?)?
    } else if let Some((line, last, pattern)) = loaded_code(word) {
        let mut functions = by_steps(snapshot, pattern)?;
        let ends_there = |node: NodeId| {
            let shape = heap.shape_of_loaded_code(node);
            shape.is_some_and(|shape| Some(shape.last_line) == last)
        };
        functions.retain(|node| {
            let is_there = heap.kind(*node) == Kind::LuaFunction && heap.count(*node) == line;
            is_there && (last.is_none() || ends_there(*node))
        });
        functions
    } else if word.contains(&b'*') || word.windows(5).any(|part| part == b"[ref]") {
        by_steps(snapshot, word)?
    } else {
        Vec::new()
    };
    if found.iter().any(|node| heap.kind(*node).is_object()) {
        found.retain(|node| heap.kind(*node).is_object());
    }
    in_order(snapshot, found)
}

/// Returns those that are in use, the nearest to a GC root first.
fn in_order(snapshot: &Snapshot, found: Vec<NodeId>) -> Result<Vec<NodeId>> {
    let ranks = snapshot.everything_tree()?.ranks_of(&found)?;
    let ranked = found.into_iter().zip(ranks);
    let mut alive: Vec<(Rank, NodeId)> = ranked
        .filter_map(|(node, rank)| Some((rank?, node)))
        .collect();
    alive.sort_unstable();
    Ok(alive.into_iter().map(|(_, node)| node).collect())
}

fn by_steps(snapshot: &Snapshot, pattern: &[u8]) -> Result<Vec<NodeId>> {
    let reading = Reading {
        cut: true,
        patterns: true,
    };
    PathSearch::in_snapshot(snapshot, pattern, reading)?.all()
}

/// Returns the first line, the last line if the word has it, and the pattern of code that was loaded without a
/// name.
fn loaded_code(word: &[u8]) -> Option<(u32, Option<u32>, &[u8])> {
    let rest = word.strip_prefix(br#"[string "..."]:"#)?;
    let (line, rest) = number(rest)?;
    let (last, rest) = match rest.strip_prefix(b"-") {
        Some(rest) => number(rest).map(|(last, rest)| (Some(last), rest))?,
        None => (None, rest),
    };
    Some((line, last, rest.strip_prefix(b" of ")?))
}

/// Returns the number at the beginning of a word, and what follows.
fn number(word: &[u8]) -> Option<(u32, &[u8])> {
    let end = word.iter().position(|byte| !byte.is_ascii_digit())?;
    let number = std::str::from_utf8(&word[..end]).ok()?.parse().ok()?;
    Some((number, &word[end..]))
}

/// Returns the objects that have one of these as their metatable, or as the `__index` of it.
fn members(heap: &Heap, classes: &[NodeId]) -> Result<Vec<NodeId>> {
    let mut found = Vec::new();
    if classes.is_empty() {
        return Ok(found);
    }
    let mut metatables: FxHashSet<NodeId> = FxHashSet::default();
    metatables.try_reserve(classes.len())?;
    metatables.extend(classes);
    let is_index =
        |label: Label| matches!(label, Label::Field(name) if heap.name(name) == b"__index");
    let classes = metatables.clone();
    for node in heap.nodes() {
        let mut edges = heap.edges(node);
        if edges.any(|edge| is_index(edge.label) && classes.contains(&edge.target)) {
            metatables.try_reserve(1)?;
            metatables.insert(node);
        }
    }
    for node in heap.nodes() {
        let mut edges = heap.edges(node);
        if edges.any(|edge| edge.label == Label::Metatable && metatables.contains(&edge.target)) {
            found.try_reserve(1)?;
            found.push(node);
        }
    }
    Ok(found)
}

//! Finding objects by the last part of their paths.

use crate::answer_error::Result;
use crate::query::path_end::PathEnd;
use crate::query::path_search::through_upvalue;
use luasnap_heap::{Label, NodeId, Snapshot, Strength, sort_by_number};
use rustc_hash::FxHashMap;

/// An object that a word may mean.
#[derive(Clone, Copy)]
pub(crate) struct Candidate {
    /// The object.
    pub(crate) target: NodeId,
    /// What refers to it by the last step of the word; [`NodeId::ROOT`] for GC roots.
    pub(crate) source: NodeId,
    /// The number of that reference.
    pub(crate) edge: usize,
}

/// Returns the objects that have a path which ends in `word`, escaped as it is printed: each once, those that retain
/// most first. Strings and what else only the VM sees are among them only if there is nothing else. Takes a pass over
/// all references.
pub(crate) fn objects_by_last_part(snapshot: &Snapshot, word: &[u8]) -> Result<Vec<Candidate>> {
    if word.is_empty() {
        return Ok(Vec::new());
    }
    let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
    let mut end = PathEnd::new(heap, tree);
    // References by the last step, and the number of bytes before that.
    let mut found: Vec<(Candidate, usize)> = Vec::new();
    for source in heap.nodes().filter(|node| tree.contains(*node)) {
        for edge in heap.edge_range(source) {
            let is_weak = matches!(heap.strength(edge), Strength::WeakKey | Strength::WeakValue);
            let label = heap.label(edge);
            if is_weak || label == Label::Value {
                continue;
            }
            if let Some(before) = end.before_step(label, word)? {
                let target = through_upvalue(heap, heap.target(edge));
                found.try_reserve(1)?;
                let candidate = Candidate {
                    target,
                    source,
                    edge,
                };
                found.push((candidate, before.len()));
            }
        }
    }
    let sources =
        |of: &[(Candidate, usize)]| of.iter().map(|(of, _)| of.source).collect::<Vec<_>>();
    let ranks = tree.ranks_of(&sources(&found))?;
    let mut one_each: FxHashMap<NodeId, Candidate> = FxHashMap::default();
    for ((candidate, before), rank) in found.into_iter().zip(ranks) {
        // LuaJIT keeps tables from which it makes others.
        let is_template = |rank| heap.label(tree.edge(rank)) == Label::Constant;
        let fits = match (before, rank) {
            (_, Some(rank)) if is_template(rank) => false,
            (0, _) => true,
            (before, Some(rank)) => end.steps(rank, &word[..before])?.is_some(),
            (_, None) => false,
        };
        if fits {
            one_each.try_reserve(1)?;
            one_each.entry(candidate.target).or_insert(candidate);
        }
    }
    let mut candidates: Vec<Candidate> = one_each.into_values().collect();
    let is_object = |candidate: &Candidate| heap.kind(candidate.target).is_object();
    if candidates.iter().any(is_object) {
        candidates.retain(is_object);
    }
    let dominators = snapshot.dominators()?;
    sort_by_number(&mut candidates, |candidate| u64::from(candidate.target.0))?;
    sort_by_number(
        &mut candidates,
        |candidate| !match dominators.contains(candidate.target) {
            true => dominators.retained(candidate.target).bytes,
            false => 0,
        },
    )?;
    Ok(candidates)
}

//! The steps of a path, each with what the object there retains, as rows.

use crate::answer_error::Result;
use crate::answers::field;
use crate::answers::name::Name;
use crate::answers::short_path::{FIRST, LAST, gap_text, step_text};
use luasnap_heap::{Kind, Label, NodeId, PathStarts, Rank, Snapshot};
use serde::Serialize;

/// A step of a path.
#[derive(Clone, Debug, Serialize)]
pub struct StepRow {
    /// The step: `sessions`; `...[5 steps]...` for those that are left out.
    pub step: Name,
    /// The kind of the object there; [`Kind::Root`] for what is left out.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// The retained size of the object there, in bytes; 0 for what is left out.
    pub retained: u64,
    /// The index of its cell in the dominator tree, or of the nearest one above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<u32>,
}

/// Returns the steps of the shortest path to the object at a rank, as
/// [`path_of_everything`](crate::answers::short_path::path_of_everything) has them, with their objects: the middle of a long path is left out.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub(crate) fn path_steps(snapshot: &Snapshot, rank: Rank) -> Result<Vec<(StepRow, NodeId)>> {
    let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
    let dominators = snapshot.dominators()?;
    let starts = PathStarts::of(heap);
    let mut ranks: Vec<Rank> = Vec::new();
    let mut next = Some(rank);
    while let Some(rank) = next {
        ranks.try_reserve(1)?;
        ranks.push(rank);
        let is_start = starts.step(heap, tree, rank).is_some();
        next = tree.parent(rank).filter(|_| !is_start);
        // The value of an upvalue is at the step of the upvalue.
        if heap.label(tree.edge(rank)) == Label::Value {
            next = next.and_then(|upvalue| tree.parent(upvalue));
        }
    }
    ranks.reverse();
    let left_out = ranks.len().saturating_sub(FIRST + LAST);
    let mut steps = Vec::new();
    for (at, rank) in ranks.iter().enumerate() {
        if at == FIRST && left_out > 0 {
            let gap = StepRow {
                step: gap_text(left_out).as_str().into(),
                kind: Kind::Root,
                retained: 0,
                cell: None,
            };
            steps.push((gap, NodeId::ROOT));
        }
        if (FIRST..FIRST + left_out).contains(&at) {
            continue;
        }
        let node = tree.node(*rank);
        let row = StepRow {
            step: step_text(heap, tree, starts, *rank)?,
            kind: heap.kind(node),
            retained: dominators.retained(node).bytes,
            cell: None,
        };
        steps.push((row, node));
    }
    Ok(steps)
}

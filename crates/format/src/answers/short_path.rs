//! Paths to objects, whole and as people read them.

use crate::answer_error::Result;
use crate::answers::name::{Name, NameText};
use crate::labels::environment::push_environment;
use crate::labels::path::push_answer_step;
use crate::labels::printable::push_bytes;
use crate::labels::step::GAP;
use luasnap_heap::{
    GroupStep, Groups, Heap, Label, NodeId, PathStarts, PatternId, Rank, ShortestPathTree, Snapshot,
};

/// The number of steps of a long path that are shown at its start, ...
pub(crate) const FIRST: usize = 8;
/// ... and at its end.
pub(crate) const LAST: usize = 4;
/// The number of steps that the end of a pattern has at most.
const END: usize = 3;
/// A step of more bytes is long. Of it people see so many at its start, ...
const STEP_BYTES: usize = 48;
const STEP_FIRST: usize = 30;
/// ... and at its end.
const STEP_LAST: usize = 15;
/// The most bytes of a path in a row, so that many rows of a very long list stay bounded. Longer ones are cut
/// everywhere.
const MOST_BYTES: usize = 64 << 10;

/// Returns the shortest path to the object at a rank of the [tree of everything](Snapshot::everything_tree):
/// it starts at the table of globals, the table of loaded modules, the main thread or an
/// [environment](luasnap_heap::Environment) if it leads through one of them. People see its middle and its long steps cut.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn path_of_everything(snapshot: &Snapshot, rank: Rank) -> Result<Name> {
    short_path(snapshot.everything(), snapshot.everything_tree()?, rank)
}

/// Returns the path to an object as [`path_of_everything`] does, in any heap and however long it is.
pub(crate) fn whole_path(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Result<Name> {
    path_of(heap, tree, rank, usize::MAX)
}

/// Returns the path to an object as [`path_of_everything`] does, in any heap.
pub(crate) fn short_path(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Result<Name> {
    path_of(heap, tree, rank, MOST_BYTES)
}

fn path_of(heap: &Heap, tree: &ShortestPathTree, rank: Rank, most: usize) -> Result<Name> {
    let starts = PathStarts::of(heap);
    let start = |rank: Rank| starts.step(heap, tree, rank);
    let upward = std::iter::successors(Some(rank), |rank| match start(*rank) {
        Some(_) => None,
        None => tree.parent(*rank),
    });
    // The step to an upvalue's value is the upvalue's name, as in the `objects` view; unless paths start there.
    let is_step =
        |rank: &Rank| heap.label(tree.edge(*rank)) != Label::Value || start(*rank).is_some();
    let exact = |rank: Rank| GroupStep::Exact(heap.label(tree.edge(rank)));
    let steps = upward.filter(is_step);
    join(steps, most, |out, rank| {
        push_group_step(out, heap, start(rank).unwrap_or_else(|| exact(rank)))
    })
}

/// The most steps of a path from one object to another one that are looked at: of a longer one people see its end
/// alone, so that many rows of a very long list stay quick.
const MOST_STEPS: usize = 1000;

/// Whether the path to the object at a rank has more than [`MOST_STEPS`].
pub(crate) fn is_far_down(tree: &ShortestPathTree, rank: Rank) -> bool {
    let upward = std::iter::successors(Some(rank), |rank| tree.parent(*rank));
    upward.take(MOST_STEPS + 1).count() > MOST_STEPS
}

/// Returns the path from `above`, through which the shortest path to the object at a rank leads, to that object. From
/// the synthetic root, the path as [`path_of_everything`] has it.
pub(crate) fn path_below(
    heap: &Heap,
    tree: &ShortestPathTree,
    rank: Rank,
    above: NodeId,
) -> Result<Name> {
    let starts = PathStarts::of(heap);
    let start = |rank: Rank| starts.step(heap, tree, rank);
    let is_first = |rank: Rank| {
        let parent = tree.parent(rank).map(|parent| tree.node(parent));
        let is_root = || above == NodeId::ROOT && heap.root_range().contains(&tree.edge(rank));
        parent == Some(above) || start(rank).is_some() || is_root()
    };
    let upward = std::iter::successors(Some(rank), |rank| match is_first(*rank) {
        true => None,
        false => tree.parent(*rank),
    });
    let is_value = |rank: &Rank| heap.label(tree.edge(*rank)) == Label::Value;
    let mut steps = Vec::new();
    for rank in upward.take(MOST_STEPS + 1) {
        steps.try_reserve(1)?;
        steps.push(rank);
    }
    let is_cut = steps.len() > MOST_STEPS;
    // Below an upvalue itself there is no other step.
    if steps.iter().any(|rank| !is_value(rank)) {
        steps.retain(|rank| !is_value(rank));
    }
    if is_cut {
        steps.truncate(LAST);
    }
    let exact = |rank: Rank| GroupStep::Exact(heap.label(tree.edge(rank)));
    let path = join(steps.into_iter(), MOST_BYTES, |out, rank| {
        push_group_step(out, heap, start(rank).unwrap_or_else(|| exact(rank)))
    })?;
    if !is_cut {
        return Ok(path);
    }
    let mut name = NameText::default();
    name.push(GAP.as_bytes())?;
    name.push_name(&path)?;
    Ok(name.finish())
}

/// Returns a path of these labels, the first step first.
pub(crate) fn steps_text(
    heap: &Heap,
    labels: impl DoubleEndedIterator<Item = Label>,
) -> Result<Name> {
    let is_step = |label: &Label| *label != Label::Value;
    join(labels.rev().filter(is_step), MOST_BYTES, |out, label| {
        push_answer_step(out, heap, label, &mut Vec::new())
    })
}

/// Returns the text of a path pattern.
pub(crate) fn pattern_text(heap: &Heap, groups: &Groups, path: PatternId) -> Result<Name> {
    let steps = groups.patterns().steps(path);
    join(steps, MOST_BYTES, |out, step| {
        push_group_step(out, heap, step)
    })
}

/// Returns the end of a path pattern: its last step, and those before it up to one that is a name. Behind a dot if it
/// is a field of many objects.
pub(crate) fn pattern_end(
    heap: &Heap,
    groups: &Groups,
    path: PatternId,
    is_of_many: bool,
) -> Result<Name> {
    let mut steps = Vec::new();
    for step in groups.patterns().steps(path).take(END) {
        steps.try_reserve(1)?;
        steps.push(step);
        if !step.is_general() {
            break;
        }
    }
    let is_field = is_of_many && matches!(steps[..], [GroupStep::Exact(Label::Field(_))]);
    let end = join(steps.into_iter(), MOST_BYTES, |out, step| {
        push_group_step(out, heap, step)
    })?;
    let mut text = NameText::default();
    text.push(if is_field { &b"."[..] } else { b"" })?;
    text.push_name(&end)?;
    Ok(text.finish())
}

/// Returns the last step of the shortest path to the object at a rank; of the value of an upvalue, the upvalue's.
/// `starts` are those of the heap.
pub(crate) fn step_text(
    heap: &Heap,
    tree: &ShortestPathTree,
    starts: PathStarts,
    rank: Rank,
) -> Result<Name> {
    let start = starts.step(heap, tree, rank);
    let rank = match heap.label(tree.edge(rank)) {
        Label::Value => tree.parent(rank).unwrap_or(rank),
        _ => rank,
    };
    group_step_text(
        heap,
        start.unwrap_or_else(|| GroupStep::Exact(heap.label(tree.edge(rank)))),
    )
}

/// Returns a step of a pattern.
pub(crate) fn group_step_text(heap: &Heap, step: GroupStep) -> Result<Name> {
    join([step].into_iter(), MOST_BYTES, |out, step| {
        push_group_step(out, heap, step)
    })
}

/// Appends a step of a pattern.
fn push_group_step(out: &mut Vec<u8>, heap: &Heap, step: GroupStep) -> Result {
    let fixed: &[u8] = match step {
        GroupStep::AnyKey => b"[*]",
        GroupStep::AnyName => b"*",
        GroupStep::Reference => b"[ref]",
        GroupStep::Globals => b"_G",
        GroupStep::Loaded => b"package.loaded",
        GroupStep::Environment(chunk) => return push_environment(out, heap, chunk),
        GroupStep::Exact(label) => return push_answer_step(out, heap, label, &mut Vec::new()),
    };
    push_bytes(out, fixed)
}

/// Joins the steps of a path, given from its end upwards. People see its middle and its long steps cut, and a path
/// of more bytes than `most` is cut everywhere.
fn join<T: Copy>(
    upward: impl Iterator<Item = T>,
    most: usize,
    push: impl Fn(&mut Vec<u8>, T) -> Result,
) -> Result<Name> {
    let mut steps = Vec::new();
    for step in upward {
        steps.try_reserve(1)?;
        steps.push(step);
    }
    steps.reverse();
    let left_out = steps.len().saturating_sub(FIRST + LAST);
    let mut is_long = left_out > 0;
    let mut whole = Vec::new();
    let mut short = Vec::new();
    for (at, &step) in steps.iter().enumerate() {
        let start = whole.len();
        let before: &[u8] = if at > 0 { b"." } else { b"" };
        push_bytes(&mut whole, before)?;
        push(&mut whole, step)?;
        if at < FIRST || at >= FIRST + left_out {
            let step = &whole[start + before.len()..];
            is_long |= step.len() > STEP_BYTES;
            let is_after_gap = left_out > 0 && at == FIRST + left_out;
            push_bytes(&mut short, if is_after_gap { b"" } else { before })?;
            push_cut(&mut short, step)?;
        }
        if left_out > 0 && at + 1 == FIRST {
            push_bytes(&mut short, gap_text(left_out).as_bytes())?;
        }
        // Only the last steps of such a path are still needed.
        if whole.len() > most {
            is_long = true;
            whole.truncate(most + 1);
        }
    }
    if whole.len() > most {
        return Ok(short.into());
    }
    let mut name = NameText::default();
    name.push_both(&whole, is_long.then_some(&short[..]))?;
    Ok(name.finish())
}

/// Returns what stands for steps that are left out.
pub(crate) fn gap_text(steps: usize) -> String {
    format!("{GAP}[{steps} steps]{GAP}")
}

/// Appends text, cut in the middle if it is long.
pub(crate) fn push_cut(out: &mut Vec<u8>, text: &[u8]) -> Result {
    match cut(text) {
        Some([first, last]) => {
            push_bytes(out, first)?;
            push_bytes(out, GAP.as_bytes())?;
            push_bytes(out, last)
        }
        None => push_bytes(out, text),
    }
}

/// Returns the beginning and the end of a long text, of whole characters, that people see; `None` for a short one.
fn cut(text: &[u8]) -> Option<[&[u8]; 2]> {
    if text.len() <= STEP_BYTES {
        return None;
    }
    let is_inside = |at: &usize| text[*at] & 0xC0 == 0x80;
    // No character has more than 4 bytes.
    let mut ends = (STEP_FIRST - 3..=STEP_FIRST).rev();
    let end = ends.find(|at| !is_inside(at)).unwrap_or(STEP_FIRST);
    let last = text.len() - STEP_LAST;
    let mut starts = last..=last + 3;
    let start = starts.find(|at| !is_inside(at)).unwrap_or(last);
    Some([&text[..end], &text[start..]])
}

/// Returns a text as a name, of which people see the beginning and the end if it is long.
pub(crate) fn cut_name(text: &[u8]) -> Result<Name> {
    let mut short = Vec::new();
    push_cut(&mut short, text)?;
    let mut name = NameText::default();
    name.push_both(text, cut(text).map(|_| &short[..]))?;
    Ok(name.finish())
}

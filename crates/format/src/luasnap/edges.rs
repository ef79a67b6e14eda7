//! The labels and targets of references as blocks.
//!
//! Similar references have similar targets: all objects of one class have one metatable, and the
//! field `next` leads to a neighbour. So a target is written as the difference to the target of the
//! last similar reference, either relative to the reference's node or absolute, whichever would
//! have been nearer last time.

use crate::answer_error::Result;
use crate::luasnap::block::{self, Decompressor};
use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::numbers::{Blocks, Encoder, column, room};
use crate::luasnap::section::Place;
use crate::luasnap::zigzag::{fold32, unfold32};
use luasnap_heap::{Heap, NodeId, PackedLabel};
use std::ops::Range;

/// The number of heads: a head is a label's strength and tag.
const HEADS: u8 = 1 << 6;
const PAYLOAD: u32 = (1 << PackedLabel::TAG_SHIFT) - 1;
/// The tags of labels, as [`PackedLabel`] has them, whose payload is a name.
const NAMED: [u32; 4] = [0, 8, 9, 10];
/// The tag of the labels of array elements.
const INDEX: u32 = 1;

/// The last payload of each tag, from which the next one is predicted.
#[derive(Default)]
struct Payloads([u32; 16]);

impl Payloads {
    /// Returns the difference to the last payload; tag and strength are written elsewhere.
    #[inline(always)]
    fn fold(&mut self, bits: u32) -> u32 {
        let last = &mut self.0[(bits >> PackedLabel::TAG_SHIFT & 15) as usize];
        let payload = bits & PAYLOAD;
        fold32(payload.wrapping_sub(std::mem::replace(last, payload)))
    }

    /// Returns the label with this head and this difference.
    #[inline(always)]
    fn unfold(&mut self, head: u8, folded: u32) -> u32 {
        let last = &mut self.0[usize::from(head & 15)];
        // A payload that is too large gives another label, which is checked later.
        *last = last.wrapping_add(unfold32(folded)) & PAYLOAD;
        u32::from(head) << PackedLabel::TAG_SHIFT | *last
    }
}

/// The last target of references of one sort.
#[derive(Clone, Copy, Default)]
struct Habit {
    /// Absolute.
    target: u32,
    /// Relative to the reference's own node.
    offset: u32,
    /// Whether the absolute guess would have been nearer.
    by_target: bool,
}

/// The number of sorts of references.
const SORTS: usize = 1 << 12;

/// The last targets of references, by sort.
struct Habits(Vec<Habit>);

impl Habits {
    fn new() -> Result<Habits, std::collections::TryReserveError> {
        let mut habits = Vec::new();
        habits.try_reserve_exact(SORTS)?;
        habits.resize(SORTS, Habit::default());
        Ok(Habits(habits))
    }

    /// Forgets everything, for the start of a block.
    fn clear(&mut self) {
        self.0.fill(Habit::default());
    }

    /// Returns the habit of a reference's sort. References of one name, elements of arrays, and
    /// other references at the same place in their nodes are of one sort.
    #[inline(always)]
    fn of(&mut self, bits: u32, place: u32) -> &mut Habit {
        let tag = bits >> PackedLabel::TAG_SHIFT & 15;
        let which = if NAMED.contains(&tag) {
            bits & PAYLOAD
        } else if tag == INDEX {
            0
        } else {
            place.min(15)
        };
        let mixed = (which << 4 | tag).wrapping_mul(0x9E37_79B1);
        &mut self.0[(mixed >> (u32::BITS - SORTS.ilog2())) as usize]
    }
}

impl Habit {
    #[inline(always)]
    fn guess(self, node: u32) -> u32 {
        match self.by_target {
            true => self.target,
            false => node.wrapping_add(self.offset),
        }
    }

    #[inline(always)]
    fn learn(&mut self, node: u32, target: u32) {
        let offset = target.wrapping_sub(node);
        let by_target = fold32(target.wrapping_sub(self.target));
        let by_offset = fold32(offset.wrapping_sub(self.offset));
        *self = Habit {
            target,
            offset,
            by_target: by_target < by_offset,
        };
    }
}

/// Goes through the references of a heap, node by node.
struct Edges<'a> {
    heap: &'a Heap,
    nodes: Range<u32>,
    node: u32,
    /// The place of the next reference among those of its node.
    place: u32,
    range: Range<usize>,
}

impl<'a> Edges<'a> {
    fn new(heap: &'a Heap) -> Self {
        Edges {
            heap,
            nodes: 0..heap.node_count() as u32,
            node: 0,
            place: 0,
            range: 0..0,
        }
    }

    /// Returns the next reference: its node, its place there, and its number.
    #[inline(always)]
    fn next(&mut self) -> Option<(u32, u32, usize)> {
        loop {
            if let Some(edge) = self.range.next() {
                let place = self.place;
                self.place += 1;
                return Some((self.node, place, edge));
            }
            self.node = self.nodes.next()?;
            self.place = 0;
            self.range = self.heap.edge_range(NodeId(self.node));
        }
    }
}

/// Writes the labels. Those of the side table are numbered in order, and `wide` is called with the
/// place of each.
pub(super) fn write_labels(
    heap: &Heap,
    encoder: &mut Encoder<'_>,
    mut wide: impl FnMut(usize) -> Result,
) -> Result {
    let labels = heap.columns().labels;
    let (mut words, mut heads) = (room(heap.edge_count())?, room(heap.edge_count())?);
    let (mut edges, mut places) = (Edges::new(heap), 0);
    for block in blocks(heap) {
        let mut payloads = Payloads::default();
        words.clear();
        heads.clear();
        while words.len() < block
            && let Some((.., edge)) = edges.next()
        {
            let mut bits = labels[edge].bits();
            heads.push((bits >> PackedLabel::TAG_SHIFT) as u8);
            if let Some(place) = labels[edge].wide_place() {
                wide(place)?;
                bits = bits & !PAYLOAD | places;
                places += 1;
            }
            words.push(payloads.fold(bits));
        }
        encoder.block(&heads, &words)?;
    }
    Ok(())
}

/// Writes the targets.
pub(super) fn write_targets(heap: &Heap, encoder: &mut Encoder<'_>) -> Result {
    let columns = heap.columns();
    let mut words = room(heap.edge_count())?;
    let mut habits = Habits::new()?;
    let mut edges = Edges::new(heap);
    for block in blocks(heap) {
        habits.clear();
        words.clear();
        while words.len() < block
            && let Some((node, place, edge)) = edges.next()
        {
            let habit = habits.of(columns.labels[edge].bits(), place);
            let target = columns.targets[edge].0;
            words.push(fold32(target.wrapping_sub(habit.guess(node))));
            habit.learn(node, target);
        }
        encoder.block(&[], &words)?;
    }
    Ok(())
}

/// Returns the number of references in each block.
fn blocks(heap: &Heap) -> impl Iterator<Item = usize> + use<> {
    let edges = heap.edge_count();
    (0..edges)
        .step_by(block::VALUES)
        .map(move |start| (edges - start).min(block::VALUES))
}

/// Reads the labels.
pub(super) fn read_labels(
    place: Option<Place<'_>>,
    decompressor: &mut Decompressor,
) -> Result<Vec<PackedLabel>, LoadError> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let part = place.entry.section.name();
    let (mut labels, mut words) = (column(&place)?, Vec::new());
    let mut blocks = Blocks::new(place, decompressor);
    while let Some(heads) = blocks.words(|values| values, &mut words)? {
        let mut payloads = Payloads::default();
        for (head, word) in heads.iter().zip(&words) {
            let bits = payloads.unfold(*head, *word);
            let label = PackedLabel::from_bits(bits).filter(|_| *head < HEADS);
            labels.push(label.ok_or(LoadError::malformed(part, Problem::Value("a label")))?);
        }
    }
    Ok(labels)
}

/// Reads the targets of references with these labels; each node has as many as `edge_counts` says.
pub(super) fn read_targets(
    place: Option<Place<'_>>,
    decompressor: &mut Decompressor,
    edge_counts: &[u32],
    labels: &[PackedLabel],
) -> Result<Vec<NodeId>, LoadError> {
    let Some(place) = place else {
        return Ok(Vec::new());
    };
    let part = place.entry.section.name();
    let (mut targets, mut words) = (column(&place)?, Vec::new());
    let mut habits = Habits::new()?;
    let mut blocks = Blocks::new(place, decompressor);
    let mut labels = labels.chunks(block::VALUES);
    let mut counts = edge_counts.iter();
    let (mut node, mut at, mut end) = (u32::MAX, 0, 0);
    while blocks.words(|_| 0, &mut words)?.is_some() {
        habits.clear();
        let labels = labels.next().unwrap_or(&[]);
        let too_many = || LoadError::malformed(part, Problem::WrongLength);
        if labels.len() != words.len() {
            return Err(too_many());
        }
        for (label, word) in labels.iter().zip(&words) {
            while at == end {
                node = node.wrapping_add(1);
                (at, end) = (0, *counts.next().ok_or_else(too_many)?);
            }
            let habit = habits.of(label.bits(), at);
            let target = habit.guess(node).wrapping_add(unfold32(*word));
            habit.learn(node, target);
            targets.push(NodeId(target));
            at += 1;
        }
    }
    Ok(targets)
}

//! The tree of shortest paths and the dominators as a part of what a file keeps, so that questions about single objects
//! need not find them again.

use crate::answer_error::Result;
use crate::answers::stored_value::{Reader, Writer};
use crate::luasnap::block::{BYTES, BlockWriter, Decompressor};
use crate::luasnap::error::LoadError;
use crate::luasnap::numbers::{Encoder, read_bytes, read_planes};
use crate::luasnap::section::{Entry, Place, Section};
use luasnap_heap::{DOMINATOR_RULE, Environment, Heap, NameId, NodeId, PATH_RULE, StoredTrees};

/// More environments than are read.
const MOST_ENVIRONMENTS: usize = 1 << 20;

/// Returns the trees as bytes.
pub(super) fn bytes(trees: &StoredTrees) -> Result<Vec<u8>> {
    let mut to = Writer::default();
    for rule in [PATH_RULE, DOMINATOR_RULE] {
        to.number(rule.into())?;
    }
    let mut blocks = BlockWriter::new()?;
    for block in trees.steps.chunks(BYTES) {
        blocks.put(block)?;
    }
    to.bytes(&blocks.take())?;
    to.number(trees.dominators.len() as u64)?;
    Encoder::new(&mut blocks)?.planes(&trees.dominators)?;
    to.bytes(&blocks.take())?;
    to.list(&trees.environments, |to, of| {
        to.number(of.node.0.into())?;
        to.number(of.chunk.0.into())
    })?;
    Ok(to.finish())
}

/// Returns the trees that these bytes have; `None` if another rule made them, or if they cannot be those of this heap. Of
/// what they say nothing else is checked.
pub(super) fn read(bytes: &[u8], heap: &Heap) -> Option<StoredTrees> {
    let mut from = Reader::new(bytes);
    for rule in [PATH_RULE, DOMINATOR_RULE] {
        (from.number()? == u64::from(rule)).then_some(())?;
    }
    let mut zstd = Decompressor::new().ok()?;
    // No more memory is taken than the heap's own columns have.
    let steps = part_of(from.long_bytes()?, heap.edge_count().div_ceil(8) as u64);
    let count = from.number()?;
    (count <= heap.node_count() as u64).then_some(())?;
    let dominators = part_of(from.long_bytes()?, count);
    let environments = from.list(MOST_ENVIRONMENTS, |from| {
        Some(Environment {
            node: NodeId(from.index()? as u32),
            chunk: NameId(from.index()? as u32),
        })
    })?;
    from.is_at_end().then_some(())?;
    let read: Result<_, LoadError> = (|| {
        Ok(StoredTrees {
            steps: read_bytes(Some(steps), &mut zstd)?,
            dominators: read_planes(Some(dominators), &mut zstd, |number| number)?,
            environments,
        })
    })();
    read.ok()
}

/// Returns blocks inside of the answers as a place of so many values.
pub(super) fn part_of(blocks: &[u8], count: u64) -> Place<'_> {
    Place {
        entry: Entry {
            section: Section::Answers,
            count,
            stored_len: blocks.len() as u64,
            // That of the section was right.
            checksum: 0,
        },
        bytes: blocks,
    }
}

//! What the groups of objects are called, and which group each object is in, as a part of what a file keeps.

use crate::answer_error::Result;
use crate::answers::group_title::{GroupTitle, GroupTitles};
use crate::answers::stored_value::{Reader, Writer};
use crate::luasnap::block::{BlockWriter, VALUES};
use crate::luasnap::numbers::{Encoder, read_one, room};
use crate::luasnap::tree_part::part_of;
use luasnap_heap::{Heap, NodeId, PATH_RULE, Snapshot};

/// The number of the rule that makes the titles, besides that of paths: which objects are one group, and what that is
/// called. Whoever changes it changes this number.
const TITLE_RULE: u32 = 1;
/// The most groups of which titles are kept. Of more, names would be a large part of the file.
const MOST_GROUPS: usize = 1 << 14;

/// Returns the titles of the groups of a snapshot as bytes; `None` if the groups were not found, or are too many.
pub(super) fn bytes(snapshot: &Snapshot) -> Result<Option<Vec<u8>>> {
    let Some(groups) = snapshot
        .found_groups()
        .filter(|of| of.groups().len() <= MOST_GROUPS)
    else {
        return Ok(None);
    };
    let mut to = Writer::default();
    for rule in [TITLE_RULE, PATH_RULE] {
        to.number(rule.into())?;
    }
    to.list(groups.groups(), |to, group| {
        let title = GroupTitle::new(snapshot, groups, group)?;
        to.name(&title.name)?;
        to.number(title.count)?;
        to.option(title.class.as_ref(), Writer::name)
    })?;
    let mut blocks = BlockWriter::new()?;
    let mut encoder = Encoder::new(&mut blocks)?;
    let mut nodes = snapshot.everything().nodes();
    let mut numbers: Vec<u32> = room(nodes.len())?;
    while nodes.len() > 0 {
        numbers.clear();
        let number = |node| groups.group_of(node).map_or(0, |group| group as u32 + 1);
        numbers.extend(nodes.by_ref().take(VALUES).map(number));
        encoder.planes(&numbers)?;
    }
    to.bytes(&blocks.take())?;
    Ok(Some(to.finish()))
}

/// The titles of groups that a file keeps.
#[derive(Debug)]
pub struct KeptTitles {
    titles: Vec<GroupTitle>,
    /// Blocks of numbers by node: 0 for no group, else that of the group and 1.
    numbers: Vec<u8>,
    nodes: u64,
}

/// Returns the titles that these bytes have; `None` if another rule made them, or if they are no titles.
pub(super) fn read(bytes: &[u8], heap: &Heap) -> Option<KeptTitles> {
    let mut from = Reader::new(bytes);
    for rule in [TITLE_RULE, PATH_RULE] {
        (from.number()? == u64::from(rule)).then_some(())?;
    }
    let titles = from.list(MOST_GROUPS, |from| {
        Some(GroupTitle {
            name: from.name()?,
            count: from.number()?,
            class: from.option(Reader::name)?,
        })
    })?;
    let numbers = from.long_bytes()?.to_vec();
    from.is_at_end().then_some(())?;
    Some(KeptTitles {
        titles,
        numbers,
        nodes: heap.node_count() as u64,
    })
}

impl GroupTitles for KeptTitles {
    fn title(&self, node: NodeId) -> Result<Option<GroupTitle>> {
        let number = read_one(part_of(&self.numbers, self.nodes), node.index());
        // A forged one may mislead.
        let number = number.map_or(0, |number| number as usize);
        let title = number.checked_sub(1).and_then(|at| self.titles.get(at));
        Ok(title.cloned())
    }
}

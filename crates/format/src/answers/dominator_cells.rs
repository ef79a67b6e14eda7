//! The dominator tree in few cells, as rows: for an icicle.

use crate::answer_error::Result;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::short_path::{path_of_everything, pattern_end, step_text};
use luasnap_heap::{
    Dominators, Group, GroupName, Groups, Heap, Kind, NodeId, PathStarts, Rank, Snapshot,
    SubtreeGrowth, sort_by_number, value_edge,
};

/// What retains less than this part of all bytes is folded into "others": 1 / 1000.
const SMALL_PART: u64 = 1000;
/// Stands for no cell and no node.
const NONE: u32 = u32::MAX;

/// A cell of the dominator tree: the objects of one group that one cell dominates.
#[derive(Clone, Debug)]
pub(crate) struct CellRow {
    /// The index of the cell above, which comes before; `None` for the GC roots.
    pub(crate) parent: Option<u32>,
    /// The kind of its members; [`Kind::Root`] for the GC roots, and for others that are folded.
    pub(crate) kind: Kind,
    /// What there is room for in a cell: `sessions`, `class Player`, `.inventory`. Empty for strings, and for what
    /// has no group.
    pub(crate) name: Name,
    /// The path to its only member, or the name of their group.
    pub(crate) path: Name,
    /// The fingerprint of their group.
    pub(crate) fingerprint: Option<String>,
    /// The number of members; of others, that of all objects.
    pub(crate) count: u64,
    /// The shallow sizes of the members together, in bytes; of others 0.
    pub(crate) shallow: u64,
    /// What the members retain one by one, in bytes: their shallow sizes and what the cells below retain.
    pub(crate) retained: u64,
    /// How many bytes of that came since the first of several snapshots.
    pub(crate) new: u64,
    /// Whether it is what is left: cells below the same one that each retain less than a thousandth of all bytes,
    /// or for which there was no room.
    pub(crate) others: bool,
}

/// The dominator tree, folded into cells: members of one group below one cell are one cell, and so are members
/// of a list, of which each dominates the next. Upvalues belong to their values.
pub(crate) struct DominatorCells<'a> {
    snapshot: &'a Snapshot,
    dominators: &'a Dominators,
    groups: &'a Groups,
    /// Cells above come before cells below.
    drafts: Vec<Draft>,
    /// By place: the cell; [`NONE`] below small ones.
    cell_of: Vec<u32>,
}

/// The cells that are kept.
#[derive(Default)]
pub(crate) struct KeptCells {
    /// Parents come before children, and the children of a cell follow each other, largest first and others last.
    pub(crate) rows: Vec<CellRow>,
    /// By cell: its row, or [`NONE`].
    row_of: Vec<u32>,
}

/// A cell before it has a name.
#[derive(Clone, Copy, Debug)]
struct Draft {
    parent: u32,
    /// The index of the group; beyond the groups, a kind.
    key: u32,
    /// The places of its first and its last member so far; the members are linked.
    first: u32,
    last: u32,
    count: u64,
    shallow: u64,
    retained: u64,
    new: u64,
    /// All objects in it and below, ...
    objects: u64,
    /// ... and those in it, with the upvalues on the way to members.
    members: u64,
}

/// What nodes retain, without the module's own snapshots.
struct Sums<'a> {
    snapshot: &'a Snapshot,
    dominators: &'a Dominators,
    growth: Option<SubtreeGrowth>,
    /// The module's own snapshots: place, and the bytes of those before it.
    own: Vec<(u32, u64)>,
    own_bytes: u64,
}

impl<'a> Sums<'a> {
    fn new(snapshot: &'a Snapshot, older: Option<&Snapshot>) -> Result<Sums<'a>> {
        let heap = snapshot.everything();
        let mut sums = Sums {
            snapshot,
            dominators: snapshot.dominators()?,
            growth: match older {
                Some(older) => Some(SubtreeGrowth::new(snapshot, older)?),
                None => None,
            },
            own: Vec::new(),
            own_bytes: 0,
        };
        for place in 0..sums.dominators.len() as u32 {
            let node = sums.dominators.node_at(place);
            if heap.kind(node) == Kind::Snapshot {
                sums.own.try_reserve(1)?;
                sums.own.push((place, sums.own_bytes));
                sums.own_bytes = sums.own_bytes.saturating_add(heap.size(node));
            }
        }
        Ok(sums)
    }

    /// Returns the objects and the bytes that a node retains, and how many of these are new.
    fn below(&self, node: NodeId) -> Result<(u64, u64, u64)> {
        let retained = self.dominators.retained(node);
        let new = match &self.growth {
            Some(growth) => growth.below(self.snapshot, node)?,
            None => 0,
        };
        if self.own.is_empty() {
            return Ok((retained.count, retained.bytes, new));
        }
        let places = self.dominators.subtree(node);
        let before = |place: u32| {
            let at = self.own.partition_point(|(own, _)| *own < place);
            let bytes = self.own.get(at).map_or(self.own_bytes, |own| own.1);
            (at as u64, bytes)
        };
        let ((first, first_bytes), (end, end_bytes)) = (before(places.start), before(places.end));
        let count = retained.count - (end - first);
        let bytes = retained.bytes.saturating_sub(end_bytes - first_bytes);
        Ok((count, bytes, new))
    }
}

impl<'a> DominatorCells<'a> {
    /// Folds the dominator tree of a whole snapshot. With an older one of the same process, cells know what came since.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub(crate) fn new(
        snapshot: &'a Snapshot,
        older: Option<&Snapshot>,
    ) -> Result<DominatorCells<'a>> {
        let dominators = snapshot.dominators()?;
        let groups = snapshot.groups()?;
        let mut cells = DominatorCells {
            snapshot,
            dominators,
            groups,
            drafts: Vec::new(),
            cell_of: filled(dominators.len(), NONE)?,
        };
        if !dominators.is_empty() {
            let sums = Sums::new(snapshot, older)?;
            cells.fold(&sums)?;
        }
        Ok(cells)
    }

    /// Goes down from the roots, cell by cell, below those that retain enough.
    fn fold(&mut self, sums: &Sums<'_>) -> Result {
        let heap = self.snapshot.everything();
        // By place: the next member of the same cell.
        let mut next = filled(self.dominators.len(), NONE)?;
        // By key: its newest cell.
        let mut newest = filled(self.groups.groups().len() + Kind::ALL.len() + 1, NONE)?;
        let (objects, retained, new) = sums.below(NodeId::ROOT)?;
        let root_key = newest.len() as u32 - 1;
        self.drafts.try_reserve(1)?;
        self.drafts.push(Draft {
            parent: NONE,
            key: root_key,
            first: 0,
            last: 0,
            count: 0,
            shallow: 0,
            retained,
            new,
            objects,
            members: 0,
        });
        self.cell_of[0] = 0;
        let enough = retained.div_ceil(SMALL_PART).max(1);
        let mut at = 0;
        while at < self.drafts.len() {
            if self.drafts[at].retained < enough {
                at += 1;
                continue;
            }
            let key = self.drafts[at].key;
            let mut place = self.drafts[at].first;
            while place != NONE {
                let node = self.dominators.node_at(place);
                if self.counts(heap, node) {
                    self.drafts[at].count += 1;
                }
                if is_an_object(heap, node) {
                    let draft = &mut self.drafts[at];
                    draft.shallow = draft.shallow.saturating_add(heap.size(node));
                    draft.members += 1;
                }
                for child in self.dominators.children(node) {
                    let child_key = self.key(heap, child);
                    let Some(child_place) = self.dominators.place(child) else {
                        continue;
                    };
                    // Members of a list are one cell, and the module's own snapshots are none.
                    if child_key == key || heap.kind(child) == Kind::Snapshot {
                        let last = self.drafts[at].last;
                        next[last as usize] = child_place;
                        self.drafts[at].last = child_place;
                        self.cell_of[child_place as usize] = at as u32;
                        continue;
                    }
                    let (objects, retained, new) = sums.below(child)?;
                    let known = newest[child_key as usize];
                    let is_known = known != NONE && self.drafts[known as usize].parent == at as u32;
                    self.cell_of[child_place as usize] = match is_known {
                        true => known,
                        false => self.drafts.len() as u32,
                    };
                    if is_known {
                        let draft = &mut self.drafts[known as usize];
                        next[draft.last as usize] = child_place;
                        draft.last = child_place;
                        draft.retained = draft.retained.saturating_add(retained);
                        draft.new = draft.new.saturating_add(new);
                        draft.objects += objects;
                        continue;
                    }
                    newest[child_key as usize] = self.drafts.len() as u32;
                    self.drafts.try_reserve(1)?;
                    self.drafts.push(Draft {
                        parent: at as u32,
                        key: child_key,
                        first: child_place,
                        last: child_place,
                        count: 0,
                        shallow: 0,
                        retained,
                        new,
                        objects,
                        members: 0,
                    });
                }
                place = next[place as usize];
            }
            at += 1;
        }
        Ok(())
    }

    /// Returns what makes nodes below one cell one cell: their group, else their kind.
    fn key(&self, heap: &Heap, node: NodeId) -> u32 {
        let node = self.seen(heap, node);
        let group = self.groups.group_of(node);
        group.unwrap_or(self.groups.groups().len() + heap.kind(node) as usize) as u32
    }

    /// Returns the value of an upvalue that alone has it, else the node.
    fn seen(&self, heap: &Heap, node: NodeId) -> NodeId {
        let value = value_edge(heap, node).map(|edge| heap.target(edge));
        let is_its_own = |value: &NodeId| self.dominators.immediate(*value) == Some(node);
        value.filter(is_its_own).unwrap_or(node)
    }

    /// Whether a node is a member of its cell, and not an upvalue on the way to one.
    fn counts(&self, heap: &Heap, node: NodeId) -> bool {
        is_an_object(heap, node) && self.seen(heap, node) == node
    }

    /// Returns the cells in rows: at most `most`, and as many for what is left below one.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub(crate) fn kept(&self, most: usize) -> Result<KeptCells> {
        let Some(root) = self.drafts.first() else {
            return Ok(KeptCells::default());
        };
        let enough = root.retained.div_ceil(SMALL_PART).max(1);
        let mut kept: Vec<u32> = Vec::new();
        kept.try_reserve_exact(self.drafts.len())?;
        kept.extend(
            (0..self.drafts.len() as u32)
                .filter(|at| *at == 0 || self.drafts[*at as usize].retained >= enough),
        );
        // A cell above retains as much and comes first, so whatever is kept has all above it kept.
        sort_by_number(&mut kept, |at| !self.drafts[*at as usize].retained)?;
        kept.truncate(most.max(1));
        let order = self.in_order(kept)?;
        let mut row_of = filled(self.drafts.len(), NONE)?;
        for (row, of) in (0..).zip(&order) {
            if let Some(draft) = of.draft {
                row_of[draft as usize] = row;
            }
        }
        Ok(KeptCells {
            rows: self.named(&order)?,
            row_of,
        })
    }

    /// Returns the row of the cell that a node is in, or of the nearest one above; `None` for unreachable nodes.
    pub(crate) fn row_of(&self, kept: &KeptCells, node: NodeId) -> Option<u32> {
        let mut upward = std::iter::successors(Some(node), |node| self.dominators.immediate(*node));
        upward.find_map(|node| {
            let cell = self.cell_of[self.dominators.place(node)? as usize];
            let row = kept.row_of.get(cell as usize).copied();
            row.filter(|row| *row != NONE)
        })
    }

    /// Brings cells into the order of the rows, with their parents' rows and with what is left below each.
    fn in_order(&self, mut kept: Vec<u32>) -> Result<Vec<Ordered>> {
        // By draft, the root first: children of one cell together, largest first.
        let draft = |at: &u32| &self.drafts[*at as usize];
        sort_by_number(&mut kept, |at| u64::from(*at))?;
        sort_by_number(&mut kept, |at| !draft(at).retained)?;
        sort_by_number(&mut kept, |at| u64::from(draft(at).parent.wrapping_add(1)))?;
        let children = |draft: u32| {
            let start = kept.partition_point(|at| {
                let parent = self.drafts[*at as usize].parent;
                parent.wrapping_add(1) < draft + 1
            });
            let end = kept.partition_point(|at| {
                let parent = self.drafts[*at as usize].parent;
                parent.wrapping_add(1) < draft + 2
            });
            start..end
        };
        let mut order: Vec<Ordered> = Vec::new();
        order.try_reserve_exact(2 * kept.len())?;
        order.push(Ordered::cell(NONE, 0));
        let mut at = 0;
        while at < order.len() {
            let parent = at as u32;
            let Some(draft) = order[at].draft else {
                at += 1;
                continue;
            };
            let mut left = self.drafts[draft as usize];
            left.retained = left.retained.saturating_sub(left.shallow);
            left.objects = left.objects.saturating_sub(left.members);
            for child in children(draft) {
                let of = &self.drafts[kept[child] as usize];
                left.retained = left.retained.saturating_sub(of.retained);
                left.new = left.new.saturating_sub(of.new);
                left.objects = left.objects.saturating_sub(of.objects);
                order.push(Ordered::cell(parent, kept[child]));
            }
            if left.retained > 0 {
                order.push(Ordered {
                    parent,
                    draft: None,
                    others: (left.objects, left.retained, left.new),
                });
            }
            at += 1;
        }
        Ok(order)
    }

    fn named(&self, order: &[Ordered]) -> Result<Vec<CellRow>> {
        let heap = self.snapshot.everything();
        let starts = PathStarts::of(heap);
        let mut nodes: Vec<NodeId> = Vec::new();
        nodes.try_reserve_exact(order.len())?;
        let first = |of: &Ordered| match of.draft {
            Some(draft) if draft != 0 => {
                let place = self.drafts[draft as usize].first;
                self.seen(heap, self.dominators.node_at(place))
            }
            _ => NodeId::ROOT,
        };
        nodes.extend(order.iter().map(first));
        let ranks = self.snapshot.everything_tree()?.ranks_of(&nodes)?;
        let mut rows: Vec<CellRow> = Vec::new();
        rows.try_reserve_exact(order.len())?;
        for ((of, node), rank) in order.iter().zip(&nodes).zip(ranks) {
            rows.push(self.row(of, *node, rank, starts)?);
        }
        Ok(rows)
    }

    fn row(
        &self,
        of: &Ordered,
        node: NodeId,
        rank: Option<Rank>,
        starts: PathStarts,
    ) -> Result<CellRow> {
        let heap = self.snapshot.everything();
        let mut row = CellRow {
            parent: (of.parent != NONE).then_some(of.parent),
            kind: Kind::Root,
            name: Name::default(),
            path: Name::default(),
            fingerprint: None,
            count: of.others.0,
            shallow: 0,
            retained: of.others.1,
            new: of.others.2,
            others: of.draft.is_none(),
        };
        let Some(draft) = of.draft.map(|at| &self.drafts[at as usize]) else {
            return Ok(row);
        };
        row.kind = heap.kind(node);
        (row.count, row.shallow) = (draft.count, draft.shallow);
        (row.retained, row.new) = (draft.retained, draft.new);
        let group = self.groups.groups().get(draft.key as usize);
        row.fingerprint = group.map(|group| fingerprint_text(group.fingerprint));
        let is_held = matches!(row.kind, Kind::Table | Kind::Userdata | Kind::Thread);
        match (rank, group) {
            (Some(rank), _) if row.count == 1 && is_held => {
                row.name = step_text(heap, self.snapshot.everything_tree()?, starts, rank)?;
                row.path = path_of_everything(self.snapshot, rank)?;
            }
            (_, Some(group)) => {
                row.name = self.short_name(group)?;
                let tree = self.snapshot.everything_tree()?;
                row.path = group_name(heap, tree, self.groups, group)?;
            }
            _ => {}
        }
        Ok(row)
    }

    /// Returns the end of a group's name, which says most.
    fn short_name(&self, group: &Group) -> Result<Name> {
        let heap = self.snapshot.everything();
        match group.name {
            GroupName::HeldBy(pattern) => pattern_end(heap, self.groups, pattern, group.count > 1),
            GroupName::StringsOf(_) | GroupName::SharedStrings => Ok(Name::default()),
            _ => group_name(heap, self.snapshot.everything_tree()?, self.groups, group),
        }
    }
}

/// A cell in the order of the rows.
struct Ordered {
    /// The row of the cell above.
    parent: u32,
    /// `None` for what is left.
    draft: Option<u32>,
    /// Of what is left: its objects, its bytes, and how many of these are new.
    others: (u64, u64, u64),
}

impl Ordered {
    fn cell(parent: u32, draft: u32) -> Ordered {
        Ordered {
            parent,
            draft: Some(draft),
            others: (0, 0, 0),
        }
    }
}

/// Whether a node is an object of the program.
fn is_an_object(heap: &Heap, node: NodeId) -> bool {
    !matches!(heap.kind(node), Kind::Root | Kind::Snapshot)
}

fn filled(count: usize, value: u32) -> Result<Vec<u32>> {
    let mut column = Vec::new();
    column.try_reserve_exact(count)?;
    column.resize(count, value);
    Ok(column)
}

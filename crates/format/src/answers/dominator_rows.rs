//! The dominator tree as rows, level by level.

use crate::answer_error::Result;
use crate::answers::dominator_level::{DominatorLevel, LevelRows, RowId, RowTarget};
use crate::answers::field;
use crate::answers::group_name::group_name;
use crate::answers::name::Name;
use crate::answers::object_row::ObjectRow;
use crate::answers::row_order::RowOrder;
use crate::answers::short_path::{is_far_down, path_below, path_of_everything, step_text};
use luasnap_heap::{
    Census, Change, DominatorChildren, Dominators, Kind, Label, NodeId, PathStarts, Rank,
    RankIndex, Snapshot, SubtreeGrowth, Tally,
};
use luasnap_words::Sentence;
use serde::Serialize;

/// A row of the dominator tree: an object, or many of one group below one object.
#[derive(Clone, Debug, Serialize)]
pub struct DominatorRow {
    /// The object; of many, the one that retains most. A node of [`Snapshot::everything`].
    #[serde(skip)]
    pub node: NodeId,
    /// Its kind; of many, that of their group.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// The path from the object above to it, or the name of the group.
    pub name: Name,
    /// What it is, in words.
    pub what: Sentence,
    /// The number of objects in the row: 1, but of many.
    pub count: u64,
    /// Their shallow size, in bytes.
    #[serde(rename = "size")]
    pub shallow: u64,
    /// Their retained size, in bytes, ...
    pub retained: u64,
    /// ... and as a number of objects.
    pub retained_count: u64,
    /// The retained size as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// The retained size as a part of what the row above retains, from 0 to 1.
    pub share_above: f64,
    /// The shallow size as a part of what the row above retains, from 0 to 1.
    pub size_share_above: f64,
    /// What came since the older snapshot, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub growth: Option<RowGrowth>,
}

/// What of a row came since an older snapshot.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RowGrowth {
    /// Whether the object itself is new; never of many.
    pub new: bool,
    /// How many more entries the table has.
    pub entries: u32,
    /// The bytes of what came, of all that the row retains.
    pub came: u64,
}

/// The dominator tree of a snapshot, with what is derived once so that any row is there at once: the children of
/// each object by retained size, and the rank of each in the tree of shortest paths.
///
/// # Examples
///
/// ```
/// use luasnap_format::{DominatorLevel, DominatorRows};
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G.cache` has nine tables of 100 bytes.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (cache, _) = builder.node(Kind::Table, 0x20)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// let field = Label::Field(builder.name(b"cache")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, cache, field, Strength::Strong)?;
/// for index in 1..=9 {
///     let (entry, _) = builder.node(Kind::Table, 0x20 + 0x10 * index)?;
///     builder.set_size(entry, 100);
///     builder.edge(cache, entry, Label::Index(index as i64), Strength::Strong)?;
/// }
/// let rows = DominatorRows::new(&Snapshot::new(builder.finish()?))?;
///
/// let below = rows.level(DominatorLevel::Children(cache))?;
/// assert_eq!(below.len(), 1);
/// let row = rows.row(&below, below.by_retained(0).expect("there is one"))?;
/// assert_eq!(row.name, "_G.cache.[*]");
/// assert_eq!((row.count, row.retained, row.share_above), (9, 900, 1.0));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DominatorRows {
    snapshot: Snapshot,
    children: DominatorChildren,
    ranks: RankIndex,
    live: Tally,
    growth: Option<SubtreeGrowth>,
}

impl DominatorRows {
    /// Derives from a snapshot what the rows need: its groups, its trees, and besides twelve bytes a node.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
    /// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit
    /// 32-bit numbers.
    pub fn new(snapshot: &Snapshot) -> Result<DominatorRows> {
        let (heap, groups) = (snapshot.everything(), snapshot.groups()?);
        let group_of = |node| groups.group_of(node);
        let ranks = RankIndex::new(heap, snapshot.everything_tree()?)?;
        let children = DominatorChildren::new(heap, snapshot.dominators()?, &ranks, group_of)?;
        Ok(DominatorRows {
            children,
            ranks,
            live: Census::new(snapshot)?.live,
            snapshot: snapshot.clone(),
            growth: None,
        })
    }

    /// Finds what came since an older snapshot of the same VM, so that rows say it.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn since(mut self, older: &Snapshot) -> Result<DominatorRows> {
        self.growth = Some(SubtreeGrowth::new(&self.snapshot, older)?);
        Ok(self)
    }

    /// Whether rows say what came since an older snapshot.
    pub fn has_growth(&self) -> bool {
        self.growth.is_some()
    }

    /// Returns the snapshot.
    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    /// Returns the number and the bytes of all objects in use.
    pub fn live(&self) -> Tally {
        self.live
    }

    /// Returns the bytes of memory that it takes besides the snapshot.
    pub fn memory(&self) -> usize {
        let growth = self.growth.as_ref().map_or(0, SubtreeGrowth::memory);
        self.children.memory() + self.ranks.memory() + growth
    }

    fn dominators(&self) -> Result<&Dominators> {
        Ok(self.snapshot.dominators()?)
    }

    /// Returns the level below a row; `None` if nothing is below it. An upvalue that dominates nothing but its value
    /// is passed over.
    pub fn below(&self, above: NodeId, target: RowTarget) -> Result<Option<DominatorLevel>> {
        let node = match target {
            RowTarget::Fold(fold) => return Ok(Some(DominatorLevel::Members { above, fold })),
            RowTarget::Object(node) => self.only_value(node)?.unwrap_or(node),
        };
        let has_children = self.dominators()?.subtree(node).len() > 1;
        Ok(has_children.then_some(DominatorLevel::Children(node)))
    }

    /// Returns the value of an upvalue that dominates nothing else immediately.
    fn only_value(&self, node: NodeId) -> Result<Option<NodeId>> {
        if self.snapshot.everything().kind(node) != Kind::Upvalue {
            return Ok(None);
        }
        let mut children = self.dominators()?.children(node);
        let first = children.next();
        Ok(first.filter(|_| children.next().is_none()))
    }

    /// Returns the level above and the row there that this one is below; `None` for the uppermost level.
    pub fn above(&self, level: DominatorLevel) -> Result<Option<(DominatorLevel, RowTarget)>> {
        match level {
            DominatorLevel::Members { above, fold } => Ok(Some((
                DominatorLevel::Children(above),
                RowTarget::Fold(fold),
            ))),
            DominatorLevel::Children(node) => self.listed(node),
        }
    }

    /// Returns the level that lists an object, and its row there; `None` for the synthetic root and for garbage.
    pub fn listed(&self, node: NodeId) -> Result<Option<(DominatorLevel, RowTarget)>> {
        let dominators = self.dominators()?;
        let mut node = node;
        let Some(mut above) = dominators.immediate(node) else {
            return Ok(None);
        };
        if let (Some(_), Some(further)) = (self.only_value(above)?, dominators.immediate(above)) {
            (node, above) = (above, further);
        }
        let group = self.snapshot.groups()?.group_of(node);
        let mut folds = self.children.folds(dominators, above);
        let fold = folds.find(|fold| Some(self.children.fold(*fold).group) == group);
        let level = match fold {
            Some(fold) => DominatorLevel::Members { above, fold },
            None => DominatorLevel::Children(above),
        };
        Ok(Some((level, RowTarget::Object(node))))
    }

    /// Returns the rows of a level.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn level(&self, level: DominatorLevel) -> Result<LevelRows> {
        let dominators = self.dominators()?;
        let rest = self.rest(level)?;
        let folds = match level {
            DominatorLevel::Children(node) => self.children.folds(dominators, node),
            DominatorLevel::Members { .. } => 0..0,
        };
        let mut fold_places = Vec::new();
        fold_places.try_reserve_exact(folds.len())?;
        for (at, fold) in folds.clone().enumerate() {
            let bytes = self.children.fold(fold).retained.bytes;
            let larger = rest.partition_point(|node| dominators.retained(*node).bytes > bytes);
            fold_places.push((at + larger) as u32);
        }
        Ok(LevelRows {
            level,
            folds,
            fold_places,
            rest: rest.len(),
        })
    }

    /// Returns the objects of a level that are rows of their own.
    fn rest(&self, level: DominatorLevel) -> Result<&[NodeId]> {
        Ok(match level {
            DominatorLevel::Children(node) => self.children.rest(self.dominators()?, node),
            DominatorLevel::Members { fold, .. } => self.children.members(fold),
        })
    }

    /// Returns what a row stands for.
    pub fn target(&self, rows: &LevelRows, row: RowId) -> Result<RowTarget> {
        let row = row.0 as usize;
        Ok(match row.checked_sub(rows.folds.len()) {
            None => RowTarget::Fold(rows.folds.start + row),
            Some(at) => RowTarget::Object(self.rest(rows.level)?[at]),
        })
    }

    /// Returns the row that stands for an object or a fold; `None` if the level has none. Goes through the level.
    pub fn find(&self, rows: &LevelRows, target: RowTarget) -> Result<Option<RowId>> {
        let at = match target {
            RowTarget::Fold(fold) if rows.folds.contains(&fold) => Some(fold - rows.folds.start),
            RowTarget::Fold(_) => None,
            RowTarget::Object(node) => {
                let at = self.rest(rows.level)?.iter().position(|one| *one == node);
                at.map(|at| at + rows.folds.len())
            }
        };
        Ok(at.map(|at| RowId(at as u32)))
    }

    /// Returns the objects that a row stands for.
    pub fn members(&self, target: RowTarget) -> Vec<NodeId> {
        match target {
            RowTarget::Object(node) => vec![node],
            RowTarget::Fold(fold) => self.children.members(fold).to_vec(),
        }
    }

    /// Returns a number by which rows are put in this order, largest first.
    pub(crate) fn key(&self, rows: &LevelRows, row: RowId, order: RowOrder) -> Result<u64> {
        let dominators = self.dominators()?;
        let target = self.target(rows, row)?;
        let node = match target {
            RowTarget::Object(node) => node,
            RowTarget::Fold(fold) => {
                let fold = self.children.fold(fold);
                match order {
                    RowOrder::Retained => return Ok(fold.retained.bytes),
                    RowOrder::Shallow => return Ok(fold.shallow),
                    RowOrder::Count => return Ok(fold.retained.count),
                    RowOrder::Growth => return self.came(target),
                    RowOrder::Name => self.largest(target),
                }
            }
        };
        Ok(match order {
            RowOrder::Retained => dominators.retained(node).bytes,
            RowOrder::Shallow => self.snapshot.everything().size(node),
            RowOrder::Count => dominators.retained(node).count,
            RowOrder::Growth => self.came(target)?,
            // Ranks have siblings in the order of their keys.
            RowOrder::Name => u64::MAX - self.ranks.rank(node).map_or(u64::MAX, |of| of.0.into()),
        })
    }

    /// Returns the bytes of what a row retains that came.
    fn came(&self, target: RowTarget) -> Result<u64> {
        let Some(growth) = &self.growth else {
            return Ok(0);
        };
        let below = |node: &NodeId| growth.below(&self.snapshot, *node);
        let mut sum = 0u64;
        match target {
            RowTarget::Object(node) => sum = below(&node)?,
            RowTarget::Fold(fold) => {
                for node in self.children.members(fold) {
                    sum = sum.saturating_add(below(node)?);
                }
            }
        }
        Ok(sum)
    }

    /// Returns the number of objects that a row stands for.
    pub fn count(&self, target: RowTarget) -> u64 {
        match target {
            RowTarget::Object(_) => 1,
            RowTarget::Fold(fold) => self.children.fold(fold).count.into(),
        }
    }

    /// Returns the object that retains most of those that a row stands for.
    pub fn largest(&self, target: RowTarget) -> NodeId {
        match target {
            RowTarget::Object(node) => node,
            RowTarget::Fold(fold) => self.children.members(fold)[0],
        }
    }

    /// Returns a row of a level in words.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn row(&self, rows: &LevelRows, row: RowId) -> Result<DominatorRow> {
        let above = rows.level.above();
        let target = self.target(rows, row)?;
        let name = self.name_below(above, target)?;
        let bytes = match rows.level {
            DominatorLevel::Children(node) => self.dominators()?.retained(node).bytes,
            DominatorLevel::Members { fold, .. } => self.children.fold(fold).retained.bytes,
        };
        self.in_words(target, name, bytes)
    }

    /// Returns the name of a row below an object.
    pub fn name_below(&self, above: NodeId, target: RowTarget) -> Result<Name> {
        let (heap, tree) = (self.snapshot.everything(), self.snapshot.everything_tree()?);
        match target {
            RowTarget::Fold(fold) => {
                let groups = self.snapshot.groups()?;
                let group = &groups.groups()[self.children.fold(fold).group];
                group_name(heap, tree, groups, group)
            }
            RowTarget::Object(node) => match self.ranks.rank(node) {
                Some(rank) => path_below(heap, tree, rank, above),
                None => Ok(Name::default()),
            },
        }
    }

    /// Returns an object as a row whose name is its shortest path; of one with more than a thousand steps, its end.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn object(&self, node: NodeId) -> Result<DominatorRow> {
        let (heap, tree) = (self.snapshot.everything(), self.snapshot.everything_tree()?);
        let name = match self.ranks.rank(node) {
            Some(rank) if is_far_down(tree, rank) => path_below(heap, tree, rank, NodeId::ROOT)?,
            Some(rank) => path_of_everything(&self.snapshot, rank)?,
            None => Name::default(),
        };
        self.in_words(RowTarget::Object(node), name, self.live.bytes)
    }

    /// Returns an object on a [path](Self::path) as a row whose name is the last step of its path.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn step(&self, node: NodeId) -> Result<DominatorRow> {
        let (heap, tree) = (self.snapshot.everything(), self.snapshot.everything_tree()?);
        let name = match self.ranks.rank(node) {
            Some(rank) => step_text(heap, tree, PathStarts::of(heap), rank)?,
            None => Name::default(),
        };
        self.in_words(RowTarget::Object(node), name, self.live.bytes)
    }

    /// Returns the objects on the shortest path to an object, that one last: it starts at the table of globals, the
    /// table of loaded modules or the main thread if it leads through one of them. Upvalues are no steps of their
    /// own. Empty for garbage.
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    pub fn path(&self, node: NodeId) -> Result<Vec<NodeId>> {
        let (heap, tree) = (self.snapshot.everything(), self.snapshot.everything_tree()?);
        let starts = PathStarts::of(heap);
        let upward = |rank: &Rank| match starts.step(heap, tree, *rank) {
            Some(_) => None,
            None => tree.parent(*rank),
        };
        let mut path = Vec::new();
        let mut is_value = false;
        for rank in std::iter::successors(self.ranks.rank(node), upward) {
            if !is_value {
                path.try_reserve(1)?;
                path.push(tree.node(rank));
            }
            is_value = heap.label(tree.edge(rank)) == Label::Value;
        }
        path.reverse();
        Ok(path)
    }

    fn in_words(&self, target: RowTarget, name: Name, above: u64) -> Result<DominatorRow> {
        let heap = self.snapshot.everything();
        let node = self.largest(target);
        let kind = heap.kind(node);
        let (count, retained, shallow, what) = match target {
            RowTarget::Object(node) => (
                1,
                self.dominators()?.retained(node),
                heap.size(node),
                ObjectRow::of(&self.snapshot, node)?.words,
            ),
            RowTarget::Fold(fold) => {
                let fold = self.children.fold(fold);
                let count = u64::from(fold.count);
                let many = luasnap_words::count(count, kind.type_name());
                let what = Sentence::new("object.many").with("objects", many);
                (count, fold.retained, fold.shallow, what)
            }
        };
        let growth = match &self.growth {
            Some(growth) => {
                let change = growth.change(node);
                Some(RowGrowth {
                    new: change == Change::New && count == 1,
                    entries: match (change, count) {
                        (Change::Grew(entries), 1) => entries,
                        _ => 0,
                    },
                    came: self.came(target)?,
                })
            }
            None => None,
        };
        Ok(DominatorRow {
            node,
            kind,
            name,
            what,
            count,
            shallow,
            retained: retained.bytes,
            retained_count: retained.count,
            share: field::share(retained.bytes, self.live.bytes),
            share_above: field::share(retained.bytes, above),
            size_share_above: field::share(shallow, above),
            growth,
        })
    }
}

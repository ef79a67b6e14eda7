//! What keeps an object or a group alive: retainers, dominators, paths.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::name::Name;
use crate::answers::short_path::{path_of_everything, steps_text};
use crate::answers::weakness::{WeaknessRow, weakness_of};
use luasnap_heap::{
    Census, DisjointPath, Heap, Kind, NodeId, Rank, Reach, Retainer, ShortestPathTree, Snapshot,
    Through, disjoint_paths, retainers_of,
};
use serde::Serialize;
use std::cmp::Reverse;

/// Limits on what is listed.
#[derive(Clone, Copy, Debug)]
pub struct RetainersOptions {
    /// The most retainers.
    pub retainers: usize,
    /// The most paths that share nothing; only for a single object.
    pub paths: usize,
}

/// What keeps some objects alive.
#[derive(Clone, Debug, Serialize)]
pub struct Retainers {
    /// The number of objects asked about.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub size: u64,
    /// Their retained size as a set, in bytes, ...
    pub retained: u64,
    /// ... and as a number of objects.
    pub retained_count: u64,
    /// The retained size as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// The shortest path to the first of them; `None` if it is garbage.
    pub path: Option<Name>,
    /// What the first of them is doing, if it is a coroutine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
    /// The number of retainers.
    pub retainer_count: usize,
    /// The retainers: those with most references first, then the nearest to a GC root.
    pub retainers: Vec<RetainerRow>,
    /// The dominators of all of them: without any one of these they would be garbage. The nearest first;
    /// without the registry and the table of globals.
    pub keepers: Vec<KeeperRow>,
    /// What is weak and yet stays: the first of them and its dominators, if they are tables with weak keys of
    /// which entries stay for ever.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub weakness: Vec<WeaknessRow>,
    /// Paths from the nearest dominator that share nothing: each has to be cut to free the object.
    pub paths: Vec<Name>,
}

/// A retainer.
#[derive(Clone, Debug, Serialize)]
pub struct RetainerRow {
    /// Its own shortest path; empty for a GC root.
    pub retainer: Name,
    /// Its path, with the step of its first reference to one of the objects.
    pub path: Name,
    /// The number of its references to the objects.
    pub references: u32,
    /// What it is doing, if it is a coroutine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
}

/// A dominator.
#[derive(Clone, Debug, Serialize)]
pub struct KeeperRow {
    /// Its shortest path.
    pub path: Name,
    /// Its retained size, in bytes.
    pub retained: u64,
    /// The retained size as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// What it is doing, if it is a coroutine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
}

/// The most dominators that are listed.
const KEEPERS: usize = 8;

/// Returns what keeps `targets` alive, which are nodes of [`Snapshot::everything`].
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out; [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the
/// snapshot does not fit 32-bit numbers.
///
/// # Examples
///
/// ```
/// use luasnap_format::RetainersOptions;
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G.cache` has two tables of 100 bytes.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (cache, _) = builder.node(Kind::Table, 0x20)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// let field = Label::Field(builder.name(b"cache")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, cache, field, Strength::Strong)?;
/// for (index, address) in [(1, 0x30), (2, 0x40)] {
///     let (entry, _) = builder.node(Kind::Table, address)?;
///     builder.set_size(entry, 100);
///     builder.edge(cache, entry, Label::Index(index), Strength::Strong)?;
/// }
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let options = RetainersOptions { retainers: 10, paths: 5 };
/// let answer = luasnap_format::retainers(&snapshot, &[cache], options)?;
/// assert_eq!((answer.size, answer.retained), (0, 200));
/// assert_eq!(answer.path.expect("it is reachable"), "_G.cache");
/// assert_eq!(answer.retainers[0].retainer, "_G");
/// # Ok(())
/// # }
/// ```
pub fn retainers(
    snapshot: &Snapshot,
    targets: &[NodeId],
    options: RetainersOptions,
) -> Result<Retainers> {
    let question = Question::new(snapshot, targets)?;
    let (retainers, retainer_count) = question.retainers(options.retainers)?;
    let dominators = snapshot.dominators()?;
    let first = question.ranks(&targets[..targets.len().min(1)])?;
    let path = first.first().copied().flatten();
    let retained = dominators.retained_by(question.heap, targets)?;
    Ok(Retainers {
        count: targets.len() as u64,
        size: targets.iter().map(|node| question.heap.size(*node)).sum(),
        retained: retained.bytes,
        retained_count: retained.count,
        share: question.share(retained.bytes),
        path: match path {
            Some(rank) => Some(path_of_everything(snapshot, rank)?),
            None => None,
        },
        coroutine: match targets.first() {
            Some(node) => CoroutineRow::of(question.heap, *node)?,
            None => None,
        },
        retainer_count,
        retainers,
        keepers: question.keepers()?,
        weakness: question.weakness()?,
        paths: question.disjoint_paths(options.paths)?,
    })
}

/// The question, and what is needed to answer it.
struct Question<'a> {
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    reach: Reach,
    targets: &'a [NodeId],
    /// Objects that dominate the whole program.
    shared: Vec<NodeId>,
    /// The bytes of all objects.
    all: u64,
}

impl<'a> Question<'a> {
    fn new(snapshot: &'a Snapshot, targets: &'a [NodeId]) -> Result<Self> {
        let heap = snapshot.everything();
        let tree = snapshot.everything_tree()?;
        let top = tree.ranks().next().map(|rank| tree.node(rank));
        let reach = Reach::new(heap, Through::Everything)?;
        Ok(Question {
            all: Census::with_reach(snapshot, &reach).live.bytes,
            snapshot,
            heap,
            tree,
            reach,
            targets,
            shared: top.into_iter().chain(heap.globals()).collect(),
        })
    }

    fn share(&self, bytes: u64) -> f64 {
        field::share(bytes, self.all)
    }

    fn ranks(&self, nodes: &[NodeId]) -> Result<Vec<Option<Rank>>> {
        Ok(self.tree.ranks_of(nodes)?)
    }

    fn retainers(&self, most: usize) -> Result<(Vec<RetainerRow>, usize)> {
        let all = retainers_of(self.heap, &self.reach, self.targets)?;
        let count = all.len();
        let mut nodes = room(count)?;
        nodes.extend(all.iter().map(|retainer| retainer.node));
        let ranks = self.ranks(&nodes)?;
        let mut ranked = room(count)?;
        ranked.extend(all.into_iter().zip(ranks));
        // Among equals, the nearest to a GC root comes first.
        ranked.sort_unstable_by_key(|(retainer, rank)| {
            (Reverse(retainer.references), *rank, retainer.edge)
        });
        let listed = ranked.iter().take(most);
        let listed = listed.map(|(retainer, rank)| self.retainer_row(retainer, *rank));
        Ok((listed.collect::<Result<_>>()?, count))
    }

    fn retainer_row(&self, retainer: &Retainer, rank: Option<Rank>) -> Result<RetainerRow> {
        let step = steps_text(self.heap, [self.heap.label(retainer.edge)].into_iter())?;
        let own_path = match rank {
            Some(rank) => path_of_everything(self.snapshot, rank)?,
            None => Name::default(),
        };
        Ok(RetainerRow {
            path: join(&own_path, &step),
            retainer: own_path,
            references: retainer.references,
            coroutine: CoroutineRow::of(self.heap, retainer.node)?,
        })
    }

    /// Returns the dominators of all targets, without those of the whole program.
    fn keepers(&self) -> Result<Vec<KeeperRow>> {
        let dominators = self.snapshot.dominators()?;
        let dominates_all = |node: &NodeId| {
            let mut alive = self
                .targets
                .iter()
                .filter(|target| self.reach.contains(**target));
            alive.all(|target| dominators.dominates(*node, *target))
        };
        let first = self
            .targets
            .iter()
            .find(|target| self.reach.contains(**target));
        let upward = std::iter::successors(first.copied(), |node| dominators.immediate(*node));
        let nodes: Vec<NodeId> = upward
            .skip(1)
            .filter(|node| *node != NodeId::ROOT && !self.shared.contains(node))
            .skip_while(|node| !dominates_all(node))
            .take(KEEPERS)
            .collect();
        let ranks = self.ranks(&nodes)?;
        let alive = nodes
            .iter()
            .zip(ranks)
            .filter_map(|(node, rank)| Some((*node, rank?)));
        let keeper = |(node, rank)| {
            Ok(KeeperRow {
                path: path_of_everything(self.snapshot, rank)?,
                retained: dominators.retained(node).bytes,
                share: self.share(dominators.retained(node).bytes),
                coroutine: CoroutineRow::of(self.heap, node)?,
            })
        };
        alive.map(keeper).collect()
    }

    /// Returns what is weak and yet stays, of the first target and its nearest dominators.
    fn weakness(&self) -> Result<Vec<WeaknessRow>> {
        let dominators = self.snapshot.dominators()?;
        let first = self.targets.first().copied();
        let upward = std::iter::successors(first, |node| dominators.immediate(*node));
        let tables: Vec<NodeId> = upward
            .filter(|node| self.heap.kind(*node) == Kind::Table)
            .take(KEEPERS)
            .collect();
        match tables.is_empty() {
            true => Ok(Vec::new()),
            false => weakness_of(self.snapshot, &tables),
        }
    }

    /// Returns paths that share nothing, for a single object. All paths run through its immediate
    /// dominator and part after it.
    fn disjoint_paths(&self, most: usize) -> Result<Vec<Name>> {
        let &[target] = self.targets else {
            return Ok(Vec::new());
        };
        let dominators = self.snapshot.dominators()?;
        let parting: Vec<NodeId> = dominators.immediate(target).into_iter().collect();
        let paths = disjoint_paths(self.heap, &self.reach, &parting, target, most);
        let paths = paths?;
        paths.iter().map(|path| self.disjoint_path(path)).collect()
    }

    fn disjoint_path(&self, path: &DisjointPath) -> Result<Name> {
        let labels = path
            .edges
            .iter()
            .map(|edge| self.heap.label(*edge as usize));
        let steps = steps_text(self.heap, labels)?;
        if path.start == NodeId::ROOT {
            return Ok(steps);
        }
        let rank = self.ranks(&[path.start])?[0];
        match rank {
            Some(rank) => Ok(join(&path_of_everything(self.snapshot, rank)?, &steps)),
            None => Ok(steps),
        }
    }
}

/// Returns an empty vector with this capacity.
fn room<T>(count: usize) -> Result<Vec<T>> {
    let mut room = Vec::new();
    room.try_reserve_exact(count)?;
    Ok(room)
}

fn join(path: &Name, step: &Name) -> Name {
    match (path.bytes(), step.bytes()) {
        (b"", _) => step.clone(),
        (_, b"") => path.clone(),
        (path, step) => [path, b".", step].concat().into(),
    }
}

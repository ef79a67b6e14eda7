//! Who holds an object, or several of them, as people read it.

use crate::answer_error::Result;
use crate::answers::field;
use crate::answers::name::Name;
use crate::answers::short_path::{path_of_everything, steps_text};
use luasnap_heap::{
    DisjointPath, Heap, Kind, NodeId, Rank, Reach, Retainer, ShortestPathTree, Snapshot, Through,
    disjoint_paths, retainers_of,
};
use serde::Serialize;
use std::cmp::Reverse;

/// How much is told.
#[derive(Clone, Copy, Debug)]
pub struct RetainersOptions {
    /// The most immediate retainers.
    pub retainers: usize,
    /// The most disjoint paths, for one object alone.
    pub paths: usize,
}

/// Who holds some objects.
#[derive(Clone, Debug, Serialize)]
pub struct Retainers {
    /// How many objects are asked for.
    pub count: u64,
    /// Their shallow sizes together, in bytes.
    pub size: u64,
    /// The bytes that would be freed without them, their own included, ...
    pub retained: u64,
    /// ... of so many objects.
    pub retained_count: u64,
    /// Which part of all objects' bytes that is.
    pub share: f64,
    /// The shortest path to the first of them; `None` where nothing holds it.
    pub path: Option<Name>,
    /// How many distinct objects hold one of them.
    pub retainer_count: usize,
    /// Those with most references first, then the nearest to a root.
    pub retainers: Vec<RetainerRow>,
    /// Each of these alone keeps all of them alive: without it they would be garbage. The nearest
    /// first; the registry and the like are not among them.
    pub keepers: Vec<KeeperRow>,
    /// Paths that share nothing from the nearest keeper on: each has to be cut to free one object.
    pub paths: Vec<Name>,
}

/// An immediate retainer.
#[derive(Clone, Debug, Serialize)]
pub struct RetainerRow {
    /// Its own shortest path; empty for a root.
    pub retainer: Name,
    /// The same with the first step by which it holds one of the objects.
    pub path: Name,
    /// How many of its references hold one of the objects.
    pub references: u32,
}

/// What alone keeps something alive.
#[derive(Clone, Debug, Serialize)]
pub struct KeeperRow {
    /// Its shortest path.
    pub path: Name,
    /// The bytes that it retains.
    pub retained: u64,
    /// Which part of all objects' bytes that is.
    pub share: f64,
}

/// The most keepers that are told.
const KEEPERS: usize = 8;

/// Tells who holds `targets`, which are nodes of [`Snapshot::everything`].
///
/// # Errors
/// Only for lack of memory.
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
        retainer_count,
        retainers,
        keepers: question.keepers()?,
        paths: question.disjoint_paths(options.paths)?,
    })
}

/// What is asked, and what the answers need.
struct Question<'a> {
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    reach: Reach,
    targets: &'a [NodeId],
    /// The objects through which all paths run in the end.
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
        let is_object = |node: &NodeId| reach.contains(*node) && heap.kind(*node) != Kind::Snapshot;
        let all = heap.nodes().skip(1).filter(is_object);
        let all = all.fold(0, |all: u64, node| all.saturating_add(heap.size(node)));
        Ok(Question {
            all,
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
        // Among equals, the nearest to a root tells most.
        ranked.sort_unstable_by_key(|(retainer, rank)| {
            (Reverse(retainer.references), *rank, retainer.edge)
        });
        let told = ranked.iter().take(most);
        let told = told.map(|(retainer, rank)| self.retainer_row(retainer, *rank));
        Ok((told.collect::<Result<_>>()?, count))
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
        })
    }

    /// What dominates all of the targets, but for what all paths run through.
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
            })
        };
        alive.map(keeper).collect()
    }

    /// Of one object alone: several may be held by several. All paths run through its immediate
    /// dominator, and part behind it.
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

/// An empty vector with room for so many.
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

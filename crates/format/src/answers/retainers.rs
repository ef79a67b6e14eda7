//! Who holds an object, or several of them, as people read it.

use crate::answer_error::Result;
use crate::answers::short_path::{path_of_everything, steps_text};
use luasnap_heap::{
    DisjointPath, Heap, NodeId, Rank, Reach, Retainer, ShortestPathTree, Snapshot, Tally, Through,
    disjoint_paths, retainers_of,
};
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
#[derive(Clone, Debug)]
pub struct Retainers {
    /// How many objects are asked for, and their shallow sizes.
    pub objects: Tally,
    /// What would be garbage without them, they themselves included.
    pub retained: Tally,
    /// The shortest path to the first of them; `None` where nothing holds it.
    pub path: Option<String>,
    /// The distinct objects that hold one of them, those with most references first, then the
    /// nearest to a root.
    pub retainers: Vec<RetainerRow>,
    /// How many those are, with those that are not told.
    pub retainer_count: usize,
    /// Each of these alone keeps all of them alive: without it they would be garbage. The nearest
    /// first; the registry and the like are not among them.
    pub keepers: Vec<KeeperRow>,
    /// Paths that share nothing from the nearest keeper on: each has to be cut to free one object.
    pub paths: Vec<String>,
}

/// An immediate retainer.
#[derive(Clone, Debug)]
pub struct RetainerRow {
    /// Its own shortest path; empty for a root.
    pub retainer: String,
    /// The same with the first step by which it holds one of the objects.
    pub path: String,
    /// How many of its references hold one of the objects.
    pub references: u32,
}

/// What alone keeps something alive.
#[derive(Clone, Debug)]
pub struct KeeperRow {
    /// Its shortest path.
    pub path: String,
    /// What it retains.
    pub retained: Tally,
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
    Ok(Retainers {
        objects: Tally {
            count: targets.len() as u64,
            bytes: targets.iter().map(|node| question.heap.size(*node)).sum(),
        },
        retained: dominators.retained_by(question.heap, targets)?,
        path: match path {
            Some(rank) => Some(path_of_everything(snapshot, rank)?),
            None => None,
        },
        retainers,
        retainer_count,
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
}

impl<'a> Question<'a> {
    fn new(snapshot: &'a Snapshot, targets: &'a [NodeId]) -> Result<Self> {
        let heap = snapshot.everything();
        let tree = snapshot.everything_tree()?;
        let top = tree.ranks().next().map(|rank| tree.node(rank));
        Ok(Question {
            snapshot,
            heap,
            tree,
            reach: Reach::new(heap, Through::Everything)?,
            targets,
            shared: top.into_iter().chain(heap.globals()).collect(),
        })
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
            None => String::new(),
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
                retained: dominators.retained(node),
            })
        };
        alive.map(keeper).collect()
    }

    /// Of one object alone: several may be held by several. All paths run through its immediate
    /// dominator, and part behind it.
    fn disjoint_paths(&self, most: usize) -> Result<Vec<String>> {
        let &[target] = self.targets else {
            return Ok(Vec::new());
        };
        let dominators = self.snapshot.dominators()?;
        let parting: Vec<NodeId> = dominators.immediate(target).into_iter().collect();
        let paths = disjoint_paths(self.heap, &self.reach, &parting, target, most);
        let paths = paths?;
        paths.iter().map(|path| self.disjoint_path(path)).collect()
    }

    fn disjoint_path(&self, path: &DisjointPath) -> Result<String> {
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

fn join(path: &str, step: &str) -> String {
    match (path, step) {
        ("", step) => step.to_owned(),
        (path, "") => path.to_owned(),
        (path, step) => format!("{path}.{step}"),
    }
}

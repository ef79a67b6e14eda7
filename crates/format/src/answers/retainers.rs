//! Who holds an object, or several of them, as people read it.

use crate::answer_error::Result;
use crate::answers::short_path::{chain_of_everything, steps_text};
use luasnap_heap::{
    ChainTree, DisjointChain, Heap, Holder, NodeId, Rank, Reach, Snapshot, Tally, Through,
    disjoint_chains, holders,
};
use std::cmp::Reverse;

/// How much is told.
#[derive(Clone, Copy, Debug)]
pub struct WhoHoldsOptions {
    /// The most immediate holders.
    pub holders: usize,
    /// The most disjoint chains, for one object alone.
    pub chains: usize,
}

/// Who holds some objects.
#[derive(Clone, Debug)]
pub struct WhoHolds {
    /// How many objects are asked for, and their shallow sizes.
    pub objects: Tally,
    /// What would be garbage without them, they themselves included.
    pub retained: Tally,
    /// The shortest chain to the first of them; `None` where nothing holds it.
    pub chain: Option<String>,
    /// The distinct objects that hold one of them, those with most references first, then the
    /// nearest to a root.
    pub holders: Vec<HeldBy>,
    /// How many those are, with those that are not told.
    pub holder_count: usize,
    /// Each of these alone keeps all of them alive: without it they would be garbage. The nearest
    /// first; the registry and the like are not among them.
    pub keepers: Vec<Keeper>,
    /// Chains that share nothing from the nearest keeper on: each has to be cut to free one object.
    pub chains: Vec<String>,
}

/// An immediate holder.
#[derive(Clone, Debug)]
pub struct HeldBy {
    /// Its own shortest chain; empty for a root.
    pub holder: String,
    /// The same with the first step by which it holds one of the objects.
    pub chain: String,
    /// How many of its references hold one of the objects.
    pub references: u32,
}

/// What alone keeps something alive.
#[derive(Clone, Debug)]
pub struct Keeper {
    /// Its shortest chain.
    pub chain: String,
    /// What it retains.
    pub retained: Tally,
}

/// The most keepers that are told.
const KEEPERS: usize = 8;

/// Tells who holds `targets`, which are nodes of [`Snapshot::everything`].
///
/// # Errors
/// Only for lack of memory.
pub fn who_holds(
    snapshot: &Snapshot,
    targets: &[NodeId],
    options: WhoHoldsOptions,
) -> Result<WhoHolds> {
    let question = Question::new(snapshot, targets)?;
    let (holders, holder_count) = question.holders(options.holders)?;
    let dominators = snapshot.dominators()?;
    let first = question.ranks(&targets[..targets.len().min(1)])?;
    let chain = first.first().copied().flatten();
    Ok(WhoHolds {
        objects: Tally {
            count: targets.len() as u64,
            bytes: targets.iter().map(|node| question.heap.size(*node)).sum(),
        },
        retained: dominators.retained_by(question.heap, targets)?,
        chain: match chain {
            Some(rank) => Some(chain_of_everything(snapshot, rank)?),
            None => None,
        },
        holders,
        holder_count,
        keepers: question.keepers()?,
        chains: question.disjoint_chains(options.chains)?,
    })
}

/// What is asked, and what the answers need.
struct Question<'a> {
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ChainTree,
    reach: Reach,
    targets: &'a [NodeId],
    /// The objects through which all chains run in the end.
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

    fn holders(&self, most: usize) -> Result<(Vec<HeldBy>, usize)> {
        let all = holders(self.heap, &self.reach, self.targets)?;
        let count = all.len();
        let mut nodes = room(count)?;
        nodes.extend(all.iter().map(|holder| holder.node));
        let ranks = self.ranks(&nodes)?;
        let mut ranked = room(count)?;
        ranked.extend(all.into_iter().zip(ranks));
        // Among equals, the nearest to a root tells most.
        ranked.sort_unstable_by_key(|(holder, rank)| {
            (Reverse(holder.references), *rank, holder.edge)
        });
        let told = ranked.iter().take(most);
        let told = told.map(|(holder, rank)| self.held_by(holder, *rank));
        Ok((told.collect::<Result<_>>()?, count))
    }

    fn held_by(&self, holder: &Holder, rank: Option<Rank>) -> Result<HeldBy> {
        let step = steps_text(self.heap, [self.heap.label(holder.edge)].into_iter())?;
        let own_chain = match rank {
            Some(rank) => chain_of_everything(self.snapshot, rank)?,
            None => String::new(),
        };
        Ok(HeldBy {
            chain: join(&own_chain, &step),
            holder: own_chain,
            references: holder.references,
        })
    }

    /// What dominates all of the targets, but for what all chains run through.
    fn keepers(&self) -> Result<Vec<Keeper>> {
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
            Ok(Keeper {
                chain: chain_of_everything(self.snapshot, rank)?,
                retained: dominators.retained(node),
            })
        };
        alive.map(keeper).collect()
    }

    /// Of one object alone: several may be held by several. All chains run through its immediate
    /// dominator, and part behind it.
    fn disjoint_chains(&self, most: usize) -> Result<Vec<String>> {
        let &[target] = self.targets else {
            return Ok(Vec::new());
        };
        let dominators = self.snapshot.dominators()?;
        let parting: Vec<NodeId> = dominators.immediate(target).into_iter().collect();
        let chains = disjoint_chains(self.heap, &self.reach, &parting, target, most);
        let chains = chains?;
        chains
            .iter()
            .map(|chain| self.disjoint_chain(chain))
            .collect()
    }

    fn disjoint_chain(&self, chain: &DisjointChain) -> Result<String> {
        let labels = chain
            .edges
            .iter()
            .map(|edge| self.heap.label(*edge as usize));
        let steps = steps_text(self.heap, labels)?;
        if chain.start == NodeId::ROOT {
            return Ok(steps);
        }
        let rank = self.ranks(&[chain.start])?[0];
        match rank {
            Some(rank) => Ok(join(&chain_of_everything(self.snapshot, rank)?, &steps)),
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

fn join(chain: &str, step: &str) -> String {
    match (chain, step) {
        ("", step) => step.to_owned(),
        (chain, "") => chain.to_owned(),
        (chain, step) => format!("{chain}.{step}"),
    }
}

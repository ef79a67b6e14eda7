//! What keeps an object or a group alive: retainers, dominators, paths.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_title::GroupTitles;
use crate::answers::name::{Name, NameText};
use crate::answers::object_row::{ObjectRow, anonymous_titled};
use crate::answers::short_path::{short_path, steps_text, whole_path};
use crate::answers::weakness::{WeaknessRow, weakness_of};
use luasnap_heap::{
    Census, DisjointPath, Heap, ImmediateDominators, Kind, NodeId, Rank, Reach, Retainer,
    ShortestPathTree, Snapshot, Tally, disjoint_paths, references_to_itself, retainers_of,
    sort_by_number,
};
use luasnap_words::Sentence;
use rustc_hash::FxHashMap;
use serde::Serialize;

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
    /// What the first of them is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<ObjectRow>,
    /// What the first of them is doing, if it is a coroutine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
    /// Of a single object: the steps by which it refers to itself. That keeps nothing alive.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refers_to_itself: Vec<Name>,
    /// The number of retainers, without the objects themselves.
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
    /// The object, a node of [`Snapshot::everything`]; [`NodeId::ROOT`] for GC roots.
    #[serde(skip)]
    pub node: NodeId,
    /// Its own shortest path; of GC roots their name, such as `[REGISTRY].[fixed]`.
    pub retainer: Name,
    /// Its path, with the step of its first reference to one of the objects.
    pub path: Name,
    /// The number of its references to the objects.
    pub references: u32,
    /// What it is, if the last step of its own path does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<Sentence>,
    /// What it is doing, if it is a coroutine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coroutine: Option<CoroutineRow>,
}

/// A dominator.
#[derive(Clone, Debug, Serialize)]
pub struct KeeperRow {
    /// The object, a node of [`Snapshot::everything`].
    #[serde(skip)]
    pub node: NodeId,
    /// Its shortest path.
    pub path: Name,
    /// What it is, if the last step of the path does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub what: Option<Sentence>,
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
/// The most references of an object to itself that are listed.
const TO_ITSELF: usize = 8;

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
    retainers_by_titles(snapshot, snapshot, targets, options)
}

/// Returns what keeps `targets` alive as [`retainers`] does, for somebody who knows what their groups are called.
///
/// # Errors
///
/// As for [`retainers`].
pub fn retainers_by_titles(
    snapshot: &Snapshot,
    titles: &dyn GroupTitles,
    targets: &[NodeId],
    options: RetainersOptions,
) -> Result<Retainers> {
    let question = Question::new(snapshot, titles, targets)?;
    let found = retainers_of(question.heap, &question.reach, targets)?;
    let keepers = question.keepers()?;
    let retained = question.retained_by_each(&keepers)?;
    let (retained, of_keepers) = match (&retained[..], targets) {
        // An ephemeron's value may go with its key, which does not dominate it.
        ([first, rest @ ..], [_]) if !question.heap.has_ephemerons() => (*first, rest),
        (all, _) => {
            let retained = snapshot.retained_by(&question.reach, targets)?;
            (retained, &all[all.len() - keepers.len()..])
        }
    };
    let parting = question.parting();
    let mut shown = room(found.len() + keepers.len() + 2)?;
    shown.extend(targets.first().copied().into_iter().chain(parting));
    shown.extend(&keepers);
    shown.extend(found.iter().map(|retainer| retainer.node));
    let tree = &*snapshot.paths_to(&shown)?;
    let first = tree.ranks_of(&targets[..targets.len().min(1)])?;
    let path = first.first().copied().flatten();
    let (retainers, retainer_count) = question.retainers(tree, found, options.retainers)?;
    Ok(Retainers {
        count: targets.len() as u64,
        size: targets.iter().map(|node| question.heap.size(*node)).sum(),
        retained: retained.bytes,
        retained_count: retained.count,
        share: question.share(retained.bytes),
        path: match path {
            Some(rank) => Some(whole_path(question.heap, tree, rank)?),
            None => None,
        },
        object: match targets.first() {
            Some(node) => Some(ObjectRow::titled(snapshot, titles, *node)?),
            None => None,
        },
        coroutine: match targets.first() {
            Some(node) => CoroutineRow::of(question.heap, *node)?,
            None => None,
        },
        refers_to_itself: question.to_itself()?,
        retainer_count,
        retainers,
        keepers: question.keeper_rows(tree, &keepers, of_keepers)?,
        weakness: question.weakness()?,
        paths: question.disjoint_paths(tree, parting, options.paths)?,
    })
}

/// The question, and what is needed to answer it.
struct Question<'a> {
    snapshot: &'a Snapshot,
    titles: &'a dyn GroupTitles,
    heap: &'a Heap,
    reach: Reach,
    dominators: ImmediateDominators<'a>,
    targets: &'a [NodeId],
    /// Objects that dominate the whole program.
    shared: Vec<NodeId>,
    /// The bytes of all objects.
    all: u64,
}

impl<'a> Question<'a> {
    fn new(
        snapshot: &'a Snapshot,
        titles: &'a dyn GroupTitles,
        targets: &'a [NodeId],
    ) -> Result<Self> {
        let heap = snapshot.everything();
        let mut roots = heap
            .root_range()
            .filter(|root| !heap.strength(*root).is_weak());
        let top = roots.next().map(|root| heap.target(root));
        let reach = snapshot.reach()?;
        Ok(Question {
            all: Census::with_reach(snapshot, &reach).live.bytes,
            dominators: snapshot.immediate_dominators()?,
            snapshot,
            titles,
            heap,
            reach,
            targets,
            shared: top.into_iter().chain(heap.globals()).collect(),
        })
    }

    fn share(&self, bytes: u64) -> f64 {
        field::share(bytes, self.all)
    }

    fn retainers(
        &self,
        tree: &ShortestPathTree,
        all: Vec<Retainer>,
        most: usize,
    ) -> Result<(Vec<RetainerRow>, usize)> {
        let count = all.len();
        let mut nodes = room(count)?;
        nodes.extend(all.iter().map(|retainer| retainer.node));
        let ranks = tree.ranks_of(&nodes)?;
        let mut ranked = room(count)?;
        ranked.extend(all.into_iter().zip(ranks));
        // Among equals, the nearest to a GC root comes first.
        sort_by_number(&mut ranked, |(retainer, _)| retainer.edge as u64)?;
        sort_by_number(&mut ranked, |(_, rank)| {
            rank.map_or(0, |rank| u64::from(rank.0) + 1)
        })?;
        sort_by_number(&mut ranked, |(retainer, _)| !u64::from(retainer.references))?;
        let listed = ranked.iter().take(most);
        let listed = listed.map(|(retainer, rank)| self.retainer_row(tree, retainer, *rank));
        let mut rows: Vec<RetainerRow> = listed.collect::<Result<_>>()?;
        self.tell_apart(&mut rows, &ranked)?;
        Ok((rows, count))
    }

    fn retainer_row(
        &self,
        tree: &ShortestPathTree,
        retainer: &Retainer,
        rank: Option<Rank>,
    ) -> Result<RetainerRow> {
        let step = self.step(retainer.edge)?;
        if retainer.node == NodeId::ROOT {
            // Paths have all other GC roots below the first one.
            let first = self.heap.root_range().next();
            let root = match first.filter(|first| *first != retainer.edge) {
                Some(first) => join(&self.step(first)?, &step)?,
                None => step,
            };
            return Ok(RetainerRow {
                node: NodeId::ROOT,
                path: root.clone(),
                retainer: root,
                references: retainer.references,
                what: Some(Sentence::new("object.gc_root")),
                coroutine: None,
            });
        }
        let (own_path, what) = match rank {
            Some(rank) => (
                short_path(self.heap, tree, rank)?,
                anonymous_titled(self.snapshot, tree, self.titles, rank)?,
            ),
            None => (Name::default(), None),
        };
        Ok(RetainerRow {
            node: retainer.node,
            path: join(&own_path, &step)?,
            retainer: own_path,
            references: retainer.references,
            what,
            coroutine: CoroutineRow::of(self.heap, retainer.node)?,
        })
    }

    /// Tells retainers of one path apart: keys of one table, variables of one name.
    fn tell_apart(
        &self,
        rows: &mut [RetainerRow],
        ranked: &[(Retainer, Option<Rank>)],
    ) -> Result<()> {
        let mut counts: FxHashMap<Vec<u8>, u32> = FxHashMap::default();
        for row in &*rows {
            counts.try_reserve(1)?;
            *counts.entry(row.retainer.bytes().to_vec()).or_default() += 1;
        }
        for (row, (retainer, _)) in rows.iter_mut().zip(ranked) {
            if counts[row.retainer.bytes()] > 1 && retainer.node != NodeId::ROOT {
                let object = ObjectRow::titled(self.snapshot, self.titles, retainer.node)?;
                let words = Sentence::new("object.at").with("what", object.words);
                row.what = Some(words.with("address", format!("{:#x}", object.address)));
            }
        }
        Ok(())
    }

    /// Returns the step of an edge.
    fn step(&self, edge: usize) -> Result<Name> {
        steps_text(self.heap, [self.heap.label(edge)].into_iter())
    }

    /// Returns the steps by which a single object refers to itself.
    fn to_itself(&self) -> Result<Vec<Name>> {
        let &[target] = self.targets else {
            return Ok(Vec::new());
        };
        if !self.reach.contains(target) {
            return Ok(Vec::new());
        }
        let edges = references_to_itself(self.heap, &self.reach, target);
        edges.take(TO_ITSELF).map(|edge| self.step(edge)).collect()
    }

    /// Returns the nearest dominators of all targets, without those of the whole program.
    fn keepers(&self) -> Result<Vec<NodeId>> {
        let mut alive = self.targets.iter();
        let Some(&first) = alive.find(|target| self.reach.contains(**target)) else {
            return Ok(Vec::new());
        };
        // What is above a single one dominates it.
        let dominators = match self.targets {
            [_] => None,
            _ => Some(self.snapshot.dominators()?),
        };
        let dominates_all = |node: &NodeId| {
            let mut alive = self
                .targets
                .iter()
                .filter(|target| self.reach.contains(**target));
            dominators.is_none_or(|tree| alive.all(|target| tree.dominates(*node, *target)))
        };
        let keepers = self
            .above(first)
            .filter(|node| *node != NodeId::ROOT && !self.shared.contains(node))
            // An upvalue has the path of its value or, if that is asked about, of the answer.
            .filter(|node| self.heap.kind(*node) != Kind::Upvalue)
            .skip_while(|node| !dominates_all(node))
            .take(KEEPERS);
        Ok(keepers.collect())
    }

    /// Returns the dominators of an object, the nearest first; at most as many as there are nodes.
    fn above(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let dominators = self.dominators;
        let above = move |node: &NodeId| dominators.immediate(*node);
        // What was read from a file may go round in circles.
        std::iter::successors(above(&node), above).take(self.heap.node_count())
    }

    /// Returns what the first target retains by itself, and each of its dominators.
    fn retained_by_each(&self, keepers: &[NodeId]) -> Result<Vec<Tally>> {
        let mut nodes = room(keepers.len() + 1)?;
        nodes.extend(self.targets.first());
        nodes.extend(keepers);
        Ok(self.dominators.retained_by_each(self.heap, &nodes)?)
    }

    fn keeper_rows(
        &self,
        tree: &ShortestPathTree,
        keepers: &[NodeId],
        retained: &[Tally],
    ) -> Result<Vec<KeeperRow>> {
        let ranks = tree.ranks_of(keepers)?;
        let found = keepers.iter().zip(ranks).zip(retained);
        let alive = found.filter_map(|((node, rank), retained)| Some((*node, rank?, *retained)));
        let keeper = |(node, rank, retained): (NodeId, Rank, Tally)| {
            Ok(KeeperRow {
                node,
                path: short_path(self.heap, tree, rank)?,
                what: anonymous_titled(self.snapshot, tree, self.titles, rank)?,
                retained: retained.bytes,
                share: self.share(retained.bytes),
                coroutine: CoroutineRow::of(self.heap, node)?,
            })
        };
        alive.map(keeper).collect()
    }

    /// Returns what is weak and yet stays, of the first target and its nearest dominators.
    fn weakness(&self) -> Result<Vec<WeaknessRow>> {
        let first = self.targets.first().copied();
        let upward = first.into_iter().flat_map(|node| {
            let above = self.above(node);
            std::iter::once(node).chain(above)
        });
        let tables: Vec<NodeId> = upward
            .filter(|node| self.heap.kind(*node) == Kind::Table)
            .take(KEEPERS)
            .collect();
        match tables.is_empty() {
            true => Ok(Vec::new()),
            false => weakness_of(self.snapshot, self.titles, &tables),
        }
    }

    /// Returns the object after which all paths to a single object part: its nearest dominator that is no upvalue.
    fn parting(&self) -> Option<NodeId> {
        let &[target] = self.targets else {
            return None;
        };
        let mut above = self.above(target);
        above.find(|node| self.heap.kind(*node) != Kind::Upvalue)
    }

    /// Returns paths that share nothing, for a single object.
    fn disjoint_paths(
        &self,
        tree: &ShortestPathTree,
        parting: Option<NodeId>,
        most: usize,
    ) -> Result<Vec<Name>> {
        let &[target] = self.targets else {
            return Ok(Vec::new());
        };
        let paths = disjoint_paths(self.heap, &self.reach, parting.as_slice(), target, most)?;
        let paths = paths.iter().map(|path| self.disjoint_path(tree, path));
        paths.collect()
    }

    fn disjoint_path(&self, tree: &ShortestPathTree, path: &DisjointPath) -> Result<Name> {
        let labels = path
            .edges
            .iter()
            .map(|edge| self.heap.label(*edge as usize));
        let steps = steps_text(self.heap, labels)?;
        if path.start == NodeId::ROOT {
            return Ok(steps);
        }
        let rank = tree.ranks_of(&[path.start])?[0];
        match rank {
            Some(rank) => join(&short_path(self.heap, tree, rank)?, &steps),
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

fn join(path: &Name, step: &Name) -> Result<Name> {
    let mut text = NameText::default();
    text.push_name(path)?;
    if !path.is_empty() && !step.is_empty() {
        text.push(b".")?;
    }
    text.push_name(step)?;
    Ok(text.finish())
}

//! The objects of a snapshot by their owners.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::shared_sort::sort_by_comparison;
use crate::graph::tally::Tally;
use crate::owners::evidence::OwnerId;
use crate::owners::joint_owners::{JointOwners, Sharers};
use crate::owners::places::Places;
use crate::owners::rounds::Rounds;
use crate::owners::sources::Sources;
use crate::reach::reach::Reach;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::snapshot::Snapshot;

/// What an owner is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum OwnerKind {
    /// Code of one name: a plugin, a rock, a folder or a file of source, or a module written in C.
    Code,
    /// Code that was loaded from strings without a name, and that no other code holds.
    Unnamed,
    /// The VM itself, and the modules that come with it.
    Lua,
    /// Several owners.
    Shared,
    /// Nobody who is known.
    Unknown,
}

/// The objects that a few owners have together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sharing {
    /// The owners, each with its name, by kind and name; empty if they are more than [`MAX_SHARERS`](crate::MAX_SHARERS).
    pub owners: Vec<(OwnerKind, Vec<u8>)>,
    /// The number of these objects and their shallow sizes, in bytes.
    pub live: Tally,
}

/// The objects of one owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Owner {
    /// What it is.
    pub kind: OwnerKind,
    /// The name, as people call it; empty for all kinds but [`OwnerKind::Code`].
    pub name: Vec<u8>,
    /// Of [`OwnerKind::Shared`]: who has what together, most bytes first; not all if they are many.
    pub sharings: Vec<Sharing>,
    /// The number of source files with code in use; 0 for all kinds but [`OwnerKind::Code`].
    pub files: u32,
    /// The number of its objects and their shallow sizes, in bytes.
    pub live: Tally,
    /// Where more than half of it is, in the [tree of everything](Snapshot::everything_tree): the last object on
    /// the path there that is the owner's own. If it is nowhere, the object below which most of it is.
    pub example: Option<Rank>,
}

/// The objects of a snapshot by their owners. Each live object has one, so the sizes of all owners add up to that
/// of all live objects.
///
/// An object belongs to the source of the code that holds it by an upvalue, as a constant, a global variable, a
/// module or in a stack, or that holds another object with it in it. Sources are put together by
/// [plugin, rock or folder](Owner::name). In a difference only what its paths show is known.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, OwnerKind, Owners, Snapshot, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // A function of `./plugins/chat.lua` has a table of 100 bytes as an upvalue.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (function, _) = builder.node(Kind::LuaFunction, 0x20)?;
/// let (history, _) = builder.node(Kind::Table, 0x30)?;
/// let source = builder.name(b"./plugins/chat.lua")?;
/// builder.set_source(function, source);
/// builder.set_size(history, 100);
/// let root = Label::Root(builder.name(b"_G")?);
/// let field = Label::Field(builder.name(b"say")?);
/// let upvalue = Label::Upvalue(builder.name(b"history")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, function, field, Strength::Strong)?;
/// builder.edge(function, history, upvalue, Strength::Strong)?;
///
/// let owners = Owners::new(&Snapshot::new(builder.finish()?))?;
/// let chat = &owners.owners()[owners.of(history).unwrap()];
/// assert_eq!((chat.kind, &chat.name[..]), (OwnerKind::Code, &b"plugins/chat"[..]));
/// assert_eq!((chat.live.count, chat.live.bytes), (2, 100));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Owners {
    owners: Vec<Owner>,
    /// By node: the place of its owner, or [`Owners::NOBODY`].
    of: Vec<u32>,
}

impl Owners {
    /// Stands for an object that is not live.
    const NOBODY: u32 = u32::MAX;
    /// The most sharings that are kept.
    const MOST_SHARINGS: usize = 16;

    /// Finds the owners of all live objects. Takes a few passes over the heap.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(snapshot: &Snapshot) -> Result<Owners, BuildError> {
        let heap = snapshot.everything();
        let reach = snapshot.reach()?;
        let places = Places::of(heap);
        let mut sources = Sources::new(heap, &places, |node| reach.contains(node))?;
        let (mut found, joint) = Rounds::run(heap, &reach, places, &mut sources)?;
        let mut sharings = sharings(snapshot, &reach, (&found, &joint), &sources)?;
        // What several have is one owner's from here on.
        for owner in found.iter_mut().filter(|owner| owner.is_shared()) {
            *owner = OwnerId::SHARED;
        }
        let tallies = tallies(snapshot, &reach, &found, sources.count())?;
        let examples = examples(heap, snapshot.everything_tree()?, &found, &tallies)?;
        let mut owners = Vec::new();
        for (id, (&live, example)) in (0..).zip(tallies.iter().zip(examples)) {
            if live.count > 0 {
                let mut owner = named(OwnerId(id), &sources);
                if owner.kind == OwnerKind::Shared {
                    owner.sharings = std::mem::take(&mut sharings);
                }
                push(
                    &mut owners,
                    (
                        id,
                        Owner {
                            live,
                            example,
                            ..owner
                        },
                    ),
                )?;
            }
        }
        sort_by_comparison(&mut owners, |(_, a), (_, b)| {
            let order = b.live.bytes.cmp(&a.live.bytes);
            order.then_with(|| a.name.cmp(&b.name))
        })?;
        let mut places = filled(tallies.len(), Self::NOBODY)?;
        for (place, (id, _)) in owners.iter().enumerate() {
            places[*id as usize] = place as u32;
        }
        let mut of = filled(heap.node_count(), Self::NOBODY)?;
        for node in heap.nodes() {
            if is_counted(snapshot, &reach, node) {
                of[node.index()] = places[found[node.index()].0 as usize];
            }
        }
        let owners = owners.into_iter().map(|(_, owner)| owner).collect();
        Ok(Owners { owners, of })
    }

    /// Returns the owners, by the bytes of their objects, most first.
    pub fn owners(&self) -> &[Owner] {
        &self.owners
    }

    /// Returns the place of an object's owner among all [owners](Self::owners), for a node of
    /// [everything](Snapshot::everything); `None` if it is not live.
    pub fn of(&self, node: NodeId) -> Option<usize> {
        let owner = *self.of.get(node.index())?;
        (owner != Self::NOBODY).then_some(owner as usize)
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let names = self.owners.iter().map(|owner| owner.name.capacity());
        let sharings = self.owners.iter().flat_map(|owner| &owner.sharings);
        let sharings = sharings.map(|sharing| size_of::<Sharing>() + held(&sharing.owners));
        held(&self.owners) + held(&self.of) + names.sum::<usize>() + sharings.sum::<usize>()
    }
}

/// Whether an object counts as live, as in a [census](crate::Census).
fn is_counted(snapshot: &Snapshot, reach: &Reach, node: NodeId) -> bool {
    let heap = snapshot.everything();
    match heap.kind(node) {
        Kind::Root | Kind::Snapshot => false,
        _ if snapshot.is_difference() => snapshot.is_member(node),
        _ => heap.all_reached || reach.contains(node),
    }
}

/// Returns the number and the bytes of each owner's objects.
fn tallies(
    snapshot: &Snapshot,
    reach: &Reach,
    found: &[OwnerId],
    owners: usize,
) -> Result<Vec<Tally>, BuildError> {
    let heap = snapshot.everything();
    let mut tallies = filled(owners, Tally::default())?;
    for node in heap
        .nodes()
        .filter(|node| is_counted(snapshot, reach, *node))
    {
        tallies[found[node.index()].0 as usize].add(heap.size(node));
    }
    Ok(tallies)
}

/// Returns what owners have together, most bytes first.
fn sharings(
    snapshot: &Snapshot,
    reach: &Reach,
    (found, joint): (&[OwnerId], &JointOwners),
    sources: &Sources<'_>,
) -> Result<Vec<Sharing>, BuildError> {
    let heap = snapshot.everything();
    // Those of very many come last.
    let mut tallies = filled(joint.sets().len() + 1, Tally::default())?;
    let shared = heap
        .nodes()
        .filter(|node| found[node.index()].is_shared() && is_counted(snapshot, reach, *node));
    for node in shared {
        let place = found[node.index()].0.checked_sub(OwnerId::FIRST_JOINT);
        let place = place.map_or(joint.sets().len(), |place| place as usize);
        tallies[place].add(heap.size(node));
    }
    let mut sharings = Vec::new();
    for (place, live) in tallies.into_iter().enumerate() {
        if live.count == 0 {
            continue;
        }
        let mut owners = Vec::new();
        for owner in joint
            .sets()
            .get(place)
            .into_iter()
            .flat_map(Sharers::owners)
        {
            let owner = named(owner, sources);
            push(&mut owners, (owner.kind, owner.name))?;
        }
        sort_by_comparison(&mut owners, Ord::cmp)?;
        push(&mut sharings, Sharing { owners, live })?;
    }
    sort_by_comparison(&mut sharings, |a, b| {
        let order = b.live.bytes.cmp(&a.live.bytes);
        order
            .then_with(|| b.live.count.cmp(&a.live.count))
            .then_with(|| a.owners.cmp(&b.owners))
    })?;
    sharings.truncate(Owners::MOST_SHARINGS);
    Ok(sharings)
}

/// Returns where most of each owner's bytes are.
fn examples(
    heap: &Heap,
    tree: &ShortestPathTree,
    found: &[OwnerId],
    tallies: &[Tally],
) -> Result<Vec<Option<Rank>>, BuildError> {
    let owner = |rank: Rank| found[tree.node(rank).index()];
    // By rank: the bytes of the owner's objects below, without those below another's.
    let mut bytes = filled(tree.len(), 0u64)?;
    for at in (0..tree.len()).rev() {
        let rank = Rank(at as u32);
        bytes[at] = bytes[at].saturating_add(heap.size(tree.node(rank)));
        if let Some(above) = tree
            .parent(rank)
            .filter(|above| owner(*above) == owner(rank))
        {
            bytes[above.index()] = bytes[above.index()].saturating_add(bytes[at]);
        }
    }
    let mut examples: Vec<Option<Rank>> = filled(tallies.len(), None)?;
    for rank in tree.ranks() {
        let owner = owner(rank).0 as usize;
        let here = bytes[rank.index()];
        let is_most = here > tallies[owner].bytes / 2;
        let is_better = match examples[owner] {
            Some(known) => is_most || here > bytes[known.index()],
            None => true,
        };
        if is_better {
            examples[owner] = Some(rank);
        }
    }
    Ok(examples)
}

/// Returns an owner without its objects.
fn named(id: OwnerId, sources: &Sources<'_>) -> Owner {
    let kind = match id {
        OwnerId::NONE => OwnerKind::Unknown,
        OwnerId::SHARED => OwnerKind::Shared,
        OwnerId::LUA => OwnerKind::Lua,
        OwnerId::UNNAMED => OwnerKind::Unnamed,
        _ => OwnerKind::Code,
    };
    let (name, files) = match sources.owner(id) {
        Some(named) => (named.name.clone(), named.files),
        None => (Vec::new(), 0),
    };
    Owner {
        kind,
        name,
        sharings: Vec::new(),
        files,
        live: Tally::default(),
        example: None,
    }
}

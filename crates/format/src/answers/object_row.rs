//! What an object is: where a function is defined, what a coroutine is doing, how large a table is.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_name::class_text;
use crate::answers::group_title::GroupTitles;
use crate::answers::name::{Name, NameText};
use crate::answers::short_path::cut_name;
use crate::labels::numbers::grouped;
use luasnap_heap::{
    GroupName, Groups, Heap, Kind, Label, NodeId, PathStarts, Rank, ShortestPathTree, Snapshot,
    SparseTable, weak_mode,
};
use luasnap_words::{Argument, Sentence, count, noun};
use serde::Serialize;

/// What an object is.
#[derive(Clone, Debug, Serialize)]
pub struct ObjectRow {
    /// Its kind.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// Its address.
    #[serde(serialize_with = "field::address")]
    pub address: u64,
    /// Its class, if it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub class: Option<Name>,
    /// Of functions in Lua: where it is defined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defined_at: Option<Name>,
    /// Of tables: the number of entries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entries: Option<u32>,
    /// Of tables with many empty slots: what its slots are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slots: Option<SlotsRow>,
    /// Of weak tables: what is weak, as in `__mode`: `k`, `v` or `kv`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weak: Option<&'static str>,
    /// All that in words: `function jobs.lua:12`, `table with 3 entries, weak keys`.
    pub words: Sentence,
}

/// The slots of a table.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SlotsRow {
    /// The number of slots of its array part, ...
    pub array: u32,
    /// ... and how many of them are in use.
    pub array_used: u32,
    /// The number of slots of its hash part, ...
    pub hash: u32,
    /// ... and how many of them are in use.
    pub hash_used: u32,
}

impl ObjectRow {
    /// Returns what a node of [`Snapshot::everything`] is.
    pub(crate) fn of(snapshot: &Snapshot, node: NodeId) -> Result<ObjectRow> {
        let heap = snapshot.everything();
        ObjectRow::new(heap, || class_among(heap, snapshot.groups()?, node), node)
    }

    /// Returns what a node of [`Snapshot::everything`] is, which is of the class that its group's title has.
    pub(crate) fn titled(
        snapshot: &Snapshot,
        titles: &dyn GroupTitles,
        node: NodeId,
    ) -> Result<ObjectRow> {
        let class = || Ok(titles.title(node)?.and_then(|title| title.class));
        ObjectRow::new(snapshot.everything(), class, node)
    }

    /// Returns what a node is. `class` finds its class, which few objects have.
    fn new(
        heap: &Heap,
        class: impl FnOnce() -> Result<Option<Name>>,
        node: NodeId,
    ) -> Result<ObjectRow> {
        let kind = heap.kind(node);
        let is_table = kind == Kind::Table;
        let mut row = ObjectRow {
            kind,
            address: heap.address(node),
            class: class_of(heap, class, node)?,
            defined_at: match kind {
                Kind::LuaFunction => Some(defined_at(heap, node)?),
                _ => None,
            },
            entries: is_table.then(|| heap.count(node)),
            slots: slots_of(heap, node),
            weak: is_table.then(|| weak_letters(heap, node)).flatten(),
            words: Sentence::new("object.words"),
        };
        row.words = row.in_words(heap, node)?;
        Ok(row)
    }

    fn in_words(&self, heap: &Heap, node: NodeId) -> Result<Sentence> {
        let of_name =
            |code: &'static str, name: &Name| Sentence::new(code).with("name", name).into();
        let what: Argument = match self.kind {
            Kind::LuaFunction if heap.count(node) == 0 => {
                of_name("object.main_function", &cut_name(heap.source(node))?)
            }
            Kind::LuaFunction => of_name("object.function", &defined_at(heap, node)?),
            Kind::CFunction => Sentence::new("object.c_function").into(),
            Kind::Thread => thread(heap, node)?.into(),
            Kind::Prototype if !heap.source(node).is_empty() => {
                of_name("object.prototype", &defined_at(heap, node)?)
            }
            Kind::String => match heap.source(node) {
                // Texts may be left out of a file.
                [] => noun("string"),
                text => of_name("object.string", &cut_name(text)?),
            },
            kind => kind_noun(kind),
        };
        let entries = self.entries.map(|entries| {
            Sentence::new("object.entries").with("entries", count(entries.into(), "entry"))
        });
        let slots = |code: &'static str, (all, used): (u32, u32)| {
            (all > 0).then(|| {
                let slots = Sentence::new(code).with("used", grouped(used.into()));
                slots.with("slots", grouped(all.into()))
            })
        };
        let (array, hash) = match &self.slots {
            Some(of) => (
                slots("object.array", (of.array, of.array_used)),
                slots("object.hash", (of.hash, of.hash_used)),
            ),
            None => (None, None),
        };
        let weak = self.weak.map(|weak| {
            Sentence::new(match weak {
                "k" => "object.weak_keys",
                "v" => "object.weak_values",
                _ => "object.weak_keys_and_values",
            })
        });
        let class = self.class.as_ref();
        Ok(Sentence::new("object.words")
            .with("what", what)
            .with(
                "class",
                class.map(|class| Sentence::new("object.class").with("name", class)),
            )
            .with("entries", entries)
            .with("array", array)
            .with("hash", hash)
            .with("weak", weak))
    }
}

/// Returns what an object of a kind is called.
fn kind_noun(kind: Kind) -> Argument {
    match kind {
        Kind::Table | Kind::Prototype | Kind::Trace => noun(kind.type_name()),
        // These have no other name in any language.
        kind => kind.type_name().into(),
    }
}

/// Returns what the object at a rank is, if the last step of its path says little: a number in the registry, a key,
/// a variable without a name. `None` if the step says enough.
pub(crate) fn anonymous_object(snapshot: &Snapshot, rank: Rank) -> Result<Option<Sentence>> {
    let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
    match is_anonymous(heap, tree, rank) {
        true => Ok(Some(ObjectRow::of(snapshot, tree.node(rank))?.words)),
        false => Ok(None),
    }
}

/// Returns what the object at a rank of these paths in everything is, as [`anonymous_object`] does.
pub(crate) fn anonymous_titled(
    snapshot: &Snapshot,
    tree: &ShortestPathTree,
    titles: &dyn GroupTitles,
    rank: Rank,
) -> Result<Option<Sentence>> {
    match is_anonymous(snapshot.everything(), tree, rank) {
        true => Ok(Some(
            ObjectRow::titled(snapshot, titles, tree.node(rank))?.words,
        )),
        false => Ok(None),
    }
}

/// Returns what the example of a group of this heap is, as [`anonymous_object`] does, unless the name of the group
/// says it.
pub(crate) fn anonymous_example(
    heap: &Heap,
    tree: &ShortestPathTree,
    groups: &Groups,
    (name, example): (GroupName, Rank),
) -> Result<Option<Sentence>> {
    let name_says_it = match name {
        GroupName::Code { .. } | GroupName::Coroutine(_) | GroupName::Class(_) => true,
        GroupName::LoadedCode { .. } => heap.kind(tree.node(example)) == Kind::Prototype,
        // One of many texts, by chance, says nothing about the others.
        GroupName::StringsOf(_) | GroupName::SharedStrings => true,
        GroupName::HeldBy(_) => false,
    };
    match name_says_it {
        true => Ok(None),
        false => anonymous_in(heap, tree, groups, example),
    }
}

/// Returns what the object at a rank of this heap is, as [`anonymous_object`] does.
pub(crate) fn anonymous_in(
    heap: &Heap,
    tree: &ShortestPathTree,
    groups: &Groups,
    rank: Rank,
) -> Result<Option<Sentence>> {
    let node = tree.node(rank);
    match is_anonymous(heap, tree, rank) {
        true => Ok(Some(
            ObjectRow::new(heap, || class_among(heap, groups, node), node)?.words,
        )),
        false => Ok(None),
    }
}

fn is_anonymous(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> bool {
    let node = tree.node(rank);
    // Globals, modules and the main thread have names, wherever they are found.
    if PathStarts::of(heap).step(heap, tree, rank).is_some() {
        return false;
    }
    // What an upvalue has is at the step of the upvalue.
    let step = match heap.label(tree.edge(rank)) {
        Label::Value => tree.parent(rank).unwrap_or(rank),
        _ => rank,
    };
    let is_nameless = |name| matches!(heap.name(name), [] | [b'(', ..]);
    match heap.label(tree.edge(step)) {
        Label::Index(_) | Label::Number(_) | Label::Boolean(_) => {
            let registry = heap.root_named(b"[REGISTRY]").map(|edge| edge.target);
            let above = tree.parent(step).map(|above| tree.node(above));
            registry.is_some() && above == registry || says_what_it_is(heap, node)
        }
        Label::Key | Label::Object(_) | Label::Address(..) => true,
        Label::UserValue(_) | Label::Prototype | Label::Constant | Label::Trace => true,
        Label::Upvalue(name) | Label::Local(name) => is_nameless(name),
        Label::Root(name) => matches!(heap.name(name), b"[fixed]" | b"[root]" | b"[finalizer]"),
        Label::Field(_)
        | Label::Metatable
        | Label::Environment
        | Label::DebugName
        | Label::Value => false,
    }
}

/// Whether more is known about an object than how many entries it has.
fn says_what_it_is(heap: &Heap, node: NodeId) -> bool {
    match heap.kind(node) {
        Kind::LuaFunction | Kind::Thread => true,
        Kind::Table | Kind::Userdata => has_metatable(heap, node),
        _ => false,
    }
}

fn has_metatable(heap: &Heap, node: NodeId) -> bool {
    heap.edges(node).any(|edge| edge.label == Label::Metatable)
}

/// Returns the name of an object's class, if it has one.
fn class_of(
    heap: &Heap,
    class: impl FnOnce() -> Result<Option<Name>>,
    node: NodeId,
) -> Result<Option<Name>> {
    if !matches!(heap.kind(node), Kind::Table | Kind::Userdata) || !has_metatable(heap, node) {
        return Ok(None);
    }
    class()
}

/// Returns the class that a node's group is, if it is one.
fn class_among(heap: &Heap, groups: &Groups, node: NodeId) -> Result<Option<Name>> {
    let group = groups.group_of(node).map(|at| groups.groups()[at].name);
    match group {
        Some(GroupName::Class(name)) => class_text(heap, groups, name).map(Some),
        _ => Ok(None),
    }
}

/// Returns where a function is defined.
fn defined_at(heap: &Heap, function: NodeId) -> Result<Name> {
    let mut text = NameText::default();
    text.push_name(&cut_name(heap.source(function))?)?;
    text.push(format!(":{}", heap.count(function)).as_bytes())?;
    Ok(text.finish())
}

/// Returns what a thread is, and what it is doing.
fn thread(heap: &Heap, node: NodeId) -> Result<Sentence> {
    let main = heap.root_named(b"[mainthread]").map(|edge| edge.target);
    if main == Some(node) {
        return Ok(Sentence::new("object.main_thread"));
    }
    Ok(match CoroutineRow::of(heap, node)? {
        Some(row) => Sentence::new("object.coroutine_doing").with("doing", row.words),
        None => Sentence::new("object.coroutine"),
    })
}

/// Returns the slots of a table, if they are known.
fn slots_of(heap: &Heap, node: NodeId) -> Option<SlotsRow> {
    let tables = heap.sparse_tables();
    let found = tables.binary_search_by_key(&node, |of| of.node).ok()?;
    let SparseTable {
        array_slots,
        array_used,
        hash_slots,
        hash_used,
        ..
    } = tables[found];
    Some(SlotsRow {
        array: array_slots,
        array_used,
        hash: hash_slots,
        hash_used,
    })
}

fn weak_letters(heap: &Heap, table: NodeId) -> Option<&'static str> {
    let mode = weak_mode(heap, table);
    match (mode.keys, mode.values) {
        (true, true) => Some("kv"),
        (true, false) => Some("k"),
        (false, true) => Some("v"),
        (false, false) => None,
    }
}

//! Whose the memory is, as rows.

use crate::answer_error::Result;
use crate::answers::field;
use crate::answers::ledger::Ledger;
use crate::answers::name::Name;
use crate::answers::short_path::path_of_everything;
use luasnap_heap::{Census, MAX_SHARERS, Owner, OwnerKind, Owners, Sharing, Snapshot};
use luasnap_words::Sentence;
use serde::{Serialize, Serializer};

/// The objects of one owner.
#[derive(Clone, Debug, Serialize)]
pub struct OwnerRow {
    /// What the owner is: `code`, `unnamed`, `lua`, `shared` or `unknown`.
    #[serde(serialize_with = "kind")]
    pub kind: OwnerKind,
    /// Its name: `telescope.nvim`, `plugins/chat`, `main.lua`; `code without a name`, `Lua`, `shared` and `unknown`
    /// for the other kinds.
    pub name: Name,
    /// The same, for people.
    #[serde(skip)]
    pub words: Sentence,
    /// Of `shared`: who has what together, most first. At most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sharers: Vec<SharersRow>,
    /// The number of its source files with code in use.
    pub files: u64,
    /// The number of its objects.
    pub count: u64,
    /// Their shallow sizes together, in bytes.
    pub size: u64,
    /// That as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// The path to the object where most of it is.
    pub example: Option<Name>,
}

/// What a few owners have together.
#[derive(Clone, Debug, Serialize)]
pub struct SharersRow {
    /// Their names; empty for what more than three have.
    pub owners: Vec<Name>,
    /// The number of objects.
    pub count: u64,
    /// Their shallow sizes together, in bytes.
    pub size: u64,
    /// That as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// Whose they are in words: `by plugins/a and plugins/b`.
    pub words: Sentence,
}

/// The owners that have most.
#[derive(Clone, Debug, Serialize)]
pub struct TopOwners {
    /// The bytes of all objects.
    pub size: u64,
    /// The number of objects.
    pub count: u64,
    /// The owners, by the bytes of their objects, most first.
    pub owners: Vec<OwnerRow>,
    /// The number of owners in all.
    pub owner_count: usize,
    /// Where the process's memory is.
    pub ledger: Ledger,
}

impl OwnerRow {
    fn new(snapshot: &Snapshot, owner: &Owner, all: u64) -> Result<OwnerRow> {
        let example = owner.example;
        let example = example.map(|rank| path_of_everything(snapshot, rank));
        Ok(OwnerRow {
            kind: owner.kind,
            name: owner_name(owner.kind, &owner.name),
            words: owner_words(owner.kind, &owner.name),
            sharers: owner
                .sharings
                .iter()
                .map(|sharing| SharersRow::new(sharing, all))
                .collect(),
            files: owner.files.into(),
            count: owner.live.count,
            size: owner.live.bytes,
            share: field::share(owner.live.bytes, all),
            example: example.transpose()?,
        })
    }
}

impl SharersRow {
    fn new(sharing: &Sharing, all: u64) -> SharersRow {
        let owners = sharing.owners.iter();
        let owners: Vec<Name> = owners.map(|(kind, name)| owner_name(*kind, name)).collect();
        let named = sharing
            .owners
            .iter()
            .map(|(kind, name)| owner_words(*kind, name));
        let listed = named
            .enumerate()
            .fold(None, |before: Option<Sentence>, (at, owner)| {
                let Some(before) = before else {
                    return Some(owner);
                };
                let code = match at + 1 == owners.len() {
                    true => "list.last",
                    false => "list.more",
                };
                Some(
                    Sentence::new(code)
                        .with("before", before)
                        .with("last", owner),
                )
            });
        let listed = listed
            .unwrap_or_else(|| Sentence::new("owner.many").with("number", MAX_SHARERS.to_string()));
        SharersRow {
            owners,
            count: sharing.live.count,
            size: sharing.live.bytes,
            share: field::share(sharing.live.bytes, all),
            words: Sentence::new("owner.by").with("owners", listed),
        }
    }
}

/// Returns what people call an owner.
fn owner_words(kind: OwnerKind, name: &[u8]) -> Sentence {
    match kind {
        OwnerKind::Code => Sentence::new("owner.code").with("name", &Name::from(name.to_vec())),
        OwnerKind::Unnamed => Sentence::new("owner.unnamed"),
        OwnerKind::Lua => Sentence::new("owner.lua"),
        OwnerKind::Shared => Sentence::new("owner.shared"),
        OwnerKind::Unknown => Sentence::new("owner.unknown"),
    }
}

fn owner_name(kind: OwnerKind, name: &[u8]) -> Name {
    Name::from(owner_words(kind, name).bytes())
}

/// Returns the name of a kind of owner in data.
pub fn owner_kind(kind: OwnerKind) -> &'static str {
    match kind {
        OwnerKind::Code => "code",
        OwnerKind::Unnamed => "unnamed",
        OwnerKind::Lua => "lua",
        OwnerKind::Shared => "shared",
        OwnerKind::Unknown => "unknown",
    }
}

/// Returns a kind of owner in words.
pub fn owner_kind_words(kind: OwnerKind) -> Sentence {
    Sentence::new(match kind {
        OwnerKind::Code => "owner_kind.code",
        OwnerKind::Unnamed => "owner_kind.unnamed",
        OwnerKind::Lua => "owner_kind.lua",
        OwnerKind::Shared => "owner_kind.shared",
        OwnerKind::Unknown => "owner_kind.unknown",
    })
}

fn kind<S: Serializer>(kind: &OwnerKind, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(owner_kind(*kind))
}

/// Returns the `n` owners of a snapshot that have most. Each object is one owner's, so all rows add up to all
/// objects.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // A function of `./plugins/chat.lua` has a table of 100 bytes as an upvalue.
/// let mut builder = HeapBuilder::new();
/// let (function, _) = builder.node(Kind::LuaFunction, 0x20)?;
/// let (history, _) = builder.node(Kind::Table, 0x30)?;
/// let source = builder.name(b"./plugins/chat.lua")?;
/// builder.set_source(function, source);
/// builder.set_size(history, 100);
/// let root = Label::Root(builder.name(b"say")?);
/// let upvalue = Label::Upvalue(builder.name(b"history")?);
/// builder.edge(NodeId::ROOT, function, root, Strength::Strong)?;
/// builder.edge(function, history, upvalue, Strength::Strong)?;
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let top = luasnap_format::top_owners(&snapshot, 1)?;
/// assert_eq!(top.owners[0].name, "plugins/chat");
/// assert_eq!((top.owners[0].size, top.size), (100, 100));
/// # Ok(())
/// # }
/// ```
pub fn top_owners(snapshot: &Snapshot, n: usize) -> Result<TopOwners> {
    let census = Census::new(snapshot)?;
    let live = census.live;
    let owners = Owners::new(snapshot)?;
    let all = owners.owners();
    let rows = all.iter().take(n);
    let rows = rows.map(|owner| OwnerRow::new(snapshot, owner, live.bytes));
    Ok(TopOwners {
        size: live.bytes,
        count: live.count,
        owners: rows.collect::<Result<_>>()?,
        owner_count: all.len(),
        ledger: Ledger::new(snapshot, &census)?,
    })
}

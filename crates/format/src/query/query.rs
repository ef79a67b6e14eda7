//! Finding an object or a group by what a user typed.

use crate::answer_error::{AnswerError, Result};
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::short_path::pattern_text;
use crate::labels::printable::printable;
use crate::query::lookup::{LookupError, address_of, object_at, object_by_path, suggestions};
use crate::query::suggestions::Nearest;
use luasnap_heap::{NodeId, Snapshot};

/// What a user asks about.
#[derive(Clone, Debug)]
pub enum Query {
    /// One object: a node of [`Snapshot::everything`].
    Object(NodeId),
    /// The group with this index.
    Group(usize),
}

/// Why a word was not found in a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is an address without an object, or memory ran out.
    #[error(transparent)]
    Object(#[from] LookupError),
    /// It is neither a path nor the name of a group.
    #[error("{path}; and no group is called '{word}'{}", suggestions(near))]
    Neither {
        /// Why it is not a path.
        path: LookupError,
        /// The word.
        word: String,
        /// Groups with similar names.
        near: Vec<String>,
    },
}

impl From<AnswerError> for QueryError {
    fn from(error: AnswerError) -> Self {
        QueryError::Object(error.into())
    }
}

/// Finds an object by its address (`0x55d0`, `table: 0x55d0`) or its path (`_G.server.sessions`), or a group by its
/// fingerprint or its name. A path that is also a group's name means the object; a place in the source means
/// the functions, not their prototype.
///
/// # Examples
///
/// ```
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
/// let resolve = |word: &str| luasnap_format::resolve(&snapshot, word.as_bytes());
/// assert_eq!(resolve("_G.cache")?.nodes(&snapshot)?, [cache]);
/// assert_eq!(resolve("0x20")?.nodes(&snapshot)?, [cache]);
/// assert_eq!(resolve("_G.cache.[*]")?.nodes(&snapshot)?.len(), 2);
/// assert!(resolve("_G.cash").is_err_and(|error| error.to_string().contains("is it cache?")));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`QueryError`], with similar names, if the word means nothing in the snapshot, or if memory runs out.
pub fn resolve(snapshot: &Snapshot, word: &[u8]) -> Result<Query, QueryError> {
    let heap = snapshot.everything();
    if let Some(address) = address_of(word) {
        return Ok(Query::Object(object_at(heap, address)?));
    }
    let path = match object_by_path(heap, word) {
        Ok(node) => return Ok(Query::Object(node)),
        Err(LookupError::Failed(error)) => return Err(error.into()),
        Err(path) => path,
    };
    let groups = snapshot.groups().map_err(AnswerError::from)?;
    let tree = snapshot.everything_tree().map_err(AnswerError::from)?;
    let printed = printable(word);
    let mut nearest = Nearest::to(printed.as_bytes());
    let (mut inner, mut by_pattern, mut by_class) = (None, None, ByClass::None);
    for (index, group) in groups.groups().iter().enumerate() {
        let name = group_name(heap, tree, groups, group)?;
        let has_name = name.is_meant_by(word);
        let is_meant = has_name && group.kind.is_object();
        if is_meant || fingerprint_text(group.fingerprint).as_bytes() == word {
            return Ok(Query::Group(index));
        }
        inner = inner.or(has_name.then_some(index));
        // Reports call functions by their path as well.
        if by_pattern.is_none() && group.has_one_pattern && group.kind.is_object() {
            let pattern = pattern_text(heap, groups, group.pattern)?;
            by_pattern = pattern.is_meant_by(word).then_some(index);
        }
        by_class.see(&name, word, index);
        nearest.see(name.to_string().as_bytes());
    }
    let inner = inner.or(by_pattern).or(by_class.only());
    match inner {
        Some(index) => Ok(Query::Group(index)),
        None => Err(QueryError::Neither {
            path,
            word: printed,
            near: nearest.words(),
        }),
    }
}

impl Query {
    /// Returns the objects that are meant, as nodes of [`Snapshot::everything`].
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`] if memory runs out.
    pub fn nodes(&self, snapshot: &Snapshot) -> Result<Vec<NodeId>> {
        match self {
            Query::Object(node) => Ok(vec![*node]),
            Query::Group(index) => {
                let groups = snapshot.groups()?;
                let mut nodes = Vec::new();
                nodes.try_reserve_exact(groups.members(*index).len())?;
                nodes.extend_from_slice(groups.members(*index));
                // Answers show the path to the first: that is the example that was shown before.
                let example = groups.groups()[*index].example;
                let example = snapshot.everything_tree()?.node(example);
                if let Some(at) = nodes.iter().position(|node| *node == example) {
                    nodes.swap(0, at);
                }
                Ok(nodes)
            }
        }
    }
}

/// The classes of which a word is the last part: `class Player` of `class _G.Player`.
#[derive(Clone, Copy)]
enum ByClass {
    None,
    One(usize),
    Several,
}

impl ByClass {
    fn see(&mut self, name: &Name, word: &[u8], index: usize) {
        const CLASS: &[u8] = b"class ";
        let (Some(name), Some(word)) = (name.bytes().strip_prefix(CLASS), word.strip_prefix(CLASS))
        else {
            return;
        };
        let rest = name.strip_suffix(word);
        if rest.is_some_and(|rest| rest.ends_with(b".")) {
            *self = match self {
                ByClass::None => ByClass::One(index),
                _ => ByClass::Several,
            };
        }
    }

    fn only(self) -> Option<usize> {
        match self {
            ByClass::One(index) => Some(index),
            _ => None,
        }
    }
}

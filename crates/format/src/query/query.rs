//! Finding an object or a group by what a user typed.

use crate::answer_error::{AnswerError, Result};
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::short_path::{path_of_everything, pattern_text, steps_text};
use crate::labels::environment::ENVIRONMENT;
use crate::labels::printable::printable;
use crate::query::cut_path::objects_by_cut_path;
use crate::query::last_part::{Candidate, objects_by_last_part};
use crate::query::lookup::{address_of, object_at};
use crate::query::lookup_error::{LookupError, suggestions};
use crate::query::path_search::{PathSearch, Reading};
use crate::query::pattern::objects_by_pattern;
use crate::query::suggestions::Nearest;
use luasnap_heap::{Heap, Label, NodeId, Snapshot};
use luasnap_words::{Argument, Sentence, Spoken, count, displayed_in_english, list};

/// What a user asks about.
#[derive(Clone, Debug)]
pub enum Query {
    /// One object: a node of [`Snapshot::everything`].
    Object(NodeId),
    /// The group with this index.
    Group(usize),
    /// These objects, which are no group of the snapshot: what a path pattern means, or all GC roots of a name.
    Objects(Vec<NodeId>),
}

/// Why a word was not found in a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// It is an address without an object, or memory ran out.
    Object(#[from] LookupError),
    /// It is neither a path nor the name of a group.
    Neither {
        /// Why it is not a path.
        path: LookupError,
        /// The word.
        word: String,
        /// Groups with similar names.
        near: Vec<String>,
    },
    /// It is the last part of several names, or what people saw of several that were cut.
    Several {
        /// The word.
        word: String,
        /// The number of things that it may mean.
        count: u64,
        /// What they are: `object` or `group`.
        sort: &'static str,
        /// The names of a few of them, best first.
        best: Vec<String>,
    },
}

/// The most things that an error names of those that a word may mean.
const NAMED: usize = 5;

impl Spoken for QueryError {
    fn sentence(&self) -> Sentence {
        match self {
            QueryError::Object(error) => error.sentence(),
            QueryError::Neither { path, word, near } => Sentence::new("query.neither")
                .with("path", path.sentence())
                .with("word", word)
                .with("near", suggestions(near)),
            QueryError::Several {
                word,
                count: of,
                sort,
                best,
            } => Sentence::new("query.several")
                .with("word", word)
                .with("things", count(*of, sort))
                .with("best", candidates(best, *of)),
        }
    }
}

displayed_in_english!(QueryError);

fn candidates(best: &[String], count: u64) -> Argument {
    const COMMA: &str = "list.comma";
    match best {
        [some @ .., last] if best.len() as u64 == count && !some.is_empty() => {
            list([list(some, COMMA), last.into()], "list.or")
        }
        best => list(best.iter().map(String::as_str).chain(["..."]), COMMA),
    }
}

impl From<AnswerError> for QueryError {
    fn from(error: AnswerError) -> Self {
        QueryError::Object(error.into())
    }
}

/// Finds what a word means: an object by its address (`0x55d0`, `table: 0x55d0`) or its path (`_G.server.sessions`,
/// `[environment of chat.lua].history`),
/// a group by its fingerprint or its name, or the objects of a path pattern (`_G.panels.[*]`).
///
/// A path that is also a group's name means the object; a place in the source means the functions, not their
/// prototype. Paths and names that people saw cut are found, too, and so is what a last part alone may mean
/// (`sessions`), if that is one thing.
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
    if let Some(address) = address_of(word) {
        return Ok(Query::Object(object_at(snapshot.everything(), address)?));
    }
    let printed = printable(word);
    if let Some(roots) = roots_named(snapshot, printed.as_bytes()) {
        return Ok(Query::Objects(roots));
    }
    let mut search = PathSearch::in_snapshot(snapshot, printed.as_bytes(), Reading::default())?;
    let first = search.next()?;
    let mut others = match printed.as_bytes().starts_with(ENVIRONMENT) {
        // Code of one name may have many environments.
        true => search.all()?,
        false => Vec::new(),
    };
    if let (Some(node), []) = (first, &others[..]) {
        return Ok(Query::Object(node));
    }
    let named = GroupsNamed::find(snapshot, word)?;
    if let Some(index) = named.exact.or(named.inner).or(named.by_pattern) {
        return Ok(Query::Group(index));
    }
    if let Some(first) = first {
        others.try_reserve(1).map_err(AnswerError::from)?;
        others.insert(0, first);
        return Ok(Query::Objects(others));
    }
    let path = search.lost();
    let by_cut_path = objects_by_cut_path(snapshot, printed.as_bytes())?;
    if let Some(object) = one_object(snapshot, &printed, &by_cut_path)? {
        return Ok(object);
    }
    if let Some(group) = one_group(snapshot, &printed, &named.by_cut_name)? {
        return Ok(group);
    }
    if let ([group], true) = (&named.by_end[..], word.starts_with(b"class ")) {
        return Ok(Query::Group(*group));
    }
    let by_pattern = objects_by_pattern(snapshot, printed.as_bytes())?;
    if !by_pattern.is_empty() {
        return Ok(Query::Objects(by_pattern));
    }
    let by_last_part = objects_by_last_part(snapshot, printed.as_bytes())?;
    match (&by_last_part[..], &named.by_end[..]) {
        ([candidate], _) => Ok(Query::Object(candidate.target)),
        (_, [group]) => Ok(Query::Group(*group)),
        ([], _) => match one_group(snapshot, &printed, &named.by_end)? {
            Some(group) => Ok(group),
            None => Err(QueryError::Neither {
                path,
                word: printed,
                near: named.nearest.words(),
            }),
        },
        (several, _) => Err(QueryError::Several {
            word: printed,
            count: several.len() as u64,
            sort: "object",
            best: candidate_names(snapshot, several)?,
        }),
    }
}

/// Finds the object that a word means as [`resolve`] does, if it is its address or its path; `None` for anything else, of
/// which the groups tell what it means.
///
/// # Errors
///
/// [`QueryError`] if it is an address without an object, or if memory runs out.
pub fn resolve_object(snapshot: &Snapshot, word: &[u8]) -> Result<Option<NodeId>, QueryError> {
    if let Some(address) = address_of(word) {
        return Ok(Some(object_at(snapshot.everything(), address)?));
    }
    let printed = printable(word);
    if roots_named(snapshot, printed.as_bytes()).is_some() {
        return Ok(None);
    }
    let mut search = PathSearch::in_snapshot(snapshot, printed.as_bytes(), Reading::default())?;
    match printed.as_bytes().starts_with(ENVIRONMENT) {
        true => Ok(None),
        false => Ok(search.next()?),
    }
}

/// Returns what several GC roots of this name refer to, such as `[REGISTRY].[fixed]`; `None` if there are not several.
/// Growth calls all of them `the roots`.
fn roots_named(snapshot: &Snapshot, word: &[u8]) -> Option<Vec<NodeId>> {
    let heap = snapshot.everything();
    let is_all = word == b"the roots";
    let word = below_first_root(heap, word).unwrap_or(word);
    let has_name = |label| match label {
        _ if is_all => true,
        Label::Root(name) => printable(heap.name(name)).as_bytes() == word,
        _ => false,
    };
    let named = || heap.root_range().filter(|edge| has_name(heap.label(*edge)));
    (named().count() > 1).then(|| named().map(|edge| heap.target(edge)).collect())
}

/// Returns what follows the first GC root in a path: all other GC roots are below that one.
fn below_first_root<'w>(heap: &Heap, word: &'w [u8]) -> Option<&'w [u8]> {
    let first = heap.root_range().next().map(|edge| heap.label(edge));
    let Some(Label::Root(first)) = first else {
        return None;
    };
    let rest = word.strip_prefix(printable(heap.name(first)).as_bytes())?;
    rest.strip_prefix(b".")
}

/// Returns the only one of these objects; `None` if there are none.
fn one_object(
    snapshot: &Snapshot,
    word: &str,
    objects: &[NodeId],
) -> Result<Option<Query>, QueryError> {
    match objects {
        [] => return Ok(None),
        [object] => return Ok(Some(Query::Object(*object))),
        _ => {}
    }
    let tree = snapshot.everything_tree().map_err(AnswerError::from)?;
    let first = &objects[..objects.len().min(NAMED)];
    let ranks = tree.ranks_of(first).map_err(AnswerError::from)?;
    let paths = ranks.into_iter().flatten();
    let paths = paths.map(|rank| Ok(path_of_everything(snapshot, rank)?.to_string()));
    Err(QueryError::Several {
        word: word.to_owned(),
        count: objects.len() as u64,
        sort: "object",
        best: paths.collect::<Result<_>>()?,
    })
}

/// Returns the paths of the first candidates, by the references that the word names.
fn candidate_names(snapshot: &Snapshot, candidates: &[Candidate]) -> Result<Vec<String>> {
    let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
    let first = &candidates[..candidates.len().min(NAMED)];
    let sources: Vec<NodeId> = first.iter().map(|candidate| candidate.source).collect();
    let ranks = tree.ranks_of(&sources)?;
    let named = first.iter().zip(ranks).map(|(candidate, rank)| {
        let step = steps_text(heap, [heap.label(candidate.edge)].into_iter())?;
        Ok(match rank {
            Some(rank) => format!("{}.{step}", path_of_everything(snapshot, rank)?),
            None => step.to_string(),
        })
    });
    named.collect()
}

/// The groups whose names may be meant.
struct GroupsNamed {
    /// The group of objects with this name, or the one with this fingerprint.
    exact: Option<usize>,
    /// A group of what only the VM sees.
    inner: Option<usize>,
    /// The group of which all members have paths of this pattern. Reports call functions by their path as well.
    by_pattern: Option<usize>,
    /// Groups of which people see this, since their names are long.
    by_cut_name: Vec<usize>,
    /// Groups of objects whose names end in the word: `class Player` of `class _G.Player`.
    by_end: Vec<usize>,
    nearest: Nearest,
}

impl GroupsNamed {
    fn find(snapshot: &Snapshot, word: &[u8]) -> Result<GroupsNamed> {
        let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
        let groups = snapshot.groups()?;
        let printed = printable(word);
        let mut named = GroupsNamed {
            exact: None,
            inner: None,
            by_pattern: None,
            by_cut_name: Vec::new(),
            by_end: Vec::new(),
            nearest: Nearest::to(printed.as_bytes()),
        };
        for (index, group) in groups.groups().iter().enumerate() {
            let name = group_name(heap, tree, groups, group)?;
            let (is_name, is_object) = (name.is_wholly(word), group.kind.is_object());
            if is_name && is_object || fingerprint_text(group.fingerprint).as_bytes() == word {
                named.exact = Some(index);
                return Ok(named);
            }
            if named.inner.is_none() && is_name {
                named.inner = Some(index);
            }
            if named.by_pattern.is_none() && group.has_one_pattern && is_object {
                let pattern = pattern_text(heap, groups, group.pattern)?;
                named.by_pattern = pattern.is_wholly(word).then_some(index);
            }
            if name.is_cut_as(word) {
                push(&mut named.by_cut_name, index)?;
            }
            if is_object && ends_in(&printable(name.bytes()), &printed) {
                push(&mut named.by_end, index)?;
            }
            named.nearest.see(name.to_string().as_bytes());
        }
        Ok(named)
    }
}

/// Returns the only one of these groups; `None` if there are none.
fn one_group(
    snapshot: &Snapshot,
    word: &str,
    indices: &[usize],
) -> Result<Option<Query>, QueryError> {
    match indices {
        [] => return Ok(None),
        [index] => return Ok(Some(Query::Group(*index))),
        _ => {}
    }
    let groups = snapshot.groups().map_err(AnswerError::from)?;
    let tree = snapshot.everything_tree().map_err(AnswerError::from)?;
    let heap = snapshot.everything();
    let first = indices
        .iter()
        .take(NAMED)
        .map(|index| &groups.groups()[*index]);
    // Names that are cut alike are told apart by the fingerprints.
    let names = first.map(|group| {
        let name = group_name(heap, tree, groups, group)?;
        let fingerprint = fingerprint_text(group.fingerprint);
        Ok(format!("{name} ({fingerprint})"))
    });
    Err(QueryError::Several {
        word: word.to_owned(),
        count: indices.len() as u64,
        sort: "group",
        best: names.collect::<Result<_>>()?,
    })
}

fn push(indices: &mut Vec<usize>, index: usize) -> Result {
    indices.try_reserve(1)?;
    indices.push(index);
    Ok(())
}

/// Whether a word is the last part of a name: `class Player` of `class _G.Player`, `jobs.lua:5` of `src/jobs.lua:5`.
fn ends_in(name: &str, word: &str) -> bool {
    const CLASS: &str = "class ";
    let (name, word) = match word.strip_prefix(CLASS) {
        Some(word) => match name.strip_prefix(CLASS) {
            Some(name) => (name, word),
            None => return false,
        },
        None => (name, word),
    };
    let rest = name.strip_suffix(word).filter(|_| !word.is_empty());
    rest.is_some_and(|rest| rest.ends_with(['.', '/', ' ']))
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
            Query::Objects(nodes) => Ok(nodes.clone()),
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

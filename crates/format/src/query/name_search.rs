//! Searching a snapshot for names, piece by piece.

use crate::answer_error::Result;
use crate::answers::group_name::group_name;
use crate::query::lookup::{address_of, object_by_path};
use crate::query::lookup_error::LookupError;
use luasnap_heap::{Heap, Kind, Label, NodeId, Rank, Snapshot};

/// What a search for names finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NameHit {
    /// The group with this index has the word in its name.
    Group(usize),
    /// An object whose own step in its path, or whose source or text, has the word in it: a node of
    /// [`Snapshot::everything`].
    Object(NodeId),
}

/// A search for a word in the names of groups and objects, whatever the case of its letters. An address or a path that
/// is the word comes first, then groups, then objects, the nearest to a GC root first.
///
/// # Examples
///
/// ```
/// use luasnap_format::{NameHit, NameSearch};
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (cache, _) = builder.node(Kind::Table, 0x20)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// let field = Label::Field(builder.name(b"Cache")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, cache, field, Strength::Strong)?;
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let mut search = NameSearch::new(b"cache");
/// let mut found = Vec::new();
/// while search.look(&snapshot, 1000, &mut found)? {}
/// assert!(found.contains(&NameHit::Object(cache)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NameSearch {
    word: Vec<u8>,
    is_number: bool,
    next: Next,
}

/// What is looked at next.
#[derive(Clone, Copy, Debug)]
enum Next {
    Word,
    Group(usize),
    Rank(u32),
}

impl NameSearch {
    /// Begins a search. An empty word is in no name.
    pub fn new(word: &[u8]) -> NameSearch {
        NameSearch {
            is_number: !word.is_empty() && word.iter().all(u8::is_ascii_digit),
            word: word.to_vec(),
            next: Next::Word,
        }
    }

    /// Looks at the next `many` groups or objects, and appends what is found. Returns whether there are more.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn look(
        &mut self,
        snapshot: &Snapshot,
        many: usize,
        found: &mut Vec<NameHit>,
    ) -> Result<bool> {
        if self.word.is_empty() {
            return Ok(false);
        }
        match self.next {
            Next::Word => {
                self.next = Next::Group(0);
                if let Some(node) = self.exact(snapshot)? {
                    push(found, NameHit::Object(node))?;
                }
            }
            Next::Group(first) => self.groups(snapshot, first, many, found)?,
            Next::Rank(first) => return self.objects(snapshot, first, many, found),
        }
        Ok(true)
    }

    /// Returns the object whose address or path the word is.
    fn exact(&self, snapshot: &Snapshot) -> Result<Option<NodeId>> {
        let heap = snapshot.everything();
        if let Some(address) = address_of(&self.word) {
            return Ok(heap
                .nodes()
                .skip(1)
                .find(|node| heap.address(*node) == address));
        }
        if !self.word.contains(&b'.') {
            return Ok(None);
        }
        match object_by_path(heap, &self.word) {
            Ok(node) => Ok(Some(node)),
            Err(LookupError::Failed(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }

    fn groups(
        &mut self,
        snapshot: &Snapshot,
        first: usize,
        many: usize,
        found: &mut Vec<NameHit>,
    ) -> Result {
        let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
        let groups = snapshot.groups()?;
        let end = groups
            .groups()
            .len()
            .min(first + many.div_ceil(COST_OF_GROUP));
        for index in first..end {
            let group = &groups.groups()[index];
            // A single object is found as such.
            if group.count > 1 && self.is_in(group_name(heap, tree, groups, group)?.bytes()) {
                push(found, NameHit::Group(index))?;
            }
        }
        self.next = match end < groups.groups().len() {
            true => Next::Group(end),
            false => Next::Rank(0),
        };
        Ok(())
    }

    fn objects(
        &mut self,
        snapshot: &Snapshot,
        first: u32,
        many: usize,
        found: &mut Vec<NameHit>,
    ) -> Result<bool> {
        let (heap, tree) = (snapshot.everything(), snapshot.everything_tree()?);
        let end = tree.len().min(first as usize + many) as u32;
        for rank in (first..end).map(Rank) {
            let node = tree.node(rank);
            if self.is_in_label(heap, heap.label(tree.edge(rank))) || self.is_in_source(heap, node)
            {
                push(found, NameHit::Object(node))?;
            }
        }
        self.next = Next::Rank(end);
        Ok((end as usize) < tree.len())
    }

    fn is_in_label(&self, heap: &Heap, label: Label) -> bool {
        match (label, label.name()) {
            (_, Some(name)) => self.is_in(heap.name(name)),
            (Label::Index(index), None) if self.is_number => {
                self.is_in(index.to_string().as_bytes())
            }
            _ => false,
        }
    }

    /// Whether it is in the source of a function or in the text of a string.
    fn is_in_source(&self, heap: &Heap, node: NodeId) -> bool {
        let has_source = matches!(
            heap.kind(node),
            Kind::LuaFunction | Kind::Prototype | Kind::String
        );
        has_source && self.is_in(heap.source(node))
    }

    /// Whether the word is in a name.
    fn is_in(&self, name: &[u8]) -> bool {
        let mut places = name.windows(self.word.len());
        places.any(|part| part.eq_ignore_ascii_case(&self.word))
    }
}

/// A group takes as long as so many objects: its name is made.
const COST_OF_GROUP: usize = 16;

fn push(found: &mut Vec<NameHit>, hit: NameHit) -> Result {
    found.try_reserve(1)?;
    found.push(hit);
    Ok(())
}

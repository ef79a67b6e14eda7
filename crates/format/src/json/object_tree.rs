//! Snapshots as JSON: an object for each object, its children inside it.

use crate::answer_error::Result;
use crate::json::json_string::put_escaped;
use crate::labels::digits::push_decimal;
use crate::labels::object_label::{push_description, push_name, read_ahead};
use crate::labels::step::Step;
use crate::sink::Sink;
use luasnap_heap::{Heap, Rank, ShortestPathTree, Snapshot, Visit};
use std::io;

/// Writes the tree of shortest paths as JSON on one line. An empty snapshot is `null`.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let mut out = Vec::new();
/// luasnap_format::write_json(&mut out, &snapshot)?;
/// let expected = r#"{"name":"table:0x10","type":5,"refs":1,"desc":"(size: 0)","link":"_G","childs":[]}"#;
/// assert_eq!(String::from_utf8(out)?.trim_end(), expected);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails; [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit numbers.
pub fn write_json(out: &mut dyn io::Write, snapshot: &Snapshot) -> Result {
    write::<false>(out, snapshot)
}

/// Writes the tree of shortest paths as JSON, indented by two spaces per level of nesting, down to
/// objects at depth 64: below, the spaces would outgrow everything else. An empty snapshot is
/// `null`.
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails; [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit numbers.
pub fn write_json_indented(out: &mut dyn io::Write, snapshot: &Snapshot) -> Result {
    write::<true>(out, snapshot)
}

/// Objects below this depth are not indented further.
const DEEPEST: u32 = 64;

fn write<const INDENTED: bool>(out: &mut dyn io::Write, snapshot: &Snapshot) -> Result {
    let heap = snapshot.objects()?;
    let tree = snapshot.tree()?;
    let out = Sink::new(out)?;
    let mut writer = Writer::<INDENTED> {
        out,
        snapshot,
        heap,
        tree,
        scratch: Vec::new(),
        digits: Vec::new(),
    };
    if tree.is_empty() {
        writer.out.put(b"null")?;
    }
    for visit in tree.walk() {
        match visit {
            Visit::Enter { rank, depth } => writer.open(rank, depth)?,
            Visit::Leave { rank, depth } => writer.close(rank, depth)?,
        }
    }
    writer.out.put(b"\n")?;
    Ok(writer.out.flush()?)
}

struct Writer<'a, const INDENTED: bool> {
    out: Sink<'a>,
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    scratch: Vec<u8>,
    digits: Vec<u8>,
}

/// What is written before a member's value, starting with the end of the previous value.
struct Member {
    end: &'static str,
    compact: &'static str,
    indented: &'static str,
}

const NAME: Member = Member {
    end: "{",
    compact: r#""name":""#,
    indented: r#""name": ""#,
};
const TYPE: Member = Member {
    end: "\",",
    compact: r#""type":"#,
    indented: r#""type": "#,
};
const REFS: Member = Member {
    end: ",",
    compact: r#""refs":"#,
    indented: r#""refs": "#,
};
const DESC: Member = Member {
    end: ",",
    compact: r#""desc":""#,
    indented: r#""desc": ""#,
};
const LINK: Member = Member {
    end: "\",",
    compact: r#""link":""#,
    indented: r#""link": ""#,
};
const CHILDS: Member = Member {
    end: "\",",
    compact: r#""childs":["#,
    indented: r#""childs": ["#,
};

impl<const INDENTED: bool> Writer<'_, INDENTED> {
    /// Writes an object as far as its children.
    fn open(&mut self, rank: Rank, depth: u32) -> io::Result<()> {
        self.separate(rank, depth)?;
        let heap = self.heap;
        read_ahead(heap, self.tree, rank);
        let node = self.tree.node(rank);
        self.member(&NAME, depth)?;
        self.put_scratch(|out| push_name(out, heap, node))?;
        self.member(&TYPE, depth)?;
        match heap.kind(node).type_number() {
            Some(number) => self.put_scratch(|out| push_decimal(out, u64::from(number)))?,
            None => self.out.put(b"null")?,
        }
        self.member(&REFS, depth)?;
        let refs = self.tree.refs(node);
        self.put_scratch(|out| push_decimal(out, u64::from(refs)))?;
        self.member(&DESC, depth)?;
        self.scratch.clear();
        push_description(&mut self.scratch, heap, node, self.snapshot.change(node));
        put_escaped(&mut self.out, &self.scratch)?;
        self.member(&LINK, depth)?;
        self.put_step(heap, rank)?;
        self.member(&CHILDS, depth)
    }

    /// Writes what comes after an object's children.
    fn close(&mut self, rank: Rank, depth: u32) -> io::Result<()> {
        if INDENTED && self.tree.children(rank).len() > 0 {
            self.line(2 * depth.min(DEEPEST) + 1)?;
        }
        self.out.put(b"]")?;
        if INDENTED {
            self.line(2 * depth.min(DEEPEST))?;
        }
        self.out.put(b"}")
    }

    /// Writes what separates an object from the one before it.
    fn separate(&mut self, rank: Rank, depth: u32) -> io::Result<()> {
        let Some(parent) = self.tree.parent(rank) else {
            return Ok(());
        };
        if self.tree.children(parent).next() != Some(rank) {
            self.out.put(b",")?;
        }
        if INDENTED {
            self.line(2 * depth.min(DEEPEST))?;
        }
        Ok(())
    }

    #[inline]
    fn member(&mut self, member: &Member, depth: u32) -> io::Result<()> {
        self.out.put(member.end.as_bytes())?;
        if INDENTED {
            self.line(2 * depth.min(DEEPEST) + 1)?;
            self.out.put(member.indented.as_bytes())
        } else {
            self.out.put(member.compact.as_bytes())
        }
    }

    fn line(&mut self, levels: u32) -> io::Result<()> {
        const BLANKS: [u8; 4 * DEEPEST as usize + 2] = [b' '; 4 * DEEPEST as usize + 2];
        self.out.put(b"\n")?;
        self.out.put(&BLANKS[..2 * levels as usize])
    }

    fn put_step(&mut self, heap: &Heap, rank: Rank) -> io::Result<()> {
        let step = Step::new(heap, heap.label(self.tree.edge(rank)), &mut self.digits);
        if !step.open.is_empty() {
            put_escaped(&mut self.out, step.open.as_bytes())?;
        }
        put_escaped(&mut self.out, step.name)?;
        if !step.close.is_empty() {
            put_escaped(&mut self.out, step.close.as_bytes())?;
        }
        Ok(())
    }

    #[inline]
    fn put_scratch(&mut self, push: impl FnOnce(&mut Vec<u8>)) -> io::Result<()> {
        self.scratch.clear();
        push(&mut self.scratch);
        self.out.put(&self.scratch)
    }
}

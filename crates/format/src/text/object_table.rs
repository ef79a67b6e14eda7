//! Snapshots as a text table.

use crate::answer_error::Result;
use crate::labels::digits::push_decimal;
use crate::labels::object_label::{push_description, push_name, read_ahead};
use crate::labels::path::Path;
use crate::labels::printable::push_printable;
use crate::sink::Sink;
use luasnap_heap::{ShortestPathTree, Snapshot, Visit};
use std::io;

/// Whole paths are printed if all of them together have at most this many steps per row and ...
const STEPS_PER_ROW: u64 = 64;
/// ... this many more. Otherwise a list of a million tables would take a terabyte of text.
const STEPS_TO_SPARE: u64 = 1_000_000;

/// Writes the text table: a header, then a row for each object with its shortest path, parents
/// before children. For a difference, only the changed objects.
///
/// Paths are whole, unless they would make the text far too long: then a path of more than a
/// hundred steps is written with its first and its last sixteen.
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
/// luasnap_format::write_text(&mut out, &snapshot)?;
/// let text = String::from_utf8(out)?;
/// let row: Vec<_> = text.lines().nth(1).expect("there is one object").split('\t').collect();
/// assert_eq!(row.iter().map(|cell| cell.trim()).collect::<Vec<_>>(), ["table:0x10", "1", "(size: 0)", "_G"]);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails; [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit numbers.
pub fn write_text(out: &mut dyn io::Write, snapshot: &Snapshot) -> Result {
    let heap = snapshot.objects()?;
    let tree = snapshot.tree()?;
    let mut sink = Sink::new(out)?;
    put_row(&mut sink, b"name", b"refs", b"desc", [b"link", b""])?;
    let mut path = Path::new(heap, tree, !stays_in_bounds(snapshot, tree));
    let [mut name, mut refs, mut raw, mut description] = [const { Vec::new() }; 4];
    for visit in tree.walk() {
        let Visit::Enter { rank, depth } = visit else {
            continue;
        };
        read_ahead(heap, tree, rank);
        path.enter(rank, depth)?;
        let node = tree.node(rank);
        if !snapshot.is_member(node) {
            continue;
        }
        fill(&mut name, |out| push_name(out, heap, node));
        fill(&mut refs, |out| {
            push_decimal(out, u64::from(tree.refs(node)))
        });
        fill(&mut raw, |out| {
            push_description(out, heap, node, snapshot.change(node));
        });
        description.clear();
        push_printable(&mut description, &raw)?;
        put_row(&mut sink, &name, &refs, &description, path.parts())?;
    }
    Ok(sink.flush()?)
}

fn fill(cell: &mut Vec<u8>, push: impl FnOnce(&mut Vec<u8>)) {
    cell.clear();
    push(cell);
}

/// Whether the paths of all rows together have few enough steps.
fn stays_in_bounds(snapshot: &Snapshot, tree: &ShortestPathTree) -> bool {
    let (mut rows, mut steps) = (0, 0);
    for visit in tree.walk() {
        if let Visit::Enter { rank, depth } = visit
            && snapshot.is_member(tree.node(rank))
        {
            rows += 1;
            steps += u64::from(depth) + 1;
        }
    }
    steps <= STEPS_PER_ROW * rows + STEPS_TO_SPARE
}

/// `%26s\t%6s\t%18s\t%s\n`
fn put_row(
    out: &mut Sink<'_>,
    name: &[u8],
    refs: &[u8],
    description: &[u8],
    link: [&[u8]; 2],
) -> io::Result<()> {
    put_right(out, name, 26)?;
    put_right(out, refs, 6)?;
    put_right(out, description, 18)?;
    out.put(link[0])?;
    out.put(link[1])?;
    out.put(b"\n")
}

/// Writes a cell, right-aligned by bytes like `printf`, and a tab.
fn put_right(out: &mut Sink<'_>, cell: &[u8], width: usize) -> io::Result<()> {
    const BLANKS: [u8; 26] = [b' '; 26];
    out.put(&BLANKS[..width.saturating_sub(cell.len())])?;
    out.put(cell)?;
    out.put(b"\t")
}

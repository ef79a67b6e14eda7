//! Redaction: which names go into a file, and what replaces the others.
//!
//! A heap dump contains every secret of the program. So the texts of strings can be left out,
//! except those of table keys, and so can the names in paths.

use crate::answer_error::Result;
use crate::luasnap::save_options::SaveOptions;
use luasnap_heap::{
    GroupName, GroupStep, Heap, Kind, LOADED_SOURCE, Label, NameId, NodeId, StoredColumns,
    StoredGroups,
};

/// The use of a name. If it has several, the last one in this list counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Use {
    /// The text of a string that is a value, or no longer used.
    Text,
    /// The source of code.
    Source,
    /// A slot of a stack.
    Local,
    Upvalue,
    Key,
    /// A GC root, whose name is ours and not the program's.
    Root,
}

/// What replaces a short source that contains the code itself, which was a string value.
pub(super) const NO_CODE: &[u8] = b"[string \"...\"]";

/// The names that go into a file.
pub(super) struct Redaction {
    options: SaveOptions,
    /// By name; empty if all names go into the file.
    uses: Vec<Use>,
}

impl Redaction {
    /// `groups` are those whose names are in this heap.
    pub(super) fn new(
        heap: &Heap,
        groups: &StoredGroups,
        options: SaveOptions,
    ) -> Result<Redaction> {
        let uses = match options.strings && options.names {
            true => Vec::new(),
            false => uses(heap, groups)?,
        };
        Ok(Redaction { options, uses })
    }

    /// Whether every name goes into the file unchanged.
    pub(super) fn is_nothing(&self) -> bool {
        self.uses.is_empty()
    }

    /// Appends to `out` what goes into the file for a name.
    pub(super) fn push(&self, heap: &Heap, name: NameId, out: &mut Vec<u8>) -> Result {
        let bytes = heap.name(name);
        let stand_in;
        let parts: [&[u8]; 2] = match self.uses[name.0 as usize] {
            _ if bytes.is_empty() => return Ok(()),
            Use::Text if self.options.strings => [bytes, b""],
            Use::Text => return Ok(()),
            Use::Root => [bytes, b""],
            // By it readers count finalizers, and it tells nothing of the program.
            Use::Key if bytes == b"__gc" => [bytes, b""],
            used if !self.options.names => {
                stand_in = format!("{}#{}", used.word(), name.0);
                [stand_in.as_bytes(), b""]
            }
            Use::Source | Use::Local => without_code(bytes),
            Use::Upvalue | Use::Key => [bytes, b""],
        };
        for part in parts {
            out.try_reserve(part.len())?;
            out.extend_from_slice(part);
        }
        Ok(())
    }
}

/// Returns the use of each name of a heap, and of the groups that are named there.
pub(super) fn uses(heap: &Heap, groups: &StoredGroups) -> Result<Vec<Use>> {
    let columns = heap.columns();
    let mut uses = Vec::new();
    uses.try_reserve_exact(columns.names.len())?;
    uses.resize(columns.names.len(), Use::Text);
    note_sources(&columns, &mut uses);
    note_labels(heap, &columns, &mut uses);
    note_groups(groups, &mut uses);
    Ok(uses)
}

impl Use {
    /// Returns the word before the number that replaces a name.
    fn word(self) -> &'static str {
        match self {
            Use::Text | Use::Root => "",
            Use::Source => "source",
            Use::Local => "local",
            Use::Upvalue => "upvalue",
            Use::Key => "key",
        }
    }
}

/// Returns a source, or the name of a slot that ends in a source, without the code.
fn without_code(bytes: &[u8]) -> [&[u8]; 2] {
    match bytes
        .windows(LOADED_SOURCE.len())
        .position(|at| at == LOADED_SOURCE)
    {
        Some(code) => [&bytes[..code], NO_CODE],
        None => [bytes, b""],
    }
}

fn note(uses: &mut [Use], name: NameId, used: Use) {
    let known = &mut uses[name.0 as usize];
    *known = used.max(*known);
}

/// Notes sources of code. The source of a string is its text.
fn note_sources(columns: &StoredColumns<'_>, uses: &mut [Use]) {
    for of in columns.environments.unwrap_or_default() {
        note(uses, of.chunk, Use::Source);
    }
    for of in columns.threads {
        note(uses, of.place.source, Use::Source);
        note(uses, of.caller.source, Use::Source);
        // Errors are texts, and those of strings are what is left out first.
        note(uses, of.function, Use::Local);
    }
    for (kind, source) in columns.kinds.iter().zip(columns.sources) {
        if *kind != Kind::String {
            note(uses, *source, Use::Source);
        }
    }
}

fn note_labels(heap: &Heap, columns: &StoredColumns<'_>, uses: &mut [Use]) {
    for edge in (0..heap.node_count() as u32).flat_map(|node| heap.edge_range(NodeId(node))) {
        match heap.label(edge) {
            Label::Key => {
                let target = heap.target(edge);
                if heap.kind(target) == Kind::String {
                    note(uses, columns.sources[target.index()], Use::Key);
                }
            }
            label => note_label(label, uses),
        }
    }
}

fn note_label(label: Label, uses: &mut [Use]) {
    match label {
        Label::Field(name) => note(uses, name, Use::Key),
        Label::Upvalue(name) => note(uses, name, Use::Upvalue),
        Label::Local(name) => note(uses, name, Use::Local),
        Label::Root(name) => note(uses, name, Use::Root),
        _ => {}
    }
}

/// Notes the names of groups. That of a class is a text.
fn note_groups(groups: &StoredGroups, uses: &mut [Use]) {
    for pattern in &groups.patterns {
        match pattern.step {
            GroupStep::Exact(label) => note_label(label, uses),
            GroupStep::Environment(chunk) => note(uses, chunk, Use::Source),
            _ => {}
        }
    }
    for group in &groups.groups {
        match group.name {
            GroupName::Code { source, .. } => note(uses, source, Use::Source),
            GroupName::Coroutine(name) => {
                note(uses, name.place.source, Use::Source);
                note(uses, name.caller.source, Use::Source);
            }
            _ => {}
        }
    }
}

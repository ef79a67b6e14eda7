//! Small heaps to write, and writers that fail.

use luasnap_format::AnswerError;
use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
use std::io;

/// A heap under construction, below one root.
pub struct Fixture {
    pub builder: HeapBuilder,
    pub root: NodeId,
}

impl Fixture {
    pub fn new(name: &str, address: u64, count: u32) -> Fixture {
        let mut builder = HeapBuilder::new();
        let (root, _) = builder.node(Kind::Table, address).unwrap();
        builder.set_count(root, count);
        let name = builder.name(name.as_bytes()).unwrap();
        builder
            .edge(NodeId::ROOT, root, Label::Root(name), Strength::Strong)
            .unwrap();
        Fixture { builder, root }
    }

    pub fn under(
        &mut self,
        retainer: NodeId,
        label: Label,
        kind: Kind,
        address: u64,
        count: u32,
    ) -> NodeId {
        let (node, _) = self.builder.node(kind, address).unwrap();
        self.builder.set_count(node, count);
        self.builder.set_size(node, 56);
        self.builder
            .edge(retainer, node, label, Strength::Strong)
            .unwrap();
        node
    }

    pub fn field(
        &mut self,
        retainer: NodeId,
        name: impl AsRef<[u8]>,
        kind: Kind,
        address: u64,
        count: u32,
    ) -> NodeId {
        let name = self.builder.name(name.as_ref()).unwrap();
        self.under(retainer, Label::Field(name), kind, address, count)
    }

    pub fn finish(self) -> Snapshot {
        Snapshot::new(self.builder.finish().unwrap())
    }
}

/// The first sample of the reference, with its fields in the order of a hash.
pub fn sample() -> Snapshot {
    let mut fixture = Fixture::new("tbl", 0xb25900, 3);
    let root = fixture.root;
    let d = fixture.field(root, "d", Kind::Table, 0xb25a50, 2);
    fixture.field(d, "aa", Kind::Table, 0xb25ae0, 0);
    fixture.field(root, "a", Kind::Table, 0xb259d0, 3);
    fixture.finish()
}

/// A root with one child for each key.
pub fn keyed(keys: &[&[u8]]) -> Snapshot {
    let mut fixture = Fixture::new("t", 0x10, keys.len() as u32);
    for (at, key) in keys.iter().enumerate() {
        fixture.field(fixture.root, key, Kind::Table, 0x20 + 16 * at as u64, 0);
    }
    fixture.finish()
}

/// A list of tables below `t`, each the `next` of the one before.
pub fn list(length: u64) -> Snapshot {
    let mut fixture = Fixture::new("t", 0x10, 1);
    let next = fixture.builder.name(b"next").unwrap();
    let mut last = fixture.root;
    for at in 1..length {
        last = fixture.under(last, Label::Field(next), Kind::Table, 0x10 + 16 * at, 1);
    }
    fixture.finish()
}

/// What a writer wrote.
pub fn written(
    write: impl FnOnce(&mut dyn io::Write, &Snapshot) -> Result<(), AnswerError>,
    snapshot: &Snapshot,
) -> String {
    let mut out = Vec::new();
    write(&mut out, snapshot).unwrap();
    String::from_utf8(out).expect("always UTF-8")
}

/// Whether a [`Disk`] was full.
pub fn is_full(error: &AnswerError) -> bool {
    matches!(error, AnswerError::Io(error) if error.kind() == io::ErrorKind::StorageFull)
}

/// Accepts some bytes and then fails like a full disk; without a limit it only counts.
pub struct Disk {
    pub room: u64,
    pub taken: u64,
}

impl Disk {
    pub fn with_room(room: u64) -> Disk {
        Disk { room, taken: 0 }
    }
}

impl io::Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = (self.room - self.taken).min(bytes.len() as u64);
        if taken == 0 && !bytes.is_empty() {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.taken += taken;
        Ok(taken as usize)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

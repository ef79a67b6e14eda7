//! A made fleet: ten hosts, two services, ten days with two snapshots each, and a release in the middle of them.
//!
//! * The service `game` has six hosts, `gate` four. Each process is restarted with the release.
//! * Each heap has 50 sessions of 100 bytes, that of host 8 has 500.
//! * In `game`, a log gains 5 entries of 80 bytes from one snapshot to the next, in both releases.
//! * From release 1.1 on, a cache in `game` gains 30 entries of 200 bytes each time: on host 0 from the sixth day on, on host 1
//!   from the seventh, and so on.
//! * The release shifts the function `handle` by seven lines.

use luasnap_format::{SaveOptions, write_snapshot};
use luasnap_heap::{
    BuildError, Engine, HeapBuilder, Kind, Label, NodeId, Process, Provenance, Snapshot, Strength,
};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

pub const HOSTS: u64 = 10;
/// Two a day.
pub const TIMES: u64 = 20;
/// The first snapshot of the second release.
pub const RELEASED: u64 = 10;
/// 2026-03-01, 06:00 UTC.
const FIRST: u64 = 1_772_344_800_000;
const HALF_A_DAY: u64 = 12 * 3_600_000;

pub fn service(host: u64) -> &'static str {
    if host < 6 { "game" } else { "gate" }
}

pub fn release(time: u64) -> &'static str {
    if time < RELEASED { "1.0" } else { "1.1" }
}

pub fn sessions(host: u64) -> u64 {
    if host == 8 { 500 } else { 50 }
}

pub fn log(host: u64, time: u64) -> u64 {
    match service(host) {
        "game" => 5 * (time % RELEASED + 1),
        _ => 0,
    }
}

pub fn cache(host: u64, time: u64) -> u64 {
    let start = RELEASED + 2 * host;
    match service(host) {
        "game" if time >= start => 30 * (time - start + 1),
        _ => 0,
    }
}

/// Writes the snapshot of a host at a time.
pub fn write(path: &Path, host: u64, time: u64) {
    let snapshot = snapshot(host, time).unwrap();
    let mut file = BufWriter::new(File::create(path).unwrap());
    write_snapshot(&mut file, &snapshot, SaveOptions::default()).unwrap();
}

fn snapshot(host: u64, time: u64) -> Result<Snapshot, BuildError> {
    let mut made = Made {
        builder: HeapBuilder::new(),
        address: 0x1000,
    };
    let globals = made.node(Kind::Table, 500)?;
    made.builder.set_globals(globals);
    let root = Label::Root(made.builder.name(b"_G")?);
    made.refer(NodeId::ROOT, globals, root)?;
    let server = made.field(globals, Kind::Table, "server", 56)?;
    let list = made.field(server, Kind::Table, "sessions", 1000)?;
    made.entries(list, sessions(host), 100)?;
    let list = made.field(globals, Kind::Table, "log", 300)?;
    made.entries(list, log(host, time), 80)?;
    if time >= RELEASED {
        let list = made.field(globals, Kind::Table, "cache", 300)?;
        made.entries(list, cache(host, time), 200)?;
    }
    let handle = made.field(globals, Kind::LuaFunction, "handle", 40)?;
    made.code(handle, "server.lua", if time < RELEASED { 20 } else { 27 })?;
    let say = made.field(globals, Kind::LuaFunction, "say", 40)?;
    made.code(say, "plugins/chat.lua", 3)?;
    let history = made.node(Kind::Table, 1000)?;
    let upvalue = Label::Upvalue(made.builder.name(b"history")?);
    made.refer(say, history, upvalue)?;
    let heap = made.builder.finish_reached(Provenance {
        engine: Engine::Native,
        vm: "Lua 5.4".into(),
        vm_address: 0x8000,
        taken_at: Some(FIRST + time * HALF_A_DAY),
        process: Some(Process {
            id: (1000 * (1 + time / RELEASED) + host) as u32,
            instance: 77 + host,
        }),
        ..Provenance::default()
    })?;
    Ok(Snapshot::new(heap))
}

struct Made {
    builder: HeapBuilder,
    address: u64,
}

impl Made {
    fn node(&mut self, kind: Kind, size: u64) -> Result<NodeId, BuildError> {
        self.address += 0x10;
        let (node, _) = self.builder.node(kind, self.address)?;
        self.builder.set_size(node, size);
        Ok(node)
    }

    fn refer(&mut self, from: NodeId, to: NodeId, label: Label) -> Result<(), BuildError> {
        self.builder.edge(from, to, label, Strength::Strong)
    }

    fn field(
        &mut self,
        from: NodeId,
        kind: Kind,
        name: &str,
        size: u64,
    ) -> Result<NodeId, BuildError> {
        let node = self.node(kind, size)?;
        let label = Label::Field(self.builder.name(name.as_bytes())?);
        self.refer(from, node, label)?;
        Ok(node)
    }

    fn entries(&mut self, list: NodeId, count: u64, size: u64) -> Result<(), BuildError> {
        self.builder.set_count(list, count as u32);
        for index in 1..=count {
            let entry = self.node(Kind::Table, size)?;
            self.refer(list, entry, Label::Index(index as i64))?;
        }
        Ok(())
    }

    fn code(&mut self, function: NodeId, source: &str, line: u32) -> Result<(), BuildError> {
        let source = self.builder.name(source.as_bytes())?;
        self.builder.set_source(function, source);
        self.builder.set_count(function, line);
        Ok(())
    }
}

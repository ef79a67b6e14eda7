//! Heaps of whole programs, built by hand as the native engine captures them.

use crate::everything::provenance;
use luasnap_heap::{
    CodeShape, Kind, Label, NodeId, Provenance, RunOrder, Snapshot, Strength, SweepBuilder,
};
use std::collections::HashMap;

/// The name of a reference.
#[derive(Clone, Debug)]
pub enum Step {
    Root(&'static str),
    Field(String),
    Upvalue(&'static str),
    Local(&'static str),
    Plain(Label),
}

struct Thing {
    kind: Kind,
    size: u64,
    count: u32,
    source: String,
    shape: Option<CodeShape>,
}

/// A program under construction. Objects are numbered from 1 on, and have 100 bytes each.
pub struct Program {
    things: Vec<Thing>,
    references: Vec<(usize, usize, Step)>,
    strings: HashMap<String, usize>,
    provenance: Provenance,
    pub registry: usize,
    pub globals: usize,
    pub loaded: usize,
    pub main_thread: usize,
}

impl Program {
    pub fn new() -> Program {
        let mut program = Program {
            things: Vec::new(),
            references: Vec::new(),
            strings: HashMap::new(),
            provenance: provenance(),
            registry: 0,
            globals: 0,
            loaded: 0,
            main_thread: 0,
        };
        program.registry = program.under(0, Kind::Table, Step::Root("[REGISTRY]"));
        let registry = program.registry;
        program.main_thread = program.index(registry, Kind::Thread, 1);
        program.globals = program.index(registry, Kind::Table, 2);
        program.loaded = program.field(registry, Kind::Table, "_LOADED");
        let main_thread = program.main_thread;
        program.refer(0, main_thread, Step::Root("[mainthread]"));
        program
    }

    pub fn add(&mut self, kind: Kind) -> usize {
        self.things.push(Thing {
            kind,
            size: 100,
            count: 0,
            source: String::new(),
            shape: None,
        });
        self.things.len()
    }

    pub fn refer(&mut self, from: usize, to: usize, step: Step) {
        if let Step::Field(name) = &step {
            let key = self.string(name.clone().as_str());
            self.references.push((from, key, Step::Plain(Label::Key)));
        }
        self.references.push((from, to, step));
    }

    pub fn under(&mut self, retainer: usize, kind: Kind, step: Step) -> usize {
        let node = self.add(kind);
        self.refer(retainer, node, step);
        node
    }

    pub fn field(&mut self, retainer: usize, kind: Kind, name: &str) -> usize {
        self.under(retainer, kind, Step::Field(name.to_owned()))
    }

    pub fn index(&mut self, retainer: usize, kind: Kind, index: i64) -> usize {
        self.under(retainer, kind, Step::Plain(Label::Index(index)))
    }

    /// Returns the only string with a text.
    pub fn string(&mut self, text: &str) -> usize {
        if let Some(&string) = self.strings.get(text) {
            return string;
        }
        let string = self.add(Kind::String);
        self.things[string - 1].source = text.to_owned();
        self.strings.insert(text.to_owned(), string);
        string
    }

    /// Adds a string that a table has under a name.
    pub fn text(&mut self, retainer: usize, name: &str, text: &str) {
        let string = self.string(text);
        self.refer(retainer, string, Step::Field(name.to_owned()));
    }

    pub fn set_metatable(&mut self, object: usize, metatable: usize) {
        self.refer(object, metatable, Step::Plain(Label::Metatable));
    }

    pub fn function(&mut self, retainer: usize, step: Step, source: &str, line: u32) -> usize {
        let function = self.under(retainer, Kind::LuaFunction, step);
        self.define(function, source, line);
        function
    }

    pub fn define(&mut self, code: usize, source: &str, line: u32) {
        self.things[code - 1].source = source.to_owned();
        self.things[code - 1].count = line;
    }

    /// Sets the line where code ends, and the number of its upvalues.
    pub fn shape(&mut self, code: usize, last_line: u32, upvalues: u8) {
        let first_line = self.things[code - 1].count;
        let shape = CodeShape::new(first_line, last_line, upvalues);
        self.things[code - 1].shape = Some(shape);
    }

    pub fn set_size(&mut self, object: usize, size: u64) {
        self.things[object - 1].size = size;
    }

    pub fn rename_root(&mut self, name: &'static str) {
        self.references[0].2 = Step::Root(name);
    }

    /// Adds an upvalue of a function, with its value.
    pub fn upvalue(&mut self, function: usize, name: &'static str, value: usize) -> usize {
        let upvalue = self.under(function, Kind::Upvalue, Step::Upvalue(name));
        self.refer(upvalue, value, Step::Plain(Label::Value));
        upvalue
    }

    /// Adds code with these names to the main chunk.
    pub fn knows(&mut self, names: &[&str]) {
        let main = Step::Local("(function):main.lua");
        let chunk = self.function(self.main_thread, main, "main.lua", 0);
        let code = self.under(chunk, Kind::Prototype, Step::Plain(Label::Prototype));
        self.define(code, "main.lua", 0);
        for name in names {
            let string = self.string(name);
            self.refer(code, string, Step::Plain(Label::Constant));
        }
    }

    pub fn provenance(&mut self) -> &mut Provenance {
        &mut self.provenance
    }

    pub fn finish(&self) -> Snapshot {
        self.finish_at(0x1000, false)
    }

    /// Returns the same program at other addresses, and with everything in another order.
    pub fn finish_at(&self, base: u64, is_reversed: bool) -> Snapshot {
        let count = self.things.len();
        let place = |number: usize| match (number, is_reversed) {
            (0, _) => 0,
            (number, false) => number,
            (number, true) => count + 1 - number,
        };
        let mut builder = SweepBuilder::default();
        builder.begin_run(RunOrder::Allocation).unwrap();
        let mut things: Vec<_> = self.things.iter().collect();
        let mut references: Vec<_> = self.references.iter().collect();
        if is_reversed {
            things.reverse();
            // Those of the synthetic root stay: the first of them is the tree's root.
            references.reverse();
            references.sort_by_key(|of| if of.0 == 0 { of.1 } else { usize::MAX });
        }
        for (at, thing) in things.into_iter().enumerate() {
            let address = base + 16 * at as u64;
            let node = builder
                .add(thing.kind, address, thing.size)
                .unwrap()
                .unwrap();
            builder.set_count(node, thing.count);
            let source = builder.intern(thing.source.as_bytes()).unwrap();
            builder.set_source(node, source);
            if let Some(shape) = thing.shape {
                builder.note_loaded_code(node, shape).unwrap();
            }
        }
        for from in 0..=count {
            builder.begin_edges();
            for (_, to, step) in references.iter().filter(|of| of.0 == from) {
                let mut name = |text: &str| builder.intern(text.as_bytes()).unwrap();
                let label = match step {
                    Step::Root(text) => Label::Root(name(text)),
                    Step::Field(text) => Label::Field(name(text)),
                    Step::Upvalue(text) => Label::Upvalue(name(text)),
                    Step::Local(text) => Label::Local(name(text)),
                    Step::Plain(label) => *label,
                };
                let to = NodeId(place(*to) as u32);
                builder.edge(to, label, Strength::Strong).unwrap();
            }
            builder.end_edges(NodeId(place(from) as u32)).unwrap();
        }
        builder.set_globals(NodeId(place(self.globals) as u32));
        Snapshot::new(builder.finish(self.provenance.clone()).unwrap())
    }
}

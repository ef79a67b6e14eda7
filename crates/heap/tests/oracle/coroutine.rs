//! What coroutines are doing: the names of their functions, which one runs, and groups by that.

use luasnap_heap::{
    CodePlace, GroupName, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength, ThreadNote,
    ThreadState, ThreadStatus, increase, objects_view,
};

/// A program under construction.
struct Program {
    builder: HeapBuilder,
    globals: NodeId,
    address: u64,
}

impl Program {
    fn new() -> Program {
        let mut builder = HeapBuilder::new();
        let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
        let root = Label::Root(builder.name(b"_G").unwrap());
        builder
            .edge(NodeId::ROOT, globals, root, Strength::Strong)
            .unwrap();
        Program {
            builder,
            globals,
            address: 0x10,
        }
    }

    fn add(&mut self, kind: Kind) -> NodeId {
        self.address += 0x10;
        self.builder.node(kind, self.address).unwrap().0
    }

    fn refer(&mut self, from: NodeId, to: NodeId, label: impl Fn(&mut HeapBuilder) -> Label) {
        let label = label(&mut self.builder);
        self.builder
            .edge(from, to, label, Strength::Strong)
            .unwrap();
    }

    fn field(&mut self, from: NodeId, to: NodeId, name: &str) {
        self.refer(from, to, |of| {
            Label::Field(of.name(name.as_bytes()).unwrap())
        });
    }

    /// A coroutine in a list of globals, suspended in `function` at a line.
    fn coroutine(&mut self, line: u32, function: NodeId, caller: Option<NodeId>) -> NodeId {
        let thread = self.add(Kind::Thread);
        let index = i64::from(thread.0);
        self.refer(self.globals, thread, |_| Label::Index(index));
        let source = self.builder.name(b"jobs.lua").unwrap();
        let state = ThreadState {
            place: CodePlace { source, line },
            ..ThreadState::new(thread, ThreadStatus::Suspended)
        };
        let note = ThreadNote {
            function: Some(function),
            caller,
            ..ThreadNote::new(state)
        };
        self.builder.note_thread(note).unwrap();
        thread
    }

    fn finish(self) -> Snapshot {
        Snapshot::new(self.builder.finish().unwrap())
    }
}

/// Returns the name of the function in which a coroutine is.
fn function_name(snapshot: &Snapshot, thread: NodeId) -> String {
    let heap = snapshot.everything();
    let name = heap.name(heap.thread(thread).unwrap().function);
    String::from_utf8_lossy(name).into_owned()
}

#[test]
fn a_function_has_the_name_by_which_it_was_called() {
    let mut program = Program::new();
    let [function, caller, upvalue] =
        [Kind::LuaFunction, Kind::LuaFunction, Kind::Upvalue].map(|kind| program.add(kind));
    program.field(program.globals, function, "wait_b");
    program.field(program.globals, function, "wait_a");
    program.refer(caller, upvalue, |of| {
        Label::Upvalue(of.name(b"wait").unwrap())
    });
    program.refer(upvalue, function, |_| Label::Value);
    let by_upvalue = program.coroutine(1, function, Some(caller));
    let by_field = program.coroutine(1, function, None);
    let by_local = program.coroutine(1, function, None);
    for slot in ["(function):jobs.lua", "inner:jobs.lua"] {
        program.refer(by_local, function, |of| {
            Label::Local(of.name(slot.as_bytes()).unwrap())
        });
    }
    let unknown = program.add(Kind::LuaFunction);
    let of_unknown = program.coroutine(1, unknown, None);
    let snapshot = program.finish();
    assert_eq!(function_name(&snapshot, by_upvalue), "wait");
    assert_eq!(function_name(&snapshot, by_field), "wait_a");
    assert_eq!(function_name(&snapshot, by_local), "inner");
    assert_eq!(function_name(&snapshot, of_unknown), "");
}

#[test]
fn of_several_that_are_active_the_last_one_runs() {
    let mut program = Program::new();
    let resume = program.add(Kind::CFunction);
    let threads = [(); 3].map(|()| program.add(Kind::Thread));
    for pair in threads.windows(2) {
        let [outer, inner] = *pair else { continue };
        program.refer(outer, inner, |of| {
            Label::Local(of.name(b"(temporary):[C]").unwrap())
        });
    }
    // The last one, in a function in C too, has no other thread.
    for thread in threads {
        let state = ThreadState::new(thread, ThreadStatus::Running);
        let note = ThreadNote {
            may_resume: true,
            c_function: Some(resume),
            ..ThreadNote::new(state)
        };
        program.builder.note_thread(note).unwrap();
    }
    let snapshot = program.finish();
    let heap = snapshot.everything();
    let status = threads.map(|thread| heap.thread(thread).unwrap().status);
    use ThreadStatus::{Normal, Running};
    assert_eq!(status, [Normal, Normal, Running]);
}

#[test]
fn coroutines_are_grouped_by_what_they_do() {
    let program = |count: u32| {
        let mut program = Program::new();
        let function = program.add(Kind::LuaFunction);
        program.field(program.globals, function, "wait");
        for _ in 0..count {
            program.coroutine(12, function, None);
        }
        program.coroutine(13, function, None);
        program.finish()
    };
    let (before, after) = (program(0), program(6000));
    let groups = after.groups().unwrap();
    let coroutines = groups
        .groups()
        .iter()
        .filter(|of| of.kind == Kind::Thread)
        .map(|of| match of.name {
            GroupName::Coroutine(name) => (name.place.line, of.count),
            other => panic!("{other:?}"),
        });
    let mut coroutines: Vec<_> = coroutines.collect();
    coroutines.sort();
    assert_eq!(coroutines, [(12, 6000), (13, 1)]);
    // A difference and the view know them too.
    let more = increase(&before, &after).unwrap();
    let heap = more.everything();
    let new = heap.threads().iter().filter(|of| more.is_member(of.node));
    assert_eq!(new.clone().count(), 6000);
    for of in new {
        assert_eq!(heap.name(of.function), b"wait");
        assert_eq!(heap.name(of.place.source), b"jobs.lua");
    }
    let view = objects_view(after.everything()).unwrap();
    assert_eq!(view.threads().len(), 6001);
    for of in view.threads() {
        assert_eq!(view.kind(of.node), Kind::Thread);
    }
}

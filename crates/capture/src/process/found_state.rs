//! A Lua state that was found, and what identifies it to people.

use crate::layout::either;
use crate::memory::memory::Memory;
use crate::native::main_state::MainState;
use crate::native::sight::look;
use crate::version::Version;
use luasnap_heap::{Heap, Kind, Label};
use std::borrow::Cow;

/// A Lua state of another process, or of a core file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FoundState {
    /// The address of its main thread, a `lua_State`.
    pub main_thread: u64,
    /// The address of its global state, which is the same in all captures of one state.
    pub global_state: u64,
    /// The VM's family.
    pub vm: Version,
    /// The releases whose layout it has, or may have.
    pub layout: Cow<'static, str>,
    /// The total that the VM reports, in bytes.
    pub total: u64,
    /// The main script, where known: the chunk at the bottom of the main thread's stack, or what
    /// the global table `arg` has at index 0. Only for captured states.
    pub script: Option<String>,
    /// What it is called by what is known of it, where known: the service that it is in skynet, what Redis uses it for,
    /// its main chunk, or the chunk of most of the functions that are loaded.
    pub name: Option<String>,
    /// Whether it is a service of skynet, or code that its services share.
    pub is_of_skynet: bool,
}

impl FoundState {
    /// A state that was not captured.
    pub(super) fn uncaptured(state: &MainState) -> FoundState {
        let names = state.layouts.iter().rev().map(|layout| layout.name());
        FoundState {
            main_thread: state.main_thread,
            global_state: state.global_state,
            vm: state.layouts[0].version(),
            layout: either(names),
            total: state.total,
            script: None,
            name: None,
            is_of_skynet: false,
        }
    }

    /// A state with its name. Its process may run meanwhile.
    pub(super) fn named(memory: &impl Memory, state: &MainState) -> FoundState {
        let sight = look(memory, state);
        FoundState {
            name: sight.name(),
            is_of_skynet: sight.skynet.is_some(),
            ..FoundState::uncaptured(state)
        }
    }
}

/// The main script of a state, from its heap.
pub(super) fn script(heap: &Heap) -> Option<String> {
    main_chunk(heap).or_else(|| argument_zero(heap))
}

/// The source of the outermost main chunk on the main thread's stack.
fn main_chunk(heap: &Heap) -> Option<String> {
    let main_thread = heap.root_named(b"[mainthread]")?;
    // From the innermost call outwards.
    let chunks = heap.edges(main_thread.target).filter(|edge| {
        matches!(edge.label, Label::Local(name) if heap.name(name).starts_with(b"(function):"))
            && heap.kind(edge.target) == Kind::LuaFunction
            && heap.count(edge.target) == 0
    });
    let source = heap.source(chunks.last()?.target);
    (!source.is_empty()).then(|| String::from_utf8_lossy(source).into_owned())
}

/// `arg[0]` among the globals.
fn argument_zero(heap: &Heap) -> Option<String> {
    let arguments = heap.edges(heap.globals()?).find(|edge| {
        matches!(edge.label, Label::Field(name) if heap.name(name) == b"arg")
            && heap.kind(edge.target) == Kind::Table
    })?;
    let zero = heap
        .edges(arguments.target)
        .find(|edge| edge.label == Label::Index(0) && heap.kind(edge.target) == Kind::String)?;
    let text = heap.source(zero.target);
    (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
}

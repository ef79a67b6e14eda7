//! Where a capture starts.

use crate::lua::debug_record::DebugRecord;
use crate::lua::private_state::main_thread;
use crate::lua::state::State;
use crate::portable::walk::{Root, Walk, Walked, index};
use crate::version::Version;
use luasnap_heap::{Label, NodeId, Strength};

impl Walk {
    pub(super) fn enter_roots(&mut self, state: State, root: Root<'_>) -> Walked {
        match root {
            Root::Argument(name) => {
                state.push_value(index::ROOT);
                self.enter_root(state, name)
            }
            Root::Whole => {
                state.push_value(state.registry());
                self.enter_root(state, b"[REGISTRY]")?;
                self.note_globals(state)?;
                self.enter_threads(state)?;
                self.enter_basic_metatables(state)
            }
        }
    }

    /// Pops a root and queues it.
    fn enter_root(&mut self, state: State, name: &[u8]) -> Walked {
        let Some((node, new)) = self.meet(state, -1, state.type_of(-1))? else {
            state.pop(1);
            return Ok(());
        };
        let name = self.builder.name(name)?;
        self.builder
            .edge(NodeId::ROOT, node, Label::Root(name), Strength::Strong)?;
        self.enqueue_if(state, node, new)
    }

    /// Records the table of globals, which is not a root of its own.
    fn note_globals(&mut self, state: State) -> Walked {
        state.push_globals();
        let Some((node, new)) = self.meet(state, -1, state.type_of(-1))? else {
            state.pop(1);
            return Ok(());
        };
        self.builder.set_globals(node);
        self.enqueue_if(state, node, new)
    }

    /// The main thread and, if different, the running one.
    fn enter_threads(&mut self, state: State) -> Walked {
        let running_is_main = state.push_thread();
        if running_is_main {
            return self.enter_root(state, b"[mainthread]");
        }
        self.enter_root(state, b"[running]")?;
        match self.version {
            Version::Lua51 | Version::LuaJit => {
                let Some(main) = main_thread(state) else {
                    return Ok(());
                };
                main.push_thread();
                main.move_top(state);
            }
            Version::Lua55 => state.raw_get_index(state.registry(), 3),
            _ => state.raw_get_index(state.registry(), 1),
        }
        self.enter_root(state, b"[mainthread]")
    }

    /// The metatables that all values of a basic type share.
    fn enter_basic_metatables(&mut self, state: State) -> Walked {
        state.push_nil();
        self.enter_metatable_of(state, b"[metatable:nil]")?;
        state.push_boolean(true);
        self.enter_metatable_of(state, b"[metatable:boolean]")?;
        state.push_integer(0);
        self.enter_metatable_of(state, b"[metatable:number]")?;
        state.push_value(index::MODE);
        self.enter_metatable_of(state, b"[metatable:string]")?;
        state.push_null();
        self.enter_metatable_of(state, b"[metatable:light userdata]")?;
        state.push_thread();
        self.enter_metatable_of(state, b"[metatable:thread]")?;
        self.push_some_function(state);
        self.enter_metatable_of(state, b"[metatable:function]")
    }

    /// Pops a value and enters its metatable.
    fn enter_metatable_of(&mut self, state: State, name: &[u8]) -> Walked {
        let found = state.metatable(-1);
        if found {
            self.enter_root(state, name)?;
        }
        state.pop(1);
        Ok(())
    }

    /// Pushes the running function, or nil.
    fn push_some_function(&mut self, state: State) {
        let record: &mut DebugRecord = &mut self.function_record;
        if !state.stack_level(0, record) || !state.info(c"f", record) {
            state.push_nil();
        }
    }
}

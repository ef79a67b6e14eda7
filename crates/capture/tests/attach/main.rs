//! Attaching to real processes: Lua hosts that run a script. Also core files of them.

mod core_file;
mod cores;
mod first_thread;
mod heaps;
mod installed;
mod many_states;
mod memory_kinds;
mod permissions;
mod refusals;
mod safety;
mod skynet;
mod static_program;
mod target;
mod thirty_two_bit;
mod unread;

/// A test for each VM: `each_vm!(check: name)` makes `name::lua51` to `name::luajit`.
#[macro_export]
macro_rules! each_vm {
    ($check:path: $name:ident) => {
        mod $name {
            $crate::each_vm!(@ $check, stringify!($name);
                lua51 Lua51, lua52 Lua52, lua53 Lua53, lua54 Lua54, lua55 Lua55, luajit LuaJit);
        }
    };
    (@ $check:path, $name:expr; $($test:ident $vm:ident),*) => {
        $(#[test]
        fn $test() {
            $check(luasnap_hosts::Vm::$vm, $name);
        })*
    };
}

//! Offsets in PUC Lua's structures: one table per set of releases that share them.

use crate::version::Version;

/// The offset of a field that a release does not have.
pub(crate) const ABSENT: u16 = u16::MAX;
/// `LUA_TTHREAD`, in a value and in an object's header.
pub(crate) const THREAD: u8 = 8;

/// The structures of a release of PUC Lua on a 64-bit machine. Every number is in bytes: the
/// offset of a field in its structure, or (`size`) the size of the structure.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct PucLayout {
    /// The releases that have it: `5.4.6 to 5.4.9`.
    pub(crate) name: &'static str,
    pub(crate) version: Version,
    pub(crate) global_state: GlobalState,
    pub(crate) state: LuaState,
    pub(crate) call: CallInfo,
    pub(crate) table: Table,
    pub(crate) node: Node,
    pub(crate) string: TString,
    pub(crate) userdata: Udata,
    pub(crate) prototype: Proto,
    pub(crate) closure: Closure,
    pub(crate) upvalue: UpVal,
}

/// `global_State`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GlobalState {
    pub(crate) size: u16,
    /// `LG`, which contains the main thread and the global state (up to 5.4).
    pub(crate) with_main_thread: u16,
    /// `frealloc`, and `ud` after it.
    pub(crate) allocator: u16,
    /// `totalbytes`, in 5.5 `GCtotalbytes`.
    pub(crate) total_bytes: u16,
    /// `GCdebt` (from 5.2 on).
    pub(crate) debt: u16,
    /// `strt.hash`.
    pub(crate) strings: u16,
    /// `strt.size`, an `int`.
    pub(crate) strings_size: u16,
    /// `strt.nuse`, 4 bytes.
    pub(crate) strings_used: u16,
    /// `l_registry`, a value.
    pub(crate) registry: u16,
    /// `allgc`, in 5.1 `rootgc`.
    pub(crate) all: u16,
    /// `finobj` (from 5.2 on).
    pub(crate) with_finalizer: u16,
    /// `tobefnz`, in 5.1 `tmudata` (the last of a ring).
    pub(crate) to_be_finalized: u16,
    /// `fixedgc` (from 5.3 on).
    pub(crate) fixed: u16,
    /// `mainthread`: a pointer, in 5.5 the thread itself.
    pub(crate) main_thread: u16,
    /// `tmname[0]`, and the number of them.
    pub(crate) metamethods: u16,
    pub(crate) metamethod_count: u16,
    /// `mt[0]`.
    pub(crate) metatables: u16,
    /// `buff.buffsize` (up to 5.3.1).
    pub(crate) buffer_size: u16,
    /// `GCthreshold` (5.1).
    pub(crate) threshold: u16,
}

/// `lua_State`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct LuaState {
    pub(crate) size: u16,
    /// `LX`, a thread with the extra space before it (from 5.2 on).
    pub(crate) with_extra_space: u16,
    /// `l_G`.
    pub(crate) global: u16,
    pub(crate) top: u16,
    pub(crate) stack: u16,
    pub(crate) stack_last: u16,
    /// `stacksize`, an `int` (5.1 to 5.3, 5.4.0 and 5.4.1).
    pub(crate) stack_size: u16,
    pub(crate) call: u16,
    /// `base_ci`: a pointer to an array in 5.1, else the outermost call itself.
    pub(crate) base_call: u16,
    /// `size_ci`, an `int` (5.1).
    pub(crate) calls_size: u16,
    /// `nci` (from 5.3.2 on): an `unsigned short` in 5.3 and 5.4, an `int` in 5.5.
    pub(crate) call_count: u16,
    /// `openupval`.
    pub(crate) open_upvalues: u16,
    /// `l_gt`, a value (5.1).
    pub(crate) globals: u16,
    /// `savedpc` (5.1).
    pub(crate) saved_pc: u16,
    /// `status`, a byte.
    pub(crate) status: u16,
    /// `base` (5.1).
    pub(crate) base: u16,
}

/// `CallInfo`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CallInfo {
    pub(crate) size: u16,
    pub(crate) function: u16,
    /// `base` (5.1), `u.l.base` (5.2, 5.3).
    pub(crate) base: u16,
    pub(crate) top: u16,
    /// From 5.2 on, and `next`.
    pub(crate) previous: u16,
    pub(crate) next: u16,
    pub(crate) saved_pc: u16,
    /// `callstatus` (from 5.2 on): a byte up to 5.3.3, then 2 bytes, 4 in 5.5.
    pub(crate) status: u16,
    /// `extra` (5.2, 5.3): offset in the stack, in bytes, of the function of a call that yields.
    /// Meanwhile `function` points elsewhere.
    pub(crate) extra: u16,
    /// `tailcalls`, an `int` (5.1).
    pub(crate) tail_calls: u16,
    /// `u.l.nextraargs`, an `int` (from 5.4 on).
    pub(crate) extra_arguments: u16,
}

/// `Table`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Table {
    pub(crate) size: u16,
    /// A byte.
    pub(crate) flags: u16,
    /// `lsizenode`, a byte.
    pub(crate) node_count_log2: u16,
    /// `sizearray`, in 5.4 `alimit`, in 5.5 `asize`: an `int`.
    pub(crate) array_size: u16,
    pub(crate) array: u16,
    pub(crate) nodes: u16,
    /// `lastfree` (up to 5.4).
    pub(crate) last_free: u16,
    pub(crate) metatable: u16,
}

/// `Node`: an entry of a table's hash part.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Node {
    pub(crate) size: u16,
    /// The value; its tag follows 8 bytes later.
    pub(crate) value: u16,
    /// The key, and its tag (a byte from 5.4 on, else an `int`).
    pub(crate) key: u16,
    pub(crate) key_tag: u16,
    /// `next`: a pointer up to 5.2, then an `int` that counts nodes.
    pub(crate) next: u16,
}

/// `TString`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct TString {
    /// Bytes before the text (of a short string in 5.5).
    pub(crate) header: u16,
    /// `shrlen`, a byte (from 5.3.1 on).
    pub(crate) short_len: u16,
    /// `len`, from 5.3.1 on `u.lnglen`.
    pub(crate) len: u16,
    /// `hnext`, which links a bucket of the string table (from 5.3 on; before that it is the `next`
    /// of every object).
    pub(crate) next_in_bucket: u16,
    /// `marked`, a byte, after the tag.
    pub(crate) marked: u16,
    /// `hash`, 4 bytes: for a long string, valid only once it was used as a key.
    pub(crate) hash: u16,
    /// `id`, not zero in a string that was shared with other states (skynet's Lua). A Lua that has it lets
    /// objects of one state refer to shared ones of another.
    pub(crate) id: u16,
    /// `contents`, a pointer to the text of a long string (5.5), and the sizes of the structure
    /// without and with a function that frees the text.
    pub(crate) contents: u16,
    pub(crate) fixed_size: u16,
    pub(crate) external_size: u16,
}

/// `Udata`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Udata {
    /// Bytes before the payload where there is no user value.
    pub(crate) header: u16,
    pub(crate) len: u16,
    pub(crate) metatable: u16,
    /// `env` (5.1, 5.2).
    pub(crate) environment: u16,
    /// `user_`, and its tag `ttuv_`, a byte (5.3).
    pub(crate) user_value: u16,
    pub(crate) user_value_tag: u16,
    /// `nuvalue`, 2 bytes, and the first of that many values (from 5.4 on).
    pub(crate) user_value_count: u16,
    pub(crate) user_values: u16,
}

/// `Proto`, with the sizes of its arrays' items. All array sizes are of type `int`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Proto {
    pub(crate) size: u16,
    /// `numparams`, a byte.
    pub(crate) parameters: u16,
    /// `is_vararg`, a byte; in 5.5 `flag`.
    pub(crate) flags: u16,
    /// `maxstacksize`, a byte.
    pub(crate) stack_slots: u16,
    /// `linedefined` and `lastlinedefined`, each an `int`.
    pub(crate) line: u16,
    pub(crate) last_line: u16,
    pub(crate) source: u16,
    pub(crate) code: u16,
    pub(crate) code_count: u16,
    pub(crate) constants: u16,
    pub(crate) constant_count: u16,
    /// `p` and `sizep`.
    pub(crate) nested: u16,
    pub(crate) nested_count: u16,
    /// `upvalues` and `sizeupvalues`, and the size of one: a name (5.1) or an `Upvaldesc`, whose
    /// first field is the name.
    pub(crate) upvalues: u16,
    pub(crate) upvalue_count: u16,
    pub(crate) upvalue_size: u16,
    /// `locvars` and `sizelocvars`, and the size and fields of a `LocVar`.
    pub(crate) locals: u16,
    pub(crate) local_count: u16,
    pub(crate) local_size: u16,
    pub(crate) local_name: u16,
    pub(crate) local_start: u16,
    pub(crate) local_end: u16,
    /// `lineinfo` and `sizelineinfo`, and the size of an item.
    pub(crate) lines: u16,
    pub(crate) line_count: u16,
    pub(crate) line_size: u16,
    /// `abslineinfo` and `sizeabslineinfo`, and the size of an item (from 5.4 on).
    pub(crate) absolute_lines: u16,
    pub(crate) absolute_line_count: u16,
    pub(crate) absolute_line_size: u16,
}

/// `LClosure` and `CClosure`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Closure {
    /// `isC`, a byte (5.1, 5.2.0); later the tag tells.
    pub(crate) is_c: u16,
    /// `nupvalues`, a byte.
    pub(crate) upvalue_count: u16,
    /// `env` (5.1).
    pub(crate) environment: u16,
    /// `l.p` and `l.upvals`.
    pub(crate) prototype: u16,
    pub(crate) upvalues: u16,
    /// `c.f` and `c.upvalue`.
    pub(crate) c_function: u16,
    pub(crate) c_upvalues: u16,
}

/// `UpVal`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct UpVal {
    pub(crate) size: u16,
    /// `v`, the address of the value.
    pub(crate) value: u16,
    /// `u.value`, the value of a closed upvalue.
    pub(crate) closed: u16,
    /// `u.open.next` (5.3 on); up to 5.2 open ones are linked by the `next` of every object.
    pub(crate) next_open: u16,
}

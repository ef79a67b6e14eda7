//! Offsets in LuaJIT's structures: one table per build whose source we know.

/// `~LJ_TTHREAD`, as in an object's header.
pub(crate) const THREAD: u8 = 6;

/// The structures of a LuaJIT. Every number is in bytes: the offset of a field in its structure, or
/// (`size`) the size of the structure. A field that refers to an object or to memory of the VM's own
/// has the width of a reference (`GCRef`, `MRef`), unless it is said to be a pointer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JitLayout {
    /// The releases that have it.
    pub(crate) name: &'static str,
    pub(crate) global_state: JitGlobalState,
    pub(crate) jit_state: JitState,
    pub(crate) state: JitLuaState,
    pub(crate) table: GCtab,
    pub(crate) string: GCstr,
    pub(crate) userdata: GCudata,
    pub(crate) prototype: GCproto,
    pub(crate) function: GCfunc,
    pub(crate) upvalue: GCupval,
    pub(crate) trace: GCtrace,
    pub(crate) buffer: SBufExt,
    pub(crate) c_types: CTState,
    pub(crate) c_frame: CFrame,
}

/// `global_State`, and the `GG_State` that it is part of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JitGlobalState {
    /// Size of a reference: 8 (`LJ_GC64`), or 4.
    pub(crate) reference_size: u16,
    /// Size of `GG_State`.
    pub(crate) whole: u16,
    /// From `GG_State.L` (its start) to `GG_State.g`, and from that to `GG_State.J`, which is ABSENT
    /// in builds without the compiler.
    pub(crate) from_main_thread: u16,
    pub(crate) to_jit_state: u16,
    pub(crate) size: u16,
    /// `allocf`, and `allocd` after it: pointers.
    pub(crate) allocator: u16,
    /// `gc.total`, as wide as a reference.
    pub(crate) total_bytes: u16,
    /// `gc.root`.
    pub(crate) all: u16,
    /// `gc.mmudata`, the last of a ring.
    pub(crate) to_be_finalized: u16,
    /// `gc.lightudseg` and `gc.lightudnum` (a byte); ABSENT where light userdata have 47 bits.
    pub(crate) light_segments: u16,
    pub(crate) light_segment_count: u16,
    /// `strempty`.
    pub(crate) empty_string: u16,
    /// `str.tab`, a pointer, and `str.mask` (4 bytes), in older builds `strhash` and `strmask`.
    pub(crate) strings: u16,
    pub(crate) strings_mask: u16,
    /// `str.num`, in older builds `strnum`, 4 bytes.
    pub(crate) strings_used: u16,
    /// `mainthref`.
    pub(crate) main_thread: u16,
    /// `tmpbuf.b` and `tmpbuf.e`: its start and end, pointers or references. In 2.0 there is only
    /// its size, `tmpbuf.sz` (4 bytes), in place of the end.
    pub(crate) buffer_start: u16,
    pub(crate) buffer_end: u16,
    /// `nilnode`.
    pub(crate) nil_node: u16,
    /// `registrytv`.
    pub(crate) registry: u16,
    /// `vmthref` (ABSENT where there is none).
    pub(crate) vm_thread: u16,
    /// `ctype_state`.
    pub(crate) c_types: u16,
    /// `gcroot[0]`, the number of roots (`GCROOT_MAX`), and the first that is a metatable of a
    /// basic type (`GCROOT_BASEMT`; in the order of `~itype`).
    pub(crate) roots: u16,
    pub(crate) root_count: u16,
    pub(crate) root_metatables: u16,
}

/// `jit_State`. Offsets are from its start; all ABSENT in builds without the compiler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JitState {
    /// `irbuf`, which is biased, and `irtoplim` and `irbotlim`, 4 bytes each; a slot has 8 bytes.
    pub(crate) ir_top: u16,
    pub(crate) ir_bottom: u16,
    /// `sizesnap`, and the size of a `SnapShot`.
    pub(crate) snapshot_count: u16,
    pub(crate) snapshot_size: u16,
    /// `sizesnapmap`; an entry has 4 bytes.
    pub(crate) snapshot_map_count: u16,
    /// `k64`: the first block of the constants of traces that have 64 bits, where those are not in
    /// the traces (2.0).
    pub(crate) constants: u16,
    /// `trace`, a pointer to references, and `sizetrace`.
    pub(crate) traces: u16,
    pub(crate) trace_count: u16,
}

/// `lua_State`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct JitLuaState {
    pub(crate) size: u16,
    /// `glref`.
    pub(crate) global: u16,
    /// Pointers.
    pub(crate) base: u16,
    pub(crate) top: u16,
    pub(crate) stack: u16,
    /// `stacksize`, 4 bytes.
    pub(crate) stack_size: u16,
    /// `openupval`.
    pub(crate) open_upvalues: u16,
    /// `env`.
    pub(crate) globals: u16,
    /// `cframe`, a pointer.
    pub(crate) c_frame: u16,
    /// `status`, a byte.
    pub(crate) status: u16,
}

/// `GCtab`. A node has 24 bytes: value, key, next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCtab {
    pub(crate) size: u16,
    /// `colo`, a byte.
    pub(crate) colocated: u16,
    pub(crate) array: u16,
    /// `asize`, 4 bytes.
    pub(crate) array_size: u16,
    pub(crate) metatable: u16,
    pub(crate) nodes: u16,
    /// `hmask`, 4 bytes.
    pub(crate) hash_mask: u16,
}

/// `GCstr`, whose text follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCstr {
    pub(crate) size: u16,
    /// Of what the size of the text with a zero byte is made a multiple.
    pub(crate) rounding: u16,
    /// 4 bytes.
    pub(crate) len: u16,
    /// `hash`, 4 bytes.
    pub(crate) hash: u16,
    /// `sid`, by which tables look it up, 4 bytes; in builds without it, the same as `hash`.
    pub(crate) id: u16,
}

/// `GCudata`, whose payload follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCudata {
    pub(crate) size: u16,
    /// `udtype`, a byte.
    pub(crate) udata_type: u16,
    /// 4 bytes.
    pub(crate) len: u16,
    pub(crate) metatable: u16,
    pub(crate) environment: u16,
}

/// `GCproto`, whose bytecode follows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCproto {
    pub(crate) size: u16,
    /// `numparams` and `framesize`, bytes.
    pub(crate) parameters: u16,
    pub(crate) frame_size: u16,
    /// `sizebc`, 4 bytes.
    pub(crate) code_count: u16,
    /// `k`, in the middle of the constants: those that are objects lie before it.
    pub(crate) constants: u16,
    /// `sizekgc`, 4 bytes.
    pub(crate) object_count: u16,
    /// `sizekn`, 4 bytes: number of numeric constants, which start at the middle.
    pub(crate) number_count: u16,
    /// `uv`, after the constants; 2 bytes for each upvalue.
    pub(crate) upvalues: u16,
    /// `sizept`, 4 bytes: the total size.
    pub(crate) whole: u16,
    /// `sizeuv`, a byte.
    pub(crate) upvalue_count: u16,
    /// `flags`, a byte.
    pub(crate) flags: u16,
    /// `trace`, 2 bytes.
    pub(crate) trace: u16,
    /// `chunkname`.
    pub(crate) source: u16,
    /// `firstline`, 4 bytes.
    pub(crate) line: u16,
    /// `numline`, 4 bytes.
    pub(crate) line_count: u16,
    /// `lineinfo`, after the upvalues.
    pub(crate) lines: u16,
    /// `uvinfo` and `varinfo`, after the lines.
    pub(crate) upvalue_names: u16,
    pub(crate) local_names: u16,
    /// The opcode `BC_RETM`, the first of four that return.
    pub(crate) first_return: u16,
}

/// `GCfuncL` and `GCfuncC`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCfunc {
    /// `ffid` and `nupvalues`, bytes.
    pub(crate) fast_function: u16,
    pub(crate) upvalue_count: u16,
    pub(crate) environment: u16,
    /// `pc`.
    pub(crate) pc: u16,
    /// `GCfuncL.uvptr`.
    pub(crate) upvalues: u16,
    /// `GCfuncC.upvalue`.
    pub(crate) c_upvalues: u16,
}

/// `GCupval`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCupval {
    pub(crate) size: u16,
    /// `closed`, a byte.
    pub(crate) closed: u16,
    /// `tv`, the value of a closed upvalue.
    pub(crate) own_value: u16,
    /// `v`, the address of the value.
    pub(crate) value: u16,
}

/// `GCtrace`; all ABSENT in builds without the compiler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct GCtrace {
    pub(crate) size: u16,
    /// `nsnap`, 2 bytes.
    pub(crate) snapshot_count: u16,
    /// `nins`, 4 bytes.
    pub(crate) instruction_end: u16,
    /// `ir`, which is biased.
    pub(crate) instructions: u16,
    /// `nk`, 4 bytes.
    pub(crate) instruction_start: u16,
    /// `nsnapmap`, and its size: 4 bytes, or 2 before 2019.
    pub(crate) snapshot_map_count: u16,
    pub(crate) snapshot_map_count_size: u16,
    /// `startpt`, `startpc`, and `startins`, a copy of the instruction that `startpc` leads to.
    pub(crate) prototype: u16,
    pub(crate) start_code: u16,
    pub(crate) start_instruction: u16,
    /// `traceno`, `link`, `root`, `nextroot`, `nextside`, 2 bytes each.
    pub(crate) number: u16,
    pub(crate) link: u16,
    pub(crate) root: u16,
    pub(crate) next_root: u16,
    pub(crate) next_side: u16,
}

/// `SBufExt`, the payload of a string buffer; all ABSENT in builds without them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct SBufExt {
    pub(crate) size: u16,
    /// `e` and `b`: the end and the start of its memory, pointers.
    pub(crate) end: u16,
    pub(crate) start: u16,
    /// `L`, with flags in its low bits.
    pub(crate) flags: u16,
    /// `cowref`, the object whose text it shows.
    pub(crate) shown: u16,
    /// `dict_str` and `dict_mt`, or the only `dict` of the first revisions.
    pub(crate) key_dictionary: u16,
    pub(crate) metatable_dictionary: u16,
}

/// `CTState`; all ABSENT in builds without FFI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CTState {
    /// Size of `CTState`.
    pub(crate) size: u16,
    /// `tab`, a pointer, and `sizetab` (4 bytes), and the size of a `CType`.
    pub(crate) table: u16,
    pub(crate) table_size: u16,
    pub(crate) type_size: u16,
    /// `top`, 4 bytes.
    pub(crate) top: u16,
    /// In a `CType`: `info` and `size`, 4 bytes each.
    pub(crate) type_info: u16,
    pub(crate) type_bytes: u16,
    /// `miscmap`, and `finalizer` (ABSENT where it is a root): pointers.
    pub(crate) misc_map: u16,
    pub(crate) finalizers: u16,
    /// `cb.cbid` and `cb.sizeid` (4 bytes); an id has 2 bytes.
    pub(crate) callback_ids: u16,
    pub(crate) callback_count: u16,
}

/// What `lj_vm_*` keep in a frame of theirs on the machine stack (`CFRAME_OFS_*` of `lj_frame.h`). It differs by machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct CFrame {
    /// `CFRAME_OFS_PREV`: the address of the previous frame.
    pub(crate) before: u16,
    /// `CFRAME_OFS_PC`: the place in the code that runs, a reference.
    pub(crate) code: u16,
    /// `CFRAME_OFS_NRES`: the number of wanted results, 4 bytes. A negative number is the stack offset of what the
    /// frame protects, negated.
    pub(crate) results: u16,
}

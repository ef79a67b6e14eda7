//! The contents of LuaJIT's tables, and where they are in its sources.

use crate::dwarf::Types;
use crate::layout::{BYTE, Builder, INT, Layout, POINTER, SHORT, Structure};
use crate::probe;
use anyhow::{Context, Result};
use std::path::Path;

/// What is compiled, to find out its types.
pub const PROBE: &str = include_str!("probes/jit.c");

/// The size of a `TValue`.
const VALUE: u64 = 8;
/// The size of a `Node`.
const NODE: u64 = 24;

/// A machine that LuaJIT makes code for. Its structures differ by that, and its headers have those of any machine,
/// whichever the compiler is for: all of them have 64-bit pointers, and lay out alike what LuaJIT has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Machine {
    X86_64,
    AArch64,
}

impl Machine {
    /// The option for the compiler that chooses it.
    fn flag(self) -> String {
        let name = match self {
            Machine::X86_64 => "X64",
            Machine::AArch64 => "ARM64",
        };
        format!("-DLUAJIT_TARGET=LUAJIT_ARCH_{name}")
    }
}

/// Derives the layout of a LuaJIT on a machine from its sources and the compiler's flags.
pub fn layout(name: &str, sources: &Path, machine: Machine, flags: &[String]) -> Result<Layout> {
    let flags = [&[machine.flag()], flags].concat();
    let derived = probe::types(PROBE, sources, &flags).and_then(|types| structures(&types));
    Ok(Layout {
        release: name.into(),
        version: None,
        structures: derived
            .with_context(|| format!("cannot derive the layout of LuaJIT {name}"))?,
    })
}

fn structures(types: &Types) -> Result<Vec<Structure>> {
    let parts = [
        global_state,
        jit_state,
        state,
        table,
        string,
        userdata,
        prototype,
        function,
        upvalue,
        trace,
        c_types,
        c_frame,
    ];
    parts.iter().map(|part| part(types)).collect()
}

fn global_state(types: &Types) -> Result<Structure> {
    Builder::new(types, "global_state", "JitGlobalState", "GG_State")
        .size_of("whole", "GG_State")
        .between("from_main_thread", "L", "g")
        .between("to_jit_state", "g", "J")
        .of("global_State")
        .at("allocator", POINTER, "allocf")
        .at("total_bytes", POINTER, "gc.total")
        .at("all", POINTER, "gc.root")
        .at("to_be_finalized", POINTER, "gc.mmudata")
        .at("light_segments", POINTER, "gc.lightudseg")
        .at("light_segment_count", BYTE, "gc.lightudnum")
        .at("strings", POINTER, "str.tab|strhash")
        .at("strings_mask", INT, "str.mask|strmask")
        .at("strings_used", INT, "str.num|strnum")
        .at("main_thread", POINTER, "mainthref")
        .at("buffer_start", POINTER, "tmpbuf.b")
        .at("buffer_end", POINTER, "tmpbuf.e")
        .at("nil_node", NODE, "nilnode")
        .at("registry", VALUE, "registrytv")
        .at_if_there("vm_thread", POINTER, "vmthref")
        .at("c_types", POINTER, "ctype_state")
        .at("roots", POINTER, "gcroot")
        .count("root_count", "gcroot")
        .constant("root_metatables", "XTASK_ROOT_METATABLES")
        .finish()
}

fn jit_state(types: &Types) -> Result<Structure> {
    Builder::new(types, "jit_state", "JitState", "jit_State")
        .at("ir_top", INT, "irtoplim")
        .at("ir_bottom", INT, "irbotlim")
        .at("snapshot_count", INT, "sizesnap")
        .item("snapshot_size", "snapbuf")
        .at("snapshot_map_count", INT, "sizesnapmap")
        .at("traces", POINTER, "trace")
        .at("trace_count", INT, "sizetrace")
        .finish()
}

fn state(types: &Types) -> Result<Structure> {
    Builder::new(types, "state", "JitLuaState", "lua_State")
        .size()
        .at("global", POINTER, "glref")
        .at("base", POINTER, "base")
        .at("top", POINTER, "top")
        .at("stack", POINTER, "stack")
        .at("stack_size", INT, "stacksize")
        .at("open_upvalues", POINTER, "openupval")
        .at("globals", POINTER, "env")
        .at("c_frame", POINTER, "cframe")
        .at("status", BYTE, "status")
        .finish()
}

fn table(types: &Types) -> Result<Structure> {
    Builder::new(types, "table", "GCtab", "GCtab")
        .size()
        .at("colocated", BYTE, "colo")
        .at("array", POINTER, "array")
        .at("array_size", INT, "asize")
        .at("metatable", POINTER, "metatable")
        .at("nodes", POINTER, "node")
        .at("hash_mask", INT, "hmask")
        .finish()
}

fn string(types: &Types) -> Result<Structure> {
    Builder::new(types, "string", "GCstr", "GCstr")
        .size()
        .at("len", INT, "len")
        .at("hash", INT, "hash")
        .at_if_there("id", INT, "sid")
        .finish()
}

fn userdata(types: &Types) -> Result<Structure> {
    Builder::new(types, "userdata", "GCudata", "GCudata")
        .size()
        .at("udata_type", BYTE, "udtype")
        .at("len", INT, "len")
        .at("metatable", POINTER, "metatable")
        .at("environment", POINTER, "env")
        .finish()
}

fn prototype(types: &Types) -> Result<Structure> {
    Builder::new(types, "prototype", "GCproto", "GCproto")
        .size()
        .at("parameters", BYTE, "numparams")
        .at("frame_size", BYTE, "framesize")
        .at("code_count", INT, "sizebc")
        .at("constants", POINTER, "k")
        .at("object_count", INT, "sizekgc")
        .at("number_count", INT, "sizekn")
        .at("upvalues", POINTER, "uv")
        .at("whole", INT, "sizept")
        .at("upvalue_count", BYTE, "sizeuv")
        .at("flags", BYTE, "flags")
        .at("trace", SHORT, "trace")
        .at("source", POINTER, "chunkname")
        .at("line", INT, "firstline")
        .at("line_count", INT, "numline")
        .at("lines", POINTER, "lineinfo")
        .at("upvalue_names", POINTER, "uvinfo")
        .at("local_names", POINTER, "varinfo")
        .finish()
}

fn function(types: &Types) -> Result<Structure> {
    Builder::new(types, "function", "GCfunc", "GCfunc")
        .at("fast_function", BYTE, "c.ffid")
        .at("upvalue_count", BYTE, "c.nupvalues")
        .at("environment", POINTER, "c.env")
        .at("pc", POINTER, "c.pc")
        .at("upvalues", POINTER, "l.uvptr")
        .at("c_upvalues", VALUE, "c.upvalue")
        .finish()
}

fn upvalue(types: &Types) -> Result<Structure> {
    Builder::new(types, "upvalue", "GCupval", "GCupval")
        .size()
        .at("closed", BYTE, "closed")
        .at("own_value", VALUE, "tv")
        .at("value", POINTER, "v")
        .finish()
}

fn trace(types: &Types) -> Result<Structure> {
    Builder::new(types, "trace", "GCtrace", "GCtrace")
        .size()
        .at("snapshot_count", SHORT, "nsnap")
        .at("instruction_end", INT, "nins")
        .at("instructions", POINTER, "ir")
        .at("instruction_start", INT, "nk")
        .at("snapshot_map_count", INT, "nsnapmap")
        .at("prototype", POINTER, "startpt")
        .at("number", SHORT, "traceno")
        .at("link", SHORT, "link")
        .at("root", SHORT, "root")
        .at("next_root", SHORT, "nextroot")
        .at("next_side", SHORT, "nextside")
        .finish()
}

fn c_types(types: &Types) -> Result<Structure> {
    Builder::new(types, "c_types", "CTState", "CTState")
        .size()
        .at("table", POINTER, "tab")
        .at("table_size", INT, "sizetab")
        .item("type_size", "tab")
        .at("top", INT, "top")
        .of("CType")
        .at("type_info", INT, "info")
        .at("type_bytes", INT, "size")
        .of("CTState")
        .at("misc_map", POINTER, "miscmap")
        .at_if_there("finalizers", POINTER, "finalizer")
        .at("callback_ids", POINTER, "cb.cbid")
        .at("callback_count", INT, "cb.sizeid")
        .finish()
}

/// The frames of the VM on the machine stack: a structure by numbers alone, which follow the machine.
fn c_frame(types: &Types) -> Result<Structure> {
    Builder::new(types, "c_frame", "CFrame", "lua_State")
        .constant("before", "XTASK_C_FRAME_BEFORE")
        .constant("code", "XTASK_C_FRAME_CODE")
        .constant("results", "XTASK_C_FRAME_RESULTS")
        .finish()
}

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
        buffer,
        c_types,
        c_frame,
    ];
    let reference = types.size("GCRef")?;
    parts.iter().map(|part| part(types, reference)).collect()
}

fn global_state(types: &Types, reference: u64) -> Result<Structure> {
    // A pointer or a reference; in 2.0 there is only the size.
    let buffer = types.member("global_State", "tmpbuf.b")?;
    let buffer = buffer.map_or(INT, |start| start.width);
    Builder::new(types, "global_state", "JitGlobalState", "GG_State")
        .size_of("reference_size", "GCRef")
        .size_of("whole", "GG_State")
        .between("from_main_thread", "L", "g")
        .between_if_there("to_jit_state", "g", "J")
        .of("global_State")
        .size()
        .at("allocator", POINTER, "allocf")
        .at("total_bytes", reference, "gc.total")
        .at("all", reference, "gc.root")
        .at("to_be_finalized", reference, "gc.mmudata")
        .at_if_there("light_segments", reference, "gc.lightudseg")
        .at_if_there("light_segment_count", BYTE, "gc.lightudnum")
        .at("empty_string", types.size("GCstr")?, "strempty")
        .at("strings", POINTER, "str.tab|strhash")
        .at("strings_mask", INT, "str.mask|strmask")
        .at("strings_used", INT, "str.num|strnum")
        .at("main_thread", reference, "mainthref")
        .at_if_there("buffer_start", buffer, "tmpbuf.b")
        .at("buffer_end", buffer, "tmpbuf.e|tmpbuf.sz")
        .at("nil_node", NODE, "nilnode")
        .at("registry", VALUE, "registrytv")
        .at_if_there("vm_thread", reference, "vmthref")
        .at("c_types", reference, "ctype_state")
        .at("roots", reference, "gcroot")
        .count("root_count", "gcroot")
        .constant("root_metatables", "XTASK_ROOT_METATABLES")
        .finish()
}

fn jit_state(types: &Types, reference: u64) -> Result<Structure> {
    let jit_state = Builder::new(types, "jit_state", "JitState", "jit_State");
    if !types.has("jit_State") {
        let jit_state = jit_state.all_absent(&["ir_top", "ir_bottom", "snapshot_count"]);
        let jit_state = jit_state.all_absent(&["snapshot_size", "snapshot_map_count"]);
        let jit_state = jit_state.all_absent(&["constants", "traces", "trace_count"]);
        return jit_state.finish();
    }
    let builder = jit_state
        .at("ir_top", INT, "irtoplim")
        .at("ir_bottom", INT, "irbotlim")
        .at("snapshot_count", INT, "sizesnap")
        .item("snapshot_size", "snapbuf")
        .at("snapshot_map_count", INT, "sizesnapmap");
    // Since 2.1 it is an array of a few constants that the compiler itself needs.
    let constants = types.member("jit_State", "k64")?;
    let has_blocks = constants.is_some_and(|constants| constants.count.is_none());
    let builder = match has_blocks {
        true => builder.at("constants", reference, "k64"),
        false => builder.absent("constants"),
    };
    builder
        .at("traces", POINTER, "trace")
        .at("trace_count", INT, "sizetrace")
        .finish()
}

fn state(types: &Types, reference: u64) -> Result<Structure> {
    Builder::new(types, "state", "JitLuaState", "lua_State")
        .size()
        .at("global", reference, "glref")
        .at("base", POINTER, "base")
        .at("top", POINTER, "top")
        .at("stack", reference, "stack")
        .at("stack_size", INT, "stacksize")
        .at("open_upvalues", reference, "openupval")
        .at("globals", reference, "env")
        .at("c_frame", POINTER, "cframe")
        .at("status", BYTE, "status")
        .finish()
}

fn table(types: &Types, reference: u64) -> Result<Structure> {
    Builder::new(types, "table", "GCtab", "GCtab")
        .size()
        .at("colocated", BYTE, "colo")
        .at("array", reference, "array")
        .at("array_size", INT, "asize")
        .at("metatable", reference, "metatable")
        .at("nodes", reference, "node")
        .at("hash_mask", INT, "hmask")
        .finish()
}

fn string(types: &Types, _: u64) -> Result<Structure> {
    Builder::new(types, "string", "GCstr", "GCstr")
        .size()
        .constant("rounding", "XTASK_TEXT_ROUNDING")
        .at("len", INT, "len")
        .at("hash", INT, "hash")
        .at_if_there("id", INT, "sid")
        .finish()
}

fn userdata(types: &Types, reference: u64) -> Result<Structure> {
    Builder::new(types, "userdata", "GCudata", "GCudata")
        .size()
        .at("udata_type", BYTE, "udtype")
        .at("len", INT, "len")
        .at("metatable", reference, "metatable")
        .at("environment", reference, "env")
        .finish()
}

fn prototype(types: &Types, reference: u64) -> Result<Structure> {
    Builder::new(types, "prototype", "GCproto", "GCproto")
        .size()
        .at("parameters", BYTE, "numparams")
        .at("frame_size", BYTE, "framesize")
        .at("code_count", INT, "sizebc")
        .at("constants", reference, "k")
        .at("object_count", INT, "sizekgc")
        .at("number_count", INT, "sizekn")
        .at("upvalues", reference, "uv")
        .at("whole", INT, "sizept")
        .at("upvalue_count", BYTE, "sizeuv")
        .at("flags", BYTE, "flags")
        .at("trace", SHORT, "trace")
        .at("source", reference, "chunkname")
        .at("line", INT, "firstline")
        .at("line_count", INT, "numline")
        .at("lines", reference, "lineinfo")
        .at("upvalue_names", reference, "uvinfo")
        .at("local_names", reference, "varinfo")
        .constant("first_return", "XTASK_RETM")
        .finish()
}

fn function(types: &Types, reference: u64) -> Result<Structure> {
    Builder::new(types, "function", "GCfunc", "GCfunc")
        .at("fast_function", BYTE, "c.ffid")
        .at("upvalue_count", BYTE, "c.nupvalues")
        .at("environment", reference, "c.env")
        .at("pc", reference, "c.pc")
        .at("upvalues", reference, "l.uvptr")
        .at("c_upvalues", VALUE, "c.upvalue")
        .finish()
}

fn upvalue(types: &Types, reference: u64) -> Result<Structure> {
    Builder::new(types, "upvalue", "GCupval", "GCupval")
        .size()
        .at("closed", BYTE, "closed")
        .at("own_value", VALUE, "tv")
        .at("value", reference, "v")
        .finish()
}

fn trace(types: &Types, reference: u64) -> Result<Structure> {
    let trace = Builder::new(types, "trace", "GCtrace", "GCtrace");
    if !types.has("GCtrace") {
        let trace = trace.all_absent(&["size", "snapshot_count", "instruction_end"]);
        let trace = trace.all_absent(&["instructions", "instruction_start"]);
        let trace = trace.all_absent(&["snapshot_map_count", "snapshot_map_count_size"]);
        let trace = trace.all_absent(&["prototype", "start_code", "start_instruction", "number"]);
        let trace = trace.all_absent(&["link", "root", "next_root", "next_side"]);
        return trace.finish();
    }
    // A short count before 2019.
    let map_count = types.member("GCtrace", "nsnapmap")?;
    let map_count = map_count.map_or(INT, |count| count.width);
    trace
        .size()
        .at("snapshot_count", SHORT, "nsnap")
        .at("instruction_end", INT, "nins")
        .at("instructions", POINTER, "ir")
        .at("instruction_start", INT, "nk")
        .at("snapshot_map_count", map_count, "nsnapmap")
        .width("snapshot_map_count_size", "nsnapmap")
        .at("prototype", reference, "startpt")
        .at("start_code", reference, "startpc")
        .at("start_instruction", INT, "startins")
        .at("number", SHORT, "traceno")
        .at("link", SHORT, "link")
        .at("root", SHORT, "root")
        .at("next_root", SHORT, "nextroot")
        .at("next_side", SHORT, "nextside")
        .finish()
}

fn buffer(types: &Types, reference: u64) -> Result<Structure> {
    let buffer = Builder::new(types, "buffer", "SBufExt", "SBufExt");
    if !types.has("SBufExt") {
        let buffer = buffer.all_absent(&["size", "end", "start", "flags", "shown"]);
        let buffer = buffer.all_absent(&["key_dictionary", "metatable_dictionary"]);
        return buffer.finish();
    }
    buffer
        .size()
        .at("end", POINTER, "e")
        .at("start", POINTER, "b")
        .at("flags", reference, "L")
        .at("shown", reference, "cowref")
        .at("key_dictionary", reference, "dict_str|dict")
        .at_if_there("metatable_dictionary", reference, "dict_mt")
        .finish()
}

fn c_types(types: &Types, _: u64) -> Result<Structure> {
    let c_types = Builder::new(types, "c_types", "CTState", "CTState");
    if !types.has("CTState") {
        let c_types = c_types.all_absent(&["size", "table", "table_size", "type_size", "top"]);
        let c_types = c_types.all_absent(&["type_info", "type_bytes", "misc_map", "finalizers"]);
        let c_types = c_types.all_absent(&["callback_ids", "callback_count"]);
        return c_types.finish();
    }
    c_types
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
fn c_frame(types: &Types, _: u64) -> Result<Structure> {
    Builder::new(types, "c_frame", "CFrame", "lua_State")
        .constant("before", "XTASK_C_FRAME_BEFORE")
        .constant("code", "XTASK_C_FRAME_CODE")
        .constant("results", "XTASK_C_FRAME_RESULTS")
        .finish()
}

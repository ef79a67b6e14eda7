//! The contents of PUC Lua's tables, and where they are in its sources.

use crate::dwarf::Types;
use crate::layout::{BYTE, Builder, INT, Layout, POINTER, SHORT, Structure};
use crate::probe;
use anyhow::{Context, Result};
use std::fmt;
use std::path::Path;

/// What is compiled, to find out its types.
pub const PROBE: &str = include_str!("probes/puc.c");

/// The size of a `TValue`.
const VALUE: u64 = 16;

/// The number of a release, such as 5.4.6: layouts depend on it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Release(pub u32, pub u32, pub u32);

const LUA_52: Release = Release(5, 2, 0);
const LUA_53: Release = Release(5, 3, 0);
const LUA_54: Release = Release(5, 4, 0);
const LUA_55: Release = Release(5, 5, 0);

impl Release {
    /// Reads `5.4.6`, or `5.1`, the only one without a third number.
    pub fn parse(text: &str) -> Option<Release> {
        if text == "5.1" {
            return Some(Release(5, 1, 0));
        }
        let mut parts = text.split('.').map(|part| part.parse().ok());
        let release = Release(parts.next()??, parts.next()??, parts.next()??);
        parts.next().is_none().then_some(release)
    }

    /// Its `Version` in the tables: `Lua54`.
    pub fn version(self) -> String {
        format!("Lua{}{}", self.0, self.1)
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Release(5, 1, 0) => write!(f, "5.1"),
            Release(major, minor, last) => write!(f, "{major}.{minor}.{last}"),
        }
    }
}

/// Derives the layout of a release, or a fork of it, from its sources and the compiler's flags.
pub fn layout(name: &str, release: Release, sources: &Path, flags: &[String]) -> Result<Layout> {
    let derived = probe::types(PROBE, sources, flags);
    let derived = derived.and_then(|types| structures(&types, release));
    Ok(Layout {
        release: name.into(),
        version: Some(release.version()),
        structures: derived.with_context(|| format!("cannot derive the layout of Lua {name}"))?,
    })
}

fn structures(types: &Types, release: Release) -> Result<Vec<Structure>> {
    let parts = [
        global_state,
        state,
        call,
        table,
        node,
        string,
        userdata,
        prototype,
        closure,
        upvalue,
    ];
    parts.iter().map(|part| part(types, release)).collect()
}

fn global_state(types: &Types, release: Release) -> Result<Structure> {
    let main_thread = if release < LUA_55 {
        POINTER
    } else {
        types.size("lua_State")?
    };
    Builder::new(types, "global_state", "GlobalState", "global_State")
        .size()
        .size_of_if(release < LUA_55, "with_main_thread", "LG")
        .at("allocator", POINTER, "frealloc")
        .at("total_bytes", POINTER, "totalbytes|GCtotalbytes")
        .at_if(release >= LUA_52, "debt", POINTER, "GCdebt")
        .at("strings", POINTER, "strt.hash")
        .at("strings_size", INT, "strt.size")
        .at("strings_used", INT, "strt.nuse")
        .at("registry", VALUE, "l_registry")
        .at("all", POINTER, "allgc|rootgc")
        .at_if(release >= LUA_52, "with_finalizer", POINTER, "finobj")
        .at("to_be_finalized", POINTER, "tobefnz|tmudata")
        .at_if(release >= LUA_53, "fixed", POINTER, "fixedgc")
        .at("main_thread", main_thread, "mainthread|mainth.l")
        .at("metamethods", POINTER, "tmname")
        .count("metamethod_count", "tmname")
        .at("metatables", POINTER, "mt")
        .at_if(
            release < Release(5, 3, 2),
            "buffer_size",
            POINTER,
            "buff.buffsize",
        )
        .at_if(release < LUA_52, "threshold", POINTER, "GCthreshold")
        .finish()
}

fn state(types: &Types, release: Release) -> Result<Structure> {
    let base_call = if release < LUA_52 {
        POINTER
    } else {
        types.size("CallInfo")?
    };
    let call_count = if release < LUA_55 { SHORT } else { INT };
    Builder::new(types, "state", "LuaState", "lua_State")
        .size()
        .size_of_if(release >= LUA_52, "with_extra_space", "LX")
        .at("global", POINTER, "l_G")
        .at("top", POINTER, "top")
        .at("stack", POINTER, "stack")
        .at("stack_last", POINTER, "stack_last")
        .at_if(release < Release(5, 4, 2), "stack_size", INT, "stacksize")
        .at("call", POINTER, "ci")
        .at("base_call", base_call, "base_ci")
        .at_if(release < LUA_52, "calls_size", INT, "size_ci")
        .at_if(release >= Release(5, 3, 2), "call_count", call_count, "nci")
        .at("open_upvalues", POINTER, "openupval")
        .at_if(release < LUA_52, "globals", VALUE, "l_gt")
        .at_if(release < LUA_52, "saved_pc", POINTER, "savedpc")
        .at_if(release < LUA_52, "base", POINTER, "base")
        .at("status", BYTE, "status")
        .finish()
}

fn call(types: &Types, release: Release) -> Result<Structure> {
    let since_52 = release >= LUA_52;
    let status = match release {
        Release(5, 2, _) | Release(5, 3, ..=3) => BYTE,
        Release(5, 3 | 4, _) => SHORT,
        _ => INT,
    };
    Builder::new(types, "call", "CallInfo", "CallInfo")
        .size()
        .at("function", POINTER, "func")
        .at_if(release < LUA_54, "base", POINTER, "base|u.l.base")
        .at("top", POINTER, "top")
        .at_if(since_52, "previous", POINTER, "previous")
        .at_if(since_52, "next", POINTER, "next")
        .at("saved_pc", POINTER, "savedpc|u.l.savedpc")
        .at_if(since_52, "status", status, "callstatus")
        .at_if(
            since_52 && release < LUA_54,
            "extra",
            POINTER,
            "extra|u.c.extra",
        )
        .at_if(!since_52, "tail_calls", INT, "tailcalls")
        .at_if(release >= LUA_54, "extra_arguments", INT, "u.l.nextraargs")
        .finish()
}

fn table(types: &Types, release: Release) -> Result<Structure> {
    Builder::new(types, "table", "Table", "Table")
        .size()
        .at("flags", BYTE, "flags")
        .at("node_count_log2", BYTE, "lsizenode")
        .at("array_size", INT, "sizearray|alimit|asize")
        .at("array", POINTER, "array")
        .at("nodes", POINTER, "node")
        .at_if(release < LUA_55, "last_free", POINTER, "lastfree")
        .at("metatable", POINTER, "metatable")
        .finish()
}

fn node(types: &Types, release: Release) -> Result<Structure> {
    let tag = if release < LUA_54 { INT } else { BYTE };
    let next = if release < LUA_53 { POINTER } else { INT };
    let key = "i_key.nk.value|i_key.nk.value_|u.key_val";
    Builder::new(types, "node", "Node", "Node")
        .size()
        .at("value", VALUE, "i_val")
        .at("key", POINTER, key)
        .at("key_tag", tag, "i_key.nk.tt|i_key.nk.tt_|u.key_tt")
        .at("next", next, "i_key.nk.next|u.next")
        .finish()
}

fn string(types: &Types, release: Release) -> Result<Structure> {
    let since_53 = release >= LUA_53;
    let since_55 = release >= LUA_55;
    let builder = Builder::new(types, "string", "TString", "TString");
    // Since 5.4 the text is inside the structure. In 5.5 only that of a short string is: it takes
    // the place of the pointer.
    let builder = if release < LUA_54 {
        let whole = if since_53 { "UTString" } else { "TString" };
        builder.size_of("header", whole)
    } else {
        let width = if since_55 { POINTER } else { BYTE };
        builder.at("header", width, "contents")
    };
    let builder = builder
        .at_if(release > LUA_53, "short_len", BYTE, "shrlen")
        .at("len", POINTER, "tsv.len|u.lnglen|len")
        .at_if(since_53, "next_in_bucket", POINTER, "u.hnext|hnext")
        .at("marked", BYTE, "tsv.marked|marked")
        .at("hash", INT, "tsv.hash|hash")
        .at_if_there("id", POINTER, "id");
    if !since_55 {
        return builder
            .absent("contents")
            .absent("fixed_size")
            .absent("external_size")
            .finish();
    }
    builder
        .at("contents", POINTER, "contents")
        .at("fixed_size", POINTER, "falloc")
        .size_of("external_size", "TString")
        .finish()
}

fn userdata(types: &Types, release: Release) -> Result<Structure> {
    let is_53 = (LUA_53..LUA_54).contains(&release);
    let since_54 = release >= LUA_54;
    let builder = Builder::new(types, "userdata", "Udata", "Udata")
        .constant("header", "XTASK_UDATA_HEADER")
        .at("len", POINTER, "uv.len|len")
        .at("metatable", POINTER, "uv.metatable|metatable")
        .at_if(release < LUA_53, "environment", POINTER, "uv.env")
        .at_if(is_53, "user_value", POINTER, "user_")
        .at_if(is_53, "user_value_tag", BYTE, "ttuv_")
        .at_if(since_54, "user_value_count", SHORT, "nuvalue");
    // Up to 5.2, `uv` is everything except padding.
    let builder = if since_54 {
        builder.at("user_values", VALUE, "uv")
    } else {
        builder.absent("user_values")
    };
    builder.finish()
}

fn prototype(types: &Types, release: Release) -> Result<Structure> {
    let since_54 = release >= LUA_54;
    Builder::new(types, "prototype", "Proto", "Proto")
        .size()
        .at("parameters", BYTE, "numparams")
        .at("flags", BYTE, "is_vararg|flag")
        .at("stack_slots", BYTE, "maxstacksize")
        .at("line", INT, "linedefined")
        .at("last_line", INT, "lastlinedefined")
        .at("source", POINTER, "source")
        .at("code", POINTER, "code")
        .at("code_count", INT, "sizecode")
        .at("constants", POINTER, "k")
        .at("constant_count", INT, "sizek")
        .at("nested", POINTER, "p")
        .at("nested_count", INT, "sizep")
        .at("upvalues", POINTER, "upvalues")
        .at("upvalue_count", INT, "sizeupvalues")
        .item("upvalue_size", "upvalues")
        .at("locals", POINTER, "locvars")
        .at("local_count", INT, "sizelocvars")
        .item("local_size", "locvars")
        .of("LocVar")
        .at("local_name", POINTER, "varname")
        .at("local_start", INT, "startpc")
        .at("local_end", INT, "endpc")
        .of("Proto")
        .at("lines", POINTER, "lineinfo")
        .at("line_count", INT, "sizelineinfo")
        .item("line_size", "lineinfo")
        .at_if(since_54, "absolute_lines", POINTER, "abslineinfo")
        .at_if(since_54, "absolute_line_count", INT, "sizeabslineinfo")
        .item_if(since_54, "absolute_line_size", "abslineinfo")
        .finish()
}

fn closure(types: &Types, release: Release) -> Result<Structure> {
    let is_51 = release < LUA_52;
    Builder::new(types, "closure", "Closure", "Closure")
        .at_if(release <= LUA_52, "is_c", BYTE, "c.isC")
        .at("upvalue_count", BYTE, "c.nupvalues")
        .at_if(is_51, "environment", POINTER, "c.env")
        .at("prototype", POINTER, "l.p")
        .at("upvalues", POINTER, "l.upvals")
        .at("c_function", POINTER, "c.f")
        .at("c_upvalues", VALUE, "c.upvalue")
        .finish()
}

fn upvalue(types: &Types, release: Release) -> Result<Structure> {
    Builder::new(types, "upvalue", "UpVal", "UpVal")
        .size()
        .at("value", POINTER, "v")
        .at("closed", VALUE, "u.value")
        .at_if(release >= LUA_53, "next_open", POINTER, "u.open.next")
        .finish()
}

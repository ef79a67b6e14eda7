//! A Lua module for the tests: `compare.differences()` captures the heap with both engines at the
//! same moment, and returns the differences between their `objects` views, or nil if there are
//! none. `compare.differences(object, name)` does so for what is reachable from an object.
//!
//! They have to agree on everything but sizes: objects, edges, labels, strengths, order. Only the
//! native engine can see objects that wait for their finalizer; then only that is reported.
//!
//! `compare.list(engine, file)` captures the heap with one engine, `native` or `portable`, and
//! writes it to a file, line by line, for `cargo xtask mutants` to compare.

mod listing;

use listing::objects;
use luasnap_capture::{Call, Error, Function, Module, Return, lua_module};
use luasnap_heap::{Engine, Heap, Label, NodeId, Snapshot};
use std::ffi::OsStr;
use std::fmt::Write;
use std::fs;
use std::os::unix::ffi::OsStrExt;

/// The module.
pub static MODULE: Module = Module {
    name: "compare",
    functions: &[
        Function {
            name: "differences",
            body: differences,
        },
        Function {
            name: "list",
            body: list,
        },
    ],
    metamethods: &[],
};

lua_module! {
    /// Opens the module.
    luaopen_compare => crate::MODULE
}

/// About how many lines of differences are reported; more would not help.
const MAX_LINES: usize = 20;

fn differences(call: &mut Call<'_>) -> Result<Return, Error> {
    let is_whole = call.argument_count() == 0;
    if !is_whole {
        call.root_argument(1)?;
        call.string_argument(2)?;
    }
    let capture = |engine| match is_whole {
        true => call.capture_whole(Some(engine)),
        false => call.capture_argument(Some(engine)),
    };
    let native = Snapshot::new(capture(Engine::Native)?);
    let portable = Snapshot::new(capture(Engine::Portable)?);
    if is_whole && has_pending(native.everything()) {
        return Ok(Return::Text(b"finalizers are pending".to_vec()));
    }
    let mut said = String::new();
    let (native, portable) = (objects(&native)?, objects(&portable)?);
    for key in native.by_key.keys().chain(portable.by_key.keys()) {
        match (native.by_key.get(key), portable.by_key.get(key)) {
            (Some(a), Some(b)) if a == b => {}
            (a, b) => {
                let what = format!(
                    "{key}:\n native   {}\n portable {}\n",
                    show(a, b),
                    show(b, a)
                );
                if !said.contains(&what) {
                    said.push_str(&what);
                }
            }
        }
        if said.lines().count() > MAX_LINES {
            break;
        }
    }
    if said.is_empty() && native.order != portable.order {
        let at = native.order.iter().zip(&portable.order);
        let first = at.take_while(|(a, b)| a == b).count();
        let _ = write!(
            said,
            "order, from row {first} on:\n native   {:?}\n portable {:?}",
            native.order.get(first),
            portable.order.get(first)
        );
    }
    Ok(match said.is_empty() {
        true => Return::Nothing,
        false => Return::Text(said.into_bytes()),
    })
}

fn list(call: &mut Call<'_>) -> Result<Return, Error> {
    let engine = match call.string_argument(1)? {
        b"native" => Engine::Native,
        _ => Engine::Portable,
    };
    let snapshot = Snapshot::new(call.capture_whole(Some(engine))?);
    let file = OsStr::from_bytes(call.string_argument(2)?);
    // A missing or truncated file is noticed by its reader.
    let _ = fs::write(file, listing::lines(&snapshot)?);
    Ok(Return::Nothing)
}

/// Whether objects wait for their finalizer.
fn has_pending(heap: &Heap) -> bool {
    heap.edges(NodeId::ROOT).any(|edge| match edge.label {
        Label::Root(name) => heap.name(name) == b"[finalizer]",
        _ => false,
    })
}

/// The lines that are only in the first.
fn show(one: Option<&Vec<String>>, other: Option<&Vec<String>>) -> String {
    let Some(one) = one else {
        return "(not there)".to_owned();
    };
    let empty = Vec::new();
    let other = other.unwrap_or(&empty);
    let mut rest = other.clone();
    let only = one
        .iter()
        .filter(|line| match rest.iter().position(|known| known == *line) {
            Some(at) => {
                rest.remove(at);
                false
            }
            None => true,
        });
    only.cloned().collect::<Vec<_>>().join(" | ")
}

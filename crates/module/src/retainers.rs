//! `path(s, what)` and `retainers(s, what [, options])`: what retains an object, or a group.

use crate::arguments::{Result, argument};
use crate::failure::{answer_error, query_error};
use crate::lua_value::lua_value;
use luasnap_capture::{Call, Return};
use luasnap_format::{RetainersOptions, object_at, printable, resolve};
use luasnap_heap::{Label, NodeId, Snapshot};

/// Number of immediate retainers and disjoint paths by default, and the most of either.
const RETAINERS: usize = 100;
const PATHS: usize = 5;
const MAX_LISTED: usize = 10_000;

/// `path(s, what)`: the shortest path; nil and a reason where there is none.
pub fn path(call: &mut Call<'_>) -> Result {
    let options = RetainersOptions {
        retainers: 0,
        paths: 0,
    };
    let snapshot = argument(call, 1)?;
    let nodes = match targets(call, &snapshot)? {
        Ok(nodes) => nodes,
        Err(reason) => return Ok(Return::Absent(reason)),
    };
    let held = luasnap_format::retainers(&snapshot, &nodes, options).map_err(answer_error)?;
    match held.path {
        Some(path) => Ok(Return::Text(path.into_bytes())),
        None => Ok(Return::Absent(no_path_reason(&snapshot))),
    }
}

/// `retainers(s, what [, {retainers = 100, paths = 5}])`: all that is known about its retainers;
/// nil and a reason where it has none.
pub fn retainers(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let mut options = RetainersOptions {
        retainers: RETAINERS,
        paths: PATHS,
    };
    if !call.is_nil_argument(3) {
        let retainers = call.count_option(3, "retainers")?;
        let paths = call.count_option(3, "paths")?;
        options.retainers = retainers.unwrap_or(RETAINERS).min(MAX_LISTED);
        options.paths = paths.unwrap_or(PATHS).min(MAX_LISTED);
    }
    match targets(call, &snapshot)? {
        Ok(nodes) => {
            let held =
                luasnap_format::retainers(&snapshot, &nodes, options).map_err(answer_error)?;
            match held.path {
                Some(_) => Ok(Return::Value(lua_value(&held)?)),
                None => Ok(Return::Absent(no_path_reason(&snapshot))),
            }
        }
        Err(reason) => Ok(Return::Absent(reason)),
    }
}

/// The objects that argument 2 stands for: the object itself, or those that a string names; or why
/// there are none.
fn targets(
    call: &Call<'_>,
    snapshot: &Snapshot,
) -> Result<std::result::Result<Vec<NodeId>, String>> {
    if let Some(address) = call.object_argument(2) {
        let found = object_at(snapshot.everything(), address);
        return Ok(found.map(|node| vec![node]).map_err(|_| {
            "the object is not in the snapshot: it was made later, or the snapshot is of something else"
                .to_owned()
        }));
    }
    if !call.is_string_argument(2) {
        return Err(call.type_error(2, "string or object"));
    }
    match resolve(snapshot, call.string_argument(2)?) {
        Ok(target) => Ok(Ok(target.nodes(snapshot).map_err(answer_error)?)),
        Err(error) => Ok(Err(query_error(error)?)),
    }
}

/// Why there is no path to an object in the snapshot.
fn no_path_reason(snapshot: &Snapshot) -> String {
    let heap = snapshot.everything();
    let root = heap.root_range().next().map(|edge| heap.label(edge));
    match root {
        Some(Label::Root(name)) if heap.name(name) != b"[REGISTRY]" => {
            format!("{} does not hold it", printable(heap.name(name)))
        }
        _ => "nothing holds it: it is garbage".to_owned(),
    }
}

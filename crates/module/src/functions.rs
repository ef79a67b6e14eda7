//! The functions of the module, as called from Lua.

use crate::arguments::{
    Result, argument, engine_of_environment, engine_option, language_option, path_argument,
};
use crate::failure::{answer_error, print_error, write_error};
use crate::lua_value::lua_value;
use luasnap_capture::{CStdout, Call, Error, Function, Return};
use luasnap_format::{
    AnswerError, FileOptions, ReportOptions, Stats, write_file, write_json, write_json_indented,
    write_report, write_text,
};
use luasnap_heap::{BuildError, Census, Snapshot, Waste, decrease, increase};
use std::io::Write;

/// Number of rows of each kind that `waste` returns, by default and at most.
const WASTE_ROWS: usize = 10;
const MOST_WASTE_ROWS: usize = 1000;

/// Writes a snapshot in some format.
type Writer = fn(&mut dyn Write, &Snapshot) -> std::result::Result<(), AnswerError>;

/// The functions of the table that `require "snapshot"` returns.
pub static FUNCTIONS: &[Function] = &[
    Function::new("snapshot", snapshot),
    Function::new("print", |call| print(call, write_text)),
    Function::new("print_json", |call| print(call, write_json)),
    Function::new("print_jsonfmt", |call| print(call, write_json_indented)),
    Function::new("to_file", |call| to_file(call, write_text)),
    Function::new("to_jsonfile", |call| to_file(call, write_json)),
    Function::new("to_jsonfilefmt", |call| to_file(call, write_json_indented)),
    Function::new("copy", copy),
    Function::new("incr", |call| compare(call, increase)),
    Function::new("decr", |call| compare(call, decrease)),
    Function::new("free", free),
    Function::new("report", report),
    Function::new("stats", stats),
    Function::new("waste", waste),
    Function::new("save", crate::files::save),
    Function::new("load", crate::files::load),
    Function::new("background", crate::background::background),
    Function::new("done", crate::background::done),
    Function::new("wait", crate::background::wait),
    Function::new("error", crate::background::error),
    Function::new("save_page", crate::page::save_page),
    Function::new("top", crate::top::top),
    Function::new("growth", crate::growth::growth),
    Function::new("path", crate::retainers::path),
    Function::new("retainers", crate::retainers::retainers),
    Function::new("check", crate::check::check),
    Function::new("printable", printable),
];

/// The metamethods of a snapshot.
pub static METAMETHODS: &[Function] = &[
    Function::new("__gc", finalize),
    Function::new("__close", free),
    Function::new("__len", |call| Ok(Return::Count(argument(call, 1)?.len()?))),
    Function::new("__tostring", to_string),
];

/// `snapshot()`, `snapshot(tbl, name)`, and either with a table of options as a third argument.
/// From the third on, nil counts as an absent argument: a program that passes options on may have
/// none. Before that, nil is a mistake, such as a misspelt name, not a request for a snapshot of
/// everything.
fn snapshot(call: &mut Call<'_>) -> Result {
    let count = call.argument_count();
    let is_absent = |number| call.is_nil_argument(number);
    let has_options = !is_absent(3);
    if !(4..=count).all(is_absent) || (has_options && !call.is_table_argument(3)) {
        return Err(Error::Message(format!(
            "wrong number of arguments to 'snapshot' (0 or 2 expected, got {count})"
        )));
    }
    let option = match has_options {
        true => engine_option(call, 3)?,
        false => None,
    };
    let engine = match option {
        None => engine_of_environment()?,
        option => option,
    };
    let is_whole = count == 0 || (count >= 3 && is_absent(1) && is_absent(2));
    let heap = if is_whole {
        call.capture_whole(engine)?
    } else {
        call.root_argument(1)?;
        call.string_argument(2)?;
        call.capture_argument(engine)?
    };
    Ok(Return::Snapshot(Snapshot::new(heap)))
}

/// `print(s)` and its variants.
fn print(call: &mut Call<'_>, write: Writer) -> Result {
    let snapshot = argument(call, 1)?;
    let mut out = CStdout::new();
    write(&mut out, &snapshot)
        .and_then(|()| Ok(out.flush()?))
        .map_err(print_error)?;
    Ok(Return::Nothing)
}

/// `to_file(s, path)` and its variants.
fn to_file(call: &mut Call<'_>, write: Writer) -> Result {
    let snapshot = argument(call, 1)?;
    let path = path_argument(call, 2)?;
    write_file(&path, FileOptions::default(), |out| write(out, &snapshot)).map_err(write_error)?;
    Ok(Return::Nothing)
}

/// `copy(s)`. Snapshots are immutable, so both may share the same memory.
fn copy(call: &mut Call<'_>) -> Result {
    Ok(Return::Copy(argument(call, 1)?, 1))
}

/// `incr(s1, s2)` and `decr(s1, s2)`.
fn compare(
    call: &mut Call<'_>,
    difference: fn(&Snapshot, &Snapshot) -> std::result::Result<Snapshot, BuildError>,
) -> Result {
    let (first, second) = (argument(call, 1)?, argument(call, 2)?);
    Ok(Return::Snapshot(difference(&first, &second)?))
}

/// `free(s)`.
fn free(call: &mut Call<'_>) -> Result {
    call.free_argument(1)?;
    Ok(Return::Nothing)
}

/// Called by the collector: `free(s)` or that of a job, after which nothing in the userdata is relied on.
fn finalize(call: &mut Call<'_>) -> Result {
    call.finalize_argument(1)?;
    Ok(Return::Nothing)
}

/// `report(s [, {language = "en"}])`: the largest groups in a snapshot, as text.
fn report(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let mut text = Vec::new();
    let mut options = ReportOptions::default();
    if !call.is_nil_argument(2) {
        options.language = language_option(call, 2)?.unwrap_or_default();
    }
    write_report(&mut text, &snapshot, options).map_err(answer_error)?;
    Ok(Return::Text(text))
}

/// `stats(s)`: totals of a snapshot, and whether they account for all of the VM's memory.
fn stats(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let stats = Stats::new(&snapshot, &Census::new(&snapshot)?).map_err(answer_error)?;
    Ok(Return::Value(lua_value(&stats)?))
}

/// `waste(s [, n])`: the `n` largest wasters in a snapshot, and the sum of all.
fn waste(call: &mut Call<'_>) -> Result {
    let snapshot = argument(call, 1)?;
    let rows = call.count_argument(2)?.unwrap_or(WASTE_ROWS);
    let waste = Waste::new(&snapshot)?;
    let rows = rows.min(MOST_WASTE_ROWS);
    let answer = luasnap_format::waste(&snapshot, &waste, rows).map_err(answer_error)?;
    Ok(Return::Value(lua_value(&answer)?))
}

/// `printable(text)`: a text as the human-readable functions show it.
fn printable(call: &mut Call<'_>) -> Result {
    let text = luasnap_format::printable(call.string_argument(1)?);
    Ok(Return::Text(text.into_bytes()))
}

/// `tostring(s)`.
fn to_string(call: &mut Call<'_>) -> Result {
    if let Some(text) = crate::background::shown(call) {
        return Ok(Return::Text(text.into()));
    }
    let text = match call.snapshot_argument(1)? {
        None => "snapshot: freed".to_owned(),
        Some(snapshot) => match snapshot.len()? {
            1 => "snapshot: 1 object".to_owned(),
            count => format!("snapshot: {count} objects"),
        },
    };
    Ok(Return::Text(text.into_bytes()))
}

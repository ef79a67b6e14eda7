//! `luasnap path`: what keeps an object or a group alive.

use crate::exit_code::OF_READERS;
use crate::look;
use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use anyhow::{Context, Result};
use clap::Args;
use luasnap_format::{
    CoroutineRow, Name, Query, Retainers, RetainersOptions, byte_size, count_of, group_name,
    grouped, object_name, printable_path, resolve, retainers,
};
use luasnap_heap::{Kind, NodeId, Snapshot};
use serde::Serialize;
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Show what keeps an object or a group alive
///
/// Shows its shallow size and its retained size, the shortest path from a GC root, its retainers and its
/// dominators. For a single object also paths that share nothing: each of them has to be cut to free it.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Path {
    /// The snapshot file
    file: PathBuf,

    /// An address (0x55d0), a path (_G.server.sessions), its last part (sessions), or the name or fingerprint
    /// of a group, as `luasnap top` and `luasnap top --json` list them
    what: OsString,

    /// List this many retainers
    #[arg(long, default_value_t = 10)]
    retainers: usize,

    /// List this many paths that share nothing
    #[arg(long, default_value_t = 5)]
    paths: usize,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,
}

impl Path {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(3);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let snapshot = &file.snapshot;
        let target = progress
            .step("finding it", || resolve(snapshot, self.what.as_bytes()))
            .with_context(|| format!("in {}", printable_path(&file.path)))?;
        let options = RetainersOptions {
            retainers: self.retainers,
            paths: self.paths,
        };
        let nodes = target.nodes(snapshot)?;
        let held = progress.step("finding what keeps it alive", || {
            retainers(snapshot, &nodes, options)
        })?;
        drop(progress);
        let title = title(snapshot, &target, &nodes)?;
        let is_group = !matches!(target, Query::Object(_));
        match self.json {
            true => print_json(&Answer {
                what: &title,
                held: &held,
            })?,
            false => print(as_text(&title, is_group, &held)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Returns what it is; of an object also its group.
fn title(snapshot: &Snapshot, target: &Query, nodes: &[NodeId]) -> Result<String> {
    let heap = snapshot.everything();
    Ok(match (target, nodes) {
        (Query::Object(node), _) => {
            let groups = snapshot.groups()?;
            let name = object_name(heap, *node);
            match groups.group_of(*node).map(|at| &groups.groups()[at]) {
                Some(group) if group.count > 1 => {
                    format!(
                        "{name} ({})",
                        group_name(
                            snapshot.everything(),
                            snapshot.everything_tree()?,
                            groups,
                            group
                        )?
                    )
                }
                _ => name,
            }
        }
        (Query::Group(_) | Query::Objects(_), [first, ..]) => {
            let kind = heap.kind(*first).type_name();
            let is_first = |node: &NodeId| heap.kind(*node).type_name() == kind;
            let sort = if nodes.iter().all(is_first) {
                kind
            } else {
                "object"
            };
            count_of(nodes.len() as u64, sort)
        }
        (Query::Group(_) | Query::Objects(_), []) => "nothing".to_owned(),
    })
}

fn as_text(title: &str, is_group: bool, held: &Retainers) -> Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "{title}: shallow size {}, retained size {} in {}",
        byte_size(held.size),
        byte_size(held.retained),
        count_of(held.retained_count, "object"),
    )?;
    let object = held.object.as_ref();
    // What a coroutine is doing is said below.
    let object = object.filter(|_| held.coroutine.is_none());
    if let (Some(object), false) = (object, is_group) {
        let article = match object.kind {
            Kind::Upvalue => "an",
            _ => "a",
        };
        writeln!(text, "it is {article} {}", object.words)?;
    }
    match (&held.path, is_group) {
        (Some(path), true) => {
            let is = object.map(|object| format!("  ({})", object.words));
            writeln!(
                text,
                "for example: {}{}",
                look::name(path),
                is.unwrap_or_default()
            )?;
        }
        (Some(path), false) => writeln!(text, "shortest path: {}", look::name(path))?,
        (None, _) => writeln!(text, "it is garbage: nothing keeps it alive")?,
    }
    if let Some(doing) = &held.coroutine {
        let it = if is_group { "that one is" } else { "it is" };
        writeln!(text, "{it} {}", doing.words)?;
        if let Some(error) = &doing.error {
            writeln!(text, "its error: {error}")?;
        }
    }
    if !held.refers_to_itself.is_empty() {
        let steps = held.refers_to_itself.iter();
        let steps: Vec<String> = steps.map(|step| format!("`{step}`")).collect();
        writeln!(text, "it also refers to itself, by {}", steps.join(", "))?;
    }
    if !held.retainers.is_empty() {
        writeln!(
            text,
            "\n{}:",
            count_of(held.retainer_count as u64, "retainer")
        )?;
        for retainer in &held.retainers {
            match retainer.references {
                1 => write!(text, "  {}", look::name(&retainer.path))?,
                many => write!(
                    text,
                    "  {}  (by {} references)",
                    look::name(&retainer.retainer),
                    grouped(many.into())
                )?,
            }
            let is = is(&retainer.coroutine, &retainer.what);
            writeln!(text, "{is}")?;
        }
        let more = held.retainer_count - held.retainers.len();
        if more > 0 {
            writeln!(text, "  ... and {} more", grouped(more as u64))?;
        }
    }
    if !held.keepers.is_empty() {
        writeln!(
            text,
            "\ndominators, the nearest first (without any one of them {} garbage):",
            if is_group { "all are" } else { "it is" }
        )?;
        for keeper in &held.keepers {
            let retained = byte_size(keeper.retained);
            let is = is(&keeper.coroutine, &keeper.what);
            let path = look::name(&keeper.path);
            writeln!(text, "  {path}  (retained size {retained}){is}")?;
        }
    }
    for row in &held.weakness {
        let table = look::path_and_what(&row.path, row.what.as_ref());
        writeln!(text, "\nweak table {table}: {}", row.words)?;
    }
    if held.paths.len() > 1 {
        let count = held.paths.len();
        writeln!(
            text,
            "\n{count} paths share nothing, and each has to be cut:"
        )?;
        for path in &held.paths {
            writeln!(text, "  {}", look::name(path))?;
        }
    }
    Ok(text)
}

/// Returns what an object is or is doing, to be written behind its path; empty if the path says it.
fn is(coroutine: &Option<CoroutineRow>, what: &Option<Name>) -> String {
    let words = coroutine.as_ref().map(|doing| &doing.words);
    match words.or(what.as_ref()) {
        Some(words) => format!("  ({words})"),
        None => String::new(),
    }
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    what: &'a str,
    #[serde(flatten)]
    held: &'a Retainers,
}

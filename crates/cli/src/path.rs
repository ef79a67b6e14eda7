//! `luasnap path`: who holds an object, or a group.

use crate::exit_code::OF_READERS;
use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use anyhow::{Context, Result};
use clap::Args;
use luasnap_format::{
    Target, WhoHolds, WhoHoldsOptions, byte_size, find_target, group_name, grouped, object_name,
    printable_path, who_holds,
};
use luasnap_heap::{NodeId, Snapshot};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say who holds an object, or a group of objects
///
/// Its size, and what would be freed with it; the shortest chain of references from a root; the objects
/// that hold it themselves; those that alone keep it alive; and of one object the chains that share
/// nothing, each of which has to be cut before it is freed.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct WhoHoldsIt {
    /// The snapshot's file
    file: PathBuf,

    /// An address (0x55d0), a chain (_G.server.sessions), or a group's name or fingerprint as
    /// `luasnap top` and `luasnap top --json` have them
    what: OsString,

    /// How many immediate holders to list
    #[arg(long, default_value_t = 10)]
    holders: usize,

    /// How many chains that share nothing to list
    #[arg(long, default_value_t = 5)]
    chains: usize,

    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

impl WhoHoldsIt {
    /// Does it.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(3);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let snapshot = &file.snapshot;
        let target = progress
            .step("finding it", || find_target(snapshot, self.what.as_bytes()))
            .with_context(|| format!("in {}", printable_path(&file.path)))?;
        let options = WhoHoldsOptions {
            holders: self.holders,
            chains: self.chains,
        };
        let nodes = target.nodes(snapshot)?;
        let held = progress.step("finding who holds it", || {
            who_holds(snapshot, &nodes, options)
        })?;
        drop(progress);
        let title = title(snapshot, &target, &nodes)?;
        let is_group = matches!(target, Target::Group(_));
        match self.json {
            true => print_json(&as_json(&title, &held))?,
            false => print(as_text(&title, is_group, &held)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// What it is; of an object also the group that it belongs to.
fn title(snapshot: &Snapshot, target: &Target, nodes: &[NodeId]) -> Result<String> {
    let heap = snapshot.everything();
    Ok(match (target, nodes) {
        (Target::Object(node), _) => {
            let groups = snapshot.groups()?;
            let name = object_name(heap, *node);
            match groups.group_of(*node).map(|at| &groups.groups()[at]) {
                Some(group) if group.count > 1 => {
                    format!("{name} ({})", group_name(snapshot, groups, group)?)
                }
                _ => name,
            }
        }
        (Target::Group(_), [first, ..]) => {
            let kind = heap.kind(*first).type_name();
            let plural = if nodes.len() == 1 { "" } else { "s" };
            format!("{} {kind}{plural}", grouped(nodes.len() as u64))
        }
        (Target::Group(_), []) => "nothing".to_owned(),
    })
}

fn as_text(title: &str, is_group: bool, held: &WhoHolds) -> Result<String> {
    let mut text = String::new();
    writeln!(
        text,
        "{title}: {}, retaining {} in {}",
        byte_size(held.objects.bytes),
        byte_size(held.retained.bytes),
        count_of(held.retained.count, "object"),
    )?;
    match (&held.chain, is_group) {
        (Some(chain), true) => writeln!(text, "for example: {chain}")?,
        (Some(chain), false) => writeln!(text, "shortest chain: {chain}")?,
        (None, _) => writeln!(text, "nothing holds it: it is garbage")?,
    }
    if !held.holders.is_empty() {
        writeln!(
            text,
            "\nheld by {}:",
            count_of(held.holder_count as u64, "object")
        )?;
        for holder in &held.holders {
            match holder.references {
                1 => writeln!(text, "  {}", holder.chain)?,
                many => writeln!(
                    text,
                    "  {}  (by {} references)",
                    holder.holder,
                    grouped(many.into())
                )?,
            }
        }
        let more = held.holder_count - held.holders.len();
        if more > 0 {
            writeln!(text, "  ... and by {}", count_of(more as u64, "object"))?;
        }
    }
    if !held.keepers.is_empty() {
        writeln!(
            text,
            "\n{} kept alive by each of these alone, the nearest first:",
            if is_group { "all are" } else { "it is" }
        )?;
        for keeper in &held.keepers {
            let retained = byte_size(keeper.retained.bytes);
            writeln!(text, "  {}  (retains {retained})", keeper.chain)?;
        }
    }
    if held.chains.len() > 1 {
        let count = held.chains.len();
        writeln!(
            text,
            "\n{count} chains share nothing, and each has to be cut:"
        )?;
        for chain in &held.chains {
            writeln!(text, "  {chain}")?;
        }
    }
    Ok(text)
}

fn count_of(count: u64, one: &str) -> String {
    format!(
        "{} {one}{}",
        grouped(count),
        if count == 1 { "" } else { "s" }
    )
}

fn as_json(title: &str, held: &WhoHolds) -> Value {
    json!({
        "what": title,
        "count": held.objects.count,
        "size": held.objects.bytes,
        "retained": held.retained.bytes,
        "retained_count": held.retained.count,
        "path": held.chain,
        "holder_count": held.holder_count,
        "holders": held.holders.iter().map(|holder| json!({
            "holder": holder.holder,
            "path": holder.chain,
            "references": holder.references,
        })).collect::<Vec<_>>(),
        "keepers": held.keepers.iter().map(|keeper| json!({
            "path": keeper.chain,
            "retained": keeper.retained.bytes,
        })).collect::<Vec<_>>(),
        "paths": held.chains,
    })
}

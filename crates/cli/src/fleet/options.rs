//! How a verb writes tables.

use crate::fleet::origin::OriginOptions;
use crate::fleet::writing::{Extent, TableShape};
use crate::names::NameOptions;
use clap::builder::RangedU64ValueParser;
use clap::{Args, ValueEnum};

/// How many groups of a snapshot go into tables, if nobody says it. A usual heap has fewer.
const GROUPS: usize = 500;

/// What a verb that captures saves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum SaveAs {
    /// Snapshot files
    Luasnap,
    /// Tables for DuckDB, Spark and other engines, in a folder: snapshots and their groups
    Parquet,
}

/// How a verb writes tables.
#[derive(Args, Clone)]
pub struct TableOptions {
    /// In tables, write the N groups that retain most, the N largest, and the N of most objects (default: 500)
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    groups: Option<usize>,

    /// In tables, write the tree of paths and the owners as well
    #[arg(long)]
    paths: bool,

    /// In tables, write paths and owners, and a row for each object and each reference as well
    #[arg(long)]
    objects: bool,

    /// Where the snapshot comes from.
    #[command(flatten)]
    pub origin: OriginOptions,
}

impl TableOptions {
    /// Returns what of a snapshot is written.
    pub fn shape(&self, names: &NameOptions) -> TableShape {
        TableShape {
            extent: match (self.objects, self.paths) {
                (true, _) => Extent::Objects,
                (false, true) => Extent::Paths,
                (false, false) => Extent::Groups,
            },
            groups: self.groups.unwrap_or(GROUPS),
            has_names: !names.are_left_out(),
        }
    }

    /// Whether the command line says what has a meaning in tables alone. The names of a process may come from the environment.
    pub fn is_asked_for(&self) -> bool {
        self.groups.is_some() || self.paths || self.objects
    }
}

//! Tables of many processes, as Parquet files that existing engines read.

mod column;
mod destination;
mod log;
mod options;
mod origin;
mod parquet_file;
mod tables;
mod views;
mod writing;

pub use destination::Destination;
pub use log::TableLog;
pub use options::{SaveAs, TableOptions};
pub use origin::Origin;
pub use views::views;
pub use writing::{Extent, TableShape, write_tables};

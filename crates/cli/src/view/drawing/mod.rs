//! From a picture to the cells of a terminal.

pub mod columns;
pub mod draw;
pub mod fit;
pub mod palette;
pub mod regions;

//! The report as a page: one HTML file with its data in it, which needs no network.

mod contents;
mod html;
mod in_chinese;
pub(crate) mod options;
pub(crate) mod page;
mod short_texts;

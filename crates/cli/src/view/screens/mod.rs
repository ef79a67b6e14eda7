//! The screens, each with its rows and its own keys.

pub mod groups;
pub mod labels;
pub mod path;
pub mod question;
pub mod retainers;
pub mod screen;
pub mod search;
pub mod suspects;
pub mod tree;

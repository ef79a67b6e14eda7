//! `luasnap view`: a heap in a terminal.
//!
//! A key becomes a command (`keys`), which changes the state: a stack of `screens`. What the state shows is a
//! `picture`, plain data, which `drawing` puts into the terminal's cells. All words are in `words`.

mod canvas;
mod cursor;
mod drawing;
mod keys;
mod picture;
mod screens;
mod state;
mod subject;
mod task;
#[cfg(test)]
mod tests;
mod view;
mod words;

pub use view::View;

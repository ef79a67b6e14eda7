//! A few looks at a VM while its program runs: names, not a heap.
//!
//! What changes meanwhile may read as anything, and an address may lead anywhere. So whatever is looked at says its
//! type in its header, and all that is read is bounded.

/// The most slots of the main thread's stack that are looked at, from its bottom.
pub(super) const STACK_SLOTS: u64 = 256;
/// The most slots of a table's hash part.
pub(super) const TABLE_SLOTS: u64 = 1024;
/// The most bytes of a text.
pub(super) const TEXT: u64 = 4096;

/// A value, as far as a look goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Seen {
    /// The address of a table.
    Table(u64),
    /// The address of a function.
    Function(u64),
    /// The address of a string.
    Text(u64),
    /// A light userdata.
    Pointer(u64),
    /// Anything else.
    Other,
}

/// The code of a function in Lua.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct SeenCode {
    /// The chunk's name, as people see it.
    pub(super) chunk: Vec<u8>,
    /// Whether it is all of a chunk.
    pub(super) is_main: bool,
    /// Whether other states use it, too.
    pub(super) is_shared: bool,
}

/// Looks at a VM of one family.
pub(super) trait Look {
    /// Whether what this looks at is a VM of the layout that it looks by, as far as a look tells.
    fn fits(&self) -> bool;
    /// Returns the address of the main thread.
    fn main_thread(&self) -> u64;
    /// Returns the text of a string; `None` for what is none.
    fn text(&self, string: u64) -> Option<Vec<u8>>;
    /// Returns the bytes at an address.
    fn bytes(&self, address: u64, len: usize) -> Option<Vec<u8>>;
    /// Returns the registry.
    fn registry(&self) -> Option<u64>;
    /// Returns what lies at the bottom of the main thread's stack.
    fn stack(&self) -> Vec<Seen>;
    /// Returns the entries of a table under strings.
    fn entries(&self, table: u64) -> Vec<(Vec<u8>, Seen)>;
    /// Returns the code of a function; `None` if it is not in Lua.
    fn code(&self, function: u64) -> Option<SeenCode>;
}

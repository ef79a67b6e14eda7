//! What luasnap says by its exit code.

/// Memory grew by more than was allowed.
pub const GREW: u8 = 3;
/// Of several Lua states, some could not be read.
pub const INCOMPLETE: u8 = 18;
/// luasnap itself could not do its work.
pub const FAILED: u8 = 125;
/// An interpreter is there but cannot be started, ...
pub const NOT_STARTED: u8 = 126;
/// ... or is not there, as shells have it.
pub const NOT_FOUND: u8 = 127;

/// The codes of the verbs that read files, for their help.
pub const OF_READERS: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  125  luasnap failed: a file cannot be read, or there is no answer in it";

//! Exit codes.

/// Memory grew by more than was allowed.
pub const GREW: u8 = 3;
/// Some of several Lua states could not be read.
pub const INCOMPLETE: u8 = 18;
/// Several processes have the name that was given.
pub const SEVERAL_PROCESSES: u8 = 23;
/// luasnap itself failed.
pub const FAILED: u8 = 125;
/// An interpreter cannot be started: the code that shells use.
pub const NOT_STARTED: u8 = 126;
/// An interpreter was not found: the code that shells use.
pub const NOT_FOUND: u8 = 127;

/// The exit codes of the verbs that read files, for their help.
pub const OF_READERS: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  125  luasnap failed: a file cannot be read, or has no answer in it";

/// The exit codes of the verbs that read nothing, for their help.
pub const OF_WRITERS: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  125  luasnap failed: it cannot be written";

//! Why watching a process ends.

use luasnap_capture::process::Fate;

/// Why watching a process ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum End {
    /// The time of `--for` is over.
    Time,
    /// A signal came: Ctrl-C, for one.
    Signal(i32),
    /// A key was pressed.
    Key,
    /// The process has ended.
    Ended,
    /// It runs another program by now.
    Replaced,
    /// It has ended, and another process has its id.
    Another,
    /// The Lua state is no longer there.
    NoState,
    /// Nobody reads standard output any more.
    NobodyReads,
    /// The process can no longer be read, or luasnap failed: why, and the exit code.
    Failed(String, u8),
}

impl End {
    /// Returns how what became of a process ends it. One that is the same has ended soon after.
    pub fn of_fate(fate: Fate) -> End {
        match fate {
            Fate::Same | Fate::Ended => End::Ended,
            Fate::Replaced => End::Replaced,
            Fate::Another => End::Another,
        }
    }

    /// Returns a word for programs.
    pub fn word(&self) -> &'static str {
        match self {
            End::Time => "time",
            End::Signal(_) | End::Key => "interrupted",
            End::Ended => "ended",
            End::Replaced => "replaced",
            End::Another => "another_process",
            End::NoState => "no_state",
            End::NobodyReads => "nobody_reads",
            End::Failed(..) => "failed",
        }
    }

    /// Returns a sentence for people, unless they know.
    pub fn sentence(&self, process: u32) -> Option<String> {
        Some(match self {
            End::Time | End::Signal(_) | End::Key | End::NobodyReads => return None,
            End::Ended => format!("process {process} has ended"),
            End::Replaced => format!("process {process} runs another program by now (exec)"),
            End::Another => {
                format!("process {process} has ended, and another process has its number")
            }
            End::NoState => format!("the Lua state in process {process} is no longer there"),
            End::Failed(reason, _) => reason.clone(),
        })
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            End::Failed(_, code) => *code,
            _ => 0,
        }
    }
}

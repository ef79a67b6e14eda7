//! Why watching a process ends.

use crate::failure::Failure;
use luasnap_capture::process::Fate;
use luasnap_words::Sentence;

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
    /// The process can no longer be read, or luasnap failed.
    Failed(Failure),
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
            End::Failed(_) => "failed",
        }
    }

    /// Returns a sentence for people, unless they know.
    pub fn sentence(&self, process: u32) -> Option<Sentence> {
        let of_process = |code| Sentence::new(code).with("process", process);
        Some(match self {
            End::Time | End::Signal(_) | End::Key | End::NobodyReads => return None,
            End::Ended => of_process("watch.ended"),
            End::Replaced => of_process("watch.replaced"),
            End::Another => of_process("watch.another_process"),
            End::NoState => of_process("watch.no_state"),
            End::Failed(failure) => failure.why().clone(),
        })
    }

    /// Returns the exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            End::Failed(failure) => failure.exit_code(),
            _ => 0,
        }
    }
}

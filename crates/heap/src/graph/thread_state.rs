//! What coroutines are doing: their status, and where they wait or died.

use crate::graph::name::NameId;
use crate::graph::node::NodeId;

/// The status of a thread.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum ThreadStatus {
    /// It has a function, which was not called yet.
    NotStarted,
    /// It has yielded, and waits to be resumed.
    Suspended,
    /// It has resumed another one, which has not returned to it.
    Normal,
    /// It runs.
    Running,
    /// It was ended by an error. Its calls stay on its stack.
    Failed,
    /// It runs nothing: its function has returned, or it was closed, or it never had one.
    Dead,
}

impl ThreadStatus {
    /// Every status.
    pub const ALL: [ThreadStatus; 6] = [
        ThreadStatus::NotStarted,
        ThreadStatus::Suspended,
        ThreadStatus::Normal,
        ThreadStatus::Running,
        ThreadStatus::Failed,
        ThreadStatus::Dead,
    ];

    /// Returns the status with this number (`status as u8`). Snapshot files use these numbers, so a
    /// new status gets a new one.
    pub fn from_number(number: u8) -> Option<ThreadStatus> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Returns its name in data: as `coroutine.status` says it, but for `not_started`, which is
    /// "suspended" there, and `failed`, which is "dead".
    pub fn name(self) -> &'static str {
        match self {
            ThreadStatus::NotStarted => "not_started",
            ThreadStatus::Suspended => "suspended",
            ThreadStatus::Normal => "normal",
            ThreadStatus::Running => "running",
            ThreadStatus::Failed => "failed",
            ThreadStatus::Dead => "dead",
        }
    }
}

/// A place in the program's code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct CodePlace {
    /// The short source; empty if there is no place.
    pub source: NameId,
    /// The line; 0 if it is not known.
    pub line: u32,
}

impl CodePlace {
    /// Returns it with its name as it is in another heap.
    pub(crate) fn with_name<E>(
        self,
        name: &mut impl FnMut(NameId) -> Result<NameId, E>,
    ) -> Result<CodePlace, E> {
        let source = name(self.source)?;
        Ok(CodePlace { source, ..self })
    }

    /// Whether there is a place.
    pub fn is_known(self) -> bool {
        self.source != NameId::EMPTY
    }
}

/// What a thread is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ThreadState {
    /// The thread.
    pub node: NodeId,
    /// Its status.
    pub status: ThreadStatus,
    /// Where its innermost Lua function is at: where it waits, runs or died. If it has not started, where
    /// its function is defined. No place if it runs C alone.
    pub place: CodePlace,
    /// The line where that function is defined; 0 for the main function of a file.
    pub defined: u32,
    /// The name of that function; empty if it is not known.
    pub function: NameId,
    /// Where the Lua function that called it is at.
    pub caller: CodePlace,
    /// The text of the error that ended it; empty if it is not on its stack any more, or no string.
    pub error: NameId,
}

impl ThreadState {
    /// Returns the state of a thread that has this status, and of which nothing else is known.
    pub fn new(node: NodeId, status: ThreadStatus) -> ThreadState {
        ThreadState {
            node,
            status,
            place: CodePlace::default(),
            defined: 0,
            function: NameId::EMPTY,
            caller: CodePlace::default(),
            error: NameId::EMPTY,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_the_number_of_its_place() {
        for status in ThreadStatus::ALL {
            assert_eq!(ThreadStatus::from_number(status as u8), Some(status));
        }
        assert_eq!(ThreadStatus::from_number(6), None);
    }
}

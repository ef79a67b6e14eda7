//! What a thread is doing, from the calls on its stack.

use luasnap_heap::{CodePlace, NodeId, ThreadNote, ThreadState, ThreadStatus};

/// The most bytes of an error's text that are kept.
pub(crate) const MOST_OF_ERROR: usize = 200;

/// `LUA_YIELD`.
const YIELD: u8 = 1;
/// `LUA_ERRRUN`.
pub(crate) const RUN_ERROR: u8 = 2;
/// `LUA_ERRMEM`.
pub(crate) const MEMORY_ERROR: u8 = 4;
/// The text of an error of that sort, which has no string on the thread's stack.
pub(crate) const MEMORY_ERROR_TEXT: &[u8] = b"not enough memory";

/// A call of a Lua function, or a Lua function that is to be called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LuaCall {
    /// The function.
    pub(crate) function: Option<NodeId>,
    /// Where it is at; without a line where that is not known.
    pub(crate) place: CodePlace,
    /// The line where it is defined.
    pub(crate) defined: u32,
}

/// The calls of a thread, from the innermost outwards, as far as they say what it is doing.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ThreadCalls {
    innermost: Option<LuaCall>,
    caller: Option<LuaCall>,
    /// Whether the innermost function is in C, ...
    is_in_c: bool,
    /// ... and that function, if it is an object.
    c_function: Option<NodeId>,
    has_calls: bool,
    /// Whether it has a function, in Lua or in C, that was not called yet.
    has_body: bool,
}

impl ThreadCalls {
    /// Whether one more call of a Lua function would tell anything.
    pub(crate) fn wants_more(&self) -> bool {
        self.caller.is_none()
    }

    /// Notes a call of a Lua function.
    pub(crate) fn add(&mut self, call: LuaCall) {
        self.has_calls = true;
        match self.innermost {
            None => self.innermost = Some(call),
            Some(_) if self.caller.is_none() => self.caller = Some(call),
            Some(_) => {}
        }
    }

    /// Notes a call of another function.
    pub(crate) fn add_c(&mut self, function: Option<NodeId>) {
        if !self.has_calls {
            (self.is_in_c, self.c_function) = (true, function);
        }
        self.has_calls = true;
    }

    /// Notes the function of a coroutine that has no calls; `None` if it is in C.
    pub(crate) fn set_body(&mut self, body: Option<LuaCall>) {
        self.has_body = true;
        self.innermost = body;
    }

    /// The place of the innermost Lua function.
    pub(crate) fn innermost(&mut self) -> Option<&mut LuaCall> {
        self.innermost.as_mut()
    }

    /// Returns what a thread is doing whose `lua_status` is this. `is_running` says whether it is the one
    /// that runs; `None` if nothing tells.
    pub(crate) fn note(&self, node: NodeId, status: u8, is_running: Option<bool>) -> ThreadNote {
        let status = match status {
            YIELD => ThreadStatus::Suspended,
            0 if self.has_calls || is_running == Some(true) => match is_running {
                Some(false) => ThreadStatus::Normal,
                _ => ThreadStatus::Running,
            },
            0 if self.has_body => ThreadStatus::NotStarted,
            0 => ThreadStatus::Dead,
            _ => ThreadStatus::Failed,
        };
        let mut state = ThreadState::new(node, status);
        let innermost = self.innermost.filter(|_| status != ThreadStatus::Dead);
        if let Some(call) = innermost {
            (state.place, state.defined) = (call.place, call.defined);
        }
        if let Some(caller) = self.caller {
            state.caller = caller.place;
        }
        let is_active = status == ThreadStatus::Running && is_running.is_none();
        ThreadNote {
            state,
            function: innermost.and_then(|call| call.function),
            caller: self.caller.and_then(|call| call.function),
            may_resume: is_active && self.is_in_c,
            c_function: self.c_function,
        }
    }
}

/// The line that the text of an error begins with, if it begins with a place in this source.
pub(crate) fn line_of_error(text: &[u8], source: &[u8]) -> Option<u32> {
    let rest = text.strip_prefix(source)?.strip_prefix(b":")?;
    let end = rest.iter().position(|byte| *byte == b':')?;
    std::str::from_utf8(&rest[..end]).ok()?.parse().ok()
}

/// The part of an error's text that is kept.
pub(crate) fn kept_text(text: &[u8]) -> &[u8] {
    if text.len() <= MOST_OF_ERROR {
        return text;
    }
    // Not in the midst of a character.
    let is_inside = |at: &usize| text[*at] & 0xC0 == 0x80;
    let end = (MOST_OF_ERROR - 3..=MOST_OF_ERROR)
        .rev()
        .find(|at| !is_inside(at));
    &text[..end.unwrap_or(MOST_OF_ERROR)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_its_line() {
        let line = |text: &str| line_of_error(text.as_bytes(), b"a.lua");
        assert_eq!(line("a.lua:12: no: 7"), Some(12));
        for other in [
            "",
            "a.lua",
            "a.lua:",
            "a.lua:12",
            "a.lua:x:",
            "b.lua:12:",
            "a.lua:-1:",
        ] {
            assert_eq!(line(other), None, "{other}");
        }
    }

    #[test]
    fn a_long_text_ends_behind_a_character() {
        let text = "ä".repeat(150);
        assert_eq!(kept_text(text.as_bytes()).len(), 200);
        let text = format!("x{text}");
        assert_eq!(kept_text(text.as_bytes()).len(), 199);
        assert_eq!(kept_text(b"short"), b"short");
    }
}

//! What coroutines are doing, in words.

use crate::answer_error::Result;
use crate::answers::name::{Name, NameText};
use crate::answers::short_path::cut_name;
use luasnap_heap::{CodePlace, Heap, NameId, NodeId, ThreadState, ThreadStatus};
use luasnap_words::Sentence;
use serde::{Serialize, Serializer};

/// What a coroutine is doing.
#[derive(Clone, Debug, Serialize)]
pub struct CoroutineRow {
    /// `not_started`, `suspended`, `normal`, `running`, `failed` (dead by an error) or `dead`.
    #[serde(serialize_with = "status")]
    pub status: ThreadStatus,
    /// Where it waits, runs or died: `jobs.lua:12`; if it has not started, where its function is defined.
    /// Without a line if that is not known. `None` if it runs C alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Name>,
    /// The name of the function there, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function: Option<Name>,
    /// Where that function is defined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub defined_at: Option<Name>,
    /// Where that function was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub called_at: Option<Name>,
    /// The text of the error that ended it, if the VM still has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Name>,
    /// Whether the line of `at` is known.
    #[serde(skip)]
    pub(crate) has_line: bool,
    /// The same in words: `suspended at jobs.lua:12, in wait, called at jobs.lua:16`.
    pub words: Sentence,
}

impl CoroutineRow {
    /// Returns what a node is doing; `None` if it is no coroutine, or if that is not known.
    pub(crate) fn of(heap: &Heap, node: NodeId) -> Result<Option<CoroutineRow>> {
        match heap.coroutine(node) {
            Some(state) => CoroutineRow::new(heap, state).map(Some),
            None => Ok(None),
        }
    }

    fn new(heap: &Heap, state: &ThreadState) -> Result<CoroutineRow> {
        let known = |name: NameId| match heap.name(name) {
            b"" => Ok(None),
            text => cut_name(text).map(Some),
        };
        let at = match state.status {
            ThreadStatus::NotStarted => CodePlace {
                line: state.defined,
                ..state.place
            },
            _ => state.place,
        };
        let names = [
            place(heap, at)?,
            known(state.function)?,
            place(
                heap,
                CodePlace {
                    line: state.defined,
                    ..state.place
                },
            )?,
            place(heap, state.caller)?,
            match heap.name(state.error) {
                b"" => None,
                text => Some(name_of(text)?),
            },
        ];
        Ok(CoroutineRow::of_parts(state.status, names, at.line != 0))
    }

    /// Returns the row with these parts: where it is at, the function there, where that is defined and where it was
    /// called, and the error; and whether the line of the first is known.
    pub(crate) fn of_parts(
        status: ThreadStatus,
        [at, function, defined_at, called_at, error]: [Option<Name>; 5],
        has_line: bool,
    ) -> CoroutineRow {
        let mut row = CoroutineRow {
            status,
            at,
            function,
            defined_at,
            called_at,
            error,
            has_line,
            words: status_words(status),
        };
        row.words = row.in_words();
        row
    }

    /// Returns what it is doing, in words.
    fn in_words(&self) -> Sentence {
        let of_name = |code, name: &Name| Sentence::new(code).with("name", name);
        let at = match (self.status, &self.at, &self.defined_at) {
            (ThreadStatus::Dead, ..) => return status_words(self.status),
            (_, None, _) => Sentence::new("coroutine.in_c"),
            (ThreadStatus::NotStarted, Some(place), _) => of_name("coroutine.of", place),
            // Where the line is not known, in which function.
            (_, Some(_), Some(defined)) if !self.has_line => {
                of_name("coroutine.in_function_of", defined)
            }
            (_, Some(place), _) => of_name("coroutine.at", place),
        };
        // What has not started is in no function.
        let has_started = self.status != ThreadStatus::NotStarted;
        let function = self.function.as_ref().filter(|_| has_started);
        let caller = self.called_at.as_ref().filter(|_| has_started);
        Sentence::new("coroutine.words")
            .with("status", status_words(self.status))
            .with("at", at)
            .with(
                "function",
                function.map(|name| of_name("coroutine.in", name)),
            )
            .with(
                "caller",
                caller.map(|name| of_name("coroutine.called_at", name)),
            )
    }

    /// Appends where it is; where the line is not known, in which function.
    fn push_place(&self, text: &mut NameText, place: &Name) -> Result {
        match &self.defined_at {
            Some(defined) if !self.has_line => push(text, "in the function of ", defined),
            _ => push(text, "at ", place),
        }
    }

    /// Returns the function and who called it, if either is known: `in wait, called at jobs.lua:16`.
    fn details(&self) -> Result<Option<Name>> {
        let mut text = NameText::default();
        // What has not started is in no function.
        if self.status == ThreadStatus::NotStarted {
            return Ok(None);
        }
        if let Some(function) = &self.function {
            push(&mut text, "in ", function)?;
        }
        if let Some(caller) = &self.called_at {
            let before = match self.function {
                Some(_) => ", called at ",
                None => "called at ",
            };
            push(&mut text, before, caller)?;
        }
        Ok((!text.is_empty()).then(|| text.finish()))
    }

    /// Returns the name of the group of coroutines that do this:
    /// `coroutine at jobs.lua:12 (in wait, called at jobs.lua:16)`.
    pub(crate) fn group_name(&self) -> Result<Name> {
        let status = self.status;
        let mut text = NameText::default();
        let before: &[u8] = match status {
            ThreadStatus::NotStarted | ThreadStatus::Suspended => b"coroutine ",
            ThreadStatus::Normal => b"coroutine that resumed another ",
            ThreadStatus::Running => b"running coroutine ",
            ThreadStatus::Failed => b"coroutine dead by an error ",
            ThreadStatus::Dead => b"dead coroutine",
        };
        text.push(before)?;
        match (status, &self.at) {
            (ThreadStatus::Dead, _) => return Ok(text.finish()),
            (_, None) => text.push(b"in C")?,
            (ThreadStatus::NotStarted, Some(place)) => push(&mut text, "of ", place)?,
            (_, Some(place)) => self.push_place(&mut text, place)?,
        }
        if status == ThreadStatus::NotStarted {
            text.push(b", not started")?;
        }
        if let Some(details) = self.details()? {
            push(&mut text, " (", &details)?;
            text.push(b")")?;
        }
        Ok(text.finish())
    }
}

/// Serializes a status: its name.
fn status<S: Serializer>(
    status: &ThreadStatus,
    serializer: S,
) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_str(status.name())
}

/// Returns a status in words.
pub fn status_words(status: ThreadStatus) -> Sentence {
    Sentence::new(match status {
        ThreadStatus::NotStarted => "coroutine.not_started",
        ThreadStatus::Suspended => "coroutine.suspended",
        ThreadStatus::Normal => "coroutine.normal",
        ThreadStatus::Running => "coroutine.running",
        ThreadStatus::Failed => "coroutine.failed",
        ThreadStatus::Dead => "coroutine.dead",
    })
}

/// Returns the text of a place, if there is one. Its line is left out if it is not known.
fn place(heap: &Heap, place: CodePlace) -> Result<Option<Name>> {
    if !place.is_known() {
        return Ok(None);
    }
    let mut text = NameText::default();
    text.push_name(&cut_name(heap.name(place.source))?)?;
    if place.line != 0 {
        text.push(format!(":{}", place.line).as_bytes())?;
    }
    Ok(Some(text.finish()))
}

fn push(text: &mut NameText, before: &str, name: &Name) -> Result {
    text.push(before.as_bytes())?;
    text.push_name(name)
}

/// Returns a text as a name of which people see all.
fn name_of(text: &[u8]) -> Result<Name> {
    let mut name = NameText::default();
    name.push(text)?;
    Ok(name.finish())
}

//! The label of a slot of a thread's stack: `NAME:SHORT_SRC`.

/// Names for slots that the program does not name. One spelling for what the versions call
/// `(*temporary)`, `(temporary)`, `(C temporary)`, `(*vararg)` and `(vararg)`, so that a path reads
/// the same in all of them.
pub(crate) const FUNCTION: &str = "(function)";
pub(crate) const TEMPORARY: &str = "(temporary)";
pub(crate) const VARARG: &str = "(vararg)";
/// The source of slots that belong to no Lua function.
pub(crate) const HOST: &str = "[C]";

const MAX_LEN: usize = 512;
const MAX_SOURCE_LEN: usize = 128;

/// A name and a source joined in place, without allocating: it is needed where nothing with a
/// destructor may be owned. What does not fit is cut: a short source has 60 bytes, and few names
/// have hundreds.
pub(crate) struct StackSlotLabel {
    text: [u8; MAX_LEN],
    len: usize,
}

impl StackSlotLabel {
    pub(crate) fn new(name: &[u8], source: &[u8]) -> StackSlotLabel {
        let source = &source[..source.len().min(MAX_SOURCE_LEN)];
        let name = &name[..name.len().min(MAX_LEN - source.len() - 1)];
        let mut text = [0; MAX_LEN];
        let (head, tail) = text.split_at_mut(name.len());
        head.copy_from_slice(name);
        tail[0] = b':';
        tail[1..=source.len()].copy_from_slice(source);
        StackSlotLabel {
            text,
            len: name.len() + 1 + source.len(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }
}

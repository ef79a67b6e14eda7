//! What a table's `__mode` says.

/// What a table's `__mode` says: which of its references hold nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Mode {
    pub(crate) weak_keys: bool,
    pub(crate) weak_values: bool,
}

impl Mode {
    /// The mode that a text says. The VMs look no further than a zero byte.
    pub(crate) fn from_text(text: &[u8]) -> Mode {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        Mode {
            weak_keys: text.contains(&b'k'),
            weak_values: text.contains(&b'v'),
        }
    }
}

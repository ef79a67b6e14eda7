//! What a table's `__mode` says.

/// What a table's `__mode` says: which of its references hold nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct WeakMode {
    pub(crate) weak_keys: bool,
    pub(crate) weak_values: bool,
}

impl WeakMode {
    /// The mode that a text says. The VMs look no further than a zero byte.
    pub(crate) fn from_text(text: &[u8]) -> WeakMode {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        WeakMode {
            weak_keys: text.contains(&b'k'),
            weak_values: text.contains(&b'v'),
        }
    }
}

//! The meaning of a table's `__mode`.

/// Which of a table's references are weak, as its `__mode` says.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct WeakMode {
    pub(crate) weak_keys: bool,
    pub(crate) weak_values: bool,
}

impl WeakMode {
    /// The mode that a text stands for. The VMs read it up to the first zero byte.
    pub(crate) fn from_text(text: &[u8]) -> WeakMode {
        let text = text.split(|&byte| byte == 0).next().unwrap_or_default();
        WeakMode {
            weak_keys: text.contains(&b'k'),
            weak_values: text.contains(&b'v'),
        }
    }
}

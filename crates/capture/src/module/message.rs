//! A message that owns nothing.

use std::ffi::CStr;

/// A sentence in place, followed by a zero byte.
#[derive(Clone, Copy)]
pub(super) struct Message {
    text: [u8; Message::SIZE],
    len: usize,
}

impl Message {
    const SIZE: usize = 512;

    pub(super) fn new(sentence: &str) -> Message {
        let mut text = [0; Message::SIZE];
        let len = sentence.len().min(Message::SIZE - 1);
        text[..len].copy_from_slice(&sentence.as_bytes()[..len]);
        Message { text, len }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }

    pub(super) fn c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.text).unwrap_or_default()
    }
}

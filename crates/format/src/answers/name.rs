//! Names in the program's own bytes.

use luasnap_heap::Printable;
use serde::{Serialize, Serializer};
use std::fmt::{self, Display, Formatter};

/// A name or a path, in the program's own bytes.
///
/// People and JSON get it [escaped](Printable); formats of bytes get the bytes.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Name(Vec<u8>);

impl Name {
    /// Returns the program's own bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the program's own bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    /// Whether `typed` is this name: its bytes, or its escaped form.
    pub fn is_meant_by(&self, typed: &[u8]) -> bool {
        self.0 == typed || self.to_string().as_bytes() == typed
    }
}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Name {
        Name(bytes)
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name(text.into())
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, text: &str) -> bool {
        self.0 == text.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printable(&self.0).fmt(f)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.to_string(), f)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match serializer.is_human_readable() {
            true => serializer.collect_str(self),
            false => serializer.serialize_bytes(&self.0),
        }
    }
}

//! Names in the program's own bytes.

use crate::answer_error::Result;
use crate::labels::printable::push_bytes;
use crate::labels::step::GAP;
use luasnap_heap::Printable;
use luasnap_words::Argument;
use serde::{Serialize, Serializer};
use std::fmt::{self, Display, Formatter};

/// A name or a path, in the program's own bytes.
///
/// People and JSON get it [escaped](Printable); formats of bytes get the bytes. Only people get it cut, if it is
/// long: [`Display`] writes it so.
#[derive(Clone, Default)]
pub struct Name {
    whole: Vec<u8>,
    /// What people see, if the whole is too long for them.
    short: Option<Vec<u8>>,
}

impl Name {
    /// Returns the program's own bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.whole
    }

    /// Returns the program's own bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.whole
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    /// Whether `typed` is this name: its bytes, or its escaped form, whole or as people see it.
    pub fn is_meant_by(&self, typed: &[u8]) -> bool {
        self.is_wholly(typed) || self.is_cut_as(typed)
    }

    /// Whether `typed` is the whole name: its bytes, or its escaped form.
    pub(crate) fn is_wholly(&self, typed: &[u8]) -> bool {
        is(&self.whole, typed)
    }

    /// Whether `typed` is the name with parts left out: as people see it, or as it is cut for a narrow terminal.
    pub(crate) fn is_cut_as(&self, typed: &[u8]) -> bool {
        if !typed.windows(GAP.len()).any(|part| part == GAP.as_bytes()) {
            return false;
        }
        let is_seen = |short: &Vec<u8>| is(short, typed) || has_parts(short, typed);
        self.short.as_ref().is_some_and(is_seen) || has_parts(&self.whole, typed)
    }

    /// Returns the whole name, and what people see if that is not all of it.
    pub(crate) fn parts(&self) -> (&[u8], Option<&[u8]>) {
        (&self.whole, self.short.as_deref())
    }

    /// Returns the name with these [parts](Self::parts).
    pub(crate) fn from_parts(whole: Vec<u8>, short: Option<Vec<u8>>) -> Name {
        Name { whole, short }
    }

    /// The whole name, escaped, however long it is.
    pub fn whole(&self) -> Printable<'_> {
        Printable(&self.whole)
    }
}

fn is(name: &[u8], typed: &[u8]) -> bool {
    name == typed || Printable(name).to_string().as_bytes() == typed
}

/// Whether a name has the parts of what was typed, which has gaps between them: from its beginning to its end, in this
/// order.
fn has_parts(name: &[u8], typed: &[u8]) -> bool {
    let name = Printable(name).to_string();
    let typed = String::from_utf8_lossy(typed);
    let mut parts: Vec<&str> = typed.split(GAP).collect();
    let (Some(last), Some(first)) = (parts.pop(), parts.first().copied()) else {
        return false;
    };
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    for part in &parts[1..] {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// A name under construction: the whole, and what people see of it.
#[derive(Default)]
pub(crate) struct NameText(Name);

impl NameText {
    /// Appends bytes.
    pub(crate) fn push(&mut self, bytes: &[u8]) -> Result {
        push_bytes(&mut self.0.whole, bytes)?;
        match &mut self.0.short {
            Some(short) => push_bytes(short, bytes),
            None => Ok(()),
        }
    }

    /// Appends a name.
    pub(crate) fn push_name(&mut self, name: &Name) -> Result {
        self.push_both(&name.whole, name.short.as_deref())
    }

    /// Appends bytes of which people see `short`, if there is one.
    pub(crate) fn push_both(&mut self, whole: &[u8], short: Option<&[u8]>) -> Result {
        if short.is_some() && self.0.short.is_none() {
            let mut so_far = Vec::new();
            push_bytes(&mut so_far, &self.0.whole)?;
            self.0.short = Some(so_far);
        }
        push_bytes(&mut self.0.whole, whole)?;
        match &mut self.0.short {
            Some(seen) => push_bytes(seen, short.unwrap_or(whole)),
            None => Ok(()),
        }
    }

    /// Whether nothing was appended yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the name.
    pub(crate) fn finish(self) -> Name {
        self.0
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.whole == other.whole
    }
}

impl Eq for Name {}

impl From<Vec<u8>> for Name {
    fn from(bytes: Vec<u8>) -> Name {
        Name {
            whole: bytes,
            short: None,
        }
    }
}

impl From<&str> for Name {
    fn from(text: &str) -> Name {
        Name::from(Vec::from(text))
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, text: &str) -> bool {
        self.whole == text.as_bytes()
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, text: &&str) -> bool {
        self == *text
    }
}

/// People see it cut, in a sentence as elsewhere.
impl From<&Name> for Argument {
    fn from(name: &Name) -> Argument {
        Argument::Name {
            bytes: name.whole.clone(),
            whole: name.whole().to_string(),
            cut: name.to_string(),
        }
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        Printable(self.short.as_ref().unwrap_or(&self.whole)).fmt(f)
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
            true => serializer.collect_str(&Printable(&self.whole)),
            false => serializer.serialize_bytes(&self.whole),
        }
    }
}

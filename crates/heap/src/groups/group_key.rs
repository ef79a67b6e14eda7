//! What tells groups apart: their kind and name, as a fingerprint and as a hash code.

use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::loaded_code::CodeShape;
use crate::groups::class::ClassName;
use crate::groups::fingerprint::{Fingerprint, FingerprintHasher};
use crate::groups::group::{GroupName, Groups};
use crate::groups::path_pattern::mix;

impl Groups {
    /// Returns the fingerprint of a group. Those of owners of strings are there already.
    pub(crate) fn fingerprint(&self, heap: &Heap, kind: Kind, name: GroupName) -> Fingerprint {
        let hasher = FingerprintHasher::new("group").kind(kind);
        let hasher = match name {
            GroupName::HeldBy(pattern) => hasher
                .text(b"held by")
                .number(self.patterns.fingerprint(pattern).0),
            GroupName::Class(ClassName::Own(name)) => hasher.text(b"class").text(heap.name(name)),
            GroupName::Class(ClassName::HeldBy(pattern)) => hasher
                .text(b"class held by")
                .number(self.patterns.fingerprint(pattern).0),
            GroupName::Code { source, line } => hasher
                .text(b"code")
                .text(heap.name(source))
                .number(line.into()),
            GroupName::LoadedCode {
                pattern,
                line,
                shape,
            } => {
                let pattern = self.patterns.fingerprint(pattern);
                hasher.loaded_code(pattern, line, shape)
            }
            GroupName::Coroutine(name) => name.add_to(hasher, heap),
            GroupName::StringsOf(owners) => {
                let owners = self.owners(owners);
                hasher.strings_of(owners.map(|owner| self.groups[owner].fingerprint))
            }
            GroupName::SharedStrings => hasher.text(b"shared strings"),
        };
        hasher.finish()
    }
}

/// Returns the hash code of a kind and a name.
pub(super) fn hash(kind: Kind, name: GroupName) -> u64 {
    let (tag, a, b) = match name {
        GroupName::HeldBy(pattern) => (0, pattern.0.into(), 0),
        GroupName::Class(ClassName::Own(name)) => (1, name.0.into(), 0),
        GroupName::Class(ClassName::HeldBy(pattern)) => (2, pattern.0.into(), 0),
        GroupName::Code { source, line } => (3, source.0.into(), line.into()),
        GroupName::Coroutine(name) => {
            let place = (name.place.source.0, name.place.line);
            let at = (name.status as u64, name.caller.line);
            (
                7,
                mix(place.0.into(), place.1.into()),
                mix(at.0, at.1.into()),
            )
        }
        GroupName::StringsOf(owners) => (4, owners.0.into(), 0),
        GroupName::SharedStrings => (5, 0, 0),
        GroupName::LoadedCode {
            pattern,
            line,
            shape,
        } => {
            let CodeShape {
                last_line,
                upvalues,
            } = shape.unwrap_or_default();
            let lines = mix(line.into(), last_line.into());
            (6, pattern.0.into(), mix(lines, upvalues.into()))
        }
    };
    mix(mix(mix(kind as u64, tag), a), b)
}

//! Fingerprints that stay the same when code moves in its file.

use crate::graph::heap::Heap;
use crate::groups::fingerprint::{Fingerprint, FingerprintHasher};
use crate::groups::group::{GroupName, Groups};

impl Groups {
    /// Returns the fingerprint of a group without the numbers of lines, for questions across releases of a program: a
    /// function that begins ten lines further down is no new one. `heap` is the one that was grouped.
    ///
    /// Functions of one source are told apart by the path to the first of them, coroutines by the sources of the code
    /// that they are in; so several groups may have the same one. A group whose name has no line has the fingerprint
    /// that it has anyhow.
    pub fn stable_fingerprint(&self, heap: &Heap, group: usize) -> Fingerprint {
        let of = &self.groups[group];
        let hasher = FingerprintHasher::new("group without lines").kind(of.kind);
        match of.name {
            GroupName::Code { source, .. } => hasher
                .text(b"code")
                .text(heap.name(source))
                .number(self.patterns.fingerprint(of.pattern).0)
                .finish(),
            GroupName::LoadedCode { pattern, .. } => hasher
                .text(b"loaded code")
                .number(self.patterns.fingerprint(pattern).0)
                .finish(),
            GroupName::Coroutine(name) => hasher
                .text(b"coroutine")
                .text(name.status.name().as_bytes())
                .text(heap.name(name.place.source))
                .text(heap.name(name.caller.source))
                .finish(),
            GroupName::StringsOf(owners) => {
                let owners = self.owners(owners).map(|owner| {
                    // Strings that are an owner's are named after others, so this ends.
                    match self.groups[owner].name {
                        GroupName::StringsOf(_) => self.groups[owner].fingerprint,
                        _ => self.stable_fingerprint(heap, owner),
                    }
                });
                hasher.strings_of(owners).finish()
            }
            GroupName::HeldBy(_) | GroupName::Class(_) | GroupName::SharedStrings => of.fingerprint,
        }
    }
}

//! The fingerprints that groups had by older rules, so that whoever kept one learns what it is now.

use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::groups::coroutine::coroutine_body;
use crate::groups::fingerprint::{Fingerprint, FingerprintHasher};
use crate::groups::group::{GroupName, Groups};

/// The most members whose older fingerprints are told: by rule 1 each could have another one.
const MOST: usize = 1000;

impl Groups {
    /// Returns the fingerprints that a group's members, the first thousand of them, had by
    /// [rule](crate::FINGERPRINT_RULE) 1, where they differ from that of the group; `heap` is the one that was
    /// grouped.
    ///
    /// Those of paths that lead elsewhere by the newer rule of [paths](crate::PATH_RULE) are not known.
    pub fn older_fingerprints(&self, heap: &Heap, group: usize) -> Vec<Fingerprint> {
        let of = &self.groups[group];
        let code = |function: NodeId| {
            let hasher = FingerprintHasher::new("group").kind(of.kind);
            let hasher = hasher.text(b"code").text(heap.source(function));
            hasher.number(heap.count(function).into()).finish()
        };
        let members = self.members(group).iter().copied().take(MOST);
        let mut older: Vec<Fingerprint> = match of.name {
            // What a coroutine was started with.
            GroupName::Coroutine(_) => members
                .filter_map(|thread| coroutine_body(heap, thread))
                .filter(|body| heap.kind(*body) == Kind::LuaFunction)
                .map(code)
                .collect(),
            // The text of the code.
            GroupName::LoadedCode { .. } => members.map(code).collect(),
            // The one owner that dominated them.
            GroupName::StringsOf(owners) => self
                .owners(owners)
                .flat_map(|owner| {
                    let now = self.groups[owner].fingerprint;
                    let older = match self.groups[owner].name {
                        GroupName::StringsOf(_) => Vec::new(),
                        _ => self.older_fingerprints(heap, owner),
                    };
                    older.into_iter().chain([now])
                })
                .map(|owner| {
                    let hasher = FingerprintHasher::new("group").kind(of.kind);
                    hasher.text(b"strings of").number(owner.0).finish()
                })
                .collect(),
            _ => Vec::new(),
        };
        older.sort_unstable();
        older.dedup();
        older.retain(|older| *older != of.fingerprint);
        older
    }
}

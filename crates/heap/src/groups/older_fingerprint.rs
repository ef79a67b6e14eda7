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
    /// Returns the fingerprints that a group, or its first thousand members, had by older
    /// [rules](crate::FINGERPRINT_RULE), where they differ from that of the group; `heap` is the one that was
    /// grouped.
    ///
    /// Those of paths that lead elsewhere by the newer rule of [paths](crate::PATH_RULE), or through
    /// environments, are not known.
    pub fn older_fingerprints(&self, heap: &Heap, group: usize) -> Vec<Fingerprint> {
        let mut older = self.by_rule_1(heap, group);
        older.push(self.by_rule_2(group));
        older.sort_unstable();
        older.dedup();
        let now = self.groups[group].fingerprint;
        older.retain(|older| *older != now);
        older
    }

    fn by_rule_1(&self, heap: &Heap, group: usize) -> Vec<Fingerprint> {
        let of = &self.groups[group];
        let code = |function: NodeId| {
            let hasher = FingerprintHasher::new("group").kind(of.kind);
            let hasher = hasher.text(b"code").text(heap.source(function));
            hasher.number(heap.count(function).into()).finish()
        };
        let members = self.members(group).iter().copied().take(MOST);
        match of.name {
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
                    let older = match self.groups[owner].name {
                        GroupName::StringsOf(_) => Vec::new(),
                        _ => self.by_rule_1(heap, owner),
                    };
                    older.into_iter().chain([self.by_rule_2(owner)])
                })
                .map(|owner| {
                    let hasher = FingerprintHasher::new("group").kind(of.kind);
                    hasher.text(b"strings of").number(owner.0).finish()
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Code without a name had no shape.
    fn by_rule_2(&self, group: usize) -> Fingerprint {
        let of = &self.groups[group];
        let hasher = FingerprintHasher::new("group").kind(of.kind);
        match of.name {
            GroupName::LoadedCode { pattern, line, .. } => {
                let pattern = self.patterns.fingerprint(pattern);
                hasher.loaded_code(pattern, line, None).finish()
            }
            GroupName::StringsOf(owners) => {
                let owners = self
                    .owners(owners)
                    .map(|owner| match self.groups[owner].name {
                        GroupName::StringsOf(_) => self.groups[owner].fingerprint,
                        _ => self.by_rule_2(owner),
                    });
                hasher.strings_of(owners).finish()
            }
            _ => of.fingerprint,
        }
    }
}

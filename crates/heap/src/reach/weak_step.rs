//! Weak steps: the steps of a path that tell people little about where an object belongs.

use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;

/// The number of the rule that chooses among the paths to an object: the fewest weak steps, then the
/// fewest steps, then canonical order. Whoever stores a tree stores this number with it.
///
/// Rule 1 knew no weak steps.
pub const PATH_RULE: u32 = 3;

/// What tells weak steps from others in one heap.
///
/// Weak are: threads as GC roots, the slots of stacks, integer keys of the registry, and upvalues without a
/// name. They depend on the moment, or on the order in which C code took references.
#[derive(Clone, Copy, Debug)]
pub struct WeakSteps {
    registry: Option<NodeId>,
}

impl WeakSteps {
    /// The largest [weight](Self::weight) of a step.
    pub const MAX_WEIGHT: usize = 2;

    /// Returns what tells the weak steps of a heap.
    pub fn of(heap: &Heap) -> WeakSteps {
        WeakSteps {
            registry: heap.root_named(b"[REGISTRY]").map(|edge| edge.target),
        }
    }

    /// Whether some references of an object of this heap may be weak steps. Most objects have none.
    #[inline]
    pub(crate) fn may_start_at(self, heap: &Heap, source: NodeId) -> bool {
        match heap.kind(source) {
            Kind::Thread | Kind::LuaFunction | Kind::CFunction | Kind::Root => true,
            _ => self.registry == Some(source),
        }
    }

    /// Returns how weak a reference is as a step: 0 for one with a name that lasts, 1 for a weak one, 2 for a slot
    /// of a stack without a name (`(temporary)`, `(for state)`).
    #[inline(never)]
    pub fn weight(self, heap: &Heap, source: NodeId, edge: usize) -> usize {
        let is_nameless = |name: NameId| matches!(heap.name(name), [] | [b'(', ..]);
        match heap.label(edge) {
            Label::Local(name) => 1 + usize::from(is_nameless(name)),
            Label::Upvalue(name) => usize::from(is_nameless(name)),
            Label::Index(_) => usize::from(self.registry == Some(source)),
            Label::Root(_) => usize::from(heap.kind(heap.target(edge)) == Kind::Thread),
            _ => 0,
        }
    }
}

//! Differences of a VM that reuses addresses, against a model that knows which object is which.

use crate::everything::provenance;
use luasnap_heap::{
    Birthmark, Change, Kind, Label, NodeId, Process, Provenance, RunOrder, Snapshot, Strength,
    SweepBuilder, decrease, increase,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// How a VM keeps its objects.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Lists {
    /// One list, and one for those with a finalizer (5.2 and later).
    ByFinalizer,
    /// One list, and one for userdata (5.1, LuaJIT).
    ByKind,
}

#[derive(Clone, Debug)]
struct Thing {
    serial: u64,
    kind: Kind,
    address: u64,
    count: u32,
    /// When it got its finalizer.
    finalizer: Option<u64>,
    is_live: bool,
}

/// A VM: its objects, the newest last.
struct Vm {
    lists: Lists,
    things: [Vec<Thing>; 2],
    free: Vec<u64>,
    now: u64,
    process: Option<Process>,
    captures: Vec<Capture>,
}

struct Capture {
    time: u64,
    things: Vec<Thing>,
    snapshot: Snapshot,
}

const KINDS: [Kind; 5] = [
    Kind::Table,
    Kind::Table,
    Kind::LuaFunction,
    Kind::Userdata,
    Kind::String,
];

/// What happens in a VM between captures.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Allocate(Kind),
    /// Allocates `count` objects, of the kinds from `KINDS[first]` on.
    AllocateSeveral {
        count: usize,
        first: usize,
    },
    Free(Pick),
    /// Frees `count` consecutive objects of a list.
    FreeSeveral {
        count: usize,
        first: Pick,
    },
    /// An object gets a finalizer or, if it has one, is saved by it.
    Finalize(Pick),
    /// A table gets one more entry.
    AddEntry(Pick),
    /// The object is unreachable, but the collector has not freed it yet.
    MakeGarbage(Pick),
    /// Another object of its kind takes the address.
    Replace(Pick),
    /// As `Replace`, and the new object gets a finalizer.
    ReplaceAndFinalize(Pick),
}

/// Chooses an object.
#[derive(Clone, Copy, Debug)]
struct Pick {
    list: usize,
    /// Its place in the list, modulo the list's length.
    at: usize,
}

impl Pick {
    /// Returns `None` if the list is empty.
    fn index_in(self, list: &[Thing]) -> Option<usize> {
        self.at.checked_rem(list.len())
    }
}

impl Vm {
    fn new(lists: Lists) -> Vm {
        let mut vm = Vm {
            lists,
            things: [Vec::new(), Vec::new()],
            free: (1..2000).rev().map(|at| 0x1000 + 32 * at).collect(),
            now: 0,
            process: None,
            captures: Vec::new(),
        };
        vm.allocate(Kind::Table);
        vm
    }

    fn allocate(&mut self, kind: Kind) -> u64 {
        self.now += 1;
        let address = self.free.pop().unwrap();
        let list = usize::from(self.lists == Lists::ByKind && kind == Kind::Userdata);
        self.things[list].push(Thing {
            serial: self.now,
            kind,
            address,
            count: 1,
            finalizer: None,
            is_live: true,
        });
        address
    }

    /// Takes an object out of its list; never the first one, which always exists, nor a marker.
    fn take(&mut self, pick: Pick) -> Option<Thing> {
        let list = &mut self.things[pick.list];
        let at = pick.index_in(list)?;
        if list[at].serial == 1 || list[at].kind == Kind::Snapshot {
            return None;
        }
        Some(list.remove(at))
    }

    fn step(&mut self, operation: Operation) {
        self.now += 1;
        match operation {
            Operation::Allocate(kind) => {
                self.allocate(kind);
            }
            Operation::AllocateSeveral { count, first } => {
                for kind in KINDS.iter().cycle().skip(first).take(count) {
                    self.allocate(*kind);
                }
            }
            Operation::Free(pick) => self.free(pick),
            Operation::FreeSeveral { count, first } => {
                for further in 0..count {
                    self.free(Pick {
                        at: first.at + further,
                        ..first
                    });
                }
            }
            Operation::Finalize(pick) => self.finalize(pick),
            Operation::AddEntry(pick) => {
                if let Some(thing) = self.picked(pick) {
                    thing.count += 1;
                }
            }
            Operation::MakeGarbage(pick) => {
                if let Some(thing) = self.picked(pick) {
                    thing.is_live = thing.serial == 1;
                }
            }
            Operation::Replace(pick) => {
                self.replace(pick);
            }
            Operation::ReplaceAndFinalize(pick) => {
                if self.replace(pick) {
                    let newest = self.things[0].len() - 1;
                    self.finalize(Pick {
                        list: 0,
                        at: newest,
                    });
                }
            }
        }
    }

    fn picked(&mut self, pick: Pick) -> Option<&mut Thing> {
        let list = &mut self.things[pick.list];
        pick.index_in(list).map(|at| &mut list[at])
    }

    fn free(&mut self, pick: Pick) {
        let freed = self.take(pick);
        self.free.extend(freed.map(|thing| thing.address));
    }

    /// Frees an object and allocates one of its kind at its address. Returns false if there is none
    /// to free.
    fn replace(&mut self, pick: Pick) -> bool {
        let Some(freed) = self.take(pick) else {
            return false;
        };
        self.free.push(freed.address);
        self.allocate(freed.kind);
        true
    }

    /// Gives an object a finalizer or, if it has one, lets it save the object. An object that
    /// cannot have one is freed. Lists by kind do not change with finalizers.
    fn finalize(&mut self, pick: Pick) {
        if self.lists == Lists::ByKind {
            return;
        }
        let Some(mut thing) = self.take(pick) else {
            return;
        };
        if thing.finalizer.take().is_some() {
            thing.serial = self.now;
            self.things[0].push(thing);
        } else if matches!(thing.kind, Kind::Table | Kind::Userdata) {
            thing.finalizer = Some(self.now);
            self.things[1].push(thing);
        } else {
            self.free.push(thing.address);
        }
    }

    /// Captures everything, as the native engine does, and allocates the markers.
    fn capture(&mut self, is_marked: bool) {
        self.now += 1;
        let orders = match self.lists {
            Lists::ByFinalizer => [RunOrder::Allocation, RunOrder::Finalizer],
            Lists::ByKind => [RunOrder::Allocation, RunOrder::Allocation],
        };
        let mut builder = SweepBuilder::default();
        let mut live = Vec::new();
        for (list, order) in self.things.iter().zip(orders) {
            builder.begin_run(order).unwrap();
            for thing in list.iter().rev() {
                let node = builder.add(thing.kind, thing.address, 40).unwrap().unwrap();
                builder.set_count(node, thing.count);
                if thing.kind == Kind::Snapshot {
                    builder.mark(node).unwrap();
                } else if thing.is_live {
                    live.push((node, thing.clone()));
                }
            }
        }
        builder.begin_run(RunOrder::None).unwrap();
        let code = builder.light_function(0x77).unwrap();
        builder.begin_edges();
        for (at, node) in live.iter().map(|live| live.0).chain([code]).enumerate() {
            let name = builder.intern(format!("root{at}").as_bytes()).unwrap();
            builder
                .edge(node, Label::Root(name), Strength::Strong)
                .unwrap();
        }
        builder.end_edges(NodeId::ROOT).unwrap();
        let snapshot = Snapshot::new(
            builder
                .finish(Provenance {
                    process: self.process,
                    ..provenance()
                })
                .unwrap(),
        );
        let marks = [self.allocate(Kind::Table), self.allocate(Kind::Userdata)];
        for list in 0..2 {
            for thing in self.things[list].iter_mut().rev().take(2) {
                if marks.contains(&thing.address) {
                    thing.kind = Kind::Snapshot;
                }
            }
        }
        if self.lists == Lists::ByFinalizer {
            let mut handle = self.things[0].pop().unwrap();
            handle.finalizer = Some(self.now);
            self.things[1].push(handle);
        }
        if is_marked {
            snapshot.set_birthmark(Birthmark {
                vm_address: 0x10,
                sequence: self.captures.len() as u64 + 1,
                marks,
            });
        }
        let things = live.into_iter().map(|live| live.1);
        self.captures.push(Capture {
            time: self.now - 2,
            things: things.filter(|thing| thing.kind.is_object()).collect(),
            snapshot,
        });
    }

    /// Frees the markers of a capture, as when only a copy of it is left.
    fn drop_marks(&mut self, capture: usize) {
        let Some(&Birthmark { marks, .. }) = self.captures[capture].snapshot.birthmark() else {
            return;
        };
        for list in &mut self.things {
            list.retain(|thing| thing.kind != Kind::Snapshot || !marks.contains(&thing.address));
        }
        self.free.extend(marks);
    }
}

impl Capture {
    /// Whether two objects at one address are the same, as far as a VM can tell.
    fn is_same(&self, thing: &Thing, other: &Capture, twin: &Thing) -> bool {
        let (later, earlier, before) = match self.time > other.time {
            true => (thing, twin, other.time),
            false => (twin, thing, self.time),
        };
        // An object that got a finalizer since may have existed before.
        let may_be = later.finalizer.is_some_and(|since| since > before);
        later.serial == earlier.serial || (may_be && earlier.finalizer.is_none())
    }

    /// Returns what this capture has in addition to `other`.
    fn more_than(
        &self,
        other: &Capture,
        is_same: impl Fn(&Thing, &Thing) -> bool,
        alone: Change,
        larger: fn(u32) -> Change,
    ) -> BTreeMap<u64, Change> {
        let mut changes = BTreeMap::new();
        for thing in &self.things {
            let twin = other.things.iter().find(|twin| {
                (twin.address, twin.kind) == (thing.address, thing.kind) && is_same(thing, twin)
            });
            match twin {
                None => changes.insert(thing.address, alone),
                Some(twin) if thing.kind == Kind::Table && thing.count > twin.count => {
                    changes.insert(thing.address, larger(thing.count - twin.count))
                }
                Some(_) => None,
            };
        }
        changes
    }
}

fn changes(difference: &Snapshot) -> BTreeMap<u64, Change> {
    let heap = difference.objects().unwrap();
    heap.nodes()
        .filter(|node| difference.is_member(*node))
        .map(|node| (heap.address(node), difference.change(node)))
        .collect()
}

fn operation() -> impl Strategy<Value = Operation> {
    let pick = || (0..2usize, 0..5000usize).prop_map(|(list, at)| Pick { list, at });
    let kind = prop::sample::select(&KINDS[..]);
    prop_oneof![
        3 => kind.prop_map(Operation::Allocate),
        1 => (0..60usize, 0..KINDS.len())
            .prop_map(|(count, first)| Operation::AllocateSeveral { count, first }),
        3 => pick().prop_map(Operation::Free),
        1 => (0..40usize, pick())
            .prop_map(|(count, first)| Operation::FreeSeveral { count, first }),
        2 => pick().prop_map(Operation::Finalize),
        1 => pick().prop_map(Operation::AddEntry),
        1 => pick().prop_map(Operation::MakeGarbage),
        1 => pick().prop_map(Operation::Replace),
        2 => pick().prop_map(Operation::ReplaceAndFinalize),
    ]
}

fn operations() -> impl Strategy<Value = Vec<Operation>> {
    prop::collection::vec(operation(), 0..40)
}

/// A VM's history: operations, with captures between them.
fn history() -> impl Strategy<Value = (Lists, Vec<Vec<Operation>>)> {
    let lists = prop_oneof![Just(Lists::ByFinalizer), Just(Lists::ByKind)];
    (lists, prop::collection::vec(operations(), 1..5))
}

/// Returns the VM after its history.
fn lived(lists: Lists, history: &[Vec<Operation>], is_marked: bool) -> Vm {
    let mut vm = Vm::new(lists);
    for operations in history {
        for &operation in operations {
            vm.step(operation);
        }
        vm.capture(is_marked);
    }
    vm
}

proptest! {
    #[test]
    fn what_took_the_place_of_another_is_new((lists, history) in history()) {
        let vm = lived(lists, &history, true);
        for a in &vm.captures {
            for b in &vm.captures {
                let up = increase(&a.snapshot, &b.snapshot).unwrap();
                let same = |thing: &Thing, twin: &Thing| b.is_same(thing, a, twin);
                prop_assert_eq!(changes(&up), b.more_than(a, same, Change::New, Change::Grew));
                let down = decrease(&a.snapshot, &b.snapshot).unwrap();
                let same = |thing: &Thing, twin: &Thing| a.is_same(thing, b, twin);
                prop_assert_eq!(changes(&down), a.more_than(b, same, Change::Gone, Change::Shrank));
            }
        }
    }

    #[test]
    fn without_marks_the_address_decides((lists, history) in history()) {
        let vm = lived(lists, &history, false);
        for a in &vm.captures {
            for b in &vm.captures {
                let up = increase(&a.snapshot, &b.snapshot).unwrap();
                let expected = b.more_than(a, |_, _| true, Change::New, Change::Grew);
                prop_assert_eq!(changes(&up), expected);
            }
        }
    }

    #[test]
    fn what_stayed_is_never_new_though_marks_are_gone(
        (lists, history) in history(),
        later in operations(),
    ) {
        let mut vm = lived(lists, &history, true);
        for capture in 0..vm.captures.len() {
            vm.drop_marks(capture);
        }
        for operation in later {
            vm.step(operation);
        }
        vm.capture(true);
        vm.capture(true);
        let b = vm.captures.last().unwrap();
        for a in &vm.captures {
            let up = changes(&increase(&a.snapshot, &b.snapshot).unwrap());
            for thing in &b.things {
                let stayed = a.things.iter().any(|twin| twin.serial == thing.serial);
                prop_assert!(!stayed || up.get(&thing.address) != Some(&Change::New));
            }
        }
    }
}

/// Returns a VM in which a table took the place of another one between two captures, without
/// birthmarks.
fn replaced_between_captures() -> (Vm, Thing) {
    let mut vm = Vm::new(Lists::ByFinalizer);
    vm.allocate(Kind::Table);
    vm.capture(false);
    let gone = vm.things[0].remove(1);
    vm.free.push(gone.address);
    vm.allocate(gone.kind);
    vm.capture(false);
    (vm, gone)
}

#[test]
fn another_vm_or_an_unknown_one_tells_nothing() {
    let (known, other, unknown) = (0x10, 0x20, 0);
    for (vm_addresses, new_objects) in [
        ([known, known], 1),
        ([known, other], 0),
        ([unknown, unknown], 0),
    ] {
        let (vm, gone) = replaced_between_captures();
        // The markers of the first capture were allocated in this order.
        let marks = [gone.address + 32, gone.address + 64];
        for (at, capture) in vm.captures.iter().enumerate() {
            capture.snapshot.set_birthmark(Birthmark {
                vm_address: vm_addresses[at],
                sequence: at as u64 + 1,
                marks,
            });
        }
        let [a, b] = [0, 1].map(|at| &vm.captures[at].snapshot);
        assert_eq!(increase(a, b).unwrap().len(), Ok(new_objects));
        assert_eq!(decrease(a, b).unwrap().len(), Ok(new_objects));
        // A difference has lost the order. This one lacks only the C function that both have.
        let most = increase(&Vm::elsewhere(), b).unwrap();
        assert_eq!(decrease(a, &most).unwrap().len(), Ok(1));
    }
}

#[test]
fn the_same_address_in_another_process_is_another_vm() {
    let process = |id, instance| Some(Process { id, instance });
    for (before, after, new_objects) in [
        (None, None, 1),
        (process(7, 1), process(7, 1), 1),
        // The system gave the id to another process.
        (process(7, 1), process(7, 2), 0),
        (process(7, 1), process(8, 1), 0),
        (process(7, 1), None, 0),
    ] {
        let mut vm = Vm::new(Lists::ByFinalizer);
        vm.allocate(Kind::Table);
        vm.process = before;
        vm.capture(true);
        vm.replace(Pick { list: 0, at: 1 });
        vm.process = after;
        vm.capture(true);
        let [a, b] = [0, 1].map(|at| &vm.captures[at].snapshot);
        assert_eq!(increase(a, b).unwrap().len(), Ok(new_objects));
    }
}

impl Vm {
    /// Returns a capture of a VM that has nothing at the addresses of others.
    fn elsewhere() -> Snapshot {
        let mut vm = Vm::new(Lists::ByKind);
        vm.things[0][0].address = 0x10;
        vm.capture(false);
        vm.captures.remove(0).snapshot
    }
}

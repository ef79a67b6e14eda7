//! Where a process's memory is: in the Lua VM or outside it, in use or garbage, as an answer.

use crate::answer_error::Result;
use crate::labels::numbers::byte_size;
use luasnap_heap::{Census, Engine, Kind, SharedObjects, Snapshot, count_with_finalizer};
use luasnap_words::Sentence;
use serde::Serialize;

/// A program and its libraries take about this much by themselves, in bytes. Less outside the VM is not
/// worth a sentence.
const OF_A_PROGRAM: u64 = 16 << 20;
/// Garbage below this is what any program has between two collections, in bytes.
const MUCH_GARBAGE: u64 = 1 << 20;
/// The allocator alone lets a process grow by less than this, in bytes.
const MUCH_GROWTH: u64 = 4 << 20;

/// Where a process's memory is, in bytes; `None` where that is unknown.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Ledger {
    /// The process's physical memory (RSS), as the system said when the snapshot was taken.
    pub resident: Option<u64>,
    /// The most that ever was.
    pub peak_resident: Option<u64>,
    /// The smallest limit of its control groups, if there is one.
    pub limit: Option<u64>,
    /// The VM's own total. It is the sum of the next four.
    pub vm_total: Option<u64>,
    /// Objects in use. Known only to the native engine, like the next three.
    pub in_use: Option<u64>,
    /// Objects that the collector has not freed yet.
    pub garbage: Option<u64>,
    /// The VM's own structures, such as its table of strings, and luasnap's handles in the VM.
    pub other: Option<u64>,
    /// What is unaccounted for.
    pub unaccounted: Option<i64>,
    /// `resident` less `vm_total`: the allocator, C libraries, other VMs of the process. 0 if the VM's total
    /// is larger, as it is when parts of it are swapped out.
    pub outside: Option<u64>,
    /// What luasnap's own snapshots held of that. Known only in-process.
    pub snapshots: Option<u64>,
    /// The number of cdata, garbage included. They may hold memory outside. Unknown to the portable engine, and
    /// in a difference.
    pub cdata: Option<u64>,
    /// The number of userdata with a finalizer, garbage included. They may hold memory outside.
    pub finalizers: u64,
    /// The objects of other states that the state refers to, in a Lua whose states share some (skynet's). Their bytes are
    /// in the total of those others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedRow>,
    /// What there is to say about it: a sentence without a full stop.
    pub verdict: Option<Sentence>,
}

/// Objects of other states that a state refers to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct SharedRow {
    /// How many there are.
    pub count: u64,
    /// Their bytes, in the states that made them.
    pub bytes: u64,
    /// How many states of the process refer to the one that most refer to; `None` where the others were not captured.
    pub states: Option<u32>,
}

impl From<SharedObjects> for SharedRow {
    fn from(shared: SharedObjects) -> SharedRow {
        SharedRow {
            count: shared.count,
            bytes: shared.bytes,
            states: shared.states,
        }
    }
}

/// Where a process's memory is, in the first and the last of several snapshots.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct LedgerChange {
    /// In the first snapshot.
    pub first: Ledger,
    /// In the last snapshot.
    pub last: Ledger,
    /// What there is to say about the growth: a sentence without a full stop.
    pub verdict: Option<Sentence>,
}

impl Ledger {
    /// Returns the ledger of a snapshot with this census. A difference has only counts.
    ///
    /// # Examples
    ///
    /// ```
    /// use luasnap_format::Ledger;
    /// use luasnap_heap::{Census, Engine, HeapBuilder, Kind, ProcessMemory, Provenance, Snapshot};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let mut builder = HeapBuilder::new();
    /// let (table, _) = builder.node(Kind::Table, 0x10)?;
    /// builder.set_size(table, 3 << 20);
    /// let snapshot = Snapshot::new(builder.finish_reached(Provenance {
    ///     engine: Engine::Native,
    ///     is_whole: true,
    ///     total: Some(4 << 20),
    ///     process_memory: ProcessMemory { resident: Some(9 << 20), ..ProcessMemory::default() },
    ///     ..Provenance::default()
    /// })?);
    /// let ledger = Ledger::new(&snapshot, &Census::new(&snapshot)?)?;
    /// assert_eq!(ledger.in_use, Some(3 << 20));
    /// assert_eq!((ledger.unaccounted, ledger.outside), (Some(1 << 20), Some(5 << 20)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn new(snapshot: &Snapshot, census: &Census) -> Result<Ledger> {
        let memory = snapshot.everything().provenance().process_memory;
        // Estimates and parts of a heap are no parts of the VM's total.
        let known = census.accounted;
        let blocks = census.blocks.iter().map(|block| block.1);
        let other = blocks.fold(census.own.bytes, u64::saturating_add);
        let cdata = census.kinds.iter().find(|row| row.kind == Kind::Cdata);
        let cdata = cdata.map_or(0, |row| row.live.count + row.garbage.count);
        let has_cdata = census.engine == Engine::Native && !snapshot.is_difference();
        let mut ledger = Ledger {
            resident: memory.resident,
            peak_resident: memory.peak_resident,
            limit: memory.limit,
            vm_total: census.total,
            in_use: known.map(|_| census.live.bytes),
            garbage: known.and(census.garbage).map(|garbage| garbage.bytes),
            other: known.map(|_| other),
            unaccounted: census.unaccounted,
            outside: minus(memory.resident, census.total),
            snapshots: memory.snapshots,
            cdata: has_cdata.then_some(cdata),
            finalizers: count_with_finalizer(snapshot)?,
            shared: snapshot
                .everything()
                .provenance()
                .shared
                .map(SharedRow::from),
            verdict: None,
        };
        ledger.verdict = ledger.say(&census.vm);
        Ok(ledger)
    }

    /// What is outside the VM and not luasnap's.
    fn foreign(&self) -> Option<u64> {
        minus(self.outside, Some(self.snapshots.unwrap_or(0)))
    }

    fn say(&self, vm: &str) -> Option<Sentence> {
        let outside = of(self.foreign(), self.resident, OF_A_PROGRAM);
        let garbage = of(self.garbage, self.vm_total, MUCH_GARBAGE);
        let code = if counts_texts_outside(vm) {
            "ledger.outside_5_5"
        } else {
            "ledger.outside"
        };
        let outside = outside.map(|parts| part_of_all(code, parts));
        outside.or_else(|| Some(part_of_all("ledger.garbage", garbage?)))
    }
}

impl LedgerChange {
    /// Returns the ledgers of two snapshots of one program, whose VM is of this family (`Lua 5.4`), and what
    /// there is to say about the growth.
    pub fn new(first: Ledger, last: Ledger, vm: &str) -> LedgerChange {
        let grown = |what: fn(&Ledger) -> Option<u64>| minus(what(&last), what(&first));
        let process = grown(|ledger| ledger.resident);
        let total = grown(|ledger| ledger.vm_total);
        let outside = of(grown(Ledger::foreign), process, MUCH_GROWTH);
        let garbage = of(grown(|ledger| ledger.garbage), total, MUCH_GARBAGE);
        let code = if counts_texts_outside(vm) {
            "ledger.outside_5_5_grew"
        } else {
            "ledger.outside_grew"
        };
        let outside = outside.map(|parts| part_of_all(code, parts));
        let verdict = outside.or_else(|| Some(part_of_all("ledger.garbage_grew", garbage?)));
        LedgerChange {
            first,
            last,
            verdict,
        }
    }
}

/// Whether texts of long strings may be outside what the VM counts: in Lua 5.5 a string that a C function made piece by
/// piece, such as `string.rep`, keeps its text there.
fn counts_texts_outside(vm: &str) -> bool {
    vm == "Lua 5.5"
}

fn part_of_all(code: &'static str, [part, all]: [String; 2]) -> Sentence {
    Sentence::new(code).with("part", part).with("all", all)
}

/// Returns the difference of two known numbers, at least 0.
fn minus(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    Some(a?.saturating_sub(b?))
}

/// Returns a part and the whole in words, if the part is at least `much` and more than half.
fn of(part: Option<u64>, all: Option<u64>, much: u64) -> Option<[String; 2]> {
    let (part, all) = (part?, all?);
    let is_most = part >= much && part > all / 2;
    is_most.then(|| [part.min(all), all].map(byte_size))
}

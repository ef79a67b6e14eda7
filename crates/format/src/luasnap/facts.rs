//! Facts about a heap as a whole: a list, each with a number and a length, so that readers can skip
//! unknown facts.

use crate::labels::printable::printable;
use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::little_endian::{u16_at, u32_at, u64_at};
use luasnap_heap::{Birthmark, Engine, Heap, NodeId, Process, Provenance, SlotSizes, Snapshot};
use std::borrow::Cow;

/// Facts about a heap as a whole.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) provenance: Provenance,
    pub(super) globals: Option<NodeId>,
    pub(super) all_reached: bool,
    pub(super) birthmark: Option<Birthmark>,
    pub(super) is_difference: bool,
    /// Of a difference: whether its groups are those of what is gone.
    pub(super) is_decrease: bool,
}

/// The numbers of facts. A new fact gets a new one.
mod number {
    pub const ENGINE: u16 = 1;
    pub const VM: u16 = 2;
    pub const LAYOUT: u16 = 3;
    pub const VM_ADDRESS: u16 = 4;
    pub const TOTAL: u16 = 5;
    pub const BLOCK: u16 = 6;
    pub const IS_WHOLE: u16 = 7;
    pub const TAKEN_AT: u16 = 8;
    pub const PROCESS: u16 = 9;
    pub const GLOBALS: u16 = 10;
    pub const ALL_REACHED: u16 = 11;
    pub const BIRTHMARK: u16 = 12;
    pub const IS_DIFFERENCE: u16 = 13;
    pub const SLOT_SIZES: u16 = 14;
    pub const RESIDENT: u16 = 15;
    pub const PEAK_RESIDENT: u16 = 16;
    pub const MEMORY_LIMIT: u16 = 17;
    pub const SNAPSHOT_MEMORY: u16 = 18;
    pub const IS_DECREASE: u16 = 19;
    pub const STATE_NAME: u16 = 20;
    pub const SHARED_OBJECTS: u16 = 21;
    pub const SHARERS: u16 = 22;
}

/// Bytes before each fact.
const HEAD: usize = 6;
const PART: &str = "section of facts";

/// Returns the facts of a snapshot, as in the file. `is_decrease` is known of a difference with groups.
pub(super) fn bytes(snapshot: &Snapshot, is_decrease: Option<bool>) -> Vec<u8> {
    let mut out = of_heap(snapshot.everything(), snapshot.is_difference());
    if let Some(is_decrease) = is_decrease {
        put_flag(&mut out, number::IS_DECREASE, is_decrease);
    }
    if let Some(mark) = snapshot.birthmark() {
        let words = [mark.vm_address, mark.sequence, mark.marks[0], mark.marks[1]];
        let words = words.map(u64::to_le_bytes);
        put(
            &mut out,
            number::BIRTHMARK,
            &words.each_ref().map(|word| &word[..]),
        );
    }
    out
}

/// Returns the facts of a heap, as in the file.
pub(super) fn of_heap(heap: &Heap, is_difference: bool) -> Vec<u8> {
    let mut out = Vec::new();
    put_provenance(&mut out, heap);
    let columns = heap.columns();
    if let Some(globals) = columns.globals {
        put(&mut out, number::GLOBALS, &[&globals.0.to_le_bytes()]);
    }
    put_flag(&mut out, number::ALL_REACHED, columns.all_reached);
    put_flag(&mut out, number::IS_DIFFERENCE, is_difference);
    out
}

fn put_provenance(out: &mut Vec<u8>, heap: &Heap) {
    let provenance = heap.provenance();
    let engine = match provenance.engine {
        Engine::Portable => 0,
        Engine::Native => 1,
    };
    put(out, number::ENGINE, &[&[engine]]);
    put(out, number::VM, &[provenance.vm.as_bytes()]);
    if let Some(layout) = &provenance.layout {
        put(out, number::LAYOUT, &[layout.as_bytes()]);
    }
    put(
        out,
        number::VM_ADDRESS,
        &[&provenance.vm_address.to_le_bytes()],
    );
    if let Some(total) = provenance.total {
        put(out, number::TOTAL, &[&total.to_le_bytes()]);
    }
    for (name, bytes) in &provenance.blocks {
        put(out, number::BLOCK, &[&bytes.to_le_bytes(), name.as_bytes()]);
    }
    put_flag(out, number::IS_WHOLE, provenance.is_whole);
    if let Some(sizes) = provenance.slot_sizes {
        put(out, number::SLOT_SIZES, &[&[sizes.array, sizes.hash]]);
    }
    if let Some(taken_at) = provenance.taken_at {
        put(out, number::TAKEN_AT, &[&taken_at.to_le_bytes()]);
    }
    if let Some(process) = provenance.process {
        put(
            out,
            number::PROCESS,
            &[&process.instance.to_le_bytes(), &process.id.to_le_bytes()],
        );
    }
    if let Some(name) = &provenance.state_name {
        put(out, number::STATE_NAME, &[name.as_bytes()]);
    }
    if let Some(shared) = provenance.shared {
        let numbers = [shared.count, shared.bytes].map(u64::to_le_bytes);
        put(out, number::SHARED_OBJECTS, &[&numbers[0], &numbers[1]]);
        if let Some(states) = shared.states {
            put(out, number::SHARERS, &[&states.to_le_bytes()]);
        }
    }
    let memory = provenance.process_memory;
    for (number, bytes) in [
        (number::RESIDENT, memory.resident),
        (number::PEAK_RESIDENT, memory.peak_resident),
        (number::MEMORY_LIMIT, memory.limit),
        (number::SNAPSHOT_MEMORY, memory.snapshots),
    ] {
        if let Some(bytes) = bytes {
            put(out, number, &[&bytes.to_le_bytes()]);
        }
    }
}

fn put(out: &mut Vec<u8>, number: u16, parts: &[&[u8]]) {
    let len: usize = parts.iter().map(|part| part.len()).sum();
    out.extend_from_slice(&number.to_le_bytes());
    out.extend_from_slice(&(len as u32).to_le_bytes());
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn put_flag(out: &mut Vec<u8>, number: u16, flag: bool) {
    put(out, number, &[&[u8::from(flag)]]);
}

/// Reads facts; unknown ones are skipped.
pub(super) fn read(bytes: &[u8]) -> Result<Facts, LoadError> {
    let mut facts = Facts::default();
    let mut rest = bytes;
    while !rest.is_empty() {
        let wrong = || LoadError::malformed(PART, Problem::WrongLength);
        let (head, behind) = rest.split_at_checked(HEAD).ok_or_else(wrong)?;
        let len = u32_at(head, 2) as usize;
        let (value, behind) = behind.split_at_checked(len).ok_or_else(wrong)?;
        facts
            .add(u16_at(head, 0), value)
            .ok_or(LoadError::malformed(PART, Problem::Value("a fact")))?;
        rest = behind;
    }
    Ok(facts)
}

impl Facts {
    /// Adds a fact; `None` if its value is invalid.
    fn add(&mut self, number: u16, value: &[u8]) -> Option<()> {
        let provenance = &mut self.provenance;
        match number {
            number::ENGINE => {
                provenance.engine = match value {
                    [0] => Engine::Portable,
                    [1] => Engine::Native,
                    _ => return None,
                }
            }
            number::VM => provenance.vm = text(value)?,
            number::LAYOUT => provenance.layout = Some(text(value)?),
            number::VM_ADDRESS => provenance.vm_address = word(value)?,
            number::TOTAL => provenance.total = Some(word(value)?),
            number::BLOCK => {
                let (bytes, name) = value.split_at_checked(8)?;
                provenance.blocks.push((text(name)?, word(bytes)?));
            }
            number::IS_WHOLE => provenance.is_whole = flag(value)?,
            number::SLOT_SIZES => {
                let [array, hash] = *value else { return None };
                provenance.slot_sizes = Some(SlotSizes { array, hash });
            }
            number::TAKEN_AT => provenance.taken_at = Some(word(value)?),
            number::PROCESS => {
                let (instance, id) = value.split_at_checked(8)?;
                provenance.process = Some(Process {
                    id: id_of(id)?,
                    instance: word(instance)?,
                });
            }
            number::RESIDENT => provenance.process_memory.resident = Some(word(value)?),
            number::PEAK_RESIDENT => provenance.process_memory.peak_resident = Some(word(value)?),
            number::MEMORY_LIMIT => provenance.process_memory.limit = Some(word(value)?),
            number::SNAPSHOT_MEMORY => provenance.process_memory.snapshots = Some(word(value)?),
            number::STATE_NAME => provenance.state_name = Some(text(value)?),
            number::SHARED_OBJECTS => {
                let (count, bytes) = value.split_at_checked(8)?;
                let shared = provenance.shared.get_or_insert_default();
                (shared.count, shared.bytes) = (word(count)?, word(bytes)?);
            }
            number::SHARERS => {
                provenance.shared.get_or_insert_default().states = Some(id_of(value)?);
            }
            number::GLOBALS => self.globals = Some(NodeId(id_of(value)?)),
            number::ALL_REACHED => self.all_reached = flag(value)?,
            number::IS_DIFFERENCE => self.is_difference = flag(value)?,
            number::IS_DECREASE => self.is_decrease = flag(value)?,
            number::BIRTHMARK if value.len() == 32 => {
                self.birthmark = Some(Birthmark {
                    vm_address: u64_at(value, 0),
                    sequence: u64_at(value, 8),
                    marks: [u64_at(value, 16), u64_at(value, 24)],
                });
            }
            number::BIRTHMARK => return None,
            _ => {}
        }
        Some(())
    }
}

/// Returns text, escaped: people see it as it is, and a file may come from anybody.
fn text(value: &[u8]) -> Option<Cow<'static, str>> {
    std::str::from_utf8(value).ok()?;
    Some(Cow::Owned(printable(value)))
}

fn word(value: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(value.try_into().ok()?))
}

fn id_of(value: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(value.try_into().ok()?))
}

fn flag(value: &[u8]) -> Option<bool> {
    match value {
        [0] => Some(false),
        [1] => Some(true),
        _ => None,
    }
}

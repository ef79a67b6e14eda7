//! Main states, recognized by what they say of themselves.
//!
//! A main thread and its global state are in one block of memory, and the thread has the address of
//! the global state. So a word whose value is at a known distance from its own address may be that
//! field of a main thread. If everything around it fits a layout, it is.

use crate::layout::{self, ABSENT, JitLayout, Layout, PucLayout};
use crate::machine::Machine;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::{
    self,
    references::{self, Narrow, References as _},
};
use crate::native::puc;
use crate::native::puc::global_state::{EXTRA_SPACE_STEP, MOST_EXTRA_SPACE, usual_extra_space};
use crate::version::Version;

/// Bytes of a word of memory.
const WORD: usize = 8;

/// Bytes of a stack slot of PUC Lua, and the least and most slots behind `stack_last`.
const SLOT: u64 = 16;
const EXTRA_SLOTS: std::ops::RangeInclusive<u64> = 5..=6;

/// A main thread with its global state.
#[derive(Clone, Debug)]
pub(crate) struct MainState {
    pub(crate) main_thread: u64,
    pub(crate) global_state: u64,
    /// The layouts that fit it, newest first; never empty, and all of one version.
    pub(crate) layouts: Vec<Layout>,
    /// The VM's own count of its bytes. In the middle of the collector's work it may be anything.
    pub(crate) total: u64,
}

impl MainState {
    /// Its VM.
    pub(crate) fn version(&self) -> Version {
        self.layouts[0].version()
    }

    /// Returns the address of the word by which it is [recognized](main_state_at).
    pub(crate) fn place(&self) -> u64 {
        self.main_thread + u64::from(place_of_global(self.layouts[0]))
    }
}

/// Recognizes the words that may be references of main threads to their global states.
pub(crate) struct Signatures {
    /// By distance, each once.
    wide: Vec<Signature>,
    /// The same where a reference has 32 bits: it is the low half of the word, and all addresses
    /// are below 4 GiB.
    narrow: Vec<Signature>,
    /// The least distance.
    first: i64,
    /// The distances that there are, from the first on, in words of memory. In a heap many a word leads somewhere
    /// near: this rules out nearly all of them.
    distances: Vec<bool>,
}

/// What is known of a word that leads from a main thread to its global state.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Signature {
    /// Bytes from the word to the global state.
    distance: i64,
    /// Bytes from the main thread's tag to the word.
    from_tag: u16,
    tag: u8,
}

impl Signatures {
    /// The signatures of all known layouts of a machine.
    pub(crate) fn new(machine: Machine) -> Signatures {
        let all = |of_narrow: bool| {
            let layouts = Layout::every(machine).filter(|&layout| is_narrow(layout) == of_narrow);
            let mut signatures: Vec<Signature> = layouts.flat_map(signatures).collect();
            signatures.sort_unstable();
            signatures.dedup();
            signatures
        };
        let (wide, narrow) = (all(false), all(true));
        let known = || wide.iter().chain(&narrow).map(|known| known.distance);
        let first = known().min().unwrap_or(0);
        let mut distances = Vec::new();
        for distance in known() {
            let at = ((distance - first) / WORD as i64) as usize;
            if distances.len() <= at {
                distances.resize(at + 1, false);
            }
            distances[at] = true;
        }
        Signatures {
            wide,
            narrow,
            first,
            distances,
        }
    }

    /// Passes the addresses of such words in `bytes` to `found`. The bytes start at `address`, a
    /// multiple of 8.
    pub(crate) fn find(&self, bytes: &[u8], address: u64, mut found: impl FnMut(u64)) {
        let span = (self.distances.len() * WORD) as u32;
        let first = self.first as u32;
        for (number, word) in bytes.chunks_exact(WORD).enumerate() {
            let value = word.try_into().map_or(0, u64::from_ne_bytes);
            let offset = number * WORD;
            let at = address + offset as u64;
            // The low half of a word rules out most, whether it is a reference of 32 bits or of 64.
            let distance = (value as u32).wrapping_sub(at as u32).wrapping_sub(first);
            if distance < span
                && self.distances[distance as usize / WORD]
                && self.is_reference(value, at, &bytes[..offset])
            {
                found(at);
            }
        }
    }

    /// Whether the word at `at`, which has a low half that fits, has one of the signatures. A tag is looked for in the
    /// bytes `before` the word, if these go so far.
    fn is_reference(&self, value: u64, at: u64, before: &[u8]) -> bool {
        let is_known = |signatures: &[Signature], distance: i64| {
            let start = signatures.partition_point(|known| known.distance < distance);
            let mut known = signatures[start..]
                .iter()
                .take_while(|known| known.distance == distance);
            known.any(|known| {
                let place = before.len().checked_sub(usize::from(known.from_tag));
                place.is_none_or(|place| before.get(place) == Some(&known.tag))
            })
        };
        is_known(&self.wide, value.wrapping_sub(at) as i64)
            || narrow_distance(value, at).is_some_and(|distance| is_known(&self.narrow, distance))
    }
}

/// The signatures of a layout's main threads. In 5.5 a main thread is behind its extra space, of any size.
fn signatures(layout: Layout) -> impl Iterator<Item = Signature> {
    let (tag_place, tag) = match layout {
        Layout::Puc(_) => (puc::header::TAG, layout::puc::THREAD),
        Layout::Jit(layout) => (layout.global_state.reference_size + 1, layout::jit::THREAD),
    };
    let from_tag = place_of_global(layout) - tag_place;
    distances(layout).map(move |distance| Signature {
        distance,
        from_tag,
        tag,
    })
}

/// Bytes from the field of a main thread that has the address of its global state to that global
/// state.
fn distances(layout: Layout) -> impl Iterator<Item = i64> {
    let (last, spaces) = last_distance(layout);
    (0..=spaces)
        .step_by(EXTRA_SPACE_STEP)
        .map(move |space| last - space)
}

/// Whether that is one of a layout's [`distances`].
fn has_distance(layout: Layout, distance: i64) -> bool {
    let (last, spaces) = last_distance(layout);
    let space = last - distance;
    (0..=spaces).contains(&space) && space % EXTRA_SPACE_STEP as i64 == 0
}

/// The largest of a layout's [`distances`], and the most bytes by which others are less.
fn last_distance(layout: Layout) -> (i64, i64) {
    let usual = to_global_state(layout) - i64::from(place_of_global(layout));
    match layout {
        Layout::Puc(number) if layout.version() == Version::Lua55 => {
            let before = usual_extra_space(layout::puc(number));
            (usual + before as i64, MOST_EXTRA_SPACE as i64)
        }
        _ => (usual, 0),
    }
}

/// Whether a layout has references of 32 bits.
fn is_narrow(layout: Layout) -> bool {
    matches!(layout, Layout::Jit(layout) if layout.global_state.reference_size == Narrow::SIZE)
}

/// Bytes from the word at `at` to where its low half leads, if a reference of 32 bits can be there.
fn narrow_distance(word: u64, at: u64) -> Option<i64> {
    let at = u32::try_from(at).ok()?;
    Some(i64::from(word as u32) - i64::from(at))
}

/// Offset of the field of a thread that has the address of its global state.
fn place_of_global(layout: Layout) -> u16 {
    match layout {
        Layout::Puc(number) => layout::puc(number).state.global,
        Layout::Jit(layout) => layout.state.global,
    }
}

/// Bytes from a main thread to its global state.
fn to_global_state(layout: Layout) -> i64 {
    match layout {
        Layout::Jit(layout) => i64::from(layout.global_state.from_main_thread),
        Layout::Puc(number) => {
            let layout = layout::puc(number);
            match layout.version {
                Version::Lua55 => -i64::from(layout.global_state.main_thread),
                _ => i64::from(layout.state.size),
            }
        }
    }
}

/// Returns the main state whose main thread has the word at `place`, if there is one.
pub(crate) fn main_state_at(memory: &impl Memory, place: u64) -> Option<MainState> {
    let word = memory.word(place)?;
    let wide = Some(word.wrapping_sub(place) as i64);
    let narrow = narrow_distance(word, place);
    let fitting: Vec<(Layout, u64, Fit)> = Layout::every(memory.machine())
        .filter(|&layout| {
            let here = if is_narrow(layout) { narrow } else { wide };
            here.is_some_and(|distance| has_distance(layout, distance))
        })
        .filter_map(|layout| {
            let main_thread = place.wrapping_sub(u64::from(place_of_global(layout)));
            Some((layout, main_thread, fit(memory, layout, main_thread)?))
        })
        .collect();
    // A stack that is being enlarged may fit no layout.
    let best = fitting.iter().find(|(_, _, fit)| fit.has_stack);
    let &(first, main_thread, Fit { total, has_stack }) = best.or(fitting.first())?;
    let layouts = fitting.iter().filter(|(layout, of, fit)| {
        *of == main_thread && layout.version() == first.version() && (fit.has_stack || !has_stack)
    });
    Some(MainState {
        main_thread,
        global_state: match is_narrow(first) {
            true => u64::from(word as u32),
            false => word,
        },
        layouts: layouts.map(|&(layout, _, _)| layout).collect(),
        total,
    })
}

/// What a main thread and its global state say, if they fit a layout.
#[derive(Clone, Copy)]
struct Fit {
    /// The VM's own count of its bytes.
    total: u64,
    /// Whether the main thread's stack is plausible, too.
    has_stack: bool,
}

fn fit(memory: &impl Memory, layout: Layout, main_thread: u64) -> Option<Fit> {
    match layout {
        Layout::Puc(number) => fit_of_puc(memory, layout::puc(number), main_thread),
        Layout::Jit(layout) => fit_of_jit(memory, layout, main_thread),
    }
}

/// Returns what the main thread at `main_thread` says, if it fits this layout of PUC Lua. A closed
/// state does not: its total is only its own block.
fn fit_of_puc(memory: &impl Memory, layout: &PucLayout, main_thread: u64) -> Option<Fit> {
    let places = &layout.global_state;
    let thread = memory.structure(main_thread, layout.state.size)?;
    let address = thread.word(layout.state.global);
    let global = memory.structure(address, places.size)?;
    let registry = global.word(places.registry);
    let own = match places.with_main_thread {
        ABSENT => places.size,
        both => both,
    };
    let total = puc::global_state::total(layout, global);
    let fits = thread.byte(8) == layout::puc::THREAD
        && puc::global_state::main_thread(layout, address, global, |at| memory.word(at))
            == main_thread
        && global.word(places.allocator) != 0
        && puc::tags::is_table(layout.version, global.byte(places.registry + 8))
        && is_address(registry)
        && memory.structure(registry, 16)?.byte(8) == puc::tags::TABLE
        && is_hash_table(global.word(places.strings), global.int(places.strings_size))
        && total != u64::from(own);
    fits.then(|| Fit {
        total,
        has_stack: has_stack_of_puc(layout, thread),
    })
}

/// Whether a thread's stack is plausible: its end is behind its start, its top is between them or
/// in the extra slots, and its size, where it is stored, is the right one.
fn has_stack_of_puc(layout: &PucLayout, thread: Structure<'_>) -> bool {
    let places = &layout.state;
    let [stack, top, last] =
        [places.stack, places.top, places.stack_last].map(|place| thread.word(place));
    if !is_address(stack) || top < stack || last <= stack {
        return false;
    }
    let usable = (last - stack) / SLOT;
    let is_inside = (top - stack) / SLOT <= usable + EXTRA_SLOTS.end();
    let has_size = match places.stack_size {
        ABSENT => true,
        place => u64::from(thread.int(place))
            .checked_sub(usable)
            .is_some_and(|extra| EXTRA_SLOTS.contains(&extra)),
    };
    is_inside && has_size && (last - stack).is_multiple_of(SLOT)
}

/// The same for LuaJIT.
fn fit_of_jit(memory: &impl Memory, layout: &JitLayout, main_thread: u64) -> Option<Fit> {
    let places = &layout.global_state;
    let thread = memory.structure(main_thread, layout.state.size)?;
    let size = places.reference_size;
    let address = references::at(size, thread, layout.state.global);
    let global = memory.structure(address, places.size)?;
    let registry = references::value(size, global.word(places.registry)).table()?;
    let buckets = global.int(places.strings_mask).wrapping_add(1);
    let total = jit::global_state::total(layout, global);
    let fits = thread.byte(size + 1) == layout::jit::THREAD
        && references::at(size, global, places.main_thread) == main_thread
        && global.word(places.allocator) != 0
        && is_address(registry)
        && memory.structure(registry, 16)?.byte(size + 1) == jit::tags::TABLE_OBJECT
        && is_hash_table(global.word(places.strings), buckets)
        && total != u64::from(places.whole);
    fits.then(|| Fit {
        total,
        has_stack: has_stack_of_jit(layout, thread),
    })
}

fn has_stack_of_jit(layout: &JitLayout, thread: Structure<'_>) -> bool {
    let places = &layout.state;
    let stack = references::at(layout.global_state.reference_size, thread, places.stack);
    let end = stack.saturating_add(8 * u64::from(thread.int(places.stack_size)));
    let slots = [places.base, places.top].map(|place| thread.word(place));
    let is_inside = |slot: u64| (stack..=end).contains(&slot) && slot.is_multiple_of(8);
    is_address(stack) && slots.into_iter().all(is_inside)
}

fn is_address(value: u64) -> bool {
    value != 0 && value.is_multiple_of(8)
}

fn is_hash_table(buckets: u64, count: u32) -> bool {
    is_address(buckets) && count.is_power_of_two()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes at `start` that are all `7`, but for the word at an index, and the tag of the thread that has it.
    fn bytes(start: u64, count: usize, at: usize, known: Signature, is_tagged: bool) -> Vec<u8> {
        let mut bytes = vec![7; count * WORD];
        let place = at * WORD;
        if let Some(tag) = place.checked_sub(usize::from(known.from_tag)) {
            bytes[tag] = if is_tagged { known.tag } else { !known.tag };
        }
        let word = (start + place as u64).wrapping_add_signed(known.distance);
        bytes[place..place + WORD].copy_from_slice(&word.to_ne_bytes());
        bytes
    }

    fn found(signatures: &Signatures, bytes: &[u8], start: u64) -> Vec<u64> {
        let mut found = Vec::new();
        signatures.find(bytes, start, |place| found.push(place));
        found
    }

    #[test]
    fn words_that_may_lead_to_a_global_state_are_found_wherever_they_lie() {
        let signatures = Signatures::new(Machine::HERE);
        let start = 0x7f00_0000_1000;
        for (count, at) in [(1, 0), (64, 63), (64, 0), (65, 64), (1000, 777)] {
            for &known in &signatures.wide {
                let place = start + (at * WORD) as u64;
                let tagged = bytes(start, count, at, known, true);
                assert_eq!(
                    found(&signatures, &tagged, start),
                    [place],
                    "{known:?}, {at} of {count}"
                );
                // A tag that lies before the bytes may be the right one.
                let is_before = at * WORD < usize::from(known.from_tag);
                let other = bytes(start, count, at, known, false);
                let others = found(&signatures, &other, start);
                assert!(
                    others.is_empty() || is_before || is_twofold(&signatures, &other, at, known)
                );
                assert!(
                    !is_before || others == [place],
                    "{known:?}, {at} of {count}"
                );
            }
        }
    }

    /// Whether the bytes fit another signature of that distance.
    fn is_twofold(signatures: &Signatures, bytes: &[u8], at: usize, known: Signature) -> bool {
        signatures.wide.iter().any(|other| {
            let tag = (at * WORD).checked_sub(usize::from(other.from_tag));
            other.distance == known.distance && tag.is_none_or(|tag| bytes[tag] == other.tag)
        })
    }

    #[test]
    fn zeroes_and_addresses_of_others_are_passed_over() {
        let signatures = Signatures::new(Machine::HERE);
        let words = [0, u64::MAX, 0x7f00_0000_1000, 0x7f00_0000_2000, 8, 1 << 63];
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
        signatures.find(&bytes, 0x7f00_0000_1000, |place| panic!("{place:#x}"));
        // An incomplete word at the end does not count.
        signatures.find(&bytes[..13], 0x1000, |place| panic!("{place:#x}"));
        signatures.find(&[], 0x1000, |place| panic!("{place:#x}"));
    }

    #[test]
    fn references_of_32_bits_are_found_below_4_gib() {
        let signatures = Signatures::new(Machine::X86_64);
        for &known in &signatures.narrow {
            for start in [0x4000_1000_u64, 0x7f00_4000_1000] {
                let mut bytes = bytes(start, 1, 0, known, true);
                bytes[4..].copy_from_slice(&0x1234_u32.to_ne_bytes());
                let is_low = start <= u64::from(u32::MAX);
                let expected = Vec::from_iter(is_low.then_some(start));
                assert_eq!(found(&signatures, &bytes, start), expected);
            }
        }
    }

    #[test]
    fn the_distances_are_those_that_were_measured() {
        let signatures = Signatures::new(Machine::X86_64);
        let distances = |known: &[Signature]| {
            let mut distances: Vec<i64> = known.iter().map(|known| known.distance).collect();
            distances.dedup();
            distances
        };
        let wide = distances(&signatures.wide);
        let others: Vec<i64> = wide
            .iter()
            .copied()
            .filter(|&distance| distance > 0)
            .collect();
        assert_eq!(others, [80, 88, 96, 152, 168, 176, 184]);
        assert_eq!(distances(&signatures.narrow), [56, 64, 72]);
        // Of 5.5, with 8 bytes of extra space and with others.
        let behind: Vec<i64> = (-1432 - 1024..=-1432).step_by(8).collect();
        assert!(behind.contains(&-1440) && wide.starts_with(&behind));
    }
}

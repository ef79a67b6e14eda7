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
    /// Distances from such a word's address to its value, sorted and each once.
    distances: Vec<i64>,
    /// The same where a reference has 32 bits: it is the low half of the word, and all addresses
    /// are below 4 GiB.
    narrow: Vec<i64>,
}

impl Signatures {
    /// The signatures of all known layouts of a machine.
    pub(crate) fn new(machine: Machine) -> Signatures {
        let all = |of_narrow: bool| {
            let layouts = Layout::every(machine).filter(|&layout| is_narrow(layout) == of_narrow);
            let mut distances: Vec<i64> = layouts.flat_map(distances).collect();
            distances.sort_unstable();
            distances.dedup();
            distances
        };
        Signatures {
            distances: all(false),
            narrow: all(true),
        }
    }

    /// Passes the addresses of such words in `bytes` to `found`. The bytes start at `address`, a
    /// multiple of 8.
    pub(crate) fn find(&self, bytes: &[u8], address: u64, mut found: impl FnMut(u64)) {
        const WORD: usize = 8;
        const TOGETHER: usize = 64 * WORD;
        let all = || self.distances.iter().chain(&self.narrow).copied();
        let (Some(first), Some(last)) = (all().min(), all().max()) else {
            return;
        };
        let span = last.wrapping_sub(first) as u32;
        // The low half of a word rules out nearly all, and twice as many halves are compared at
        // once.
        let is_near = |word: &[u8], at: u64| {
            let value = word.try_into().map_or(0, u64::from_ne_bytes);
            (value as u32)
                .wrapping_sub(at as u32)
                .wrapping_sub(first as u32)
                <= span
        };
        let mut start = address;
        for chunk in bytes.chunks(TOGETHER) {
            let words = || (start..).step_by(WORD).zip(chunk.chunks_exact(WORD));
            // Nearly always there is none, which is found out for many words at once.
            let any = words().fold(false, |any, (at, word)| any | is_near(word, at));
            for (at, word) in words().filter(|_| any) {
                let value = word.try_into().map_or(0, u64::from_ne_bytes);
                let distance = value.wrapping_sub(at) as i64;
                let is_narrow = || {
                    let distance = narrow_distance(value, at);
                    distance.is_some_and(|distance| self.narrow.binary_search(&distance).is_ok())
                };
                if self.distances.binary_search(&distance).is_ok() || is_narrow() {
                    found(at);
                }
            }
            start += chunk.len() as u64;
        }
    }
}

/// Bytes from the field of a main thread that has the address of its global state to that global
/// state. In 5.5 a main thread is behind its extra space, of any size.
fn distances(layout: Layout) -> impl Iterator<Item = i64> {
    let usual = to_global_state(layout) - i64::from(place_of_global(layout));
    let (before, spaces) = match layout {
        Layout::Puc(number) if layout.version() == Version::Lua55 => {
            let before = usual_extra_space(layout::puc(number));
            (before as i64, 0..=MOST_EXTRA_SPACE as i64)
        }
        _ => (0, 0..=0),
    };
    let spaces = spaces.step_by(EXTRA_SPACE_STEP);
    spaces.map(move |space| usual + before - space)
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
            distances(layout).any(|distance| here == Some(distance))
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

    #[test]
    fn words_that_may_lead_to_a_global_state_are_found_wherever_they_lie() {
        let signatures = Signatures::new(Machine::HERE);
        let start = 0x7f00_0000_1000;
        for (count, at) in [(1, 0), (64, 63), (64, 0), (65, 64), (1000, 777)] {
            for &distance in &signatures.distances {
                let mut words = vec![0x7f00_0000_1000_u64; count];
                let place = start + 8 * at as u64;
                words[at] = place.wrapping_add_signed(distance);
                let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_ne_bytes()).collect();
                let mut found = Vec::new();
                signatures.find(&bytes, start, |place| found.push(place));
                assert!(found.contains(&place), "{distance}, {at} of {count}");
            }
        }
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
        for &distance in &signatures.narrow {
            for start in [0x4000_1000_u64, 0x7f00_4000_1000] {
                let low = start.wrapping_add_signed(distance) as u32;
                let word = u64::from(low) | 0x1234 << 32;
                let mut found = Vec::new();
                signatures.find(&word.to_ne_bytes(), start, |place| found.push(place));
                let is_low = start <= u64::from(u32::MAX);
                assert_eq!(found, Vec::from_iter(is_low.then_some(start)));
            }
        }
    }

    #[test]
    fn the_distances_are_those_that_were_measured() {
        let signatures = Signatures::new(Machine::X86_64);
        let distances = &signatures.distances;
        let others = distances.iter().filter(|&&distance| distance > 0);
        let wide = [&80, &88, &96, &152, &168, &176, &184];
        assert_eq!(Vec::from_iter(others), wide);
        assert_eq!(signatures.narrow, [56, 64, 72]);
        // Of 5.5, with 8 bytes of extra space and with others.
        let behind: Vec<i64> = (-1432 - 1024..=-1432).step_by(8).collect();
        assert!(behind.contains(&-1440) && distances.starts_with(&behind));
    }
}

//! What a VM is about, by a few looks at it while its program runs.

use crate::layout::{self, Layout};
use crate::memory::memory::Memory;
use crate::native::jit::look::JitLook;
use crate::native::jit::references::{Narrow, References as _, Wide};
use crate::native::look::{Look, Seen};
use crate::native::main_state::MainState;
use crate::native::puc::look::PucLook;
use crate::native::skynet::{Skynet, skynet};
use std::collections::BTreeMap;

/// The most modules whose functions are looked at.
const MODULES: usize = 64;
/// The most functions.
const FUNCTIONS: usize = 512;

/// What a VM is about.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Sight {
    /// What it is in skynet.
    pub(crate) skynet: Option<Skynet>,
    /// The main chunk that runs on its main thread.
    pub(crate) main_chunk: Option<Vec<u8>>,
    /// The chunk of most of the functions that are loaded: globals, and functions of modules.
    pub(crate) loaded_chunk: Option<Vec<u8>>,
    /// What Redis uses it for.
    pub(crate) redis: Option<&'static str>,
}

/// Looks at a VM by the layouts that it may have. Of several that fit, the one that tells most counts.
pub(crate) fn look(memory: &impl Memory, state: &MainState) -> Sight {
    let places = [state.main_thread, state.global_state];
    let sights = state
        .layouts
        .iter()
        .filter_map(|&layout| sight_by(memory, layout, places));
    let mut best = Sight::default();
    for sight in sights {
        if sight.told() > best.told() {
            best = sight;
        }
    }
    best
}

/// Looks at the VM whose main thread and global state are at these addresses, by one layout; `None` if it is not its.
pub(crate) fn sight_by(memory: &impl Memory, layout: Layout, places: [u64; 2]) -> Option<Sight> {
    match layout {
        Layout::Puc(number) => sight(&PucLook::new(memory, layout::puc(number), places)),
        Layout::Jit(layout) if layout.global_state.reference_size == Narrow::SIZE => {
            sight(&JitLook::<_, Narrow>::new(memory, layout, places))
        }
        Layout::Jit(layout) => sight(&JitLook::<_, Wide>::new(memory, layout, places)),
    }
}

impl Sight {
    /// Returns how much is known.
    fn told(&self) -> usize {
        let chunks = [&self.main_chunk, &self.loaded_chunk];
        let others = [self.redis.is_some(), self.skynet.is_some()];
        chunks.into_iter().flatten().count() + others.map(usize::from).iter().sum::<usize>()
    }

    /// Returns what to call it, where something is known.
    pub(crate) fn name(&self) -> Option<String> {
        if let Some(skynet) = &self.skynet {
            return Some(skynet.name());
        }
        if let Some(what) = self.redis {
            return Some(format!("Redis {what}"));
        }
        let chunk = self.main_chunk.as_ref().or(self.loaded_chunk.as_ref());
        chunk.map(|chunk| String::from_utf8_lossy(chunk).into_owned())
    }

    /// Whether people may call it so: by its name, or of a service of skynet by the service or its address alone.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        let parts = self.skynet.as_ref().map(Skynet::parts);
        self.name().as_deref() == Some(name)
            || parts.is_some_and(|parts| parts.iter().flatten().any(|part| part == name))
    }
}

fn sight(look: &impl Look) -> Option<Sight> {
    if !look.fits() {
        return None;
    }
    let registry = look.registry().map(|table| look.entries(table));
    let registry = registry.unwrap_or_default();
    let loaded = table_of(&registry, b"_LOADED").map(|table| look.entries(table));
    let loaded = loaded.unwrap_or_default();
    let globals = table_of(&loaded, b"_G").map(|table| look.entries(table));
    let globals = globals.unwrap_or_default();
    let is_there = |entries: &[(Vec<u8>, Seen)], name: &[u8]| {
        entries
            .iter()
            .any(|(key, value)| key == name && !matches!(value, Seen::Function(_)))
    };
    let mut codes = look.stack().into_iter().filter_map(|seen| match seen {
        Seen::Function(function) => look.code(function),
        _ => None,
    });
    let main = codes.find(|code| code.is_main && !code.chunk.is_empty());
    Some(Sight {
        skynet: skynet(look, [&registry, &globals], main.as_ref()),
        main_chunk: main.map(|code| code.chunk),
        loaded_chunk: loaded_chunk(look, &globals, &loaded),
        redis: if is_there(&registry, b"__LIBRARY_API__") {
            Some("functions")
        } else {
            table_of(&globals, b"redis").map(|_| "eval")
        },
    })
}

fn table_of(entries: &[(Vec<u8>, Seen)], name: &[u8]) -> Option<u64> {
    entries.iter().find_map(|(key, value)| match value {
        Seen::Table(table) if key == name => Some(*table),
        _ => None,
    })
}

/// Returns the chunk of most functions among globals and in modules; of several, the first by name.
fn loaded_chunk(
    look: &impl Look,
    globals: &[(Vec<u8>, Seen)],
    loaded: &[(Vec<u8>, Seen)],
) -> Option<Vec<u8>> {
    let modules = loaded.iter().filter_map(|(name, value)| match value {
        Seen::Table(module) if name != b"_G" => Some(look.entries(*module)),
        _ => None,
    });
    let values = globals.iter().chain(loaded).map(|(_, value)| *value);
    let in_modules = modules.take(MODULES).flatten().map(|(_, value)| value);
    let functions = values.chain(in_modules).filter_map(|value| match value {
        Seen::Function(function) => Some(function),
        _ => None,
    });
    let mut counts: BTreeMap<Vec<u8>, u32> = BTreeMap::new();
    let codes = functions.take(FUNCTIONS).filter_map(|of| look.code(of));
    for code in codes.filter(|code| !code.chunk.is_empty()) {
        *counts.entry(code.chunk).or_default() += 1;
    }
    let most = counts.values().copied().max()?;
    let mut chunks = counts.into_iter();
    chunks
        .find(|(_, count)| *count == most)
        .map(|(chunk, _)| chunk)
}

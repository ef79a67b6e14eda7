//! Whether there is memory for another process, asked before it is made.

use crate::cgroup;
use crate::process_memory::{Size, available};
use luasnap_words::Sentence;

/// Bytes that the process needs beside a heap of so many bytes: those of its columns, and of the file until it is written.
fn for_columns(heap: u64) -> u64 {
    heap / 10 * 8
}

/// Why a process may have too little memory that reads a heap of so many bytes; `None` where there is enough.
pub(crate) fn lacks(heap: u64) -> Option<Sentence> {
    // What the host writes to while the process reads is there twice. A cycle of the collector writes to each object.
    let need = heap + for_columns(heap);
    let lacks = |code, left: Option<u64>| {
        let left = left.filter(|&left| left < need)?;
        let reason = Sentence::new(code)
            .with("need", Size(need).to_string())
            .with("left", Size(left).to_string());
        Some((left, reason))
    };
    [
        lacks("background.lacks_memory", available()),
        lacks("background.lacks_group", cgroup::left()),
    ]
    .into_iter()
    .flatten()
    .min_by_key(|(left, _)| *left)
    .map(|(_, reason)| reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heap_that_no_machine_has_room_for_is_refused() {
        assert_eq!(lacks(1 << 20), None);
        let reason = lacks(1 << 50).expect("too large").to_string();
        assert!(reason.contains("1887436.8 GiB"), "{reason}");
    }
}

//! Reading bytes: of this process, without faulting, and of copies.

pub(crate) mod careful_read;
mod copied_pages;
pub(crate) mod kept_bytes;
pub(crate) mod mappings;
pub(crate) mod memory;
pub(crate) mod memory_pieces;
pub(crate) mod own_memory;
pub(crate) mod page_advice;
pub(crate) mod page_choice;
pub(crate) mod page_size;
pub(crate) mod prefetch;
pub(crate) mod shared_copy;
pub(crate) mod unmap;

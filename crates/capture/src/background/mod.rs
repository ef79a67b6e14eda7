//! A process that is made for one capture: it has its own copy of the heap, which the native engine reads there while
//! the host goes on.
//!
//! It runs nothing but our reader and writer. Of the host it has the memory and one thread; whatever another thread had
//! locked at that moment stays locked. So nothing there may ask the C library's allocator, the dynamic linker, standard
//! input or output, or Lua's C API, and it ends without destructors.

pub(crate) mod child;
pub(crate) mod compressor;
pub(crate) mod job;
pub(crate) mod report;
pub(crate) mod room;

//! Statically linked programs that open this module all the same.
//!
//! glibc can open libraries from a program that was linked with `-static`. They then get a second
//! libc, and with it a dynamic linker that was mapped but never started: it cannot find the
//! thread-locals of a library, and accessing one crashes. Rust's standard library has thread-locals
//! under nearly everything, so nothing here may use more of it than plain memory.

use crate::lua::api::LuaState;
use crate::lua::resolve::{LoadedObject, raising_functions};
use crate::machine::AT_ENTRY;
use std::ffi::{CStr, c_char, c_int, c_void};

/// The error message in such a program.
const MESSAGE: &CStr = c"snapshot cannot work in this program: it was linked statically (-static), and a \
     library that such a program opens has no thread-local memory. Link the program dynamically, or take \
     the snapshot from outside: `luasnap attach PID` reads it as it is";

/// `r_debug`: what the dynamic linker shows to debuggers (`link.h`).
#[cfg(target_env = "gnu")]
#[repr(C)]
struct Debug {
    version: c_int,
    loaded_objects: *const c_void,
}

#[cfg(target_env = "gnu")]
unsafe extern "C" {
    #[link_name = "_r_debug"]
    static SHOWN: Debug;
}

/// Whether this process is such a program: the dynamic linker that this library found has not
/// loaded it.
#[cfg(target_env = "gnu")]
pub(crate) fn is_static() -> bool {
    // SAFETY: the dynamic linker writes it before any of our code runs, or never. Its list never becomes
    // empty.
    unsafe { (&raw const SHOWN.loaded_objects).read_volatile() }.is_null()
}

/// Other libcs open no libraries from static programs.
#[cfg(not(target_env = "gnu"))]
pub(crate) fn is_static() -> bool {
    false
}

/// Raises an error that says what is wrong, where the program's symbols name the functions for it;
/// else prints it to standard error.
///
/// # Safety
/// `state` is a live state of the VM whose code is at `caller`, and the calling frames own nothing with a
/// destructor.
pub(crate) unsafe fn refuse(state: *mut LuaState, caller: *const c_void) -> c_int {
    if let Some((push, raise)) = in_library(caller).or_else(in_program) {
        // SAFETY: the functions are those of the VM that calls.
        unsafe {
            push(state, MESSAGE.as_ptr());
            raise(state);
        }
    }
    for text in [MESSAGE.to_bytes(), b"\n"] {
        // SAFETY: the bytes are there. Where they cannot be written there is nothing left to do.
        unsafe { libc::write(libc::STDERR_FILENO, text.as_ptr().cast(), text.len()) };
    }
    0
}

type Push = unsafe extern "C-unwind" fn(*mut LuaState, *const c_char);
type Raise = unsafe extern "C-unwind" fn(*mut LuaState) -> c_int;

/// `lua_pushstring` and `lua_error` at two addresses.
///
/// # Safety
/// They are the addresses of these functions.
unsafe fn functions(push: *const c_void, raise: *const c_void) -> (Push, Raise) {
    // SAFETY: this function's own contract.
    unsafe {
        (
            std::mem::transmute::<*const c_void, Push>(push),
            std::mem::transmute::<*const c_void, Raise>(raise),
        )
    }
}

/// The functions of the calling library: a liblua that the program opened.
fn in_library(caller: *const c_void) -> Option<(Push, Raise)> {
    let library = LoadedObject::containing(caller)?;
    let (push, raise) = (
        library.symbol(c"lua_pushstring"),
        library.symbol(c"lua_error"),
    );
    let are_there = !push.is_null() && !raise.is_null();
    // SAFETY: the library's own, by their names.
    are_there.then(|| unsafe { functions(push, raise) })
}

/// The functions of the program, by the symbols in its file, the only ones a static program has.
fn in_program() -> Option<(Push, Raise)> {
    let file = MappedFile::open(c"/proc/self/exe")?;
    let program = object::File::parse(file.bytes()).ok()?;
    let (push, raise) = raising_functions(&program)?;
    // How far from its file's addresses the program was loaded.
    let moved = entry_point()?.wrapping_sub(object::Object::entry(&program));
    let at = |address: u64| address.wrapping_add(moved) as *const c_void;
    // SAFETY: the file is that of the running program, and its symbols have these names.
    Some(unsafe { functions(at(push), at(raise)) })
}

/// The address of the program's entry point, as the kernel tells it.
fn entry_point() -> Option<u64> {
    let file = OpenFile::new(c"/proc/self/auxv")?;
    let mut words = [0_u64; 128];
    // SAFETY: no more is read than there is room for, and any bytes are words.
    let read = unsafe { libc::read(file.0, words.as_mut_ptr().cast(), size_of_val(&words)) };
    let read = usize::try_from(read).ok()? / size_of::<u64>();
    let mut pairs = words[..read].chunks_exact(2);
    pairs.find_map(|pair| (pair[0] == AT_ENTRY).then_some(pair[1]))
}

struct OpenFile(c_int);

impl OpenFile {
    fn new(path: &CStr) -> Option<OpenFile> {
        // SAFETY: a C string.
        let descriptor = unsafe { libc::open(path.as_ptr(), libc::O_RDONLY | libc::O_CLOEXEC) };
        (descriptor >= 0).then_some(OpenFile(descriptor))
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        // SAFETY: opened by this value, and nobody else has it.
        unsafe { libc::close(self.0) };
    }
}

/// A file mapped into memory.
struct MappedFile {
    start: *mut c_void,
    len: usize,
}

impl MappedFile {
    fn open(path: &CStr) -> Option<MappedFile> {
        let file = OpenFile::new(path)?;
        // SAFETY: the descriptor is open, and nobody reads from it.
        let len = usize::try_from(unsafe { libc::lseek(file.0, 0, libc::SEEK_END) }).ok()?;
        let (place, access) = (std::ptr::null_mut(), libc::PROT_READ);
        // SAFETY: a new mapping, placed by the kernel.
        let start = unsafe { libc::mmap(place, len, access, libc::MAP_PRIVATE, file.0, 0) };
        (start != libc::MAP_FAILED).then_some(MappedFile { start, len })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: this many bytes are mapped while this value lives, and a running program is not
        // written to.
        unsafe { std::slice::from_raw_parts(self.start.cast(), self.len) }
    }
}

impl Drop for MappedFile {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and this was its last use.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

//! Finding the C API of the VM that calls us.
//!
//! It first asks the object whose code made the call (return address, `dladdr`, `dlopen` without
//! loading, `dlsym`): that also finds a liblua which the host loaded with RTLD_LOCAL, and the right
//! one of two. Then it asks the whole process.

use crate::lua::api::{Api, LuaState};
use crate::version::Version;
use object::{Object, ObjectSymbol, ReadCache};
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Why no API was found.
pub(crate) enum Failure {
    /// Nothing exports the API.
    NotExported,
    /// A VM is there, and this sentence says what is wrong with it.
    Refused(Box<Api>, String),
    /// A VM is there, but it lacks this function.
    Incomplete(&'static CStr),
}

/// An object (executable or library) of this process.
pub(crate) struct LoadedObject {
    handle: *mut c_void,
}

impl LoadedObject {
    /// The object that contains the code at `address`.
    pub(crate) fn containing(address: *const c_void) -> Option<LoadedObject> {
        let info = locate(address)?;
        // SAFETY: `dli_fname` is the C string that dladdr gave; NOLOAD only looks up what is
        // loaded already.
        let handle = unsafe { libc::dlopen(info.dli_fname, libc::RTLD_LAZY | libc::RTLD_NOLOAD) };
        if handle.is_null() {
            None
        } else {
            Some(LoadedObject { handle })
        }
    }

    pub(crate) fn symbol(&self, name: &CStr) -> *mut c_void {
        // SAFETY: the handle is open until drop.
        unsafe { libc::dlsym(self.handle, name.as_ptr()) }
    }
}

impl Drop for LoadedObject {
    fn drop(&mut self) {
        // SAFETY: opened once, closed once; the object stays loaded, since the host has it open
        // too.
        unsafe { libc::dlclose(self.handle) };
    }
}

fn process_symbol(name: &CStr) -> *mut c_void {
    // SAFETY: RTLD_DEFAULT needs no handle.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

fn locate(address: *const c_void) -> Option<libc::Dl_info> {
    // SAFETY: all-zero is a valid Dl_info, and dladdr fills it.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: dladdr takes any address and says whether it knows it.
    (unsafe { libc::dladdr(address, &mut info) } != 0 && !info.dli_fname.is_null()).then_some(info)
}

/// The API of the VM whose code at `caller` (null where unknown) called into this object with the
/// state `state`.
///
/// # Safety
/// `state` must be a live Lua state.
pub(crate) unsafe fn resolve(state: *mut LuaState, caller: *const c_void) -> Result<Api, Failure> {
    let own = LoadedObject::containing(caller);
    let found = match &own {
        Some(object) if !object.symbol(c"lua_gettop").is_null() => {
            load(&|name| object.symbol(name))
        }
        _ if whole_process_is_meant(caller) => load(&process_symbol),
        _ => return Err(Failure::NotExported),
    };
    let api = found?;
    // SAFETY: the caller promises a live state, and the API is that of its VM.
    unsafe { check_version(&api, state) }?;
    Ok(api)
}

/// Whether the process-wide API is the caller's own. It is not when another object defines it:
/// then the caller is a host with a VM of its own inside, which exports nothing, and the foreign
/// API would misread its states.
fn whole_process_is_meant(caller: *const c_void) -> bool {
    let symbol = process_symbol(c"lua_gettop");
    if symbol.is_null() {
        return false;
    }
    match (locate(caller), locate(symbol)) {
        (Some(caller), Some(symbol)) => caller.dli_fbase == symbol.dli_fbase,
        // Generated code belongs to no object; the one API there is will be its own.
        _ => true,
    }
}

/// Whether the VM of an API is still loaded: whether a symbol still begins at the address of one of
/// its functions. Also true where another object was loaded at the same place, with a function at
/// the same address.
pub(crate) fn is_loaded(api: &Api) -> bool {
    api.addresses().into_iter().any(|address| {
        let found = locate(address as *const c_void);
        address != 0 && found.is_some_and(|info| info.dli_saddr as usize == address)
    })
}

fn load(look_up: &dyn Fn(&CStr) -> *mut c_void) -> Result<Api, Failure> {
    let has = |name: &CStr| !look_up(name).is_null();
    let version = if has(c"lua_newuserdatauv") {
        if has(c"lua_numbertocstring") {
            Version::Lua55
        } else {
            Version::Lua54
        }
    } else if has(c"lua_rotate") {
        Version::Lua53
    } else if has(c"luaJIT_setmode") {
        // Before 5.2: moonjit has functions of that as well.
        Version::LuaJit
    } else if has(c"lua_rawlen") {
        Version::Lua52
    } else {
        Version::Lua51
    };
    // SAFETY: the look-up asks one object for the API's names, and that object's functions told the
    // version.
    unsafe { Api::load(version, look_up) }.map_err(Failure::Incomplete)
}

/// Checks the width of the VM's numbers, and compares what `lua_version` returns with what the
/// symbols told. 5.1 has no such function; there a registry that is not a table gives a wrong guess
/// away.
///
/// # Safety
/// `state` is a live state of the API's VM.
unsafe fn check_version(api: &Api, state: *mut LuaState) -> Result<(), Failure> {
    const TABLE: c_int = 5;
    // SAFETY: lua_type reads only; the pseudo-index is the version's own.
    let registry = unsafe { (api.type_of)(state, api.version.registry_index()) };
    // SAFETY: this function's own contract.
    if registry == TABLE && !unsafe { has_wide_numbers(api, state) } {
        let refused = format!(
            "snapshot does not know the numbers of this {}: they have not the usual 64 bits \
             (LUA_32BITS, LUA_FLOAT_TYPE or LUA_INT_TYPE in its luaconf.h); build it with these",
            api.version
        );
        return Err(Failure::Refused(Box::new(*api), refused));
    }
    // SAFETY: this function's own contract.
    let number = unsafe { version_number(api, state) };
    if registry == TABLE && number == api.version.number() {
        return Ok(());
    }
    Err(Failure::Refused(
        Box::new(*api),
        format!(
            "snapshot does not know this Lua (it calls itself version {number}, and its C API \
             looks like {}); it knows Lua 5.1 to 5.5 and LuaJIT 2: use one of these, or a \
             newer snapshot",
            api.version
        ),
    ))
}

/// Whether floats and integers come back from the VM unchanged, which a `lua_Number` or
/// `lua_Integer` of another width does not. Uses 2 stack slots, which a function that was just
/// called has, and raises nothing.
///
/// # Safety
/// `state` is a live state of the API's VM, in a call of a C function.
unsafe fn has_wide_numbers(api: &Api, state: *mut LuaState) -> bool {
    const FLOAT: f64 = 0.1;
    const OTHER: f64 = 0.7;
    const INTEGER: i64 = (1 << 33) + 5;
    // SAFETY: the state is live by the caller's promise; a slot is pushed, read and dropped.
    unsafe {
        let as_float = || match (api.tonumberx, api.tonumber) {
            (Some(tonumberx), _) => tonumberx(state, -1, std::ptr::null_mut()),
            (None, Some(tonumber)) => tonumber(state, -1),
            (None, None) => f64::NAN,
        };
        (api.pushnumber)(state, FLOAT);
        // An integral `lua_Number` would leave the float register as it is: make that hold another
        // number.
        (api.pushnumber)(state, OTHER);
        (api.settop)(state, -2);
        let has_floats = as_float() == FLOAT;
        (api.settop)(state, -2);
        (api.pushinteger)(state, INTEGER);
        let has_integers = match api.tointegerx {
            Some(tointegerx) => tointegerx(state, -1, std::ptr::null_mut()) == INTEGER,
            None => as_float() == INTEGER as f64,
        };
        (api.settop)(state, -2);
        has_floats && has_integers
    }
}

/// # Safety
/// `state` is a live state of the API's VM.
unsafe fn version_number(api: &Api, state: *mut LuaState) -> f64 {
    let owner = LoadedObject::containing(api.gettop as *const c_void);
    let symbol = match &owner {
        Some(object) => object.symbol(c"lua_version"),
        None => process_symbol(c"lua_version"),
    };
    if symbol.is_null() {
        return 501.0;
    }
    if api.version >= Version::Lua54 {
        // SAFETY: from 5.4 on lua_version returns the number itself.
        unsafe {
            let version: unsafe extern "C-unwind" fn(*mut LuaState) -> f64 =
                std::mem::transmute(symbol);
            version(state)
        }
    } else {
        // SAFETY: in 5.2, 5.3 and LuaJIT lua_version returns the address of a static number.
        unsafe {
            let version: unsafe extern "C-unwind" fn(*mut LuaState) -> *const f64 =
                std::mem::transmute(symbol);
            *version(state)
        }
    }
}

/// The error message where the API cannot be found.
pub(crate) const NO_API: &str = "snapshot found no Lua C API in this program: it was linked \
     without exporting its symbols. Link it with -Wl,-E (CMake: ENABLE_EXPORTS ON; Rust: \
     -C link-args=-rdynamic) or with a shared liblua";

/// Raises `message` in a VM that exports nothing, with the two functions that its file's symbol
/// table names. Returns when the file is stripped.
///
/// # Safety
/// `state` is a live state of the VM whose code is at `caller`, and the calling frames own
/// nothing with a destructor.
pub(crate) unsafe fn raise_without_api(
    state: *mut LuaState,
    caller: *const c_void,
    message: &CStr,
) {
    if let Some((push, raise)) = unexported(caller) {
        // SAFETY: the addresses are those of lua_pushstring and lua_error in the caller's own
        // object.
        unsafe {
            let push: unsafe extern "C-unwind" fn(*mut LuaState, *const c_char) =
                std::mem::transmute(push);
            let raise: unsafe extern "C-unwind" fn(*mut LuaState) -> c_int =
                std::mem::transmute(raise);
            push(state, message.as_ptr());
            raise(state);
        }
    }
}

/// Addresses of `lua_pushstring` and `lua_error` from the symbol tables of the file that contains
/// `caller`.
fn unexported(caller: *const c_void) -> Option<(*const c_void, *const c_void)> {
    let info = locate(caller)?;
    let cache = ReadCache::new(open_file(&info)?);
    let file = object::File::parse(&cache).ok()?;
    let base = match file.kind() {
        object::ObjectKind::Dynamic => info.dli_fbase as u64,
        _ => 0,
    };
    let (push, raise) = raising_functions(&file)?;
    let loaded = |address: u64| {
        let address = (base + address) as *const c_void;
        // The file may have been replaced since it was loaded.
        (locate(address)?.dli_fbase == info.dli_fbase).then_some(address)
    };
    Some((loaded(push)?, loaded(raise)?))
}

/// Addresses of `lua_pushstring` and `lua_error` according to a file's symbols.
pub(crate) fn raising_functions<'data>(file: &impl Object<'data>) -> Option<(u64, u64)> {
    let address = |name: &str| {
        let mut symbols = file.symbols().chain(file.dynamic_symbols());
        let symbol = symbols.find(|symbol| symbol.is_definition() && symbol.name() == Ok(name))?;
        Some(symbol.address())
    };
    Some((address("lua_pushstring")?, address("lua_error")?))
}

/// Whether the VM may assert on stack indices (`LUA_USE_APICHECK`): its object imports what
/// `assert` calls, or its file cannot be read.
pub(crate) fn may_assert(api: &Api) -> bool {
    let code = api.pushvalue as *const c_void;
    let cached = ASSERT_CACHE.load(Ordering::Relaxed);
    if cached >> 1 == code as u64 {
        return cached & 1 != 0;
    }
    let may = imports(code, "__assert_fail").unwrap_or(true);
    ASSERT_CACHE.store((code as u64) << 1 | u64::from(may), Ordering::Relaxed);
    may
}

/// Forgets what [`may_assert`] found out: another VM may have been loaded at the same place.
pub(crate) fn clear_assert_cache() {
    ASSERT_CACHE.store(0, Ordering::Relaxed);
}

/// The last answer of [`may_assert`]: the address of the VM's code, shifted left by one, with the
/// answer in the lowest bit. Reading the file takes longer than a small snapshot.
static ASSERT_CACHE: AtomicU64 = AtomicU64::new(0);

fn imports(code: *const c_void, name: &str) -> Option<bool> {
    let cache = ReadCache::new(open_file(&locate(code)?)?);
    let file = object::File::parse(&cache).ok()?;
    let mut symbols = file.dynamic_symbols();
    Some(symbols.any(|symbol| symbol.is_undefined() && symbol.name() == Ok(name)))
}

/// The file from which an object was loaded.
fn open_file(info: &libc::Dl_info) -> Option<File> {
    // SAFETY: dladdr gave a C string.
    let path = unsafe { CStr::from_ptr(info.dli_fname) };
    File::open(OsStr::from_bytes(path.to_bytes()))
        // The executable may name itself by a relative path that no longer leads to it.
        .or_else(|_| File::open("/proc/self/exe"))
        .ok()
}

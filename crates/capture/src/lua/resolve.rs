//! Finding the C API of the VM that calls us.
//!
//! It first asks the object whose code made the call (return address, `dladdr`, `dlopen` without
//! loading, `dlsym`): that also finds a liblua which the host loaded with RTLD_LOCAL, and the right
//! one of two. Then it asks the whole process.

use crate::lua::api::{Api, LuaState};
use crate::lua::mangled_names::{MangledNames, function_name};
use crate::lua::number_width;
use crate::lua::numbers::{Numbers, Width};
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

/// The function of this name that the whole process shares, null where there is none.
#[cfg(not(all(target_env = "musl", target_feature = "crt-static")))]
pub(crate) fn process_symbol(name: &CStr) -> *mut c_void {
    // SAFETY: RTLD_DEFAULT needs no handle.
    unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
}

/// A static program's own, since such a program has no dynamic linker.
#[cfg(all(target_env = "musl", target_feature = "crt-static"))]
pub(crate) use crate::lua::linked_functions::linked_function as process_symbol;

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
    if let Some(object) = &own
        && !object.symbol(c"lua_gettop").is_null()
    {
        // SAFETY: this function's own contract.
        return unsafe { find(state, &|name| object.symbol(name)) };
    }
    if let Some(names) = mangled_names(caller) {
        let look_up = |name: &CStr| match (names.get(name), &own) {
            (Some(mangled), Some(object)) => object.symbol(mangled),
            // The loader does not open an executable.
            (Some(mangled), None) => process_symbol(mangled),
            (None, _) => std::ptr::null_mut(),
        };
        if are_of_one_object(caller, look_up(c"lua_gettop")) {
            // SAFETY: this function's own contract.
            return unsafe { find(state, &look_up) };
        }
    }
    match whole_process_is_meant(caller) {
        // SAFETY: this function's own contract.
        true => unsafe { find(state, &process_symbol) },
        false => Err(Failure::NotExported),
    }
}

/// The API that a look-up finds.
///
/// # Safety
/// `state` is a live state of the VM whose functions are looked up.
unsafe fn find(
    state: *mut LuaState,
    look_up: &dyn Fn(&CStr) -> *mut c_void,
) -> Result<Api, Failure> {
    let mut api = load(look_up)?;
    // SAFETY: this function's own contract.
    unsafe {
        api.numbers = check_numbers(&api, state)?;
        check_version(&api, state, look_up(c"lua_version"))?;
    }
    Ok(api)
}

/// Whether two addresses are in one object.
fn are_of_one_object(one: *const c_void, other: *const c_void) -> bool {
    let base = |address| Some(locate(address)?.dli_fbase);
    base(one).is_some() && base(one) == base(other)
}

/// The names of the exports of the object that contains `caller`, where a compiler for C++ made
/// them. The file alone lists them; what they name, the loader tells.
fn mangled_names(caller: *const c_void) -> Option<MangledNames> {
    let cache = ReadCache::new(open_file(&locate(caller)?)?);
    MangledNames::of(&object::File::parse(&cache).ok()?)
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

/// Whether this is a static program, in which nothing is loaded or unloaded.
const IS_STATIC: bool = cfg!(all(target_env = "musl", target_feature = "crt-static"));

/// Whether the VM of an API is still loaded: whether a symbol still begins at the address of one of
/// its functions. Also true where another object was loaded at the same place, with a function at
/// the same address.
pub(crate) fn is_loaded(api: &Api) -> bool {
    if IS_STATIC {
        return true;
    }
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

/// Returns the width of the VM's numbers. 5.1 to 5.5 and LuaJIT alike have a registry that is a
/// table; where a wrong guess of the version finds none, nothing is pushed.
///
/// # Safety
/// `state` is a live state of the API's VM.
unsafe fn check_numbers(api: &Api, state: *mut LuaState) -> Result<Numbers, Failure> {
    // SAFETY: this function's own contract.
    unsafe {
        if !has_registry(api, state) {
            return Ok(Numbers::USUAL);
        }
        number_width::numbers(api, state).ok_or_else(|| {
            let refused = format!(
                "snapshot does not know the numbers of this {}: they have neither 64 nor 32 bits \
                 (LUA_FLOAT_TYPE or LUA_NUMBER in its luaconf.h); build it with double or float",
                api.version
            );
            Failure::Refused(Box::new(*api), refused)
        })
    }
}

/// # Safety
/// `state` is a live state of the API's VM.
unsafe fn has_registry(api: &Api, state: *mut LuaState) -> bool {
    const TABLE: c_int = 5;
    // SAFETY: lua_type reads only; the pseudo-index is the version's own.
    unsafe { (api.type_of)(state, api.version.registry_index()) == TABLE }
}

/// Compares what `lua_version` returns with what the symbols told. 5.1 has no such function; there a
/// registry that is not a table gives a wrong guess away.
///
/// # Safety
/// `state` is a live state of the API's VM, and `lua_version` the VM's function of that name, or
/// null.
unsafe fn check_version(
    api: &Api,
    state: *mut LuaState,
    lua_version: *mut c_void,
) -> Result<(), Failure> {
    // SAFETY: this function's own contract.
    let (has_registry, number) = unsafe {
        (
            has_registry(api, state),
            version_number(api, state, lua_version),
        )
    };
    if has_registry && number == api.version.number() {
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

/// What `lua_version` returns, a `lua_Number`: the number itself from 5.4 on, the address of a
/// static one in 5.2, 5.3 and LuaJIT.
///
/// # Safety
/// As [`check_version`].
unsafe fn version_number(api: &Api, state: *mut LuaState, lua_version: *mut c_void) -> f64 {
    type Function<T> = unsafe extern "C-unwind" fn(*mut LuaState) -> T;
    if lua_version.is_null() {
        return 501.0;
    }
    let is_wide = api.numbers.floats == Width::Wide;
    // SAFETY: the function has the signature of its version and of its numbers.
    unsafe {
        match (api.version >= Version::Lua54, is_wide) {
            (true, true) => std::mem::transmute::<*mut c_void, Function<f64>>(lua_version)(state),
            (true, false) => {
                std::mem::transmute::<*mut c_void, Function<f32>>(lua_version)(state).into()
            }
            (false, true) => {
                *std::mem::transmute::<*mut c_void, Function<*const f64>>(lua_version)(state)
            }
            (false, false) => {
                (*std::mem::transmute::<*mut c_void, Function<*const f32>>(lua_version)(state))
                    .into()
            }
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
        let symbol = symbols.find(|symbol| {
            let symbol_name = symbol.name_bytes().ok().and_then(function_name);
            symbol.is_definition() && symbol_name == Some(name.as_bytes())
        })?;
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

//! A Lua state and the C API of its VM: each function of the API, once.
//!
//! The methods are safe functions because [`State::new`] is not: its contract covers all use of the
//! `State`.

use crate::lua::api::{Api, CFunction, Lua};
use crate::lua::debug_record::DebugRecord;
use crate::lua::numbers::{Width, widened};
use crate::version::Version;
use std::ffi::{CStr, c_char, c_int, c_void};

/// `LUA_TNONE`.
pub(crate) const TYPE_NONE: c_int = -1;
/// `LUA_TNIL`.
pub(crate) const TYPE_NIL: c_int = 0;
/// `LUA_TBOOLEAN`.
pub(crate) const TYPE_BOOLEAN: c_int = 1;
/// `LUA_TLIGHTUSERDATA`.
pub(crate) const TYPE_LIGHT_USERDATA: c_int = 2;
/// `LUA_TNUMBER`.
pub(crate) const TYPE_NUMBER: c_int = 3;
/// `LUA_TSTRING`.
pub(crate) const TYPE_STRING: c_int = 4;
/// `LUA_TTABLE`.
pub(crate) const TYPE_TABLE: c_int = 5;
/// `LUA_TFUNCTION`.
pub(crate) const TYPE_FUNCTION: c_int = 6;
/// `LUA_TUSERDATA`.
pub(crate) const TYPE_USERDATA: c_int = 7;
/// `LUA_TTHREAD`.
pub(crate) const TYPE_THREAD: c_int = 8;
/// The type of LuaJIT's cdata; no other Lua has one of that number.
pub(crate) const TYPE_CDATA: c_int = 10;

/// A live Lua state with the API of its VM.
#[derive(Clone, Copy)]
pub(crate) struct State {
    raw: Lua,
    api: &'static Api,
}

// SAFETY comments below say "promised": by the contract of `State::new`.
impl State {
    /// # Safety
    /// `raw` is a live state of the VM to which `api` belongs, and this thread alone uses it, for as
    /// long as the `State` or a copy of it is in use. Whoever calls a method keeps three rules:
    ///
    /// - indices are those of values that are on the stack, or pseudo-indices of this VM;
    /// - the stack has room for what the method pushes (each says how many slots it uses);
    /// - a method that raises may leave by `longjmp` or by unwinding: it is called in protected mode
    ///   (`Frame::protected` in `module/frame.rs`), from frames that own nothing with a destructor.
    pub(crate) unsafe fn new(raw: Lua, api: &'static Api) -> State {
        State { raw, api }
    }

    /// The same VM, another of its threads.
    ///
    /// # Safety
    /// `raw` is a live thread of this VM.
    pub(crate) unsafe fn of_thread(self, raw: Lua) -> State {
        State { raw, api: self.api }
    }

    pub(crate) fn raw(self) -> Lua {
        self.raw
    }

    pub(crate) fn api(self) -> &'static Api {
        self.api
    }

    pub(crate) fn version(self) -> Version {
        self.api.version
    }

    pub(crate) fn top(self) -> c_int {
        // SAFETY: promised.
        unsafe { (self.api.gettop)(self.raw) }
    }

    pub(crate) fn set_top(self, index: c_int) {
        // SAFETY: promised.
        unsafe { (self.api.settop)(self.raw, index) }
    }

    #[inline]
    pub(crate) fn pop(self, count: c_int) {
        self.set_top(-count - 1);
    }

    /// Uses one slot.
    #[inline]
    pub(crate) fn push_value(self, index: c_int) {
        // SAFETY: promised.
        unsafe { (self.api.pushvalue)(self.raw, index) }
    }

    /// Makes room for `slots` more. Raises in 5.1 and LuaJIT when there is no memory.
    pub(crate) fn check_stack(self, slots: c_int) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.checkstack)(self.raw, slots) != 0 }
    }

    /// Moves the top value to `to`, another thread of the VM with a free slot.
    pub(crate) fn move_top(self, to: State) {
        // SAFETY: promised.
        unsafe { (self.api.xmove)(self.raw, to.raw, 1) }
    }

    /// `lua_status`; `None` where the host does not export it.
    pub(crate) fn status(self) -> Option<c_int> {
        let status = self.api.status?;
        // SAFETY: promised.
        Some(unsafe { status(self.raw) })
    }

    #[inline]
    pub(crate) fn type_of(self, index: c_int) -> c_int {
        // SAFETY: promised.
        unsafe { (self.api.type_of)(self.raw, index) }
    }

    #[inline]
    pub(crate) fn pointer(self, index: c_int) -> u64 {
        // SAFETY: promised.
        unsafe { (self.api.topointer)(self.raw, index) as u64 }
    }

    /// Prefetches the object at `address`. Its first fields may lie in two cache lines.
    #[inline]
    pub(crate) fn prefetch(self, address: u64) {
        #[cfg(target_arch = "x86_64")]
        for line in [address, address + 48] {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch of any address is no more than a hint.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line as *const i8) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    }

    pub(crate) fn userdata(self, index: c_int) -> *mut c_void {
        // SAFETY: promised.
        unsafe { (self.api.touserdata)(self.raw, index) }
    }

    /// The thread at `index`, where there is one.
    pub(crate) fn thread(self, index: c_int) -> Option<State> {
        // SAFETY: promised; a thread on the stack is alive while it stays there.
        unsafe {
            let raw = (self.api.tothread)(self.raw, index);
            (!raw.is_null()).then(|| self.of_thread(raw))
        }
    }

    /// The bytes of the string at `index`, which must be a string (a number would be converted in
    /// place, and that raises). They stay in place for as long as the VM keeps the string: whoever
    /// uses them for as long as the `State` sees to that.
    #[inline]
    pub(crate) fn string(&self, index: c_int) -> &[u8] {
        let mut len = 0;
        // SAFETY: promised; Lua strings do not move, and this one is on the stack.
        unsafe {
            let start = (self.api.tolstring)(self.raw, index, &mut len);
            std::slice::from_raw_parts(start.cast(), len)
        }
    }

    pub(crate) fn boolean(self, index: c_int) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.toboolean)(self.raw, index) != 0 }
    }

    pub(crate) fn number(self, index: c_int) -> f64 {
        // SAFETY: promised.
        unsafe {
            match self.api.numbers.floats {
                Width::Wide => self.api.number_at(self.raw, index),
                Width::Narrow => widened(self.api.narrow_number_at(self.raw, index)),
            }
        }
    }

    /// The number at `index` as an integer, where the VM has those (5.3 on) and it is one; a
    /// float with an integer's value counts.
    pub(crate) fn integer(self, index: c_int) -> Option<i64> {
        // In 5.2 the function of that name truncates.
        let tointeger = self
            .api
            .tointegerx
            .filter(|_| self.version() >= Version::Lua53)?;
        let mut is_integer = 0;
        // SAFETY: promised.
        let integer = unsafe { tointeger(self.raw, index, &mut is_integer) };
        let integer = self.api.numbers.integer(integer as u64);
        (is_integer != 0).then_some(integer)
    }

    pub(crate) fn is_c_function(self, index: c_int) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.iscfunction)(self.raw, index) != 0 }
    }

    /// The length without metamethods: a table's border, a string's or userdata's bytes.
    pub(crate) fn raw_len(self, index: c_int) -> usize {
        // SAFETY: promised; 5.1 and LuaJIT have the one, all others the other.
        unsafe {
            match (self.api.rawlen, self.api.objlen) {
                (Some(rawlen), _) => rawlen(self.raw, index),
                (None, Some(objlen)) => objlen(self.raw, index),
                (None, None) => 0,
            }
        }
    }

    /// Replaces the key on the top with the next key and its value; pops it and returns false after
    /// the last. Uses one slot more. Raises for a key that is not in the table.
    #[inline]
    pub(crate) fn next(self, table: c_int) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.next)(self.raw, table) != 0 }
    }

    /// Replaces the key on the top with its value, without metamethods.
    pub(crate) fn raw_get(self, table: c_int) {
        // SAFETY: promised.
        unsafe { (self.api.rawget)(self.raw, table) }
    }

    /// Pops a value and a key and stores them, without metamethods. Raises.
    pub(crate) fn raw_set(self, table: c_int) {
        // SAFETY: promised.
        unsafe { (self.api.rawset)(self.raw, table) }
    }

    pub(crate) fn raw_equal(self, a: c_int, b: c_int) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.rawequal)(self.raw, a, b) != 0 }
    }

    /// Uses one slot.
    pub(crate) fn raw_get_index(self, table: c_int, index: i64) {
        // SAFETY: promised.
        unsafe { (self.api.rawgeti)(self.raw, table, index) }
    }

    /// Pops the value that it stores. Raises.
    pub(crate) fn raw_set_index(self, table: c_int, index: i64) {
        // SAFETY: promised.
        unsafe { (self.api.rawseti)(self.raw, table, index) }
    }

    /// Uses one slot. Raises.
    pub(crate) fn new_table(self) {
        // SAFETY: promised.
        unsafe { (self.api.createtable)(self.raw, 0, 0) }
    }

    /// Pushes the metatable and returns true, or pushes nothing. Uses one slot. Calls no metamethod
    /// and ignores `__metatable`.
    #[inline]
    pub(crate) fn metatable(self, index: c_int) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.getmetatable)(self.raw, index) != 0 }
    }

    /// Pops a table and makes it the metatable. Raises.
    pub(crate) fn set_metatable(self, index: c_int) {
        // SAFETY: promised.
        unsafe {
            (self.api.setmetatable)(self.raw, index);
        }
    }

    /// Pushes the value of an upvalue and returns its name, or pushes nothing after the last. Uses
    /// one slot.
    #[inline]
    pub(crate) fn upvalue(&self, function: c_int, number: c_int) -> Option<&CStr> {
        // SAFETY: promised; the name is static or lies in the function's prototype.
        unsafe { c_str((self.api.getupvalue)(self.raw, function, number)) }
    }

    /// Whether upvalue `number` of a Lua function is there; the function must have that many.
    pub(crate) fn has_upvalue(self, function: c_int, number: c_int) -> bool {
        let Some(upvalueid) = self.api.upvalueid else {
            return true;
        };
        // SAFETY: promised.
        !unsafe { upvalueid(self.raw, function, number) }.is_null()
    }

    /// Fills the record of the call at `level` (0 is the running function); false past the last.
    pub(crate) fn stack_level(self, level: c_int, record: &mut DebugRecord) -> bool {
        // SAFETY: promised; the record is larger than any lua_Debug.
        unsafe { (self.api.getstack)(self.raw, level, record.as_mut_ptr()) != 0 }
    }

    /// Fills the record according to `what`, as `lua_getinfo` does. Uses one slot where `what`
    /// pushes or takes the function.
    pub(crate) fn info(self, what: &CStr, record: &mut DebugRecord) -> bool {
        // SAFETY: promised; the record came from stack_level, or `what` starts with `>`.
        unsafe { (self.api.getinfo)(self.raw, what.as_ptr(), record.as_mut_ptr()) != 0 }
    }

    /// Pushes local number `number` of the record's frame and returns its name, or pushes nothing.
    /// Uses one slot.
    pub(crate) fn local<'a>(&'a self, record: &DebugRecord, number: c_int) -> Option<&'a CStr> {
        // SAFETY: promised; the name is static or lies in the function's prototype.
        unsafe { c_str((self.api.getlocal)(self.raw, record.as_ptr(), number)) }
    }

    /// Uses one slot.
    pub(crate) fn push_nil(self) {
        // SAFETY: promised.
        unsafe { (self.api.pushnil)(self.raw) }
    }

    /// Pushes a null light userdata. Uses one slot. Raises in LuaJIT.
    pub(crate) fn push_null(self) {
        // SAFETY: promised.
        unsafe { (self.api.pushlightuserdata)(self.raw, std::ptr::null_mut()) }
    }

    /// Uses one slot.
    pub(crate) fn push_boolean(self, value: bool) {
        // SAFETY: promised.
        unsafe { (self.api.pushboolean)(self.raw, c_int::from(value)) }
    }

    /// Pushes an integer, or a float where the VM's integers are too narrow for it. Uses one slot.
    pub(crate) fn push_integer(self, value: i64) {
        if self.api.numbers.integers == Width::Narrow && i32::try_from(value).is_err() {
            return self.push_number(value as f64);
        }
        // SAFETY: promised; of a narrower integer the low bits are passed.
        unsafe { (self.api.pushinteger)(self.raw, value) }
    }

    /// Uses one slot.
    pub(crate) fn push_number(self, value: f64) {
        // SAFETY: promised.
        unsafe {
            match self.api.numbers.floats {
                Width::Wide => (self.api.pushnumber)(self.raw, value),
                Width::Narrow => self.api.push_narrow_number(self.raw, value as f32),
            }
        }
    }

    /// Uses one slot. Raises.
    pub(crate) fn push_string(self, bytes: &[u8]) {
        // SAFETY: promised.
        unsafe { (self.api.pushlstring)(self.raw, bytes.as_ptr().cast(), bytes.len()) }
    }

    /// Pops `upvalues` values into a new C closure. Uses one slot. Raises.
    pub(crate) fn push_closure(self, function: CFunction, upvalues: c_int) {
        // SAFETY: promised.
        unsafe { (self.api.pushcclosure)(self.raw, function, upvalues) }
    }

    /// Pushes this thread; returns true when it is the main one. Uses one slot.
    pub(crate) fn push_thread(self) -> bool {
        // SAFETY: promised.
        unsafe { (self.api.pushthread)(self.raw) != 0 }
    }

    /// Pushes a userdata of `size` bytes that can have one user value. Uses one slot. Raises.
    pub(crate) fn new_userdata(self, size: usize) -> *mut c_void {
        // SAFETY: promised; from 5.4 on the VM has the one, before that the other.
        unsafe {
            match (self.api.newuserdatauv, self.api.newuserdata) {
                (Some(newuserdatauv), _) => newuserdatauv(self.raw, size, 1),
                (None, Some(newuserdata)) => newuserdata(self.raw, size),
                (None, None) => std::ptr::null_mut(),
            }
        }
    }

    /// Pushes the environment of a function, userdata or thread; false (and nothing pushed) where
    /// the VM has none. Uses one slot.
    pub(crate) fn environment(self, index: c_int) -> bool {
        let Some(getfenv) = self.api.getfenv else {
            return false;
        };
        // SAFETY: promised.
        unsafe { getfenv(self.raw, index) };
        true
    }

    /// Pushes user value `number` (1 is the first); false (and nothing pushed) past the last.
    /// Uses one slot.
    pub(crate) fn user_value(self, index: c_int, number: c_int) -> bool {
        if let Some(getiuservalue) = self.api.getiuservalue {
            // SAFETY: promised. It pushes nil past the last.
            if unsafe { getiuservalue(self.raw, index, number) } != TYPE_NONE {
                return true;
            }
            self.pop(1);
        } else if let (Some(getuservalue), 1) = (self.api.getuservalue, number) {
            // SAFETY: promised.
            unsafe { getuservalue(self.raw, index) };
            return true;
        }
        false
    }

    /// Pops a table and sets it as the first user value of the userdata at `index`, or as its
    /// environment where the VM has no user values.
    pub(crate) fn set_user_value(self, index: c_int) {
        let api = self.api;
        // SAFETY: promised; each VM has one of them. None of them allocates.
        unsafe {
            match (api.setiuservalue, api.setuservalue, api.setfenv) {
                (Some(setiuservalue), _, _) => {
                    setiuservalue(self.raw, index, 1);
                }
                (None, Some(setuservalue), _) => setuservalue(self.raw, index),
                (None, None, Some(setfenv)) => {
                    setfenv(self.raw, index);
                }
                (None, None, None) => self.pop(1),
            }
        }
    }

    /// Pushes the environment or first user value of the userdata at `index`; false, and nothing
    /// pushed, where that is not a table. Uses one slot.
    pub(crate) fn retainer_row(self, index: c_int) -> bool {
        let pushed = self.environment(index) || self.user_value(index, 1);
        if pushed && self.type_of(-1) != TYPE_TABLE {
            self.pop(1);
            return false;
        }
        pushed
    }

    /// Calls the function below `arguments` values in protected mode. Returns 0 on success;
    /// otherwise the error value is on the top.
    pub(crate) fn call_protected(self, arguments: c_int, results: c_int) -> c_int {
        // SAFETY: promised; 5.1 and LuaJIT have the one, all others the other.
        unsafe {
            match (self.api.pcallk, self.api.pcall) {
                (Some(pcallk), _) => pcallk(self.raw, arguments, results, 0, 0, std::ptr::null()),
                (None, Some(pcall)) => pcall(self.raw, arguments, results, 0),
                (None, None) => -1,
            }
        }
    }

    /// Bytes that the VM itself counts as allocated; `None` inside a finalizer of 5.4 and later.
    pub(crate) fn allocated_bytes(self) -> Option<u64> {
        // `LUA_GCCOUNT`, in KiB, and `LUA_GCCOUNTB`, the rest.
        let kib = u64::try_from(self.gc(3)).ok()?;
        let rest = u64::try_from(self.gc(4)).ok()?;
        Some(kib * 1024 + rest)
    }

    /// `lua_gc` for the commands whose argument is 0.
    pub(crate) fn gc(self, command: c_int) -> c_int {
        // SAFETY: promised; the function is variadic from 5.4 on.
        unsafe {
            if self.version() >= Version::Lua54 {
                (self.api.gc_variadic)(self.raw, command, 0 as c_int)
            } else {
                (self.api.gc_fixed)(self.raw, command, 0)
            }
        }
    }

    /// The VM's allocation function and its data (`lua_getallocf`), as addresses.
    pub(crate) fn allocator(self) -> [u64; 2] {
        let mut data = std::ptr::null_mut();
        // SAFETY: promised; the call only reads.
        let function = unsafe { (self.api.getallocf)(self.raw, &mut data) };
        [function.map_or(0, |f| f as usize as u64), data as u64]
    }

    /// Raises the value on the top. The caller's frames own nothing with a destructor.
    pub(crate) fn raise(self) -> c_int {
        // SAFETY: promised.
        unsafe { (self.api.raise)(self.raw) }
    }

    /// The index of the running function's upvalue `number`.
    pub(crate) fn upvalue_index(self, number: c_int) -> c_int {
        self.version().upvalue_index(number)
    }

    /// The index of the registry.
    pub(crate) fn registry(self) -> c_int {
        self.version().registry_index()
    }

    /// Pushes the table of globals. Uses two slots.
    pub(crate) fn push_globals(self) {
        if self.version().is_51_api() {
            self.push_value(self.upvalue_index(0)); // LUA_GLOBALSINDEX
        } else {
            self.raw_get_index(self.registry(), 2); // LUA_RIDX_GLOBALS
        }
    }
}

/// # Safety
/// `string` is null or a C string that lives as long as its user needs it.
unsafe fn c_str<'a>(string: *const c_char) -> Option<&'a CStr> {
    // SAFETY: this function's own contract.
    (!string.is_null()).then(|| unsafe { CStr::from_ptr(string) })
}

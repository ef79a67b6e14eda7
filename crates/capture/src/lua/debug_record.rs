//! Records of calls (`lua_Debug`), whose layout differs by version.

use crate::version::{DebugLayout, Version};
use luasnap_heap::CodeShape;
use std::ffi::{CStr, c_char, c_int, c_void};

/// Larger than `lua_Debug` of any VM, even where a host has raised `LUA_IDSIZE`.
const SIZE: usize = 1024;

/// A record of a call, owned by no VM.
#[repr(C, align(16))]
pub(crate) struct DebugRecord {
    bytes: [u8; SIZE],
    layout: DebugLayout,
    /// Offset at which `lua_getstack` writes which call it found: the one field that it sets.
    call_offset: Option<usize>,
}

impl DebugRecord {
    pub(crate) fn new(version: Version) -> DebugRecord {
        DebugRecord {
            bytes: [0; SIZE],
            layout: version.debug_layout(),
            call_offset: None,
        }
    }

    pub(crate) fn as_ptr(&self) -> *const c_void {
        self.bytes.as_ptr().cast()
    }

    pub(crate) fn as_mut_ptr(&mut self) -> *mut c_void {
        self.bytes.as_mut_ptr().cast()
    }

    fn int(&self, offset: usize) -> c_int {
        c_int::from_ne_bytes(
            self.bytes[offset..offset + 4]
                .try_into()
                .unwrap_or_default(),
        )
    }

    fn word(&self, offset: usize) -> u64 {
        u64::from_ne_bytes(
            self.bytes[offset..offset + 8]
                .try_into()
                .unwrap_or_default(),
        )
    }

    /// After `S`: the address of the source's text, the same for all functions of a chunk.
    pub(crate) fn source_address(&self) -> u64 {
        self.word(self.layout.source)
    }

    /// After `S`: the source as messages show it (`short_src`).
    pub(crate) fn short_source(&self) -> &[u8] {
        let text = &self.bytes[self.layout.short_src..];
        CStr::from_bytes_until_nul(text).map_or(&[], CStr::to_bytes)
    }

    /// After `Sl` of a C function: whether the fields say so at the expected offsets. In a record
    /// of another layout they do not.
    pub(crate) fn is_of_c_function(&self) -> bool {
        self.short_source() == b"[C]"
            && self.int(self.layout.linedefined) == -1
            && self.int(self.layout.currentline) == -1
    }

    /// After `S`: the line where the function starts; 0 for a main chunk and for C.
    pub(crate) fn line_defined(&self) -> u32 {
        u32::try_from(self.int(self.layout.linedefined)).unwrap_or(0)
    }

    /// After `Su` of a Lua function: the line where it ends, and the number of its upvalues.
    pub(crate) fn shape(&self) -> CodeShape {
        // `lastlinedefined` is the next field in all versions.
        let last_line = self.int(self.layout.linedefined + 4);
        let last_line = u32::try_from(last_line).unwrap_or(0);
        CodeShape::new(self.line_defined(), last_line, self.upvalue_count())
    }

    /// After `u`: the number of a function's upvalues, at most 255.
    pub(crate) fn upvalue_count(&self) -> u8 {
        let place = self.layout.upvalue_count;
        match self.layout.wide_upvalue_count {
            true => u8::try_from(self.int(place)).unwrap_or(u8::MAX),
            false => self.bytes[place],
        }
    }

    /// After `l`: the line being executed.
    pub(crate) fn current_line(&self) -> Option<u32> {
        u32::try_from(self.int(self.layout.currentline))
            .ok()
            .filter(|&line| line > 0)
    }

    /// After `n`: whether the function was called as a method.
    pub(crate) fn is_method_call(&self) -> bool {
        let name = self.word(self.layout.namewhat) as *const c_char;
        // SAFETY: after `n` the field points to one of the VM's static strings.
        !name.is_null() && unsafe { CStr::from_ptr(name) } == c"method"
    }

    /// Which call `lua_getstack` found, as the VM encodes it: an index (5.1), offsets (LuaJIT),
    /// the address of a `CallInfo` (5.2 on). The field lies after `short_src`, whose length a
    /// host may have changed, so it is found by what `lua_getstack` writes into a zeroed record.
    pub(crate) fn call(&mut self, version: Version) -> Option<u64> {
        let width = if version.is_51_api() { 4 } else { 8 };
        if self.call_offset.is_none() {
            let first = self.bytes.iter().position(|&byte| byte != 0)?;
            self.call_offset = Some(first / width * width);
        }
        let offset = self.call_offset?;
        Some(match width {
            4 => self.int(offset) as u32 as u64,
            _ => self.word(offset),
        })
    }

    /// Makes this the record of another call of the same thread. Does nothing before `call` has
    /// found the field.
    pub(crate) fn set_call(&mut self, version: Version, call: u64) {
        let Some(offset) = self.call_offset else {
            return;
        };
        if version.is_51_api() {
            self.bytes[offset..offset + 4].copy_from_slice(&(call as u32).to_ne_bytes());
        } else {
            self.bytes[offset..offset + 8].copy_from_slice(&call.to_ne_bytes());
        }
    }
}

//! The native engine: every object of a VM, read from its own structures.
//!
//! Nothing is allocated in the Lua heap, nothing is written, and no API is called that could.
//! A layout is trusted only after it was verified on this very VM. Its global state, read through
//! the kernel so that a wrong address cannot fault, has to say what the API says; then the sizes of
//! all objects and fixed blocks have to add up to the VM's own total, and no object in use may
//! refer to something that is on no list. Otherwise the next layout is tried.

mod byte_ledger;
pub(crate) mod capture;
mod chunk_name;
mod equal_texts;
pub(crate) mod facts;
pub(crate) mod foreign_objects;
pub(crate) mod jit;
mod layout_mismatch;
mod look;
pub(crate) mod main_state;
mod modes;
pub(crate) mod origin;
mod own_snapshots;
pub(crate) mod puc;
pub(crate) mod reasons;
mod recent_strings;
pub(crate) mod sight;
mod skynet;
mod slot_names;
pub(crate) mod stopped;
mod sweep;
mod swept;
pub(crate) mod trust;
mod verify;

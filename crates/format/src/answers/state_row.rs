//! Lua states by size, such as the services of one node, as an answer.

use crate::answer_error::Result;
use crate::answers::ledger::SharedRow;
use crate::answers::name::Name;
use crate::answers::top::top;
use luasnap_heap::{Census, GroupOrder, Snapshot};
use serde::Serialize;

/// A Lua state.
#[derive(Clone, Debug, Serialize)]
pub struct StateRow {
    /// What it is called, where something is known of it.
    pub name: Option<String>,
    /// The address of its global state, in hexadecimal, which tells states of one process apart.
    pub state: String,
    /// The VM's family: `Lua 5.4`.
    pub vm: String,
    /// The VM's own total, in bytes; of the portable engine, the estimated sizes of all objects.
    pub total: u64,
    /// The bytes of objects in use.
    pub in_use: u64,
    /// The bytes of garbage; `None` where it is not known.
    pub garbage: Option<u64>,
    /// The number of objects in use.
    pub count: u64,
    /// The group that retains most, and how many bytes.
    pub largest: Option<LargestGroup>,
    /// The objects of other states that it refers to, in a Lua whose states share some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shared: Option<SharedRow>,
}

/// The group of a state that retains most.
#[derive(Clone, Debug, Serialize)]
pub struct LargestGroup {
    /// Its name.
    pub name: Name,
    /// Its retained size, in bytes.
    pub retained: u64,
}

impl StateRow {
    /// Returns the row of a snapshot's state.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn new(snapshot: &Snapshot) -> Result<StateRow> {
        let provenance = snapshot.everything().provenance();
        let census = Census::new(snapshot)?;
        let largest = top(snapshot, GroupOrder::Retained, 1)?;
        let largest = largest.groups.into_iter().next();
        Ok(StateRow {
            name: provenance.state_name.as_deref().map(str::to_owned),
            state: format!("{:#x}", provenance.vm_address),
            vm: census.vm.to_string(),
            total: census.total.unwrap_or(census.live.bytes),
            in_use: census.live.bytes,
            garbage: census.garbage.map(|garbage| garbage.bytes),
            count: census.live.count,
            largest: largest.map(|group| LargestGroup {
                name: group.name,
                retained: group.retained,
            }),
            shared: provenance.shared.map(SharedRow::from),
        })
    }
}

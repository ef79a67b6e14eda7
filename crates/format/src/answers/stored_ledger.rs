//! Where a process's memory is, as bytes: part of several answers that are kept.

use crate::answer_error::Result;
use crate::answers::ledger::{Ledger, SharedRow};
use crate::answers::stored_value::{Reader, Writer};

/// Writes where a process's memory is.
pub(crate) fn put_ledger(to: &mut Writer, ledger: &Ledger) -> Result {
    let numbers = [
        ledger.resident,
        ledger.peak_resident,
        ledger.limit,
        ledger.vm_total,
        ledger.in_use,
        ledger.garbage,
        ledger.other,
        ledger.unaccounted.map(i64::cast_unsigned),
        ledger.outside,
        ledger.snapshots,
        ledger.cdata,
    ];
    for number in numbers {
        to.option(number.as_ref(), |to, number| to.number(*number))?;
    }
    to.number(ledger.finalizers)?;
    to.option(ledger.shared.as_ref(), |to, shared| {
        to.number(shared.count)?;
        to.number(shared.bytes)?;
        to.option(shared.states.as_ref(), |to, states| {
            to.number((*states).into())
        })
    })?;
    to.option(ledger.verdict.as_ref(), Writer::sentence)
}

/// Reads where a process's memory is.
pub(crate) fn ledger(from: &mut Reader<'_>) -> Option<Ledger> {
    let mut number = || from.option(Reader::number);
    Some(Ledger {
        resident: number()?,
        peak_resident: number()?,
        limit: number()?,
        vm_total: number()?,
        in_use: number()?,
        garbage: number()?,
        other: number()?,
        unaccounted: number()?.map(u64::cast_signed),
        outside: number()?,
        snapshots: number()?,
        cdata: number()?,
        finalizers: from.number()?,
        shared: from.option(|from| {
            Some(SharedRow {
                count: from.number()?,
                bytes: from.number()?,
                states: from.option(|from| u32::try_from(from.number()?).ok())?,
            })
        })?,
        verdict: from.option(Reader::sentence)?,
    })
}

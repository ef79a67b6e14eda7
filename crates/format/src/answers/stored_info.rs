//! The summary of a snapshot as bytes, for those who store it, and from stored bytes, each checked.

use crate::answer_error::Result;
use crate::answers::info::Info;
use crate::answers::stats::Stats;
use crate::answers::stored_ledger::{ledger, put_ledger};
use crate::answers::stored_value::{Reader, Writer};
use crate::answers::waste::{
    DuplicateStrings, RepeatedTextRow, SparseTableList, SparseTableRow, WasteAnswer,
};
use crate::answers::weakness::WeaknessRow;
use luasnap_heap::{
    Census, Engine, Kind, KindCensus, PATH_RULE, Tally, ThreadStatus, WhyEntriesStay,
};

/// The number of the rule that makes the summary, besides that of paths. Whoever changes what `info` says changes this
/// number.
const INFO_RULE: u32 = 1;

/// More rows than any list has, and more blocks of memory than any VM.
const MOST_ROWS: usize = 1 << 12;

impl Info {
    /// Returns the summary as bytes.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut to = Writer::default();
        for rule in [INFO_RULE, PATH_RULE] {
            to.number(rule.into())?;
        }
        to.number(self.most as u64)?;
        to.option(self.process.as_ref(), |to, id| to.number((*id).into()))?;
        to.option(self.taken_at_ms.as_ref(), |to, time| to.number(*time))?;
        to.option(self.state_name.as_deref(), Writer::text)?;
        put_census(&mut to, &self.census)?;
        put_ledger(&mut to, &self.stats.ledger)?;
        to.option(self.waste.strings.as_ref(), |to, found| {
            for number in [found.count, found.bytes, found.texts] {
                to.number(number)?;
            }
            to.list(&found.top, put_text)
        })?;
        to.option(self.waste.tables.as_ref(), |to, found| {
            to.number(found.count)?;
            to.number(found.bytes)?;
            to.list(&found.top, put_table)
        })?;
        to.list(&self.weak_tables, put_weakness)?;
        Ok(to.finish())
    }

    /// Returns the summary that these bytes have; `None` if another rule made it, or if they are not what
    /// [`bytes`](Self::bytes) returns.
    pub fn from_bytes(bytes: &[u8]) -> Option<Info> {
        let mut from = Reader::new(bytes);
        for rule in [INFO_RULE, PATH_RULE] {
            (from.number()? == u64::from(rule)).then_some(())?;
        }
        let most = from.index()?;
        let process = from.option(|from| u32::try_from(from.number()?).ok())?;
        let taken_at_ms = from.option(Reader::number)?;
        let state_name = from.option(|from| Some(from.text()?.to_owned()))?;
        let census = census(&mut from)?;
        let ledger = ledger(&mut from)?;
        let strings = from.option(|from| {
            Some(DuplicateStrings {
                count: from.number()?,
                bytes: from.number()?,
                texts: from.number()?,
                top: from.list(MOST_ROWS, text)?,
            })
        })?;
        let tables = from.option(|from| {
            Some(SparseTableList {
                count: from.number()?,
                bytes: from.number()?,
                top: from.list(MOST_ROWS, table)?,
            })
        })?;
        let info = Info {
            process,
            taken_at_ms,
            state_name,
            stats: Stats::of(&census, ledger),
            waste: WasteAnswer::of(&census, strings, tables),
            weak_tables: from.list(MOST_ROWS, weakness)?,
            census,
            most,
        };
        from.is_at_end().then_some(info)
    }
}

fn put_tally(to: &mut Writer, tally: &Tally) -> Result {
    to.number(tally.count)?;
    to.number(tally.bytes)
}

/// Reads a number of objects and their bytes. Objects have numbers of 32 bits.
fn tally(from: &mut Reader<'_>) -> Option<Tally> {
    Some(Tally {
        count: from.index()? as u64,
        bytes: from.number()?,
    })
}

fn put_census(to: &mut Writer, census: &Census) -> Result {
    to.list(&census.kinds, |to, of_kind| {
        to.number(of_kind.kind as u64)?;
        put_tally(to, &of_kind.live)?;
        put_tally(to, &of_kind.garbage)
    })?;
    put_tally(to, &census.live)?;
    to.number(census.references as u64)?;
    to.option(census.garbage.as_ref(), put_tally)?;
    put_tally(to, &census.own)?;
    let unaccounted = census.unaccounted.map(i64::cast_unsigned);
    for number in [census.total, census.accounted, unaccounted] {
        to.option(number.as_ref(), |to, number| to.number(*number))?;
    }
    to.list(&census.blocks, |to, (name, bytes)| {
        to.text(name)?;
        to.number(*bytes)
    })?;
    to.number((census.engine == Engine::Native).into())?;
    to.text(&census.vm)?;
    to.option(census.layout.as_deref(), Writer::text)?;
    to.list(&census.coroutines, |to, count| to.number(*count))?;
    to.number(census.memory as u64)
}

fn census(from: &mut Reader<'_>) -> Option<Census> {
    let kinds = from.list(Kind::ALL.len(), |from| {
        Some(KindCensus {
            kind: Kind::from_number(u8::try_from(from.number()?).ok()?)?,
            live: tally(from)?,
            garbage: tally(from)?,
        })
    })?;
    let live = tally(from)?;
    let references = from.index()?;
    let garbage = from.option(tally)?;
    let own = tally(from)?;
    let mut number = || from.option(Reader::number);
    let (total, accounted, unaccounted) = (number()?, number()?, number()?);
    let text = |from: &mut Reader<'_>| Some(from.text()?.to_owned().into());
    Some(Census {
        kinds,
        live,
        references,
        garbage,
        own,
        total,
        accounted,
        unaccounted: unaccounted.map(u64::cast_signed),
        blocks: from.list(MOST_ROWS, |from| Some((text(from)?, from.number()?)))?,
        engine: match from.flag()? {
            true => Engine::Native,
            false => Engine::Portable,
        },
        engine_reason: None,
        vm: text(from)?,
        layout: from.option(text)?,
        coroutines: from
            .list(ThreadStatus::ALL.len(), Reader::number)?
            .try_into()
            .ok()?,
        memory: usize::try_from(from.number()?).ok()?,
    })
}

fn put_text(to: &mut Writer, row: &RepeatedTextRow) -> Result {
    to.name(&row.text)?;
    for number in [row.count, row.size, row.bytes] {
        to.number(number)?;
    }
    to.name(&row.example)
}

fn text(from: &mut Reader<'_>) -> Option<RepeatedTextRow> {
    Some(RepeatedTextRow {
        text: from.name()?,
        count: from.number()?,
        size: from.number()?,
        bytes: from.number()?,
        example: from.name()?,
    })
}

fn put_table(to: &mut Writer, row: &SparseTableRow) -> Result {
    to.number(row.address)?;
    for number in [
        row.array_slots,
        row.array_used,
        row.hash_slots,
        row.hash_used,
    ] {
        to.number(number.into())?;
    }
    to.number(row.bytes)?;
    to.name(&row.path)
}

fn table(from: &mut Reader<'_>) -> Option<SparseTableRow> {
    let address = from.number()?;
    let mut slots = || u32::try_from(from.number()?).ok();
    let (array_slots, array_used, hash_slots, hash_used) = (slots()?, slots()?, slots()?, slots()?);
    Some(SparseTableRow {
        address,
        kind: Kind::Table,
        array_slots,
        array_used,
        hash_slots,
        hash_used,
        bytes: from.number()?,
        path: from.name()?,
    })
}

fn put_weakness(to: &mut Writer, row: &WeaknessRow) -> Result {
    to.name(&row.path)?;
    to.option(row.what.as_ref(), Writer::sentence)?;
    to.number(row.entries.into())?;
    to.number((row.why == WhyEntriesStay::ValuesHoldKeys).into())
}

fn weakness(from: &mut Reader<'_>) -> Option<WeaknessRow> {
    let path = from.name()?;
    let what = from.option(Reader::sentence)?;
    let entries = u32::try_from(from.number()?).ok()?;
    let why = match from.flag()? {
        true => WhyEntriesStay::ValuesHoldKeys,
        false => WhyEntriesStay::NoKeyIsAnObject,
    };
    Some(WeaknessRow::of(path, what, entries, why))
}

//! The groups that `top` may list as bytes, for those who store them, and from stored bytes, each checked.
//!
//! What is read may be forged: it has names and sentences, which are shown as printable as any other, and numbers,
//! which stay in their bounds.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::group_row::GroupRow;
use crate::answers::stored_ledger::{ledger, put_ledger};
use crate::answers::stored_value::{Reader, Writer};
use crate::answers::top::{TopRow, TopTable};
use luasnap_heap::{FINGERPRINT_RULE, GroupOrder, Kind, PATH_RULE, Tally, ThreadStatus};

/// The number of the rule that makes the answers, besides those of paths and fingerprints: which objects are one
/// group, which groups are measured, what is said of each. Whoever changes what `top` says changes this number.
const ANSWER_RULE: u32 = 1;

/// More rows than any table has.
const MOST_ROWS: usize = 1 << 12;

impl TopTable {
    /// Returns the table as bytes.
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut to = Writer::default();
        for rule in [ANSWER_RULE, PATH_RULE, FINGERPRINT_RULE] {
            to.number(rule.into())?;
        }
        for number in [self.live.count, self.live.bytes] {
            to.number(number)?;
        }
        to.number(self.group_count as u64)?;
        to.number(self.most as u64)?;
        put_ledger(&mut to, &self.ledger)?;
        to.list(&self.rows, put_row)?;
        to.list(&self.orders, |to, (order, rows)| {
            let number = GroupOrder::ALL.iter().position(|known| known == order);
            to.number(number.unwrap_or_default() as u64)?;
            to.list(rows, |to, row| to.number((*row).into()))
        })?;
        Ok(to.finish())
    }

    /// Returns the table that these bytes have; `None` if another rule made it, or if they are not what
    /// [`bytes`](Self::bytes) returns.
    pub fn from_bytes(bytes: &[u8]) -> Option<TopTable> {
        let mut from = Reader::new(bytes);
        for rule in [ANSWER_RULE, PATH_RULE, FINGERPRINT_RULE] {
            (from.number()? == u64::from(rule)).then_some(())?;
        }
        let live = Tally {
            count: from.number()?,
            bytes: from.number()?,
        };
        let group_count = usize::try_from(from.number()?).ok()?;
        let most = usize::try_from(from.number()?).ok()?;
        let ledger = ledger(&mut from)?;
        let rows = from.list(MOST_ROWS, |from| Some(row(from)?.with_share(live.bytes)))?;
        let orders = from.list(GroupOrder::ALL.len(), |from| {
            let order = *GroupOrder::ALL.get(from.index()?)?;
            let positions = from.list(MOST_ROWS, |from| {
                let position = from.index()?;
                (position < rows.len()).then_some(position as u32)
            })?;
            Some((order, positions))
        })?;
        let table = TopTable {
            live,
            group_count,
            most,
            rows,
            orders,
            ledger,
        };
        from.is_at_end().then_some(table)
    }
}

fn put_row(to: &mut Writer, row: &TopRow) -> Result {
    let TopRow {
        row,
        holds_all,
        places,
    } = row;
    to.number(row.index as u64)?;
    to.bytes(row.fingerprint.as_bytes())?;
    to.number(row.kind as u64)?;
    to.name(&row.name)?;
    for number in [row.count, row.shallow, row.retained] {
        to.number(number)?;
    }
    to.name(&row.example)?;
    to.option(row.example_is.as_ref(), Writer::sentence)?;
    to.option(row.coroutine.as_ref(), put_coroutine)?;
    to.number((*holds_all).into())?;
    to.option(places.as_ref(), |to, places| {
        to.number(places.start.into())?;
        to.number(places.end.into())
    })
}

fn row(from: &mut Reader<'_>) -> Option<TopRow> {
    let row = GroupRow {
        index: from.index()?,
        fingerprint: from.fingerprint()?,
        kind: Kind::from_number(u8::try_from(from.number()?).ok()?)?,
        name: from.name()?,
        count: from.number()?,
        shallow: from.number()?,
        retained: from.number()?,
        share: 0.0,
        example: from.name()?,
        example_is: from.option(Reader::sentence)?,
        coroutine: from.option(coroutine)?,
    };
    Some(TopRow {
        row,
        holds_all: from.flag()?,
        places: from.option(|from| {
            let start = u32::try_from(from.number()?).ok()?;
            let end = u32::try_from(from.number()?).ok()?;
            Some(start..end)
        })?,
    })
}

fn put_coroutine(to: &mut Writer, row: &CoroutineRow) -> Result {
    to.number(row.status as u64)?;
    let names = [
        &row.at,
        &row.function,
        &row.defined_at,
        &row.called_at,
        &row.error,
    ];
    for name in names {
        to.option(name.as_ref(), Writer::name)?;
    }
    to.number(row.has_line.into())
}

fn coroutine(from: &mut Reader<'_>) -> Option<CoroutineRow> {
    let status = ThreadStatus::from_number(u8::try_from(from.number()?).ok()?)?;
    let mut name = || from.option(Reader::name);
    let names = [name()?, name()?, name()?, name()?, name()?];
    Some(CoroutineRow::of_parts(status, names, from.flag()?))
}

//! What grew between certain snapshots as bytes, for those who store it, and from stored bytes, each checked.
//!
//! Such an answer is about several files: it is kept in the last one, with the hashes of the others.

use crate::answer_error::Result;
use crate::answers::growth::{GrowthAnswer, GrowthRow, SuspectRow};
use crate::answers::ledger::LedgerChange;
use crate::answers::stored_ledger::{ledger, put_ledger};
use crate::answers::stored_value::{Reader, Writer};
use luasnap_heap::{FINGERPRINT_RULE, Kind, NodeId, PATH_RULE};

/// The number of the rule that makes the answer, besides those of paths and fingerprints. Whoever changes what `diff`
/// says changes this number.
const GROWTH_RULE: u32 = 1;

/// The most answers that a file keeps.
const MOST_ANSWERS: usize = 4;
/// The most snapshots that are compared in an answer that is kept.
const MOST_SNAPSHOTS: usize = 64;
/// More rows than an answer that is kept has.
const MOST_ROWS: usize = 1 << 12;
/// More bytes than any heap has, so that sums stay in their bounds.
const MOST_BYTES: u64 = 1 << 56;

/// What a question about growth in several files is bound to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GrowthQuestion {
    /// The hashes of the heaps before the last one, in the order of the comparison.
    pub earlier: Vec<u64>,
    /// The most rows of each sort. Fewer rows are not always the first of more: what counts as small depends on them.
    pub most: usize,
}

impl GrowthQuestion {
    /// Whether the answer may be kept. All its names must be those of the last snapshot: an earlier one may have more
    /// texts than the file of the last one, from which they were left out.
    pub fn may_keep(&self, answer: &GrowthAnswer) -> bool {
        let mut rows = answer.changed.iter().chain(&answer.growing);
        self.earlier.len() < MOST_SNAPSHOTS
            && self.most <= MOST_ROWS
            && rows.all(|row| row.example_node.is_some())
    }
}

/// Answers about growth, the newest first, as they are kept.
#[derive(Default)]
pub(crate) struct StoredGrowth<'a> {
    answers: Vec<(GrowthQuestion, &'a [u8])>,
}

impl<'a> StoredGrowth<'a> {
    /// Reads answers; those that another rule made are none.
    pub(crate) fn read(bytes: &'a [u8]) -> Option<StoredGrowth<'a>> {
        let mut from = Reader::new(bytes);
        for rule in [GROWTH_RULE, PATH_RULE, FINGERPRINT_RULE] {
            (from.number()? == u64::from(rule)).then_some(())?;
        }
        let answers = from.list(MOST_ANSWERS, |from| {
            let question = GrowthQuestion {
                earlier: from.list(MOST_SNAPSHOTS, Reader::number)?,
                most: from.index()?,
            };
            Some((question, from.long_bytes()?))
        })?;
        from.is_at_end().then_some(StoredGrowth { answers })
    }

    /// Returns the answer to a question.
    pub(crate) fn answer(&self, question: &GrowthQuestion) -> Option<GrowthAnswer> {
        let (_, bytes) = self.answers.iter().find(|(known, _)| known == question)?;
        answer(bytes, question.earlier.len() + 1)
    }

    /// Returns these answers with a new one before them, as bytes. The oldest goes where there are many.
    pub(crate) fn with(&self, question: &GrowthQuestion, answer: &GrowthAnswer) -> Result<Vec<u8>> {
        let new = bytes(answer)?;
        let others = self.answers.iter().filter(|(known, _)| known != question);
        let others = others.map(|(question, bytes)| (question, *bytes));
        let all = [(question, &new[..])].into_iter().chain(others);
        let kept: Vec<_> = all.take(MOST_ANSWERS).collect();
        let mut to = Writer::default();
        for rule in [GROWTH_RULE, PATH_RULE, FINGERPRINT_RULE] {
            to.number(rule.into())?;
        }
        to.list(&kept, |to, (question, bytes)| {
            to.list(&question.earlier, |to, hash| to.number(*hash))?;
            to.number(question.most as u64)?;
            to.bytes(bytes)
        })?;
        Ok(to.finish())
    }
}

fn bytes(answer: &GrowthAnswer) -> Result<Vec<u8>> {
    let mut to = Writer::default();
    to.sentence(&answer.verdict)?;
    to.list(&answer.sizes, |to, size| to.number(*size))?;
    to.list(&answer.changed, put_row)?;
    to.number(answer.changed_count as u64)?;
    to.list(&answer.growing, put_row)?;
    to.list(&answer.suspects, put_suspect)?;
    put_ledger(&mut to, &answer.ledger.first)?;
    put_ledger(&mut to, &answer.ledger.last)?;
    to.option(answer.ledger.verdict.as_ref(), Writer::sentence)?;
    Ok(to.finish())
}

/// Reads an answer about so many snapshots.
fn answer(bytes: &[u8], snapshots: usize) -> Option<GrowthAnswer> {
    let mut from = Reader::new(bytes);
    let verdict = from.sentence()?;
    let sizes = values(&mut from, snapshots)?;
    let changed = from.list(MOST_ROWS, |from| row(from, snapshots))?;
    let changed_count = from.index().filter(|count| *count >= changed.len())?;
    let growing = from.list(MOST_ROWS, |from| row(from, snapshots))?;
    let suspects = from.list(MOST_ROWS, |from| suspect(from, &growing))?;
    let answer = GrowthAnswer {
        verdict,
        fingerprint_rule: FINGERPRINT_RULE,
        changed,
        changed_count,
        growing,
        suspects,
        sizes,
        ledger: LedgerChange {
            first: ledger(&mut from)?,
            last: ledger(&mut from)?,
            verdict: from.option(Reader::sentence)?,
        },
    };
    from.is_at_end().then_some(answer)
}

/// Reads a number of each snapshot.
fn values(from: &mut Reader<'_>, snapshots: usize) -> Option<Vec<u64>> {
    let values = from.list(snapshots, size)?;
    (values.len() == snapshots).then_some(values)
}

fn size(from: &mut Reader<'_>) -> Option<u64> {
    from.number().filter(|bytes| *bytes <= MOST_BYTES)
}

fn put_row(to: &mut Writer, row: &GrowthRow) -> Result {
    to.text(&row.fingerprint)?;
    to.list(&row.older_fingerprints, |to, one| to.text(one))?;
    to.number(row.kind as u64)?;
    to.name(&row.name)?;
    to.number(row.is_behind_trace.into())?;
    to.list(&row.counts, |to, count| to.number(*count))?;
    to.list(&row.sizes, |to, size| to.number(*size))?;
    for change in [row.count_change, row.size_change, row.entry_change] {
        to.number(change.cast_unsigned())?;
    }
    to.number(row.grows_in_every_step.into())?;
    to.number(row.growing_steps as u64)?;
    to.name(&row.example)?;
    to.option(row.example_is.as_ref(), Writer::sentence)
}

fn row(from: &mut Reader<'_>, snapshots: usize) -> Option<GrowthRow> {
    Some(GrowthRow {
        // Whoever goes on from the objects has the heap.
        example_node: None,
        fingerprint: from.fingerprint()?,
        older_fingerprints: from.list(MOST_ROWS, Reader::fingerprint)?,
        kind: Kind::from_number(u8::try_from(from.number()?).ok()?)?,
        name: from.name()?,
        is_behind_trace: from.flag()?,
        counts: values(from, snapshots)?,
        sizes: values(from, snapshots)?,
        count_change: from.number()?.cast_signed(),
        size_change: from.number()?.cast_signed(),
        entry_change: from.number()?.cast_signed(),
        grows_in_every_step: from.flag()?,
        growing_steps: from.index().filter(|steps| *steps < snapshots)?,
        example: from.name()?,
        example_is: from.option(Reader::sentence)?,
    })
}

fn put_suspect(to: &mut Writer, suspect: &SuspectRow) -> Result {
    to.list(&suspect.rows, |to, row| to.number(*row as u64))?;
    to.name(&suspect.point)?;
    to.option(suspect.point_is.as_ref(), Writer::sentence)?;
    to.option(suspect.held_by.as_ref(), Writer::sentence)?;
    to.number(suspect.retained)?;
    to.number(suspect.share.to_bits())?;
    to.number(suspect.grown)?;
    to.number(suspect.entries)?;
    to.number(suspect.is_small.into())?;
    to.name(&suspect.example)?;
    to.option(suspect.example_is.as_ref(), Writer::sentence)?;
    to.text(&suspect.fingerprint)
}

/// Reads a suspect of these groups.
fn suspect(from: &mut Reader<'_>, growing: &[GrowthRow]) -> Option<SuspectRow> {
    let rows = from.list(MOST_ROWS, |from| {
        from.index().filter(|row| *row < growing.len())
    })?;
    let fingerprints = rows.iter().map(|row| growing[*row].fingerprint.clone());
    Some(SuspectRow {
        point_node: NodeId::ROOT,
        groups: fingerprints.collect(),
        rows,
        point: from.name()?,
        point_is: from.option(Reader::sentence)?,
        held_by: from.option(Reader::sentence)?,
        retained: from.number()?,
        share: Some(f64::from_bits(from.number()?)).filter(|share| (0.0..=1.0).contains(share))?,
        grown: size(from)?,
        entries: size(from)?,
        is_small: from.flag()?,
        example: from.name()?,
        example_is: from.option(Reader::sentence)?,
        fingerprint: from.fingerprint()?,
    })
}

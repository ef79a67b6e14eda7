//! What the answers on a page say, in Chinese. As JSON they say it in English.

use crate::answers::growth::GrowthAnswer;
use crate::answers::top::Top;
use luasnap_words::{Language, Sentence};
use std::collections::BTreeMap;

/// Returns the sentences of the answers that a page shows, of at most this many rows of each sort: each in English, as
/// the answer has it, and in Chinese. None comes twice.
pub(super) fn in_chinese(
    top: &Top,
    growth: Option<&GrowthAnswer>,
    rows: usize,
) -> Vec<(String, String)> {
    let of_groups = top.groups.iter().take(rows).flat_map(|row| {
        let doing = row.coroutine.as_ref().map(|coroutine| &coroutine.words);
        [row.example_is.as_ref(), doing]
    });
    let of_top = [top.verdict.as_ref(), top.ledger.verdict.as_ref()];
    let of_growth = growth.into_iter().flat_map(|answer| {
        let changed = answer.changed.iter().take(rows);
        let growing = answer.growing.iter().take(rows);
        let suspects = answer.suspects.iter();
        [Some(&answer.verdict), answer.ledger.verdict.as_ref()]
            .into_iter()
            .chain(changed.chain(growing).map(|row| row.example_is.as_ref()))
            .chain(suspects.flat_map(|row| [row.example_is.as_ref(), row.held_by.as_ref()]))
    });
    let sentences = of_top.into_iter().chain(of_groups).chain(of_growth);
    let pair = |sentence: &Sentence| {
        let text = |language| sentence.whole(language);
        (text(Language::English), text(Language::Chinese))
    };
    // Inserted one by one: collecting would sort them first, 6 kB of code.
    let mut pairs = BTreeMap::new();
    for (english, chinese) in sentences.flatten().map(pair) {
        pairs.insert(english, chinese);
    }
    pairs.into_iter().collect()
}

//! Finding the texts of a language.

use crate::language::Language;
use crate::packed::{Packed, pack};
use crate::text::Noun;
use crate::{chinese, english};

static ENGLISH: Packed = pack!(english::TEXTS);
static CHINESE: Packed = pack!(chinese::TEXTS);
static CHINESE_PHRASES: Packed = pack!(chinese::PHRASES);

fn texts(language: Language) -> &'static Packed {
    match language {
        Language::English => &ENGLISH,
        Language::Chinese => &CHINESE,
    }
}

fn nouns_in(language: Language) -> &'static [Noun] {
    match language {
        Language::English => english::NOUNS,
        Language::Chinese => chinese::NOUNS,
    }
}

/// Returns the codes that there are texts for, in order.
pub fn codes() -> impl Iterator<Item = &'static str> {
    ENGLISH.iter().map(|(code, _)| code)
}

/// Returns the code as it is among those that there are texts for.
pub(crate) fn known_code(code: &str) -> Option<&'static str> {
    ENGLISH.find(code).map(|(known, _)| known)
}

/// Returns the names of the places for values in the texts of a code, in all languages.
pub(crate) fn places(code: &'static str) -> impl Iterator<Item = &'static str> {
    let texts = Language::ALL.map(|language| template(language, code));
    texts.into_iter().flat_map(|text| {
        let places = text.split('{').skip(1);
        places.map(|rest| rest.split_once('}').map_or(rest, |(name, _)| name))
    })
}

/// Returns a noun, given by its English singular, as it is among those that there are.
pub fn known_noun(one: &str) -> Option<&'static str> {
    let found = english::NOUNS.binary_search_by_key(&one, |(known, _)| known);
    found.ok().map(|at| english::NOUNS[at].0)
}

/// Returns the English singulars of the nouns that there are, in order.
pub fn nouns() -> impl Iterator<Item = &'static str> {
    english::NOUNS.iter().map(|(one, _)| *one)
}

/// Returns the text of a code. The code itself if there is none, which tests find.
pub(crate) fn template(language: Language, code: &'static str) -> &'static str {
    let found = texts(language).find(code);
    debug_assert!(found.is_some(), "there is no text for '{code}'");
    found.map_or(code, |(_, text)| text)
}

/// Returns the singular and the plural of a noun by its English singular.
pub(crate) fn noun(language: Language, one: &'static str) -> (&'static str, &'static str) {
    let nouns = nouns_in(language);
    let found = nouns.binary_search_by_key(&one, |(known, _)| known);
    debug_assert!(found.is_ok(), "there is no noun '{one}'");
    found.map_or((one, one), |at| nouns[at].1)
}

/// Returns the English texts of the phrases that there are, in order.
pub fn phrases() -> impl Iterator<Item = &'static str> {
    CHINESE_PHRASES.iter().map(|(english, _)| english)
}

/// Returns a phrase, given by its English text, as it is among those that there are.
pub fn known_phrase(english: &str) -> Option<&'static str> {
    CHINESE_PHRASES.find(english).map(|(known, _)| known)
}

/// Returns the text of a phrase by its English text, which is its text where there is no other.
pub(crate) fn phrase(language: Language, english: &'static str) -> &'static str {
    let found = CHINESE_PHRASES.find(english);
    debug_assert!(found.is_some(), "there is no phrase '{english}'");
    match (language, found) {
        (Language::Chinese, Some((_, text))) => text,
        _ => english,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn holes(text: &str) -> BTreeSet<&str> {
        let after = text.split('{').skip(1);
        after
            .map(|rest| rest.split_once('}').expect(text).0)
            .collect()
    }

    #[test]
    fn packed_texts_are_those_of_the_files() {
        assert!(ENGLISH.iter().eq(english::TEXTS.iter().copied()));
        assert!(CHINESE.iter().eq(chinese::TEXTS.iter().copied()));
        for (code, text) in chinese::TEXTS {
            assert_eq!(CHINESE.find(code), Some((*code, *text)));
        }
        assert_eq!(CHINESE.find(""), None);
        assert_eq!(CHINESE.find("zz"), None);
    }

    #[test]
    fn every_language_has_every_text_with_the_same_arguments() {
        assert!(CHINESE_PHRASES.iter().is_sorted_by(|a, b| a.0 < b.0));
        for language in Language::ALL {
            assert!(
                texts(language).iter().is_sorted_by(|a, b| a.0 < b.0),
                "{language:?}"
            );
            assert!(
                nouns_in(language).is_sorted_by(|a, b| a.0 < b.0),
                "{language:?}"
            );
            let codes: Vec<_> = texts(language).iter().map(|(code, _)| code).collect();
            assert_eq!(codes, super::codes().collect::<Vec<_>>(), "{language:?}");
            for ((code, text), (_, english)) in texts(language).iter().zip(ENGLISH.iter()) {
                assert_eq!(holes(text), holes(english), "{language:?}: {code}");
            }
            let ones = |nouns: &[Noun]| nouns.iter().map(|(one, _)| *one).collect::<Vec<_>>();
            assert_eq!(
                ones(nouns_in(language)),
                ones(english::NOUNS),
                "{language:?}"
            );
        }
    }
}

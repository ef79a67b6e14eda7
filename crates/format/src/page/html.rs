//! The HTML of a page: style, script and texts, and the data, compressed.
//!
//! A policy in it forbids everything but this style and this script, by their hashes. The names of a heap are in the
//! compressed data alone, which the script shows as text; and in the verdict, escaped, for whoever runs no script.

use crate::answer_error::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use luasnap_words::{Language, Sentence};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::io::Write;

const STYLE: &str = include_str!("assets/page.css");
const SKELETON: &str = include_str!("assets/page.html");
/// In the order in which they use each other.
const SCRIPTS: [&str; 11] = [
    include_str!("assets/text.js"),
    include_str!("assets/element.js"),
    include_str!("assets/verdict.js"),
    include_str!("assets/memory.js"),
    include_str!("assets/growth.js"),
    include_str!("assets/findings.js"),
    include_str!("assets/icicle.js"),
    include_str!("assets/groups.js"),
    include_str!("assets/waste.js"),
    include_str!("assets/provenance.js"),
    include_str!("assets/page.js"),
];
const TEXTS: [(&str, &str); 2] = [
    ("texts-en", include_str!("assets/en.json")),
    ("texts-zh", include_str!("assets/zh.json")),
];

/// Returns the whole page. Without its script it says the verdict in this language, or in all.
pub(super) fn page(
    data: &Value,
    verdict: Option<&Sentence>,
    language: Option<Language>,
) -> Result<String> {
    let script = SCRIPTS.concat();
    let texts = TEXTS.map(|(id, json)| {
        format!(
            "<script type=\"application/json\" id=\"{id}\">{}</script>\n",
            json.trim()
        )
    });
    let packed = STANDARD.encode(packed(data)?);
    let mut html = String::new();
    html.try_reserve_exact(
        SKELETON.len() + STYLE.len() + script.len() + packed.len() + (64 << 10),
    )?;
    let mut rest = SKELETON;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after.split_once("}}").unwrap_or((after, ""));
        html += before;
        match name {
            "style-hash" => html += &hash(STYLE),
            "script-hash" => html += &hash(&script),
            "style" => html += STYLE,
            "script" => html += &script,
            "texts" => html += &texts.concat(),
            "without-script" => html += &without_script(verdict, language),
            "data" => html += &packed,
            _ => {}
        }
        rest = after;
    }
    html += rest;
    Ok(html)
}

/// Returns what is there for whoever runs no script: the verdict, and that this is not all.
fn without_script(verdict: Option<&Sentence>, language: Option<Language>) -> String {
    let more = Sentence::new("page.needs_script");
    let languages = Language::ALL.into_iter();
    let chosen = languages.filter(|known| language.is_none_or(|language| language == *known));
    let lines = chosen.flat_map(|language| {
        let said = verdict.into_iter().chain([&more]);
        said.map(move |sentence| (language.code(), sentence.text(language)))
    });
    lines
        .map(|(code, text)| format!("<p lang=\"{code}\">{}</p>\n", escaped(&text)))
        .collect()
}

/// Returns data as the browser's `DecompressionStream` reads them: gzip, without a name or a time.
fn packed(data: &Value) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    serde_json::to_writer(&mut encoder, data).map_err(std::io::Error::from)?;
    encoder.flush()?;
    Ok(encoder.finish()?)
}

/// Returns the source by which a Content-Security-Policy allows an element with this text.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// Returns text for HTML.
fn escaped(text: &str) -> String {
    let mut html = String::new();
    for character in text.chars() {
        match character {
            '&' => html += "&amp;",
            '<' => html += "&lt;",
            '>' => html += "&gt;",
            '"' => html += "&quot;",
            '\'' => html += "&#39;",
            other => html.push(other),
        }
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ours_ends_no_element() {
        for script in SCRIPTS {
            assert!(!script.contains("</") && !script.contains("<!--"));
        }
        for (_, texts) in TEXTS {
            assert!(!texts.contains('<'));
        }
        assert!(!STYLE.contains('<'));
        assert_eq!(
            escaped("<img src='x' onerror=\"a&b\">"),
            "&lt;img src=&#39;x&#39; onerror=&quot;a&amp;b&quot;&gt;"
        );
    }

    #[test]
    fn without_a_script_it_speaks_the_language_that_was_chosen() {
        let verdict = Sentence::new("top.none");
        let text = without_script(Some(&verdict), Some(Language::Chinese));
        assert!(text.contains(&verdict.text(Language::Chinese)) && !text.contains("lang=\"en\""));
        let text = without_script(Some(&verdict), None);
        for language in Language::ALL {
            assert!(text.contains(&escaped(&verdict.text(language))), "{text}");
        }
    }

    #[test]
    fn both_languages_have_the_same_texts() {
        let [english, chinese] = TEXTS.map(|(_, texts)| {
            let texts: Value = serde_json::from_str(texts).unwrap();
            texts.as_object().unwrap().clone()
        });
        for (name, text) in &english {
            let other = chinese
                .get(name)
                .unwrap_or_else(|| panic!("zh.json has no {name}"));
            let parts = |text: &Value| {
                let text = text.as_str().unwrap();
                let mut parts: Vec<String> = text
                    .split('{')
                    .skip(1)
                    .map(|part| part.split_once('}').unwrap().0.to_owned())
                    .collect();
                parts.sort();
                parts.dedup();
                parts
            };
            assert_eq!(parts(text), parts(other), "{name}");
        }
        assert_eq!(english.len(), chinese.len());
    }

    /// A text that nothing names would be of no use.
    #[test]
    fn the_script_names_each_text() {
        let texts: Value = serde_json::from_str(TEXTS[0].1).unwrap();
        let script = SCRIPTS.concat();
        for name in texts.as_object().unwrap().keys() {
            let family = name.split('.').next().unwrap();
            let quoted = script.contains(&format!("'{name}'"));
            // Those of a family are named by what comes behind the dot, or by their number.
            let is_named = quoted
                || script.contains(&format!("`{family}.${{"))
                || script.contains(&format!("'{family}')"));
            assert!(is_named, "{name}");
        }
    }
}

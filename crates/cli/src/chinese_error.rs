//! What clap says of a wrong command line, in Chinese: by the kind of its error, and by what the error is about.

use clap::builder::{StyledStr, Styles};
use clap::error::{ContextKind, ContextValue, Error, ErrorFormatter, ErrorKind};
use luasnap_words::{Language, Sentence};
use std::error::Error as _;
use std::num::{IntErrorKind, ParseIntError};

/// Writes clap's errors in Chinese. Help, which is an error to clap, comes from elsewhere and stays.
pub struct InChinese;

impl ErrorFormatter for InChinese {
    fn format_error(error: &Error<InChinese>) -> StyledStr {
        let styles = Styles::styled();
        let (wrong, valid) = (styles.get_error(), styles.get_valid());
        let mut text = format!("{wrong}错误：{wrong:#}{}", what_happened(error));
        let tips = tips(error);
        if !tips.is_empty() {
            text.push('\n');
        }
        for tip in tips {
            text += &format!("\n  {valid}提示：{valid:#}{tip}");
        }
        if let Some(ContextValue::StyledStr(usage)) = error.get(ContextKind::Usage) {
            let head = styles.get_header();
            let usage = usage.to_string();
            let usage = usage.strip_prefix("Usage: ").unwrap_or(&usage);
            text += &format!("\n\n{head}用法：{head:#}{usage}");
        }
        text += "\n\n更多信息请用 '--help' 查看。\n";
        text.into()
    }
}

/// Returns the text that an error has of this kind.
fn text_of(error: &Error<InChinese>, kind: ContextKind) -> &str {
    match error.get(kind) {
        Some(ContextValue::String(text)) => text,
        _ => "",
    }
}

/// Returns the texts that an error has of this kind, in quotes.
fn quoted(error: &Error<InChinese>, kind: ContextKind) -> Option<String> {
    let texts = match error.get(kind)? {
        ContextValue::String(text) => std::slice::from_ref(text),
        ContextValue::Strings(texts) if !texts.is_empty() => texts,
        _ => return None,
    };
    let texts: Vec<String> = texts.iter().map(|text| format!("'{text}'")).collect();
    Some(texts.join("、"))
}

fn number_of(error: &Error<InChinese>, kind: ContextKind) -> isize {
    match error.get(kind) {
        Some(ContextValue::Number(number)) => *number,
        _ => 0,
    }
}

fn what_happened(error: &Error<InChinese>) -> String {
    if let Some(ContextValue::String(own)) = error.get(ContextKind::Custom) {
        return own.clone();
    }
    let arg = text_of(error, ContextKind::InvalidArg);
    let value = text_of(error, ContextKind::InvalidValue);
    let verb = text_of(error, ContextKind::InvalidSubcommand);
    let args = quoted(error, ContextKind::InvalidArg).unwrap_or_default();
    match error.kind() {
        ErrorKind::ArgumentConflict => {
            let what = match arg {
                "" => verb,
                arg => arg,
            };
            match quoted(error, ContextKind::PriorArg) {
                Some(prior) if prior == args => format!("参数 '{what}' 不能用多次"),
                Some(prior) => format!("参数 '{what}' 不能与 {prior} 一起用"),
                None => format!("参数 '{what}' 不能与其他参数一起用"),
            }
        }
        ErrorKind::NoEquals => format!("给 '{arg}' 的值要用等号"),
        ErrorKind::InvalidValue => {
            let text = match value {
                "" => format!("'{arg}' 需要一个值，但没有给出"),
                value => format!("'{arg}' 的值 '{value}' 无效"),
            };
            match quoted(error, ContextKind::ValidValue) {
                Some(valid) => format!("{text}\n  ［可选值：{}］", valid.replace('\'', "")),
                None => text,
            }
        }
        ErrorKind::InvalidSubcommand => format!("没有 '{verb}' 这个命令"),
        ErrorKind::MissingRequiredArgument => format!("缺少必要的参数：{args}"),
        ErrorKind::MissingSubcommand => format!("'{verb}' 后面要有一个命令"),
        ErrorKind::InvalidUtf8 => "命令行里有不是 UTF-8 的文字".to_owned(),
        ErrorKind::TooManyValues => format!("'{arg}' 的值 '{value}' 是多余的"),
        ErrorKind::TooFewValues => format!(
            "'{arg}' 至少要有 {} 个值，只给出了 {} 个",
            number_of(error, ContextKind::MinValues),
            number_of(error, ContextKind::ActualNumValues)
        ),
        ErrorKind::WrongNumberOfValues => format!(
            "'{arg}' 要有 {} 个值，给出了 {} 个",
            number_of(error, ContextKind::ExpectedNumValues),
            number_of(error, ContextKind::ActualNumValues)
        ),
        ErrorKind::ValueValidation => {
            let why = why(error).map_or_else(String::new, |why| format!("：{why}"));
            format!("'{arg}' 的值 '{value}' 无效{why}")
        }
        ErrorKind::UnknownArgument => format!("没有 '{arg}' 这个参数"),
        kind => kind.to_string(),
    }
}

/// Returns why a value is wrong: as luasnap, or as Rust's and clap's parsers of numbers say it.
fn why(error: &Error<InChinese>) -> Option<String> {
    let source = error.source()?;
    if let Some(sentence) = source.downcast_ref::<Sentence>() {
        return Some(sentence.text(Language::Chinese));
    }
    if let Some(number) = source.downcast_ref::<ParseIntError>() {
        return Some(match number.kind() {
            IntErrorKind::PosOverflow => "数字太大".to_owned(),
            IntErrorKind::NegOverflow => "数字太小".to_owned(),
            _ => "不是整数".to_owned(),
        });
    }
    let text = source.to_string();
    Some(match text.split_once(" is not in ") {
        Some((number, range)) => format!("{number} 不在 {range} 之内"),
        None => text,
    })
}

fn tips(error: &Error<InChinese>) -> Vec<String> {
    let near = [
        (ContextKind::SuggestedSubcommand, "命令"),
        (ContextKind::SuggestedArg, "参数"),
        (ContextKind::SuggestedValue, "值"),
    ];
    let near = near.into_iter().filter_map(|(kind, what)| {
        let near = quoted(error, kind)?;
        Some(format!("有相近的{what}：{near}"))
    });
    let mut tips: Vec<String> = near.collect();
    if let Some(ContextValue::StyledStrs(others)) = error.get(ContextKind::Suggested) {
        tips.extend(others.iter().map(|tip| in_chinese(&tip.to_string())));
    }
    tips
}

/// Returns a tip of clap's in Chinese; one of luasnap's is in Chinese already.
fn in_chinese(tip: &str) -> String {
    let as_value = tip.strip_prefix("to pass ");
    if let Some((value, way)) = as_value.and_then(|tip| tip.split_once(" as a value, use ")) {
        return format!("要把 {value} 当作值，请用 {way}");
    }
    match tip.strip_suffix(" exists") {
        Some(other) => format!("有 {other}"),
        None => tip.to_owned(),
    }
}

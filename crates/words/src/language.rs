//! The languages that people are spoken to in.

/// A language.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Language {
    /// English, which JSON and Lua always get.
    #[default]
    English,
    /// Chinese, in simplified characters.
    Chinese,
}

impl Language {
    /// All languages.
    pub const ALL: [Language; 2] = [Language::English, Language::Chinese];

    /// Returns the language with this code (ISO 639-1): `en` or `zh`.
    pub fn from_code(code: &[u8]) -> Option<Language> {
        let is = |language: &Language| language.code().as_bytes() == code;
        Language::ALL.into_iter().find(is)
    }

    /// Returns the code of the language (ISO 639-1): `en` or `zh`.
    pub fn code(self) -> &'static str {
        match self {
            Language::English => "en",
            Language::Chinese => "zh",
        }
    }

    /// Returns the language of a locale's variables: the first of `LC_ALL`, `LC_MESSAGES` and `LANG` that is set and not
    /// empty counts (POSIX, 8.2).
    ///
    /// # Examples
    ///
    /// ```
    /// use luasnap_words::Language;
    ///
    /// let lang = |name: &str| (name == "LANG").then(|| "zh_CN.UTF-8".to_owned());
    /// assert_eq!(Language::of_locale(lang), Language::Chinese);
    /// ```
    pub fn of_locale(variable: impl Fn(&str) -> Option<String>) -> Language {
        let set = ["LC_ALL", "LC_MESSAGES", "LANG"];
        let mut set = set.into_iter().filter_map(variable);
        let locale = set.find(|locale| !locale.is_empty()).unwrap_or_default();
        let language = locale.split(['_', '.', '@', '-']).next();
        match language {
            Some("zh") => Language::Chinese,
            _ => Language::English,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_variable_that_is_set_counts() {
        let cases: [(&[(&str, &str)], Language); 8] = [
            (&[], Language::English),
            (&[("LANG", "zh_CN.UTF-8")], Language::Chinese),
            (&[("LANG", "zh")], Language::Chinese),
            (&[("LC_ALL", "C"), ("LANG", "zh_CN")], Language::English),
            (&[("LC_ALL", ""), ("LANG", "zh_TW")], Language::Chinese),
            (
                &[("LC_MESSAGES", "en_US.UTF-8"), ("LANG", "zh_CN")],
                Language::English,
            ),
            (
                &[("LC_ALL", "zh_CN.UTF-8"), ("LANG", "C")],
                Language::Chinese,
            ),
            (&[("LANG", "zhuang")], Language::English),
        ];
        for (variables, expected) in cases {
            let get = |name: &str| {
                let mut found = variables.iter().filter(|(known, _)| *known == name);
                found.next().map(|(_, value)| (*value).to_owned())
            };
            assert_eq!(Language::of_locale(get), expected, "{variables:?}");
        }
    }
}

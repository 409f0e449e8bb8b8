//! What kinglet's reports say, in English, Spanish, Portuguese and French.
//!
//! The texts are [Fluent](https://projectfluent.org) resources in `locales/`. Numbers are given as text, written
//! by [`Text::number`] as the language writes them; keys of files (`use.power_mw`) are the same in all languages.
#![forbid(unsafe_code)]

use std::fmt;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource};
use rust_decimal::{Decimal, RoundingStrategy};
use unic_langid::LanguageIdentifier;

/// A language that is complete: the tests compare it with English, key by key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Spanish.
    Spanish,
    /// Portuguese.
    Portuguese,
    /// French.
    French,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::Portuguese, Self::French];

    /// Its ISO 639-1 code.
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
            Self::Portuguese => "pt",
            Self::French => "fr",
        }
    }

    /// The language of an ISO 639-1 code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.code() == code)
    }

    /// The Fluent resource.
    pub const fn resource(self) -> &'static str {
        match self {
            Self::English => include_str!("../locales/en.ftl"),
            Self::Spanish => include_str!("../locales/es.ftl"),
            Self::Portuguese => include_str!("../locales/pt.ftl"),
            Self::French => include_str!("../locales/fr.ftl"),
        }
    }

    fn identifier(self) -> LanguageIdentifier {
        self.code().parse().unwrap_or_default()
    }

    const fn decimal_mark(self) -> char {
        match self {
            Self::English => '.',
            Self::Spanish | Self::Portuguese | Self::French => ',',
        }
    }
}

/// The texts of one language.
pub struct Text {
    language: Language,
    bundle: FluentBundle<FluentResource>,
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Text").field("language", &self.language).finish_non_exhaustive()
    }
}

impl Text {
    /// Reads the language's resource.
    pub fn new(language: Language) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![language.identifier()]);
        // Marks around arguments would show up in files and on terminals; all four run left to right.
        bundle.set_use_isolating(false);
        let resource = match FluentResource::try_new(language.resource().to_owned()) {
            Ok(resource) => resource,
            // What could be read is used; a test refuses such a resource.
            Err((resource, _)) => resource,
        };
        bundle.add_resource_overriding(resource);
        Self { language, bundle }
    }

    /// The language.
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Whether there is such a text.
    pub fn has(&self, key: &str) -> bool {
        self.bundle.has_message(key)
    }

    /// A text without arguments.
    pub fn get(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// A text with its arguments. A key that does not exist is shown in braces.
    pub fn with(&self, key: &str, arguments: &[(&str, &dyn fmt::Display)]) -> String {
        let Some(pattern) = self.bundle.get_message(key).and_then(|message| message.value()) else {
            debug_assert!(false, "there is no text {key}");
            return format!("{{{key}}}");
        };
        let mut args = FluentArgs::new();
        for (name, value) in arguments {
            args.set(*name, value.to_string());
        }
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(pattern, Some(&args), &mut errors).into_owned();
        debug_assert!(errors.is_empty(), "{key}: {errors:?}");
        text
    }

    /// A message in this language.
    pub fn say(&self, message: &Message) -> String {
        let arguments: Vec<(&str, &dyn fmt::Display)> =
            message.arguments.iter().map(|(name, value)| (*name, value as &dyn fmt::Display)).collect();
        self.with(message.key, &arguments)
    }

    /// A number with `places` digits after the decimal mark, halves rounded away from zero.
    pub fn number(&self, value: Decimal, places: u32) -> String {
        let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        self.mark(&format!("{rounded:.*}", places as usize))
    }

    /// A number as it is, without trailing zeros.
    pub fn plain(&self, value: Decimal) -> String {
        self.mark(&value.normalize().to_string())
    }

    /// A number with this many significant digits, and no more places than it has.
    pub fn significant(&self, value: Decimal, digits: u32) -> String {
        let rounded = value
            .round_sf_with_strategy(digits, RoundingStrategy::MidpointAwayFromZero)
            .unwrap_or(value)
            .normalize();
        self.mark(&rounded.to_string())
    }

    /// Thousands set apart by a narrow space, which all four languages understand.
    fn mark(&self, digits: &str) -> String {
        let (sign, digits) = digits.strip_prefix('-').map_or(("", digits), |digits| ("-", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let mut text = String::from(sign);
        for (i, digit) in whole.chars().enumerate() {
            // Four digits are read at a glance, and may be a year.
            if i > 0 && whole.len() > 4 && (whole.len() - i).is_multiple_of(3) {
                text.push('\u{202f}');
            }
            text.push(digit);
        }
        if !fraction.is_empty() {
            text.push(self.language.decimal_mark());
            text.push_str(fraction);
        }
        text
    }
}

/// A text with its arguments, not yet in any language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    key: &'static str,
    arguments: Vec<(&'static str, String)>,
}

impl Message {
    /// The text of a key.
    pub const fn new(key: &'static str) -> Self {
        Self { key, arguments: Vec::new() }
    }

    /// The same with an argument.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Self {
        self.arguments.push((name, value.to_string()));
        self
    }

    /// The key.
    pub const fn key(&self) -> &'static str {
        self.key
    }
}

/// In English.
impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&Text::new(Language::English).say(self))
    }
}

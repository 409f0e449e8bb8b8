//! Every language has every text, with the same arguments.

use std::collections::{BTreeMap, BTreeSet};

use fluent_syntax::ast::{Entry, Expression, InlineExpression, Pattern, PatternElement};
use kinglet_text::{Language, Text};

/// Keys with the names of their arguments; panics on what Fluent can't read.
fn messages(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let resource = fluent_syntax::parser::parse(language.resource())
        .unwrap_or_else(|(_, errors)| panic!("{}: {errors:?}", language.code()));
    let mut messages = BTreeMap::new();
    for entry in resource.body {
        match entry {
            Entry::Message(message) => {
                let pattern = message.value.unwrap_or_else(|| panic!("{} has no text", message.id.name));
                let twice = messages.insert(message.id.name.to_owned(), arguments(&pattern));
                assert!(twice.is_none(), "{}: {} twice", language.code(), message.id.name);
            }
            Entry::Comment(_) | Entry::GroupComment(_) | Entry::ResourceComment(_) => {}
            other => panic!("{}: {other:?}", language.code()),
        }
    }
    messages
}

fn arguments(pattern: &Pattern<&str>) -> BTreeSet<String> {
    let name = |element: &PatternElement<&str>| match element {
        PatternElement::Placeable {
            expression: Expression::Inline(InlineExpression::VariableReference { id }),
        } => Some(id.name.to_owned()),
        PatternElement::TextElement { .. } => None,
        other => panic!("only plain arguments are used: {other:?}"),
    };
    pattern.elements.iter().filter_map(name).collect()
}

#[test]
fn no_key_is_missing() {
    let english = messages(Language::English);
    assert!(!english.is_empty());
    for language in Language::ALL {
        let other = messages(language);
        for (key, arguments) in &english {
            assert_eq!(other.get(key), Some(arguments), "{}: {key}", language.code());
        }
        for key in other.keys() {
            assert!(english.contains_key(key), "{}: {key} is not in English", language.code());
        }
    }
}

/// What is the same in another language as in English was most likely forgotten.
#[test]
fn texts_are_translated() {
    let lines = |language: Language| -> BTreeMap<&str, &str> {
        language.resource().lines().filter_map(|line| line.split_once(" = ")).collect()
    };
    let english = lines(Language::English);
    for language in Language::ALL.into_iter().skip(1) {
        let other = lines(language);
        let same: Vec<_> = english
            .iter()
            .filter(|(key, value)| value.split(' ').count() >= 4 && other.get(*key) == Some(value))
            .collect();
        assert!(same.is_empty(), "{}: {same:?}", language.code());
    }
}

#[test]
fn numbers_are_written_as_the_language_does() {
    let number =
        |language, text: &str, places| Text::new(language).number(text.parse().expect("a number"), places);
    assert_eq!(number(Language::English, "3.245", 2), "3.25");
    assert_eq!(number(Language::French, "3.2", 2), "3,20");
    assert_eq!(number(Language::Spanish, "-1234567.5", 0), "-1\u{202f}234\u{202f}568");
    let text = Text::new(Language::English);
    assert_eq!(text.significant("0.0113792".parse().expect("a number"), 3), "0.0114");
    assert_eq!(text.significant("1500".parse().expect("a number"), 3), "1500");
    assert_eq!(text.plain("3.00".parse().expect("a number")), "3");
}

#[test]
fn codes_name_languages() {
    for language in Language::ALL {
        assert_eq!(Language::from_code(language.code()), Some(language));
    }
    assert_eq!(Language::from_code("de"), None);
}

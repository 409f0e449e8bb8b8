//! Pages: templates filled with facts, in one language.

use std::sync::Arc;

use kinglet_text::Text;
use minijinja::value::{Kwargs, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use rust_decimal::Decimal;

const TEMPLATES: [(&str, &str); 4] = [
    ("base.html", include_str!("../templates/base.html")),
    ("footprint.html", include_str!("../templates/footprint.html")),
    ("datasheet.html", include_str!("../templates/datasheet.html")),
    ("risk.html", include_str!("../templates/risk.html")),
];

/// Fills a template. In it, `t(key, name=value)` is a text, and `number`, `plain`, `significant` and `kg` write
/// numbers as the language does.
///
/// # Errors
/// When a template is wrong, which tests rule out.
pub(crate) fn render(name: &str, text: &Arc<Text>, context: Value) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    for (name, source) in TEMPLATES {
        environment.add_template(name, source)?;
    }
    let texts = Arc::clone(text);
    environment.add_function("t", move |key: &str, arguments: Kwargs| -> Result<String, Error> {
        let mut values = Vec::new();
        for name in arguments.args() {
            let value: Value = arguments.get(name)?;
            values.push((name, value.to_string()));
        }
        arguments.assert_all_used()?;
        let values: Vec<(&str, &dyn std::fmt::Display)> =
            values.iter().map(|(name, value)| (*name, value as &dyn std::fmt::Display)).collect();
        Ok(texts.with(key, &values))
    });
    type Write = fn(&Text, Decimal, u32) -> String;
    let filters: [(&'static str, Write); 4] = [
        ("number", |text, value, places| text.number(value, places)),
        ("plain", |text, value, _| text.plain(value)),
        ("significant", |text, value, digits| text.significant(value, digits)),
        ("kg", |text, value, _| crate::chart::kg(value, text)),
    ];
    for (name, write) in filters {
        let texts = Arc::clone(text);
        environment.add_filter(name, move |value: Value, digits: Option<u32>| -> Result<String, Error> {
            let number = value.to_string();
            let number = number.parse().or_else(|_| Decimal::from_scientific(&number)).map_err(|error| {
                Error::new(ErrorKind::InvalidOperation, "this is not a number").with_source(error)
            })?;
            Ok(write(&texts, number, digits.unwrap_or(2)))
        });
    }
    environment.get_template(name)?.render(context)
}

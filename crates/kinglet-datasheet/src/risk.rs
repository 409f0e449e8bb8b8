//! The risk card: five areas as questions.
//!
//! The areas are those of Sloane, Moss, Kennedy, Stewart, Warden, Plancher and Janapa Reddi, "Materiality and Risk
//! in the Age of Pervasive AI Sensors" (Nature Machine Intelligence 2025, doi 10.1038/s42256-025-01017-7). They
//! publish no scale, so the card has none: it asks, shows what the datasheet says, and keeps the answers.

use std::sync::Arc;

use kinglet_footprint::table::{Document, Result};
use kinglet_text::Text;
use minijinja::context;
use minijinja::value::{Serde, Value};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::chart::kg;
use crate::lint::Finding;
use crate::page;
use crate::sheet::{FieldValue, Sheet, Source};

/// Areas with their questions; the text of one is `risk-AREA-QUESTION`.
pub const AREAS: &[(&str, &[&str])] = &[
    ("calibration", &["conditions", "spread", "units", "drift", "errors"]),
    ("documentation", &["completeness", "identity", "contradictions", "limits"]),
    ("data", &["leaves", "recipients", "value"]),
    ("privacy", &["sensed", "consent", "retention", "reconstruction"]),
    ("waste", &["footprint", "life", "parts", "updates", "end"]),
];

/// A question with what is known.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// Its key.
    pub key: &'static str,
    /// The question.
    pub question: String,
    /// What a person answered.
    pub answer: Option<String>,
    /// What the datasheet has about it.
    pub evidence: Vec<String>,
}

/// An area.
#[derive(Clone, Debug, Serialize)]
pub struct Area {
    /// Its key.
    pub key: &'static str,
    /// Its name.
    pub name: String,
    /// Its questions.
    pub questions: Vec<Question>,
}

/// The card.
#[derive(Clone, Debug, Serialize)]
pub struct Card {
    /// The product.
    pub name: String,
    /// The five areas.
    pub areas: Vec<Area>,
    /// Questions with an answer or evidence.
    pub answered: usize,
    /// All questions.
    pub questions: usize,
}

impl Card {
    /// Takes answers from the description's `[risk.AREA]`, and evidence from the datasheet.
    ///
    /// # Errors
    /// For an area or a question that does not exist, and answers that are not texts.
    pub fn new(document: &Document, sheet: &Sheet, findings: &[Finding], text: &Text) -> Result<Self> {
        let root = document.root();
        let section = root.section("risk")?;
        if let Some(section) = &section {
            section.only(&AREAS.iter().map(|(area, _)| *area).collect::<Vec<_>>())?;
        }
        let mut areas = Vec::new();
        for (area, keys) in AREAS {
            let answers = match &section {
                Some(section) => section.section(area)?,
                None => None,
            };
            if let Some(answers) = &answers {
                answers.only(keys)?;
            }
            let mut questions = Vec::new();
            for key in *keys {
                let answer = match &answers {
                    Some(answers) => answers.text(key)?,
                    None => None,
                };
                questions.push(Question {
                    key,
                    question: text.get(&format!("risk-{area}-{key}")),
                    answer: answer.filter(|answer| !answer.trim().is_empty()).map(str::to_owned),
                    evidence: evidence(area, key, sheet, findings, text),
                });
            }
            areas.push(Area { key: area, name: text.get(&format!("risk-{area}")), questions });
        }
        let all = || areas.iter().flat_map(|area| &area.questions);
        let is_known = |question: &&Question| question.answer.is_some() || !question.evidence.is_empty();
        let name = if sheet.name().is_empty() { text.get("unnamed") } else { sheet.name().to_owned() };
        Ok(Self { name, answered: all().filter(is_known).count(), questions: all().count(), areas })
    }

    /// The page.
    ///
    /// # Errors
    /// When a template is wrong, which tests rule out.
    pub fn page(&self, text: &Arc<Text>) -> std::result::Result<String, minijinja::Error> {
        let context = context! {
            language => text.language().code(),
            version => env!("CARGO_PKG_VERSION"),
            title => text.with("risk-title", &[("name", &self.name)]),
            card => Value::from(Serde(self)),
        };
        page::render("risk.html", text, context)
    }
}

/// What the datasheet has about a question.
fn evidence(area: &str, key: &str, sheet: &Sheet, findings: &[Finding], text: &Text) -> Vec<String> {
    let fields = |places: &[(&str, &str)]| -> Vec<String> {
        let line = |(section, key): &(&str, &str)| {
            let figure = sheet.figure(section, key)?;
            let unit = if figure.unit.is_empty() { String::new() } else { format!(" {}", figure.unit) };
            let value = match &figure.value {
                FieldValue::Text(value) => value.clone(),
                FieldValue::Texts(values) => values.join("; "),
                FieldValue::Number(number) => text.plain(number.0) + &unit,
                FieldValue::Ends([low, high]) => {
                    format!("{} … {}{unit}", text.plain(low.0), text.plain(high.0))
                }
                FieldValue::Bool(value) => text.get(if *value { "yes" } else { "no" }),
            };
            let status = figure.status.map(|status| text.get(&format!("status-{status}")));
            let label = text.get(&format!("field-{section}-{key}"));
            let said = [status, Some(value).filter(|value| !value.is_empty())];
            Some(format!("{label}: {}", said.into_iter().flatten().collect::<Vec<_>>().join("; ")))
        };
        places.iter().filter_map(line).collect()
    };
    match (area, key) {
        ("calibration", "conditions") => fields(&[
            ("model", "dataset"),
            ("sensor", "light_klux"),
            ("performance", "place"),
            ("electrical", "temperature_c"),
        ]),
        ("calibration", "spread") => spread(sheet, text),
        ("calibration", "units") => fields(&[("performance", "devices"), ("performance", "repeats")]),
        ("documentation", "completeness") => {
            let (given, known) = sheet.completeness();
            vec![text.with("evidence-completeness", &[("given", &given), ("known", &known)])]
        }
        ("documentation", "identity") => {
            let measured = sheet.figure("model", "sha256").filter(|figure| figure.origin == Source::Measured);
            let mut lines = fields(&[("identity", "firmware")]);
            if let Some(hash) = measured.and_then(|figure| figure.text()) {
                lines.push(format!("{}: {hash}", text.get("field-model-sha256")));
            }
            lines
        }
        ("documentation", "contradictions") => match findings.len() {
            0 => vec![text.get("no-findings")],
            count => {
                let says = |finding: &Finding| format!("{}: {}", finding.place, text.say(&finding.message));
                let total = text.with("count-findings", &[("count", &count)]);
                [total].into_iter().chain(findings.iter().map(says)).collect()
            }
        },
        ("documentation", "limits") => fields(&[
            ("description", "do_not_use"),
            ("nutrition_use", "do_not_use"),
            ("nutrition_use", "restrictions"),
        ]),
        ("data", "leaves") => {
            let mut lines = fields(&[("communication", "transfer"), ("communication", "interrupt")]);
            if let Some(bytes) = sheet.number("communication", "packet_bytes") {
                lines.push(text.with("evidence-packet", &[("bytes", &text.plain(bytes))]));
            }
            lines
        }
        ("data", "recipients") => {
            fields(&[("privacy", "shared_with"), ("privacy", "sold_to"), ("privacy", "stored_in_cloud")])
        }
        ("privacy", "sensed") => {
            fields(&[("nutrition_glance", "about_humans"), ("privacy", "data"), ("privacy", "inferred")])
        }
        ("privacy", "consent") => fields(&[("nutrition_risks", "consent"), ("performance", "consent")]),
        ("privacy", "retention") => fields(&[
            ("privacy", "stored_on_device"),
            ("privacy", "stored_in_cloud"),
            ("privacy", "retention"),
        ]),
        ("waste", "footprint") => {
            let report = &sheet.footprint;
            let total = format!("{}: {} kg CO₂e", text.get("total"), kg(report.total_kg.0, text));
            let upper =
                format!("{}: {} kg CO₂e", text.get("may-be"), kg(report.uncertainty.upper_kg.0, text));
            vec![total, upper]
        }
        ("waste", "life") => {
            vec![text.with("evidence-years", &[("years", &text.plain(sheet.footprint.years.0))])]
        }
        ("waste", "updates") => fields(&[("security", "updates")]),
        ("waste", "end") => fields(&[("environment", "end_of_life")]),
        _ => Vec::new(),
    }
}

/// The least and the most of every factor's results.
fn spread(sheet: &Sheet, text: &Text) -> Vec<String> {
    let mut ranges: Vec<(&str, Decimal, Decimal)> = Vec::new();
    for result in &sheet.results {
        let value = result.value.0;
        match ranges.iter_mut().find(|(factor, ..)| *factor == result.factor) {
            Some((_, low, high)) => (*low, *high) = (value.min(*low), value.max(*high)),
            None => ranges.push((&result.factor, value, value)),
        }
    }
    let line = |(factor, low, high): (&str, Decimal, Decimal)| {
        let (low, high) = (text.plain(low), text.plain(high));
        text.with("evidence-spread", &[("factor", &factor), ("low", &low), ("high", &high)])
    };
    ranges.into_iter().map(line).collect()
}

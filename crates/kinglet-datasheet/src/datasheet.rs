//! A datasheet as JSON and as a page.

use std::collections::BTreeMap;
use std::sync::Arc;

use kinglet_text::Text;
use minijinja::context;
use minijinja::value::{Serde, Value};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive as _;
use serde::Serialize;
use serde_json::json;

use crate::chart::{self, Bar, Kind};
use crate::lint::{Finding, Said};
use crate::number::Number;
use crate::page;
use crate::sheet::{FieldValue, Figure, Sheet, Source};
use crate::spec::{FORMAT, FieldKind, NUTRITION, SECTIONS};

/// The datasheet as one JSON object, which [`crate::spec::schema`] describes. Messages are in `text`'s language.
pub fn to_json(sheet: &Sheet, findings: &[Finding], text: &Text) -> serde_json::Value {
    let sections: BTreeMap<_, _> = sheet
        .sections
        .iter()
        .filter(|(_, figures)| !figures.is_empty())
        .map(|(spec, figures)| (spec.key, figures.iter().map(|(key, figure)| (*key, figure)).collect()))
        .collect::<BTreeMap<&str, BTreeMap<&str, &Figure>>>();
    let factors: BTreeMap<_, _> = sheet.factors.iter().map(|(factor, levels)| (factor, levels)).collect();
    let nutrition: BTreeMap<_, _> = NUTRITION.iter().map(|part| (*part, sheet.statuses(part))).collect();
    let glossary: BTreeMap<_, _> = sheet.glossary.iter().map(|(term, meaning)| (term, meaning)).collect();
    let findings: Vec<Said> = findings.iter().map(|finding| finding.say(text)).collect();
    json!({
        "format": FORMAT,
        "sections": sections,
        "packet": sheet.packet,
        "registers": sheet.registers,
        "factors": factors,
        "results": sheet.results,
        "shares": sheet.shares,
        "confusion": sheet.confusion,
        "roc": sheet.roc,
        "precision_recall": sheet.precision_recall,
        "materials": sheet.materials,
        "materials_cost": Number(sheet.cost()),
        "footprint": sheet.footprint,
        "nutrition": nutrition,
        "glossary": glossary,
        "completeness": completeness(sheet),
        "findings": findings,
    })
}

fn completeness(sheet: &Sheet) -> serde_json::Value {
    let (given, known) = sheet.completeness();
    json!({ "given": given, "known": known, "percent": given * 100 / known.max(1) })
}

/// A field as the page shows it.
#[derive(Serialize)]
struct Shown {
    label: String,
    lines: Vec<String>,
    status: Option<&'static str>,
    origin: &'static str,
    code: bool,
}

fn show(section: &str, key: &str, figure: &Figure, text: &Text) -> Shown {
    let with_unit = |number: String| {
        if figure.unit.is_empty() { number } else { format!("{number}\u{a0}{}", figure.unit) }
    };
    let mut lines = match &figure.value {
        FieldValue::Text(value) => vec![value.clone()],
        // Words fit a line.
        FieldValue::Texts(values) if values.iter().all(|value| value.len() < 25 && !value.contains(',')) => {
            vec![values.join(", ")]
        }
        FieldValue::Texts(values) => values.clone(),
        FieldValue::Number(number) => vec![with_unit(text.plain(number.0))],
        FieldValue::Ends([low, high]) => {
            vec![with_unit(format!("{} … {}", text.plain(low.0), text.plain(high.0)))]
        }
        FieldValue::Bool(value) => vec![text.get(if *value { "yes" } else { "no" })],
    };
    if let (Some(low), Some(high), Some(from)) = (figure.low, figure.high, &figure.from) {
        let (low, high) = (text.plain(low.0), text.plain(high.0));
        lines.push(text.with("estimate-range", &[("low", &low), ("high", &high), ("from", from)]));
    }
    Shown {
        label: text.get(&format!("field-{section}-{key}")),
        lines,
        status: figure.status,
        origin: figure.origin.key(),
        code: key == "sha256",
    }
}

/// Sections of the page that are ordinary tables of fields, in its order.
const BEFORE: [&str; 2] = ["description", "compliance"];
const HARDWARE: [&str; 4] = ["form", "electrical", "sensor", "communication"];

/// The page.
///
/// # Errors
/// When a template is wrong, which tests rule out.
pub fn page(sheet: &Sheet, findings: &[Finding], text: &Arc<Text>) -> Result<String, minijinja::Error> {
    let fields = |key: &str| -> Vec<Shown> {
        let figures = sheet.sections.iter().find(|(spec, _)| spec.key == key).map(|(_, figures)| figures);
        figures.into_iter().flatten().map(|(name, figure)| show(key, name, figure, text)).collect()
    };
    #[derive(Serialize)]
    struct SectionShown {
        key: &'static str,
        heading: String,
        fields: Vec<Shown>,
    }
    let sections = |keys: &[&str]| -> Vec<SectionShown> {
        SECTIONS
            .iter()
            .filter(|section| keys.contains(&section.key))
            .map(|section| SectionShown {
                key: section.key,
                heading: text.get(&format!("section-{}", section.key)),
                fields: fields(section.key),
            })
            .filter(|section| !section.fields.is_empty())
            .collect()
    };
    #[derive(Serialize)]
    struct NutritionShown {
        heading: String,
        fields: Vec<Shown>,
        counts: BTreeMap<&'static str, usize>,
        rated: bool,
    }
    let nutrition: Vec<_> = SECTIONS
        .iter()
        .filter(|section| NUTRITION.contains(&section.key))
        .map(|section| NutritionShown {
            heading: text.get(&format!("section-{}", section.key)),
            fields: fields(section.key),
            counts: sheet.statuses(section.key),
            rated: section.fields.iter().any(|field| field.kind == FieldKind::Status),
        })
        .collect();
    let nutrition = if nutrition.iter().all(|part| part.fields.is_empty()) { Vec::new() } else { nutrition };
    let findings: Vec<Said> = findings.iter().map(|finding| finding.say(text)).collect();
    let (given, known) = sheet.completeness();
    let name = if sheet.name().is_empty() { text.get("unnamed") } else { sheet.name().to_owned() };
    let dates: Vec<_> = ["maker", "part_number", "revision", "date"]
        .iter()
        .filter(|key| !sheet.text("identity", key).is_empty())
        .map(|key| format!("{}: {}", text.get(&format!("field-identity-{key}")), sheet.text("identity", key)))
        .collect();
    let context = context! {
        language => text.language().code(),
        version => env!("CARGO_PKG_VERSION"),
        title => text.with("datasheet-title", &[("name", &name)]),
        name => name,
        summary => Value::from(Serde(&dates)),
        identity => Value::from(Serde(&sections(&["identity"]))),
        before => Value::from(Serde(&sections(&BEFORE))),
        hardware => Value::from(Serde(&sections(&HARDWARE))),
        outline => outline(sheet, text),
        flow => Value::from(Serde(&flow(sheet, text))),
        packet => Value::from(Serde(&sheet.packet)),
        registers => Value::from(Serde(&sheet.registers)),
        nutrition => Value::from(Serde(&nutrition)),
        model => Value::from(Serde(&sections(&["model"]))),
        model_charts => model_charts(sheet, text),
        performance => Value::from(Serde(&sections(&["performance"]))),
        shares => Value::from(Serde(&sheet.shares)),
        result_charts => result_charts(sheet, text),
        results => Value::from(Serde(&sheet.results)),
        environment => Value::from(Serde(&sections(&["environment"]))),
        footprint => Value::from(Serde(&sheet.footprint)),
        footprint_chart => crate::footprint::chart(std::slice::from_ref(&sheet.footprint), text),
        footprint_lines => Value::from(Serde(&sheet.footprint.lines(text))),
        footprint_notes => Value::from(Serde(&sheet.footprint.notes(text))),
        materials => Value::from(Serde(&sheet.materials)),
        cost => Value::from(Serde(&Number(sheet.cost()))),
        labels => Value::from(Serde(&sections(&["security", "privacy"]))),
        glossary => Value::from(Serde(&sheet.glossary)),
        findings => Value::from(Serde(&findings)),
        given => given,
        known => known,
    };
    page::render("datasheet.html", text, context)
}

/// The stages from the sensor to the bus.
fn flow(sheet: &Sheet, text: &Text) -> Vec<[String; 2]> {
    let list = |section: &str, key: &str| match sheet.figure(section, key).map(|figure| &figure.value) {
        Some(FieldValue::Texts(values)) => values.join(", "),
        Some(FieldValue::Text(value)) => value.clone(),
        _ => String::new(),
    };
    let transfer = match (list("communication", "bus"), list("communication", "transfer")) {
        (bus, transfer) if bus.is_empty() || transfer.is_empty() => bus + &transfer,
        (bus, transfer) => format!("{bus}: {transfer}"),
    };
    let stages = [
        ("flow-sensor", list("sensor", "kind")),
        ("flow-preprocessing", list("model", "preprocessing")),
        ("flow-input", list("model", "inputs")),
        ("flow-model", list("model", "architecture")),
        ("flow-output", list("model", "outputs")),
        ("flow-bus", transfer),
    ];
    let stages = stages.into_iter().filter(|(_, what)| !what.is_empty());
    stages.map(|(key, what)| [text.get(key), what]).collect()
}

/// The outline seen from above, with its dimensions.
fn outline(sheet: &Sheet, text: &Text) -> String {
    let size = |key| sheet.number("form", key);
    let (Some(width), Some(length)) = (size("width_mm"), size("length_mm")) else { return String::new() };
    let label = |value: Decimal| format!("{} mm", text.plain(value));
    let height = size("height_mm").map(|height| text.with("outline-height", &[("height", &label(height))]));
    chart::outline(
        &text.get("outline"),
        (width.to_f64().unwrap_or(1.0), length.to_f64().unwrap_or(1.0)),
        [&label(width), &label(length)],
        &height.unwrap_or_default(),
    )
}

fn model_charts(sheet: &Sheet, text: &Text) -> Vec<String> {
    let mut charts = Vec::new();
    let points = |points: &[[Number; 2]]| -> Vec<(f64, f64)> {
        let number = |value: Number| value.0.to_f64().unwrap_or(0.0);
        points.iter().map(|[x, y]| (number(*x), number(*y))).collect()
    };
    if let Some(confusion) = &sheet.confusion {
        let key =
            if confusion.origin == Source::Measured { "chart-confusion-measured" } else { "chart-confusion" };
        let rows: Vec<Vec<Decimal>> =
            confusion.percent.iter().map(|row| row.iter().map(|value| value.0).collect()).collect();
        let axes = [text.get("chart-is"), text.get("chart-said")];
        charts.push(chart::confusion(&text.get(key), [&axes[0], &axes[1]], &confusion.classes, &rows, text));
    }
    if !sheet.roc.is_empty() {
        let axes = [text.get("chart-false-positives"), text.get("chart-true-positives")];
        charts.push(chart::curve(
            &text.get("chart-roc"),
            [&axes[0], &axes[1]],
            &points(&sheet.roc),
            true,
            text,
        ));
    }
    if !sheet.precision_recall.is_empty() {
        let axes = [text.get("chart-recall"), text.get("chart-precision")];
        let curve = points(&sheet.precision_recall);
        charts.push(chart::curve(&text.get("chart-pr"), [&axes[0], &axes[1]], &curve, false, text));
    }
    charts
}

fn result_charts(sheet: &Sheet, text: &Text) -> Vec<String> {
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for result in &sheet.results {
        let key = (result.factor.as_str(), result.metric.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys.into_iter()
        .map(|(factor, metric)| {
            let results =
                sheet.results.iter().filter(|result| result.factor == factor && result.metric == metric);
            let bars: Vec<_> = results
                .map(|result| Bar {
                    label: result.level.clone(),
                    value: result.value.0.max(Decimal::ZERO),
                    kind: if result.group { Kind::Use } else { Kind::Part },
                    mark: String::new(),
                })
                .collect();
            chart::levels(&factor.replace('_', " "), metric, &bars, text)
        })
        .collect()
}

//! A datasheet, read from a description and completed with what was measured.

use std::collections::BTreeMap;

use kinglet_footprint::board::Estimate;
use kinglet_footprint::table::{Document, Range, Result, Section, Value};
use kinglet_footprint::{Description, ModelFacts};
use kinglet_text::Message;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::footprint::Report;
use crate::number::Number;
use crate::spec::{self, Field, FieldKind, SECTIONS, STATUSES, SectionSpec};

/// Where a figure comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The maker says so.
    Declared,
    /// Measured by kinglet.
    Measured,
    /// Computed by kinglet from what is declared.
    Computed,
    /// Estimated by kinglet.
    Estimated,
}

impl Source {
    /// As it is written in JSON.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Declared => "declared",
            Self::Measured => "measured",
            Self::Computed => "computed",
            Self::Estimated => "estimated",
        }
    }
}

/// A field's value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum FieldValue {
    /// A text.
    Text(String),
    /// Several texts.
    Texts(Vec<String>),
    /// A number.
    Number(Number),
    /// A lower and an upper end.
    Ends([Number; 2]),
    /// True or false.
    Bool(bool),
}

/// A field's value with where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The value.
    pub value: FieldValue,
    /// Its unit.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
    /// Where it comes from.
    pub origin: Source,
    /// How safe it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<&'static str>,
    /// The least that an estimate may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub low: Option<Number>,
    /// The most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high: Option<Number>,
    /// What an estimate is made from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Figure {
    fn new(value: FieldValue, field: &Field, origin: Source) -> Self {
        let unit = match field.kind {
            FieldKind::Number(unit, _) | FieldKind::Ends(unit, _) => unit,
            _ => "",
        };
        Self { value, unit, origin, status: None, low: None, high: None, from: None }
    }

    /// The number, if it is one.
    pub const fn number(&self) -> Option<Decimal> {
        match self.value {
            FieldValue::Number(Number(value)) => Some(value),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            FieldValue::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A field of the record that the sensor sends.
#[derive(Clone, Debug, Serialize)]
pub struct PacketField {
    /// Its name.
    pub name: String,
    /// Bytes from the start of the record; after the one before where nothing is said.
    pub offset: u32,
    /// Bytes of one.
    pub bytes: u32,
    /// The type, such as u8.
    pub kind: String,
    /// How many follow each other.
    pub count: u32,
    /// The smallest value.
    pub minimum: Option<Number>,
    /// The largest value.
    pub maximum: Option<Number>,
    /// What it means.
    pub meaning: String,
}

/// A register.
#[derive(Clone, Debug, Serialize)]
pub struct Register {
    /// Its address.
    pub address: String,
    /// Its name.
    pub name: String,
    /// Its value after a reset.
    pub default: String,
    /// What it does.
    pub meaning: String,
}

/// A result of the end-to-end study.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// What was varied.
    pub factor: String,
    /// To which level.
    pub level: String,
    /// What was measured.
    pub metric: String,
    /// The result.
    pub value: Number,
    /// Whether the factor is a group of people.
    pub group: bool,
}

/// The part of the participants at a level.
#[derive(Clone, Debug, Serialize)]
pub struct Share {
    /// The group's factor.
    pub factor: String,
    /// The level.
    pub level: String,
    /// Percent of all.
    pub percent: Number,
}

/// A part of the bill of materials.
#[derive(Clone, Debug, Serialize)]
pub struct Material {
    /// What it is.
    pub part: String,
    /// Its kind.
    pub category: String,
    /// Whether the footprint counts it.
    pub covered: bool,
    /// Cost of one.
    pub unit_cost: Number,
    /// How many.
    pub quantity: Number,
    /// Who makes it.
    pub maker: String,
    /// Where to find it.
    pub link: String,
}

/// What another document says about the same thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlsoStated {
    /// The document.
    pub document: String,
    /// The field, as in `communication.address`.
    pub field: String,
    /// What it says.
    pub value: String,
}

/// A confusion matrix: rows are what is, columns what was said.
#[derive(Clone, Debug, Serialize)]
pub struct Confusion {
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Percent of each row.
    pub percent: Vec<Vec<Number>>,
    /// Where it comes from.
    pub origin: Source,
}

/// What kinglet measured on a model.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// Size of the file.
    pub file_bytes: u64,
    /// Types and shapes.
    pub inputs: Vec<String>,
    /// Types and shapes.
    pub outputs: Vec<String>,
    /// Names, with how many there are.
    pub operators: Vec<String>,
    /// Multiply-accumulates.
    pub macs: u64,
    /// Bytes of weights.
    pub weights_bytes: u64,
    /// Bytes of the tensor arena.
    pub arena_bytes: u64,
    /// All RAM that kinglet needs, without stack.
    pub ram_bytes: u64,
    /// Plan and weights in flash, without code.
    pub flash_bytes: u64,
    /// Milliseconds of an inference on a board, and its name.
    pub latency: Option<(Estimate, &'static str)>,
    /// What came of running it on labelled inputs.
    pub evaluation: Option<Evaluation>,
}

/// A model's answers to labelled inputs.
#[derive(Clone, Debug, Default)]
pub struct Evaluation {
    /// `counts[is][said]`.
    pub counts: Vec<Vec<u64>>,
    /// For two classes, the score of the second, and whether it was that.
    pub scores: Vec<(f32, bool)>,
}

impl Evaluation {
    fn total(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }

    fn right(&self) -> u64 {
        self.counts.iter().enumerate().filter_map(|(i, row)| row.get(i)).sum()
    }

    /// Points of the receiver operating characteristic: false positives, true positives.
    pub fn roc(&self) -> Vec<(Decimal, Decimal)> {
        let mut scores = self.scores.clone();
        scores.sort_by(|a, b| b.0.total_cmp(&a.0));
        let positives = scores.iter().filter(|(_, positive)| *positive).count();
        let negatives = scores.len() - positives;
        if positives == 0 || negatives == 0 {
            return Vec::new();
        }
        let (mut hits, mut alarms) = (0_u32, 0_u32);
        let mut points = vec![(Decimal::ZERO, Decimal::ZERO)];
        for equal in scores.chunk_by(|a, b| a.0 == b.0) {
            let right = equal.iter().filter(|(_, positive)| *positive).count() as u32;
            (hits, alarms) = (hits + right, alarms + equal.len() as u32 - right);
            points.push((
                Decimal::from(alarms) / Decimal::from(negatives),
                Decimal::from(hits) / Decimal::from(positives),
            ));
        }
        points
    }

    /// The area under it.
    fn auc(points: &[(Decimal, Decimal)]) -> Option<Decimal> {
        let areas = points.windows(2).map(|pair| match pair {
            [a, b] => (b.0 - a.0) * (a.1 + b.1) / Decimal::TWO,
            _ => Decimal::ZERO,
        });
        (points.len() > 1).then(|| areas.sum())
    }
}

/// A section's figures, in the order of its fields.
pub type Figures = Vec<(&'static str, Figure)>;

/// A datasheet.
#[derive(Clone, Debug)]
pub struct Sheet {
    /// Figures by section, in the document's order.
    pub sections: Vec<(&'static SectionSpec, Figures)>,
    /// What was declared, where it was measured as well.
    pub overridden: Vec<(&'static str, Figure)>,
    /// Fields of the record.
    pub packet: Vec<PacketField>,
    /// Registers.
    pub registers: Vec<Register>,
    /// What the study says that it varied: factors with their levels.
    pub factors: Vec<(String, Vec<String>)>,
    /// Its results.
    pub results: Vec<Outcome>,
    /// Who took part.
    pub shares: Vec<Share>,
    /// The confusion matrix.
    pub confusion: Option<Confusion>,
    /// Receiver operating characteristic: false positives, true positives.
    pub roc: Vec<[Number; 2]>,
    /// Recall, precision.
    pub precision_recall: Vec<[Number; 2]>,
    /// The bill of materials.
    pub materials: Vec<Material>,
    /// What other documents say.
    pub also_stated: Vec<AlsoStated>,
    /// Terms and what they mean.
    pub glossary: Vec<(String, String)>,
    /// What the footprint is computed from.
    pub description: Description,
    /// The footprint.
    pub footprint: Report,
}

/// The file's tables that are not sections of fields.
const TABLES: &[&str] =
    &["evaluation", "factors", "results", "shares", "curves", "materials", "also_stated", "glossary", "risk"];

/// Names of a datasheet's sections and tables, without the footprint's.
pub fn keys() -> impl Iterator<Item = &'static str> {
    SECTIONS.iter().map(|section| section.key).chain(TABLES.iter().copied())
}

impl Sheet {
    /// Reads a datasheet's description, and adds what was measured.
    ///
    /// # Errors
    /// For the first thing that is wrong with it.
    pub fn read(document: &Document, measured: Option<&Measured>) -> Result<Self> {
        let root = document.root();
        let known: Vec<&str> = keys().chain(kinglet_footprint::SECTIONS.iter().copied()).collect();
        root.only(&known)?;
        let mut sections: Vec<_> = Vec::new();
        for spec in SECTIONS {
            let figures = match root.section(spec.key)? {
                Some(section) => read_fields(&section, spec)?,
                None => Vec::new(),
            };
            sections.push((spec, figures));
        }
        let facts = ModelFacts { macs: measured.map(|measured| measured.macs) };
        let description = Description::read_from(&root, facts)?;
        let footprint =
            Report::new(&description).ok_or_else(|| root.error("", Message::new("error-overflow")))?;
        let communication = root.section("communication")?;
        let tables = |key: &str| match &communication {
            Some(section) => section.sections(key),
            None => Ok(Vec::new()),
        };
        let mut sheet = Self {
            packet: read_packet(&tables("packet")?)?,
            registers: tables("registers")?.iter().map(read_register).collect::<Result<_>>()?,
            factors: read_factors(root.section("factors")?)?,
            results: root.sections("results")?.iter().map(read_outcome).collect::<Result<_>>()?,
            shares: root.sections("shares")?.iter().map(read_share).collect::<Result<_>>()?,
            confusion: read_confusion(&root)?,
            roc: read_curve(&root, "roc")?,
            precision_recall: read_curve(&root, "precision_recall")?,
            materials: root.sections("materials")?.iter().map(read_material).collect::<Result<_>>()?,
            also_stated: root.sections("also_stated")?.iter().map(read_also_stated).collect::<Result<_>>()?,
            glossary: read_glossary(root.section("glossary")?)?,
            sections,
            overridden: Vec::new(),
            description,
            footprint,
        };
        if let Some(measured) = measured {
            sheet.add(measured);
        }
        Ok(sheet)
    }

    /// A figure by section and key.
    pub fn figure(&self, section: &str, key: &str) -> Option<&Figure> {
        let (_, figures) = self.sections.iter().find(|(spec, _)| spec.key == section)?;
        figures.iter().find(|(name, _)| *name == key).map(|(_, figure)| figure)
    }

    /// A number by section and key.
    pub fn number(&self, section: &str, key: &str) -> Option<Decimal> {
        self.figure(section, key)?.number()
    }

    /// A text by section and key; empty where there is none.
    pub fn text(&self, section: &str, key: &str) -> &str {
        self.figure(section, key).and_then(Figure::text).unwrap_or_default()
    }

    /// The product's name.
    pub fn name(&self) -> &str {
        let product = self.text("identity", "product");
        if product.is_empty() { &self.description.name } else { product }
    }

    /// The cost of all materials.
    pub fn cost(&self) -> Decimal {
        self.materials.iter().map(|material| material.unit_cost.0 * material.quantity.0).sum()
    }

    /// Fields with a value, and all fields.
    pub fn completeness(&self) -> (usize, usize) {
        let given = self.sections.iter().map(|(_, figures)| figures.len()).sum();
        (given, SECTIONS.iter().map(|section| section.fields.len()).sum())
    }

    /// How many fields of a section are safe, risky and unknown. A field without an entry is unknown.
    pub fn statuses(&self, section: &str) -> BTreeMap<&'static str, usize> {
        let mut counts: BTreeMap<_, _> = STATUSES.iter().map(|status| (*status, 0)).collect();
        let fields = spec::section(section).map_or(&[][..], |section| section.fields);
        for field in fields.iter().filter(|field| field.kind == FieldKind::Status) {
            let status =
                self.figure(section, field.key).and_then(|figure| figure.status).unwrap_or("unknown");
            *counts.entry(status).or_default() += 1;
        }
        counts
    }

    fn add(&mut self, measured: &Measured) {
        let number = |value: u64| FieldValue::Number(Decimal::from(value).into());
        let mut values = vec![
            ("sha256", FieldValue::Text(measured.sha256.clone())),
            ("file_bytes", number(measured.file_bytes)),
            ("inputs", FieldValue::Texts(measured.inputs.clone())),
            ("outputs", FieldValue::Texts(measured.outputs.clone())),
            ("operators", FieldValue::Texts(measured.operators.clone())),
            ("macs", number(measured.macs)),
            ("weights_bytes", number(measured.weights_bytes)),
            ("arena_bytes", number(measured.arena_bytes)),
            ("ram_bytes", number(measured.ram_bytes)),
            ("flash_bytes", number(measured.flash_bytes)),
        ];
        if let Some(evaluation) = &measured.evaluation {
            let (right, total) = (evaluation.right(), evaluation.total());
            let accuracy = Decimal::from(right * 100).checked_div(total.into()).unwrap_or_default();
            values.push(("int8_accuracy_percent", FieldValue::Number(accuracy.round_dp(2).into())));
            values.push(("evaluated_samples", number(total)));
            let roc = evaluation.roc();
            if let Some(auc) = Evaluation::auc(&roc) {
                values.push(("roc_auc", FieldValue::Number(auc.round_dp(4).into())));
                self.roc = roc.into_iter().map(|(x, y)| [x.into(), y.into()]).collect();
            }
            let classes = (0..evaluation.counts.len()).map(|i| self.class(i)).collect();
            self.confusion = Some(Confusion {
                classes,
                percent: evaluation.counts.iter().map(|row| shares(row)).collect(),
                origin: Source::Measured,
            });
        }
        for (key, value) in values {
            self.replace(key, value, |_| {});
        }
        // An estimate does not take the place of what the maker says.
        if let Some((estimate, board)) = &measured.latency
            && self.figure("model", "latency_ms").is_none()
        {
            let value = FieldValue::Number(estimate.middle.round_dp(3).into());
            self.replace("latency_ms", value, |figure| {
                figure.origin = Source::Estimated;
                figure.low = Some(estimate.low.round_dp(3).into());
                figure.high = Some(estimate.high.round_dp(3).into());
                figure.from = Some((*board).to_owned());
            });
        }
    }

    fn class(&self, i: usize) -> String {
        match self.figure("model", "classes").map(|figure| &figure.value) {
            Some(FieldValue::Texts(classes)) if i < classes.len() => {
                classes.get(i).cloned().unwrap_or_default()
            }
            _ => i.to_string(),
        }
    }

    /// Puts a measured figure in its place; what was declared is kept for the comparison.
    fn replace(&mut self, key: &'static str, value: FieldValue, finish: impl FnOnce(&mut Figure)) {
        let Some((spec, figures)) = self.sections.iter_mut().find(|(spec, _)| spec.key == "model") else {
            return;
        };
        let Some(field) = spec.fields.iter().find(|field| field.key == key) else { return };
        let mut figure = Figure::new(value, field, Source::Measured);
        finish(&mut figure);
        if let Some(at) = figures.iter().position(|(name, _)| *name == key) {
            self.overridden.push(figures.remove(at));
        }
        figures.push((key, figure));
        let order = |key: &str| spec.fields.iter().position(|field| field.key == key);
        figures.sort_by_key(|(key, _)| order(key));
    }
}

/// Percent of a row.
fn shares(row: &[u64]) -> Vec<Number> {
    let sum: u64 = row.iter().sum();
    let share = |value: u64| Decimal::from(value * 100).checked_div(sum.into()).unwrap_or_default();
    row.iter().map(|value| share(*value).round_dp(2).into()).collect()
}

fn read_fields(section: &Section<'_>, spec: &SectionSpec) -> Result<Figures> {
    let mut known: Vec<&str> = spec.fields.iter().map(|field| field.key).collect();
    match spec.key {
        "communication" => known.extend(["packet", "registers"]),
        "model" => known.extend(["file", "board"]),
        _ => {}
    }
    section.only(&known)?;
    let mut figures = Vec::new();
    for field in spec.fields {
        if section.node(field.key).is_none() {
            continue;
        }
        figures.push((field.key, read_field(section, field)?));
    }
    Ok(figures)
}

fn read_field(section: &Section<'_>, field: &Field) -> Result<Figure> {
    let key = field.key;
    let mut status = None;
    let value = match field.kind {
        FieldKind::Text => FieldValue::Text(section.text(key)?.unwrap_or_default().to_owned()),
        FieldKind::Texts => FieldValue::Texts(texts(section, key)?),
        FieldKind::Number(_, range) => {
            FieldValue::Number(section.number(key, range)?.unwrap_or_default().into())
        }
        FieldKind::Ends(_, range) => {
            let ends = numbers(section, key, range)?;
            match ends.as_slice() {
                [low, high] if low.0 <= high.0 => FieldValue::Ends([*low, *high]),
                _ => return Err(section.error(key, Message::new("error-not-ends"))),
            }
        }
        FieldKind::Bool => FieldValue::Bool(section.bool(key)?.unwrap_or_default()),
        FieldKind::Status => {
            let Some(entry) = section.section(key)? else {
                return Err(section.error(key, Message::new("error-not-a-table").with("key", key)));
            };
            entry.only(&["status", "text"])?;
            let index = entry.one_of("status", &STATUSES)?;
            status = index.and_then(|i| STATUSES.get(i)).copied().or(Some("unknown"));
            FieldValue::Text(entry.text("text")?.unwrap_or_default().to_owned())
        }
    };
    Ok(Figure { status, ..Figure::new(value, field, Source::Declared) })
}

/// A list of texts, or one text.
fn texts(section: &Section<'_>, key: &str) -> Result<Vec<String>> {
    let error = || section.error(key, Message::new("error-not-texts"));
    match section.node(key).map(|node| &node.value) {
        None => Ok(Vec::new()),
        Some(Value::Text(text)) => Ok(vec![text.clone()]),
        Some(Value::List(nodes)) => nodes
            .iter()
            .map(|node| match &node.value {
                Value::Text(text) => Ok(text.clone()),
                Value::Number(number) => Ok(number.to_string()),
                _ => Err(error()),
            })
            .collect(),
        Some(_) => Err(error()),
    }
}

fn numbers(section: &Section<'_>, key: &str, range: Range) -> Result<Vec<Number>> {
    match section.node(key).map(|node| &node.value) {
        None => Ok(Vec::new()),
        Some(Value::List(nodes)) => {
            nodes.iter().map(|node| section.check(key, node, range).map(Number)).collect()
        }
        Some(_) => Err(section.error(key, Message::new("error-not-numbers"))),
    }
}

fn needed<T>(section: &Section<'_>, key: &str, value: Option<T>) -> Result<T> {
    value.ok_or_else(|| section.error("", Message::new("error-missing").with("key", key)))
}

fn text_or_empty(section: &Section<'_>, key: &str) -> Result<String> {
    Ok(section.text(key)?.unwrap_or_default().to_owned())
}

fn small(section: &Section<'_>, key: &str) -> Result<Option<u32>> {
    let value = section.number(key, Range::up_to(1_000_000))?;
    match value {
        Some(value) if !value.is_integer() => {
            Err(section.error(key, Message::new("error-not-whole").with("value", value)))
        }
        value => Ok(value.and_then(|value| u32::try_from(value).ok())),
    }
}

fn read_packet(sections: &[Section<'_>]) -> Result<Vec<PacketField>> {
    let mut next = 0_u32;
    let mut fields = Vec::new();
    for section in sections {
        section.only(&["name", "offset", "bytes", "kind", "count", "minimum", "maximum", "meaning"])?;
        let bytes = needed(section, "bytes", small(section, "bytes")?)?;
        let (offset, count) =
            (small(section, "offset")?.unwrap_or(next), small(section, "count")?.unwrap_or(1));
        // A record of more bytes than there are numbers for has an offset that says so.
        next = bytes.checked_mul(count).and_then(|size| size.checked_add(offset)).unwrap_or(u32::MAX);
        let limits = Range::around_zero(u32::MAX);
        fields.push(PacketField {
            name: needed(section, "name", section.text("name")?)?.to_owned(),
            offset,
            bytes,
            kind: text_or_empty(section, "kind")?,
            count,
            minimum: section.number("minimum", limits)?.map(Number),
            maximum: section.number("maximum", limits)?.map(Number),
            meaning: text_or_empty(section, "meaning")?,
        });
    }
    Ok(fields)
}

fn read_register(section: &Section<'_>) -> Result<Register> {
    section.only(&["address", "name", "default", "meaning"])?;
    Ok(Register {
        address: needed(section, "address", section.text("address")?)?.to_owned(),
        name: needed(section, "name", section.text("name")?)?.to_owned(),
        default: text_or_empty(section, "default")?,
        meaning: text_or_empty(section, "meaning")?,
    })
}

fn read_factors(section: Option<Section<'_>>) -> Result<Vec<(String, Vec<String>)>> {
    let Some(section) = section else { return Ok(Vec::new()) };
    let factor = |(name, _): &(String, _)| Ok((name.clone(), texts(&section, name)?));
    section.entries().iter().map(factor).collect()
}

/// A level is written as a number or as a text.
fn level(section: &Section<'_>) -> Result<String> {
    match section.node("level").map(|node| &node.value) {
        Some(Value::Number(number)) => Ok(number.to_string()),
        _ => Ok(needed(section, "level", section.text("level")?)?.to_owned()),
    }
}

fn read_outcome(section: &Section<'_>) -> Result<Outcome> {
    section.only(&["factor", "level", "metric", "value", "group"])?;
    let range = Range::around_zero(1_000_000);
    Ok(Outcome {
        factor: needed(section, "factor", section.text("factor")?)?.to_owned(),
        level: level(section)?,
        metric: text_or_empty(section, "metric")?,
        value: needed(section, "value", section.number("value", range)?)?.into(),
        group: section.bool("group")?.unwrap_or(false),
    })
}

fn read_share(section: &Section<'_>) -> Result<Share> {
    section.only(&["factor", "level", "percent"])?;
    Ok(Share {
        factor: needed(section, "factor", section.text("factor")?)?.to_owned(),
        level: level(section)?,
        percent: needed(section, "percent", section.number("percent", Range::up_to(100))?)?.into(),
    })
}

fn read_material(section: &Section<'_>) -> Result<Material> {
    section.only(&["part", "category", "covered", "unit_cost", "quantity", "maker", "link"])?;
    let cost = section.number("unit_cost", Range::up_to(1_000_000))?;
    let quantity = section.number("quantity", Range::up_to(1_000_000))?;
    Ok(Material {
        part: needed(section, "part", section.text("part")?)?.to_owned(),
        category: text_or_empty(section, "category")?,
        covered: section.bool("covered")?.unwrap_or(false),
        unit_cost: cost.unwrap_or_default().into(),
        quantity: quantity.unwrap_or(Decimal::ONE).into(),
        maker: text_or_empty(section, "maker")?,
        link: text_or_empty(section, "link")?,
    })
}

fn read_also_stated(section: &Section<'_>) -> Result<AlsoStated> {
    section.only(&["document", "field", "value"])?;
    let value = match section.node("value").map(|node| &node.value) {
        Some(Value::Number(number)) => number.to_string(),
        _ => needed(section, "value", section.text("value")?)?.to_owned(),
    };
    Ok(AlsoStated {
        document: needed(section, "document", section.text("document")?)?.to_owned(),
        field: needed(section, "field", section.text("field")?)?.to_owned(),
        value,
    })
}

fn read_glossary(section: Option<Section<'_>>) -> Result<Vec<(String, String)>> {
    let Some(section) = section else { return Ok(Vec::new()) };
    let term = |(name, _): &(String, _)| Ok((name.clone(), text_or_empty(&section, name)?));
    section.entries().iter().map(term).collect()
}

fn read_confusion(root: &Section<'_>) -> Result<Option<Confusion>> {
    let Some(curves) = root.section("curves")? else { return Ok(None) };
    curves.only(&["classes", "confusion_percent", "roc", "precision_recall"])?;
    let rows = read_rows(&curves, "confusion_percent", Range::up_to(100))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let classes = texts(&curves, "classes")?;
    let size = rows.len();
    if rows.iter().any(|row| row.len() != size) || (!classes.is_empty() && classes.len() != size) {
        return Err(curves.error("confusion_percent", Message::new("error-not-square")));
    }
    let classes = if classes.is_empty() { (0..size).map(|i| i.to_string()).collect() } else { classes };
    Ok(Some(Confusion { classes, percent: rows, origin: Source::Declared }))
}

fn read_rows(section: &Section<'_>, key: &str, range: Range) -> Result<Vec<Vec<Number>>> {
    let error = || section.error(key, Message::new("error-not-rows"));
    let nodes = match section.node(key).map(|node| &node.value) {
        None => return Ok(Vec::new()),
        Some(Value::List(nodes)) => nodes,
        Some(_) => return Err(error()),
    };
    let row = |node: &kinglet_footprint::table::Node| match &node.value {
        Value::List(values) => {
            values.iter().map(|value| section.check(key, value, range).map(Number)).collect()
        }
        _ => Err(error()),
    };
    nodes.iter().map(row).collect()
}

fn read_curve(root: &Section<'_>, key: &str) -> Result<Vec<[Number; 2]>> {
    let Some(curves) = root.section("curves")? else { return Ok(Vec::new()) };
    let pair = |row: Vec<Number>| <[Number; 2]>::try_from(row);
    let rows = read_rows(&curves, key, Range::up_to(1))?.into_iter().map(pair);
    let rows: std::result::Result<Vec<_>, _> = rows.collect();
    rows.map_err(|_| curves.error(key, Message::new("error-not-rows")))
}

//! Contradictions within a datasheet.
//!
//! Each rule stands for a fault that is in a published datasheet or beside it: a period shorter than an inference,
//! electricity that does not follow from the current, distances in the plots that were never measured.

use kinglet_footprint::energy::{Load, UseStage};
use kinglet_footprint::{Component, Device};
use kinglet_text::{Message, Text};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::sheet::{FieldValue, Figure, Sheet};

/// A contradiction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// The field, as in `communication.address`.
    pub place: String,
    /// What contradicts what.
    pub message: Message,
}

/// A contradiction in one language.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    rule: &'static str,
    #[serde(rename = "where")]
    place: String,
    message: String,
}

impl Finding {
    fn new(rule: &'static str, place: impl Into<String>, message: Message) -> Self {
        Self { rule, place: place.into(), message }
    }

    /// In a language.
    pub fn say(&self, text: &Text) -> Said {
        Said { rule: self.rule, place: self.place.clone(), message: text.say(&self.message) }
    }
}

/// All contradictions, in the order of the document.
pub fn lint(sheet: &Sheet) -> Vec<Finding> {
    let mut findings = Vec::new();
    power(sheet, &mut findings);
    addresses(sheet, &mut findings);
    packet(sheet, &mut findings);
    also_stated(sheet, &mut findings);
    period(sheet, &mut findings);
    overridden(sheet, &mut findings);
    confusion(sheet, &mut findings);
    factors(sheet, &mut findings);
    groups(sheet, &mut findings);
    footprint(sheet, &mut findings);
    findings
}

/// Rounding of figures that were printed with one digit after the decimal mark.
const ROUNDING: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

fn power(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let number = |key| sheet.number("electrical", key);
    let (Some(current), Some(volts)) = (number("current_ma"), number("supply_v")) else { return };
    let computed = current * volts;
    if let Some(declared) = number("power_mw")
        && (declared - computed).abs() * Decimal::TEN > computed
    {
        let message =
            Message::new("lint-power").with("declared", declared).with("computed", computed.normalize());
        findings.push(Finding::new("power", "electrical.power_mw", message));
    }
    // Electricity that was declared, or taken as published, against what the current would take.
    let description = &sheet.description;
    let device: &Device = &description.device;
    if device.use_stage().is_some() || !device.is_enabled(Component::UseStage) {
        return;
    }
    let mw = computed * number("duty").unwrap_or(Decimal::ONE);
    let stage =
        UseStage { load: Load::Constant { mw }, years: description.years, g_per_kwh: description.g_per_kwh };
    let (Some(computed_kg), declared_kg) = (stage.kg(), sheet.footprint.operational_kg.0) else { return };
    let (low, high) = (computed_kg.min(declared_kg), computed_kg.max(declared_kg));
    // Grids differ by some factor; half a cent of a kilogramme is rounding.
    if high > low * Decimal::from(3) && high - low > Decimal::new(5, 3) {
        let total = sheet.footprint.total_kg.0 - declared_kg + computed_kg;
        let message = Message::new("lint-use-stage")
            .with("declared", declared_kg.normalize())
            .with("mw", mw.normalize())
            .with("years", description.years)
            .with("grid", description.g_per_kwh)
            .with("computed", computed_kg.round_dp(2))
            .with("total", total.round_dp(2));
        findings.push(Finding::new("use-stage", "blocks.use_stage", message));
    }
}

fn addresses(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let address = sheet.text("communication", "address");
    let bus = sheet.text("communication", "bus").to_ascii_uppercase();
    if address.is_empty() || !bus.contains("I2C") {
        return;
    }
    let number = match address.strip_prefix("0x") {
        Some(digits) => u16::from_str_radix(digits, 16).ok(),
        None => address.parse().ok(),
    };
    // The first and the last eight of the 7-bit addresses are reserved by the I2C specification.
    if !number.is_some_and(|number| (0x08..=0x77).contains(&number)) {
        let message = Message::new("lint-address").with("address", address);
        findings.push(Finding::new("address", "communication.address", message));
    }
}

fn packet(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let mut spans: Vec<(u64, u64, &str)> = Vec::new();
    for field in &sheet.packet {
        let end = u64::from(field.offset) + u64::from(field.bytes) * u64::from(field.count);
        spans.push((field.offset.into(), end, &field.name));
        if let Some(bits) = field.kind.strip_prefix(['u', 'i', 'f']).and_then(|bits| bits.parse::<u32>().ok())
            && bits != field.bytes.saturating_mul(8)
        {
            let message = Message::new("lint-field-size")
                .with("name", &field.name)
                .with("kind", &field.kind)
                .with("bytes", field.bytes);
            findings.push(Finding::new("packet", "communication.packet", message));
        }
    }
    spans.sort_unstable();
    for pair in spans.windows(2) {
        if let [(_, end, first), (start, _, second)] = pair
            && end > start
        {
            let message = Message::new("lint-overlap").with("first", first).with("second", second);
            findings.push(Finding::new("packet", "communication.packet", message));
        }
    }
    let end = spans.iter().map(|(_, end, _)| *end).max();
    if let (Some(end), Some(stated)) = (end, sheet.number("communication", "packet_bytes"))
        && stated != Decimal::from(end)
    {
        let message = Message::new("lint-packet").with("stated", stated).with("counted", end);
        findings.push(Finding::new("packet", "communication.packet_bytes", message));
    }
}

/// A figure as other documents would write it.
fn as_text(figure: &Figure) -> String {
    match &figure.value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Texts(texts) => texts.join(", "),
        FieldValue::Number(number) => number.0.normalize().to_string(),
        FieldValue::Ends([low, high]) => format!("{}-{}", low.0.normalize(), high.0.normalize()),
        FieldValue::Bool(value) => value.to_string(),
    }
}

fn also_stated(sheet: &Sheet, findings: &mut Vec<Finding>) {
    for other in &sheet.also_stated {
        let (section, key) = other.field.split_once('.').unwrap_or(("", &other.field));
        // Fields of the record: communication.packet.NAME.PROPERTY
        let here = match key.strip_prefix("packet.").and_then(|path| path.split_once('.')) {
            Some((name, property)) => {
                sheet.packet.iter().find(|field| field.name == name).and_then(|field| {
                    let number = |number: Option<crate::Number>| number.map(|n| n.0.normalize().to_string());
                    match property {
                        "name" => Some(field.name.clone()),
                        "bytes" => Some(field.bytes.to_string()),
                        "offset" => Some(field.offset.to_string()),
                        "count" => Some(field.count.to_string()),
                        "kind" => Some(field.kind.clone()),
                        "minimum" => number(field.minimum),
                        "maximum" => number(field.maximum),
                        _ => None,
                    }
                })
            }
            None => sheet.figure(section, key).map(as_text),
        };
        match here {
            None => {
                let message = Message::new("lint-nothing-to-compare").with("document", &other.document);
                findings.push(Finding::new("also-stated", other.field.clone(), message));
            }
            Some(here) if !same(&here, &other.value) => {
                let message = Message::new("lint-also-stated")
                    .with("here", here)
                    .with("document", &other.document)
                    .with("value", &other.value);
                findings.push(Finding::new("also-stated", other.field.clone(), message));
            }
            Some(_) => {}
        }
    }
}

/// Whether two writings mean the same: 0x62 and 98, 400 and 400.0.
fn same(a: &str, b: &str) -> bool {
    let number = |text: &str| match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(Decimal::from),
        None => text.parse().ok(),
    };
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a == b,
        _ => a.trim().eq_ignore_ascii_case(b.trim()),
    }
}

fn period(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let Some(period) = sheet.number("model", "period_ms") else { return };
    let Some(latency) = sheet.figure("model", "latency_ms") else { return };
    // An estimate counts at its least.
    let least = latency.low.map(|low| low.0).or(latency.number()).unwrap_or_default();
    if period < least {
        let message = Message::new("lint-period").with("period", period).with("latency", least);
        findings.push(Finding::new("period", "model.period_ms", message));
    }
}

/// What was declared against what was measured.
fn overridden(sheet: &Sheet, findings: &mut Vec<Finding>) {
    for (key, declared) in &sheet.overridden {
        let Some(measured) = sheet.figure("model", key) else { continue };
        let (declared, measured) = (as_text(declared), as_text(measured));
        if !same(&declared, &measured) {
            let message = Message::new("lint-measured").with("declared", declared).with("measured", measured);
            findings.push(Finding::new("measured", format!("model.{key}"), message));
        }
    }
    let kilobytes = |key, bytes| {
        let (kb, bytes) = (sheet.number("model", key)?, sheet.number("model", bytes)?);
        // Either kind of kilobyte.
        (kb * Decimal::from(1024) < bytes).then_some((kb, bytes))
    };
    for (key, bytes) in [("ram_kb", "ram_bytes"), ("flash_kb", "flash_bytes")] {
        if let Some((kb, bytes)) = kilobytes(key, bytes) {
            let message = Message::new("lint-memory").with("declared", kb).with("measured", bytes);
            findings.push(Finding::new("measured", format!("model.{key}"), message));
        }
    }
}

fn confusion(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let Some(confusion) = &sheet.confusion else { return };
    for (class, row) in confusion.classes.iter().zip(&confusion.percent) {
        let sum: Decimal = row.iter().map(|value| value.0).sum();
        if !sum.is_zero() && (sum - Decimal::ONE_HUNDRED).abs() > ROUNDING * Decimal::from(row.len()) {
            let message = Message::new("lint-row").with("class", class).with("sum", sum);
            findings.push(Finding::new("confusion", "curves.confusion_percent", message));
        }
    }
    if let Some(FieldValue::Texts(classes)) = sheet.figure("model", "classes").map(|figure| &figure.value)
        && classes.len() != confusion.classes.len()
    {
        let message =
            Message::new("lint-classes").with("classes", classes.len()).with("rows", confusion.classes.len());
        findings.push(Finding::new("confusion", "model.classes", message));
    }
    // Two classes: what is off the diagonal is the rates of false answers, the class that is looked for last.
    let [Some([_, alarms]), Some([misses, _])] =
        [0, 1].map(|i| confusion.percent.get(i).and_then(|row| <&[_; 2]>::try_from(row.as_slice()).ok()))
    else {
        return;
    };
    let rates = [
        ("false_positive_percent", alarms.0, "curves.confusion_percent[0]"),
        ("false_negative_percent", misses.0, "curves.confusion_percent[1]"),
    ];
    for (key, matrix, place) in rates {
        let declared: Vec<_> = ["int8", "float"]
            .iter()
            .filter_map(|kind| sheet.number("model", &format!("{kind}_{key}")))
            .collect();
        if !declared.is_empty() && !declared.iter().any(|rate| (*rate - matrix).abs() <= ROUNDING) {
            let rates: Vec<_> = declared.iter().map(Decimal::to_string).collect();
            let message = Message::new("lint-rates")
                .with("key", key)
                .with("declared", rates.join(", "))
                .with("matrix", matrix);
            findings.push(Finding::new("confusion", place, message));
        }
    }
}

fn factors(sheet: &Sheet, findings: &mut Vec<Finding>) {
    for (factor, declared) in &sheet.factors {
        let mut shown: Vec<&str> = Vec::new();
        for result in sheet.results.iter().filter(|result| result.factor == *factor) {
            if !shown.contains(&result.level.as_str()) {
                shown.push(&result.level);
            }
        }
        let is_declared = |level: &str| declared.iter().any(|other| same(level, other));
        let differ = shown.iter().any(|level| !is_declared(level))
            || declared.iter().any(|level| !shown.iter().any(|other| same(level, other)));
        if !shown.is_empty() && differ {
            let message = Message::new("lint-levels")
                .with("factor", factor)
                .with("declared", declared.join(", "))
                .with("shown", shown.join(", "));
            findings.push(Finding::new("levels", format!("factors.{factor}"), message));
        }
    }
    for result in &sheet.results {
        if !sheet.factors.is_empty() && !sheet.factors.iter().any(|(factor, _)| *factor == result.factor) {
            let message = Message::new("lint-factor").with("factor", &result.factor);
            let finding = Finding::new("levels", "results", message);
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
    }
}

fn groups(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let mut factors: Vec<&str> = Vec::new();
    for share in &sheet.shares {
        if !factors.contains(&share.factor.as_str()) {
            factors.push(&share.factor);
        }
    }
    for factor in factors {
        let shares = || sheet.shares.iter().filter(|share| share.factor == factor);
        let sum: Decimal = shares().map(|share| share.percent.0).sum();
        if (sum - Decimal::ONE_HUNDRED).abs() > ROUNDING * Decimal::from(shares().count()) {
            let message = Message::new("lint-shares").with("factor", factor).with("sum", sum);
            findings.push(Finding::new("shares", "shares", message));
        }
    }
}

fn footprint(sheet: &Sheet, findings: &mut Vec<Finding>) {
    let number = |key| sheet.number("environment", key);
    if let Some(declared) = number("declared_total_kg")
        && declared != sheet.footprint.total_kg.0.round_dp(declared.scale())
    {
        let message = Message::new("lint-total")
            .with("declared", declared)
            .with("computed", sheet.footprint.total_kg.0.round_dp(2));
        findings.push(Finding::new("footprint", "environment.declared_total_kg", message));
    }
    let covered = sheet.materials.iter().filter(|material| material.covered).count();
    for (key, counted) in [("parts_covered", covered), ("parts", sheet.materials.len())] {
        if let Some(declared) = number(key)
            && !sheet.materials.is_empty()
            && declared != Decimal::from(counted)
        {
            let message = Message::new("lint-parts").with("declared", declared).with("counted", counted);
            findings.push(Finding::new("materials", format!("environment.{key}"), message));
        }
    }
}

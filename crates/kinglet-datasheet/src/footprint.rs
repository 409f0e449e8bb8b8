//! A device's footprint, for people and for programs.

use std::sync::Arc;

use kinglet_footprint::data::{LAPTOP, TRUNCATION_FACTOR, WATCH};
use kinglet_footprint::{Component, DataSet, Description, EnergySource, GridSource, Origin, PartName};
use kinglet_text::Text;
use minijinja::context;
use minijinja::value::{Serde, Value};
use rust_decimal::Decimal;
use serde::Serialize;

use crate::chart::{self, Bar, Kind, kg};
use crate::number::Number;
use crate::page;

/// What a device costs, with where each figure comes from. Masses are kg CO2-equivalent.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The device's name; empty when it has none.
    pub name: String,
    /// The data set's key.
    pub data: &'static str,
    /// Where the data set was published.
    pub source: &'static str,
    /// The preset that the device started from.
    pub preset: &'static str,
    /// Its parts.
    pub parts: Vec<PartReport>,
    /// All parts.
    pub total_kg: Number,
    /// All but electricity.
    pub embodied_kg: Number,
    /// Electricity.
    pub operational_kg: Number,
    /// Electricity's share of the total.
    pub operational_percent: Number,
    /// Years of use.
    pub years: Number,
    /// What the electricity is computed from; `null` where the published value stands, or one of the user's own.
    pub use_stage: Option<UseReport>,
    /// The energy of an inference.
    pub inference: Option<InferenceReport>,
    /// Its battery.
    pub battery: Option<BatteryReport>,
    /// Many of them.
    pub fleet: Option<FleetReport>,
    /// What they save.
    pub savings: Option<SavingsReport>,
    /// Devices to compare with.
    pub references: Vec<ReferenceReport>,
    /// How sure the sum is.
    pub uncertainty: UncertaintyReport,
}

/// A part.
#[derive(Clone, Debug, Serialize)]
pub struct PartReport {
    /// The component's key, or the field's name.
    pub key: String,
    /// Whether it is a field of the user's own.
    pub field: bool,
    /// "published", "custom" or "energy".
    pub origin: &'static str,
    /// The published option.
    pub choice: Option<&'static str>,
    /// kg.
    pub kg: Number,
    /// Share of the total.
    pub percent: Number,
}

/// Electricity.
#[derive(Clone, Debug, Serialize)]
pub struct UseReport {
    /// Average power.
    pub average_mw: Number,
    /// Over the life.
    pub kwh: Number,
    /// Carbon intensity.
    pub g_per_kwh: Number,
    /// "default", "given", "country" or "energy source".
    pub grid: &'static str,
    /// The country's code or the energy source's key.
    pub grid_key: Option<String>,
    /// The country's name.
    pub grid_name: Option<&'static str>,
    /// The year that a country's figure is for.
    pub grid_year: Option<u16>,
}

/// Energy of an inference.
#[derive(Clone, Debug, Serialize)]
pub struct InferenceReport {
    /// uJ that the use stage is computed with.
    pub uj: Number,
    /// Whether it is an estimate.
    pub estimated: bool,
    /// "given", "macs" or "cycles".
    pub from: &'static str,
    /// Multiply-accumulates or cycles.
    pub count: Option<u64>,
    /// The board whose published figures the estimate is made from.
    pub board: Option<&'static str>,
    /// The least that the board's networks suggest.
    pub low_uj: Option<Number>,
    /// The most.
    pub high_uj: Option<Number>,
}

/// A battery.
#[derive(Clone, Debug, Serialize)]
pub struct BatteryReport {
    /// Days on one charge; `null` where nothing draws power.
    pub days_per_charge: Option<Number>,
    /// Charges over the life.
    pub charges: Number,
}

/// Many devices.
#[derive(Clone, Debug, Serialize)]
pub struct FleetReport {
    /// How many.
    pub devices: Number,
    /// All together, the model trained once.
    pub kg: Number,
    /// All together, had each a model trained for itself.
    pub kg_each_trained: Number,
}

/// Savings that the user entered.
#[derive(Clone, Debug, Serialize)]
pub struct SavingsReport {
    /// What one device saves in a year.
    pub kg_per_year: Number,
    /// What all take less what all save over their life: below 0 they save more.
    pub net_kg: Number,
    /// Years until they have saved what they take; `null` where nothing is saved.
    pub break_even_years: Option<Number>,
}

/// A device to compare with.
#[derive(Clone, Debug, Serialize)]
pub struct ReferenceReport {
    /// What it is called.
    pub name: &'static str,
    /// kg.
    pub kg: Number,
    /// Its kg over this device's; `null` for a device of 0 kg.
    pub ratio: Option<Number>,
}

/// How sure the sum is.
#[derive(Clone, Debug, Serialize)]
pub struct UncertaintyReport {
    /// The factor that all values here are multiplied by.
    pub factor: Number,
    /// What the total may be: Pirson and Bol's factor of 2 on the sum of parts.
    pub upper_kg: Number,
    /// Where the factor comes from.
    pub source: &'static str,
}

impl Report {
    /// Computes a report. `None` where numbers are too large.
    pub fn new(description: &Description) -> Option<Self> {
        let footprint = description.footprint();
        let total = footprint.total();
        let percent = |kg: Decimal| (kg * Decimal::ONE_HUNDRED).checked_div(total).unwrap_or_default();
        let parts = footprint.parts.iter().map(|part| {
            let (origin, choice) = match part.origin {
                Origin::Choice(key) => ("published", Some(key)),
                Origin::Custom => ("custom", None),
                Origin::Energy => ("energy", None),
            };
            let (key, field) = match &part.name {
                PartName::Component(component) => (component.key().to_owned(), false),
                PartName::Field(name) => (name.clone(), true),
            };
            PartReport { key, field, origin, choice, kg: part.kg.into(), percent: percent(part.kg).into() }
        });
        let average = description.average_mw();
        let use_stage = match description.device.use_stage() {
            Some(stage) => Some(UseReport::new(description, average, stage.kwh()?)),
            None => None,
        };
        let battery = description.battery.map(|battery| {
            Some(BatteryReport {
                days_per_charge: battery.days(average).map(Number),
                charges: battery.charges(average, description.years)?.into(),
            })
        });
        let devices = description.devices;
        let fleet_kg = footprint.fleet(devices)?;
        let savings = description.savings.map(|savings| {
            Some(SavingsReport {
                kg_per_year: savings.kg_per_year.into(),
                net_kg: savings.net(fleet_kg, devices)?.into(),
                break_even_years: savings.break_even_years(fleet_kg, devices).map(Number),
            })
        });
        let sum_of_parts = total.checked_div(description.factor)?;
        Some(Self {
            name: description.name.clone(),
            data: description.device.data().key(),
            source: description.device.data().source(),
            preset: description.preset,
            parts: parts.collect(),
            total_kg: total.into(),
            embodied_kg: footprint.embodied().into(),
            operational_kg: footprint.operational().into(),
            operational_percent: percent(footprint.operational()).into(),
            years: description.years.into(),
            use_stage,
            inference: description
                .inference_uj()
                .and_then(|uj| InferenceReport::new(description.energy?, uj)),
            battery: transpose(battery)?,
            fleet: if devices > Decimal::ONE {
                Some(FleetReport {
                    devices: devices.into(),
                    kg: fleet_kg.into(),
                    kg_each_trained: total.checked_mul(devices)?.into(),
                })
            } else {
                None
            },
            savings: transpose(savings)?,
            references: [WATCH, LAPTOP]
                .map(|reference| ReferenceReport {
                    name: reference.name,
                    kg: Decimal::from(reference.kg).into(),
                    ratio: Decimal::from(reference.kg).checked_div(total).map(Number),
                })
                .to_vec(),
            uncertainty: UncertaintyReport {
                factor: description.factor.into(),
                upper_kg: (sum_of_parts * TRUNCATION_FACTOR.max(description.factor)).into(),
                source: "Pirson and Bol, J. Cleaner Production 322 (2021) 128966",
            },
        })
    }

    /// What it is called in a heading.
    pub fn title(&self, text: &Text) -> String {
        if self.name.is_empty() { text.get(&format!("preset-{}", self.preset)) } else { self.name.clone() }
    }

    /// What is to be said besides the parts: label and value.
    pub fn lines(&self, text: &Text) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let mut add = |key: &str, value: String| lines.push((text.get(key), value));
        add("data-set", text.get(&format!("data-{}", self.data)));
        add("embodied", format!("{} kg", kg(self.embodied_kg.0, text)));
        let share = text.number(self.operational_percent.0, 2);
        add("operational", format!("{} kg ({share} %)", kg(self.operational_kg.0, text)));
        add("years", text.plain(self.years.0));
        if let Some(stage) = &self.use_stage {
            add("average-power", format!("{} mW", text.significant(stage.average_mw.0, 4)));
            let energy = format!("{} kWh", text.significant(stage.kwh.0, 4));
            let grid = format!("{} g/kWh", text.plain(stage.g_per_kwh.0));
            add("energy-over-life", energy);
            add("grid", format!("{grid}, {}", stage.grid_text(text)));
        }
        if let Some(inference) = &self.inference {
            add("inference-energy", inference.text(text));
        }
        if let Some(battery) = &self.battery {
            let days =
                battery.days_per_charge.map_or_else(|| "∞".to_owned(), |days| text.significant(days.0, 4));
            let charges = text.significant(battery.charges.0, 4);
            add("battery", text.with("battery-lasts", &[("days", &days), ("charges", &charges)]));
        }
        if let Some(fleet) = &self.fleet {
            let devices = text.plain(fleet.devices.0);
            let (once, each) = (kg(fleet.kg.0, text), kg(fleet.kg_each_trained.0, text));
            add(
                "fleet",
                text.with("fleet-takes", &[("devices", &devices), ("once", &once), ("each", &each)]),
            );
        }
        if let Some(savings) = &self.savings {
            let each = kg(savings.kg_per_year.0, text);
            add("savings", text.with("savings-each", &[("kg", &each)]));
            add("net", format!("{} kg", kg(savings.net_kg.0, text)));
            add(
                "break-even",
                match savings.break_even_years {
                    Some(years) => text.with("break-even-after", &[("years", &text.significant(years.0, 3))]),
                    None => text.get("break-even-never"),
                },
            );
        }
        for reference in &self.references {
            let label = text.with("ratio-to", &[("name", &reference.name)]);
            let mass = kg(reference.kg.0, text);
            let ratio = reference.ratio.map_or_else(|| "∞".to_owned(), |ratio| text.significant(ratio.0, 3));
            lines.push((label, format!("{ratio}× ({mass} kg)")));
        }
        let upper = kg(self.uncertainty.upper_kg.0, text);
        lines.push((text.get("may-be"), format!("{upper} kg")));
        lines
    }

    /// What a reader has to know about the figures.
    pub fn notes(&self, text: &Text) -> Vec<String> {
        let mut notes = vec![text.with("note-source", &[("source", &self.source)])];
        if self.data == DataSet::Calculator.key() {
            notes.push(text.get("note-calculator"));
        }
        if self.parts.iter().any(|part| part.choice == Some("mobilenet-v1")) {
            notes.push(text.get("note-mobilenet"));
        }
        notes.push(text.get("note-uncertainty"));
        if self.uncertainty.factor.0 > Decimal::ONE {
            notes.push(text.with("note-factor", &[("factor", &text.plain(self.uncertainty.factor.0))]));
        }
        match self.use_stage.as_ref().map(|stage| stage.grid) {
            None => {
                if self.parts.iter().any(|part| part.choice == Some("continuous-1mw")) {
                    notes.push(text.get("note-published-use"));
                }
            }
            Some("default") => notes.push(text.get("note-default-grid")),
            Some("country") => notes.push(text.get("note-country-grid")),
            Some(_) => {}
        }
        if self.inference.as_ref().is_some_and(|inference| inference.estimated) {
            notes.push(text.get("note-estimate"));
        }
        if self.years.0 != kinglet_footprint::data::YEARS {
            notes.push(text.get("note-years"));
        }
        if self.savings.is_some() {
            notes.push(text.get("note-savings"));
        }
        notes
    }

    /// The bars of its parts.
    fn bars(&self, text: &Text) -> Vec<Bar> {
        let shown = self.parts.iter().filter(|part| part.kg.0 > Decimal::ZERO);
        shown
            .map(|part| Bar {
                label: part.label(text),
                value: part.kg.0,
                kind: if part.key == Component::UseStage.key() { Kind::Use } else { Kind::Part },
                mark: String::new(),
            })
            .collect()
    }
}

fn transpose<T>(value: Option<Option<T>>) -> Option<Option<T>> {
    match value {
        Some(Some(value)) => Some(Some(value)),
        Some(None) => None,
        None => Some(None),
    }
}

impl PartReport {
    /// What it is called.
    pub fn label(&self, text: &Text) -> String {
        if self.field { self.key.clone() } else { text.get(&format!("component-{}", self.key)) }
    }

    /// Where its value comes from.
    pub fn origin_text(&self, text: &Text) -> String {
        match (self.choice, self.origin) {
            (Some(choice), _) => text.get(&format!("choice-{}-{choice}", self.key)),
            (None, "energy") => text.get("choice-energy"),
            (None, _) => text.get("choice-custom"),
        }
    }
}

impl UseReport {
    fn new(description: &Description, average: Decimal, kwh: Decimal) -> Self {
        let (grid, key, name, year) = match description.grid {
            GridSource::Default => ("default", None, None, None),
            GridSource::Given => ("given", None, None, None),
            GridSource::Country(country) => {
                ("country", Some(country.code), Some(country.name), Some(country.year))
            }
            GridSource::Energy(energy) => ("energy source", Some(energy.key), None, None),
        };
        Self {
            average_mw: average.into(),
            kwh: kwh.into(),
            g_per_kwh: description.g_per_kwh.into(),
            grid,
            grid_key: key.map(str::to_owned),
            grid_name: name,
            grid_year: year,
        }
    }

    fn grid_text(&self, text: &Text) -> String {
        match (self.grid_name, self.grid_year, &self.grid_key) {
            (Some(name), Some(year), Some(code)) => format!("{name} ({code}), {year}"),
            (_, _, Some(key)) => key.clone(),
            _ if self.grid == "default" => text.get("grid-default"),
            _ => text.get("grid-given"),
        }
    }
}

impl InferenceReport {
    fn new(energy: EnergySource, uj: Decimal) -> Option<Self> {
        let (from, count, board, range) = match energy {
            EnergySource::Given => ("given", None, None, None),
            EnergySource::FromMacs { macs, board, uj } => ("macs", Some(macs), Some(board.name), Some(uj)),
            EnergySource::FromCycles { cycles, board, uj } => {
                ("cycles", Some(cycles), Some(board.name), Some(uj))
            }
        };
        Some(Self {
            uj: uj.into(),
            estimated: range.is_some(),
            from,
            count,
            board,
            low_uj: range.map(|range| range.low.into()),
            high_uj: range.map(|range| range.high.into()),
        })
    }

    fn text(&self, text: &Text) -> String {
        let uj = text.significant(self.uj.0, 3);
        match (self.low_uj, self.high_uj, self.board) {
            (Some(low), Some(high), Some(board)) => {
                let (low, high) = (text.significant(low.0, 3), text.significant(high.0, 3));
                let count = text.plain(self.count.unwrap_or(0).into());
                let key = if self.from == "cycles" { "estimate-cycles" } else { "estimate-macs" };
                text.with(
                    key,
                    &[("uj", &uj), ("low", &low), ("high", &high), ("count", &count), ("board", &board)],
                )
            }
            _ => format!("{uj} µJ"),
        }
    }
}

/// The chart of one device: its parts, its total, and devices to compare with.
pub fn chart(reports: &[Report], text: &Text) -> String {
    let mut groups = Vec::new();
    if let [report] = reports {
        groups.push(report.bars(text));
    }
    // With several, their parts side by side: a group for each component that one of them has.
    if reports.len() > 1 {
        let mut keys: Vec<&str> = Vec::new();
        for part in reports.iter().flat_map(|report| &report.parts).filter(|part| part.kg.0 > Decimal::ZERO) {
            if !keys.contains(&part.key.as_str()) {
                keys.push(&part.key);
            }
        }
        for key in keys {
            let parts = || reports.iter().map(|report| report.parts.iter().find(|part| part.key == key));
            let label = parts().flatten().next().map_or_else(String::new, |part| part.label(text));
            let bars = parts().enumerate().map(|(i, part)| Bar {
                // Said once.
                label: if i == 0 { label.clone() } else { String::new() },
                value: part.map_or(Decimal::ZERO, |part| part.kg.0),
                kind: if i == 0 { Kind::Part } else { Kind::Use },
                mark: letter(i).to_string(),
            });
            groups.push(bars.collect());
        }
    }
    let mut sums: Vec<_> = reports
        .iter()
        .enumerate()
        .map(|(i, report)| {
            let mark = if reports.len() > 1 { letter(i).to_string() } else { String::new() };
            let label = if i == 0 { text.get("total") } else { String::new() };
            Bar { label, value: report.total_kg.0, kind: Kind::Total, mark }
        })
        .collect();
    sums.extend([WATCH, LAPTOP].map(|reference| Bar {
        label: reference.name.to_owned(),
        value: reference.kg.into(),
        kind: Kind::Reference,
        mark: String::new(),
    }));
    groups.push(sums);
    let names: Vec<_> = reports
        .iter()
        .enumerate()
        .map(|(i, report)| match reports.len() {
            1 => report.title(text),
            _ => format!("{}: {}", letter(i), report.title(text)),
        })
        .collect();
    let title = names.join(", ");
    chart::log_bars(&title, &text.get("chart-unit"), &groups, text)
}

fn letter(i: usize) -> char {
    char::from(b'A' + (i % 26) as u8)
}

/// The page of one device, or of several to compare.
///
/// # Errors
/// When a template is wrong, which tests rule out.
pub fn page(reports: &[Report], text: &Arc<Text>) -> Result<String, minijinja::Error> {
    #[derive(Serialize)]
    struct Shown<'a> {
        #[serde(flatten)]
        report: &'a Report,
        title: String,
        lines: Vec<(String, String)>,
        notes: Vec<String>,
    }
    let shown: Vec<_> = reports
        .iter()
        .map(|report| Shown {
            report,
            title: report.title(text),
            lines: report.lines(text),
            notes: report.notes(text),
        })
        .collect();
    let names: Vec<_> = reports.iter().map(|report| report.title(text)).collect();
    let title = text.with("footprint-title", &[("name", &names.join(", "))]);
    let context = context! {
        language => text.language().code(),
        version => env!("CARGO_PKG_VERSION"),
        title => title,
        reports => Value::from(Serde(&shown)),
        chart => chart(reports, text),
    };
    page::render("footprint.html", text, context)
}

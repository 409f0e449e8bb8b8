//! `kinglet footprint`: what a device costs the climate.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand, ValueEnum};
use kinglet_datasheet::chart::kg;
use kinglet_datasheet::footprint::{Report, chart, page};
use kinglet_datasheet::{Number, sheet};
use kinglet_footprint::table::{Document, Value};
use kinglet_footprint::{Component, DataSet, Description, LOAD_KEYS, board, grid, scale};
use kinglet_text::Text;
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::json;

use crate::failure::{Failure, Kind, Result};
use crate::output::{Output, table};
use crate::report::{self, Lang};

pub(crate) const EXAMPLES: &str = "\
Examples:
  kinglet footprint --preset vision                          the calculator's preset
  kinglet footprint --preset low-cost --svg bars.svg         one of the paper's systems
  kinglet footprint device.toml --html device.html           a device of your own
  kinglet footprint --power-mw 10 --years 5 --country KEN    electricity from what it draws
  kinglet footprint --model model.tflite --board nucleo-l4r5zi --period-s 1
                                                             energy estimated from a model
  kinglet footprint --devices 1e6 --saving-kg 0.5            a fleet, and when it pays
  kinglet footprint compare a.toml b.toml
  kinglet footprint list blocks                              options; countries, energies, boards
  kinglet footprint growth

A device's file:
  [device]       name, data = \"calculator\" | \"paper\", preset, model, flexible = true
  [blocks]       casing = \"small\" (an option), processing = 0.2 (kg), transport = false (left out)
  [fields]       \"LoRa radio\" = 0.25
  [use]          years, country | grid_g_per_kwh | energy_source, power_mw | current_ma and voltage_v |
                 energy_uj or board, with inferences_per_s | period_s | inferences_per_year, sleep_uw,
                 sensor_mw, duty | core, cycles, clock_hz, sram_bytes, inferences_per_year
  [battery]      voltage_v, capacity_mah
  [fleet]        devices
  [savings]      kg_per_year | kwh_per_year, avoided_g_per_kwh
  [uncertainty]  factor";

/// What to compute.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Footprint {
    #[command(subcommand)]
    command: Option<FootprintCommand>,
    /// A TOML file that describes the device.
    #[arg(value_name = "DEVICE.toml")]
    device: Option<PathBuf>,
    #[command(flatten)]
    made_of: MadeOf,
    #[command(flatten)]
    used: Used,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Subcommand)]
enum FootprintCommand {
    /// Compare devices, part by part.
    Compare(Compare),
    /// Show what there is to choose from.
    List(List),
    /// Say in which year there will be how many billions of IoT devices.
    Growth(Growth),
}

#[derive(Debug, Args)]
struct Compare {
    /// TOML files that describe the devices.
    #[arg(required = true, num_args = 2.., value_name = "DEVICE.toml")]
    devices: Vec<PathBuf>,
    #[command(flatten)]
    files: Files,
}

#[derive(Debug, Args)]
struct List {
    what: What,
    /// Language of what is printed.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum What {
    Blocks,
    Countries,
    Energies,
    Boards,
}

#[derive(Debug, Args)]
struct Growth {
    /// Billions of devices; those of the published forecast where nothing is said.
    billions: Vec<Decimal>,
    /// Language of what is printed.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

/// Where results go besides standard output.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
struct Files {
    /// Write a bar chart on a logarithmic axis.
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write a page with chart, table and sources.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Language of what is printed and written.
    #[arg(long, value_enum, default_value_t)]
    lang: Lang,
}

/// What the device is made of.
#[derive(Debug, Args)]
#[command(next_help_heading = "The device (in place of what its file says)")]
struct MadeOf {
    /// Its name.
    #[arg(long)]
    name: Option<String>,
    /// The data set: calculator or paper.
    #[arg(long, value_name = "SET")]
    data: Option<String>,
    /// vision, anomaly-detection; of the paper: low-cost, medium-cost, high-cost, keyword-typical,
    /// anomaly-typical.
    #[arg(long)]
    preset: Option<String>,
    /// A component's option, its kg, or off. May be repeated.
    #[arg(long = "block", value_name = "NAME=OPTION|KG|off")]
    blocks: Vec<String>,
    /// A part of your own. May be repeated.
    #[arg(long = "field", value_name = "NAME=KG")]
    fields: Vec<String>,
    /// Processor and circuit board on flexible plastic: a thousandth of silicon's.
    #[arg(long)]
    flexible: bool,
}

/// How it is used. Values are texts here: they are read as a file's are, exactly.
#[derive(Debug, Args)]
#[command(next_help_heading = "Its use (in place of what its file says)")]
struct Used {
    /// Years of use.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    years: Option<String>,
    /// Country whose grid feeds it: ISO 3166 code or English name.
    #[arg(long, value_name = "COUNTRY")]
    country: Option<String>,
    /// Carbon intensity of its electricity, g CO2e per kWh.
    #[arg(long, value_name = "G", allow_hyphen_values = true)]
    grid: Option<String>,
    /// One source of energy, such as solar.
    #[arg(long, value_name = "SOURCE")]
    energy_source: Option<String>,
    /// Power without pause, mW.
    #[arg(long, value_name = "MW", allow_hyphen_values = true)]
    power_mw: Option<String>,
    /// Current without pause, mA.
    #[arg(long, value_name = "MA", allow_hyphen_values = true)]
    current_ma: Option<String>,
    /// Voltage for the current.
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    voltage_v: Option<String>,
    /// Energy of an inference, uJ.
    #[arg(long, value_name = "UJ", allow_hyphen_values = true)]
    energy_uj: Option<String>,
    /// A board with published energies, to estimate an inference's.
    #[arg(long)]
    board: Option<String>,
    /// The model whose inference is estimated.
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// Multiply-accumulates of an inference, in place of a model.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    macs: Option<String>,
    /// Cycles of an inference, as `cargo xtask device bench` estimates them.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    cycles: Option<String>,
    /// Inferences per second.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    per_second: Option<String>,
    /// Seconds from one inference to the next.
    #[arg(long, value_name = "S", allow_hyphen_values = true)]
    period_s: Option<String>,
    /// Inferences per year.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    per_year: Option<String>,
    /// Power between inferences, uW.
    #[arg(long, value_name = "UW", allow_hyphen_values = true)]
    sleep_uw: Option<String>,
    /// Power of the sensor while it is on, mW.
    #[arg(long, value_name = "MW", allow_hyphen_values = true)]
    sensor_mw: Option<String>,
    /// Part of the time that the sensor is on, 0 to 1.
    #[arg(long, value_name = "PART", allow_hyphen_values = true)]
    duty: Option<String>,
    /// Battery's voltage.
    #[arg(long, value_name = "V", allow_hyphen_values = true)]
    battery_v: Option<String>,
    /// Battery's capacity, mAh.
    #[arg(long, value_name = "MAH", allow_hyphen_values = true)]
    battery_mah: Option<String>,
    /// How many devices there are; the model is trained once.
    #[arg(long, value_name = "N", allow_hyphen_values = true)]
    devices: Option<String>,
    /// kg CO2e that one device saves in a year.
    #[arg(long, value_name = "KG", allow_hyphen_values = true)]
    saving_kg: Option<String>,
    /// kWh that one device saves in a year.
    #[arg(long, value_name = "KWH", allow_hyphen_values = true)]
    saving_kwh: Option<String>,
    /// Carbon intensity of the electricity saved, g CO2e per kWh; that of its use where nothing is said.
    #[arg(long, value_name = "G", allow_hyphen_values = true)]
    avoided_grid: Option<String>,
    /// Multiply everything, for what a sum over parts leaves out; 2 is what Pirson and Bol found.
    #[arg(long, value_name = "FACTOR", allow_hyphen_values = true)]
    factor: Option<String>,
}

impl MadeOf {
    fn say(&self, document: &mut Document) -> Result<()> {
        for (key, value) in [("name", &self.name), ("data", &self.data), ("preset", &self.preset)] {
            if let Some(value) = value {
                document.set("device", key, Value::Text(value.clone()), &format!("--{key}"));
            }
        }
        // The data set of a file's preset is not that of the command line's.
        match (&self.data, &self.preset) {
            (None, Some(_)) => document.forget("device", &["data"]),
            (Some(_), None) => document.forget("device", &["preset"]),
            _ => {}
        }
        if self.flexible {
            document.set("device", "flexible", Value::Bool(true), "--flexible");
        }
        for (option, entries) in [("--block", &self.blocks), ("--field", &self.fields)] {
            for entry in entries {
                let option = format!("{option} {entry}");
                let Some((key, value)) = entry.split_once('=') else {
                    return Err(Failure::usage(option, "a name and a value belong here: NAME=VALUE"));
                };
                let (section, value) = match (entries == &self.blocks, value) {
                    (true, "off") => ("blocks", Value::Bool(false)),
                    (true, value) => ("blocks", Value::from_text(value)),
                    (false, value) => ("fields", Value::from_text(value)),
                };
                document.set(section, key, value, &option);
            }
        }
        Ok(())
    }
}

impl Used {
    fn say(&self, document: &mut Document) {
        let grid = [
            ("--country", "country", &self.country),
            ("--grid", "grid_g_per_kwh", &self.grid),
            ("--energy-source", "energy_source", &self.energy_source),
        ];
        let load = [
            ("--power-mw", "power_mw", &self.power_mw),
            ("--current-ma", "current_ma", &self.current_ma),
            ("--voltage-v", "voltage_v", &self.voltage_v),
            ("--energy-uj", "energy_uj", &self.energy_uj),
            ("--board", "board", &self.board),
            ("--macs", "macs", &self.macs),
            ("--cycles", "cycles", &self.cycles),
            ("--per-second", "inferences_per_s", &self.per_second),
            ("--period-s", "period_s", &self.period_s),
            ("--per-year", "inferences_per_year", &self.per_year),
            ("--sleep-uw", "sleep_uw", &self.sleep_uw),
            ("--sensor-mw", "sensor_mw", &self.sensor_mw),
            ("--duty", "duty", &self.duty),
        ];
        let others = [
            ("--years", "use", "years", &self.years),
            ("--battery-v", "battery", "voltage_v", &self.battery_v),
            ("--battery-mah", "battery", "capacity_mah", &self.battery_mah),
            ("--devices", "fleet", "devices", &self.devices),
            ("--saving-kg", "savings", "kg_per_year", &self.saving_kg),
            ("--saving-kwh", "savings", "kwh_per_year", &self.saving_kwh),
            ("--avoided-grid", "savings", "avoided_g_per_kwh", &self.avoided_grid),
            ("--factor", "uncertainty", "factor", &self.factor),
        ];
        // What draws power, or where it comes from, is said anew as a whole.
        if load.iter().any(|(_, _, value)| value.is_some()) {
            document.forget("use", LOAD_KEYS);
        }
        if grid.iter().any(|(_, _, value)| value.is_some()) {
            document.forget("use", &["country", "grid_g_per_kwh", "energy_source"]);
        }
        if self.saving_kg.is_some() || self.saving_kwh.is_some() {
            document.forget("savings", &["kg_per_year", "kwh_per_year"]);
        }
        let use_keys = grid.iter().chain(&load).map(|(option, key, value)| (*option, "use", *key, *value));
        for (option, section, key, value) in use_keys.chain(others) {
            let Some(value) = value else { continue };
            let value = match key {
                "country" | "energy_source" | "board" => Value::Text(value.clone()),
                _ => Value::from_text(value),
            };
            document.set(section, key, value, option);
        }
    }
}

pub(crate) fn execute(args: &Footprint, output: &Output) -> Result<bool> {
    match &args.command {
        None => one(args, output)?,
        Some(FootprintCommand::Compare(args)) => compare(args, output)?,
        Some(FootprintCommand::List(args)) => list(args, output)?,
        Some(FootprintCommand::Growth(args)) => growth(args, output)?,
    }
    Ok(true)
}

/// The model of a device's file, or of a datasheet.
fn model_of(
    option: Option<&Path>,
    document: &Document,
    file: Option<&Path>,
    text: &Text,
) -> Result<Option<PathBuf>> {
    match report::model_path(option, document, "device", "model", file, text)? {
        Some(path) => Ok(Some(path)),
        None => report::model_path(None, document, "model", "file", file, text),
    }
}

/// Reads a device and counts.
fn describe(document: &Document, model: Option<&Path>, text: &Text) -> Result<Report> {
    let facts = model.map(report::model_facts).transpose()?.unwrap_or_default();
    // A datasheet describes a device as well.
    let others: Vec<_> = sheet::keys().collect();
    let description = Description::read_beside(document, facts, &others);
    count(&description.map_err(|error| report::failure(&error, text))?, text)
}

pub(crate) fn count(description: &Description, text: &Text) -> Result<Report> {
    let message = || text.get("error-overflow");
    Report::new(description).ok_or_else(|| Failure::new(Kind::Description, "footprint", message()))
}

fn one(args: &Footprint, output: &Output) -> Result<()> {
    let text = args.files.lang.text();
    let mut document = match &args.device {
        Some(path) => report::read(path, &text)?,
        None => Document::empty(),
    };
    args.made_of.say(&mut document)?;
    args.used.say(&mut document);
    let file = args.device.as_deref();
    let model = model_of(args.used.model.as_deref(), &document, file, &text)?;
    let report = describe(&document, model.as_deref(), &text)?;
    if args.used.model.is_some() && report.inference.as_ref().is_none_or(|i| i.from != "macs") {
        return Err(Failure::usage("--model", text.get("error-model-alone")));
    }
    let reports = [report];
    write(&reports, &args.files, &text)?;
    let [report] = &reports;
    output.line(report.title(&text))?;
    output.line("")?;
    let heading = |key: &str| text.get(key);
    let mut rows = table([&heading("part"), &heading("choice"), "kg CO2e", "%"], &[2, 3]);
    for part in &report.parts {
        rows.add_row([
            part.label(&text),
            part.origin_text(&text),
            kg(part.kg.0, &text),
            text.number(part.percent.0, 1),
        ]);
    }
    rows.add_row([text.get("total"), String::new(), kg(report.total_kg.0, &text), String::new()]);
    output.line(rows.trim_fmt())?;
    output.line("")?;
    for (label, value) in report.lines(&text) {
        output.line(format_args!("{label}: {value}"))?;
    }
    output.line("")?;
    for note in report.notes(&text) {
        output.line(note)?;
    }
    written(&args.files, &text, output)?;
    output.object(report)
}

fn compare(args: &Compare, output: &Output) -> Result<()> {
    let text = args.files.lang.text();
    let reports: Vec<Report> = args
        .devices
        .iter()
        .map(|path| {
            let document = report::read(path, &text)?;
            let model = model_of(None, &document, Some(path), &text)?;
            describe(&document, model.as_deref(), &text)
        })
        .collect::<Result<_>>()?;
    write(&reports, &args.files, &text)?;

    let mut keys: Vec<(String, String)> = Vec::new();
    for part in reports.iter().flat_map(|report| &report.parts) {
        if !keys.iter().any(|(key, _)| *key == part.key) {
            keys.push((part.key.clone(), part.label(&text)));
        }
    }
    let value = |report: &Report, key: &str| {
        report.parts.iter().find(|part| part.key == key).map_or(Decimal::ZERO, |part| part.kg.0)
    };
    #[derive(Serialize)]
    struct Row {
        key: String,
        kg: Vec<Number>,
        /// The last less the first.
        difference_kg: Number,
    }
    let row = |key: &str, values: Vec<Decimal>| Row {
        key: key.to_owned(),
        difference_kg: match (values.first(), values.last()) {
            (Some(first), Some(last)) => (*last - *first).into(),
            _ => Number::default(),
        },
        kg: values.into_iter().map(Number).collect(),
    };
    let mut rows: Vec<_> = keys
        .iter()
        .map(|(key, _)| row(key, reports.iter().map(|report| value(report, key)).collect()))
        .collect();
    let total = row("total", reports.iter().map(|report| report.total_kg.0).collect());

    let mut header = vec![text.get("part")];
    header.extend(reports.iter().map(|report| report.title(&text)));
    header.push(text.get("difference"));
    let mut shown = table([""], &[]);
    shown.set_header(&header);
    for column in 1..header.len() {
        if let Some(column) = shown.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
    let labels = keys.iter().map(|(_, label)| label.clone()).chain([text.get("total")]);
    for (row, label) in rows.iter().chain([&total]).zip(labels) {
        let mut cells = vec![label];
        cells.extend(row.kg.iter().map(|value| kg(value.0, &text)));
        let sign = if row.difference_kg.0 > Decimal::ZERO { "+" } else { "" };
        cells.push(format!("{sign}{}", kg(row.difference_kg.0, &text)));
        shown.add_row(cells);
    }
    output.line(shown.trim_fmt())?;
    written(&args.files, &text, output)?;
    rows.push(total);
    output.object(&json!({ "devices": reports, "parts": rows }))
}

fn write(reports: &[Report], files: &Files, text: &Arc<Text>) -> Result<()> {
    let mut contents: Vec<(&Path, String)> = Vec::new();
    if let Some(path) = &files.svg {
        contents.push((path, chart(reports, text)));
    }
    if let Some(path) = &files.html {
        contents.push((path, page(reports, text).map_err(report::template)?));
    }
    report::write(&contents)
}

fn written(files: &Files, text: &Text, output: &Output) -> Result<()> {
    for path in [&files.svg, &files.html].into_iter().flatten() {
        output.line(text.with("written", &[("file", &path.display())]))?;
    }
    Ok(())
}

fn list(args: &List, output: &Output) -> Result<()> {
    let text = args.lang.text();
    match args.what {
        What::Blocks => list_blocks(&text, output),
        What::Countries => list_countries(&text, output),
        What::Energies => list_energies(&text, output),
        What::Boards => list_boards(&text, output),
    }
}

fn list_blocks(text: &Text, output: &Output) -> Result<()> {
    let mut sets = serde_json::Map::new();
    for data in DataSet::ALL {
        output.line(format_args!(
            "{}: {} ({})",
            text.get("list-blocks"),
            text.get(&format!("data-{}", data.key())),
            data.source()
        ))?;
        let mut rows = table([&text.get("part"), "", "", "kg CO2e"], &[3]);
        let mut blocks = serde_json::Map::new();
        for component in Component::ALL {
            let key = component.key();
            let choices = data.choices(component);
            for choice in choices {
                let label = text.get(&format!("choice-{key}-{}", choice.key));
                rows.add_row([key.to_owned(), choice.key.to_owned(), label, text.number(choice.kg(), 2)]);
            }
            if choices.is_empty() {
                rows.add_row([key.to_owned(), "-".to_owned(), text.get("choice-custom"), String::new()]);
            }
            let choices: Vec<_> = choices
                .iter()
                .map(|choice| json!({ "key": choice.key, "kg": Number(choice.kg()) }))
                .collect();
            blocks.insert(key.to_owned(), choices.into());
        }
        output.line(rows.trim_fmt())?;
        let presets: Vec<_> = data.presets().iter().map(|preset| preset.key).collect();
        output.line(format_args!("--preset {}\n", presets.join(" | ")))?;
        let object = json!({ "source": data.source(), "presets": presets, "blocks": blocks });
        sets.insert(data.key().to_owned(), object);
    }
    output.object(&json!({ "data": sets }))
}

fn list_countries(text: &Text, output: &Output) -> Result<()> {
    output.line(text.get("list-countries"))?;
    let mut rows = table([&text.get("code"), &text.get("country"), &text.get("year"), "g/kWh"], &[2, 3]);
    for country in grid::countries() {
        rows.add_row([
            country.code.to_owned(),
            country.name.to_owned(),
            country.year.to_string(),
            text.number(country.g_per_kwh, 0),
        ]);
    }
    output.line(rows.trim_fmt())?;
    output.line(text.get("note-country-grid"))?;
    let countries: Vec<_> = grid::countries()
        .map(|country| {
            let g = Number(country.g_per_kwh);
            json!({ "code": country.code, "name": country.name, "year": country.year, "g_per_kwh": g })
        })
        .collect();
    output.object(&json!({ "countries": countries }))
}

fn list_energies(text: &Text, output: &Output) -> Result<()> {
    output.line(text.get("list-energies"))?;
    let mut rows = table(["", "g/kWh"], &[1]);
    for energy in grid::ENERGIES {
        rows.add_row([energy.key.to_owned(), energy.g_per_kwh.to_string()]);
    }
    output.line(rows.trim_fmt())?;
    let energies: Vec<_> = grid::ENERGIES
        .iter()
        .map(|energy| json!({ "key": energy.key, "g_per_kwh": energy.g_per_kwh }))
        .collect();
    output.object(&json!({ "energies": energies }))
}

fn list_boards(text: &Text, output: &Output) -> Result<()> {
    output.line(text.get("list-boards"))?;
    let mut rows = table(["", &text.get("network"), "MACs", "uJ"], &[2, 3]);
    let mut boards = Vec::new();
    for board in board::BOARDS {
        let mut networks = Vec::new();
        for (i, measured) in board.measured.iter().enumerate() {
            let name = if i == 0 { board.key } else { "" };
            rows.add_row([
                name.to_owned(),
                measured.network.to_owned(),
                text.plain(measured.macs.into()),
                text.plain(measured.uj),
            ]);
            networks.push(json!({
                "network": measured.network,
                "macs": measured.macs,
                "uj": Number(measured.uj),
                "per_s": measured.per_s.map(Number),
            }));
        }
        rows.add_row([String::new(), board.name.to_owned(), String::new(), String::new()]);
        let clock = board.clock_hz;
        boards.push(json!({ "key": board.key, "name": board.name, "clock_hz": clock, "networks": networks }));
    }
    output.line(rows.trim_fmt())?;
    output.object(&json!({ "boards": boards }))
}

fn growth(args: &Growth, output: &Output) -> Result<()> {
    let text = args.lang.text();
    let targets = match args.billions.as_slice() {
        [] => scale::TARGETS.map(Decimal::from).to_vec(),
        given => given.to_vec(),
    };
    let headings = ["growth-billions", "growth-linear", "growth-exponential"].map(|key| text.get(key));
    let mut rows = table([&headings[0], &headings[1], &headings[2]], &[0, 1, 2]);
    let mut forecast = Vec::new();
    for billions in targets {
        let years = (scale::linear_year(billions), scale::exponential_year(billions));
        let (Some(linear), Some(exponential)) = years else {
            return Err(Failure::usage("growth", text.with("error-growth", &[("value", &billions)])));
        };
        rows.add_row([text.plain(billions), linear.to_string(), exponential.to_string()]);
        forecast.push(json!({
            "billions": Number(billions), "linear": Number(linear), "exponential": Number(exponential),
        }));
    }
    output.line(text.get("growth-title"))?;
    output.line(rows.trim_fmt())?;
    let (linear, factor) = (text.plain(scale::LINEAR_RATE), text.plain(scale::GROWTH_RATE));
    output.line(text.with("growth-note", &[("linear", &linear), ("factor", &factor)]))?;
    output.object(&json!({
        "growth": forecast,
        "linear_billions_per_year": Number(scale::LINEAR_RATE),
        "exponential_factor_per_year": Number(scale::GROWTH_RATE),
    }))
}

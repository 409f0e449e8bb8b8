//! A device as a TOML file describes it.

use kinglet_text::Message;
use rust_decimal::Decimal;

use crate::board::{BOARDS, Board, Estimate};
use crate::data::{Component, DataSet, YEARS};
use crate::device::{Device, Footprint};
use crate::energy::{Battery, Load, SOFT_CORE_HZ, SOFT_CORES, UseStage};
use crate::grid::{self, DEFAULT_G_PER_KWH};
use crate::scale::Savings;
use crate::table::{Document, Range, Result, Section, did_you_mean};

const KG: Range = Range::up_to(1_000_000);
const LIFE: Range = Range::up_to(100).from(1, 2);
const GRID: Range = Range::up_to(5000);
const MILLIWATTS: Range = Range::up_to(1_000_000);
const MICROJOULES: Range = Range::up_to(1_000_000_000);

/// The sections of a device's file.
pub const SECTIONS: &[&str] =
    &["device", "blocks", "fields", "use", "battery", "fleet", "savings", "uncertainty"];

/// Keys of `[use]` that say what draws power; on the command line, one of them takes the place of a file's.
pub const LOAD_KEYS: &[&str] = &[
    "power_mw",
    "voltage_v",
    "current_ma",
    "energy_uj",
    "board",
    "macs",
    "cycles",
    "inferences_per_s",
    "period_s",
    "inferences_per_year",
    "sleep_uw",
    "sensor_mw",
    "duty",
    "core",
    "clock_hz",
    "sram_bytes",
];
const GRID_KEYS: &[&str] = &["country", "grid_g_per_kwh", "energy_source"];

/// What kinglet knows of the device's model.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ModelFacts {
    /// Multiply-accumulates of an inference.
    pub macs: Option<u64>,
}

/// How the energy of an inference is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnergySource {
    /// It was given.
    Given,
    /// Estimated from the model's multiply-accumulates and what a board takes for others.
    FromMacs {
        /// Multiply-accumulates of an inference.
        macs: u64,
        /// The board.
        board: &'static Board,
        /// uJ.
        uj: Estimate,
    },
    /// Estimated from cycles and the board's power.
    FromCycles {
        /// Cycles of an inference.
        cycles: u64,
        /// The board.
        board: &'static Board,
        /// uJ.
        uj: Estimate,
    },
}

/// Where the carbon intensity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GridSource {
    /// Nothing was said.
    Default,
    /// A number was given.
    Given,
    /// A country's average.
    Country(grid::Country),
    /// One source of energy.
    Energy(grid::Energy),
}

/// All that a file says about a device.
#[derive(Clone, Debug)]
pub struct Description {
    /// Its name; empty when it has none.
    pub name: String,
    /// The preset that it started from.
    pub preset: &'static str,
    /// What it is made of.
    pub device: Device,
    /// Years of use.
    pub years: Decimal,
    /// g CO2-equivalent per kWh.
    pub g_per_kwh: Decimal,
    /// Where that comes from.
    pub grid: GridSource,
    /// How the energy of an inference is known, where it matters.
    pub energy: Option<EnergySource>,
    /// Its battery.
    pub battery: Option<Battery>,
    /// How many there are.
    pub devices: Decimal,
    /// What one saves.
    pub savings: Option<Savings>,
    /// By how much the sum may have to be multiplied.
    pub factor: Decimal,
}

impl Description {
    /// Reads a description that holds nothing else.
    ///
    /// # Errors
    /// For the first thing that is wrong with it.
    pub fn read(document: &Document, model: ModelFacts) -> Result<Self> {
        let root = document.root();
        root.only(SECTIONS)?;
        Self::read_from(&root, model)
    }

    /// Reads the device from a description that may hold these sections as well.
    ///
    /// # Errors
    /// For the first thing that is wrong with it.
    pub fn read_beside(document: &Document, model: ModelFacts, others: &[&str]) -> Result<Self> {
        let root = document.root();
        // Without any of the others it is a device's file, and their names would only confuse.
        if !root.entries().iter().any(|(name, _)| others.contains(&name.as_str())) {
            return Self::read(document, model);
        }
        let known: Vec<&str> = SECTIONS.iter().chain(others).copied().collect();
        root.only(&known)?;
        Self::read_from(&root, model)
    }

    /// Reads the sections of a description that may hold others as well.
    ///
    /// # Errors
    /// For the first thing that is wrong with it.
    pub fn read_from(root: &Section<'_>, model: ModelFacts) -> Result<Self> {
        let header = root.section("device")?;
        let (data, preset) = read_preset(header.as_ref())?;
        let name = match &header {
            Some(header) => header.text("name")?.unwrap_or_default().to_owned(),
            None => String::new(),
        };
        let mut device = Device::new(data);
        let preset = data.presets().get(preset).or(data.presets().first());
        if let Some(preset) = preset {
            device.apply(preset);
        }
        if let Some(header) = &header {
            device.set_flexible(header.bool("flexible")?.unwrap_or(false));
        }
        if let Some(blocks) = root.section("blocks")? {
            read_blocks(&blocks, &mut device)?;
        }
        if let Some(fields) = root.section("fields")? {
            let numbers = fields.entries().iter().map(|(name, node)| (name, fields.check(name, node, KG)));
            let read: Result<Vec<_>> = numbers.map(|(name, kg)| Ok((name.as_str(), Some(kg?)))).collect();
            // Only a number that is missing is refused, and none is.
            let _ = device.set_fields(read?);
        }

        let mut description = Self {
            name,
            preset: preset.map_or("", |preset| preset.key),
            device,
            years: YEARS,
            g_per_kwh: DEFAULT_G_PER_KWH,
            grid: GridSource::Default,
            energy: None,
            battery: None,
            devices: Decimal::ONE,
            savings: None,
            factor: Decimal::ONE,
        };
        if let Some(section) = root.section("use")? {
            description.read_use(&section, model)?;
            let own_use_stage = root.section("blocks")?.filter(|blocks| blocks.node("use_stage").is_some());
            if let (Some(blocks), true) = (own_use_stage, description.device.use_stage().is_some()) {
                return Err(blocks.error("use_stage", Message::new("error-use-stage-twice")));
            }
        }
        if let Some(section) = root.section("battery")? {
            section.only(&["voltage_v", "capacity_mah"])?;
            let volts = section.number("voltage_v", Range::up_to(1000).from(1, 1))?;
            let mah = section.number("capacity_mah", Range::up_to(100_000_000).from(1, 3))?;
            let missing = |key: &str| section.error("", Message::new("error-missing").with("key", key));
            description.battery = Some(Battery {
                volts: volts.ok_or_else(|| missing("voltage_v"))?,
                mah: mah.ok_or_else(|| missing("capacity_mah"))?,
            });
        }
        if let Some(section) = root.section("fleet")? {
            section.only(&["devices"])?;
            let devices = section.number("devices", Range::up_to_trillions(100).from(1, 0))?;
            description.devices = devices.unwrap_or(Decimal::ONE);
            if !description.devices.is_integer() {
                let message = Message::new("error-not-whole").with("value", description.devices);
                return Err(section.error("devices", message));
            }
        }
        if let Some(section) = root.section("savings")? {
            description.savings = Some(description.read_savings(&section)?);
        }
        if let Some(section) = root.section("uncertainty")? {
            section.only(&["factor"])?;
            description.factor =
                section.number("factor", Range::up_to(10).from(1, 0))?.unwrap_or(Decimal::ONE);
        }
        Ok(description)
    }

    fn read_savings(&self, section: &Section<'_>) -> Result<Savings> {
        section.only(&["kg_per_year", "kwh_per_year", "avoided_g_per_kwh"])?;
        let kg = section.number("kg_per_year", KG)?;
        let kwh = section.number("kwh_per_year", KG)?;
        let avoided = section.number("avoided_g_per_kwh", GRID)?;
        let kg_per_year = match (kg, kwh) {
            (Some(_), Some(_)) => {
                let message = Message::new("error-either").with("keys", "kg_per_year, kwh_per_year");
                return Err(section.error("kwh_per_year", message));
            }
            (Some(kg), None) => kg,
            (None, Some(kwh)) => kwh * avoided.unwrap_or(self.g_per_kwh) / Decimal::ONE_THOUSAND,
            (None, None) => {
                let message = Message::new("error-missing").with("key", "kg_per_year");
                return Err(section.error("", message));
            }
        };
        Ok(Savings { kg_per_year, years: self.years })
    }

    fn read_use(&mut self, section: &Section<'_>, model: ModelFacts) -> Result<()> {
        let known: Vec<_> = ["years"].iter().chain(GRID_KEYS).chain(LOAD_KEYS).copied().collect();
        section.only(&known)?;
        self.years = section.number("years", LIFE)?.unwrap_or(YEARS);
        self.read_grid(section)?;
        let load = self.read_load(section, model)?;
        // Years, or a grid, and nothing else: the published 1 mW, over those years, in that grid.
        let load =
            load.or_else(|| (!section.entries().is_empty()).then_some(Load::Constant { mw: Decimal::ONE }));
        self.device.set_use(load.map(|load| UseStage { load, years: self.years, g_per_kwh: self.g_per_kwh }));
        if self.device.use_stage().is_some_and(|use_stage| use_stage.kg().is_none()) {
            return Err(section.error("", Message::new("error-overflow")));
        }
        Ok(())
    }

    fn read_grid(&mut self, section: &Section<'_>) -> Result<()> {
        exclusive(section, GRID_KEYS)?;
        if let Some(value) = section.number("grid_g_per_kwh", GRID)? {
            (self.g_per_kwh, self.grid) = (value, GridSource::Given);
        }
        if let Some(name) = section.text("country")? {
            let country = grid::find(name).ok_or_else(|| {
                // A code has three letters, a name more.
                let codes: Vec<_> =
                    grid::countries().map(|c| if name.len() <= 3 { c.code } else { c.name }).collect();
                section.error("country", did_you_mean("country", name, codes.iter().copied()))
            })?;
            (self.g_per_kwh, self.grid) = (country.g_per_kwh, GridSource::Country(country));
        }
        let keys: Vec<_> = grid::ENERGIES.iter().map(|energy| energy.key).collect();
        let energy = section.one_of("energy_source", &keys)?.and_then(|i| grid::ENERGIES.get(i));
        if let Some(energy) = energy {
            (self.g_per_kwh, self.grid) = (energy.g_per_kwh.into(), GridSource::Energy(*energy));
        }
        Ok(())
    }

    fn read_load(&mut self, section: &Section<'_>, model: ModelFacts) -> Result<Option<Load>> {
        let missing = |key: &str| section.error("", Message::new("error-missing").with("key", key));
        exclusive(section, &["power_mw", "current_ma", "energy_uj", "board", "core"])?;
        if let Some(mw) = section.number("power_mw", MILLIWATTS)? {
            stray(section, &["power_mw"])?;
            return Ok(Some(Load::Constant { mw }));
        }
        let current = section.number("current_ma", Range::up_to(100_000))?;
        let volts = section.number("voltage_v", Range::up_to(1000).from(1, 1))?;
        match (current, volts) {
            (Some(ma), Some(volts)) => {
                stray(section, &["current_ma", "voltage_v"])?;
                return Ok(Some(Load::Constant { mw: ma * volts }));
            }
            (Some(_), None) => return Err(missing("voltage_v")),
            (None, Some(_)) => return Err(missing("current_ma")),
            (None, None) => {}
        }
        if section.node("core").is_some() {
            stray(section, &["core", "cycles", "clock_hz", "sram_bytes", "inferences_per_year"])?;
            return soft_core(section).map(Some);
        }

        let uj = match section.number("energy_uj", MICROJOULES)? {
            Some(uj) => {
                self.energy = Some(EnergySource::Given);
                Some(uj)
            }
            None => self.estimate(section, model)?,
        };
        let per_s = read_rate(section)?;
        let (Some(uj), Some(per_s)) = (uj, per_s) else {
            if uj.is_some() {
                return Err(missing("inferences_per_s"));
            }
            // What comes with an energy was given without it.
            if LOAD_KEYS.iter().any(|key| section.node(key).is_some()) {
                return Err(missing("energy_uj"));
            }
            return Ok(None);
        };
        const KEYS: &[&str] = &[
            "energy_uj",
            "board",
            "macs",
            "cycles",
            "inferences_per_s",
            "period_s",
            "inferences_per_year",
            "sleep_uw",
            "sensor_mw",
            "duty",
        ];
        stray(section, KEYS)?;
        Ok(Some(Load::Inferences {
            uj,
            per_s,
            sleep_uw: section.number("sleep_uw", MILLIWATTS)?.unwrap_or_default(),
            sensor_mw: section.number("sensor_mw", MILLIWATTS)?.unwrap_or_default(),
            duty: section.number("duty", Range::up_to(1))?.unwrap_or(Decimal::ONE),
        }))
    }

    /// uJ of an inference on a board that others were measured on.
    fn estimate(&mut self, section: &Section<'_>, model: ModelFacts) -> Result<Option<Decimal>> {
        let keys: Vec<_> = BOARDS.iter().map(|board| board.key).collect();
        let Some(board) = section.one_of("board", &keys)?.and_then(|i| BOARDS.get(i)) else {
            return Ok(None);
        };
        let count = |key| section.number(key, Range::up_to_trillions(1).from(1, 0));
        let whole = |value: Decimal| u64::try_from(value).unwrap_or(u64::MAX);
        if let Some(cycles) = count("cycles")?.map(whole) {
            let uj = board.uj_from_cycles(cycles).ok_or_else(|| {
                section.error("cycles", Message::new("error-no-clock").with("board", board.key))
            })?;
            self.energy = Some(EnergySource::FromCycles { cycles, board, uj });
            return Ok(Some(uj.middle));
        }
        let macs = count("macs")?.map(whole).or(model.macs);
        let macs = macs.ok_or_else(|| section.error("board", Message::new("error-no-macs")))?;
        let uj = board.uj_from_macs(macs).ok_or_else(|| section.error("", Message::new("error-overflow")))?;
        self.energy = Some(EnergySource::FromMacs { macs, board, uj });
        Ok(Some(uj.middle))
    }

    /// Its footprint, with the factor for what the sum leaves out.
    pub fn footprint(&self) -> Footprint {
        let mut footprint = self.device.footprint();
        for part in &mut footprint.parts {
            part.kg *= self.factor;
        }
        footprint
    }

    /// uJ of an inference, where the use stage is made of inferences.
    pub fn inference_uj(&self) -> Option<Decimal> {
        match self.device.use_stage()?.load {
            Load::Inferences { uj, .. } => Some(uj),
            Load::Constant { .. } | Load::SoftCore { .. } => None,
        }
    }

    /// Average power in mW: the published 1 mW where nothing else is said.
    pub fn average_mw(&self) -> Decimal {
        self.device.use_stage().and_then(|use_stage| use_stage.load.average_mw()).unwrap_or(Decimal::ONE)
    }
}

/// Inferences per second.
fn read_rate(section: &Section<'_>) -> Result<Option<Decimal>> {
    exclusive(section, &["inferences_per_s", "period_s", "inferences_per_year"])?;
    if let Some(per_s) = section.number("inferences_per_s", Range::up_to(1_000_000))? {
        return Ok(Some(per_s));
    }
    if let Some(seconds) = section.number("period_s", Range::up_to(100_000_000).from(1, 6))? {
        return Ok(Some(Decimal::ONE / seconds));
    }
    let per_year = section.number("inferences_per_year", Range::up_to_trillions(1))?;
    Ok(per_year.map(|per_year| per_year / Decimal::from(31_536_000)))
}

fn soft_core(section: &Section<'_>) -> Result<Load> {
    let names = SOFT_CORES.map(|(name, _)| name);
    let core = section.one_of("core", &names)?.and_then(|i| SOFT_CORES.get(i));
    let needed = |key: &str, range| {
        let missing = || section.error("", Message::new("error-missing").with("key", key));
        section.number(key, range)?.ok_or_else(missing)
    };
    let count = Range::up_to_trillions(1);
    Ok(Load::SoftCore {
        core_mw: core.map_or(Decimal::ZERO, |(_, mw)| *mw),
        sram_bytes: needed("sram_bytes", Range::up_to(1_000_000_000))?,
        cycles: needed("cycles", count)?,
        clock_hz: section.number("clock_hz", count.from(1, 0))?.unwrap_or(SOFT_CORE_HZ),
        per_year: needed("inferences_per_year", count)?,
    })
}

/// Refuses two ways to say one thing.
fn exclusive(section: &Section<'_>, keys: &[&str]) -> Result<()> {
    let mut given = keys.iter().filter(|key| section.node(key).is_some());
    match (given.next(), given.next()) {
        (Some(first), Some(second)) => {
            let message = Message::new("error-either").with("keys", format!("{first}, {second}"));
            Err(section.error(second, message))
        }
        _ => Ok(()),
    }
}

/// Refuses keys about power that have no meaning beside those given.
fn stray(section: &Section<'_>, wanted: &[&str]) -> Result<()> {
    let stray = LOAD_KEYS.iter().find(|key| !wanted.contains(key) && section.node(key).is_some());
    match stray {
        None => Ok(()),
        Some(key) => {
            let first = wanted.iter().find(|key| section.node(key).is_some()).copied().unwrap_or_default();
            Err(section.error(key, Message::new("error-stray").with("key", key).with("first", first)))
        }
    }
}

/// The data set, and the number of the preset in it.
fn read_preset(header: Option<&Section<'_>>) -> Result<(DataSet, usize)> {
    let Some(header) = header else { return Ok((DataSet::default(), 0)) };
    header.only(&["name", "data", "preset", "model", "flexible"])?;
    let names = DataSet::ALL.map(DataSet::key);
    let data = header.one_of("data", &names)?.and_then(|i| DataSet::ALL.get(i)).copied();
    let Some(preset) = header.text("preset")? else { return Ok((data.unwrap_or_default(), 0)) };
    let position = |data: &DataSet| data.presets().iter().position(|p| p.key == preset).map(|i| (*data, i));
    // A preset says which data set it is of.
    let sets = data.map_or(DataSet::ALL.to_vec(), |data| vec![data]);
    sets.iter().find_map(position).ok_or_else(|| {
        if let (Some(data), Some((other, _))) = (data, DataSet::ALL.iter().find_map(position)) {
            let message = Message::new("error-preset-of-other")
                .with("preset", preset)
                .with("data", data.key())
                .with("other", other.key());
            return header.error("preset", message);
        }
        let keys: Vec<_> = sets.iter().flat_map(|data| data.presets()).map(|preset| preset.key).collect();
        header.error("preset", did_you_mean("value", preset, keys.iter().copied()))
    })
}

fn read_blocks(blocks: &Section<'_>, device: &mut Device) -> Result<()> {
    use crate::table::Value;
    let keys = Component::ALL.map(Component::key);
    blocks.only(&keys)?;
    for component in Component::ALL {
        let key = component.key();
        let Some(node) = blocks.node(key) else { continue };
        match &node.value {
            Value::Text(text) => device.choose(component, text).map_err(|_| {
                let choices = device.data().choices(component);
                let keys: Vec<_> = choices.iter().map(|choice| choice.key).collect();
                let message = if keys.is_empty() {
                    Message::new("error-no-choices").with("data", device.data().key())
                } else {
                    did_you_mean("value", text, keys.iter().copied())
                };
                blocks.error(key, message)
            })?,
            Value::Bool(enabled) => device.enable(component, *enabled),
            _ => device.set_custom(component, blocks.check(key, node, KG)?),
        }
    }
    Ok(())
}

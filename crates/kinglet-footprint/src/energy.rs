//! The use stage: power, energy, battery.

use rust_decimal::Decimal;

const HOURS_PER_YEAR: Decimal = Decimal::from_parts(8760, 0, 0, false, 0);
const SECONDS_PER_YEAR: Decimal = Decimal::from_parts(31_536_000, 0, 0, false, 0);
const THOUSAND: Decimal = Decimal::ONE_THOUSAND;
/// Milliwatt-hours per kilowatt-hour.
const MILLION: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);

/// What draws power. Values are zero or more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Always the same, in mW.
    Constant {
        /// mW.
        mw: Decimal,
    },
    /// An inference now and then, sleep in between, a sensor for part of the time.
    Inferences {
        /// uJ per inference.
        uj: Decimal,
        /// Inferences per second.
        per_s: Decimal,
        /// uW while nothing is done.
        sleep_uw: Decimal,
        /// mW of the sensor while it is on.
        sensor_mw: Decimal,
        /// Part of the time that the sensor is on, 0 to 1.
        duty: Decimal,
    },
    /// FlexiFlow's soft cores, on while they work (`FlexiFlow`, ASPLOS 2026).
    SoftCore {
        /// mW of the core.
        core_mw: Decimal,
        /// Bytes of RAM of the program; the core's own 128 are added.
        sram_bytes: Decimal,
        /// Cycles per inference.
        cycles: Decimal,
        /// Cycles per second.
        clock_hz: Decimal,
        /// Inferences per year.
        per_year: Decimal,
    },
}

impl Load {
    /// Average power in mW, and `None` where a number overflows or a clock is 0.
    pub fn average_mw(&self) -> Option<Decimal> {
        match *self {
            Self::Constant { mw } => Some(mw),
            Self::Inferences { uj, per_s, sleep_uw, sensor_mw, duty } => {
                let inference = uj.checked_mul(per_s)?.checked_add(sleep_uw)?.checked_div(THOUSAND)?;
                inference.checked_add(sensor_mw.checked_mul(duty)?)
            }
            Self::SoftCore { .. } => {
                let busy = self.on_seconds_per_year()?;
                self.active_mw()?.checked_mul(busy)?.checked_div(SECONDS_PER_YEAR)
            }
        }
    }

    /// Power while it works, in mW: the average, but for soft cores.
    pub fn active_mw(&self) -> Option<Decimal> {
        match *self {
            Self::SoftCore { core_mw, sram_bytes, .. } => {
                // FlexiFlow: 0.0018 + 0.0002 mW for a bit of RAM; ROM takes none.
                let bits = sram_bytes.checked_add(Decimal::from(128))?.checked_mul(Decimal::from(8))?;
                core_mw.checked_add(bits.checked_mul(Decimal::new(2, 3))?)
            }
            _ => self.average_mw(),
        }
    }

    fn on_seconds_per_year(&self) -> Option<Decimal> {
        match *self {
            Self::SoftCore { cycles, clock_hz, per_year, .. } => {
                cycles.checked_mul(per_year)?.checked_div(clock_hz)
            }
            _ => Some(SECONDS_PER_YEAR),
        }
    }

    /// Energy over a life, in kWh: power by time, 8760 hours a year.
    pub fn kwh(&self, years: Decimal) -> Option<Decimal> {
        let hours = match self {
            Self::SoftCore { .. } => {
                self.on_seconds_per_year()?.checked_mul(years)?.checked_div(Decimal::from(3600))?
            }
            _ => HOURS_PER_YEAR.checked_mul(years)?,
        };
        self.active_mw()?.checked_mul(hours)?.checked_div(MILLION)
    }
}

/// Electricity during a device's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UseStage {
    /// What draws power.
    pub load: Load,
    /// Years of use.
    pub years: Decimal,
    /// g CO2-equivalent per kWh.
    pub g_per_kwh: Decimal,
}

impl UseStage {
    /// kWh over the life.
    pub fn kwh(&self) -> Option<Decimal> {
        self.load.kwh(self.years)
    }

    /// kg CO2-equivalent over the life.
    pub fn kg(&self) -> Option<Decimal> {
        self.kwh()?.checked_mul(self.g_per_kwh)?.checked_div(THOUSAND)
    }
}

/// FlexiFlow's soft cores: name and mW.
pub const SOFT_CORES: [(&str, Decimal); 3] = [
    ("serv", Decimal::from_parts(177_451, 0, 0, false, 4)),
    ("qerv", Decimal::from_parts(210_650, 0, 0, false, 4)),
    ("herv", Decimal::from_parts(249_934, 0, 0, false, 4)),
];

/// Their clock where nothing is said, in Hz.
pub const SOFT_CORE_HZ: Decimal = Decimal::from_parts(10_000, 0, 0, false, 0);

/// A battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Battery {
    /// Volts.
    pub volts: Decimal,
    /// mAh.
    pub mah: Decimal,
}

impl Battery {
    /// Days on one charge at an average power in mW. `None` for no power.
    pub fn days(&self, average_mw: Decimal) -> Option<Decimal> {
        self.mwh()?.checked_div(average_mw)?.checked_div(Decimal::from(24))
    }

    /// Charges over a life.
    pub fn charges(&self, average_mw: Decimal, years: Decimal) -> Option<Decimal> {
        HOURS_PER_YEAR.checked_mul(years)?.checked_mul(average_mw)?.checked_div(self.mwh()?)
    }

    fn mwh(&self) -> Option<Decimal> {
        self.volts.checked_mul(self.mah)
    }
}

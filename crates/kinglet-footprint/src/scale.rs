//! Many devices, over years: growth, and savings against costs.

use rust_decimal::{Decimal, MathematicalOps as _};

/// Devices at the start of the forecast, in billions.
const START_BILLIONS: Decimal = Decimal::from_parts(15, 0, 0, false, 0);
/// The year of the start.
const START_YEAR: Decimal = Decimal::from_parts(2023, 0, 0, false, 0);
/// Billions more each year. The forecast ("Responsible TinyML", B. Plancher, 2024) names years only; this rate and
/// the next reproduce all of them.
pub const LINEAR_RATE: Decimal = Decimal::from_parts(194, 0, 0, false, 2);
/// Times as many each year.
pub const GROWTH_RATE: Decimal = Decimal::from_parts(11_515, 0, 0, false, 4);
/// The sizes that the forecast names, in billions.
pub const TARGETS: [u32; 4] = [50, 100, 250, 1000];

/// The year in which there are so many billions of IoT devices, with as many more each year.
pub fn linear_year(billions: Decimal) -> Option<Decimal> {
    year((billions - START_BILLIONS).checked_div(LINEAR_RATE)?)
}

/// The same, with as many times more each year.
pub fn exponential_year(billions: Decimal) -> Option<Decimal> {
    let factor = billions.checked_div(START_BILLIONS)?.checked_ln()?;
    year(factor.checked_div(GROWTH_RATE.checked_ln()?)?)
}

fn year(after: Decimal) -> Option<Decimal> {
    (after >= Decimal::ZERO).then(|| START_YEAR + after.round())
}

/// What devices save, as their user says, against what they take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Savings {
    /// kg CO2-equivalent that one device saves in a year.
    pub kg_per_year: Decimal,
    /// Years of use.
    pub years: Decimal,
}

impl Savings {
    /// kg that a fleet takes less what it saves: below 0 it saves more.
    pub fn net(&self, fleet_kg: Decimal, devices: Decimal) -> Option<Decimal> {
        fleet_kg.checked_sub(self.kg_per_year.checked_mul(devices)?.checked_mul(self.years)?)
    }

    /// Years until a fleet has saved what it takes. `None` where nothing is saved.
    pub fn break_even_years(&self, fleet_kg: Decimal, devices: Decimal) -> Option<Decimal> {
        fleet_kg.checked_div(self.kg_per_year.checked_mul(devices)?)
    }
}

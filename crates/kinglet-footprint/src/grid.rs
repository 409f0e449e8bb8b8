//! How much CO2 a kilowatt-hour takes.

use rust_decimal::Decimal;

/// Average carbon intensity of a country's electricity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166-1 alpha-3.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
    /// The year the figure is for.
    pub year: u16,
    /// g CO2-equivalent per kWh.
    pub g_per_kwh: Decimal,
}

/// What [`countries`] is made of: Ember's and Our World in Data's figures (CC BY 4.0), as CodeCarbon distributes
/// them; the Central African Republic, given as 0, is left out. The world's average is rounded.
const COUNTRIES: &str = include_str!("../data/grid.csv");

/// 212 countries, by code, and last the world (code `WORLD`).
pub fn countries() -> impl Iterator<Item = Country> {
    let world = Country {
        code: "WORLD",
        name: "World",
        year: 2023,
        g_per_kwh: Decimal::from_parts(481, 0, 0, false, 0),
    };
    COUNTRIES.lines().skip(1).filter_map(country).chain([world])
}

fn country(line: &'static str) -> Option<Country> {
    let mut cells = line.split(',');
    let (code, name) = (cells.next()?, cells.next()?);
    Some(Country { code, name, year: cells.next()?.parse().ok()?, g_per_kwh: cells.next()?.parse().ok()? })
}

/// A country by code or English name, whatever the case of its letters.
pub fn find(text: &str) -> Option<Country> {
    countries().find(|c| c.code.eq_ignore_ascii_case(text) || c.name.eq_ignore_ascii_case(text))
}

/// What electricity is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Energy {
    /// Its key in files and on the command line.
    pub key: &'static str,
    /// g CO2-equivalent per kWh.
    pub g_per_kwh: u16,
}

const fn energy(key: &'static str, g_per_kwh: u16) -> Energy {
    Energy { key, g_per_kwh }
}

/// Energy sources: those of the ACT model (Gupta et al., ISCA 2022), and with `eia-` those of FlexiFlow
/// (ASPLOS 2026), which takes them from the US agencies EIA and DOE.
pub const ENERGIES: &[Energy] = &[
    energy("coal", 820),
    energy("gas", 490),
    energy("biomass", 230),
    energy("solar", 41),
    energy("geothermal", 38),
    energy("hydro", 24),
    energy("nuclear", 12),
    energy("wind", 11),
    energy("eia-coal", 1048),
    energy("eia-petroleum", 1116),
    energy("eia-solar", 28),
    energy("eia-nuclear", 13),
    energy("eia-wind", 12),
    energy("eia-usa-2023", 367),
];

/// Intensity where nothing is said, g CO2-equivalent per kWh: close to the average of electricity consumed in the
/// United States. With the published use stage (1 mW, three years) every intensity from 191 to 570 gives the
/// published 0.01 kg.
pub const DEFAULT_G_PER_KWH: Decimal = Decimal::from_parts(433, 0, 0, false, 0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(countries().count(), COUNTRIES.lines().count());
        assert!(countries().all(|country| country.g_per_kwh > Decimal::ZERO));
        assert_eq!(find("ind").map(|c| c.g_per_kwh), "713.441".parse().ok());
        assert_eq!(find("India"), find("IND"));
        assert_eq!(find("XXX"), None);
    }
}

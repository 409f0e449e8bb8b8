//! Worked examples: the calculator's arithmetic, the paper's table, and sums done by hand from both.

use kinglet_footprint::energy::{Battery, Load, SOFT_CORE_HZ, SOFT_CORES, UseStage};
use kinglet_footprint::scale::{self, Savings};
use kinglet_footprint::table::Document;
use kinglet_footprint::{Component, DataSet, Description, Device, ModelFacts, board, data, grid};
use rust_decimal::Decimal;

fn decimal(text: &str) -> Decimal {
    text.parse().expect("a number")
}

/// As a file describes it.
fn describe(toml: &str) -> Description {
    let document = Document::parse("device.toml", toml).expect("TOML");
    Description::read(&document, ModelFacts::default()).expect("a device")
}

fn total(toml: &str) -> String {
    describe(toml).footprint().total().to_string()
}

#[track_caller]
fn assert_places(value: Decimal, expected: &str) {
    let places = expected.split_once('.').map_or(0, |(_, fraction)| fraction.len() as u32);
    assert_eq!(value.round_dp(places), decimal(expected), "{value}");
}

#[test]
fn presets_of_the_calculator() {
    assert_eq!(total(""), "3.24");
    assert_eq!(total("[device]\npreset = \"vision\""), "3.24");
    assert_eq!(total("[device]\npreset = \"anomaly-detection\""), "1.61");
}

/// Every component at its first or last published value.
fn at(which: fn(&[data::Choice]) -> Option<&data::Choice>) -> Decimal {
    let mut device = Device::new(DataSet::Calculator);
    for component in Component::ALL {
        if let Some(choice) = which(DataSet::Calculator.choices(component)) {
            device.choose(component, choice.key).expect("a choice");
        }
    }
    device.footprint().total()
}

#[test]
fn least_and_most() {
    assert_eq!(at(|choices| choices.first()), decimal("1.19"));
    assert_eq!(at(|choices| choices.last()), decimal("7.96"));
}

#[test]
fn options_boxes_and_custom_values() {
    assert_eq!(total("[blocks]\npower_supply = \"li-ion-typical\""), "4.08");
    assert_eq!(total("[blocks]\nml_training = false\ntransport = false"), "1.84");
    assert_eq!(total("[device]\npreset = \"anomaly-detection\"\n[blocks]\nuse_stage = 1.50"), "3.10");
}

#[test]
fn a_preset_leaves_boxes_and_custom_values() {
    let mut device = Device::new(DataSet::Calculator);
    device.enable(Component::Transport, false);
    device.set_custom(Component::Memory, decimal("0.05"));
    device.apply(&DataSet::Calculator.presets()[1]);
    assert!(!device.is_enabled(Component::Transport));
    assert_eq!(device.footprint().total(), decimal("1.61") - decimal("0.40") + decimal("0.05"));
}

#[test]
fn fields_of_ones_own() {
    let toml =
        "[device]\npreset = \"anomaly-detection\"\n[fields]\n\"LoRa radio\" = 0.25\n\"solar cell\" = 1.1";
    assert_eq!(total(toml), "2.96");
}

#[test]
fn a_field_that_is_no_number_drops_them_all() {
    let mut device = Device::new(DataSet::Calculator);
    device.apply(&DataSet::Calculator.presets()[1]);
    device.set_fields([("x", Some(Decimal::ONE))]).expect("numbers");
    let refused = device.set_fields([("LoRa", Some(decimal("0.25"))), ("note", None)]);
    assert!(refused.expect_err("a text").to_string().contains("note"));
    assert_eq!(device.footprint().total(), decimal("1.61"));
}

#[test]
fn fleets_train_once() {
    let hundred = Decimal::ONE_HUNDRED;
    assert_eq!(describe("").footprint().fleet(hundred), Some(decimal("225.00")));
    let anomaly = describe("[device]\npreset = \"anomaly-detection\"");
    assert_eq!(anomaly.footprint().fleet(hundred), Some(decimal("151.10")));
    let flexible = describe("[device]\nflexible = true");
    assert_eq!(flexible.footprint().fleet(hundred), Some(decimal("192.033")));
}

#[test]
fn the_papers_table() {
    let columns = [
        ("low-cost", "0.89", "1.12"),
        ("keyword-typical", "2.66", "0.38"),
        ("anomaly-typical", "2.67", "0.37"),
        ("medium-cost", "3.41", "0.29"),
        ("high-cost", "7.06", "0.14"),
    ];
    for (preset, total, share) in columns {
        let footprint = describe(&format!("[device]\npreset = \"{preset}\"")).footprint();
        assert_eq!(footprint.total(), decimal(total));
        assert_places(footprint.operational() * Decimal::ONE_HUNDRED / footprint.total(), share);
        assert_eq!(footprint.parts.len(), Component::ALL.len());
    }
}

#[test]
fn groups_of_the_papers_figure() {
    use Component::*;
    let rows = [
        ("low-cost", ["0.25", "0.01", "0.18", "0.20", "0.08", "0.10", "0.07"]),
        ("medium-cost", ["1.36", "0.77", "0.40", "0.49", "0.17", "0.10", "0.12"]),
        ("high-cost", ["2.71", "1.47", "1.35", "0.99", "0.29", "0.10", "0.15"]),
    ];
    for (preset, expected) in rows {
        let footprint = describe(&format!("[device]\npreset = \"{preset}\"")).footprint();
        let sum = |components: &[Component]| components.iter().map(|&c| footprint.of(c)).sum::<Decimal>();
        let groups = [
            sum(&[PowerSupply]),
            sum(&[Sensing]),
            sum(&[Transport]),
            sum(&[Casing, Pcb, Ui]),
            sum(&[Processing, Memory]),
            sum(&[MlTraining]),
            sum(&[UseStage, EndOfLife, Others]),
        ];
        assert_eq!(groups, expected.map(decimal), "{preset}");
    }
}

#[track_caller]
fn assert_use(toml: &str, kwh: &str, kg: &str) -> UseStage {
    let description = describe(toml);
    let use_stage = *description.device.use_stage().expect("a load");
    assert_places(use_stage.kwh().expect("no overflow"), kwh);
    assert_places(use_stage.kg().expect("no overflow"), kg);
    assert_eq!(description.footprint().operational(), use_stage.kg().expect("no overflow"));
    use_stage
}

#[test]
fn constant_power() {
    assert_use("[use]\npower_mw = 1\nyears = 3\ngrid_g_per_kwh = 433", "0.02628", "0.011379");
    assert_use(
        "[use]\nvoltage_v = 3.3\ncurrent_ma = 40\nyears = 3\ngrid_g_per_kwh = 433",
        "3.46896",
        "1.502060",
    );
    assert_use("[use]\npower_mw = 10\nyears = 5\ngrid_g_per_kwh = 475", "0.438", "0.20805");
    // Nothing said: the published milliwatt, three years.
    assert_use("[use]\nyears = 3", "0.02628", "0.011379");
}

#[test]
fn inferences() {
    let u575 = "[use]\nenergy_uj = 1004.221\ninferences_per_s = 1\nsleep_uw = 10\nyears = 3\n";
    let use_stage = assert_use(&format!("{u575}grid_g_per_kwh = 433"), "0.026654", "0.011541");
    assert_places(use_stage.load.average_mw().expect("no overflow"), "1.01422");
    assert_use(&format!("{u575}country = \"IND\""), "0.026654", "0.019016");

    let l4r5 = "[use]\nenergy_uj = 5618.279\nperiod_s = 60\nsleep_uw = 10\nyears = 3\ngrid_g_per_kwh = 433";
    let use_stage = assert_use(l4r5, "0.002724", "0.001179");
    assert_places(use_stage.load.average_mw().expect("no overflow"), "0.10364");

    let ad =
        "[use]\nenergy_uj = 121.446\ninferences_per_s = 10\nsleep_uw = 10\nyears = 5\ngrid_g_per_kwh = 70";
    let use_stage = assert_use(ad, "0.053631", "0.003754");
    assert_places(use_stage.load.average_mw().expect("no overflow"), "1.22446");
}

#[test]
fn soft_cores() {
    let rows = [
        ("serv", "21868.1", "1.563980535", "21.3451", "0.0416847", "1.6056653"),
        ("herv", "4441.0", "1.735397721", "28.5934", "0.0113400", "1.7467378"),
    ];
    for (core, cycles, embodied_g, mw, operational_g, total_g) in rows {
        let use_stage = format!(
            "[use]\ncore = \"{core}\"\ncycles = {cycles}\nsram_bytes = 97\ninferences_per_year = 8760\nyears = 1\n\
             grid_g_per_kwh = 367"
        );
        let description = describe(&use_stage);
        let load = description.device.use_stage().expect("a load").load;
        assert_eq!(load.active_mw(), Some(decimal(mw)));
        let operational = description.footprint().operational() * Decimal::ONE_THOUSAND;
        assert_places(operational, operational_g);
        assert_places(operational + decimal(embodied_g), total_g);
    }
    let Load::SoftCore { clock_hz, cycles, .. } =
        describe("[use]\ncore = \"serv\"\ncycles = 21868.1\nsram_bytes = 97\ninferences_per_year = 8760")
            .device
            .use_stage()
            .expect("a load")
            .load
    else {
        panic!("a soft core")
    };
    assert_eq!(clock_hz, SOFT_CORE_HZ);
    assert_eq!(cycles / clock_hz, decimal("2.18681"));
    assert_eq!(SOFT_CORES[1].1, decimal("21.0650"));
}

#[test]
fn growth() {
    let years = |year: fn(Decimal) -> Option<Decimal>| {
        scale::TARGETS.map(|billions| year(billions.into()).expect("a year").to_string())
    };
    assert_eq!(years(scale::linear_year), ["2041", "2067", "2144", "2531"]);
    assert_eq!(years(scale::exponential_year), ["2032", "2036", "2043", "2053"]);
    assert_eq!(scale::linear_year(15.into()), Some(2023.into()));
    assert_eq!(scale::linear_year(14.into()), None);
}

#[test]
fn ratios_to_the_watch() {
    for (preset, ratio) in [("high-cost", "4.82"), ("medium-cost", "9.97"), ("low-cost", "38.20")] {
        let total = describe(&format!("[device]\npreset = \"{preset}\"")).footprint().total();
        assert_places(Decimal::from(data::WATCH.kg) / total, ratio);
    }
    assert_eq!(data::LAPTOP.kg, 349);
}

#[test]
fn batteries() {
    let battery = Battery { volts: decimal("3.6"), mah: decimal("2000") };
    assert_eq!(battery.days(Decimal::ONE), Some(decimal("300")));
    assert_eq!(battery.charges(Decimal::ONE, 3.into()), Some(decimal("3.65")));
    assert_eq!(battery.days(Decimal::ZERO), None);
}

#[test]
fn the_worlds_devices() {
    let rows =
        [("low-cost", "222.5", "197.5"), ("medium-cost", "852.5", "827.5"), ("high-cost", "1765", "1740")];
    for (preset, each, once) in rows {
        let footprint = describe(&format!("[device]\npreset = \"{preset}\"")).footprint();
        let (devices, megatonne) = (decimal("250e9"), decimal("1000000000"));
        assert_places(footprint.total() * devices / megatonne, each);
        assert_places(footprint.fleet(devices).expect("no overflow") / megatonne, once);
    }
}

#[test]
fn savings_against_costs() {
    let savings = Savings { kg_per_year: decimal("0.81"), years: 5.into() };
    let (fleet, devices) = (decimal("225.00"), Decimal::ONE_HUNDRED);
    assert_eq!(savings.net(fleet, devices), Some(decimal("-180.00")));
    assert_places(savings.break_even_years(fleet, devices).expect("savings"), "2.78");
    let nothing = Savings { kg_per_year: Decimal::ZERO, ..savings };
    assert_eq!(nothing.break_even_years(fleet, devices), None);
}

#[test]
fn the_sum_may_be_doubled() {
    assert_eq!(total("[uncertainty]\nfactor = 2"), "6.48");
}

#[test]
fn estimates_reproduce_what_they_are_made_of() {
    let u575 = board::Board::find("nucleo-u575zi-q").expect("a board");
    let estimate = u575.uj_from_macs(2_656_768).expect("no overflow");
    assert!(estimate.low <= decimal("1004.221") && decimal("1004.221") <= estimate.high);
    assert!(u575.uj_from_cycles(1000).is_none());
    let l4r5 = board::Board::find("nucleo-l4r5zi").expect("a board");
    // 120 million cycles take a second: the board's power in mW is a thousandth of the energy in uJ.
    let second = l4r5.uj_from_cycles(120_000_000).expect("a clock");
    assert_places(second.high / Decimal::ONE_THOUSAND, "47.25");
    assert_eq!(board::BOARDS.iter().map(|b| b.measured.len()).sum::<usize>(), 43);
}

#[test]
fn grids() {
    let g = |code| grid::find(code).expect("a country").g_per_kwh.round();
    let rows = [("ARG", 354), ("BRA", 98), ("ETH", 25), ("FRA", 56), ("GBR", 238), ("KEN", 70), ("NOR", 30)];
    for (code, expected) in rows {
        assert_eq!(g(code), expected.into(), "{code}");
    }
    let rows = [("POL", 662), ("RWA", 316), ("UGA", 45), ("USA", 369), ("ZAF", 708), ("ZWE", 298)];
    for (code, expected) in rows {
        assert_eq!(g(code), expected.into(), "{code}");
    }
    assert!(grid::ENERGIES.iter().any(|energy| (energy.key, energy.g_per_kwh) == ("coal", 820)));
}

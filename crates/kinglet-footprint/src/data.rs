//! The published data: components, options, presets, devices to compare with.
//!
//! All masses are kg CO2-equivalent per device, over its whole life with three years of use.

use rust_decimal::Decimal;

/// Part of a device's footprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Component {
    /// Training of the model; a fleet counts it once.
    MlTraining,
    /// Motors, relays.
    Actuators,
    /// Plastic and metal around it.
    Casing,
    /// Radio outside the processor.
    Connectivity,
    /// RAM and flash outside the processor.
    Memory,
    /// Resistors, capacitors, diodes and other small parts.
    Others,
    /// Circuit board and solder.
    Pcb,
    /// Mains supply or battery.
    PowerSupply,
    /// The microcontroller.
    Processing,
    /// Security chips outside the processor.
    Security,
    /// Microphone, imager.
    Sensing,
    /// From the factory to its user.
    Transport,
    /// LEDs, switches, displays.
    Ui,
    /// Electricity during its life.
    UseStage,
    /// What becomes of it.
    EndOfLife,
}

impl Component {
    /// All, in the order in which they are shown: the calculator's blocks first, as in the calculator.
    pub const ALL: [Self; 15] = [
        Self::MlTraining,
        Self::Casing,
        Self::Processing,
        Self::Pcb,
        Self::PowerSupply,
        Self::Sensing,
        Self::Others,
        Self::Transport,
        Self::Ui,
        Self::UseStage,
        Self::Memory,
        Self::Connectivity,
        Self::Actuators,
        Self::Security,
        Self::EndOfLife,
    ];

    /// Its key in files and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::MlTraining => "ml_training",
            Self::Actuators => "actuators",
            Self::Casing => "casing",
            Self::Connectivity => "connectivity",
            Self::Memory => "memory",
            Self::Others => "others",
            Self::Pcb => "pcb",
            Self::PowerSupply => "power_supply",
            Self::Processing => "processing",
            Self::Security => "security",
            Self::Sensing => "sensing",
            Self::Transport => "transport",
            Self::Ui => "ui",
            Self::UseStage => "use_stage",
            Self::EndOfLife => "end_of_life",
        }
    }
}

/// One of a component's published values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its key in files and on the command line.
    pub key: &'static str,
    /// Hundredths of a kg: all published values have two decimals.
    centi_kg: u32,
}

impl Choice {
    /// kg CO2-equivalent.
    pub fn kg(&self) -> Decimal {
        Decimal::new(self.centi_kg.into(), 2)
    }
}

/// Where the numbers come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataSet {
    /// The TinyML Footprint calculator (`harvard-edge/TinyML-Footprint`, branch gh-pages).
    #[default]
    Calculator,
    /// The table of component values beside the paper: Prakash, Stewart, Banbury, Mazumder, Warden, Plancher,
    /// Janapa Reddi, "Is TinyML Sustainable?", CACM, November 2023, doi 10.1145/3608473.
    Paper,
}

impl DataSet {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Calculator, Self::Paper];

    /// Its key in files and on the command line.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Calculator => "calculator",
            Self::Paper => "paper",
        }
    }

    /// The published values of a component; empty where the data set has none.
    pub const fn choices(self, component: Component) -> &'static [Choice] {
        match self {
            Self::Calculator => calculator(component),
            Self::Paper => paper(component),
        }
    }

    /// Where it was published.
    pub const fn source(self) -> &'static str {
        match self {
            Self::Calculator => {
                "TinyML Footprint calculator, github.com/harvard-edge/TinyML-Footprint, branch gh-pages"
            }
            Self::Paper => {
                "Prakash et al., Is TinyML Sustainable?, Communications of the ACM, November 2023, \
                 doi 10.1145/3608473; table in github.com/harvard-edge/TinyML-Footprint"
            }
        }
    }

    /// Its presets. The first is what a device starts with.
    pub const fn presets(self) -> &'static [Preset] {
        match self {
            Self::Calculator => CALCULATOR_PRESETS,
            Self::Paper => PAPER_PRESETS,
        }
    }
}

/// A choice for every component: what a kind of device is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its key in files and on the command line.
    pub key: &'static str,
    /// Keys of choices; a component that is not here takes its only choice, if it has one.
    choices: &'static [(Component, &'static str)],
}

impl Preset {
    /// The number of the choice for a component among `data`'s.
    pub fn choice(&self, data: DataSet, component: Component) -> Option<usize> {
        let choices = data.choices(component);
        match self.choices.iter().find(|(c, _)| *c == component) {
            Some((_, key)) => choices.iter().position(|choice| choice.key == *key),
            None => (choices.len() == 1).then_some(0),
        }
    }
}

const fn choice(key: &'static str, centi_kg: u32) -> Choice {
    Choice { key, centi_kg }
}

/// The calculator's blocks (`main.py`). Its labels for the casing name the masses of larger devices (200 to 700 g
/// of ABS), while the values are those that the paper's table has for 10, 50 and 100 g: the values are kept.
const fn calculator(component: Component) -> &'static [Choice] {
    match component {
        Component::MlTraining => const { &[choice("densenet", 10), choice("mobilenet-v1", 100)] },
        Component::Casing => const { &[choice("small", 4), choice("typical", 27), choice("large", 63)] },
        Component::Processing => {
            const { &[choice("mcu-5mm2", 8), choice("mcu-10mm2", 17), choice("mcu-17mm2", 29)] }
        }
        Component::Pcb => const { &[choice("small", 13), choice("typical", 16), choice("large", 24)] },
        Component::PowerSupply => {
            const { &[choice("mains", 52), choice("li-ion-typical", 136), choice("li-ion-large", 271)] }
        }
        Component::Sensing => {
            const { &[choice("electret-microphone", 4), choice("cmos-30mm2", 77), choice("cmos-58mm2", 147)] }
        }
        Component::Others => const { &[choice("best", 6), choice("typical", 11), choice("worst", 14)] },
        Component::Transport => const { &[choice("best", 18), choice("typical", 40), choice("worst", 135)] },
        Component::Ui => const { &[choice("1-led", 3), choice("2-leds", 6), choice("4-leds", 12)] },
        Component::UseStage => const { &[choice("continuous-1mw", 1)] },
        Component::Memory
        | Component::Connectivity
        | Component::Actuators
        | Component::Security
        | Component::EndOfLife => &[],
    }
}

/// The rows of the paper's table (`TinyMLSystems_Footprint_Data.png`, branch main). The levels are Pirson and
/// Bol's hardware specification levels, J. Cleaner Production 322 (2021) 128966. Most are the calculator's.
const fn paper(component: Component) -> &'static [Choice] {
    match component {
        Component::MlTraining => const { &[choice("densenet", 10)] },
        Component::PowerSupply => {
            const { &[choice("li-ion-small", 25), choice("li-ion-typical", 136), choice("li-ion-large", 271)] }
        }
        Component::Sensing => {
            const {
                &[
                    choice("microphone-small", 1),
                    choice("microphone-typical", 2),
                    choice("sensor-3mm2", 3),
                    choice("cmos-30mm2", 77),
                    choice("cmos-58mm2", 147),
                ]
            }
        }
        Component::Casing
        | Component::Processing
        | Component::Pcb
        | Component::Others
        | Component::Transport
        | Component::Ui
        | Component::UseStage => calculator(component),
        Component::Memory
        | Component::Connectivity
        | Component::Actuators
        | Component::Security
        | Component::EndOfLife => const { &[choice("none", 0)] },
    }
}

const CALCULATOR_PRESETS: &[Preset] = &[
    Preset {
        key: "vision",
        choices: &[
            (Component::MlTraining, "mobilenet-v1"),
            (Component::Casing, "small"),
            (Component::Processing, "mcu-10mm2"),
            (Component::Pcb, "typical"),
            (Component::PowerSupply, "mains"),
            (Component::Sensing, "cmos-30mm2"),
            (Component::Others, "typical"),
            (Component::Transport, "typical"),
            (Component::Ui, "2-leds"),
        ],
    },
    Preset {
        key: "anomaly-detection",
        choices: &[
            (Component::MlTraining, "densenet"),
            (Component::Casing, "small"),
            (Component::Processing, "mcu-10mm2"),
            (Component::Pcb, "typical"),
            (Component::PowerSupply, "mains"),
            (Component::Sensing, "electret-microphone"),
            (Component::Others, "typical"),
            (Component::Transport, "typical"),
            (Component::Ui, "2-leds"),
        ],
    },
];

/// A column of the paper's table: casing and board; processor; supply; sensor; small parts and transport; LEDs.
macro_rules! column {
    ($key:literal: $size:literal, $mcu:literal, $supply:literal, $sensing:literal, $level:literal, $ui:literal) => {
        Preset {
            key: $key,
            choices: &[
                (Component::Casing, $size),
                (Component::Processing, $mcu),
                (Component::Pcb, $size),
                (Component::PowerSupply, $supply),
                (Component::Sensing, $sensing),
                (Component::Others, $level),
                (Component::Transport, $level),
                (Component::Ui, $ui),
            ],
        }
    };
}

const PAPER_PRESETS: &[Preset] = &[
    column!("medium-cost": "typical", "mcu-10mm2", "li-ion-typical", "cmos-30mm2", "typical", "2-leds"),
    column!("low-cost": "small", "mcu-5mm2", "li-ion-small", "microphone-small", "best", "1-led"),
    column!("high-cost": "large", "mcu-17mm2", "li-ion-large", "cmos-58mm2", "worst", "4-leds"),
    column!("keyword-typical": "typical", "mcu-10mm2", "li-ion-typical", "microphone-typical", "typical", "2-leds"),
    column!("anomaly-typical": "typical", "mcu-10mm2", "li-ion-typical", "sensor-3mm2", "typical", "2-leds"),
];

/// A device to compare with, life of three years.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reference {
    /// What it is called.
    pub name: &'static str,
    /// Whole kg CO2-equivalent.
    pub kg: u32,
}

/// Apple Watch Series 7, as in the paper.
pub const WATCH: Reference = Reference { name: "Apple Watch Series 7", kg: 34 };
/// 16-inch MacBook Pro, as in the paper.
pub const LAPTOP: Reference = Reference { name: "MacBook Pro 16\"", kg: 349 };

/// How far a sum over parts may undershoot: the true value may be about twice as high (Pirson and Bol, J. Cleaner
/// Production 322 (2021) 128966, on bottom-up assessments).
pub const TRUNCATION_FACTOR: Decimal = Decimal::TWO;

/// Years of use in both data sets.
pub const YEARS: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

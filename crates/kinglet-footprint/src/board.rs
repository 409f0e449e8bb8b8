//! What an inference takes on real boards, and estimates from it.

use rust_decimal::Decimal;

/// Energy and speed of one network on one board.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Measured {
    /// Which of MLPerf Tiny's networks.
    pub network: &'static str,
    /// Its multiply-accumulates.
    pub macs: u64,
    /// uJ per inference, median of the submission's runs.
    pub uj: Decimal,
    /// Inferences per second in the submission, where known.
    pub per_s: Option<Decimal>,
}

/// A board with MLPerf Tiny's networks measured on it (`closed/*/energy/results.txt` of the submissions).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its key in files and on the command line.
    pub key: &'static str,
    /// Board, and who submitted with what, in which round.
    pub name: &'static str,
    /// The clock, where it is given, in Hz.
    pub clock_hz: Option<u64>,
    /// What was measured.
    pub measured: &'static [Measured],
}

/// An estimate with what it may be at least and at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Estimate {
    /// The middle of the board's networks.
    pub middle: Decimal,
    /// The smallest of them.
    pub low: Decimal,
    /// The largest of them.
    pub high: Decimal,
}

impl Board {
    /// The board with this key.
    pub fn find(key: &str) -> Option<&'static Self> {
        BOARDS.iter().find(|board| board.key == key)
    }

    /// uJ for an inference of so many multiply-accumulates: as much for each as in the networks measured.
    pub fn uj_from_macs(&self, macs: u64) -> Option<Estimate> {
        let per_mac = self.measured.iter().map(|m| m.uj.checked_div(m.macs.into()));
        estimate(per_mac, macs.into())
    }

    /// Milliseconds for an inference of so many multiply-accumulates.
    pub fn ms_from_macs(&self, macs: u64) -> Option<Estimate> {
        let per_mac = self
            .measured
            .iter()
            .filter_map(|m| Some((m, m.per_s?)))
            .map(|(m, per_s)| Decimal::ONE_THOUSAND.checked_div(per_s)?.checked_div(m.macs.into()));
        estimate(per_mac, macs.into())
    }

    /// uJ for an inference of so many cycles, where the board's clock is known: its power while it works on the
    /// networks measured, for the time that the cycles take.
    pub fn uj_from_cycles(&self, cycles: u64) -> Option<Estimate> {
        let clock = Decimal::from(self.clock_hz?);
        let per_cycle = self
            .measured
            .iter()
            .filter_map(|m| Some((m, m.per_s?)))
            .map(|(m, per_s)| m.uj.checked_mul(per_s)?.checked_div(clock));
        estimate(per_cycle, cycles.into())
    }
}

fn estimate(values: impl Iterator<Item = Option<Decimal>>, count: Decimal) -> Option<Estimate> {
    let mut values = values.collect::<Option<Vec<_>>>()?;
    values.sort();
    let (low, high) = (*values.first()?, *values.last()?);
    let last = values.len() - 1;
    let middle =
        values.get(last / 2)?.checked_add(*values.get(last.div_ceil(2))?)?.checked_div(Decimal::TWO)?;
    let scale = |value: Decimal| value.checked_mul(count);
    Some(Estimate { middle: scale(middle)?, low: scale(low)?, high: scale(high)? })
}

/// Multiply-accumulates of MLPerf Tiny's networks, as `kinglet inspect` counts them.
const MACS: [(&str, u64); 4] = [
    ("anomaly detection", 264_192),
    ("keyword spotting", 2_656_768),
    ("visual wake words", 7_489_664),
    ("image classification", 12_501_632),
];

/// uJ as (digits, places), inferences per second the same way; no digits: not known.
const fn measured(network: usize, uj: (u32, u32), per_s: (u32, u32)) -> Measured {
    let (name, macs) = MACS[network];
    let per_s = match per_s {
        (0, _) => None,
        (digits, places) => Some(Decimal::from_parts(digits, 0, 0, false, places)),
    };
    Measured { network: name, macs, uj: Decimal::from_parts(uj.0, 0, 0, false, uj.1), per_s }
}

/// The boards.
pub const BOARDS: &[Board] = &[
    Board {
        key: "nucleo-l4r5zi",
        name: "NUCLEO-L4R5ZI (Cortex-M4, 120 MHz), STMicroelectronics, v1.1",
        clock_hz: Some(120_000_000),
        measured: &[
            measured(0, (2939, 1), (1457, 1)),
            measured(1, (28331, 1), (1588, 2)),
            measured(2, (5_618_279, 3), (841, 2)),
            measured(3, (7019, 0), (498, 2)),
        ],
    },
    Board {
        key: "nucleo-l4r5zi-v1.0",
        name: "NUCLEO-L4R5ZI (Cortex-M4, 120 MHz), STMicroelectronics, v1.0",
        clock_hz: Some(120_000_000),
        measured: &[
            measured(0, (3230, 1), (1321, 1)),
            measured(1, (33717, 1), (1331, 2)),
            measured(2, (10067, 0), (443, 2)),
            measured(3, (10682, 0), (441, 2)),
        ],
    },
    Board {
        key: "nucleo-l4r5zi-v0.7",
        name: "NUCLEO-L4R5ZI (Cortex-M4, 120 MHz), STMicroelectronics, v0.7",
        clock_hz: Some(120_000_000),
        measured: &[
            measured(0, (4312, 1), (1036, 1)),
            measured(1, (46357, 1), (1030, 2)),
            measured(2, (12293, 0), (393, 2)),
            measured(3, (12298, 0), (396, 2)),
        ],
    },
    Board {
        key: "nucleo-l4r5zi-cmsis-nn",
        name: "NUCLEO-L4R5ZI (Cortex-M4, 120 MHz), OctoML microTVM with CMSIS-NN, v1.0",
        clock_hz: Some(120_000_000),
        measured: &[
            measured(0, (4432, 1), (116, 0)),
            measured(1, (5230, 0), (100, 1)),
            measured(2, (15531, 0), (335, 2)),
            measured(3, (20236, 0), (257, 2)),
        ],
    },
    Board {
        key: "nucleo-l4r5zi-microtvm",
        name: "NUCLEO-L4R5ZI (Cortex-M4, 120 MHz), OctoML microTVM, v1.0",
        clock_hz: Some(120_000_000),
        measured: &[
            measured(0, (6337, 1), (85, 0)),
            measured(1, (7951, 0), (69, 1)),
            measured(2, (17132, 0), (296, 2)),
            measured(3, (21342, 0), (257, 2)),
        ],
    },
    Board {
        key: "nucleo-l4r5zi-mbed",
        name: "NUCLEO-L4R5ZI (Cortex-M4, 120 MHz), Skymizer on Mbed, v1.1",
        clock_hz: Some(120_000_000),
        measured: &[
            measured(0, (3345, 1), (0, 0)),
            measured(1, (3455, 0), (0, 0)),
            measured(2, (7478, 0), (0, 0)),
            measured(3, (12684, 0), (0, 0)),
        ],
    },
    Board {
        key: "nucleo-u575zi-q",
        name: "NUCLEO-U575ZI-Q (Cortex-M33), STMicroelectronics, v1.1",
        clock_hz: None,
        measured: &[
            measured(0, (121_446, 3), (2072, 1)),
            measured(1, (1_004_221, 3), (2611, 2)),
            measured(2, (1921, 0), (1407, 2)),
            measured(3, (3384, 0), (786, 2)),
        ],
    },
    Board {
        key: "nucleo-h7a3zi-q",
        name: "NUCLEO-H7A3ZI-Q (Cortex-M7), STMicroelectronics, v1.1",
        clock_hz: None,
        measured: &[
            measured(0, (2212, 1), (551, 0)),
            measured(1, (18694, 1), (654, 1)),
            measured(2, (3699, 0), (339, 1)),
            measured(3, (6311, 0), (193, 1)),
        ],
    },
    Board {
        key: "ek-ra6m4",
        name: "Renesas EK-RA6M4 (Cortex-M33), v0.7",
        clock_hz: None,
        measured: &[
            measured(0, (3241, 1), (0, 0)),
            measured(1, (3797, 0), (0, 0)),
            measured(2, (11852, 0), (0, 0)),
            measured(3, (17724, 0), (0, 0)),
        ],
    },
    Board {
        key: "ndp9120",
        name: "Syntiant NDP9120 (0.9 V, 30 MHz; not a general-purpose core), v1.1",
        clock_hz: None,
        measured: &[
            measured(1, (315, 1), (0, 0)),
            measured(2, (717, 1), (0, 0)),
            measured(3, (1018, 1), (0, 0)),
        ],
    },
    Board {
        key: "gap9",
        name: "GreenWaves GAP9 (0.65 V, 240 MHz; nine RISC-V cores), v1.0",
        clock_hz: None,
        measured: &[
            measured(0, (525, 2), (0, 0)),
            measured(1, (186, 1), (0, 0)),
            measured(2, (408, 1), (0, 0)),
            measured(3, (277, 1), (0, 0)),
        ],
    },
];

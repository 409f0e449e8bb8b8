//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use kinglet::{Options, Reference};

use crate::failure::{Failure, Result};
use crate::model::Planning;

const EXAMPLES: &str = "\
Examples:
  kinglet                                        classify the bundled images of digits
  kinglet inspect model.tflite                   what the model is, and the memory it needs
  kinglet run model.tflite --input x.npy         run it on a tensor
  kinglet verify models/digits models/hello_sine compare with golden outputs, byte for byte
  kinglet check model.tflite --max-arena 65536   may this file go on the device?
  kinglet bench model.tflite                     time it on this machine
  kinglet diff model.tflite folder --layers l.npz which layer differs from TFLite's?

Exit code: 0 fine; 1 outputs differ, model refused, budget exceeded, file unreadable; 2 wrong usage.";

/// Runs int8 TensorFlow Lite models, with the same bytes out as TFLite's integer reference.
///
/// Without a command: classifies bundled images of handwritten digits.
#[derive(Debug, Parser)]
#[command(name = "kinglet", version, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Print one JSON object, and nothing else, on standard output.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a model on tensors from files.
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
    /// Run every case of golden folders, and compare byte for byte.
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Show what a model is and what it needs.
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),
    /// Say whether a file is sound, supported and within a budget; it is never run.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Find the first layer that differs from a dump of all layers.
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Diff),
    /// Run a model over a data set, on all cores: accuracy and confusion matrix.
    #[command(after_help = EVAL_EXAMPLES)]
    Eval(Eval),
    /// Time a model on this machine, on one thread.
    #[command(after_help = BENCH_EXAMPLES)]
    Bench(Bench),
    /// Count what a device costs the climate: kg CO2-equivalent, part by part.
    #[command(after_help = crate::footprint::EXAMPLES)]
    Footprint(Box<crate::footprint::Footprint>),
    /// Make a datasheet of a machine-learning sensor, or look for contradictions in one.
    #[command(after_help = crate::datasheet::EXAMPLES)]
    Datasheet(crate::datasheet::Datasheet),
    /// Ask about calibration, documentation, data, privacy and waste of a machine-learning sensor.
    #[command(after_help = crate::datasheet::RISK_EXAMPLES)]
    Risk(crate::datasheet::Risk),
}

const RUN_EXAMPLES: &str = "\
Examples:
  kinglet run model.tflite --input image.npy
  kinglet run model.tflite --input audio.bin --output-dir out --json
  kinglet run model.tflite --input left=l.bin --input right=r.bin
  kinglet run models/digits/model.tflite --input models/digits/min.in0.bin --ops";

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// The .tflite file.
    pub(crate) model: PathBuf,
    /// A tensor: raw little-endian bytes, or .npy. Several are taken in the model's order, or by name.
    #[arg(long = "input", value_name = "[NAME=]FILE")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Write out0.bin, out1.bin, ... into this folder.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) output_dir: Option<PathBuf>,
    /// Show the CRC-32 of each operator's first output, taken right after the operator.
    #[arg(long)]
    pub(crate) ops: bool,
    #[command(flatten)]
    pub(crate) how: How,
}

const VERIFY_EXAMPLES: &str = "\
Examples:
  kinglet verify models/digits models/hello_sine
  kinglet verify models/*/ --ops --mode loaded
  kinglet verify models/hello_sine --reference litert

A golden folder holds model.tflite and, for each case K, K.in0.bin, ... and K.out0.bin, ...: raw
little-endian tensors. A file N times as long as its tensor holds N successive invocations.";

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// Golden folders.
    #[arg(required = true, value_name = "FOLDER")]
    pub(crate) folders: Vec<PathBuf>,
    /// Compare each operator's output as well, with op_crcs.json beside the folder.
    #[arg(long)]
    pub(crate) ops: bool,
    #[command(flatten)]
    pub(crate) how: How,
}

const INSPECT_EXAMPLES: &str = "\
Examples:
  kinglet inspect model.tflite
  kinglet inspect model.tflite --mode loaded --target cortex-m4
  kinglet inspect model.tflite --svg arena.svg   a picture of the arena, for a browser
  kinglet inspect model.tflite --json";

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    /// The .tflite file.
    pub(crate) model: PathBuf,
    /// Draw the arena over time into this file: which tensor lies where, when, and what overlaps.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) how: How,
}

const CHECK_EXAMPLES: &str = "\
Examples:
  kinglet check model.tflite
  kinglet check model.tflite --max-arena 65536 --max-macs 10000000 --json";

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// The .tflite file.
    pub(crate) model: PathBuf,
    /// The most bytes of arena it may need.
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_arena: Option<u64>,
    /// The most multiply-accumulate operations it may take.
    #[arg(long, value_name = "N")]
    pub(crate) max_macs: Option<u64>,
}

const DIFF_EXAMPLES: &str = "\
Examples:
  python models/scripts/dump_layers.py models/digits -o layers.npz
  kinglet diff models/digits/model.tflite models/digits --layers layers.npz
  kinglet diff model.tflite folder --layers layers.npz --mode loaded --json

The dump is an .npz file: an entry CASE/INVOCATION/TENSOR is what the operator that makes that tensor gave,
on the golden folder's inputs. Exit code 0: every layer in the dump is the same to the last byte.";

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The .tflite file.
    pub(crate) model: PathBuf,
    /// The golden folder whose inputs the dump was made with.
    #[arg(value_name = "GOLDEN_FOLDER")]
    pub(crate) folder: PathBuf,
    /// What every layer gave elsewhere: .npz, from models/scripts/dump_layers.py.
    #[arg(long, value_name = "FILE")]
    pub(crate) layers: PathBuf,
    #[command(flatten)]
    pub(crate) how: How,
}

const BENCH_EXAMPLES: &str = "\
Examples:
  kinglet bench model.tflite
  kinglet bench model.tflite --runs 1000 --mode loaded --json";

#[derive(Debug, Args)]
pub(crate) struct Bench {
    /// The .tflite file.
    pub(crate) model: PathBuf,
    /// Number of timed inferences.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) runs: u32,
    #[command(flatten)]
    pub(crate) how: How,
}

const EVAL_EXAMPLES: &str = "\
Examples:
  kinglet eval model.tflite images.npy --labels labels.npy
  kinglet eval model.tflite samples/ --threads 4 --json     files .npy or .bin, by name
  kinglet eval model.tflite classes/                        a folder for each class, by name

A batch is a .npy of the input's type, with the samples along its first dimension. Labels are class numbers:
integers in a .npy, or in a text file, one a line. The model's answer is the greatest element of its first
output.";

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The .tflite file.
    pub(crate) model: PathBuf,
    /// A .npy with all samples, or a folder.
    pub(crate) data: PathBuf,
    /// The class of each sample.
    #[arg(long, value_name = "FILE")]
    pub(crate) labels: Option<PathBuf>,
    /// Threads; by default one for each core. Outputs do not depend on it.
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZero<usize>>,
    /// Write the first output of all samples, one after the other, into this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) how: How,
}

/// How a model is planned and run.
#[derive(Debug, Args)]
#[command(next_help_heading = "How to run it")]
pub(crate) struct How {
    /// The machine to plan for. Its kernels run here too, in plain Rust; `cargo xtask device` runs them on
    /// the emulated core.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) target: Target,
    /// The instruction set to use on this host, instead of the best that it has.
    #[arg(long, value_enum, env = "KINGLET_ISA")]
    isa: Option<Isa>,
    /// Plan once, as at build time, or in the interpreter's own memory, as on a device.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) mode: Mode,
    /// Take out channels that are constant, which changes no output. On by default in static mode, but with
    /// --ops; loaded mode takes the file as it is.
    #[arg(long, value_enum)]
    slim: Option<Switch>,
    /// Trade speed for an arena of at most this many bytes (not built yet).
    #[arg(long, value_name = "BYTES")]
    arena_budget: Option<u64>,
    /// Give the input as a whole, or by rows (not built yet).
    #[arg(long, value_enum, default_value_t)]
    feed: Feed,
    /// The arithmetic to follow: TFLite's, or LiteRT's newer FULLY_CONNECTED.
    #[arg(long, value_enum, default_value_t)]
    reference: ReferenceName,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Target {
    #[value(name = "cortex-m0plus")]
    CortexM0Plus,
    CortexM3,
    CortexM4,
    CortexM7,
    CortexM33,
    CortexM55,
    Riscv32imc,
    Aarch64,
    Wasm32,
    #[default]
    Host,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Isa {
    Portable,
    Avx2,
    AvxVnni,
    Avx512Vnni,
}

impl Isa {
    fn family(self) -> kinglet::Target {
        use kinglet::Target as Family;
        match self {
            Self::Portable => Family::Portable,
            Self::Avx2 => Family::Avx2,
            Self::AvxVnni => Family::AvxVnni,
            Self::Avx512Vnni => Family::Avx512Vnni,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    #[default]
    Static,
    Loaded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum Feed {
    #[default]
    Whole,
    Rows,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
enum ReferenceName {
    #[default]
    Tflite,
    Litert,
}

impl How {
    /// Refuses what is not built yet.
    pub(crate) fn check(&self) -> Result<()> {
        if let Some(isa) = self.isa
            && self.target == Target::Host
            && !isa.family().runs_here()
        {
            let message =
                format!("this machine does not have it; its best is {}", kinglet::Target::native().name());
            return Err(Failure::usage(format!("--isa {}", value_name(isa)), message));
        }
        if self.slim == Some(Switch::On) && self.mode == Mode::Loaded {
            let message = "loaded mode takes the file as it is; leave it out, or say --mode static";
            return Err(Failure::usage("--slim on", message));
        }
        if self.arena_budget.is_some() {
            let message = "plans can't be made to fit a budget yet; leave it out";
            return Err(Failure::usage("--arena-budget", message));
        }
        if self.feed == Feed::Rows {
            let message = "inputs can't be fed by rows yet; leave it out, or say --feed whole";
            return Err(Failure::usage("--feed rows", message));
        }
        Ok(())
    }

    /// Refuses also to time what another machine would run.
    pub(crate) fn check_for_timing(&self) -> Result<()> {
        self.check()?;
        if self.target == Target::Host {
            return Ok(());
        }
        let target = value_name(self.target);
        let message = format!(
            "this command times the host; for an emulated device: cargo xtask device bench MODEL --target {target}"
        );
        Err(Failure::usage(format!("--target {target}"), message))
    }

    /// The kernel family of the target.
    pub(crate) fn family(&self) -> kinglet::Target {
        use kinglet::Target as Family;
        match self.target {
            Target::CortexM0Plus | Target::CortexM3 | Target::Riscv32imc => Family::Scalar,
            Target::CortexM4 | Target::CortexM7 | Target::CortexM33 => Family::Dsp,
            Target::CortexM55 => Family::Mve,
            Target::Aarch64 | Target::Wasm32 => Family::Portable,
            Target::Host => self.isa.map_or_else(Family::native, Isa::family),
        }
    }

    /// How the model is planned. Weights may be prepared at build time, and on a host. `by_op`: outputs of
    /// operators are looked at, so these have to be what they are in the file.
    pub(crate) fn planning(&self, by_op: bool) -> Planning {
        let prepare = self.mode == Mode::Static || self.target == Target::Host;
        let options = Options::default()
            .with_reference(self.reference())
            .with_target(self.family())
            .with_prepared(prepare);
        let slim = match self.slim {
            Some(slim) => slim == Switch::On,
            None => self.mode == Mode::Static && !by_op,
        };
        Planning { mode: self.mode, options, slim }
    }

    pub(crate) fn reference(&self) -> Reference {
        match self.reference {
            ReferenceName::Tflite => Reference::Tflite,
            ReferenceName::Litert => Reference::Litert,
        }
    }
}

/// A value as it is written on the command line.
pub(crate) fn value_name(value: impl ValueEnum) -> String {
    value.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

//! `[how]`: how a model is run. A value that is not built yet is wrong usage.

use std::fmt;

use clap::ValueEnum;

use super::target::{self, Target};

#[derive(clap::Args)]
pub(crate) struct How {
    /// The core
    #[arg(long, default_value = "cortex-m4", value_parser = target::parse())]
    target: &'static Target,

    /// How the model gets into the firmware: compiled in, or loaded as a file
    ///
    /// The default is static; verify's is loaded.
    #[arg(long)]
    mode: Option<Mode>,

    /// Take out channels that are constant, which changes no output
    ///
    /// On by default in static mode, but with --ops; loaded mode takes the file as it is.
    #[arg(long)]
    slim: Option<Slim>,

    /// How the input arrives
    #[arg(long, default_value = "whole")]
    feed: Feed,

    /// Whose arithmetic
    #[arg(long, default_value = "tflite")]
    reference: Reference,

    /// Trade time for an arena of at most this many bytes (not built yet)
    #[arg(long, value_name = "BYTES", value_parser = refuse)]
    arena_budget: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// `include_model!`: checked and planned at build time
    Static,
    /// The `.tflite` file as it is, planned on the device
    Loaded,
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Static => "static",
            Self::Loaded => "loaded",
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Slim {
    On,
    Off,
}

#[derive(Clone, Copy, ValueEnum)]
enum Feed {
    Whole,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Reference {
    /// TFLM, and TFLite up to 2.19
    Tflite,
    /// LiteRT since TensorFlow 2.20: FULLY_CONNECTED requantises in float
    Litert,
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tflite => "tflite",
            Self::Litert => "litert",
        })
    }
}

impl From<Reference> for kinglet::Reference {
    fn from(reference: Reference) -> Self {
        match reference {
            Reference::Tflite => Self::Tflite,
            Reference::Litert => Self::Litert,
        }
    }
}

fn refuse(_: &str) -> Result<u64, &'static str> {
    Err("arena budgets are not built yet")
}

/// What the options come to.
#[derive(Clone, Copy)]
pub(crate) struct Way {
    pub(crate) target: &'static Target,
    pub(crate) mode: Mode,
    pub(crate) reference: Reference,
    /// Constant channels are taken out.
    pub(crate) slim: bool,
}

impl How {
    /// What the options come to, where `mode` is the command's default. `by_op`: outputs of operators are
    /// looked at.
    pub(crate) fn or(&self, mode: Mode, by_op: bool) -> Way {
        let mode = self.mode.unwrap_or(mode);
        let slim = match self.slim {
            Some(slim) => slim == Slim::On,
            None => !by_op,
        };
        Way { target: self.target, mode, reference: self.reference, slim: slim && mode == Mode::Static }
    }
}

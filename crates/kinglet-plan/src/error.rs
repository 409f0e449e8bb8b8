//! Why a model could not be planned.

use core::fmt;

use kinglet_tflite::ModelError;

use crate::check::CheckError;

/// Why a model could not be planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// The model is refused.
    Model(ModelError),
    /// The planner needs more memory, in bytes.
    MemoryTooSmall {
        /// What it needs.
        needed: usize,
        /// What it was given.
        given: usize,
    },
    /// All tensors together need an arena of 1 GiB or more.
    ArenaTooLarge,
    /// The checker refused the plan: a fault of the planner, or a damaged plan.
    Check(CheckError),
}

impl From<ModelError> for PlanError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<CheckError> for PlanError {
    fn from(error: CheckError) -> Self {
        Self::Check(error)
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::MemoryTooSmall { needed, given } => {
                write!(f, "memory: {given} bytes are too few; give at least {needed}")
            }
            Self::ArenaTooLarge => f.write_str("model: its tensors need an arena of 1 GiB or more"),
            Self::Check(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for PlanError {}

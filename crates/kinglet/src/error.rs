//! What can go wrong: making an interpreter, running it, touching its tensors.

use core::fmt;

use kinglet_kernels::Fault;
use kinglet_plan::PlanError;
use kinglet_plan::check::CheckError;
use kinglet_tflite::ModelError;

/// Why an interpreter could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The model is refused: malformed, unsupported, or beyond the limits.
    Model(ModelError),
    /// The memory, or the model file in it, does not start at a multiple of [`ALIGNMENT`](crate::ALIGNMENT) bytes.
    Misaligned,
    /// One slice of memory is too small.
    MemoryTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// The arena is too small.
    ArenaTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// The state memory is too small.
    StateTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// The block for prepared weights is too small.
    PreparedTooSmall {
        /// Bytes needed.
        needed: usize,
        /// Bytes given.
        given: usize,
    },
    /// The tensors need an arena of 1 GiB or more.
    ArenaTooLarge,
    /// The plan is damaged, or does not fit the model.
    Plan(CheckError),
}

impl From<ModelError> for Error {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl From<CheckError> for Error {
    fn from(error: CheckError) -> Self {
        Self::Plan(error)
    }
}

impl From<PlanError> for Error {
    fn from(error: PlanError) -> Self {
        match error {
            PlanError::Model(error) => Self::Model(error),
            PlanError::MemoryTooSmall { needed, given } => Self::MemoryTooSmall { needed, given },
            PlanError::Check(error) => Self::Plan(error),
            _ => Self::ArenaTooLarge,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut too_small =
            |what, needed, given| write!(f, "{what}: {given} bytes are too few; give at least {needed}");
        match *self {
            Self::Model(error) => error.fmt(f),
            Self::Misaligned => f.write_str("memory: it and the model have to start at a multiple of 16 bytes; use kinglet::Arena and kinglet::aligned_bytes!"),
            Self::MemoryTooSmall { needed, given } => too_small("memory", needed, given),
            Self::ArenaTooSmall { needed, given } => too_small("arena", needed, given),
            Self::StateTooSmall { needed, given } => too_small("state memory", needed, given),
            Self::PreparedTooSmall { needed, given } => {
                too_small("memory for prepared weights", needed, given)
            }
            Self::ArenaTooLarge => f.write_str("model: its tensors need an arena of 1 GiB or more"),
            Self::Plan(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for Error {}

/// Why an inference stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvokeError {
    /// Number of the operator in the file, counted through all subgraphs.
    pub op: u16,
    /// What happened.
    pub fault: Fault,
}

impl fmt::Display for InvokeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "op {}: {}", self.op, self.fault)
    }
}

impl core::error::Error for InvokeError {}

/// Why an input or output could not be read or written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TensorError {
    /// The model has no tensor of this number or name.
    NoSuchTensor,
    /// The tensor has elements of another type.
    WrongType,
    /// The tensor has another number of elements.
    WrongLength {
        /// Elements of the tensor.
        expected: usize,
        /// Elements given.
        given: usize,
    },
    /// The tensor has no scale and zero point.
    NotQuantized,
}

impl fmt::Display for TensorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSuchTensor => f.write_str("the model has no such input or output"),
            Self::WrongType => f.write_str("the tensor has elements of another type"),
            Self::WrongLength { expected, given } => {
                write!(f, "the tensor has {expected} elements, not {given}")
            }
            Self::NotQuantized => f.write_str("the tensor has no scale and zero point"),
        }
    }
}

impl core::error::Error for TensorError {}

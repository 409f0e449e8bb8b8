//! What can go wrong; the case's name, where there is one, is printed before it.

use core::fmt;

#[derive(Clone, Copy)]
pub enum Failure {
    /// The host gave no command line, or none with `job=FILE`.
    CommandLine,
    /// The job file has not this key where it belongs.
    Job(&'static str),
    /// The job file or the model can't be opened or read.
    File(&'static str),
    /// This tensor's file can't be opened, created, read or written.
    Tensor(&'static str, usize),
    /// An input's file has a length that is no multiple of the tensor's.
    Length { index: usize, file: usize, tensor: usize },
    /// An input's file holds another number of invocations than the first's.
    Invocations { index: usize, first: usize, here: usize },
    /// More inputs or outputs than this program handles.
    TooManyTensors,
    /// The board has too little memory: this many bytes more are needed.
    Memory(usize),
    /// The model is refused, or no interpreter can be made for it.
    Refused(kinglet::Error),
    /// It can't be run.
    Invoke(kinglet::InvokeError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::CommandLine => f.write_str("no command line with job=FILE"),
            Self::Job(key) => write!(f, "the job file has no '{key}' where it belongs"),
            Self::File(what) => write!(f, "{what} can't be read"),
            Self::Tensor(way, index) => write!(f, "{way}{index}.bin can't be read or written"),
            Self::Length { index, file, tensor } => {
                write!(f, "in{index}.bin has {file} bytes; the tensor has {tensor}")
            }
            Self::Invocations { index, first, here } => {
                write!(f, "in{index}.bin holds {here} invocations; in0.bin holds {first}")
            }
            Self::TooManyTensors => f.write_str("too many inputs or outputs for this program"),
            Self::Memory(bytes) => {
                write!(f, "the board's memory is too small: {bytes} bytes more are needed")
            }
            Self::Refused(error) => error.fmt(f),
            Self::Invoke(error) => error.fmt(f),
        }
    }
}

//! Runs int8 TensorFlow Lite models on microcontrollers and hosts.
//!
//! kinglet takes a `.tflite` file as the converter wrote it, and gives out the same bytes as TFLite's
//! integer reference kernels, on every core. It needs no heap, keeps no globals and never panics; the
//! caller owns every byte of memory.
//!
//! There are two ways to run a model:
//!
//! * **Static mode**: [`include_model!`] plans the model at build time. The plan is in flash, the size of
//!   the arena is a constant, and only the kernels that the model uses are linked.
//! * **Loaded mode**: [`Interpreter::new`] takes the bytes of a file, checks them, and plans in memory
//!   that the caller gives. Use it where the model is not known at build time.
//!
//! ```
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let file = kinglet::aligned_bytes!("../../../models/hello_sine/model.tflite");
//! let model = kinglet::Model::parse(file)?;
//! let mut memory = kinglet::Arena::<2048>::new();
//! let mut net: kinglet::Interpreter<'_> = kinglet::Interpreter::new(&model, memory.as_mut_slice())?;
//! net.quantize_input(0, &[1.57])?;
//! net.invoke()?;
//! let mut sine = [0.0];
//! net.dequantize_output(0, &mut sine)?;
//! assert!((sine[0] - 1.0).abs() < 0.05);
//! # Ok(()) }
//! ```
//!
//! The way of the data: [`Model`] (a checked view of the file) → [`Graph`](kinglet_tflite::Graph) (typed
//! operators) → [`Plan`] (what runs when, and where everything lies) → kernels.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("kinglet runs on little-endian targets only");

#[cfg(test)]
extern crate std;

mod dispatch;
mod error;
mod interpreter;
mod memory;
mod tensor;

pub use dispatch::{Dispatch, Ops};
pub use error::{Error, InvokeError, TensorError};
pub use interpreter::{Interpreter, Phase, StepDone};
#[doc(hidden)]
pub use kinglet_kernels::for_family;
pub use kinglet_kernels::{Call, Fault, Kernel, Target, ops as kernels};
#[cfg(feature = "macros")]
pub use kinglet_macros::include_model;
pub use kinglet_plan::{Options, Plan, PlanError, Reference};
pub use kinglet_tflite::{
    AllOps, DType, ErrorKind, Limits, Model, ModelError, OpCode, OpKind, OpSet, Reason, Shape,
};
pub use memory::{Aligned, Arena, Memory, Usage};
pub use tensor::{Element, TensorInfo};

/// The least alignment of memory that is given to an [`Interpreter`], in bytes.
pub const ALIGNMENT: usize = 16;

//! Integer neural-network kernels, bit-exact with TFLite's integer reference.
//!
//! A kernel is a function from a [`Call`] to `Result<(), Fault>`. The call holds one window of the
//! tensor arena, the state memory, the constants and the plan; the kernel's own parameters (a block of
//! plain words in the plan) say where in them its inputs, output and scratch lie. Inputs and output may
//! overlap where the kernel's descriptor allows it, so activations are views of cells, never a shared
//! and a mutable slice.
//!
//! Each file in [`ops`] holds one operator family: its parameters, its portable reference kernel and its
//! descriptor (`choose`), which tells the planner which kernel to run and what it needs. The portable
//! kernels are written to be read: they are the specification that every fast path is tested against.
//!
//! Fast paths for one instruction set are in `arch`, the only place with `unsafe`.
//!
//! Nothing here knows about models or about how memory was planned, and no kernel panics: a parameter
//! block that does not fit its memory gives a [`Fault`].
#![no_std]
#![deny(unsafe_code)]

// Hosts find out at run time what the machine can do.
#[cfg(any(test, kinglet_wide = "x86"))]
extern crate std;

mod arch;
mod call;
mod footprint;
mod kernel;
mod memory;
pub mod ops;
mod params;
pub mod quant;
mod target;

pub use call::{Bias, Call, Fault, Requant};
pub use footprint::{Footprint, Span};
pub use kernel::Kernel;
pub use memory::{Element, Place, Region, Source, View};
pub use params::{Params, Word};
pub use target::{Choice, Distances, How, Overlap, Target, Weights};

//! Plans: which kernel runs when, on what, and where each tensor lies.
//!
//! [`Planner`] turns a checked [`Graph`](kinglet_tflite::Graph) into a [`Plan`]: a flat,
//! position-independent block of 32-bit words with the steps in order, a block of parameters for each, and
//! the tables that kernels would otherwise compute again and again. A plan holds offsets and kernel
//! numbers, never pointers, so it can be made at build time, travel in a file, or be made on the device.
//!
//! 1. [`layout`] finds when each tensor is alive and gives it a place in the arena or in the state memory.
//! 2. [`prepare`] asks each operator's descriptor for its kernel, and writes the kernel's parameters.
//! 3. [`check`] proves, sharing no code with the two, that no step overwrites what another still needs.
//!
//! The planner needs memory for 24 bytes a tensor while it works, and no heap.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod check;
mod error;
pub mod layout;
mod plan;
mod planner;
pub mod prepare;

pub use error::PlanError;
pub use kinglet_kernels::{Footprint, Place, Region, Span};
pub use plan::{IoTensor, Plan, PlanWriter, StateInit, Step};
pub use planner::{Constants, InFile, Options, Planner, Reference};

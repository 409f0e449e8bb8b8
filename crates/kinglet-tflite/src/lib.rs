//! Zero-copy, no-alloc reader and checker of TensorFlow Lite model files.
//!
//! Nothing in a file is trusted. [`Model::parse`] reads the bytes of a `.tflite` file and checks that
//! everything it will be asked for can be read, within [`Limits`]. A [`Graph`] is the checked view of one
//! subgraph: an iterator of typed operators ([`Op`]) whose shapes, indices, quantisation parameters and
//! buffers fit each other. Whatever the bytes are, the answer is a value or a [`ModelError`]: no panic, no
//! read out of bounds, and work bounded by the file's size and the limits.
//!
//! What the checks leave to the planner: that tensors are written before they are read, and by one
//! operator only (this takes memory, which the planner has).
//!
//! FlatBuffers do not show in the interface, and nothing is known here about arenas or kernels.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod error;
mod flatbuf;
#[rustfmt::skip]
mod generated;
mod graph;
mod model;
mod opcode;
pub mod ops;
mod tensor;

pub use error::{ErrorKind, ModelError, Reason};
pub use graph::{AllOps, Graph, Indices, Node, Op, OpSet};
pub use model::{Limits, Metadata, Model};
pub use opcode::{OpCode, OpKind};
pub use tensor::{DType, Quantization, Shape, Storage, Tensor};

/// Result of reading or checking a model.
pub type Result<T> = core::result::Result<T, ModelError>;

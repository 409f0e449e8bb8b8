//! Kernels for cores with wide vectors and dot products, written once for all instruction sets.
//!
//! An instruction set is a [`Vector`]: 32-bit lanes, each with a product of four bytes or two 16-bit numbers
//! that is added up in it. Weights are packed for its lanes when the model is loaded ([`pack`], plain Rust);
//! [`conv`], [`depthwise`] and [`dense`] are the loops.

#[cfg(kinglet_wide)]
pub(crate) mod conv;
#[cfg(kinglet_wide)]
pub(crate) mod dense;
#[cfg(kinglet_wide)]
pub(crate) mod depthwise;
#[cfg(kinglet_wide)]
pub(crate) mod elements;
pub(crate) mod layers;
pub(crate) mod pack;
#[cfg(kinglet_wide)]
pub(crate) mod pool;
#[cfg(kinglet_wide)]
pub(crate) mod vector;

//! Armv7E-M and Armv8-M with the DSP extension: Cortex-M4, M7, M33.

pub(crate) mod block;
pub(crate) mod conv;
#[allow(dead_code, reason = "a vocabulary")]
pub(crate) mod instructions;
#[allow(dead_code, reason = "a vocabulary")]
pub(crate) mod requant;
pub(crate) mod widen;

pub use conv::{conv_2d_floor, conv_2d_rounded, conv_2d_rows_floor, conv_2d_rows_rounded};

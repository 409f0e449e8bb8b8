//! Armv7E-M and Armv8-M with the DSP extension: Cortex-M4, M7, M33.

pub(crate) mod binary;
pub(crate) mod block;
pub(crate) mod conv;
pub(crate) mod depthwise;
pub(crate) mod depthwise_any;
#[cfg(test)]
mod depthwise_tests;
mod depthwise_window;
pub(crate) mod fc;
#[allow(dead_code, reason = "a vocabulary")]
pub(crate) mod instructions;
mod pool;
pub(crate) mod product;
#[allow(dead_code, reason = "a vocabulary")]
pub(crate) mod requant;
pub(crate) mod widen;

pub use binary::{add_s8, mul_s8, sub_s8};
pub use conv::{conv_2d_floor, conv_2d_rounded, conv_2d_rows_floor, conv_2d_rows_rounded};
pub use depthwise::{depthwise_3x3, depthwise_3x3_relu, depthwise_3x3_stride_2, depthwise_3x3_stride_2_relu};
pub use depthwise_any::depthwise_any;
pub use fc::{fully_connected_packed, fully_connected_packed_channels, fully_connected_rows};
pub use pool::{average_pool_2d, max_pool_2d};

#[cfg(test)]
mod tests;

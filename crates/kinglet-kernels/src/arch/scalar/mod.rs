//! 32-bit cores without SIMD: Armv6-M (Cortex-M0+), Armv7-M (Cortex-M3), RV32IMC.
//!
//! What there is to gain is in `dot`: a byte that is loaded is used twice or four times, and nothing is
//! subtracted from it, because the zero point is in the bias already (`constants`).

mod constants;
pub(crate) mod conv_2d;
pub(crate) mod depthwise_conv_2d;
mod dot;
pub(crate) mod fully_connected;

pub use conv_2d::conv_2d;
pub use depthwise_conv_2d::depthwise_conv_2d;
pub use fully_connected::fully_connected;

//! Armv8.1-M with Helium: Cortex-M55, M85.
//!
//! The accumulators of VMLADAV are even registers, of which there are eight: 4 pixels times 2 channels, or 8
//! channels. Everything else of an inner loop has to do with odd registers, so the blocks are written as a whole.

pub(crate) mod block;
pub(crate) mod conv;
pub(crate) mod copy;
pub(crate) mod fully_connected;
pub(crate) mod requant;

use crate::ops::depthwise_conv_2d::{DepthwiseConv2dParams, as_conv_2d};
use crate::{Kernel, Weights};

/// Packs a depthwise layer's constants.
pub(crate) fn pack_depthwise(
    kernel: Kernel,
    p: &DepthwiseConv2dParams,
    weights: &Weights<'_>,
    out: &mut [u8],
) {
    if let Some(p) = as_conv_2d(p) {
        conv::pack(kernel, &p, weights, out);
    }
}

pub use conv::{conv_2d_floor, conv_2d_rounded, depthwise_single};
pub use fully_connected::fully_connected;

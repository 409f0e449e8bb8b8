//! One file an operator family: parameters, descriptor, portable kernel.
//!
//! Every kernel here returns a [`Fault`](crate::Fault) when its parameters do not fit its memory, and
//! none panics.

pub mod batch_matmul;
pub mod binary;
pub mod cast;
pub mod conv_2d;
pub mod copy;
pub mod depthwise_conv_2d;
pub mod dynamic_update_slice;
pub mod elements;
pub mod float;
pub mod float_images;
pub mod fully_connected;
pub mod gather;
pub mod hard_swish;
pub mod jump;
pub mod known;
pub mod l2_normalization;
pub mod layer;
pub mod log_softmax;
pub mod logistic;
pub mod lookup;
pub mod lstm;
pub mod nothing;
pub mod one_hot;
pub mod pool_2d;
pub mod quantize;
pub mod reduce;
pub mod reduce_plain;
pub mod relation;
pub mod resize;
pub mod rows;
pub mod select;
pub mod softmax;
pub mod strided_copy;
pub mod sums;
pub mod svdf;
pub mod transpose_conv;
pub mod unary;
pub mod x86;

pub use crate::arch::{dsp, mve, scalar};

//! One file an operator family: parameters, descriptor, portable kernel.
//!
//! Every kernel here returns a [`Fault`](crate::Fault) when its parameters do not fit its memory, and
//! none panics.

pub mod binary;
pub mod cast;
pub mod conv_2d;
pub mod copy;
pub mod depthwise_conv_2d;
pub mod elements;
pub mod fully_connected;
pub mod hard_swish;
pub mod jump;
pub mod logistic;
pub mod lookup;
pub mod nothing;
pub mod pool_2d;
pub mod quantize;
pub mod reduce;
pub mod resize;
pub mod rows;
pub mod softmax;
pub mod strided_copy;
pub mod svdf;
pub mod unary;

//! AVERAGE_POOL_2D, MAX_POOL_2D and L2_POOL_2D.

use super::conv::{WindowOptions, check_output};
use super::{
    Activation, Window, activation_input, at, check_activation, check_arity, ensure, options, output,
};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// What is made of the values under the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolKind {
    /// Their mean.
    Average,
    /// The greatest.
    Max,
    /// The root of their mean square: float32.
    L2,
}

/// AVERAGE_POOL_2D, MAX_POOL_2D or L2_POOL_2D: int8, int16 or float32 `[n, h, w, c]`.
#[derive(Clone, Copy, Debug)]
pub struct Pool2d<'a> {
    /// Which of them.
    pub kind: PoolKind,
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same scale and zero point.
    pub output: Tensor<'a>,
    /// How the window moves over the input.
    pub window: Window,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> Pool2d<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: PoolKind) -> Result<Self> {
        check_arity(node, 1..=1)?;
        let options = options!(node, Pool2DOptions);
        let [input, output] = [activation_input(graph, node, 0)?, output(graph, node, 0)?];
        if input.dtype == DType::Float32 {
            ensure(output.dtype == DType::Float32, &output, Reason::WrongType)?;
        } else {
            ensure(kind != PoolKind::L2, &input, Reason::UnsupportedType)?;
            check_activation(&input)?;
            ensure(output.dtype == input.dtype, &output, Reason::WrongType)?;
            let (in_scale, in_zero) = input.per_tensor()?;
            let (out_scale, out_zero) = output.per_tensor()?;
            // TFLite's own tolerance.
            let same = in_zero == out_zero && (in_scale - out_scale).abs() <= 1e-6;
            ensure(same, &output, Reason::ScalesDiffer)?;
        }
        let size = |value: i32| u32::try_from(value).map_err(|_| Reason::BadWindow);
        let kernel = (size(options.filter_height()?)?, size(options.filter_width()?)?);
        let window = WindowOptions {
            padding: options.padding()?,
            stride: (options.stride_h()?, options.stride_w()?),
            dilation: (1, 1),
        };
        let (window, size) = Window::new(&window, kernel, &input)?;
        let [_, _, _, depth] = input.shape.nhwc().map_err(|reason| at(&input, reason))?;
        check_output(&input.shape, &output, size, depth)?;
        let activation = Activation::new(options.fused_activation_function())?;
        Ok(Self { kind, input, output, window, activation })
    }
}

//! TRANSPOSE_CONV.

use super::conv::{WindowOptions, check_output, nhwc};
use super::movement::Ints;
use super::{
    Activation, Sums, Window, activation_input, check_arity, check_layer, ensure, input, optional_input,
    options, output,
};
use crate::Result;
use crate::error::Reason;
use crate::generated::TensorType;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// TRANSPOSE_CONV: int8 or int16 `[n, h, w, c]` with int8 filters `[o, kh, kw, c]`; the transpose of a
/// convolution from the output to the input.
#[derive(Clone, Copy, Debug)]
pub struct TransposeConv<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The filters, a constant; one scale, or one for each output channel.
    pub filter: Tensor<'a>,
    /// The bias, a constant.
    pub bias: Option<Tensor<'a>>,
    /// The output.
    pub output: Tensor<'a>,
    /// How the filter moves over the output.
    pub window: Window,
    /// What products are added up in.
    pub sums: Sums,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> TransposeConv<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 3..=4)?;
        let options = options!(node, TransposeConvOptions);
        let [size, filter, input, output] = [
            input(graph, node, 0)?,
            input(graph, node, 1)?,
            activation_input(graph, node, 2)?,
            output(graph, node, 0)?,
        ];
        let bias = optional_input(graph, node, 3)?;
        check_layer(&input, &filter, &output)?;
        ensure(filter.dtype == DType::Int8, &filter, Reason::UnsupportedType)?;
        ensure(filter.is_constant(), &filter, Reason::NotConstant)?;
        let [depth, kernel_h, kernel_w, input_depth] = nhwc(&filter)?;
        let [_, height, width, channels] = nhwc(&input)?;
        ensure(channels == input_depth, &filter, Reason::ShapeMismatch)?;
        filter.check_symmetric(0, depth)?;
        // Without a bias, the reference takes its type to be int64.
        let sums = Sums::new(&input, bias.as_ref(), TensorType::Int64, depth)?;
        let window = WindowOptions {
            padding: options.padding()?,
            stride: (options.stride_h()?, options.stride_w()?),
            dilation: (1, 1),
        };
        // The convolution goes from the output to the input.
        let (window, seen) = Window::new(&window, (kernel_h, kernel_w), &output)?;
        ensure(seen == (height, width), &output, Reason::ShapeMismatch)?;
        let [_, out_height, out_width, _] = nhwc(&output)?;
        check_output(&input.shape, &output, (out_height, out_width), depth)?;
        check_dims(&size, &output)?;
        let activation = Activation::new(options.fused_activation_function())?;
        Ok(Self { input, filter, bias, output, window, sums, activation })
    }
}

/// A constant that gives the output's shape gives the one that the output has. Where it is no constant, the
/// output's shape counts, as in TFLM.
pub(super) fn check_dims(dims: &Tensor<'_>, output: &Tensor<'_>) -> Result<()> {
    if !dims.is_constant() {
        return Ok(());
    }
    let ints = Ints::new(dims)?;
    let fits = ints.len() == output.shape.rank()
        && output.shape.dims().iter().enumerate().all(|(d, &dim)| i64::from(ints.get(d)) == dim.into());
    ensure(fits, dims, Reason::ShapeMismatch)
}

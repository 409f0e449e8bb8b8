//! CONV_2D and DEPTHWISE_CONV_2D.

use super::{
    Activation, Sums, activation_input, at, check_arity, check_layer, divide, ensure, input, optional_input,
    options, output,
};
use crate::Result;
use crate::error::Reason;
use crate::generated::{Padding, TensorType};
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Shape, Tensor};

/// A window that slides over an input: pairs are (height, width).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Size of the window.
    pub kernel: (u16, u16),
    /// Step from one output position to the next.
    pub stride: (u16, u16),
    /// Step from one tap to the next.
    pub dilation: (u16, u16),
    /// Padding above and to the left.
    pub pad: (u16, u16),
}

/// Strides, dilation factors and padding as an operator's options give them, not yet checked.
pub(super) struct WindowOptions {
    pub padding: Padding,
    pub stride: (i32, i32),
    pub dilation: (i32, i32),
}

impl Window {
    /// The window over an input `[batch, height, width, channels]`, and the output's height and width.
    pub(super) fn new(
        options: &WindowOptions,
        kernel: (u32, u32),
        input: &Tensor<'_>,
    ) -> Result<(Self, (u32, u32))> {
        let [_, height, width, _] = input.shape.nhwc().map_err(|reason| at(input, reason))?;
        let same = matches!(options.padding, Padding::Same);
        let vertical = Axis::new(same, height, kernel.0, options.stride.0, options.dilation.0)
            .map_err(|reason| at(input, reason))?;
        let horizontal = Axis::new(same, width, kernel.1, options.stride.1, options.dilation.1)
            .map_err(|reason| at(input, reason))?;
        let window = Self {
            kernel: (vertical.kernel, horizontal.kernel),
            stride: (vertical.stride, horizontal.stride),
            dilation: (vertical.dilation, horizontal.dilation),
            pad: (vertical.pad, horizontal.pad),
        };
        Ok((window, (vertical.output, horizontal.output)))
    }
}

struct Axis {
    kernel: u16,
    stride: u16,
    dilation: u16,
    pad: u16,
    output: u32,
}

impl Axis {
    /// TFLite: `ComputeOutSize`, `ComputePadding`.
    fn new(
        same: bool,
        input: u32,
        kernel: u32,
        stride: i32,
        dilation: i32,
    ) -> core::result::Result<Self, Reason> {
        let positive =
            |value: i32| u16::try_from(value).ok().filter(|&value| value > 0).ok_or(Reason::BadStride);
        let (stride, dilation) = (positive(stride)?, positive(dilation)?);
        let kernel = u16::try_from(kernel).ok().filter(|&size| size > 0).ok_or(Reason::BadWindow)?;
        let input = u32::from(u16::try_from(input).map_err(|_| Reason::DimensionTooLarge)?);
        let step = u32::from(stride);
        // At most 65,534 * 65,535 + 1: it fits.
        let reach = (u32::from(kernel) - 1) * u32::from(dilation) + 1;
        let positions = if same {
            input + step - 1
        } else {
            (input + step).checked_sub(reach).ok_or(Reason::WindowTooLarge)?
        };
        let output = positions.checked_div(step).ok_or(Reason::BadStride)?;
        if output == 0 {
            return Err(Reason::WindowTooLarge);
        }
        let padding = ((output - 1) * step).saturating_add(reach).saturating_sub(input);
        let pad = u16::try_from(padding / 2).map_err(|_| Reason::BadWindow)?;
        Ok(Self { kernel, stride, dilation, pad, output })
    }
}

/// CONV_2D: int8 or int16 `[n, h, w, c]` with filters `[o, kh, kw, c / groups]` of int8 (or int4 for int8).
#[derive(Clone, Copy, Debug)]
pub struct Conv2d<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The filters, a constant; one scale, or one for each output channel.
    pub filter: Tensor<'a>,
    /// The bias, a constant.
    pub bias: Option<Tensor<'a>>,
    /// The output.
    pub output: Tensor<'a>,
    /// How the filter moves over the input.
    pub window: Window,
    /// Number of groups that input and output channels are divided into.
    pub groups: u32,
    /// What products are added up in.
    pub sums: Sums,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> Conv2d<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=3)?;
        let options = options!(node, Conv2DOptions);
        let [input, filter, output] =
            [activation_input(graph, node, 0)?, input(graph, node, 1)?, output(graph, node, 0)?];
        let bias = optional_input(graph, node, 2)?;
        check_layer(&input, &filter, &output)?;
        ensure(filter.is_constant(), &filter, Reason::NotConstant)?;
        let [out_depth, kernel_h, kernel_w, group_depth] = nhwc(&filter)?;
        let [_, _, _, depth] = nhwc(&input)?;
        let groups = divide(depth, group_depth, &filter)?;
        divide(out_depth, groups, &filter)?;
        filter.check_symmetric(0, out_depth)?;
        let sums = Sums::new(&input, bias.as_ref(), options.quantized_bias_type()?, out_depth)?;
        let window = WindowOptions {
            padding: options.padding()?,
            stride: (options.stride_h()?, options.stride_w()?),
            dilation: (options.dilation_h_factor()?, options.dilation_w_factor()?),
        };
        let (window, size) = Window::new(&window, (kernel_h, kernel_w), &input)?;
        check_output(&input.shape, &output, size, out_depth)?;
        let activation = Activation::new(options.fused_activation_function())?;
        Ok(Self { input, filter, bias, output, window, groups, sums, activation })
    }
}

/// DEPTHWISE_CONV_2D: int8 or int16 `[n, h, w, c]` with filters `[1, kh, kw, c * multiplier]` of int8 (or int4
/// for int8).
#[derive(Clone, Copy, Debug)]
pub struct DepthwiseConv2d<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The filters, a constant; one scale, or one for each output channel.
    pub filter: Tensor<'a>,
    /// The bias, a constant.
    pub bias: Option<Tensor<'a>>,
    /// The output.
    pub output: Tensor<'a>,
    /// How the filter moves over the input.
    pub window: Window,
    /// Output channels for each input channel.
    pub depth_multiplier: u32,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> DepthwiseConv2d<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=3)?;
        let options = options!(node, DepthwiseConv2DOptions);
        let [input, filter, output] =
            [activation_input(graph, node, 0)?, input(graph, node, 1)?, output(graph, node, 0)?];
        let bias = optional_input(graph, node, 2)?;
        check_layer(&input, &filter, &output)?;
        ensure(filter.is_constant(), &filter, Reason::NotConstant)?;
        let [one, kernel_h, kernel_w, out_depth] = nhwc(&filter)?;
        ensure(one == 1, &filter, Reason::ShapeMismatch)?;
        let [_, _, _, depth] = nhwc(&input)?;
        // The multiplier is a matter of the shapes; what the options say of it is not used.
        let depth_multiplier = divide(out_depth, depth, &filter)?;
        filter.check_symmetric(3, out_depth)?;
        // Without a bias, the reference takes its type to be int64.
        let sums = Sums::new(&input, bias.as_ref(), TensorType::Int64, out_depth)?;
        if let (DType::Int16, Sums::Int32, Some(bias)) = (input.dtype, sums, &bias) {
            return Err(at(bias, Reason::UnsupportedType));
        }
        let window = WindowOptions {
            padding: options.padding()?,
            stride: (options.stride_h()?, options.stride_w()?),
            dilation: (options.dilation_h_factor()?, options.dilation_w_factor()?),
        };
        let (window, size) = Window::new(&window, (kernel_h, kernel_w), &input)?;
        check_output(&input.shape, &output, size, out_depth)?;
        let activation = Activation::new(options.fused_activation_function())?;
        Ok(Self { input, filter, bias, output, window, depth_multiplier, activation })
    }
}

pub(super) fn nhwc(tensor: &Tensor<'_>) -> Result<[u32; 4]> {
    tensor.shape.nhwc().map_err(|reason| at(tensor, reason))
}

/// The output is `[batch, size.0, size.1, depth]`.
pub(super) fn check_output(input: &Shape, output: &Tensor<'_>, size: (u32, u32), depth: u32) -> Result<()> {
    let batch = input.dims().first().copied().unwrap_or(1);
    let expected = [batch, size.0, size.1, depth];
    ensure(output.shape.dims() == expected, output, Reason::ShapeMismatch)
}

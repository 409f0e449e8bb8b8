use kinglet_kernels::ops::conv_2d::{self, Conv2dParams};
use kinglet_kernels::ops::depthwise_conv_2d::{self, DepthwiseConv2dParams};
use kinglet_kernels::{Choice, Kernel, Overlap, Place};
use kinglet_tflite::ops::{Conv2d, DepthwiseConv2d, Sums};
use kinglet_tflite::{DType, ModelError, Reason, Tensor};

use super::{Emit, Layer, Result, layer_quant};
use crate::planner::{Constants, Options};

/// An image tensor as the spatial kernels see it.
pub(super) struct Image {
    pub size: (u16, u16),
    pub depth: u32,
    /// Bytes of a row.
    pub stride: u32,
    /// Rows, through all batches.
    pub rows: u32,
}

impl Image {
    pub(super) fn new(tensor: &Tensor<'_>) -> Result<Self> {
        let at = |reason: Reason| ModelError::from(reason).at_tensor(tensor.id);
        let [batch, height, width, depth] = tensor.shape.nhwc().map_err(at)?;
        let side = |size: u32| u16::try_from(size).map_err(|_| at(Reason::DimensionTooLarge));
        // Whole bytes: images are int8 or wider.
        let stride = width * depth * (tensor.dtype.bits() / 8);
        Ok(Self { size: (side(height)?, side(width)?), depth, stride, rows: batch * height })
    }
}

fn layer<'l, 'a>(op: &'l Conv2d<'a>) -> Layer<'l, 'a> {
    Layer {
        input: &op.input,
        weights: &op.filter,
        bias: op.bias.as_ref(),
        output: &op.output,
        sums: op.sums,
        in_float: false,
        by_tap: false,
    }
}

/// All but places, tables and scratch.
fn params(op: &Conv2d<'_>) -> Result<Conv2dParams> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    Ok(Conv2dParams {
        input: Place::NONE,
        input_stride: input.stride,
        input_ring: input.rows,
        output: Place::NONE,
        output_stride: output.stride,
        output_ring: output.rows,
        input_size: input.size,
        input_depth: input.depth,
        output_size: output.size,
        output_depth: output.depth,
        kernel: op.window.kernel,
        // The operator's checks leave at least one group.
        group_depth: input.depth.checked_div(op.groups).unwrap_or(1),
        group_filters: output.depth.checked_div(op.groups).unwrap_or(1),
        stride: op.window.stride,
        dilation: op.window.dilation,
        pad: op.window.pad,
        quant: layer_quant(&op.input, &op.output, op.activation)?,
        weights: Place::NONE,
        bias: Place::NONE,
        requant: 0,
        requant_len: 0,
        scratch: Place::NONE,
        scratch_len: 0,
    })
}

pub(super) fn choose(op: &Conv2d<'_>, options: &Options) -> Result<Choice> {
    let params = params(op)?;
    let special = match (op.input.dtype, op.filter.dtype, op.sums) {
        (DType::Int16, _, Sums::Int32) => Kernel::Conv2dS16B32,
        (DType::Int16, ..) => Kernel::Conv2dS16,
        (_, DType::Int4, _) => Kernel::Conv2dS8W4,
        _ => {
            let layer = layer(op);
            let factor = |i: usize| layer.factor(i);
            return Ok(conv_2d::choose(&params, &layer.constants(&factor), &options.how));
        }
    };
    Ok(Choice::new(special).with_overlap(Overlap::Rows(params.row_distances())))
}

pub(super) fn emit(op: &Conv2d<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let params = params(op)?;
    let constants =
        emit.weighted(&layer(op), |kernel, weights, out| conv_2d::pack(kernel, &params, weights, out))?;
    let params = Conv2dParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        weights: constants.weights,
        bias: constants.bias,
        requant: constants.requant,
        requant_len: constants.requant_len,
        scratch: emit.scratch,
        scratch_len: emit.choice.scratch,
        ..params
    };
    emit.params(&params);
    Ok(params.output_ring)
}

fn depthwise_layer<'l, 'a>(op: &'l DepthwiseConv2d<'a>) -> Layer<'l, 'a> {
    Layer {
        input: &op.input,
        weights: &op.filter,
        bias: op.bias.as_ref(),
        output: &op.output,
        sums: if op.input.dtype == DType::Int16 { Sums::Int64 } else { Sums::Int32 },
        in_float: false,
        by_tap: true,
    }
}

/// All but places, tables and scratch.
fn depthwise_params(op: &DepthwiseConv2d<'_>) -> Result<DepthwiseConv2dParams> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    Ok(DepthwiseConv2dParams {
        input: Place::NONE,
        input_stride: input.stride,
        input_ring: input.rows,
        output: Place::NONE,
        output_stride: output.stride,
        output_ring: output.rows,
        input_size: input.size,
        input_depth: input.depth,
        output_size: output.size,
        output_depth: output.depth,
        depth_multiplier: op.depth_multiplier,
        kernel: op.window.kernel,
        stride: op.window.stride,
        dilation: op.window.dilation,
        pad: op.window.pad,
        quant: layer_quant(&op.input, &op.output, op.activation)?,
        weights: Place::NONE,
        bias: Place::NONE,
        requant: 0,
        requant_len: 0,
        scratch: Place::NONE,
        scratch_len: 0,
    })
}

pub(super) fn choose_depthwise(op: &DepthwiseConv2d<'_>, options: &Options) -> Result<Choice> {
    let params = depthwise_params(op)?;
    let special = match (op.input.dtype, op.filter.dtype) {
        (DType::Int16, _) => Kernel::DepthwiseConv2dS16,
        (_, DType::Int4) => Kernel::DepthwiseConv2dS8W4,
        _ => {
            let layer = depthwise_layer(op);
            let factor = |i: usize| layer.factor(i);
            return Ok(depthwise_conv_2d::choose(&params, &layer.constants(&factor), &options.how));
        }
    };
    Ok(Choice::new(special).with_overlap(Overlap::Rows(params.row_distances())))
}

pub(super) fn emit_depthwise(
    op: &DepthwiseConv2d<'_>,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<u32> {
    let params = depthwise_params(op)?;
    let constants = emit.weighted(&depthwise_layer(op), |kernel, weights, out| {
        depthwise_conv_2d::pack(kernel, &params, weights, out);
    })?;
    let params = DepthwiseConv2dParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        weights: constants.weights,
        bias: constants.bias,
        requant: constants.requant,
        requant_len: constants.requant_len,
        scratch: emit.scratch,
        scratch_len: emit.choice.scratch,
        ..params
    };
    match depthwise_conv_2d::as_conv_2d(&params).filter(|_| emit.choice.kernel.is_conv_2d()) {
        Some(params) => emit.params(&params),
        None => emit.params(&params),
    }
    Ok(params.output_ring)
}

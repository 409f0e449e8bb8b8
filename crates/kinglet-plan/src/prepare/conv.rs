use kinglet_kernels::Choice;
use kinglet_kernels::ops::conv_2d::{self, Conv2dParams};
use kinglet_kernels::ops::depthwise_conv_2d::{self, DepthwiseConv2dParams};
use kinglet_tflite::ops::{Conv2d, DepthwiseConv2d};

use super::{Emit, Result, int8_quant, requant_table};
use crate::planner::{Constants, Options};
use kinglet_tflite::{ModelError, Reason, Tensor};

pub(super) fn choose(_op: &Conv2d<'_>, options: &Options) -> Choice {
    conv_2d::choose(options.target)
}

pub(super) fn choose_depthwise(_op: &DepthwiseConv2d<'_>, options: &Options) -> Choice {
    depthwise_conv_2d::choose(options.target)
}

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
        Ok(Self { size: (side(height)?, side(width)?), depth, stride: width * depth, rows: batch * height })
    }
}

pub(super) fn emit(op: &Conv2d<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let (requant, requant_len) = requant_table(emit, &op.input, &op.filter, &op.output)?;
    let params = Conv2dParams {
        input: emit.place(&op.input)?,
        input_stride: input.stride,
        input_ring: input.rows,
        output: emit.place(&op.output)?,
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
        quant: int8_quant(&op.input, &op.output, op.activation)?,
        weights: emit.place(&op.filter)?,
        bias: emit.optional_place(op.bias.as_ref())?,
        requant,
        requant_len,
        scratch: emit.scratch,
    };
    emit.params(&params);
    Ok(output.rows)
}

pub(super) fn emit_depthwise(
    op: &DepthwiseConv2d<'_>,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<u32> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let (requant, requant_len) = requant_table(emit, &op.input, &op.filter, &op.output)?;
    let params = DepthwiseConv2dParams {
        input: emit.place(&op.input)?,
        input_stride: input.stride,
        input_ring: input.rows,
        output: emit.place(&op.output)?,
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
        quant: int8_quant(&op.input, &op.output, op.activation)?,
        weights: emit.place(&op.filter)?,
        bias: emit.optional_place(op.bias.as_ref())?,
        requant,
        requant_len,
        scratch: emit.scratch,
    };
    emit.params(&params);
    Ok(output.rows)
}

use kinglet_kernels::Choice;
use kinglet_kernels::ops::conv_2d::Conv2dParams;
use kinglet_kernels::ops::transpose_conv;
use kinglet_tflite::ops::TransposeConv;

use super::conv::Image;
use super::{Emit, Result, int8_quant, requant_table};
use crate::planner::{Constants, Options};

pub(super) fn choose(options: &Options) -> Choice {
    transpose_conv::choose(options.target)
}

pub(super) fn emit(op: &TransposeConv<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
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
        group_depth: input.depth,
        group_filters: output.depth,
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

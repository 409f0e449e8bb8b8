use kinglet_kernels::ops::transpose_conv::TransposeConvParams;
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::DType;
use kinglet_tflite::ops::{Sums, TransposeConv};

use super::conv::Image;
use super::{Emit, Layer, Result, layer_quant};
use crate::planner::Constants;

pub(super) fn choose(op: &TransposeConv<'_>) -> Choice {
    Choice::new(match (op.input.dtype, op.sums) {
        (DType::Int16, Sums::Int64) => Kernel::TransposeConvS16,
        (DType::Int16, Sums::Int32) => Kernel::TransposeConvS16B32,
        _ => Kernel::TransposeConv,
    })
}

pub(super) fn emit(op: &TransposeConv<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let layer = Layer {
        input: &op.input,
        weights: &op.filter,
        bias: op.bias.as_ref(),
        output: &op.output,
        sums: op.sums,
        in_float: false,
        by_tap: false,
    };
    let constants = emit.weighted(&layer, |_, _, _| {})?;
    let params = TransposeConvParams {
        input: emit.place(&op.input)?,
        input_rows: input.rows,
        output: emit.place(&op.output)?,
        output_rows: output.rows,
        input_size: input.size,
        input_depth: input.depth,
        output_size: output.size,
        output_depth: output.depth,
        kernel: op.window.kernel,
        stride: op.window.stride,
        pad: op.window.pad,
        quant: layer_quant(&op.input, &op.output, op.activation)?,
        weights: constants.weights,
        bias: constants.bias,
        requant: constants.requant,
        requant_len: constants.requant_len,
    };
    emit.params(&params);
    Ok(output.rows)
}

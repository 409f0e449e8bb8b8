use kinglet_kernels::ops::sums::{AddNParams, CumsumParams, SumQuant};
use kinglet_kernels::{Choice, Kernel, Word};
use kinglet_tflite::ops::{AddN, Cumsum};
use kinglet_tflite::{DType, Tensor};

use super::binary::below_one;
use super::{Emit, Result, element_rows};
use crate::planner::Constants;

pub(super) fn choose_cumsum(op: &Cumsum<'_>) -> Choice {
    Choice::new(match op.input.dtype {
        DType::Int8 => Kernel::CumsumS8,
        DType::Int32 => Kernel::CumsumS32,
        _ => Kernel::CumsumF32,
    })
}

pub(super) fn choose_add_n(op: &AddN<'_>) -> Choice {
    Choice::new(match op.output.dtype {
        DType::Int8 => Kernel::AddNS8,
        DType::Int32 => Kernel::AddNS32,
        _ => Kernel::AddNF32,
    })
}

/// Writes how int8 summands become a sum; returns where it stands. TFLite: `CalculateOpData` of both, whose
/// left shift is 20 and whose factor of the inputs is always 1/2.
fn quant(emit: &mut Emit<'_, '_, impl Constants>, input: &Tensor<'_>, output: &Tensor<'_>) -> Result<u32> {
    let detail = emit.writer.position();
    if input.dtype == DType::Int8 {
        let ((scale, input_zero_point), (output_scale, output_zero_point)) =
            (input.per_tensor()?, output.per_tensor()?);
        let twice = 2.0 * f64::from(scale);
        let factor = below_one(twice / (f64::from(1 << 20) * f64::from(output_scale)))?;
        emit.writer.params(&SumQuant {
            input_zero_point,
            output_zero_point,
            multiplier: factor.multiplier,
            shift: factor.shift.into(),
        });
    }
    Ok(detail)
}

pub(super) fn emit_cumsum(op: &Cumsum<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let detail = quant(emit, &op.input, &op.output)?;
    let dims = op.input.shape.dims();
    let product = |dims: Option<&[u32]>| dims.unwrap_or(&[]).iter().product();
    let params = CumsumParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        outer: product(dims.get(..op.axis)),
        depth: dims.get(op.axis).copied().unwrap_or(1),
        inner: product(dims.get(op.axis + 1..)),
        exclusive: op.exclusive.into(),
        reverse: op.reverse.into(),
        detail,
    };
    emit.params(&params);
    Ok(1)
}

pub(super) fn emit_add_n(op: &AddN<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let detail = quant(emit, &op.first, &op.output)?;
    let (rows, row_len) = element_rows(&op.output);
    let params = AddNParams {
        inputs: op.input_count() as u32,
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        detail,
    };
    emit.params(&params);
    for i in 0..op.input_count() {
        let place = emit.place(&op.input(i)?)?;
        emit.writer.word(place.to_word());
    }
    Ok(rows)
}

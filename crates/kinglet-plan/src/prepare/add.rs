use kinglet_kernels::Choice;
use kinglet_kernels::ops::add::{self, AddParams, LEFT_SHIFT};
use kinglet_kernels::quant::Multiplier;
use kinglet_tflite::{ModelError, Reason, Shape, ops::Add};

use super::{Emit, Result, activation_range, element_rows, multiplier};
use crate::planner::{Constants, Options};

pub(super) fn choose(_op: &Add<'_>, options: &Options) -> Choice {
    add::choose(options.target)
}

/// TFLite: `CalculateOpDataAdd`.
pub(super) fn emit(op: &Add<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let [a, b] = &op.inputs;
    let ((scale1, zero1), (scale2, zero2), (scale, zero)) =
        (a.per_tensor()?, b.per_tensor()?, op.output.per_tensor()?);
    let twice_max = 2.0 * f64::from(scale1.max(scale2));
    let factor1 = below_one(f64::from(scale1) / twice_max)?;
    let factor2 = below_one(f64::from(scale2) / twice_max)?;
    let factor = below_one(twice_max / (f64::from(1 << LEFT_SHIFT) * f64::from(scale)))?;
    let (min, max) = activation_range(op.activation, &op.output)?;

    let dims = emit.writer.position();
    let dims_len = if a.shape == op.output.shape && b.shape == op.output.shape {
        0
    } else {
        broadcast_dims(emit, &a.shape, &b.shape, &op.output.shape)
    };
    let (rows, row_len) = element_rows(&op.output);
    let params = AddParams {
        input1: emit.place(a)?,
        len1: a.shape.len(),
        input2: emit.place(b)?,
        len2: b.shape.len(),
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        dims,
        dims_len,
        // All were seen to lie within int8.
        zero_points: [zero1 as i8, zero2 as i8, zero as i8, 0],
        limits: [min as i8, max as i8, 0, 0],
        multiplier1: factor1.multiplier,
        multiplier2: factor2.multiplier,
        multiplier: factor.multiplier,
        shifts: [factor1.shift, factor2.shift, factor.shift, 0],
    };
    emit.params(&params);
    Ok(rows)
}

/// TFLite takes only factors below 1 here (`QuantizeMultiplierSmallerThanOneExp`).
fn below_one(real: f64) -> Result<Multiplier> {
    let factor = multiplier(real)?;
    if factor.shift <= 0 { Ok(factor) } else { Err(ModelError::from(Reason::ScaleRatio)) }
}

/// Writes size and steps of each output dimension, innermost first; a dimension in which an input has
/// size 1 has step 0 there. Returns their number.
fn broadcast_dims(emit: &mut Emit<'_, '_, impl Constants>, a: &Shape, b: &Shape, output: &Shape) -> u32 {
    let (mut step_a, mut step_b) = (1, 1);
    let mut a = a.dims().iter().rev().copied();
    let mut b = b.dims().iter().rev().copied();
    for &size in output.dims().iter().rev() {
        let (size_a, size_b) = (a.next().unwrap_or(1), b.next().unwrap_or(1));
        emit.writer.word(size);
        emit.writer.word(if size_a == 1 { 0 } else { step_a });
        emit.writer.word(if size_b == 1 { 0 } else { step_b });
        step_a *= size_a;
        step_b *= size_b;
    }
    output.rank() as u32
}

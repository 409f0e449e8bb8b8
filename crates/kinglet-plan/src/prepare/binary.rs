use kinglet_kernels::ops::binary::{
    self, BinaryParams, BinaryQuant, Function, Type, square_left_shift, sum_left_shift,
};
use kinglet_kernels::quant::Multiplier;
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::ops::{Binary, BinaryKind};
use kinglet_tflite::{DType, ModelError, Reason, Shape};

use super::{Emit, Result, activation_range, element_rows, limits, multiplier};
use crate::planner::{Constants, Options};

pub(super) fn choose(op: &Binary<'_>, options: &Options) -> Choice {
    let function = match op.kind {
        BinaryKind::Add => Function::Add,
        BinaryKind::Sub => Function::Sub,
        BinaryKind::Mul => Function::Mul,
        BinaryKind::Div => Function::Div,
        BinaryKind::Maximum => Function::Maximum,
        BinaryKind::Minimum => Function::Minimum,
        BinaryKind::SquaredDifference => Function::SquaredDifference,
        BinaryKind::Prelu => Function::Prelu,
    };
    // The operator's checks leave only what there are kernels for.
    binary::choose(function, element_type(op.output.dtype), options.how.target)
        .unwrap_or(Choice::new(Kernel::Nothing))
}

pub(super) fn element_type(dtype: DType) -> Type {
    match dtype {
        DType::Int8 => Type::S8,
        DType::Int16 => Type::S16,
        DType::Int32 => Type::S32,
        _ => Type::F32,
    }
}

pub(super) fn emit(op: &Binary<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let [a, b] = &op.inputs;
    let dims = emit.writer.position();
    let dims_len = broadcast_dims(emit, &a.shape, &b.shape, &op.output.shape);
    let detail = emit.writer.position();
    if op.is_quantized() {
        emit.writer.params(&quant(op)?);
    } else {
        emit.writer.params(&limits(op.activation, op.output.dtype, f32::MAX));
    }
    let (rows, row_len) = element_rows(&op.output);
    let params = BinaryParams {
        input1: emit.place(a)?,
        len1: a.shape.len(),
        input2: emit.place(b)?,
        len2: b.shape.len(),
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        dims,
        dims_len,
        detail,
    };
    emit.params(&params);
    Ok(rows)
}

fn quant(op: &Binary<'_>) -> Result<BinaryQuant> {
    let [a, b] = &op.inputs;
    let ((_, zero1), (_, zero2), (_, zero_point)) =
        (a.per_tensor()?, b.per_tensor()?, op.output.per_tensor()?);
    let (min, max) = activation_range(op.activation, &op.output)?;
    let [factor1, factor2, factor] = factors(op)?;
    Ok(BinaryQuant {
        // All were seen to lie within int16.
        zero_points: [zero1 as i16, zero2 as i16],
        limits: [min as i16, max as i16],
        zero_point,
        multiplier1: factor1.multiplier,
        multiplier2: factor2.multiplier,
        multiplier: factor.multiplier,
        shifts: [factor1.shift, factor2.shift, factor.shift, 0],
    })
}

/// Factors of input 1, of input 2 and of the result.
///
/// TFLite: `CalculateOpDataAdd`, `CalculateOpDataSub`, `CalculateOpDataMul`, `PrepareQuantized` (squared
/// difference), `CalculatePreluParams`.
///
/// The references take some of these quotients in float64 and some in float32: SUB in TFLM, MUL and PRELU in
/// tflite-runtime 2.14. They differ by 1, in about one of 10,000 int16 outputs and one of a million int8
/// outputs. Here all are float64. int16 ADD and SUB rescale in general, as TFLM does, also where all scales
/// are powers of two.
fn factors(op: &Binary<'_>) -> Result<[Multiplier; 3]> {
    let [a, b] = &op.inputs;
    let ((scale1, _), (scale2, _), (scale, _)) = (a.per_tensor()?, b.per_tensor()?, op.output.per_tensor()?);
    let [wide1, wide2, wide] = [scale1, scale2, scale].map(f64::from);
    let ty = element_type(op.output.dtype);
    let twice_max = 2.0 * wide1.max(wide2);
    let unused = Multiplier { multiplier: 0, shift: 0 };
    match op.kind {
        BinaryKind::Add | BinaryKind::Sub => Ok([
            below_one(wide1 / twice_max)?,
            below_one(wide2 / twice_max)?,
            below_one(twice_max / (f64::from(1 << sum_left_shift(ty)) * wide))?,
        ]),
        BinaryKind::SquaredDifference => Ok([
            below_one(wide1 / twice_max)?,
            below_one(wide2 / twice_max)?,
            multiplier(twice_max * twice_max / (f64::from(1 << (2 * square_left_shift(ty))) * wide))?,
        ]),
        BinaryKind::Prelu => Ok([multiplier(wide1 / wide)?, unused, multiplier(wide1 * wide2 / wide)?]),
        _ => Ok([unused, unused, multiplier(wide1 * wide2 / wide)?]),
    }
}

/// TFLite takes only factors below 1 here (`QuantizeMultiplierSmallerThanOneExp`).
fn below_one(real: f64) -> Result<Multiplier> {
    let factor = multiplier(real)?;
    if factor.shift <= 0 { Ok(factor) } else { Err(ModelError::from(Reason::ScaleRatio)) }
}

/// Writes size and steps of each output dimension, innermost first; a dimension in which an input has
/// size 1 has step 0 there. Neighbours that can be walked as one are one. Returns their number.
pub(super) fn broadcast_dims(
    emit: &mut Emit<'_, '_, impl Constants>,
    a: &Shape,
    b: &Shape,
    output: &Shape,
) -> u32 {
    let (mut inner_a, mut inner_b) = (1, 1);
    let mut a = a.dims().iter().rev().copied();
    let mut b = b.dims().iter().rev().copied();
    // The dimension at hand, and how many were written before it.
    let mut dim = [1, 1, 1];
    let mut written = 0;
    for &size in output.dims().iter().rev() {
        let (size_a, size_b) = (a.next().unwrap_or(1), b.next().unwrap_or(1));
        if size == 1 {
            continue;
        }
        let step_a = if size_a == 1 { 0 } else { inner_a };
        let step_b = if size_b == 1 { 0 } else { inner_b };
        inner_a *= size_a;
        inner_b *= size_b;
        dim = match dim {
            [1, ..] => [size, step_a, step_b],
            // This one goes on where the one within it ends.
            [inner, a, b] if step_a == inner * a && step_b == inner * b => [inner * size, a, b],
            _ => {
                dim.into_iter().for_each(|word| emit.writer.word(word));
                written += 1;
                [size, step_a, step_b]
            }
        };
    }
    dim.into_iter().for_each(|word| emit.writer.word(word));
    written + 1
}

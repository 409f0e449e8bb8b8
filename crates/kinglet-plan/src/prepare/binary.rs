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
        BinaryKind::FloorDiv => Function::FloorDiv,
        BinaryKind::FloorMod => Function::FloorMod,
    };
    let [a, b] = &op.inputs;
    let is_same_shape = [a, b].iter().all(|input| input.shape.dims() == op.output.shape.dims());
    if op.is_quantized() && op.output.dtype == DType::Int8 && is_same_shape {
        // Where the factors are beyond the arithmetic, the operator is refused when they are written.
        let same_shape = |quant| binary::choose_same_shape(function, &quant, options.how.target);
        if let Some(choice) = quant(op).ok().and_then(same_shape) {
            return choice;
        }
    }
    // The operator's checks leave only what there are kernels for.
    binary::choose(function, element_type(op.output.dtype), options.how.target)
        .unwrap_or(Choice::new(Kernel::Nothing))
}

pub(super) fn element_type(dtype: DType) -> Type {
    match dtype {
        DType::Int8 => Type::S8,
        DType::Int16 => Type::S16,
        DType::Int32 => Type::S32,
        DType::Int64 => Type::S64,
        DType::Bool => Type::Bool,
        _ => Type::F32,
    }
}

pub(super) fn emit(op: &Binary<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let [a, b] = &op.inputs;
    let dims = emit.writer.position();
    let dims_len = broadcast_dims(emit, [&a.shape, &b.shape], &op.output.shape);
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
        // In float32, as TFLM does.
        BinaryKind::Div => Ok([unused, unused, multiplier((scale1 / (scale2 * scale)).into())?]),
        _ => Ok([unused, unused, multiplier(wide1 * wide2 / wide)?]),
    }
}

/// TFLite takes only factors below 1 here (`QuantizeMultiplierSmallerThanOneExp`).
pub(super) fn below_one(real: f64) -> Result<Multiplier> {
    let factor = multiplier(real)?;
    if factor.shift <= 0 { Ok(factor) } else { Err(ModelError::from(Reason::ScaleRatio)) }
}

/// Writes size and steps of each output dimension, innermost first; a dimension in which an input has
/// size 1 has step 0 there. Neighbours that can be walked as one are one. Returns their number.
pub(super) fn broadcast_dims<const INPUTS: usize>(
    emit: &mut Emit<'_, '_, impl Constants>,
    inputs: [&Shape; INPUTS],
    output: &Shape,
) -> u32 {
    let mut inner = [1; INPUTS];
    // The dimension at hand, and how many were written before it.
    let (mut size_at_hand, mut steps_at_hand) = (1, [1; INPUTS]);
    let mut written = 0;
    for (i, &size) in output.dims().iter().rev().enumerate() {
        let sizes = inputs.map(|shape| shape.dims().iter().rev().nth(i).copied().unwrap_or(1));
        if size == 1 {
            continue;
        }
        let mut steps = [0; INPUTS];
        let mut goes_on = true;
        for (((step, inner), size), at_hand) in steps.iter_mut().zip(&mut inner).zip(sizes).zip(steps_at_hand)
        {
            *step = if size == 1 { 0 } else { *inner };
            *inner *= size;
            goes_on &= *step == size_at_hand * at_hand;
        }
        if size_at_hand == 1 {
            (size_at_hand, steps_at_hand) = (size, steps);
        } else if goes_on {
            // This one goes on where the one within it ends.
            size_at_hand *= size;
        } else {
            write_dim(emit, size_at_hand, steps_at_hand);
            written += 1;
            (size_at_hand, steps_at_hand) = (size, steps);
        }
    }
    write_dim(emit, size_at_hand, steps_at_hand);
    written + 1
}

fn write_dim<const INPUTS: usize>(emit: &mut Emit<'_, '_, impl Constants>, size: u32, steps: [u32; INPUTS]) {
    emit.writer.word(size);
    steps.into_iter().for_each(|step| emit.writer.word(step));
}

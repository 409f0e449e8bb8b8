use kinglet_kernels::ops::float::{exp, sqrt};
use kinglet_kernels::ops::hard_swish::HardSwishQuant;
use kinglet_kernels::ops::logistic::{FixedPoint, TableStep};
use kinglet_kernels::ops::lookup;
use kinglet_kernels::ops::unary::{self, Function, RSQRT_SHIFT, Slope, UnaryParams, UnaryQuant};
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::ops::{Unary, UnaryKind};
use kinglet_tflite::{DType, ModelError, OpKind, OpSet, Reason};

use super::binary::element_type;
use super::{Emit, Result, element_rows, multiplier};
use crate::planner::{Constants, Options};

pub(super) fn choose(op: &Unary<'_>, options: &Options) -> Choice {
    let is_float = op.input.dtype == DType::Float32;
    let function = match op.kind {
        UnaryKind::Logistic => Function::Logistic,
        UnaryKind::Tanh => Function::Tanh,
        UnaryKind::HardSwish => Function::HardSwish,
        UnaryKind::LeakyRelu { .. } => Function::LeakyRelu,
        UnaryKind::Elu if is_float => Function::Elu,
        UnaryKind::Exp if is_float => Function::Exp,
        UnaryKind::Log if is_float => Function::Log,
        UnaryKind::Elu | UnaryKind::Exp | UnaryKind::Log | UnaryKind::Gelu { .. } => Function::Lookup,
        UnaryKind::Sin => Function::Sin,
        UnaryKind::Cos => Function::Cos,
        UnaryKind::Sign => Function::Sign,
        UnaryKind::Abs => Function::Abs,
        UnaryKind::Neg => Function::Neg,
        UnaryKind::Square => Function::Square,
        UnaryKind::Floor => Function::Floor,
        UnaryKind::Ceil => Function::Ceil,
        UnaryKind::Round => Function::Round,
        UnaryKind::Sqrt => Function::Sqrt,
        UnaryKind::Rsqrt => Function::Rsqrt,
        UnaryKind::Not => Function::Not,
    };
    // The operator's checks leave only what there are kernels for.
    unary::choose(function, element_type(op.output.dtype), options.how.target)
        .unwrap_or(Choice::new(Kernel::Nothing))
}

pub(super) fn emit<S: OpSet>(op: &Unary<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let detail = emit.writer.position();
    let beyond = || ModelError::from(Reason::ScaleRatio);
    let is_float = op.input.dtype == DType::Float32;
    match op.kind {
        UnaryKind::Logistic | UnaryKind::Tanh if op.input.dtype == DType::Int8 => {
            let (scale, zero_point) = op.input.per_tensor()?;
            emit.writer.params(&FixedPoint::new(scale, zero_point).ok_or_else(beyond)?);
        }
        UnaryKind::Logistic | UnaryKind::Tanh if !is_float => {
            let (scale, _) = op.input.per_tensor()?;
            // As far as TFLite has powers of two of their own for the function.
            let powers = if op.kind == UnaryKind::Tanh { 2 } else { 1 };
            emit.writer.params(&TableStep::new(scale, powers).ok_or_else(beyond)?);
        }
        UnaryKind::HardSwish if !is_float => {
            let ((scale, _), (output_scale, _)) = (op.input.per_tensor()?, op.output.per_tensor()?);
            let (multipliers, exponents) =
                HardSwishQuant::multipliers(scale, output_scale).ok_or_else(beyond)?;
            emit.writer.params(&HardSwishQuant { zero_points: zero_points(op)?, multipliers, exponents });
        }
        UnaryKind::LeakyRelu { alpha } if is_float => emit.writer.params(&Slope { alpha }),
        UnaryKind::LeakyRelu { alpha } => emit.writer.params(&quant(op, alpha)?),
        UnaryKind::Abs if !is_float => emit.writer.params(&quant(op, 0.0)?),
        UnaryKind::Rsqrt if !is_float => emit.writer.params(&rsqrt_quant(op)?),
        _ if is_float => {}
        UnaryKind::Log if S::has(OpKind::Log) => table(op, emit, lookup::log)?,
        UnaryKind::Gelu { approximate } if S::has(OpKind::Gelu) => {
            table(op, emit, if approximate { lookup::gelu_tanh } else { lookup::gelu })?;
        }
        UnaryKind::Elu if S::has(OpKind::Elu) => table(op, emit, lookup::elu)?,
        UnaryKind::Exp if S::has(OpKind::Exp) => table(op, emit, exp)?,
        _ => {}
    }
    let (rows, row_len) = element_rows(&op.output);
    let params = UnaryParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        detail,
    };
    emit.params(&params);
    Ok(rows)
}

/// Zero points of input and output.
fn zero_points(op: &Unary<'_>) -> Result<[i16; 2]> {
    let ((_, input), (_, output)) = (op.input.per_tensor()?, op.output.per_tensor()?);
    // Both were seen to lie within int16.
    Ok([input as i16, output as i16])
}

/// The factors, from quotients in float32 as in TFLite.
///
/// TFLite: `CalculateOpDataLeakyRelu`, `SetAbsOutputMultiplier`. A negative slope is that of TFLM, which
/// changes the sign after the multiplication.
fn quant(op: &Unary<'_>, alpha: f32) -> Result<UnaryQuant> {
    let ((scale, _), (output_scale, _)) = (op.input.per_tensor()?, op.output.per_tensor()?);
    let factor = multiplier((scale / output_scale).into())?;
    let slope = f64::from(scale * alpha / output_scale);
    let is_negative = slope < 0.0;
    let negative = multiplier(if is_negative { -slope } else { slope })?;
    Ok(UnaryQuant {
        zero_points: zero_points(op)?,
        multiplier: factor.multiplier,
        negative_multiplier: negative.multiplier,
        shifts: [factor.shift, negative.shift, is_negative.into(), 0],
    })
}

/// TFLite: `SetRsqrtOutputMultiplier`.
fn rsqrt_quant(op: &Unary<'_>) -> Result<UnaryQuant> {
    let ((scale, _), (output_scale, _)) = (op.input.per_tensor()?, op.output.per_tensor()?);
    let factor = multiplier(1.0 / f64::from(sqrt(scale) * output_scale))?;
    let shift = i32::from(factor.shift) - RSQRT_SHIFT;
    if shift < -31 {
        return Err(Reason::ScaleRatio.into());
    }
    Ok(UnaryQuant {
        zero_points: zero_points(op)?,
        multiplier: factor.multiplier,
        negative_multiplier: 0,
        shifts: [shift as i8, 0, 0, 0],
    })
}

/// Writes the table of a function.
fn table(op: &Unary<'_>, emit: &mut Emit<'_, '_, impl Constants>, function: fn(f32) -> f32) -> Result<()> {
    for word in lookup::table(op.input.per_tensor()?, op.output.per_tensor()?, function) {
        emit.writer.word(word);
    }
    Ok(())
}

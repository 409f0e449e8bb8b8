use kinglet_kernels::ops::quantize::{IntType, QuantizeParams};
use kinglet_kernels::ops::unary::UnaryParams;
use kinglet_kernels::quant::Multiplier;
use kinglet_kernels::{Choice, Kernel, Overlap};
use kinglet_tflite::ops::{Activation, Rescale};
use kinglet_tflite::{DType, ModelError, Reason, Tensor};

use super::{Emit, Result, activation_range, element_rows, limits, multiplier};
use crate::planner::Constants;

pub(super) fn choose(op: &Rescale<'_>) -> Choice {
    let kernel = match (op.input.dtype, op.output.dtype) {
        (DType::Float32, DType::Float32) => Kernel::ClampF32,
        (DType::Float32, _) => Kernel::Quantize,
        (_, DType::Float32) => Kernel::Dequantize,
        _ => Kernel::Requantize,
    };
    Choice::new(kernel).with_overlap(Overlap::Elements)
}

pub(super) fn int_type(tensor: &Tensor<'_>) -> Result<IntType> {
    match tensor.dtype {
        DType::Int8 => Ok(IntType::S8),
        DType::UInt8 => Ok(IntType::U8),
        DType::Int16 => Ok(IntType::S16),
        DType::Int32 => Ok(IntType::S32),
        DType::Int64 => Ok(IntType::S64),
        _ => Err(ModelError::from(Reason::UnsupportedType).at_tensor(tensor.id)),
    }
}

pub(super) fn emit(op: &Rescale<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (rows, row_len) = element_rows(&op.output);
    if op.input.dtype == DType::Float32 && op.output.dtype == DType::Float32 {
        let detail = emit.writer.position();
        emit.writer.params(&limits(op.activation, DType::Float32, f32::INFINITY));
        let (input, output) = (emit.place(&op.input)?, emit.place(&op.output)?);
        emit.params(&UnaryParams { input, output, len: op.output.shape.len(), row_len, detail });
        return Ok(rows);
    }
    let mut params = QuantizeParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        from: IntType::S8,
        to: IntType::S8,
        input_zero_point: 0,
        output_zero_point: 0,
        min: i32::MIN,
        max: i32::MAX,
        multiplier: 0,
        shift: 0,
        scale: 0.0,
    };
    let is_int = |tensor: &Tensor<'_>| tensor.dtype != DType::Float32;
    if is_int(&op.input) {
        (params.scale, params.input_zero_point) = op.input.per_tensor()?;
        params.from = int_type(&op.input)?;
    }
    if is_int(&op.output) {
        let input_scale = params.scale;
        (params.scale, params.output_zero_point) = op.output.per_tensor()?;
        params.to = int_type(&op.output)?;
        if is_int(&op.input) {
            let factor = ratio(input_scale, params.scale, op.activation)?;
            (params.multiplier, params.shift) = (factor.multiplier, factor.shift.into());
            (params.min, params.max) = activation_range(op.activation, &op.output)?;
        }
    }
    emit.params(&params);
    Ok(rows)
}

/// QUANTIZE divides the scales in float64, stand-alone activations in float32: as TFLite does.
fn ratio(input: f32, output: f32, activation: Activation) -> Result<Multiplier> {
    multiplier(match activation {
        Activation::None => f64::from(input) / f64::from(output),
        _ => f64::from(input / output),
    })
}

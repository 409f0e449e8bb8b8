use kinglet_kernels::Choice;
use kinglet_kernels::ops::cast::{self, CastParams, CastType};
use kinglet_tflite::ops::Cast;
use kinglet_tflite::{DType, ModelError, Reason, Tensor};

use super::{Emit, Result, element_rows};
use crate::planner::{Constants, Options};

pub(super) fn choose(options: &Options) -> Choice {
    cast::choose(options.how.target)
}

pub(super) fn emit(op: &Cast<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (rows, row_len) = element_rows(&op.output);
    let params = CastParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        from: cast_type(&op.input)?,
        to: cast_type(&op.output)?,
    };
    emit.params(&params);
    Ok(rows)
}

pub(super) fn cast_type(tensor: &Tensor<'_>) -> Result<CastType> {
    match tensor.dtype {
        DType::Int8 => Ok(CastType::S8),
        DType::UInt8 => Ok(CastType::U8),
        DType::Int16 => Ok(CastType::S16),
        DType::Int32 => Ok(CastType::S32),
        DType::Int64 => Ok(CastType::S64),
        DType::Float32 => Ok(CastType::F32),
        DType::Bool => Ok(CastType::Bool),
        _ => Err(ModelError::from(Reason::UnsupportedType).at_tensor(tensor.id)),
    }
}

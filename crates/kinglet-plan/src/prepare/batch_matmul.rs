use kinglet_kernels::ops::batch_matmul::BatchMatmulParams;
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::ops::BatchMatmul;
use kinglet_tflite::{DType, Reason};

use super::binary::broadcast_dims;
use super::{Emit, Result, multiplier};
use crate::planner::Constants;

pub(super) fn choose(op: &BatchMatmul<'_>) -> Choice {
    Choice::new(match op.output.dtype {
        DType::Float32 => Kernel::BatchMatmulF32,
        DType::Int16 => Kernel::BatchMatmulS16,
        _ => Kernel::BatchMatmulS8,
    })
}

/// TFLite: `GetQuantizedConvolutionMultipler`, whose product of scales is a float32.
pub(super) fn emit(op: &BatchMatmul<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let [a, b] = &op.inputs;
    let [a_batch, b_batch, batch] = &op.batches;
    let dims = emit.writer.position();
    let dims_len = broadcast_dims(emit, [a_batch, b_batch], batch);
    let [rows, columns, depth] = op.size;
    let [adjoint1, adjoint2] = op.adjoint.map(u32::from);
    let mut params = BatchMatmulParams {
        input1: emit.place(a)?,
        len1: a.shape.len(),
        input2: emit.place(b)?,
        len2: b.shape.len(),
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        rows,
        columns,
        depth,
        adjoint: adjoint1 | adjoint2 << 1,
        dims,
        dims_len,
        zero_points: [0, 0],
        zero_point: 0,
        multiplier: 0,
        shift: 0,
    };
    if op.output.dtype != DType::Float32 {
        let ((scale1, zero1), (scale2, zero2), (scale, zero_point)) =
            (a.per_tensor()?, b.per_tensor()?, op.output.per_tensor()?);
        let factor = multiplier(f64::from(scale1 * scale2) / f64::from(scale))?;
        if op.output.dtype == DType::Int16 && !factor.is_wide() {
            return Err(Reason::ScaleRatio.into());
        }
        // Both were seen to lie within int16.
        params.zero_points = [zero1 as i16, zero2 as i16];
        params.zero_point = zero_point;
        (params.multiplier, params.shift) = (factor.multiplier, factor.shift.into());
    }
    emit.params(&params);
    Ok(batch.len())
}

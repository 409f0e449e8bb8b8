use kinglet_kernels::ops::l2_normalization::L2NormalizationParams;
use kinglet_kernels::ops::log_softmax::LogSoftmaxParams;
use kinglet_kernels::{Choice, Kernel, Overlap};
use kinglet_tflite::ops::{Normalize, NormalizeKind};
use kinglet_tflite::{DType, ModelError, OpKind, OpSet, Reason};

use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn choose(op: &Normalize<'_>) -> Choice {
    Choice::new(match (op.kind, op.input.dtype) {
        (NormalizeKind::LogSoftmax, _) => Kernel::LogSoftmaxS8,
        (NormalizeKind::L2, DType::Float32) => Kernel::L2NormalizationF32,
        _ => Kernel::L2NormalizationS8,
    })
    .with_overlap(Overlap::Elements)
}

pub(super) fn emit<S: OpSet>(op: &Normalize<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let depth = op.input.shape.last();
    // Dimensions are at least 1.
    let batch = op.input.shape.len().checked_div(depth).unwrap_or(1);
    let (input, output) = (emit.place(&op.input)?, emit.place(&op.output)?);
    match op.kind {
        NormalizeKind::LogSoftmax if S::has(OpKind::LogSoftmax) => {
            let (scale, _) = op.input.per_tensor()?;
            let [multiplier, shift, diff_min, back_multiplier, back_shift] = LogSoftmaxParams::scaling(scale)
                .ok_or(ModelError::from(Reason::ScaleRatio).at_tensor(op.input.id))?;
            emit.params(&LogSoftmaxParams {
                input,
                output,
                batch,
                depth,
                multiplier,
                shift,
                diff_min,
                back_multiplier,
                back_shift,
            });
        }
        _ => {
            let zero_point = match op.input.dtype {
                DType::Int8 => op.input.per_tensor()?.1,
                _ => 0,
            };
            emit.params(&L2NormalizationParams { input, output, batch, depth, zero_point });
        }
    }
    Ok(batch)
}

use kinglet_kernels::ops::softmax::{self, SoftmaxParams};
use kinglet_kernels::{Choice, Kernel, Overlap};
use kinglet_tflite::ops::Softmax;
use kinglet_tflite::{DType, ModelError, Reason};

use super::{Emit, Result};
use crate::planner::{Constants, Options};

pub(super) fn choose(op: &Softmax<'_>, options: &Options) -> Choice {
    match op.output.dtype {
        DType::Int16 if op.input.dtype == DType::Int16 => {
            Choice::new(Kernel::SoftmaxS16).with_overlap(Overlap::Elements)
        }
        DType::Int16 => softmax::choose_s8_s16(options.how.target),
        _ => softmax::choose_s8(options.how.target),
    }
}

pub(super) fn emit(op: &Softmax<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (scale, _) = op.input.per_tensor()?;
    let scaling = match op.input.dtype {
        DType::Int16 => SoftmaxParams::scaling_s16(op.beta, scale),
        _ => SoftmaxParams::scaling(op.beta, scale),
    };
    let (multiplier, shift, diff_min) =
        scaling.ok_or(ModelError::from(Reason::ScaleRatio).at_tensor(op.input.id))?;
    let depth = op.input.shape.last();
    // Dimensions are at least 1.
    let batch = op.input.shape.len().checked_div(depth).unwrap_or(1);
    let params = SoftmaxParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        batch,
        depth,
        multiplier,
        shift,
        diff_min,
    };
    emit.params(&params);
    Ok(batch)
}

use kinglet_kernels::Choice;
use kinglet_kernels::ops::svdf::{self, SvdfParams};
use kinglet_tflite::DType;
use kinglet_tflite::ops::Svdf;

use super::{Emit, Result, multiplier};
use crate::planner::{Constants, Options};

pub(super) fn choose(op: &Svdf<'_>, options: &Options) -> Choice {
    match op.state.dtype {
        DType::Int16 => svdf::choose_s16(options.how.target),
        _ => svdf::choose_s8(options.how.target),
    }
}

/// TFLite: `PrepareSvdf`; the scales are combined in float32.
pub(super) fn emit(op: &Svdf<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let ((input_scale, input_zero), (output_scale, output_zero)) =
        (op.input.per_tensor()?, op.output.per_tensor()?);
    let (state_scale, state_zero) = op.state.per_tensor()?;
    let (feature_scale, _) = op.feature_weights.per_tensor()?;
    let (time_scale, _) = op.time_weights.per_tensor()?;
    let feature = multiplier((input_scale * feature_scale / state_scale).into())?;
    let time = multiplier((state_scale * time_scale / output_scale).into())?;
    let params = SvdfParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        state: emit.place(&op.state)?,
        batch: op.batch,
        features: op.features,
        filters: op.filters,
        memory: op.memory,
        rank: op.rank,
        feature_weights: emit.place(&op.feature_weights)?,
        time_weights: emit.place(&op.time_weights)?,
        bias: emit.optional_place(op.bias.as_ref())?,
        // int8 by their types; an int16 state has zero point 0.
        zero_points: [input_zero as i8, state_zero as i8, output_zero as i8, 0],
        feature_multiplier: feature.multiplier,
        time_multiplier: time.multiplier,
        shifts: [feature.shift, time.shift, 0, 0],
    };
    emit.params(&params);
    Ok(1)
}

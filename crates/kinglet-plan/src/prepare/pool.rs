use kinglet_kernels::ops::pool_2d::{self, Pool2dParams};
use kinglet_kernels::{Choice, Place};
use kinglet_tflite::ops::{Pool2d, PoolKind};

use super::conv::Image;
use super::{Emit, Result, activation_range};
use crate::planner::{Constants, Options};

/// All but places.
fn params(op: &Pool2d<'_>) -> Result<Pool2dParams> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let (min, max) = activation_range(op.activation, &op.output)?;
    Ok(Pool2dParams {
        input: Place::NONE,
        input_stride: input.stride,
        input_ring: input.rows,
        output: Place::NONE,
        output_stride: output.stride,
        output_ring: output.rows,
        input_size: input.size,
        output_size: output.size,
        depth: output.depth,
        kernel: op.window.kernel,
        stride: op.window.stride,
        pad: op.window.pad,
        quant: [min as i8, max as i8, 0, 0],
    })
}

pub(super) fn choose(op: &Pool2d<'_>, options: &Options) -> Result<Choice> {
    let params = params(op)?;
    Ok(match op.kind {
        PoolKind::Average => pool_2d::choose_average(&params, options.how.target),
        PoolKind::Max => pool_2d::choose_max(&params, options.how.target),
    })
}

pub(super) fn emit(op: &Pool2d<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let params =
        Pool2dParams { input: emit.place(&op.input)?, output: emit.place(&op.output)?, ..params(op)? };
    emit.params(&params);
    Ok(params.output_ring)
}

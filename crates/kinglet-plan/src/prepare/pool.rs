use kinglet_kernels::ops::pool_2d::{self, Pool2dParams};
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::DType;
use kinglet_tflite::ops::{Pool2d, PoolKind};

use super::conv::Image;
use super::{Emit, Result, activation_range};
use crate::planner::{Constants, Options};

pub(super) fn choose(op: &Pool2d<'_>, options: &Options) -> Choice {
    let is_wide = op.input.dtype == DType::Int16;
    match op.kind {
        PoolKind::Average if is_wide => Choice::new(Kernel::AveragePool2dS16),
        PoolKind::Max if is_wide => Choice::new(Kernel::MaxPool2dS16),
        PoolKind::Average => pool_2d::choose_average(options.how.target),
        PoolKind::Max => pool_2d::choose_max(options.how.target),
    }
}

pub(super) fn emit(op: &Pool2d<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let (min, max) = activation_range(op.activation, &op.output)?;
    let params = Pool2dParams {
        input: emit.place(&op.input)?,
        input_stride: input.stride,
        input_ring: input.rows,
        output: emit.place(&op.output)?,
        output_stride: output.stride,
        output_ring: output.rows,
        input_size: input.size,
        output_size: output.size,
        depth: output.depth,
        kernel: op.window.kernel,
        stride: op.window.stride,
        pad: op.window.pad,
        limits: [min as i16, max as i16],
    };
    emit.params(&params);
    Ok(output.rows)
}

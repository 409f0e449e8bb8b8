use kinglet_kernels::ops::float_images::FloatPoolParams;
use kinglet_kernels::ops::pool_2d::{self, Pool2dParams};
use kinglet_kernels::{Choice, Kernel, Overlap, Place};
use kinglet_tflite::DType;
use kinglet_tflite::ops::{Pool2d, PoolKind};

use super::conv::Image;
use super::{Emit, Result, activation_range, limits};
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
        limits: [min as i16, max as i16],
    })
}

pub(super) fn choose(op: &Pool2d<'_>, options: &Options) -> Result<Choice> {
    match (op.kind, op.input.dtype) {
        (PoolKind::Average, DType::Float32) => return Ok(Choice::new(Kernel::AveragePool2dF32)),
        (PoolKind::Max, DType::Float32) => return Ok(Choice::new(Kernel::MaxPool2dF32)),
        (PoolKind::L2, _) => return Ok(Choice::new(Kernel::L2Pool2dF32)),
        _ => {}
    }
    let params = params(op)?;
    if op.input.dtype == DType::Int16 {
        let average = op.kind == PoolKind::Average;
        let kernel = if average { Kernel::AveragePool2dS16 } else { Kernel::MaxPool2dS16 };
        return Ok(Choice::new(kernel).with_overlap(Overlap::Rows(params.row_distances())));
    }
    Ok(match op.kind {
        PoolKind::Average => pool_2d::choose_average(&params, options.how.target),
        _ => pool_2d::choose_max(&params, options.how.target),
    })
}

/// float32.
fn emit_float(op: &Pool2d<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let detail = emit.writer.position();
    emit.writer.params(&limits(op.activation, DType::Float32, f32::MAX));
    let params = FloatPoolParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        batch: op.input.shape.dims().first().copied().unwrap_or(1),
        input_size: input.size,
        output_size: output.size,
        depth: output.depth,
        kernel: op.window.kernel,
        stride: op.window.stride,
        pad: op.window.pad,
        detail,
    };
    emit.params(&params);
    Ok(output.rows)
}

pub(super) fn emit(op: &Pool2d<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    if op.input.dtype == DType::Float32 {
        return emit_float(op, emit);
    }
    let params =
        Pool2dParams { input: emit.place(&op.input)?, output: emit.place(&op.output)?, ..params(op)? };
    emit.params(&params);
    Ok(params.output_ring)
}

use kinglet_kernels::ops::quantize::IntType;
use kinglet_kernels::ops::resize::ResizeParams;
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::DType;
use kinglet_tflite::ops::Resize;

use super::conv::Image;
use super::rescale::int_type;
use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn choose(op: &Resize<'_>) -> Choice {
    Choice::new(match (op.bilinear, op.input.dtype) {
        (true, DType::Float32) => Kernel::ResizeBilinearF32,
        (true, _) => Kernel::ResizeBilinear,
        (false, _) => Kernel::ResizeNearest,
    })
}

pub(super) fn emit(op: &Resize<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (input, output) = (Image::new(&op.input)?, Image::new(&op.output)?);
    let element = op.input.dtype.bits() / 8;
    let params = ResizeParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        batch: op.input.shape.dims().first().copied().unwrap_or(1),
        input_size: input.size,
        output_size: output.size,
        depth: if op.bilinear { input.depth } else { input.depth * element },
        kind: if emit.choice.kernel == Kernel::ResizeBilinear { int_type(&op.input)? } else { IntType::S8 },
        align_corners: op.align_corners.into(),
        half_pixel: op.half_pixel_centers.into(),
    };
    emit.params(&params);
    Ok(output.rows)
}

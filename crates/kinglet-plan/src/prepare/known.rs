use kinglet_kernels::ops::known::KnownParams;
use kinglet_tflite::DType;
use kinglet_tflite::ops::ShapeOf;

use super::{Emit, Result};
use crate::planner::Constants;

/// SHAPE.
pub(super) fn emit_shape(op: &ShapeOf<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let words = emit.writer.position();
    for &dim in op.input.shape.dims() {
        emit.writer.word(dim);
        if op.output.dtype == DType::Int64 {
            emit.writer.word(0);
        }
    }
    let len = emit.writer.position() - words;
    let output = emit.place(&op.output)?;
    emit.params(&KnownParams { output, len, words });
    Ok(1)
}

use kinglet_kernels::ops::gather::{GatherNdParams, GatherParams, IndexType};
use kinglet_tflite::ops::{Gather, GatherNd};
use kinglet_tflite::{DType, Tensor};

use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn index_type(indices: &Tensor<'_>) -> IndexType {
    if indices.dtype == DType::Int64 { IndexType::S64 } else { IndexType::S32 }
}

pub(super) fn emit(op: &Gather<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let params = GatherParams {
        input: emit.place(&op.input)?,
        indices: emit.place(&op.indices)?,
        index_type: index_type(&op.indices),
        output: emit.place(&op.output)?,
        batch: op.batch,
        outer: op.outer,
        axis_size: op.axis_size,
        // Dimensions are at least 1.
        chosen: op.indices.shape.len().checked_div(op.batch).unwrap_or(1),
        slice: op.inner * op.input.dtype.bits() / 8,
    };
    emit.params(&params);
    Ok(1)
}

pub(super) fn emit_nd(op: &GatherNd<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let dims = emit.writer.position();
    let mut slice = op.input.byte_len();
    for &size in op.input.shape.dims().iter().take(op.depth as usize) {
        slice = slice.checked_div(size).unwrap_or(slice);
        emit.writer.word(size);
        emit.writer.word(slice);
    }
    let params = GatherNdParams {
        input: emit.place(&op.input)?,
        input_bytes: op.input.byte_len(),
        indices: emit.place(&op.indices)?,
        index_type: index_type(&op.indices),
        output: emit.place(&op.output)?,
        vectors: op.indices.shape.len().checked_div(op.depth).unwrap_or(1),
        slice,
        dims,
        depth: op.depth,
    };
    emit.params(&params);
    Ok(1)
}

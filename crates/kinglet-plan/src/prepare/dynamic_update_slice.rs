use kinglet_kernels::ops::dynamic_update_slice::DynamicUpdateSliceParams;
use kinglet_tflite::ops::DynamicUpdateSlice;

use super::gather::index_type;
use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn emit(op: &DynamicUpdateSlice<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let dims = emit.writer.position();
    for (&size, &part) in op.input.shape.dims().iter().zip(op.update.shape.dims()) {
        emit.writer.word(size);
        emit.writer.word(part);
    }
    let params = DynamicUpdateSliceParams {
        input: emit.place(&op.input)?,
        bytes: op.input.byte_len(),
        update: emit.place(&op.update)?,
        update_bytes: op.update.byte_len(),
        start: emit.place(&op.start)?,
        index_type: index_type(&op.start),
        output: emit.place(&op.output)?,
        // Element types of the operator take whole bytes.
        element: op.input.dtype.bits() / 8,
        dims,
        rank: op.input.shape.rank() as u32,
    };
    emit.params(&params);
    Ok(1)
}

use kinglet_kernels::ops::select::SelectParams;
use kinglet_tflite::ops::Select;

use super::binary::broadcast_dims;
use super::{Emit, Result, element_rows};
use crate::planner::Constants;

pub(super) fn emit(op: &Select<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let [a, b] = &op.inputs;
    let dims = emit.writer.position();
    let dims_len = broadcast_dims(emit, [&op.condition.shape, &a.shape, &b.shape], &op.output.shape);
    let (rows, row_len) = element_rows(&op.output);
    let params = SelectParams {
        condition: emit.place(&op.condition)?,
        condition_len: op.condition.shape.len(),
        input1: emit.place(a)?,
        len1: a.shape.len(),
        input2: emit.place(b)?,
        len2: b.shape.len(),
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        // Element types of the operator take whole bytes.
        element: op.output.dtype.bits() / 8,
        row_len,
        dims,
        dims_len,
    };
    emit.params(&params);
    Ok(rows)
}

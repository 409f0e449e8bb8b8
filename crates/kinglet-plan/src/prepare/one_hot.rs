use kinglet_kernels::ops::one_hot::OneHotParams;
use kinglet_tflite::ops::OneHot;

use super::gather::index_type;
use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn emit(op: &OneHot<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let dims = op.output.shape.dims();
    let product = |dims: Option<&[u32]>| dims.unwrap_or(&[]).iter().product();
    let params = OneHotParams {
        indices: emit.place(&op.indices)?,
        index_type: index_type(&op.indices),
        on: emit.place(&op.on)?,
        off: emit.place(&op.off)?,
        output: emit.place(&op.output)?,
        // Element types of the operator take whole bytes.
        element: op.output.dtype.bits() / 8,
        outer: product(dims.get(..op.axis)),
        depth: dims.get(op.axis).copied().unwrap_or(1),
        inner: product(dims.get(op.axis + 1..)),
    };
    emit.params(&params);
    Ok(1)
}

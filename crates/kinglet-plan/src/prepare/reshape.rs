use kinglet_kernels::ops::copy::CopyParams;
use kinglet_kernels::{Choice, Kernel, Overlap};
use kinglet_tflite::ops::Reshape;

use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn choose() -> Choice {
    Choice::new(Kernel::Copy).with_overlap(Overlap::Elements)
}

pub(super) fn emit(op: &Reshape<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let params = CopyParams {
        input: emit.place(&op.input)?,
        output: emit.place(&op.output)?,
        bytes: op.output.byte_len(),
    };
    emit.params(&params);
    Ok(1)
}

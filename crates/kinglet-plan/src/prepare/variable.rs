use kinglet_kernels::ops::copy::CopyParams;
use kinglet_tflite::ops::{AssignVariable, ReadVariable};

use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn emit_read(op: &ReadVariable<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let (input, output) = (emit.slot(op.slot)?, emit.place(&op.output)?);
    emit.params(&CopyParams { input, output, bytes: op.output.byte_len() });
    Ok(1)
}

pub(super) fn emit_assign(op: &AssignVariable<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<()> {
    let (input, output) = (emit.place(&op.value)?, emit.slot(op.slot)?);
    emit.copy(input, output, op.value.byte_len());
    Ok(())
}

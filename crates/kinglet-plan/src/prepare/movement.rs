use kinglet_kernels::ops::strided_copy::{FillParams, StridedCopyParams};
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::ops::{Dim, Movement};

use super::{Emit, Result};
use crate::planner::Constants;

pub(super) fn choose() -> Choice {
    Choice::new(Kernel::StridedCopy)
}

/// One to fill the output, one for each piece.
pub(super) fn step_count(op: &Movement<'_>) -> u32 {
    u32::from(op.fill.is_some()) + op.piece_count()
}

pub(super) fn emit(op: &Movement<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<()> {
    let output = op.output()?;
    // Element types of a movement take whole bytes.
    let element = output.dtype.bits() / 8;
    if let Some(value) = op.fill {
        let params = FillParams {
            output: emit.place(&output)?,
            len: output.shape.len(),
            element,
            value: value as u32,
            value_high: (value >> 32) as u32,
        };
        emit.params(&params);
        emit.step(Kernel::Fill, 1, &output)?;
    }
    for i in 0..op.piece_count() {
        let Some(piece) = op.piece(i)? else {
            // All of it is padding; the step stays, so that steps can be counted beforehand.
            emit.step(Kernel::Nothing, 0, &output)?;
            continue;
        };
        let (dims, run) = collapse(piece.dims());
        let table = emit.writer.position();
        for dim in dims.iter().flatten() {
            emit.writer.word(dim.count);
            emit.writer.word((dim.input_step.wrapping_mul(element as i32)) as u32);
            emit.writer.word(dim.output_step.wrapping_mul(element));
        }
        let params = StridedCopyParams {
            input: emit.place(&piece.input)?,
            input_bytes: piece.input.byte_len(),
            input_start: piece.input_start.wrapping_mul(element),
            output: emit.place(&piece.output)?,
            output_bytes: piece.output.byte_len(),
            output_start: piece.output_start.wrapping_mul(element),
            run: run.wrapping_mul(element),
            dims: table,
            dims_len: dims.iter().flatten().count() as u32,
        };
        emit.params(&params);
        emit.step(Kernel::StridedCopy, 1, &piece.output)?;
    }
    Ok(())
}

/// The same block in as few dimensions as can be: those of one element are dropped, those that lie
/// together in input and output are joined. Returns the outer dimensions, and the elements of the
/// innermost if they lie together, else 1.
fn collapse(dims: &[Dim]) -> ([Option<Dim>; 6], u32) {
    let mut joined = [None; 6];
    let mut len = 0;
    for &dim in dims.iter().filter(|dim| dim.count > 1) {
        let last: Option<&mut Option<Dim>> = joined.get_mut(..len).and_then(<[_]>::last_mut);
        if let Some(Some(outer)) = last
            && i64::from(outer.input_step) == i64::from(dim.input_step) * i64::from(dim.count)
            && u64::from(outer.output_step) == u64::from(dim.output_step) * u64::from(dim.count)
        {
            *outer = Dim { count: outer.count * dim.count, ..dim };
        } else if let Some(slot) = joined.get_mut(len) {
            *slot = Some(dim);
            len += 1;
        }
    }
    let mut run = 1;
    if let Some(last) = joined.get_mut(..len).and_then(<[_]>::last_mut)
        && let Some(dim) = *last
        && dim.input_step == 1
        && dim.output_step == 1
    {
        run = dim.count;
        *last = None;
    }
    (joined, run)
}

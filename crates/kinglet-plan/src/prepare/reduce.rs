use kinglet_kernels::ops::reduce::ReduceParams;
use kinglet_kernels::ops::reduce_plain::{ReducePlainParams, Reduction};
use kinglet_kernels::{Choice, Kernel};
use kinglet_tflite::ops::Reduce;
use kinglet_tflite::{DType, ModelError, OpKind, Reason};

use super::cast::cast_type;
use super::rescale::int_type;
use super::{Emit, Result, multiplier};
use crate::planner::Constants;

pub(super) fn choose(op: &Reduce<'_>) -> Choice {
    Choice::new(match (op.kind, op.input.dtype) {
        (OpKind::ArgMax | OpKind::ArgMin, DType::Float32) => Kernel::ArgF32,
        (_, DType::Float32 | DType::Bool) => Kernel::ReducePlain,
        (OpKind::Mean | OpKind::Sum | OpKind::ReduceProd, DType::Int32) => Kernel::ReducePlain,
        (OpKind::ReduceMax, _) => Kernel::ReduceMax,
        (OpKind::ReduceMin, _) => Kernel::ReduceMin,
        (OpKind::ArgMax, _) => Kernel::ArgMax,
        (OpKind::ArgMin, _) => Kernel::ArgMin,
        _ => Kernel::ReduceSum,
    })
}

/// TFLite: `QuantizedMeanOrSum`.
pub(super) fn emit(op: &Reduce<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let dims = emit.writer.position();
    let (mut kept, mut reduced) = (0, 0);
    for want_reduced in [false, true] {
        let mut step = op.input.shape.len();
        for (d, &size) in op.input.shape.dims().iter().enumerate() {
            step = step.checked_div(size).unwrap_or(1);
            if op.is_reduced(d) == want_reduced {
                emit.writer.word(size);
                emit.writer.word(step);
                if want_reduced { reduced += 1 } else { kept += 1 }
            }
        }
    }
    if let Kernel::ReducePlain | Kernel::ArgF32 = emit.choice.kernel {
        return emit_plain(op, [dims, kept, reduced], emit);
    }
    // Dimensions are at least 1.
    let count = op.input.shape.len().checked_div(op.output.shape.len()).unwrap_or(1);
    let mut params = ReduceParams {
        input: emit.place(&op.input)?,
        input_len: op.input.shape.len(),
        output: emit.place(&op.output)?,
        output_len: op.output.shape.len(),
        dims,
        kept,
        reduced,
        kind: int_type(&op.input)?,
        output_kind: int_type(&op.output)?,
        offset: 0,
        zero_point: 0,
        multiplier: 0,
        shift: 0,
    };
    if let OpKind::Mean | OpKind::Sum = op.kind {
        let ((input_scale, input_zero), (output_scale, output_zero)) =
            (op.input.per_tensor()?, op.output.per_tensor()?);
        let factor = multiplier(f64::from(input_scale) / f64::from(output_scale))?;
        (params.multiplier, params.shift) = (factor.multiplier, factor.shift.into());
        params.offset = input_zero.wrapping_mul(count as i32);
        params.zero_point = output_zero;
        if op.kind == OpKind::Mean {
            // The division by the number of inputs becomes part of the factor, with as many more bits as
            // it takes away.
            let shift = (31 - count.leading_zeros() as i32).min(31 + params.shift);
            let scaled = i64::from(params.multiplier) << shift;
            params.multiplier = scaled.checked_div(count.into()).unwrap_or(0) as i32;
            params.shift -= shift;
        }
        if params.shift < -31 {
            return Err(ModelError::from(Reason::ScaleRatio));
        }
    }
    emit.params(&params);
    Ok(1)
}

/// Reductions of what is not quantised.
fn emit_plain(
    op: &Reduce<'_>,
    [dims, kept, reduced]: [u32; 3],
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<u32> {
    let params = ReducePlainParams {
        reduction: match op.kind {
            OpKind::Mean => Reduction::Mean,
            OpKind::ReduceMax | OpKind::ArgMax => Reduction::Max,
            OpKind::ReduceMin | OpKind::ArgMin => Reduction::Min,
            OpKind::ReduceProd => Reduction::Prod,
            OpKind::ReduceAll => Reduction::All,
            OpKind::ReduceAny => Reduction::Any,
            _ => Reduction::Sum,
        },
        ty: cast_type(&op.input)?,
        input: emit.place(&op.input)?,
        input_len: op.input.shape.len(),
        output: emit.place(&op.output)?,
        output_len: op.output.shape.len(),
        // Element types of the operator take whole bytes.
        output_element: op.output.dtype.bits() / 8,
        dims,
        kept,
        reduced,
    };
    emit.params(&params);
    Ok(1)
}

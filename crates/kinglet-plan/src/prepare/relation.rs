use kinglet_kernels::ops::relation::{self, RelationParams};
use kinglet_tflite::ops::Relation;
use kinglet_tflite::{DType, OpKind};

use super::binary::{below_one, broadcast_dims};
use super::cast::cast_type;
use super::{Emit, Result, element_rows};
use crate::planner::Constants;

pub(super) fn emit(op: &Relation<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    let [a, b] = &op.inputs;
    let dims = emit.writer.position();
    let dims_len = broadcast_dims(emit, [&a.shape, &b.shape], &op.output.shape);
    let (rows, row_len) = element_rows(&op.output);
    let relation = match op.kind {
        OpKind::Equal => relation::Relation::Equal,
        OpKind::NotEqual => relation::Relation::NotEqual,
        OpKind::Greater => relation::Relation::Greater,
        OpKind::GreaterEqual => relation::Relation::GreaterEqual,
        OpKind::Less => relation::Relation::Less,
        OpKind::LessEqual => relation::Relation::LessEqual,
        OpKind::LogicalAnd => relation::Relation::And,
        _ => relation::Relation::Or,
    };
    let mut params = RelationParams {
        relation,
        ty: cast_type(a)?,
        input1: emit.place(a)?,
        len1: a.shape.len(),
        input2: emit.place(b)?,
        len2: b.shape.len(),
        output: emit.place(&op.output)?,
        len: op.output.shape.len(),
        row_len,
        dims,
        dims_len,
        zero_points: [0, 0],
        multiplier1: 0,
        multiplier2: 0,
        shifts: [0; 4],
    };
    if matches!(a.dtype, DType::Int8 | DType::Int16) {
        let ((scale1, zero1), (scale2, zero2)) = (a.per_tensor()?, b.per_tensor()?);
        let (factor1, factor2) = (below_one(scale1.into())?, below_one(scale2.into())?);
        // Both were seen to lie within int16.
        params.zero_points = [zero1 as i16, zero2 as i16];
        (params.multiplier1, params.multiplier2) = (factor1.multiplier, factor2.multiplier);
        params.shifts = [factor1.shift, factor2.shift, 0, 0];
    }
    emit.params(&params);
    Ok(rows)
}

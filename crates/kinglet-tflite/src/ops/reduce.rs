//! MEAN, SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_PROD, REDUCE_ALL, REDUCE_ANY, ARG_MAX, ARG_MIN.

use super::movement::{Ints, axis_of};
use super::{check_arity, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Tensor};

/// An operator that makes one value of many, along some axes.
#[derive(Clone, Copy, Debug)]
pub struct Reduce<'a> {
    /// Which operator.
    pub kind: OpKind,
    /// The input.
    pub input: Tensor<'a>,
    /// The output: the input's dimensions without the axes, or with 1 in their place.
    pub output: Tensor<'a>,
    /// The axes, one bit each, the outermost lowest.
    pub axes: u8,
}

impl<'a> Reduce<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let [data, axes, output] = [input(graph, node, 0)?, input(graph, node, 1)?, output(graph, node, 0)?];
        let is_arg = matches!(kind, OpKind::ArgMax | OpKind::ArgMin);
        let keep_dims = if is_arg { false } else { options!(node, ReducerOptions).keep_dims()? };
        let ints = Ints::new(&axes)?;
        ensure(!is_arg || ints.len() == 1, &axes, Reason::ShapeMismatch)?;
        let mut mask = 0u8;
        for i in 0..ints.len() {
            mask |= 1 << axis_of(ints.get(i), data.shape.rank())?;
        }

        let has_type = match kind {
            OpKind::Mean | OpKind::Sum | OpKind::ReduceMax | OpKind::ReduceMin => {
                matches!(data.dtype, DType::Int8 | DType::Int16 | DType::Int32 | DType::Float32)
            }
            OpKind::ReduceProd => matches!(data.dtype, DType::Int32 | DType::Float32),
            OpKind::ReduceAll | OpKind::ReduceAny => data.dtype == DType::Bool,
            _ => matches!(
                data.dtype,
                DType::Int8 | DType::Int16 | DType::UInt8 | DType::Int32 | DType::Float32
            ),
        };
        ensure(has_type, &data, Reason::UnsupportedType)?;
        if is_arg {
            ensure(matches!(output.dtype, DType::Int32 | DType::Int64), &output, Reason::UnsupportedType)?;
        } else {
            ensure(output.dtype == data.dtype, &output, Reason::WrongType)?;
            if matches!(data.dtype, DType::Int8 | DType::Int16) {
                let (from, to) = (data.per_tensor()?, output.per_tensor()?);
                let same = from == to || matches!(kind, OpKind::Mean | OpKind::Sum);
                ensure(same, &output, Reason::ScalesDiffer)?;
            }
        }

        let is_reduced = |d: usize| mask >> d & 1 != 0;
        let mut expected = data
            .shape
            .dims()
            .iter()
            .enumerate()
            .filter(|(d, _)| keep_dims || !is_reduced(*d))
            .map(|(d, &dim)| if is_reduced(d) { 1 } else { dim });
        let fits =
            output.shape.dims().iter().all(|&dim| expected.next() == Some(dim)) && expected.next().is_none();
        ensure(fits, &output, Reason::ShapeMismatch)?;
        Ok(Self { kind, input: data, output, axes: mask })
    }

    /// Dimension `d` is reduced.
    pub fn is_reduced(&self, d: usize) -> bool {
        self.axes >> d & 1 != 0
    }
}

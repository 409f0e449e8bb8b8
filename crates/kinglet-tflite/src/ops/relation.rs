//! Operators on two tensors that give truth values: EQUAL, NOT_EQUAL, GREATER, GREATER_EQUAL, LESS,
//! LESS_EQUAL, LOGICAL_AND, LOGICAL_OR.

use super::binary::check_shapes;
use super::{check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Tensor};

/// A question about two tensors, element by element; shapes broadcast as in NumPy.
///
/// The inputs have one type: int8 and, for GREATER, int16 (quantised), int32, int64 and float32; bool for
/// EQUAL, NOT_EQUAL, LOGICAL_AND and LOGICAL_OR.
#[derive(Clone, Copy, Debug)]
pub struct Relation<'a> {
    /// Which operator.
    pub kind: OpKind,
    /// The inputs.
    pub inputs: [Tensor<'a>; 2],
    /// The output, bool.
    pub output: Tensor<'a>,
}

impl<'a> Relation<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let inputs = [input(graph, node, 0)?, input(graph, node, 1)?];
        let output = output(graph, node, 0)?;
        let [a, b] = &inputs;
        let is_logic = matches!(kind, OpKind::LogicalAnd | OpKind::LogicalOr);
        let has_type = match a.dtype {
            DType::Bool => is_logic || matches!(kind, OpKind::Equal | OpKind::NotEqual),
            DType::Int16 => kind == OpKind::Greater,
            DType::Int8 | DType::Int32 | DType::Int64 | DType::Float32 => !is_logic,
            _ => false,
        };
        ensure(has_type, a, Reason::UnsupportedType)?;
        ensure(b.dtype == a.dtype, b, Reason::WrongType)?;
        ensure(output.dtype == DType::Bool, &output, Reason::WrongType)?;
        if matches!(a.dtype, DType::Int8 | DType::Int16) {
            for tensor in [a, b] {
                let (scale, _) = tensor.per_tensor()?;
                // TFLite takes the scales for factors, and only those below 1.
                ensure(scale < 1.0, tensor, Reason::ScaleRatio)?;
            }
        }
        check_shapes([(&a.shape, a), (&b.shape, b), (&output.shape, &output)])?;
        Ok(Self { kind, inputs, output })
    }
}

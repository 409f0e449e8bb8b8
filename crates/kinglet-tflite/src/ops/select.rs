//! SELECT and SELECT_V2.

use super::binary::check_shapes;
use super::{at, check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Shape, Tensor};

/// SELECT and SELECT_V2: elements of one input where a condition is true, of the other where it is not. In
/// SELECT_V2 the three broadcast as in NumPy, in SELECT they have one shape.
#[derive(Clone, Copy, Debug)]
pub struct Select<'a> {
    /// The condition, bool.
    pub condition: Tensor<'a>,
    /// The inputs, of one type that takes whole bytes.
    pub inputs: [Tensor<'a>; 2],
    /// The output, of the same type.
    pub output: Tensor<'a>,
}

impl<'a> Select<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        check_arity(node, 3..=3)?;
        let condition = input(graph, node, 0)?;
        let inputs = [input(graph, node, 1)?, input(graph, node, 2)?];
        let output = output(graph, node, 0)?;
        let [a, b] = &inputs;
        ensure(condition.dtype == DType::Bool, &condition, Reason::WrongType)?;
        ensure(a.has_size() && a.dtype != DType::Int4, a, Reason::UnsupportedType)?;
        ensure(b.dtype == a.dtype, b, Reason::WrongType)?;
        ensure(output.dtype == a.dtype, &output, Reason::WrongType)?;
        if matches!(a.dtype, DType::Int8 | DType::Int16 | DType::UInt8) {
            for tensor in &inputs {
                ensure(tensor.quantization.is_same(&output.quantization), tensor, Reason::ScalesDiffer)?;
            }
        }
        if kind == OpKind::Select {
            for tensor in [&condition, a, b] {
                ensure(tensor.shape == output.shape, tensor, Reason::ShapeMismatch)?;
            }
        }
        let both = broadcast(&condition.shape, &a.shape).ok_or(at(a, Reason::ShapeMismatch))?;
        check_shapes([(&both, a), (&b.shape, b), (&output.shape, &output)])?;
        Ok(Self { condition, inputs, output })
    }
}

/// The shape of two that are broadcast against each other.
fn broadcast(a: &Shape, b: &Shape) -> Option<Shape> {
    let rank = a.rank().max(b.rank());
    let dim = |shape: &Shape, d: usize| match (d + shape.rank()).checked_sub(rank) {
        Some(d) => shape.dims().get(d).copied().unwrap_or(1),
        None => 1,
    };
    let fits = (0..rank).all(|d| dim(a, d) == dim(b, d) || dim(a, d) == 1 || dim(b, d) == 1);
    let dims = (0..rank).map(|d| dim(a, d).max(dim(b, d)) as i32);
    if fits { Shape::new(dims).ok() } else { None }
}

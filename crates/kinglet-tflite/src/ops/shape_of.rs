//! SHAPE.

use super::{check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// SHAPE: the dimensions of a tensor, known before the model runs.
#[derive(Clone, Copy, Debug)]
pub struct ShapeOf<'a> {
    /// The input, of any type.
    pub input: Tensor<'a>,
    /// The output: one int32 or int64 for each dimension.
    pub output: Tensor<'a>,
}

impl<'a> ShapeOf<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 1..=1)?;
        // The output's type counts; the options only say it again, where they are there at all.
        let [input, output] = [input(graph, node, 0)?, output(graph, node, 0)?];
        let is_index = matches!(output.dtype, DType::Int32 | DType::Int64);
        ensure(is_index, &output, Reason::UnsupportedType)?;
        let fits = output.shape.dims() == [input.shape.rank() as u32];
        ensure(fits, &output, Reason::ShapeMismatch)?;
        Ok(Self { input, output })
    }
}

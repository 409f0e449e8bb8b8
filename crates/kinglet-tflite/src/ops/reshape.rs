//! RESHAPE.

use super::{check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::Tensor;

/// RESHAPE: the same elements under another shape, which is the output's.
#[derive(Clone, Copy, Debug)]
pub struct Reshape<'a> {
    /// The input, of any type.
    pub input: Tensor<'a>,
    /// The output, of the same type and number of elements.
    pub output: Tensor<'a>,
}

impl<'a> Reshape<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 1..=2)?;
        let [input, output] = [input(graph, node, 0)?, output(graph, node, 0)?];
        ensure(input.has_size(), &input, Reason::UnsupportedType)?;
        ensure(input.dtype == output.dtype, &output, Reason::WrongType)?;
        ensure(input.shape.len() == output.shape.len(), &output, Reason::ShapeMismatch)?;
        Ok(Self { input, output })
    }
}

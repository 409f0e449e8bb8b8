//! CUMSUM and ADD_N.

use super::movement::{Ints, axis_of};
use super::{check_arity, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// The most inputs of ADD_N.
const MAX_INPUTS: usize = 1_024;

/// CUMSUM: sums along an axis. int8, int32 or float32.
#[derive(Clone, Copy, Debug)]
pub struct Cumsum<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same type and shape.
    pub output: Tensor<'a>,
    /// The axis.
    pub axis: usize,
    /// A sum does not hold the element at its own place.
    pub exclusive: bool,
    /// Sums go from the end to the start.
    pub reverse: bool,
}

impl<'a> Cumsum<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let options = options!(node, CumsumOptions);
        let [data, axis, output] = [input(graph, node, 0)?, input(graph, node, 1)?, output(graph, node, 0)?];
        check_summands(&data, &output)?;
        let ints = Ints::new(&axis)?;
        ensure(ints.len() == 1, &axis, Reason::ShapeMismatch)?;
        let axis = axis_of(ints.get(0), data.shape.rank())?;
        let (exclusive, reverse) = (options.exclusive()?, options.reverse()?);
        Ok(Self { input: data, output, axis, exclusive, reverse })
    }
}

/// ADD_N: the sum of tensors of one type, shape, scale and zero point. int8, int32 or float32.
#[derive(Clone, Copy, Debug)]
pub struct AddN<'a> {
    graph: Graph<'a>,
    node: Node<'a>,
    /// The first input.
    pub first: Tensor<'a>,
    /// The output, of the same type and shape.
    pub output: Tensor<'a>,
}

impl<'a> AddN<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=MAX_INPUTS)?;
        let (first, output) = (input(graph, node, 0)?, output(graph, node, 0)?);
        check_summands(&first, &output)?;
        for i in 1..node.inputs.len() {
            let other = input(graph, node, i)?;
            ensure(other.dtype == first.dtype, &other, Reason::WrongType)?;
            ensure(other.shape == first.shape, &other, Reason::ShapeMismatch)?;
            if first.dtype == DType::Int8 {
                ensure(other.per_tensor()? == first.per_tensor()?, &other, Reason::ScalesDiffer)?;
            }
        }
        Ok(Self { graph: *graph, node: *node, first, output })
    }

    /// Number of inputs, at least 2.
    pub fn input_count(&self) -> usize {
        self.node.inputs.len()
    }

    /// Input `i`.
    ///
    /// # Errors
    /// When the file can't be read; the operator's checks have read it before.
    pub fn input(&self, i: usize) -> Result<Tensor<'a>> {
        input(&self.graph, &self.node, i)
    }
}

fn check_summands(input: &Tensor<'_>, output: &Tensor<'_>) -> Result<()> {
    let has_type = matches!(input.dtype, DType::Int8 | DType::Int32 | DType::Float32);
    ensure(has_type, input, Reason::UnsupportedType)?;
    ensure(output.dtype == input.dtype, output, Reason::WrongType)?;
    ensure(output.shape == input.shape, output, Reason::ShapeMismatch)?;
    if input.dtype == DType::Int8 {
        input.per_tensor()?;
        output.per_tensor()?;
    }
    Ok(())
}

//! ONE_HOT.

use super::movement::{Ints, axis_of};
use super::{at, check_arity, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// ONE_HOT: a new axis, along which one value stands where the index says and another elsewhere.
#[derive(Clone, Copy, Debug)]
pub struct OneHot<'a> {
    /// The indices: int32 or int64.
    pub indices: Tensor<'a>,
    /// The value where the position is the index: one element of the output's type.
    pub on: Tensor<'a>,
    /// The value elsewhere, likewise.
    pub off: Tensor<'a>,
    /// The output, of any type that takes whole bytes.
    pub output: Tensor<'a>,
    /// The new axis of the output.
    pub axis: usize,
}

impl<'a> OneHot<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 4..=4)?;
        let axis = options!(node, OneHotOptions).axis()?;
        let [indices, depth, on, off] =
            [input(graph, node, 0)?, input(graph, node, 1)?, input(graph, node, 2)?, input(graph, node, 3)?];
        let output = output(graph, node, 0)?;
        ensure(matches!(indices.dtype, DType::Int32 | DType::Int64), &indices, Reason::UnsupportedType)?;
        ensure(!matches!(output.dtype, DType::Other | DType::Int4), &output, Reason::UnsupportedType)?;
        for value in [&on, &off] {
            ensure(value.dtype == output.dtype, value, Reason::WrongType)?;
            ensure(value.shape.len() == 1, value, Reason::ShapeMismatch)?;
        }
        let axis = axis_of(axis, output.shape.rank())?;
        let ints = Ints::new(&depth)?;
        ensure(ints.len() == 1, &depth, Reason::ShapeMismatch)?;
        let dims = output.shape.dims();
        let (outer, rest) = dims.split_at_checked(axis).ok_or(Reason::BadOption)?;
        let (&size, inner) = rest.split_first().ok_or(at(&output, Reason::WrongRank))?;
        let fits = i64::from(ints.get(0)) == i64::from(size)
            && indices.shape.dims().iter().eq(outer.iter().chain(inner));
        ensure(fits, &output, Reason::ShapeMismatch)?;
        Ok(Self { indices, on, off, output, axis })
    }
}

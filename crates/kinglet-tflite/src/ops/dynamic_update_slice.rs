//! DYNAMIC_UPDATE_SLICE.

use super::{check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// DYNAMIC_UPDATE_SLICE: a tensor with a block of it replaced, at a place that indices give. The block is moved
/// as far as it has to be to lie within the tensor.
#[derive(Clone, Copy, Debug)]
pub struct DynamicUpdateSlice<'a> {
    /// The tensor, of any type that takes whole bytes.
    pub input: Tensor<'a>,
    /// The block, of the same type and rank, at most as large.
    pub update: Tensor<'a>,
    /// Where the block goes: one int32 or int64 for each dimension.
    pub start: Tensor<'a>,
    /// The output, as the input.
    pub output: Tensor<'a>,
}

impl<'a> DynamicUpdateSlice<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 3..=3)?;
        let [data, update, start] = [input(graph, node, 0)?, input(graph, node, 1)?, input(graph, node, 2)?];
        let output = output(graph, node, 0)?;
        ensure(data.has_size() && data.dtype != DType::Int4, &data, Reason::UnsupportedType)?;
        ensure(matches!(start.dtype, DType::Int32 | DType::Int64), &start, Reason::UnsupportedType)?;
        for tensor in [&update, &output] {
            ensure(tensor.dtype == data.dtype, tensor, Reason::WrongType)?;
            if matches!(data.dtype, DType::Int8 | DType::Int16 | DType::UInt8) {
                ensure(tensor.quantization.is_same(&data.quantization), tensor, Reason::ScalesDiffer)?;
            }
        }
        ensure(output.shape == data.shape, &output, Reason::ShapeMismatch)?;
        let (whole, part) = (data.shape.dims(), update.shape.dims());
        let fits = part.len() == whole.len() && part.iter().zip(whole).all(|(part, whole)| part <= whole);
        ensure(fits, &update, Reason::ShapeMismatch)?;
        ensure(start.shape.dims() == [whole.len() as u32], &start, Reason::ShapeMismatch)?;
        Ok(Self { input: data, update, start, output })
    }
}

//! CAST.

use super::{at, check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// CAST: numbers from one type to another, between int8, uint8, int16, int32, int64, float32 and bool.
#[derive(Clone, Copy, Debug)]
pub struct Cast<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same shape.
    pub output: Tensor<'a>,
}

impl<'a> Cast<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        use DType::{Bool, Float32, Int8, Int16, Int32, Int64, UInt8};
        check_arity(node, 1..=1)?;
        // The tensors' types count; the options only say them again, where they are there at all.
        let [input, output] = [input(graph, node, 0)?, output(graph, node, 0)?];
        ensure(input.shape == output.shape, &output, Reason::ShapeMismatch)?;
        for tensor in [&input, &output] {
            if !matches!(tensor.dtype, Int8 | UInt8 | Int16 | Int32 | Int64 | Float32 | Bool) {
                return Err(at(tensor, Reason::UnsupportedType));
            }
        }
        Ok(Self { input, output })
    }
}

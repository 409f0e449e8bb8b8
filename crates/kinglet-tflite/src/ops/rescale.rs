//! Operators that rescale each element by itself: QUANTIZE, DEQUANTIZE, RELU, RELU6, RELU_N1_TO_1,
//! RELU_0_TO_1.

use super::{Activation, at, check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// QUANTIZE, DEQUANTIZE or a stand-alone activation: each element is brought to the output's scale.
#[derive(Clone, Copy, Debug)]
pub struct Rescale<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same shape.
    pub output: Tensor<'a>,
    /// The activation; none for QUANTIZE and DEQUANTIZE.
    pub activation: Activation,
}

impl<'a> Rescale<'a> {
    fn new(graph: &Graph<'a>, node: &Node<'a>, activation: Activation) -> Result<Self> {
        check_arity(node, 1..=1)?;
        let [input, output] = [input(graph, node, 0)?, output(graph, node, 0)?];
        ensure(input.shape == output.shape, &output, Reason::ShapeMismatch)?;
        Ok(Self { input, output, activation })
    }

    pub(super) fn check_quantize(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        use DType::{Float32, Int8, Int16, Int32, UInt8};
        let op = Self::new(graph, node, Activation::None)?;
        // As TFLM combines them.
        match (op.input.dtype, op.output.dtype) {
            (Float32, Int8 | UInt8 | Int16)
            | (Int8, Int8 | UInt8 | Int16 | Int32)
            | (UInt8, Int8)
            | (Int16, Int8 | Int16 | Int32)
            | (Int32, Int8 | Int16) => {}
            _ => return Err(at(&op.output, Reason::UnsupportedType)),
        }
        if op.input.dtype != Float32 {
            op.input.per_tensor()?;
        }
        op.output.per_tensor()?;
        Ok(op)
    }

    pub(super) fn check_dequantize(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        let op = Self::new(graph, node, Activation::None)?;
        ensure(op.output.dtype == DType::Float32, &op.output, Reason::WrongType)?;
        match op.input.dtype {
            DType::Int8 | DType::Int16 | DType::UInt8 => {}
            _ => return Err(at(&op.input, Reason::UnsupportedType)),
        }
        op.input.per_tensor()?;
        Ok(op)
    }

    pub(super) fn check_activation(
        graph: &Graph<'a>,
        node: &Node<'a>,
        activation: Activation,
    ) -> Result<Self> {
        let op = Self::new(graph, node, activation)?;
        let (input, output) = (&op.input, &op.output);
        match (input.dtype, activation) {
            (DType::Int8 | DType::Float32, _) | (DType::Int16, Activation::Relu | Activation::Relu6) => {}
            _ => return Err(at(input, Reason::UnsupportedType)),
        }
        ensure(output.dtype == input.dtype, output, Reason::WrongType)?;
        if input.dtype != DType::Float32 {
            for tensor in [input, output] {
                let (_, zero_point) = tensor.per_tensor()?;
                // The references take int16 tensors to be symmetric.
                ensure(input.dtype == DType::Int8 || zero_point == 0, tensor, Reason::BadZeroPoint)?;
            }
        }
        Ok(op)
    }
}

//! SOFTMAX.

use super::{activation_input, check_activation, check_arity, ensure, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// SOFTMAX over the last dimension: int8 to int8 or int16; int16 to int16.
#[derive(Clone, Copy, Debug)]
pub struct Softmax<'a> {
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same shape.
    pub output: Tensor<'a>,
    /// Factor of the exponents, above 0 and finite.
    pub beta: f32,
}

impl<'a> Softmax<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 1..=1)?;
        let beta = options!(node, SoftmaxOptions).beta()?;
        let [input, output] = [activation_input(graph, node, 0)?, output(graph, node, 0)?];
        check_activation(&input)?;
        ensure(input.shape.rank() >= 1, &input, Reason::WrongRank)?;
        ensure(input.shape == output.shape, &output, Reason::ShapeMismatch)?;
        if !(beta.is_finite() && beta > 0.0) {
            return Err(Reason::BadOption.into());
        }
        // TFLite fixes the output's scale: it is not used in the arithmetic.
        let (scale, zero_point) = output.per_tensor()?;
        let fixed = match (input.dtype, output.dtype) {
            (DType::Int8, DType::Int8) => scale == 1.0 / 256.0 && zero_point == -128,
            (DType::Int8, DType::Int16) => (scale * 65_536.0 - 1.0).abs() <= 0.001 && zero_point == -32_768,
            (DType::Int16, DType::Int16) => (scale * 32_768.0 - 1.0).abs() <= 0.001 && zero_point == 0,
            _ => return Err(super::at(&output, Reason::UnsupportedType)),
        };
        ensure(fixed, &output, Reason::OutputScale)?;
        Ok(Self { input, output, beta })
    }
}

//! FULLY_CONNECTED.

use super::{
    Activation, activation_input, at, check_arity, check_bias, check_int8, divide, ensure, input,
    optional_input, options, output,
};
use crate::Result;
use crate::error::Reason;
use crate::generated::FullyConnectedOptionsWeightsFormat;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// FULLY_CONNECTED: int8 vectors of length `depth`, int8 weights `[outputs, depth]`, an int32 bias.
#[derive(Clone, Copy, Debug)]
pub struct FullyConnected<'a> {
    /// The input; whatever its shape, it holds `batch` vectors of length `depth`.
    pub input: Tensor<'a>,
    /// The weights, a constant; one scale, or one for each output.
    pub weights: Tensor<'a>,
    /// The bias, a constant.
    pub bias: Option<Tensor<'a>>,
    /// The output: `batch` vectors of length `outputs`.
    pub output: Tensor<'a>,
    /// Number of vectors.
    pub batch: u32,
    /// Length of an input vector.
    pub depth: u32,
    /// Length of an output vector.
    pub outputs: u32,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> FullyConnected<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=3)?;
        let options = options!(node, FullyConnectedOptions);
        if options.weights_format()? != FullyConnectedOptionsWeightsFormat::Default {
            return Err(Reason::UnsupportedWeights.into());
        }
        let [input, weights, output] =
            [activation_input(graph, node, 0)?, input(graph, node, 1)?, output(graph, node, 0)?];
        let bias = optional_input(graph, node, 2)?;
        check_int8(&input, &weights)?;
        ensure(weights.dtype == DType::Int8, &weights, Reason::UnsupportedType)?;
        ensure(weights.is_constant(), &weights, Reason::NotConstant)?;
        ensure(output.dtype == DType::Int8, &output, Reason::WrongType)?;
        input.per_tensor()?;
        output.per_tensor()?;
        let [outputs, depth] = weights.shape.matrix().map_err(|reason| at(&weights, reason))?;
        weights.check_symmetric(0, outputs)?;
        check_bias(bias.as_ref(), outputs)?;
        let batch = divide(input.shape.len(), depth, &input)?;
        let fits = u64::from(output.shape.len()) == u64::from(batch) * u64::from(outputs);
        ensure(fits && output.shape.last() == outputs, &output, Reason::ShapeMismatch)?;
        let activation = Activation::new(options.fused_activation_function())?;
        Ok(Self { input, weights, bias, output, batch, depth, outputs, activation })
    }
}

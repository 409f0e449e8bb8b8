//! FULLY_CONNECTED.

use super::{
    Activation, Sums, activation_input, at, check_arity, check_layer, divide, ensure, input, optional_input,
    options, output,
};
use crate::Result;
use crate::error::Reason;
use crate::generated::FullyConnectedOptionsWeightsFormat;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Storage, Tensor};

/// FULLY_CONNECTED: int8 or int16 vectors of length `depth`, weights `[outputs, depth]` of int8 (or int4 for
/// int8).
#[derive(Clone, Copy, Debug)]
pub struct FullyConnected<'a> {
    /// The input; whatever its shape, it holds `batch` vectors of length `depth`.
    pub input: Tensor<'a>,
    /// The weights; one scale, or one for each output. int8 weights with one scale, for int8 inputs, may be
    /// an activation, and may have a zero point.
    pub weights: Tensor<'a>,
    /// Zero point of the weights.
    pub weights_zero_point: i32,
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
    /// What products are added up in.
    pub sums: Sums,
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
        check_layer(&input, &weights, &output)?;
        let [outputs, depth] = weights.shape.matrix().map_err(|reason| at(&weights, reason))?;
        let per_tensor = weights.quantization.len() == 1;
        let weights_zero_point = match weights.dtype {
            // Weights that are computed, and those of old converters, have a zero point.
            DType::Int8 if input.dtype == DType::Int8 && per_tensor => weights.per_tensor()?.1,
            _ => {
                ensure(weights.is_constant(), &weights, Reason::NotConstant)?;
                weights.check_symmetric(0, outputs)?;
                0
            }
        };
        // As in TFLM: int4 weights have one scale.
        ensure(weights.dtype == DType::Int8 || per_tensor, &weights, Reason::UnsupportedWeights)?;
        if matches!(weights.storage, Storage::Variable) {
            return Err(at(&weights, Reason::NotConstant));
        }
        let sums = Sums::new(&input, bias.as_ref(), options.quantized_bias_type()?, outputs)?;
        let batch = divide(input.shape.len(), depth, &input)?;
        let fits = u64::from(output.shape.len()) == u64::from(batch) * u64::from(outputs);
        ensure(fits && output.shape.last() == outputs, &output, Reason::ShapeMismatch)?;
        let activation = Activation::new(options.fused_activation_function())?;
        Ok(Self { input, weights, weights_zero_point, bias, output, batch, depth, outputs, sums, activation })
    }
}

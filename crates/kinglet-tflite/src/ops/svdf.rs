//! SVDF.

use super::{
    activation_input, at, check_arity, check_bias, check_int8, divide, ensure, input, optional_input,
    options, output,
};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Storage, Tensor};

/// SVDF: a fully connected layer over the last `memory` inputs, factored into feature and time filters.
///
/// int8, with a state of int8 or int16. The fused activation is not applied to integers, in TFLite or here.
#[derive(Clone, Copy, Debug)]
pub struct Svdf<'a> {
    /// The input, `[batch, features]`.
    pub input: Tensor<'a>,
    /// Feature filters, a constant, `[filters, features]`.
    pub feature_weights: Tensor<'a>,
    /// Time filters, a constant of the state's type, `[filters, memory]`.
    pub time_weights: Tensor<'a>,
    /// The bias, a constant, one value for each output.
    pub bias: Option<Tensor<'a>>,
    /// The state, a variable, `[batch, filters * memory]`.
    pub state: Tensor<'a>,
    /// The output, `[batch, filters / rank]`.
    pub output: Tensor<'a>,
    /// Filters that add up to one output.
    pub rank: u32,
    /// Batch size.
    pub batch: u32,
    /// Length of an input vector.
    pub features: u32,
    /// Number of filters.
    pub filters: u32,
    /// Inputs that the state remembers.
    pub memory: u32,
}

impl<'a> Svdf<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 5..=5)?;
        let rank = options!(node, SvdfOptions).rank()?;
        let rank = u32::try_from(rank).ok().filter(|&rank| rank > 0).ok_or(Reason::BadOption)?;
        let [data, feature_weights, time_weights, state] = [
            activation_input(graph, node, 0)?,
            input(graph, node, 1)?,
            input(graph, node, 2)?,
            input(graph, node, 4)?,
        ];
        let bias = optional_input(graph, node, 3)?;
        let output = output(graph, node, 0)?;

        // A variable may be the state itself, which the operator writes as it goes.
        ensure(matches!(data.storage, Storage::Activation), &data, Reason::ConstantActivation)?;
        check_int8(&data, &feature_weights)?;
        ensure(output.dtype == DType::Int8, &output, Reason::WrongType)?;
        ensure(feature_weights.dtype == DType::Int8, &feature_weights, Reason::UnsupportedType)?;
        ensure(matches!(state.dtype, DType::Int8 | DType::Int16), &state, Reason::UnsupportedType)?;
        ensure(time_weights.dtype == state.dtype, &time_weights, Reason::WrongType)?;
        ensure(feature_weights.is_constant(), &feature_weights, Reason::NotConstant)?;
        ensure(time_weights.is_constant(), &time_weights, Reason::NotConstant)?;
        ensure(matches!(state.storage, Storage::Variable), &state, Reason::NotVariable)?;
        for tensor in [&data, &feature_weights, &time_weights, &state, &output] {
            tensor.per_tensor()?;
        }
        feature_weights.check_symmetric(0, 1)?;
        time_weights.check_symmetric(0, 1)?;
        if state.dtype == DType::Int16 {
            let (_, zero_point) = state.per_tensor()?;
            ensure(zero_point == 0, &state, Reason::BadZeroPoint)?;
        }

        let matrix = |tensor: &Tensor<'_>| tensor.shape.matrix().map_err(|reason| at(tensor, reason));
        let [batch, features] = matrix(&data)?;
        let [filters, weight_features] = matrix(&feature_weights)?;
        let [time_filters, memory] = matrix(&time_weights)?;
        ensure(features == weight_features, &feature_weights, Reason::ShapeMismatch)?;
        ensure(filters == time_filters, &time_weights, Reason::ShapeMismatch)?;
        let units = divide(filters, rank, &feature_weights)?;
        let state_len = u64::from(filters) * u64::from(memory);
        let [state_batch, len] = matrix(&state)?;
        ensure(state_batch == batch && u64::from(len) == state_len, &state, Reason::ShapeMismatch)?;
        ensure(matrix(&output)? == [batch, units], &output, Reason::ShapeMismatch)?;
        check_bias(bias.as_ref(), units)?;
        Ok(Self {
            input: data,
            feature_weights,
            time_weights,
            bias,
            state,
            output,
            rank,
            batch,
            features,
            filters,
            memory,
        })
    }
}

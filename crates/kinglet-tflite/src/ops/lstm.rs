//! UNIDIRECTIONAL_SEQUENCE_LSTM.

use super::{activation_input, at, check_arity, check_layer, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::generated::ActivationFunctionType;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Storage, Tensor};

/// UNIDIRECTIONAL_SEQUENCE_LSTM: int8, or int16 with int8 weights; without peepholes, projection and layer
/// normalisation.
///
/// As in TFLM, the variables keep their values from one inference to the next.
#[derive(Clone, Copy, Debug)]
pub struct Lstm<'a> {
    graph: Graph<'a>,
    node: Node<'a>,
    /// The input, `[batch, steps, features]`; time-major: `[steps, batch, features]`.
    pub input: Tensor<'a>,
    /// What the units gave last, a variable of the input's type, `[batch, units]`.
    pub hidden: Tensor<'a>,
    /// The cells, an int16 variable, `[batch, units]`.
    pub cell: Tensor<'a>,
    /// The output, `[batch, steps, units]`; time-major: `[steps, batch, units]`.
    pub output: Tensor<'a>,
    /// Time comes before the batch.
    pub time_major: bool,
    /// The greatest magnitude of a cell; 0 for none.
    pub cell_clip: f32,
    /// Batch size.
    pub batch: u32,
    /// Time steps.
    pub steps: u32,
    /// Length of an input vector.
    pub features: u32,
    /// Number of units.
    pub units: u32,
}

/// One of the four gates of an [`Lstm`].
#[derive(Clone, Copy, Debug)]
pub struct LstmGate<'a> {
    /// Weights of the input, a constant, `[units, features]`.
    pub input_weights: Tensor<'a>,
    /// Weights of what the units gave last, a constant, `[units, units]`.
    pub recurrent_weights: Tensor<'a>,
    /// The bias, a constant: int32, or int64 for int16.
    pub bias: Tensor<'a>,
}

/// Peephole weights, projection and layer normalisation.
const VARIANTS: [core::ops::Range<usize>; 3] = [9..12, 16..18, 20..24];

impl<'a> Lstm<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 20..=24)?;
        let options = options!(node, UnidirectionalSequenceLstmOptions);
        if options.fused_activation_function()? != ActivationFunctionType::Tanh {
            return Err(Reason::UnsupportedActivation.into());
        }
        let (time_major, cell_clip) = (options.time_major()?, options.cell_clip()?);
        if !(cell_clip.is_finite() && cell_clip >= 0.0) {
            return Err(Reason::BadOption.into());
        }
        if VARIANTS.into_iter().flatten().any(|i| node.inputs.get(i).is_some()) {
            return Err(Reason::UnsupportedOption.into());
        }
        let [data, hidden, cell, output] = [
            activation_input(graph, node, 0)?,
            input(graph, node, 18)?,
            input(graph, node, 19)?,
            output(graph, node, 0)?,
        ];
        // A variable may be the state itself, which the operator writes as it goes.
        ensure(matches!(data.storage, Storage::Activation), &data, Reason::ConstantActivation)?;
        check_layer(&data, &input(graph, node, 1)?, &output)?;
        for (state, dtype) in [(&hidden, data.dtype), (&cell, DType::Int16)] {
            ensure(matches!(state.storage, Storage::Variable), state, Reason::NotVariable)?;
            ensure(state.dtype == dtype, state, Reason::WrongType)?;
            let (_, zero_point) = state.per_tensor()?;
            // The references take int16 tensors to be symmetric.
            ensure(dtype == DType::Int8 || zero_point == 0, state, Reason::BadZeroPoint)?;
        }
        ensure(hidden.id != cell.id, &cell, Reason::WrongType)?;

        let shape = |tensor: &Tensor<'_>| {
            <[u32; 3]>::try_from(tensor.shape.dims()).map_err(|_| at(tensor, Reason::WrongRank))
        };
        let [outer, inner, features] = shape(&data)?;
        let (batch, steps) = if time_major { (inner, outer) } else { (outer, inner) };
        let [hidden_batch, units] = hidden.shape.matrix().map_err(|reason| at(&hidden, reason))?;
        ensure(hidden_batch == batch, &hidden, Reason::ShapeMismatch)?;
        ensure(cell.shape.dims() == [batch, units], &cell, Reason::ShapeMismatch)?;
        ensure(shape(&output)? == [outer, inner, units], &output, Reason::ShapeMismatch)?;
        let op = Self {
            graph: *graph,
            node: *node,
            input: data,
            hidden,
            cell,
            output,
            time_major,
            cell_clip,
            batch,
            steps,
            features,
            units,
        };
        (0..4).try_for_each(|i| op.check_gate(i))?;
        Ok(op)
    }

    /// Gate `i`: the input, forget, cell and output gates are 0 to 3.
    ///
    /// # Errors
    /// None for these numbers.
    pub fn gate(&self, i: usize) -> Result<LstmGate<'a>> {
        let tensor = |first: usize| input(&self.graph, &self.node, first.saturating_add(i));
        Ok(LstmGate { input_weights: tensor(1)?, recurrent_weights: tensor(5)?, bias: tensor(12)? })
    }

    fn check_gate(&self, i: usize) -> Result<()> {
        let LstmGate { input_weights, recurrent_weights, bias } = self.gate(i)?;
        for (weights, depth) in [(&input_weights, self.features), (&recurrent_weights, self.units)] {
            ensure(weights.is_constant(), weights, Reason::NotConstant)?;
            ensure(weights.dtype == DType::Int8, weights, Reason::UnsupportedType)?;
            ensure(weights.shape.dims() == [self.units, depth], weights, Reason::ShapeMismatch)?;
            weights.per_tensor()?;
            weights.check_symmetric(0, 1)?;
        }
        let dtype = if self.input.dtype == DType::Int16 { DType::Int64 } else { DType::Int32 };
        ensure(bias.is_constant(), &bias, Reason::NotConstant)?;
        ensure(bias.dtype == dtype, &bias, Reason::WrongType)?;
        ensure(bias.shape.len() == self.units, &bias, Reason::ShapeMismatch)
    }
}

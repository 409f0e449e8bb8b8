//! UNIDIRECTIONAL_SEQUENCE_LSTM: int8, or int16 with int8 weights; the state of the cells is int16.

use crate::call::Bias;
use crate::ops::layer::{Activation, Sum, dot};
use crate::ops::logistic::{TableStep, logistic, tanh};
use crate::ops::rows::product;
use crate::params::params;
use crate::quant::Multiplier;
use crate::{Call, Element, Fault, Params, Place};

params! {
    /// Parameters of the kernels in this file. The whole operator is one row.
    pub struct LstmParams {
        /// Input, `[batch][steps][features]`.
        pub input: Place,
        /// Output, `[batch][steps][units]`.
        pub output: Place,
        /// What the units gave last, `[batch][units]`, of the input's type: state.
        pub hidden: Place,
        /// The cells, int16 `[batch][units]`: state.
        pub cell: Place,
        /// Batch size.
        pub batch: u32,
        /// Time steps.
        pub steps: u32,
        /// Length of an input vector.
        pub features: u32,
        /// Number of units.
        pub units: u32,
        /// 1 where input and output are `[steps][batch]` instead of `[batch][steps]`.
        pub time_major: u32,
        /// Where the blocks of the input, forget, cell and output gates stand in the plan, one after the
        /// other.
        pub gates: u32,
        /// Zero points of the input and of the last outputs; the rest is 0.
        pub zero_points: [i8; 4],
        /// Multiplier of what a cell keeps.
        pub keep_multiplier: i32,
        /// Multiplier of what is added to it.
        pub add_multiplier: i32,
        /// Multiplier of the output.
        pub output_multiplier: i32,
        /// Shifts of the three; the last byte is 0.
        pub shifts: [i8; 4],
        /// The greatest magnitude of a cell; 0 for none.
        pub cell_clip: i32,
        /// How a cell becomes a place in the table of TANH: [`TableStep`]'s multiplier.
        pub cell_multiplier: i32,
        /// [`TableStep`]'s shift.
        pub cell_shift: i32,
    }
}

params! {
    /// One of the four gates.
    pub struct Gate {
        /// Weights of the input, int8 `[units][features]`.
        pub input_weights: Place,
        /// Weights of what the units gave last, int8 `[units][units]`.
        pub recurrent_weights: Place,
        /// Bias for each unit: int32, int64 for int16.
        pub bias: Place,
        /// Multiplier of the input's sum, to steps of 2^-12.
        pub input_multiplier: i32,
        /// Multiplier of the other.
        pub recurrent_multiplier: i32,
        /// Shifts of the two; the rest is 0.
        pub shifts: [i8; 4],
    }
}

/// A gate with its constants.
struct Weights<'a, S> {
    input: &'a [i8],
    recurrent: &'a [i8],
    bias: Bias<'a, S>,
    input_factor: Multiplier,
    recurrent_factor: Multiplier,
}

impl<'a, S: Sum> Weights<'a, S> {
    /// Gate `i`.
    fn new(call: &Call<'a>, p: &LstmParams, i: u32) -> Result<Self, Fault> {
        let gate: Gate = call.block(p.gates.wrapping_add(i.wrapping_mul(Gate::WORDS as u32)))?;
        let [input_shift, recurrent_shift, ..] = gate.shifts;
        Ok(Self {
            input: call.weights(gate.input_weights, product([p.units, p.features])?)?,
            recurrent: call.weights(gate.recurrent_weights, product([p.units, p.units])?)?,
            bias: call.bias_of(gate.bias, product([p.units])?)?,
            input_factor: Multiplier { multiplier: gate.input_multiplier, shift: input_shift },
            recurrent_factor: Multiplier { multiplier: gate.recurrent_multiplier, shift: recurrent_shift },
        })
    }

    /// What the gate's function is taken of for `unit`, in steps of 2^-12.
    fn sum<T: Activation>(
        &self,
        unit: usize,
        input: &[T::Bytes],
        hidden: &[T::Bytes],
        zero_points: [i32; 2],
    ) -> Result<i16, Fault> {
        let [input_zero, hidden_zero] = zero_points;
        let half = |vector: &[T::Bytes], weights: &[i8], zero_point: i32| {
            let start = unit.wrapping_mul(vector.len());
            let weights = weights.get(start..start.wrapping_add(vector.len())).ok_or(Fault::OutOfBounds)?;
            Ok(dot::<T, S>(S::default(), vector, zero_point, weights.iter().map(|&weight| weight.into())))
        };
        let by_input = half(input, self.input, input_zero)?.plus(self.bias.get(unit)?);
        let by_hidden = half(hidden, self.recurrent, hidden_zero)?;
        let by_input = i16::saturating_from(by_input.scale(self.input_factor));
        let by_hidden = i16::saturating_from(by_hidden.scale(self.recurrent_factor));
        Ok(by_input.saturating_add(by_hidden))
    }
}

/// Portable LSTM, int8. Input and output do not overlap.
pub fn lstm_s8(call: &Call<'_>) -> Result<(), Fault> {
    lstm::<i8, i32>(call)
}

/// Portable LSTM, int16 with int8 weights and int64 biases. Input and output do not overlap.
pub fn lstm_s16(call: &Call<'_>) -> Result<(), Fault> {
    lstm::<i16, i64>(call)
}

/// TFLM: `EvalLstm`, which works gate by gate through buffers. Here it goes unit by unit: only the last outputs
/// are read by all units, and they are replaced when a time step is over.
fn lstm<T: Activation, S: Sum>(call: &Call<'_>) -> Result<(), Fault> {
    /// A sum in steps of 2^-12 on the scale of the tables.
    const GATE: TableStep = TableStep { multiplier: 3, shift: 0 };
    let p: LstmParams = call.params()?;
    let [input_zero, hidden_zero, ..] = p.zero_points.map(i32::from);
    let [keep_shift, add_shift, output_shift, _] = p.shifts;
    let keep = Multiplier { multiplier: p.keep_multiplier, shift: keep_shift };
    let add = Multiplier { multiplier: p.add_multiplier, shift: add_shift };
    let give = Multiplier { multiplier: p.output_multiplier, shift: output_shift };
    let of_cell = TableStep { multiplier: p.cell_multiplier, shift: p.cell_shift };
    let (features, units) = (product([p.features])?, product([p.units])?);
    let vectors = product([p.batch, p.steps])?;
    let bytes = |place: Place, vectors: usize, len: usize| {
        let len = vectors.checked_mul(len).and_then(|len| len.checked_mul(T::SIZE)).ok_or(Fault::BadPlan)?;
        call.view::<i8>(place, len)?.cells(0, len)
    };
    let batch = product([p.batch])?;
    let input = T::slice(bytes(p.input, vectors, features)?);
    let output = T::slice(bytes(p.output, vectors, units)?);
    let hidden = T::slice(bytes(p.hidden, batch, units)?);
    let cell = call.view::<i16>(p.cell, product([p.batch, p.units])?)?;
    let gate = |i: u32| Weights::<S>::new(call, &p, i);
    let [input_gate, forget_gate, cell_gate, output_gate] = [gate(0)?, gate(1)?, gate(2)?, gate(3)?];

    for b in 0..batch {
        let hidden = part(hidden, b, units)?;
        for t in 0..p.steps as usize {
            let at = if p.time_major != 0 {
                t.wrapping_mul(batch).wrapping_add(b)
            } else {
                b.wrapping_mul(p.steps as usize).wrapping_add(t)
            };
            let input = part(input, at, features)?;
            let output = part(output, at, units)?;
            for (unit, out) in output.iter().enumerate() {
                let sum = |gate: &Weights<'_, S>| {
                    gate.sum::<T>(unit, input, hidden, [input_zero, hidden_zero]).map(|sum| GATE.apply(sum))
                };
                let [forget, enter, leave] = [sum(&forget_gate)?, sum(&input_gate)?, sum(&output_gate)?]
                    .map(|x| i32::from(logistic(x)));
                let candidate = i32::from(tanh(sum(&cell_gate)?));
                let i = b.wrapping_mul(units).wrapping_add(unit);
                let kept = i16::saturating_from(keep.apply(forget.wrapping_mul(cell.get(i)?.into())));
                let added = i16::saturating_from(add.apply(enter.wrapping_mul(candidate)));
                let mut value = i32::from(kept.saturating_add(added));
                if p.cell_clip > 0 {
                    value = value.min(p.cell_clip).max(p.cell_clip.wrapping_neg());
                }
                let value = i16::saturating_from(value);
                cell.set(i, value)?;
                let product = i32::from(tanh(of_cell.apply(value))).wrapping_mul(leave);
                let given = T::saturating_from(give.apply(product).wrapping_add(hidden_zero));
                T::set(out, given.as_());
            }
            for (last, out) in hidden.iter().zip(output) {
                T::set(last, T::get(out));
            }
        }
    }
    Ok(())
}

/// Vector `i` of vectors of length `len`.
fn part<B>(all: &[B], i: usize, len: usize) -> Result<&[B], Fault> {
    let start = i.wrapping_mul(len);
    all.get(start..start.wrapping_add(len)).ok_or(Fault::OutOfBounds)
}

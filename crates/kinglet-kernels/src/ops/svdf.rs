//! SVDF, int8 with int8 or int16 state: a fully connected layer factored into a feature filter and a
//! time filter over the last `memory` inputs.

use crate::ops::rows::product;
use crate::params::params;
use crate::quant::Multiplier;
use crate::{Call, Choice, Element, Fault, Kernel, Place, Source, Target};

params! {
    /// Parameters of the SVDF kernels. The whole operator is one row.
    pub struct SvdfParams {
        /// Input, `[batch][features]`.
        pub input: Place,
        /// Output, `[batch][filters / rank]`.
        pub output: Place,
        /// State, `[batch][filters][memory]`: what the feature filters gave, oldest first.
        pub state: Place,
        /// Batch size.
        pub batch: u32,
        /// Length of an input vector.
        pub features: u32,
        /// Number of filters.
        pub filters: u32,
        /// Inputs that the state remembers.
        pub memory: u32,
        /// Filters that add up to one output.
        pub rank: u32,
        /// Feature filters, int8 `[filters][features]`.
        pub feature_weights: Place,
        /// Time filters, `[filters][memory]`, of the state's type.
        pub time_weights: Place,
        /// int32 bias for each output, or none.
        pub bias: Place,
        /// Zero points of the input, of the state (int8 only) and of the output; the last byte is 0.
        pub zero_points: [i8; 4],
        /// Multiplier from feature sums to state.
        pub feature_multiplier: i32,
        /// Multiplier from time sums to outputs.
        pub time_multiplier: i32,
        /// Shifts of the two multipliers; the rest is 0.
        pub shifts: [i8; 4],
    }
}

/// Chooses the kernel of SVDF with int8 state.
pub fn choose_s8(_target: Target) -> Choice {
    Choice::new(Kernel::SvdfS8)
}

/// Chooses the kernel of SVDF with int16 state.
pub fn choose_s16(_target: Target) -> Choice {
    Choice::new(Kernel::SvdfS16)
}

/// Portable SVDF with int8 state. Input and output do not overlap where the batch is above 1.
pub fn svdf_s8(call: &Call<'_>) -> Result<(), Fault> {
    svdf::<i8>(call)
}

/// Portable SVDF with int16 state. Input and output do not overlap where the batch is above 1.
pub fn svdf_s16(call: &Call<'_>) -> Result<(), Fault> {
    svdf::<i16>(call)
}

fn svdf<State: Element>(call: &Call<'_>) -> Result<(), Fault> {
    let p: SvdfParams = call.params()?;
    let [input_zero, state_zero, output_zero, _] = p.zero_points.map(i32::from);
    let [feature_shift, time_shift, ..] = p.shifts;
    let feature_factor = Multiplier { multiplier: p.feature_multiplier, shift: feature_shift };
    let time_factor = Multiplier { multiplier: p.time_multiplier, shift: time_shift };
    let features = product([p.features])?;
    let memory = product([p.memory])?;
    let units = p.filters.checked_div(p.rank).ok_or(Fault::BadPlan)?;
    let input = call.view::<i8>(p.input, product([p.batch, p.features])?)?;
    let output = call.view::<i8>(p.output, product([p.batch, units])?)?;
    let state = call.view::<State>(p.state, product([p.batch, p.filters, p.memory])?)?;
    let feature_weights = call.weights(p.feature_weights, product([p.filters, p.features])?)?;
    let time_weights: Source<'_, State> = call.source(p.time_weights, product([p.filters, p.memory])?)?;
    let bias = call.bias(p.bias, product([units])?)?;

    for batch in 0..p.batch as usize {
        let vector = input.cells(batch.wrapping_mul(features), features)?;
        for unit in 0..units as usize {
            let mut sum = bias.get(unit)?;
            for filter in (unit.wrapping_mul(p.rank as usize)..).take(p.rank as usize) {
                let row = batch.wrapping_mul(p.filters as usize).wrapping_add(filter).wrapping_mul(memory);
                // Forget the oldest value, remember the newest.
                for i in 1..memory {
                    state.set(row.wrapping_add(i).wrapping_sub(1), state.get(row.wrapping_add(i))?)?;
                }
                let start = filter.wrapping_mul(features);
                let weights =
                    feature_weights.get(start..start.wrapping_add(features)).ok_or(Fault::OutOfBounds)?;
                let mut dot = 0i32;
                for (value, &weight) in vector.iter().zip(weights) {
                    dot = dot.wrapping_add((i32::from(value.get()) - input_zero) * i32::from(weight));
                }
                let newest = feature_factor.apply(dot);
                let newest: i32 = State::saturating_from(newest).as_();
                // The reference adds the zero point after clamping and keeps the low bits.
                let newest = newest.wrapping_add(state_zero);
                state.set(row.wrapping_add(memory).wrapping_sub(1), wrap::<State>(newest))?;
                for i in 0..memory {
                    let weight: i32 = time_weights.get(filter.wrapping_mul(memory).wrapping_add(i))?.as_();
                    let value: i32 = state.get(row.wrapping_add(i))?.as_();
                    sum = sum.wrapping_add(weight.wrapping_mul(value.wrapping_sub(state_zero)));
                }
            }
            let value = time_factor.apply(sum).wrapping_add(output_zero);
            output.set(batch.wrapping_mul(units as usize).wrapping_add(unit), i8::saturating_from(value))?;
        }
    }
    Ok(())
}

/// The value of a narrower type with the same low bits.
fn wrap<T: Element>(value: i32) -> T {
    let bits = 32 - 8 * T::SIZE as u32;
    T::saturating_from(value.wrapping_shl(bits).wrapping_shr(bits))
}

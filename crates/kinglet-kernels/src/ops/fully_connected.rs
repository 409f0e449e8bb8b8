//! FULLY_CONNECTED: a matrix-vector product for each row of the input.

use core::cell::Cell;

use crate::arch::wide::layers;
use crate::arch::{dsp, mve, scalar};
use crate::ops::layer::{Activation, Nibbles, Sum, Taps, dot};
use crate::ops::rows::{Rows, product};
use crate::params::params;
use crate::quant::round_f64_to_i32;
use crate::{Call, Choice, Fault, How, Kernel, Place, Target, Weights};

params! {
    /// Parameters of the fully connected kernels. A row is one vector of the batch.
    pub struct FullyConnectedParams {
        /// Input vectors, one after the other.
        pub input: Place,
        /// Output vectors, one after the other.
        pub output: Place,
        /// Number of vectors.
        pub batch: u32,
        /// Length of an input vector.
        pub input_depth: u32,
        /// Length of an output vector.
        pub output_depth: u32,
        /// Input zero point (0 where folded into the bias), output zero point, least and greatest output;
        /// int16: [`limits_s16`](crate::ops::layer::limits_s16).
        pub quant: [i8; 4],
        /// Weights, `[output_depth][input_depth]`.
        pub weights: Place,
        /// Bias for each output, of the sums' type, or none.
        pub bias: Place,
        /// Requantisation table; for [`fully_connected_litert`] one or `output_depth` real factors,
        /// each two words of a float64, the low half first.
        pub requant: u32,
        /// Its length: 1 or `output_depth`.
        pub requant_len: u32,
        /// Scratch memory.
        pub scratch: Place,
        /// Its length in bytes.
        pub scratch_len: u32,
        /// Zero point of the weights: 0 but for [`fully_connected_computed`] and [`fully_connected_offset`].
        pub weights_zero_point: i32,
    }
}

/// Chooses the kernel of a fully connected layer. Places, tables and scratch are not yet known.
pub fn choose(params: &FullyConnectedParams, weights: &Weights<'_>, how: &How) -> Choice {
    let helium = match how.target {
        Target::Mve if Target::Mve.is_linked() && how.prepare => {
            mve::fully_connected::choose(params, weights)
        }
        _ => None,
    };
    let fast = helium.or_else(|| match how.target {
        Target::Dsp | Target::Mve if Target::Dsp.is_linked() => dsp::fc::choose(params, weights, how),
        Target::Scalar if Target::Scalar.is_linked() => scalar::fully_connected::choose(params, weights, how),
        _ if cfg!(kinglet_wide) => layers::choose_dense(params, weights, how),
        _ => None,
    });
    fast.unwrap_or(Choice::new(Kernel::FullyConnected))
}

/// Writes a layer's constants as the kernel chosen wants them: [`Choice::prepared`] bytes.
pub fn pack(kernel: Kernel, params: &FullyConnectedParams, weights: &Weights<'_>, out: &mut [u8]) {
    match kernel.target() {
        Target::Dsp if Target::Dsp.is_linked() => dsp::fc::pack(params, weights, out),
        Target::Scalar if Target::Scalar.is_linked() => scalar::fully_connected::pack(params, weights, out),
        Target::Mve if Target::Mve.is_linked() => mve::fully_connected::pack(params, weights, out),
        _ if cfg!(kinglet_wide) => layers::pack_dense(kernel.target(), params, weights, out),
        _ => {}
    }
}

/// Portable fully connected layer, int8.
pub fn fully_connected(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8, i32, &[i8], false>(call)
}

/// Portable fully connected layer, int8 with weights that have a zero point.
pub fn fully_connected_offset(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8, i32, &[i8], true>(call)
}

/// Portable fully connected layer, int8 with weights that an operator has computed.
pub fn fully_connected_computed(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8, i32, &[Cell<i8>], true>(call)
}

/// Portable fully connected layer, int8 with int4 weights.
pub fn fully_connected_s8_w4(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i8, i32, Nibbles<'_>, false>(call)
}

/// Portable fully connected layer, int16 with int8 weights and an int64 bias.
pub fn fully_connected_s16(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i16, i64, &[i8], false>(call)
}

/// Portable fully connected layer, int16 with int8 weights and an int32 bias.
pub fn fully_connected_s16_b32(call: &Call<'_>) -> Result<(), Fault> {
    quantized::<i16, i32, &[i8], false>(call)
}

/// Portable fully connected layer, int8, scaled as LiteRT does since TensorFlow 2.20: `round(sum * scale)` in
/// float64.
pub fn fully_connected_litert(call: &Call<'_>) -> Result<(), Fault> {
    let p: FullyConnectedParams = call.params()?;
    matrix_product::<i8, i32, &[i8], false>(call, &p, |channel, sum| {
        let channel = if p.requant_len == 1 { 0 } else { channel };
        let words = call
            .plan
            .get((p.requant as usize).wrapping_add(channel.wrapping_mul(2))..)
            .and_then(|words| words.first_chunk::<2>());
        let Some(&[low, high]) = words else {
            return Err(Fault::BadPlan);
        };
        let factor = f64::from_bits(u64::from(low) | u64::from(high) << 32);
        Ok(round_f64_to_i32(f64::from(sum) * factor))
    })
}

fn quantized<'a, T: Activation, S: Sum, W: Taps<'a>, const OFFSET: bool>(
    call: &Call<'a>,
) -> Result<(), Fault> {
    let p: FullyConnectedParams = call.params()?;
    let requant = call.requant(p.requant, p.requant_len)?;
    matrix_product::<T, S, W, OFFSET>(call, &p, |channel, sum| Ok(sum.scale(requant.get(channel)?)))
}

/// Sums wrap. Input and output do not overlap. `OFFSET`: the weights have a zero point.
#[inline]
fn matrix_product<'a, T: Activation, S: Sum, W: Taps<'a>, const OFFSET: bool>(
    call: &Call<'a>,
    p: &FullyConnectedParams,
    rescale: impl Fn(usize, S) -> Result<i32, Fault>,
) -> Result<(), Fault> {
    let [input_zero_point, output_zero_point, min, max] = T::quant(p.quant);
    let depth = product([p.input_depth])?.max(1);
    let outputs = product([p.output_depth])?;
    let size = T::SIZE as u32;
    let input = Rows::new(call, p.input, p.input_depth.saturating_mul(size), p.batch)?;
    let output = Rows::new(call, p.output, p.output_depth.saturating_mul(size), p.batch)?;
    let weights = W::new(call, p.weights, product([p.output_depth, p.input_depth])?)?;
    let bias = call.bias_of::<S>(p.bias, outputs)?;

    for y in call.rows.clone() {
        let vector = T::slice(input.row(y)?);
        let outputs = T::slice(output.row(y)?);
        for ((channel, out), weights) in outputs.iter().enumerate().zip(weights.runs(depth)) {
            let sum = if OFFSET {
                let weights = weights.values().map(|weight| weight.wrapping_sub(p.weights_zero_point));
                dot::<T, S>(S::default(), vector, input_zero_point, weights)
            } else {
                dot::<T, S>(S::default(), vector, input_zero_point, weights.values())
            };
            let sum = sum.plus(bias.get(channel)?);
            let value = rescale(channel, sum)?.wrapping_add(output_zero_point);
            T::set(out, value.min(max).max(min));
        }
    }
    Ok(())
}

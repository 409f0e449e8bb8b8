//! FULLY_CONNECTED, int8: a matrix-vector product for each row of the input.

use crate::arch::scalar;
use crate::call::Bias;
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
        /// Input zero point (0 where folded into the bias), output zero point, least and greatest output.
        pub quant: [i8; 4],
        /// Weights, `[output_depth][input_depth]`.
        pub weights: Place,
        /// int32 bias for each output, or none.
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
    }
}

/// Chooses the kernel of a fully connected layer. Places, tables and scratch are not yet known.
pub fn choose(params: &FullyConnectedParams, weights: &Weights<'_>, how: &How) -> Choice {
    let fast = match how.target {
        Target::Scalar if Target::Scalar.is_linked() => scalar::fully_connected::choose(params, weights, how),
        _ => None,
    };
    fast.unwrap_or(Choice::new(Kernel::FullyConnected))
}

/// Writes a layer's constants as the kernel chosen wants them: [`Choice::prepared`] bytes.
pub fn pack(kernel: Kernel, params: &FullyConnectedParams, weights: &Weights<'_>, out: &mut [u8]) {
    match kernel.target() {
        Target::Scalar if Target::Scalar.is_linked() => scalar::fully_connected::pack(params, weights, out),
        _ => {}
    }
}

/// The portable fully connected layer. Accumulators wrap at 32 bits. Input and output do not overlap.
pub fn fully_connected(call: &Call<'_>) -> Result<(), Fault> {
    let p: FullyConnectedParams = call.params()?;
    let requant = call.requant(p.requant, p.requant_len)?;
    matrix_product(call, &p, |channel, acc| Ok(requant.get(channel)?.apply(acc)))
}

/// The same, scaled as LiteRT does since TensorFlow 2.20: `round(acc * scale)` in float64.
pub fn fully_connected_litert(call: &Call<'_>) -> Result<(), Fault> {
    let p: FullyConnectedParams = call.params()?;
    matrix_product(call, &p, |channel, acc| {
        let channel = if p.requant_len == 1 { 0 } else { channel };
        let words = call
            .plan
            .get((p.requant as usize).wrapping_add(channel.wrapping_mul(2))..)
            .and_then(|words| words.first_chunk::<2>());
        let Some(&[low, high]) = words else {
            return Err(Fault::BadPlan);
        };
        let factor = f64::from_bits(u64::from(low) | u64::from(high) << 32);
        Ok(round_f64_to_i32(f64::from(acc) * factor))
    })
}

#[inline]
fn matrix_product(
    call: &Call<'_>,
    p: &FullyConnectedParams,
    rescale: impl Fn(usize, i32) -> Result<i32, Fault>,
) -> Result<(), Fault> {
    let [input_zero_point, output_zero_point, min, max] = p.quant.map(i32::from);
    let depth = product([p.input_depth])?.max(1);
    let outputs = product([p.output_depth])?;
    let input = Rows::new(call, p.input, p.input_depth, p.batch)?;
    let output = Rows::new(call, p.output, p.output_depth, p.batch)?;
    let weights = call.weights(p.weights, product([p.output_depth, p.input_depth])?)?;
    let bias: Bias<'_> = call.bias(p.bias, outputs)?;

    for y in call.rows.clone() {
        let vector = input.row(y)?;
        for ((channel, out), weights) in output.row(y)?.iter().enumerate().zip(weights.chunks_exact(depth)) {
            let mut acc = 0i32;
            for (value, &weight) in vector.iter().zip(weights) {
                let value = i32::from(value.get()) - input_zero_point;
                acc = acc.wrapping_add(value * i32::from(weight));
            }
            let acc = acc.wrapping_add(bias.get(channel)?);
            let value = rescale(channel, acc)?.wrapping_add(output_zero_point);
            out.set(value.min(max).max(min) as i8);
        }
    }
    Ok(())
}

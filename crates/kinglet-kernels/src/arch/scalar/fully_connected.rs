//! FULLY_CONNECTED: a vector with four rows of weights at a time.

use super::constants::{Constants, InFile, Output, pack as pack_constants, packed_bytes, scratch_bytes};
use super::dot::one_by_four;
use crate::ops::fully_connected::FullyConnectedParams;
use crate::ops::rows::{Rows, product};
use crate::{Call, Choice, Fault, How, Kernel, Weights};

/// Chooses this kernel.
pub(crate) fn choose(p: &FullyConnectedParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let channels = p.output_depth as usize;
    let prepared = if how.prepare { packed_bytes(channels, weights.weights.len())? } else { 0 };
    let scratch = if how.prepare { 0 } else { scratch_bytes(channels)? };
    Some(Choice { scratch, prepared, ..Choice::new(Kernel::FullyConnectedScalar) })
}

/// Packs the layer's constants.
pub(crate) fn pack(p: &FullyConnectedParams, weights: &Weights<'_>, out: &mut [u8]) {
    let depth = p.input_depth as usize;
    let row = |i: usize| weights.weights.iter().skip(i * depth).take(depth).copied();
    pack_constants(weights, p.output_depth as usize, p.quant[0], row, out);
}

/// FULLY_CONNECTED on a scalar core; equal to the portable kernel.
#[inline(never)]
pub fn fully_connected(call: &Call<'_>) -> Result<(), Fault> {
    let p: FullyConnectedParams = call.params()?;
    let (depth, channels) = (p.input_depth as usize, p.output_depth as usize);
    let to_output = Output::new(p.quant);
    let file = InFile {
        bias: p.bias,
        requant: p.requant,
        requant_len: p.requant_len,
        scratch: p.scratch,
        scratch_len: p.scratch_len,
    };
    let len = product([p.output_depth, p.input_depth])?;
    let constants = Constants::new(call, p.weights, (channels, len), p.quant[0], &file, |weights, i| {
        weights.get(i.wrapping_mul(depth)..).unwrap_or_default().iter().take(depth).copied()
    })?;
    let inputs = Rows::new(call, p.input, p.input_depth, p.batch)?;
    let outputs = Rows::new(call, p.output, p.output_depth, p.batch)?;
    for y in call.rows.clone() {
        let input = inputs.row(y)?;
        for (four, out) in outputs.row(y)?.chunks(4).enumerate() {
            let first = four.wrapping_mul(4);
            // Behind the last row, the last again.
            let row = |i: usize| {
                let start = first.wrapping_add(i).min(channels.wrapping_sub(1)).wrapping_mul(depth);
                constants.weights.get(start..start.wrapping_add(depth)).unwrap_or_default()
            };
            let [s0, s1, s2, s3] = one_by_four(input, [row(0), row(1), row(2), row(3)]);
            let set = |i: usize, sum: i32| {
                if let Some(out) = out.get(i) {
                    out.set(to_output.of(sum, constants.channels.get(first.wrapping_add(i))?));
                }
                Ok::<_, Fault>(())
            };
            set(0, s0)?;
            set(1, s1)?;
            set(2, s2)?;
            set(3, s3)?;
        }
    }
    Ok(())
}

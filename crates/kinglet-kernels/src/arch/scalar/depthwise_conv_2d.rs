//! DEPTHWISE_CONV_2D: four channels of a pixel at a time.

use core::cell::Cell;

use super::constants::{Constants, InFile, output, pack as pack_constants, packed_bytes, scratch_bytes};
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::rows::{Axis, Rows, batch_and_row, product};
use crate::{Call, Choice, Fault, How, Kernel, Overlap, Weights};

/// The most taps of a filter.
const MAX_TAPS: usize = 25;

/// Taps of a filter, and channels.
fn sizes(p: &DepthwiseConv2dParams) -> Option<(usize, usize)> {
    let taps = product([p.kernel.0.into(), p.kernel.1.into()]).ok()?;
    let channels = product([p.output_depth]).ok()?;
    (taps > 0 && taps <= MAX_TAPS && channels > 0).then_some((taps, channels))
}

/// Chooses this kernel where each input channel has one filter, of not too many taps.
pub(crate) fn choose(p: &DepthwiseConv2dParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let (_, channels) = sizes(p)?;
    if p.depth_multiplier != 1 {
        return None;
    }
    let prepared = if how.prepare { packed_bytes(channels, weights.weights.len())? } else { 0 };
    let constants = if how.prepare { 0 } else { scratch_bytes(channels)? };
    // Also a pixel of padding.
    let scratch = constants.checked_add(p.output_depth)?;
    let choice = Choice::new(Kernel::DepthwiseConv2dScalar).with_overlap(Overlap::Rows(p.row_distances()));
    Some(Choice { scratch, prepared, ..choice })
}

/// Packs the layer's constants.
pub(crate) fn pack(p: &DepthwiseConv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let channels = p.output_depth as usize;
    let filter = |i: usize| weights.weights.iter().skip(i).step_by(channels.max(1)).copied();
    pack_constants(weights, channels, p.quant[0], filter, out);
}

/// DEPTHWISE_CONV_2D on a scalar core; equal to the portable kernel. Works forwards and backwards.
pub fn depthwise_conv_2d(call: &Call<'_>) -> Result<(), Fault> {
    let p: DepthwiseConv2dParams = call.params()?;
    let (taps, channels) = sizes(&p).ok_or(Fault::BadPlan)?;
    let file = InFile {
        bias: p.bias,
        requant: p.requant,
        requant_len: p.requant_len,
        scratch: p.scratch,
        scratch_len: p.scratch_len,
    };
    let len = taps.checked_mul(channels).ok_or(Fault::BadPlan)?;
    let constants = Constants::new(call, p.weights, (channels, len), p.quant[0], &file, |weights, i| {
        weights.get(i..).unwrap_or_default().iter().step_by(channels).copied()
    })?;
    let scratch = call.view::<i8>(p.scratch, p.scratch_len as usize)?;
    let at = (p.scratch_len as usize).checked_sub(channels).ok_or(Fault::BadPlan)?;
    let padding = scratch.cells(at, channels)?;
    padding.iter().for_each(|cell| cell.set(p.quant[0]));

    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output_rows = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let vertical = Axis { input: p.input_size.0, stride: p.stride.0, dilation: p.dilation.0, pad: p.pad.0 };
    let horizontal = Axis { input: p.input_size.1, stride: p.stride.1, dilation: p.dilation.1, pad: p.pad.1 };
    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let top = batch.wrapping_mul(p.input_size.0.into());
        for (x, out) in output_rows.row(y)?.chunks_exact(channels).enumerate() {
            let mut pixels = [padding; MAX_TAPS];
            let mut pixel = pixels.iter_mut();
            for tap_y in 0..usize::from(p.kernel.0) {
                let row = vertical.input_at(out_y, tap_y);
                let row = row.map(|in_y| input.row(top.wrapping_add(in_y as u32))).transpose()?;
                for tap_x in 0..usize::from(p.kernel.1) {
                    let Some(pixel) = pixel.next() else { break };
                    if let (Some(row), Some(in_x)) = (row, horizontal.input_at(x, tap_x)) {
                        let start = in_x.wrapping_mul(channels);
                        *pixel = row.get(start..start.wrapping_add(channels)).ok_or(Fault::OutOfBounds)?;
                    }
                }
            }
            let pixels = pixels.get(..taps).ok_or(Fault::BadPlan)?;
            let (fours, rest) = out.as_chunks::<4>();
            for (i, four) in fours.iter().enumerate() {
                let first = i.wrapping_mul(4);
                let sums = products::<4>(pixels, constants.weights, channels, first)?;
                for (i, (out, sum)) in four.iter().zip(sums).enumerate() {
                    out.set(output(sum, constants.channels.get(first.wrapping_add(i))?, p.quant));
                }
            }
            let first = channels.wrapping_sub(rest.len());
            for (i, out) in (first..).zip(rest) {
                let [sum] = products::<1>(pixels, constants.weights, channels, i)?;
                out.set(output(sum, constants.channels.get(i)?, p.quant));
            }
        }
    }
    Ok(())
}

/// The sums of products of `N` channels from `first` on, over all taps.
#[inline(always)]
fn products<const N: usize>(
    pixels: &[&[Cell<i8>]],
    weights: &[i8],
    channels: usize,
    first: usize,
) -> Result<[i32; N], Fault> {
    let mut sums = [0i32; N];
    let mut weights = weights.get(first..).unwrap_or_default();
    for pixel in pixels {
        let values = pixel.get(first..).and_then(|values| values.first_chunk::<N>());
        let (Some(values), Some(taps)) = (values, weights.first_chunk::<N>()) else {
            return Err(Fault::OutOfBounds);
        };
        for ((sum, value), &weight) in sums.iter_mut().zip(values).zip(taps) {
            *sum = sum.wrapping_add(i32::from(value.get()) * i32::from(weight));
        }
        weights = weights.get(channels..).unwrap_or_default();
    }
    Ok(sums)
}

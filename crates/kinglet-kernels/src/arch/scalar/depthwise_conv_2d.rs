//! DEPTHWISE_CONV_2D: four channels of a pixel at a time.

use core::cell::Cell;

use super::constants::{Constants, InFile, Output, pack as pack_constants, packed_bytes, scratch_bytes};
use super::dot::Pixels;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::rows::{Axis, Rows, batch_and_row, product};
use crate::{Call, Choice, Fault, How, Kernel, Overlap, Weights};

/// Taps of a filter, and channels.
fn sizes(p: &DepthwiseConv2dParams) -> Option<(usize, usize)> {
    let taps = product([p.kernel.0.into(), p.kernel.1.into()]).ok()?;
    let channels = product([p.output_depth]).ok()?;
    (taps > 0 && taps <= Pixels::MAX && channels > 0).then_some((taps, channels))
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
#[inline(never)]
pub fn depthwise_conv_2d(call: &Call<'_>) -> Result<(), Fault> {
    let p: DepthwiseConv2dParams = call.params()?;
    let (taps, channels) = sizes(&p).ok_or(Fault::BadPlan)?;
    let to_output = Output::new(p.quant);
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
    let mut pixels = Pixels::new(padding, taps).ok_or(Fault::BadPlan)?;
    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let top = batch.wrapping_mul(p.input_size.0.into());
        for (x, out) in output_rows.row(y)?.chunks_exact(channels).enumerate() {
            let mut tap = 0usize;
            for tap_y in 0..usize::from(p.kernel.0) {
                let row = vertical.input_at(out_y, tap_y);
                let row = row.map(|in_y| input.row(top.wrapping_add(in_y as u32))).transpose()?;
                for tap_x in 0..usize::from(p.kernel.1) {
                    let pixel = match (row, horizontal.input_at(x, tap_x)) {
                        (Some(row), Some(in_x)) => {
                            let start = in_x.wrapping_mul(channels);
                            row.get(start..start.wrapping_add(channels)).ok_or(Fault::OutOfBounds)?
                        }
                        _ => padding,
                    };
                    pixels.set(tap, pixel).ok_or(Fault::OutOfBounds)?;
                    tap = tap.wrapping_add(1);
                }
            }
            let set = |out: &Cell<i8>, i: usize, sum: i32| {
                out.set(to_output.of(sum, constants.channels.get(i)?));
                Ok::<_, Fault>(())
            };
            let (fours, rest) = out.as_chunks::<4>();
            let mut first = 0usize;
            for [out0, out1, out2, out3] in fours {
                let [s0, s1, s2, s3] =
                    pixels.four_channels(constants.weights, first).ok_or(Fault::OutOfBounds)?;
                set(out0, first, s0)?;
                set(out1, first.wrapping_add(1), s1)?;
                set(out2, first.wrapping_add(2), s2)?;
                set(out3, first.wrapping_add(3), s3)?;
                first = first.wrapping_add(4);
            }
            for (i, out) in (first..).zip(rest) {
                set(out, i, pixels.one_channel(constants.weights, i).ok_or(Fault::OutOfBounds)?)?;
            }
        }
    }
    Ok(())
}

//! CONV_2D: two windows at a time with two filters at a time.

use core::cell::Cell;

use super::constants::{Constants, InFile, Output, pack as pack_constants, packed_bytes, scratch_bytes};
use super::dot::two_by_two;
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::rows::{Axis, Rows, batch_and_row, product};
use crate::{Call, Choice, Fault, How, Kernel, Overlap, Weights};

/// Values of a filter, and output channels.
fn sizes(p: &Conv2dParams) -> Option<(usize, usize)> {
    let taps = product([p.kernel.0.into(), p.kernel.1.into(), p.input_depth]).ok()?;
    let channels = product([p.output_depth]).ok()?;
    (taps > 0 && channels > 0).then_some((taps, channels))
}

/// A filter is one pixel, so that windows need not be copied.
fn is_pointwise(p: &Conv2dParams) -> bool {
    p.kernel == (1, 1) && p.pad == (0, 0)
}

/// Bytes of scratch memory: constants that are not prepared, then two windows.
fn scratch(p: &Conv2dParams, prepared: bool) -> Option<u32> {
    let (taps, channels) = sizes(p)?;
    let constants = if prepared { 0 } else { scratch_bytes(channels)? };
    let windows = if is_pointwise(p) { 0 } else { u32::try_from(taps).ok()?.checked_mul(2)? };
    constants.checked_add(windows)
}

/// Chooses this kernel for a layer without groups.
pub(crate) fn choose(p: &Conv2dParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let (_, channels) = sizes(p)?;
    if p.group_depth != p.input_depth {
        return None;
    }
    let prepared = if how.prepare { packed_bytes(channels, weights.weights.len())? } else { 0 };
    let choice = Choice::new(Kernel::Conv2dScalar).with_overlap(Overlap::Rows(p.row_distances()));
    Some(Choice { scratch: scratch(p, how.prepare)?, prepared, ..choice })
}

/// Packs the layer's constants.
pub(crate) fn pack(p: &Conv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some((taps, channels)) = sizes(p) else {
        return;
    };
    let filter = |i: usize| weights.weights.iter().skip(i * taps).take(taps).copied();
    pack_constants(weights, channels, p.quant[0], filter, out);
}

/// CONV_2D on a scalar core; equal to the portable kernel. Works forwards and backwards.
#[inline(never)]
pub fn conv_2d(call: &Call<'_>) -> Result<(), Fault> {
    let p: Conv2dParams = call.params()?;
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
        weights.get(i.wrapping_mul(taps)..).unwrap_or_default().iter().take(taps).copied()
    })?;
    let buffers = match is_pointwise(&p) {
        true => [&[][..]; 2],
        false => {
            let all = call.view::<i8>(p.scratch, p.scratch_len as usize)?;
            let at = (p.scratch_len as usize).checked_sub(taps.wrapping_mul(2)).ok_or(Fault::BadPlan)?;
            [all.cells(at, taps)?, all.cells(at.wrapping_add(taps), taps)?]
        }
    };
    let output_rows = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let windows = Windows {
        input: Rows::new(call, p.input, p.input_stride, p.input_ring)?,
        vertical: Axis { input: p.input_size.0, stride: p.stride.0, dilation: p.dilation.0, pad: p.pad.0 },
        horizontal: Axis { input: p.input_size.1, stride: p.stride.1, dilation: p.dilation.1, pad: p.pad.1 },
        p: &p,
    };
    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let top = batch.wrapping_mul(p.input_size.0.into());
        let row = output_rows.row(y)?;
        for (pair, pixels) in row.chunks(channels.wrapping_mul(2)).enumerate() {
            let (out0, out1) = pixels.split_at_checked(channels).ok_or(Fault::BadPlan)?;
            let x = pair.wrapping_mul(2);
            let x0 = windows.window(top, out_y, x, buffers[0])?;
            // An odd pixel at the end is computed twice.
            let x1 = if out1.is_empty() { x0 } else { windows.window(top, out_y, x + 1, buffers[1])? };
            for first in (0..channels).step_by(2) {
                let second = if first + 1 < channels { first + 1 } else { first };
                let rows = [first, second].map(|i| {
                    let start = i.wrapping_mul(taps);
                    constants.weights.get(start..start.wrapping_add(taps))
                });
                let [Some(w0), Some(w1)] = rows else {
                    return Err(Fault::OutOfBounds);
                };
                let [s00, s01, s10, s11] = two_by_two([x0, x1], [w0, w1]);
                let (one, two) = (constants.channels.get(first)?, constants.channels.get(second)?);
                let set = |pixel: &[Cell<i8>], i: usize, sum, constants| {
                    if let Some(out) = pixel.get(i) {
                        out.set(to_output.of(sum, constants));
                    }
                };
                set(out0, first, s00, one);
                set(out0, second, s01, two);
                set(out1, first, s10, one);
                set(out1, second, s11, two);
            }
        }
    }
    Ok(())
}

struct Windows<'a, 'p> {
    input: Rows<'a>,
    vertical: Axis,
    horizontal: Axis,
    p: &'p Conv2dParams,
}

impl<'a> Windows<'a, '_> {
    /// The window of output pixel (`y`, `x`), without gaps: where it lies, or gathered in `buffer`. `top` is the
    /// first input row of the image.
    fn window(&self, top: u32, y: usize, x: usize, buffer: &'a [Cell<i8>]) -> Result<&'a [Cell<i8>], Fault> {
        let depth = self.p.input_depth as usize;
        if buffer.is_empty() {
            let in_y = y.wrapping_mul(self.p.stride.0.into());
            let row = self.input.row(top.wrapping_add(in_y as u32))?;
            let start = x.wrapping_mul(self.p.stride.1.into()).wrapping_mul(depth);
            return row.get(start..start.wrapping_add(depth)).ok_or(Fault::OutOfBounds);
        }
        let width = usize::from(self.p.kernel.1);
        let is_run = self.p.dilation.1 == 1
            && self.horizontal.input_at(x, 0).is_some()
            && self.horizontal.input_at(x, width.wrapping_sub(1)).is_some();
        let mut rest = buffer;
        for tap_y in 0..usize::from(self.p.kernel.0) {
            let (line, after) = rest.split_at_checked(width.wrapping_mul(depth)).ok_or(Fault::BadPlan)?;
            rest = after;
            let row = self.vertical.input_at(y, tap_y);
            let row = row.map(|in_y| self.input.row(top.wrapping_add(in_y as u32))).transpose()?;
            match (row, self.horizontal.input_at(x, 0)) {
                (None, _) => line.iter().for_each(|cell| cell.set(self.p.quant[0])),
                (Some(row), Some(in_x)) if is_run => copy(row, in_x.wrapping_mul(depth), line)?,
                (Some(row), _) => {
                    for (tap_x, pixel) in line.chunks_exact(depth).enumerate() {
                        match self.horizontal.input_at(x, tap_x) {
                            Some(in_x) => copy(row, in_x.wrapping_mul(depth), pixel)?,
                            None => pixel.iter().for_each(|cell| cell.set(self.p.quant[0])),
                        }
                    }
                }
            }
        }
        Ok(buffer)
    }
}

/// Copies what starts at `start` of `from`.
fn copy(from: &[Cell<i8>], start: usize, to: &[Cell<i8>]) -> Result<(), Fault> {
    let from = from.get(start..start.wrapping_add(to.len())).ok_or(Fault::OutOfBounds)?;
    for (to, from) in to.iter().zip(from) {
        to.set(from.get());
    }
    Ok(())
}

//! DEPTHWISE_CONV_2D with filters of any size, stride and dilation: four channels at a time, tap by tap.
//!
//! Weights lie in the file as this needs them: the taps of four channels are one word.

use core::cell::Cell;
use core::ops::Range;

use super::instructions::{smlabb, smlatt, ssat8, sxtab16, sxtab16_odd, sxtb16, sxtb16_odd};
use super::requant::rounded;
use super::widen::minus;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::rows::{Rows, batch_and_row, product};
use crate::quant::Multiplier;
use crate::{Bias, Call, Choice, Fault, Kernel, Overlap, Requant};

/// The kernel; `None` when the layer is not for it.
pub(crate) fn choose(p: &DepthwiseConv2dParams) -> Option<Choice> {
    let fits = p.depth_multiplier == 1 && p.input_depth >= 4;
    fits.then(|| Choice::new(Kernel::DepthwiseAny).with_overlap(overlap(p)))
}

/// How the output may lie over the input. One channel after the other is computed: without padding, an output
/// pixel takes the place of one that no later output of the channel needs.
pub(crate) fn overlap(p: &DepthwiseConv2dParams) -> Overlap {
    let is_no_wider = p.output_size.1 <= p.input_size.1 && p.output_size.0 <= p.input_size.0;
    if p.pad == (0, 0) && is_no_wider && p.output_stride <= p.input_stride {
        Overlap::InPlace
    } else {
        Overlap::Never
    }
}

/// Four channels' constants.
struct Four {
    bias: [i32; 4],
    factors: [Multiplier; 4],
    /// What rule `Rounded` multiplies by in the end.
    powers: [i32; 4],
    /// Rule `Rounded` is exact for them.
    is_rounded: bool,
}

impl Four {
    #[inline(never)]
    fn new(bias: &Bias<'_>, requant: &Requant<'_>, channel: usize, taps: u32) -> Result<Self, Fault> {
        let mut four = Self {
            bias: [0; 4],
            factors: [Multiplier { multiplier: 0, shift: 0 }; 4],
            powers: [0; 4],
            is_rounded: true,
        };
        let slots = four.bias.iter_mut().zip(&mut four.factors).zip(&mut four.powers);
        for (i, ((bias_of, factor), power)) in slots.enumerate() {
            *bias_of = bias.get(channel.wrapping_add(i))?;
            *factor = requant.get(channel.wrapping_add(i))?;
            *power = 1i32.wrapping_shl(32u32.wrapping_sub(factor.shift.unsigned_abs().into()));
            // The greatest product is 128 * 255.
            let greatest = taps.saturating_mul(1 << 15).saturating_add(bias_of.unsigned_abs());
            four.is_rounded &= factor.shift <= -2 && greatest < 1 << 30;
        }
        Ok(four)
    }

    /// What output `i` of the four is.
    #[inline(always)]
    fn finish(&self, i: usize, sum: i32, zero: i32) -> i32 {
        let (Some(factor), Some(&power)) = (self.factors.get(i), self.powers.get(i)) else {
            return 0;
        };
        if self.is_rounded {
            rounded(sum << 1, factor.multiplier, power, zero)
        } else {
            ssat8(factor.apply(sum).wrapping_add(zero))
        }
    }
}

/// The taps of a window that are not in the padding, along one axis.
#[derive(Clone, Copy)]
struct Inside {
    /// The first tap, and how many.
    tap: usize,
    taps: usize,
    /// Input position of the first.
    at: usize,
}

/// Along one axis: stride, dilation, padding, filter and input size.
#[derive(Clone, Copy)]
struct Side {
    stride: u16,
    dilation: u16,
    pad: u16,
    taps: u16,
    size: u16,
}

impl Side {
    #[inline(always)]
    fn inside(self, out: usize) -> Inside {
        let start = (out as i32).wrapping_mul(self.stride.into()).wrapping_sub(self.pad.into());
        let last =
            start.wrapping_add(i32::from(self.taps).wrapping_sub(1).wrapping_mul(self.dilation.into()));
        if start >= 0 && last < i32::from(self.size) {
            return Inside { tap: 0, taps: self.taps.into(), at: start as usize };
        }
        self.at_edge(start)
    }

    /// The same for a window that reaches into the padding.
    #[inline(never)]
    fn at_edge(self, start: i32) -> Inside {
        let dilation = i32::from(self.dilation);
        // Taps before the input, and taps that begin before its end.
        let before =
            start.wrapping_neg().max(0).wrapping_add(dilation - 1).checked_div(dilation).unwrap_or(0);
        let left = i32::from(self.size).wrapping_sub(start).max(0);
        let end = left.wrapping_add(dilation - 1).checked_div(dilation).unwrap_or(0).min(self.taps.into());
        let at = start.wrapping_add(before.wrapping_mul(dilation));
        Inside { tap: before as usize, taps: end.wrapping_sub(before).max(0) as usize, at: at as usize }
    }
}

/// An image of one column as one of one row, for filters of one column.
fn lay_down(p: &mut DepthwiseConv2dParams, rows: &mut Range<u32>) -> Range<usize> {
    let is_column = p.input_size.1 == 1 && p.output_size.1 == 1 && p.kernel.1 == 1 && p.pad.1 == 0;
    let is_image = p.input_ring == p.input_size.0.into() && p.output_ring == p.output_size.0.into();
    let is_dense = p.input_stride == p.input_depth && p.output_stride == p.output_depth;
    if !(is_column && is_image && is_dense) {
        return 0..p.output_size.1.into();
    }
    p.input_stride = p.input_stride.saturating_mul(p.input_ring);
    p.output_stride = p.output_stride.saturating_mul(p.output_ring);
    (p.input_ring, p.output_ring) = (1, 1);
    for pair in [&mut p.input_size, &mut p.output_size, &mut p.kernel, &mut p.stride, &mut p.dilation] {
        *pair = (1, pair.0);
    }
    p.pad = (0, p.pad.0);
    let columns = rows.start as usize..rows.end as usize;
    *rows = 0..1;
    columns
}

/// Filters of any size; channels in fours. Without padding the output may lie exactly where the input lies.
pub fn depthwise_any(call: &Call<'_>) -> Result<(), Fault> {
    let mut p: DepthwiseConv2dParams = call.params()?;
    let mut out_rows = call.rows.start.min(call.rows.end)..call.rows.start.max(call.rows.end);
    let out_columns = lay_down(&mut p, &mut out_rows);
    let depth = p.output_depth as usize;
    let taps = product([p.kernel.0.into(), p.kernel.1.into()])?;
    let weights = call.weights(p.weights, taps.checked_mul(depth).ok_or(Fault::BadPlan)?)?;
    let bias = call.bias(p.bias, depth)?;
    let requant = call.requant(p.requant, p.requant_len)?;
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let row_bytes = usize::from(p.input_size.1).checked_mul(depth).ok_or(Fault::BadPlan)?;
    let out_row_bytes = usize::from(p.output_size.1).checked_mul(depth).ok_or(Fault::BadPlan)?;
    let is_sound = p.input_depth == p.output_depth
        && depth >= 4
        && row_bytes <= p.input_stride as usize
        && out_row_bytes <= p.output_stride as usize
        && p.dilation.0 > 0
        && p.dilation.1 > 0
        && p.input_ring > 0;
    if !is_sound {
        return Err(Fault::BadPlan);
    }
    let vertical = Side {
        stride: p.stride.0,
        dilation: p.dilation.0,
        pad: p.pad.0,
        taps: p.kernel.0,
        size: p.input_size.0,
    };
    let horizontal = Side {
        stride: p.stride.1,
        dilation: p.dilation.1,
        pad: p.pad.1,
        taps: p.kernel.1,
        size: p.input_size.1,
    };
    let (step, zero) = (usize::from(p.dilation.1).wrapping_mul(depth), minus(p.quant[0]));
    let [_, output_zero, min, max] = p.quant;
    let is_limited = (min, max) != (i8::MIN, i8::MAX);

    let mut channel = 0;
    while channel < depth {
        // Of the last channels some are in the four before: each is computed once.
        let four = Four::new(&bias, &requant, channel.min(depth - 4), taps as u32)?;
        let skip = channel - channel.min(depth - 4);
        let from = channel - skip;
        for y in out_rows.clone() {
            let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
            let first_row = batch.wrapping_mul(p.input_size.0.into());
            let rows = vertical.inside(out_y);
            let out_row = output.row(y)?.get(..out_row_bytes).ok_or(Fault::OutOfBounds)?;
            for out_x in out_columns.clone() {
                let columns = horizontal.inside(out_x);
                let [mut a, mut b, mut c, mut d] = four.bias;
                for row in 0..rows.taps {
                    let in_y = rows.at.wrapping_add(row.wrapping_mul(p.dilation.0.into()));
                    let pixels = input.row(first_row.wrapping_add(in_y as u32))?;
                    let pixels = pixels.get(columns.at.wrapping_mul(depth).wrapping_add(from)..row_bytes);
                    let tap =
                        rows.tap.wrapping_add(row).wrapping_mul(p.kernel.1.into()).wrapping_add(columns.tap);
                    let taps = weights.get(tap.wrapping_mul(depth).wrapping_add(from)..);
                    let (Some(pixels), Some(taps)) = (pixels, taps) else {
                        return Err(Fault::OutOfBounds);
                    };
                    [a, b, c, d] = accumulate([a, b, c, d], pixels, step, taps, depth, columns.taps, zero)?;
                }
                let out = out_row.get(out_x.wrapping_mul(depth).wrapping_add(from)..);
                let out: &[Cell<i8>; 4] = out.and_then(|out| out.first_chunk()).ok_or(Fault::OutOfBounds)?;
                let put = |i: usize, sum: i32| {
                    let mut value = four.finish(i, sum, output_zero.into()) as i8;
                    if is_limited {
                        value = value.min(max).max(min);
                    }
                    if let Some(out) = out.get(i).filter(|_| i >= skip) {
                        out.set(value);
                    }
                };
                put(0, a);
                put(1, b);
                put(2, c);
                put(3, d);
            }
        }
        channel = from + 4;
    }
    Ok(())
}

/// Adds the products of `count` pixels, `step` bytes apart, and taps, `depth` bytes apart, for four channels.
#[inline(always)]
fn accumulate(
    sums: [i32; 4],
    pixels: &[Cell<i8>],
    step: usize,
    taps: &[i8],
    depth: usize,
    count: usize,
    zero: i32,
) -> Result<[i32; 4], Fault> {
    let is_within =
        |len: usize, step: usize| count.saturating_sub(1).saturating_mul(step).saturating_add(4) <= len;
    if !is_within(pixels.len(), step) || !is_within(taps.len(), depth) {
        return if count == 0 { Ok(sums) } else { Err(Fault::OutOfBounds) };
    }
    let (mut pixel, mut tap) = (pixels.as_ptr().cast::<i32>(), taps.as_ptr().cast::<i32>());
    let [mut a, mut b, mut c, mut d] = sums;
    for _ in 0..count {
        // SAFETY: `count - 1` steps and four more bytes are within the pixels.
        let values = unsafe { pixel.read_unaligned() };
        // SAFETY: the same of the taps.
        let weights = unsafe { tap.read_unaligned() };
        let (even, odd) = (sxtab16(zero, values), sxtab16_odd(zero, values));
        let (even_weights, odd_weights) = (sxtb16(weights), sxtb16_odd(weights));
        a = smlabb(even, even_weights, a);
        b = smlabb(odd, odd_weights, b);
        c = smlatt(even, even_weights, c);
        d = smlatt(odd, odd_weights, d);
        pixel = pixel.wrapping_byte_add(step);
        tap = tap.wrapping_byte_add(depth);
    }
    Ok([a, b, c, d])
}

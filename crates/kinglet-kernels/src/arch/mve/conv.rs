//! CONV_2D, and DEPTHWISE_CONV_2D of a single channel, which is the same with weights in another order.
//!
//! Pointwise layers read their pixels where they lie; of others, the windows of 4 pixels are copied side by side to
//! scratch memory.

use core::cell::Cell;

use super::block::{self, Block, STEP};
use super::copy::{Windows, copy, fill};
use super::requant;
use crate::arch::dsp::requant::Rule;
use crate::memory::Region;
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::depthwise_conv_2d::{DepthwiseConv2dParams, as_conv_2d};
use crate::ops::rows::{Rows, batch_and_row, product};
use crate::{Call, Choice, Distances, Fault, Kernel, Overlap, Place, Weights};

/// Sizes that follow from the parameters.
struct Sizes {
    /// Values of a filter.
    taps: usize,
    /// The same in whole steps.
    steps: usize,
    channels: usize,
}

impl Sizes {
    fn new(p: &Conv2dParams) -> Option<Self> {
        let taps = product([p.kernel.0.into(), p.kernel.1.into(), p.input_depth]).ok()?;
        let channels = product([p.output_depth]).ok()?;
        (taps > 0 && channels > 0).then_some(Self { taps, steps: taps.div_ceil(STEP), channels })
    }

    /// Bytes of scratch: windows of four pixels, their outputs.
    fn scratch(&self) -> Option<[usize; 2]> {
        let windows = self.steps.checked_mul(4 * STEP)?;
        Some([windows, self.channels.checked_next_multiple_of(2)?.checked_mul(4)?])
    }
}

/// Where a weight lies, by channel and tap: OHWI, or as a depthwise layer has it.
fn order(kernel: Kernel, sizes: &Sizes) -> impl Fn(usize, usize) -> usize + Copy + use<> {
    let (channel, tap) = match kernel {
        Kernel::DepthwiseMveSingle => (1, sizes.channels),
        _ => (sizes.taps, 1),
    };
    move |i, t| i.wrapping_mul(channel).wrapping_add(tap.wrapping_mul(t))
}

/// Chooses a kernel for packed weights; `None` where there is none for the layer.
pub(crate) fn choose(p: &Conv2dParams, weights: &Weights<'_>) -> Option<Choice> {
    let kernel = match requant::rule(p.quant) {
        Rule::Floor => Kernel::Conv2dMveFloor,
        Rule::Rounded => Kernel::Conv2dMveRounded,
    };
    choose_kernel(kernel, p, weights)
}

/// The same for a depthwise layer.
pub(crate) fn choose_single(p: &DepthwiseConv2dParams, weights: &Weights<'_>) -> Option<Choice> {
    choose_kernel(Kernel::DepthwiseMveSingle, &as_conv_2d(p)?, weights)
}

fn choose_kernel(kernel: Kernel, p: &Conv2dParams, weights: &Weights<'_>) -> Option<Choice> {
    if p.group_depth != p.input_depth {
        return None;
    }
    let sizes = Sizes::new(p)?;
    let at = order(kernel, &sizes);
    let is_exact = |i| requant::channel(weights, p.quant, i, sizes.taps, at).is_some();
    if !(0..sizes.channels).all(is_exact) {
        return None;
    }
    let prepared = u32::try_from(block::packed_bytes(sizes.steps, sizes.channels)?).ok()?;
    let [windows, outputs] = sizes.scratch()?;
    let scratch = u32::try_from(windows.checked_add(outputs)?).ok()?;
    Some(Choice { scratch, prepared, ..Choice::new(kernel).with_overlap(overlap(p)) })
}

/// How far apart input and output have to be: rows are computed one after the other, but four pixels may be of
/// several rows, and the last pixels of all are computed once more with those before them.
pub(crate) fn overlap(p: &Conv2dParams) -> Overlap {
    let Distances { lead, lag } = p.row_distances();
    let width = u32::from(p.output_size.1).max(1);
    let rows_more = if width.is_multiple_of(4) { 0 } else { 3u32.div_ceil(width) };
    let more = rows_more.saturating_mul(u32::from(p.stride.0).max(1)).saturating_mul(p.input_stride);
    Overlap::Rows(Distances { lead: lead.saturating_add(more), lag: lag.saturating_add(more) })
}

/// Packs weights and constants for [`block`].
pub(crate) fn pack(kernel: Kernel, p: &Conv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some(sizes) = Sizes::new(p) else {
        return;
    };
    let at = order(kernel, &sizes);
    let len = sizes.steps * 2 * STEP;
    for (pair, out) in out.chunks_exact_mut(len + 8 * requant::CONSTANTS).enumerate() {
        let (packed, constants) = out.split_at_mut(len);
        for second in 0..2 {
            let i = 2 * pair + second;
            let channel =
                requant::channel(weights, p.quant, i, sizes.taps, at).filter(|_| i < sizes.channels);
            let Some(channel) = channel else {
                continue;
            };
            for (tap, row) in packed.chunks_exact_mut(STEP).skip(second).step_by(2).enumerate() {
                for (j, to) in row.iter_mut().enumerate() {
                    let tap = tap * STEP + j;
                    let weight = weights.weights.get(at(i, tap)).filter(|_| tap < sizes.taps);
                    *to = if channel.is_constant { 0 } else { weight.map_or(0, |&weight| weight as u8) };
                }
            }
            let to = constants.chunks_exact_mut(4).skip(second * requant::CONSTANTS);
            for (to, word) in to.zip(channel.constants) {
                to.copy_from_slice(&word.to_le_bytes());
            }
        }
    }
}

/// Packed weights, outputs of a ReLU.
pub fn conv_2d_floor(call: &Call<'_>) -> Result<(), Fault> {
    convolve(call, &call.params()?, Rule::Floor)
}

/// Packed weights.
pub fn conv_2d_rounded(call: &Call<'_>) -> Result<(), Fault> {
    convolve(call, &call.params()?, Rule::Rounded)
}

/// A depthwise layer of a single channel, packed weights.
pub fn depthwise_single(call: &Call<'_>) -> Result<(), Fault> {
    let p: DepthwiseConv2dParams = call.params()?;
    convolve(call, &as_conv_2d(&p).ok_or(Fault::BadPlan)?, Rule::Rounded)
}

/// Limits outputs where the least and the greatest are not those of int8.
pub(super) fn clamp(out: &[Cell<i8>], [_, _, min, max]: [i8; 4]) {
    if (min, max) != (-128, 127) {
        out.iter().for_each(|out| out.set(out.get().min(max).max(min)));
    }
}

/// The memory from a place on, to its end.
pub(super) fn memory<'a>(call: &Call<'a>, place: Place) -> Result<&'a [Cell<i8>], Fault> {
    let memory = match place.region() {
        Some(Region::Arena) => call.arena,
        Some(Region::State) => call.state,
        _ => return Err(Fault::OutOfBounds),
    };
    memory.get(place.offset()..).ok_or(Fault::OutOfBounds)
}

#[inline(never)]
fn convolve(call: &Call<'_>, p: &Conv2dParams, rule: Rule) -> Result<(), Fault> {
    let sizes = Sizes::new(p).ok_or(Fault::BadPlan)?;
    let channels = sizes.channels;
    let packed = block::packed_bytes(sizes.steps, channels).ok_or(Fault::BadPlan)?;
    let weights = call.constant(p.weights, packed)?;
    let block = Block::new(weights, sizes.steps, channels, rule).ok_or(Fault::BadPlan)?;
    let [windows, outputs] = sizes.scratch().ok_or(Fault::BadPlan)?;
    let scratch = call.view::<i8>(p.scratch, p.scratch_len as usize)?;
    let few_stride = outputs / 4;
    let few = scratch.cells(windows, outputs)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let windows = Im2col {
        p,
        input: Rows::new(call, p.input, p.input_stride, p.input_ring)?,
        depth: p.input_depth as usize,
        padded: sizes.steps * STEP,
        x: scratch.cells(0, windows)?,
    };

    let (first_row, end_row) = (call.rows.start.min(call.rows.end), call.rows.start.max(call.rows.end));
    let backwards = call.rows.start > call.rows.end;
    let count = end_row.wrapping_sub(first_row);
    let width = usize::from(p.output_size.1);
    // Rows are computed as one where they lie one after the other.
    let is_whole = width.wrapping_mul(channels) == p.output_stride as usize;
    let is_one = is_whole && output.run(first_row, count).is_some();
    let (runs, rows) = if is_one { (1, count) } else { (count, 1) };
    let pixels = width.checked_mul(rows as usize).ok_or(Fault::BadPlan)?;
    let flat = windows.flat(call, first_row, count).filter(|_| is_one);
    for run in 0..runs {
        let run = if backwards { runs.wrapping_sub(run + 1) } else { run };
        let y = first_row.wrapping_add(run);
        let out = output.run(y, rows).ok_or(Fault::OutOfBounds)?;
        let mut done = 0;
        while done < pixels {
            // The last four may be computed twice in part; of fewer than four, the rest is computed for nothing.
            let first = if backwards {
                pixels.wrapping_sub(done).saturating_sub(4)
            } else {
                done.min(pixels.saturating_sub(4))
            };
            let direct = flat.and_then(|flat| {
                let x = flat.get(first.wrapping_mul(windows.depth)..)?;
                (pixels >= 4 && block.reads(windows.depth)? <= x.len()).then_some(x)
            });
            let (x, x_stride) = match direct {
                Some(x) => (x, windows.depth),
                None => {
                    windows.gather_four(y, first, width, pixels)?;
                    (windows.x, windows.padded)
                }
            };
            let to = out.get(first.wrapping_mul(channels)..).ok_or(Fault::OutOfBounds)?;
            if pixels >= 4 && channels.is_multiple_of(2) && block.can_write(to, channels) {
                block.run(x, x_stride, to, channels)?;
            } else {
                block.run(x, x_stride, few, few_stride)?;
                for (to, from) in to.chunks_exact(channels).zip(few.chunks_exact(few_stride)) {
                    to.iter().zip(from).for_each(|(to, from)| to.set(from.get()));
                }
            }
            done = done.wrapping_add(4);
        }
        clamp(out, p.quant);
    }
    Ok(())
}

/// The windows of a layer, as they are gathered.
struct Im2col<'a> {
    p: &'a Conv2dParams,
    input: Rows<'a>,
    /// Bytes of a pixel, of a window in whole steps.
    depth: usize,
    padded: usize,
    x: &'a [Cell<i8>],
}

impl<'a> Im2col<'a> {
    /// The input as one row, and what lies behind it, where every output pixel sees just the input pixel of the
    /// same number.
    fn flat(&self, call: &Call<'a>, first: u32, count: u32) -> Option<&'a [Cell<i8>]> {
        let p = self.p;
        let is_pointwise = p.kernel == (1, 1) && p.stride == (1, 1) && p.pad == (0, 0);
        let same = p.input_size == p.output_size;
        let whole = usize::from(p.input_size.1).wrapping_mul(self.depth) == p.input_stride as usize;
        self.input.run(first, count).filter(|_| is_pointwise && same && whole)?;
        memory(call, p.input).ok()?.get(self.input.start(first)..)
    }

    /// Gathers the windows of output pixels `first..first + 4`, of `pixels` in all, counted from the start of
    /// row `y` on.
    #[inline(never)]
    fn gather_four(&self, y: u32, first: usize, width: usize, pixels: usize) -> Result<(), Fault> {
        let p = self.p;
        let row = first.checked_div(width).ok_or(Fault::BadPlan)?;
        let mut y = y.wrapping_add(row as u32);
        let mut x = first.wrapping_sub(row.wrapping_mul(width));
        // Four windows that do not reach into the padding at the sides.
        let left = x.wrapping_mul(p.stride.1.into()).wrapping_sub(p.pad.1.into());
        let right =
            left.wrapping_add(usize::from(p.stride.1).wrapping_mul(3)).wrapping_add(p.kernel.1.into());
        let inside = usize::from(p.input_size.1);
        if x.wrapping_add(4) <= width && left < inside && right <= inside && p.dilation.1 == 1 {
            return self.gather(y, x, 0, 4);
        }
        for pixel in 0..pixels.min(4) {
            self.gather(y, x, pixel, 1)?;
            x = x.wrapping_add(1);
            if x == width {
                (x, y) = (0, y.wrapping_add(1));
            }
        }
        Ok(())
    }

    /// Gathers the windows of `count` pixels from `x` on of row `y`, to slots from `slot` on. More than one lie
    /// within the image horizontally.
    fn gather(&self, y: u32, x: usize, slot: usize, count: usize) -> Result<(), Fault> {
        let p = self.p;
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        // Taps that lie on the image.
        let (tap_y, rows) = taps_inside(out_y, p.stride.0, p.pad.0, p.dilation.0, p.kernel.0, p.input_size.0);
        let dense = if p.dilation.1 == 1 { p.kernel.1 } else { 1 };
        let (tap_x, columns) = taps_inside(x, p.stride.1, p.pad.1, 1, dense, p.input_size.1);
        let to = self.x.get(slot.wrapping_mul(self.padded)..).ok_or(Fault::BadPlan)?;
        if rows < p.kernel.0.into() || columns < p.kernel.1.into() {
            fill(to.get(..count.wrapping_mul(self.padded)).ok_or(Fault::BadPlan)?, p.quant[0]);
        }
        if rows == 0 {
            return Ok(());
        }
        let kernel_row = usize::from(p.kernel.1).wrapping_mul(self.depth);
        let top = out_y
            .wrapping_mul(p.stride.0.into())
            .wrapping_add(tap_y.wrapping_mul(p.dilation.0.into()))
            .wrapping_sub(p.pad.0.into());
        let top = batch.wrapping_mul(p.input_size.0.into()).wrapping_add(top as u32);
        let height = (rows - 1).wrapping_mul(p.dilation.0.into()).wrapping_add(1);
        let all = self.input.run(top, height as u32);
        let mut windows = Windows {
            row: usize::from(p.dilation.0).wrapping_mul(p.input_stride as usize),
            rows,
            segment: columns.wrapping_mul(self.depth),
            to_row: kernel_row,
            step: usize::from(p.stride.1).wrapping_mul(self.depth),
            to_step: self.padded,
            windows: count,
        };
        let copy_at = |windows: &mut Windows, in_x: usize, tap_x: usize| {
            let from = in_x.wrapping_mul(self.depth);
            let to_start = tap_y.wrapping_mul(kernel_row).wrapping_add(tap_x.wrapping_mul(self.depth));
            let mut to = to.get(to_start..).ok_or(Fault::BadPlan)?;
            if let Some(all) = all {
                let all = all.get(from..).ok_or(Fault::OutOfBounds)?;
                return copy(all, to, windows).then_some(()).ok_or(Fault::OutOfBounds);
            }
            // The rows lie in a ring.
            windows.rows = 1;
            for row in 0..rows {
                let y = top.wrapping_add(row.wrapping_mul(p.dilation.0.into()) as u32);
                let from = self.input.row(y)?.get(from..).ok_or(Fault::OutOfBounds)?;
                copy(from, to, windows).then_some(()).ok_or(Fault::OutOfBounds)?;
                to = to.get(kernel_row..).unwrap_or_default();
            }
            Ok(())
        };
        let left = x.wrapping_mul(p.stride.1.into()).wrapping_sub(p.pad.1.into());
        if p.dilation.1 == 1 {
            if columns == 0 {
                return Ok(());
            }
            return copy_at(&mut windows, left.wrapping_add(tap_x), tap_x);
        }
        windows.segment = self.depth;
        for tap in 0..usize::from(p.kernel.1) {
            let in_x = left.wrapping_add(tap.wrapping_mul(p.dilation.1.into()));
            if in_x < p.input_size.1.into() {
                copy_at(&mut windows, in_x, tap)?;
            }
        }
        Ok(())
    }
}

/// The first of `taps` taps that lies on an image of `size`, and how many do.
fn taps_inside(out: usize, stride: u16, pad: u16, dilation: u16, taps: u16, size: u16) -> (usize, usize) {
    let start = out.wrapping_mul(stride.into()) as isize - pad as isize;
    let dilation = isize::from(dilation.max(1) as i16).max(1);
    let upwards = |distance: isize| {
        let distance = distance.max(0);
        if dilation == 1 { distance } else { (distance + dilation - 1).checked_div(dilation).unwrap_or(0) }
    };
    let taps = taps as isize;
    let first = upwards(-start).min(taps);
    let end = upwards(size as isize - start).min(taps);
    (first as usize, (end - first).max(0) as usize)
}

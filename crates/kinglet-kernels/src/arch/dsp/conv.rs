//! CONV_2D: every window becomes a run of int16 in scratch memory, 4 pixels at a time, for [`block`].
//!
//! [`block`]: super::block

use core::cell::Cell;

use super::block::{self, BEFORE_ROWS, Block, Bytes, FLOOR, PAIR_CONSTANTS, Runner, Weights as BlockWeights};
use super::requant::{Channel, Rule, accumulator_range, quant_has_floor};
use super::widen::{bytes_of, copy_padded, load_padded, minus, put, widen, widen_4};
use crate::arch::words;
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::rows::{Axis, Rows, batch_and_row, product};
use crate::quant::Multiplier;
use crate::{Call, Choice, Distances, Fault, How, Kernel, Overlap, Region, Weights};

/// Accumulators of layers in [`block`] are below 2^this.
const BITS: u32 = 23;

/// Least and greatest shift to the left of [`Rule::Floor`] in [`block`].
const FLOOR_SHIFTS: core::ops::RangeInclusive<u32> = 2..=8;

/// Sizes that follow from the parameters.
struct Sizes {
    /// Values of a filter.
    taps: usize,
    /// The same, rounded up so that a filter is whole words.
    padded: usize,
    /// Bytes that a filter sees without a gap: a row of it, or one pixel where taps are dilated.
    segment: usize,
    channels: usize,
}

impl Sizes {
    fn new(p: &Conv2dParams) -> Option<Self> {
        let taps = product([p.kernel.0.into(), p.kernel.1.into(), p.input_depth]).ok()?;
        let width = if p.dilation.1 == 1 { p.kernel.1 } else { 1 };
        let segment = product([width.into(), p.input_depth]).ok()?;
        let channels = product([p.output_depth]).ok()?;
        let padded = taps.checked_next_multiple_of(4)?;
        (taps > 0 && channels > 0).then_some(Self { taps, padded, segment, channels })
    }

    /// Pixels are copied byte for byte before they are widened.
    fn is_staged(&self) -> bool {
        !self.segment.is_multiple_of(4)
    }

    /// Words of scratch: input of four pixels, twice if it is staged; outputs of four pixels.
    fn scratch_words(&self) -> Option<[usize; 3]> {
        let staged = if self.is_staged() { self.padded } else { 0 };
        Some([self.padded.checked_mul(2)?, staged, self.channels])
    }

    /// Words of scratch for what is prepared from weights in rows: constants and, where rows are not whole
    /// words, a copy of the weights.
    fn row_words(&self, is_aligned: bool) -> Option<[usize; 2]> {
        let constants = self.channels.div_ceil(2).checked_mul(PAIR_CONSTANTS)?;
        let copy = if self.taps == self.padded && is_aligned {
            0
        } else {
            (self.padded / 4).checked_mul(self.channels)?.checked_add(BEFORE_ROWS / 4)?
        };
        Some([constants, copy])
    }
}

/// Chooses a kernel for a core with the DSP extension, where there is one for the layer.
pub(crate) fn choose(p: &Conv2dParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    if p.group_depth != p.input_depth {
        return None;
    }
    let sizes = Sizes::new(p)?;
    let Sizes { taps, channels, .. } = sizes;
    let scratch = bytes(&sizes.scratch_words()?)?;
    let packed = |i, _| packed_channel(weights, i, taps, p.quant);
    if let Some(rule) = how.prepare.then(|| first_rule(p.quant, channels, &packed)).flatten() {
        let kernel = match rule {
            Rule::Floor => Kernel::Conv2dDspFloor,
            Rule::Rounded => Kernel::Conv2dDspRounded,
        };
        let prepared = block::packed_bytes(sizes.padded / 2, channels)?;
        let prepared = u32::try_from(prepared).ok()?;
        return Some(Choice { scratch, prepared, ..Choice::new(kernel).with_overlap(overlap(p)) });
    }
    let kernel =
        match first_rule(p.quant, channels, &|i, rule| rows_channel(weights, i, taps, p.quant, rule))? {
            Rule::Floor => Kernel::Conv2dDspRowsFloor,
            Rule::Rounded => Kernel::Conv2dDspRowsRounded,
        };
    // Static constants are aligned; a model file in memory is, but what it holds need not be.
    let is_aligned = how.prepare || weights.weights.as_ptr().addr().is_multiple_of(4);
    let scratch = scratch.checked_add(bytes(&sizes.row_words(is_aligned)?)?)?;
    Some(Choice { scratch, ..Choice::new(kernel).with_overlap(overlap(p)) })
}

fn bytes(words: &[usize]) -> Option<u32> {
    let words = words.iter().try_fold(0usize, |sum, &words| sum.checked_add(words))?;
    u32::try_from(words.checked_mul(4)?).ok()
}

/// How far apart input and output have to be: rows are computed one after the other, but the last pixels of
/// all once more with those before them.
pub(crate) fn overlap(p: &Conv2dParams) -> Overlap {
    let Distances { lead, lag } = p.row_distances();
    let width = u32::from(p.output_size.1).max(1);
    let rows_again = if width < 4 { 3u32.div_ceil(width) } else { 0 };
    // Rows that are read again, and at the ends of an image those in the padding.
    let again = rows_again.saturating_mul(p.stride.0.into()).saturating_mul(p.input_stride);
    Overlap::Rows(Distances { lead: lead.saturating_add(again), lag: lag.saturating_add(again) })
}

/// The weights of channel `i`.
fn filter<'a>(weights: &Weights<'a>, i: usize, taps: usize) -> Option<&'a [i8]> {
    weights.weights.get(i.checked_mul(taps)?..)?.get(..taps)
}

/// The channel as it is computed from packed weights: without them where they do not matter.
fn packed_channel(weights: &Weights<'_>, i: usize, taps: usize, quant: [i8; 4]) -> Option<Channel> {
    let row = filter(weights, i, taps)?;
    let bias = weights.bias(i);
    let range = accumulator_range(&mut row.iter().copied(), bias, quant[0]);
    let channel = Channel::new(range, bias, (weights.factor)(i), quant)?;
    // A half that is 256 times a weight plus another needs the weight above -128.
    let is_packable = i.is_multiple_of(2) || channel.is_constant || !row.contains(&-128);
    (channel.bits <= BITS && is_packable).then_some(channel)
}

/// The channel as it is computed from weights in rows.
fn rows_channel(weights: &Weights<'_>, i: usize, taps: usize, quant: [i8; 4], rule: Rule) -> Option<Channel> {
    let row = filter(weights, i, taps)?;
    let (bias, factor) = (weights.bias(i), (weights.factor)(i));
    let range = accumulator_range(&mut row.iter().copied(), bias, quant[0]);
    match Channel::varying(range, bias, factor).filter(|channel| fits(channel, rule)) {
        None if row.iter().all(|&weight| weight == 0) => Some(without_weights(bias, factor, quant, rule)),
        channel => channel,
    }
}

/// A channel whose accumulator is its bias.
fn without_weights(bias: i32, factor: Multiplier, quant: [i8; 4], rule: Rule) -> Channel {
    let range = (bias.into(), bias.into());
    Channel::varying(range, bias, factor).filter(|channel| fits(channel, rule)).unwrap_or_else(|| {
        let [_, zero, min, max] = quant.map(i32::from);
        Channel::constant(factor.apply(bias).wrapping_add(zero).min(max).max(min), zero)
    })
}

/// `rule` is exact for the channel in [`block`].
fn fits(channel: &Channel, rule: Rule) -> bool {
    let has_floor = || channel.has_floor(FLOOR) && FLOOR_SHIFTS.contains(&channel.floor_shift(FLOOR));
    channel.bits <= BITS && (rule == Rule::Rounded || has_floor())
}

/// The first rule that is exact for all channels in [`block`], as `channel` makes them.
fn first_rule(
    quant: [i8; 4],
    channels: usize,
    channel: &dyn Fn(usize, Rule) -> Option<Channel>,
) -> Option<Rule> {
    let is_exact = |rule| (0..channels).all(|i| channel(i, rule).is_some_and(|channel| fits(&channel, rule)));
    if quant_has_floor(quant) && is_exact(Rule::Floor) {
        return Some(Rule::Floor);
    }
    is_exact(Rule::Rounded).then_some(Rule::Rounded)
}

/// The constants of one channel for [`block`].
fn constants(channel: &Channel, is_second: bool, rule: Rule) -> [i32; 2] {
    let shift = match rule {
        Rule::Rounded => 32 - channel.exponent,
        Rule::Floor if is_second => 8 - channel.floor_shift(FLOOR),
        Rule::Floor => channel.floor_shift(FLOOR),
    };
    [channel.bias << 8 | shift as i32, channel.multiplier]
}

/// The rule that a kernel is for.
const fn rule_of(kernel: Kernel) -> Rule {
    match kernel {
        Kernel::Conv2dDspFloor | Kernel::Conv2dDspRowsFloor => Rule::Floor,
        _ => Rule::Rounded,
    }
}

/// Packs constants and weights for [`block`].
pub(crate) fn pack(kernel: Kernel, p: &Conv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some(sizes) = Sizes::new(p) else {
        return;
    };
    let rule = rule_of(kernel);
    let mut out = out.chunks_exact_mut(4).skip(block::words_before_packed(sizes.padded / 2));
    let mut put = |word: i32| {
        if let Some(out) = out.next() {
            out.copy_from_slice(&word.to_le_bytes());
        }
    };
    for first in (0..sizes.channels).step_by(2) {
        let pair = [first, first + 1].map(|i| packed_channel(weights, i, sizes.taps, p.quant));
        for (i, channel) in pair.iter().enumerate() {
            for word in channel.as_ref().map_or([0; 2], |channel| constants(channel, i == 1, rule)) {
                put(word);
            }
        }
        // A weight that counts; 0 behind the end and where the output is constant.
        let weight = |i: usize, tap: usize| {
            let counts = tap < sizes.taps && pair.get(i)?.as_ref().is_some_and(|c| !c.is_constant);
            let row = weights.weights.get((first + i) * sizes.taps..).filter(|_| counts)?;
            row.get(tap).map(|&weight| i32::from(weight))
        };
        for four in (0..sizes.padded).step_by(4) {
            for low in [four, four + 1] {
                let half = |tap| 256 * weight(1, tap).unwrap_or(0) + weight(0, tap).unwrap_or(0);
                put((half(low) & 0xffff) | half(low + 2) << 16);
            }
        }
    }
}

/// Packed weights, [`Rule::Floor`].
pub fn conv_2d_floor(call: &Call<'_>) -> Result<(), Fault> {
    packed(call, Rule::Floor)
}

/// Packed weights, [`Rule::Rounded`].
pub fn conv_2d_rounded(call: &Call<'_>) -> Result<(), Fault> {
    packed(call, Rule::Rounded)
}

/// Weights as in the file, [`Rule::Floor`].
pub fn conv_2d_rows_floor(call: &Call<'_>) -> Result<(), Fault> {
    rows(call, Rule::Floor)
}

/// Weights as in the file, [`Rule::Rounded`].
pub fn conv_2d_rows_rounded(call: &Call<'_>) -> Result<(), Fault> {
    rows(call, Rule::Rounded)
}

#[inline(always)]
fn packed(call: &Call<'_>, rule: Rule) -> Result<(), Fault> {
    let p: Conv2dParams = call.params()?;
    let sizes = Sizes::new(&p).ok_or(Fault::BadPlan)?;
    let len = block::packed_bytes(sizes.padded / 2, sizes.channels).ok_or(Fault::BadPlan)?;
    let scratch = scratch(call, &p)?;
    let weights = BlockWeights::Packed(Bytes::new(call.constant(p.weights, len)?));
    convolve(call, &p, &sizes, scratch, weights, rule)
}

#[inline(always)]
fn rows(call: &Call<'_>, rule: Rule) -> Result<(), Fault> {
    let p: Conv2dParams = call.params()?;
    let sizes = Sizes::new(&p).ok_or(Fault::BadPlan)?;
    let start = p.weights.offset();
    let is_aligned = start.is_multiple_of(4) && start >= BEFORE_ROWS;
    let [constants, copy] = sizes.row_words(is_aligned).ok_or(Fault::BadPlan)?;
    let scratch = scratch(call, &p)?;
    let (constants, scratch) = scratch.split_at_checked(constants).ok_or(Fault::BadPlan)?;
    let (copy, scratch) = scratch.split_at_checked(copy).ok_or(Fault::BadPlan)?;
    prepare_constants(call, &p, rule, constants)?;
    let len = sizes.taps.checked_mul(sizes.channels).ok_or(Fault::BadPlan)?;
    let weights = call.constant(p.weights, len)?;
    let (bytes, start) = if copy.is_empty() && p.weights.region() == Some(Region::Constants) {
        // What lies before the weights may be read.
        (Bytes::new(call.constants.get(..start.wrapping_add(len)).ok_or(Fault::OutOfBounds)?), start)
    } else {
        copy_rows(weights, &sizes, copy);
        (Bytes::from(copy), BEFORE_ROWS)
    };
    convolve(call, &p, &sizes, scratch, BlockWeights::Rows { bytes, start, constants }, rule)
}

/// Copies filters so that each takes whole words.
fn copy_rows(weights: &[u8], sizes: &Sizes, to: &[Cell<i32>]) {
    let to = to.get(BEFORE_ROWS / 4..).unwrap_or_default();
    for (row, to) in weights.chunks_exact(sizes.taps).zip(to.chunks_exact(sizes.padded / 4)) {
        for (four, to) in row.chunks(4).zip(to) {
            let byte = |i| four.get(i).copied().unwrap_or(0);
            to.set(i32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]));
        }
    }
}

/// Makes the constants for [`block`] from those in the file and the plan.
#[inline(never)]
fn prepare_constants(call: &Call<'_>, p: &Conv2dParams, rule: Rule, to: &[Cell<i32>]) -> Result<(), Fault> {
    let channels = p.output_depth as usize;
    let bias = call.bias(p.bias, channels)?;
    let requant = call.requant(p.requant, p.requant_len)?;
    for (i, to) in to.chunks_exact(2).enumerate().take(channels) {
        let channel = without_weights(bias.get(i)?, requant.get(i)?, p.quant, rule);
        for (to, word) in to.iter().zip(constants(&channel, i % 2 == 1, rule)) {
            to.set(word);
        }
    }
    Ok(())
}

fn scratch<'a>(call: &Call<'a>, p: &Conv2dParams) -> Result<&'a [Cell<i32>], Fault> {
    let len = p.scratch_len as usize;
    words(call.view::<i8>(p.scratch, len)?.cells(0, len)?).ok_or(Fault::BadPlan)
}

/// Limits outputs where the least and the greatest are not those of int8.
fn clamp(out: &[Cell<i8>], [_, _, min, max]: [i8; 4]) {
    if (min, max) != (-128, 127) {
        out.iter().for_each(|out| out.set(out.get().min(max).max(min)));
    }
}

/// A layer as its pixels are gathered.
struct Windows<'a> {
    input: Rows<'a>,
    vertical: Axis,
    /// Height of filters; width, or 1 where a row of a filter is one segment.
    kernel: (usize, usize),
    /// Bytes of a pixel, of a segment, and of a step from one window to the next.
    depth: usize,
    segment: usize,
    step: usize,
    /// Bytes of a filter in whole words.
    padded: usize,
    zero_point: i8,
    minus: i32,
    x: &'a [Cell<i32>],
    /// Bytes of four pixels that are widened together; empty where segments are whole words.
    staged: &'a [Cell<i8>],
}

/// Computes the output rows of `call`.
#[inline(never)]
fn convolve<'a>(
    call: &Call<'a>,
    p: &Conv2dParams,
    sizes: &Sizes,
    scratch: &'a [Cell<i32>],
    weights: BlockWeights<'a>,
    rule: Rule,
) -> Result<(), Fault> {
    let [x, staged, outputs] = sizes.scratch_words().ok_or(Fault::BadPlan)?;
    let (x, scratch) = scratch.split_at_checked(x).ok_or(Fault::BadPlan)?;
    let (staged, scratch) = scratch.split_at_checked(staged).ok_or(Fault::BadPlan)?;
    let few = bytes_of(scratch.get(..outputs).ok_or(Fault::BadPlan)?);
    let channels = sizes.channels;
    let block = Block { weights, pairs: sizes.padded / 2, channels, rule, zero: p.quant[1].into() };
    let mut block = Runner::new(&block, x).ok_or(Fault::BadPlan)?;

    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let is_dilated = p.dilation.1 != 1;
    let depth = p.input_depth as usize;
    let windows = Windows {
        input,
        vertical: Axis { input: p.input_size.0, stride: p.stride.0, dilation: p.dilation.0, pad: p.pad.0 },
        kernel: (p.kernel.0.into(), if is_dilated { p.kernel.1.into() } else { 1 }),
        depth,
        segment: sizes.segment,
        step: usize::from(p.stride.1).wrapping_mul(depth),
        padded: sizes.padded,
        zero_point: p.quant[0],
        minus: minus(p.quant[0]),
        x,
        staged: bytes_of(staged),
    };

    let (first_row, end_row) = (call.rows.start.min(call.rows.end), call.rows.start.max(call.rows.end));
    let backwards = call.rows.start > call.rows.end;
    let count = end_row.wrapping_sub(first_row);
    let width = usize::from(p.output_size.1);
    // Rows are computed as one where they lie one after the other.
    let is_whole = width.wrapping_mul(channels) == p.output_stride as usize;
    let together = output.run(first_row, count).filter(|_| is_whole);
    let (runs, rows) = if together.is_some() { (1, count) } else { (count, 1) };
    let pixels = width.checked_mul(rows as usize).ok_or(Fault::BadPlan)?;
    let flat = together.and_then(|_| windows.flat(p, first_row, count));
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
            match flat {
                Some(row) => windows.gather_flat(row, first, pixels)?,
                None => windows.gather(p, y, first, width, pixels)?,
            }
            if pixels >= 4 {
                let start = first.wrapping_mul(channels);
                block.run(out.get(start..).ok_or(Fault::OutOfBounds)?, channels)?;
            } else {
                block.run(few, channels)?;
                out.iter().zip(few).for_each(|(to, from)| to.set(from.get()));
            }
            done = done.wrapping_add(4);
        }
        clamp(out, p.quant);
    }
    Ok(())
}

impl<'a> Windows<'a> {
    /// The input as one row, where every output pixel sees just the input pixel of the same number.
    fn flat(&self, p: &Conv2dParams, first: u32, count: u32) -> Option<&'a [Cell<i8>]> {
        let is_pointwise = p.kernel == (1, 1) && p.stride == (1, 1) && p.pad == (0, 0);
        let same = p.input_size == p.output_size && !self.is_staged();
        let whole = usize::from(p.input_size.1).wrapping_mul(self.depth) == p.input_stride as usize;
        self.input.run(first, count).filter(|_| is_pointwise && same && whole)
    }

    fn is_staged(&self) -> bool {
        !self.staged.is_empty()
    }

    /// Gathers pixels `first..first + 4`, of `pixels` in all, of a row.
    #[inline(always)]
    fn gather_flat(&self, row: &[Cell<i8>], first: usize, pixels: usize) -> Result<(), Fault> {
        let from = row.get(first.wrapping_mul(self.depth)..).ok_or(Fault::OutOfBounds)?;
        if pixels < 4 {
            for pixel in 0..pixels {
                let from = from.get(pixel.wrapping_mul(self.depth)..).ok_or(Fault::OutOfBounds)?;
                let to = self.x.get(pixel..).ok_or(Fault::BadPlan)?;
                widen(from, self.depth, self.minus, to).then_some(()).ok_or(Fault::OutOfBounds)?;
            }
            return Ok(());
        }
        widen_4(from, self.depth, self.depth, self.minus, self.x).then_some(()).ok_or(Fault::OutOfBounds)
    }

    /// Gathers the windows of output pixels `first..first + 4`, of `pixels` in all, counted from the start of
    /// row `y` on.
    #[inline(never)]
    fn gather(
        &self,
        p: &Conv2dParams,
        y: u32,
        first: usize,
        width: usize,
        pixels: usize,
    ) -> Result<(), Fault> {
        let row = first.checked_div(width).ok_or(Fault::BadPlan)?;
        let mut y = y.wrapping_add(row as u32);
        let mut x = first.wrapping_sub(row.wrapping_mul(width));
        // Four windows that do not reach into the padding at the sides.
        let reach = (usize::from(p.kernel.1).wrapping_sub(1)).wrapping_mul(p.dilation.1.into());
        let left = x.wrapping_mul(p.stride.1.into()).wrapping_sub(p.pad.1.into());
        let right = left.wrapping_add(usize::from(p.stride.1).wrapping_mul(3)).wrapping_add(reach);
        let inside = usize::from(p.input_size.1);
        if x.wrapping_add(4) <= width && left < inside && right < inside && !self.is_staged() {
            let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
            let top = batch.wrapping_mul(p.input_size.0.into());
            let mut x = self.x;
            for tap_y in 0..self.kernel.0 {
                let row = self.vertical.input_at(out_y, tap_y);
                let row = row.map(|in_y| self.input.row(top.wrapping_add(in_y as u32))).transpose()?;
                for tap_x in 0..self.kernel.1 {
                    let len = self.segment.wrapping_mul(2);
                    let (to, rest) = x.split_at_checked(len).ok_or(Fault::BadPlan)?;
                    x = rest;
                    let Some(row) = row else {
                        to.iter().for_each(|word| word.set(0));
                        continue;
                    };
                    let at = left.wrapping_add(tap_x.wrapping_mul(p.dilation.1.into()));
                    let from = row.get(at.wrapping_mul(self.depth)..).ok_or(Fault::OutOfBounds)?;
                    let done = widen_4(from, self.step, self.segment, self.minus, to);
                    done.then_some(()).ok_or(Fault::OutOfBounds)?;
                }
            }
            return Ok(());
        }
        for pixel in 0..pixels.min(4) {
            self.gather_one(p, y, x, pixel)?;
            x = x.wrapping_add(1);
            if x == width {
                (x, y) = (0, y.wrapping_add(1));
            }
        }
        if self.is_staged() {
            let done = widen_4(self.staged, self.padded, self.padded, self.minus, self.x);
            done.then_some(()).ok_or(Fault::BadPlan)?;
        }
        Ok(())
    }

    /// Gathers one window, the `pixel`-th of four.
    fn gather_one(&self, p: &Conv2dParams, y: u32, x: usize, pixel: usize) -> Result<(), Fault> {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let top = batch.wrapping_mul(p.input_size.0.into());
        let mut words = self.x.get(pixel..).ok_or(Fault::BadPlan)?;
        let mut staged = self.staged.get(pixel.wrapping_mul(self.padded)..).unwrap_or_default();
        let left = x.wrapping_mul(p.stride.1.into()).wrapping_sub(p.pad.1.into()) as isize;
        for tap_y in 0..self.kernel.0 {
            let row = self.vertical.input_at(out_y, tap_y);
            let row = row.map(|in_y| self.input.row(top.wrapping_add(in_y as u32))).transpose()?;
            let row = row.unwrap_or_default();
            for tap_x in 0..self.kernel.1 {
                let at = left.wrapping_add(tap_x.wrapping_mul(p.dilation.1.into()) as isize);
                let at = at.wrapping_mul(self.depth as isize);
                if self.is_staged() {
                    let (to, rest) = staged.split_at_checked(self.segment).ok_or(Fault::BadPlan)?;
                    staged = rest;
                    copy_padded(row, at, self.zero_point, to);
                } else {
                    let len = self.segment.wrapping_mul(2);
                    for (i, to) in words.chunks(8).take(self.segment / 4).enumerate() {
                        put(
                            load_padded(row, at.wrapping_add(4 * i as isize), self.zero_point),
                            self.minus,
                            to,
                        );
                    }
                    words = words.get(len..).unwrap_or_default();
                }
            }
        }
        Ok(())
    }
}

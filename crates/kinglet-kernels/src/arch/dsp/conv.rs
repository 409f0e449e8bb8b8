//! CONV_2D: every window becomes a run of int16 in scratch memory, 4 pixels at a time, for [`block`].
//!
//! [`block`]: super::block

use core::cell::Cell;

use super::block::{self, BEFORE_ROWS, Block, Bytes, FLOOR, PAIR_CONSTANTS, RowWeights, Runner};
use super::requant::{Channel, Rule, accumulator_range, quant_has_floor};
use super::widen::{Four, bytes_of, copy_padded, copy_segments, load_padded, minus, put, words};
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::rows::{Axis, Rows, batch_and_row, product};
use crate::quant::Multiplier;
use crate::{Call, Choice, Distances, Fault, How, Kernel, Overlap, Region, Weights};

/// Accumulators of layers in [`block`] are below 2^this.
const BITS: u32 = 23;

/// Least and greatest shift to the left of `Rule::Floor` in [`block`].
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
        // Segments are copied in whole words, the last one beyond its end.
        let staged = if self.is_staged() { self.padded.checked_add(1)? } else { 0 };
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

/// The channel as it is computed from packed weights: without them where they do not matter.
fn packed_channel(weights: &Weights<'_>, i: usize, taps: usize, quant: [i8; 4]) -> Option<Channel> {
    let mut row = weights.filter(i, taps)?;
    let bias = weights.bias(i);
    let range = accumulator_range(&mut row.clone(), bias, quant[0]);
    let channel = Channel::new(range, bias, (weights.factor)(i), quant)?;
    // A half that is 256 times a weight plus another needs the weight above -128.
    let is_packable = i.is_multiple_of(2) || channel.is_constant || row.all(|weight| weight > -128);
    (channel.bits <= BITS && is_packable).then_some(channel)
}

/// The channel as it is computed from weights in rows.
fn rows_channel(weights: &Weights<'_>, i: usize, taps: usize, quant: [i8; 4], rule: Rule) -> Option<Channel> {
    let mut row = weights.filter(i, taps)?;
    let (bias, factor) = (weights.bias(i), (weights.factor)(i));
    let range = accumulator_range(&mut row.clone(), bias, quant[0]);
    match Channel::varying(range, bias, factor).filter(|channel| fits(channel, rule)) {
        None if row.all(|weight| weight == 0) => Some(without_weights(bias, factor, quant, rule)),
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
            let mut filter = weights.filter(first + i, sizes.taps).filter(|_| counts)?;
            filter.nth(tap).map(i32::from)
        };
        for four in (0..sizes.padded).step_by(4) {
            for low in [four, four + 1] {
                let half = |tap| 256 * weight(1, tap).unwrap_or(0) + weight(0, tap).unwrap_or(0);
                put((half(low) & 0xffff) | half(low + 2) << 16);
            }
        }
    }
}

/// Packed weights, `Rule::Floor`.
#[inline(never)]
pub fn conv_2d_floor(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<true>(call, Rule::Floor)
}

/// Packed weights, `Rule::Rounded`.
#[inline(never)]
pub fn conv_2d_rounded(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<true>(call, Rule::Rounded)
}

/// Weights as in the file, `Rule::Floor`.
#[inline(never)]
pub fn conv_2d_rows_floor(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<false>(call, Rule::Floor)
}

/// Weights as in the file, `Rule::Rounded`.
#[inline(never)]
pub fn conv_2d_rows_rounded(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<false>(call, Rule::Rounded)
}

/// Finds weights in rows, and makes their constants. Returns them and the scratch memory that is left.
#[inline(never)]
fn rows<'a>(
    call: &Call<'a>,
    p: &Conv2dParams,
    sizes: &Sizes,
    scratch: &'a [Cell<i32>],
    rule: Rule,
) -> Result<(RowWeights<'a>, &'a [Cell<i32>]), Fault> {
    let start = p.weights.offset();
    let is_aligned = start.is_multiple_of(4) && start >= BEFORE_ROWS;
    let [constants, copy] = sizes.row_words(is_aligned).ok_or(Fault::BadPlan)?;
    let (constants, scratch) = scratch.split_at_checked(constants).ok_or(Fault::BadPlan)?;
    let (copy, scratch) = scratch.split_at_checked(copy).ok_or(Fault::BadPlan)?;
    prepare_constants(call, p, rule, constants)?;
    let len = sizes.taps.checked_mul(sizes.channels).ok_or(Fault::BadPlan)?;
    let weights = call.constant(p.weights, len)?;
    let (bytes, start) = if copy.is_empty() && p.weights.region() == Some(Region::Constants) {
        // What lies before the weights may be read.
        (Bytes::new(call.constants.get(..start.wrapping_add(len)).ok_or(Fault::OutOfBounds)?), start)
    } else {
        copy_rows(weights, sizes, copy);
        (Bytes::from(copy), BEFORE_ROWS)
    };
    Ok((RowWeights { bytes, start, constants }, scratch))
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

/// Limits outputs where the least and the greatest are not those of int8.
fn clamp(out: &[Cell<i8>], [_, _, min, max]: [i8; 4]) {
    if (min, max) != (-128, 127) {
        out.iter().for_each(|out| out.set(out.get().min(max).max(min)));
    }
}

/// A layer as its pixels are gathered.
struct Windows<'a> {
    p: &'a Conv2dParams,
    input: Rows<'a>,
    /// The memory that the input lies in: what is outside of an image may be read, not used.
    memory: &'a [Cell<i8>],
    /// Bytes of a pixel, of a segment, of a filter in whole words.
    depth: usize,
    segment: usize,
    padded: usize,
    /// Segments lie `row_step` bytes after each other: rows are not in a ring, taps of a row not dilated.
    is_regular: bool,
    row_step: usize,
    x: &'a [Cell<i32>],
    /// Bytes of four pixels that are widened together; empty where segments are whole words.
    staged: &'a [Cell<i8>],
}

/// Computes the output rows of `call`, with weights that are packed or as in the file.
#[inline(never)]
fn convolve<const PACKED: bool>(call: &Call<'_>, rule: Rule) -> Result<(), Fault> {
    // Not taken out of the result: parameters would stand on the stack twice.
    let p = call.params::<Conv2dParams>();
    let p = p.as_ref().map_err(|&fault| fault)?;
    let sizes = Sizes::new(p).ok_or(Fault::BadPlan)?;
    let len = p.scratch_len as usize;
    let scratch = words(call.view::<i8>(p.scratch, len)?.cells(0, len)?).ok_or(Fault::BadPlan)?;
    let (weights, scratch) = if PACKED {
        (None, scratch)
    } else {
        let (weights, scratch) = rows(call, p, &sizes, scratch, rule)?;
        (Some(weights), scratch)
    };
    let [x, staged, outputs] = sizes.scratch_words().ok_or(Fault::BadPlan)?;
    let (x, scratch) = scratch.split_at_checked(x).ok_or(Fault::BadPlan)?;
    let (staged, scratch) = scratch.split_at_checked(staged).ok_or(Fault::BadPlan)?;
    let few = bytes_of(scratch.get(..outputs).ok_or(Fault::BadPlan)?);
    let channels = sizes.channels;
    let block = Block { x, pairs: sizes.padded / 2, channels, rule, zero: p.quant[1].into() };
    let runner = match weights {
        Some(weights) if !PACKED => Runner::rows(&block, weights),
        _ => {
            let len = block::packed_bytes(sizes.padded / 2, channels).ok_or(Fault::BadPlan)?;
            Runner::packed(&block, Bytes::new(call.constant(p.weights, len)?))
        }
    };
    let mut block = runner.ok_or(Fault::BadPlan)?;

    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let all_rows = p.output_ring.checked_div(p.output_size.0.into()).ok_or(Fault::BadPlan)?;
    let windows = Windows {
        p,
        input,
        memory: if p.input.region() == Some(Region::State) { call.state } else { call.arena },
        depth: p.input_depth as usize,
        segment: sizes.segment,
        padded: sizes.padded,
        is_regular: p.dilation.1 == 1 && p.input_ring >= all_rows.wrapping_mul(p.input_size.0.into()),
        row_step: usize::from(p.dilation.0).wrapping_mul(p.input_stride as usize),
        x,
        staged: bytes_of(staged),
    };

    let (first_row, end_row) = (call.rows.start.min(call.rows.end), call.rows.start.max(call.rows.end));
    let backwards = call.rows.start > call.rows.end;
    let count = end_row.wrapping_sub(first_row);
    let width = usize::from(p.output_size.1);
    // Rows are computed as one where they lie one after the other.
    let is_whole = width.wrapping_mul(channels) == p.output_stride as usize;
    let together = is_whole && output.run(first_row, count).is_some();
    let (runs, rows) = if together { (1, count) } else { (count, 1) };
    let pixels = width.checked_mul(rows as usize).ok_or(Fault::BadPlan)?;
    let flat = if together { windows.flat(first_row, count) } else { None };
    for run in 0..runs {
        let run = if backwards { runs.wrapping_sub(run + 1) } else { run };
        let y = first_row.wrapping_add(run);
        let out = output.run(y, rows).ok_or(Fault::OutOfBounds)?;
        let mut done = 0;
        while done < pixels {
            // The last four may be computed twice in part; of fewer than four, the rest is computed for nothing.
            let last = pixels.saturating_sub(4);
            let first = if backwards { last.saturating_sub(done) } else { done.min(last) };
            done = done.wrapping_add(4);
            if pixels < 4 {
                windows.gather_each(y, first, width, pixels)?;
                block.run(few, channels)?;
                out.iter().zip(few).for_each(|(to, from)| to.set(from.get()));
                continue;
            }
            match flat {
                Some(row) => windows.gather_flat(row, first)?,
                None if windows.gather(y, first, width)? => {}
                None => windows.gather_each(y, first, width, 4)?,
            }
            block.run(out.get(first.wrapping_mul(channels)..).ok_or(Fault::OutOfBounds)?, channels)?;
        }
        clamp(out, p.quant);
    }
    Ok(())
}

fn signed(size: u16) -> isize {
    usize::from(size) as isize
}

/// Row and column of pixel `i`, counted from the start of row `y`.
fn row_and_column(y: u32, i: usize, width: usize) -> Result<(u32, usize), Fault> {
    let row = i.checked_div(width).ok_or(Fault::BadPlan)?;
    Ok((y.wrapping_add(row as u32), i.wrapping_sub(row.wrapping_mul(width))))
}

impl<'a> Windows<'a> {
    /// The input as one row, where every output pixel sees just the input pixel of the same number.
    fn flat(&self, first: u32, count: u32) -> Option<&'a [Cell<i8>]> {
        let p = self.p;
        let is_pointwise = p.kernel == (1, 1) && p.stride == (1, 1) && p.pad == (0, 0);
        let same = p.input_size == p.output_size && self.staged.is_empty();
        let whole = usize::from(p.input_size.1).wrapping_mul(self.depth) == p.input_stride as usize;
        self.input.run(first, count).filter(|_| is_pointwise && same && whole)
    }

    /// Four windows of one segment.
    fn four(&self, from: [*const i8; 4]) -> Four {
        let words = self.segment / 4;
        let to = self.x.as_ptr().cast_mut().cast();
        Four { from, to, minus: minus(self.p.quant[0]), words, segments: 1, step: 0 }
    }

    /// Gathers pixels `first..first + 4` of a row.
    #[inline(always)]
    fn gather_flat(&self, row: &[Cell<i8>], first: usize) -> Result<(), Fault> {
        let start = first.wrapping_mul(self.depth);
        let end = start.wrapping_add(self.depth.wrapping_mul(4));
        let pixels = row.get(start..end).filter(|_| self.x.len() >= self.depth.wrapping_mul(2));
        let at = pixels.ok_or(Fault::OutOfBounds)?.as_ptr().cast::<i8>();
        let four = self.four([0, 1, 2, 3].map(|i| at.wrapping_add(self.depth.wrapping_mul(i))));
        // SAFETY: four pixels and the scratch memory for them were just found to be there.
        unsafe { four.widen() };
        Ok(())
    }

    /// Gathers the windows of output pixels `first..first + 4`, counted from the start of row `y` on. False where
    /// that needs more care: [`Windows::gather_each`].
    #[inline(never)]
    fn gather(&self, y: u32, first: usize, width: usize) -> Result<bool, Fault> {
        let p = self.p;
        let (first_y, first_x) = row_and_column(y, first, width)?;
        let (batch, out_y) = batch_and_row(first_y, p.output_size.0)?;
        let top = out_y.wrapping_mul(p.stride.0.into()).wrapping_sub(p.pad.0.into()) as isize;
        let dilation = signed(p.dilation.0);
        let (height, taps) = (signed(p.input_size.0), signed(p.kernel.0));
        // Taps first_tap..end_tap of the filters' rows lie within the image.
        let (mut first_tap, mut end_tap) = (0, taps);
        while first_tap < taps && top.wrapping_add(first_tap.wrapping_mul(dilation)) < 0 {
            first_tap += 1;
        }
        while end_tap > first_tap && top.wrapping_add((end_tap - 1).wrapping_mul(dilation)) >= height {
            end_tap -= 1;
        }
        let is_one_row = first_x.wrapping_add(4) <= width;
        let is_whole = (first_tap, end_tap) == (0, taps);
        // The next rows' windows reach deeper: they are whole as well if the last one's is.
        let below = top.wrapping_add((taps - 1).wrapping_mul(dilation));
        let below = below.wrapping_add(signed(p.stride.0).wrapping_mul(3));
        let rest_is_whole = is_whole && below < height && out_y.wrapping_add(4) <= p.output_size.0.into();
        if !self.is_regular || first_tap >= end_tap || !(is_one_row || rest_is_whole) {
            return Ok(false);
        }

        let cells = self.memory;
        let rows_before = (batch as isize).wrapping_mul(height).wrapping_add(top);
        let rows_before = rows_before.wrapping_add(first_tap.wrapping_mul(dilation));
        let mut row_start =
            (p.input.offset() as isize).wrapping_add(rows_before.wrapping_mul(p.input_stride as isize));
        let stride = signed(p.stride.1);
        let depth = self.depth as isize;
        let first_left = (first_x as isize).wrapping_mul(stride).wrapping_sub(signed(p.pad.1));
        let first_start = row_start.wrapping_add(first_left.wrapping_mul(depth));
        let step = stride.wrapping_mul(depth);
        let mut lefts = [0, 1, 2, 3].map(|i| first_left.wrapping_add(stride.wrapping_mul(i)));
        let mut starts = [0, 1, 2, 3].map(|i| first_start.wrapping_add(step.wrapping_mul(i)));
        if !is_one_row {
            let mut x = first_x as isize;
            for (start, left) in starts.iter_mut().zip(&mut lefts) {
                *left = x.wrapping_mul(stride).wrapping_sub(signed(p.pad.1));
                *start = row_start.wrapping_add(left.wrapping_mul(depth));
                x = x.wrapping_add(1);
                if x == width as isize {
                    x = 0;
                    let rows = (p.input_stride as isize).wrapping_mul(signed(p.stride.0));
                    row_start = row_start.wrapping_add(rows);
                }
            }
        }
        let segments = (end_tap - first_tap) as usize;
        let words = self.segment.div_ceil(4);
        let last = (segments - 1).wrapping_mul(self.row_step).wrapping_add(words * 4);
        let least = starts.iter().fold(isize::MAX, |least, &start| start.min(least));
        let greatest = starts.iter().fold(isize::MIN, |greatest, &start| start.max(greatest));
        let ends = usize::try_from(greatest).ok().and_then(|greatest| greatest.checked_add(last));
        let size = (taps as usize).wrapping_mul(self.segment).wrapping_mul(2);
        if least < 0 || ends.is_none_or(|end| end > cells.len()) || self.x.len() < size {
            return Ok(false);
        }
        let from = starts.map(|start| cells.as_ptr().cast::<i8>().wrapping_offset(start));
        let above = (first_tap as usize).wrapping_mul(self.segment);
        if self.staged.is_empty() {
            let four = self.four(from);
            let four = Four {
                to: four.to.wrapping_add(above.wrapping_mul(2)),
                segments,
                step: self.row_step.wrapping_sub(self.segment) as isize,
                ..four
            };
            // SAFETY: all windows lie within the input, and `x` is long enough for all taps.
            unsafe { four.widen() };
        } else {
            for (i, &from) in from.iter().enumerate() {
                let start = i.wrapping_mul(self.padded).wrapping_add(above);
                let end =
                    start.wrapping_add((segments - 1).wrapping_mul(self.segment)).wrapping_add(words * 4);
                let to = self.staged.get(start..end).ok_or(Fault::BadPlan)?.as_ptr().cast_mut().cast();
                // SAFETY: the window lies within the input, and its place was just found to be there.
                unsafe { copy_segments(from, to, words, segments, self.row_step as isize, self.segment) };
            }
        }
        // What was read outside the image becomes zero.
        let kernel_width = signed(p.kernel.1);
        let [left, _, _, right] = lefts;
        let is_inside = is_one_row && left >= 0 && right.wrapping_add(kernel_width) <= signed(p.input_size.1);
        if is_inside && is_whole {
            self.widen_staged()?;
            return Ok(true);
        }
        for tap in (0..first_tap).chain(end_tap..taps) {
            for pixel in 0..4 {
                self.clear(pixel, (tap as usize).wrapping_mul(self.segment), self.segment);
            }
        }
        for (pixel, left) in lefts.into_iter().enumerate() {
            let before = left.wrapping_neg().clamp(0, kernel_width) as usize;
            let inside = (signed(p.input_size.1).wrapping_sub(left)).clamp(0, kernel_width) as usize;
            let (left, right) = (before.wrapping_mul(self.depth), inside.wrapping_mul(self.depth));
            let is_inside = left == 0 && right >= self.segment;
            let taps = if is_inside { 0..0 } else { first_tap..end_tap };
            for tap in taps {
                let start = (tap as usize).wrapping_mul(self.segment);
                if left > 0 {
                    self.clear(pixel, start, left);
                }
                if right < self.segment {
                    self.clear(pixel, start.wrapping_add(right), self.segment.wrapping_sub(right));
                }
            }
        }
        self.widen_staged()?;
        Ok(true)
    }

    /// Sets `len` values from `start` on of a pixel to zero.
    fn clear(&self, pixel: usize, start: usize, len: usize) {
        if !self.staged.is_empty() {
            let start = start.wrapping_add(pixel.wrapping_mul(self.padded));
            let bytes = self.staged.get(start..start.wrapping_add(len)).unwrap_or_default();
            bytes.iter().for_each(|byte| byte.set(self.p.quant[0]));
            return;
        }
        if start.is_multiple_of(4) && len.is_multiple_of(4) {
            let start = start.wrapping_mul(2);
            let words = self.x.get(start..start.wrapping_add(len.wrapping_mul(2))).unwrap_or_default();
            words.iter().skip(pixel).step_by(4).for_each(|word| word.set(0));
            return;
        }
        for i in start..start.wrapping_add(len) {
            // Values 0 and 2 of four share a word, 1 and 3 the next.
            let word = self.x.get((i / 4 * 2 + i % 2) * 4 + pixel);
            let keep = if i & 2 == 0 { 0xffff_0000_u32 } else { 0xffff };
            if let Some(word) = word {
                word.set(word.get() & keep as i32);
            }
        }
    }

    /// Widens what was staged.
    fn widen_staged(&self) -> Result<(), Fault> {
        if self.staged.is_empty() {
            return Ok(());
        }
        let len = self.padded.wrapping_mul(4);
        let bytes = self.staged.get(..len).filter(|_| self.x.len() >= len / 2).ok_or(Fault::BadPlan)?;
        let at = bytes.as_ptr().cast::<i8>();
        let from = [0, 1, 2, 3].map(|i| at.wrapping_add(self.padded.wrapping_mul(i)));
        let four = Four { words: self.padded / 4, ..self.four(from) };
        // SAFETY: the staged pixels and the scratch memory for them were just found to be there.
        unsafe { four.widen() };
        Ok(())
    }

    /// Gathers the windows of `count` output pixels one after the other, byte for byte.
    #[inline(never)]
    fn gather_each(&self, y: u32, first: usize, width: usize, count: usize) -> Result<(), Fault> {
        let p = self.p;
        let zero_point = p.quant[0];
        let vertical =
            Axis { input: p.input_size.0, stride: p.stride.0, dilation: p.dilation.0, pad: p.pad.0 };
        // A row of a filter is one segment, or each of its taps is.
        let segments = if p.dilation.1 == 1 { 1 } else { usize::from(p.kernel.1) };
        for pixel in 0..count {
            let (y, x) = row_and_column(y, first.wrapping_add(pixel), width)?;
            let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
            let top = batch.wrapping_mul(p.input_size.0.into());
            let left = x.wrapping_mul(p.stride.1.into()).wrapping_sub(p.pad.1.into()) as isize;
            let mut words = self.x.get(pixel..).ok_or(Fault::BadPlan)?;
            let mut staged = self.staged.get(pixel.wrapping_mul(self.padded)..).unwrap_or_default();
            for tap_y in 0..usize::from(p.kernel.0) {
                let row = vertical.input_at(out_y, tap_y);
                let row = row.map(|in_y| self.input.row(top.wrapping_add(in_y as u32))).transpose()?;
                let row = row.unwrap_or_default();
                for tap_x in 0..segments {
                    let at = left.wrapping_add(tap_x.wrapping_mul(p.dilation.1.into()) as isize);
                    let at = at.wrapping_mul(self.depth as isize);
                    if self.staged.is_empty() {
                        for (i, to) in words.chunks(8).take(self.segment / 4).enumerate() {
                            let bytes = load_padded(row, at.wrapping_add(4 * i as isize), zero_point);
                            put(bytes, minus(zero_point), to);
                        }
                        words = words.get(self.segment.wrapping_mul(2)..).unwrap_or_default();
                    } else {
                        let (to, rest) = staged.split_at_checked(self.segment).ok_or(Fault::BadPlan)?;
                        staged = rest;
                        copy_padded(row, at, zero_point, to);
                    }
                }
            }
        }
        self.widen_staged()
    }
}

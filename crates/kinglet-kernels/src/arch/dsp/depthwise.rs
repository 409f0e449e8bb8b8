//! DEPTHWISE_CONV_2D with 3x3 filters, stride 1 or 2.
//!
//! One input channel after the other is brought into rows of pairs (see [`depthwise_window`]), four at a time, and
//! convolved from there. Rows of pairs are a ring: a whole image of a small layer, two rows of a large one.
//!
//! A channel's output depends on that channel alone, and its rows are read to the ring before anything is written
//! over them: the output may lie exactly where the input lies.

use super::depthwise_window::{self as window, E, Strips, Taps, Widen};
use super::instructions::pair;
use super::requant::{floor_addend, quant_has_floor};
use super::widen::words;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::rows::{Rows, batch_and_row, product};
use crate::quant::Multiplier;
use crate::{Bias, Call, Choice, Fault, Kernel, Overlap, Requant, Weights};

/// The most bytes that rows of pairs take; two rows of two channels are always there.
const PAIRS_BYTES: usize = 1_160;
/// Channels whose constants are made once for all rows.
const KEPT: usize = 4;

/// Sizes in the scratch memory: first a pixel of padding, then for each channel of a group its rows of pairs.
struct Pairs {
    /// Words of a row.
    words: usize,
    /// Rows in the ring.
    rows: usize,
    /// The most channels that are brought into pairs at once: 4, 2 or 1.
    group: usize,
}

impl Pairs {
    fn new(p: &DepthwiseConv2dParams) -> Self {
        let stride = usize::from(p.stride.0).max(1);
        let words = usize::from(p.output_size.1).saturating_sub(1).wrapping_mul(stride).wrapping_add(3);
        // Two output rows with stride 1 and one with stride 2 begin at each row of pairs but the last.
        let all = usize::from(p.output_size.0).saturating_mul(stride).div_ceil(2).saturating_add(1);
        let fit = |group: usize| PAIRS_BYTES.checked_div(words.wrapping_mul(4 * group)).unwrap_or(0);
        // Four where they fit, but rather two of a whole image than four of some of its rows.
        let group = match p.input_depth {
            0 | 1 => 1,
            2 | 3 => 2,
            _ if fit(4) < 2 || (fit(4) < all && fit(2) >= all) => 2,
            _ => 4,
        };
        Self { words, rows: all.min(fit(group)).max(2), group }
    }

    fn bytes(&self) -> usize {
        self.words.saturating_mul(self.rows).saturating_mul(self.group).saturating_add(1).saturating_mul(4)
    }
}

/// How a channel's accumulators become outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Floor,
    Rounded,
    /// As the portable kernel does.
    Exact,
}

/// The greatest magnitude of a sum of nine products, and some.
const PRODUCTS: u32 = 9 * 128 * 256;

impl Mode {
    fn new(factor: Multiplier, bias: i32, [_, _, min, max]: [i8; 4], has_floor: bool) -> Self {
        let magnitude = bias.unsigned_abs().saturating_add(PRODUCTS);
        let exponent = -i32::from(factor.shift);
        let shift = E as i32 + 1 - exponent;
        if has_floor && (2..=8).contains(&shift) && magnitude < 1 << (31 - shift) {
            Self::Floor
        } else if (min, max) == (i8::MIN, i8::MAX) && exponent >= 2 && magnitude < 1 << 30 {
            Self::Rounded
        } else {
            Self::Exact
        }
    }
}

/// The kernel and what it needs; `None` when the layer is not for it.
pub(crate) fn choose(p: &DepthwiseConv2dParams, weights: &Weights<'_>) -> Option<Choice> {
    let fits = p.kernel == (3, 3)
        && p.dilation == (1, 1)
        && matches!(p.stride, (1, 1) | (2, 2))
        && p.pad.0 <= 1
        && p.pad.1 <= 1
        && weights.weights.len() == 9usize.checked_mul(p.output_depth as usize)?;
    if !fits {
        return None;
    }
    let has_floor = quant_has_floor(p.quant);
    let all_floor = (0..p.output_depth as usize)
        .all(|i| Mode::new((weights.factor)(i), weights.bias(i), p.quant, has_floor) == Mode::Floor);
    let kernel = match (p.stride.0, all_floor) {
        (1, true) => Kernel::Depthwise3x3Relu,
        (1, false) => Kernel::Depthwise3x3,
        (_, true) => Kernel::Depthwise3x3Stride2Relu,
        (_, false) => Kernel::Depthwise3x3Stride2,
    };
    let scratch = u32::try_from(Pairs::new(p).bytes()).ok()?;
    Some(Choice { scratch, ..Choice::new(kernel) }.with_overlap(overlap(p)))
}

/// How the output may lie over the input: a pixel of the output takes the place of one that no later output of
/// the channel needs.
pub(crate) fn overlap(p: &DepthwiseConv2dParams) -> Overlap {
    let is_no_wider = p.output_size.1 <= p.input_size.1 && p.output_size.0 <= p.input_size.0;
    if p.depth_multiplier == 1 && is_no_wider && p.output_stride <= p.input_stride {
        Overlap::InPlace
    } else {
        Overlap::Never
    }
}

/// A loop over strips of one channel.
///
/// # Safety
/// As for [`window::floor_1`].
type Loop = unsafe fn(&Strips, &Channel, [i8; 4]);

unsafe fn floor_1(block: &Strips, _: &Channel, _: [i8; 4]) {
    // SAFETY: the caller's contract is the same.
    unsafe { window::floor_1(block) }
}

unsafe fn floor_2(block: &Strips, _: &Channel, _: [i8; 4]) {
    // SAFETY: the caller's contract is the same.
    unsafe { window::floor_2(block) }
}

unsafe fn any_1(block: &Strips, channel: &Channel, quant: [i8; 4]) {
    match channel.mode {
        // SAFETY: the caller's contract is the same.
        Mode::Floor => unsafe { window::floor_1(block) },
        // SAFETY: the caller's contract is the same.
        Mode::Rounded => unsafe { window::rounded_1(block) },
        // SAFETY: the caller's contract is the same.
        Mode::Exact => unsafe { window::strips::<1>(block, |acc| exact(acc, channel.factor, quant)) },
    }
}

unsafe fn any_2(block: &Strips, channel: &Channel, quant: [i8; 4]) {
    match channel.mode {
        // SAFETY: the caller's contract is the same.
        Mode::Floor => unsafe { window::floor_2(block) },
        // SAFETY: the caller's contract is the same.
        Mode::Rounded => unsafe { window::rounded_2(block) },
        // SAFETY: the caller's contract is the same.
        Mode::Exact => unsafe { window::strips::<2>(block, |acc| exact(acc, channel.factor, quant)) },
    }
}

fn exact(acc: i32, factor: Multiplier, [_, zero, min, max]: [i8; 4]) -> i32 {
    factor.apply(acc).wrapping_add(zero.into()).min(max.into()).max(min.into())
}

/// 3x3, stride 1, any quantisation. The output may lie exactly where the input lies.
pub fn depthwise_3x3(call: &Call<'_>) -> Result<(), Fault> {
    depthwise(call, any_1, false)
}

/// 3x3, stride 1, behind a ReLU. The output may lie exactly where the input lies.
pub fn depthwise_3x3_relu(call: &Call<'_>) -> Result<(), Fault> {
    depthwise(call, floor_1, true)
}

/// 3x3, stride 2, any quantisation. The output may lie exactly where the input lies.
pub fn depthwise_3x3_stride_2(call: &Call<'_>) -> Result<(), Fault> {
    depthwise(call, any_2, false)
}

/// 3x3, stride 2, behind a ReLU. The output may lie exactly where the input lies.
pub fn depthwise_3x3_stride_2_relu(call: &Call<'_>) -> Result<(), Fault> {
    depthwise(call, floor_2, true)
}

/// Where a layer's constants are.
struct Constants<'a> {
    weights: &'a [i8],
    bias: Bias<'a>,
    requant: Requant<'a>,
    depth: usize,
    quant: [i8; 4],
    all_floor: bool,
}

/// A channel's constants.
#[derive(Clone, Copy)]
struct Channel {
    taps: Taps,
    factor: Multiplier,
    mode: Mode,
}

impl Channel {
    const NONE: Self = Self {
        taps: Taps { upper: [0; 3], lower: [0; 3], bias: 0, multiplier: 0, last: 0, zero: 0 },
        factor: Multiplier { multiplier: 0, shift: 0 },
        mode: Mode::Floor,
    };
}

impl Constants<'_> {
    #[inline(never)]
    fn channel(&self, channel: usize, out: &mut Channel) -> Result<(), Fault> {
        let [input_zero, output_zero, ..] = self.quant;
        let factor = self.requant.get(channel)?;
        let bias = self.bias.get(channel)?;
        let mode = if self.all_floor {
            Mode::Floor
        } else {
            Mode::new(factor, bias, self.quant, quant_has_floor(self.quant))
        };
        let exponent = i32::from(factor.shift).wrapping_neg() as u32;
        let (shift, last) = match mode {
            Mode::Floor => {
                let shift = E.wrapping_add(1).wrapping_sub(exponent).clamp(2, 8);
                (shift, floor_addend(E, shift))
            }
            Mode::Rounded => (1, 1i32.wrapping_shl(32u32.wrapping_sub(exponent))),
            Mode::Exact => (0, 0),
        };
        let weights = self.weights.get(channel..).filter(|rest| rest.len() > self.depth.wrapping_mul(8));
        let first = weights.ok_or(Fault::OutOfBounds)?.as_ptr();
        let tap = |i: usize| {
            // SAFETY: there are more than `8 * depth` weights from the first on, and `i` is at most 8.
            i32::from(unsafe { *first.wrapping_add(i.wrapping_mul(self.depth)) })
        };
        let (a, b, c) = (tap(0), tap(1), tap(2));
        let (d, e, f) = (tap(3), tap(4), tap(5));
        let (g, h, i) = (tap(6), tap(7), tap(8));
        let sum = a + b + c + d + e + f + g + h + i;
        let pair = |low: i32, high: i32| pair(low.wrapping_shl(shift), high.wrapping_shl(shift));
        out.taps.upper = [pair(a, d), pair(b, e), pair(c, f)];
        out.taps.lower = [pair(d, g), pair(e, h), pair(f, i)];
        out.taps.bias = bias.wrapping_sub(sum.wrapping_mul(input_zero.into())).wrapping_shl(shift);
        out.taps.multiplier = factor.multiplier;
        out.taps.last = last;
        out.taps.zero = output_zero.into();
        out.factor = factor;
        out.mode = mode;
        Ok(())
    }
}

#[inline(never)]
fn depthwise(call: &Call<'_>, run: Loop, all_floor: bool) -> Result<(), Fault> {
    let p: DepthwiseConv2dParams = call.params()?;
    let stride = usize::from(p.stride.0);
    let (input_depth, depth) = (p.input_depth as usize, p.output_depth as usize);
    let multiplier = p.depth_multiplier as usize;
    let (input_width, output_width) = (usize::from(p.input_size.1), usize::from(p.output_size.1));
    let pad = usize::from(p.pad.1);
    let taps = product([9, p.output_depth])?;
    let constants = Constants {
        weights: call.weights(p.weights, taps)?,
        bias: call.bias(p.bias, depth)?,
        requant: call.requant(p.requant, p.requant_len)?,
        depth,
        quant: p.quant,
        all_floor,
    };
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let pairs = Pairs::new(&p);
    let scratch = call.view::<i8>(p.scratch, pairs.bytes())?.cells(0, pairs.bytes())?;
    let scratch = words(scratch).ok_or(Fault::BadPlan)?;
    let inside = pairs.words.saturating_sub(pad).min(input_width);
    // The sizes that pointers below rely on, beside those that `Rows` and `words` have seen to.
    let is_sound = matches!(p.stride, (1, 1) | (2, 2))
        && p.kernel == (3, 3)
        && input_depth.checked_mul(multiplier) == Some(depth)
        && input_width.checked_mul(input_depth).is_some_and(|bytes| bytes <= p.input_stride as usize)
        && output_width.checked_mul(depth).is_some_and(|bytes| bytes <= p.output_stride as usize)
        && [output_width, depth, inside, p.input_ring as usize].iter().all(|&size| size > 0);
    let (Some((padding, ring)), true) = (scratch.split_first(), is_sound) else {
        return Err(Fault::BadPlan);
    };
    let [input_zero, ..] = p.quant;
    padding.set(i32::from_ne_bytes([input_zero as u8; 4]));
    for word in ring {
        word.set(pair(input_zero.into(), input_zero.into()));
    }
    let plane = pairs.words * pairs.rows;
    let rows_a_strip = if stride == 1 { 2 } else { 1 };
    let (input_row, output_row) = (p.input_stride as usize, p.output_stride as usize);
    let pairs_row = pairs.words * 4;
    let mut make = Widen {
        upper: core::ptr::null(),
        lower: core::ptr::null(),
        upper_step: 0,
        lower_step: 0,
        pairs: core::ptr::null_mut(),
        plane: plane * 4,
        pixels: inside,
        rows: 0,
        gap: 2 * input_row as isize - (inside * input_depth) as isize,
        pairs_gap: pairs_row - inside * 4,
    };
    let mut block = Strips {
        pairs: core::ptr::null(),
        next_pairs: 0,
        output: core::ptr::null_mut(),
        second_row: 0,
        pixel: depth,
        twos: output_width / 2 * 8 * stride,
        strips: 0,
        row: pairs_row,
        gap: (output_row * rows_a_strip) as isize - (output_width / 2 * 2 * depth) as isize,
        last_second_row: 0,
        one: output_width % 2,
        taps: core::ptr::null(),
    };

    let mut kept = [Channel::NONE; KEPT];
    let (mut first, end) = (call.rows.start.min(call.rows.end), call.rows.end.max(call.rows.start));
    while first < end {
        // Rows of one image that follow each other in the memory of the output.
        let (batch, out_y) = batch_and_row(first, p.output_size.0)?;
        let in_ring = first.checked_rem(p.output_ring).ok_or(Fault::BadPlan)?;
        let height = u32::from(p.output_size.0).wrapping_sub(out_y as u32).min(p.output_ring - in_ring);
        let height = height.min(end - first) as usize;
        let mut to = output.row(first)?.as_ptr().cast::<i8>().cast_mut();
        let first_row = batch.wrapping_mul(p.input_size.0.into());
        let from = |y: i32| {
            input.cells().as_ptr().cast::<i8>().wrapping_add(input.start(first_row.wrapping_add(y as u32)))
        };
        let is_inside = |y: i32| (y as u32) < u32::from(p.input_size.0);
        let top = (out_y.wrapping_mul(stride) as i32).wrapping_sub(p.pad.0.into());
        let all_strips = height.div_ceil(rows_a_strip);
        let mut channel = 0;
        while channel < input_depth {
            let group = match input_depth - channel {
                1 => 1,
                left if left < pairs.group => 2,
                _ => pairs.group,
            };
            let outputs = group * multiplier;
            let keep = outputs <= KEPT;
            // Strips done, and rows of pairs made, by number and by slot in the ring.
            let (mut strip, mut strip_slot, mut made, mut made_slot) = (0, 0, 0usize, 0);
            let mut in_y = top;
            block.output = to;
            while strip < all_strips {
                // As many strips as follow each other in the ring.
                let is_at_end = strip_slot + 1 == pairs.rows;
                let strips =
                    (all_strips - strip).min(if is_at_end { 1 } else { pairs.rows - 1 - strip_slot });

                while made <= strip + strips {
                    // One row of pairs, or all that lie within the image, the ring and the memory of the input.
                    (make.upper, make.upper_step) = (padding.as_ptr().cast::<i8>().cast_const(), 0);
                    (make.lower, make.lower_step) = (make.upper, 0);
                    make.rows = 1;
                    if is_inside(in_y) {
                        (make.upper, make.upper_step) = (from(in_y).wrapping_add(channel), input_depth);
                    }
                    if is_inside(in_y + 1) {
                        (make.lower, make.lower_step) = (from(in_y + 1).wrapping_add(channel), input_depth);
                        let rows = u32::from(p.input_size.0).wrapping_sub(in_y as u32) as usize / 2;
                        let is_whole = first_row.wrapping_add(p.input_size.0.into()) <= p.input_ring;
                        if make.upper_step > 0 && is_whole {
                            make.rows = rows.min(strip + strips + 1 - made).min(pairs.rows - made_slot);
                        }
                    }
                    make.pairs =
                        ring.as_ptr().wrapping_add(made_slot * pairs.words + pad).cast::<i32>().cast_mut();
                    // SAFETY: rows are at least `input_width * input_depth` bytes, of which `inside` pixels from
                    // `channel` on are read, `group` bytes of each; the padding is four bytes. With more rows of
                    // pairs than one, all rows of the image lie one after the other. The scratch memory has
                    // `group` planes of `pairs.rows` rows of `pairs.words` words, and `pad + inside` is at most
                    // that.
                    unsafe { widen(&make, group) }
                    made += make.rows;
                    in_y = in_y.wrapping_add(2 * make.rows as i32);
                    made_slot += make.rows;
                    if made_slot == pairs.rows {
                        made_slot = 0;
                    }
                }

                block.pairs = ring.as_ptr().wrapping_add(strip_slot * pairs.words).cast::<i32>();
                block.next_pairs =
                    if is_at_end { pairs_row as isize - 4 * plane as isize } else { pairs_row as isize };
                block.strips = strips;
                strip += strips;
                let has_odd_row = stride == 1 && strip == all_strips && height % 2 == 1;
                block.last_second_row = if has_odd_row { 0 } else { output_row as isize };
                block.second_row = if strips == 1 { block.last_second_row } else { output_row as isize };
                let next_output = block.output.wrapping_add(strips * rows_a_strip * output_row);
                let mut left = multiplier;
                for i in 0..outputs {
                    let kept = kept.get_mut(if keep { i } else { 0 }).ok_or(Fault::BadPlan)?;
                    if !keep || strip == strips {
                        constants.channel(channel * multiplier + i, kept)?;
                    }
                    block.taps = &kept.taps;
                    // SAFETY: rows of pairs are as long as all windows of an output row; `strips` of them and the
                    // one below lie `row` or `next_pairs` apart in the ring. So many output rows, of at least
                    // `output_width * depth` bytes, follow each other in the memory of the output.
                    unsafe { run(&block, kept, p.quant) }
                    block.output = block.output.wrapping_add(1);
                    left -= 1;
                    if left == 0 {
                        left = multiplier;
                        block.pairs = block.pairs.wrapping_add(plane);
                    }
                }
                block.output = next_output;
                strip_slot += strips;
                if strip_slot >= pairs.rows {
                    strip_slot -= pairs.rows;
                }
            }
            channel += group;
            to = to.wrapping_add(outputs);
        }
        first += height as u32;
    }
    Ok(())
}

/// Makes rows of pairs of 4, 2 or 1 channels.
///
/// # Safety
/// As for [`window::widen_four`], for `group` channels.
unsafe fn widen(block: &Widen, group: usize) {
    match group {
        // SAFETY: the caller's contract is the same.
        4 => unsafe { window::widen_four(block) },
        // SAFETY: the same.
        2 => unsafe { window::widen_two(block) },
        // SAFETY: the same.
        _ => unsafe { window::widen_one(block, 0) },
    }
}

//! DEPTHWISE_CONV_2D with 3x3 filters, stride 1: tiles of 2x2 outputs.
//!
//! The input under a tile, 4x4 pixels of one channel, is a vector, which a VMLADAV multiplies by the filter at one of
//! four places: 36 products for one load. To that end rows are brought into strips: for each pixel and channel a word
//! with the values of four rows. A band of strips is filled, then every channel of it computed; two tiles at a time.

use super::copy::fill;
use super::requant::{self, CONSTANTS};
use crate::arch::dsp::depthwise::overlap;
use crate::arch::dsp::requant::Rule;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::rows::{Rows, batch_and_row, product};
use crate::{Call, Choice, Fault, Kernel, Weights};

/// The most bytes of strips, if two fit.
const STRIPS_BYTES: usize = 8 * 1024;
/// Bytes of a channel's filter, the values of a column together: 4 columns of 4.
const FILTER: usize = 16;
/// Zeros in front of all filters.
const BEFORE: usize = 8;

/// Sizes of a layer.
struct Sizes {
    channels: usize,
    /// Outputs and inputs of a row.
    width: usize,
    input_width: usize,
    /// Bytes of a strip, and how many there are.
    strip: usize,
    strips: usize,
    /// Words of the table of tiles.
    table: usize,
}

impl Sizes {
    fn new(p: &DepthwiseConv2dParams) -> Option<Self> {
        let channels = product([p.input_depth]).ok()?;
        let (width, input_width) = (usize::from(p.output_size.1), usize::from(p.input_size.1));
        let is_regular = p.kernel == (3, 3)
            && p.stride == (1, 1)
            && p.dilation == (1, 1)
            && p.depth_multiplier == 1
            && p.output_depth == p.input_depth
            && p.pad.0 <= 1
            && p.pad.1 <= 1
            && width >= 2
            && p.output_size.0 >= 1
            && usize::from(p.pad.1) + input_width <= width + 2;
        let row = input_width.checked_mul(channels)?;
        if !is_regular || channels == 0 || !row.is_multiple_of(16) || row == 0 {
            return None;
        }
        let strip = (width + 2).checked_mul(channels)?.checked_mul(4)?;
        let most = usize::from(p.output_size.0).div_ceil(2).max(2);
        let strips = STRIPS_BYTES.checked_div(strip)?.clamp(2, most);
        let tiles = strips.checked_mul(width.div_ceil(2))?.checked_next_multiple_of(2)?;
        Some(Self { channels, width, input_width, strip, strips, table: tiles.checked_mul(2)? })
    }

    fn row(&self) -> usize {
        self.input_width.max(self.width).wrapping_mul(self.channels)
    }

    /// Bytes of scratch: the table; a row of padding; two rows; the strips.
    fn scratch(&self) -> Option<[usize; 4]> {
        let row = self.row();
        Some([self.table.checked_mul(4)?, row, row.checked_mul(2)?, self.strip.checked_mul(self.strips)?])
    }
}

fn packed_bytes(channels: usize) -> Option<usize> {
    channels.checked_mul(FILTER + CONSTANTS * 4)?.checked_add(BEFORE)
}

/// Chooses the kernel; `None` where it is not for the layer.
pub(crate) fn choose(p: &DepthwiseConv2dParams, weights: &Weights<'_>) -> Option<Choice> {
    let sizes = Sizes::new(p)?;
    let channels = sizes.channels;
    let is_exact = |i| requant::channel(weights, p.quant, i, 9, |i, tap| tap * channels + i).is_some();
    if !(0..channels).all(is_exact) {
        return None;
    }
    let kernel = match requant::rule(p.quant) {
        Rule::Floor => Kernel::Depthwise3x3MveFloor,
        Rule::Rounded => Kernel::Depthwise3x3MveRounded,
    };
    let scratch = sizes.scratch()?.iter().try_fold(0usize, |sum, &len| sum.checked_add(len))?;
    let prepared = u32::try_from(packed_bytes(channels)?).ok()?;
    let scratch = u32::try_from(scratch).ok()?;
    Some(Choice { scratch, prepared, ..Choice::new(kernel).with_overlap(overlap(p)) })
}

/// Packs filters, then constants.
pub(crate) fn pack(p: &DepthwiseConv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let channels = p.input_depth as usize;
    let filters = BEFORE + channels * FILTER;
    if out.len() < filters {
        return;
    }
    let (filters, constants) = out.split_at_mut(filters);
    let filters = filters.get_mut(BEFORE..).unwrap_or_default().chunks_exact_mut(FILTER);
    for (i, (filter, constants)) in filters.zip(constants.chunks_exact_mut(CONSTANTS * 4)).enumerate() {
        let at = |i: usize, tap: usize| tap * channels + i;
        let Some(channel) = requant::channel(weights, p.quant, i, 9, at) else {
            continue;
        };
        for (x, column) in filter.chunks_exact_mut(4).take(3).enumerate() {
            for (y, to) in column.iter_mut().take(3).enumerate() {
                let weight = weights.weights.get(at(i, y * 3 + x)).filter(|_| !channel.is_constant);
                *to = weight.map_or(0, |&weight| weight as u8);
            }
        }
        for (to, word) in constants.chunks_exact_mut(4).zip(channel.constants) {
            to.copy_from_slice(&word.to_le_bytes());
        }
    }
}

/// 3x3, stride 1, outputs of a ReLU. The output may lie exactly where the input lies.
pub fn depthwise_3x3_floor(call: &Call<'_>) -> Result<(), Fault> {
    depthwise(call, Rule::Floor)
}

/// 3x3, stride 1. The output may lie exactly where the input lies.
pub fn depthwise_3x3_rounded(call: &Call<'_>) -> Result<(), Fault> {
    depthwise(call, Rule::Rounded)
}

/// What the inner loops read.
#[repr(C)]
struct Tiles {
    /// For each tile two words: where it lies in the strips, where its outputs lie from `output` on.
    table: *const i32,
    table_end: *const i32,
    filters: *const u8,
    constants: *const u8,
    strips: *const i8,
    /// Bytes from column to column in a strip.
    column: usize,
    output: *mut i8,
    /// Bytes from row to row and from pixel to pixel of the output.
    row: usize,
    pixel: usize,
    channels: usize,
}

#[inline(never)]
fn depthwise(call: &Call<'_>, rule: Rule) -> Result<(), Fault> {
    let p: DepthwiseConv2dParams = call.params()?;
    let sizes = Sizes::new(&p).ok_or(Fault::BadPlan)?;
    let Sizes { channels, width, .. } = sizes;
    let packed = call.constant(p.weights, packed_bytes(channels).ok_or(Fault::BadPlan)?)?;
    let filters = packed.get(BEFORE..).ok_or(Fault::BadPlan)?;
    let constants = filters.get(channels * FILTER..).ok_or(Fault::BadPlan)?;
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let scratch = call.view::<i8>(p.scratch, p.scratch_len as usize)?;
    let [table_len, padding_len, spare_len, strips_len] = sizes.scratch().ok_or(Fault::BadPlan)?;
    let table = crate::arch::dsp::widen::words(scratch.cells(0, table_len)?).ok_or(Fault::BadPlan)?;
    let padding = scratch.cells(table_len, padding_len)?;
    let spare = scratch.cells(table_len + padding_len, spare_len)?;
    let strips = scratch.cells(table_len + padding_len + spare_len, strips_len)?;
    let row_bytes = sizes.input_width * channels;
    let is_sound = row_bytes <= p.input_stride as usize
        && width * channels <= p.output_stride as usize
        && strips.as_ptr().addr().is_multiple_of(4)
        && constants.as_ptr().addr().is_multiple_of(4);
    if !is_sound {
        return Err(Fault::BadPlan);
    }
    fill(padding, p.quant[0]);
    // Columns of padding: they stay.
    let left = usize::from(p.pad.1) * channels * 4;
    for strip in strips.chunks_exact(sizes.strip) {
        fill(strip.get(..left).unwrap_or_default(), p.quant[0]);
        fill(strip.get(left + row_bytes * 4..).unwrap_or_default(), p.quant[0]);
    }

    let (mut first, end) = (call.rows.start.min(call.rows.end), call.rows.end.max(call.rows.start));
    let saved = spare.get(..row_bytes).ok_or(Fault::BadPlan)?;
    let mut has_saved = false;
    // Rows that the table is for.
    let mut tiled = 0;
    let mut tiles = 0;
    while first < end {
        // Rows of one image that follow each other in the memory of the output; never one alone behind others.
        let (batch, out_y) = batch_and_row(first, p.output_size.0)?;
        let in_ring = first.checked_rem(p.output_ring).ok_or(Fault::BadPlan)?;
        let left_in_image = u32::from(p.output_size.0).wrapping_sub(out_y as u32);
        let left = left_in_image.min(p.output_ring - in_ring).min(end - first) as usize;
        let most = 2 * sizes.strips;
        let rows = if left <= most {
            left
        } else if left - most == 1 {
            most - 2
        } else {
            most
        };
        if out_y == 0 {
            has_saved = false;
        }
        let top = batch.wrapping_mul(p.input_size.0.into());
        let start = |strip: usize| (2 * strip).min(rows.saturating_sub(2));
        let used = rows.div_ceil(2);
        for (strip, to) in strips.chunks_exact(sizes.strip).enumerate().take(used) {
            let from = |k: usize| {
                let y = out_y.wrapping_add(start(strip)).wrapping_add(k).wrapping_sub(p.pad.0.into());
                if y >= usize::from(p.input_size.0) {
                    return Ok(padding);
                }
                if y < out_y && has_saved { Ok(saved) } else { input.row(top.wrapping_add(y as u32)) }
            };
            let from = [from(0)?, from(1)?, from(2)?, from(3)?];
            let to = to.get(usize::from(p.pad.1) * channels * 4..).ok_or(Fault::BadPlan)?;
            if from.iter().any(|from| from.len() < row_bytes) || to.len() < row_bytes * 4 {
                return Err(Fault::OutOfBounds);
            }
            // SAFETY: the rows are as long as that, and what is written is four times as long.
            unsafe {
                inner::interleave(
                    from.map(|from| from.as_ptr().cast()),
                    to.as_ptr().cast_mut().cast(),
                    row_bytes / 16,
                );
            }
        }
        if tiled != rows {
            (tiled, tiles) = (rows, 0);
            let mut put = |strip: usize, x: usize| {
                let words = [
                    strip * sizes.strip + x * channels * 4,
                    start(strip) * p.output_stride as usize + x * channels,
                ];
                for word in words {
                    if let Some(to) = table.get(tiles) {
                        to.set(word as i32);
                    }
                    tiles += 1;
                }
            };
            for strip in 0..used {
                for x in 0..width.div_ceil(2) {
                    put(strip, (2 * x).min(width - 2));
                }
            }
            if used * width.div_ceil(2) % 2 == 1 {
                put(used - 1, width - 2);
            }
        }
        let table = table.get(..tiles).ok_or(Fault::BadPlan)?;
        // A row alone is computed with one more, outside of the output.
        let out = output.run(first, rows as u32).ok_or(Fault::OutOfBounds)?;
        let (to, row) = if rows == 1 { (spare, width * channels) } else { (out, p.output_stride as usize) };
        // The last row is needed again, and may be about to be written over.
        if rows > 1 && p.pad.0 == 1 {
            let last = input
                .row(top.wrapping_add((out_y + rows - 1).min(usize::from(p.input_size.0) - 1) as u32))?;
            super::copy::copy(
                last,
                saved,
                &super::copy::Windows {
                    row: 0,
                    rows: 1,
                    segment: row_bytes,
                    to_row: 0,
                    step: 0,
                    to_step: 0,
                    windows: 1,
                },
            );
            has_saved = true;
        }
        let args = Tiles {
            table: table.as_ptr().cast(),
            table_end: table.as_ptr().wrapping_add(tiles).cast(),
            filters: filters.as_ptr(),
            constants: constants.as_ptr(),
            strips: strips.as_ptr().cast(),
            column: channels * 4,
            output: to.as_ptr().cast_mut().cast(),
            row,
            pixel: channels,
            channels,
        };
        match rule {
            // SAFETY: tiles lie within the strips; their outputs are two rows within `rows`, of which there are at
            // least two in the output or in `spare`, and two pixels within `width`, of `channels` each.
            Rule::Floor => unsafe { inner::floor(&args) },
            // SAFETY: the same.
            Rule::Rounded => unsafe { inner::rounded(&args) },
        }
        if rows == 1 {
            out.iter().zip(spare).take(width * channels).for_each(|(to, from)| to.set(from.get()));
            has_saved = false;
        }
        super::conv::clamp(out, p.quant);
        first += rows as u32;
    }
    Ok(())
}

#[cfg(kinglet_family = "mve")]
mod inner {
    use super::Tiles;
    use core::arch::naked_asm;

    /// # Safety
    /// `sixteens` times 16 bytes, not 0, are readable in each row; four times as many are writable at `to`, which is
    /// aligned to words.
    pub(super) unsafe fn interleave([a, b, c, d]: [*const i8; 4], to: *mut i8, sixteens: usize) {
        // SAFETY: the caller's promise.
        unsafe { interleave_rows(a, b, c, d, to, sixteens) }
    }

    #[unsafe(naked)]
    unsafe extern "C" fn interleave_rows(
        a: *const i8,
        b: *const i8,
        c: *const i8,
        d: *const i8,
        to: *mut i8,
        sixteens: usize,
    ) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4, lr}}",
            "ldrd r4, lr, [sp, #8]",
            "dls lr, lr",
            "2:",
            "vldrb.u8 q0, [r0], #16",
            "vldrb.u8 q1, [r1], #16",
            "vldrb.u8 q2, [r2], #16",
            "vldrb.u8 q3, [r3], #16",
            "vst40.8 {{q0, q1, q2, q3}}, [r4]",
            "vst41.8 {{q0, q1, q2, q3}}, [r4]",
            "vst42.8 {{q0, q1, q2, q3}}, [r4]",
            "vst43.8 {{q0, q1, q2, q3}}, [r4]!",
            "le lr, 2b",
            "pop {{r4, pc}}",
        )
    }

    // Registers: r1 table, r11 its end, r3, r5, r7, r9 two tiles; q2 addresses of outputs, q3 of columns, q4-q7 the
    // filter at its four places. On the stack: the channel's constants, the next filter, the next constants, the
    // table, channels left.
    macro_rules! tiles {
        ($name:ident, $sign:literal, $sign_2:literal) => {
            /// # Safety
            /// Every tile lies within the strips, and its outputs within the output.
            #[unsafe(naked)]
            pub(super) unsafe extern "C" fn $name(args: *const Tiles) {
                naked_asm!(
                    core_of_asm!(),
                    "push {{r4-r11, lr}}",
                    "vpush {{d8-d15}}",
                    "sub sp, sp, #36",
                    "ldm r0!, {{r1-r6}}",
                    "mov r11, r2",
                    "strd r3, r4, [sp, #16]",
                    "str r1, [sp, #24]",
                    "add r7, r5, r6",
                    "add r8, r7, r6",
                    "add r9, r8, r6",
                    "vmov d6, r5, r7",
                    "vmov d7, r8, r9",
                    "ldm r0, {{r1-r4}}",
                    "add r5, r1, r3",
                    "add r6, r1, r2",
                    "add r7, r5, r2",
                    "vmov d4, r1, r5",
                    "vmov d5, r6, r7",
                    "str r4, [sp, #28]",
                    // A channel.
                    "3:",
                    "ldr r0, [sp, #16]",
                    "vldrb.u8 q4, [r0]",
                    "vldrb.u8 q5, [r0, #-4]",
                    "vldrb.u8 q6, [r0, #-1]",
                    "vldrb.u8 q7, [r0, #-5]",
                    "adds r0, r0, #16",
                    "ldrd r2, r1, [sp, #20]",
                    "ldm r2!, {{r4, r6, r8, r10}}",
                    "stm sp, {{r4, r6, r8, r10}}",
                    "strd r0, r2, [sp, #16]",
                    // Two tiles.
                    "4:",
                    "ldm r1!, {{r3, r5, r7, r9}}",
                    "vldrw.u32 q0, [r3, q3]",
                    "vldrw.u32 q1, [r7, q3]",
                    "vmladav.s8 r0, q4, q0",
                    "vmladav.s8 r8, q4, q1",
                    "vmladav.s8 r2, q5, q0",
                    "vmladav.s8 r10, q5, q1",
                    "vmladav.s8 r4, q6, q0",
                    "vmladav.s8 r12, q6, q1",
                    "vmladav.s8 r6, q7, q0",
                    "vmladav.s8 lr, q7, q1",
                    "vmov d0, r0, r2",
                    "vmov d1, r4, r6",
                    "ldm sp, {{r0, r2, r4, r6}}",
                    "vadd.i32 q0, q0, r0",
                    "vqrdmulh.s32 q0, q0, r2",
                    $sign,
                    "vadd.i32 q0, q0, r4",
                    "vqshl.s32 q0, r6",
                    "vmov d2, r8, r10",
                    "vmov d3, r12, lr",
                    "vshr.u32 q0, q0, #24",
                    "vadd.i32 q1, q1, r0",
                    "vstrb.32 q0, [r5, q2]",
                    "vqrdmulh.s32 q1, q1, r2",
                    $sign_2,
                    "vadd.i32 q1, q1, r4",
                    "vqshl.s32 q1, r6",
                    "vshr.u32 q1, q1, #24",
                    "vstrb.32 q1, [r9, q2]",
                    "cmp r1, r11",
                    "bne 4b",
                    "movs r0, #4",
                    "movs r2, #1",
                    "vadd.i32 q3, q3, r0",
                    "vadd.i32 q2, q2, r2",
                    "ldr r0, [sp, #28]",
                    "subs r0, r0, #1",
                    "str r0, [sp, #28]",
                    "bne 3b",
                    "add sp, sp, #36",
                    "vpop {{d8-d15}}",
                    "pop {{r4-r11, pc}}",
                )
            }
        };
    }
    tiles!(floor, "", "");
    tiles!(rounded, "vshr.s32 q1, q0, #31\nvadd.i32 q0, q0, q1", "vshr.s32 q0, q1, #31\nvadd.i32 q1, q1, q0");
}

#[cfg(not(kinglet_family = "mve"))]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "loads and stores have one reason")]
mod inner {
    use super::super::requant::apply;
    use super::*;

    /// # Safety
    /// As on the core.
    pub(super) unsafe fn interleave(rows: [*const i8; 4], to: *mut i8, sixteens: usize) {
        for i in 0..sixteens * 16 {
            for (y, row) in rows.iter().enumerate() {
                // SAFETY: the caller's promise.
                unsafe { *to.wrapping_add(i * 4 + y) = *row.wrapping_add(i) };
            }
        }
    }

    pub(super) unsafe fn floor(args: &Tiles) {
        // SAFETY: the caller's promise.
        unsafe { tiles(args, Rule::Floor) }
    }

    pub(super) unsafe fn rounded(args: &Tiles) {
        // SAFETY: the caller's promise.
        unsafe { tiles(args, Rule::Rounded) }
    }

    unsafe fn tiles(args: &Tiles, rule: Rule) {
        for channel in 0..args.channels {
            let filter = args.filters.wrapping_add(channel * FILTER);
            let constants = args.constants.wrapping_add(channel * CONSTANTS * 4).cast::<i32>();
            // SAFETY: there are filters and constants for all channels.
            let constants = [0, 1, 2, 3].map(|i| unsafe { constants.wrapping_add(i).read_unaligned() });
            let mut entry = args.table;
            while entry != args.table_end {
                // SAFETY: the table has two words a tile.
                let [from, to] = unsafe { [*entry as usize, *entry.wrapping_add(1) as usize] };
                entry = entry.wrapping_add(2);
                for (place, back) in [0, 4, 1, 5].into_iter().enumerate() {
                    let mut sum = 0;
                    for i in 0..16 {
                        let at = from + i / 4 * args.column + channel * 4 + i % 4;
                        // SAFETY: the tile lies within the strips; zeros precede the filters.
                        let [x, weight] = unsafe {
                            [
                                i32::from(*args.strips.wrapping_add(at)),
                                i32::from(*filter.wrapping_add(i).wrapping_sub(back) as i8),
                            ]
                        };
                        sum += x * weight;
                    }
                    let value = apply(sum, constants, rule);
                    let at = to + place / 2 * args.row + place % 2 * args.pixel + channel;
                    // SAFETY: the tile's outputs lie within the output.
                    unsafe { *args.output.wrapping_add(at) = value };
                }
            }
        }
    }
}

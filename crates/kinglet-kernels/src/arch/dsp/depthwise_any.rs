//! DEPTHWISE_CONV_2D with filters of any size, stride and dilation: four channels at a time, tap by tap.
//!
//! Weights lie in the file as this needs them: the taps of four channels are one word.

use core::ops::Range;

use super::instructions::{smlabb, smlatt, sxtab16, sxtab16_odd, sxtb16, sxtb16_odd};
#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
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

/// Four channels' constants, as the inner loop reads them.
#[repr(C)]
struct Four {
    bias: [i32; 4],
    /// Of each channel the multiplier, and what rule `Rounded` multiplies by in the end.
    factors: [[i32; 2]; 4],
    shifts: [i8; 4],
    /// Rule `Rounded` is exact for them.
    is_rounded: bool,
}

impl Four {
    #[inline(never)]
    fn new(bias: &Bias<'_>, requant: &Requant<'_>, channel: usize, taps: u32) -> Result<Self, Fault> {
        let mut four = Self { bias: [0; 4], factors: [[0; 2]; 4], shifts: [0; 4], is_rounded: true };
        let slots = four.bias.iter_mut().zip(&mut four.factors).zip(&mut four.shifts);
        for (i, ((bias_of, [multiplier, power]), shift)) in slots.enumerate() {
            let factor = requant.get(channel.wrapping_add(i))?;
            *bias_of = bias.get(channel.wrapping_add(i))?;
            (*multiplier, *shift) = (factor.multiplier, factor.shift);
            *power = 1i32.wrapping_shl(32u32.wrapping_sub(factor.shift.unsigned_abs().into()));
            // The greatest product is 128 * 255.
            let greatest = taps.saturating_mul(1 << 15).saturating_add(bias_of.unsigned_abs());
            four.is_rounded &= factor.shift <= -2 && greatest < 1 << 30;
        }
        Ok(four)
    }
}

/// A run of output pixels of four channels whose windows have the same taps.
#[repr(C)]
struct Run {
    /// The first tap's pixel of the first window.
    pixels: *const i32,
    /// Its weights.
    taps: *const i32,
    /// Bytes from tap to tap: in the input, and of the weights.
    pixel_step: usize,
    tap_step: usize,
    /// Taps in a row, at least 1.
    columns: usize,
    /// Halves that subtract the zero point.
    minus: i32,
    /// Rows of taps, at least 1.
    rows: usize,
    four: *const Four,
    /// Bytes from behind the last tap of a row to the first of the next: in the input, and of the weights.
    pixel_gap: isize,
    tap_gap: usize,
    /// The first of the four channels in the first output pixel.
    output: *mut i8,
    /// The output zero point.
    zero: i32,
    /// Bytes from window to window and from output pixel to output pixel.
    next_pixels: usize,
    next_output: usize,
    /// Output pixels, at least 1.
    count: usize,
}

/// Computes a run of output pixels by rule `Rounded`. The run is used up.
///
/// # Safety
/// Four bytes of every pixel and of every tap can be read, four bytes of every output pixel can be written.
#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
#[unsafe(naked)]
unsafe extern "C" fn rounded_run(run: &mut Run) {
    core::arch::naked_asm!(
        core_of_asm!(),
        "push {{r0, r1, r4-r11, lr}}",
        // A window: r6-r9 accumulate.
        "2:",
        "ldr r12, [r0, #28]",
        "ldr r10, [r0, #24]",
        "ldm r12, {{r6-r9}}",
        "str r10, [sp, #4]",
        "ldm r0, {{r0-r5}}",
        // A tap.
        "3:",
        "ldr r10, [r0]",
        "ldr r11, [r1]",
        "add r0, r2",
        "add r1, r3",
        "sxtab16 r12, r5, r10",
        "sxtb16 lr, r11",
        "sxtab16 r10, r5, r10, ror #8",
        "sxtb16 r11, r11, ror #8",
        "smlabb r6, r12, lr, r6",
        "smlatt r8, r12, lr, r8",
        "smlabb r7, r10, r11, r7",
        "smlatt r9, r10, r11, r9",
        "subs r4, #1",
        "bne 3b",
        "ldrd r12, r10, [sp]",
        "subs r10, #1",
        "beq 4f",
        "str r10, [sp, #4]",
        "ldrd r10, r11, [r12, #32]",
        "ldr r4, [r12, #16]",
        "add r0, r10",
        "add r1, r11",
        "b 3b",
        // Requantised in place.
        "4:",
        "ldrd r10, r5, [r12, #40]",
        "ldr lr, [r12, #28]",
        "add lr, #16",
        "ldm lr!, {{r0-r3}}",
        "lsl r6, #1",
        "lsl r7, #1",
        "smmulr r6, r6, r0",
        "smmulr r7, r7, r2",
        "add r6, r6, r6, asr #31",
        "add r7, r7, r7, asr #31",
        "smmlar r6, r6, r1, r5",
        "smmlar r7, r7, r3, r5",
        "ldm lr, {{r0-r3}}",
        "lsl r8, #1",
        "lsl r9, #1",
        "smmulr r8, r8, r0",
        "smmulr r9, r9, r2",
        "add r8, r8, r8, asr #31",
        "add r9, r9, r9, asr #31",
        "smmlar r8, r8, r1, r5",
        "smmlar r9, r9, r3, r5",
        "ssat r6, #8, r6",
        "ssat r7, #8, r7",
        "ssat r8, #8, r8",
        "ssat r9, #8, r9",
        "strb r6, [r10]",
        "strb r7, [r10, #1]",
        "strb r8, [r10, #2]",
        "strb r9, [r10, #3]",
        // On to the next.
        "ldrd r0, r1, [r12, #48]",
        "ldr r2, [r12]",
        "ldr r3, [r12, #56]",
        "add r2, r0",
        "add r10, r1",
        "str r2, [r12]",
        "str r10, [r12, #40]",
        "mov r0, r12",
        "subs r3, #1",
        "str r3, [r12, #56]",
        "bne 2b",
        "pop {{r0, r1, r4-r11, pc}}",
    )
}

/// In plain Rust the same for any way to turn the accumulators of four channels into outputs.
///
/// # Safety
/// As for `rounded_run`, but that outputs are written by `put`.
unsafe fn windows(run: &Run, mut put: impl FnMut(usize, [i32; 4])) {
    // SAFETY: by the caller's contract.
    let four = unsafe { &*run.four };
    for i in 0..run.count {
        let mut pixel = run.pixels.wrapping_byte_add(run.next_pixels.wrapping_mul(i));
        let mut tap = run.taps;
        let [mut a, mut b, mut c, mut d] = four.bias;
        for _ in 0..run.rows {
            for _ in 0..run.columns {
                // SAFETY: by the caller's contract.
                let values = unsafe { pixel.read_unaligned() };
                // SAFETY: the same.
                let weights = unsafe { tap.read_unaligned() };
                let (even, odd) = (sxtab16(run.minus, values), sxtab16_odd(run.minus, values));
                let (even_weights, odd_weights) = (sxtb16(weights), sxtb16_odd(weights));
                a = smlabb(even, even_weights, a);
                b = smlabb(odd, odd_weights, b);
                c = smlatt(even, even_weights, c);
                d = smlatt(odd, odd_weights, d);
                pixel = pixel.wrapping_byte_add(run.pixel_step);
                tap = tap.wrapping_byte_add(run.tap_step);
            }
            pixel = pixel.wrapping_byte_offset(run.pixel_gap);
            tap = tap.wrapping_byte_add(run.tap_gap);
        }
        put(i, [a, b, c, d]);
    }
}

/// Computes a run of output pixels by rule `Rounded`.
///
/// # Safety
/// As above.
#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
unsafe fn rounded_run(run: &mut Run) {
    // SAFETY: by the caller's contract.
    let four = unsafe { &*run.four };
    let put = |i: usize, sums: [i32; 4]| {
        let output = run.output.wrapping_add(run.next_output.wrapping_mul(i));
        for (i, (sum, [multiplier, power])) in sums.into_iter().zip(four.factors).enumerate() {
            // SAFETY: by the caller's contract.
            unsafe { *output.wrapping_add(i) = rounded(sum << 1, multiplier, power, run.zero) as i8 };
        }
    };
    // SAFETY: the caller's contract is the same.
    unsafe { windows(run, put) }
}

/// Computes a run of output pixels as the portable kernel does, without the first `skip` channels.
///
/// # Safety
/// As for [`rounded_run`].
#[inline(never)]
unsafe fn exact_run(run: &Run, quant: [i8; 4], skip: usize) {
    let [_, zero, min, max] = quant.map(i32::from);
    // SAFETY: by the caller's contract.
    let four = unsafe { &*run.four };
    let put = |i: usize, sums: [i32; 4]| {
        let output = run.output.wrapping_add(run.next_output.wrapping_mul(i));
        let factors = four.factors.into_iter().zip(four.shifts);
        for (i, (sum, ([multiplier, _], shift))) in sums.into_iter().zip(factors).enumerate().skip(skip) {
            let value = Multiplier { multiplier, shift }.apply(sum).wrapping_add(zero).min(max).max(min);
            // SAFETY: by the caller's contract.
            unsafe { *output.wrapping_add(i) = value as i8 };
        }
    };
    // SAFETY: the caller's contract is the same.
    unsafe { windows(run, put) }
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

impl Inside {
    /// Input positions from the first tap's to the last's.
    fn reach(self, dilation: u16) -> u32 {
        let more = self.taps.saturating_sub(1).wrapping_mul(dilation.into());
        if self.taps == 0 { 0 } else { more.wrapping_add(1) as u32 }
    }
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

    /// Output positions from `out` to `end` whose windows are within the input, where that of `out` is.
    fn full_windows(self, out: usize, end: usize) -> usize {
        let start = (out as i32).wrapping_mul(self.stride.into()).wrapping_sub(self.pad.into());
        let last =
            start.wrapping_add(i32::from(self.taps).wrapping_sub(1).wrapping_mul(self.dilation.into()));
        let more = i32::from(self.size).wrapping_sub(1).wrapping_sub(last).max(0);
        let more = more.checked_div(self.stride.into()).unwrap_or(0);
        (more as usize).wrapping_add(1).min(end.wrapping_sub(out)).max(1)
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
#[inline(never)]
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
    let [_, output_zero, min, max] = p.quant;
    let rows_apart = usize::from(p.dilation.0).wrapping_mul(p.input_stride as usize);
    let mut run = Run {
        pixels: core::ptr::null(),
        taps: core::ptr::null(),
        pixel_step: usize::from(p.dilation.1).wrapping_mul(depth),
        tap_step: depth,
        columns: 0,
        minus: minus(p.quant[0]),
        rows: 0,
        four: core::ptr::null(),
        pixel_gap: 0,
        tap_gap: 0,
        output: core::ptr::null_mut(),
        zero: output_zero.into(),
        next_pixels: usize::from(p.stride.1).wrapping_mul(depth),
        next_output: depth,
        count: 0,
    };

    let mut channel = 0;
    while channel < depth {
        // Of the last channels some are in the four before: each is computed once.
        let four = Four::new(&bias, &requant, channel.min(depth - 4), taps as u32)?;
        let skip = channel - channel.min(depth - 4);
        let from = channel - skip;
        run.four = &four;
        let is_fast = four.is_rounded && skip == 0 && (min, max) == (i8::MIN, i8::MAX);
        for y in out_rows.clone() {
            let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
            let first_row = batch.wrapping_mul(p.input_size.0.into());
            let rows = vertical.inside(out_y);
            let from_rows = input.run(first_row.wrapping_add(rows.at as u32), rows.reach(p.dilation.0));
            let from_rows = from_rows.ok_or(Fault::OutOfBounds)?.as_ptr().cast::<i8>();
            let to_row = output.row(y)?.as_ptr().cast::<i8>().cast_mut();
            let mut out_x = out_columns.start;
            while out_x < out_columns.end {
                let columns = horizontal.inside(out_x);
                let is_full = columns.taps == usize::from(p.kernel.1);
                run.count = if is_full { horizontal.full_windows(out_x, out_columns.end) } else { 1 };
                run.columns = columns.taps;
                run.rows = rows.taps;
                if columns.taps == 0 || rows.taps == 0 {
                    // A window in the padding: its taps count for nothing, one row of none.
                    (run.columns, run.rows) = (0, 0);
                }
                let tap = rows.tap.wrapping_mul(p.kernel.1.into()).wrapping_add(columns.tap);
                run.pixels = from_rows.wrapping_add(columns.at.wrapping_mul(depth).wrapping_add(from)).cast();
                run.taps = weights.as_ptr().wrapping_add(tap.wrapping_mul(depth).wrapping_add(from)).cast();
                run.pixel_gap = rows_apart as isize - columns.taps.wrapping_mul(run.pixel_step) as isize;
                run.tap_gap = usize::from(p.kernel.1).wrapping_sub(columns.taps).wrapping_mul(depth);
                run.output = to_row.wrapping_add(out_x.wrapping_mul(depth).wrapping_add(from));
                out_x = out_x.wrapping_add(run.count);
                if is_fast && run.rows > 0 {
                    // SAFETY: the windows of `count` pixels have their `rows` times `columns` taps within the rows
                    // of the input taken above and within the weights; of each there are four channels from
                    // `from` on. So there are in the output row.
                    unsafe { rounded_run(&mut run) }
                } else {
                    // SAFETY: the same, or there are no taps.
                    unsafe { exact_run(&run, p.quant, skip) }
                }
            }
        }
        channel = from + 4;
    }
    Ok(())
}

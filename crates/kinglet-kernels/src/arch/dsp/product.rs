//! The heart of the fully connected layers: one input vector times 4 output channels at a time.
//!
//! The vector is widened to int16 in scratch memory first, zero point subtracted, as pairs of bytes (0, 2) and (1, 3)
//! of each group of four. Weights are packed as in [`block`](super::block): a word holds a pair of weights of
//! two channels. In the inner loop LDM reads 4 words of weights and 2 of the vector for 16 products.

use core::cell::Cell;

use super::widen::load_padded;
use crate::Fault;

/// What the inner functions read.
#[repr(C)]
struct Args {
    input: *const i8,
    /// Whole words of the input, and whether bytes are left, which are in `rest`.
    input_words: usize,
    has_rest: u32,
    rest: i32,
    minus: i32,
    x: *mut i32,
    /// Words of the input, those in `rest` included.
    words: usize,
    zero: i32,
    channels: usize,
    out: *mut i8,
    /// Multiplier and power of [`rounded`](super::requant::rounded), for each channel or for all.
    requant: *const i32,
    requant_step: usize,
    /// Packed: for each four channels their biases, then their weights. Rows: of the first channel.
    weights: *const u8,
    /// Rows: bytes from row to row.
    row: usize,
    /// Rows: from the last word of a row to the next four rows.
    next: usize,
    /// Rows: four biases, and bytes from there to the next four.
    bias: *const i32,
    bias_step: usize,
}

/// One input vector of a layer.
pub(crate) struct Product<'a> {
    pub(crate) input: &'a [Cell<i8>],
    pub(crate) zero_point: i8,
    /// Scratch memory: [`scratch_words`] of the input's length.
    pub(crate) x: &'a [Cell<i32>],
    pub(crate) out: &'a [Cell<i8>],
    pub(crate) output_zero: i8,
}

/// Words of scratch for an input of `depth` values.
pub(crate) const fn scratch_words(depth: usize) -> usize {
    depth.div_ceil(4) * 2
}

/// Words of packed weights of four channels.
pub(crate) const fn packed_words(depth: usize) -> usize {
    4 + depth.div_ceil(4) * 4
}

/// Where the accumulators of four channels come from.
#[derive(Clone, Copy)]
enum Weights {
    Packed,
    Rows,
}

impl Product<'_> {
    /// Computes all outputs from packed constants: multiplier and power, once where `is_uniform`, else for each
    /// channel; then for each four channels their biases and their weights.
    #[inline(always)]
    pub(crate) fn packed(&self, constants: &[u8], is_uniform: bool) -> Result<(), Fault> {
        let channels = self.out.len();
        let requant = if is_uniform { 8 } else { channels.wrapping_mul(8) };
        let (requant, weights) = constants.split_at_checked(requant).ok_or(Fault::OutOfBounds)?;
        let words = packed_words(self.input.len()).checked_mul(channels.div_ceil(4));
        if words.is_none_or(|words| weights.len() / 4 < words) || !constants.as_ptr().addr().is_multiple_of(4)
        {
            return Err(Fault::OutOfBounds);
        }
        let mut args = self.args(weights.as_ptr(), requant.as_ptr().cast())?;
        args.requant_step = if is_uniform { 0 } else { 8 };
        // SAFETY: `args` is about memory of the lengths compared here and in `args`.
        unsafe { run(&mut args, Weights::Packed) };
        Ok(())
    }

    /// Computes all outputs from weights in rows, as in the file. `requant` holds multiplier and power, once or for
    /// each channel. The length of rows is a multiple of 4.
    pub(crate) fn rows(
        &self,
        weights: &[u8],
        bias: Option<&[u8]>,
        requant: &[Cell<i32>],
        is_uniform: bool,
    ) -> Result<(), Fault> {
        let (depth, channels) = (self.input.len(), self.out.len());
        let requants = if is_uniform { 1 } else { channels };
        let biases = bias.is_none_or(|bias| bias.len() / 4 >= channels);
        if !depth.is_multiple_of(4)
            || weights.len() / depth.max(1) < channels
            || requant.len() / 2 < requants
            || !biases
        {
            return Err(Fault::OutOfBounds);
        }
        let mut args = self.args(weights.as_ptr(), requant.as_ptr().cast())?;
        args.requant_step = if is_uniform { 0 } else { 8 };
        // Four at a time, then one at a time.
        let fours = channels & !3;
        let mut few = [0; 4];
        args.bias = few.as_ptr();
        args.row = depth;
        args.next = depth.wrapping_mul(3);
        if let Some(bias) = bias {
            (args.bias, args.bias_step) = (bias.as_ptr().cast(), 16);
        }
        if fours > 0 {
            args.channels = fours;
            // SAFETY: as above; there are whole fours of rows and biases.
            unsafe { run(&mut args, Weights::Rows) };
        }
        for channel in fours..channels {
            let bias = bias.and_then(|bias| bias.get(channel.wrapping_mul(4)..)?.first_chunk());
            few[0] = bias.map_or(0, |bytes| i32::from_le_bytes(*bytes));
            let mut args = self
                .args(weights.as_ptr().wrapping_add(channel.wrapping_mul(depth)), requant.as_ptr().cast())?;
            args.requant = args.requant.wrapping_add(if is_uniform { 0 } else { channel.wrapping_mul(2) });
            args.out = args.out.wrapping_add(channel);
            args.channels = 1;
            args.bias = few.as_ptr();
            // SAFETY: as above; with a step of 0 there is one row, four times.
            unsafe { run(&mut args, Weights::Rows) };
        }
        Ok(())
    }

    /// All but what depends on where the weights come from.
    #[inline(always)]
    fn args(&self, weights: *const u8, requant: *const i32) -> Result<Args, Fault> {
        let depth = self.input.len();
        if depth == 0 || self.out.is_empty() || self.x.len() < scratch_words(depth) {
            return Err(Fault::BadPlan);
        }
        let has_rest = !depth.is_multiple_of(4);
        let rest = if has_rest { load_padded(self.input, (depth & !3) as isize, self.zero_point) } else { 0 };
        Ok(Args {
            input: self.input.as_ptr().cast(),
            input_words: depth / 4,
            has_rest: has_rest.into(),
            rest,
            minus: super::widen::minus(self.zero_point),
            x: self.x.as_ptr().cast_mut().cast(),
            words: depth.div_ceil(4),
            zero: self.output_zero.into(),
            channels: self.out.len(),
            out: self.out.as_ptr().cast_mut().cast(),
            requant,
            requant_step: 0,
            weights,
            row: 0,
            next: 0,
            bias: core::ptr::null(),
            bias_step: 0,
        })
    }
}

/// # Safety
/// `args` names memory as its fields say, for `channels` channels.
#[inline(always)]
unsafe fn run(args: &mut Args, weights: Weights) {
    match weights {
        // SAFETY: the caller's promise.
        Weights::Packed => unsafe { inner::packed(args) },
        // SAFETY: the caller's promise.
        Weights::Rows => unsafe { inner::rows(args) },
    }
}

#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
mod inner {
    use super::Args;
    use core::arch::naked_asm;
    use core::mem::offset_of;

    /// Requantises one accumulator: r8 and r9 constants, r3 zero point, r0 output, lr channels left.
    macro_rules! output_alike {
        ($acc:literal, $shift:literal) => {
            concat!(
                $shift,
                "\n",
                "smmulr ",
                $acc,
                ", ",
                $acc,
                ", r8\n",
                "add ",
                $acc,
                ", ",
                $acc,
                ", ",
                $acc,
                ", asr #31\n",
                "smmlar ",
                $acc,
                ", ",
                $acc,
                ", r9, r3\n",
                "ssat ",
                $acc,
                ", #8, ",
                $acc,
                "\n",
                "strb ",
                $acc,
                ", [r0], #1\n",
                "subs lr, lr, #1\n",
                "beq 9f\n",
            )
        };
    }

    /// Requantises one accumulator: r2 constants, r10 step, r3 zero point, r0 output, lr channels left.
    macro_rules! output {
        ($acc:literal, $shift:literal) => {
            concat!(
                "ldrd r8, r9, [r2]\n",
                "add r2, r2, r10\n",
                $shift,
                "\n",
                "smmulr ",
                $acc,
                ", ",
                $acc,
                ", r8\n",
                "add ",
                $acc,
                ", ",
                $acc,
                ", ",
                $acc,
                ", asr #31\n",
                "smmlar ",
                $acc,
                ", ",
                $acc,
                ", r9, r3\n",
                "ssat ",
                $acc,
                ", #8, ",
                $acc,
                "\n",
                "strb ",
                $acc,
                ", [r0], #1\n",
                "subs lr, lr, #1\n",
                "beq 9f\n",
            )
        };
    }

    /// Widens the input; r0 arguments.
    macro_rules! widen {
        () => {
            concat!(
                "ldm r0, {{r1-r6}}\n",
                "cbz r2, 3f\n",
                "2:\n",
                "ldr r7, [r1], #4\n",
                "sxtab16 r8, r5, r7\n",
                "sxtab16 r9, r5, r7, ror #8\n",
                "stm r6!, {{r8, r9}}\n",
                "subs r2, r2, #1\n",
                "bne 2b\n",
                "3:\n",
                "cbz r3, 4f\n",
                "sxtab16 r8, r5, r4\n",
                "sxtab16 r9, r5, r4, ror #8\n",
                "stm r6!, {{r8, r9}}\n",
                "4:\n",
                // The unrolled loops are entered in their middle.
                "ldr r2, [r0, #{words}]\n",
                "rsb r3, r2, #0\n",
                "and r3, r3, #{unroll} - 1\n",
                "adds r2, r2, #{unroll} - 1\n",
                "lsrs r2, r2, #{shift}\n",
                "mov r4, #{body}\n",
                "adr.w r5, 6f + 1\n",
                "mla r3, r3, r4, r5\n",
                "strd r3, r2, [sp]\n",
                "ldr r1, [r0, #{weights}]\n",
            )
        };
    }

    // Registers of both loops: r0 vector, r1 weights, r2 and r3 values, r4-r7 accumulators, r12 rounds.
    // [sp] entry of the loop, [sp, 4] rounds, [sp, 8] arguments.

    /// Weights packed. r4, r6: 256 times the second (fourth) accumulator plus the first (third); r5, r7: the first
    /// (third) alone.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn packed(args: *mut Args) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4-r11, lr}}",
            "sub sp, sp, #12",
            "str r0, [sp, #8]",
            widen!(),
            "5:",
            "ldmia r1!, {{r5-r8}}",
            "ldr r0, [sp, #8]",
            "ldrd r2, r12, [sp]",
            "ldr r0, [r0, #{x}]",
            "add r4, r5, r6, lsl #8",
            "add r6, r7, r8, lsl #8",
            "bx r2",
            "6:",
            ".rept 8",
            "ldmia r0!, {{r2-r3}}",
            "ldmia r1!, {{r8-r11}}",
            "smlad r4, r2, r8, r4",
            "smlad r6, r2, r9, r6",
            "sxtb16 r8, r8",
            "sxtb16 r9, r9",
            "smlad r5, r2, r8, r5",
            "smlad r7, r2, r9, r7",
            "smlad r4, r3, r10, r4",
            "smlad r6, r3, r11, r6",
            "sxtb16 r10, r10",
            "sxtb16 r11, r11",
            "smlad r5, r3, r10, r5",
            "smlad r7, r3, r11, r7",
            ".endr",
            "subs r12, r12, #1",
            "bne 6b",
            "ldr r12, [sp, #8]",
            "sub r4, r4, r5",
            "sub r6, r6, r7",
            "ldrd r3, lr, [r12, #{zero}]",
            "ldrd r0, r2, [r12, #{out}]",
            "ldr r10, [r12, #{step}]",
            "cmp r10, #0",
            "bne 7f",
            "ldrd r8, r9, [r2]",
            output_alike!("r5", "lsls r5, r5, #1"),
            output_alike!("r4", "asrs r4, r4, #7"),
            output_alike!("r7", "lsls r7, r7, #1"),
            output_alike!("r6", "asrs r6, r6, #7"),
            "b 8f",
            "7:",
            output!("r5", "lsls r5, r5, #1"),
            output!("r4", "asrs r4, r4, #7"),
            output!("r7", "lsls r7, r7, #1"),
            output!("r6", "asrs r6, r6, #7"),
            "8:",
            "str lr, [r12, #{channels}]",
            "strd r0, r2, [r12, #{out}]",
            "b 5b",
            "9:",
            "add sp, sp, #12",
            "pop {{r4-r11, pc}}",
            body = const 54,
            unroll = const 8,
            shift = const 3,
            words = const offset_of!(Args, words),
            weights = const offset_of!(Args, weights),
            x = const offset_of!(Args, x),
            zero = const offset_of!(Args, zero),
            channels = const offset_of!(Args, channels),
            out = const offset_of!(Args, out),
            step = const offset_of!(Args, requant_step),
        )
    }

    /// Weights in rows: r1 the first, r11 the fourth, lr from row to row.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn rows(args: *mut Args) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4-r11, lr}}",
            "sub sp, sp, #12",
            "str r0, [sp, #8]",
            widen!(),
            "5:",
            "ldr r0, [sp, #8]",
            "ldrd r2, r3, [r0, #{bias}]",
            "ldr lr, [r0, #{row}]",
            "ldr r4, [r2]",
            "ldr r5, [r2, #4]",
            "ldr r6, [r2, #8]",
            "ldr r7, [r2, #12]",
            "add r2, r2, r3",
            "str r2, [r0, #{bias}]",
            "ldr r0, [r0, #{x}]",
            "ldrd r2, r12, [sp]",
            "add r11, r1, lr",
            "add r11, r11, lr, lsl #1",
            "bx r2",
            "6:",
            ".rept 8",
            "ldmia r0!, {{r2-r3}}",
            "ldr r8, [r1, lr]",
            "ldr r9, [r1, lr, lsl #1]",
            "sxtb16 r10, r8",
            "smlad r5, r2, r10, r5",
            "sxtb16 r8, r8, ror #8",
            "smlad r5, r3, r8, r5",
            "sxtb16 r10, r9",
            "smlad r6, r2, r10, r6",
            "sxtb16 r9, r9, ror #8",
            "smlad r6, r3, r9, r6",
            "ldr r8, [r11], #4",
            "ldr r9, [r1], #4",
            "sxtb16 r10, r8",
            "smlad r7, r2, r10, r7",
            "sxtb16 r8, r8, ror #8",
            "smlad r7, r3, r8, r7",
            "sxtb16 r10, r9",
            "smlad r4, r2, r10, r4",
            "sxtb16 r9, r9, ror #8",
            "smlad r4, r3, r9, r4",
            ".endr",
            "subs r12, r12, #1",
            "bne 6b",
            "ldr r12, [sp, #8]",
            "ldrd r3, lr, [r12, #{zero}]",
            "ldrd r0, r2, [r12, #{out}]",
            "ldr r10, [r12, #{step}]",
            "ldr r11, [r12, #{next}]",
            "add r1, r1, r11",
            output!("r4", "lsls r4, r4, #1"),
            output!("r5", "lsls r5, r5, #1"),
            output!("r6", "lsls r6, r6, #1"),
            output!("r7", "lsls r7, r7, #1"),
            "str lr, [r12, #{channels}]",
            "strd r0, r2, [r12, #{out}]",
            "b 5b",
            "9:",
            "add sp, sp, #12",
            "pop {{r4-r11, pc}}",
            body = const 82,
            unroll = const 8,
            shift = const 3,
            words = const offset_of!(Args, words),
            weights = const offset_of!(Args, weights),
            x = const offset_of!(Args, x),
            zero = const offset_of!(Args, zero),
            channels = const offset_of!(Args, channels),
            out = const offset_of!(Args, out),
            step = const offset_of!(Args, requant_step),
            bias = const offset_of!(Args, bias),
            row = const offset_of!(Args, row),
            next = const offset_of!(Args, next),
        )
    }
}

#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
mod inner {
    use super::super::instructions::{smlad, sxtab16, sxtab16_odd, sxtb16, sxtb16_odd};
    use super::super::requant::rounded;
    use super::{Args, packed_words};

    /// # Safety
    /// The word is readable.
    unsafe fn read(words: *const i32, i: usize) -> i32 {
        // SAFETY: the caller's promise.
        unsafe { words.wrapping_add(i).read_unaligned() }
    }

    /// # Safety
    /// As for [`run`](super::run).
    unsafe fn widen(args: &Args) {
        for i in 0..args.words {
            // SAFETY: there are so many words of input.
            let bytes = if i < args.input_words { unsafe { read(args.input.cast(), i) } } else { args.rest };
            for (at, word) in
                [(2 * i, sxtab16(args.minus, bytes)), (2 * i + 1, sxtab16_odd(args.minus, bytes))]
            {
                // SAFETY: there are two words of scratch for each word of input.
                unsafe { args.x.wrapping_add(at).write(word) };
            }
        }
    }

    /// # Safety
    /// As for [`run`](super::run).
    unsafe fn output(args: &Args, channel: usize, doubled: i32) {
        let requant = args.requant.wrapping_byte_add(channel * args.requant_step);
        // SAFETY: multiplier and power of the channel.
        let [multiplier, power] = [0, 1].map(|i| unsafe { read(requant, i) });
        let value = rounded(doubled, multiplier, power, args.zero);
        // SAFETY: an output of the layer.
        unsafe { args.out.wrapping_add(channel).write(value as i8) };
    }

    /// # Safety
    /// As for [`run`](super::run).
    pub(super) unsafe fn packed(args: &mut Args) {
        // SAFETY: as for this function.
        unsafe { widen(args) };
        for channel in 0..args.channels {
            let four = args.weights.cast::<i32>().wrapping_add(channel / 4 * packed_words(args.words * 4));
            // SAFETY: four biases, then four words of weights for each word of input.
            let word = |i: usize| unsafe { read(four, i) };
            // SAFETY: as many as have been written.
            let x = |i: usize| unsafe { read(args.x, i) };
            let pair = channel % 4 / 2;
            let mut first = word(2 * pair);
            let mut both = first.wrapping_add(word(2 * pair + 1) << 8);
            for i in 0..2 * args.words {
                let weights = word(4 + 2 * i + pair);
                both = smlad(x(i), weights, both);
                first = smlad(x(i), sxtb16(weights), first);
            }
            let doubled = if channel % 2 == 0 { first << 1 } else { both.wrapping_sub(first) >> 7 };
            // SAFETY: as for this function.
            unsafe { output(args, channel, doubled) };
        }
    }

    /// # Safety
    /// As for [`run`](super::run).
    pub(super) unsafe fn rows(args: &mut Args) {
        // SAFETY: as for this function.
        unsafe { widen(args) };
        for channel in 0..args.channels {
            let row = args.weights.cast::<i32>().wrapping_byte_add(channel * args.row);
            let bias = args.bias.wrapping_byte_add(channel / 4 * args.bias_step);
            // SAFETY: the bias of the channel.
            let mut acc = unsafe { read(bias, channel % 4) };
            for i in 0..args.words {
                // SAFETY: a row has as many words as the input.
                let weights = unsafe { read(row, i) };
                // SAFETY: as many as have been written.
                let [even, odd] = [0, 1].map(|half| unsafe { read(args.x, 2 * i + half) });
                acc = smlad(even, sxtb16(weights), acc);
                acc = smlad(odd, sxtb16_odd(weights), acc);
            }
            // SAFETY: as for this function.
            unsafe { output(args, channel, acc << 1) };
        }
    }
}

//! The heart of convolution: 4 pixels times 2 output channels at a time.
//!
//! The input of 4 pixels stands in scratch memory as int16, zero point subtracted: for each pair of values
//! four words, one a pixel. One LDM brings 4 pixels into registers, and 8 SMLAD use them with two channels'
//! weights. Accumulators, input and one word of weights take all 14 registers, so weights and everything else
//! are kept in floating-point registers: VLDM reads 16 words of weights at once.
//!
//! Pairs are bytes (0, 2) and (1, 3) of each group of four, which is what SXTB16 makes.

use core::cell::Cell;
use core::marker::PhantomData;

use super::requant::Rule;
use crate::Fault;

/// The constant shift of [`Rule::Floor`].
pub(crate) const FLOOR: u32 = 12;

/// Words of constants for two channels: for each its bias (bits 8 and up) with a shift (bits 0 to 7), and its
/// multiplier.
///
/// The shift is, with [`Rule::Floor`], what the accumulator is shifted by to the left (2..=8), for the second
/// channel 8 minus that; with [`Rule::Rounded`] 32 minus the exponent.
pub(crate) const PAIR_CONSTANTS: usize = 4;

/// Weights in OHWI order, as in the file.
#[derive(Clone, Copy)]
pub(crate) struct RowWeights<'a> {
    /// Weights, with at least [`BEFORE_ROWS`] bytes before `start`, where they begin.
    pub(crate) bytes: Bytes<'a>,
    pub(crate) start: usize,
    /// [`PAIR_CONSTANTS`] for each two channels.
    pub(crate) constants: &'a [Cell<i32>],
}

/// Weights in the constants or in scratch memory.
#[derive(Clone, Copy)]
pub(crate) struct Bytes<'a> {
    start: *const u8,
    len: usize,
    memory: PhantomData<&'a [Cell<i32>]>,
}

impl<'a> Bytes<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { start: bytes.as_ptr(), len: bytes.len(), memory: PhantomData }
    }

    /// Word `i` of those that start at byte `start`; 0 behind the end.
    #[cfg(not(kinglet_dsp_vfp))]
    fn word(&self, start: usize, i: usize) -> i32 {
        let start = start + i * 4;
        if start + 4 > self.len {
            return 0;
        }
        // SAFETY: the four bytes lie within the memory that `self` was made from.
        unsafe { self.start.wrapping_add(start).cast::<i32>().read_unaligned() }
    }
}

impl<'a> From<&'a [Cell<i32>]> for Bytes<'a> {
    fn from(words: &'a [Cell<i32>]) -> Self {
        Self { start: words.as_ptr().cast(), len: size_of_val(words), memory: PhantomData }
    }
}

/// Bytes in front of weights in rows that may be read (and are not used).
pub(crate) const BEFORE_ROWS: usize = 28;

/// Words in front of packed weights that may be read, for `pairs` pairs of values.
pub(crate) const fn words_before_packed(pairs: usize) -> usize {
    let first_chunk = (pairs + 15) % 16 + 1;
    (16 - first_chunk).saturating_sub(PAIR_CONSTANTS)
}

/// What stays the same for all blocks of 4 pixels of a layer.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// Input of 4 pixels: 4 words a pair.
    pub(crate) x: &'a [Cell<i32>],
    /// Pairs of values: even, at least 2.
    pub(crate) pairs: usize,
    /// Output channels.
    pub(crate) channels: usize,
    pub(crate) rule: Rule,
    /// Output zero point.
    pub(crate) zero: i32,
}

impl Block<'_> {
    fn fits(&self) -> bool {
        let Block { x, pairs, channels, .. } = *self;
        pairs >= 2 && pairs.is_multiple_of(2) && channels > 0 && x.len() / 4 >= pairs
    }
}

#[cfg(kinglet_dsp_vfp)]
mod asm {
    use super::super::requant::floor_addend;
    use super::*;
    use core::arch::naked_asm;

    /// What the assembly reads: s16 to s23, s28, s29 and two words on the stack.
    #[repr(C)]
    struct Args {
        x: *const i32,
        out: *mut i8,
        out_stride: usize,
        channels: usize,
        /// Address of the first pair's constants.
        constants: usize,
        /// Packed: bytes from one pair to the next. Rows: bytes of a row.
        step: usize,
        /// Bytes of code of the unrolled loop to skip at first.
        skip: usize,
        tail: unsafe extern "C" fn(),
        addend: i32,
        /// Packed: from the end of a pair's constants to its first chunk of weights. Rows: address of the first chunk.
        weights: usize,
        /// Rows: from the next row pair's first chunk to the end of this pair's first row.
        rows_end: usize,
    }

    /// A block that is ready to run.
    pub(crate) struct Runner<'a> {
        args: Args,
        main: unsafe extern "C" fn(*const Args),
        memory: PhantomData<Block<'a>>,
    }

    impl<'a> Runner<'a> {
        /// Packed weights, `block` having been compared with the lengths of memory.
        #[inline(always)]
        pub(crate) fn packed(block: &Block<'a>, bytes: Bytes<'a>) -> Self {
            let skipped = block.pairs.wrapping_neg() % 16;
            let constants = bytes.start.wrapping_add(words_before_packed(block.pairs) * 4);
            let step = (PAIR_CONSTANTS + block.pairs) * 4;
            let weights = (skipped * 4).wrapping_neg();
            Self::new(block, packed, [constants.addr(), step, skipped * 42, weights, 0])
        }

        /// Weights in rows, likewise.
        #[inline(always)]
        pub(crate) fn rows(block: &Block<'a>, rows: RowWeights<'a>) -> Self {
            let skipped = (block.pairs / 2).wrapping_neg() % 8;
            let step = block.pairs * 2;
            let weights = rows.bytes.start.addr() + rows.start - skipped * 4;
            let constants = rows.constants.as_ptr().addr();
            let rows_end = (skipped * 4).wrapping_sub(step);
            Self::new(block, self::rows, [constants, step, skipped * 100, weights, rows_end])
        }

        #[inline(always)]
        fn new(
            block: &Block<'a>,
            main: unsafe extern "C" fn(*const Args),
            [constants, step, skip, weights, rows_end]: [usize; 5],
        ) -> Self {
            let (tail, addend): (unsafe extern "C" fn(), i32) = match block.rule {
                Rule::Floor => (floor_tail, floor_addend(FLOOR, 2) - 1),
                Rule::Rounded => (rounded_tail, block.zero),
            };
            let (x, out) = (block.x.as_ptr().cast(), core::ptr::null_mut());
            let (out_stride, channels) = (0, block.channels);
            let args =
                Args { x, out, out_stride, channels, constants, step, skip, tail, addend, weights, rows_end };
            Self { args, main, memory: PhantomData }
        }

        /// # Safety
        /// The four pixels' outputs, `stride` bytes
        /// apart, lie within the memory from `out` on.
        #[inline(always)]
        pub(crate) unsafe fn run(&mut self, out: &[Cell<i8>], stride: usize) {
            self.args.out = out.as_ptr().cast_mut().cast();
            self.args.out_stride = stride;
            // SAFETY: the caller's promise.
            unsafe { (self.main)(&self.args) }
        }
    }

    // Registers of both loops:
    //   r0 input, r1 weights, r2-r5 four pixels; r10-r12, lr the first channel's accumulators, r6-r9 the second's
    //   s0-s15 weights; s16 input, s17 output, s18 its stride, s19 channels left, s20 constants, s21 step,
    //   s22 entry of the loop, s23 tail, s24-s27 the pair's constants, s28 addend, s29 see Args,
    //   s30, s31 next weights; [sp] where the tail goes on, [sp, 4] rows_end

    /// Weights in packed pairs.
    #[unsafe(naked)]
    unsafe extern "C" fn packed(args: *const Args) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4-r11, lr}}",
            "vpush {{s16-s31}}",
            "vldmia r0!, {{s16-s23}}",
            "vldmia r0!, {{s28-s29}}",
            "adr.w r1, 3f + 1",
            "push {{r0, r1}}",
            "ldr r2, [r0]",
            "strd r1, r2, [sp]",
            "vmov r2, s22",
            "adr.w r1, 4f + 1",
            "add r1, r1, r2",
            "vmov s22, r1",
            // Two channels: constants, the first chunk of weights (its unused part lies before), accumulators.
            "3:",
            "vmov r2, r4, s20, s21",
            "vmov r3, s29",
            "add r4, r4, r2",
            "vmov s20, r4",
            "vldmia r2!, {{s24-s27}}",
            "add r2, r2, r3",
            "vldmia r2!, {{s0-s15}}",
            "vmov s31, r2",
            "vmov r3, s24",
            "vmov r4, s26",
            "asr r10, r3, #8",
            "bic r6, r4, #255",
            "add r6, r6, r10",
            "mov r7, r6",
            "mov r8, r6",
            "mov r9, r6",
            "mov r11, r10",
            "mov r12, r10",
            "mov lr, r10",
            "vmov r0, s16",
            "vmov r3, s22",
            "bx r3",
            // 16 pairs of values: 42 bytes each.
            "4:",
            ".irp j, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
            "ldmia r0!, {{r2-r5}}",
            "vmov r1, s\\j",
            "smlad r6, r2, r1, r6",
            "smlad r7, r3, r1, r7",
            "smlad r8, r4, r1, r8",
            "smlad r9, r5, r1, r9",
            "sxtb16 r1, r1",
            "smlad r10, r2, r1, r10",
            "smlad r11, r3, r1, r11",
            "smlad r12, r4, r1, r12",
            "smlad lr, r5, r1, lr",
            ".endr",
            "vmov r2, s31",
            "vmov r3, s20",
            "cmp r2, r3",
            "beq 5f",
            "vldmia r2!, {{s0-s15}}",
            "vmov s31, r2",
            "b 4b",
            // 256 times the second channel's accumulators.
            "5:",
            "vmov r3, s23",
            "sub r6, r6, r10",
            "sub r7, r7, r11",
            "sub r8, r8, r12",
            "sub r9, r9, lr",
            "bx r3",
        )
    }

    /// One word of each of two rows, four values of each.
    macro_rules! rows_step {
        ($first:literal, $second:literal) => {
            concat!(
                "ldmia r0!, {{r2-r5}}\n",
                "vmov r1, ",
                $first,
                "\n",
                "sxtb16 r1, r1\n",
                "smlad r10, r2, r1, r10\n",
                "smlad r11, r3, r1, r11\n",
                "smlad r12, r4, r1, r12\n",
                "smlad lr, r5, r1, lr\n",
                "vmov r1, ",
                $second,
                "\n",
                "sxtb16 r1, r1\n",
                "smlad r6, r2, r1, r6\n",
                "smlad r7, r3, r1, r7\n",
                "smlad r8, r4, r1, r8\n",
                "smlad r9, r5, r1, r9\n",
                "ldmia r0!, {{r2-r5}}\n",
                "vmov r1, ",
                $second,
                "\n",
                "sxtb16 r1, r1, ror #8\n",
                "smlad r6, r2, r1, r6\n",
                "smlad r7, r3, r1, r7\n",
                "smlad r8, r4, r1, r8\n",
                "smlad r9, r5, r1, r9\n",
                "vmov r1, ",
                $first,
                "\n",
                "sxtb16 r1, r1, ror #8\n",
                "smlad r10, r2, r1, r10\n",
                "smlad r11, r3, r1, r11\n",
                "smlad r12, r4, r1, r12\n",
                "smlad lr, r5, r1, lr\n",
            )
        };
    }

    /// Weights in rows, as in the file.
    #[unsafe(naked)]
    unsafe extern "C" fn rows(args: *const Args) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4-r11, lr}}",
            "vpush {{s16-s31}}",
            "vldmia r0!, {{s16-s23}}",
            "vldmia r0!, {{s28-s29}}",
            "adr.w r1, 3f + 1",
            "push {{r0, r1}}",
            "ldr r2, [r0]",
            "strd r1, r2, [sp]",
            "vmov r2, s22",
            "adr.w r1, 4f + 1",
            "add r1, r1, r2",
            "vmov s22, r1",
            // Two channels: constants, both rows, accumulators. A last single channel counts twice.
            "3:",
            "vmov r2, r4, s20, s21",
            "vldmia r2!, {{s24-s27}}",
            "vmov s20, r2",
            "vmov r2, s29",
            "vmov r5, s19",
            "add r3, r2, r4, lsl #1",
            "vmov s29, r3",
            "cmp r5, #1",
            "ite eq",
            "moveq r3, r2",
            "addne r3, r2, r4",
            "vldmia r2!, {{s0-s7}}",
            "vldmia r3!, {{s8-s15}}",
            "vmov s30, s31, r2, r3",
            "vmov r3, s24",
            "vmov r4, s26",
            "asr r10, r3, #8",
            "asr r6, r4, #8",
            "mov r7, r6",
            "mov r8, r6",
            "mov r9, r6",
            "mov r11, r10",
            "mov r12, r10",
            "mov lr, r10",
            "vmov r0, s16",
            "vmov r3, s22",
            "bx r3",
            // 8 words of each row: 100 bytes each.
            "4:",
            rows_step!("s0", "s8"),
            rows_step!("s1", "s9"),
            rows_step!("s2", "s10"),
            rows_step!("s3", "s11"),
            rows_step!("s4", "s12"),
            rows_step!("s5", "s13"),
            rows_step!("s6", "s14"),
            rows_step!("s7", "s15"),
            "vmov r2, r3, s30, s31",
            "vmov r4, s29",
            "ldr r5, [sp, #4]",
            "add r4, r4, r5",
            "cmp r2, r4",
            "beq 5f",
            "vldmia r2!, {{s0-s7}}",
            "vldmia r3!, {{s8-s15}}",
            "vmov s30, s31, r2, r3",
            "b 4b",
            "5:",
            "vmov r3, s23",
            "lsl r6, r6, #8",
            "lsl r7, r7, #8",
            "lsl r8, r8, #8",
            "lsl r9, r9, #8",
            "bx r3",
        )
    }

    /// Requantises by [`Rule::Floor`] and stores; then the next two channels, or the end.
    #[unsafe(naked)]
    unsafe extern "C" fn floor_tail() {
        naked_asm!(
            core_of_asm!(),
            "vmov r0, r1, s24, s25",
            "vmov r4, r5, s17, s18",
            "vmov r2, s28",
            "movs r3, #1",
            "lsls r3, r0",
            "add r3, r2, r3, lsr #2",
            "lsl r10, r10, r0",
            "lsl r11, r11, r0",
            "lsl r12, r12, r0",
            "lsl lr, lr, r0",
            "smmla r10, r10, r1, r3",
            "smmla r11, r11, r1, r3",
            "smmla r12, r12, r1, r3",
            "smmla lr, lr, r1, r3",
            "ssat r10, #8, r10, asr #{floor}",
            "ssat r11, #8, r11, asr #{floor}",
            "ssat r12, #8, r12, asr #{floor}",
            "ssat lr, #8, lr, asr #{floor}",
            "add r0, r4, r5, lsl #1",
            "strb r10, [r4]",
            "strb r11, [r4, r5]",
            "strb r12, [r0]",
            "strb lr, [r0, r5]",
            "vmov r3, s19",
            "subs r3, r3, #2",
            "vmov s19, r3",
            "blt 2f",
            "vmov r0, r1, s26, s27",
            "mov r3, #64",
            "lsr r3, r3, r0",
            "add r3, r3, r2",
            "asr r6, r6, r0",
            "asr r7, r7, r0",
            "asr r8, r8, r0",
            "asr r9, r9, r0",
            "smmla r6, r6, r1, r3",
            "smmla r7, r7, r1, r3",
            "smmla r8, r8, r1, r3",
            "smmla r9, r9, r1, r3",
            "ssat r6, #8, r6, asr #{floor}",
            "ssat r7, #8, r7, asr #{floor}",
            "ssat r8, #8, r8, asr #{floor}",
            "ssat r9, #8, r9, asr #{floor}",
            "add r0, r4, r5, lsl #1",
            "adds r5, r5, #1",
            "strb r6, [r4, #1]",
            "strb r7, [r4, r5]",
            "strb r8, [r0, #1]",
            "strb r9, [r0, r5]",
            "adds r4, r4, #2",
            "vmov s17, r4",
            "vmov r3, s19",
            "cbz r3, 2f",
            "ldr pc, [sp]",
            "2:",
            "add sp, sp, #8",
            "vpop {{s16-s31}}",
            "pop {{r4-r11, pc}}",
            floor = const FLOOR,
        )
    }

    /// The same by [`Rule::Rounded`].
    #[unsafe(naked)]
    unsafe extern "C" fn rounded_tail() {
        naked_asm!(
            core_of_asm!(),
            "vmov r0, r1, s24, s25",
            "vmov r4, r5, s17, s18",
            "vmov r3, s28",
            "movs r2, #1",
            "lsls r2, r0",
            ".irp a, r10, r11, r12, lr",
            "lsl \\a, \\a, #1",
            ".endr",
            ".irp a, r10, r11, r12, lr",
            "smmulr \\a, \\a, r1",
            ".endr",
            ".irp a, r10, r11, r12, lr",
            "add \\a, \\a, \\a, asr #31",
            ".endr",
            ".irp a, r10, r11, r12, lr",
            "smmlar \\a, \\a, r2, r3",
            ".endr",
            ".irp a, r10, r11, r12, lr",
            "ssat \\a, #8, \\a",
            ".endr",
            "add r0, r4, r5, lsl #1",
            "strb r10, [r4]",
            "strb r11, [r4, r5]",
            "strb r12, [r0]",
            "strb lr, [r0, r5]",
            "vmov r2, s19",
            "subs r2, r2, #2",
            "vmov s19, r2",
            "blt 2f",
            "vmov r0, r1, s26, s27",
            "movs r2, #1",
            "lsls r2, r0",
            ".irp a, r6, r7, r8, r9",
            "asr \\a, \\a, #7",
            ".endr",
            ".irp a, r6, r7, r8, r9",
            "smmulr \\a, \\a, r1",
            ".endr",
            ".irp a, r6, r7, r8, r9",
            "add \\a, \\a, \\a, asr #31",
            ".endr",
            ".irp a, r6, r7, r8, r9",
            "smmlar \\a, \\a, r2, r3",
            ".endr",
            ".irp a, r6, r7, r8, r9",
            "ssat \\a, #8, \\a",
            ".endr",
            "add r0, r4, r5, lsl #1",
            "adds r5, r5, #1",
            "strb r6, [r4, #1]",
            "strb r7, [r4, r5]",
            "strb r8, [r0, #1]",
            "strb r9, [r0, r5]",
            "adds r4, r4, #2",
            "vmov s17, r4",
            "vmov r3, s19",
            "cbz r3, 2f",
            "ldr pc, [sp]",
            "2:",
            "add sp, sp, #8",
            "vpop {{s16-s31}}",
            "pop {{r4-r11, pc}}",
        )
    }
}

#[cfg(not(kinglet_dsp_vfp))]
mod twin {
    use super::super::instructions::{smlad, sxtb16, sxtb16_odd};
    use super::super::requant::{floor, floor_addend, rounded};
    use super::*;

    #[derive(Clone, Copy)]
    enum Weights<'a> {
        Packed(Bytes<'a>),
        Rows(RowWeights<'a>),
    }

    /// A block that is ready to run.
    pub(crate) struct Runner<'a> {
        block: Block<'a>,
        weights: Weights<'a>,
    }

    impl<'a> Runner<'a> {
        pub(crate) fn packed(block: &Block<'a>, bytes: Bytes<'a>) -> Self {
            Self { block: *block, weights: Weights::Packed(bytes) }
        }

        pub(crate) fn rows(block: &Block<'a>, rows: RowWeights<'a>) -> Self {
            Self { block: *block, weights: Weights::Rows(rows) }
        }

        /// # Safety
        /// None is needed here.
        pub(crate) unsafe fn run(&mut self, out: &[Cell<i8>], stride: usize) {
            let Block { pairs, channels, .. } = self.block;
            for pair in 0..channels.div_ceil(2) {
                for pixel in 0..4 {
                    let x = |i: usize| self.block.x.get(i * 4 + pixel).map_or(0, Cell::get);
                    let (constants, first, second) = match self.weights {
                        Weights::Packed(bytes) => {
                            let at = words_before_packed(pairs) + pair * (PAIR_CONSTANTS + pairs);
                            let constants = [0, 1, 2, 3].map(|i| bytes.word(0, at + i));
                            let [w0, _, w1, _] = constants;
                            let (mut first, mut both) = (w0 >> 8, (w1 & !255).wrapping_add(w0 >> 8));
                            for i in 0..pairs {
                                let weights = bytes.word(0, at + PAIR_CONSTANTS + i);
                                both = smlad(x(i), weights, both);
                                first = smlad(x(i), sxtb16(weights), first);
                            }
                            (constants, first, both.wrapping_sub(first))
                        }
                        Weights::Rows(RowWeights { bytes, start, constants }) => {
                            let constants =
                                [0, 1, 2, 3].map(|i| constants.get(pair * 4 + i).map_or(0, Cell::get));
                            let row = |channel: usize, mut acc: i32| {
                                let row = start + channel * pairs * 2;
                                for i in 0..pairs / 2 {
                                    acc = smlad(x(2 * i), sxtb16(bytes.word(row, i)), acc);
                                    acc = smlad(x(2 * i + 1), sxtb16_odd(bytes.word(row, i)), acc);
                                }
                                acc
                            };
                            let [w0, _, w1, _] = constants;
                            let second = if 2 * pair + 1 < channels { row(2 * pair + 1, w1 >> 8) } else { 0 };
                            (constants, row(2 * pair, w0 >> 8), second << 8)
                        }
                    };
                    let [w0, m0, w1, m1] = constants;
                    let (s0, s1) = (w0 & 255, w1 & 255);
                    let first = match self.block.rule {
                        Rule::Floor => floor::<FLOOR>(first << s0, m0, floor_addend(FLOOR, s0 as u32)),
                        Rule::Rounded => rounded(first << 1, m0, 1 << s0, self.block.zero),
                    };
                    let at = pixel * stride + 2 * pair;
                    if let Some(out) = out.get(at) {
                        out.set(first as i8);
                    }
                    if 2 * pair + 1 == channels {
                        continue;
                    }
                    let second = match self.block.rule {
                        Rule::Floor => floor::<FLOOR>(second >> s1, m1, floor_addend(FLOOR, (8 - s1) as u32)),
                        Rule::Rounded => rounded(second >> 7, m1, 1 << s1, self.block.zero),
                    };
                    if let Some(out) = out.get(at + 1) {
                        out.set(second as i8);
                    }
                }
            }
        }
    }
}

#[cfg(kinglet_dsp_vfp)]
use asm as inner;
#[cfg(not(kinglet_dsp_vfp))]
use twin as inner;

/// A block that is ready to run on 4 pixels.
pub(crate) struct Runner<'a> {
    inner: inner::Runner<'a>,
    channels: usize,
}

impl<'a> Runner<'a> {
    /// For packed weights: for each two channels their constants, then for each pair of values a word. In each of
    /// its halves is 256 times the second channel's weight plus the first's. One SMLAD with it adds
    /// `256 * acc1 + acc0`, and SXTB16 of it is the first channel's weights alone: one extraction for four weights.
    ///
    /// `None` when `block` does not fit its memory.
    #[inline(always)]
    pub(crate) fn packed(block: &Block<'a>, bytes: Bytes<'a>) -> Option<Self> {
        let fits = bytes.start.addr().is_multiple_of(4)
            && bytes.len >= packed_bytes(block.pairs, block.channels)?
            && block.fits();
        fits.then(|| Self { inner: inner::Runner::packed(block, bytes), channels: block.channels })
    }

    /// For weights in rows. `None` when `block` does not fit its memory.
    #[inline(always)]
    pub(crate) fn rows(block: &Block<'a>, rows: RowWeights<'a>) -> Option<Self> {
        let RowWeights { bytes, start, constants } = rows;
        let Block { pairs, channels, .. } = *block;
        let fits = start >= BEFORE_ROWS
            && (bytes.start.addr() | start).is_multiple_of(4)
            && bytes.len >= channels.checked_mul(pairs.checked_mul(2)?)?.checked_add(start)?
            && constants.len() >= channels.div_ceil(2) * PAIR_CONSTANTS
            && block.fits();
        fits.then(|| Self { inner: inner::Runner::rows(block, rows), channels })
    }

    /// Computes 4 pixels, whose channels start `stride` bytes after each other in `out`.
    #[inline]
    pub(crate) fn run(&mut self, out: &[Cell<i8>], stride: usize) -> Result<(), Fault> {
        let end = stride.checked_mul(3).and_then(|start| start.checked_add(self.channels));
        if end.is_none_or(|end| end > out.len()) {
            return Err(Fault::OutOfBounds);
        }
        // SAFETY: `new` has compared the lengths of all that is read, and `out` is long enough.
        unsafe { self.inner.run(out, stride) };
        Ok(())
    }
}

/// Bytes of packed weights; `None` when they are too many to count.
pub(crate) fn packed_bytes(pairs: usize, channels: usize) -> Option<usize> {
    let pair = pairs.checked_add(PAIR_CONSTANTS)?;
    pair.checked_mul(channels.div_ceil(2))?.checked_add(words_before_packed(pairs))?.checked_mul(4)
}

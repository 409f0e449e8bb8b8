//! The heart of convolution: 4 pixels times 2 output channels at a time.
//!
//! Input stays int8: the zero point is folded into the biases. A step is 16 values of 4 pixels and of 2 filters:
//! 6 loads and 8 VMLADAVA, 128 products in 14 instructions.

use core::cell::Cell;

use super::requant::CONSTANTS;
use crate::Fault;
use crate::arch::dsp::requant::Rule;

/// Values of a step.
pub(crate) const STEP: usize = 16;

/// What stays the same for all blocks of a layer.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    /// For each two channels `steps` times 16 weights of the first and 16 of the second, then the first's
    /// [`CONSTANTS`] and the second's.
    weights: &'a [u8],
    steps: usize,
    pairs: usize,
    rule: Rule,
}

/// Bytes of packed weights; `None` when they are too many to count.
pub(crate) fn packed_bytes(steps: usize, channels: usize) -> Option<usize> {
    pair_bytes(steps)?.checked_mul(channels.div_ceil(2))
}

fn pair_bytes(steps: usize) -> Option<usize> {
    steps.checked_mul(2 * STEP)?.checked_add(CONSTANTS * 8)
}

impl<'a> Block<'a> {
    /// `None` when `weights` is too short for so many channels, or not aligned to words.
    pub(crate) fn new(weights: &'a [u8], steps: usize, channels: usize, rule: Rule) -> Option<Self> {
        let fits = steps > 0
            && channels > 0
            && weights.len() >= packed_bytes(steps, channels)?
            && weights.as_ptr().addr().is_multiple_of(4);
        fits.then_some(Self { weights, steps, pairs: channels.div_ceil(2), rule })
    }

    /// Bytes that are read of four pixels, `stride` bytes apart.
    pub(crate) fn reads(&self, stride: usize) -> Option<usize> {
        stride.checked_mul(3)?.checked_add(self.steps.checked_mul(STEP)?)
    }

    /// Outputs can be written here: they are, two at a time.
    pub(crate) fn can_write(&self, out: &[Cell<i8>], stride: usize) -> bool {
        let end = stride.checked_mul(3).and_then(|start| start.checked_add(self.pairs.checked_mul(2)?));
        end.is_some_and(|end| end <= out.len())
            && out.as_ptr().addr().is_multiple_of(2)
            && stride.is_multiple_of(2)
    }

    /// Computes 4 pixels: their inputs start `x_stride` bytes after each other in `x`, their outputs `stride` bytes
    /// after each other in `out`. What lies behind an input is read too, up to a whole step.
    #[inline]
    pub(crate) fn run(
        &self,
        x: &[Cell<i8>],
        x_stride: usize,
        out: &[Cell<i8>],
        stride: usize,
    ) -> Result<(), Fault> {
        if self.reads(x_stride).is_none_or(|reads| reads > x.len()) || !self.can_write(out, stride) {
            return Err(Fault::OutOfBounds);
        }
        // SAFETY: `new` has seen to the weights; input and output have been compared.
        unsafe { inner::run(self, x.as_ptr().cast(), x_stride, out.as_ptr().cast_mut().cast(), stride) };
        Ok(())
    }
}

#[cfg(kinglet_family = "mve")]
mod inner {
    use super::*;
    use core::arch::naked_asm;

    #[repr(C)]
    struct Args {
        x: [*const i8; 4],
        /// Bytes of a pair's weights.
        weights_bytes: usize,
        /// Bytes of code of the unrolled loop to skip at first.
        skip: usize,
        out: *mut i8,
        out_end: *mut i8,
        weights: *const u8,
        stride: usize,
    }

    /// # Safety
    /// Input, output and weights are as long as [`Block::run`] says.
    #[inline]
    pub(super) unsafe fn run(block: &Block<'_>, x: *const i8, x_stride: usize, out: *mut i8, stride: usize) {
        let more = block.steps.wrapping_sub(1);
        let skipped = if more == 0 { 4 } else { more.wrapping_neg() % 4 };
        let args = Args {
            x: [0, 1, 2, 3].map(|i| x.wrapping_add(i * x_stride)),
            weights_bytes: block.steps * (2 * STEP),
            skip: skipped * 56,
            out,
            out_end: out.wrapping_add(block.pairs * 2),
            weights: block.weights.as_ptr(),
            stride,
        };
        match block.rule {
            // SAFETY: the caller's promise.
            Rule::Floor => unsafe { floor(&args) },
            // SAFETY: the caller's promise.
            Rule::Rounded => unsafe { rounded(&args) },
        }
    }

    // Registers: r1, r3, r5, r9 inputs, r7 weights, r11 their end; r0, r2, r4, r6 the first channel's accumulators,
    // r8, r10, r12, lr the second's; q4 offsets of the outputs. On the stack: the inputs, bytes of weights, where
    // the loop is entered, output, its end.

    macro_rules! step {
        ($multiply:literal) => {
            concat!(
                "vldrb.u8 q0, [r7], #16\n",
                "vldrb.u8 q2, [r1], #16\n",
                $multiply,
                " r0, q0, q2\n",
                "vldrb.u8 q1, [r7], #16\n",
                $multiply,
                " r8, q1, q2\n",
                "vldrb.u8 q3, [r3], #16\n",
                $multiply,
                " r2, q0, q3\n",
                "vldrb.u8 q2, [r5], #16\n",
                $multiply,
                " r10, q1, q3\n",
                $multiply,
                " r4, q0, q2\n",
                "vldrb.u8 q3, [r9], #16\n",
                $multiply,
                " r12, q1, q2\n",
                $multiply,
                " r6, q0, q3\n",
                $multiply,
                " lr, q1, q3\n",
            )
        };
    }

    macro_rules! block {
        ($name:ident, $sign:literal) => {
            /// # Safety
            /// As for [`run`].
            #[unsafe(naked)]
            unsafe extern "C" fn $name(args: *const Args) {
                naked_asm!(
                    core_of_asm!(),
                    "push {{r4-r11, lr}}",
                    "vpush {{d8-d9}}",
                    "sub sp, sp, #32",
                    "ldm r0!, {{r1-r8}}",
                    "adr.w r9, 4f + 1",
                    "add r6, r6, r9",
                    "stm sp, {{r1-r8}}",
                    "ldrd r7, r2, [r0]",
                    "movs r4, #0",
                    "lsl r6, r2, #1",
                    "add r8, r6, r2",
                    "vmov d8, r4, r2",
                    "vmov d9, r6, r8",
                    // Two channels.
                    "3:",
                    "ldm sp, {{r1, r3, r5, r9, r11}}",
                    "add r11, r11, r7",
                    step!("vmladav.s8"),
                    "ldr pc, [sp, #20]",
                    ".p2align 2",
                    "4:",
                    step!("vmladava.s8"),
                    step!("vmladava.s8"),
                    step!("vmladava.s8"),
                    step!("vmladava.s8"),
                    "cmp r7, r11",
                    "bne 4b",
                    // A vector of 4 pixels for each channel.
                    "vmov d0, r0, r2",
                    "vmov d1, r4, r6",
                    "vmov d2, r8, r10",
                    "vmov d3, r12, lr",
                    "ldm r7!, {{r0, r2, r4, r6, r8, r10, r12, lr}}",
                    "vadd.i32 q0, q0, r0",
                    "vadd.i32 q1, q1, r8",
                    "vqrdmulh.s32 q0, q0, r2",
                    "vqrdmulh.s32 q1, q1, r10",
                    $sign,
                    "vadd.i32 q0, q0, r4",
                    "vadd.i32 q1, q1, r12",
                    "ldrd r0, r2, [sp, #24]",
                    "vqshl.s32 q0, r6",
                    "vqshl.s32 q1, lr",
                    // Both channels' highest bytes side by side.
                    "vsri.32 q1, q0, #8",
                    "vshr.u32 q1, q1, #16",
                    "vstrh.32 q1, [r0, q4]",
                    "adds r0, r0, #2",
                    "str r0, [sp, #24]",
                    "cmp r0, r2",
                    "bne 3b",
                    "add sp, sp, #32",
                    "vpop {{d8-d9}}",
                    "pop {{r4-r11, pc}}",
                )
            }
        };
    }
    block!(floor, "");
    block!(rounded, "vshr.s32 q2, q0, #31\nvshr.s32 q3, q1, #31\nvadd.i32 q0, q0, q2\nvadd.i32 q1, q1, q3");
}

#[cfg(not(kinglet_family = "mve"))]
mod inner {
    use super::super::requant::apply;
    use super::*;

    /// # Safety
    /// Input, output and weights are as long as [`Block::run`] says.
    pub(super) unsafe fn run(block: &Block<'_>, x: *const i8, x_stride: usize, out: *mut i8, stride: usize) {
        let len = block.steps * 2 * STEP;
        for (pair, bytes) in block.weights.chunks_exact(len + CONSTANTS * 8).take(block.pairs).enumerate() {
            let (weights, constants) = bytes.split_at(len);
            let mut values = [[0; 2]; 4];
            for (pixel, values) in values.iter_mut().enumerate() {
                for (i, weights) in weights.chunks_exact(STEP).enumerate() {
                    for (j, &weight) in weights.iter().enumerate() {
                        let at = x.wrapping_add(pixel * x_stride + i / 2 * STEP + j);
                        // SAFETY: the caller's promise.
                        let input = i32::from(unsafe { *at });
                        let [first, second] = values;
                        let sum = if i % 2 == 0 { first } else { second };
                        *sum += i32::from(weight as i8) * input;
                    }
                }
            }
            for (pixel, values) in values.iter().enumerate() {
                for (i, (&sum, constants)) in
                    values.iter().zip(constants.chunks_exact(CONSTANTS * 4)).enumerate()
                {
                    let word = |i: usize| {
                        let bytes = constants.get(i * 4..).and_then(|bytes| bytes.first_chunk());
                        i32::from_le_bytes(*bytes.unwrap_or(&[0; 4]))
                    };
                    let value = apply(sum, [0, 1, 2, 3].map(word), block.rule);
                    let at = out.wrapping_add(pixel * stride + pair * 2 + i);
                    // SAFETY: the caller's promise.
                    unsafe { *at = value };
                }
            }
        }
    }
}

//! Sums of products of int8 values: the inner loops.

use core::cell::Cell;

#[cfg(kinglet_armv6m)]
use armv6m as assembly;
#[cfg(kinglet_armv7m)]
use armv7m as assembly;

/// The products of two inputs with two rows of weights, all of one length: input 0 with both rows, then
/// input 1 with both. Sums wrap.
#[inline(always)]
pub(super) fn two_by_two(inputs: [&[Cell<i8>]; 2], weights: [&[i8]; 2]) -> [i32; 4] {
    let [x0, x1] = inputs;
    let [w0, w1] = weights;
    let len = x0.len().min(x1.len()).min(w0.len()).min(w1.len());
    #[cfg(any(kinglet_armv6m, kinglet_armv7m))]
    {
        let mut sums = [0i32; 4];
        if len > 0 {
            // SAFETY: each of the four has at least `len` bytes.
            unsafe {
                assembly::two_by_two(
                    x0.as_ptr().cast(),
                    x1.as_ptr().cast(),
                    w0.as_ptr(),
                    w1.as_ptr(),
                    len,
                    &mut sums,
                );
            }
        }
        sums
    }
    #[cfg(not(any(kinglet_armv6m, kinglet_armv7m)))]
    {
        let [x0, x1] = [x0, x1].map(|x| x.get(..len).unwrap_or_default());
        let [w0, w1] = [w0, w1].map(|w| w.get(..len).unwrap_or_default());
        let ((x0, x0_rest), (x1, x1_rest)) = (x0.as_chunks::<4>(), x1.as_chunks::<4>());
        let ((w0, w0_rest), (w1, w1_rest)) = (w0.as_chunks::<4>(), w1.as_chunks::<4>());
        let (mut s00, mut s01, mut s10, mut s11) = (0i32, 0i32, 0i32, 0i32);
        macro_rules! step {
            ($x0:expr, $x1:expr, $w0:expr, $w1:expr) => {
                let (x0, x1) = (i32::from($x0.get()), i32::from($x1.get()));
                let (w0, w1) = (i32::from($w0), i32::from($w1));
                s00 = s00.wrapping_add(x0 * w0);
                s01 = s01.wrapping_add(x0 * w1);
                s10 = s10.wrapping_add(x1 * w0);
                s11 = s11.wrapping_add(x1 * w1);
            };
        }
        for (((x0, x1), w0), w1) in x0.iter().zip(x1).zip(w0).zip(w1) {
            step!(x0[0], x1[0], w0[0], w1[0]);
            step!(x0[1], x1[1], w0[1], w1[1]);
            step!(x0[2], x1[2], w0[2], w1[2]);
            step!(x0[3], x1[3], w0[3], w1[3]);
        }
        for (((x0, x1), &w0), &w1) in x0_rest.iter().zip(x1_rest).zip(w0_rest).zip(w1_rest) {
            step!(x0, x1, w0, w1);
        }
        [s00, s01, s10, s11]
    }
}

/// The products of one input with four rows of weights. Sums wrap.
#[inline(always)]
pub(super) fn one_by_four(input: &[Cell<i8>], weights: [&[i8]; 4]) -> [i32; 4] {
    let len = weights.iter().fold(input.len(), |len, row| len.min(row.len()));
    #[cfg(any(kinglet_armv6m, kinglet_armv7m))]
    {
        let mut sums = [0; 4];
        if len > 0 {
            let rows = weights.map(<[i8]>::as_ptr);
            // SAFETY: each of the five has at least `len` bytes.
            unsafe { assembly::one_by_four(input.as_ptr().cast(), &rows, len, &mut sums) };
        }
        sums
    }
    #[cfg(not(any(kinglet_armv6m, kinglet_armv7m)))]
    {
        let [w0, w1, w2, w3] = weights.map(|row| row.get(..len).unwrap_or_default().as_chunks::<2>());
        let (x, x_rest) = input.get(..len).unwrap_or_default().as_chunks::<2>();
        let (mut s0, mut s1, mut s2, mut s3) = (0i32, 0i32, 0i32, 0i32);
        macro_rules! step {
            ($x:expr, $w0:expr, $w1:expr, $w2:expr, $w3:expr) => {
                let x = i32::from($x.get());
                s0 = s0.wrapping_add(x * i32::from($w0));
                s1 = s1.wrapping_add(x * i32::from($w1));
                s2 = s2.wrapping_add(x * i32::from($w2));
                s3 = s3.wrapping_add(x * i32::from($w3));
            };
        }
        for ((((x, w0), w1), w2), w3) in x.iter().zip(w0.0).zip(w1.0).zip(w2.0).zip(w3.0) {
            step!(x[0], w0[0], w1[0], w2[0], w3[0]);
            step!(x[1], w0[1], w1[1], w2[1], w3[1]);
        }
        let rest = x_rest.iter().zip(w0.1).zip(w1.1).zip(w2.1).zip(w3.1);
        for ((((x, &w0), &w1), &w2), &w3) in rest {
            step!(x, w0, w1, w2, w3);
        }
        [s0, s1, s2, s3]
    }
}

/// Armv6-M has 8 registers that most instructions can name, loads of signed bytes with a register as index
/// only, and a multiplication that overwrites a factor. The sums stand in the other registers, which `add`
/// can name.
#[cfg(kinglet_armv6m)]
mod armv6m {
    use core::arch::naked_asm;

    /// See `two_by_two` above: 15 instructions for 4 products.
    ///
    /// # Safety
    /// `len` is at least 1; the first four pointers are to `len` readable bytes each.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn two_by_two(
        x0: *const i8,
        x1: *const i8,
        w0: *const i8,
        w1: *const i8,
        len: usize,
        sums: &mut [i32; 4],
    ) {
        naked_asm!(
            "push {{r4, r5, r6, r7, lr}}",
            "mov r4, r8",
            "mov r5, r9",
            "mov r6, r10",
            "mov r7, r11",
            "push {{r4, r5, r6, r7}}",
            "ldr r4, [sp, #36]",
            // From -len up to 0, so that one addition counts and tells the end.
            "add r0, r4",
            "add r1, r4",
            "add r2, r4",
            "add r3, r4",
            "rsbs r4, r4, #0",
            "movs r5, #0",
            "mov r8, r5",
            "mov r9, r5",
            "mov r10, r5",
            "mov r11, r5",
            "2:",
            "ldrsb r5, [r0, r4]",
            "ldrsb r6, [r2, r4]",
            "ldrsb r7, [r3, r4]",
            "muls r6, r5, r6",
            "add r8, r6",
            "muls r5, r7, r5",
            "add r9, r5",
            "ldrsb r5, [r1, r4]",
            "ldrsb r6, [r2, r4]",
            "muls r6, r5, r6",
            "add r10, r6",
            "muls r7, r5, r7",
            "add r11, r7",
            "adds r4, #1",
            "bne 2b",
            "ldr r4, [sp, #40]",
            "mov r0, r8",
            "mov r1, r9",
            "mov r2, r10",
            "mov r3, r11",
            "stmia r4!, {{r0, r1, r2, r3}}",
            "pop {{r4, r5, r6, r7}}",
            "mov r8, r4",
            "mov r9, r5",
            "mov r10, r6",
            "mov r11, r7",
            "pop {{r4, r5, r6, r7, pc}}",
        )
    }

    /// See `one_by_four` above: 15 instructions for 4 products.
    ///
    /// # Safety
    /// `len` is at least 1; `x` and the pointers in `rows` are to `len` readable bytes each.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn one_by_four(
        x: *const i8,
        rows: &[*const i8; 4],
        len: usize,
        sums: &mut [i32; 4],
    ) {
        naked_asm!(
            "push {{r4, r5, r6, r7, lr}}",
            "mov r4, r8",
            "mov r5, r9",
            "mov r6, r10",
            "mov r7, r11",
            "push {{r3, r4, r5, r6, r7}}",
            "mov r4, r2",
            "ldr r7, [r1, #12]",
            "ldr r3, [r1, #8]",
            "ldr r2, [r1, #4]",
            "ldr r1, [r1]",
            "add r0, r4",
            "add r1, r4",
            "add r2, r4",
            "add r3, r4",
            "add r7, r4",
            "rsbs r4, r4, #0",
            "movs r5, #0",
            "mov r8, r5",
            "mov r9, r5",
            "mov r10, r5",
            "mov r11, r5",
            "2:",
            "ldrsb r5, [r0, r4]",
            "ldrsb r6, [r1, r4]",
            "muls r6, r5, r6",
            "add r8, r6",
            "ldrsb r6, [r2, r4]",
            "muls r6, r5, r6",
            "add r9, r6",
            "ldrsb r6, [r3, r4]",
            "muls r6, r5, r6",
            "add r10, r6",
            "ldrsb r6, [r7, r4]",
            "muls r5, r6, r5",
            "add r11, r5",
            "adds r4, #1",
            "bne 2b",
            "mov r0, r8",
            "mov r1, r9",
            "mov r2, r10",
            "mov r3, r11",
            "pop {{r7}}",
            "stmia r7!, {{r0, r1, r2, r3}}",
            "pop {{r4, r5, r6, r7}}",
            "mov r8, r4",
            "mov r9, r5",
            "mov r10, r6",
            "mov r11, r7",
            "pop {{r4, r5, r6, r7, pc}}",
        )
    }
}

const MAX_PIXELS: usize = 25;

/// The pixels under a depthwise window, all of one length.
pub(super) struct Pixels<'a> {
    pixels: [&'a [Cell<i8>]; MAX_PIXELS],
    count: usize,
    channels: usize,
}

impl<'a> Pixels<'a> {
    /// The most pixels.
    pub(super) const MAX: usize = MAX_PIXELS;

    /// `count` times the same pixel; `None` for none or too many.
    pub(super) fn new(pixel: &'a [Cell<i8>], count: usize) -> Option<Self> {
        let is_some = (1..=Self::MAX).contains(&count) && !pixel.is_empty();
        is_some.then_some(Self { pixels: [pixel; MAX_PIXELS], count, channels: pixel.len() })
    }

    /// Sets pixel `i`; `None` when it has another length.
    pub(super) fn set(&mut self, i: usize, pixel: &'a [Cell<i8>]) -> Option<()> {
        if pixel.len() != self.channels {
            return None;
        }
        *self.pixels.get_mut(i)? = pixel;
        Some(())
    }

    /// The products of channels `first..first + 4` with `weights`, one for each channel of each pixel. Sums wrap.
    /// `None` where there are fewer channels or weights.
    #[inline(always)]
    pub(super) fn four_channels(&self, weights: &[i8], first: usize) -> Option<[i32; 4]> {
        if first.checked_add(4)? > self.channels || weights.len() < self.count.checked_mul(self.channels)? {
            return None;
        }
        #[cfg(kinglet_armv7m)]
        {
            let mut sums = [0; 4];
            let weights = weights.get(first..)?.as_ptr();
            // SAFETY: there is at least one pixel; all have `channels` bytes, of which `first..first + 4` are some,
            // and there are as many weights for each.
            unsafe {
                let pixels = self.pixels.as_ptr();
                armv7m::four_channels(pixels, self.count, first, weights, self.channels, &mut sums);
            }
            Some(sums)
        }
        #[cfg(not(kinglet_armv7m))]
        {
            let (mut s0, mut s1, mut s2, mut s3) = (0i32, 0i32, 0i32, 0i32);
            let mut weights = weights.get(first..)?;
            for pixel in self.pixels.get(..self.count)? {
                let [x0, x1, x2, x3] = pixel.get(first..)?.first_chunk::<4>()?;
                let &[w0, w1, w2, w3] = weights.first_chunk::<4>()?;
                s0 = s0.wrapping_add(i32::from(x0.get()) * i32::from(w0));
                s1 = s1.wrapping_add(i32::from(x1.get()) * i32::from(w1));
                s2 = s2.wrapping_add(i32::from(x2.get()) * i32::from(w2));
                s3 = s3.wrapping_add(i32::from(x3.get()) * i32::from(w3));
                weights = weights.get(self.channels..).unwrap_or_default();
            }
            Some([s0, s1, s2, s3])
        }
    }

    /// The products of channel `i` with its weights. Sums wrap.
    pub(super) fn one_channel(&self, weights: &[i8], i: usize) -> Option<i32> {
        let mut sum = 0i32;
        let taps = weights.iter().skip(i).step_by(self.channels.max(1));
        for (pixel, &weight) in self.pixels.get(..self.count)?.iter().zip(taps) {
            sum = sum.wrapping_add(i32::from(pixel.get(i)?.get()) * i32::from(weight));
        }
        Some(sum)
    }
}

/// Armv7-M multiplies and adds in one instruction, and moves a pointer on as it loads: nothing is left over in
/// the loops but counting, once in four.
#[cfg(kinglet_armv7m)]
mod armv7m {
    use core::arch::naked_asm;
    use core::cell::Cell;

    /// See `two_by_two` above: 34 instructions for 16 products.
    ///
    /// # Safety
    /// The first four pointers are to `len` readable bytes each.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn two_by_two(
        x0: *const i8,
        x1: *const i8,
        w0: *const i8,
        w1: *const i8,
        len: usize,
        sums: &mut [i32; 4],
    ) {
        naked_asm!(
            "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
            "ldr lr, [sp, #36]",
            "movs r4, #0",
            "movs r5, #0",
            "movs r6, #0",
            "movs r7, #0",
            "lsrs r12, lr, #2",
            "beq 3f",
            "2:",
            ".rept 4",
            "ldrsb r8, [r0], #1",
            "ldrsb r9, [r1], #1",
            "ldrsb r10, [r2], #1",
            "ldrsb r11, [r3], #1",
            "mla r4, r8, r10, r4",
            "mla r5, r8, r11, r5",
            "mla r6, r9, r10, r6",
            "mla r7, r9, r11, r7",
            ".endr",
            "subs r12, #1",
            "bne 2b",
            "3:",
            "ands r12, lr, #3",
            "beq 5f",
            "4:",
            "ldrsb r8, [r0], #1",
            "ldrsb r9, [r1], #1",
            "ldrsb r10, [r2], #1",
            "ldrsb r11, [r3], #1",
            "mla r4, r8, r10, r4",
            "mla r5, r8, r11, r5",
            "mla r6, r9, r10, r6",
            "mla r7, r9, r11, r7",
            "subs r12, #1",
            "bne 4b",
            "5:",
            "ldr r0, [sp, #40]",
            "stm r0, {{r4, r5, r6, r7}}",
            "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
        )
    }

    /// See `one_by_four` above: 38 instructions for 16 products.
    ///
    /// # Safety
    /// `x` and the pointers in `rows` are to `len` readable bytes each.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn one_by_four(
        x: *const i8,
        rows: &[*const i8; 4],
        len: usize,
        sums: &mut [i32; 4],
    ) {
        naked_asm!(
            "push {{r3, r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
            "mov lr, r2",
            "ldm r1, {{r1, r2, r3, r4}}",
            "movs r5, #0",
            "movs r6, #0",
            "movs r7, #0",
            "mov r8, #0",
            "lsrs r12, lr, #2",
            "beq 3f",
            "2:",
            ".rept 4",
            "ldrsb r9, [r0], #1",
            "ldrsb r10, [r1], #1",
            "ldrsb r11, [r2], #1",
            "mla r5, r9, r10, r5",
            "mla r6, r9, r11, r6",
            "ldrsb r10, [r3], #1",
            "ldrsb r11, [r4], #1",
            "mla r7, r9, r10, r7",
            "mla r8, r9, r11, r8",
            ".endr",
            "subs r12, #1",
            "bne 2b",
            "3:",
            "ands r12, lr, #3",
            "beq 5f",
            "4:",
            "ldrsb r9, [r0], #1",
            "ldrsb r10, [r1], #1",
            "ldrsb r11, [r2], #1",
            "mla r5, r9, r10, r5",
            "mla r6, r9, r11, r6",
            "ldrsb r10, [r3], #1",
            "ldrsb r11, [r4], #1",
            "mla r7, r9, r10, r7",
            "mla r8, r9, r11, r8",
            "subs r12, #1",
            "bne 4b",
            "5:",
            "pop {{r0}}",
            "stm r0, {{r5, r6, r7, r8}}",
            "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
        )
    }

    /// See `Pixels` above: 17 instructions for 4 products.
    ///
    /// # Safety
    /// `count` is at least 1; bytes `first..first + 4` of each pixel can be read, and four bytes at `weights` and
    /// at every `stride` behind it, `count` times.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn four_channels(
        pixels: *const &[Cell<i8>],
        count: usize,
        first: usize,
        weights: *const i8,
        stride: usize,
        sums: &mut [i32; 4],
    ) {
        naked_asm!(
            "push {{r4, r5, r6, r7, r8, r9, r10, r11, lr}}",
            "ldr r12, [sp, #36]",
            "movs r4, #0",
            "movs r5, #0",
            "movs r6, #0",
            "movs r7, #0",
            "2:",
            // A slice is a pointer and a length.
            "ldr r8, [r0], #8",
            "add r8, r2",
            "ldrsb r9, [r8]",
            "ldrsb r10, [r3]",
            "ldrsb r11, [r8, #1]",
            "ldrsb lr, [r3, #1]",
            "mla r4, r9, r10, r4",
            "mla r5, r11, lr, r5",
            "ldrsb r9, [r8, #2]",
            "ldrsb r10, [r3, #2]",
            "ldrsb r11, [r8, #3]",
            "ldrsb lr, [r3, #3]",
            "mla r6, r9, r10, r6",
            "mla r7, r11, lr, r7",
            "add r3, r12",
            "subs r1, #1",
            "bne 2b",
            "ldr r0, [sp, #40]",
            "stm r0, {{r4, r5, r6, r7}}",
            "pop {{r4, r5, r6, r7, r8, r9, r10, r11, pc}}",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn sums_of_products(
            rows in proptest::collection::vec((any::<[i8; 2]>(), any::<[i8; 4]>()), 0..40),
        ) {
            let x: [Vec<_>; 2] = [0, 1].map(|i| rows.iter().map(|(x, _)| Cell::new(x[i])).collect());
            let w: [Vec<i8>; 4] = [0, 1, 2, 3].map(|i| rows.iter().map(|(_, w)| w[i]).collect());
            let sum = |i: usize, k: usize| -> i32 {
                rows.iter().map(|(x, w)| i32::from(x[i]) * i32::from(w[k])).sum()
            };
            let four = one_by_four(&x[0], [&w[0], &w[1], &w[2], &w[3]]);
            prop_assert_eq!(four, [sum(0, 0), sum(0, 1), sum(0, 2), sum(0, 3)]);
            let two = two_by_two([&x[0], &x[1]], [&w[0], &w[1]]);
            prop_assert_eq!(two, [sum(0, 0), sum(0, 1), sum(1, 0), sum(1, 1)]);
        }
    }
}

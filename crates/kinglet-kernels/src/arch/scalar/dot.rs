//! Sums of products of int8 values: the inner loops.

use core::cell::Cell;

/// The products of two inputs with two rows of weights, all of one length: input 0 with both rows, then
/// input 1 with both. Sums wrap.
#[inline(always)]
pub(super) fn two_by_two(inputs: [&[Cell<i8>]; 2], weights: [&[i8]; 2]) -> [i32; 4] {
    let [x0, x1] = inputs;
    let [w0, w1] = weights;
    let len = x0.len().min(x1.len()).min(w0.len()).min(w1.len());
    #[cfg(kinglet_armv6m)]
    {
        let mut sums = [0i32; 4];
        if len > 0 {
            // SAFETY: each of the four has at least `len` bytes.
            unsafe {
                armv6m::two_by_two(
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
    #[cfg(not(kinglet_armv6m))]
    {
        let [x0, x1] = [x0, x1].map(|x| x.get(..len).unwrap_or_default());
        let [w0, w1] = [w0, w1].map(|w| w.get(..len).unwrap_or_default());
        let ((x0, x0_rest), (x1, x1_rest)) = (x0.as_chunks::<4>(), x1.as_chunks::<4>());
        let ((w0, w0_rest), (w1, w1_rest)) = (w0.as_chunks::<4>(), w1.as_chunks::<4>());
        let mut sums = [0i32; 4];
        let mut add = |x0: &Cell<i8>, x1: &Cell<i8>, w0: i8, w1: i8| {
            let (x0, x1) = (i32::from(x0.get()), i32::from(x1.get()));
            let (w0, w1) = (i32::from(w0), i32::from(w1));
            let products = [x0 * w0, x0 * w1, x1 * w0, x1 * w1];
            for (sum, product) in sums.iter_mut().zip(products) {
                *sum = sum.wrapping_add(product);
            }
        };
        for (((x0, x1), w0), w1) in x0.iter().zip(x1).zip(w0).zip(w1) {
            add(&x0[0], &x1[0], w0[0], w1[0]);
            add(&x0[1], &x1[1], w0[1], w1[1]);
            add(&x0[2], &x1[2], w0[2], w1[2]);
            add(&x0[3], &x1[3], w0[3], w1[3]);
        }
        for (((x0, x1), &w0), &w1) in x0_rest.iter().zip(x1_rest).zip(w0_rest).zip(w1_rest) {
            add(x0, x1, w0, w1);
        }
        sums
    }
}

/// The products of one input with four rows of weights. Sums wrap.
#[inline(always)]
pub(super) fn one_by_four(input: &[Cell<i8>], weights: [&[i8]; 4]) -> [i32; 4] {
    let len = weights.iter().fold(input.len(), |len, row| len.min(row.len()));
    let mut sums = [0i32; 4];
    #[cfg(kinglet_armv6m)]
    if len > 0 {
        let rows = weights.map(<[i8]>::as_ptr);
        // SAFETY: each of the five has at least `len` bytes.
        unsafe { armv6m::one_by_four(input.as_ptr().cast(), &rows, len, &mut sums) };
    }
    #[cfg(not(kinglet_armv6m))]
    {
        let [w0, w1, w2, w3] = weights.map(|row| row.get(..len).unwrap_or_default().as_chunks::<2>());
        let (x, x_rest) = input.get(..len).unwrap_or_default().as_chunks::<2>();
        let mut add = |x: &Cell<i8>, weights: [i8; 4]| {
            let x = i32::from(x.get());
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = sum.wrapping_add(x * i32::from(weight));
            }
        };
        for ((((x, w0), w1), w2), w3) in x.iter().zip(w0.0).zip(w1.0).zip(w2.0).zip(w3.0) {
            add(&x[0], [w0[0], w1[0], w2[0], w3[0]]);
            add(&x[1], [w0[1], w1[1], w2[1], w3[1]]);
        }
        let rest = x_rest.iter().zip(w0.1).zip(w1.1).zip(w2.1).zip(w3.1);
        for ((((x, &w0), &w1), &w2), &w3) in rest {
            add(x, [w0, w1, w2, w3]);
        }
    }
    sums
}

/// Armv6-M has 8 registers that most instructions can name, loads of signed bytes with a register as index
/// only, and a multiplication that overwrites a factor. The sums stand in the other registers, which `add`
/// can name.
#[cfg(kinglet_armv6m)]
mod armv6m {
    use core::arch::naked_asm;

    /// See [`two_by_two`](super::two_by_two): 15 instructions for 4 products.
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

    /// See [`one_by_four`](super::one_by_four): 15 instructions for 4 products.
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

//! The inner loops of the 3x3 depthwise convolution: pairs of rows, one channel at a time.
//!
//! Two input rows are held as words: the low half of word `x` is the upper row's pixel, the high half the lower
//! row's. A row of such words is a *row of pairs*; row of pairs `i + 1` starts two input rows below row `i`.
//! Three rows of a window are the whole of one pair and half of the next, so that SMLAD takes two taps, and
//! SMLABT and SMLATB the third, without any shuffling.

use super::instructions::{halves, pair, smlad};
#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
use super::requant::{floor, rounded};

/// [`Rule::Floor`](super::requant::Rule::Floor)'s constant shift in these loops.
pub(crate) const E: u32 = 10;

/// What the inner loops read of one channel, from its start by a load of all words.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Taps {
    /// For each column of the window its taps in rows 0 (low half) and 1.
    pub(crate) upper: [i32; 3],
    /// The same for rows 1 (low half) and 2.
    pub(crate) lower: [i32; 3],
    /// What accumulators start with, shifted to the left as the taps are.
    pub(crate) bias: i32,
    /// The multiplier.
    pub(crate) multiplier: i32,
    /// Rule `Floor`: what is added to products. Rule `Rounded`: what is multiplied by in the end.
    pub(crate) last: i32,
    /// Rule `Rounded`: the output zero point.
    pub(crate) zero: i32,
}

/// A block of strips of one channel. A strip is two output rows with stride 1, one with stride 2.
#[repr(C)]
pub(crate) struct Strips {
    /// The upper row of pairs of the first strip.
    pub(crate) pairs: *const i32,
    /// Bytes from it to the lower one; with more than one strip this is `row`.
    pub(crate) next_pairs: isize,
    /// The channel in the first pixel of the first output row.
    pub(crate) output: *mut i8,
    /// Bytes from the first row of a strip to its second, with stride 1.
    pub(crate) second_row: isize,
    /// Bytes from an output pixel to the next.
    pub(crate) pixel: usize,
    /// Bytes of pairs that go by in steps of two output pixels.
    pub(crate) twos: usize,
    /// Number of strips, at least 1.
    pub(crate) strips: usize,
    /// Bytes of a row of pairs: as many words as the windows of an output row cover, no more.
    pub(crate) row: usize,
    /// Bytes from behind the last step of two pixels of a strip to the next strip.
    pub(crate) gap: isize,
    /// As `second_row`, for the last of more than one strip; 0 where that has one row only.
    pub(crate) last_second_row: isize,
    /// An output pixel follows alone: 1, else 0.
    pub(crate) one: usize,
    /// The channel's constants.
    pub(crate) taps: *const Taps,
}

/// What turns input rows into rows of pairs of four channels.
#[repr(C)]
pub(crate) struct Widen {
    /// The first of four channels in the first pixel of the upper row.
    pub(crate) upper: *const i8,
    /// The same in the lower row.
    pub(crate) lower: *const i8,
    /// Bytes from pixel to pixel in the upper row: 0 repeats one pixel.
    pub(crate) upper_step: usize,
    /// The same in the lower row.
    pub(crate) lower_step: usize,
    /// Where the pairs of the first channel go.
    pub(crate) pairs: *mut i32,
    /// Bytes from a channel's pairs to the next channel's.
    pub(crate) plane: usize,
    /// Number of pixels, at least 1.
    pub(crate) pixels: usize,
    /// Number of rows of pairs, at least 1.
    pub(crate) rows: usize,
    /// Bytes from behind a row's last pixel to the row two below.
    pub(crate) gap: isize,
    /// Bytes of pairs from behind a row's last to the next row's first.
    pub(crate) pairs_gap: usize,
}

/// Where the loops keep what does not fit in the core registers: registers of the floating-point unit, or the
/// stack where there is none.
#[cfg(all(any(kinglet_family = "dsp", kinglet_family = "mve"), target_abi = "eabihf"))]
macro_rules! spare {
    (enter) => {
        ""
    };
    (leave) => {
        ""
    };
    (put $n:literal, $r:literal) => {
        concat!("vmov s", $n, ", ", $r)
    };
    (get $r:literal, $n:literal) => {
        concat!("vmov ", $r, ", s", $n)
    };
    (put $n:literal, $m:literal, $r:literal, $q:literal) => {
        concat!("vmov s", $n, ", s", $m, ", ", $r, ", ", $q)
    };
    (get $r:literal, $q:literal, $n:literal, $m:literal) => {
        concat!("vmov ", $r, ", ", $q, ", s", $n, ", s", $m)
    };
}
#[cfg(all(any(kinglet_family = "dsp", kinglet_family = "mve"), not(target_abi = "eabihf")))]
macro_rules! spare {
    (enter) => {
        "sub sp, #64"
    };
    (leave) => {
        "add sp, #64"
    };
    (put $n:literal, $r:literal) => {
        concat!("str ", $r, ", [sp, #4*", $n, "]")
    };
    (get $r:literal, $n:literal) => {
        concat!("ldr ", $r, ", [sp, #4*", $n, "]")
    };
    (put $n:literal, $m:literal, $r:literal, $q:literal) => {
        concat!("strd ", $r, ", ", $q, ", [sp, #4*", $n, "]")
    };
    (get $r:literal, $q:literal, $n:literal, $m:literal) => {
        concat!("ldrd ", $r, ", ", $q, ", [sp, #4*", $n, "]")
    };
}

/// Makes rows of pairs of four channels.
///
/// # Safety
/// The first four bytes of every pixel can be read, and the pairs, `pixels` words in each of `rows` rows, can be
/// written in four planes that are `plane` bytes apart and start at multiples of four.
#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn widen_four(block: &Widen) {
    core::arch::naked_asm!(
        core_of_asm!(),
        "push {{r4-r11, lr}}",
        "mov lr, r0",
        "ldm r0, {{r0-r6}}",
        "ldr r12, [lr, #28]",
        "add r7, r5, r5, lsl #1",
        "2:",
        "ldr r8, [r0]",
        "ldr r9, [r1]",
        "add r0, r2",
        "add r1, r3",
        "pkhbt r10, r8, r9, lsl #16",
        "pkhtb r11, r9, r8, asr #16",
        "sxtb16 r8, r10, ror #8",
        "sxtb16 r9, r11, ror #8",
        "str r8, [r4, r5]",
        "str r9, [r4, r7]",
        "sxtb16 r11, r11",
        "sxtb16 r10, r10",
        "str r11, [r4, r5, lsl #1]",
        "str r10, [r4], #4",
        "subs r6, #1",
        "bne 2b",
        "ldrd r8, r9, [lr, #32]",
        "ldr r6, [lr, #24]",
        "add r0, r8",
        "add r1, r8",
        "add r4, r9",
        "subs r12, #1",
        "bne 2b",
        "pop {{r4-r11, pc}}",
    )
}

/// Makes rows of pairs of two channels.
///
/// # Safety
/// As for [`widen_four`], for two channels.
#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
#[unsafe(naked)]
pub(crate) unsafe extern "C" fn widen_two(block: &Widen) {
    core::arch::naked_asm!(
        core_of_asm!(),
        "push {{r4-r9, lr}}",
        "mov lr, r0",
        "ldm r0, {{r0-r6}}",
        "ldr r12, [lr, #28]",
        "2:",
        "ldrh r8, [r0]",
        "ldrh r9, [r1]",
        "add r0, r2",
        "add r1, r3",
        "orr r8, r8, r9, lsl #16",
        "sxtb16 r9, r8, ror #8",
        "sxtb16 r8, r8",
        "str r9, [r4, r5]",
        "str r8, [r4], #4",
        "subs r6, #1",
        "bne 2b",
        "ldrd r8, r9, [lr, #32]",
        "ldr r6, [lr, #24]",
        "add r0, r8",
        "add r1, r8",
        "add r4, r9",
        "subs r12, #1",
        "bne 2b",
        "pop {{r4-r9, pc}}",
    )
}

/// Makes rows of pairs of four channels.
///
/// # Safety
/// As above.
#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
pub(crate) unsafe fn widen_four(block: &Widen) {
    for channel in 0..4 {
        // SAFETY: of the caller's contract, one channel.
        unsafe { widen_one(block, channel) }
    }
}

/// Makes rows of pairs of two channels.
///
/// # Safety
/// As above.
#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
pub(crate) unsafe fn widen_two(block: &Widen) {
    for channel in 0..2 {
        // SAFETY: of the caller's contract, one channel.
        unsafe { widen_one(block, channel) }
    }
}

/// Makes rows of pairs of one channel.
///
/// # Safety
/// Byte `channel` of every pixel can be read, and its plane can be written, as for [`widen_four`].
pub(crate) unsafe fn widen_one(block: &Widen, channel: usize) {
    let (mut upper, mut lower) = (block.upper.wrapping_add(channel), block.lower.wrapping_add(channel));
    let mut pairs = block.pairs.wrapping_byte_add(channel.wrapping_mul(block.plane));
    for _ in 0..block.rows {
        for _ in 0..block.pixels {
            // SAFETY: by this function's contract.
            let above = unsafe { *upper };
            // SAFETY: the same.
            let below = unsafe { *lower };
            // SAFETY: the same.
            unsafe { *pairs = pair(above.into(), below.into()) };
            upper = upper.wrapping_add(block.upper_step);
            lower = lower.wrapping_add(block.lower_step);
            pairs = pairs.wrapping_add(1);
        }
        upper = upper.wrapping_offset(block.gap);
        lower = lower.wrapping_offset(block.gap);
        pairs = pairs.wrapping_byte_add(block.pairs_gap);
    }
}

/// Accumulators in the registers named become outputs; r12 and lr are free for it.
#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
macro_rules! requantize {
    (floor $($r:literal)*) => { concat!(
        spare!(get "r12", "lr", "2", "3"), "\n",
        $("smmla ", $r, ", ", $r, ", r12, lr\n",)*
        $("ssat ", $r, ", #8, ", $r, ", asr #{e}\n",)*
    ) };
    (rounded $($r:literal)*) => { concat!(
        spare!(get "r12", "lr", "2", "3"), "\n",
        $("smmulr ", $r, ", ", $r, ", r12\n",)*
        spare!(get "r12", "8"), "\n",
        $("add ", $r, ", ", $r, ", ", $r, ", asr #31\n",)*
        $("smmlar ", $r, ", ", $r, ", lr, r12\n",)*
        $("ssat ", $r, ", #8, ", $r, "\n",)*
        // A use of the operand that rule `Floor` needs.
        "@ {e}\n",
    ) };
}

/// A block of strips of one channel.
///
/// Registers: r0 and r1 walk along the two rows of pairs; r2-r4 and r5-r7 are the taps; r8-r11 accumulate; r12
/// and lr take pairs. Spare: 0 bias, 2 and 3 the multiplier and `last`, 4 and 5 where the output rows go on,
/// 6 bytes of a pixel, 7 where steps of two pixels end, 8 the zero point, 10 strips left, 11 bytes of a row of
/// pairs, 12 and 13 `gap` and `last_second_row`, 14 `one`.
#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
macro_rules! strips {
    ($(#[$meta:meta])* $name:ident, stride 1, $rule:ident) => {
        strips! { $(#[$meta])* $name,
            enter {
                "add lr, r12",
                spare!(put "4", "5", "r12", "lr"),
            }
            step {
            // Two columns of two rows: r8 r9 above r10 r11.
            "ldrd r12, lr, [r0], #8",
            spare!(get "r11", "0"),
            "smlad r8, r12, r2, r11",
            "smlatb r10, r12, r2, r11",
            "smlad r9, lr, r2, r11",
            "smlatb r11, lr, r2, r11",
            "smlad r8, lr, r3, r8",
            "smlatb r10, lr, r3, r10",
            "ldrd r12, lr, [r0]",
            "smlad r8, r12, r4, r8",
            "smlatb r10, r12, r4, r10",
            "smlad r9, r12, r3, r9",
            "smlatb r11, r12, r3, r11",
            "smlad r9, lr, r4, r9",
            "smlatb r11, lr, r4, r11",
            "ldrd r12, lr, [r1], #8",
            "smlabt r8, r12, r5, r8",
            "smlad r10, r12, r5, r10",
            "smlabt r9, lr, r5, r9",
            "smlad r11, lr, r5, r11",
            "smlabt r8, lr, r6, r8",
            "smlad r10, lr, r6, r10",
            "ldrd r12, lr, [r1]",
            "smlabt r8, r12, r7, r8",
            "smlad r10, r12, r7, r10",
            "smlabt r9, r12, r6, r9",
            "smlad r11, r12, r6, r11",
            "smlabt r9, lr, r7, r9",
            "smlad r11, lr, r7, r11",
            requantize!($rule "r8" "r9" "r10" "r11"),
            spare!(get "r12", "lr", "4", "5"),
            // The second row first: in a strip of one row the first one lies over it.
            "strb r10, [lr]",
            "strb r8, [r12]",
            spare!(get "r8", "r10", "6", "7"),
            "strb r11, [lr, r8]",
            "strb r9, [r12, r8]",
            "add lr, lr, r8, lsl #1",
            "add r12, r12, r8, lsl #1",
            spare!(put "4", "5", "r12", "lr"),
            "cmp r0, r10",
            "bne 4b",
            }
            alone {
            // One column of two rows: r8 above r9.
            "ldrd r12, lr, [r0]",
            spare!(get "r10", "0"),
            "smlad r8, r12, r2, r10",
            "smlatb r9, r12, r2, r10",
            "smlad r8, lr, r3, r8",
            "smlatb r9, lr, r3, r9",
            "ldr r12, [r0, #8]",
            "ldr lr, [r1]",
            "smlad r8, r12, r4, r8",
            "smlatb r9, r12, r4, r9",
            "smlabt r8, lr, r5, r8",
            "smlad r9, lr, r5, r9",
            "ldrd r12, lr, [r1, #4]",
            "smlabt r8, r12, r6, r8",
            "smlad r9, r12, r6, r9",
            "smlabt r8, lr, r7, r8",
            "smlad r9, lr, r7, r9",
            requantize!($rule "r8" "r9"),
            spare!(get "r12", "lr", "4", "5"),
            "strb r9, [lr]",
            "strb r8, [r12]",
            "add r0, #4",
            "add r1, #4",
            }
            next {
                "add r0, #8",
                "add r1, #8",
                spare!(get "r10", "r11", "4", "5"),
                spare!(get "r9", "lr", "12", "13"),
                "add r10, r9",
                "add r11, r9",
                "cmp r8, #1",
                "it eq",
                "addeq r11, r10, lr",
                spare!(put "4", "5", "r10", "r11"),
            }
        }
    };
    ($(#[$meta:meta])* $name:ident, stride 2, $rule:ident) => {
        strips! { $(#[$meta])* $name,
            enter {
                "mov r11, r10",
                "mov r10, r12",
            }
            step {
            // Two pixels: r8 r9.
            "ldrd r12, lr, [r0], #8",
            spare!(get "r9", "0"),
            "smlad r8, r12, r2, r9",
            "smlad r8, lr, r3, r8",
            "ldrd r12, lr, [r0], #8",
            "smlad r8, r12, r4, r8",
            "smlad r9, r12, r2, r9",
            "smlad r9, lr, r3, r9",
            "ldr r12, [r0]",
            "ldr lr, [r1], #4",
            "smlad r9, r12, r4, r9",
            "smlabt r8, lr, r5, r8",
            "ldrd r12, lr, [r1], #8",
            "smlabt r8, r12, r6, r8",
            "smlabt r8, lr, r7, r8",
            "smlabt r9, lr, r5, r9",
            "ldr r12, [r1], #4",
            "ldr lr, [r1]",
            "smlabt r9, r12, r6, r9",
            "smlabt r9, lr, r7, r9",
            requantize!($rule "r8" "r9"),
            "strb r8, [r10]",
            "strb r9, [r10, r11]",
            "add r10, r10, r11, lsl #1",
            spare!(get "r12", "7"),
            "cmp r0, r12",
            "bne 4b",
            }
            alone {
            // One pixel: r8.
            "ldrd r12, lr, [r0]",
            spare!(get "r8", "0"),
            "smlad r8, r12, r2, r8",
            "smlad r8, lr, r3, r8",
            "ldr r12, [r0, #8]",
            "ldr lr, [r1]",
            "smlad r8, r12, r4, r8",
            "smlabt r8, lr, r5, r8",
            "ldrd r12, lr, [r1, #4]",
            "smlabt r8, r12, r6, r8",
            "smlabt r8, lr, r7, r8",
            requantize!($rule "r8"),
            "strb r8, [r10]",
            "add r0, #8",
            "add r1, #8",
            }
            next {
                "add r0, #4",
                "add r1, #4",
                spare!(get "r9", "12"),
                "add r10, r9",
            }
        }
    };
    ($(#[$meta:meta])* $name:ident,
        enter { $($enter:tt)* } step { $($step:tt)* } alone { $($alone:tt)* } next { $($next:tt)* }
    ) => {
        $(#[$meta])*
        #[unsafe(naked)]
        pub(crate) unsafe extern "C" fn $name(block: &Strips) {
            core::arch::naked_asm!(
                core_of_asm!(),
                "push {{r4-r11, lr}}",
                spare!(enter),
                "ldr r12, [r0, #44]",
                "ldm r12!, {{r2-r7}}",
                "ldm r12, {{r8-r11}}",
                spare!(put "0", "r8"),
                spare!(put "2", "3", "r9", "r10"),
                spare!(put "8", "r11"),
                "ldrd r9, r10, [r0, #24]",
                "ldrd r11, r12, [r0, #32]",
                spare!(put "10", "11", "r9", "r10"),
                "ldr r8, [r0, #40]",
                spare!(put "12", "13", "r11", "r12"),
                spare!(put "14", "r8"),
                "ldrd r8, r1, [r0]",
                "ldrd r10, r11, [r0, #16]",
                "ldrd r12, lr, [r0, #8]",
                "mov r0, r8",
                "add r1, r8",
                "add r11, r8",
                spare!(put "6", "7", "r10", "r11"),
                "mov r9, r11",
                $($enter)*
                "cmp r0, r9",
                "beq 5f",
                "4:",
                $($step)*
                "5:",
                spare!(get "r12", "14"),
                "cmp r12, #0",
                "beq 6f",
                $($alone)*
                "6:",
                spare!(get "r8", "r9", "10", "11"),
                "subs r8, #1",
                "beq 7f",
                spare!(get "r12", "7"),
                spare!(put "10", "r8"),
                "add r12, r9",
                spare!(put "7", "r12"),
                $($next)*
                "cmp r0, r12",
                "bne 4b",
                "b 5b",
                "7:",
                spare!(leave),
                "pop {{r4-r11, pc}}",
                e = const E,
            )
        }
    };
}

/// In plain Rust the same for any way to turn an accumulator into an output.
///
/// # Safety
/// As for [`floor_1`].
pub(crate) unsafe fn strips<const STRIDE: usize>(block: &Strips, finish: impl Fn(i32) -> i32) {
    // SAFETY: by the caller's contract the constants are there.
    let taps = unsafe { &*block.taps };
    let pairs_of_pixels = block.twos / (8 * STRIDE);
    let pixels = 2 * pairs_of_pixels + block.one;
    let next_strip = block.gap + (2 * pairs_of_pixels * block.pixel) as isize;
    for strip in 0..block.strips {
        let upper = block.pairs.wrapping_byte_add(block.row * strip);
        let lower = upper.wrapping_byte_offset(block.next_pairs);
        let output = block.output.wrapping_offset(next_strip * strip as isize);
        let is_last = strip > 0 && strip + 1 == block.strips;
        let second = if is_last { block.last_second_row } else { block.second_row };
        for x in 0..pixels {
            let (mut one, mut two) = (taps.bias, taps.bias);
            for (column, (&above, &below)) in taps.upper.iter().zip(&taps.lower).enumerate() {
                let at = x * STRIDE + column;
                // SAFETY: by the caller's contract all pairs that windows cover are there.
                let a = unsafe { *upper.wrapping_add(at) };
                // SAFETY: the same.
                let b = unsafe { *lower.wrapping_add(at) };
                let ([tap0, _], [_, tap2]) = (halves(above), halves(below));
                let ([_, a1], [b0, _]) = (halves(a), halves(b));
                one = smlad(a, above, one).wrapping_add(b0.wrapping_mul(tap2));
                two = smlad(b, below, two).wrapping_add(a1.wrapping_mul(tap0));
            }
            let output = output.wrapping_add(x * block.pixel);
            if STRIDE == 1 {
                // SAFETY: by the caller's contract all output pixels can be written. Where there is no second row
                // this is the first.
                unsafe { *output.wrapping_offset(second) = finish(two) as i8 };
            }
            // SAFETY: the same.
            unsafe { *output = finish(one) as i8 };
        }
    }
}

macro_rules! loops {
    ($($(#[$meta:meta])* $name:ident, $stride:tt, $rule:ident, $finish:expr;)*) => {$(
        #[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
        strips! { $(#[$meta])* $name, stride $stride, $rule }

        $(#[$meta])*
        #[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
        pub(crate) unsafe fn $name(block: &Strips) {
            // SAFETY: of the caller's contract, the constants.
            let taps = unsafe { *block.taps };
            let finish: fn(i32, &Taps) -> i32 = $finish;
            // SAFETY: the caller's contract is the same.
            unsafe { strips::<$stride>(block, |acc| finish(acc, &taps)) }
        }
    )*};
}
loops! {
    /// A block of strips with stride 1, by rule `Floor`.
    ///
    /// # Safety
    /// Every row of pairs has the words of all windows, and starts at a multiple of four; every output pixel can
    /// be written; the constants are there.
    floor_1, 1, floor, |acc, taps| floor::<E>(acc, taps.multiplier, taps.last);
    /// A block of strips with stride 1, by rule `Rounded`.
    ///
    /// # Safety
    /// As for [`floor_1`].
    rounded_1, 1, rounded, |acc, taps| rounded(acc, taps.multiplier, taps.last, taps.zero);
    /// A block of strips with stride 2, by rule `Floor`.
    ///
    /// # Safety
    /// As for [`floor_1`].
    floor_2, 2, floor, |acc, taps| floor::<E>(acc, taps.multiplier, taps.last);
    /// A block of strips with stride 2, by rule `Rounded`.
    ///
    /// # Safety
    /// As for [`floor_1`].
    rounded_2, 2, rounded, |acc, taps| rounded(acc, taps.multiplier, taps.last, taps.zero);
}

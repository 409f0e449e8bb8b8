//! From int8 input to what the inner loops read: int16, zero point subtracted, 4 pixels side by side.

use core::cell::Cell;

use super::instructions::{sxtab16, sxtab16_odd};

/// A memory of words in the tensor arena; `None` where it is not aligned to 4 bytes.
pub(crate) fn words(cells: &[Cell<i8>]) -> Option<&[Cell<i32>]> {
    if !cells.as_ptr().addr().is_multiple_of(4) {
        return None;
    }
    // SAFETY: cells are shared and mutable, of one thread, and every 4 bytes of them are some int32; the memory is
    // the same, aligned and at most as long.
    Some(unsafe { core::slice::from_raw_parts(cells.as_ptr().cast(), cells.len() / 4) })
}

/// The halves that subtract `zero_point` from two values.
pub(crate) fn minus(zero_point: i8) -> i32 {
    let minus = -i32::from(zero_point);
    (minus & 0xffff) | minus << 16
}

/// Four windows, or four pixels: each is some segments of bytes, `step` apart, that become int16.
#[repr(C)]
pub(crate) struct Four {
    /// Where the windows start.
    pub(crate) from: [*const i8; 4],
    /// Words for two values of each of the four: twice as many as there are words in the segments.
    pub(crate) to: *mut i32,
    /// See [`minus`].
    pub(crate) minus: i32,
    /// Words of a segment, not 0.
    pub(crate) words: usize,
    /// Number of segments, not 0.
    pub(crate) segments: usize,
    /// Bytes from the end of a segment to the next.
    pub(crate) step: isize,
}

impl Four {
    /// Widens all segments.
    ///
    /// # Safety
    /// All segments and what `to` names lie in memory.
    #[inline(always)]
    pub(crate) unsafe fn widen(&self) {
        // SAFETY: the caller's promise.
        unsafe { inner::widen(self) }
    }
}

/// Copies `words` words of each of `segments` segments, wherever they lie, to `to`, where segments start
/// `to_step` bytes after each other.
///
/// # Safety
/// The words lie in memory on both sides. Those of a segment that the next one overwrites count.
#[inline(never)]
pub(crate) unsafe fn copy_segments(
    mut from: *const i8,
    mut to: *mut i8,
    words: usize,
    segments: usize,
    step: isize,
    to_step: usize,
) {
    for _ in 0..segments {
        for i in 0..words {
            // SAFETY: the caller's promise.
            let word = unsafe { from.wrapping_add(4 * i).cast::<i32>().read_unaligned() };
            // SAFETY: the caller's promise.
            unsafe { to.wrapping_add(4 * i).cast::<i32>().write_unaligned(word) };
        }
        from = from.wrapping_offset(step);
        to = to.wrapping_add(to_step);
    }
}

/// Widens four bytes to words 0 and 4 of `to`.
#[inline(always)]
pub(crate) fn put(bytes: i32, minus: i32, to: &[Cell<i32>]) {
    if let [even, _, _, _, odd, ..] = to {
        even.set(sxtab16(minus, bytes));
        odd.set(sxtab16_odd(minus, bytes));
    }
}

/// Four bytes from `at` on of a row that is `zero_point` to both sides.
pub(crate) fn load_padded(row: &[Cell<i8>], at: isize, zero_point: i8) -> i32 {
    let inside = usize::try_from(at).ok().and_then(|at| row.get(at..at.wrapping_add(4)));
    if let Some(four) = inside {
        // SAFETY: four bytes.
        return unsafe { four.as_ptr().cast::<i32>().read_unaligned() };
    }
    let byte = |i: isize| {
        let cell = usize::try_from(at.wrapping_add(i)).ok().and_then(|at| row.get(at));
        cell.map_or(zero_point, Cell::get) as u8
    };
    i32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)])
}

/// The bytes of words in the tensor arena.
pub(crate) fn bytes_of(words: &[Cell<i32>]) -> &[Cell<i8>] {
    // SAFETY: as in `words`; bytes need no alignment.
    unsafe { core::slice::from_raw_parts(words.as_ptr().cast(), size_of_val(words)) }
}

/// Copies bytes from `at` on of a row that is `zero_point` to both sides.
pub(crate) fn copy_padded(row: &[Cell<i8>], at: isize, zero_point: i8, to: &[Cell<i8>]) {
    for (i, to) in to.iter().enumerate() {
        let at = usize::try_from(at.wrapping_add(i as isize)).ok();
        to.set(at.and_then(|at| row.get(at)).map_or(zero_point, Cell::get));
    }
}

#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
mod inner {
    use super::Four;
    use core::arch::naked_asm;
    use core::mem::offset_of;

    /// r0-r3 windows, r4-r7 their bytes, r8 and r9 what becomes of them, r10 output, r11 zero points, r12 words
    /// left, lr segments left, [sp] arguments.
    ///
    /// # Safety
    /// See [`Four::widen`].
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn widen(four: &Four) {
        naked_asm!(
            core_of_asm!(),
            "push {{r0, r4-r11, lr}}",
            "ldrd r10, r11, [r0, #{to}]",
            "ldrd r12, lr, [r0, #{words}]",
            "ldm r0, {{r0-r3}}",
            "2:",
            "ldr r4, [r0], #4",
            "ldr r5, [r1], #4",
            "ldr r6, [r2], #4",
            "ldr r7, [r3], #4",
            "sxtab16 r8, r11, r4",
            "sxtab16 r9, r11, r5",
            "strd r8, r9, [r10], #8",
            "sxtab16 r8, r11, r6",
            "sxtab16 r9, r11, r7",
            "strd r8, r9, [r10], #8",
            "sxtab16 r4, r11, r4, ror #8",
            "sxtab16 r5, r11, r5, ror #8",
            "sxtab16 r6, r11, r6, ror #8",
            "sxtab16 r7, r11, r7, ror #8",
            "stm r10!, {{r4-r7}}",
            "subs r12, r12, #1",
            "bne 2b",
            "subs lr, lr, #1",
            "beq 3f",
            "ldr r4, [sp]",
            "ldr r12, [r4, #{words}]",
            "ldr r4, [r4, #{step}]",
            "add r0, r0, r4",
            "add r1, r1, r4",
            "add r2, r2, r4",
            "add r3, r3, r4",
            "b 2b",
            "3:",
            "pop {{r0, r4-r11, pc}}",
            to = const offset_of!(Four, to),
            words = const offset_of!(Four, words),
            step = const offset_of!(Four, step),
        )
    }
}

#[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
mod inner {
    use super::{Four, sxtab16, sxtab16_odd};

    /// # Safety
    /// See [`Four::widen`].
    pub(super) unsafe fn widen(four: &Four) {
        let mut to = four.to;
        let mut put = |word: i32| {
            // SAFETY: the caller's promise.
            unsafe { to.write(word) };
            to = to.wrapping_add(1);
        };
        let mut from = four.from;
        for _ in 0..four.segments {
            for _ in 0..four.words {
                // SAFETY: the caller's promise.
                let bytes = from.map(|from| unsafe { from.cast::<i32>().read_unaligned() });
                bytes.into_iter().for_each(|bytes| put(sxtab16(four.minus, bytes)));
                bytes.into_iter().for_each(|bytes| put(sxtab16_odd(four.minus, bytes)));
                from = from.map(|from| from.wrapping_add(4));
            }
            from = from.map(|from| from.wrapping_offset(four.step));
        }
    }
}

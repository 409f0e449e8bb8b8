//! From int8 input to what the inner loops read: int16, zero point subtracted, 4 pixels side by side.

use core::cell::Cell;

use super::instructions::{sxtab16, sxtab16_odd};

/// The halves that subtract `zero_point` from two values.
pub(crate) fn minus(zero_point: i8) -> i32 {
    let minus = -i32::from(zero_point);
    (minus & 0xffff) | minus << 16
}

/// Four bytes, wherever they lie.
#[inline(always)]
fn load(cells: &[Cell<i8>]) -> i32 {
    debug_assert!(cells.len() >= 4);
    // SAFETY: every caller has taken at least four cells.
    unsafe { cells.as_ptr().cast::<i32>().read_unaligned() }
}

/// Widens `len` bytes (a multiple of 4) of each of 4 pixels that start `stride` bytes after each other in
/// `from`, to `2 * len` words of `to`. False when one of them is too short.
pub(crate) fn widen_4(from: &[Cell<i8>], stride: usize, len: usize, minus: i32, to: &[Cell<i32>]) -> bool {
    let end = stride.checked_mul(3).and_then(|start| start.checked_add(len));
    if end.is_none_or(|end| end > from.len()) || to.len() / 2 < len {
        return false;
    }
    #[cfg(kinglet_dsp_vfp)]
    if len > 0 {
        // SAFETY: the lengths have been compared.
        unsafe { asm::widen_4(from.as_ptr().cast(), stride, to.as_ptr().cast_mut().cast(), len, minus) };
    }
    #[cfg(not(kinglet_dsp_vfp))]
    for pixel in 0..4 {
        let to = to.get(pixel..).unwrap_or_default();
        widen(from.get(pixel * stride..).unwrap_or_default(), len, minus, to);
    }
    true
}

/// Widens `len` bytes (a multiple of 4) of one pixel, to every fourth word of `to`. False when one of them
/// is too short.
pub(crate) fn widen(from: &[Cell<i8>], len: usize, minus: i32, to: &[Cell<i32>]) -> bool {
    let Some(from) = from.get(..len) else {
        return false;
    };
    if to.len() + 3 < len.saturating_mul(2) {
        return false;
    }
    for (four, to) in from.chunks_exact(4).zip(to.chunks(8)) {
        put(load(four), minus, to);
    }
    true
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
        return load(four);
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
    let start = usize::try_from(at).ok();
    let inside = start.and_then(|start| row.get(start..start.wrapping_add(to.len())));
    match inside {
        // SAFETY: both are as long; they may not overlap, but if they did, `copy` would be right.
        Some(from) => unsafe { core::ptr::copy(from.as_ptr(), to.as_ptr().cast_mut(), to.len()) },
        None => {
            for (i, to) in to.iter().enumerate() {
                let at = usize::try_from(at.wrapping_add(i as isize)).ok();
                to.set(at.and_then(|at| row.get(at)).map_or(zero_point, Cell::get));
            }
        }
    }
}

#[cfg(kinglet_dsp_vfp)]
mod asm {
    use core::arch::naked_asm;

    /// # Safety
    /// `len`, a multiple of 4 and not 0, bytes are readable at `from` and 1 to 3 times `stride` behind it, and
    /// `2 * len` words are writable at `to`.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn widen_4(
        from: *const i8,
        stride: usize,
        to: *mut i32,
        len: usize,
        minus: i32,
    ) {
        naked_asm!(
            "push {{r4-r11, lr}}",
            "ldr r12, [sp, #36]",
            // The last pixel has a pointer of its own.
            "add lr, r0, r1",
            "add lr, lr, r1, lsl #1",
            "2:",
            "ldr r5, [r0, r1]",
            "ldr r6, [r0, r1, lsl #1]",
            "ldr r4, [r0], #4",
            "ldr r7, [lr], #4",
            "sxtab16 r8, r12, r4",
            "sxtab16 r9, r12, r5",
            "sxtab16 r10, r12, r6",
            "sxtab16 r11, r12, r7",
            "stm r2!, {{r8-r11}}",
            "sxtab16 r4, r12, r4, ror #8",
            "sxtab16 r5, r12, r5, ror #8",
            "sxtab16 r6, r12, r6, ror #8",
            "sxtab16 r7, r12, r7, ror #8",
            "stm r2!, {{r4-r7}}",
            "subs r3, r3, #4",
            "bne 2b",
            "pop {{r4-r11, pc}}",
        )
    }
}

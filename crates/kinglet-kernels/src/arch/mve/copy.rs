//! Windows copied side by side, and bytes set.

use core::cell::Cell;

/// Rows of several windows.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Windows {
    /// Bytes from one row of a window to the next; more than 0 rows.
    pub(crate) row: usize,
    pub(crate) rows: usize,
    /// Bytes of a row that are copied: more than 0.
    pub(crate) segment: usize,
    /// Bytes from one row to the next where they are copied to.
    pub(crate) to_row: usize,
    /// Bytes from one window to the next; more than 0 windows.
    pub(crate) step: usize,
    pub(crate) to_step: usize,
    pub(crate) windows: usize,
}

impl Windows {
    /// Bytes from the start of the first to the end of the last, read and written.
    fn spans(&self) -> Option<[usize; 2]> {
        let span = |row: usize, step: usize| {
            let rows = row.checked_mul(self.rows.checked_sub(1)?)?;
            let windows = step.checked_mul(self.windows.checked_sub(1)?)?;
            rows.checked_add(windows)?.checked_add(self.segment)
        };
        Some([span(self.row, self.step)?, span(self.to_row, self.to_step)?])
    }
}

/// Copies windows; false when memory is too short. The two memories do not overlap, or order does not matter.
pub(crate) fn copy(from: &[Cell<i8>], to: &[Cell<i8>], windows: &Windows) -> bool {
    let Some([read, written]) = windows.spans() else {
        return false;
    };
    if read > from.len() || written > to.len() || windows.segment == 0 {
        return false;
    }
    #[cfg(kinglet_family = "mve")]
    {
        let moved = windows.segment.next_multiple_of(16);
        let mut args = *windows;
        args.row = windows.row.wrapping_sub(moved);
        args.to_row = windows.to_row.wrapping_sub(moved);
        // SAFETY: the spans have been compared with the memories, which are cells.
        unsafe { asm::copy(&args, from.as_ptr().cast(), to.as_ptr().cast_mut().cast()) };
    }
    #[cfg(not(kinglet_family = "mve"))]
    for window in 0..windows.windows {
        for row in 0..windows.rows {
            let from = from.get(window * windows.step + row * windows.row..).unwrap_or_default();
            let to = to.get(window * windows.to_step + row * windows.to_row..).unwrap_or_default();
            from.iter().zip(to).take(windows.segment).for_each(|(from, to)| to.set(from.get()));
        }
    }
    true
}

/// Sets all cells.
pub(crate) fn fill(to: &[Cell<i8>], value: i8) {
    #[cfg(kinglet_family = "mve")]
    // SAFETY: so many cells.
    unsafe {
        asm::fill(to.as_ptr().cast_mut().cast(), to.len(), value.into());
    }
    #[cfg(not(kinglet_family = "mve"))]
    to.iter().for_each(|to| to.set(value));
}

#[cfg(kinglet_family = "mve")]
mod asm {
    use super::Windows;
    use core::arch::naked_asm;

    /// # Safety
    /// All rows of all windows are readable at `from` and writable at `to`. `row` and `to_row` are less by the
    /// segment, rounded up to 16.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn copy(args: *const Windows, from: *const i8, to: *mut i8) {
        naked_asm!(
            core_of_asm!(),
            "push {{r4-r11, lr}}",
            // r3 row, r4 rows, r5 segment, r6 to_row, r7 step, r8 to_step, r9 windows
            "ldm r0, {{r3-r9}}",
            "2:",
            "mov r10, r1",
            "mov r11, r2",
            "mov r12, r4",
            "3:",
            "dlstp.8 lr, r5",
            "4:",
            "vldrb.u8 q0, [r10], #16",
            "vstrb.8 q0, [r11], #16",
            "letp lr, 4b",
            "add r10, r3",
            "add r11, r6",
            "subs r12, r12, #1",
            "bne 3b",
            "add r1, r7",
            "add r2, r8",
            "subs r9, r9, #1",
            "bne 2b",
            "pop {{r4-r11, pc}}",
        )
    }

    /// # Safety
    /// `len` bytes are writable at `to`.
    #[unsafe(naked)]
    pub(super) unsafe extern "C" fn fill(to: *mut i8, len: usize, value: i32) {
        naked_asm!(
            core_of_asm!(),
            "push {{r7, lr}}",
            "vdup.8 q0, r2",
            "wlstp.8 lr, r1, 3f",
            "2:",
            "vstrb.8 q0, [r0], #16",
            "letp lr, 2b",
            "3:",
            "pop {{r7, pc}}",
        )
    }
}

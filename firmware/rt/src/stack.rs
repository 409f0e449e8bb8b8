//! How deep the stack went, and the memory that neither statics nor stack use.

use core::{arch::asm, ptr, slice};

const PAINT: u32 = 0x5a17_ab1e;

/// The stack is watched this far below its top at most.
const WATCHED: usize = 64 * 1024;

unsafe extern "C" {
    /// First address after the stack, set by the linker script.
    static _stack_start: u32;
    /// First address after the statics, set by the linker script.
    static __sheap: u32;
    /// The smallest address of RAM, set by the linker script.
    static _ram_start: u32;
}

fn top() -> usize {
    &raw const _stack_start as usize
}

/// The lowest address that is watched: the end of the statics or, where there is
/// plenty of memory, `WATCHED` below the top (a quarter of a small RAM).
fn bottom() -> usize {
    let ram = top() - &raw const _ram_start as usize;
    let watched = if ram / 4 < WATCHED { ram / 4 } else { WATCHED };
    let statics = &raw const __sheap as usize;
    let bottom = top() - watched;
    let bottom = if bottom < statics { statics } else { bottom };
    (bottom + 3) & !3
}

/// All RAM from the end of the statics to where the stack's share begins, aligned
/// to 16 bytes.
///
/// # Safety
///
/// At most one call in a program: every call returns the same memory.
pub unsafe fn free_ram() -> &'static mut [u8] {
    let start = (&raw const __sheap as usize + 15) & !15;
    let length = bottom().saturating_sub(start) & !15;
    // SAFETY: the linker script puts nothing between these two addresses, `bottom`
    // leaves room for the stack, and the caller calls this once.
    unsafe { slice::from_raw_parts_mut(ptr::with_exposed_provenance_mut(start), length) }
}

/// Overwrites the unused part of the stack with a pattern.
#[inline(never)]
pub fn paint() {
    // SAFETY: below the stack pointer nothing is live, interrupts are never enabled,
    // and `bottom` lies above the statics and what `free_ram` gave away. The stack
    // pointer is read where the loop is, after the compiler has moved it.
    #[cfg(target_arch = "arm")]
    unsafe {
        asm!(
            "mov {end}, sp",
            "2:",
            "cmp {address}, {end}",
            "bhs 3f",
            "str {paint}, [{address}]",
            "adds {address}, #4",
            "b 2b",
            "3:",
            address = inout(reg) bottom() => _,
            end = out(reg) _,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
    // SAFETY: as above.
    #[cfg(target_arch = "riscv32")]
    unsafe {
        asm!(
            "2:",
            "bgeu {address}, sp, 3f",
            "sw {paint}, 0({address})",
            "addi {address}, {address}, 4",
            "j 2b",
            "3:",
            address = inout(reg) bottom() => _,
            paint = in(reg) PAINT,
            options(nostack),
        );
    }
}

/// The bytes from the top of the stack to the deepest word overwritten since
/// [`paint`]. Everything `main` and its callers hold is in it. `None` if the stack
/// went beyond what was painted.
#[inline(never)]
pub fn used() -> Option<u32> {
    let bottom = bottom();
    let mut address = bottom;
    while address < top() {
        // SAFETY: ordinary RAM, aligned to 4 bytes.
        let word = unsafe { ptr::with_exposed_provenance::<u32>(address).read_volatile() };
        if word != PAINT {
            break;
        }
        address += 4;
    }
    (address > bottom).then(|| (top() - address) as u32)
}

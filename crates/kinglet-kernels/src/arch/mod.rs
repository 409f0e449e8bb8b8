//! Fast paths, one folder an instruction set.
//!
//! A fast path takes the parameter block of the portable kernel that it stands in for, and gives the same
//! bytes. Its descriptor (`choose`) says for which layers it is better, and how the layer's constants are
//! laid out where there is memory for a layout of its own. What only the instruction set can express stands
//! in small functions with a twin in plain Rust, so that everything else runs, and is tested, on hosts too.

#![allow(unsafe_code, reason = "the only place where instructions are named")]

pub mod dsp;
pub mod scalar;

use core::cell::Cell;

/// A memory of words in the tensor arena; `None` where it is not aligned to 4 bytes.
pub(crate) fn words(cells: &[Cell<i8>]) -> Option<&[Cell<i32>]> {
    if !cells.as_ptr().addr().is_multiple_of(4) {
        return None;
    }
    // SAFETY: cells are shared and mutable, of one thread, and every 4 bytes of them are some int32; the memory is
    // the same, aligned and at most as long.
    Some(unsafe { core::slice::from_raw_parts(cells.as_ptr().cast(), cells.len() / 4) })
}

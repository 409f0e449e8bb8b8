//! Fast paths, one folder an instruction set.
//!
//! A fast path takes the parameter block of the portable kernel that it stands in for, and gives the same
//! bytes. Its descriptor (`choose`) says for which layers it is better, and how the layer's constants are
//! laid out where there is memory for a layout of its own. What only the instruction set can express stands
//! in small functions with a twin in plain Rust, so that everything else runs, and is tested, on hosts too.

#![allow(unsafe_code, reason = "the only place where instructions are named")]

/// The first line of functions in assembly. The assembler looks at a crate's assembly before it knows the target's
/// features; a directive stays in force, so each function names what it needs.
#[cfg(kinglet_family = "mve")]
macro_rules! core_of_asm {
    () => {
        ".cpu cortex-m55"
    };
}
#[cfg(all(kinglet_family = "dsp", kinglet_armv8))]
macro_rules! core_of_asm {
    () => {
        ".cpu cortex-m33"
    };
}
#[cfg(all(kinglet_family = "dsp", not(kinglet_armv8)))]
macro_rules! core_of_asm {
    () => {
        ".cpu cortex-m4"
    };
}

pub mod dsp;
pub mod mve;
pub mod scalar;
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a kernel's loads and stores have one reason")]
#[allow(clippy::needless_range_loop, reason = "a tile in registers is indexed by row and column")]
#[cfg_attr(not(kinglet_wide), allow(dead_code, reason = "nothing here reads what is packed"))]
pub(crate) mod wide;
#[cfg(kinglet_wide = "x86")]
#[allow(clippy::multiple_unsafe_ops_per_block, reason = "a function's instructions have one reason")]
pub(crate) mod x86;

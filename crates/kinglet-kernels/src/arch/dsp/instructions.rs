//! Instructions of the DSP extension that Rust has no stable intrinsics for, and what they do in plain Rust.

#[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
use core::arch::asm;

/// A function that is one instruction on the core, and an expression elsewhere.
macro_rules! instruction {
    ($(#[$meta:meta])* $name:ident, $text:literal, ($($arg:ident),*) -> $twin:expr) => {
        $(#[$meta])*
        #[inline(always)]
        pub(crate) fn $name($($arg: i32),*) -> i32 {
            #[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
            {
                let result;
                // SAFETY: arithmetic on registers.
                unsafe {
                    asm!($text, result = lateout(reg) result, $($arg = in(reg) $arg,)*
                        options(pure, nomem, nostack, preserves_flags));
                }
                result
            }
            #[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
            $twin
        }
    };
}

/// The two int16 halves of a word, the low one first.
#[inline(always)]
pub(crate) fn halves(word: i32) -> [i32; 2] {
    [i32::from(word as i16), word >> 16]
}

/// Two int16 halves as a word; higher bits are dropped.
#[inline(always)]
pub(crate) fn pair(low: i32, high: i32) -> i32 {
    (low & 0xffff) | high << 16
}

fn wide(a: i32, b: i32) -> i64 {
    i64::from(a) * i64::from(b)
}

instruction! {
    /// The high word of `a * b`, rounded.
    smmulr, "smmulr {result}, {a}, {b}", (a, b) -> (wide(a, b).wrapping_add(1 << 31) >> 32) as i32
}
instruction! {
    /// `c` + the high word of `a * b`.
    smmla, "smmla {result}, {a}, {b}, {c}", (a, b, c) -> c.wrapping_add((wide(a, b) >> 32) as i32)
}
instruction! {
    /// `c` + the high word of `a * b`, rounded.
    smmlar, "smmlar {result}, {a}, {b}, {c}",
    (a, b, c) -> c.wrapping_add((wide(a, b).wrapping_add(1 << 31) >> 32) as i32)
}
instruction! {
    /// `c` + the sum of the products of halves.
    smlad, "smlad {result}, {a}, {b}, {c}", (a, b, c) -> {
        let ([a0, a1], [b0, b1]) = (halves(a), halves(b));
        c.wrapping_add(a0.wrapping_mul(b0)).wrapping_add(a1.wrapping_mul(b1))
    }
}
instruction! {
    /// `c` + the product of the low halves.
    smlabb, "smlabb {result}, {a}, {b}, {c}", (a, b, c) -> c.wrapping_add(i32::from(a as i16) * i32::from(b as i16))
}
instruction! {
    /// `c` + the product of the high halves.
    smlatt, "smlatt {result}, {a}, {b}, {c}", (a, b, c) -> c.wrapping_add((a >> 16) * (b >> 16))
}
instruction! {
    /// Bytes 0 and 2 as int16 halves.
    sxtb16, "sxtb16 {result}, {a}", (a) -> pair(i32::from(a as i8), i32::from((a >> 16) as i8))
}
instruction! {
    /// Bytes 1 and 3 as int16 halves.
    sxtb16_odd, "sxtb16 {result}, {a}, ror #8",
    (a) -> pair(i32::from((a >> 8) as i8), i32::from((a >> 24) as i8))
}
instruction! {
    /// Bytes 0 and 2 of `b` plus the halves of `a`.
    sxtab16, "sxtab16 {result}, {a}, {b}", (a, b) -> {
        let [a0, a1] = halves(a);
        pair(a0 + i32::from(b as i8), a1 + i32::from((b >> 16) as i8))
    }
}
instruction! {
    /// Bytes 1 and 3 of `b` plus the halves of `a`.
    sxtab16_odd, "sxtab16 {result}, {a}, {b}, ror #8", (a, b) -> {
        let [a0, a1] = halves(a);
        pair(a0 + i32::from((b >> 8) as i8), a1 + i32::from((b >> 24) as i8))
    }
}

/// `x >> SHIFT`, saturated to int8. `SHIFT` is 1..=31.
#[inline(always)]
pub(crate) fn ssat8_asr<const SHIFT: u32>(x: i32) -> i32 {
    #[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
    {
        let result;
        // SAFETY: arithmetic on registers. The sticky flag Q, which saturation may set, is nobody's here.
        unsafe {
            asm!("ssat {result}, #8, {x}, asr #{shift}", result = lateout(reg) result, x = in(reg) x,
                shift = const SHIFT, options(pure, nomem, nostack, preserves_flags));
        }
        result
    }
    #[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
    (x >> SHIFT).clamp(-128, 127)
}

/// `x` saturated to int8.
#[inline(always)]
pub(crate) fn ssat8(x: i32) -> i32 {
    // LLVM has the instruction for this.
    x.clamp(-128, 127)
}

/// The greater of each pair of bytes.
#[inline(always)]
pub(crate) fn max_bytes(a: i32, b: i32) -> i32 {
    #[cfg(any(kinglet_family = "dsp", kinglet_family = "mve"))]
    {
        let result;
        // SAFETY: arithmetic on registers and flags.
        unsafe {
            asm!("ssub8 {result}, {a}, {b}", "sel {result}, {a}, {b}", result = out(reg) result, a = in(reg) a,
                b = in(reg) b, options(pure, nomem, nostack));
        }
        result
    }
    #[cfg(not(any(kinglet_family = "dsp", kinglet_family = "mve")))]
    {
        let ([a, b, c, d], [e, f, g, h]) = (a.to_le_bytes(), b.to_le_bytes());
        let max = |a: u8, b: u8| (a as i8).max(b as i8) as u8;
        i32::from_le_bytes([max(a, e), max(b, f), max(c, g), max(d, h)])
    }
}

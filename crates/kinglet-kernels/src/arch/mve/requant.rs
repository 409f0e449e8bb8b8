//! TFLite's requantisation in vectors, exactly.
//!
//! VQRDMULH is `SaturatingRoundingDoublingHighMul`. `RoundingDivideByPOT` by e, the zero point and the saturation to
//! int8 are one addition of `(zp << e) + 2^(e - 1)` and a saturating shift to the left by `24 - e`, which leaves the
//! output in the highest byte. Halves are rounded away from zero if the sign (0 or -1) is added before.
//! Where the zero point and the least output are both -128, negative values become -128 either way, and the sign is
//! left out ([`Rule::Floor`]).

use crate::Weights;
use crate::arch::dsp::requant::{Channel, Rule, accumulator_range, quant_has_floor};

/// The greatest shift to the right: what is added stays below 2^30, as the accumulators do.
const MOST: u32 = 22;

/// What the kernels read of a channel: bias with the input zero point folded in, multiplier, addend, left shift.
pub(crate) const CONSTANTS: usize = 4;

/// One output channel of a layer.
pub(crate) struct Packed {
    pub(crate) constants: [i32; CONSTANTS],
    /// Every input gives the same output: weights count as zero.
    pub(crate) is_constant: bool,
}

/// Channel `i` with `taps` weights, the one numbered `tap` at `at(i, tap)`; `None` where the kernels are not exact.
pub(crate) fn channel(
    weights: &Weights<'_>,
    quant: [i8; 4],
    i: usize,
    taps: usize,
    at: impl Fn(usize, usize) -> usize,
) -> Option<Packed> {
    let weight = |tap| weights.weights.get(at(i, tap)).copied();
    weight(taps.checked_sub(1)?)?;
    let row = || (0..taps).map(|tap| weight(tap).unwrap_or(0));
    let bias = weights.bias(i);
    let range = accumulator_range(&mut row(), bias, quant[0]);
    let channel = Channel::new(range, bias, (weights.factor)(i), quant)?;
    let e = channel.exponent;
    if e > MOST {
        return None;
    }
    let sum = row().fold(0i32, |sum, weight| sum.wrapping_add(weight.into()));
    let folded = if channel.is_constant { 0 } else { sum.wrapping_mul(quant[0].into()) };
    let addend = (i32::from(quant[1]) << e) + (1 << (e - 1));
    let constants = [channel.bias.wrapping_sub(folded), channel.multiplier, addend, 24 - e as i32];
    Some(Packed { constants, is_constant: channel.is_constant })
}

/// The rule for a layer.
pub(crate) fn rule(quant: [i8; 4]) -> Rule {
    if quant_has_floor(quant) { Rule::Floor } else { Rule::Rounded }
}

/// What the blocks do, in plain Rust.
#[cfg(not(kinglet_family = "mve"))]
pub(crate) fn apply(sum: i32, [bias, multiplier, addend, left]: [i32; CONSTANTS], rule: Rule) -> i8 {
    let acc = sum.wrapping_add(bias);
    let mut x = crate::quant::saturating_rounding_doubling_high_mul(acc, multiplier);
    if rule == Rule::Rounded {
        x = x.wrapping_add(x >> 31);
    }
    let shifted = i64::from(x.wrapping_add(addend)) << left.clamp(0, 31);
    (shifted.clamp(i32::MIN.into(), i32::MAX.into()) >> 24) as i8
}

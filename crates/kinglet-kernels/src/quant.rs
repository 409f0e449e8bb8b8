//! Fixed-point arithmetic of TFLite's integer reference.
//!
//! Sources: the TFLite 8-bit quantisation specification and gemmlowp's fixed-point definitions
//! (`SaturatingRoundingDoublingHighMul`, `RoundingDivideByPOT`). Requantisation has two roundings, as in
//! TFLM and tflite-runtime 2.14. Sums wrap where C++ would overflow; no function here panics.

/// High 32 bits of `2 * a * b`, rounded to nearest (ties upwards), saturating when both are
/// `i32::MIN`. gemmlowp: `SaturatingRoundingDoublingHighMul`.
#[inline]
pub fn saturating_rounding_doubling_high_mul(a: i32, b: i32) -> i32 {
    if a == i32::MIN && b == i32::MIN {
        return i32::MAX;
    }
    doubled_high(wide_product(a, b))
}

/// High 32 bits of `2 * ab`, rounded to nearest.
#[inline]
fn doubled_high(ab: i64) -> i32 {
    // The reference adds 2^30 (or 1 - 2^30 when negative) and divides by 2^31 towards zero. That equals
    // one floor with the nudge 2^30: for negative products the truncation adds what the nudge lacks.
    ((ab + (1 << 30)) >> 31) as i32
}

/// `a * b`. Armv6-M multiplies 32 bits to 32: there, the compiler would call a function for 64 bits by 64.
#[inline]
fn wide_product(a: i32, b: i32) -> i64 {
    #[cfg(not(kinglet_armv6m))]
    {
        i64::from(a) * i64::from(b)
    }
    #[cfg(kinglet_armv6m)]
    {
        let ((a_low, a_high), (b_low, b_high)) = ((a & 0xffff, a >> 16), (b & 0xffff, b >> 16));
        // All but the first are products of at most 16 bits with 17; no sum exceeds 32 bits.
        let low = (a_low as u32).wrapping_mul(b_low as u32);
        let middle = (a_high * b_low).wrapping_add((low >> 16) as i32);
        let other = (a_low * b_high).wrapping_add(middle & 0xffff);
        let high = (a_high * b_high).wrapping_add(middle >> 16).wrapping_add(other >> 16);
        let low = (other as u32) << 16 | low & 0xffff;
        i64::from(high) << 32 | i64::from(low)
    }
}

/// `x / 2^exponent`, rounded to nearest, ties away from zero. gemmlowp: `RoundingDivideByPOT`.
///
/// `exponent` is 0..=31; larger values are taken modulo 32.
#[inline]
pub fn rounding_divide_by_pot(x: i32, exponent: u32) -> i32 {
    let mask = 1i32.wrapping_shl(exponent).wrapping_sub(1);
    let remainder = x & mask;
    let threshold = (mask >> 1).wrapping_add(i32::from(x < 0));
    x.wrapping_shr(exponent).wrapping_add(i32::from(remainder > threshold))
}

/// `x * multiplier * 2^(shift - 31)` with TFLite's two roundings.
///
/// `shift` is -31..=30 (positive: to the left, before the multiplication).
#[inline]
pub fn multiply_by_quantized_multiplier(x: i32, multiplier: i32, shift: i32) -> i32 {
    let left = shift.max(0) as u32;
    let right = shift.min(0).unsigned_abs();
    rounding_divide_by_pot(saturating_rounding_doubling_high_mul(x.wrapping_shl(left), multiplier), right)
}

/// Rounds half away from zero, like C's `roundf`, and saturates to the range of `i32` (NaN gives 0).
pub const fn round_to_i32(x: f32) -> i32 {
    let truncated = x as i32; // saturates
    let fraction = x - truncated as f32;
    if fraction >= 0.5 {
        truncated.saturating_add(1)
    } else if fraction <= -0.5 {
        truncated.saturating_sub(1)
    } else {
        truncated
    }
}

/// Rounds half away from zero, like C's `round`, and saturates to the range of `i32` (NaN gives 0).
pub fn round_f64_to_i32(x: f64) -> i32 {
    let truncated = x as i64; // |x| < 2^63 in every use; saturates beyond
    let fraction = x - truncated as f64;
    let rounded = if fraction >= 0.5 {
        truncated.saturating_add(1)
    } else if fraction <= -0.5 {
        truncated.saturating_sub(1)
    } else {
        truncated
    };
    rounded.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// A positive real factor as a 31-bit multiplier and a power of two: `multiplier * 2^(shift - 31)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Multiplier {
    /// 0, or 2^30..2^31.
    pub multiplier: i32,
    /// -31..=30.
    pub shift: i8,
}

impl Multiplier {
    /// The nearest representation of `real` (TFLite: `QuantizeMultiplier`): factors below about 2^-31
    /// become 0. `None` when `real` is negative, not finite, or 2^30 and more.
    pub fn from_real(real: f64) -> Option<Self> {
        if !(real.is_finite() && real >= 0.0) {
            return None;
        }
        let bits = real.to_bits();
        let biased = (bits >> 52) as i32;
        if biased == 0 {
            // Zero and subnormals: far below what a multiplier can express.
            return Some(Self { multiplier: 0, shift: 0 });
        }
        // real = mantissa * 2^(exponent - 53), mantissa in 2^52..2^53: keep 31 bits, ties away from zero.
        let mantissa = (bits & ((1 << 52) - 1)) | (1 << 52);
        let mut exponent = biased - 1022;
        let mut q = (mantissa + (1 << 21)) >> 22;
        if q == 1 << 31 {
            q = 1 << 30;
            exponent += 1;
        }
        if exponent < -31 {
            return Some(Self { multiplier: 0, shift: 0 });
        }
        if exponent > 30 {
            return None;
        }
        Some(Self { multiplier: q as i32, shift: exponent as i8 })
    }

    /// `x` times this factor, with TFLite's two roundings.
    #[inline]
    pub fn apply(self, x: i32) -> i32 {
        let (left, right) = (self.shift.max(0) as u32, self.shift.min(0).unsigned_abs());
        // As `multiply_by_quantized_multiplier`; a multiplier that is not negative saturates nothing.
        let product = wide_product(x.wrapping_shl(left), self.multiplier.max(0));
        rounding_divide_by_pot(doubled_high(product), right.into())
    }
}

impl Multiplier {
    /// `x` times this factor for 48-bit sums: the multiplier is cut to 15 bits, and there is one rounding, ties
    /// upwards. TFLite: `MultiplyByQuantizedMultiplier` for `int64_t`.
    ///
    /// `shift` is at most 7 there: see [`Multiplier::is_wide`].
    #[inline]
    pub fn apply_wide(self, x: i64) -> i32 {
        let multiplier =
            if self.multiplier < 0x7fff_0000 { self.multiplier.wrapping_add(1 << 15) >> 16 } else { 0x7fff };
        let shift = 15u32.wrapping_sub(i32::from(self.shift) as u32);
        let round = 1i64.wrapping_shl(shift.wrapping_sub(1));
        x.wrapping_mul(multiplier.into()).wrapping_add(round).wrapping_shr(shift) as i32
    }

    /// [`Multiplier::apply_wide`] can apply it.
    pub const fn is_wide(self) -> bool {
        self.shift < 8
    }
}

/// A positive real factor as a 15-bit multiplier and a power of two: `multiplier * 2^(exponent - 15)`. TFLite:
/// `QuantizeMultiplier`, then `DownScaleInt32ToInt16Multiplier`.
pub fn quantize_multiplier_16(real: f64) -> Option<(i16, i8)> {
    let wide = Multiplier::from_real(real)?;
    let rounded = wide.multiplier.saturating_add(1 << 15) >> 16;
    Some((i16::try_from(rounded).unwrap_or(i16::MAX), wide.shift))
}

/// The quantised value of `real`: `zero_point + round(real / scale)` (TFLite: `Quantize`).
pub fn quantize(real: f32, scale: f32, zero_point: i32) -> i32 {
    zero_point.saturating_add(round_to_i32(real / scale))
}

/// The product of two numbers in Q0.31 (gemmlowp's `FixedPoint` multiplication on raw values).
#[inline]
fn fixed_mul(a: i32, b: i32) -> i32 {
    saturating_rounding_doubling_high_mul(a, b)
}

/// `x * 2^exponent`, saturating (gemmlowp: `SaturatingRoundingMultiplyByPOT` for positive exponents).
#[inline]
pub(crate) fn saturating_shl(x: i32, exponent: u32) -> i32 {
    (i64::from(x) << exponent).clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// `exp(a)` for `a <= 0` in Q5.26; the result is in Q0.31. gemmlowp: `exp_on_negative_values`.
pub fn exp_on_negative_values(a: i32) -> i32 {
    exp_on_negative_fixed(a, 5)
}

/// `exp(a)` for `a <= 0` with `integer_bits` integer bits (at most 5); the result is in Q0.31.
fn exp_on_negative_fixed(a: i32, integer_bits: u32) -> i32 {
    /// `exp(-2^i)` for i = -2..=4, in Q0.31.
    const FACTORS: [i32; 7] =
        [1_672_461_947, 1_302_514_674, 790_015_084, 290_630_308, 39_332_535, 720_401, 242];
    if a == 0 {
        return i32::MAX;
    }
    let one_quarter = 1i32.wrapping_shl(29u32.wrapping_sub(integer_bits));
    let a_mod_quarter_minus_one_quarter = (a & one_quarter.wrapping_sub(1)).wrapping_sub(one_quarter);
    let mut result =
        exp_between_minus_one_quarter_and_0(a_mod_quarter_minus_one_quarter.wrapping_shl(integer_bits));
    let remainder = a_mod_quarter_minus_one_quarter.wrapping_sub(a);
    let mut bit = one_quarter;
    // One factor for each bit of the remainder but the sign.
    for &factor in FACTORS.iter().take(integer_bits.wrapping_add(2) as usize) {
        if remainder & bit != 0 {
            result = fixed_mul(result, factor);
        }
        bit = bit.wrapping_shl(1);
    }
    result
}

/// `exp(a)` for `a` in -1/4..0, both in Q0.31: a Taylor expansion around -1/8.
fn exp_between_minus_one_quarter_and_0(a: i32) -> i32 {
    const EXP_MINUS_ONE_EIGHTH: i32 = 1_895_147_668;
    const ONE_THIRD: i32 = 715_827_883;
    let x = a.wrapping_add(1 << 28);
    let x2 = fixed_mul(x, x);
    let x3 = fixed_mul(x2, x);
    let x4 = fixed_mul(x2, x2);
    let x4_over_4 = rounding_divide_by_pot(x4, 2);
    let tail = rounding_divide_by_pot(fixed_mul(x4_over_4.wrapping_add(x3), ONE_THIRD).wrapping_add(x2), 1);
    EXP_MINUS_ONE_EIGHTH.wrapping_add(fixed_mul(EXP_MINUS_ONE_EIGHTH, x.wrapping_add(tail)))
}

/// `2 / (1 + a)` for `a` in 0..1 in Q0.31; the result is in Q2.29: three Newton-Raphson steps.
fn two_over_one_plus_x_for_x_in_0_1(a: i32) -> i32 {
    const Q2_48_OVER_17: i32 = 1_515_870_810;
    const Q2_MINUS_32_OVER_17: i32 = -1_010_580_540;
    // (a + 1) / 2, rounded half away from zero.
    let sum = i64::from(a) + i64::from(i32::MAX);
    let half_denominator = ((sum + if sum >= 0 { 1 } else { -1 }) / 2) as i32;
    let mut x = Q2_48_OVER_17.wrapping_add(fixed_mul(half_denominator, Q2_MINUS_32_OVER_17));
    for _ in 0..3 {
        let one_minus = Q2_ONE.wrapping_sub(fixed_mul(half_denominator, x));
        x = x.wrapping_add(saturating_shl(fixed_mul(x, one_minus), 2));
    }
    x
}

/// 1 in Q2.29.
const Q2_ONE: i32 = 1 << 29;

/// `1 / (1 + a)` for `a` in 0..1, both in Q0.31.
/// gemmlowp: `one_over_one_plus_x_for_x_in_0_1`.
pub fn one_over_one_plus_x_for_x_in_0_1(a: i32) -> i32 {
    // Halving moves Q2.29 to Q1.30, and the rescale to Q0.31 saturates.
    saturating_shl(two_over_one_plus_x_for_x_in_0_1(a), 1)
}

/// `1 / (1 + exp(-a))` for `a` in Q4.27; the result is in Q0.31. gemmlowp: `logistic`.
pub fn logistic(a: i32) -> i32 {
    if a == 0 {
        return 1 << 30;
    }
    let minus_abs = if a > 0 { a.wrapping_neg() } else { a };
    let positive = one_over_one_plus_x_for_x_in_0_1(exp_on_negative_fixed(minus_abs, 4));
    if a > 0 { positive } else { i32::MAX.wrapping_sub(positive) }
}

/// `tanh(a)` for `a` in Q4.27; the result is in Q0.31. gemmlowp: `tanh`.
pub fn tanh(a: i32) -> i32 {
    if a == 0 {
        return 0;
    }
    // What is `a` in Q4.27 is `2a` in Q5.26, and tanh(a) = (1 - exp(-2a)) / (1 + exp(-2a)).
    let minus_abs = if a > 0 { a.wrapping_neg() } else { a };
    let x = two_over_one_plus_x_for_x_in_0_1(exp_on_negative_fixed(minus_abs, 5));
    let t = saturating_shl(x.wrapping_sub(Q2_ONE), 2);
    if a > 0 { t } else { t.wrapping_neg() }
}

/// `1 / x` for positive `x` with `integer_bits` integer bits, as a Q0.31 fraction and the number of
/// bits that the result still has to be shifted right by. TFLite: `GetReciprocal`.
pub fn reciprocal(x: i32, integer_bits: u32) -> (i32, i32) {
    let headroom = (x as u32).leading_zeros();
    let bits_over_unit = integer_bits as i32 - headroom as i32;
    let shifted_minus_one = (x as u32).wrapping_shl(headroom).wrapping_sub(1 << 31) as i32;
    (one_over_one_plus_x_for_x_in_0_1(shifted_minus_one), bits_over_unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The definition, as gemmlowp writes it.
    fn high_mul_by_definition(a: i32, b: i32) -> i32 {
        if a == b && a == i32::MIN {
            return i32::MAX;
        }
        let ab = i64::from(a) * i64::from(b);
        let nudge = if ab >= 0 { 1 << 30 } else { 1 - (1 << 30) };
        ((ab + nudge) / (1i64 << 31)) as i32
    }

    proptest! {
        #[test]
        fn high_mul_equals_its_definition(a: i32, b: i32) {
            prop_assert_eq!(saturating_rounding_doubling_high_mul(a, b), high_mul_by_definition(a, b));
        }

        #[test]
        fn high_mul_equals_its_definition_on_exact_ties(a in -64i32..64, b in -64i32..64, s in 20u32..28) {
            let (a, b) = (a << s, b << (30 - s).min(20));
            prop_assert_eq!(saturating_rounding_doubling_high_mul(a, b), high_mul_by_definition(a, b));
        }

        #[test]
        fn divide_by_pot_rounds_half_away_from_zero(x: i32, e in 0u32..31) {
            let exact = f64::from(x) / f64::from(1u32 << e);
            prop_assert_eq!(f64::from(rounding_divide_by_pot(x, e)), exact.round());
        }

        #[test]
        fn multiplier_represents_the_real_number(real in 1e-8f64..1e8) {
            let m = Multiplier::from_real(real).unwrap();
            let back = f64::from(m.multiplier) * 2f64.powi(i32::from(m.shift) - 31);
            prop_assert!((back / real - 1.0).abs() < 1e-9);
        }

        #[test]
        fn wide_sums_are_scaled_with_one_rounding(x in -(1i64 << 40)..1 << 40, real in 1e-6f64..1e-2) {
            let m = Multiplier::from_real(real).unwrap();
            let (got, exact) = (f64::from(m.apply_wide(x)), x as f64 * real);
            if exact.abs() < 1e9 {
                // 15 bits of multiplier, and the rounding.
                prop_assert!((got - exact).abs() <= exact.abs() * 2f64.powi(-15) + 0.51, "{} {}", got, exact);
            }
        }

        #[test]
        fn exp_is_close_to_exp(a in -(1i32 << 30)..=0) {
            let real = (f64::from(a) / f64::from(1 << 26)).exp();
            let got = f64::from(exp_on_negative_values(a)) / 2f64.powi(31);
            prop_assert!((real - got).abs() < 1e-6, "{} {}", real, got);
        }

        #[test]
        fn one_over_one_plus_x_is_close(a in 0i32..=i32::MAX) {
            let real = 1.0 / (1.0 + f64::from(a) / 2f64.powi(31));
            let got = f64::from(one_over_one_plus_x_for_x_in_0_1(a)) / 2f64.powi(31);
            prop_assert!((real - got).abs() < 1e-7, "{} {}", real, got);
        }

        #[test]
        fn logistic_and_tanh_are_close(a: i32) {
            let real = f64::from(a) / f64::from(1 << 27);
            let unit = 2f64.powi(31);
            prop_assert!((f64::from(logistic(a)) / unit - 1.0 / (1.0 + (-real).exp())).abs() < 1e-6);
            prop_assert!((f64::from(tanh(a)) / unit - real.tanh()).abs() < 2e-6);
        }

        #[test]
        fn float_rounding_is_half_away_from_zero(x in -1e6f32..1e6) {
            prop_assert_eq!(round_to_i32(x), x.round() as i32);
            prop_assert_eq!(round_f64_to_i32(f64::from(x)), x.round() as i32);
        }
    }

    #[test]
    fn high_mul_at_negative_ties() {
        for (a, b) in [
            (-1, 1 << 30),
            (1, -(1 << 30)),
            (-3, 1 << 30),
            (-1, 1 << 29),
            (i32::MIN, 1),
            (i32::MIN, i32::MAX),
        ] {
            assert_eq!(saturating_rounding_doubling_high_mul(a, b), high_mul_by_definition(a, b), "{a} {b}");
        }
    }

    #[test]
    fn multipliers_at_the_edges() {
        assert_eq!(Multiplier::from_real(1.0), Some(Multiplier { multiplier: 1 << 30, shift: 1 }));
        assert_eq!(Multiplier::from_real(0.0), Some(Multiplier { multiplier: 0, shift: 0 }));
        assert_eq!(Multiplier::from_real(1e-12), Some(Multiplier { multiplier: 0, shift: 0 }));
        assert_eq!(Multiplier::from_real(1e12), None);
        assert_eq!(Multiplier::from_real(f64::NAN), None);
        assert_eq!(Multiplier::from_real(-1.0), None);
    }

    #[test]
    fn rounding_saturates() {
        assert_eq!(round_to_i32(f32::INFINITY), i32::MAX);
        assert_eq!(round_to_i32(f32::NEG_INFINITY), i32::MIN);
        assert_eq!(round_to_i32(f32::NAN), 0);
        assert_eq!(round_f64_to_i32(1e30), i32::MAX);
        assert_eq!(round_f64_to_i32(-1e30), i32::MIN);
    }
}

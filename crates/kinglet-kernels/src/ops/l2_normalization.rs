//! L2_NORMALIZATION over the last dimension: int8, float32.

use crate::ops::float::sqrt;
use crate::ops::rows::product;
use crate::params::params;
use crate::quant::{
    multiply_by_quantized_multiplier, rounding_divide_by_pot, saturating_rounding_doubling_high_mul,
    saturating_shl,
};
use crate::{Call, Element, Fault, Place};

params! {
    /// Parameters of the kernels in this file. A row is one vector.
    pub struct L2NormalizationParams {
        /// Input vectors, one after the other.
        pub input: Place,
        /// Output vectors, one after the other.
        pub output: Place,
        /// Number of vectors.
        pub batch: u32,
        /// Length of a vector.
        pub depth: u32,
        /// Input zero point of [`l2_normalization_s8`].
        pub zero_point: i32,
    }
}

/// `1 / sqrt(x)` for positive `x` as a multiplier and a shift: `multiplier * 2^(shift - 31)`. That of 0 is that
/// of 1. TFLite: `GetInvSqrtQuantizedMultiplierExp`.
pub fn inverse_sqrt(x: i32) -> (i32, i32) {
    if x <= 1 {
        return (i32::MAX, 0);
    }
    // x in 2^27..2^29, an even number of bits further up or down.
    let (mut x, mut right_shift) = (x, 11i32);
    while x >= 1 << 29 {
        x >>= 2;
        right_shift = right_shift.wrapping_add(1);
    }
    let pairs = ((x.leading_zeros().wrapping_sub(1)) >> 1).wrapping_sub(1);
    right_shift = right_shift.wrapping_sub(pairs as i32);
    x = x.wrapping_shl(pairs.wrapping_mul(2));

    // Five Newton-Raphson steps from 1 in Q3.28: r = 3/2 r - 1/2 x r^3.
    const ONE: i32 = 1 << 28;
    const THREE_HALVES: i32 = ONE + ONE / 2;
    const HALF_SQRT_2: i32 = 1_518_500_250;
    let mul = saturating_rounding_doubling_high_mul;
    let half_x = rounding_divide_by_pot(x >> 1, 1);
    let mut r = ONE;
    for _ in 0..5 {
        // Products of numbers in Q3.28 are in Q6.25, those of three in Q9.22.
        let cube = saturating_shl(mul(mul(r, r), r), 6);
        r = saturating_shl(mul(THREE_HALVES, r).wrapping_sub(mul(half_x, cube)), 3);
    }
    let r = mul(r, HALF_SQRT_2);
    if right_shift < 0 {
        (r.wrapping_shl(right_shift.unsigned_abs()), 0)
    } else {
        (r, right_shift.wrapping_neg())
    }
}

/// Portable L2_NORMALIZATION, int8; the output has scale 1/128 and zero point 0. TFLite:
/// `reference_integer_ops::L2Normalization`. Sums wrap. May run in place.
pub fn l2_normalization_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: L2NormalizationParams = call.params()?;
    vectors::<i8>(call, &p, |vector, set| {
        let difference = |i| -> Result<i32, Fault> { Ok(i32::from(vector(i)?).wrapping_sub(p.zero_point)) };
        let mut sum = 0i32;
        for i in 0..p.depth as usize {
            let x = difference(i)?;
            sum = sum.wrapping_add(x.wrapping_mul(x));
        }
        let (multiplier, shift) = inverse_sqrt(sum);
        for i in 0..p.depth as usize {
            let value = multiply_by_quantized_multiplier(difference(i)?, multiplier, shift.wrapping_add(7));
            set(i, i8::saturating_from(value))?;
        }
        Ok(())
    })
}

/// Portable L2_NORMALIZATION, float32: a length below 1e-6 counts as 1e-6. May run in place.
pub fn l2_normalization_f32(call: &Call<'_>) -> Result<(), Fault> {
    let p: L2NormalizationParams = call.params()?;
    vectors::<f32>(call, &p, |vector, set| {
        let mut sum = 0f32;
        for i in 0..p.depth as usize {
            let x = vector(i)?;
            sum += x * x;
        }
        let length = sqrt(sum);
        let length = if length < 1e-6 { 1e-6 } else { length };
        for i in 0..p.depth as usize {
            set(i, vector(i)? / length)?;
        }
        Ok(())
    })
}

type Get<'g, T> = &'g dyn Fn(usize) -> Result<T, Fault>;
type Set<'s, T> = &'s dyn Fn(usize, T) -> Result<(), Fault>;

fn vectors<T: Element>(
    call: &Call<'_>,
    p: &L2NormalizationParams,
    normalize: impl Fn(Get<'_, T>, Set<'_, T>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let len = product([p.batch, p.depth])?;
    let input = call.view::<T>(p.input, len)?;
    let output = call.view::<T>(p.output, len)?;
    for y in call.rows.clone() {
        let at = |i: usize| (y as usize).wrapping_mul(p.depth as usize).wrapping_add(i);
        normalize(&|i| input.get(at(i)), &|i, value| output.set(at(i), value))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::inverse_sqrt;

    #[test]
    fn inverse_square_roots_are_close() {
        for x in (2..5_000).chain((1..30).map(|i| 1 << i)).chain((1..31).map(|i| ((1u32 << i) - 1) as i32)) {
            let (multiplier, shift) = inverse_sqrt(x);
            let got = f64::from(multiplier) * 2f64.powi(shift - 31);
            let real = 1.0 / f64::from(x.max(1)).sqrt();
            assert!((got / real - 1.0).abs() < 1e-5, "{x}: {got} {real}");
        }
        assert_eq!(inverse_sqrt(0), (i32::MAX, 0));
        // What a sum that wrapped gives matters to nobody, as long as it gives something.
        assert_eq!(inverse_sqrt(i32::MIN), (i32::MAX, 0));
    }
}

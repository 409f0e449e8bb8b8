//! LOG_SOFTMAX over the last dimension, int8.

use crate::ops::rows::product;
use crate::ops::softmax::SoftmaxParams;
use crate::params::params;
use crate::quant::{
    Multiplier, exp_on_negative_values, multiply_by_quantized_multiplier, one_over_one_plus_x_for_x_in_0_1,
    rounding_divide_by_pot, saturating_rounding_doubling_high_mul, saturating_shl,
};
use crate::{Call, Element, Fault, Place};

params! {
    /// Parameters of [`log_softmax_s8`]. A row is one vector.
    pub struct LogSoftmaxParams {
        /// Input vectors, one after the other.
        pub input: Place,
        /// Output vectors, one after the other.
        pub output: Place,
        /// Number of vectors.
        pub batch: u32,
        /// Length of a vector.
        pub depth: u32,
        /// Input scale in Q5.26: multiplier.
        pub multiplier: i32,
        /// Input scale in Q5.26: left shift, 1..=31.
        pub shift: i32,
        /// Differences to the greatest input below this one count as exp() = 0.
        pub diff_min: i32,
        /// From Q5.26 back to the input's scale: multiplier.
        pub back_multiplier: i32,
        /// From Q5.26 back to the input's scale: shift, at most 0.
        pub back_shift: i32,
    }
}

/// Integer bits of the sum of exp(), of its logarithm, and of the output.
const SUM_INTEGER_BITS: u32 = 12;
const LOG_INTEGER_BITS: u32 = 5;
const OUTPUT_INTEGER_BITS: u32 = 4;

impl LogSoftmaxParams {
    /// `multiplier`, `shift`, `diff_min`, `back_multiplier` and `back_shift` for an input scale; `None` when
    /// it is beyond TFLite's representation. TFLite: `PreprocessLogSoftmaxScalingExp`.
    pub fn scaling(input_scale: f32) -> Option<[i32; 5]> {
        let (multiplier, shift, diff_min) = SoftmaxParams::scaling(1.0, input_scale)?;
        let unit = i32::try_from(1i64.checked_shl(31u32.checked_sub(shift.try_into().ok()?)?)?).ok()?;
        let back = Multiplier::from_real(f64::from(unit) / f64::from(multiplier))?;
        (back.shift <= 0 && f64::from(unit) < f64::from(multiplier)).then_some([
            multiplier,
            shift,
            diff_min,
            back.multiplier,
            back.shift.into(),
        ])
    }
}

/// The natural logarithm of positive `x` in Q12.19; the result is in Q5.26. TFLite:
/// `log_x_for_x_greater_than_or_equal_to_1`.
///
/// `x = r 2^n` with `r` near `sqrt(sqrt(1/2))` gives `n ln(2)`, plus a quotient of polynomials in
/// `q = 2 (r - sqrt(sqrt(1/2)))`. `n` counts in halves: `r` is taken of `x` or of `sqrt(1/2) x`, whichever is
/// less.
fn log(x: i32) -> i32 {
    // In Q0.31.
    const LN_2: i32 = 1_488_522_236;
    const SQRT_SQRT_HALF: i32 = 1_805_811_301;
    const SQRT_HALF: i32 = 1_518_500_250;
    const ALPHA_N: i32 = 117_049_297;
    const ALPHA_D: i32 = 127_690_142;
    const ALPHA_I: i32 = 1_057_819_769;
    const ALPHA_F: i32 = 638_450_708;
    // The sum has one integer bit more than the result.
    const BITS: u32 = LOG_INTEGER_BITS + 1;
    const QUARTER: i32 = 1 << (29 - BITS);
    let mul = saturating_rounding_doubling_high_mul;

    let zeros = x.leading_zeros();
    let shifted = saturating_shl(x, zeros.saturating_sub(1));
    let r_a = saturating_shl(mul(shifted, SQRT_HALF), 1);
    let power = |headroom: u32| {
        saturating_shl((SUM_INTEGER_BITS as i32).wrapping_sub(headroom as i32), 31u32.wrapping_sub(BITS))
    };
    let n_a = power(zeros).saturating_add(QUARTER);
    let headroom = mul(x, SQRT_HALF).leading_zeros().saturating_sub(1);
    let r_b = saturating_shl(x, headroom);
    let n_b = power(headroom).saturating_sub(QUARTER);
    let (r, n) = (r_a.min(r_b), n_a.max(n_b));

    let sum = i64::from(r) + i64::from(SQRT_SQRT_HALF);
    let p = ((sum + if sum >= 0 { 1 } else { -1 }) / 2) as i32;
    let q = r.wrapping_sub(SQRT_SQRT_HALF);
    let q = q.wrapping_add(q);
    let square = mul(q, q);
    let numerator = mul(q, r).wrapping_add(mul(mul(q, square), ALPHA_N));
    let factor = ALPHA_I.wrapping_add(q).wrapping_add(mul(ALPHA_D, square));
    let denominator_minus_one = mul(p, factor).wrapping_add(mul(ALPHA_F, q));
    let reciprocal = one_over_one_plus_x_for_x_in_0_1(denominator_minus_one);
    let quotient = mul(rounding_divide_by_pot(numerator, BITS), reciprocal);
    saturating_shl(mul(n, LN_2).wrapping_add(quotient), 1)
}

/// Portable LOG_SOFTMAX; the output has scale 1/16 and zero point 127. TFLite: `LogSoftmaxQuantized`. May run
/// in place.
pub fn log_softmax_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: LogSoftmaxParams = call.params()?;
    let len = product([p.batch, p.depth])?;
    let depth = p.depth as usize;
    let input = call.view::<i8>(p.input, len)?;
    let output = call.view::<i8>(p.output, len)?;
    let scaled = |diff: i32| multiply_by_quantized_multiplier(diff, p.multiplier, p.shift);
    for y in call.rows.clone() {
        let start = (y as usize).wrapping_mul(depth);
        let vector = input.cells(start, depth)?;
        let greatest = vector.iter().map(|x| i32::from(x.get())).max().unwrap_or(0);
        let mut sum = 0i32;
        for x in vector {
            let diff = i32::from(x.get()) - greatest;
            if diff >= p.diff_min {
                let exp = exp_on_negative_values(scaled(diff));
                sum = sum.wrapping_add(rounding_divide_by_pot(exp, SUM_INTEGER_BITS));
            }
        }
        let log_sum = log(sum);
        // Below this, the difference less the logarithm is beyond Q5.26.
        let least =
            multiply_by_quantized_multiplier(log_sum.wrapping_add(i32::MIN), p.back_multiplier, p.back_shift);
        let least = least.max(p.diff_min.wrapping_sub(1));
        for (x, out) in vector.iter().zip(output.cells(start, depth)?) {
            let diff = i32::from(x.get()) - greatest;
            out.set(if diff > least {
                let value = scaled(diff).wrapping_sub(log_sum);
                let value = rounding_divide_by_pot(value, 31 - LOG_INTEGER_BITS - OUTPUT_INTEGER_BITS);
                i8::saturating_from(value.wrapping_add(127))
            } else {
                i8::MIN
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::log;

    #[test]
    fn logarithms_are_close() {
        for i in 0..100_000 {
            // From 1 to 4,095.
            let x = (1 << 19) + i * 21_400;
            let real = (f64::from(x) / f64::from(1 << 19)).ln();
            let got = f64::from(log(x)) / f64::from(1 << 26);
            assert!((real - got).abs() < 1e-4, "{x}: {real} {got}");
        }
    }
}

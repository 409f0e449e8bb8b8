//! HARD_SWISH: `x * min(6, max(0, x + 3)) / 6`. May run in place.

use crate::ops::unary::{UnaryParams, elements};
use crate::params::params;
use crate::quant::{quantize_multiplier_16, rounding_divide_by_pot};
use crate::{Call, Element, Fault};

params! {
    /// The block of [`hard_swish_s8`].
    pub struct HardSwishQuant {
        /// Zero points of input and output.
        pub zero_points: [i16; 2],
        /// 16-bit multipliers: to the output's scale, and to the scale on which 3 is 2^15.
        pub multipliers: [i16; 2],
        /// Their exponents, -15..=0 and -15..=30; the rest is 0.
        pub exponents: [i8; 4],
    }
}

/// Bits by which an input is shifted left.
const HIGH_RESOLUTION_BITS: u32 = 7;

impl HardSwishQuant {
    /// The multipliers for an input and an output scale; `None` when they are beyond the reference's
    /// arithmetic. TFLite: `HardSwishPrepare`, with its float32 quotients.
    pub fn multipliers(input_scale: f32, output_scale: f32) -> Option<([i16; 2], [i8; 4])> {
        let high_resolution_scale = (1.0 / 128.0) * input_scale;
        let output = f64::from(high_resolution_scale / output_scale);
        let relu = f64::from(high_resolution_scale / (3.0 / 32_768.0));
        let ((output, output_exponent), (relu, relu_exponent)) =
            (quantize_multiplier_16(output)?, quantize_multiplier_16(relu)?);
        let fits = (-15..=0).contains(&output_exponent) && relu_exponent >= -15;
        fits.then_some(([output, relu], [output_exponent, relu_exponent, 0, 0]))
    }
}

/// Portable HARD_SWISH, int8.
pub fn hard_swish_s8(call: &Call<'_>) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let q: HardSwishQuant = call.block(p.detail)?;
    let [input_zero, output_zero] = q.zero_points.map(i32::from);
    let [output_multiplier, relu_multiplier] = q.multipliers.map(i32::from);
    let [output_exponent, relu_exponent, ..] = q.exponents.map(i32::from);
    elements(call, &p, |x: i8| {
        let x = i32::from(x).wrapping_sub(input_zero).wrapping_shl(HIGH_RESOLUTION_BITS);
        // On the output's scale, but for the last shift to the right.
        let unshifted = high_mul_16(x, output_multiplier);
        // min(6, max(0, x + 3)) / 6 is found as (y + 1) / 2 for a y of x / 3 that saturates at -1 and 1.
        // Where that takes a shift to the left, all of it but one bit is done before the multiplication.
        let left = relu_exponent.max(0) as u32;
        let y = high_mul_16(saturating_shl_16(x, left.saturating_sub(1)), relu_multiplier);
        let y = saturating_shl_16(y, left.min(1));
        let y = rounding_divide_by_pot(y, relu_exponent.min(0).unsigned_abs());
        let relu = y.wrapping_add(1 << 15) >> 1;
        // Towards zero, so that the two roundings before do not add up.
        let product = relu.wrapping_mul(unshifted) / (1 << 15);
        let value = rounding_divide_by_pot(product, output_exponent.unsigned_abs());
        i8::saturating_from(value.wrapping_add(output_zero))
    })
}

/// Portable HARD_SWISH, float32.
pub fn hard_swish_f32(call: &Call<'_>) -> Result<(), Fault> {
    elements(call, &call.params()?, |x: f32| x * (x + 3.0).clamp(0.0, 6.0) / 6.0)
}

/// High 16 bits of `2 * a * b` for 16-bit values, rounded to nearest (not for two times -2^15).
fn high_mul_16(a: i32, b: i32) -> i32 {
    a.wrapping_mul(b).wrapping_add(1 << 14) >> 15
}

/// `x * 2^exponent`, saturating to 16 bits.
fn saturating_shl_16(x: i32, exponent: u32) -> i32 {
    let wide = i64::from(x).wrapping_shl(exponent);
    wide.clamp(i16::MIN.into(), i16::MAX.into()) as i32
}

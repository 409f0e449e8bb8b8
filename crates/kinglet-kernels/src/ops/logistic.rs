//! LOGISTIC and TANH, int8 by fixed-point arithmetic and int16 by a table. May run in place.
//!
//! Both as in TFLM. tflite-runtime 2.14 makes a table for int8 in float32 instead: about one in 60,000 of its
//! entries differs by 1.

use crate::ops::unary::{UnaryParams, elements};
use crate::params::params;
use crate::quant::{self, Multiplier, rounding_divide_by_pot};
use crate::{Call, Element, Fault};

params! {
    /// The block of the int8 kernels: how an input becomes a number in Q4.27.
    pub struct FixedPoint {
        /// Zero point of the input.
        pub zero_point: i32,
        /// From here on the function is at its end, on either side.
        pub radius: i32,
        /// Multiplier of the input.
        pub multiplier: i32,
        /// Its shift.
        pub shift: i32,
    }
}

params! {
    /// The block of the int16 kernels: how an input becomes a place in the table.
    pub struct TableStep {
        /// Factor of the input.
        pub multiplier: i32,
        /// Shift to the right after it, 0..=31.
        pub shift: i32,
    }
}

/// Integer bits of an int8 kernel's numbers.
const INTEGER_BITS: u32 = 4;

impl FixedPoint {
    /// For an input quantised with `scale` and `zero_point`; `None` when the scale is beyond TFLite's
    /// arithmetic. TFLite: `CalculateArithmeticOpData`, `CalculateInputRadius`.
    pub fn new(scale: f32, zero_point: i32) -> Option<Self> {
        let real = f64::from(scale) * f64::from(1u32 << (31 - INTEGER_BITS));
        if real.is_finite() && real >= f64::from(1u32 << 30) {
            // From a scale of 8 on only the ends are left, and the middle, which TFLM takes for an end.
            return Some(Self { zero_point, radius: 1, multiplier: 0, shift: 0 });
        }
        let factor = Multiplier::from_real(real)?;
        // A smaller scale takes all of int8 to less than the least step.
        let shift = u32::try_from(factor.shift).ok()?;
        let radius = ((1i64 << INTEGER_BITS) - 1) << (31 - INTEGER_BITS);
        let radius = i32::try_from(radius.checked_shr(shift)?).unwrap_or(i32::MAX);
        Some(Self { zero_point, radius, multiplier: factor.multiplier, shift: factor.shift.into() })
    }
}

impl TableStep {
    /// For a symmetric input quantised with `scale`; `None` when that is beyond TFLite's arithmetic.
    /// `powers` powers of two from 2^-12 on have a factor of their own.
    /// TFLite: `CalculateArithmeticOpDataLogistic`, `CalculateArithmeticOpData`.
    pub fn new(scale: f32, powers: u32) -> Option<Self> {
        for power in 0..powers {
            let one = f64::from(1u32 << power) / 4096.0;
            if is_power(scale, one) {
                return Some(Self { multiplier: 3 << power, shift: 0 });
            }
        }
        let mut multiplier = f64::from(scale) * 4096.0 * 3.0;
        let mut shift = 0;
        while multiplier <= 32_767.0 / 2.0 && shift <= 30 {
            shift += 1;
            multiplier *= 2.0;
        }
        (multiplier < 32_768.0).then_some(Self { multiplier: multiplier as i32, shift })
    }
}

impl TableStep {
    /// For a symmetric input of TANH whose scale counts as the nearest power of two, which is 2^-30..=2^-1;
    /// `None` for others. TFLM: `CreateLstmCellStateInfo`, `Tanh`.
    pub fn of_power(scale: f32) -> Option<Self> {
        let bits = scale.to_bits();
        let mantissa = f32::from_bits(bits & 0x007f_ffff | 1.0f32.to_bits());
        let exponent = (bits >> 23) as i32 - 127 + i32::from(mantissa > core::f32::consts::SQRT_2);
        if !(-30..0).contains(&exponent) {
            return None;
        }
        // The table's inputs have steps of 2^-12.
        let left = exponent + 12;
        let step = if left < 0 { (3, -left) } else { (3i32 << left, 0) };
        Some(Self { multiplier: step.0, shift: step.1 })
    }

    /// An input on the scale of the table.
    #[inline]
    pub(crate) fn apply(self, x: i16) -> i32 {
        let shift = self.shift as u32;
        let round = if shift > 0 { 1i32.wrapping_shl(shift.wrapping_sub(1)) } else { 0 };
        i32::from(x).wrapping_mul(self.multiplier).wrapping_add(round).wrapping_shr(shift)
    }
}

/// `x` is `power`, a power of two, as near as TFLite asks for (`CheckedLog2`: their logarithms to base 2
/// differ by less than 0.001).
pub fn is_power(x: f32, power: f64) -> bool {
    let ratio = f64::from(x) / power;
    (0.999_307_094_6..1.000_693_385_8).contains(&ratio)
}

/// Portable LOGISTIC, int8; the output has scale 1/256 and zero point -128.
pub fn logistic_s8(call: &Call<'_>) -> Result<(), Fault> {
    fixed_point(call, |x| rounding_divide_by_pot(quant::logistic(x), 23).wrapping_sub(128))
}

/// Portable TANH, int8; the output has scale 1/128 and zero point 0.
pub fn tanh_s8(call: &Call<'_>) -> Result<(), Fault> {
    fixed_point(call, |x| rounding_divide_by_pot(quant::tanh(x), 24))
}

/// Portable LOGISTIC, int16; the output has scale 1/32768.
pub fn logistic_s16(call: &Call<'_>) -> Result<(), Fault> {
    interpolate(call, logistic)
}

/// Portable TANH, int16; the output has scale 1/32768.
pub fn tanh_s16(call: &Call<'_>) -> Result<(), Fault> {
    interpolate(call, tanh)
}

/// `1 / (1 + exp(-x))` by the table, for what [`TableStep::apply`] gives, with scale 1/32768.
pub(crate) fn logistic(x: i32) -> i16 {
    let magnitude = x.unsigned_abs();
    let value = between(magnitude >> 9, magnitude & 0x1ff, 9).unwrap_or(0x7fff << 10);
    let value = if x >= 0 { value + (1 << 9) } else { (1 << 25) - value + (1 << 9) - 1 };
    i16::saturating_from(value >> 10)
}

/// `tanh(x)` by the table, for what [`TableStep::apply`] gives, with scale 1/32768.
pub(crate) fn tanh(x: i32) -> i16 {
    // tanh(x) = 2 logistic(2x) - 1
    let magnitude = x.unsigned_abs();
    let value = between(magnitude >> 8, magnitude & 0xff, 8).unwrap_or(0xffff << 8);
    let value = if x >= 0 { value - (1 << 23) + (1 << 7) } else { (1 << 23) - value + (1 << 7) - 1 };
    i16::saturating_from(value >> 8)
}

/// Takes an input to Q4.27, and what `function` makes of it to int8.
fn fixed_point(call: &Call<'_>, function: impl Fn(i32) -> i32) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let q: FixedPoint = call.block(p.detail)?;
    let factor = Multiplier { multiplier: q.multiplier, shift: q.shift as i8 };
    elements(call, &p, |x: i8| {
        let x = i32::from(x).wrapping_sub(q.zero_point);
        if x <= q.radius.wrapping_neg() {
            i8::MIN
        } else if x >= q.radius {
            i8::MAX
        } else {
            i8::saturating_from(function(factor.apply(x)))
        }
    })
}

fn interpolate(call: &Call<'_>, function: impl Fn(i32) -> i16) -> Result<(), Fault> {
    let p: UnaryParams = call.params()?;
    let step: TableStep = call.block(p.detail)?;
    elements(call, &p, |x: i16| function(step.apply(x)))
}

/// The function between entries `i` and `i + 1` of the table, with `bits` more bits; `None` beyond its end.
fn between(i: u32, fraction: u32, bits: u32) -> Option<i32> {
    let i = i as usize;
    let (Some(&low), Some(&high)) = (LOGISTIC.get(i), LOGISTIC.get(i.wrapping_add(1))) else {
        return None;
    };
    let (low, high) = (i32::from(low), i32::from(high));
    Some((low << bits) + fraction as i32 * (high - low))
}

/// `65536 / (1 + exp(-i / 24))`, as the references round it: to within 2.
#[rustfmt::skip]
static LOGISTIC: [u16; 256] = [
    32768, 33451, 34133, 34813, 35493, 36169, 36843, 37513, 38180, 38841, 39498, 40149, 40794, 41432, 42064, 42688,
    43304, 43912, 44511, 45102, 45683, 46255, 46817, 47369, 47911, 48443, 48964, 49475, 49975, 50464, 50942, 51409,
    51865, 52311, 52745, 53169, 53581, 53983, 54374, 54755, 55125, 55485, 55834, 56174, 56503, 56823, 57133, 57433,
    57724, 58007, 58280, 58544, 58800, 59048, 59288, 59519, 59743, 59959, 60168, 60370, 60565, 60753, 60935, 61110,
    61279, 61441, 61599, 61750, 61896, 62036, 62172, 62302, 62428, 62549, 62666, 62778, 62886, 62990, 63090, 63186,
    63279, 63368, 63454, 63536, 63615, 63691, 63765, 63835, 63903, 63968, 64030, 64090, 64148, 64204, 64257, 64308,
    64357, 64405, 64450, 64494, 64536, 64576, 64614, 64652, 64687, 64721, 64754, 64786, 64816, 64845, 64873, 64900,
    64926, 64950, 64974, 64997, 65019, 65039, 65060, 65079, 65097, 65115, 65132, 65149, 65164, 65179, 65194, 65208,
    65221, 65234, 65246, 65258, 65269, 65280, 65291, 65301, 65310, 65319, 65328, 65337, 65345, 65352, 65360, 65367,
    65374, 65381, 65387, 65393, 65399, 65404, 65410, 65415, 65420, 65425, 65429, 65433, 65438, 65442, 65445, 65449,
    65453, 65456, 65459, 65462, 65465, 65468, 65471, 65474, 65476, 65479, 65481, 65483, 65485, 65488, 65489, 65491,
    65493, 65495, 65497, 65498, 65500, 65501, 65503, 65504, 65505, 65507, 65508, 65509, 65510, 65511, 65512, 65513,
    65514, 65515, 65516, 65517, 65517, 65518, 65519, 65520, 65520, 65521, 65522, 65522, 65523, 65523, 65524, 65524,
    65525, 65525, 65526, 65526, 65526, 65527, 65527, 65528, 65528, 65528, 65529, 65529, 65529, 65529, 65530, 65530,
    65530, 65530, 65531, 65531, 65531, 65531, 65531, 65532, 65532, 65532, 65532, 65532, 65532, 65533, 65533, 65533,
    65533, 65533, 65533, 65533, 65533, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65534, 65535,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_function() {
        for (i, &value) in LOGISTIC.iter().enumerate() {
            let real = 65_536.0 / (1.0 + (-(i as f64) / 24.0).exp());
            assert!((f64::from(value) - real).abs() <= 2.0, "{i}");
        }
    }

    #[test]
    fn powers_of_two_have_a_factor_of_their_own() {
        assert_eq!(TableStep::new(1.0 / 4096.0, 1), Some(TableStep { multiplier: 3, shift: 0 }));
        assert_eq!(TableStep::new(1.0 / 2048.0, 2), Some(TableStep { multiplier: 6, shift: 0 }));
        assert_eq!(TableStep::new(1.0 / 2048.0, 1), Some(TableStep { multiplier: 24_576, shift: 12 }));
        assert_eq!(TableStep::new(3.0, 1), None);
    }
}

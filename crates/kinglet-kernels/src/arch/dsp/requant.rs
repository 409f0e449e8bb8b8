//! TFLite's requantisation in three to five instructions, exactly.
//!
//! The reference multiplies with `SaturatingRoundingDoublingHighMul`, then shifts with `RoundingDivideByPOT`.
//! Both of the forms below give the same int8 for every accumulator that a channel can have; whether they do is
//! decided when a layer's constants are packed, from the exact range of each channel's accumulator.
//!
//! * [`Rule::Rounded`]: SMMULR is the first rounding. The second adds the sign, then SMMLAR by 2^(32-e)
//!   rounds, shifts right by e and adds the zero point. For e >= 2 and |accumulator| < 2^30.
//! * [`Rule::Floor`]: where the zero point and the least output are both -128, as behind a ReLU, outputs of negative
//!   products are -128 whatever their rounding. What is left are two roundings half up, each a floor after an
//!   addition, and a floor of a floor is one floor:
//!   `(acc * m + 2^30 + 2^(30+e) + (zp << (31+e))) >> (31+e)`. With the accumulator shifted left by `1 + E - e`
//!   the low word of that sum does not matter, so SMMLA and a saturation shifted by the constant `E` are all.

use super::instructions::{smmla, smmlar, smmulr, ssat8, ssat8_asr};
use crate::quant::Multiplier;

/// How a layer's accumulators become outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// One floor, for zero point and least output -128.
    Floor,
    /// Two roundings, for any zero point. Saturates to int8.
    Rounded,
}

/// Input zero point, output zero point, least and greatest output: as in the parameter blocks.
type Quant = [i8; 4];

/// One output channel as the fast kernels compute it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Channel {
    /// What the accumulator starts with. The input zero point is not folded into it.
    pub(crate) bias: i32,
    /// The multiplier: positive.
    pub(crate) multiplier: i32,
    /// The shift to the right behind it: 2..=31.
    pub(crate) exponent: u32,
    /// Accumulators are below 2^this in magnitude, bias included. At most 30.
    pub(crate) bits: u32,
    /// Every input gives the same output: all weights count as zero.
    pub(crate) is_constant: bool,
}

/// Least and greatest accumulator of a channel over all int8 inputs.
///
/// `weights` are those of the channel. A window that reaches into the padding sees a subset of the taps with a
/// difference of zero, which the range includes.
pub(crate) fn accumulator_range(
    weights: &mut dyn Iterator<Item = i8>,
    bias: i32,
    input_zero: i8,
) -> (i64, i64) {
    let (least, greatest) = (-128 - i64::from(input_zero), 127 - i64::from(input_zero));
    let (mut low, mut high) = (i64::from(bias), i64::from(bias));
    for weight in weights {
        let (a, b) = (i64::from(weight) * least, i64::from(weight) * greatest);
        low += a.min(b);
        high += a.max(b);
    }
    (low, high)
}

impl Channel {
    /// Exponent of the factor that [`Channel::constant`] uses.
    const CONSTANT_EXPONENT: u32 = 9;

    /// The channel with this accumulator range; `None` where no rule is exact for it.
    pub(crate) fn new((low, high): (i64, i64), bias: i32, factor: Multiplier, quant: Quant) -> Option<Self> {
        let [_, zero, min, max] = quant.map(i32::from);
        let left = u32::from(factor.shift.max(0).unsigned_abs());
        let output = |acc: i64| {
            let acc = i32::try_from(acc).ok()?;
            // Where the reference's shift overflows there is no order to rely on.
            i32::try_from(i64::from(acc) << left).ok()?;
            let scaled = i64::from(factor.apply(acc));
            Some((scaled + i64::from(zero)).min(max.into()).max(min.into()) as i32)
        };
        // Requantisation is monotone: what holds at both ends holds between.
        let (first, last) = (output(low)?, output(high)?);
        if first == last {
            return Some(Self::constant(first, zero));
        }
        Self::varying((low, high), bias, factor)
    }

    /// The same, of a channel whose accumulator is computed in any case.
    pub(crate) fn varying((low, high): (i64, i64), bias: i32, factor: Multiplier) -> Option<Self> {
        let bits = 64 - low.unsigned_abs().max(high.unsigned_abs()).leading_zeros();
        let exponent = u32::try_from(-i32::from(factor.shift)).ok()?;
        let channel = Self { bias, multiplier: factor.multiplier, exponent, bits, is_constant: false };
        (exponent >= 2 && bits <= 30).then_some(channel)
    }

    /// A channel whose output is always `value`: the accumulator is a bias that becomes it.
    pub(crate) fn constant(value: i32, zero: i32) -> Self {
        let exponent = Self::CONSTANT_EXPONENT;
        // Half of it, shifted right by the exponent.
        let bias = (value - zero) << (exponent + 1);
        let bits = 32 - bias.unsigned_abs().leading_zeros();
        Self { bias, multiplier: 1 << 30, exponent, bits, is_constant: true }
    }

    /// [`Rule::Floor`] with the layer's constant shift `e` is exact for this channel, and accumulators may be
    /// shifted left by [`Channel::floor_shift`].
    pub(crate) fn has_floor(&self, e: u32) -> bool {
        self.exponent < e && self.bits + self.floor_shift(e) <= 31
    }

    /// What [`Rule::Floor`] shifts the accumulator to the left by: at least 2.
    pub(crate) fn floor_shift(&self, e: u32) -> u32 {
        e.wrapping_sub(self.exponent).wrapping_add(1)
    }

    /// What [`Rule::Rounded`] multiplies by in the end.
    pub(crate) fn rounded_power(&self) -> i32 {
        1i32.wrapping_shl(32u32.wrapping_sub(self.exponent))
    }
}

/// [`Rule::Floor`] can be used with this output quantisation.
pub(crate) fn quant_has_floor([_, zero, min, max]: Quant) -> bool {
    (zero, min, max) == (-128, -128, 127)
}

/// What [`floor`] adds, for channels that shift to the left by `shift` (at least 2).
#[inline(always)]
pub(crate) const fn floor_addend(e: u32, shift: u32) -> i32 {
    (1 << (shift - 2)) + (1 << (e - 1)) - (128 << e)
}

/// [`Rule::Floor`] of an accumulator that is shifted to the left already: two instructions.
#[inline(always)]
pub(crate) fn floor<const E: u32>(shifted: i32, multiplier: i32, addend: i32) -> i32 {
    ssat8_asr::<E>(smmla(shifted, multiplier, addend))
}

/// [`Rule::Rounded`] of the doubled accumulator: four instructions. `power` is [`Channel::rounded_power`].
#[inline(always)]
pub(crate) fn rounded(doubled: i32, multiplier: i32, power: i32, zero: i32) -> i32 {
    let high = smmulr(doubled, multiplier);
    ssat8(smmlar(high.wrapping_add(high >> 31), power, zero))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What the portable kernels do.
    fn reference(acc: i32, factor: Multiplier, [_, zero, min, max]: Quant) -> i32 {
        factor.apply(acc).wrapping_add(zero.into()).min(max.into()).max(min.into())
    }

    fn factors() -> impl Strategy<Value = Multiplier> {
        let multiplier = prop_oneof![Just(1 << 30), Just(i32::MAX), (1i32 << 30)..=i32::MAX];
        (multiplier, -31i8..4).prop_map(|(multiplier, shift)| Multiplier { multiplier, shift })
    }

    /// Accumulators around those that become the least, a middle and the greatest output, and ties.
    fn accumulators(bits: u32) -> impl Strategy<Value = i32> {
        let bound = (1i32 << bits) - 1;
        let tie = (0..bits, -300i32..300, -2i32..=2)
            .prop_map(move |(shift, i, off)| ((i << (shift.min(21))) + off).clamp(-bound, bound));
        prop_oneof![-bound..=bound, tie, Just(bound), Just(-bound), -3i32..3]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]
        #[test]
        fn both_rules_are_exact(
            bits in 1u32..=30, factor in factors(), zero: i8, seed in accumulators(30), relu: bool,
        ) {
            let acc = seed >> (30 - bits);
            let bound = (1i64 << bits) - 1;
            let quant = if relu { [0, -128, -128, 127] } else { [0, zero, -128, 127] };
            let Some(channel) = Channel::new((-bound, bound), 0, factor, quant) else {
                let left = u32::from(factor.shift.max(0).unsigned_abs());
                prop_assert!(factor.shift > -2 || bits + left > 31);
                return Ok(());
            };
            let acc = if channel.is_constant { channel.bias } else { acc };
            let expected = reference(if channel.is_constant { 0 } else { acc }, factor, quant);
            prop_assert_eq!(
                rounded(acc << 1, channel.multiplier, channel.rounded_power(), quant[1].into()), expected);
            if quant_has_floor(quant) {
                fn check<const E: u32>(channel: &Channel, acc: i32, expected: i32) -> Result<(), TestCaseError> {
                    if channel.has_floor(E) {
                        let shift = channel.floor_shift(E);
                        let got = floor::<E>(acc << shift, channel.multiplier, floor_addend(E, shift));
                        prop_assert_eq!(got, expected);
                    }
                    Ok(())
                }
                check::<10>(&channel, acc, expected)?;
                check::<12>(&channel, acc, expected)?;
                check::<14>(&channel, acc, expected)?;
                check::<20>(&channel, acc, expected)?;
            }
        }
    }

    #[test]
    fn a_range_is_that_of_the_extremes() {
        assert_eq!(accumulator_range(&mut [1, -2].into_iter(), 5, -128), (5 - 510, 5 + 255));
        assert_eq!(accumulator_range(&mut [127].into_iter(), 0, 127), (-255 * 127, 0));
    }
}

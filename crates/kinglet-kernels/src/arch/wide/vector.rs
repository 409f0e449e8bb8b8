//! What an instruction set has to offer.

use crate::arch::wide::pack::Column;

/// A vector of 32-bit lanes.
///
/// Functions of implementations are `#[inline(always)]` and carry no `target_feature`: they become part of an
/// entry that does. Whoever calls them has made sure that the machine has the instruction set.
///
/// # Safety
/// [`LANES`](Self::LANES) and [`GROUP`](Self::GROUP) are what loads and stores touch: one vector is
/// `LANES * 4` bytes.
pub(crate) unsafe trait Vector: Copy {
    /// 32-bit lanes, a multiple of 4.
    const LANES: usize;
    /// Activations that meet in a lane: 4 bytes, or 2 of 16 bits.
    const GROUP: usize;
    /// Requantisation factors of one vector of channels.
    type Factors: Copy;

    /// A vector from memory, of any alignment.
    ///
    /// # Safety
    /// `LANES * 4` bytes can be read.
    unsafe fn load(from: *const u8) -> Self;

    /// The four bytes at `from` in every lane.
    ///
    /// # Safety
    /// Four bytes can be read.
    unsafe fn splat(from: *const u8) -> Self;

    /// [`GROUP`](Self::GROUP) raw int8 activations, the first in the lowest byte, made ready for
    /// [`dot`](Self::dot), in every lane.
    fn splat_group(raw: u32) -> Self;

    /// `value` in every lane.
    fn splat_i32(value: i32) -> Self;

    /// One int8 a lane, as int32.
    ///
    /// # Safety
    /// `LANES` bytes can be read.
    unsafe fn widen(from: *const i8) -> Self;

    /// Difference, wrapping.
    fn sub(self, other: Self) -> Self;

    /// Product, wrapping.
    fn mul(self, other: Self) -> Self;

    /// TFLite's multiplication by a quantised factor, with two roundings: shifts to the left and to the right
    /// are both given, and not negative.
    fn multiply(self, multiplier: Self, left: Self, right: Self) -> Self;

    /// `self` plus, lane by lane, the products of activations and weights.
    fn dot(self, activations: Self, weights: Self) -> Self;

    /// Sum, wrapping.
    fn add(self, other: Self) -> Self;

    /// Zeros.
    fn zero() -> Self;

    /// Makes `len` raw activations ready for [`dot`](Self::dot): `4 / GROUP` bytes each.
    ///
    /// # Safety
    /// `len` bytes can be read at `from`, and `len * 4 / GROUP` bytes written at `to`; the two are disjoint.
    unsafe fn convert(to: *mut u8, from: *const i8, len: usize);

    /// `len` times the activation `value`, ready for [`dot`](Self::dot).
    ///
    /// # Safety
    /// `len * 4 / GROUP` bytes can be written.
    unsafe fn fill(to: *mut u8, value: i8, len: usize) {
        // SAFETY: as the caller promises; an activation takes one or two bytes.
        unsafe {
            if Self::GROUP == 4 {
                to.write_bytes(Self::ready_byte(value), len);
            } else {
                for i in 0..len {
                    to.cast::<i16>().add(i).write_unaligned(value.into());
                }
            }
        }
    }

    /// An activation as the byte that [`dot`](Self::dot) takes, where [`GROUP`](Self::GROUP) is 4.
    fn ready_byte(value: i8) -> u8;

    /// Brings [`GROUP`](Self::GROUP) taps together: `4 * LANES` activations of each of `GROUP` rows become four
    /// vectors of groups, in the order of channels of [`Shape::channel`](super::pack::Shape::channel).
    ///
    /// # Safety
    /// `16 * LANES / GROUP` bytes can be read from each of the first `GROUP` rows.
    unsafe fn interleave(rows: [*const u8; 4]) -> [Self; 4];

    /// The factors of one column, as [`pack`](super::pack) wrote them.
    ///
    /// # Safety
    /// `column` is one, of this instruction set.
    unsafe fn factors(column: *const u8) -> Self::Factors;

    /// Accumulators requantised, with the output zero point added, where [`pack`](super::pack) found that the
    /// quick way is exact.
    fn rescale(self, factors: &Self::Factors) -> Self;

    /// As [`rescale`](Self::rescale), exact for every accumulator and factor.
    ///
    /// # Safety
    /// As [`factors`](Self::factors).
    #[inline(always)]
    unsafe fn rescale_any(self, column: *const u8) -> Self {
        let vector = Self::LANES * 4;
        // SAFETY: a column has a vector at each of these places.
        unsafe {
            let multiplier = Self::load(column.add(Column::MULTIPLIER * vector));
            let left = Self::load(column.add(Column::LEFT * vector));
            let right = Self::load(column.add(Column::RIGHT * vector));
            let zero = Self::load(column.add(Column::ZERO * vector));
            self.multiply(multiplier, left, right).add(zero)
        }
    }

    /// Stores the first `len` channels of `N` vectors as int8 between `min` and `max`, in natural order.
    ///
    /// # Safety
    /// `len` bytes can be written; `len` is at most `N * LANES`.
    unsafe fn store<const N: usize>(values: [Self; N], to: *mut i8, len: usize, min: i8, max: i8);
}

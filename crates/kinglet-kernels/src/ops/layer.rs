//! What layers with weights are generic over: element types, sums and the ways in which weights are stored.

use core::cell::Cell;

use crate::quant::Multiplier;
use crate::{Call, Element, Fault, Place, Word};

/// Input and output of a layer.
pub(crate) trait Activation: Element {
    /// The bytes of an element.
    type Bytes: 'static;
    /// Input zero point, output zero point, least and greatest output, from the parameters' four bytes.
    fn quant(bytes: [i8; 4]) -> [i32; 4];
    /// The elements in a run of bytes.
    fn slice(cells: &[Cell<i8>]) -> &[Self::Bytes];
    /// The element's value.
    fn get(bytes: &Self::Bytes) -> i32;
    /// Sets the element to a value that was seen to fit.
    fn set(bytes: &Self::Bytes, value: i32);
}

impl Activation for i8 {
    type Bytes = Cell<i8>;
    #[inline]
    fn quant(bytes: [i8; 4]) -> [i32; 4] {
        bytes.map(i32::from)
    }
    #[inline]
    fn slice(cells: &[Cell<i8>]) -> &[Self::Bytes] {
        cells
    }
    #[inline]
    fn get(cell: &Self::Bytes) -> i32 {
        cell.get().into()
    }
    #[inline]
    fn set(cell: &Self::Bytes, value: i32) {
        cell.set(value as i8);
    }
}

/// int16 is symmetric: its zero points are 0, and the four bytes are two limits.
impl Activation for i16 {
    type Bytes = [Cell<i8>; 2];
    #[inline]
    fn quant(bytes: [i8; 4]) -> [i32; 4] {
        let [min, max] = <[i16; 2]>::from_word(bytes.to_word()).map(i32::from);
        [0, 0, min, max]
    }
    #[inline]
    fn slice(cells: &[Cell<i8>]) -> &[Self::Bytes] {
        cells.as_chunks().0
    }
    #[inline]
    fn get([low, high]: &Self::Bytes) -> i32 {
        Self::from_le_bytes([low.get() as u8, high.get() as u8]).into()
    }
    #[inline]
    fn set([low, high]: &Self::Bytes, value: i32) {
        let bytes = (value as i16).to_le_bytes();
        low.set(bytes[0] as i8);
        high.set(bytes[1] as i8);
    }
}

/// The four bytes of an int16 layer.
pub fn limits_s16(min: i16, max: i16) -> [i8; 4] {
    <[i8; 4]>::from_word([min, max].to_word())
}

/// What a layer adds its products up in; it wraps.
pub(crate) trait Sum: Element + Default {
    /// The sum of both.
    fn plus(self, other: Self) -> Self;
    /// The sum with `a * b`, which fits in 32 bits.
    fn plus_product(self, a: i32, b: i32) -> Self;
    /// The sum on the output's scale.
    fn scale(self, factor: Multiplier) -> i32;
}

impl Sum for i32 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline]
    fn plus_product(self, a: i32, b: i32) -> Self {
        self.wrapping_add(a.wrapping_mul(b))
    }
    #[inline]
    fn scale(self, factor: Multiplier) -> i32 {
        factor.apply(self)
    }
}

impl Sum for i64 {
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline]
    fn plus_product(self, a: i32, b: i32) -> Self {
        self.wrapping_add(a.wrapping_mul(b).into())
    }
    #[inline]
    fn scale(self, factor: Multiplier) -> i32 {
        factor.apply_wide(self)
    }
}

/// A run of weights.
pub(crate) trait Taps<'a>: Copy {
    /// The `len` weights at `place`.
    fn new(call: &Call<'a>, place: Place, len: usize) -> Result<Self, Fault>;
    /// Weight `i`.
    fn get(self, i: usize) -> Option<i32>;
    /// Runs of `len` weights, one after the other; what is left at the end is left out. `len` is not 0.
    fn runs(self, len: usize) -> impl Iterator<Item = Self>;
    /// The `len` weights from `start` on.
    fn part(self, start: usize, len: usize) -> Option<Self>;
    /// The weights.
    fn values(self) -> impl Iterator<Item = i32>;
}

impl<'a> Taps<'a> for &'a [i8] {
    fn new(call: &Call<'a>, place: Place, len: usize) -> Result<Self, Fault> {
        call.weights(place, len)
    }
    #[inline]
    fn get(self, i: usize) -> Option<i32> {
        <[i8]>::get(self, i).map(|&weight| weight.into())
    }
    #[inline]
    fn runs(self, len: usize) -> impl Iterator<Item = Self> {
        self.chunks_exact(len)
    }
    #[inline]
    fn part(self, start: usize, len: usize) -> Option<Self> {
        <[_]>::get(self, start..start.checked_add(len)?)
    }
    #[inline]
    fn values(self) -> impl Iterator<Item = i32> {
        self.iter().map(|&weight| weight.into())
    }
}

/// int8 weights that an operator has computed.
impl<'a> Taps<'a> for &'a [Cell<i8>] {
    fn new(call: &Call<'a>, place: Place, len: usize) -> Result<Self, Fault> {
        call.view::<i8>(place, len)?.cells(0, len)
    }
    #[inline]
    fn get(self, i: usize) -> Option<i32> {
        <[Cell<i8>]>::get(self, i).map(|weight| weight.get().into())
    }
    #[inline]
    fn runs(self, len: usize) -> impl Iterator<Item = Self> {
        self.chunks_exact(len)
    }
    #[inline]
    fn part(self, start: usize, len: usize) -> Option<Self> {
        <[_]>::get(self, start..start.checked_add(len)?)
    }
    #[inline]
    fn values(self) -> impl Iterator<Item = i32> {
        self.iter().map(|weight| weight.get().into())
    }
}

/// int4 weights as they are in the file: two in a byte, the first in the low half.
#[derive(Clone, Copy)]
pub(crate) struct Nibbles<'a> {
    bytes: &'a [u8],
    /// The first weight, counted in nibbles of `bytes`.
    start: usize,
    len: usize,
}

impl<'a> Taps<'a> for Nibbles<'a> {
    fn new(call: &Call<'a>, place: Place, len: usize) -> Result<Self, Fault> {
        Ok(Self { bytes: call.constant(place, len.div_ceil(2))?, start: 0, len })
    }
    #[inline]
    fn get(self, i: usize) -> Option<i32> {
        let at = self.start.wrapping_add(i);
        let byte = *self.bytes.get(at >> 1)? as i8;
        let byte = if at & 1 == 0 { byte << 4 } else { byte };
        Some((byte >> 4).into())
    }
    #[inline]
    fn runs(self, len: usize) -> impl Iterator<Item = Self> {
        let count = self.len.checked_div(len).unwrap_or(0);
        let start = move |i: usize| self.start.wrapping_add(i.wrapping_mul(len));
        (0..count).map(move |i| Self { start: start(i), len, ..self })
    }
    #[inline]
    fn part(self, start: usize, len: usize) -> Option<Self> {
        let is_inside = start.checked_add(len)? <= self.len;
        is_inside.then_some(Self { start: self.start.wrapping_add(start), len, ..self })
    }
    #[inline]
    fn values(self) -> impl Iterator<Item = i32> {
        (0..self.len).map_while(move |i| self.get(i))
    }
}

/// `sum` and the products of inputs, less their zero point, and weights.
#[inline]
pub(crate) fn dot<T: Activation, S: Sum>(
    mut sum: S,
    inputs: &[T::Bytes],
    zero_point: i32,
    weights: impl Iterator<Item = i32>,
) -> S {
    for (input, weight) in inputs.iter().zip(weights) {
        sum = sum.plus_product(T::get(input).wrapping_sub(zero_point), weight);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Region;
    use std::vec::Vec;

    #[test]
    fn int4_weights_are_read_from_the_low_half_up() {
        let constants = [0x21, 0x8f, 0x07];
        let call = Call {
            arena: &[],
            state: &[],
            constants: &constants,
            prepared: &[],
            plan: &[],
            params: 0,
            rows: 0..0,
        };
        let place = Place::new(Region::Constants, 0).unwrap();
        let weights = Nibbles::new(&call, place, 5).unwrap();
        assert_eq!(weights.values().collect::<Vec<_>>(), [1, 2, -1, -8, 7]);
        let runs: Vec<Vec<_>> = weights.runs(2).map(|run| run.values().collect()).collect();
        assert_eq!(runs, [[1, 2], [-1, -8]]);
        assert_eq!(weights.runs(3).next().unwrap().runs(1).nth(2).unwrap().get(0), Some(-1));
        assert!(Nibbles::new(&call, place, 7).is_err());
    }
}

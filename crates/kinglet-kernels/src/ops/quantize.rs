//! QUANTIZE, DEQUANTIZE and stand-alone activations: rescaling element by element.

use crate::ops::elements::for_each_index;
use crate::params::params;
use crate::quant::{Multiplier, round_to_i32};
use crate::{Call, Element, Fault, Place, Source, View, Word};

/// An integer element type of [`requantize`], [`quantize`] and [`dequantize`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum IntType {
    /// int8
    S8,
    /// uint8
    U8,
    /// int16
    S16,
    /// int32
    S32,
    /// int64; values are read modulo 2^32.
    S64,
}

impl IntType {
    /// Bytes an element takes.
    pub const fn size(self) -> usize {
        match self {
            Self::S8 | Self::U8 => 1,
            Self::S16 => 2,
            Self::S32 => 4,
            Self::S64 => 8,
        }
    }

    /// Least and greatest value.
    pub const fn range(self) -> (i32, i32) {
        match self {
            Self::S8 => (-128, 127),
            Self::U8 => (0, 255),
            Self::S16 => (-32_768, 32_767),
            Self::S32 | Self::S64 => (i32::MIN, i32::MAX),
        }
    }
}

impl Word for IntType {
    fn from_word(word: u32) -> Self {
        match word {
            0 => Self::S8,
            1 => Self::U8,
            2 => Self::S16,
            3 => Self::S32,
            _ => Self::S64,
        }
    }
    fn to_word(self) -> u32 {
        self as u32
    }
}

params! {
    /// Parameters of the kernels in this file. A row is `row_len` elements.
    pub struct QuantizeParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Elements.
        pub len: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Input type (not used by [`quantize`]).
        pub from: IntType,
        /// Output type (not used by [`dequantize`]).
        pub to: IntType,
        /// Input zero point.
        pub input_zero_point: i32,
        /// Output zero point.
        pub output_zero_point: i32,
        /// Least output.
        pub min: i32,
        /// Greatest output.
        pub max: i32,
        /// Multiplier of [`requantize`].
        pub multiplier: i32,
        /// Its shift.
        pub shift: i32,
        /// Output scale of [`quantize`], input scale of [`dequantize`].
        pub scale: f32,
    }
}

/// Integers of any kind, read as int32.
pub(crate) enum Integers<'a> {
    S8(Source<'a, i8>),
    U8(Source<'a, u8>),
    S16(Source<'a, i16>),
    S32(Source<'a, i32>),
    S64(Source<'a, i64>),
}

impl<'a> Integers<'a> {
    pub(crate) fn new(call: &Call<'a>, kind: IntType, place: Place, len: usize) -> Result<Self, Fault> {
        Ok(match kind {
            IntType::S8 => Self::S8(call.source(place, len)?),
            IntType::U8 => Self::U8(call.source(place, len)?),
            IntType::S16 => Self::S16(call.source(place, len)?),
            IntType::S32 => Self::S32(call.source(place, len)?),
            IntType::S64 => Self::S64(call.source(place, len)?),
        })
    }

    pub(crate) fn get(&self, i: usize) -> Result<i32, Fault> {
        match self {
            Self::S8(s) => s.get(i).map(i32::from),
            Self::U8(s) => s.get(i).map(i32::from),
            Self::S16(s) => s.get(i).map(i32::from),
            Self::S32(s) => s.get(i),
            Self::S64(s) => s.get(i).map(|value| value as i32),
        }
    }
}

/// Writes integers of any kind, saturating.
pub(crate) enum Output<'a> {
    S8(View<'a, i8>),
    U8(View<'a, u8>),
    S16(View<'a, i16>),
    S32(View<'a, i32>),
    S64(View<'a, i64>),
}

impl<'a> Output<'a> {
    pub(crate) fn new(call: &Call<'a>, kind: IntType, place: Place, len: usize) -> Result<Self, Fault> {
        Ok(match kind {
            IntType::S8 => Self::S8(call.view(place, len)?),
            IntType::U8 => Self::U8(call.view(place, len)?),
            IntType::S16 => Self::S16(call.view(place, len)?),
            IntType::S32 => Self::S32(call.view(place, len)?),
            IntType::S64 => Self::S64(call.view(place, len)?),
        })
    }

    pub(crate) fn set(&self, i: usize, value: i32) -> Result<(), Fault> {
        match self {
            Self::S8(v) => v.set(i, i8::saturating_from(value)),
            Self::U8(v) => v.set(i, u8::saturating_from(value)),
            Self::S16(v) => v.set(i, i16::saturating_from(value)),
            Self::S32(v) => v.set(i, value),
            Self::S64(v) => v.set(i, value.into()),
        }
    }
}

/// Portable integer rescaling: QUANTIZE from integers, and RELU, RELU6, RELU_N1_TO_1 of their own.
///
/// May run in place where both types have one size.
pub fn requantize(call: &Call<'_>) -> Result<(), Fault> {
    let p: QuantizeParams = call.params()?;
    let input = Integers::new(call, p.from, p.input, p.len as usize)?;
    let output = Output::new(call, p.to, p.output, p.len as usize)?;
    let factor = Multiplier { multiplier: p.multiplier, shift: p.shift as i8 };
    for_each_index(call, p.row_len, |i| {
        let value = factor.apply(input.get(i)?.wrapping_sub(p.input_zero_point));
        let value = value.wrapping_add(p.output_zero_point);
        output.set(i, value.min(p.max).max(p.min))
    })
}

/// Portable QUANTIZE from float32: `round(x / scale) + zero_point`, ties away from zero, saturating
/// (NaN gives the zero point). Input and output do not overlap.
pub fn quantize(call: &Call<'_>) -> Result<(), Fault> {
    let p: QuantizeParams = call.params()?;
    let input = call.source::<f32>(p.input, p.len as usize)?;
    let output = Output::new(call, p.to, p.output, p.len as usize)?;
    for_each_index(call, p.row_len, |i| {
        let value = round_to_i32(input.get(i)? / p.scale).saturating_add(p.output_zero_point);
        output.set(i, value)
    })
}

/// Portable DEQUANTIZE to float32: `(x - zero_point) * scale`. Input and output do not overlap.
pub fn dequantize(call: &Call<'_>) -> Result<(), Fault> {
    let p: QuantizeParams = call.params()?;
    let input = Integers::new(call, p.from, p.input, p.len as usize)?;
    let output = call.view::<f32>(p.output, p.len as usize)?;
    for_each_index(call, p.row_len, |i| {
        let value = input.get(i)?.wrapping_sub(p.input_zero_point);
        // The reference multiplies in float64: for at most 24 significant bits that is the same.
        output.set(i, p.scale * value as f32)
    })
}

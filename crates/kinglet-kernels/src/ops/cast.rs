//! CAST: numbers from one type to another, as C converts them.

use crate::ops::elements::for_each_index;
use crate::params::params;
use crate::{Call, Choice, Fault, Kernel, Overlap, Place, Source, Target, View, Word};

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CastType {
    /// int8
    S8,
    /// uint8
    U8,
    /// int16
    S16,
    /// int32
    S32,
    /// int64
    S64,
    /// float32
    F32,
    /// One byte, 0 or 1.
    Bool,
}

impl CastType {
    /// Bytes an element takes.
    pub const fn size(self) -> u32 {
        match self {
            Self::S8 | Self::U8 | Self::Bool => 1,
            Self::S16 => 2,
            Self::S32 | Self::F32 => 4,
            Self::S64 => 8,
        }
    }
}

impl Word for CastType {
    fn from_word(word: u32) -> Self {
        match word {
            0 => Self::S8,
            1 => Self::U8,
            2 => Self::S16,
            3 => Self::S32,
            4 => Self::S64,
            5 => Self::F32,
            _ => Self::Bool,
        }
    }
    fn to_word(self) -> u32 {
        self as u32
    }
}

params! {
    /// Parameters of [`cast`]. A row is `row_len` elements.
    pub struct CastParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Elements.
        pub len: u32,
        /// Elements in a row.
        pub row_len: u32,
        /// Input type.
        pub from: CastType,
        /// Output type.
        pub to: CastType,
    }
}

/// Chooses the kernel.
pub fn choose(_target: Target) -> Choice {
    Choice::new(Kernel::Cast).with_overlap(Overlap::Elements)
}

/// An element on its way.
#[derive(Clone, Copy)]
enum Number {
    Int(i64),
    Float(f32),
}

impl Number {
    /// Float32 loses its fraction. Beyond int32, where C leaves the result open, it saturates.
    fn int(self) -> i32 {
        match self {
            Self::Int(x) => x as i32,
            Self::Float(x) => x as i32,
        }
    }

    /// As `int`, for int64.
    fn long(self) -> i64 {
        match self {
            Self::Int(x) => x,
            Self::Float(x) => x as i64,
        }
    }

    fn float(self) -> f32 {
        match self {
            Self::Int(x) => x as f32,
            Self::Float(x) => x,
        }
    }

    fn is_true(self) -> bool {
        match self {
            Self::Int(x) => x != 0,
            Self::Float(x) => x != 0.0,
        }
    }
}

enum Input<'a> {
    S8(Source<'a, i8>),
    U8(Source<'a, u8>),
    S16(Source<'a, i16>),
    S32(Source<'a, i32>),
    S64(Source<'a, i64>),
    F32(Source<'a, f32>),
    Bool(Source<'a, u8>),
}

impl<'a> Input<'a> {
    fn new(call: &Call<'a>, ty: CastType, place: Place, len: usize) -> Result<Self, Fault> {
        Ok(match ty {
            CastType::S8 => Self::S8(call.source(place, len)?),
            CastType::U8 => Self::U8(call.source(place, len)?),
            CastType::S16 => Self::S16(call.source(place, len)?),
            CastType::S32 => Self::S32(call.source(place, len)?),
            CastType::S64 => Self::S64(call.source(place, len)?),
            CastType::F32 => Self::F32(call.source(place, len)?),
            CastType::Bool => Self::Bool(call.source(place, len)?),
        })
    }

    fn get(&self, i: usize) -> Result<Number, Fault> {
        Ok(match self {
            Self::S8(s) => Number::Int(s.get(i)?.into()),
            Self::U8(s) => Number::Int(s.get(i)?.into()),
            Self::S16(s) => Number::Int(s.get(i)?.into()),
            Self::S32(s) => Number::Int(s.get(i)?.into()),
            Self::S64(s) => Number::Int(s.get(i)?),
            Self::F32(s) => Number::Float(s.get(i)?),
            Self::Bool(s) => Number::Int((s.get(i)? != 0).into()),
        })
    }
}

enum Output<'a> {
    S8(View<'a, i8>),
    U8(View<'a, u8>),
    S16(View<'a, i16>),
    S32(View<'a, i32>),
    S64(View<'a, i64>),
    F32(View<'a, f32>),
    Bool(View<'a, u8>),
}

impl<'a> Output<'a> {
    fn new(call: &Call<'a>, ty: CastType, place: Place, len: usize) -> Result<Self, Fault> {
        Ok(match ty {
            CastType::S8 => Self::S8(call.view(place, len)?),
            CastType::U8 => Self::U8(call.view(place, len)?),
            CastType::S16 => Self::S16(call.view(place, len)?),
            CastType::S32 => Self::S32(call.view(place, len)?),
            CastType::S64 => Self::S64(call.view(place, len)?),
            CastType::F32 => Self::F32(call.view(place, len)?),
            CastType::Bool => Self::Bool(call.view(place, len)?),
        })
    }

    fn set(&self, i: usize, x: Number) -> Result<(), Fault> {
        match self {
            Self::S8(v) => v.set(i, x.int() as i8),
            Self::U8(v) => v.set(i, x.int() as u8),
            Self::S16(v) => v.set(i, x.int() as i16),
            Self::S32(v) => v.set(i, x.int()),
            Self::S64(v) => v.set(i, x.long()),
            Self::F32(v) => v.set(i, x.float()),
            Self::Bool(v) => v.set(i, x.is_true().into()),
        }
    }
}

/// Portable CAST: integers keep their low bits. May run in place where both types have one size.
pub fn cast(call: &Call<'_>) -> Result<(), Fault> {
    let p: CastParams = call.params()?;
    let input = Input::new(call, p.from, p.input, p.len as usize)?;
    let output = Output::new(call, p.to, p.output, p.len as usize)?;
    for_each_index(call, p.row_len, |i| output.set(i, input.get(i)?))
}

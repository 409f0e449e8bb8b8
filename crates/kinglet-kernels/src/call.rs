//! What a kernel is given, and how it can fail.

use core::cell::Cell;
use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use crate::memory::{Element, Place, Region, Source, View};
use crate::params::Params;
use crate::quant::Multiplier;

/// Everything a kernel gets.
#[derive(Clone)]
pub struct Call<'a> {
    /// The window of the tensor arena.
    pub arena: &'a [Cell<i8>],
    /// The state memory.
    pub state: &'a [Cell<i8>],
    /// Weights, biases and other constants.
    pub constants: &'a [u8],
    /// Constants in layouts of the kernels' own.
    pub prepared: &'a [u8],
    /// The plan's words: parameter blocks and tables.
    pub plan: &'a [u32],
    /// Index of the kernel's parameter block in `plan`.
    pub params: usize,
    /// The output rows to compute; when it starts behind its end, rows `end..start` are computed, the last
    /// first. What a row is, the kernel's parameters say.
    pub rows: Range<u32>,
}

impl<'a> Call<'a> {
    /// The kernel's parameter block.
    #[inline]
    pub fn params<P: Params>(&self) -> Result<P, Fault> {
        self.plan.get(self.params..).and_then(P::from_words).ok_or(Fault::BadPlan)
    }

    /// A block of parameters at word `at` of the plan.
    #[inline]
    pub fn block<P: Params>(&self, at: u32) -> Result<P, Fault> {
        self.plan.get(at as usize..).and_then(P::from_words).ok_or(Fault::BadPlan)
    }

    /// The rows to compute in their order: for kernels that may work backwards.
    #[inline]
    pub fn each_row(&self) -> impl Iterator<Item = u32> + use<> {
        let Range { start, end } = self.rows;
        let backwards = start > end;
        (0..start.abs_diff(end))
            .map(move |i| if backwards { start.wrapping_sub(i + 1) } else { start.wrapping_add(i) })
    }

    /// A tensor of `len` elements in the arena or the state memory.
    pub fn view<T: Element>(&self, place: Place, len: usize) -> Result<View<'a, T>, Fault> {
        let memory = match place.region() {
            Some(Region::Arena) => self.arena,
            Some(Region::State) => self.state,
            _ => return Err(Fault::OutOfBounds),
        };
        View::new(memory, place.offset(), len)
    }

    /// A tensor of `len` elements that is only read.
    pub fn source<T: Element>(&self, place: Place, len: usize) -> Result<Source<'a, T>, Fault> {
        if matches!(place.region(), Some(Region::Arena | Region::State)) {
            return self.view(place, len).map(Source::View);
        }
        let bytes = len.checked_mul(T::SIZE).ok_or(Fault::OutOfBounds)?;
        self.constant(place, bytes).map(Source::Constant)
    }

    /// `len` bytes of constants.
    pub fn constant(&self, place: Place, len: usize) -> Result<&'a [u8], Fault> {
        let memory = match place.region() {
            Some(Region::Constants) => self.constants,
            Some(Region::Prepared) => self.prepared,
            _ => return Err(Fault::OutOfBounds),
        };
        let end = place.offset().checked_add(len);
        end.and_then(|end| memory.get(place.offset()..end)).ok_or(Fault::OutOfBounds)
    }

    /// `len` int8 weights.
    pub fn weights(&self, place: Place, len: usize) -> Result<&'a [i8], Fault> {
        self.constant(place, len).map(bytemuck::cast_slice)
    }

    /// The int32 bias of `channels` channels, or none.
    pub fn bias(&self, place: Place, channels: usize) -> Result<Bias<'a>, Fault> {
        self.bias_of(place, channels)
    }

    /// The bias of `channels` channels, or none.
    pub fn bias_of<T: Element>(&self, place: Place, channels: usize) -> Result<Bias<'a, T>, Fault> {
        if place == Place::NONE {
            return Ok(Bias { bytes: None, element: PhantomData });
        }
        let bytes = channels.checked_mul(T::SIZE).ok_or(Fault::OutOfBounds)?;
        self.constant(place, bytes).map(|bytes| Bias { bytes: Some(bytes), element: PhantomData })
    }

    /// The requantisation table at word `at` of the plan: one multiplier for all channels when
    /// `len` is 1, else one for each of `len` channels.
    pub fn requant(&self, at: u32, len: u32) -> Result<Requant<'a>, Fault> {
        let (at, len) = (at as usize, len as usize);
        let split = || {
            let table = self.plan.get(at..)?;
            let (multipliers, rest) = table.split_at_checked(len)?;
            let shifts = bytemuck::cast_slice(rest).get(..len)?;
            Some(Requant { multipliers: bytemuck::cast_slice(multipliers), shifts })
        };
        split().ok_or(Fault::BadPlan)
    }
}

/// A layer's bias, read bytewise: in a model file it may lie unaligned.
#[derive(Clone, Copy)]
pub struct Bias<'a, T = i32> {
    bytes: Option<&'a [u8]>,
    element: PhantomData<T>,
}

impl<T: Element + Default> Bias<'_, T> {
    /// The bias of `channel`; 0 when the layer has none.
    #[inline]
    pub fn get(&self, channel: usize) -> Result<T, Fault> {
        match self.bytes {
            None => Ok(T::default()),
            Some(bytes) => Source::Constant(bytes).get(channel),
        }
    }
}

/// Multipliers and shifts, per channel or one for all.
#[derive(Clone, Copy)]
pub struct Requant<'a> {
    multipliers: &'a [i32],
    shifts: &'a [i8],
}

impl Requant<'_> {
    /// Words that a table for `len` channels takes in a plan.
    pub const fn words(len: usize) -> usize {
        len + len.div_ceil(4)
    }

    /// The factor of `channel`.
    #[inline]
    pub fn get(&self, channel: usize) -> Result<Multiplier, Fault> {
        let i = if self.multipliers.len() == 1 { 0 } else { channel };
        match (self.multipliers.get(i), self.shifts.get(i)) {
            (Some(&multiplier), Some(&shift)) => Ok(Multiplier { multiplier, shift }),
            _ => Err(Fault::OutOfBounds),
        }
    }
}

/// Why a kernel stopped. A plan made by kinglet's planner causes none of the first three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The plan names a place outside its memory.
    OutOfBounds,
    /// A parameter block or table is cut short or holds values that make no sense.
    BadPlan,
    /// The plan names a kernel that this program does not contain.
    MissingKernel,
    /// The model's loops ran as often as they may in one inference: it may be that they never end.
    IterationLimit,
    /// An index that arrived at run time lies outside the tensor that it points into.
    IndexOutOfRange,
    /// An integer was to be divided by 0.
    DivisionByZero,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::OutOfBounds => "the plan names a place outside its memory",
            Self::BadPlan => "the plan is damaged",
            Self::MissingKernel => "the plan needs a kernel that this program does not contain",
            Self::IterationLimit => "the model's loops run more often than the limit allows",
            Self::IndexOutOfRange => "an index lies outside the tensor that it points into",
            Self::DivisionByZero => "an integer is divided by 0",
        })
    }
}

impl core::error::Error for Fault {}

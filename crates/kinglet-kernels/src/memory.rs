//! Where tensors lie and how kernels look at them.

use core::cell::Cell;
use core::marker::PhantomData;
use num_traits::{AsPrimitive, Bounded};

use crate::call::Fault;
use crate::params::Word;

/// A memory that a tensor can lie in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The tensor arena: inputs, outputs, activations, scratch. Contents last for one `invoke`.
    Arena,
    /// What survives from one `invoke` to the next: variables.
    State,
    /// Constants: weights, biases, tables. Read-only.
    Constants,
    /// Constants in layouts of the kernels' own, made when the model was loaded. Read-only.
    Prepared,
}

/// The region and byte offset at which a tensor starts: one word of a plan.
///
/// Offsets are below 2^30. [`Place::NONE`] stands for an absent optional tensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place(u32);

impl Place {
    /// No tensor: an absent bias, for example.
    pub const NONE: Self = Self(u32::MAX);
    /// The first offset that a place can't express, in bytes.
    pub const LIMIT: u32 = 1 << 30;

    /// `None` when `offset` is [`Place::LIMIT`] or more, or the one that [`Place::NONE`] takes.
    pub const fn new(region: Region, offset: u32) -> Option<Self> {
        if offset >= Self::LIMIT - matches!(region, Region::Prepared) as u32 {
            return None;
        }
        Some(Self(offset | (region as u32) << 30))
    }

    /// `None` for [`Place::NONE`].
    pub const fn region(self) -> Option<Region> {
        match self.0 >> 30 {
            0 => Some(Region::Arena),
            1 => Some(Region::State),
            2 => Some(Region::Constants),
            _ if self.0 == Self::NONE.0 => None,
            _ => Some(Region::Prepared),
        }
    }

    /// Byte offset within the region.
    pub const fn offset(self) -> usize {
        (self.0 & (Self::LIMIT - 1)) as usize
    }
}

impl Word for Place {
    fn from_word(word: u32) -> Self {
        Self(word)
    }
    fn to_word(self) -> u32 {
        self.0
    }
}

/// A tensor element: how it is stored (little-endian) and how it becomes a wide integer.
pub trait Element: Copy + Bounded + AsPrimitive<i32> + 'static {
    /// Bytes an element takes.
    const SIZE: usize;
    /// Reads one element; `None` unless there are exactly `SIZE` cells.
    fn load(cells: &[Cell<i8>]) -> Option<Self>;
    /// Reads one element; `None` unless there are exactly `SIZE` bytes.
    fn from_bytes(bytes: &[u8]) -> Option<Self>;
    /// Writes one element; `None` unless there are exactly `SIZE` cells.
    fn store(self, cells: &[Cell<i8>]) -> Option<()>;
    /// The nearest value of this type.
    fn saturating_from(value: i32) -> Self;
}

macro_rules! element {
    ($($ty:ty),*) => {$(
        impl Element for $ty {
            const SIZE: usize = size_of::<$ty>();
            #[inline]
            fn load(cells: &[Cell<i8>]) -> Option<Self> {
                let cells: &[Cell<i8>; size_of::<$ty>()] = cells.try_into().ok()?;
                let mut bytes = [0; size_of::<$ty>()];
                for (byte, cell) in bytes.iter_mut().zip(cells) {
                    *byte = cell.get() as u8;
                }
                Some(<$ty>::from_le_bytes(bytes))
            }
            #[inline]
            fn from_bytes(bytes: &[u8]) -> Option<Self> {
                Some(<$ty>::from_le_bytes(bytes.try_into().ok()?))
            }
            #[inline]
            fn store(self, cells: &[Cell<i8>]) -> Option<()> {
                let cells: &[Cell<i8>; size_of::<$ty>()] = cells.try_into().ok()?;
                for (cell, byte) in cells.iter().zip(self.to_le_bytes()) {
                    cell.set(byte as i8);
                }
                Some(())
            }
            #[inline]
            #[allow(clippy::unnecessary_cast, reason = "the macro also serves types that need it")]
            fn saturating_from(value: i32) -> Self {
                let wide = i64::from(value);
                if wide <= <$ty>::MIN as i64 {
                    <$ty>::MIN
                } else if wide >= <$ty>::MAX as i64 {
                    <$ty>::MAX
                } else {
                    value as $ty
                }
            }
        }
    )*};
}
element!(i8, u8, i16, i32, i64, f32);

/// A tensor in the arena or in the state memory: readable, writable, and free to overlap others.
#[derive(Clone, Copy)]
pub struct View<'a, T> {
    cells: &'a [Cell<i8>],
    element: PhantomData<T>,
}

impl<'a, T: Element> View<'a, T> {
    /// The `len` elements that start at byte `offset` of `memory`.
    pub(crate) fn new(memory: &'a [Cell<i8>], offset: usize, len: usize) -> Result<Self, Fault> {
        let end = len.checked_mul(T::SIZE).and_then(|bytes| offset.checked_add(bytes));
        let cells = end.and_then(|end| memory.get(offset..end));
        match cells {
            Some(cells) => Ok(Self { cells, element: PhantomData }),
            None => Err(Fault::OutOfBounds),
        }
    }

    /// Element `i`.
    #[inline]
    pub fn get(&self, i: usize) -> Result<T, Fault> {
        let start = i.wrapping_mul(T::SIZE);
        self.cells.get(start..start.wrapping_add(T::SIZE)).and_then(T::load).ok_or(Fault::OutOfBounds)
    }

    /// Sets element `i`.
    #[inline]
    pub fn set(&self, i: usize, value: T) -> Result<(), Fault> {
        let start = i.wrapping_mul(T::SIZE);
        self.cells
            .get(start..start.wrapping_add(T::SIZE))
            .and_then(|cells| value.store(cells))
            .ok_or(Fault::OutOfBounds)
    }
}

impl<'a> View<'a, i8> {
    /// The `len` elements from `start` on.
    #[inline]
    pub fn cells(&self, start: usize, len: usize) -> Result<&'a [Cell<i8>], Fault> {
        self.cells.get(start..start.wrapping_add(len)).ok_or(Fault::OutOfBounds)
    }
}

/// A tensor that is only read, wherever it lies.
#[derive(Clone, Copy)]
pub enum Source<'a, T> {
    /// In the arena or in the state memory.
    View(View<'a, T>),
    /// Among the constants.
    Constant(&'a [u8]),
}

impl<T: Element> Source<'_, T> {
    /// Element `i`.
    #[inline]
    pub fn get(&self, i: usize) -> Result<T, Fault> {
        match self {
            Self::View(view) => view.get(i),
            Self::Constant(bytes) => {
                let start = i.wrapping_mul(T::SIZE);
                bytes
                    .get(start..start.wrapping_add(T::SIZE))
                    .and_then(T::from_bytes)
                    .ok_or(Fault::OutOfBounds)
            }
        }
    }
}

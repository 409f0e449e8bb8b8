//! FlatBuffers read where they lie: no allocation, no `unsafe`, and nothing taken on trust.
//!
//! The readers in `generated.rs` call this. Reading is lazy: a reader checks what it follows, when
//! it follows it, and whatever the bytes are the answer is a value or an [`Error`]. Values need no
//! alignment. Offsets of tables and vectors are unsigned and so point forwards only: following
//! them ends, but two of them may lead to the same place, so who walks a file must count.
//!
//! Everything is at a *position*, a `u32` from the start of the file, and tables, vectors and
//! strings keep theirs. What is generic here is a thin layer over functions that are not, as this
//! code is paid for in flash.

// A reader has its parts whether or not today's caller asks for them.
#![allow(dead_code)]

use core::fmt;
use core::marker::PhantomData;

pub(crate) type Result<T> = core::result::Result<T, Error>;

/// Why a value can't be read. Other values of the same table may still be readable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Error {
    /// What is at this position is not whole, or leads out of the file.
    Malformed { offset: u32 },
    /// The enum at this position has a value that the schema does not name.
    UnknownEnumTag { offset: u32, tag: i32 },
    /// The union at this position holds a member that the schema does not name, or has no reader for.
    UnknownUnionTag { offset: u32, tag: u8 },
}

/// Flash and stack are short where this runs.
const _: () = assert!(size_of::<Error>() <= 12);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed { offset } => write!(f, "malformed FlatBuffer at offset {offset}"),
            Self::UnknownEnumTag { offset, tag } => {
                write!(f, "unknown enum value {tag} at offset {offset}")
            }
            Self::UnknownUnionTag { offset, tag } => {
                write!(f, "no reader for union member {tag} at offset {offset}")
            }
        }
    }
}

impl core::error::Error for Error {}

/// What can be read from the field of a table.
pub(crate) trait TableRead<'a>: Sized {
    fn read(buf: &'a [u8], at: u32) -> Result<Self>;
}

/// What can be an element of a vector.
pub(crate) trait VectorRead<'a>: Sized {
    const STRIDE: u32;
    /// `None` only beyond the end of `buf`.
    fn element(buf: &'a [u8], at: u32) -> Option<Self>;
}

/// A generated reader: a table, known by its type.
pub(crate) trait TableRef<'a>: Sized {
    fn from_table(table: Table<'a>) -> Self;
}

/// A generated union: one table out of several types, told by a tag.
pub(crate) trait TableReadUnion<'a>: Sized {
    /// `None` if the tag is unknown, or of a member without a reader.
    fn from_table(tag: u8, table: Table<'a>) -> Option<Self>;
}

fn array<const N: usize>(buf: &[u8], at: u32) -> Result<[u8; N]> {
    buf.get(at as usize..)
        .and_then(|rest| rest.first_chunk())
        .copied()
        .ok_or(Error::Malformed { offset: at })
}

/// The position that the offset at `at` leads to.
fn follow(buf: &[u8], at: u32) -> Result<u32> {
    let offset = u32::from_le_bytes(array(buf, at)?);
    at.checked_add(offset)
        .ok_or(Error::Malformed { offset: at })
}

/// Start and length of the vector that the offset at `at` leads to; it lies within `buf`.
fn vector(buf: &[u8], at: u32, stride: u32) -> Result<(u32, u32)> {
    let header = follow(buf, at)?;
    let len = u32::from_le_bytes(array(buf, header)?);
    let end = len
        .checked_mul(stride)
        .and_then(|size| size.checked_add(4)?.checked_add(header));
    match end {
        Some(end) if end as usize <= buf.len() => Ok((header.saturating_add(4), len)),
        _ => Err(Error::Malformed { offset: header }),
    }
}

macro_rules! scalars {
    ($($ty:ty),*) => {$(
        impl<'a> TableRead<'a> for $ty {
            #[inline]
            fn read(buf: &'a [u8], at: u32) -> Result<Self> {
                array(buf, at).map(<$ty>::from_le_bytes)
            }
        }

        impl<'a> VectorRead<'a> for $ty {
            const STRIDE: u32 = size_of::<$ty>() as u32;

            #[inline]
            fn element(buf: &'a [u8], at: u32) -> Option<Self> {
                Self::read(buf, at).ok()
            }
        }
    )*};
}

scalars!(u8, i8, u16, i16, u32, i32, u64, i64, f32);

impl<'a> TableRead<'a> for bool {
    #[inline]
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        u8::read(buf, at).map(|byte| byte != 0)
    }
}

impl<'a> VectorRead<'a> for bool {
    const STRIDE: u32 = 1;

    #[inline]
    fn element(buf: &'a [u8], at: u32) -> Option<Self> {
        Self::read(buf, at).ok()
    }
}

/// A table: a position, and for each field where it lies from there.
#[derive(Clone, Copy)]
pub(crate) struct Table<'a> {
    buf: &'a [u8],
    at: u32,
    /// By field number; 0 if the field is absent, as it is if this ends before it.
    slots: &'a [[u8; 2]],
}

impl<'a> Table<'a> {
    /// The table that the file begins with an offset to. The file identifier is not looked at.
    pub(crate) fn root(file: &'a [u8]) -> Result<Self> {
        // A FlatBuffer ends before 2 GiB. In a longer file data follows that is none of its own.
        Self::read(file.get(..i32::MAX as usize).unwrap_or(file), 0)
    }

    /// The value of a field, `None` if it is absent.
    #[inline]
    pub(crate) fn access<T: TableRead<'a>>(&self, slot: usize) -> Result<Option<T>> {
        self.field(slot).map(|at| T::read(self.buf, at)).transpose()
    }

    /// The union of which `slot` has the tag and the slot after it the table.
    #[inline]
    pub(crate) fn access_union<T: TableReadUnion<'a>>(&self, slot: usize) -> Result<Option<T>> {
        let Some((offset, tag, table)) = self.union(slot)? else {
            return Ok(None);
        };
        T::from_table(tag, table)
            .map(Some)
            .ok_or(Error::UnknownUnionTag { offset, tag })
    }

    fn field(&self, slot: usize) -> Option<u32> {
        match u16::from_le_bytes(*self.slots.get(slot)?) {
            0 => None,
            offset => Some(self.at.saturating_add(u32::from(offset))),
        }
    }

    fn union(&self, slot: usize) -> Result<Option<(u32, u8, Self)>> {
        let Some(offset) = self.field(slot) else {
            return Ok(None);
        };
        match (
            u8::read(self.buf, offset)?,
            self.field(slot.saturating_add(1)),
        ) {
            (0, _) => Ok(None),
            (_, None) => Err(Error::Malformed { offset }),
            (tag, Some(at)) => Ok(Some((offset, tag, Self::read(self.buf, at)?))),
        }
    }
}

impl<'a> TableRead<'a> for Table<'a> {
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        let at = follow(buf, at)?;
        let malformed = Error::Malformed { offset: at };
        let vtable = at
            .checked_sub_signed(i32::from_le_bytes(array(buf, at)?))
            .ok_or(malformed)?;
        let size = usize::from(u16::from_le_bytes(array(buf, vtable)?));
        // Two numbers of 16 bits come before the slots: the sizes of this list and of the table.
        let slots = buf
            .get(vtable as usize..)
            .and_then(|rest| rest.get(4..size))
            .ok_or(malformed)?;
        let (slots, odd) = slots.as_chunks();
        if odd.is_empty() {
            Ok(Self { buf, at, slots })
        } else {
            Err(malformed)
        }
    }
}

impl fmt::Debug for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({})", self.at)
    }
}

impl<'a, T: TableRef<'a>> TableRead<'a> for T {
    #[inline]
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        Table::read(buf, at).map(T::from_table)
    }
}

/// An element of a vector of tables: each is checked when it is asked for.
impl<'a, T: TableRef<'a>> VectorRead<'a> for Result<T> {
    const STRIDE: u32 = 4;

    #[inline]
    fn element(buf: &'a [u8], at: u32) -> Option<Self> {
        Some(T::read(buf, at))
    }
}

/// A vector, of which start and length are checked and elements are read when asked for.
/// `T` is a scalar, or for tables a `Result` of one.
pub(crate) struct Vector<'a, T> {
    buf: &'a [u8],
    start: u32,
    len: u32,
    element: PhantomData<T>,
}

impl<'a, T: VectorRead<'a>> Vector<'a, T> {
    pub(crate) fn len(&self) -> usize {
        self.len as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The position of the first element in the file, 0 for a default vector.
    pub(crate) fn offset(&self) -> u32 {
        self.start
    }

    /// The elements as they lie in the file, little-endian and perhaps not aligned.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        // That this does not overflow was seen when the vector was read.
        let size = self.len.saturating_mul(T::STRIDE);
        self.buf
            .get(self.start as usize..)
            .and_then(|rest| rest.get(..size as usize))
            .unwrap_or(&[])
    }

    /// Element `index`, `None` beyond the end.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        let index = u32::try_from(index).ok().filter(|i| *i < self.len)?;
        let at = self.start.saturating_add(index.saturating_mul(T::STRIDE));
        T::element(self.buf, at)
    }

    pub(crate) fn iter(&self) -> Elements<'a, T> {
        Elements(*self)
    }
}

impl<'a, T: VectorRead<'a>> TableRead<'a> for Vector<'a, T> {
    #[inline]
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        let (start, len) = vector(buf, at, T::STRIDE)?;
        Ok(Self {
            buf,
            start,
            len,
            element: PhantomData,
        })
    }
}

impl<T> Clone for Vector<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Vector<'_, T> {}

/// An empty vector, as one that is absent.
impl<T> Default for Vector<'_, T> {
    fn default() -> Self {
        Self {
            buf: &[],
            start: 0,
            len: 0,
            element: PhantomData,
        }
    }
}

impl<T> fmt::Debug for Vector<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vector({}, len {})", self.start, self.len)
    }
}

impl<'a, T: VectorRead<'a>> IntoIterator for Vector<'a, T> {
    type Item = T;
    type IntoIter = Elements<'a, T>;

    fn into_iter(self) -> Elements<'a, T> {
        self.iter()
    }
}

/// The elements of a vector from first to last: what is left of it.
#[derive(Clone, Debug)]
pub(crate) struct Elements<'a, T>(Vector<'a, T>);

impl<'a, T: VectorRead<'a>> Iterator for Elements<'a, T> {
    type Item = T;

    #[inline]
    fn next(&mut self) -> Option<T> {
        let rest = &mut self.0;
        rest.len = rest.len.checked_sub(1)?;
        let at = rest.start;
        rest.start = at.saturating_add(T::STRIDE);
        T::element(rest.buf, at)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.0.len(), Some(self.0.len()))
    }
}

impl<'a, T: VectorRead<'a>> ExactSizeIterator for Elements<'a, T> {}

/// A string: bytes that should be UTF-8. One that is not is no reason to refuse a file.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Str<'a>(Vector<'a, u8>);

impl<'a> Str<'a> {
    pub(crate) fn as_bytes(&self) -> &'a [u8] {
        self.0.bytes()
    }

    /// The position of the first byte in the file, 0 for a default string.
    pub(crate) fn offset(&self) -> u32 {
        self.0.offset()
    }

    pub(crate) fn to_str(self) -> core::result::Result<&'a str, core::str::Utf8Error> {
        core::str::from_utf8(self.as_bytes())
    }
}

impl<'a> TableRead<'a> for Str<'a> {
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        Vector::read(buf, at).map(Self)
    }
}

/// What is not UTF-8 becomes U+FFFD.
impl fmt::Display for Str<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.as_bytes().utf8_chunks() {
            f.write_str(chunk.valid())?;
            if !chunk.invalid().is_empty() {
                f.write_str("\u{fffd}")?;
            }
        }
        Ok(())
    }
}

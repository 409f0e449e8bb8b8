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
///
/// One word, so that a 32-bit machine returns a `Result<u32>` in registers: the upper two bits say
/// which of [`ErrorKind`] it is (the first has two of the four patterns), the others what it holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Error(u32);

/// What an [`Error`] says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// What is at this position is not whole, or leads out of the file.
    Malformed { offset: u32 },
    /// An enum has a value that the schema does not name.
    UnknownEnumTag { tag: i32 },
    /// A union holds a member that the schema does not name, or has no reader for.
    UnknownUnionTag { tag: u8 },
}

impl Error {
    const ENUM: u32 = 2 << 30;
    const UNION: u32 = 3 << 30;

    /// Positions end at 2 GiB; what lies beyond in a malformed file is told as that.
    fn malformed(offset: u32) -> Self {
        Self(if offset < Self::ENUM { offset } else { Self::ENUM - 1 })
    }

    /// No schema has values of more than 30 bits; of such the lower 30 are told.
    pub(crate) fn unknown_enum_tag(tag: i32) -> Self {
        Self(Self::ENUM | (tag as u32 & !Self::UNION))
    }

    fn unknown_union_tag(tag: u8) -> Self {
        Self(Self::UNION | u32::from(tag))
    }

    pub(crate) fn kind(self) -> ErrorKind {
        match self.0 {
            word if word < Self::ENUM => ErrorKind::Malformed { offset: word },
            // The shifts extend the sign.
            word if word < Self::UNION => ErrorKind::UnknownEnumTag { tag: (word << 2) as i32 >> 2 },
            word => ErrorKind::UnknownUnionTag { tag: word as u8 },
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(f)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ErrorKind::Malformed { offset } => write!(f, "malformed FlatBuffer at offset {offset}"),
            ErrorKind::UnknownEnumTag { tag } => write!(f, "unknown enum value {tag}"),
            ErrorKind::UnknownUnionTag { tag } => write!(f, "no reader for union member {tag}"),
        }
    }
}

impl core::error::Error for Error {}

/// What can be read from the field of a table.
pub(crate) trait TableRead<'a>: Sized {
    fn read(buf: &'a [u8], at: u32) -> Result<Self>;

    /// See [`Table::access`].
    #[inline(never)]
    fn access(table: &Table<'a>, slot: usize) -> Result<Option<Self>> {
        match table.field(slot) {
            Some(at) => Self::read(table.buf, at).map(Some),
            None => Ok(None),
        }
    }

    /// See [`Table::access_or`].
    #[inline(never)]
    fn access_or(table: &Table<'a>, slot: usize, default: Self) -> Result<Self> {
        match table.field(slot) {
            Some(at) => Self::read(table.buf, at),
            None => Ok(default),
        }
    }
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
    buf.get(at as usize..).and_then(|rest| rest.first_chunk()).copied().ok_or(Error::malformed(at))
}

/// The position that the offset at `at` leads to.
fn follow(buf: &[u8], at: u32) -> Result<u32> {
    let offset = u32::read(buf, at)?;
    at.checked_add(offset).ok_or(Error::malformed(at))
}

/// The vector that the offset at `at` leads to. All of it lies within `buf`.
fn vector(buf: &[u8], at: u32, stride: u32) -> Result<Extent<'_>> {
    let header = follow(buf, at)?;
    let len = u32::read(buf, header)?;
    let end = len.checked_mul(stride).and_then(|size| size.checked_add(4)?.checked_add(header));
    match end {
        Some(end) if end as usize <= buf.len() => Ok(Extent { buf, start: header.saturating_add(4), len }),
        _ => Err(Error::malformed(header)),
    }
}

macro_rules! scalars {
    ($($ty:ty),*) => {$(
        impl<'a> TableRead<'a> for $ty {
            #[inline(never)]
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
        T::access(self, slot)
    }

    /// The value of a field that has a default.
    #[inline]
    pub(crate) fn access_or<T: TableRead<'a>>(&self, slot: usize, default: T) -> Result<T> {
        T::access_or(self, slot, default)
    }

    /// The union of which `slot` has the tag and the slot after it the table.
    #[inline]
    pub(crate) fn access_union<T: TableReadUnion<'a>>(&self, slot: usize) -> Result<Option<T>> {
        let Some((tag, table)) = self.union(slot)? else {
            return Ok(None);
        };
        T::from_table(tag, table).map(Some).ok_or(Error::unknown_union_tag(tag))
    }

    #[inline(never)]
    fn field(&self, slot: usize) -> Option<u32> {
        match u16::from_le_bytes(*self.slots.get(slot)?) {
            0 => None,
            offset => Some(self.at.saturating_add(u32::from(offset))),
        }
    }

    #[inline(never)]
    fn vector(&self, slot: usize, stride: u32) -> Result<Option<Extent<'a>>> {
        match self.field(slot) {
            Some(at) => vector(self.buf, at, stride).map(Some),
            None => Ok(None),
        }
    }

    fn union(&self, slot: usize) -> Result<Option<(u8, Self)>> {
        let Some(offset) = self.field(slot) else {
            return Ok(None);
        };
        match (u8::read(self.buf, offset)?, self.field(slot.saturating_add(1))) {
            (0, _) => Ok(None),
            (_, None) => Err(Error::malformed(offset)),
            (tag, Some(at)) => Ok(Some((tag, Self::read(self.buf, at)?))),
        }
    }
}

impl<'a> TableRead<'a> for Table<'a> {
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        let at = follow(buf, at)?;
        let malformed = Error::malformed(at);
        let vtable = at.checked_sub_signed(i32::read(buf, at)?).ok_or(malformed)?;
        let size = usize::from(u16::read(buf, vtable)?);
        // Two numbers of 16 bits come before the slots: the sizes of this list and of the table.
        let slots = buf.get(vtable as usize..).and_then(|rest| rest.get(4..size)).ok_or(malformed)?;
        let (slots, odd) = slots.as_chunks();
        if odd.is_empty() { Ok(Self { buf, at, slots }) } else { Err(malformed) }
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

/// Where the elements of a vector are, whatever they are.
#[derive(Clone, Copy, Default)]
struct Extent<'a> {
    buf: &'a [u8],
    start: u32,
    len: u32,
}

/// A vector, of which start and length are checked and elements are read when asked for.
/// `T` is a scalar, or for tables a `Result` of one.
pub(crate) struct Vector<'a, T> {
    extent: Extent<'a>,
    element: PhantomData<T>,
}

impl<'a, T: VectorRead<'a>> Vector<'a, T> {
    fn new(extent: Extent<'a>) -> Self {
        Self { extent, element: PhantomData }
    }

    pub(crate) fn len(&self) -> usize {
        self.extent.len as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.extent.len == 0
    }

    /// The position of the first element in the file, 0 for a default vector.
    pub(crate) fn offset(&self) -> u32 {
        self.extent.start
    }

    /// The elements as they lie in the file, little-endian and perhaps not aligned.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        let Extent { buf, start, len } = self.extent;
        // That this does not overflow was seen when the vector was read.
        let size = len.saturating_mul(T::STRIDE);
        buf.get(start as usize..).and_then(|rest| rest.get(..size as usize)).unwrap_or(&[])
    }

    /// Element `index`, `None` beyond the end.
    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<T> {
        let Extent { buf, start, len } = self.extent;
        let index = u32::try_from(index).ok().filter(|i| *i < len)?;
        T::element(buf, start.saturating_add(index.saturating_mul(T::STRIDE)))
    }

    pub(crate) fn iter(&self) -> Elements<'a, T> {
        Elements(*self)
    }
}

impl<'a, T: VectorRead<'a>> TableRead<'a> for Vector<'a, T> {
    #[inline]
    fn read(buf: &'a [u8], at: u32) -> Result<Self> {
        vector(buf, at, T::STRIDE).map(Self::new)
    }

    #[inline]
    fn access(table: &Table<'a>, slot: usize) -> Result<Option<Self>> {
        Ok(table.vector(slot, T::STRIDE)?.map(Self::new))
    }
}

impl<T> Clone for Vector<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Vector<'_, T> {}

/// An empty vector, as one that is absent.
impl<'a, T: VectorRead<'a>> Default for Vector<'a, T> {
    fn default() -> Self {
        Self::new(Extent::default())
    }
}

impl<T> fmt::Debug for Vector<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vector({}, len {})", self.extent.start, self.extent.len)
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
        let rest = &mut self.0.extent;
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

#[cfg(test)]
mod tests {
    extern crate std;

    use std::string::ToString;
    use std::vec;
    use std::vec::Vec;

    use proptest::prelude::*;

    use super::*;
    use crate::generated::{
        ActivationFunctionType, BuiltinOperator, BuiltinOptionsRef, ModelRef, OperatorRef, SubGraphRef,
        TensorRef, TensorType,
    };

    /// Writes a FlatBuffer from the root on, each part behind the field that leads to it.
    struct Writer(Vec<u8>);

    /// A field that `link` fills in.
    const LINK: &[u8] = &[0; 4];
    const ABSENT: &[u8] = &[];

    impl Writer {
        fn new() -> Self {
            Self(b"\0\0\0\0TFL3".to_vec())
        }

        /// Makes the field at `at` lead to the end of what is written.
        fn link(&mut self, at: usize) {
            let offset = (self.0.len() - at) as u32;
            self.0[at..at + 4].copy_from_slice(&offset.to_le_bytes());
        }

        /// A table and its list of slots before it; gives the positions of its fields.
        fn table<const N: usize>(&mut self, at: usize, fields: [&[u8]; N]) -> [usize; N] {
            let slots = 4 + 2 * N;
            let mut size = 4;
            let mut positions = [0; N];
            self.0.extend((slots as u16).to_le_bytes());
            self.0.extend(0u16.to_le_bytes());
            for (position, field) in positions.iter_mut().zip(fields) {
                let offset = if field.is_empty() { 0 } else { size };
                self.0.extend((offset as u16).to_le_bytes());
                *position = self.0.len() + offset;
                size += field.len();
            }
            self.link(at);
            let start = self.0.len();
            for (position, offset) in positions.iter_mut().zip(0..) {
                let slot = start - 2 * N + 2 * offset;
                *position = start + usize::from(u16::from_le_bytes([self.0[slot], self.0[slot + 1]]));
            }
            self.0.extend((slots as i32).to_le_bytes());
            self.0.extend(fields.concat());
            positions
        }

        /// A vector; gives the position of its first element.
        fn vector(&mut self, at: usize, len: usize, bytes: &[u8]) -> usize {
            self.link(at);
            self.0.extend((len as u32).to_le_bytes());
            self.0.extend(bytes);
            self.0.len() - bytes.len()
        }

        fn ints(&mut self, at: usize, ints: &[i32]) {
            let bytes: Vec<u8> = ints.iter().flat_map(|i| i.to_le_bytes()).collect();
            self.vector(at, ints.len(), &bytes);
        }
    }

    /// Where in `model` the parts are that the tests spoil.
    struct Places {
        type_: usize,
        activation: usize,
        tag: usize,
        options: usize,
        data: usize,
    }

    /// A model of one fully connected operator. Nothing in it is aligned.
    fn model() -> (Vec<u8>, Places) {
        let mut w = Writer::new();
        w.0.push(0);
        let [_, codes, graphs, description, buffers] = w.table(0, [&[3, 0, 0, 0], LINK, LINK, LINK, LINK]);
        let code = w.vector(codes, 1, LINK);
        w.table(code, [&[9], ABSENT, ABSENT, &[9, 0, 0, 0]]);
        let graph = w.vector(graphs, 1, LINK);
        let [tensors, inputs, outputs, operators, _] = w.table(graph, [LINK, LINK, LINK, LINK, ABSENT]);
        let tensor = w.vector(tensors, 2, &[0; 8]);
        let [shape, type_, _, name, quantization] = w.table(tensor, [LINK, &[9], &[1, 0, 0, 0], LINK, LINK]);
        w.ints(shape, &[1, -2]);
        w.vector(name, 3, b"x\xffy");
        let [_, _, scale, zero_point] = w.table(quantization, [ABSENT, ABSENT, LINK, LINK]);
        w.vector(scale, 1, &0.5f32.to_le_bytes());
        w.vector(zero_point, 1, &(-128i64).to_le_bytes());
        // Two offsets may lead to one table.
        let step = (tensor + 4) as u32;
        let first = u32::from_le_bytes(w.0[tensor..tensor + 4].try_into().unwrap());
        w.0[step as usize..step as usize + 4].copy_from_slice(&(first - 4).to_le_bytes());
        w.ints(inputs, &[0]);
        w.ints(outputs, &[1]);
        let operator = w.vector(operators, 1, LINK);
        let [_, inputs, outputs, tag, options] = w.table(operator, [ABSENT, LINK, LINK, &[8], LINK]);
        w.ints(inputs, &[0, -1]);
        w.ints(outputs, &[1]);
        let [activation, _, _] = w.table(options, [&[1], ABSENT, &[1]]);
        w.vector(description, 5, b"a toy");
        let buffer = w.vector(buffers, 1, LINK);
        let [data] = w.table(buffer, [LINK]);
        let data = w.vector(data, 4, &[1, 2, 3, 4]);
        let places = Places { type_, activation, tag, options, data };
        (w.0, places)
    }

    fn first_graph(file: &[u8]) -> Result<SubGraphRef<'_>> {
        let graphs = ModelRef::read_as_root(file)?.subgraphs()?;
        graphs.unwrap_or_default().get(0).unwrap()
    }

    fn first_tensor(file: &[u8]) -> Result<TensorRef<'_>> {
        first_graph(file)?.tensors()?.unwrap_or_default().get(0).unwrap()
    }

    fn first_operator(file: &[u8]) -> Result<OperatorRef<'_>> {
        first_graph(file)?.operators()?.unwrap_or_default().get(0).unwrap()
    }

    /// Reads all of a model that `model` writes, and gives the number of steps.
    fn walk(file: &[u8]) -> Result<usize> {
        let mut steps = 0;
        let model = ModelRef::read_as_root(file)?;
        model.version()?;
        steps += model.description()?.unwrap_or_default().to_string().len();
        for code in model.operator_codes()?.unwrap_or_default() {
            let code = code?;
            code.deprecated_builtin_code()?;
            code.custom_code()?;
            code.builtin_code()?;
            steps += 1;
        }
        for graph in model.subgraphs()?.unwrap_or_default() {
            let graph = graph?;
            steps += graph.inputs()?.unwrap_or_default().iter().count();
            steps += graph.outputs()?.unwrap_or_default().bytes().len();
            for tensor in graph.tensors()?.unwrap_or_default() {
                let tensor = tensor?;
                tensor.type_()?;
                tensor.buffer()?;
                tensor.sparsity()?;
                steps += tensor.shape()?.unwrap_or_default().iter().count();
                steps += tensor.name()?.unwrap_or_default().as_bytes().len();
                if let Some(quantization) = tensor.quantization()? {
                    steps += quantization.scale()?.unwrap_or_default().iter().count();
                    steps += quantization.zero_point()?.unwrap_or_default().iter().count();
                    quantization.quantized_dimension()?;
                    quantization.details_type()?;
                }
            }
            for operator in graph.operators()?.unwrap_or_default() {
                let operator = operator?;
                operator.opcode_index()?;
                operator.large_custom_options_offset()?;
                steps += operator.inputs()?.unwrap_or_default().iter().count();
                steps += operator.outputs()?.unwrap_or_default().iter().count();
                if let Some(BuiltinOptionsRef::FullyConnectedOptions(options)) = operator.builtin_options()? {
                    options.fused_activation_function()?;
                    options.keep_num_dims()?;
                    steps += 1;
                }
            }
        }
        for buffer in model.buffers()?.unwrap_or_default() {
            let buffer = buffer?;
            buffer.offset()?;
            steps += buffer.data()?.unwrap_or_default().bytes().len();
        }
        Ok(steps)
    }

    #[test]
    fn reads_what_was_written() {
        let (file, places) = model();
        let model = ModelRef::read_as_root(&file).unwrap();
        assert_eq!(model.version(), Ok(3));
        let description = model.description().unwrap().unwrap();
        assert_eq!(description.to_str(), Ok("a toy"));
        assert!(model.metadata().unwrap().is_none());
        let codes = model.operator_codes().unwrap().unwrap();
        assert_eq!(codes.len(), 1);
        let code = codes.get(0).unwrap().unwrap();
        assert_eq!(code.builtin_code(), Ok(BuiltinOperator::FullyConnected));
        assert_eq!(code.builtin_code().unwrap().name(), "FULLY_CONNECTED");
        assert_eq!(code.version(), Ok(1), "the default");

        let tensors = first_graph(&file).unwrap().tensors().unwrap().unwrap();
        assert_eq!(tensors.len(), 2);
        for tensor in tensors {
            let tensor = tensor.unwrap();
            assert_eq!(tensor.type_(), Ok(TensorType::Int8));
            assert_eq!(tensor.buffer(), Ok(1));
            assert_eq!(tensor.is_variable(), Ok(false));
            let shape = tensor.shape().unwrap().unwrap();
            assert_eq!(shape.iter().collect::<Vec<_>>(), [1, -2]);
            assert_eq!((shape.get(1), shape.get(2)), (Some(-2), None));
            assert_eq!(shape.bytes(), [1, 0, 0, 0, 0xfe, 0xff, 0xff, 0xff]);
            let name = tensor.name().unwrap().unwrap();
            assert_eq!(name.as_bytes(), b"x\xffy");
            assert_eq!(file[name.offset() as usize..][..3], *b"x\xffy");
            assert!(name.to_str().is_err());
            assert_eq!(name.to_string(), "x\u{fffd}y");
            let quantization = tensor.quantization().unwrap().unwrap();
            let scale = quantization.scale().unwrap().unwrap();
            assert_eq!(scale.get(0), Some(0.5));
            let zero_point = quantization.zero_point().unwrap().unwrap();
            assert_eq!(zero_point.get(0), Some(-128));
        }

        let operator = first_operator(&file).unwrap();
        assert_eq!(operator.builtin_options_type(), Ok(8));
        let Ok(Some(BuiltinOptionsRef::FullyConnectedOptions(options))) = operator.builtin_options() else {
            panic!("{:?}", operator.builtin_options());
        };
        assert_eq!(options.fused_activation_function(), Ok(ActivationFunctionType::Relu));
        assert_eq!(options.keep_num_dims(), Ok(true));

        let buffer = model.buffers().unwrap().unwrap().get(0).unwrap().unwrap();
        let data = buffer.data().unwrap().unwrap();
        assert_eq!(data.bytes(), [1, 2, 3, 4]);
        assert_eq!(data.offset() as usize, places.data);
    }

    #[test]
    fn what_is_unknown_spoils_its_own_getter_only() {
        let (mut file, places) = model();
        for place in [places.type_, places.activation] {
            file[place] = 99;
        }
        let unknown = Error::unknown_enum_tag(99);
        let tensor = first_tensor(&file).unwrap();
        assert_eq!(tensor.type_(), Err(unknown));
        assert_eq!(tensor.buffer(), Ok(1));
        let Ok(Some(BuiltinOptionsRef::FullyConnectedOptions(options))) =
            first_operator(&file).unwrap().builtin_options()
        else {
            panic!("no options");
        };
        assert_eq!(options.fused_activation_function(), Err(unknown));

        // A member that the schema has without a reader, and one that it has not.
        for tag in [22, 250] {
            file[places.tag] = tag;
            let operator = first_operator(&file).unwrap();
            assert_eq!(operator.builtin_options_type(), Ok(tag));
            assert_eq!(operator.builtin_options().unwrap_err(), Error::unknown_union_tag(tag));
            assert_eq!(operator.inputs().unwrap().unwrap().len(), 2);
        }
        file[places.tag] = 0;
        assert!(first_operator(&file).unwrap().builtin_options().unwrap().is_none());
    }

    #[test]
    fn no_offset_leads_out_of_the_file() {
        let (file, places) = model();
        for offset in [file.len() as u32, i32::MAX as u32, u32::MAX - 4, u32::MAX] {
            let mut file = file.clone();
            file[places.options..places.options + 4].copy_from_slice(&offset.to_le_bytes());
            let operator = first_operator(&file).unwrap();
            assert!(matches!(
                operator.builtin_options(),
                Err(error) if matches!(error.kind(), ErrorKind::Malformed { .. })
            ));
            file[..4].copy_from_slice(&offset.to_le_bytes());
            assert!(ModelRef::read_as_root(&file).is_err());
        }
        let length = places.data - 4;
        for len in [5, 1 << 30, u32::MAX - 3, u32::MAX] {
            let mut file = file.clone();
            file[length..length + 4].copy_from_slice(&u32::to_le_bytes(len));
            let offset = length as u32;
            assert_eq!(walk(&file), Err(Error::malformed(offset)));
        }
    }

    #[test]
    fn errors_fit_in_a_word() {
        for offset in [0, 1, i32::MAX as u32] {
            let kind = Error::malformed(offset).kind();
            assert_eq!(kind, ErrorKind::Malformed { offset });
        }
        for tag in [-(1 << 29), -128, -1, 0, 127, (1 << 29) - 1] {
            let kind = Error::unknown_enum_tag(tag).kind();
            assert_eq!(kind, ErrorKind::UnknownEnumTag { tag });
        }
        for tag in [0, 255] {
            let kind = Error::unknown_union_tag(tag).kind();
            assert_eq!(kind, ErrorKind::UnknownUnionTag { tag });
        }
    }

    #[test]
    fn tables_without_sound_slots_are_malformed() {
        // An offset to the table, the list of slots at 4, the table at 10 with one field.
        let file = |back: i32, size: u16| {
            let mut file = vec![10, 0, 0, 0];
            file.extend(size.to_le_bytes());
            file.extend([0, 0, 4, 0]);
            file.extend(back.to_le_bytes());
            file.extend([7, 0, 0, 0]);
            file
        };
        let version = |back, size| ModelRef::read_as_root(&file(back, size))?.version();
        assert_eq!(version(6, 6), Ok(7));
        assert_eq!(version(6, 4), Ok(0), "no slots");
        let malformed = Err(Error::malformed(10));
        assert_eq!(version(6, 3), malformed);
        assert_eq!(version(6, 5), malformed);
        assert_eq!(version(6, 15), malformed);
        assert_eq!(version(11, 6), malformed);
        assert_eq!(version(i32::MIN, 6), Err(Error::malformed(i32::MAX as u32)));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let (file, _) = model();
        walk(&file).unwrap();
        for len in 0..file.len() {
            assert!(walk(&file[..len]).is_err(), "{len} bytes");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn edits_are_read_or_refused(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        ) {
            let (mut file, _) = model();
            for (index, byte) in edits {
                let index = index.index(file.len());
                file[index] = byte;
            }
            let _ = walk(&file);
        }

        #[test]
        fn words_are_read_or_refused(
            edits in prop::collection::vec((any::<prop::sample::Index>(), any::<i32>()), 1..3),
        ) {
            let (mut file, _) = model();
            for (index, word) in edits {
                let index = index.index(file.len() - 3);
                file[index..index + 4].copy_from_slice(&word.to_le_bytes());
            }
            let _ = walk(&file);
        }
    }
}

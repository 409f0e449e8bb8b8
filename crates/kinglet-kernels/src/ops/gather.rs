//! GATHER, EMBEDDING_LOOKUP and GATHER_ND: slices picked by indices.
//!
//! An index outside its tensor is a [`Fault::IndexOutOfRange`], as it is an error in TFLite. Input, indices and
//! output do not overlap.

use crate::ops::rows::product;
use crate::params::params;
use crate::{Call, Fault, Place, Source, View, Word};

/// The type of indices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum IndexType {
    /// int32
    S32,
    /// int64
    S64,
}

impl IndexType {
    /// Bytes an index takes.
    pub const fn size(self) -> u32 {
        match self {
            Self::S32 => 4,
            Self::S64 => 8,
        }
    }
}

impl Word for IndexType {
    fn from_word(word: u32) -> Self {
        if word == 0 { Self::S32 } else { Self::S64 }
    }
    fn to_word(self) -> u32 {
        self as u32
    }
}

/// Indices, wherever they lie.
pub(crate) enum Indices<'a> {
    S32(Source<'a, i32>),
    S64(Source<'a, i64>),
}

impl<'a> Indices<'a> {
    pub(crate) fn new(call: &Call<'a>, ty: IndexType, place: Place, len: usize) -> Result<Self, Fault> {
        Ok(match ty {
            IndexType::S32 => Self::S32(call.source(place, len)?),
            IndexType::S64 => Self::S64(call.source(place, len)?),
        })
    }

    /// Index `i`, which counts along a dimension of `size`.
    pub(crate) fn get(&self, i: usize, size: u32) -> Result<usize, Fault> {
        let index = match self {
            Self::S32(indices) => indices.get(i)?.into(),
            Self::S64(indices) => indices.get(i)?,
        };
        match u32::try_from(index) {
            Ok(index) if index < size => Ok(index as usize),
            _ => Err(Fault::IndexOutOfRange),
        }
    }
}

/// Copies `len` bytes.
fn copy(
    input: &Source<'_, i8>,
    from: usize,
    output: &View<'_, i8>,
    to: usize,
    len: usize,
) -> Result<(), Fault> {
    for (i, cell) in output.cells(to, len)?.iter().enumerate() {
        cell.set(input.get(from.wrapping_add(i))?);
    }
    Ok(())
}

params! {
    /// Parameters of [`gather`]. The whole operator is one row. The input is `[batch, outer, axis_size, slice]`,
    /// the indices are `[batch, chosen]`, the output is `[batch, outer, chosen, slice]`.
    pub struct GatherParams {
        /// Input, anywhere.
        pub input: Place,
        /// Indices, anywhere.
        pub indices: Place,
        /// Their type.
        pub index_type: IndexType,
        /// Output.
        pub output: Place,
        /// Batches.
        pub batch: u32,
        /// Elements before the axis, in a batch.
        pub outer: u32,
        /// Size of the axis.
        pub axis_size: u32,
        /// Indices in a batch.
        pub chosen: u32,
        /// Bytes behind the axis.
        pub slice: u32,
    }
}

/// Portable GATHER and EMBEDDING_LOOKUP.
pub fn gather(call: &Call<'_>) -> Result<(), Fault> {
    let p: GatherParams = call.params()?;
    let (slice, chosen) = (p.slice as usize, p.chosen as usize);
    let slices = product([p.batch, p.outer])?;
    let input = call.source::<i8>(p.input, product([p.batch, p.outer, p.axis_size, p.slice])?)?;
    let output = call.view::<i8>(p.output, product([p.batch, p.outer, p.chosen, p.slice])?)?;
    let indices = Indices::new(call, p.index_type, p.indices, product([p.batch, p.chosen])?)?;
    let (mut from, mut to) = (0usize, 0usize);
    for i in 0..slices {
        let batch = i.checked_div(p.outer as usize).ok_or(Fault::BadPlan)?;
        for k in 0..chosen {
            let index = indices.get(batch.wrapping_mul(chosen).wrapping_add(k), p.axis_size)?;
            copy(&input, from.wrapping_add(index.wrapping_mul(slice)), &output, to, slice)?;
            to = to.wrapping_add(slice);
        }
        from = from.wrapping_add((p.axis_size as usize).wrapping_mul(slice));
    }
    Ok(())
}

params! {
    /// Parameters of [`gather_nd`]. The whole operator is one row.
    pub struct GatherNdParams {
        /// Input, anywhere.
        pub input: Place,
        /// Its bytes.
        pub input_bytes: u32,
        /// Indices, anywhere.
        pub indices: Place,
        /// Their type.
        pub index_type: IndexType,
        /// Output.
        pub output: Place,
        /// Vectors of indices.
        pub vectors: u32,
        /// Bytes of a slice.
        pub slice: u32,
        /// Where the dimensions that the indices count along stand in the plan, two words each: size, and bytes
        /// from one index to the next.
        pub dims: u32,
        /// Their number: the length of a vector.
        pub depth: u32,
    }
}

/// Portable GATHER_ND.
pub fn gather_nd(call: &Call<'_>) -> Result<(), Fault> {
    let p: GatherNdParams = call.params()?;
    let (slice, depth) = (p.slice as usize, p.depth as usize);
    let input = call.source::<i8>(p.input, p.input_bytes as usize)?;
    let output = call.view::<i8>(p.output, product([p.vectors, p.slice])?)?;
    let indices = Indices::new(call, p.index_type, p.indices, product([p.vectors, p.depth])?)?;
    let words = product([p.depth, 2])?;
    let dims = call.plan.get(p.dims as usize..).and_then(|rest| rest.get(..words)).ok_or(Fault::BadPlan)?;
    let dims: &[[u32; 2]] = dims.as_chunks().0;
    for vector in 0..p.vectors as usize {
        let mut from = 0usize;
        for (i, &[size, step]) in dims.iter().enumerate() {
            let index = indices.get(vector.wrapping_mul(depth).wrapping_add(i), size)?;
            from = from.wrapping_add(index.wrapping_mul(step as usize));
        }
        copy(&input, from, &output, vector.wrapping_mul(slice), slice)?;
    }
    Ok(())
}

//! GATHER, EMBEDDING_LOOKUP, GATHER_ND: slices of a tensor, picked by indices.

use super::movement::axis_of;
use super::{at, check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Storage, Tensor};

/// GATHER and EMBEDDING_LOOKUP: along one axis, the slices that indices name.
///
/// The input is `[batch.., outer.., axis, inner..]`, the indices are `[batch.., chosen..]`, and the output
/// is `[batch.., outer.., chosen.., inner..]`; each group of dimensions counts as one below.
#[derive(Clone, Copy, Debug)]
pub struct Gather<'a> {
    /// The input, of any type that takes whole bytes.
    pub input: Tensor<'a>,
    /// The indices: int32 or int64.
    pub indices: Tensor<'a>,
    /// The output.
    pub output: Tensor<'a>,
    /// Batches, each with indices of its own.
    pub batch: u32,
    /// Elements before the axis, in a batch.
    pub outer: u32,
    /// Size of the axis.
    pub axis_size: u32,
    /// Elements behind the axis.
    pub inner: u32,
}

impl<'a> Gather<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let (mut data, mut indices) = (input(graph, node, 0)?, input(graph, node, 1)?);
        let output = output(graph, node, 0)?;
        let (mut axis, mut batch_dims) = (0, 0);
        if kind == OpKind::EmbeddingLookup {
            (data, indices) = (indices, data);
            ensure(indices.shape.rank() == 1, &indices, Reason::WrongRank)?;
            ensure(data.shape.rank() >= 2, &data, Reason::WrongRank)?;
        } else if let Some(options) = node.options()? {
            let crate::generated::BuiltinOptionsRef::GatherOptions(options) = options else {
                return Err(Reason::WrongOptions.into());
            };
            (axis, batch_dims) = (options.axis()?, options.batch_dims()?);
        }
        check_types(&data, &indices, &output)?;
        let axis = axis_of(axis, data.shape.rank())?;
        if batch_dims < 0 {
            batch_dims = batch_dims.saturating_add(indices.shape.rank() as i32);
        }
        let batch_dims = usize::try_from(batch_dims).map_err(|_| Reason::BadOption)?;
        if batch_dims > axis || batch_dims > indices.shape.rank() {
            return Err(Reason::BadOption.into());
        }

        let (dims, positions) = (data.shape.dims(), indices.shape.dims());
        let (before, rest) = dims.split_at_checked(axis).ok_or(Reason::BadOption)?;
        let (batches, outer) = before.split_at_checked(batch_dims).ok_or(Reason::BadOption)?;
        let (same, chosen) = positions.split_at_checked(batch_dims).ok_or(Reason::BadOption)?;
        let (&axis_size, inner) = rest.split_first().ok_or(Reason::BadOption)?;
        ensure(same == batches, &indices, Reason::ShapeMismatch)?;
        let expected = before.iter().chain(chosen).chain(inner);
        ensure(output.shape.dims().iter().eq(expected), &output, Reason::ShapeMismatch)?;
        let product = |dims: &[u32]| dims.iter().product();
        let gather = Self {
            input: data,
            indices,
            output,
            batch: product(batches),
            outer: product(outer),
            axis_size,
            inner: product(inner),
        };
        check_indices(&gather.indices, &[axis_size])?;
        Ok(gather)
    }
}

/// GATHER_ND: the slices that vectors of indices name, one index for each of the input's first dimensions.
#[derive(Clone, Copy, Debug)]
pub struct GatherNd<'a> {
    /// The input, of any type that takes whole bytes.
    pub input: Tensor<'a>,
    /// The indices: int32 or int64; the last dimension is one vector.
    pub indices: Tensor<'a>,
    /// The output: the indices' dimensions but the last, then the slice's.
    pub output: Tensor<'a>,
    /// Length of a vector of indices.
    pub depth: u32,
}

impl<'a> GatherNd<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let (data, indices) = (input(graph, node, 0)?, input(graph, node, 1)?);
        let output = output(graph, node, 0)?;
        check_types(&data, &indices, &output)?;
        let (&depth, vectors) = indices.shape.dims().split_last().ok_or(at(&indices, Reason::WrongRank))?;
        let parts = data.shape.dims().split_at_checked(depth as usize);
        let (named, slice) = parts.ok_or(at(&indices, Reason::ShapeMismatch))?;
        let fits = output.shape.dims().iter().eq(vectors.iter().chain(slice));
        ensure(fits, &output, Reason::ShapeMismatch)?;
        check_indices(&indices, named)?;
        Ok(Self { input: data, indices, output, depth })
    }
}

fn check_types(data: &Tensor<'_>, indices: &Tensor<'_>, output: &Tensor<'_>) -> Result<()> {
    ensure(data.has_size() && data.dtype != DType::Int4, data, Reason::UnsupportedType)?;
    ensure(matches!(indices.dtype, DType::Int32 | DType::Int64), indices, Reason::UnsupportedType)?;
    ensure(output.dtype == data.dtype, output, Reason::WrongType)?;
    if matches!(data.dtype, DType::Int8 | DType::Int16 | DType::UInt8) {
        ensure(data.quantization.is_same(&output.quantization), output, Reason::ScalesDiffer)?;
    }
    Ok(())
}

/// Indices that are constants lie within the dimensions that they count along, in turn.
fn check_indices(indices: &Tensor<'_>, sizes: &[u32]) -> Result<()> {
    let Storage::Constant { bytes, .. } = indices.storage else { return Ok(()) };
    let fits = |(index, size): (i64, &u32)| (0..i64::from(*size)).contains(&index);
    let sizes = sizes.iter().cycle();
    let all_fit = if indices.dtype == DType::Int64 {
        bytes.as_chunks().0.iter().map(|bytes| i64::from_le_bytes(*bytes)).zip(sizes).all(fits)
    } else {
        bytes.as_chunks().0.iter().map(|bytes| i32::from_le_bytes(*bytes).into()).zip(sizes).all(fits)
    };
    ensure(all_fit, indices, Reason::IndexOutOfRange)
}

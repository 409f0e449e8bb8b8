//! Operators that only move elements: CONCATENATION, SPLIT, SPLIT_V, PACK, UNPACK, SLICE, STRIDED_SLICE,
//! TRANSPOSE, PAD, PADV2, MIRROR_PAD, SPACE_TO_DEPTH, DEPTH_TO_SPACE, SPACE_TO_BATCH_ND, BATCH_TO_SPACE_ND,
//! BROADCAST_TO, REVERSE_V2, TILE, FILL, ZEROS_LIKE.
//!
//! Each is a number of [`Piece`]s: blocks of up to six dimensions that are copied from an input to an
//! output, after the output was filled where the operator pads.

use super::{at, divide, ensure, input, options, output};
use crate::Result;
use crate::error::{ModelError, Reason};
use crate::generated::MirrorPadMode;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Shape, Storage, Tensor};

const RANK: usize = Shape::MAX_RANK;

/// The most inputs, outputs or positions in a block that one operator may have.
const MAX_PIECES: u32 = 1_024;

/// One dimension of a [`Piece`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dim {
    /// Elements along it.
    pub count: u32,
    /// Elements from one to the next in the input; negative where the operator reverses.
    pub input_step: i32,
    /// Elements from one to the next in the output.
    pub output_step: u32,
}

/// A block of elements that is copied as it is.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'a> {
    /// Where it comes from.
    pub input: Tensor<'a>,
    /// Where it goes.
    pub output: Tensor<'a>,
    /// Its first element in the input.
    pub input_start: u32,
    /// Its first element in the output.
    pub output_start: u32,
    dims: [Dim; RANK],
}

impl Piece<'_> {
    /// The dimensions, outermost first.
    pub fn dims(&self) -> &[Dim] {
        &self.dims
    }
}

/// An operator that only moves elements.
#[derive(Clone, Copy, Debug)]
pub struct Movement<'a> {
    graph: Graph<'a>,
    node: Node<'a>,
    how: How,
    /// What an output holds where nothing is copied to: its bytes, little-endian. `None` where pieces cover
    /// every output.
    pub fill: Option<u64>,
}

/// What the pieces are made of; sizes by dimension.
#[derive(Clone, Copy, Debug)]
enum How {
    /// Inputs side by side along an axis, or outputs.
    Concatenate {
        axis: usize,
    },
    Split {
        axis: usize,
    },
    /// The same along an axis of size 1 that the other side does not have.
    Pack {
        axis: usize,
    },
    Unpack {
        axis: usize,
    },
    Slice {
        begin: [u32; RANK],
        stride: [i32; RANK],
        count: [u32; RANK],
    },
    Transpose {
        axes: [u8; RANK],
    },
    Pad {
        before: [u32; RANK],
    },
    /// Mirror images before and behind; `edge` is 1 where the element at the edge is not repeated.
    MirrorPad {
        before: [u32; RANK],
        edge: u32,
    },
    SpaceToDepth {
        block: u32,
    },
    DepthToSpace {
        block: u32,
    },
    /// Blocks of the spatial dimensions, and padding before them.
    SpaceToBatch {
        block: (u32, u32),
        pad: (u32, u32),
    },
    BatchToSpace {
        block: (u32, u32),
        crop: (u32, u32),
    },
    Broadcast,
    /// The whole input as often as this along each dimension.
    Tile {
        multiples: [u32; RANK],
    },
    /// Nothing moves.
    Nothing,
}

/// Elements from one index to the next of each dimension, for a tensor without gaps.
fn steps(dims: &[u32]) -> [u32; RANK] {
    let mut steps = [1; RANK];
    let mut step = 1;
    for (slot, dim) in steps.iter_mut().take(dims.len()).zip(dims).rev() {
        *slot = step;
        step *= dim;
    }
    steps
}

/// The dimensions of a shape, filled up with 1 at the end.
fn sizes(shape: &Shape) -> [u32; RANK] {
    let mut sizes = [1; RANK];
    for (slot, dim) in sizes.iter_mut().zip(shape.dims()) {
        *slot = *dim;
    }
    sizes
}

fn get(values: &[u32; RANK], i: usize) -> u32 {
    values.get(i).copied().unwrap_or(1)
}

fn product_before(values: &[u32], end: usize) -> u32 {
    values.iter().take(end).product()
}

/// The integers in a constant: int32 or int64, at most twelve.
pub(super) struct Ints {
    values: [i32; 2 * RANK],
    len: usize,
}

impl Ints {
    pub(super) fn new(tensor: &Tensor<'_>) -> Result<Self> {
        let Storage::Constant { bytes, .. } = tensor.storage else {
            return Err(at(tensor, Reason::NotConstant));
        };
        let mut ints = Self { values: [0; 2 * RANK], len: tensor.shape.len() as usize };
        ensure(ints.len <= ints.values.len(), tensor, Reason::ShapeMismatch)?;
        match tensor.dtype {
            DType::Int32 => {
                for (slot, bytes) in ints.values.iter_mut().zip(bytes.as_chunks().0) {
                    *slot = i32::from_le_bytes(*bytes);
                }
            }
            DType::Int64 => {
                for (slot, bytes) in ints.values.iter_mut().zip(bytes.as_chunks().0) {
                    let value = i64::from_le_bytes(*bytes);
                    *slot = value.clamp(i32::MIN.into(), i32::MAX.into()) as i32;
                }
            }
            _ => return Err(at(tensor, Reason::WrongType)),
        }
        Ok(ints)
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn get(&self, i: usize) -> i32 {
        self.values.get(i).copied().unwrap_or(0)
    }
}

/// An axis that may count from the end.
pub(super) fn axis_of(axis: i32, rank: usize) -> Result<usize> {
    let axis = if axis < 0 { axis.saturating_add(rank as i32) } else { axis };
    usize::try_from(axis).ok().filter(|&axis| axis < rank).ok_or(ModelError::from(Reason::BadOption))
}

fn unsigned(value: i32) -> Result<u32> {
    u32::try_from(value).map_err(|_| Reason::BadOption.into())
}

impl<'a> Movement<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        let (inputs, outputs) = (node.inputs.len(), node.outputs.len());
        let arity = match kind {
            OpKind::Concatenation | OpKind::Pack => inputs >= 1 && outputs == 1,
            OpKind::Split => inputs == 2 && outputs >= 1,
            OpKind::SplitV => inputs == 3 && outputs >= 1,
            OpKind::Unpack => inputs == 1 && outputs >= 1,
            OpKind::SpaceToDepth | OpKind::DepthToSpace | OpKind::ZerosLike => inputs == 1 && outputs == 1,
            OpKind::Transpose
            | OpKind::Pad
            | OpKind::MirrorPad
            | OpKind::BroadcastTo
            | OpKind::ReverseV2
            | OpKind::Tile
            | OpKind::Fill => inputs == 2 && outputs == 1,
            OpKind::Slice | OpKind::PadV2 | OpKind::SpaceToBatchNd | OpKind::BatchToSpaceNd => {
                inputs == 3 && outputs == 1
            }
            _ => inputs == 4 && outputs == 1,
        };
        if !arity {
            return Err(Reason::WrongArity.into());
        }
        // The axis, or the shape, comes before the data.
        let data = input(graph, node, usize::from(matches!(kind, OpKind::Split | OpKind::Fill)))?;
        let first = output(graph, node, 0)?;
        let how = match kind {
            OpKind::Concatenation => concatenation(node, &first)?,
            OpKind::Pack => {
                How::Pack { axis: axis_of(options!(node, PackOptions).axis()?, first.shape.rank())? }
            }
            OpKind::Unpack => {
                How::Unpack { axis: axis_of(options!(node, UnpackOptions).axis()?, data.shape.rank())? }
            }
            OpKind::Split => {
                How::Split { axis: axis_of(Ints::new(&input(graph, node, 0)?)?.get(0), data.shape.rank())? }
            }
            OpKind::SplitV => {
                How::Split { axis: axis_of(Ints::new(&input(graph, node, 2)?)?.get(0), data.shape.rank())? }
            }
            OpKind::Slice => slice(graph, node, &data, &first)?,
            OpKind::StridedSlice => strided_slice(graph, node, &data, &first)?,
            OpKind::Transpose => transpose(graph, node, &data)?,
            OpKind::Pad | OpKind::PadV2 => pad(graph, node, &data, &first)?,
            OpKind::MirrorPad => mirror_pad(graph, node, &data, &first)?,
            OpKind::SpaceToDepth => {
                How::SpaceToDepth { block: unsigned(options!(node, SpaceToDepthOptions).block_size()?)? }
            }
            OpKind::DepthToSpace => {
                How::DepthToSpace { block: unsigned(options!(node, DepthToSpaceOptions).block_size()?)? }
            }
            OpKind::SpaceToBatchNd => space_to_batch(graph, node, &data, &first)?,
            OpKind::BatchToSpaceNd => batch_to_space(graph, node, &data, &first)?,
            OpKind::ReverseV2 => reverse(graph, node, &data, &first)?,
            OpKind::Tile => tile(graph, node, &data)?,
            OpKind::Fill => {
                super::transpose_conv::check_dims(&input(graph, node, 0)?, &first)?;
                ensure(data.shape.len() == 1, &data, Reason::ShapeMismatch)?;
                How::Broadcast
            }
            OpKind::ZerosLike => How::Nothing,
            _ => How::Broadcast,
        };
        let fill = match kind {
            OpKind::Pad | OpKind::SpaceToBatchNd => Some(zero(&first)),
            OpKind::PadV2 => Some(pad_value(graph, node, &first)?),
            // Not the number that stands for 0: the references write 0.
            OpKind::ZerosLike => Some(0),
            _ => None,
        };
        let movement = Self { graph: *graph, node: *node, how, fill };
        // Each piece is a step of the plan.
        if movement.piece_count() > MAX_PIECES {
            return Err(Reason::TooManyPieces.into());
        }
        movement.check_types(&data)?;
        movement.check_shapes(&data, &first)?;
        Ok(movement)
    }

    /// All tensors that elements move between have one type, scale and zero point.
    fn check_types(&self, data: &Tensor<'a>) -> Result<()> {
        let supported = data.has_size() && data.dtype != DType::Int4;
        ensure(supported, data, Reason::UnsupportedType)?;
        if let How::Nothing = self.how {
            let output = self.output()?;
            return ensure(output.dtype == data.dtype, &output, Reason::WrongType);
        }
        for i in 0..self.piece_count() {
            let (from, to) = (self.input_of(i)?, self.output_of(i)?);
            ensure(from.dtype == data.dtype, &from, Reason::WrongType)?;
            ensure(to.dtype == data.dtype, &to, Reason::WrongType)?;
            if matches!(data.dtype, DType::Int8 | DType::Int16 | DType::UInt8) {
                ensure(from.quantization.is_same(&to.quantization), &to, Reason::ScalesDiffer)?;
            }
        }
        Ok(())
    }

    /// The output's shape, or the outputs' shapes, follow from the input's.
    fn check_shapes(&self, data: &Tensor<'a>, first: &Tensor<'a>) -> Result<()> {
        let mut expected = sizes(&data.shape);
        let mut rank = data.shape.rank();
        let mut set = |axis: usize, size: u32| {
            if let Some(slot) = expected.get_mut(axis) {
                *slot = size;
            }
        };
        let image = |tensor: &Tensor<'_>| tensor.shape.nhwc().map_err(|reason| at(tensor, reason));
        match self.how {
            How::Concatenate { axis } | How::Split { axis } => {
                return self.check_side_by_side(axis, matches!(self.how, How::Split { .. }));
            }
            How::Pack { axis } => return self.check_packed(axis, first, false),
            How::Unpack { axis } => return self.check_packed(axis, data, true),
            How::Slice { count, .. } => {
                // The axes that `shrink_axis_mask` takes away have one element: only the order of the
                // others matters.
                let mut others = count.into_iter().take(rank).filter(|&count| count != 1);
                let same =
                    first.shape.dims().iter().filter(|&&dim| dim != 1).all(|&dim| others.next() == Some(dim));
                let fits = same && others.next().is_none();
                return ensure(fits, first, Reason::ShapeMismatch);
            }
            How::Transpose { axes } => {
                let from = sizes(&data.shape);
                for (i, &axis) in axes.iter().take(rank).enumerate() {
                    set(i, get(&from, axis.into()));
                }
            }
            How::Pad { .. } | How::MirrorPad { .. } => {
                // `pad` has checked it: it knows what lies behind.
                return Ok(());
            }
            How::SpaceToDepth { block } => {
                let [_, height, width, depth] = image(data)?;
                set(1, divide(height, block, data)?);
                set(2, divide(width, block, data)?);
                set(3, depth.saturating_mul(block).saturating_mul(block));
            }
            How::DepthToSpace { block } => {
                let [_, height, width, depth] = image(data)?;
                set(1, height.saturating_mul(block));
                set(2, width.saturating_mul(block));
                set(3, divide(depth, block.saturating_mul(block), data)?);
            }
            How::SpaceToBatch { .. } | How::BatchToSpace { .. } => return Ok(()),
            How::Tile { multiples } => {
                let from = sizes(&data.shape);
                for d in 0..rank {
                    set(d, get(&from, d).saturating_mul(get(&multiples, d)));
                }
            }
            How::Nothing => {}
            How::Broadcast => {
                let (from, to) = (data.shape.dims(), first.shape.dims());
                let fits = from.len() <= to.len()
                    && from.iter().rev().zip(to.iter().rev()).all(|(&from, &to)| from == to || from == 1);
                return ensure(fits, first, Reason::ShapeMismatch);
            }
        }
        rank = rank.min(RANK);
        ensure(first.shape.dims() == expected.get(..rank).unwrap_or(&[]), first, Reason::ShapeMismatch)
    }

    /// The parts, along `axis`, add up to the whole; the other dimensions are the same.
    fn check_side_by_side(&self, axis: usize, is_split: bool) -> Result<()> {
        let whole = if is_split { self.input_of(0)? } else { self.output_of(0)? };
        let mut sum = 0u32;
        for i in 0..self.piece_count() {
            let part = if is_split { self.output_of(i)? } else { self.input_of(i)? };
            let same = part.shape.rank() == whole.shape.rank()
                && part
                    .shape
                    .dims()
                    .iter()
                    .zip(whole.shape.dims())
                    .enumerate()
                    .all(|(d, (part, whole))| d == axis || part == whole);
            ensure(same, &part, Reason::ShapeMismatch)?;
            sum = sum.saturating_add(get(&sizes(&part.shape), axis));
        }
        ensure(sum == get(&sizes(&whole.shape), axis), &whole, Reason::ShapeMismatch)
    }

    /// Each part has the whole's dimensions but `axis`, whose size is the number of parts.
    fn check_packed(&self, axis: usize, whole: &Tensor<'a>, is_unpack: bool) -> Result<()> {
        ensure(get(&sizes(&whole.shape), axis) == self.piece_count(), whole, Reason::ShapeMismatch)?;
        for i in 0..self.piece_count() {
            let part = if is_unpack { self.output_of(i)? } else { self.input_of(i)? };
            let mut others =
                whole.shape.dims().iter().enumerate().filter(|(d, _)| *d != axis).map(|(_, dim)| dim);
            let same =
                part.shape.dims().iter().all(|dim| others.next() == Some(dim)) && others.next().is_none();
            ensure(same, &part, Reason::ShapeMismatch)?;
        }
        Ok(())
    }

    /// Number of pieces; none where the operator only fills.
    pub fn piece_count(&self) -> u32 {
        match self.how {
            How::Concatenate { .. } | How::Pack { .. } => self.node.inputs.len() as u32,
            How::Split { .. } | How::Unpack { .. } => self.node.outputs.len() as u32,
            How::SpaceToBatch { block, .. } | How::BatchToSpace { block, .. } => {
                block.0.saturating_mul(block.1)
            }
            // Before, the input itself, and behind, along each dimension.
            How::MirrorPad { before, .. } => match self.margins(&before) {
                Ok(margins) => {
                    3u32.pow(margins.into_iter().filter(|margin| *margin != (0, 0)).count() as u32)
                }
                Err(_) => 1,
            },
            How::Nothing => 0,
            _ => 1,
        }
    }

    /// Elements before and behind the input, along each dimension of the output.
    fn margins(&self, before: &[u32; RANK]) -> Result<[(u32, u32); RANK]> {
        let (from, to) = (sizes(&self.input_of(0)?.shape), sizes(&self.output_of(0)?.shape));
        Ok(core::array::from_fn(|d| {
            let margin = get_or_zero(before, d);
            (margin, get(&to, d).saturating_sub(get(&from, d)).saturating_sub(margin))
        }))
    }

    fn input_of(&self, piece: u32) -> Result<Tensor<'a>> {
        let i = match self.how {
            How::Concatenate { .. } | How::Pack { .. } => piece as usize,
            // The axis, or the shape, comes before the data.
            How::Split { .. } if self.node.code == OpKind::Split.code() => 1,
            How::Broadcast if self.node.code == OpKind::Fill.code() => 1,
            _ => 0,
        };
        input(&self.graph, &self.node, i)
    }

    fn output_of(&self, piece: u32) -> Result<Tensor<'a>> {
        let i = match self.how {
            How::Split { .. } | How::Unpack { .. } => piece as usize,
            _ => 0,
        };
        output(&self.graph, &self.node, i)
    }

    /// The first output.
    ///
    /// # Errors
    /// When the file can't be read; the operator's checks have read it before.
    pub fn output(&self) -> Result<Tensor<'a>> {
        self.output_of(0)
    }

    /// Piece `i`; `None` for one without elements.
    ///
    /// # Errors
    /// When the file can't be read; the operator's checks have read it before.
    pub fn piece(&self, i: u32) -> Result<Option<Piece<'a>>> {
        let (from, to) = (self.input_of(i)?, self.output_of(i)?);
        let (from_sizes, to_sizes) = (sizes(&from.shape), sizes(&to.shape));
        let (from_steps, to_steps) = (steps(from.shape.dims()), steps(to.shape.dims()));
        // Most copy the smaller side whole, dimension by dimension.
        let mut piece = Piece {
            input: from,
            output: to,
            input_start: 0,
            output_start: 0,
            dims: [Dim { count: 1, input_step: 0, output_step: 0 }; RANK],
        };
        let mut set = |d: usize, count: u32, input_step: i32, output_step: u32| {
            if let Some(slot) = piece.dims.get_mut(d) {
                *slot = Dim { count, input_step, output_step };
            }
        };
        match self.how {
            How::Concatenate { axis } | How::Split { axis } => {
                let is_split = matches!(self.how, How::Split { .. });
                let part = if is_split { &to_sizes } else { &from_sizes };
                for d in 0..RANK {
                    set(d, get(part, d), get(&from_steps, d) as i32, get(&to_steps, d));
                }
                let mut before = 0;
                for k in 0..i {
                    let other = if is_split { self.output_of(k)? } else { self.input_of(k)? };
                    before += get(&sizes(&other.shape), axis);
                }
                if is_split {
                    piece.input_start = before * get(&from_steps, axis);
                } else {
                    piece.output_start = before * get(&to_steps, axis);
                }
            }
            How::Pack { axis } => {
                let inner: u32 = get(&to_steps, axis);
                let outer = product_before(&to_sizes, axis);
                set(0, outer, inner as i32, inner * get(&to_sizes, axis));
                set(1, inner, 1, 1);
                piece.output_start = i * inner;
            }
            How::Unpack { axis } => {
                let inner = get(&from_steps, axis);
                let outer = product_before(&from_sizes, axis);
                set(0, outer, (inner * get(&from_sizes, axis)) as i32, inner);
                set(1, inner, 1, 1);
                piece.input_start = i * inner;
            }
            How::Slice { begin, stride, count } => {
                let to_steps = steps(count.get(..from.shape.rank()).unwrap_or(&[]));
                for d in 0..from.shape.rank() {
                    let step = get(&from_steps, d);
                    let stride = stride.get(d).copied().unwrap_or(1);
                    set(d, get(&count, d), stride * step as i32, get(&to_steps, d));
                    piece.input_start += get_or_zero(&begin, d) * step;
                }
            }
            How::Transpose { axes } => {
                for (d, &axis) in axes.iter().enumerate().take(to.shape.rank()) {
                    set(d, get(&to_sizes, d), get(&from_steps, axis.into()) as i32, get(&to_steps, d));
                }
            }
            How::Pad { before } => {
                for d in 0..from.shape.rank() {
                    set(d, get(&from_sizes, d), get(&from_steps, d) as i32, get(&to_steps, d));
                    piece.output_start += get_or_zero(&before, d) * get(&to_steps, d);
                }
            }
            How::MirrorPad { before, edge } => {
                let mut part = i;
                for (d, margins) in self.margins(&before)?.into_iter().enumerate() {
                    let size = get(&from_sizes, d);
                    let (step, to_step) = (get(&from_steps, d), get(&to_steps, d));
                    let side = if margins == (0, 0) { 0 } else { part % 3 };
                    if margins != (0, 0) {
                        part /= 3;
                    }
                    let (count, first, input_step, to) = match side {
                        0 => (size, 0, step as i32, margins.0),
                        1 => (margins.0, (margins.0 + edge).saturating_sub(1), -(step as i32), 0),
                        _ => (margins.1, size.saturating_sub(1 + edge), -(step as i32), margins.0 + size),
                    };
                    if count == 0 {
                        return Ok(None);
                    }
                    set(d, count, input_step, to_step);
                    piece.input_start += first * step;
                    piece.output_start += to * to_step;
                }
            }
            How::SpaceToDepth { block } => {
                let [batch, height, width, depth, ..] = to_sizes;
                let from_depth = get(&from_sizes, 3);
                let (row, pixel) = (get(&from_steps, 1), get(&from_steps, 2));
                set(0, batch * height, (row * block) as i32, get(&to_steps, 1));
                set(1, block, row as i32, block * from_depth);
                set(2, width, (pixel * block) as i32, depth);
                set(3, block * from_depth, 1, 1);
            }
            How::DepthToSpace { block } => {
                let [batch, height, width, depth, ..] = from_sizes;
                let to_depth = get(&to_sizes, 3);
                let (row, pixel) = (get(&to_steps, 1), get(&to_steps, 2));
                set(0, batch * height, get(&from_steps, 1) as i32, row * block);
                set(1, block, (block * to_depth) as i32, row);
                set(2, width, depth as i32, pixel * block);
                set(3, block * to_depth, 1, 1);
            }
            How::SpaceToBatch { block, pad } => {
                let (narrow, wide) = (Grid::new(&to)?, Grid::new(&from)?);
                let Some(part) = Part::new(&narrow, &wide, block, pad, i) else { return Ok(None) };
                for (d, [narrow, wide]) in part.steps.into_iter().enumerate() {
                    set(d, get_or_zero(&part.counts, d), wide as i32, narrow);
                }
                piece.input_start = part.wide_start;
                piece.output_start = part.narrow_start;
            }
            How::BatchToSpace { block, crop } => {
                let (narrow, wide) = (Grid::new(&from)?, Grid::new(&to)?);
                let Some(part) = Part::new(&narrow, &wide, block, crop, i) else { return Ok(None) };
                for (d, [narrow, wide]) in part.steps.into_iter().enumerate() {
                    set(d, get_or_zero(&part.counts, d), narrow as i32, wide);
                }
                piece.input_start = part.narrow_start;
                piece.output_start = part.wide_start;
            }
            How::Tile { multiples } => {
                for (slot, dim) in piece.dims.iter_mut().zip(tile_dims(&from_sizes, &multiples).0) {
                    *slot = dim;
                }
            }
            How::Nothing => return Ok(None),
            How::Broadcast => {
                let missing = to.shape.rank().saturating_sub(from.shape.rank());
                for d in 0..to.shape.rank() {
                    let from_d = d.checked_sub(missing);
                    let repeated = from_d.is_none_or(|d| get(&from_sizes, d) == 1);
                    let step = if repeated { 0 } else { from_d.map_or(0, |d| get(&from_steps, d)) };
                    set(d, get(&to_sizes, d), step as i32, get(&to_steps, d));
                }
            }
        }
        Ok(Some(piece))
    }
}

fn get_or_zero(values: &[u32; RANK], i: usize) -> u32 {
    values.get(i).copied().unwrap_or(0)
}

/// `[batch, height, width, channels]`, or `[batch, height, channels]`.
struct Grid {
    batch: u32,
    height: u32,
    width: u32,
    depth: u32,
}

impl Grid {
    fn new(tensor: &Tensor<'_>) -> Result<Self> {
        match *tensor.shape.dims() {
            [batch, height, width, depth] => Ok(Self { batch, height, width, depth }),
            [batch, height, depth] => Ok(Self { batch, height, width: 1, depth }),
            _ => Err(at(tensor, Reason::WrongRank)),
        }
    }

    /// Elements of a row.
    fn row(&self) -> u32 {
        self.width * self.depth
    }

    /// Elements of an image.
    fn image(&self) -> u32 {
        self.height * self.row()
    }
}

/// What one position in the blocks of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND moves between the wide side
/// (large images) and the narrow side (many small ones).
struct Part {
    counts: [u32; RANK],
    /// Steps on the narrow and on the wide side, for batch, height, width and channels.
    steps: [[u32; 2]; 4],
    narrow_start: u32,
    wide_start: u32,
}

impl Part {
    /// `margin` is the padding before the wide side, or what is cropped off.
    fn new(narrow: &Grid, wide: &Grid, block: (u32, u32), margin: (u32, u32), position: u32) -> Option<Self> {
        let (y, x) = (position.checked_div(block.1)?, position.checked_rem(block.1)?);
        let vertical = overlap(narrow.height, wide.height, block.0, y, margin.0)?;
        let horizontal = overlap(narrow.width, wide.width, block.1, x, margin.1)?;
        let images = position * wide.batch;
        Some(Self {
            counts: [wide.batch, vertical.count, horizontal.count, wide.depth, 0, 0],
            steps: [
                [narrow.image(), wide.image()],
                [narrow.row(), wide.row() * block.0],
                [narrow.depth, wide.depth * block.1],
                [1, 1],
            ],
            narrow_start: images * narrow.image()
                + vertical.narrow * narrow.row()
                + horizontal.narrow * narrow.depth,
            wide_start: vertical.wide * wide.row() + horizontal.wide * wide.depth,
        })
    }
}

struct Overlap {
    narrow: u32,
    wide: u32,
    count: u32,
}

/// Where `wide = narrow * block + position - margin` lies within both; `None` where it never does.
fn overlap(narrow_size: u32, wide_size: u32, block: u32, position: u32, margin: u32) -> Option<Overlap> {
    // Rounded up: the first that lies behind the margin.
    let narrow = margin.saturating_sub(position).checked_add(block - 1)?.checked_div(block)?;
    let wide = (narrow * block + position).checked_sub(margin)?;
    let last =
        (wide_size + margin).checked_sub(position + 1)?.checked_div(block)?.min(narrow_size.checked_sub(1)?);
    let count = (last + 1).checked_sub(narrow).filter(|&count| count > 0)?;
    Some(Overlap { narrow, wide, count })
}

/// The bytes of a tensor's real 0: its zero point where it is quantised.
fn zero(tensor: &Tensor<'_>) -> u64 {
    let zero_point = match tensor.dtype {
        DType::Int8 | DType::UInt8 => tensor.quantization.zero_point(0).unwrap_or(0),
        _ => 0,
    };
    zero_point as u64
}

fn concatenation(node: &Node<'_>, output: &Tensor<'_>) -> Result<How> {
    let options = options!(node, ConcatenationOptions);
    if super::Activation::new(options.fused_activation_function())? != super::Activation::None {
        return Err(Reason::UnsupportedActivation.into());
    }
    Ok(How::Concatenate { axis: axis_of(options.axis()?, output.shape.rank())? })
}

fn slice<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>, output: &Tensor<'a>) -> Result<How> {
    ensure(output.shape.rank() == data.shape.rank(), output, Reason::WrongRank)?;
    let (begins, counts) = (Ints::new(&input(graph, node, 1)?)?, Ints::new(&input(graph, node, 2)?)?);
    if begins.len != data.shape.rank() || counts.len != begins.len {
        return Err(at(data, Reason::WrongRank));
    }
    let (mut begin, mut count) = ([0; RANK], [1; RANK]);
    for (d, ((begin, count), size)) in begin.iter_mut().zip(&mut count).zip(data.shape.dims()).enumerate() {
        *begin = unsigned(begins.get(d))?;
        let left = size.checked_sub(*begin).ok_or(Reason::BadOption)?;
        // -1: all that is left.
        *count = if counts.get(d) == -1 { left } else { unsigned(counts.get(d))? };
        if *count > left || *count == 0 {
            return Err(at(data, Reason::ShapeMismatch));
        }
    }
    Ok(How::Slice { begin, stride: [1; RANK], count })
}

/// The slice that takes some axes from their ends.
fn reverse<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>, output: &Tensor<'a>) -> Result<How> {
    let axes = Ints::new(&input(graph, node, 1)?)?;
    ensure(output.shape == data.shape, output, Reason::ShapeMismatch)?;
    let (mut begin, mut stride, count) = ([0; RANK], [1; RANK], sizes(&data.shape));
    for i in 0..axes.len {
        let axis = axis_of(axes.get(i), data.shape.rank())?;
        if let (Some(begin), Some(stride)) = (begin.get_mut(axis), stride.get_mut(axis)) {
            *begin = get(&count, axis) - 1;
            *stride = -1;
        }
    }
    Ok(How::Slice { begin, stride, count })
}

fn tile<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>) -> Result<How> {
    let table = input(graph, node, 1)?;
    let ints = Ints::new(&table)?;
    ensure(ints.len == data.shape.rank(), &table, Reason::WrongRank)?;
    let mut multiples = [1; RANK];
    for (d, slot) in multiples.iter_mut().enumerate().take(ints.len) {
        *slot = unsigned(ints.get(d))?;
        ensure(*slot > 0, &table, Reason::BadShape)?;
    }
    let (_, count) = tile_dims(&sizes(&data.shape), &multiples);
    if count > RANK { Err(Reason::UnsupportedOption.into()) } else { Ok(How::Tile { multiples }) }
}

/// The dimensions of TILE: each that is repeated is two, those within it that are not are one with it. The
/// second is how many there are, which may be more than fit.
fn tile_dims(sizes: &[u32; RANK], multiples: &[u32; RANK]) -> ([Dim; RANK], usize) {
    let mut dims = [Dim { count: 1, input_step: 0, output_step: 0 }; RANK];
    let mut len = 0;
    let mut push = |dim: Dim| {
        if dim.count > 1 {
            if let Some(slot) = dims.get_mut(len) {
                *slot = dim;
            }
            len += 1;
        }
    };
    let (mut input_step, mut output_step, mut count) = (1u32, 1u32, 1u32);
    // From the innermost outwards; `count` elements lie together since the last that is repeated.
    for (&size, &multiple) in sizes.iter().zip(multiples).rev() {
        count = count.saturating_mul(size);
        if multiple > 1 {
            push(Dim { count, input_step: input_step as i32, output_step });
            input_step = input_step.saturating_mul(count);
            output_step = output_step.saturating_mul(count);
            push(Dim { count: multiple, input_step: 0, output_step });
            output_step = output_step.saturating_mul(multiple);
            count = 1;
        }
    }
    push(Dim { count, input_step: input_step as i32, output_step });
    dims.reverse();
    (dims, len)
}

/// TFLite: `StridedSliceParams`, `StartForAxis`, `StopForAxis`.
fn strided_slice<'a>(
    graph: &Graph<'a>,
    node: &Node<'a>,
    data: &Tensor<'a>,
    output: &Tensor<'a>,
) -> Result<How> {
    let options = options!(node, StridedSliceOptions);
    if options.offset()? {
        return Err(Reason::UnsupportedOption.into());
    }
    let (ellipsis, new_axis) = (options.ellipsis_mask()?, options.new_axis_mask()?);
    let masks = [options.begin_mask()?, options.end_mask()?, options.shrink_axis_mask()?];
    let [begins, ends, strides] =
        [1, 2, 3].map(|i| input(graph, node, i).and_then(|tensor| Ints::new(&tensor)));
    let (begins, ends, strides) = (begins?, ends?, strides?);
    let rank = data.shape.rank();
    if ends.len != begins.len || strides.len != begins.len {
        return Err(at(data, Reason::WrongRank));
    }
    let bit = |mask: i32, i: usize| mask >> i & 1 != 0;
    // An ellipsis stands for the dimensions that nothing else names.
    let (mut named, mut added, mut ellipses) = (0, 0, 0);
    for i in 0..begins.len {
        match (bit(ellipsis, i), bit(new_axis, i)) {
            (true, _) => ellipses += 1,
            (false, true) => added += 1,
            _ => named += 1,
        }
    }
    let others = rank.checked_sub(named).ok_or(at(data, Reason::WrongRank))?;
    if ellipses > 1 {
        return Err(Reason::BadOption.into());
    }
    let (mut begin, mut stride, mut count) = ([0; RANK], [1; RANK], sizes(&data.shape));
    // Dimensions of the output: those that are sliced and stay, those that are taken whole, and new ones.
    let mut kept = others + added;
    let mut d = 0;
    for i in 0..begins.len {
        if bit(ellipsis, i) {
            d += others;
        }
        if bit(ellipsis, i) || bit(new_axis, i) {
            continue;
        }
        let size = get(&count, d);
        let masked = |mask: usize| masks.get(mask).is_some_and(|&mask| bit(mask, i));
        let size = i64::from(size);
        let step = i64::from(strides.get(i));
        // Where a slice may start and stop: one further on the side that it runs to.
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let position = |value: i32, open: bool, if_open: i64| {
            let value = i64::from(value);
            let value = if value < 0 { value + size } else { value };
            if open { if_open } else { value.clamp(low, high) }
        };
        let start = position(begins.get(i), masked(0), if step > 0 { 0 } else { size - 1 });
        let shrinks = masked(2);
        let stop = match shrinks {
            true => start + 1,
            false => position(ends.get(i), masked(1), if step > 0 { size } else { -1 }),
        };
        if step == 0 || (shrinks && step < 0) {
            return Err(Reason::BadStride.into());
        }
        let len = if step > 0 { stop - start + step - 1 } else { start - stop - step - 1 };
        let len = len.checked_div(step.abs()).unwrap_or(0);
        if len <= 0 || start < 0 || start >= size {
            return Err(at(output, Reason::BadShape));
        }
        if let (Some(begin), Some(stride), Some(count)) =
            (begin.get_mut(d), stride.get_mut(d), count.get_mut(d))
        {
            // From one element there is no step, however large the file says it is.
            let step = if len == 1 { 1 } else { step as i32 };
            (*begin, *stride, *count) = (start as u32, step, len as u32);
        }
        kept += usize::from(!shrinks);
        d += 1;
    }
    ensure(output.shape.rank() == kept, output, Reason::WrongRank)?;
    Ok(How::Slice { begin, stride, count })
}

fn transpose<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>) -> Result<How> {
    let order = Ints::new(&input(graph, node, 1)?)?;
    ensure(order.len == data.shape.rank(), data, Reason::WrongRank)?;
    let mut axes = [0; RANK];
    let mut seen = 0u32;
    for (d, slot) in axes.iter_mut().enumerate().take(order.len) {
        let axis = axis_of(order.get(d), order.len)?;
        seen |= 1 << axis;
        *slot = axis as u8;
    }
    // Each axis once.
    if seen != (1 << order.len) - 1 {
        return Err(Reason::BadOption.into());
    }
    Ok(How::Transpose { axes })
}

fn pad<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>, output: &Tensor<'a>) -> Result<How> {
    let margins = Ints::new(&input(graph, node, 1)?)?;
    let rank = data.shape.rank();
    ensure(margins.len == 2 * rank && output.shape.rank() == rank, output, Reason::WrongRank)?;
    let mut before = [0; RANK];
    for (d, (slot, (from, to))) in
        before.iter_mut().zip(data.shape.dims().iter().zip(output.shape.dims())).enumerate()
    {
        *slot = unsigned(margins.get(2 * d))?;
        let after = unsigned(margins.get(2 * d + 1))?;
        let sum = from.saturating_add(*slot).saturating_add(after);
        ensure(sum == *to, output, Reason::ShapeMismatch)?;
    }
    Ok(How::Pad { before })
}

fn mirror_pad<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>, output: &Tensor<'a>) -> Result<How> {
    let edge = match options!(node, MirrorPadOptions).mode()? {
        MirrorPadMode::Reflect => 1,
        MirrorPadMode::Symmetric => 0,
    };
    let How::Pad { before } = pad(graph, node, data, output)? else { return Err(Reason::BadOption.into()) };
    // An image reaches no further than what it is of.
    for (d, (from, to)) in data.shape.dims().iter().zip(output.shape.dims()).enumerate() {
        let (margin, most) = (get_or_zero(&before, d), from - edge);
        let behind = to.saturating_sub(*from).saturating_sub(margin);
        ensure(margin <= most && behind <= most, data, Reason::ShapeMismatch)?;
    }
    Ok(How::MirrorPad { before, edge })
}

/// The constant that PADV2 pads with.
fn pad_value<'a>(graph: &Graph<'a>, node: &Node<'a>, output: &Tensor<'a>) -> Result<u64> {
    let value = input(graph, node, 2)?;
    ensure(value.dtype == output.dtype, &value, Reason::WrongType)?;
    ensure(value.shape.len() == 1, &value, Reason::ShapeMismatch)?;
    let Storage::Constant { bytes, .. } = value.storage else {
        return Err(at(&value, Reason::NotConstant));
    };
    Ok(bytes.iter().rev().take(8).fold(0, |value, &byte| value << 8 | u64::from(byte)))
}

/// Block sizes and margins of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND for (height, width).
fn blocks<'a>(graph: &Graph<'a>, node: &Node<'a>, data: &Tensor<'a>) -> Result<[(u32, u32); 3]> {
    let (block, margins) = (Ints::new(&input(graph, node, 1)?)?, Ints::new(&input(graph, node, 2)?)?);
    let spatial = data.shape.rank().saturating_sub(2);
    ensure(block.len == spatial && margins.len == 2 * spatial, data, Reason::WrongRank)?;
    // Without a width, blocks are as wide as the one column.
    let pair = |ints: &Ints, first: usize, second: usize, missing: u32| -> Result<(u32, u32)> {
        let second = if spatial > 1 { unsigned(ints.get(second))? } else { missing };
        Ok((unsigned(ints.get(first))?, second))
    };
    let size = pair(&block, 0, 1, 1)?;
    if size.0 == 0 || size.1 == 0 || size.0 > 65_535 || size.1 > 65_535 {
        return Err(Reason::BadOption.into());
    }
    Ok([size, pair(&margins, 0, 2, 0)?, pair(&margins, 1, 3, 0)?])
}

fn space_to_batch<'a>(
    graph: &Graph<'a>,
    node: &Node<'a>,
    data: &Tensor<'a>,
    output: &Tensor<'a>,
) -> Result<How> {
    let [block, before, after] = blocks(graph, node, data)?;
    check_blocks(output, data, block, before, after)?;
    Ok(How::SpaceToBatch { block, pad: before })
}

fn batch_to_space<'a>(
    graph: &Graph<'a>,
    node: &Node<'a>,
    data: &Tensor<'a>,
    output: &Tensor<'a>,
) -> Result<How> {
    let [block, before, after] = blocks(graph, node, data)?;
    check_blocks(data, output, block, before, after)?;
    Ok(How::BatchToSpace { block, crop: before })
}

/// The narrow side times the block is the wide side with its margins.
fn check_blocks(
    narrow: &Tensor<'_>,
    wide: &Tensor<'_>,
    block: (u32, u32),
    before: (u32, u32),
    after: (u32, u32),
) -> Result<()> {
    let (few, many) = (Grid::new(wide)?, Grid::new(narrow)?);
    let product = |a: u32, b: u32| u64::from(a) * u64::from(b);
    let sum = |a: u32, b: u32, c: u32| u64::from(a) + u64::from(b) + u64::from(c);
    let fits = narrow.shape.rank() == wide.shape.rank()
        && product(many.height, block.0) == sum(few.height, before.0, after.0)
        && product(many.width, block.1) == sum(few.width, before.1, after.1)
        && u64::from(many.batch) == u64::from(few.batch) * product(block.0, block.1)
        && many.depth == few.depth;
    ensure(fits, narrow, Reason::ShapeMismatch)
}

//! What a step touches, said by its parameters: for checking plans without running them.

use crate::ops::{
    batch_matmul, binary, cast, conv_2d, copy, depthwise_conv_2d, fully_connected, gather, known,
    l2_normalization, log_softmax, pool_2d, quantize, reduce, resize, softmax, strided_copy, svdf,
    transpose_conv, unary,
};
use crate::{Kernel, Params, Place};

/// A run of bytes in one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where it starts.
    pub place: Place,
    /// Its length in bytes.
    pub len: u64,
}

impl Span {
    /// Nothing.
    pub const EMPTY: Self = Self { place: Place::NONE, len: 0 };

    fn new(place: Place, sizes: &[u32]) -> Self {
        // Saturates far above any memory, so that absurd sizes are seen to be out of bounds.
        let len = sizes.iter().fold(1u64, |len, &size| len.saturating_mul(size.into()));
        Self { place, len }
    }

    /// The two share a byte.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (a, b) = (self.place.offset() as u64, other.place.offset() as u64);
        self.len > 0
            && other.len > 0
            && self.place.region() == other.place.region()
            && a < b.saturating_add(other.len)
            && b < a.saturating_add(self.len)
    }
}

/// What one step reads and writes, weights aside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// Inputs, in the operator's order; the rest is empty.
    pub reads: [Span; 2],
    /// The output.
    pub write: Span,
    /// State that is read and written.
    pub state: Span,
    /// Scratch memory: `None` for kernels that use none.
    pub scratch: Span,
    /// The output may lie exactly where an input of the same length lies.
    pub in_place: bool,
}

impl Footprint {
    /// The footprint of `kernel` with the parameter block at the start of `words`; `None` when the block
    /// is cut short.
    pub fn new(kernel: Kernel, words: &[u32]) -> Option<Self> {
        let mut footprint = Self {
            reads: [Span::EMPTY; 2],
            write: Span::EMPTY,
            state: Span::EMPTY,
            scratch: Span::EMPTY,
            in_place: false,
        };
        match kernel {
            Kernel::Nothing => {}
            Kernel::Fill => {
                let p = strided_copy::FillParams::from_words(words)?;
                footprint.write = Span::new(p.output, &[p.len, p.element]);
            }
            Kernel::ReduceSum | Kernel::ReduceMax | Kernel::ReduceMin | Kernel::ArgMax | Kernel::ArgMin => {
                let p = reduce::ReduceParams::from_words(words)?;
                let (from, to) = (p.kind.size() as u32, p.output_kind.size() as u32);
                footprint.reads = [Span::new(p.input, &[p.input_len, from]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_len, to]);
            }
            Kernel::ResizeNearest | Kernel::ResizeBilinear => {
                let p = resize::ResizeParams::from_words(words)?;
                let element = if kernel == Kernel::ResizeBilinear { p.kind.size() as u32 } else { 1 };
                let len =
                    |(height, width): (u16, u16)| [p.batch, height.into(), width.into(), p.depth, element];
                footprint.reads = [Span::new(p.input, &len(p.input_size)), Span::EMPTY];
                footprint.write = Span::new(p.output, &len(p.output_size));
            }
            Kernel::StridedCopy => {
                let p = strided_copy::StridedCopyParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.input_bytes]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_bytes]);
            }
            Kernel::Copy => {
                let p = copy::CopyParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.bytes]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.bytes]);
                footprint.in_place = true;
            }
            Kernel::Known => {
                let p = known::KnownParams::from_words(words)?;
                footprint.write = Span::new(p.output, &[p.len, 4]);
            }
            Kernel::Gather => {
                let p = gather::GatherParams::from_words(words)?;
                let indices = Span::new(p.indices, &[p.batch, p.chosen, p.index_type.size()]);
                let input = Span::new(p.input, &[p.batch, p.outer, p.axis_size, p.slice]);
                footprint.reads = [input, indices];
                footprint.write = Span::new(p.output, &[p.batch, p.outer, p.chosen, p.slice]);
            }
            Kernel::GatherNd => {
                let p = gather::GatherNdParams::from_words(words)?;
                let indices = Span::new(p.indices, &[p.vectors, p.depth, p.index_type.size()]);
                footprint.reads = [Span::new(p.input, &[p.input_bytes]), indices];
                footprint.write = Span::new(p.output, &[p.vectors, p.slice]);
            }
            Kernel::L2NormalizationS8 | Kernel::L2NormalizationF32 => {
                let p = l2_normalization::L2NormalizationParams::from_words(words)?;
                let size = if kernel == Kernel::L2NormalizationS8 { 1 } else { 4 };
                footprint.reads = [Span::new(p.input, &[p.depth, p.batch, size]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.depth, p.batch, size]);
                footprint.in_place = true;
            }
            Kernel::LogSoftmaxS8 => {
                let p = log_softmax::LogSoftmaxParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.depth, p.batch]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.depth, p.batch]);
                footprint.in_place = true;
            }
            Kernel::BatchMatmulS8 | Kernel::BatchMatmulF32 => {
                let p = batch_matmul::BatchMatmulParams::from_words(words)?;
                let size = if kernel == Kernel::BatchMatmulF32 { 4 } else { 1 };
                footprint.reads =
                    [Span::new(p.input1, &[p.len1, size]), Span::new(p.input2, &[p.len2, size])];
                footprint.write = Span::new(p.output, &[p.len, size]);
            }
            Kernel::TransposeConv => {
                let p = transpose_conv::TransposeConvParams::from_words(words)?;
                let [from, to] = p.strides()?;
                footprint.reads = [Span::new(p.input, &[from, p.input_rows]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[to, p.output_rows]);
            }
            Kernel::Conv2d | Kernel::Conv2dAvx512Vnni | Kernel::Conv2dAvxVnni | Kernel::Conv2dAvx2 => {
                let p = conv_2d::Conv2dParams::from_words(words)?;
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
            }
            Kernel::DepthwiseConv2d
            | Kernel::DepthwiseConv2dAvx512Vnni
            | Kernel::DepthwiseConv2dAvxVnni
            | Kernel::DepthwiseConv2dAvx2
            | Kernel::DepthwiseOneAvx512Vnni
            | Kernel::DepthwiseOneAvxVnni
            | Kernel::DepthwiseOneAvx2 => {
                let p = depthwise_conv_2d::DepthwiseConv2dParams::from_words(words)?;
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
            }
            Kernel::FullyConnected
            | Kernel::FullyConnectedLitert
            | Kernel::FullyConnectedAvx512Vnni
            | Kernel::FullyConnectedAvxVnni
            | Kernel::FullyConnectedAvx2 => {
                let p = fully_connected::FullyConnectedParams::from_words(words)?;
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_depth, p.batch]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_depth, p.batch]);
            }
            Kernel::SoftmaxS8 | Kernel::SoftmaxS8S16 => {
                let p = softmax::SoftmaxParams::from_words(words)?;
                let size = if kernel == Kernel::SoftmaxS8 { 1 } else { 2 };
                footprint.reads = [Span::new(p.input, &[p.depth, p.batch]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.depth, p.batch, size]);
                footprint.in_place = size == 1;
            }
            Kernel::AveragePool2d
            | Kernel::MaxPool2d
            | Kernel::AveragePool2dAvx512Vnni
            | Kernel::MaxPool2dAvx512Vnni
            | Kernel::AveragePool2dAvxVnni
            | Kernel::MaxPool2dAvxVnni
            | Kernel::AveragePool2dAvx2
            | Kernel::MaxPool2dAvx2 => {
                let p = pool_2d::Pool2dParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
            }
            Kernel::AddS8
            | Kernel::SubS8
            | Kernel::MulS8
            | Kernel::AddS8Avx512Vnni
            | Kernel::SubS8Avx512Vnni
            | Kernel::MulS8Avx512Vnni
            | Kernel::AddS8AvxVnni
            | Kernel::SubS8AvxVnni
            | Kernel::MulS8AvxVnni
            | Kernel::AddS8Avx2
            | Kernel::SubS8Avx2
            | Kernel::MulS8Avx2
            | Kernel::MaximumS8
            | Kernel::MinimumS8
            | Kernel::SquaredDifferenceS8
            | Kernel::PreluS8 => footprint.binary(words, 1)?,
            Kernel::AddS16
            | Kernel::SubS16
            | Kernel::MulS16
            | Kernel::MaximumS16
            | Kernel::MinimumS16
            | Kernel::SquaredDifferenceS16 => footprint.binary(words, 2)?,
            Kernel::AddS32
            | Kernel::AddF32
            | Kernel::SubS32
            | Kernel::SubF32
            | Kernel::MulS32
            | Kernel::MulF32
            | Kernel::DivF32
            | Kernel::MaximumS32
            | Kernel::MaximumF32
            | Kernel::MinimumS32
            | Kernel::MinimumF32
            | Kernel::SquaredDifferenceS32
            | Kernel::SquaredDifferenceF32
            | Kernel::PreluF32 => footprint.binary(words, 4)?,
            Kernel::LogisticS8
            | Kernel::TanhS8
            | Kernel::HardSwishS8
            | Kernel::LeakyReluS8
            | Kernel::LookupS8
            | Kernel::AbsS8 => footprint.unary(words, 1)?,
            Kernel::LogisticS16 | Kernel::TanhS16 | Kernel::LeakyReluS16 | Kernel::AbsS16 => {
                footprint.unary(words, 2)?;
            }
            Kernel::HardSwishF32
            | Kernel::LeakyReluF32
            | Kernel::AbsF32
            | Kernel::NegS32
            | Kernel::NegF32
            | Kernel::SquareF32
            | Kernel::FloorF32
            | Kernel::CeilF32
            | Kernel::RoundF32
            | Kernel::ClampF32 => footprint.unary(words, 4)?,
            Kernel::Cast => {
                let p = cast::CastParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.len, p.from.size()]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.len, p.to.size()]);
                footprint.in_place = p.from.size() == p.to.size();
            }
            Kernel::SvdfS8 | Kernel::SvdfS16 => {
                let p = svdf::SvdfParams::from_words(words)?;
                let size = if kernel == Kernel::SvdfS8 { 1 } else { 2 };
                footprint.reads = [Span::new(p.input, &[p.batch, p.features]), Span::EMPTY];
                let units = p.filters.checked_div(p.rank)?;
                footprint.write = Span::new(p.output, &[p.batch, units]);
                footprint.state = Span::new(p.state, &[p.batch, p.filters, p.memory, size]);
            }
            Kernel::Requantize | Kernel::Quantize | Kernel::Dequantize => {
                let p = quantize::QuantizeParams::from_words(words)?;
                let from = if kernel == Kernel::Quantize { 4 } else { p.from.size() as u32 };
                let to = if kernel == Kernel::Dequantize { 4 } else { p.to.size() as u32 };
                footprint.reads = [Span::new(p.input, &[p.len, from]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.len, to]);
                footprint.in_place = kernel == Kernel::Requantize && from == to;
            }
        }
        Some(footprint)
    }
    /// An operator on two tensors, of elements of `size` bytes.
    fn binary(&mut self, words: &[u32], size: u32) -> Option<()> {
        let p = binary::BinaryParams::from_words(words)?;
        self.reads = [Span::new(p.input1, &[p.len1, size]), Span::new(p.input2, &[p.len2, size])];
        self.write = Span::new(p.output, &[p.len, size]);
        self.in_place = true;
        Some(())
    }

    /// An operator on one tensor, of elements of `size` bytes.
    fn unary(&mut self, words: &[u32], size: u32) -> Option<()> {
        let p = unary::UnaryParams::from_words(words)?;
        self.reads = [Span::new(p.input, &[p.len, size]), Span::EMPTY];
        self.write = Span::new(p.output, &[p.len, size]);
        self.in_place = true;
        Some(())
    }
}

//! What a step touches, said by its parameters: for checking plans without running them.

use crate::ops::{
    batch_matmul, binary, cast, conv_2d, copy, depthwise_conv_2d, dsp, dynamic_update_slice, float_images,
    fully_connected, gather, jump, known, l2_normalization, log_softmax, lstm, one_hot, pool_2d, quantize,
    reduce, reduce_plain, relation, resize, select, softmax, strided_copy, sums, svdf, transpose_conv, unary,
};
use crate::{Kernel, Overlap, Params, Place, Word};

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
pub struct Footprint<'w> {
    /// The first two inputs, in the operator's order; the rest is empty.
    pub reads: [Span; 2],
    /// The third.
    pub third: Span,
    /// The places of all inputs where there are many, as words; each is as long as the output.
    pub many: &'w [u32],
    /// The output.
    pub write: Span,
    /// State that is read and written, in the operator's order; the rest is empty.
    pub states: [Span; 2],
    /// Scratch memory: `None` for kernels that use none.
    pub scratch: Span,
    /// How the output may lie over an input.
    pub overlap: Overlap,
    /// Both inputs, or the only one, have as many elements as the output: what [`Overlap::Elements`] needs.
    pub same_elements: [bool; 2],
}

impl<'w> Footprint<'w> {
    /// The inputs that the step reads, in the operator's order.
    pub fn inputs(&self) -> impl Iterator<Item = Span> + use<'w> {
        let [first, second] = self.reads;
        let len = self.write.len;
        let many = self.many.iter().map(move |&word| Span { place: Place::from_word(word), len });
        [first, second, self.third].into_iter().filter(|span| span.len > 0).chain(many)
    }

    /// The write may lie where it does, as far as read number `i` is concerned. `backwards`: the step computes
    /// its last row first.
    pub fn spares(&self, i: usize, backwards: bool) -> bool {
        let Some(read) = self.inputs().nth(i) else {
            return true;
        };
        let distance = match self.overlap {
            Overlap::Never => None,
            Overlap::Elements if self.same_elements.get(i) == Some(&true) => {
                Some(self.write.len.saturating_sub(read.len))
            }
            Overlap::Elements => None,
            Overlap::Rows(distances) if i == 0 => {
                Some(if backwards { distances.lag } else { distances.lead }.into())
            }
            Overlap::InPlace if i == 0 && read.place == self.write.place => return true,
            Overlap::Rows(_) | Overlap::InPlace => None,
        };
        let (from, to) = (read.place.offset() as u64, self.write.place.offset() as u64);
        let (ahead, behind) = if backwards { (from, to) } else { (to, from) };
        let is_far_enough = |distance: u64| ahead.saturating_add(distance) <= behind;
        !read.overlaps(&self.write) || distance.is_some_and(is_far_enough)
    }

    /// The footprint of `kernel` with the parameter block at the start of `words`; `None` when the block
    /// is cut short.
    pub fn new(kernel: Kernel, words: &'w [u32]) -> Option<Self> {
        let mut footprint = Self {
            reads: [Span::EMPTY; 2],
            third: Span::EMPTY,
            many: &[],
            write: Span::EMPTY,
            states: [Span::EMPTY; 2],
            scratch: Span::EMPTY,
            overlap: Overlap::Never,
            same_elements: [true; 2],
        };
        match kernel {
            Kernel::Nothing => {}
            Kernel::Jump => {
                let p = jump::JumpParams::from_words(words)?;
                let bytes = u32::from(p.condition != Place::NONE);
                footprint.reads = [Span::new(p.condition, &[bytes]), Span::EMPTY];
            }
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
                footprint.overlap = Overlap::Elements;
            }
            Kernel::Known => {
                let p = known::KnownParams::from_words(words)?;
                footprint.write = Span::new(p.output, &[p.len, 4]);
            }
            Kernel::CumsumS8 | Kernel::CumsumS32 | Kernel::CumsumF32 => {
                let p = sums::CumsumParams::from_words(words)?;
                let size = if kernel == Kernel::CumsumS8 { 1 } else { 4 };
                footprint.reads = [Span::new(p.input, &[p.outer, p.depth, p.inner, size]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.outer, p.depth, p.inner, size]);
            }
            Kernel::AddNS8 | Kernel::AddNS32 | Kernel::AddNF32 => {
                let p = sums::AddNParams::from_words(words)?;
                let size = if kernel == Kernel::AddNS8 { 1 } else { 4 };
                footprint.many = p.inputs(words)?;
                footprint.write = Span::new(p.output, &[p.len, size]);
            }
            Kernel::Relation => {
                let p = relation::RelationParams::from_words(words)?;
                let size = p.ty.size();
                footprint.reads =
                    [Span::new(p.input1, &[p.len1, size]), Span::new(p.input2, &[p.len2, size])];
                footprint.write = Span::new(p.output, &[p.len]);
                footprint.overlap = Overlap::Elements;
                footprint.same_elements = [p.len1 == p.len, p.len2 == p.len];
            }
            Kernel::Select => {
                let p = select::SelectParams::from_words(words)?;
                footprint.reads =
                    [Span::new(p.condition, &[p.condition_len]), Span::new(p.input1, &[p.len1, p.element])];
                footprint.third = Span::new(p.input2, &[p.len2, p.element]);
                footprint.write = Span::new(p.output, &[p.len, p.element]);
            }
            Kernel::DynamicUpdateSlice => {
                let p = dynamic_update_slice::DynamicUpdateSliceParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.bytes]), Span::new(p.update, &[p.update_bytes])];
                footprint.third = Span::new(p.start, &[p.rank, p.index_type.size()]);
                footprint.write = Span::new(p.output, &[p.bytes]);
            }
            Kernel::ReducePlain | Kernel::ArgF32 => {
                let p = reduce_plain::ReducePlainParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.input_len, p.ty.size()]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_len, p.output_element]);
            }
            Kernel::AveragePool2dF32 | Kernel::MaxPool2dF32 | Kernel::L2Pool2dF32 => {
                let p = float_images::FloatPoolParams::from_words(words)?;
                let len = |(height, width): (u16, u16)| [p.batch, height.into(), width.into(), p.depth, 4];
                footprint.reads = [Span::new(p.input, &len(p.input_size)), Span::EMPTY];
                footprint.write = Span::new(p.output, &len(p.output_size));
            }
            Kernel::ResizeBilinearF32 => {
                let p = resize::ResizeParams::from_words(words)?;
                let len = |(height, width): (u16, u16)| [p.batch, height.into(), width.into(), p.depth, 4];
                footprint.reads = [Span::new(p.input, &len(p.input_size)), Span::EMPTY];
                footprint.write = Span::new(p.output, &len(p.output_size));
            }
            Kernel::DivS8 => footprint.binary(words, 1)?,
            Kernel::DivS32
            | Kernel::FloorDivF32
            | Kernel::FloorDivS32
            | Kernel::FloorModF32
            | Kernel::FloorModS32 => footprint.binary(words, 4)?,
            Kernel::AddS64 | Kernel::SubS64 | Kernel::MulS64 | Kernel::MaximumS64 | Kernel::MinimumS64 => {
                footprint.binary(words, 8)?;
            }
            Kernel::RsqrtS8 | Kernel::NotBool => footprint.unary(words, 1)?,
            Kernel::SqrtF32
            | Kernel::RsqrtF32
            | Kernel::ExpF32
            | Kernel::EluF32
            | Kernel::LogF32
            | Kernel::SinF32
            | Kernel::CosF32
            | Kernel::SignF32
            | Kernel::LogisticF32
            | Kernel::TanhF32 => footprint.unary(words, 4)?,
            Kernel::OneHot => {
                let p = one_hot::OneHotParams::from_words(words)?;
                let element = p.element;
                footprint.reads = [
                    Span::new(p.indices, &[p.outer, p.inner, p.index_type.size()]),
                    Span::new(p.on, &[element]),
                ];
                footprint.third = Span::new(p.off, &[element]);
                footprint.write = Span::new(p.output, &[p.outer, p.depth, p.inner, element]);
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
                footprint.overlap = Overlap::Elements;
            }
            Kernel::LogSoftmaxS8 => {
                let p = log_softmax::LogSoftmaxParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.depth, p.batch]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.depth, p.batch]);
                footprint.overlap = Overlap::Elements;
            }
            Kernel::BatchMatmulS8 | Kernel::BatchMatmulS16 | Kernel::BatchMatmulF32 => {
                let p = batch_matmul::BatchMatmulParams::from_words(words)?;
                let size = match kernel {
                    Kernel::BatchMatmulS8 => 1,
                    Kernel::BatchMatmulS16 => 2,
                    _ => 4,
                };
                footprint.reads =
                    [Span::new(p.input1, &[p.len1, size]), Span::new(p.input2, &[p.len2, size])];
                footprint.write = Span::new(p.output, &[p.len, size]);
            }
            Kernel::TransposeConv | Kernel::TransposeConvS16 | Kernel::TransposeConvS16B32 => {
                let p = transpose_conv::TransposeConvParams::from_words(words)?;
                let [from, to] = p.strides(if kernel == Kernel::TransposeConv { 1 } else { 2 })?;
                footprint.reads = [Span::new(p.input, &[from, p.input_rows]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[to, p.output_rows]);
            }
            Kernel::Conv2d
            | Kernel::Conv2dScalar
            | Kernel::Conv2dAvx512Vnni
            | Kernel::Conv2dAvxVnni
            | Kernel::Conv2dAvx2
            | Kernel::Conv2dS8W4
            | Kernel::Conv2dS16
            | Kernel::Conv2dS16B32
            | Kernel::Conv2dDspFloor
            | Kernel::Conv2dDspRounded
            | Kernel::Conv2dDspRowsFloor
            | Kernel::Conv2dDspRowsRounded
            | Kernel::Conv2dMveFloor
            | Kernel::Conv2dMveRounded => {
                let p = conv_2d::Conv2dParams::from_words(words)?;
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
                footprint.overlap = match kernel {
                    Kernel::Conv2dDspFloor
                    | Kernel::Conv2dDspRounded
                    | Kernel::Conv2dDspRowsFloor
                    | Kernel::Conv2dDspRowsRounded => crate::arch::dsp::conv::overlap(&p),
                    Kernel::Conv2dMveFloor | Kernel::Conv2dMveRounded => crate::arch::mve::conv::overlap(&p),
                    _ => Overlap::Rows(p.row_distances()),
                };
            }
            Kernel::DepthwiseMveSingle => {
                let p = depthwise_conv_2d::DepthwiseConv2dParams::from_words(words)?;
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
                footprint.overlap = crate::arch::mve::conv::overlap(&depthwise_conv_2d::as_conv_2d(&p)?);
            }
            Kernel::DepthwiseConv2d
            | Kernel::DepthwiseConv2dS8W4
            | Kernel::DepthwiseConv2dS16
            | Kernel::DepthwiseConv2dScalar
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
                footprint.overlap = Overlap::Rows(p.row_distances());
            }
            Kernel::DepthwiseAny => {
                let p = depthwise_conv_2d::DepthwiseConv2dParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
                footprint.overlap = dsp::depthwise_any::overlap(&p);
            }
            Kernel::Depthwise3x3
            | Kernel::Depthwise3x3MveFloor
            | Kernel::Depthwise3x3MveRounded
            | Kernel::Depthwise3x3Relu
            | Kernel::Depthwise3x3Stride2
            | Kernel::Depthwise3x3Stride2Relu => {
                let p = depthwise_conv_2d::DepthwiseConv2dParams::from_words(words)?;
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
                footprint.overlap = dsp::depthwise::overlap(&p);
            }
            Kernel::FullyConnected
            | Kernel::FullyConnectedLitert
            | Kernel::FullyConnectedScalar
            | Kernel::FullyConnectedAvx512Vnni
            | Kernel::FullyConnectedAvxVnni
            | Kernel::FullyConnectedAvx2
            | Kernel::FullyConnectedDsp
            | Kernel::FullyConnectedMve
            | Kernel::FullyConnectedDspChannels
            | Kernel::FullyConnectedDspRows
            | Kernel::FullyConnectedOffset
            | Kernel::FullyConnectedComputed
            | Kernel::FullyConnectedS8W4
            | Kernel::FullyConnectedS16
            | Kernel::FullyConnectedS16B32 => {
                let p = fully_connected::FullyConnectedParams::from_words(words)?;
                let size = match kernel {
                    Kernel::FullyConnectedS16 | Kernel::FullyConnectedS16B32 => 2,
                    _ => 1,
                };
                footprint.scratch = Span::new(p.scratch, &[p.scratch_len]);
                footprint.reads = [Span::new(p.input, &[p.input_depth, p.batch, size]), Span::EMPTY];
                if kernel == Kernel::FullyConnectedComputed {
                    let [_, weights] = &mut footprint.reads;
                    *weights = Span::new(p.weights, &[p.output_depth, p.input_depth]);
                }
                footprint.write = Span::new(p.output, &[p.output_depth, p.batch, size]);
            }
            Kernel::SoftmaxS8 | Kernel::SoftmaxS8S16 | Kernel::SoftmaxS16 => {
                let p = softmax::SoftmaxParams::from_words(words)?;
                let from = if kernel == Kernel::SoftmaxS16 { 2 } else { 1 };
                let to = if kernel == Kernel::SoftmaxS8 { 1 } else { 2 };
                footprint.reads = [Span::new(p.input, &[p.depth, p.batch, from]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.depth, p.batch, to]);
                if from == to {
                    footprint.overlap = Overlap::Elements;
                }
            }
            Kernel::AveragePool2d
            | Kernel::MaxPool2d
            | Kernel::AveragePool2dDsp
            | Kernel::MaxPool2dDsp
            | Kernel::AveragePool2dS16
            | Kernel::MaxPool2dS16
            | Kernel::AveragePool2dAvx512Vnni
            | Kernel::MaxPool2dAvx512Vnni
            | Kernel::AveragePool2dAvxVnni
            | Kernel::MaxPool2dAvxVnni
            | Kernel::AveragePool2dAvx2
            | Kernel::MaxPool2dAvx2 => {
                let p = pool_2d::Pool2dParams::from_words(words)?;
                footprint.reads = [Span::new(p.input, &[p.input_stride, p.input_ring]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.output_stride, p.output_ring]);
                footprint.overlap = Overlap::Rows(p.row_distances());
            }
            Kernel::AddS8Dsp
            | Kernel::SubS8Dsp
            | Kernel::MulS8Dsp
            | Kernel::AddS8
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
                footprint.overlap = Overlap::Elements;
            }
            Kernel::LstmS8 | Kernel::LstmS16 => {
                let p = lstm::LstmParams::from_words(words)?;
                let size = if kernel == Kernel::LstmS8 { 1 } else { 2 };
                footprint.reads = [Span::new(p.input, &[p.batch, p.steps, p.features, size]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.batch, p.steps, p.units, size]);
                footprint.states = [
                    Span::new(p.hidden, &[p.batch, p.units, size]),
                    Span::new(p.cell, &[p.batch, p.units, 2]),
                ];
            }
            Kernel::SvdfS8 | Kernel::SvdfS16 => {
                let p = svdf::SvdfParams::from_words(words)?;
                let size = if kernel == Kernel::SvdfS8 { 1 } else { 2 };
                footprint.reads = [Span::new(p.input, &[p.batch, p.features]), Span::EMPTY];
                let units = p.filters.checked_div(p.rank)?;
                footprint.write = Span::new(p.output, &[p.batch, units]);
                footprint.states = [Span::new(p.state, &[p.batch, p.filters, p.memory, size]), Span::EMPTY];
            }
            Kernel::Requantize | Kernel::Quantize | Kernel::Dequantize => {
                let p = quantize::QuantizeParams::from_words(words)?;
                let from = if kernel == Kernel::Quantize { 4 } else { p.from.size() as u32 };
                let to = if kernel == Kernel::Dequantize { 4 } else { p.to.size() as u32 };
                footprint.reads = [Span::new(p.input, &[p.len, from]), Span::EMPTY];
                footprint.write = Span::new(p.output, &[p.len, to]);
                footprint.overlap = Overlap::Elements;
            }
        }
        Some(footprint)
    }
    /// An operator on two tensors, of elements of `size` bytes.
    fn binary(&mut self, words: &[u32], size: u32) -> Option<()> {
        let p = binary::BinaryParams::from_words(words)?;
        self.reads = [Span::new(p.input1, &[p.len1, size]), Span::new(p.input2, &[p.len2, size])];
        self.write = Span::new(p.output, &[p.len, size]);
        self.overlap = Overlap::Elements;
        self.same_elements = [p.len1 == p.len, p.len2 == p.len];
        Some(())
    }

    /// An operator on one tensor, of elements of `size` bytes.
    fn unary(&mut self, words: &[u32], size: u32) -> Option<()> {
        let p = unary::UnaryParams::from_words(words)?;
        self.reads = [Span::new(p.input, &[p.len, size]), Span::EMPTY];
        self.write = Span::new(p.output, &[p.len, size]);
        self.overlap = Overlap::Elements;
        Some(())
    }
}

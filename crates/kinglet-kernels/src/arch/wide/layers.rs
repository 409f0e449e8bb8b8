//! The descriptors: which layers these kernels take, and how their constants are packed.

use crate::arch::wide::pack::{FLAG_BYTES, Layer, Shape, sums};
use crate::ops::binary::Function;
use crate::ops::conv_2d::Conv2dParams;
use crate::ops::depthwise_conv_2d::DepthwiseConv2dParams;
use crate::ops::fully_connected::FullyConnectedParams;
use crate::{Choice, How, Kernel, Overlap, Target, Weights};

/// Bytes of the buffer that input is made ready in.
pub(crate) const BUFFER: usize = 32 * 1024;
/// Bytes behind it that may be read.
pub(crate) const SLACK: usize = 128;
/// The most runs of a filter.
pub(crate) const MAX_RUNS: usize = 64;
/// The most rows, and columns, of a depthwise window.
pub(crate) const MAX_TAPS: usize = 32;

/// How a family packs a layer with `channels` outputs.
pub(crate) const fn shape(target: Target, channels: usize) -> Option<Shape> {
    Some(match target {
        Target::Avx512Vnni if channels > 8 => Shape { lanes: 16, group: 4, offset: 128 },
        Target::Avx512Vnni | Target::AvxVnni => Shape { lanes: 8, group: 4, offset: 128 },
        Target::Avx2 => Shape { lanes: 8, group: 2, offset: 0 },
        _ => return None,
    })
}

/// The convolution kernel of a family, and the depthwise and fully connected ones.
const fn kernels(target: Target) -> [Kernel; 4] {
    match target {
        Target::Avx512Vnni => [
            Kernel::Conv2dAvx512Vnni,
            Kernel::DepthwiseConv2dAvx512Vnni,
            Kernel::DepthwiseOneAvx512Vnni,
            Kernel::FullyConnectedAvx512Vnni,
        ],
        Target::AvxVnni => [
            Kernel::Conv2dAvxVnni,
            Kernel::DepthwiseConv2dAvxVnni,
            Kernel::DepthwiseOneAvxVnni,
            Kernel::FullyConnectedAvxVnni,
        ],
        _ => [
            Kernel::Conv2dAvx2,
            Kernel::DepthwiseConv2dAvx2,
            Kernel::DepthwiseOneAvx2,
            Kernel::FullyConnectedAvx2,
        ],
    }
}

/// The runs of contiguous input bytes that a filter meets.
#[derive(Clone, Copy)]
pub(crate) struct Runs {
    pub count: usize,
    /// Steps in a run.
    pub steps: usize,
    /// Activations in a run.
    pub len: usize,
    /// Runs in a row of the filter.
    in_row: usize,
}

impl Runs {
    pub(crate) fn new(p: &Conv2dParams, group: usize) -> Option<Self> {
        let (height, width) = (usize::from(p.kernel.0), usize::from(p.kernel.1));
        let depth = usize::try_from(p.input_depth).ok()?;
        if height == 0 || width == 0 || depth == 0 || p.group_depth != p.input_depth {
            return None;
        }
        let (in_row, len) = if p.dilation.1 == 1 { (1, width.checked_mul(depth)?) } else { (width, depth) };
        let count = height.checked_mul(in_row)?;
        (count <= MAX_RUNS && len <= BUFFER).then_some(Self {
            count,
            steps: len.div_ceil(group),
            len,
            in_row,
        })
    }

    /// Where the runs start, in rows of `row` bytes and pixels of `pixel`.
    pub(crate) fn offsets<'o>(
        &self,
        offsets: &'o mut [u32; MAX_RUNS],
        row: usize,
        pixel: usize,
        dilation: (usize, usize),
    ) -> &'o [u32] {
        for (i, offset) in offsets.iter_mut().enumerate().take(self.count) {
            let (y, x) = (i / self.in_row.max(1), i % self.in_row.max(1));
            *offset = (y * dilation.0 * row + x * dilation.1 * pixel) as u32;
        }
        offsets.get(..self.count).unwrap_or_default()
    }
}

/// How a depthwise layer is cut into blocks of four vectors.
#[derive(Clone, Copy)]
pub(crate) struct Blocks {
    shape: Shape,
    depth: usize,
    kernel: (usize, usize),
    /// Outputs from one block to the next with the same weights.
    pub unit: usize,
    /// Blocks with weights of their own.
    pub phases: usize,
    /// Blocks run on from one pixel to the next.
    flat: bool,
}

impl Blocks {
    pub(crate) fn new(shape: Shape, depth: usize, kernel: (usize, usize)) -> Self {
        let block = 4 * shape.lanes;
        // The least common multiple of a power of two and the depth.
        let common = block >> depth.max(1).trailing_zeros().min(block.trailing_zeros());
        let phases = depth * common / block;
        let flat = phases > 0 && phases <= 9 && !depth.is_multiple_of(block);
        if flat {
            return Self { shape, depth, kernel, unit: phases * block, phases, flat };
        }
        Self { shape, depth, kernel, unit: depth, phases: depth.div_ceil(block), flat }
    }

    fn steps(&self) -> usize {
        self.kernel.0.div_ceil(self.shape.group) * self.kernel.1
    }

    /// Bytes of a packed block.
    pub(crate) fn group_bytes(&self) -> usize {
        self.shape.group_bytes(4, self.steps())
    }

    pub(crate) fn bytes(&self) -> Option<usize> {
        self.group_bytes().checked_mul(self.phases)
    }

    /// Where the channels of the block from output `at` on end, of `len` outputs.
    pub(crate) fn end(&self, phase: usize, at: usize, len: usize) -> usize {
        if self.flat { len } else { at - phase * 4 * self.shape.lanes + self.unit }
    }

    /// The layer's channel for channel `c` of the block of `phase`.
    fn channel(&self, phase: usize, c: usize) -> Option<usize> {
        let c = phase * 4 * self.shape.lanes + c;
        if self.flat { c.checked_rem(self.depth) } else { (c < self.depth).then_some(c) }
    }
}

/// Where the family has a kernel for the convolution.
pub(crate) fn choose_conv(p: &Conv2dParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let [kernel, ..] = kernels(how.target);
    choose_conv_as(kernel, p, weights, how)
}

fn choose_conv_as(kernel: Kernel, p: &Conv2dParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let channels = p.output_depth as usize;
    let shape = shape(how.target, channels).filter(|_| how.prepare)?;
    let runs = Runs::new(p, shape.group)?;
    let filter = runs.count.checked_mul(runs.len)?;
    if filter.checked_mul(channels)? != weights.weights.len() || p.stride.0 == 0 || p.stride.1 == 0 {
        return None;
    }
    // The window of one output fits the buffer.
    let reach = |kernel: u16, dilation: u16| (usize::from(kernel) - 1) * usize::from(dilation) + 1;
    let window = reach(p.kernel.0, p.dilation.0).checked_mul(reach(p.kernel.1, p.dilation.1))?;
    let bytes = window.checked_mul(p.input_depth as usize)?.checked_mul(4 / shape.group)?;
    if bytes > BUFFER {
        return None;
    }
    let prepared = shape.layer_bytes(channels, runs.count * runs.steps)?;
    Some(choice(kernel, prepared)?.with_overlap(Overlap::Rows(p.row_distances())))
}

/// A kernel that needs so many bytes of packed constants.
fn choice(kernel: Kernel, prepared: usize) -> Option<Choice> {
    Some(Choice { prepared: u32::try_from(prepared).ok()?, ..Choice::new(kernel) })
}

/// A depthwise layer with one input channel as a convolution; its weights stand transposed.
pub(crate) fn as_conv(p: &DepthwiseConv2dParams) -> Option<Conv2dParams> {
    (p.input_depth == 1 && p.output_depth > 1).then_some(Conv2dParams {
        input: p.input,
        input_stride: p.input_stride,
        input_ring: p.input_ring,
        output: p.output,
        output_stride: p.output_stride,
        output_ring: p.output_ring,
        input_size: p.input_size,
        input_depth: 1,
        output_size: p.output_size,
        output_depth: p.output_depth,
        kernel: p.kernel,
        group_depth: 1,
        group_filters: p.output_depth,
        stride: p.stride,
        dilation: p.dilation,
        pad: p.pad,
        quant: p.quant,
        weights: p.weights,
        bias: p.bias,
        requant: p.requant,
        requant_len: p.requant_len,
        scratch: p.scratch,
        scratch_len: p.scratch_len,
    })
}

/// Where the family has a kernel for the depthwise convolution.
pub(crate) fn choose_depthwise(
    p: &DepthwiseConv2dParams,
    weights: &Weights<'_>,
    how: &How,
) -> Option<Choice> {
    let [_, depthwise, one, _] = kernels(how.target);
    if let Some(p) = as_conv(p) {
        return choose_conv_as(one, &p, weights, how);
    }
    let depth = p.input_depth as usize;
    let shape = depthwise_shape(how.target).filter(|_| how.prepare)?;
    let kernel = (usize::from(p.kernel.0), usize::from(p.kernel.1));
    let fits = |kernel: usize, stride: u16| kernel > 0 && kernel <= MAX_TAPS && stride > 0;
    if p.output_depth != p.input_depth || !fits(kernel.0, p.stride.0) || !fits(kernel.1, p.stride.1) {
        return None;
    }
    if kernel.0.checked_mul(kernel.1)?.checked_mul(depth)? != weights.weights.len() || depth == 0 {
        return None;
    }
    let reach = |kernel: usize, dilation: u16| (kernel - 1) * usize::from(dilation) + 1;
    let columns = 1 + (reach(kernel.1, p.dilation.1) - 1) / usize::from(p.stride.1);
    let planes = usize::from(p.stride.1).min(reach(kernel.1, p.dilation.1));
    let bytes = reach(kernel.0, p.dilation.0).checked_mul(columns * planes)?.checked_mul(depth)?;
    if bytes.checked_mul(4 / shape.group)? > BUFFER {
        return None;
    }
    let prepared = Blocks::new(shape, depth, kernel).bytes()?;
    Some(choice(depthwise, prepared)?.with_overlap(Overlap::Rows(p.row_distances())))
}

/// How a family packs depthwise layers.
pub(crate) const fn depthwise_shape(target: Target) -> Option<Shape> {
    shape(target, usize::MAX)
}

/// Where the family has a kernel for the fully connected layer.
pub(crate) fn choose_dense(p: &FullyConnectedParams, weights: &Weights<'_>, how: &How) -> Option<Choice> {
    let (depth, channels) = (p.input_depth as usize, p.output_depth as usize);
    let shape = shape(how.target, channels).filter(|_| how.prepare)?;
    if depth.checked_mul(channels)? != weights.weights.len() || weights.weights.is_empty() {
        return None;
    }
    let [.., kernel] = kernels(how.target);
    let prepared = shape.layer_bytes(channels, depth.div_ceil(shape.group))?;
    choice(kernel, prepared)
}

/// The family's kernel for ADD, SUB or MUL of int8.
pub(crate) fn binary(function: Function, target: Target) -> Option<Kernel> {
    Some(match (target, function) {
        (Target::Avx512Vnni, Function::Add) => Kernel::AddS8Avx512Vnni,
        (Target::Avx512Vnni, Function::Sub) => Kernel::SubS8Avx512Vnni,
        (Target::Avx512Vnni, Function::Mul) => Kernel::MulS8Avx512Vnni,
        (Target::AvxVnni, Function::Add) => Kernel::AddS8AvxVnni,
        (Target::AvxVnni, Function::Sub) => Kernel::SubS8AvxVnni,
        (Target::AvxVnni, Function::Mul) => Kernel::MulS8AvxVnni,
        (Target::Avx2, Function::Add) => Kernel::AddS8Avx2,
        (Target::Avx2, Function::Sub) => Kernel::SubS8Avx2,
        (Target::Avx2, Function::Mul) => Kernel::MulS8Avx2,
        _ => return None,
    })
}

/// The family's kernel for average or maximum pooling.
pub(crate) fn pool(average: bool, target: Target) -> Option<Kernel> {
    Some(match (target, average) {
        (Target::Avx512Vnni, true) => Kernel::AveragePool2dAvx512Vnni,
        (Target::Avx512Vnni, false) => Kernel::MaxPool2dAvx512Vnni,
        (Target::AvxVnni, true) => Kernel::AveragePool2dAvxVnni,
        (Target::AvxVnni, false) => Kernel::MaxPool2dAvxVnni,
        (Target::Avx2, true) => Kernel::AveragePool2dAvx2,
        (Target::Avx2, false) => Kernel::MaxPool2dAvx2,
        _ => return None,
    })
}

/// Packs a convolution's constants.
pub(crate) fn pack_conv(target: Target, p: &Conv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some(shape) = shape(target, p.output_depth as usize) else { return };
    let Some(runs) = Runs::new(p, shape.group) else { return };
    let [input_zero_point, output_zero_point, ..] = p.quant.map(i32::from);
    let layer = Layer { shape, weights: *weights, input_zero_point, output_zero_point };
    pack_rows(&layer, p.output_depth as usize, &runs, weights.weights, out);
}

/// Packs a depthwise layer's constants.
pub(crate) fn pack_depthwise(
    kernel: Kernel,
    p: &DepthwiseConv2dParams,
    weights: &Weights<'_>,
    out: &mut [u8],
) {
    let target = kernel.target();
    let [_, _, one, _] = kernels(target);
    if kernel == one {
        pack_one(target, p, weights, out);
    } else {
        pack_each(target, p, weights, out);
    }
}

/// Packs the constants of a depthwise layer with one input channel.
fn pack_one(target: Target, p: &DepthwiseConv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some(p) = as_conv(p) else { return };
    let channels = p.output_depth as usize;
    let Some(shape) = shape(target, channels) else { return };
    let Some(runs) = Runs::new(&p, shape.group) else { return };
    let [input_zero_point, output_zero_point, ..] = p.quant.map(i32::from);
    let layer = Layer { shape, weights: *weights, input_zero_point, output_zero_point };
    let at = |channel: usize, i: usize| weights.weights.get(i * channels + channel).copied().unwrap_or(0);
    let len = runs.count * runs.len;
    let sums = |channel: usize| column_sums(weights.weights, channel, channels, len);
    pack_groups(&layer, channels, runs.count * runs.steps, out, sums, |channel, words, stride| {
        let mut words = words.iter_mut().step_by(stride);
        for run in 0..runs.count {
            for step in 0..runs.steps {
                let mut group = [0; 4];
                for (i, weight) in group.iter_mut().enumerate().take(shape.group) {
                    let x = step * shape.group + i;
                    if x < runs.len {
                        *weight = at(channel, run * runs.len + x);
                    }
                }
                if let Some(word) = words.next() {
                    *word = word_of(shape.group, group);
                }
            }
        }
    });
}

/// Sum and sum of magnitudes of `count` weights of one channel, which stand `step` apart.
fn column_sums(weights: &[i8], channel: usize, step: usize, count: usize) -> (i32, u32) {
    let (mut sum, mut magnitude) = (0i32, 0u32);
    for &weight in weights.get(channel..).unwrap_or_default().iter().step_by(step.max(1)).take(count) {
        sum = sum.wrapping_add(weight.into());
        magnitude = magnitude.wrapping_add(weight.unsigned_abs().into());
    }
    (sum, magnitude)
}

/// Packs the constants of a depthwise layer with a filter for each input channel.
fn pack_each(target: Target, p: &DepthwiseConv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some(shape) = depthwise_shape(target) else { return };
    let [input_zero_point, output_zero_point, ..] = p.quant.map(i32::from);
    let layer = Layer { shape, weights: *weights, input_zero_point, output_zero_point };
    let (depth, kernel) = (p.input_depth as usize, (usize::from(p.kernel.0), usize::from(p.kernel.1)));
    let blocks = Blocks::new(shape, depth, kernel);
    let taps = kernel.0 * kernel.1;
    for (phase, out) in out.chunks_exact_mut(blocks.group_bytes().max(1)).enumerate() {
        let channel_of = |c: usize| blocks.channel(phase, c);
        let sums = |channel: usize| column_sums(weights.weights, channel, depth, taps);
        layer.group(out, 4, channel_of, sums, |channel, words, stride| {
            let mut words = words.iter_mut().step_by(stride);
            let column = weights.weights.get(channel..).unwrap_or_default();
            for first in (0..kernel.0).step_by(shape.group) {
                for x in 0..kernel.1 {
                    let mut group = [0; 4];
                    for (i, weight) in group.iter_mut().enumerate().take(shape.group.min(kernel.0 - first)) {
                        *weight = column.get(((first + i) * kernel.1 + x) * depth).copied().unwrap_or(0);
                    }
                    if let Some(word) = words.next() {
                        *word = word_of(shape.group, group);
                    }
                }
            }
        });
    }
}

/// Packs a fully connected layer's constants.
pub(crate) fn pack_dense(target: Target, p: &FullyConnectedParams, weights: &Weights<'_>, out: &mut [u8]) {
    let Some(shape) = shape(target, p.output_depth as usize) else { return };
    let [input_zero_point, output_zero_point, ..] = p.quant.map(i32::from);
    let layer = Layer { shape, weights: *weights, input_zero_point, output_zero_point };
    let len = p.input_depth as usize;
    let runs = Runs { count: 1, steps: len.div_ceil(shape.group), len, in_row: 1 };
    pack_rows(&layer, p.output_depth as usize, &runs, weights.weights, out);
}

/// A step's weights as a lane takes them: bytes, or the first two as 16-bit numbers.
fn word_of(group: usize, [a, b, c, d]: [i8; 4]) -> [u8; 4] {
    if group == 4 {
        return [a, b, c, d].map(|weight| weight as u8);
    }
    let ([a, a2], [b, b2]) = (i16::from(a).to_le_bytes(), i16::from(b).to_le_bytes());
    [a, a2, b, b2]
}

/// Packs filters that stand one after the other.
fn pack_rows(layer: &Layer<'_>, channels: usize, runs: &Runs, weights: &[i8], out: &mut [u8]) {
    let group = layer.shape.group;
    let filter = runs.count * runs.len;
    let row =
        |channel: usize| weights.get(channel * filter..).and_then(|w| w.get(..filter)).unwrap_or_default();
    let sums = |channel: usize| sums(row(channel));
    pack_groups(layer, channels, runs.count * runs.steps, out, sums, |channel, words, stride| {
        let mut words = words.iter_mut().step_by(stride);
        for run in row(channel).chunks_exact(runs.len.max(1)) {
            let rest = if group == 4 {
                let (chunks, rest) = run.as_chunks::<4>();
                for (chunk, word) in chunks.iter().zip(words.by_ref()) {
                    *word = chunk.map(|weight| weight as u8);
                }
                rest
            } else {
                let (chunks, rest) = run.as_chunks::<2>();
                for (&[a, b], word) in chunks.iter().zip(words.by_ref()) {
                    *word = word_of(group, [a, b, 0, 0]);
                }
                rest
            };
            let last = match *rest {
                [a, b, c] => [a, b, c, 0],
                [a, b] => [a, b, 0, 0],
                [a] => [a, 0, 0, 0],
                _ => continue,
            };
            if let Some(word) = words.next() {
                *word = word_of(group, last);
            }
        }
    });
}

/// Packs all groups of a layer.
fn pack_groups(
    layer: &Layer<'_>,
    channels: usize,
    steps: usize,
    out: &mut [u8],
    sums: impl Fn(usize) -> (i32, u32),
    copy: impl Fn(usize, &mut [[u8; 4]], usize),
) {
    let columns = channels.div_ceil(layer.shape.lanes);
    let (mut column, mut rest) = (0, out);
    while column < columns {
        let n = Shape::columns_at(column, columns);
        let first = column * layer.shape.lanes;
        let Some((group, next)) = rest.split_at_mut_checked(layer.shape.group_bytes(n, steps)) else {
            return;
        };
        // What is behind the weights fills the group up to a multiple of 64 bytes.
        let used = FLAG_BYTES + n * (layer.shape.column() + steps * layer.shape.vector());
        let group = group.get_mut(..used).unwrap_or_default();
        let channel_of = |c: usize| (first + c < channels).then_some(first + c);
        layer.group(group, n, channel_of, &sums, &copy);
        column += n;
        rest = next;
    }
}

//! The values that each channel can have, whatever the model's inputs are: interval arithmetic.

use kinglet_kernels::quant::{Multiplier, quantize};
use kinglet_tflite::ops::{Activation, Conv2d, DepthwiseConv2d, FullyConnected};
use kinglet_tflite::{DType, Graph, ModelError, Op, Storage, Tensor};

/// Least and greatest value.
pub type Range = (i32, i32);

/// The ranges of an int8 tensor's channels (its innermost dimension).
pub type Channels = Vec<Range>;

/// Every int8 value.
const ALL: Range = (-128, 127);

/// The ranges of every int8 tensor's channels, by tensor; `None` for other tensors.
///
/// # Errors
/// [`ModelError`] for a tensor that can't be read.
pub fn find(graph: &Graph<'_>, ops: &[Op<'_>]) -> Result<Vec<Option<Channels>>, ModelError> {
    let mut ranges = Vec::new();
    for id in 0..graph.tensor_count() {
        // A tensor that is of no use may be one that can't be read.
        let tensor = graph.tensor(id).ok().filter(|tensor| tensor.dtype == DType::Int8);
        ranges.push(tensor.map(|tensor| vec![ALL; tensor.shape.last() as usize]));
    }
    for op in ops {
        let of = |tensor: &Tensor<'_>| ranges.get(tensor.id as usize).cloned().flatten();
        let (output, found) = match op {
            Op::Conv2d(op) => (&op.output, of(&op.input).and_then(|input| conv(op, &input))),
            Op::DepthwiseConv2d(op) => (&op.output, of(&op.input).and_then(|input| depthwise(op, &input))),
            Op::FullyConnected(op) => {
                (&op.output, of(&op.input).and_then(|input| fully_connected(op, &input)))
            }
            Op::Pool2d(op) => {
                let within = activation_range(op.activation, &op.output);
                (
                    &op.output,
                    of(&op.input).map(|input| input.iter().map(|&range| clamp(range, within)).collect()),
                )
            }
            Op::Reshape(op) if op.input.shape.last() == op.output.shape.last() => (&op.output, of(&op.input)),
            _ => continue,
        };
        if let (Some(found), Some(slot)) = (found, ranges.get_mut(output.id as usize)) {
            *slot = Some(found);
        }
    }
    Ok(ranges)
}

fn clamp((low, high): Range, (min, max): Range) -> Range {
    (low.max(min).min(max), high.max(min).min(max))
}

/// Least and greatest output under a fused activation. TFLite: `CalculateActivationRangeQuantized`.
fn activation_range(activation: Activation, output: &Tensor<'_>) -> Range {
    let Ok((scale, zero_point)) = output.per_tensor() else { return ALL };
    let at = |real: f32| quantize(real, scale, zero_point);
    match activation {
        Activation::Relu => (at(0.0).max(-128), 127),
        Activation::Relu6 => (at(0.0).max(-128), at(6.0).min(127)),
        Activation::ReluN1To1 => (at(-1.0).max(-128), at(1.0).min(127)),
        Activation::Relu0To1 => (at(0.0).max(-128), at(1.0).min(127)),
        _ => ALL,
    }
}

/// The int8 data of a constant; `None` for other tensors.
pub(crate) fn data<'a>(tensor: &Tensor<'a>) -> Option<&'a [u8]> {
    match tensor.storage {
        Storage::Constant { bytes, .. } if tensor.dtype == DType::Int8 => Some(bytes),
        _ => None,
    }
}

/// The int32 bias of a channel; 0 without one.
fn bias_of(bias: Option<&Tensor<'_>>, channel: usize) -> Option<i64> {
    let Some(bias) = bias else { return Some(0) };
    let Storage::Constant { bytes, .. } = bias.storage else { return None };
    let bytes = bytes.get(channel.checked_mul(4)?..)?.first_chunk::<4>()?;
    Some(i32::from_le_bytes(*bytes).into())
}

/// From accumulators to outputs.
struct Requant<'a> {
    input: &'a Tensor<'a>,
    weights: &'a Tensor<'a>,
    output: &'a Tensor<'a>,
    activation: Activation,
    /// The product of the scales is taken in float32: a fully connected layer with one scale for all weights.
    in_float: bool,
}

impl Requant<'_> {
    /// The outputs of `channel` when the accumulator is in `low..=high`: requantisation never decreases. Every
    /// value when the accumulator might wrap.
    fn range(&self, channel: usize, low: i64, high: i64) -> Option<Range> {
        let scale = |tensor: &Tensor<'_>, i: usize| tensor.quantization.scale(i);
        let i = if self.weights.quantization.len() == 1 { 0 } else { channel };
        let (input, weight, output) =
            (scale(self.input, 0)?, scale(self.weights, i)?, scale(self.output, 0)?);
        let product =
            if self.in_float { f64::from(input * weight) } else { f64::from(input) * f64::from(weight) };
        let factor = Multiplier::from_real(product / f64::from(output))?;
        let (_, zero_point) = self.output.per_tensor().ok()?;
        let room = i64::from(i32::MAX) >> factor.shift.max(0);
        if low < -room || high > room {
            return Some(ALL);
        }
        let apply = |acc: i64| factor.apply(acc as i32).saturating_add(zero_point);
        Some(clamp((apply(low), apply(high)), activation_range(self.activation, self.output)))
    }
}

/// Least and greatest product of a weight with an input of this range.
fn product(weight: u8, (low, high): Range, zero_point: i32) -> (i64, i64) {
    let weight = i64::from(weight as i8);
    let at = |value: i32| weight * i64::from(value - zero_point);
    (at(low).min(at(high)), at(low).max(at(high)))
}

/// The ranges as a window sees them that may lie over padding, which counts as the zero point.
fn with_padding(input: &[Range], zero_point: i32) -> Channels {
    input.iter().map(|&(low, high)| (low.min(zero_point), high.max(zero_point))).collect()
}

/// Sums the least and greatest products. The bias is added to both.
fn sum(products: impl Iterator<Item = (i64, i64)>, bias: i64) -> (i64, i64) {
    products.fold((bias, bias), |(low, high), (least, greatest)| (low + least, high + greatest))
}

fn conv(op: &Conv2d<'_>, input: &[Range]) -> Option<Channels> {
    let (_, zero_point) = op.input.per_tensor().ok()?;
    let input = with_padding(input, zero_point);
    let depth = input.len().checked_div(op.groups as usize)?;
    let outputs = op.output.shape.last() as usize;
    let per_group = outputs.checked_div(op.groups as usize)?;
    let filters = data(&op.filter)?;
    let requant = Requant {
        input: &op.input,
        weights: &op.filter,
        output: &op.output,
        activation: op.activation,
        in_float: false,
    };
    let mut found = Channels::new();
    for (channel, filter) in filters.chunks_exact(filters.len().checked_div(outputs)?).enumerate() {
        let group = channel.checked_div(per_group)?;
        let inputs = input.get(group * depth..(group + 1) * depth)?;
        let products =
            filter.iter().zip(inputs.iter().cycle()).map(|(&w, &range)| product(w, range, zero_point));
        let (low, high) = sum(products, bias_of(op.bias.as_ref(), channel)?);
        found.push(requant.range(channel, low, high)?);
    }
    Some(found)
}

fn depthwise(op: &DepthwiseConv2d<'_>, input: &[Range]) -> Option<Channels> {
    let (_, zero_point) = op.input.per_tensor().ok()?;
    let input = with_padding(input, zero_point);
    let outputs = op.output.shape.last() as usize;
    let filters = data(&op.filter)?;
    let requant = Requant {
        input: &op.input,
        weights: &op.filter,
        output: &op.output,
        activation: op.activation,
        in_float: false,
    };
    let mut found = Channels::new();
    for channel in 0..outputs {
        let range = *input.get(channel.checked_div(op.depth_multiplier as usize)?)?;
        let taps = filters.iter().skip(channel).step_by(outputs);
        let (low, high) =
            sum(taps.map(|&w| product(w, range, zero_point)), bias_of(op.bias.as_ref(), channel)?);
        found.push(requant.range(channel, low, high)?);
    }
    Some(found)
}

fn fully_connected(op: &FullyConnected<'_>, input: &[Range]) -> Option<Channels> {
    let (_, zero_point) = op.input.per_tensor().ok()?;
    let weights = data(&op.weights)?;
    let requant = Requant {
        input: &op.input,
        weights: &op.weights,
        output: &op.output,
        activation: op.activation,
        in_float: op.weights.quantization.len() == 1,
    };
    // A flattened image has its channels again and again.
    if !(op.depth as usize).is_multiple_of(input.len()) {
        return None;
    }
    let mut found = Channels::new();
    for (channel, weights) in weights.chunks_exact(op.depth as usize).enumerate() {
        let products =
            weights.iter().zip(input.iter().cycle()).map(|(&w, &range)| product(w, range, zero_point));
        let (low, high) = sum(products, bias_of(op.bias.as_ref(), channel)?);
        found.push(requant.range(channel, low, high)?);
    }
    Some(found)
}

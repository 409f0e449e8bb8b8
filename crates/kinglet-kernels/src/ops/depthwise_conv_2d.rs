//! DEPTHWISE_CONV_2D: every input channel is convolved by filters of its own.

use crate::arch::scalar;
use crate::arch::wide::layers;
use crate::ops::conv_2d::{self, Conv2dParams};
use crate::ops::layer::{Activation, Nibbles, Sum, Taps};
use crate::ops::rows::{Axis, RowShape, Rows, batch_and_row, product, row_distances};
use crate::ops::{dsp, mve};
use crate::params::params;
use crate::{Call, Choice, Distances, Fault, How, Kernel, Overlap, Place, Target, Weights};

params! {
    /// Parameters of the depthwise kernels. Pairs are (height, width); a row is one row of output
    /// pixels, counted through all batches.
    pub struct DepthwiseConv2dParams {
        /// Input rows.
        pub input: Place,
        /// Bytes from one input row to the next.
        pub input_stride: u32,
        /// Input rows held.
        pub input_ring: u32,
        /// Output rows.
        pub output: Place,
        /// Bytes from one output row to the next.
        pub output_stride: u32,
        /// Output rows held.
        pub output_ring: u32,
        /// Height and width of the input.
        pub input_size: (u16, u16),
        /// Input channels.
        pub input_depth: u32,
        /// Height and width of the output.
        pub output_size: (u16, u16),
        /// Output channels: `input_depth * depth_multiplier`.
        pub output_depth: u32,
        /// Output channels for each input channel.
        pub depth_multiplier: u32,
        /// Height and width of the filters.
        pub kernel: (u16, u16),
        /// Strides.
        pub stride: (u16, u16),
        /// Dilation factors.
        pub dilation: (u16, u16),
        /// Padding above and to the left.
        pub pad: (u16, u16),
        /// Input zero point (0 where folded into the bias), output zero point, least and greatest output;
        /// int16: [`limits_s16`](crate::ops::layer::limits_s16).
        pub quant: [i8; 4],
        /// Filters, `[kernel height][kernel width][output_depth]`.
        pub weights: Place,
        /// Bias for each output channel, of the sums' type, or none.
        pub bias: Place,
        /// Requantisation table.
        pub requant: u32,
        /// Its length: 1 or `output_depth`.
        pub requant_len: u32,
        /// Scratch memory.
        pub scratch: Place,
        /// Its length in bytes.
        pub scratch_len: u32,
    }
}

impl DepthwiseConv2dParams {
    /// How far apart input and output have to be for a kernel that works row by row.
    pub fn row_distances(&self) -> Distances {
        let shape = |stride, height, rows| RowShape { stride, height, rows };
        row_distances(
            shape(self.input_stride, self.input_size.0, self.input_ring),
            shape(self.output_stride, self.output_size.0, self.output_ring),
            Axis {
                input: self.input_size.0,
                stride: self.stride.0,
                dilation: self.dilation.0,
                pad: self.pad.0,
            },
            self.kernel.0,
        )
    }
}

/// The filters of all output channels see the same input, if that has one channel: a convolution.
pub fn as_conv_2d(p: &DepthwiseConv2dParams) -> Option<Conv2dParams> {
    (p.input_depth == 1).then_some(Conv2dParams {
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

/// Chooses the kernel of a depthwise convolution: one of a convolution takes the parameters of [`as_conv_2d`].
/// Places, tables and scratch are not yet known.
pub fn choose(params: &DepthwiseConv2dParams, weights: &Weights<'_>, how: &How) -> Choice {
    let helium = match how.target {
        Target::Mve if Target::Mve.is_linked() && how.prepare => {
            mve::conv::choose_single(params, weights).or_else(|| mve::depthwise::choose(params, weights))
        }
        _ => None,
    };
    if let Some(choice) = helium {
        return choice;
    }
    let fast = match how.target {
        Target::Scalar if Target::Scalar.is_linked() => {
            scalar::depthwise_conv_2d::choose(params, weights, how)
        }
        target if target.has_dsp() => {
            // Weights in rows are not what a depthwise layer has.
            let as_conv = || {
                let choice = dsp::conv::choose(&as_conv_2d(params)?, weights, how)?;
                (choice.prepared > 0).then_some(choice)
            };
            let fast = dsp::depthwise::choose(params, weights).or_else(as_conv);
            fast.or_else(|| dsp::depthwise_any::choose(params))
        }
        _ if cfg!(kinglet_wide) => layers::choose_depthwise(params, weights, how),
        _ => None,
    };
    if let Some(choice) = fast {
        return choice;
    }
    Choice::new(Kernel::DepthwiseConv2d).with_overlap(Overlap::Rows(params.row_distances()))
}

/// Writes a layer's constants as the kernel chosen wants them: [`Choice::prepared`] bytes.
pub fn pack(kernel: Kernel, params: &DepthwiseConv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    match kernel.target() {
        Target::Scalar if Target::Scalar.is_linked() => {
            scalar::depthwise_conv_2d::pack(params, weights, out);
        }
        Target::Mve if Target::Mve.is_linked() => mve::pack_depthwise(kernel, params, weights, out),
        Target::Dsp => {
            if let Some(params) = as_conv_2d(params) {
                conv_2d::pack(kernel, &params, weights, out);
            }
        }
        _ if cfg!(kinglet_wide) => layers::pack_depthwise(kernel, params, weights, out),
        _ => {}
    }
}

/// Portable depthwise convolution, int8.
pub fn depthwise_conv_2d(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i8, i32, &[i8]>(call)
}

/// Portable depthwise convolution, int8 with int4 filters.
pub fn depthwise_conv_2d_s8_w4(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i8, i32, Nibbles<'_>>(call)
}

/// Portable depthwise convolution, int16 with int8 filters and an int64 bias.
pub fn depthwise_conv_2d_s16(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i16, i64, &[i8]>(call)
}

/// The portable depthwise convolution: SAME or VALID padding, strides, dilation, depth multiplier, any
/// batch.
///
/// Padding counts as the input zero point. Sums wrap. Input and output do not overlap.
fn convolve<'a, T: Activation, S: Sum, W: Taps<'a>>(call: &Call<'a>) -> Result<(), Fault> {
    let p: DepthwiseConv2dParams = call.params()?;
    let [input_zero_point, output_zero_point, min, max] = T::quant(p.quant);
    let vertical = Axis { input: p.input_size.0, stride: p.stride.0, dilation: p.dilation.0, pad: p.pad.0 };
    let horizontal = Axis { input: p.input_size.1, stride: p.stride.1, dilation: p.dilation.1, pad: p.pad.1 };
    let output_depth = product([p.output_depth])?.max(1);
    let filter_row = product([p.kernel.1.into(), p.output_depth])?.max(1);
    let taps = product([p.kernel.0.into(), p.kernel.1.into(), p.output_depth])?;

    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let weights = W::new(call, p.weights, taps)?;
    let bias = call.bias_of::<S>(p.bias, output_depth)?;
    let requant = call.requant(p.requant, p.requant_len)?;

    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let first_row = batch.wrapping_mul(p.input_size.0.into());
        for (out_x, pixel) in T::slice(output.row(y)?).chunks_exact(output_depth).enumerate() {
            for (channel, out) in pixel.iter().enumerate() {
                let in_channel = (channel as u32).checked_div(p.depth_multiplier).ok_or(Fault::BadPlan)?;
                let mut sum = S::default();
                for (tap_y, taps) in weights.runs(filter_row).enumerate() {
                    let Some(in_y) = vertical.input_at(out_y, tap_y) else {
                        continue;
                    };
                    let row = T::slice(input.row(first_row.wrapping_add(in_y as u32))?);
                    for (tap_x, taps) in taps.runs(output_depth).enumerate() {
                        let Some(in_x) = horizontal.input_at(out_x, tap_x) else {
                            continue;
                        };
                        let at = in_x.wrapping_mul(p.input_depth as usize).wrapping_add(in_channel as usize);
                        let (Some(value), Some(tap)) = (row.get(at), taps.get(channel)) else {
                            return Err(Fault::OutOfBounds);
                        };
                        sum = sum.plus_product(T::get(value) - input_zero_point, tap);
                    }
                }
                let sum = sum.plus(bias.get(channel)?);
                let value = sum.scale(requant.get(channel)?).wrapping_add(output_zero_point);
                T::set(out, value.min(max).max(min));
            }
        }
    }
    Ok(())
}

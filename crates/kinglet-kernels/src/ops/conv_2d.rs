//! CONV_2D: two-dimensional convolution, NHWC activations, OHWI weights.

use crate::arch::wide::layers;
use crate::arch::{dsp, mve, scalar};
use crate::ops::layer::{Activation, Nibbles, Sum, Taps, dot};
use crate::ops::rows::{Axis, RowShape, Rows, batch_and_row, product, row_distances};
use crate::params::params;
use crate::{Call, Choice, Distances, Fault, How, Kernel, Overlap, Place, Target, Weights};

params! {
    /// Parameters of the convolution kernels. Pairs are (height, width); a row is one row of output
    /// pixels, counted through all batches.
    pub struct Conv2dParams {
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
        /// Output channels.
        pub output_depth: u32,
        /// Height and width of the filters.
        pub kernel: (u16, u16),
        /// Input channels a filter sees: `input_depth` divided by the number of groups.
        pub group_depth: u32,
        /// Output channels in a group.
        pub group_filters: u32,
        /// Strides.
        pub stride: (u16, u16),
        /// Dilation factors.
        pub dilation: (u16, u16),
        /// Padding above and to the left.
        pub pad: (u16, u16),
        /// Input zero point (0 where folded into the bias), output zero point, least and greatest output;
        /// int16: [`limits_s16`](crate::ops::layer::limits_s16).
        pub quant: [i8; 4],
        /// Filters, `[output_depth][kernel height][kernel width][group_depth]`.
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

impl Conv2dParams {
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

/// Chooses the kernel of a convolution. Places, tables and scratch are not yet known.
pub fn choose(params: &Conv2dParams, weights: &Weights<'_>, how: &How) -> Choice {
    let helium = match how.target {
        Target::Mve if Target::Mve.is_linked() && how.prepare => mve::conv::choose(params, weights),
        _ => None,
    };
    let fast = helium.or_else(|| match how.target {
        Target::Dsp | Target::Mve if Target::Dsp.is_linked() => dsp::conv::choose(params, weights, how),
        Target::Scalar if Target::Scalar.is_linked() => scalar::conv_2d::choose(params, weights, how),
        _ if cfg!(kinglet_wide) => layers::choose_conv(params, weights, how),
        _ => None,
    });
    fast.unwrap_or(Choice::new(Kernel::Conv2d).with_overlap(Overlap::Rows(params.row_distances())))
}

/// Writes a layer's constants as the kernel chosen wants them: [`Choice::prepared`] bytes.
pub fn pack(kernel: Kernel, params: &Conv2dParams, weights: &Weights<'_>, out: &mut [u8]) {
    match kernel.target() {
        Target::Dsp if Target::Dsp.is_linked() => dsp::conv::pack(kernel, params, weights, out),
        Target::Scalar if Target::Scalar.is_linked() => scalar::conv_2d::pack(params, weights, out),
        Target::Mve if Target::Mve.is_linked() => mve::conv::pack(kernel, params, weights, out),
        _ if cfg!(kinglet_wide) => layers::pack_conv(kernel.target(), params, weights, out),
        _ => {}
    }
}

/// Portable convolution, int8.
pub fn conv_2d(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i8, i32, &[i8]>(call)
}

/// Portable convolution, int8 with int4 filters.
pub fn conv_2d_s8_w4(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i8, i32, Nibbles<'_>>(call)
}

/// Portable convolution, int16 with int8 filters and an int64 bias.
pub fn conv_2d_s16(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i16, i64, &[i8]>(call)
}

/// Portable convolution, int16 with int8 filters and an int32 bias.
pub fn conv_2d_s16_b32(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i16, i32, &[i8]>(call)
}

/// The portable convolution: SAME or VALID padding, strides, dilation, groups, any batch.
///
/// Padding counts as the input zero point. Sums wrap. Input and output do not overlap.
fn convolve<'a, T: Activation, S: Sum, W: Taps<'a>>(call: &Call<'a>) -> Result<(), Fault> {
    let p: Conv2dParams = call.params()?;
    let [input_zero_point, output_zero_point, min, max] = T::quant(p.quant);
    let vertical = Axis { input: p.input_size.0, stride: p.stride.0, dilation: p.dilation.0, pad: p.pad.0 };
    let horizontal = Axis { input: p.input_size.1, stride: p.stride.1, dilation: p.dilation.1, pad: p.pad.1 };
    let depth = product([p.group_depth])?.max(1);
    let filter_row = product([p.kernel.1.into(), p.group_depth])?.max(1);
    let filter = product([p.kernel.0.into(), p.kernel.1.into(), p.group_depth])?.max(1);
    let output_depth = product([p.output_depth])?.max(1);
    // Taps on neighbouring inputs are worked off in one run.
    let is_dense = p.dilation.1 == 1 && p.group_depth == p.input_depth;
    let run = if is_dense { usize::from(p.kernel.1).max(1) } else { 1 };

    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;
    let weights = W::new(call, p.weights, filter.checked_mul(output_depth).ok_or(Fault::BadPlan)?)?;
    let bias = call.bias_of::<S>(p.bias, output_depth)?;
    let requant = call.requant(p.requant, p.requant_len)?;

    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let first_row = batch.wrapping_mul(p.input_size.0.into());
        for (out_x, pixel) in T::slice(output.row(y)?).chunks_exact(output_depth).enumerate() {
            for ((channel, out), filter) in pixel.iter().enumerate().zip(weights.runs(filter)) {
                let group = (channel as u32).checked_div(p.group_filters).ok_or(Fault::BadPlan)?;
                let first_channel = (group as usize).wrapping_mul(depth);
                let mut sum = S::default();
                for (tap_y, taps) in filter.runs(filter_row).enumerate() {
                    let Some(in_y) = vertical.input_at(out_y, tap_y) else {
                        continue;
                    };
                    let row = T::slice(input.row(first_row.wrapping_add(in_y as u32))?);
                    for (i, taps) in taps.runs(run.wrapping_mul(depth)).enumerate() {
                        let Some((skipped, in_x, len)) = horizontal.run_at(out_x, i.wrapping_mul(run), run)
                        else {
                            continue;
                        };
                        let len = len.wrapping_mul(depth);
                        let start = in_x.wrapping_mul(p.input_depth as usize).wrapping_add(first_channel);
                        let (Some(inputs), Some(taps)) = (
                            row.get(start..start.wrapping_add(len)),
                            taps.part(skipped.wrapping_mul(depth), len),
                        ) else {
                            return Err(Fault::OutOfBounds);
                        };
                        sum = add_run::<T, S, W>(sum, inputs, input_zero_point, taps);
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

/// A function of its own, so that its loop has the registers for itself.
#[inline(never)]
fn add_run<'a, T: Activation, S: Sum, W: Taps<'a>>(
    sum: S,
    inputs: &[T::Bytes],
    zero_point: i32,
    taps: W,
) -> S {
    dot::<T, S>(sum, inputs, zero_point, taps.values())
}

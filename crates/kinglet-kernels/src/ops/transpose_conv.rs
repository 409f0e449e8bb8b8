//! TRANSPOSE_CONV: the transpose of a convolution, NHWC activations, OHWI weights.

use crate::ops::layer::{Activation, Sum, Taps, dot};
use crate::ops::rows::{Rows, batch_and_row, product};
use crate::params::params;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of the kernels in this file. Pairs are (height, width); a row is one row of output pixels, counted
    /// through all batches.
    pub struct TransposeConvParams {
        /// Input.
        pub input: Place,
        /// Its rows, through all batches.
        pub input_rows: u32,
        /// Output.
        pub output: Place,
        /// Its rows, through all batches.
        pub output_rows: u32,
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
        /// Strides of the convolution from output to input.
        pub stride: (u16, u16),
        /// Its padding above and to the left.
        pub pad: (u16, u16),
        /// Input zero point, output zero point, least and greatest output; int16:
        /// [`limits_s16`](crate::ops::layer::limits_s16).
        pub quant: [i8; 4],
        /// Filters, `[output_depth][kernel height][kernel width][input_depth]`.
        pub weights: Place,
        /// Bias for each output channel, of the sums' type, or none.
        pub bias: Place,
        /// Requantisation table.
        pub requant: u32,
        /// Its length: 1 or `output_depth`.
        pub requant_len: u32,
    }
}

impl TransposeConvParams {
    /// Bytes of a row of the input, and of a row of the output, whose elements have `element` bytes.
    pub fn strides(&self, element: u32) -> Option<[u32; 2]> {
        let stride = |width: u16, depth: u32| u32::from(width).checked_mul(depth)?.checked_mul(element);
        Some([stride(self.input_size.1, self.input_depth)?, stride(self.output_size.1, self.output_depth)?])
    }
}

/// The input position that reaches output position `out` through tap `tap`, if one does: the convolution from
/// output to input, with this stride and padding, sees `out` there.
#[inline]
fn input_at(out: usize, tap: usize, stride: u16, pad: u16, input: u16) -> Option<usize> {
    let padded = out.wrapping_add(usize::from(pad)).checked_sub(tap)?;
    let (at, rest) = (padded.checked_div(usize::from(stride))?, padded.checked_rem(usize::from(stride))?);
    (rest == 0 && at < usize::from(input)).then_some(at)
}

/// Portable transposed convolution, int8.
pub fn transpose_conv(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i8, i32>(call)
}

/// Portable transposed convolution, int16 with int8 filters and an int64 bias.
pub fn transpose_conv_s16(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i16, i64>(call)
}

/// Portable transposed convolution, int16 with int8 filters and an int32 bias.
pub fn transpose_conv_s16_b32(call: &Call<'_>) -> Result<(), Fault> {
    convolve::<i16, i32>(call)
}

/// The portable transposed convolution: SAME or VALID padding, strides, any batch.
///
/// Sums wrap: so the order of additions, which in the reference goes by inputs and here by outputs, makes no
/// difference. Input and output do not overlap.
fn convolve<T: Activation, S: Sum>(call: &Call<'_>) -> Result<(), Fault> {
    let p: TransposeConvParams = call.params()?;
    let [input_zero_point, output_zero_point, min, max] = T::quant(p.quant);
    let depth = product([p.input_depth])?.max(1);
    let filter_row = product([p.kernel.1.into(), p.input_depth])?.max(1);
    let filter = product([p.kernel.0.into(), p.kernel.1.into(), p.input_depth])?.max(1);
    let output_depth = product([p.output_depth])?.max(1);

    let [input_stride, output_stride] = p.strides(T::SIZE as u32).ok_or(Fault::BadPlan)?;
    let input = Rows::new(call, p.input, input_stride, p.input_rows)?;
    let output = Rows::new(call, p.output, output_stride, p.output_rows)?;
    let weights = call.weights(p.weights, filter.checked_mul(output_depth).ok_or(Fault::BadPlan)?)?;
    let bias = call.bias_of::<S>(p.bias, output_depth)?;
    let requant = call.requant(p.requant, p.requant_len)?;

    for y in call.rows.clone() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let first_row = batch.wrapping_mul(p.input_size.0.into());
        for (out_x, pixel) in T::slice(output.row(y)?).chunks_exact(output_depth).enumerate() {
            for ((channel, out), filter) in pixel.iter().enumerate().zip(weights.chunks_exact(filter)) {
                let mut sum = S::default();
                for (tap_y, taps) in filter.chunks_exact(filter_row).enumerate() {
                    let Some(in_y) = input_at(out_y, tap_y, p.stride.0, p.pad.0, p.input_size.0) else {
                        continue;
                    };
                    let row = T::slice(input.row(first_row.wrapping_add(in_y as u32))?);
                    for (tap_x, taps) in taps.chunks_exact(depth).enumerate() {
                        let Some(in_x) = input_at(out_x, tap_x, p.stride.1, p.pad.1, p.input_size.1) else {
                            continue;
                        };
                        let start = in_x.wrapping_mul(depth);
                        let pixel = row.get(start..start.wrapping_add(depth)).ok_or(Fault::OutOfBounds)?;
                        sum = dot::<T, S>(sum, pixel, input_zero_point, taps.values());
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

#[cfg(test)]
mod tests {
    use super::input_at;

    #[test]
    fn taps_reach_what_the_convolution_sees() {
        // A convolution sees output `at * stride - pad + tap` at position `at`.
        for (stride, pad, size) in [(1u16, 0u16, 5u16), (2, 1, 4), (3, 2, 3)] {
            for out in 0..20 {
                for tap in 0..5 {
                    let at = (0..usize::from(size)).find(|at| {
                        (at * usize::from(stride) + tap).checked_sub(usize::from(pad)) == Some(out)
                    });
                    assert_eq!(input_at(out, tap, stride, pad, size), at);
                }
            }
        }
        assert_eq!(input_at(0, 0, 0, 0, 1), None);
    }
}

//! AVERAGE_POOL_2D and MAX_POOL_2D.

use crate::arch::wide::layers;
use crate::ops::layer::Activation;
use crate::ops::rows::{Axis, RowShape, Rows, batch_and_row, product, row_distances};
use crate::params::params;
use crate::{Call, Choice, Distances, Fault, Kernel, Overlap, Place, Target};

params! {
    /// Parameters of the pooling kernels. Pairs are (height, width); a row is one row of output
    /// pixels, counted through all batches.
    pub struct Pool2dParams {
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
        /// Height and width of the output.
        pub output_size: (u16, u16),
        /// Channels.
        pub depth: u32,
        /// Height and width of the window.
        pub kernel: (u16, u16),
        /// Strides.
        pub stride: (u16, u16),
        /// Padding above and to the left.
        pub pad: (u16, u16),
        /// Least and greatest output.
        pub limits: [i16; 2],
    }
}

impl Pool2dParams {
    /// How far apart input and output have to be for a kernel that works row by row.
    pub fn row_distances(&self) -> Distances {
        let shape = |stride, height, rows| RowShape { stride, height, rows };
        row_distances(
            shape(self.input_stride, self.input_size.0, self.input_ring),
            shape(self.output_stride, self.output_size.0, self.output_ring),
            Axis { input: self.input_size.0, stride: self.stride.0, dilation: 1, pad: self.pad.0 },
            self.kernel.0,
        )
    }
}

/// Chooses the kernel of average pooling.
pub fn choose_average(params: &Pool2dParams, target: Target) -> Choice {
    let wide = layers::pool(true, target).filter(|_| cfg!(kinglet_wide));
    let narrow = if target.has_dsp() { Kernel::AveragePool2dDsp } else { Kernel::AveragePool2d };
    let kernel = wide.unwrap_or(narrow);
    Choice::new(kernel).with_overlap(Overlap::Rows(params.row_distances()))
}

/// Chooses the kernel of maximum pooling.
pub fn choose_max(params: &Pool2dParams, target: Target) -> Choice {
    let wide = layers::pool(false, target).filter(|_| cfg!(kinglet_wide));
    let narrow = if target.has_dsp() { Kernel::MaxPool2dDsp } else { Kernel::MaxPool2d };
    let kernel = wide.unwrap_or(narrow);
    Choice::new(kernel).with_overlap(Overlap::Rows(params.row_distances()))
}

/// Portable average pooling, int8.
pub fn average_pool_2d(call: &Call<'_>) -> Result<(), Fault> {
    average::<i8>(call)
}

/// Portable average pooling, int16.
pub fn average_pool_2d_s16(call: &Call<'_>) -> Result<(), Fault> {
    average::<i16>(call)
}

/// Portable maximum pooling, int8.
pub fn max_pool_2d(call: &Call<'_>) -> Result<(), Fault> {
    max::<i8>(call)
}

/// Portable maximum pooling, int16.
pub fn max_pool_2d_s16(call: &Call<'_>) -> Result<(), Fault> {
    max::<i16>(call)
}

/// The mean of the window's inputs that are not padding, rounded to nearest, ties away from zero.
fn average<T: Activation>(call: &Call<'_>) -> Result<(), Fault> {
    pool::<T>(call, |window| {
        let (mut sum, mut count) = (0i32, 0i32);
        window(&mut |value| {
            sum = sum.wrapping_add(value);
            count += 1;
        })?;
        let half = count / 2;
        let nudged = if sum > 0 { sum.wrapping_add(half) } else { sum.wrapping_sub(half) };
        // An empty window is a damaged plan: the graph's checks leave none.
        nudged.checked_div(count).ok_or(Fault::BadPlan)
    })
}

/// The greatest of the window's inputs.
fn max<T: Activation>(call: &Call<'_>) -> Result<(), Fault> {
    pool::<T>(call, |window| {
        let mut greatest: i32 = T::min_value().as_();
        window(&mut |value| greatest = greatest.max(value))?;
        Ok(greatest)
    })
}

/// Walks the window of one output element, passing on its inputs.
type Window<'w> = &'w dyn Fn(&mut dyn FnMut(i32)) -> Result<(), Fault>;

/// Input and output do not overlap.
fn pool<T: Activation>(
    call: &Call<'_>,
    reduce: impl Fn(Window<'_>) -> Result<i32, Fault>,
) -> Result<(), Fault> {
    let p: Pool2dParams = call.params()?;
    let [min, max] = p.limits.map(i32::from);
    let vertical = Axis { input: p.input_size.0, stride: p.stride.0, dilation: 1, pad: p.pad.0 };
    let horizontal = Axis { input: p.input_size.1, stride: p.stride.1, dilation: 1, pad: p.pad.1 };
    let depth = product([p.depth])?.max(1);
    let input = Rows::new(call, p.input, p.input_stride, p.input_ring)?;
    let output = Rows::new(call, p.output, p.output_stride, p.output_ring)?;

    for y in call.each_row() {
        let (batch, out_y) = batch_and_row(y, p.output_size.0)?;
        let first_row = batch.wrapping_mul(p.input_size.0.into());
        for (out_x, pixel) in T::slice(output.row(y)?).chunks_exact(depth).enumerate() {
            for (channel, out) in pixel.iter().enumerate() {
                let value = reduce(&|visit| {
                    for tap_y in 0..usize::from(p.kernel.0) {
                        let Some(in_y) = vertical.input_at(out_y, tap_y) else {
                            continue;
                        };
                        let row = T::slice(input.row(first_row.wrapping_add(in_y as u32))?);
                        for tap_x in 0..usize::from(p.kernel.1) {
                            let Some(in_x) = horizontal.input_at(out_x, tap_x) else {
                                continue;
                            };
                            let at = in_x.wrapping_mul(depth).wrapping_add(channel);
                            visit(row.get(at).map(T::get).ok_or(Fault::OutOfBounds)?);
                        }
                    }
                    Ok(())
                })?;
                T::set(out, value.min(max).max(min));
            }
        }
    }
    Ok(())
}

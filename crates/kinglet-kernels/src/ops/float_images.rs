//! AVERAGE_POOL_2D, MAX_POOL_2D, L2_POOL_2D and RESIZE_BILINEAR of float32.

use crate::ops::binary::Limits;
use crate::ops::float::{floor_f64, sqrt};
use crate::ops::resize::ResizeParams;
use crate::ops::rows::{Axis, batch_and_row, product};
use crate::params::params;
use crate::{Call, Fault, Place, Word};

params! {
    /// Parameters of the pooling kernels. Pairs are (height, width); a row is one row of output pixels, counted
    /// through all batches.
    pub struct FloatPoolParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Number of images.
        pub batch: u32,
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
        /// Where the [`Limits`] stand in the plan.
        pub detail: u32,
    }
}

/// Portable average pooling, float32: padding does not count. Input and output do not overlap.
pub fn average_pool_2d_f32(call: &Call<'_>) -> Result<(), Fault> {
    pool(call, 0.0, |sum, x| sum + x, |sum, count| sum / count)
}

/// Portable maximum pooling, float32. Input and output do not overlap.
pub fn max_pool_2d_f32(call: &Call<'_>) -> Result<(), Fault> {
    pool(call, f32::MIN, |max, x| if x > max { x } else { max }, |max, _| max)
}

/// Portable L2_POOL_2D, float32: the root of the mean square. Input and output do not overlap.
pub fn l2_pool_2d_f32(call: &Call<'_>) -> Result<(), Fault> {
    pool(call, 0.0, |sum, x| sum + x * x, |sum, count| sqrt(sum / count))
}

fn pool(
    call: &Call<'_>,
    begin: f32,
    next: impl Fn(f32, f32) -> f32,
    end: impl Fn(f32, f32) -> f32,
) -> Result<(), Fault> {
    let p: FloatPoolParams = call.params()?;
    let limits: Limits = call.block(p.detail)?;
    let (min, max) = (f32::from_word(limits.min), f32::from_word(limits.max));
    let len = |(height, width): (u16, u16)| product([p.batch, height.into(), width.into(), p.depth]);
    let input = call.source::<f32>(p.input, len(p.input_size)?)?;
    let output = call.view::<f32>(p.output, len(p.output_size)?)?;
    let vertical = Axis { input: p.input_size.0, stride: p.stride.0, dilation: 1, pad: p.pad.0 };
    let horizontal = Axis { input: p.input_size.1, stride: p.stride.1, dilation: 1, pad: p.pad.1 };
    let depth = p.depth as usize;
    for row in call.rows.clone() {
        let (batch, out_y) = batch_and_row(row, p.output_size.0)?;
        let first_row = (batch as usize).wrapping_mul(p.input_size.0.into());
        let first = (row as usize).wrapping_mul(p.output_size.1.into());
        for out_x in 0..usize::from(p.output_size.1) {
            for channel in 0..depth {
                let (mut acc, mut count) = (begin, 0f32);
                for tap_y in 0..usize::from(p.kernel.0) {
                    let Some(in_y) = vertical.input_at(out_y, tap_y) else { continue };
                    for tap_x in 0..usize::from(p.kernel.1) {
                        let Some(in_x) = horizontal.input_at(out_x, tap_x) else { continue };
                        let row = first_row.wrapping_add(in_y).wrapping_mul(p.input_size.1.into());
                        let at = row.wrapping_add(in_x).wrapping_mul(depth).wrapping_add(channel);
                        acc = next(acc, input.get(at)?);
                        count += 1.0;
                    }
                }
                let value = end(acc, count);
                let value = if value < min { min } else { value };
                let value = if max < value { max } else { value };
                output.set(first.wrapping_add(out_x).wrapping_mul(depth).wrapping_add(channel), value)?;
            }
        }
    }
    Ok(())
}

/// Where an output position lies between two input positions.
struct Between {
    low: i32,
    high: i32,
    /// Weight of `high`.
    fraction: f32,
}

/// TFLite: `ComputeInterpolationValues`.
fn between(p: &ResizeParams, at: u16, input: u16, output: u16) -> Between {
    let scale = if p.align_corners != 0 && output > 1 {
        (f32::from(input) - 1.0) / (f32::from(output) - 1.0)
    } else {
        f32::from(input) / f32::from(output)
    };
    let at = f32::from(at);
    let position = if p.half_pixel != 0 { (at + 0.5) * scale - 0.5 } else { at * scale };
    let floor = floor_f64(position.into()) as i32;
    let ceil = -(floor_f64((-position).into()) as i32);
    let low = floor.max(0);
    Between { low, high: ceil.min(i32::from(input) - 1), fraction: position - low as f32 }
}

/// Portable RESIZE_BILINEAR of float32. TFLite: `ResizeBilinear`. Input and output do not overlap.
pub fn resize_bilinear_f32(call: &Call<'_>) -> Result<(), Fault> {
    let p: ResizeParams = call.params()?;
    let len = |(height, width): (u16, u16)| product([p.batch, height.into(), width.into(), p.depth]);
    let input = call.source::<f32>(p.input, len(p.input_size)?)?;
    let output = call.view::<f32>(p.output, len(p.output_size)?)?;
    let mut at = (call.rows.start as usize).wrapping_mul(product([p.output_size.1.into(), p.depth])?);
    for row in call.rows.clone() {
        let (batch, y) = batch_and_row(row, p.output_size.0)?;
        let y = between(&p, y as u16, p.input_size.0, p.output_size.0);
        for x in 0..p.output_size.1 {
            let x = between(&p, x, p.input_size.1, p.output_size.1);
            for channel in 0..p.depth as usize {
                let pixel =
                    |in_y: i32, in_x: i32| input.get(p.pixel(batch, in_y, in_x).wrapping_add(channel));
                // In the reference's order: float32 sums depend on it.
                let value = pixel(y.low, x.low)? * (1.0 - y.fraction) * (1.0 - x.fraction)
                    + pixel(y.high, x.low)? * y.fraction * (1.0 - x.fraction)
                    + pixel(y.low, x.high)? * (1.0 - y.fraction) * x.fraction
                    + pixel(y.high, x.high)? * y.fraction * x.fraction
                    + 0.0;
                output.set(at, value)?;
                at = at.wrapping_add(1);
            }
        }
    }
    Ok(())
}

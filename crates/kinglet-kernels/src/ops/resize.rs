//! RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR.

use crate::ops::quantize::{IntType, Integers, Output};
use crate::ops::rows::{batch_and_row, product};
use crate::params::params;
use crate::quant::round_to_i32;
use crate::{Call, Fault, Place};

params! {
    /// Parameters of the resizing kernels. Pairs are (height, width); a row is one row of output pixels,
    /// counted through all batches.
    pub struct ResizeParams {
        /// Input, anywhere.
        pub input: Place,
        /// Output.
        pub output: Place,
        /// Number of images.
        pub batch: u32,
        /// Input size.
        pub input_size: (u16, u16),
        /// Output size.
        pub output_size: (u16, u16),
        /// Channels of [`resize_bilinear`]; bytes of a pixel for [`resize_nearest`].
        pub depth: u32,
        /// Type of [`resize_bilinear`].
        pub kind: IntType,
        /// 1: the corners' centres stay where they are (`align_corners`).
        pub align_corners: u32,
        /// 1: pixels are sampled at their centres (`half_pixel_centers`).
        pub half_pixel: u32,
    }
}

impl ResizeParams {
    fn input_len(&self) -> Result<usize, Fault> {
        product([self.batch, self.input_size.0.into(), self.input_size.1.into(), self.depth])
    }

    fn output_len(&self) -> Result<usize, Fault> {
        product([self.batch, self.output_size.0.into(), self.output_size.1.into(), self.depth])
    }

    /// Index of an input pixel's first element.
    pub(crate) fn pixel(&self, batch: u32, y: i32, x: i32) -> usize {
        let row = (batch as usize).wrapping_mul(self.input_size.0.into()).wrapping_add(y as usize);
        let pixel = row.wrapping_mul(self.input_size.1.into()).wrapping_add(x as usize);
        pixel.wrapping_mul(self.depth as usize)
    }
}

/// The input position nearest to output position `at`. TFLite: `GetNearestNeighbor`, in float32.
fn nearest(p: &ResizeParams, at: u16, input: u16, output: u16) -> i32 {
    let align = p.align_corners != 0;
    let scale = if align && output > 1 {
        (f32::from(input) - 1.0) / (f32::from(output) - 1.0)
    } else {
        f32::from(input) / f32::from(output)
    };
    let offset = if p.half_pixel != 0 { 0.5 } else { 0.0 };
    let position = (f32::from(at) + offset) * scale;
    // The position is not negative: towards zero is down.
    let nearest = if align { round_to_i32(position) } else { position as i32 };
    nearest.min(i32::from(input) - 1)
}

/// Portable RESIZE_NEAREST_NEIGHBOR, any type: pixels are copied. Input and output do not overlap.
pub fn resize_nearest(call: &Call<'_>) -> Result<(), Fault> {
    let p: ResizeParams = call.params()?;
    let input = call.source::<i8>(p.input, p.input_len()?)?;
    let output = call.view::<i8>(p.output, p.output_len()?)?;
    let mut at = (call.rows.start as usize).wrapping_mul(product([p.output_size.1.into(), p.depth])?);
    for row in call.rows.clone() {
        let (batch, y) = batch_and_row(row, p.output_size.0)?;
        let in_y = nearest(&p, y as u16, p.input_size.0, p.output_size.0);
        for x in 0..p.output_size.1 {
            let from = p.pixel(batch, in_y, nearest(&p, x, p.input_size.1, p.output_size.1));
            for channel in 0..p.depth as usize {
                output.set(at, input.get(from.wrapping_add(channel))?)?;
                at = at.wrapping_add(1);
            }
        }
    }
    Ok(())
}

/// Where an output position lies between two input positions, with ten fractional bits.
struct Between {
    low: i32,
    high: i32,
    /// Weight of `high`, 0..=1024 inside the image.
    fraction: i32,
}

/// TFLite: `ComputeInterpolationValuesInteger`.
fn between(p: &ResizeParams, at: u16, input: u16, output: u16) -> Between {
    let (input, output) = (i32::from(input), i32::from(output));
    let ratio = |input: i32, output: i32| ((input << 10) + output / 2).checked_div(output).unwrap_or(0);
    let scale =
        if p.align_corners != 0 && output > 1 { ratio(input - 1, output - 1) } else { ratio(input, output) };
    let mut position = i32::from(at).wrapping_mul(scale);
    if p.half_pixel != 0 {
        position = position.wrapping_add(scale / 2 - (1 << 9));
    }
    let low = (position / 1024).max(0);
    let high = (position.wrapping_add(1023) / 1024).min(input - 1);
    Between { low, high, fraction: position.wrapping_sub(low << 10) }
}

/// Portable RESIZE_BILINEAR of int8 or int16. TFLite: `ResizeBilinearInteger`. Input and output do not
/// overlap.
pub fn resize_bilinear(call: &Call<'_>) -> Result<(), Fault> {
    let p: ResizeParams = call.params()?;
    let input = Integers::new(call, p.kind, p.input, p.input_len()?)?;
    let output = Output::new(call, p.kind, p.output, p.output_len()?)?;
    let mut at = (call.rows.start as usize).wrapping_mul(product([p.output_size.1.into(), p.depth])?);
    for row in call.rows.clone() {
        let (batch, y) = batch_and_row(row, p.output_size.0)?;
        let y = between(&p, y as u16, p.input_size.0, p.output_size.0);
        for x in 0..p.output_size.1 {
            let x = between(&p, x, p.input_size.1, p.output_size.1);
            for channel in 0..p.depth as usize {
                let term = |in_y: i32, in_x: i32, weight_y: i32, weight_x: i32| {
                    let value = input.get(p.pixel(batch, in_y, in_x).wrapping_add(channel))?;
                    Ok::<_, Fault>(i64::from(value) * i64::from(weight_y) * i64::from(weight_x))
                };
                let sum = term(y.low, x.low, 1024 - y.fraction, 1024 - x.fraction)?
                    + term(y.high, x.low, y.fraction, 1024 - x.fraction)?
                    + term(y.low, x.high, 1024 - y.fraction, x.fraction)?
                    + term(y.high, x.high, y.fraction, x.fraction)?;
                let round = if sum > 0 { 1 << 19 } else { -(1 << 19) };
                output.set(at, ((sum + round) / (1 << 20)) as i32)?;
                at = at.wrapping_add(1);
            }
        }
    }
    Ok(())
}

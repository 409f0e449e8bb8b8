//! RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR.

use super::movement::Ints;
use super::{at, check_arity, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Tensor};

/// RESIZE_NEAREST_NEIGHBOR or RESIZE_BILINEAR: `[n, h, w, c]` to another height and width.
#[derive(Clone, Copy, Debug)]
pub struct Resize<'a> {
    /// Interpolates between pixels; otherwise takes the nearest.
    pub bilinear: bool,
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same type, scale and zero point.
    pub output: Tensor<'a>,
    /// The corners' centres stay where they are.
    pub align_corners: bool,
    /// Pixels are sampled at their centres.
    pub half_pixel_centers: bool,
}

impl<'a> Resize<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, bilinear: bool) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let [data, size, output] = [input(graph, node, 0)?, input(graph, node, 1)?, output(graph, node, 0)?];
        let (align_corners, half_pixel_centers) = if bilinear {
            let options = options!(node, ResizeBilinearOptions);
            (options.align_corners()?, options.half_pixel_centers()?)
        } else {
            let options = options!(node, ResizeNearestNeighborOptions);
            (options.align_corners()?, options.half_pixel_centers()?)
        };
        if bilinear && align_corners && half_pixel_centers {
            return Err(Reason::BadOption.into());
        }
        let has_type = match bilinear {
            true => matches!(data.dtype, DType::Int8 | DType::Int16 | DType::Float32),
            false => data.has_size() && data.dtype != DType::Int4,
        };
        ensure(has_type, &data, Reason::UnsupportedType)?;
        ensure(output.dtype == data.dtype, &output, Reason::WrongType)?;
        ensure(data.quantization.is_same(&output.quantization), &output, Reason::ScalesDiffer)?;
        let sizes = Ints::new(&size)?;
        let image = |tensor: &Tensor<'_>| tensor.shape.nhwc().map_err(|reason| at(tensor, reason));
        let ([batch, height, width, depth], [out_batch, out_height, out_width, out_depth]) =
            (image(&data)?, image(&output)?);
        let fits = sizes.len() == 2
            && i64::from(sizes.get(0)) == i64::from(out_height)
            && i64::from(sizes.get(1)) == i64::from(out_width)
            && (batch, depth) == (out_batch, out_depth);
        ensure(fits, &output, Reason::ShapeMismatch)?;
        // Twenty fractional bits of a position have to fit 31 bits.
        let largest = height.max(width).max(out_height).max(out_width);
        ensure(largest <= 32_767, &output, Reason::DimensionTooLarge)?;
        Ok(Self { bilinear, input: data, output, align_corners, half_pixel_centers })
    }
}

//! BATCH_MATMUL.

use super::{at, check_arity, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Shape, Tensor};

/// BATCH_MATMUL: products of matrices, `[..., rows, depth]` by `[..., depth, columns]`; the leading
/// dimensions broadcast as in NumPy. int8, int16, or float32.
#[derive(Clone, Copy, Debug)]
pub struct BatchMatmul<'a> {
    /// The factors.
    pub inputs: [Tensor<'a>; 2],
    /// The products.
    pub output: Tensor<'a>,
    /// The leading dimensions of the factors and of the output.
    pub batches: [Shape; 3],
    /// Rows, columns and depth.
    pub size: [u32; 3],
    /// Each factor's matrices lie transposed.
    pub adjoint: [bool; 2],
}

impl<'a> BatchMatmul<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let options = options!(node, BatchMatMulOptions);
        let adjoint = [options.adj_x()?, options.adj_y()?];
        let inputs = [input(graph, node, 0)?, input(graph, node, 1)?];
        let output = output(graph, node, 0)?;
        let [a, b] = &inputs;
        ensure(matches!(a.dtype, DType::Int8 | DType::Int16 | DType::Float32), a, Reason::UnsupportedType)?;
        if a.dtype == DType::Float32 && b.dtype == DType::Int8 {
            return Err(at(a, Reason::DynamicRange));
        }
        ensure(b.dtype == a.dtype, b, Reason::WrongType)?;
        ensure(output.dtype == a.dtype, &output, Reason::WrongType)?;
        if a.dtype != DType::Float32 {
            for tensor in [a, b, &output] {
                let (_, zero_point) = tensor.per_tensor()?;
                // The references take int16 tensors to be symmetric.
                ensure(a.dtype == DType::Int8 || zero_point == 0, tensor, Reason::BadZeroPoint)?;
            }
        }

        let ((a_batch, [rows, depth]), (b_batch, [b_depth, columns])) =
            (matrices(a, adjoint[0])?, matrices(b, adjoint[1])?);
        ensure(depth == b_depth, b, Reason::ShapeMismatch)?;
        let (batch, size) = matrices(&output, false)?;
        ensure(size == [rows, columns], &output, Reason::ShapeMismatch)?;
        super::binary::check_shapes([(&a_batch, a), (&b_batch, b), (&batch, &output)])?;
        Ok(Self { inputs, output, batches: [a_batch, b_batch, batch], size: [rows, columns, depth], adjoint })
    }
}

/// The leading dimensions, and the two of the matrices, the other way round where they lie transposed.
fn matrices(tensor: &Tensor<'_>, transposed: bool) -> Result<(Shape, [u32; 2])> {
    let Some((batch, &[rows, columns])) = tensor.shape.dims().split_last_chunk() else {
        return Err(at(tensor, Reason::WrongRank));
    };
    let batch = Shape::new(batch.iter().map(|&dim| dim as i32)).map_err(|reason| at(tensor, reason))?;
    Ok((batch, if transposed { [columns, rows] } else { [rows, columns] }))
}

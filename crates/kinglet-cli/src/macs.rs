//! Multiply-accumulate operations.

use kinglet_tflite::{Graph, Node, OpKind, Tensor};

/// Multiply-accumulate operations that an operator takes, padding included; 0 for operators that are not
/// made of them, and `None` for those that kinglet does not know.
///
/// Shapes alone decide, so models in float32 can be counted too.
pub(crate) fn macs(graph: &Graph<'_>, node: &Node<'_>) -> Option<u64> {
    let input = |i| tensor(graph, node.inputs.get(i));
    let output = || tensor(graph, node.outputs.get(0)).map(|output| output.shape.len());
    // A tensor has less than 2^30 elements: products of two lengths fit.
    let count = match OpKind::from_code(node.code)? {
        // OHWI: a filter is all but the first dimension.
        OpKind::Conv2d => product(&[output()?]) * product(input(1)?.shape.dims().get(1..)?),
        // [1, height, width, channels]
        OpKind::DepthwiseConv2d => product(&[output()?]) * product(input(1)?.shape.dims().get(1..3)?),
        OpKind::FullyConnected => product(&[output()?]) * product(&[input(1)?.shape.last()]),
        // Four gates, each with weights for the input and for the units' last outputs.
        OpKind::UnidirectionalSequenceLstm => {
            let vectors = product(input(0)?.shape.dims().get(..2)?);
            let (by_input, by_hidden) = (input(1)?.shape.len(), input(5)?.shape.len());
            4 * vectors * (u64::from(by_input) + u64::from(by_hidden))
        }
        // The weights, OHWI, come before the input; each input pixel meets every filter.
        OpKind::TransposeConv => {
            product(&[input(2)?.shape.len()]) * product(input(1)?.shape.dims().get(..3)?)
        }
        OpKind::BatchMatmul => {
            let (factor, output) = (input(0)?, tensor(graph, node.outputs.get(0))?);
            let (matrix, rows) = (factor.shape.dims().last_chunk::<2>()?, output.shape.dims());
            let rows = u64::from(rows.iter().rev().nth(1).copied()?);
            product(&[output.shape.len()]) * product(matrix).checked_div(rows)?
        }
        OpKind::Svdf => {
            let batch = *input(0)?.shape.dims().first()?;
            let (features, times) = (input(1)?.shape.len(), input(2)?.shape.len());
            product(&[batch]) * (product(&[features]) + product(&[times]))
        }
        _ => 0,
    };
    Some(count)
}

fn tensor<'a>(graph: &Graph<'a>, id: Option<u32>) -> Option<Tensor<'a>> {
    graph.tensor(id?).ok()
}

fn product(sizes: &[u32]) -> u64 {
    sizes.iter().map(|&size| u64::from(size)).product()
}

//! ADD.

use super::{Activation, at, check_arity, check_int8_activation, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::generated::BuiltinOptionsRef;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Shape, Tensor};

/// ADD: int8, shapes broadcast as in NumPy.
#[derive(Clone, Copy, Debug)]
pub struct Add<'a> {
    /// The inputs.
    pub inputs: [Tensor<'a>; 2],
    /// The output.
    pub output: Tensor<'a>,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> Add<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity(node, 2..=2)?;
        // The options may be left out where they say nothing.
        let activation = match node.options()? {
            Some(BuiltinOptionsRef::AddOptions(options)) => {
                Activation::new(options.fused_activation_function())?
            }
            Some(_) => return Err(Reason::WrongOptions.into()),
            None => Activation::None,
        };
        let inputs = [input(graph, node, 0)?, input(graph, node, 1)?];
        let output = output(graph, node, 0)?;
        for input in &inputs {
            check_int8_activation(input)?;
        }
        ensure(output.dtype == DType::Int8, &output, Reason::WrongType)?;
        output.per_tensor()?;
        check_broadcast(&inputs, &output)?;
        Ok(Self { inputs, output, activation })
    }
}

/// The output's shape is that of both inputs, broadcast against each other.
fn check_broadcast(inputs: &[Tensor<'_>; 2], output: &Tensor<'_>) -> Result<()> {
    let [a, b] = inputs;
    ensure(output.shape.rank() == a.shape.rank().max(b.shape.rank()), output, Reason::ShapeMismatch)?;
    // From the innermost dimension outwards; a missing dimension counts as 1.
    let dim = |shape: &Shape, i: usize| shape.dims().iter().rev().nth(i).copied().unwrap_or(1);
    for i in 0..output.shape.rank() {
        let (a_dim, b_dim) = (dim(&a.shape, i), dim(&b.shape, i));
        if a_dim != b_dim && a_dim != 1 && b_dim != 1 {
            return Err(at(b, Reason::ShapeMismatch));
        }
        ensure(dim(&output.shape, i) == a_dim.max(b_dim), output, Reason::ShapeMismatch)?;
    }
    Ok(())
}

//! L2_NORMALIZATION and LOG_SOFTMAX: operators on the vectors of the last dimension.

use super::{Activation, activation_input, at, check_arity, ensure, output};
use crate::Result;
use crate::error::Reason;
use crate::generated::BuiltinOptionsRef;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Tensor};

/// Which function of a vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormalizeKind {
    /// Each element divided by the vector's Euclidean length: int8, float32.
    L2,
    /// The logarithm of SOFTMAX: int8.
    LogSoftmax,
}

/// A function of each vector of the last dimension.
#[derive(Clone, Copy, Debug)]
pub struct Normalize<'a> {
    /// Which function.
    pub kind: NormalizeKind,
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same type and shape.
    pub output: Tensor<'a>,
}

impl<'a> Normalize<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        check_arity(node, 1..=1)?;
        let kind = match kind {
            OpKind::LogSoftmax => NormalizeKind::LogSoftmax,
            _ => NormalizeKind::L2,
        };
        if kind == NormalizeKind::L2 {
            let activation = match node.options()? {
                None => Activation::None,
                Some(BuiltinOptionsRef::L2NormOptions(options)) => {
                    Activation::new(options.fused_activation_function())?
                }
                Some(_) => return Err(Reason::WrongOptions.into()),
            };
            if activation != Activation::None {
                return Err(Reason::UnsupportedActivation.into());
            }
        }
        let [input, output] = [activation_input(graph, node, 0)?, output(graph, node, 0)?];
        match (kind, input.dtype) {
            (_, DType::Int8) | (NormalizeKind::L2, DType::Float32) => {}
            (_, DType::Float32) => return Err(at(&input, Reason::FloatFunction)),
            _ => return Err(at(&input, Reason::UnsupportedType)),
        }
        ensure(input.shape.rank() >= 1, &input, Reason::WrongRank)?;
        ensure(output.dtype == input.dtype, &output, Reason::WrongType)?;
        ensure(input.shape == output.shape, &output, Reason::ShapeMismatch)?;
        if input.dtype == DType::Int8 {
            input.per_tensor()?;
            // TFLite fixes the output's scale: it is not used in the arithmetic.
            let fixed = match kind {
                NormalizeKind::L2 => (1.0 / 128.0, 0),
                NormalizeKind::LogSoftmax => (16.0 / 256.0, 127),
            };
            ensure(output.per_tensor()? == fixed, &output, Reason::OutputScale)?;
        }
        Ok(Self { kind, input, output })
    }
}

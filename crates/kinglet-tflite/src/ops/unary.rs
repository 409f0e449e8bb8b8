//! Operators on one tensor, element by element: LOGISTIC, TANH, HARD_SWISH, LEAKY_RELU, ELU, EXP, ABS, NEG,
//! SQUARE, FLOOR, CEIL, ROUND, SQRT, RSQRT, LOG, SIN, COS, SIGN, GELU, LOGICAL_NOT.

use super::{at, check_arity, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Tensor};

/// Which function of one element.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UnaryKind {
    /// `1 / (1 + exp(-x))`: int8, int16, float32.
    Logistic,
    /// `tanh(x)`: int8, int16, float32.
    Tanh,
    /// `x * min(6, max(0, x + 3)) / 6`: int8, float32.
    HardSwish,
    /// `x` where it is not negative, else `x * alpha`: int8, int16, float32.
    LeakyRelu {
        /// Factor of negative elements, finite.
        alpha: f32,
    },
    /// `x` where it is not negative, else `exp(x) - 1`: int8, float32.
    Elu,
    /// `exp(x)`: int8, float32.
    Exp,
    /// `|x|`: int8, int16, float32.
    Abs,
    /// `-x`: int32, float32.
    Neg,
    /// `x^2`: float32.
    Square,
    /// The greatest integer that is not greater: float32.
    Floor,
    /// The least integer that is not less: float32.
    Ceil,
    /// The nearest integer, ties to even: float32.
    Round,
    /// The square root: float32.
    Sqrt,
    /// `1 / sqrt(x)`: int8, float32.
    Rsqrt,
    /// True where the element is false: bool.
    Not,
    /// The natural logarithm: int8, float32.
    Log,
    /// `sin(x)`: float32.
    Sin,
    /// `cos(x)`: float32.
    Cos,
    /// -1, 0 or 1: float32.
    Sign,
    /// `x` times the share of a normal distribution that lies below it: int8.
    Gelu {
        /// Approximated with a hyperbolic tangent.
        approximate: bool,
    },
}

/// A function of one tensor, element by element.
#[derive(Clone, Copy, Debug)]
pub struct Unary<'a> {
    /// The function.
    pub kind: UnaryKind,
    /// The input.
    pub input: Tensor<'a>,
    /// The output, of the same type and shape.
    pub output: Tensor<'a>,
}

impl<'a> Unary<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: OpKind) -> Result<Self> {
        check_arity(node, 1..=1)?;
        let kind = match kind {
            OpKind::Logistic => UnaryKind::Logistic,
            OpKind::Tanh => UnaryKind::Tanh,
            OpKind::HardSwish => UnaryKind::HardSwish,
            OpKind::LeakyRelu => {
                let alpha = options!(node, LeakyReluOptions).alpha()?;
                if !alpha.is_finite() {
                    return Err(Reason::BadOption.into());
                }
                UnaryKind::LeakyRelu { alpha }
            }
            OpKind::Elu => UnaryKind::Elu,
            OpKind::Exp => UnaryKind::Exp,
            OpKind::Abs => UnaryKind::Abs,
            OpKind::Neg => UnaryKind::Neg,
            OpKind::Square => UnaryKind::Square,
            OpKind::Floor => UnaryKind::Floor,
            OpKind::Ceil => UnaryKind::Ceil,
            OpKind::Round => UnaryKind::Round,
            OpKind::Sqrt => UnaryKind::Sqrt,
            OpKind::Rsqrt => UnaryKind::Rsqrt,
            OpKind::LogicalNot => UnaryKind::Not,
            OpKind::Log => UnaryKind::Log,
            OpKind::Sin => UnaryKind::Sin,
            OpKind::Cos => UnaryKind::Cos,
            OpKind::Sign => UnaryKind::Sign,
            OpKind::Gelu => UnaryKind::Gelu { approximate: options!(node, GeluOptions).approximate()? },
            _ => return Err(Reason::UnsupportedOp.into()),
        };
        let [input, output] = [input(graph, node, 0)?, output(graph, node, 0)?];
        ensure(input.shape == output.shape, &output, Reason::ShapeMismatch)?;
        let op = Self { kind, input, output };
        op.check_types()?;
        if op.is_rounded_by_the_library() && !is_quantized_next(graph, op.output.id)? {
            return Err(at(&op.input, Reason::FloatFunction));
        }
        Ok(op)
    }

    /// The function's last bit is a matter of the C library: the references give what theirs gives.
    fn is_rounded_by_the_library(&self) -> bool {
        use UnaryKind::{Cos, Elu, Exp, Log, Logistic, Sin, Tanh};
        let is_such = matches!(self.kind, Cos | Elu | Exp | Log | Logistic | Sin | Tanh);
        is_such && self.input.dtype == DType::Float32
    }

    fn check_types(&self) -> Result<()> {
        use DType::{Bool, Float32, Int8, Int16, Int32};
        use UnaryKind::{
            Abs, Ceil, Cos, Elu, Exp, Floor, Gelu, HardSwish, LeakyRelu, Log, Logistic, Neg, Not, Round,
            Rsqrt, Sign, Sin, Sqrt, Square, Tanh,
        };
        let (input, output) = (&self.input, &self.output);
        match (self.kind, input.dtype) {
            (Logistic | Tanh, Int8 | Int16 | Float32) => {}
            (HardSwish, Int8 | Float32) => {}
            (LeakyRelu { .. } | Abs, Int8 | Int16 | Float32) => {}
            (Elu | Exp | Log, Int8 | Float32) => {}
            (Gelu { .. }, Int8) => {}
            (Neg, Int32 | Float32) => {}
            (Square | Floor | Ceil | Round | Sqrt | Sin | Cos | Sign, Float32) => {}
            (Rsqrt, Int8 | Float32) => {}
            (Not, Bool) => {}
            _ => return Err(at(input, Reason::UnsupportedType)),
        }
        ensure(output.dtype == input.dtype, output, Reason::WrongType)?;
        if !matches!(input.dtype, Int8 | Int16) {
            return Ok(());
        }
        let (_, input_zero) = input.per_tensor()?;
        let (scale, zero_point) = output.per_tensor()?;
        // The references take these int16 tensors to be symmetric.
        if input.dtype == Int16 && self.kind_is_symmetric() {
            ensure(input_zero == 0, input, Reason::BadZeroPoint)?;
            ensure(zero_point == 0, output, Reason::BadZeroPoint)?;
        }
        // TFLite fixes the output's scale: it is not used in the arithmetic.
        let is_fixed = match (self.kind, input.dtype) {
            (Logistic, Int8) => scale == 1.0 / 256.0 && zero_point == -128,
            (Tanh, Int8) => scale == 1.0 / 128.0 && zero_point == 0,
            (Logistic | Tanh, _) => (scale * 32_768.0 - 1.0).abs() < 0.000_69,
            _ => true,
        };
        ensure(is_fixed, output, Reason::OutputScale)
    }

    fn kind_is_symmetric(&self) -> bool {
        matches!(self.kind, UnaryKind::Logistic | UnaryKind::Tanh | UnaryKind::Abs)
    }
}

/// Only QUANTIZE reads the tensor, and to less than a float32's precision: converters write it so around a
/// function that they have no integers for. What the last bit of a float32 is, shows nowhere then.
fn is_quantized_next(graph: &Graph<'_>, id: u32) -> Result<bool> {
    if graph.outputs().iter().any(|output| output == Some(id)) {
        return Ok(false);
    }
    for node in graph.nodes() {
        let node = node?;
        if !node.inputs.iter().any(|input| input == Some(id)) {
            continue;
        }
        let output = node.outputs.get(0).map(|output| graph.tensor(output)).transpose()?;
        let is_short =
            output.is_some_and(|output| matches!(output.dtype, DType::Int8 | DType::UInt8 | DType::Int16));
        if node.code != OpKind::Quantize.code() || !is_short {
            return Ok(false);
        }
    }
    Ok(true)
}

//! Operators on two tensors, element by element, with broadcasting: ADD, SUB, MUL, DIV, MAXIMUM, MINIMUM,
//! SQUARED_DIFFERENCE, PRELU, FLOOR_DIV, FLOOR_MOD.

use super::{Activation, at, check_arity, ensure, input, output};
use crate::Result;
use crate::error::Reason;
use crate::generated::BuiltinOptionsRef;
use crate::graph::{Graph, Node};
use crate::tensor::{DType, Shape, Storage, Tensor};

/// Which function of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryKind {
    /// `a + b`
    Add,
    /// `a - b`
    Sub,
    /// `a * b`
    Mul,
    /// `a / b`
    Div,
    /// The greater.
    Maximum,
    /// The lesser.
    Minimum,
    /// `(a - b)^2`
    SquaredDifference,
    /// `a` where it is not negative, else `a * b`.
    Prelu,
    /// `a / b`, rounded down.
    FloorDiv,
    /// `a - b * floor(a / b)`
    FloorMod,
}

/// A function of two tensors, element by element; shapes broadcast as in NumPy.
///
/// Inputs and output have one type: int8 and int16 (quantised; MAXIMUM and MINIMUM take the numbers as they
/// are, as the references do), int32, int64 and float32 (not quantised).
#[derive(Clone, Copy, Debug)]
pub struct Binary<'a> {
    /// The function.
    pub kind: BinaryKind,
    /// The inputs.
    pub inputs: [Tensor<'a>; 2],
    /// The output.
    pub output: Tensor<'a>,
    /// The fused activation.
    pub activation: Activation,
}

impl<'a> Binary<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>, kind: BinaryKind) -> Result<Self> {
        check_arity(node, 2..=2)?;
        let activation = fused_activation(node, kind)?;
        let inputs = [input(graph, node, 0)?, input(graph, node, 1)?];
        let output = output(graph, node, 0)?;
        let op = Self { kind, inputs, output, activation };
        op.check_types()?;
        op.check_divisor()?;
        check_broadcast(&op.inputs, &op.output)?;
        let [a, _] = &op.inputs;
        if kind == BinaryKind::Prelu {
            ensure(op.output.shape == a.shape, &op.output, Reason::ShapeMismatch)?;
        }
        Ok(op)
    }

    /// A constant does not divide by 0, where that is an error at run time.
    fn check_divisor(&self) -> Result<()> {
        let [_, b] = &self.inputs;
        let divides = match self.kind {
            BinaryKind::Div => b.dtype != DType::Float32,
            kind => matches!(kind, BinaryKind::FloorDiv | BinaryKind::FloorMod),
        };
        let Storage::Constant { bytes, .. } = b.storage else { return Ok(()) };
        if !divides {
            return Ok(());
        }
        let has_zero = match b.dtype {
            DType::Int8 => {
                let (_, zero_point) = b.per_tensor()?;
                bytes.contains(&(zero_point as u8))
            }
            DType::Float32 => bytes.as_chunks().0.iter().any(|&bytes| f32::from_le_bytes(bytes) == 0.0),
            _ => bytes.as_chunks().0.contains(&[0u8; 4]),
        };
        ensure(!has_zero, b, Reason::DivisionByZero)
    }

    /// The elements are integers that stand for real numbers, and the operator has to know which.
    pub fn is_quantized(&self) -> bool {
        let as_they_are = matches!(self.kind, BinaryKind::Maximum | BinaryKind::Minimum);
        matches!(self.output.dtype, DType::Int8 | DType::Int16) && !as_they_are
    }

    fn check_types(&self) -> Result<()> {
        use BinaryKind::{Add, Div, FloorDiv, FloorMod, Maximum, Minimum, Mul, Prelu, Sub};
        let [a, b] = &self.inputs;
        let has_type = match a.dtype {
            DType::Int8 => !matches!(self.kind, FloorDiv | FloorMod),
            DType::Int16 => !matches!(self.kind, Div | Prelu | FloorDiv | FloorMod),
            DType::Int32 => self.kind != Prelu,
            DType::Int64 => matches!(self.kind, Add | Sub | Mul | Maximum | Minimum),
            dtype => dtype == DType::Float32,
        };
        ensure(has_type, a, Reason::UnsupportedType)?;
        ensure(b.dtype == a.dtype, b, Reason::WrongType)?;
        ensure(self.output.dtype == a.dtype, &self.output, Reason::WrongType)?;
        if self.is_quantized() {
            for tensor in [a, b, &self.output] {
                let (_, zero_point) = tensor.per_tensor()?;
                // The references take int16 tensors to be symmetric.
                ensure(a.dtype == DType::Int8 || zero_point == 0, tensor, Reason::BadZeroPoint)?;
            }
        }
        // As in TFLM: int32 operands of these operators are plain integers.
        if a.dtype == DType::Int64 && self.activation != Activation::None {
            return Err(at(a, Reason::UnsupportedActivation));
        }
        if a.dtype == DType::Int32 && matches!(self.kind, Add | Sub | Mul | Div) {
            for tensor in [a, b, &self.output] {
                ensure(tensor.quantization.is_empty(), tensor, Reason::UnsupportedType)?;
            }
        }
        Ok(())
    }
}

/// The options may be left out where they say nothing.
fn fused_activation(node: &Node<'_>, kind: BinaryKind) -> Result<Activation> {
    match kind {
        BinaryKind::Add | BinaryKind::Sub | BinaryKind::Mul | BinaryKind::Div => {}
        _ => return Ok(Activation::None),
    }
    let activation = match (kind, node.options()?) {
        (_, None) => return Ok(Activation::None),
        (BinaryKind::Add, Some(BuiltinOptionsRef::AddOptions(options))) => {
            options.fused_activation_function()
        }
        (BinaryKind::Sub, Some(BuiltinOptionsRef::SubOptions(options))) => {
            options.fused_activation_function()
        }
        (BinaryKind::Mul, Some(BuiltinOptionsRef::MulOptions(options))) => {
            options.fused_activation_function()
        }
        (BinaryKind::Div, Some(BuiltinOptionsRef::DivOptions(options))) => {
            options.fused_activation_function()
        }
        _ => return Err(Reason::WrongOptions.into()),
    };
    Activation::new(activation)
}

/// The output's shape is that of both inputs, broadcast against each other.
fn check_broadcast(inputs: &[Tensor<'_>; 2], output: &Tensor<'_>) -> Result<()> {
    let [a, b] = inputs;
    check_shapes([(&a.shape, a), (&b.shape, b), (&output.shape, output)])
}

/// The third shape is that of the first two, broadcast against each other; each with the tensor that it
/// belongs to.
pub(super) fn check_shapes(
    [(a_shape, _), (b_shape, b), (shape, output)]: [(&Shape, &Tensor<'_>); 3],
) -> Result<()> {
    ensure(shape.rank() == a_shape.rank().max(b_shape.rank()), output, Reason::ShapeMismatch)?;
    // From the innermost dimension outwards; a missing dimension counts as 1.
    let dim = |shape: &Shape, i: usize| shape.dims().iter().rev().nth(i).copied().unwrap_or(1);
    for i in 0..shape.rank() {
        let (a_dim, b_dim) = (dim(a_shape, i), dim(b_shape, i));
        if a_dim != b_dim && a_dim != 1 && b_dim != 1 {
            return Err(at(b, Reason::ShapeMismatch));
        }
        ensure(dim(shape, i) == a_dim.max(b_dim), output, Reason::ShapeMismatch)?;
    }
    Ok(())
}

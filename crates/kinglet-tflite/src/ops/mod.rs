//! The operators, checked: one file a family, each with the typed view and its shape rules.

mod batch_matmul;
mod binary;
mod cast;
mod control;
mod conv;
mod dynamic_update_slice;
mod fully_connected;
mod gather;
mod lstm;
mod movement;
mod normalize;
mod one_hot;
mod pool;
mod reduce;
mod relation;
mod rescale;
mod reshape;
mod resize;
mod select;
mod shape_of;
mod softmax;
mod sums;
mod svdf;
mod transpose_conv;
mod unary;
mod variable;

pub use batch_matmul::BatchMatmul;
pub use binary::{Binary, BinaryKind};
pub use cast::Cast;
pub use control::{CallOnce, If, While};
pub use conv::{Conv2d, DepthwiseConv2d, Window};
pub use dynamic_update_slice::DynamicUpdateSlice;
pub use fully_connected::FullyConnected;
pub use gather::{Gather, GatherNd};
pub use lstm::{Lstm, LstmGate};
pub use movement::{Dim, Movement, Piece};
pub use normalize::{Normalize, NormalizeKind};
pub use one_hot::OneHot;
pub use pool::{Pool2d, PoolKind};
pub use reduce::Reduce;
pub use relation::Relation;
pub use rescale::Rescale;
pub use reshape::Reshape;
pub use resize::Resize;
pub use select::Select;
pub use shape_of::ShapeOf;
pub use softmax::Softmax;
pub use sums::{AddN, Cumsum};
pub use svdf::Svdf;
pub use transpose_conv::TransposeConv;
pub use unary::{Unary, UnaryKind};
pub use variable::{AssignVariable, ReadVariable, VarHandle};

use crate::error::{ModelError, Reason};
use crate::generated::{ActivationFunctionType, TensorType};
use crate::graph::{Graph, Node, Op, OpSet};
use crate::opcode::{OpCode, OpKind};
use crate::tensor::{DType, Storage, Tensor};
use crate::{Result, flatbuf};

/// An activation function that is fused into an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// The range of the output type.
    None,
    /// At least 0.
    Relu,
    /// -1 to 1.
    ReluN1To1,
    /// 0 to 6.
    Relu6,
    /// 0 to 1: only as an operator of its own.
    Relu0To1,
}

impl Activation {
    fn new(wire: flatbuf::Result<ActivationFunctionType>) -> Result<Self> {
        match wire? {
            ActivationFunctionType::None => Ok(Self::None),
            ActivationFunctionType::Relu => Ok(Self::Relu),
            ActivationFunctionType::ReluN1To1 => Ok(Self::ReluN1To1),
            ActivationFunctionType::Relu6 => Ok(Self::Relu6),
            _ => Err(Reason::UnsupportedActivation.into()),
        }
    }
}

/// Types and checks one operator.
pub(crate) fn check<'a, S: OpSet>(graph: &Graph<'a>, node: &Node<'a>) -> Result<Op<'a>> {
    if node.code == OpCode::CUSTOM {
        return Err(Reason::CustomOp.into());
    }
    let kind = OpKind::from_code(node.code).ok_or(Reason::UnsupportedOp)?;
    // Written so that the compiler drops the arms of operators outside the set.
    match kind {
        OpKind::Add if S::has(OpKind::Add) => Binary::check(graph, node, BinaryKind::Add).map(Op::Binary),
        OpKind::Conv2d if S::has(OpKind::Conv2d) => Conv2d::check(graph, node).map(Op::Conv2d),
        OpKind::DepthwiseConv2d if S::has(OpKind::DepthwiseConv2d) => {
            DepthwiseConv2d::check(graph, node).map(Op::DepthwiseConv2d)
        }
        OpKind::FullyConnected if S::has(OpKind::FullyConnected) => {
            FullyConnected::check(graph, node).map(Op::FullyConnected)
        }
        OpKind::AveragePool2d if S::has(OpKind::AveragePool2d) => {
            Pool2d::check(graph, node, PoolKind::Average).map(Op::Pool2d)
        }
        OpKind::MaxPool2d if S::has(OpKind::MaxPool2d) => {
            Pool2d::check(graph, node, PoolKind::Max).map(Op::Pool2d)
        }
        OpKind::Quantize if S::has(OpKind::Quantize) => Rescale::check_quantize(graph, node).map(Op::Rescale),
        OpKind::Dequantize if S::has(OpKind::Dequantize) => {
            Rescale::check_dequantize(graph, node).map(Op::Rescale)
        }
        OpKind::Relu if S::has(OpKind::Relu) => {
            Rescale::check_activation(graph, node, Activation::Relu).map(Op::Rescale)
        }
        OpKind::Relu6 if S::has(OpKind::Relu6) => {
            Rescale::check_activation(graph, node, Activation::Relu6).map(Op::Rescale)
        }
        OpKind::ReluN1To1 if S::has(OpKind::ReluN1To1) => {
            Rescale::check_activation(graph, node, Activation::ReluN1To1).map(Op::Rescale)
        }
        OpKind::Reshape if S::has(OpKind::Reshape) => Reshape::check(graph, node).map(Op::Reshape),
        OpKind::ExpandDims if S::has(OpKind::ExpandDims) => Reshape::check(graph, node).map(Op::Reshape),
        OpKind::Squeeze if S::has(OpKind::Squeeze) => Reshape::check(graph, node).map(Op::Reshape),
        OpKind::Softmax if S::has(OpKind::Softmax) => Softmax::check(graph, node).map(Op::Softmax),
        OpKind::UnidirectionalSequenceLstm if S::has(OpKind::UnidirectionalSequenceLstm) => {
            Lstm::check(graph, node).map(Op::Lstm)
        }
        OpKind::Svdf if S::has(OpKind::Svdf) => Svdf::check(graph, node).map(Op::Svdf),
        OpKind::Sub if S::has(OpKind::Sub) => Binary::check(graph, node, BinaryKind::Sub).map(Op::Binary),
        OpKind::Mul if S::has(OpKind::Mul) => Binary::check(graph, node, BinaryKind::Mul).map(Op::Binary),
        OpKind::Div if S::has(OpKind::Div) => Binary::check(graph, node, BinaryKind::Div).map(Op::Binary),
        OpKind::Maximum if S::has(OpKind::Maximum) => {
            Binary::check(graph, node, BinaryKind::Maximum).map(Op::Binary)
        }
        OpKind::Minimum if S::has(OpKind::Minimum) => {
            Binary::check(graph, node, BinaryKind::Minimum).map(Op::Binary)
        }
        OpKind::SquaredDifference if S::has(OpKind::SquaredDifference) => {
            Binary::check(graph, node, BinaryKind::SquaredDifference).map(Op::Binary)
        }
        OpKind::Prelu if S::has(OpKind::Prelu) => {
            Binary::check(graph, node, BinaryKind::Prelu).map(Op::Binary)
        }
        OpKind::Logistic if S::has(OpKind::Logistic) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Tanh if S::has(OpKind::Tanh) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::HardSwish if S::has(OpKind::HardSwish) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::LeakyRelu if S::has(OpKind::LeakyRelu) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Elu if S::has(OpKind::Elu) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Exp if S::has(OpKind::Exp) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Abs if S::has(OpKind::Abs) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Neg if S::has(OpKind::Neg) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Square if S::has(OpKind::Square) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Floor if S::has(OpKind::Floor) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Ceil if S::has(OpKind::Ceil) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Round if S::has(OpKind::Round) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Cast if S::has(OpKind::Cast) => Cast::check(graph, node).map(Op::Cast),
        OpKind::Relu0To1 if S::has(OpKind::Relu0To1) => {
            Rescale::check_activation(graph, node, Activation::Relu0To1).map(Op::Rescale)
        }
        OpKind::ResizeBilinear if S::has(OpKind::ResizeBilinear) => {
            Resize::check(graph, node, true).map(Op::Resize)
        }
        OpKind::ResizeNearestNeighbor if S::has(OpKind::ResizeNearestNeighbor) => {
            Resize::check(graph, node, false).map(Op::Resize)
        }
        OpKind::VarHandle if S::has(OpKind::VarHandle) => VarHandle::check(graph, node).map(Op::VarHandle),
        OpKind::ReadVariable if S::has(OpKind::ReadVariable) => {
            ReadVariable::check(graph, node).map(Op::ReadVariable)
        }
        OpKind::AssignVariable if S::has(OpKind::AssignVariable) => {
            AssignVariable::check(graph, node).map(Op::AssignVariable)
        }
        OpKind::CallOnce if S::has(OpKind::CallOnce) => CallOnce::check(graph, node).map(Op::CallOnce),
        OpKind::If if S::has(OpKind::If) => If::check(graph, node).map(Op::If),
        OpKind::While if S::has(OpKind::While) => While::check(graph, node).map(Op::While),
        OpKind::AddN if S::has(OpKind::AddN) => AddN::check(graph, node).map(Op::AddN),
        OpKind::Cumsum if S::has(OpKind::Cumsum) => Cumsum::check(graph, node).map(Op::Cumsum),
        OpKind::DynamicUpdateSlice if S::has(OpKind::DynamicUpdateSlice) => {
            DynamicUpdateSlice::check(graph, node).map(Op::DynamicUpdateSlice)
        }
        OpKind::FloorDiv if S::has(OpKind::FloorDiv) => {
            Binary::check(graph, node, BinaryKind::FloorDiv).map(Op::Binary)
        }
        OpKind::FloorMod if S::has(OpKind::FloorMod) => {
            Binary::check(graph, node, BinaryKind::FloorMod).map(Op::Binary)
        }
        OpKind::L2Pool2d if S::has(OpKind::L2Pool2d) => {
            Pool2d::check(graph, node, PoolKind::L2).map(Op::Pool2d)
        }
        OpKind::LogicalNot if S::has(OpKind::LogicalNot) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Cos if S::has(OpKind::Cos) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Gelu if S::has(OpKind::Gelu) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Log if S::has(OpKind::Log) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Sign if S::has(OpKind::Sign) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Sin if S::has(OpKind::Sin) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Rsqrt if S::has(OpKind::Rsqrt) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::Sqrt if S::has(OpKind::Sqrt) => Unary::check(graph, node, kind).map(Op::Unary),
        OpKind::OneHot if S::has(OpKind::OneHot) => OneHot::check(graph, node).map(Op::OneHot),
        OpKind::Select | OpKind::SelectV2 if S::OPS & SELECT & kind.bit() != 0 => {
            Select::check(graph, node, kind).map(Op::Select)
        }
        kind if S::OPS & RELATION & kind.bit() != 0 => Relation::check(graph, node, kind).map(Op::Relation),
        OpKind::BatchMatmul if S::has(OpKind::BatchMatmul) => {
            BatchMatmul::check(graph, node).map(Op::BatchMatmul)
        }
        OpKind::Gather | OpKind::EmbeddingLookup if S::OPS & GATHER & kind.bit() != 0 => {
            Gather::check(graph, node, kind).map(Op::Gather)
        }
        OpKind::GatherNd if S::has(OpKind::GatherNd) => GatherNd::check(graph, node).map(Op::GatherNd),
        OpKind::Shape if S::has(OpKind::Shape) => ShapeOf::check(graph, node).map(Op::ShapeOf),
        OpKind::TransposeConv if S::has(OpKind::TransposeConv) => {
            TransposeConv::check(graph, node).map(Op::TransposeConv)
        }
        kind if S::OPS & NORMALIZE & kind.bit() != 0 => {
            Normalize::check(graph, node, kind).map(Op::Normalize)
        }
        kind if S::OPS & REDUCE & kind.bit() != 0 => Reduce::check(graph, node, kind).map(Op::Reduce),
        kind if S::OPS & MOVEMENT & kind.bit() != 0 => Movement::check(graph, node, kind).map(Op::Movement),
        _ => Err(Reason::OpNotSelected.into()),
    }
}

/// The operators that run another subgraph.
pub const CONTROL: u128 = OpKind::CallOnce.bit() | OpKind::If.bit() | OpKind::While.bit();

/// The operators of resource variables.
pub const VARIABLES: u128 =
    OpKind::AssignVariable.bit() | OpKind::ReadVariable.bit() | OpKind::VarHandle.bit();

/// The operators of [`Reduce`].
pub const REDUCE: u128 = OpKind::ArgMax.bit()
    | OpKind::ArgMin.bit()
    | OpKind::Mean.bit()
    | OpKind::ReduceMax.bit()
    | OpKind::ReduceMin.bit()
    | OpKind::ReduceProd.bit()
    | OpKind::ReduceAll.bit()
    | OpKind::ReduceAny.bit()
    | OpKind::Sum.bit();

/// The operators of [`Gather`].
pub const GATHER: u128 = OpKind::Gather.bit() | OpKind::EmbeddingLookup.bit();

/// The operators of [`Relation`].
pub const RELATION: u128 = OpKind::Equal.bit()
    | OpKind::NotEqual.bit()
    | OpKind::Greater.bit()
    | OpKind::GreaterEqual.bit()
    | OpKind::Less.bit()
    | OpKind::LessEqual.bit()
    | OpKind::LogicalAnd.bit()
    | OpKind::LogicalOr.bit();

/// The operators of [`Select`].
pub const SELECT: u128 = OpKind::Select.bit() | OpKind::SelectV2.bit();

/// The operators of [`Normalize`].
pub const NORMALIZE: u128 = OpKind::L2Normalization.bit() | OpKind::LogSoftmax.bit();

/// The operators of [`Movement`].
pub const MOVEMENT: u128 = OpKind::BatchToSpaceNd.bit()
    | OpKind::BroadcastTo.bit()
    | OpKind::Concatenation.bit()
    | OpKind::DepthToSpace.bit()
    | OpKind::Fill.bit()
    | OpKind::MirrorPad.bit()
    | OpKind::Pack.bit()
    | OpKind::Pad.bit()
    | OpKind::PadV2.bit()
    | OpKind::ReverseV2.bit()
    | OpKind::Slice.bit()
    | OpKind::SpaceToBatchNd.bit()
    | OpKind::SpaceToDepth.bit()
    | OpKind::Split.bit()
    | OpKind::SplitV.bit()
    | OpKind::StridedSlice.bit()
    | OpKind::Tile.bit()
    | OpKind::Transpose.bit()
    | OpKind::Unpack.bit()
    | OpKind::ZerosLike.bit();

/// A refusal that concerns a tensor.
fn at(tensor: &Tensor<'_>, reason: Reason) -> ModelError {
    ModelError::new(reason).at_tensor(tensor.id)
}

fn ensure(condition: bool, tensor: &Tensor<'_>, reason: Reason) -> Result<()> {
    if condition { Ok(()) } else { Err(at(tensor, reason)) }
}

/// `a / b` where that leaves no rest.
fn divide(a: u32, b: u32, tensor: &Tensor<'_>) -> Result<u32> {
    match (a.checked_div(b), a.checked_rem(b)) {
        (Some(quotient), Some(0)) => Ok(quotient),
        _ => Err(at(tensor, Reason::ShapeMismatch)),
    }
}

/// The operator has `inputs` inputs and one output.
fn check_arity(node: &Node<'_>, inputs: core::ops::RangeInclusive<usize>) -> Result<()> {
    check_arity_of(inputs.contains(&node.inputs.len()) && node.outputs.len() == 1)
}

/// An operator has as many inputs and outputs as it should.
fn check_arity_of(fits: bool) -> Result<()> {
    if fits { Ok(()) } else { Err(Reason::WrongArity.into()) }
}

fn input<'a>(graph: &Graph<'a>, node: &Node<'a>, i: usize) -> Result<Tensor<'a>> {
    graph.tensor(node.inputs.get(i).ok_or(Reason::MissingInput)?)
}

/// An input that kernels look for in the arena or the state memory: it is no constant.
fn activation_input<'a>(graph: &Graph<'a>, node: &Node<'a>, i: usize) -> Result<Tensor<'a>> {
    let tensor = input(graph, node, i)?;
    ensure(!tensor.is_constant(), &tensor, Reason::ConstantActivation)?;
    Ok(tensor)
}

fn optional_input<'a>(graph: &Graph<'a>, node: &Node<'a>, i: usize) -> Result<Option<Tensor<'a>>> {
    node.inputs.get(i).map(|id| graph.tensor(id)).transpose()
}

/// An output is written by the operator: it is no constant and no variable.
fn output<'a>(graph: &Graph<'a>, node: &Node<'a>, i: usize) -> Result<Tensor<'a>> {
    let tensor = graph.tensor(node.outputs.get(i).ok_or(Reason::WrongArity)?)?;
    match tensor.storage {
        Storage::Activation => Ok(tensor),
        _ => Err(at(&tensor, Reason::ConstantWritten)),
    }
}

/// The activations of a weighted operator are int8; for the two kinds of model that newcomers bring
/// first, says what to do.
fn check_int8(activations: &Tensor<'_>, weights: &Tensor<'_>) -> Result<()> {
    match (activations.dtype, weights.dtype) {
        (DType::Int8, _) => Ok(()),
        (DType::Float32, DType::Float32) => Err(at(activations, Reason::FloatModel)),
        (DType::Float32, DType::Int8 | DType::Int4 | DType::UInt8) => {
            Err(at(activations, Reason::DynamicRange))
        }
        _ => Err(at(activations, Reason::UnsupportedType)),
    }
}

/// Types of a layer with weights: int8 with int8 or int4 weights, or int16 with int8 weights.
fn check_layer(input: &Tensor<'_>, weights: &Tensor<'_>, output: &Tensor<'_>) -> Result<()> {
    match (input.dtype, weights.dtype) {
        (DType::Int8, DType::Int8 | DType::Int4) | (DType::Int16, DType::Int8) => {}
        (DType::Int8 | DType::Int16, _) => return Err(at(weights, Reason::UnsupportedType)),
        _ => check_int8(input, weights)?,
    }
    ensure(output.dtype == input.dtype, output, Reason::WrongType)?;
    for tensor in [input, output] {
        let (_, zero_point) = tensor.per_tensor()?;
        // The references take int16 tensors to be symmetric.
        ensure(input.dtype == DType::Int8 || zero_point == 0, tensor, Reason::BadZeroPoint)?;
    }
    Ok(())
}

/// What a layer with weights adds its products up in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sums {
    /// 32 bits: int8 activations, and int16 activations with an int32 bias.
    Int32,
    /// 64 bits: int16 activations otherwise.
    Int64,
}

impl Sums {
    /// Checks that the bias is a constant with one value for each of `channels`. Where an int16 layer has
    /// none, `without` says what its type would have been: int32, unless the options say int64.
    fn new(
        input: &Tensor<'_>,
        bias: Option<&Tensor<'_>>,
        without: TensorType,
        channels: u32,
    ) -> Result<Self> {
        let Some(bias) = bias else {
            let narrow = input.dtype != DType::Int16 || without != TensorType::Int64;
            return Ok(if narrow { Self::Int32 } else { Self::Int64 });
        };
        ensure(bias.is_constant(), bias, Reason::NotConstant)?;
        ensure(bias.shape.len() == channels, bias, Reason::ShapeMismatch)?;
        match (input.dtype, bias.dtype) {
            (_, DType::Int32) => Ok(Self::Int32),
            (DType::Int16, DType::Int64) => Ok(Self::Int64),
            _ => Err(at(bias, Reason::WrongType)),
        }
    }
}

/// A tensor of type int8 or int16, quantised as a whole.
fn check_activation(tensor: &Tensor<'_>) -> Result<()> {
    match tensor.dtype {
        DType::Int8 => tensor.per_tensor().map(|_| ()),
        // The references take int16 tensors to be symmetric.
        DType::Int16 => {
            let (_, zero_point) = tensor.per_tensor()?;
            ensure(zero_point == 0, tensor, Reason::BadZeroPoint)
        }
        DType::Float32 => Err(at(tensor, Reason::FloatModel)),
        _ => Err(at(tensor, Reason::UnsupportedType)),
    }
}

/// An int32 bias: a constant with one value for each channel.
fn check_bias(bias: Option<&Tensor<'_>>, channels: u32) -> Result<()> {
    let Some(bias) = bias else { return Ok(()) };
    ensure(bias.is_constant(), bias, Reason::NotConstant)?;
    ensure(bias.dtype == DType::Int32, bias, Reason::WrongType)?;
    ensure(bias.shape.len() == channels, bias, Reason::ShapeMismatch)
}

/// Takes the operator's options apart.
macro_rules! options {
    ($node:expr, $Variant:ident) => {
        match $node.options()? {
            Some($crate::generated::BuiltinOptionsRef::$Variant(options)) => options,
            Some(_) => return Err($crate::Reason::WrongOptions.into()),
            None => return Err($crate::Reason::MissingOptions.into()),
        }
    };
}
pub(crate) use options;

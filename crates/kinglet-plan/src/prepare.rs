//! From a checked operator to its kernel and the kernel's parameters.

mod batch_matmul;
mod binary;
mod cast;
mod control;
mod conv;
mod dynamic_update_slice;
mod fully_connected;
mod gather;
mod known;
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
mod softmax;
mod sums;
mod svdf;
mod transpose_conv;
mod unary;
mod variable;

use kinglet_kernels::ops::binary::Limits;
use kinglet_kernels::ops::copy::CopyParams;
use kinglet_kernels::ops::layer::limits_s16;
use kinglet_kernels::quant::{Multiplier, quantize};
use kinglet_kernels::{Choice, Kernel, Overlap, Params, Place, Region, Weights, Word};
use kinglet_tflite::ops::{Activation, GATHER, MOVEMENT, NORMALIZE, REDUCE, RELATION, SELECT, Sums};
use kinglet_tflite::{DType, Graph, ModelError, Node, Op, OpKind, OpSet, Reason, Storage, Tensor};

use crate::layout::{Frame, Places};
use crate::plan::{PlanWriter, Step};
use crate::planner::{Constants, Options};

/// What operators' parameters are written with.
pub struct Emit<'e, 'm, C> {
    pub(crate) places: &'e dyn Places,
    pub(crate) constants: &'e mut C,
    pub(crate) writer: &'e mut PlanWriter<'m>,
    pub(crate) options: &'e Options,
    /// The subgraph that the operator is in.
    pub(crate) frame: Frame,
    /// The operator's kernel.
    pub(crate) choice: Choice,
    /// Its rows are computed from the last to the first.
    pub(crate) backwards: bool,
    /// Scratch memory of the operator.
    pub(crate) scratch: Place,
    /// Word index of the parameters of the next step, once they are written.
    pub(crate) params_at: u32,
    /// Number of the operator in the file.
    pub(crate) op: u16,
    /// Number of the next step.
    pub(crate) next_step: u32,
    /// Which operator with scratch memory is the next.
    pub(crate) next_scratch: usize,
    /// Number of the next call's tensor 0.
    pub(crate) next_tensor: u32,
}

type Result<T> = core::result::Result<T, ModelError>;

impl<C: Constants> Emit<'_, '_, C> {
    /// Where a tensor lies.
    pub(crate) fn place(&mut self, tensor: &Tensor<'_>) -> Result<Place> {
        let place = match tensor.storage {
            Storage::Constant { offset, bytes } => self.constants.place(offset, bytes),
            _ => self.places.place(&self.frame, tensor),
        };
        place.ok_or(ModelError::from(Reason::TensorTooLarge).at_tensor(tensor.id))
    }

    /// Where the state of a slot lies.
    fn slot(&self, slot: u32) -> Result<Place> {
        let init = self.places.slot(slot).ok_or(Reason::NeverAssigned)?;
        Place::new(Region::State, init.offset).ok_or(Reason::TensorTooLarge.into())
    }

    /// Writes the kernel's parameters. Tables come before them.
    fn params(&mut self, params: &impl Params) {
        self.params_at = self.writer.position();
        self.writer.params(params);
    }

    /// Adds a step that writes to `output`, with the parameters that were written last.
    fn step(&mut self, kernel: Kernel, rows: u32, output: &Tensor<'_>) -> Result<()> {
        let place = self.place(output)?;
        self.step_at(kernel, rows, place, output.byte_len());
        Ok(())
    }

    /// As [`step`](Self::step), for an output of `bytes` bytes at `output`.
    fn step_at(&mut self, kernel: Kernel, rows: u32, output: Place, bytes: u32) {
        let step = Step {
            kernel: kernel.id(),
            op: self.op,
            params: self.params_at,
            first_row: if self.backwards { rows } else { 0 },
            end_row: if self.backwards { 0 } else { rows },
            output,
            output_bytes: bytes,
        };
        self.writer.step(self.next_step, step);
        self.next_step += 1;
    }

    /// Adds a step that copies.
    fn copy(&mut self, input: Place, output: Place, bytes: u32) {
        self.params(&CopyParams { input, output, bytes });
        self.step_at(Kernel::Copy, 1, output, bytes);
    }

    /// Where a layer's constants lie, and its requantisation table, if it has one in the plan: in the layout
    /// of the kernel where `pack` writes one, else as they are in the file.
    fn weighted(
        &mut self,
        layer: &Layer<'_, '_>,
        pack: impl Fn(Kernel, &Weights<'_>, &mut [u8]),
    ) -> Result<Weighted> {
        let choice = self.choice;
        let factor = |i: usize| layer.factor(i);
        let weights = layer.constants(&factor);
        for i in 0..layer.factors() {
            let factor = multiplier(layer.real_factor(i))?;
            if layer.sums == Sums::Int64 && !factor.is_wide() {
                return Err(Reason::ScaleRatio.into());
            }
        }
        if choice.prepared > 0 {
            let place =
                self.constants.prepare(choice.prepared, &mut |out| pack(choice.kernel, &weights, out));
            let weights =
                place.ok_or(ModelError::from(Reason::TensorTooLarge).at_tensor(layer.weights.id))?;
            return Ok(Weighted { weights, bias: Place::NONE, requant: 0, requant_len: 0 });
        }
        let requant = self.writer.position();
        self.writer.requant((0..layer.factors()).map(factor));
        Ok(Weighted {
            weights: self.place(layer.weights)?,
            bias: self.optional_place(layer.bias)?,
            requant,
            requant_len: layer.factors() as u32,
        })
    }

    /// Where an optional tensor lies.
    fn optional_place(&mut self, tensor: Option<&Tensor<'_>>) -> Result<Place> {
        tensor.map_or(Ok(Place::NONE), |tensor| self.place(tensor))
    }
}

/// Writes the steps of a subgraph, with the tensors of `emit.frame`.
pub(crate) fn emit_graph<S: OpSet>(graph: &Graph<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<()> {
    for index in 0..graph.op_count() {
        let node = graph.node(index)?;
        let op = graph.op::<S>(index)?;
        emit.op = emit.frame.first_op.saturating_add(index) as u16;
        emit.backwards = false;
        let done = match &op {
            Op::VarHandle(_) => Ok(()),
            Op::AssignVariable(op) if S::has(OpKind::AssignVariable) => variable::emit_assign(op, emit),
            Op::If(op) if S::has(OpKind::If) => control::emit_if::<S>(graph, &node, op, emit),
            Op::While(op) if S::has(OpKind::While) => control::emit_while::<S>(graph, &node, op, emit),
            Op::CallOnce(op) if S::has(OpKind::CallOnce) => control::emit_once::<S>(graph, op, emit),
            op => emit_op::<S>(graph, &node, op, emit),
        };
        done.map_err(|error| error.at_op(index, node.code).in_subgraph(graph.index()))?;
    }
    Ok(())
}

fn emit_op<S: OpSet>(
    graph: &Graph<'_>,
    node: &Node<'_>,
    op: &Op<'_>,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    emit.choice = choose::<S>(op, emit.options)?;
    emit.scratch = Place::NONE;
    if emit.choice.scratch > 0 {
        let place = emit.places.scratch(emit.next_step, emit.next_scratch);
        emit.scratch = place.ok_or(Reason::TensorTooLarge)?;
        emit.next_scratch += 1;
    }
    let output = graph.tensor(node.outputs.get(0).unwrap_or(0))?;
    emit.backwards = is_behind(graph, emit, node.inputs.get(0), &output)?;
    self::emit::<S>(op, &output, emit)
}

/// The output of a kernel that can work in both directions lies over its input, and starts behind it.
fn is_behind<C>(
    graph: &Graph<'_>,
    emit: &Emit<'_, '_, C>,
    input: Option<u32>,
    output: &Tensor<'_>,
) -> Result<bool> {
    let (Overlap::Rows(_), Some(input)) = (emit.choice.overlap, input) else {
        return Ok(false);
    };
    let input = graph.tensor(input)?;
    let place = |tensor: &Tensor<'_>| emit.places.place(&emit.frame, tensor);
    let (Storage::Activation, Some(from), Some(to)) = (input.storage, place(&input), place(output)) else {
        return Ok(false);
    };
    Ok(from.offset() < to.offset() && to.offset() - from.offset() < input.byte_len() as usize)
}

/// The kernel of an operator, and what it needs.
pub fn choose<S: OpSet>(op: &Op<'_>, options: &Options) -> Result<Choice> {
    use OpKind as Kind;
    // Written so that the compiler drops the arms of operators outside the set.
    Ok(match op {
        Op::Binary(op) if S::OPS & BINARY != 0 => binary::choose(op, options),
        Op::Conv2d(op) if S::has(Kind::Conv2d) => conv::choose(op, options)?,
        Op::DepthwiseConv2d(op) if S::has(Kind::DepthwiseConv2d) => conv::choose_depthwise(op, options)?,
        Op::FullyConnected(op) if S::has(Kind::FullyConnected) => fully_connected::choose(op, options)?,
        Op::Pool2d(op) if S::OPS & POOL != 0 => pool::choose(op, options)?,
        Op::Reduce(op) if S::OPS & REDUCE != 0 => reduce::choose(op),
        Op::Rescale(op) if S::OPS & RESCALE != 0 => rescale::choose(op),
        Op::Resize(op) if S::OPS & RESIZE != 0 => resize::choose(op),
        Op::Movement(_) if S::OPS & MOVEMENT != 0 => movement::choose(),
        Op::Reshape(_) if S::OPS & RESHAPE != 0 => reshape::choose(),
        Op::Softmax(op) if S::has(Kind::Softmax) => softmax::choose(op, options),
        Op::Svdf(op) if S::has(Kind::Svdf) => svdf::choose(op, options),
        Op::Lstm(op) if S::has(Kind::UnidirectionalSequenceLstm) => lstm::choose(op),
        Op::Unary(op) if S::OPS & UNARY != 0 => unary::choose(op, options),
        Op::Cast(_) if S::has(Kind::Cast) => cast::choose(options),
        Op::ReadVariable(_) => Choice::new(Kernel::Copy),
        Op::AddN(op) if S::has(Kind::AddN) => sums::choose_add_n(op),
        Op::BatchMatmul(op) if S::has(Kind::BatchMatmul) => batch_matmul::choose(op),
        Op::Cumsum(op) if S::has(Kind::Cumsum) => sums::choose_cumsum(op),
        Op::DynamicUpdateSlice(_) if S::has(Kind::DynamicUpdateSlice) => {
            Choice::new(Kernel::DynamicUpdateSlice)
        }
        Op::Gather(_) if S::OPS & GATHER != 0 => Choice::new(Kernel::Gather),
        Op::GatherNd(_) if S::has(Kind::GatherNd) => Choice::new(Kernel::GatherNd),
        Op::Normalize(op) if S::OPS & NORMALIZE != 0 => normalize::choose(op),
        Op::OneHot(_) if S::has(Kind::OneHot) => Choice::new(Kernel::OneHot),
        Op::Relation(_) if S::OPS & RELATION != 0 => {
            Choice::new(Kernel::Relation).with_overlap(Overlap::Elements)
        }
        Op::Select(_) if S::OPS & SELECT != 0 => Choice::new(Kernel::Select),
        Op::ShapeOf(_) if S::has(Kind::Shape) => Choice::new(Kernel::Known),
        Op::TransposeConv(op) if S::has(Kind::TransposeConv) => transpose_conv::choose(op),
        _ => Choice::new(Kernel::Nothing),
    })
}

/// Number of steps of an operator that runs no subgraph.
pub(crate) fn step_count<S: OpSet>(op: &Op<'_>) -> u32 {
    match op {
        Op::Movement(op) if S::OPS & MOVEMENT != 0 => movement::step_count(op),
        Op::VarHandle(_) => 0,
        _ => 1,
    }
}

/// Writes an operator's steps and the parameters of their kernels.
pub(crate) fn emit<S: OpSet>(
    op: &Op<'_>,
    output: &Tensor<'_>,
    emit: &mut Emit<'_, '_, impl Constants>,
) -> Result<()> {
    match op {
        Op::Movement(op) if S::OPS & MOVEMENT != 0 => movement::emit(op, emit),
        Op::Reshape(op)
            if S::OPS & RESHAPE != 0 && emit.places.share_a_place(&emit.frame, &op.input, &op.output) =>
        {
            emit.step(Kernel::Nothing, 0, output)
        }
        _ => {
            let rows = emit_one::<S>(op, emit)?;
            emit.step(emit.choice.kernel, rows, output)
        }
    }
}

/// Writes the parameters of an operator with one step. Returns the number of rows that it computes.
fn emit_one<S: OpSet>(op: &Op<'_>, emit: &mut Emit<'_, '_, impl Constants>) -> Result<u32> {
    use OpKind as Kind;
    match op {
        Op::Binary(op) if S::OPS & BINARY != 0 => binary::emit(op, emit),
        Op::Conv2d(op) if S::has(Kind::Conv2d) => conv::emit(op, emit),
        Op::DepthwiseConv2d(op) if S::has(Kind::DepthwiseConv2d) => conv::emit_depthwise(op, emit),
        Op::FullyConnected(op) if S::has(Kind::FullyConnected) => fully_connected::emit(op, emit),
        Op::Pool2d(op) if S::OPS & POOL != 0 => pool::emit(op, emit),
        Op::Reduce(op) if S::OPS & REDUCE != 0 => reduce::emit(op, emit),
        Op::Rescale(op) if S::OPS & RESCALE != 0 => rescale::emit(op, emit),
        Op::Resize(op) if S::OPS & RESIZE != 0 => resize::emit(op, emit),
        Op::Reshape(op) if S::OPS & RESHAPE != 0 => reshape::emit(op, emit),
        Op::Softmax(op) if S::has(Kind::Softmax) => softmax::emit(op, emit),
        Op::Svdf(op) if S::has(Kind::Svdf) => svdf::emit(op, emit),
        Op::Lstm(op) if S::has(Kind::UnidirectionalSequenceLstm) => lstm::emit(op, emit),
        Op::Unary(op) if S::OPS & UNARY != 0 => unary::emit::<S>(op, emit),
        Op::Cast(op) if S::has(Kind::Cast) => cast::emit(op, emit),
        Op::ReadVariable(op) if S::has(Kind::ReadVariable) => variable::emit_read(op, emit),
        Op::AddN(op) if S::has(Kind::AddN) => sums::emit_add_n(op, emit),
        Op::BatchMatmul(op) if S::has(Kind::BatchMatmul) => batch_matmul::emit(op, emit),
        Op::Cumsum(op) if S::has(Kind::Cumsum) => sums::emit_cumsum(op, emit),
        Op::DynamicUpdateSlice(op) if S::has(Kind::DynamicUpdateSlice) => {
            dynamic_update_slice::emit(op, emit)
        }
        Op::Gather(op) if S::OPS & GATHER != 0 => gather::emit(op, emit),
        Op::GatherNd(op) if S::has(Kind::GatherNd) => gather::emit_nd(op, emit),
        Op::Normalize(op) if S::OPS & NORMALIZE != 0 => normalize::emit::<S>(op, emit),
        Op::OneHot(op) if S::has(Kind::OneHot) => one_hot::emit(op, emit),
        Op::Relation(op) if S::OPS & RELATION != 0 => relation::emit(op, emit),
        Op::Select(op) if S::OPS & SELECT != 0 => select::emit(op, emit),
        Op::ShapeOf(op) if S::has(Kind::Shape) => known::emit_shape(op, emit),
        Op::TransposeConv(op) if S::has(Kind::TransposeConv) => transpose_conv::emit(op, emit),
        _ => Err(Reason::OpNotSelected.into()),
    }
}

/// The operators that `pool` serves.
const POOL: u128 = OpKind::AveragePool2d.bit() | OpKind::MaxPool2d.bit() | OpKind::L2Pool2d.bit();

/// The operators that `resize` serves.
const RESIZE: u128 = OpKind::ResizeBilinear.bit() | OpKind::ResizeNearestNeighbor.bit();

/// The operators that `reshape` serves.
const RESHAPE: u128 = OpKind::Reshape.bit() | OpKind::ExpandDims.bit() | OpKind::Squeeze.bit();

/// The operators that `binary` serves.
const BINARY: u128 = OpKind::Add.bit()
    | OpKind::Sub.bit()
    | OpKind::Mul.bit()
    | OpKind::Div.bit()
    | OpKind::Maximum.bit()
    | OpKind::Minimum.bit()
    | OpKind::SquaredDifference.bit()
    | OpKind::Prelu.bit()
    | OpKind::FloorDiv.bit()
    | OpKind::FloorMod.bit();

/// The operators that `unary` serves.
const UNARY: u128 = OpKind::Logistic.bit()
    | OpKind::Tanh.bit()
    | OpKind::HardSwish.bit()
    | OpKind::LeakyRelu.bit()
    | OpKind::Elu.bit()
    | OpKind::Exp.bit()
    | OpKind::Abs.bit()
    | OpKind::Neg.bit()
    | OpKind::Square.bit()
    | OpKind::Floor.bit()
    | OpKind::Ceil.bit()
    | OpKind::Round.bit()
    | OpKind::Sqrt.bit()
    | OpKind::Rsqrt.bit()
    | OpKind::LogicalNot.bit()
    | OpKind::Log.bit()
    | OpKind::Sin.bit()
    | OpKind::Cos.bit()
    | OpKind::Sign.bit()
    | OpKind::Gelu.bit();

/// The operators that `rescale` serves.
const RESCALE: u128 = OpKind::Quantize.bit()
    | OpKind::Dequantize.bit()
    | OpKind::Relu.bit()
    | OpKind::Relu6.bit()
    | OpKind::ReluN1To1.bit()
    | OpKind::Relu0To1.bit();

/// Least and greatest output under a fused activation. TFLite: `CalculateActivationRangeQuantized`.
fn activation_range(activation: Activation, output: &Tensor<'_>) -> Result<(i32, i32)> {
    let (scale, zero_point) = output.per_tensor()?;
    let (min, max) = output.dtype.range().ok_or(ModelError::from(Reason::WrongType).at_tensor(output.id))?;
    let at = |real: f32| quantize(real, scale, zero_point);
    Ok(match activation {
        Activation::None => (min, max),
        Activation::Relu => (min.max(at(0.0)), max),
        Activation::Relu6 => (min.max(at(0.0)), max.min(at(6.0))),
        Activation::ReluN1To1 => (min.max(at(-1.0)), max.min(at(1.0))),
        Activation::Relu0To1 => (min.max(at(0.0)), max.min(at(1.0))),
    })
}

/// Least and greatest output of an operator on int32 or float32, where `greatest` bounds what has no other
/// bound. TFLite: `CalculateActivationRange`.
fn limits(activation: Activation, dtype: DType, greatest: f32) -> Limits {
    fn words(min: impl Word, max: impl Word) -> Limits {
        Limits { min: min.to_word(), max: max.to_word() }
    }
    let (min, max) = match activation {
        Activation::None => (None, None),
        Activation::Relu => (Some(0i8), None),
        Activation::Relu6 => (Some(0), Some(6i8)),
        Activation::ReluN1To1 => (Some(-1), Some(1)),
        Activation::Relu0To1 => (Some(0), Some(1)),
    };
    if dtype == DType::Float32 {
        words(min.map_or(-greatest, f32::from), max.map_or(greatest, f32::from))
    } else {
        words(min.map_or(i32::MIN, i32::from), max.map_or(i32::MAX, i32::from))
    }
}

/// A factor as multiplier and shift.
fn multiplier(real: f64) -> Result<Multiplier> {
    Multiplier::from_real(real).ok_or(Reason::ScaleRatio.into())
}

/// Input zero point, output zero point, least and greatest output of a layer, as its kernel takes them.
fn layer_quant(input: &Tensor<'_>, output: &Tensor<'_>, activation: Activation) -> Result<[i8; 4]> {
    let (_, input_zero) = input.per_tensor()?;
    let (_, output_zero) = output.per_tensor()?;
    let (min, max) = activation_range(activation, output)?;
    if output.dtype == DType::Int16 {
        return Ok(limits_s16(min as i16, max as i16));
    }
    // All were seen to lie within int8.
    Ok([input_zero, output_zero, min, max].map(|value| value as i8))
}

/// The constants of a layer with weights.
struct Layer<'l, 'a> {
    input: &'l Tensor<'a>,
    weights: &'l Tensor<'a>,
    bias: Option<&'l Tensor<'a>>,
    output: &'l Tensor<'a>,
    sums: Sums,
    /// Scales of input and weights are multiplied in float32, as TFLite does for a fully connected layer
    /// with one scale for all weights (`GetQuantizedConvolutionMultipler`).
    in_float: bool,
    /// The weights of one tap lie together, not those of one output channel.
    by_tap: bool,
}

/// Where a layer's constants lie.
struct Weighted {
    weights: Place,
    bias: Place,
    requant: u32,
    requant_len: u32,
}

impl Layer<'_, '_> {
    /// Number of requantisation factors: one, or one for each output channel.
    fn factors(&self) -> usize {
        self.weights.quantization.len()
    }

    /// What channel `i` is multiplied by: `input * weights / output`, in the reference's order of
    /// operations. TFLite: `PopulateConvolutionQuantizationParams`.
    fn real_factor(&self, i: usize) -> f64 {
        let i = if self.factors() == 1 { 0 } else { i };
        let scale = |tensor: &Tensor<'_>| tensor.quantization.scale(0).unwrap_or(0.0);
        let (input, output) = (scale(self.input), scale(self.output));
        let weights = self.weights.quantization.scale(i).unwrap_or(0.0);
        let product =
            if self.in_float { f64::from(input * weights) } else { f64::from(input) * f64::from(weights) };
        product / f64::from(output)
    }

    fn factor(&self, i: usize) -> Multiplier {
        Multiplier::from_real(self.real_factor(i)).unwrap_or(Multiplier { multiplier: 0, shift: 0 })
    }

    /// The constants as descriptors see them; those that are no int8 constants are not seen.
    fn constants<'f>(&'f self, factor: &'f dyn Fn(usize) -> Multiplier) -> Weights<'f> {
        let bytes = |tensor: &Tensor<'f>| match tensor.storage {
            Storage::Constant { bytes, .. } => bytes,
            _ => &[],
        };
        let apart = if self.by_tap { self.weights.shape.last() as usize } else { 1 };
        Weights {
            weights: bytemuck::cast_slice(bytes(self.weights)),
            apart,
            bias: self.bias.map(bytes),
            factor,
        }
    }
}

/// How elements are counted in rows where an operator has no rows of its own: the two innermost
/// dimensions of an image (width, channels) are one row.
fn element_rows(tensor: &Tensor<'_>) -> (u32, u32) {
    let dims = tensor.shape.dims();
    let row = match dims {
        [.., width, depth] if dims.len() > 2 => width * depth,
        [.., last] => *last,
        [] => 1,
    };
    // Dimensions are at least 1.
    (tensor.shape.len().checked_div(row).unwrap_or(1), row)
}

//! The checked view of one subgraph.

use crate::Result;
use crate::error::{ModelError, Reason};
use crate::flatbuf::{self, Elements, Vector};
use crate::generated::{BuiltinOptionsRef, OperatorRef, SubGraphRef};
use crate::model::Model;
use crate::opcode::{OpCode, OpKind};
use crate::ops;
use crate::tensor::{Storage, Tensor};

/// A choice of operators, made at compile time: what is not in it is not linked.
pub trait OpSet {
    /// The set: the [`OpKind::bit`]s of its operators.
    const OPS: u128;

    /// Whether the set holds `kind`.
    #[inline]
    fn has(kind: OpKind) -> bool {
        Self::OPS & kind.bit() != 0
    }
}

/// Every operator that kinglet runs.
#[derive(Clone, Copy, Debug)]
pub struct AllOps;

impl OpSet for AllOps {
    const OPS: u128 = u128::MAX;
}

/// A subgraph: its tensors, inputs, outputs and operators, each checked when it is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a> {
    model: Model<'a>,
    index: u32,
    subgraph: SubGraphRef<'a>,
    tensor_count: u32,
    inputs: Indices<'a>,
    outputs: Indices<'a>,
    operators: Vector<'a, flatbuf::Result<OperatorRef<'a>>>,
}

impl<'a> Graph<'a> {
    pub(crate) fn new(model: Model<'a>, index: u32) -> Result<Self> {
        let subgraph = model.subgraph(index as usize)?;
        let tensor_count = subgraph.tensors()?.unwrap_or_default().len() as u32;
        let graph = Self {
            model,
            index,
            subgraph,
            tensor_count,
            inputs: Indices(subgraph.inputs()?.unwrap_or_default()),
            outputs: Indices(subgraph.outputs()?.unwrap_or_default()),
            operators: subgraph.operators()?.unwrap_or_default(),
        };
        Ok(graph)
    }

    /// The model that the subgraph is of.
    pub fn model(&self) -> Model<'a> {
        self.model
    }

    /// Number of the subgraph in the file; 0 is the one that runs.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// Subgraph `index` of the same model.
    ///
    /// # Errors
    /// [`Reason::BadIndex`] when there is no such subgraph.
    pub fn sibling(&self, index: u32) -> Result<Self> {
        self.model.graph(index)
    }

    /// Number of the subgraph's first operator when all operators of the file are counted in order.
    ///
    /// # Errors
    /// [`ModelError`] when a subgraph before it can't be read.
    pub fn first_op(&self) -> Result<u32> {
        let mut first = 0u32;
        for index in 0..self.index {
            first = first.saturating_add(self.model.graph(index)?.op_count());
        }
        Ok(first)
    }

    /// Name of the subgraph, as bytes: a file may hold what is not UTF-8.
    pub fn name(&self) -> &'a [u8] {
        self.subgraph.name().ok().flatten().map_or(&[], |name| name.as_bytes())
    }

    /// Number of tensors; their ids are below it.
    pub fn tensor_count(&self) -> u32 {
        self.tensor_count
    }

    /// Number of operators.
    pub fn op_count(&self) -> u32 {
        self.operators.len() as u32
    }

    /// The subgraph's inputs.
    pub fn inputs(&self) -> Indices<'a> {
        self.inputs
    }

    /// The subgraph's outputs.
    pub fn outputs(&self) -> Indices<'a> {
        self.outputs
    }

    /// Tensor `id`.
    ///
    /// # Errors
    /// [`ModelError`] when there is no such tensor, or its shape, type and buffer do not agree.
    pub fn tensor(&self, id: u32) -> Result<Tensor<'a>> {
        self.model.tensor(&self.subgraph, id)
    }

    /// Operator `index` as it stands in the file, whether kinglet has it or not.
    ///
    /// # Errors
    /// [`ModelError`] when there is no such operator, or it can't be read.
    pub fn node(&self, index: u32) -> Result<Node<'a>> {
        let at = |error: ModelError| error.at_op(index, OpCode::NONE).in_subgraph(self.index);
        self.read_node(index).map_err(at)
    }

    fn read_node(&self, index: u32) -> Result<Node<'a>> {
        let operator = self.operators.get(index as usize).ok_or(Reason::BadIndex)??;
        let (code, custom_name) = self.model.op_code(operator.opcode_index()?)?;
        let node = Node {
            subgraph: self.index,
            index,
            code,
            custom_name,
            inputs: Indices(operator.inputs()?.unwrap_or_default()),
            outputs: Indices(operator.outputs()?.unwrap_or_default()),
            operator,
        };
        Ok(node)
    }

    /// All operators as they stand in the file, in the order in which they run.
    pub fn nodes(&self) -> impl Iterator<Item = Result<Node<'a>>> + use<'a> {
        let graph = *self;
        (0..self.op_count()).map(move |index| graph.node(index))
    }

    /// Operator `index`, typed and checked, if it is in the set `S`.
    ///
    /// # Errors
    /// [`ModelError`] when the operator is malformed, or when kinglet does not run it: an operator or a
    /// combination of types and options that it does not have.
    pub fn op<S: OpSet>(&self, index: u32) -> Result<Op<'a>> {
        let node = self.node(index)?;
        ops::check::<S>(self, &node).map_err(|error| error.at_op(index, node.code).in_subgraph(self.index))
    }

    /// All operators, typed and checked, in the order in which they run.
    pub fn ops<S: OpSet>(&self) -> impl Iterator<Item = Result<Op<'a>>> + use<'a, S> {
        let graph = *self;
        (0..self.op_count()).map(move |index| graph.op::<S>(index))
    }

    /// Inputs, outputs and operators name tensors that exist.
    pub(crate) fn check_indices(&self) -> Result<()> {
        for id in self.inputs.iter().chain(self.outputs.iter()) {
            match id {
                Some(id) if id < self.tensor_count => {}
                _ => return Err(Reason::BadIndex.into()),
            }
        }
        for node in self.nodes() {
            let node = node?;
            for id in node.inputs.iter().chain(node.outputs.iter()).flatten() {
                if id >= self.tensor_count {
                    return Err(ModelError::new(Reason::BadIndex).at_tensor(id).at_op(node.index, node.code));
                }
            }
        }
        Ok(())
    }

    /// An input of the subgraph: a tensor that the caller writes.
    ///
    /// # Errors
    /// [`ModelError`] when it can't be read, or is a constant or a variable.
    pub fn graph_input(&self, id: u32) -> Result<Tensor<'a>> {
        let tensor = self.tensor(id)?;
        match tensor.storage {
            Storage::Activation => Ok(tensor),
            _ => Err(ModelError::new(Reason::ConstantInput).at_tensor(id)),
        }
    }
}

/// A list of tensor ids; an absent optional tensor is `None`.
#[derive(Clone, Copy, Debug)]
pub struct Indices<'a>(Vector<'a, i32>);

impl<'a> Indices<'a> {
    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Entry `i`: `None` when it is absent, or beyond the end.
    pub fn get(&self, i: usize) -> Option<u32> {
        self.0.get(i).and_then(|id| u32::try_from(id).ok())
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<u32>> + use<'a> {
        let elements: Elements<'a, i32> = self.0.iter();
        elements.map(|id| u32::try_from(id).ok())
    }
}

/// An operator as it stands in the file.
#[derive(Clone, Copy, Debug)]
pub struct Node<'a> {
    /// Its subgraph.
    pub subgraph: u32,
    /// Its number, in its subgraph's order.
    pub index: u32,
    /// Which operator it is.
    pub code: OpCode,
    /// Name of a custom operator; empty for others.
    pub custom_name: &'a [u8],
    /// Its inputs.
    pub inputs: Indices<'a>,
    /// Its outputs.
    pub outputs: Indices<'a>,
    operator: OperatorRef<'a>,
}

impl<'a> Node<'a> {
    /// The operator's options; `None` where the file has none.
    pub(crate) fn options(&self) -> Result<Option<BuiltinOptionsRef<'a>>> {
        Ok(self.operator.builtin_options()?)
    }
}

/// An operator whose shapes, types, options, quantisation parameters and buffers fit each other.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "there is no heap to box on, and one operator lives at a time")]
#[allow(missing_docs, reason = "each variant is documented at the type it holds")]
pub enum Op<'a> {
    AssignVariable(ops::AssignVariable<'a>),
    AddN(ops::AddN<'a>),
    BatchMatmul(ops::BatchMatmul<'a>),
    Binary(ops::Binary<'a>),
    CallOnce(ops::CallOnce),
    Cast(ops::Cast<'a>),
    Conv2d(ops::Conv2d<'a>),
    Cumsum(ops::Cumsum<'a>),
    DepthwiseConv2d(ops::DepthwiseConv2d<'a>),
    DynamicUpdateSlice(ops::DynamicUpdateSlice<'a>),
    FullyConnected(ops::FullyConnected<'a>),
    If(ops::If<'a>),
    Gather(ops::Gather<'a>),
    GatherNd(ops::GatherNd<'a>),
    Movement(ops::Movement<'a>),
    Normalize(ops::Normalize<'a>),
    OneHot(ops::OneHot<'a>),
    Pool2d(ops::Pool2d<'a>),
    ReadVariable(ops::ReadVariable<'a>),
    Reduce(ops::Reduce<'a>),
    Relation(ops::Relation<'a>),
    Rescale(ops::Rescale<'a>),
    Resize(ops::Resize<'a>),
    Reshape(ops::Reshape<'a>),
    Select(ops::Select<'a>),
    ShapeOf(ops::ShapeOf<'a>),
    Softmax(ops::Softmax<'a>),
    Lstm(ops::Lstm<'a>),
    Svdf(ops::Svdf<'a>),
    TransposeConv(ops::TransposeConv<'a>),
    Unary(ops::Unary<'a>),
    VarHandle(ops::VarHandle<'a>),
    While(ops::While),
}

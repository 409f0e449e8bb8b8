//! VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE: resource variables.
//!
//! A variable is known by its name. A handle of it takes no memory and does no work: which variable it
//! means is found by following it, through calls of subgraphs too, back to its VAR_HANDLE. The type of a
//! variable is that of what is assigned to it first, in the file's order.

use super::control::callees;
use super::{at, check_arity_of, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::flatbuf::Str;
use crate::graph::{Graph, Node};
use crate::model::Model;
use crate::opcode::OpKind;
use crate::tensor::{DType, Tensor};

/// The most calls and loops that a handle is followed through.
const MAX_HOPS: usize = 64;

/// VAR_HANDLE: the handle of a variable.
#[derive(Clone, Copy, Debug)]
pub struct VarHandle<'a> {
    /// The handle.
    pub output: Tensor<'a>,
}

impl<'a> VarHandle<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        ensure_arity(node, 0, 1)?;
        options!(node, VarHandleOptions);
        let output = output(graph, node, 0)?;
        ensure(output.dtype == DType::Resource, &output, Reason::WrongType)?;
        Ok(Self { output })
    }
}

/// READ_VARIABLE: the value of a variable.
#[derive(Clone, Copy, Debug)]
pub struct ReadVariable<'a> {
    /// The variable's [slot](Model::slot_count).
    pub slot: u32,
    /// The value, of the variable's type and number of elements.
    pub output: Tensor<'a>,
}

impl<'a> ReadVariable<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        ensure_arity(node, 1, 1)?;
        let (handle, output) = (input(graph, node, 0)?, output(graph, node, 0)?);
        ensure(output.has_size(), &output, Reason::UnsupportedType)?;
        Ok(Self { slot: graph.variable(handle.id)?, output })
    }
}

/// ASSIGN_VARIABLE: gives a variable a value.
#[derive(Clone, Copy, Debug)]
pub struct AssignVariable<'a> {
    /// The variable's [slot](Model::slot_count).
    pub slot: u32,
    /// The value: a constant, an activation or a variable of the other kind.
    pub value: Tensor<'a>,
}

impl<'a> AssignVariable<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        ensure_arity(node, 2, 0)?;
        let (handle, value) = (input(graph, node, 0)?, input(graph, node, 1)?);
        ensure(value.has_size(), &value, Reason::UnsupportedType)?;
        Ok(Self { slot: graph.variable(handle.id)?, value })
    }
}

fn ensure_arity(node: &Node<'_>, inputs: usize, outputs: usize) -> Result<()> {
    check_arity_of(node.inputs.len() == inputs && node.outputs.len() == outputs)
}

impl<'a> Graph<'a> {
    /// The operator that writes tensor `id`, and which of its outputs that is.
    pub(super) fn producer(&self, id: u32) -> Result<Option<(Node<'a>, usize)>> {
        for node in self.nodes() {
            let node = node?;
            if let Some(output) = node.outputs.iter().position(|output| output == Some(id)) {
                return Ok(Some((node, output)));
            }
        }
        Ok(None)
    }

    /// The [slot](Model::slot_count) of the variable that handle `id` means. A handle that a subgraph is
    /// given is followed to the first operator in the file that calls the subgraph; that others give the
    /// same is checked where they call.
    ///
    /// # Errors
    /// [`Reason::WrongType`] when the tensor is not a handle, [`Reason::UnknownHandle`] when it does not come
    /// from a VAR_HANDLE.
    pub fn variable(&self, id: u32) -> Result<u32> {
        let (mut graph, mut id) = (*self, id);
        for _ in 0..MAX_HOPS {
            // An error names the operator that asks, and no tensor of another subgraph.
            let handle = graph.tensor(id).map_err(|error| error.reason)?;
            let at = |reason: Reason| match graph.index() == self.index() {
                true => at(&handle, reason),
                false => reason.into(),
            };
            let refuse = at(Reason::UnknownHandle);
            if handle.dtype != DType::Resource {
                return Err(at(Reason::WrongType));
            }
            if let Some(i) = graph.inputs().iter().position(|input| input == Some(id)) {
                let (caller, node, first) = caller(&graph).map_err(|error| error.reason)?.ok_or(refuse)?;
                id = node.inputs.get(first.saturating_add(i)).ok_or(refuse)?;
                graph = caller;
                continue;
            }
            let (node, output) = graph.producer(id).map_err(|error| error.reason)?.ok_or(refuse)?;
            match OpKind::from_code(node.code) {
                Some(OpKind::VarHandle) => return slot_of(&graph.model(), &node),
                // The loop hands it on as it is.
                Some(OpKind::While) => id = node.inputs.get(output).ok_or(refuse)?,
                _ => return Err(refuse),
            }
        }
        Err(Reason::NestedTooDeep.into())
    }
}

/// The first operator in the file that calls `graph`, its subgraph, and which of its inputs is the callee's
/// first.
fn caller<'a>(graph: &Graph<'a>) -> Result<Option<(Graph<'a>, Node<'a>, usize)>> {
    let model = graph.model();
    for index in 0..model.subgraph_count() as u32 {
        let caller = model.graph(index)?;
        for node in caller.nodes() {
            let node = node?;
            let (called, first) = callees(&node)?;
            if called.contains(&Some(graph.index())) {
                return Ok(Some((caller, node, first)));
            }
        }
    }
    Ok(None)
}

/// What a VAR_HANDLE says of its variable: container and name.
fn key<'a>(node: &Node<'a>) -> Result<(Option<Str<'a>>, Option<Str<'a>>)> {
    let options = options!(node, VarHandleOptions);
    Ok((options.container()?, options.shared_name()?))
}

fn bytes(text: Option<Str<'_>>) -> &[u8] {
    text.map_or(&[], |text| text.as_bytes())
}

/// As in TFLM: the first VAR_HANDLE of the same name, in a container of the same name or whatever container
/// when `node` names none.
fn slot_of(model: &Model<'_>, node: &Node<'_>) -> Result<u32> {
    let (container, name) = key(node)?;
    let found = model.find_slot(|other| {
        if OpKind::from_code(other.code) != Some(OpKind::VarHandle) {
            return Ok(false);
        }
        let (other_container, other_name) = key(other)?;
        Ok(bytes(name) == bytes(other_name)
            && (container.is_none() || bytes(container) == bytes(other_container)))
    })?;
    found.ok_or(Reason::BadIndex.into())
}

fn has_slot(node: &Node<'_>) -> bool {
    matches!(OpKind::from_code(node.code), Some(OpKind::VarHandle | OpKind::CallOnce))
}

impl<'a> Model<'a> {
    /// Every VAR_HANDLE and CALL_ONCE of the file has a slot, counted from 0 in the file's order: a variable
    /// has that of its first VAR_HANDLE.
    ///
    /// # Errors
    /// [`ModelError`](crate::ModelError) when an operator can't be read.
    pub fn slot_count(&self) -> Result<u32> {
        let mut count = 0;
        self.for_each_slot(|_, _| count += 1)?;
        Ok(count)
    }

    /// Calls `each` with every slot, and whether it is a CALL_ONCE's.
    ///
    /// # Errors
    /// [`ModelError`](crate::ModelError) when an operator can't be read.
    pub fn for_each_slot(&self, mut each: impl FnMut(u32, bool)) -> Result<()> {
        let mut slot = 0;
        self.find_slot(|node| {
            each(slot, OpKind::from_code(node.code) == Some(OpKind::CallOnce));
            slot += 1;
            Ok(false)
        })?;
        Ok(())
    }

    /// The first slot whose operator is the one looked for.
    pub(crate) fn find_slot(&self, mut is_it: impl FnMut(&Node<'a>) -> Result<bool>) -> Result<Option<u32>> {
        let mut slot = 0;
        for index in 0..self.subgraph_count() as u32 {
            for node in self.graph(index)?.nodes() {
                let node = node?;
                if has_slot(&node) {
                    if is_it(&node)? {
                        return Ok(Some(slot));
                    }
                    slot += 1;
                }
            }
        }
        Ok(None)
    }

    /// Calls `each` with slot and value of every ASSIGN_VARIABLE, in the file's order.
    ///
    /// # Errors
    /// [`ModelError`](crate::ModelError) when one is malformed, or `each` refuses it.
    pub fn for_each_assignment(&self, mut each: impl FnMut(u32, Tensor<'a>) -> Result<()>) -> Result<()> {
        for index in 0..self.subgraph_count() as u32 {
            let graph = self.graph(index)?;
            for node in graph.nodes() {
                let node = node?;
                if OpKind::from_code(node.code) == Some(OpKind::AssignVariable) {
                    AssignVariable::check(&graph, &node)
                        .and_then(|assign| each(assign.slot, assign.value))
                        .map_err(|error| error.at_op(node.index, node.code).in_subgraph(index))?;
                }
            }
        }
        Ok(())
    }
}

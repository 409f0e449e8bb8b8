//! IF, WHILE and CALL_ONCE: operators that run other subgraphs.
//!
//! Values are copied in and out, as TFLM does; handles of variables are not values.

use super::{check_arity_of, ensure, input, options, output};
use crate::Result;
use crate::error::Reason;
use crate::graph::{Graph, Node};
use crate::opcode::OpKind;
use crate::tensor::{DType, Storage, Tensor};

/// IF: one of two subgraphs, on the inputs behind the first.
#[derive(Clone, Copy, Debug)]
pub struct If<'a> {
    /// The condition: one bool, anywhere.
    pub condition: Tensor<'a>,
    /// The subgraphs to run when it is true, and when it is false.
    pub branches: [u32; 2],
}

impl<'a> If<'a> {
    pub(super) fn check(graph: &Graph<'a>, node: &Node<'a>) -> Result<Self> {
        check_arity_of(!node.inputs.is_empty())?;
        let condition = input(graph, node, 0)?;
        check_condition(&condition)?;
        for branch in callee_indices(node)? {
            let branch = graph.sibling(branch)?;
            check_inputs(graph, node, 1, &branch)?;
            check_arity_of(branch.outputs().len() == node.outputs.len())?;
            for (i, id) in branch.outputs().iter().enumerate() {
                let (to, from) = (output(graph, node, i)?, in_callee(&branch, id)?);
                ensure(to.has_size(), &to, Reason::UnsupportedType)?;
                check_same(&to, &from)?;
            }
        }
        Ok(Self { condition, branches: callee_indices(node)? })
    }
}

/// WHILE: runs a subgraph on its own outputs for as long as another says so.
#[derive(Clone, Copy, Debug)]
pub struct While {
    /// The subgraph whose first output says whether to go on.
    pub condition: u32,
    /// The subgraph to run.
    pub body: u32,
}

impl While {
    pub(super) fn check(graph: &Graph<'_>, node: &Node<'_>) -> Result<Self> {
        let [condition, body] = callee_indices(node)?;
        let (condition_graph, body_graph) = (graph.sibling(condition)?, graph.sibling(body)?);
        check_inputs(graph, node, 0, &condition_graph)?;
        check_inputs(graph, node, 0, &body_graph)?;
        check_arity_of(node.outputs.len() == node.inputs.len())?;
        check_arity_of(body_graph.outputs().len() == node.outputs.len())?;
        for (i, id) in body_graph.outputs().iter().enumerate() {
            let (to, from) = (output(graph, node, i)?, in_callee(&body_graph, id)?);
            check_same(&to, &from)?;
            check_same(&to, &input(graph, node, i)?)?;
            // The variable that a handle means can't depend on how often the loop has run.
            let handed_on = body_graph.inputs().get(i) == id;
            ensure(to.has_size() || handed_on, &to, Reason::HandlesDiffer)?;
        }
        check_arity_of(!condition_graph.outputs().is_empty())?;
        let decision = in_callee(&condition_graph, condition_graph.outputs().get(0))?;
        check_condition(&decision).map_err(|error| error.reason)?;
        Ok(Self { condition, body })
    }
}

/// CALL_ONCE: a subgraph that runs the first time only.
#[derive(Clone, Copy, Debug)]
pub struct CallOnce {
    /// The subgraph.
    pub init: u32,
    /// The operator's [slot](crate::Model::slot_count).
    pub slot: u32,
}

impl CallOnce {
    pub(super) fn check(graph: &Graph<'_>, node: &Node<'_>) -> Result<Self> {
        let [init, _] = callee_indices(node)?;
        let callee = graph.sibling(init)?;
        check_arity_of(node.inputs.is_empty() && node.outputs.is_empty())?;
        check_arity_of(callee.inputs().is_empty())?;
        let (index, op) = (graph.index(), node.index);
        let slot = graph.model().find_slot(|other| Ok((other.subgraph, other.index) == (index, op)))?;
        Ok(Self { init, slot: slot.ok_or(Reason::BadIndex)? })
    }
}

/// The subgraphs that an operator calls, if any, and which of its inputs is the first of theirs.
pub(super) fn callees(node: &Node<'_>) -> Result<([Option<u32>; 2], usize)> {
    let index = |index: i32| u32::try_from(index).ok();
    Ok(match OpKind::from_code(node.code) {
        Some(OpKind::If) => {
            let options = options!(node, IfOptions);
            ([index(options.then_subgraph_index()?), index(options.else_subgraph_index()?)], 1)
        }
        Some(OpKind::While) => {
            let options = options!(node, WhileOptions);
            ([index(options.cond_subgraph_index()?), index(options.body_subgraph_index()?)], 0)
        }
        Some(OpKind::CallOnce) => {
            let init = index(options!(node, CallOnceOptions).init_subgraph_index()?);
            ([init, init], 0)
        }
        _ => ([None; 2], 0),
    })
}

fn callee_indices(node: &Node<'_>) -> Result<[u32; 2]> {
    match callees(node)?.0 {
        // The first subgraph is the one that runs: nothing calls it.
        [Some(a), Some(b)] if a > 0 && b > 0 => Ok([a, b]),
        _ => Err(Reason::BadIndex.into()),
    }
}

/// The operator's inputs from `first` on are what the callee takes.
fn check_inputs(graph: &Graph<'_>, node: &Node<'_>, first: usize, callee: &Graph<'_>) -> Result<()> {
    check_arity_of(node.inputs.len() == callee.inputs().len().saturating_add(first))?;
    for (i, id) in callee.inputs().iter().enumerate() {
        let from = input(graph, node, first.saturating_add(i))?;
        let to = in_callee(callee, id)?;
        check_same(&from, &to)?;
        ensure(matches!(to.storage, Storage::Activation), &from, Reason::ConstantInput)?;
        let is_first = callee.inputs().iter().take(i).all(|other| other != id);
        ensure(is_first, &from, Reason::WrittenTwice)?;
        if to.dtype == DType::Resource {
            let variable = callee.variable(to.id).map_err(|error| error.reason)?;
            ensure(graph.variable(from.id)? == variable, &from, Reason::HandlesDiffer)?;
        }
    }
    Ok(())
}

/// A tensor of a subgraph that is called. An error names the operator that calls it, and no tensor.
fn in_callee<'a>(callee: &Graph<'a>, id: Option<u32>) -> Result<Tensor<'a>> {
    let tensor = callee.tensor(id.ok_or(Reason::BadIndex)?);
    tensor.map_err(|error| error.reason.into())
}

/// One can be copied to the other. As in TFLM, types and lengths count; shapes may differ.
fn check_same(a: &Tensor<'_>, b: &Tensor<'_>) -> Result<()> {
    ensure(a.dtype == b.dtype, a, Reason::WrongType)?;
    ensure(a.dtype != DType::Other, a, Reason::UnsupportedType)?;
    ensure(a.shape.len() == b.shape.len(), a, Reason::ShapeMismatch)
}

fn check_condition(condition: &Tensor<'_>) -> Result<()> {
    ensure(condition.dtype == DType::Bool, condition, Reason::WrongType)?;
    ensure(condition.shape.len() == 1, condition, Reason::ShapeMismatch)
}

//! A plan is written once more, with the places that it names itself, and compared word by word.

use kinglet_kernels::{Place, Region};
use kinglet_tflite::{Graph, Node, OpKind, OpSet, Storage, Tensor};

use super::CheckError;
use crate::PlanError;
use crate::layout::{Frame, Places, variable_fill};
use crate::plan::{Plan, PlanWriter, StateInit};
use crate::planner::{Constants, Options, emit};

/// Where a plan says that the tensors of its graph lie.
#[derive(Clone, Copy, Debug)]
pub struct Named<'p, 'g> {
    plan: &'p Plan<'p>,
    graph: &'p Graph<'g>,
}

/// `plan` is what is written for `graph` when tensors lie where `plan` says.
pub(super) fn check<S: OpSet>(
    plan: &Plan<'_>,
    graph: &Graph<'_>,
    options: &Options,
    constants: &mut impl Constants,
) -> Result<(), CheckError> {
    let steps = plan.step_count() as u32;
    let mut writer = PlanWriter::compare(plan.words(), steps);
    let written = emit::<S>(graph, options, &Named::new(plan, graph), &mut writer, constants);
    let written = written.map_err(|error| match error {
        PlanError::Model(error) => error.into(),
        _ => CheckError::OtherGraph,
    })?;
    let memory = (plan.arena_bytes() as u32, plan.state_bytes() as u32);
    writer.finish(memory, constants.len(), constants.prepared_len());
    if written == steps && writer.is_same() { Ok(()) } else { Err(CheckError::OtherGraph) }
}

impl<'p, 'g> Named<'p, 'g> {
    /// `plan` is a plan for `graph`.
    pub const fn new(plan: &'p Plan<'p>, graph: &'p Graph<'g>) -> Self {
        Self { plan, graph }
    }

    /// Variables that are in use have their initial values in the order of their numbers.
    fn variable(&self, id: u32) -> Option<Place> {
        if !self.is_used(id) {
            return None;
        }
        Place::new(Region::State, self.plan.state_inits().nth(self.variables_before(id)?)?.offset)
    }

    /// Variables in use with a number below `id`.
    fn variables_before(&self, id: u32) -> Option<usize> {
        let mut count = 0;
        for earlier in 0..id {
            let tensor = self.graph.tensor(earlier);
            let is_variable = tensor.is_ok_and(|tensor| matches!(tensor.storage, Storage::Variable));
            count += usize::from(is_variable && self.is_used(earlier));
        }
        Some(count)
    }

    fn is_used(&self, id: u32) -> bool {
        let reads = |node: Node<'_>| node.inputs.iter().any(|input| input == Some(id));
        self.graph.outputs().iter().any(|output| output == Some(id))
            || self.graph.nodes().flatten().any(reads)
    }

    /// Length and first value of a slot's state, as the graph has it.
    fn slot_value(&self, wanted: u32) -> Option<(u32, u8)> {
        let model = self.graph.model();
        let mut value = None;
        let for_once = |slot, is_call_once| {
            if slot == wanted && is_call_once {
                value = Some((1, 1));
            }
        };
        model.for_each_slot(for_once).ok()?;
        let assignment = |slot, tensor: Tensor<'_>| {
            if slot == wanted {
                value.get_or_insert((tensor.byte_len(), variable_fill(&tensor)));
            }
            Ok(())
        };
        model.for_each_assignment(assignment).ok()?;
        value
    }

    /// Where the operator that makes an activation writes it.
    fn written(&self, frame: &Frame, graph: &Graph<'_>, id: u32) -> Option<Place> {
        let node =
            graph.nodes().flatten().find(|node| node.outputs.iter().any(|output| output == Some(id)))?;
        let output = node.outputs.iter().position(|output| output == Some(id))?;
        let op = frame.first_op.checked_add(node.index)?;
        let mut steps = self.plan.steps().skip(frame.first_step as usize);
        let mut own = steps.by_ref().filter(|step| u32::from(step.op) == op);
        // Which of the operator's outputs that are no handles.
        let sized = |id: &Option<u32>| id.is_some_and(|id| graph.tensor(id).is_ok_and(|it| it.has_size()));
        let number = node.outputs.iter().take(output).filter(sized).count();
        match OpKind::from_code(node.code) {
            // A jump, copies in, copies out.
            Some(OpKind::If) => {
                let copied_in = node.inputs.iter().skip(1).filter(sized).count();
                return own.nth(1 + copied_in + number).map(|step| step.output);
            }
            // Copies in to the outputs come first.
            Some(OpKind::While) => return own.nth(number).map(|step| step.output),
            _ => {}
        }
        // Where the place changes, the operator's next output begins.
        let first = own.next()?;
        let (mut last, mut at) = (first.output, 0);
        if at == output {
            return Some(last);
        }
        for step in steps.take_while(|step| u32::from(step.op) == op) {
            at += usize::from(step.output != last);
            last = step.output;
            if at == output {
                return Some(last);
            }
        }
        None
    }

    /// The place of input `id` of a subgraph that was called: the copies to it stand before its steps.
    fn copied_in(&self, frame: &Frame, graph: &Graph<'_>, id: u32) -> Option<Place> {
        let sized = |id: &u32| graph.tensor(*id).is_ok_and(|tensor| tensor.has_size());
        let mut behind = graph.inputs().iter().flatten().filter(sized).skip_while(|&input| input != id);
        behind.next()?;
        let step = (frame.first_step as usize).checked_sub(behind.count() + 1)?;
        Some(self.plan.step(step)?.output)
    }
}

impl Places for Named<'_, '_> {
    fn place(&self, frame: &Frame, tensor: &Tensor<'_>) -> Option<Place> {
        if matches!(tensor.storage, Storage::Variable) {
            return self.variable(tensor.id);
        }
        let graph = self.graph.sibling(frame.subgraph).ok()?;
        if graph.inputs().iter().any(|input| input == Some(tensor.id)) {
            if frame.subgraph > 0 {
                return self.copied_in(frame, &graph, tensor.id);
            }
            let mut inputs = self.plan.inputs().zip(graph.inputs().iter());
            return inputs.find(|(_, id)| *id == Some(tensor.id)).map(|(io, _)| io.place);
        }
        self.written(frame, &graph, tensor.id)
    }

    fn share_a_place(&self, frame: &Frame, a: &Tensor<'_>, b: &Tensor<'_>) -> bool {
        matches!(a.storage, Storage::Activation) && self.place(frame, a) == self.place(frame, b)
    }

    fn scratch(&self, step: u32, _i: usize) -> Option<Place> {
        let step = self.plan.step(step as usize)?;
        Some(self.plan.footprint(&step)?.scratch.place)
    }

    fn slot(&self, slot: u32) -> Option<StateInit> {
        let (bytes, fill) = self.slot_value(slot)?;
        let mut before = self.variables_before(self.graph.tensor_count())?;
        for earlier in 0..slot {
            before += usize::from(self.slot_value(earlier).is_some());
        }
        let offset = self.plan.state_inits().nth(before)?.offset;
        Some(StateInit { offset, bytes, fill })
    }
}

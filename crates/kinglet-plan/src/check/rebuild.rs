//! A plan is written once more, with the places that it names itself, and compared word by word.

use kinglet_kernels::{Place, Region};
use kinglet_tflite::{Graph, OpSet, Storage, Tensor};

use super::CheckError;
use crate::PlanError;
use crate::layout::Places;
use crate::plan::{Plan, PlanWriter};
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
        let mut inits = self.plan.state_inits();
        for earlier in 0..id {
            let is_variable = matches!(self.graph.tensor(earlier).ok()?.storage, Storage::Variable);
            if is_variable && self.is_used(earlier) {
                inits.next()?;
            }
        }
        if !self.is_used(id) {
            return None;
        }
        Place::new(Region::State, inits.next()?.offset)
    }

    fn is_used(&self, id: u32) -> bool {
        let reads = |node: kinglet_tflite::Node<'_>| node.inputs.iter().any(|input| input == Some(id));
        self.graph.outputs().iter().any(|output| output == Some(id))
            || self.graph.nodes().flatten().any(reads)
    }

    /// Where the operator that makes an activation writes it.
    fn written(&self, id: u32) -> Option<Place> {
        let mut output = 0;
        let mut last: Option<(u16, Place)> = None;
        for step in self.plan.steps() {
            // Where the place changes, the operator's next output begins.
            output = match last {
                Some((op, place)) if op == step.op => output + usize::from(place != step.output),
                _ => 0,
            };
            last = Some((step.op, step.output));
            if self.graph.node(step.op.into()).ok()?.outputs.get(output) == Some(id) {
                return Some(step.output);
            }
        }
        None
    }
}

impl Places for Named<'_, '_> {
    fn place(&self, tensor: &Tensor<'_>) -> Option<Place> {
        if matches!(tensor.storage, Storage::Variable) {
            return self.variable(tensor.id);
        }
        let mut inputs = self.plan.inputs().zip(self.graph.inputs().iter());
        match inputs.find(|(_, id)| *id == Some(tensor.id)) {
            Some((io, _)) => Some(io.place),
            None => self.written(tensor.id),
        }
    }

    fn share_a_place(&self, a: &Tensor<'_>, b: &Tensor<'_>) -> bool {
        matches!(a.storage, Storage::Activation) && self.place(a) == self.place(b)
    }

    fn scratch(&self, op: u32, _i: usize) -> Option<Place> {
        let step = self.plan.steps().find(|step| u32::from(step.op) == op)?;
        Some(self.plan.footprint(&step)?.scratch.place)
    }
}

//! The checker: proof that a plan computes its graph, made without the planner's help.
//!
//! It knows two things of each step: what the graph says the operator reads and writes (tensors), and what
//! the kernel's parameters say the step touches (bytes). For every read it walks back through the earlier
//! steps to the one that wrote those bytes last, and demands that this is the step of the operator that
//! makes the tensor, and that it wrote just these bytes. So a layout in which a step overwrites what
//! another still needs does not pass, whoever made it.
//!
//! Work grows with the number of steps times the distance between writing and reading, at most with its
//! square.

use core::fmt;

use kinglet_kernels::{Footprint, Kernel, Place, Region, Span};
use kinglet_tflite::{Graph, ModelError, Storage};

use crate::plan::{IoTensor, Plan};

/// Why a plan is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CheckError {
    /// Magic number, version or the order of the parts is wrong.
    Header,
    /// The plan's inputs, outputs or steps are not those of the graph.
    OtherGraph,
    /// A step names a kernel or parameters that do not exist.
    BadStep {
        /// Number of the step.
        step: u32,
    },
    /// A step touches bytes outside its memory.
    OutOfBounds {
        /// Number of the step.
        step: u32,
    },
    /// A step reads bytes that are not, or no longer, the tensor it wants.
    Overwritten {
        /// Number of the step; the number of steps for an output of the model.
        step: u32,
    },
    /// A step's output or scratch memory overlaps what the step reads.
    Overlap {
        /// Number of the step.
        step: u32,
    },
    /// The graph could not be read.
    Model(ModelError),
}

impl From<ModelError> for CheckError {
    fn from(error: ModelError) -> Self {
        Self::Model(error)
    }
}

impl fmt::Display for CheckError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("plan: it is not a plan, or of another version"),
            Self::OtherGraph => f.write_str("plan: it was made for another model"),
            Self::BadStep { step } => {
                write!(f, "plan, step {step}: it names a kernel or parameters that do not exist")
            }
            Self::OutOfBounds { step } => write!(f, "plan, step {step}: it leaves its memory"),
            Self::Overwritten { step } => {
                write!(f, "plan, step {step}: what it reads has been overwritten")
            }
            Self::Overlap { step } => write!(f, "plan, step {step}: it overwrites what it reads"),
            Self::Model(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for CheckError {}

struct Checker<'p, 'g> {
    plan: &'p Plan<'p>,
    graph: &'p Graph<'g>,
    constants: usize,
}

/// Checks `plan` against `graph`, with `constants` bytes of constants.
///
/// # Errors
/// [`CheckError`]: the first fault found.
pub fn check(plan: &Plan<'_>, graph: &Graph<'_>, constants: usize) -> Result<(), CheckError> {
    let checker = Checker { plan, graph, constants };
    let io_fits = plan.input_count() == graph.inputs().len() && plan.output_count() == graph.outputs().len();
    if !io_fits || plan.step_count() != graph.op_count() as usize {
        return Err(CheckError::OtherGraph);
    }
    let inputs = || plan.inputs().zip(graph.inputs().iter());
    if inputs().count() != plan.input_count() || plan.outputs().count() != plan.output_count() {
        return Err(CheckError::Header);
    }
    for (i, (tensor, id)) in inputs().enumerate() {
        checker.check_io(&tensor, id)?;
        // Inputs lie apart from each other, unless one tensor is named twice.
        for (other, other_id) in inputs().take(i) {
            let apart = !span(&tensor).overlaps(&span(&other));
            if !(apart || id == other_id && span(&tensor) == span(&other)) {
                return Err(CheckError::Overlap { step: 0 });
            }
        }
    }
    for step in 0..plan.step_count() {
        checker.check_step(step)?;
    }
    for (tensor, id) in plan.outputs().zip(graph.outputs().iter()) {
        checker.check_io(&tensor, id)?;
        checker.check_read(plan.step_count(), span(&tensor), id)?;
    }
    checker.check_state_inits()
}

fn span(tensor: &IoTensor) -> Span {
    Span { place: tensor.place, len: tensor.bytes.into() }
}

impl Checker<'_, '_> {
    fn footprint(&self, step: usize) -> Result<(Footprint, u32), CheckError> {
        let bad = CheckError::BadStep { step: step as u32 };
        let entry = self.plan.step(step).ok_or(bad)?;
        let kernel = Kernel::from_id(entry.kernel).ok_or(bad)?;
        let words = self.plan.words().get(entry.params as usize..).ok_or(bad)?;
        let footprint = Footprint::new(kernel, words).ok_or(bad)?;
        Ok((footprint, entry.op.into()))
    }

    fn in_bounds(&self, span: &Span, step: usize) -> Result<(), CheckError> {
        let limit = match span.place.region() {
            _ if span.len == 0 => return Ok(()),
            Some(Region::Arena) => self.plan.arena_bytes(),
            Some(Region::State) => self.plan.state_bytes(),
            Some(Region::Constants) => self.constants,
            None => 0,
        };
        if (span.place.offset() as u64).saturating_add(span.len) <= limit as u64 {
            Ok(())
        } else {
            Err(CheckError::OutOfBounds { step: step as u32 })
        }
    }

    /// An input or output of the model has the tensor's length, and lies within its memory.
    fn check_io(&self, io: &IoTensor, id: Option<u32>) -> Result<(), CheckError> {
        let tensor = self.graph.tensor(id.ok_or(CheckError::OtherGraph)?)?;
        if io.bytes != tensor.byte_len() || io.shape != tensor.shape || io.dtype != tensor.dtype {
            return Err(CheckError::OtherGraph);
        }
        self.in_bounds(&span(io), 0)
    }

    fn check_step(&self, step: usize) -> Result<(), CheckError> {
        let at = step as u32;
        let (footprint, op) = self.footprint(step)?;
        if op != at {
            return Err(CheckError::OtherGraph);
        }
        let node = self.graph.node(op)?;
        let entry = self.plan.step(step).ok_or(CheckError::BadStep { step: at })?;
        let output = node.outputs.get(0).ok_or(CheckError::OtherGraph)?;
        let announced = Span { place: entry.output, len: entry.output_bytes.into() };
        self.in_bounds(&announced, step)?;
        if self.graph.tensor(output)?.byte_len() != entry.output_bytes {
            return Err(CheckError::OtherGraph);
        }
        if Kernel::from_id(entry.kernel) == Some(Kernel::Nothing) {
            // The output lies where the input lies: whoever reads it is followed through to there.
            return self.check_read(step, announced, node.inputs.get(0));
        }

        let Footprint { reads, write, state, scratch, in_place } = footprint;
        for touched in [&write, &state, &scratch] {
            self.in_bounds(touched, step)?;
        }
        if write != announced || write.place.region() != Some(Region::Arena) {
            return Err(CheckError::OtherGraph);
        }
        // The activations among the operator's inputs are what the kernel reads, in order.
        let mut wanted = node.inputs.iter().flatten();
        for read in reads {
            if read.len == 0 {
                continue;
            }
            self.in_bounds(&read, step)?;
            self.check_read(step, read, wanted.next())?;
            let same = in_place && read == write;
            if (read.overlaps(&write) && !same) || read.overlaps(&scratch) || read.overlaps(&state) {
                return Err(CheckError::Overlap { step: at });
            }
        }
        if write.overlaps(&scratch) || write.overlaps(&state) || scratch.overlaps(&state) {
            return Err(CheckError::Overlap { step: at });
        }
        self.check_state(step, state)
    }

    /// At `step`, the bytes of `read` are tensor `id`, whole and unharmed.
    fn check_read(&self, step: usize, read: Span, id: Option<u32>) -> Result<(), CheckError> {
        let overwritten = CheckError::Overwritten { step: step as u32 };
        let mut id = id.ok_or(CheckError::OtherGraph)?;
        let tensor = self.graph.tensor(id)?;
        if u64::from(tensor.byte_len()) != read.len {
            return Err(CheckError::OtherGraph);
        }
        match (tensor.storage, read.place.region()) {
            (Storage::Constant { .. }, Some(Region::Constants)) => return Ok(()),
            (Storage::Variable, Some(Region::State)) => return Ok(()),
            (Storage::Activation, Some(Region::Arena)) => {}
            _ => return Err(CheckError::OtherGraph),
        }
        for earlier in (0..step).rev() {
            let (footprint, op) = self.footprint(earlier)?;
            let node = self.graph.node(op)?;
            if node.outputs.get(0) == Some(id) {
                let entry = self.plan.step(earlier).ok_or(overwritten)?;
                if Kernel::from_id(entry.kernel) != Some(Kernel::Nothing) {
                    return if footprint.write == read { Ok(()) } else { Err(overwritten) };
                }
                // The same bytes under another name.
                id = node.inputs.get(0).ok_or(CheckError::OtherGraph)?;
                if entry.output != read.place
                    || !matches!(self.graph.tensor(id)?.storage, Storage::Activation)
                {
                    return Err(overwritten);
                }
            } else if footprint.write.overlaps(&read) || footprint.scratch.overlaps(&read) {
                return Err(overwritten);
            }
        }
        // Nobody wrote it: it has to be an input of the model.
        let mut inputs = self.plan.inputs().zip(self.graph.inputs().iter());
        match inputs.find(|(_, input)| *input == Some(id)) {
            Some((io, _)) if span(&io) == read => Ok(()),
            _ => Err(overwritten),
        }
    }

    /// A step's state is one of the operator's variables, and every other step that touches those bytes
    /// means the same variable.
    fn check_state(&self, step: usize, state: Span) -> Result<(), CheckError> {
        if state.len == 0 {
            return Ok(());
        }
        let variable = |step: usize| -> Result<Option<u32>, CheckError> {
            let (_, op) = self.footprint(step)?;
            for id in self.graph.node(op)?.inputs.iter().flatten() {
                if matches!(self.graph.tensor(id)?.storage, Storage::Variable) {
                    return Ok(Some(id));
                }
            }
            Ok(None)
        };
        let mine = variable(step)?.ok_or(CheckError::OtherGraph)?;
        if u64::from(self.graph.tensor(mine)?.byte_len()) != state.len
            || state.place.region() != Some(Region::State)
        {
            return Err(CheckError::OtherGraph);
        }
        for earlier in 0..step {
            let (footprint, _) = self.footprint(earlier)?;
            if footprint.state.overlaps(&state)
                && (variable(earlier)? != Some(mine) || footprint.state != state)
            {
                return Err(CheckError::Overlap { step: step as u32 });
            }
        }
        Ok(())
    }

    fn check_state_inits(&self) -> Result<(), CheckError> {
        for init in self.plan.state_inits() {
            let place = Place::new(Region::State, init.offset).ok_or(CheckError::Header)?;
            self.in_bounds(&Span { place, len: init.bytes.into() }, 0)?;
        }
        Ok(())
    }
}

//! The checker: proof that a plan computes its graph, made without the planner's help.
//!
//! It knows two things of each step: what the graph says the operator reads and writes (tensors), and what
//! the kernel's parameters say the step touches (bytes). For every read it walks back through the earlier
//! steps to the one that wrote those bytes last, and demands that this is the step of the operator that
//! makes the tensor, and that it wrote just these bytes. So a layout in which a step overwrites what
//! another still needs does not pass, whoever made it.
//!
//! A plan that was not made here, on the spot, has to say more: that its kernels do what the operators ask
//! for. It is written once more, with the places that it names itself, and compared word by word.
//!
//! Work grows with the number of steps times the distance between writing and reading, at most with its
//! square.

mod rebuild;

use core::fmt;
use core::ops::Range;

use kinglet_kernels::{Footprint, Kernel, Place, Region, Span};
use kinglet_tflite::{Graph, ModelError, Node, OpKind, OpSet, Storage};

use crate::plan::{IoTensor, Plan, Step};
use crate::planner::{Constants, Options};

pub use rebuild::Named;

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

/// Checks a plan that may come from anywhere: it is one that is made for `graph` with `options` and
/// `constants`, and its layout is sound.
///
/// # Errors
/// [`CheckError`]: the first fault found.
pub fn check<S: OpSet>(
    plan: &Plan<'_>,
    graph: &Graph<'_>,
    options: &Options,
    constants: &mut impl Constants,
) -> Result<(), CheckError> {
    check_layout(plan, graph, constants.len() as usize)?;
    rebuild::check::<S>(plan, graph, options, constants)
}

/// Checks the layout of a plan whose parameters are the planner's: no step overwrites what another still
/// needs. There are `constants` bytes of constants.
///
/// # Errors
/// [`CheckError`]: the first fault found.
pub fn check_layout(plan: &Plan<'_>, graph: &Graph<'_>, constants: usize) -> Result<(), CheckError> {
    let checker = Checker { plan, graph, constants };
    if plan.input_count() != graph.inputs().len() || plan.output_count() != graph.outputs().len() {
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
    // Each operator has one step or several in a row.
    let mut start = 0;
    for op in 0..graph.op_count() {
        let belongs = |step: usize| plan.step(step).is_some_and(|entry| u32::from(entry.op) == op);
        let mut end = start;
        while belongs(end) {
            end += 1;
        }
        if end == start {
            return Err(CheckError::OtherGraph);
        }
        checker.check_op(op, start..end)?;
        start = end;
    }
    if start != plan.step_count() {
        return Err(CheckError::OtherGraph);
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

/// The tensor that a step writes, or that its operator leaves where it is.
fn announced(step: &Step) -> Span {
    Span { place: step.output, len: step.output_bytes.into() }
}

impl Checker<'_, '_> {
    fn step(&self, step: usize) -> Result<(Step, Kernel), CheckError> {
        let bad = CheckError::BadStep { step: step as u32 };
        let entry = self.plan.step(step).ok_or(bad)?;
        Ok((entry, Kernel::from_id(entry.kernel).ok_or(bad)?))
    }

    fn footprint(&self, step: usize) -> Result<Footprint<'_>, CheckError> {
        let (entry, _) = self.step(step)?;
        self.plan.footprint(&entry).ok_or(CheckError::BadStep { step: step as u32 })
    }

    fn in_bounds(&self, span: &Span, step: usize) -> Result<(), CheckError> {
        let limit = match span.place.region() {
            _ if span.len == 0 => return Ok(()),
            Some(Region::Arena) => self.plan.arena_bytes(),
            Some(Region::State) => self.plan.state_bytes(),
            Some(Region::Constants) => self.constants,
            Some(Region::Prepared) => self.plan.prepared_bytes(),
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

    /// The steps of one operator. They write its outputs one after the other: where the place changes, the
    /// next output begins.
    fn check_op(&self, op: u32, steps: Range<usize>) -> Result<(), CheckError> {
        let node = self.graph.node(op)?;
        let mut output = 0;
        let mut copies = 0;
        let mut known = None;
        for step in steps.clone() {
            let at = step as u32;
            let (entry, kernel) = self.step(step)?;
            let written = announced(&entry);
            if step > steps.start && self.step(step - 1)?.0.output != entry.output {
                output += 1;
                copies = 0;
            }
            let tensor = self.graph.tensor(node.outputs.get(output).ok_or(CheckError::OtherGraph)?)?;
            if tensor.byte_len() != entry.output_bytes {
                return Err(CheckError::OtherGraph);
            }
            self.in_bounds(&written, step)?;
            if kernel == Kernel::Nothing {
                if steps.len() == 1 {
                    // The output lies where the input lies: whoever reads it is followed through to there.
                    self.check_read(step, written, node.inputs.get(0))?;
                }
                continue;
            }

            let footprint = self.footprint(step)?;
            let Footprint { write, state, scratch, .. } = footprint;
            for touched in [&state, &scratch] {
                self.in_bounds(touched, step)?;
            }
            if write != written || write.place.region() != Some(Region::Arena) {
                return Err(CheckError::OtherGraph);
            }
            // What the kernel reads are the operator's inputs.
            let copy = copies;
            copies += usize::from(kernel == Kernel::StridedCopy);
            for (i, read) in footprint.inputs().enumerate() {
                self.in_bounds(&read, step)?;
                let id = node.inputs.get(read_input(&node, copy, i));
                // Steps of one operator often read the same.
                if known != Some((read, id)) {
                    self.check_read(steps.start, read, id)?;
                    known = Some((read, id));
                }
                for earlier in steps.start..step {
                    if announced(&self.step(earlier)?.0).overlaps(&read) {
                        return Err(CheckError::Overwritten { step: at });
                    }
                }
                if !footprint.spares(i, entry.first_row > entry.end_row)
                    || read.overlaps(&scratch)
                    || read.overlaps(&state)
                {
                    return Err(CheckError::Overlap { step: at });
                }
            }
            if write.overlaps(&scratch) || write.overlaps(&state) || scratch.overlaps(&state) {
                return Err(CheckError::Overlap { step: at });
            }
            self.check_state(step, state)?;
        }
        if output + 1 != node.outputs.len() {
            return Err(CheckError::OtherGraph);
        }
        self.check_outputs_apart(steps)
    }

    /// An operator's outputs do not overlap.
    fn check_outputs_apart(&self, steps: Range<usize>) -> Result<(), CheckError> {
        for step in steps.clone() {
            let mine = announced(&self.step(step)?.0);
            for earlier in steps.start..step {
                let other = announced(&self.step(earlier)?.0);
                if other.place != mine.place && other.overlaps(&mine) {
                    return Err(CheckError::Overlap { step: step as u32 });
                }
            }
        }
        Ok(())
    }

    /// Before `step`, the bytes of `read` are tensor `id`, whole and unharmed.
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
        // Output numbers count down from an operator's last: every operator was seen to write them all.
        let mut outputs_after = 0;
        let mut later: Option<Step> = None;
        for earlier in (0..step).rev() {
            let (entry, kernel) = self.step(earlier)?;
            let same_op = later.is_some_and(|later| later.op == entry.op);
            let same_output = same_op && later.is_some_and(|later| later.output == entry.output);
            outputs_after = match (same_op, same_output) {
                (false, _) => 0,
                (true, false) => outputs_after + 1,
                (true, true) => outputs_after,
            };
            later = Some(entry);
            if same_output && matches!(kernel, Kernel::Nothing | Kernel::Fill | Kernel::StridedCopy) {
                // These touch nothing but the output, which was looked at already.
                continue;
            }
            let node = self.graph.node(entry.op.into())?;
            let output = node.outputs.len().checked_sub(outputs_after + 1).and_then(|i| node.outputs.get(i));
            let scratch = match kernel {
                Kernel::Nothing | Kernel::Fill | Kernel::StridedCopy => Span::EMPTY,
                _ => self.footprint(earlier)?.scratch,
            };
            let alone =
                earlier.checked_sub(1).is_none_or(|i| self.plan.step(i).is_none_or(|s| s.op != entry.op));
            if kernel == Kernel::Nothing && alone && !same_op {
                if output == Some(id) {
                    // The same bytes under another name.
                    id = node.inputs.get(0).ok_or(CheckError::OtherGraph)?;
                    let is_activation = matches!(self.graph.tensor(id)?.storage, Storage::Activation);
                    if entry.output != read.place || !is_activation {
                        return Err(overwritten);
                    }
                }
            } else if output == Some(id) {
                return if announced(&entry) == read { Ok(()) } else { Err(overwritten) };
            } else if announced(&entry).overlaps(&read) || scratch.overlaps(&read) {
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

    /// The variable that an operator keeps its state in.
    fn variable(&self, step: usize) -> Result<Option<u32>, CheckError> {
        let (entry, _) = self.step(step)?;
        for id in self.graph.node(entry.op.into())?.inputs.iter().flatten() {
            if matches!(self.graph.tensor(id)?.storage, Storage::Variable) {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// A step's state is one of the operator's variables, and every other step that touches those bytes
    /// means the same variable.
    fn check_state(&self, step: usize, state: Span) -> Result<(), CheckError> {
        if state.len == 0 {
            return Ok(());
        }
        let mine = self.variable(step)?.ok_or(CheckError::OtherGraph)?;
        let fits = u64::from(self.graph.tensor(mine)?.byte_len()) == state.len;
        if !fits || state.place.region() != Some(Region::State) {
            return Err(CheckError::OtherGraph);
        }
        for earlier in 0..step {
            if !matches!(self.step(earlier)?.1, Kernel::SvdfS8 | Kernel::SvdfS16) {
                continue;
            }
            let other = self.footprint(earlier)?.state;
            if other.overlaps(&state) && (self.variable(earlier)? != Some(mine) || other != state) {
                return Err(CheckError::Overlap { step: step as u32 });
            }
        }
        Ok(())
    }

    /// Initial values lie one after the other, so that each variable has its own place.
    fn check_state_inits(&self) -> Result<(), CheckError> {
        let mut end = 0;
        for init in self.plan.state_inits() {
            let place = Place::new(Region::State, init.offset).ok_or(CheckError::Header)?;
            self.in_bounds(&Span { place, len: init.bytes.into() }, 0)?;
            if init.offset < end {
                return Err(CheckError::Header);
            }
            // In bounds, so below 2^32.
            end = init.offset.saturating_add(init.bytes);
        }
        Ok(())
    }
}

/// The number of the operator's input that a kernel reads as its `i`-th. For operators that copy, `copy`
/// counts the copies to one output.
fn read_input(node: &Node<'_>, copy: usize, i: usize) -> usize {
    match OpKind::from_code(node.code) {
        // One step an input.
        Some(OpKind::Concatenation | OpKind::Pack) => copy,
        // The axis, or the shape, comes first.
        Some(OpKind::Split | OpKind::Fill) => 1,
        // The output's shape and the filters come first.
        Some(OpKind::TransposeConv) => 2,
        // The depth is the second.
        Some(OpKind::OneHot) if i > 0 => i.saturating_add(1),
        // The indices come first.
        Some(OpKind::EmbeddingLookup) => 1usize.saturating_sub(i),
        _ => i,
    }
}

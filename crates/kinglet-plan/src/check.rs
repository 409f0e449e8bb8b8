//! The checker: proof that a plan computes its graph, made without the planner's help.
//!
//! It knows two things of each step: what the graph says the operator reads and writes (tensors), and what
//! the kernel's parameters say the step touches (bytes). For every read it walks back through the earlier
//! steps to the one that wrote those bytes last, and demands that this is the step of the operator that
//! makes the tensor, and that it wrote just these bytes. So a layout in which a step overwrites what
//! another still needs does not pass, whoever made it.
//!
//! A subgraph's steps stand where it is called, between copies into its inputs and out of its outputs. Of
//! steps of which only some run, it is demanded that none harms what is read later; of a loop, that what it
//! hands on stays whole from its first step to its last.
//!
//! A plan that was not made here, on the spot, has to say more: that its kernels do what the operators ask
//! for. It is written once more, with the places that it names itself, and compared word by word.
//!
//! Work grows with the number of steps times the distance between writing and reading, at most with its
//! square.

mod rebuild;

use core::fmt;
use core::marker::PhantomData;
use core::ops::Range;

use kinglet_kernels::ops::jump::JumpParams;
use kinglet_kernels::{Footprint, Kernel, Params as _, Place, Region, Span};
use kinglet_tflite::ops::VARIABLES;
use kinglet_tflite::{Graph, Indices, ModelError, Node, Op, OpKind, OpSet, Storage};

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

struct Checker<'p, 'g, S> {
    plan: &'p Plan<'p>,
    graph: &'p Graph<'g>,
    constants: usize,
    ops: PhantomData<S>,
}

/// A subgraph whose steps are checked where it is called.
struct Frame<'g> {
    graph: Graph<'g>,
    /// Number of its first operator in the file.
    first_op: u32,
    /// Its first step.
    start: usize,
    /// The first of the copies to its inputs, which end at `start`; `None` for the model itself.
    copies: Option<usize>,
}

impl<'g> Frame<'g> {
    /// The operator of this subgraph that a step belongs to.
    fn node(&self, step: &Step) -> Result<Option<Node<'g>>, CheckError> {
        match u32::from(step.op).checked_sub(self.first_op) {
            Some(op) if op < self.graph.op_count() => Ok(Some(self.graph.node(op)?)),
            _ => Ok(None),
        }
    }
}

/// The tensors in a list that are no handles: what is copied.
fn copied<'g, I: Iterator<Item = Option<u32>>>(
    graph: &Graph<'g>,
    ids: I,
) -> impl Iterator<Item = Option<u32>> + use<'g, I> {
    let graph = *graph;
    ids.filter(move |id| id.is_none_or(|id| graph.tensor(id).is_ok_and(|tensor| tensor.has_size())))
}

/// A place in the state memory belongs to one of these.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    /// A tensor of the first subgraph that is a variable.
    Tensor(u32),
    /// A resource variable, or a CALL_ONCE.
    Slot(u32),
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
    check_layout::<S>(plan, graph, constants.len() as usize)?;
    rebuild::check::<S>(plan, graph, options, constants)
}

/// Checks the layout of a plan whose parameters are the planner's: no step overwrites what another still
/// needs. There are `constants` bytes of constants.
///
/// # Errors
/// [`CheckError`]: the first fault found.
pub fn check_layout<S: OpSet>(
    plan: &Plan<'_>,
    graph: &Graph<'_>,
    constants: usize,
) -> Result<(), CheckError> {
    let checker = Checker { plan, graph, constants, ops: PhantomData::<S> };
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
    let frame = Frame { graph: *graph, first_op: 0, start: 0, copies: None };
    if checker.check_frame(&frame)? != plan.step_count() {
        return Err(CheckError::OtherGraph);
    }
    for (tensor, id) in plan.outputs().zip(graph.outputs().iter()) {
        checker.check_io(&tensor, id)?;
        checker.check_read(&frame, plan.step_count(), span(&tensor), id)?;
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

impl<S: OpSet> Checker<'_, '_, S> {
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

    /// The steps of a subgraph. Returns the step after its last.
    fn check_frame(&self, frame: &Frame<'_>) -> Result<usize, CheckError> {
        let mut start = frame.start;
        for op in 0..frame.graph.op_count() {
            let node = frame.graph.node(op)?;
            start = match OpKind::from_code(node.code) {
                // A handle takes no step.
                Some(OpKind::VarHandle) => start,
                Some(OpKind::If) if S::has(OpKind::If) => self.check_if(frame, &node, start)?,
                Some(OpKind::While) if S::has(OpKind::While) => self.check_while(frame, &node, start)?,
                Some(OpKind::CallOnce) if S::has(OpKind::CallOnce) => self.check_once(frame, &node, start)?,
                // One step or several in a row.
                kind => {
                    let number = frame.first_op.saturating_add(op);
                    let belongs =
                        |step: usize| self.plan.step(step).is_some_and(|entry| u32::from(entry.op) == number);
                    let mut end = start;
                    while belongs(end) {
                        end += 1;
                    }
                    match kind {
                        _ if end == start => return Err(CheckError::OtherGraph),
                        Some(OpKind::ReadVariable | OpKind::AssignVariable) if S::OPS & VARIABLES != 0 => {
                            end = start + 1;
                            self.check_variable(frame, &node, start)?;
                        }
                        _ => self.check_op(frame, &node, start..end)?,
                    }
                    end
                }
            };
        }
        Ok(start)
    }

    /// Step `step` is one of operator `node`, and calls `kernel`.
    fn own_step(
        &self,
        frame: &Frame<'_>,
        node: &Node<'_>,
        step: usize,
        kernel: Kernel,
    ) -> Result<Footprint<'_>, CheckError> {
        let (entry, found) = self.step(step)?;
        let number = frame.first_op.saturating_add(node.index);
        if found != kernel || u32::from(entry.op) != number {
            return Err(CheckError::OtherGraph);
        }
        let footprint = self.footprint(step)?;
        for touched in footprint.reads.iter().chain([&footprint.write]) {
            self.in_bounds(touched, step)?;
        }
        if kernel != Kernel::Jump && footprint.write != announced(&entry) {
            return Err(CheckError::OtherGraph);
        }
        Ok(footprint)
    }

    /// Step `step` is a jump to `target`, on this condition or always. Returns where the condition lies.
    fn check_jump(
        &self,
        frame: &Frame<'_>,
        node: &Node<'_>,
        step: usize,
        target: usize,
        conditional: bool,
    ) -> Result<Span, CheckError> {
        let [condition, _] = self.own_step(frame, node, step, Kernel::Jump)?.reads;
        let words = self.plan.step(step).and_then(|entry| self.plan.words().get(entry.params as usize..));
        let params =
            words.and_then(JumpParams::from_words).ok_or(CheckError::BadStep { step: step as u32 })?;
        if params.target as usize != target || (condition.len > 0) != conditional {
            return Err(CheckError::OtherGraph);
        }
        Ok(condition)
    }

    /// Step `step` copies tensor `from`, if it is not known to lie at `source`, to tensor `to` in the arena,
    /// which the caller knows or learns the place of.
    fn check_copy(
        &self,
        (caller, node): (&Frame<'_>, &Node<'_>),
        step: usize,
        (from, from_frame): (Option<u32>, &Frame<'_>),
        source: Option<Span>,
        (to, to_frame): (Option<u32>, &Frame<'_>),
    ) -> Result<Span, CheckError> {
        let Footprint { reads: [read, _], write, .. } = self.own_step(caller, node, step, Kernel::Copy)?;
        let to = to_frame.graph.tensor(to.ok_or(CheckError::OtherGraph)?)?;
        if u64::from(to.byte_len()) != write.len || write.place.region() != Some(Region::Arena) {
            return Err(CheckError::OtherGraph);
        }
        match source {
            Some(source) if source != read => return Err(CheckError::OtherGraph),
            Some(_) => {}
            None => self.check_read(from_frame, step, read, from)?,
        }
        if read.overlaps(&write) { Err(CheckError::Overlap { step: step as u32 }) } else { Ok(write) }
    }

    /// What a step writes, and what those right before it have written, lies apart.
    fn check_apart(&self, steps: Range<usize>, write: &Span) -> Result<(), CheckError> {
        let end = steps.end as u32;
        for earlier in steps {
            if announced(&self.step(earlier)?.0).overlaps(write) {
                return Err(CheckError::Overlap { step: end });
            }
        }
        Ok(())
    }

    /// Copies to the inputs of a subgraph, from step `copies` on, and the subgraph's own steps. What lies at
    /// `sources` is known not to have changed. Returns the subgraph, and the step after its last.
    fn check_call<'f>(
        &self,
        (caller, node): (&Frame<'f>, &Node<'f>),
        arguments: Option<(Indices<'_>, usize)>,
        sources: Option<usize>,
        callee: u32,
        copies: usize,
    ) -> Result<(Frame<'f>, usize), CheckError> {
        let graph = caller.graph.sibling(callee)?;
        let mut inner = Frame { graph, first_op: graph.first_op()?, start: copies, copies: Some(copies) };
        let arguments = arguments.into_iter().flat_map(|(ids, first)| ids.iter().skip(first));
        let pairs = copied(&caller.graph, arguments).zip(copied(&graph, graph.inputs().iter()));
        for (i, (from, to)) in pairs.enumerate() {
            let step = copies + i;
            let source = sources.map(|first| self.step(first + i)).transpose()?;
            let source = source.map(|(entry, _)| announced(&entry));
            let write = self.check_copy((caller, node), step, (from, caller), source, (to, &inner))?;
            self.check_apart(copies..step, &write)?;
            inner.start = step + 1;
        }
        let end = self.check_frame(&inner)?;
        Ok((inner, end))
    }

    /// Copies from the outputs of a subgraph to those of the operator that called it, from step `at` on.
    /// Returns the step after the last.
    fn check_copies_out(
        &self,
        (caller, node): (&Frame<'_>, &Node<'_>),
        inner: &Frame<'_>,
        at: usize,
    ) -> Result<usize, CheckError> {
        let mut step = at;
        let outputs = copied(&inner.graph, inner.graph.outputs().iter());
        for (from, to) in outputs.zip(copied(&caller.graph, node.outputs.iter())) {
            let write = self.check_copy((caller, node), step, (from, inner), None, (to, caller))?;
            self.check_apart(at..step, &write)?;
            step += 1;
        }
        Ok(step)
    }

    /// A jump to the second branch; the first branch and a jump behind the second; the second.
    fn check_if(&self, frame: &Frame<'_>, node: &Node<'_>, start: usize) -> Result<usize, CheckError> {
        let Op::If(op) = frame.graph.op::<S>(node.index)? else { return Err(CheckError::OtherGraph) };
        let [first, second] = op.branches;
        let arguments = Some((node.inputs, 1));
        let (inner, end) = self.check_call((frame, node), arguments, None, first, start + 1)?;
        let over = self.check_copies_out((frame, node), &inner, end)?;
        let condition = self.check_jump(frame, node, start, over + 1, true)?;
        self.check_read(frame, start, condition, node.inputs.get(0))?;
        let (inner, other_end) = self.check_call((frame, node), arguments, None, second, over + 1)?;
        let after = self.check_copies_out((frame, node), &inner, other_end)?;
        self.check_jump(frame, node, over, after, false)?;
        // Both write the same.
        for (step, other) in (end..over).zip(other_end..after) {
            if announced(&self.step(step)?.0) != announced(&self.step(other)?.0) {
                return Err(CheckError::Overwritten { step: other as u32 });
            }
        }
        Ok(after)
    }

    /// Copies of the inputs to the outputs; the condition and a jump behind the loop; the body and a jump
    /// back to the condition.
    fn check_while(&self, frame: &Frame<'_>, node: &Node<'_>, start: usize) -> Result<usize, CheckError> {
        let Op::While(op) = frame.graph.op::<S>(node.index)? else {
            return Err(CheckError::OtherGraph);
        };
        let mut begin = start;
        for (from, to) in
            copied(&frame.graph, node.inputs.iter()).zip(copied(&frame.graph, node.outputs.iter()))
        {
            let write = self.check_copy((frame, node), begin, (from, frame), None, (to, frame))?;
            self.check_apart(start..begin, &write)?;
            begin += 1;
        }
        let arguments = Some((node.outputs, 0));
        let (inner, decide) = self.check_call((frame, node), arguments, Some(start), op.condition, begin)?;
        let decision = inner.graph.outputs().get(0);
        let (body, end) = self.check_call((frame, node), arguments, Some(start), op.body, decide + 1)?;
        let back = self.check_copies_out((frame, node), &body, end)?;
        self.check_jump(frame, node, back, begin, false)?;
        let condition = self.check_jump(frame, node, decide, back + 1, true)?;
        self.check_read(&inner, decide, condition, decision)?;
        // What is handed on is written by its own copy alone.
        for (i, kept) in (start..begin).enumerate() {
            let kept = announced(&self.step(kept)?.0);
            for step in begin..back {
                let (written, scratch) = self.writes(step)?;
                let own = step == end + i && written == kept;
                if !own && (written.overlaps(&kept) || scratch.overlaps(&kept)) {
                    return Err(CheckError::Overwritten { step: step as u32 });
                }
            }
            if announced(&self.step(end + i)?.0) != kept {
                return Err(CheckError::Overwritten { step: (end + i) as u32 });
            }
        }
        Ok(back + 1)
    }

    /// A jump over the call if it was made; the call; a note that it was made.
    fn check_once(&self, frame: &Frame<'_>, node: &Node<'_>, start: usize) -> Result<usize, CheckError> {
        let Op::CallOnce(op) = frame.graph.op::<S>(node.index)? else {
            return Err(CheckError::OtherGraph);
        };
        let (_, end) = self.check_call((frame, node), None, None, op.init, start + 1)?;
        let pending = self.check_jump(frame, node, start, end + 1, true)?;
        let note = self.own_step(frame, node, end, Kernel::Fill)?.write;
        if note != pending {
            return Err(CheckError::OtherGraph);
        }
        self.check_state(start, pending, 1, Owner::Slot(op.slot))?;
        self.check_state(end, pending, 1, Owner::Slot(op.slot))?;
        Ok(end + 1)
    }

    /// READ_VARIABLE and ASSIGN_VARIABLE: one copy.
    fn check_variable(&self, frame: &Frame<'_>, node: &Node<'_>, step: usize) -> Result<(), CheckError> {
        let Footprint { reads: [read, _], write, .. } = self.own_step(frame, node, step, Kernel::Copy)?;
        match frame.graph.op::<S>(node.index)? {
            Op::ReadVariable(op) => {
                if write.place.region() != Some(Region::Arena) {
                    return Err(CheckError::OtherGraph);
                }
                self.check_state(step, read, op.output.byte_len(), Owner::Slot(op.slot))
            }
            Op::AssignVariable(op) => {
                self.check_read(frame, step, read, Some(op.value.id))?;
                self.check_state(step, write, op.value.byte_len(), Owner::Slot(op.slot))
            }
            _ => Err(CheckError::OtherGraph),
        }
    }

    /// What a step writes, and its scratch memory.
    fn writes(&self, step: usize) -> Result<(Span, Span), CheckError> {
        let (entry, kernel) = self.step(step)?;
        Ok(match kernel {
            Kernel::Jump | Kernel::Nothing => (Span::EMPTY, Span::EMPTY),
            Kernel::Fill | Kernel::StridedCopy | Kernel::Copy => (announced(&entry), Span::EMPTY),
            _ => (announced(&entry), self.footprint(step)?.scratch),
        })
    }

    /// The steps of one operator. They write its outputs one after the other: where the place changes, the
    /// next output begins.
    fn check_op(&self, frame: &Frame<'_>, node: &Node<'_>, steps: Range<usize>) -> Result<(), CheckError> {
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
            let tensor = frame.graph.tensor(node.outputs.get(output).ok_or(CheckError::OtherGraph)?)?;
            if tensor.byte_len() != entry.output_bytes {
                return Err(CheckError::OtherGraph);
            }
            self.in_bounds(&written, step)?;
            if kernel == Kernel::Nothing {
                if steps.len() == 1 {
                    // The output lies where the input lies: whoever reads it is followed through to there.
                    self.check_read(frame, step, written, node.inputs.get(0))?;
                }
                continue;
            }

            let footprint = self.footprint(step)?;
            let Footprint { write, states, scratch, .. } = footprint;
            for touched in states.iter().chain([&scratch]) {
                self.in_bounds(touched, step)?;
            }
            let touches_state = |span: &Span| states.iter().any(|state| state.overlaps(span));
            if write != written || write.place.region() != Some(Region::Arena) {
                return Err(CheckError::OtherGraph);
            }
            // What the kernel reads are the operator's inputs.
            let copy = copies;
            copies += usize::from(kernel == Kernel::StridedCopy);
            for (i, read) in footprint.inputs().enumerate() {
                self.in_bounds(&read, step)?;
                let id = node.inputs.get(read_input(node, copy, i));
                // Steps of one operator often read the same.
                if known != Some((read, id)) {
                    self.check_read(frame, steps.start, read, id)?;
                    known = Some((read, id));
                }
                for earlier in steps.start..step {
                    if announced(&self.step(earlier)?.0).overlaps(&read) {
                        return Err(CheckError::Overwritten { step: at });
                    }
                }
                if !footprint.spares(i, entry.first_row > entry.end_row)
                    || read.overlaps(&scratch)
                    || touches_state(&read)
                {
                    return Err(CheckError::Overlap { step: at });
                }
            }
            let [first, second] = states;
            let apart = !write.overlaps(&scratch) && !first.overlaps(&second);
            if !apart || touches_state(&write) || touches_state(&scratch) {
                return Err(CheckError::Overlap { step: at });
            }
            for (i, state) in states.into_iter().enumerate().filter(|(_, state)| state.len > 0) {
                let id = variable(&frame.graph, node, i)?.ok_or(CheckError::OtherGraph)?;
                self.check_state(step, state, frame.graph.tensor(id)?.byte_len(), Owner::Tensor(id))?;
            }
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

    /// Before `step` of a subgraph, the bytes of `read` are tensor `id`, whole and unharmed.
    fn check_read(
        &self,
        frame: &Frame<'_>,
        step: usize,
        read: Span,
        id: Option<u32>,
    ) -> Result<(), CheckError> {
        let overwritten = CheckError::Overwritten { step: step as u32 };
        let mut id = id.ok_or(CheckError::OtherGraph)?;
        let tensor = frame.graph.tensor(id)?;
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
        for earlier in (frame.start..step).rev() {
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
            let (write, scratch) = self.writes(earlier)?;
            let node = frame.node(&entry)?;
            let node = match node.map(|node| (node, OpKind::from_code(node.code))) {
                Some((node, Some(OpKind::If | OpKind::While | OpKind::CallOnce))) => {
                    // The operator that reads is not the one that wrote.
                    let is_done = !same_op && self.plan.step(step).is_none_or(|reader| reader.op != entry.op);
                    if is_done && node.outputs.iter().any(|output| output == Some(id)) {
                        let place = self.copied_out(frame, &node, earlier, id)?;
                        return if place == read { Ok(()) } else { Err(overwritten) };
                    }
                    None
                }
                node => node.map(|(node, _)| node),
            };
            let Some(node) = node else {
                // A step of a subgraph that was called, or of the call.
                if write.overlaps(&read) || scratch.overlaps(&read) {
                    return Err(overwritten);
                }
                continue;
            };
            let output = node.outputs.len().checked_sub(outputs_after + 1).and_then(|i| node.outputs.get(i));
            let alone = earlier
                .checked_sub(1)
                .is_none_or(|i| i < frame.start || self.plan.step(i).is_none_or(|s| s.op != entry.op));
            if kernel == Kernel::Nothing && alone && !same_op {
                if output == Some(id) {
                    // The same bytes under another name.
                    id = node.inputs.get(0).ok_or(CheckError::OtherGraph)?;
                    let is_activation = matches!(frame.graph.tensor(id)?.storage, Storage::Activation);
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
        // Nobody wrote it: it has to be an input of the subgraph.
        let place = match frame.copies {
            None => {
                let mut inputs = self.plan.inputs().zip(frame.graph.inputs().iter());
                inputs.find(|(_, input)| *input == Some(id)).map(|(io, _)| span(&io))
            }
            Some(copies) => {
                let mut inputs = copied(&frame.graph, frame.graph.inputs().iter());
                let number = inputs.position(|input| input == Some(id));
                number.map(|i| self.step(copies + i)).transpose()?.map(|(entry, _)| announced(&entry))
            }
        };
        if place == Some(read) { Ok(()) } else { Err(overwritten) }
    }

    /// Where an IF or WHILE, whose last step is `last`, leaves its output `id`.
    fn copied_out(
        &self,
        frame: &Frame<'_>,
        node: &Node<'_>,
        last: usize,
        id: u32,
    ) -> Result<Span, CheckError> {
        let outputs = || copied(&frame.graph, node.outputs.iter());
        let number = outputs().position(|output| output == Some(id)).ok_or(CheckError::OtherGraph)?;
        // The copies out come last, but for the jump at the end of a loop.
        let is_loop = OpKind::from_code(node.code) == Some(OpKind::While);
        let end = if is_loop { last } else { last + 1 };
        let step = (end + number).checked_sub(outputs().count()).ok_or(CheckError::OtherGraph)?;
        Ok(announced(&self.step(step)?.0))
    }

    /// Step `step` touches `state`, which belongs to `owner` and has its length; so does what the nearest
    /// step before it that touches some of this belongs to.
    fn check_state(&self, step: usize, state: Span, bytes: u32, owner: Owner) -> Result<(), CheckError> {
        if state.len != bytes.into() || state.place.region() != Some(Region::State) {
            return Err(CheckError::OtherGraph);
        }
        self.in_bounds(&state, step)?;
        for earlier in (0..step).rev() {
            let (entry, kernel) = self.step(earlier)?;
            let [first, second] = match kernel {
                Kernel::SvdfS8 | Kernel::SvdfS16 | Kernel::LstmS8 | Kernel::LstmS16 => {
                    self.footprint(earlier)?.states
                }
                Kernel::Jump | Kernel::Copy => [self.footprint(earlier)?.reads[0], Span::EMPTY],
                _ => [Span::EMPTY; 2],
            };
            let mut touched = [first, second, announced(&entry)].into_iter().enumerate();
            if let Some((i, touched)) = touched.find(|(_, span)| span.overlaps(&state)) {
                // Only an operator with two states has them in two places.
                let same = touched == state && self.owner(&entry, usize::from(i == 1))? == Some(owner);
                return if same { Ok(()) } else { Err(CheckError::Overlap { step: step as u32 }) };
            }
        }
        Ok(())
    }

    /// What a step of an operator with state belongs to, as far as its state number `i` is concerned.
    fn owner(&self, step: &Step, i: usize) -> Result<Option<Owner>, CheckError> {
        let model = self.graph.model();
        let mut first_op = 0;
        for index in 0..model.subgraph_count() as u32 {
            let graph = model.graph(index)?;
            let frame = Frame { graph, first_op, start: 0, copies: None };
            first_op = first_op.saturating_add(graph.op_count());
            let Some(node) = frame.node(step)? else { continue };
            return Ok(match OpKind::from_code(node.code) {
                Some(OpKind::ReadVariable | OpKind::AssignVariable) if S::OPS & VARIABLES != 0 => {
                    let handle = node.inputs.get(0).ok_or(CheckError::OtherGraph)?;
                    Some(Owner::Slot(graph.variable(handle)?))
                }
                Some(OpKind::CallOnce) if S::has(OpKind::CallOnce) => match graph.op::<S>(node.index)? {
                    Op::CallOnce(op) => Some(Owner::Slot(op.slot)),
                    _ => None,
                },
                _ => variable(&graph, &node, i)?.map(Owner::Tensor),
            });
        }
        Ok(None)
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

/// The variable number `i` of those that an operator keeps its state in.
fn variable(graph: &Graph<'_>, node: &Node<'_>, i: usize) -> Result<Option<u32>, CheckError> {
    let mut found = 0;
    for id in node.inputs.iter().flatten() {
        if matches!(graph.tensor(id)?.storage, Storage::Variable) {
            if found == i {
                return Ok(Some(id));
            }
            found += 1;
        }
    }
    Ok(None)
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

//! When each tensor is alive, and where it lies.
//!
//! Lifetimes are counted in operators, a subgraph's where the subgraph is called: an input of the model is
//! alive from time 0, and an output of the model stays alive to the end. Copies into a subgraph and out of
//! it take a time of their own. What a loop hands on is alive as long as the loop runs. Tensors that are alive together get places
//! that do not overlap: one after the other each gets the lowest offset that is free all its life, once
//! with the largest first ("greedy by size" of Pisarchyk and Lee, arXiv 2001.03288), once outwards from the
//! step at which most bytes are alive, once the last first; the smallest arena is kept.
//!
//! An operator's output may lie over an input that dies with it, as far as the operator's kernel allows
//! ([`Overlap`]): it starts some way before the input or behind its start.

use core::cmp::{Ordering, Reverse};

use kinglet_kernels::{Choice, Overlap, Place, Region};
use kinglet_tflite::ops::{CONTROL, CallOnce, If, VARIABLES, While};
use kinglet_tflite::{DType, Graph, Indices, ModelError, Node, Op, OpKind, OpSet, Reason, Storage, Tensor};

use crate::PlanError;
use crate::plan::StateInit;
use crate::planner::Options;
use crate::prepare;

/// The most steps of a plan.
const MAX_STEPS: u32 = 65_535;

/// The most subgraphs that run inside of one another.
const MAX_DEPTH: u32 = 8;

/// The most operators in subgraphs that are called, counted at every call.
const MAX_CALLED_OPS: u32 = 4_096;

/// Every tensor starts at a multiple of this many bytes.
pub const ALIGNMENT: u32 = 4;

/// What the planner knows of one tensor, or of one step's scratch memory: six words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    /// Bytes, below 2^30; 0 for what needs no place of its own.
    size: u32,
    /// Byte offset in its region, once placed.
    offset: u32,
    /// When it is written, and when it is read last.
    first: u16,
    last: u16,
    /// The tensor whose place it shares; itself for most.
    root: u16,
    /// The next record in the list of those that are placed in the arena, by offset.
    next: u16,
    flags: u8,
    /// The tensor that this one may lie over when that dies as this is written; [`END`]: none.
    over: u16,
    /// How far in front of it, or behind it, this has to start, in units of [`ALIGNMENT`]; `u16::MAX`: further
    /// than that, so not over it. Both 0: just where it starts.
    lead: u16,
    lag: u16,
}

/// The end of the list.
const END: u16 = u16::MAX;
/// Something has written to it: it may be read.
const WRITTEN: u8 = 1;
/// It has a place.
const PLACED: u8 = 2;
/// It lies in the state memory.
const STATE: u8 = 4;
/// It may lie over every tensor that dies as it is written, not just over one.
const OVER_ALL: u8 = 8;

/// Sizes and offsets leave two bits of their words free, for the flags.
const LOW: u32 = Place::LIMIT - 1;

impl Record {
    const WORDS: usize = 6;

    const EMPTY: Self = Self {
        size: 0,
        offset: 0,
        first: 0,
        last: 0,
        root: 0,
        next: END,
        flags: 0,
        over: END,
        lead: 0,
        lag: 0,
    };

    fn from_words([size, offset, life, links, distances, over]: [u32; Self::WORDS]) -> Self {
        Self {
            size: size & LOW,
            offset: offset & LOW,
            first: life as u16,
            last: (life >> 16) as u16,
            root: links as u16,
            next: (links >> 16) as u16,
            flags: (size >> 30 | offset >> 30 << 2) as u8,
            over: over as u16,
            lead: distances as u16,
            lag: (distances >> 16) as u16,
        }
    }

    fn to_words(self) -> [u32; Self::WORDS] {
        [
            self.size & LOW | u32::from(self.flags) << 30,
            self.offset & LOW | u32::from(self.flags) >> 2 << 30,
            u32::from(self.first) | u32::from(self.last) << 16,
            u32::from(self.root) | u32::from(self.next) << 16,
            u32::from(self.lead) | u32::from(self.lag) << 16,
            u32::from(self.over),
        ]
    }

    fn is_alive_with(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    fn end(&self) -> u32 {
        self.offset.saturating_add(self.size)
    }

    /// How far in front of `input`, which it may lie over, this has to start, or how far behind: as far as all
    /// its or the input's bytes when it may not lie over it.
    fn distances(&self, input: &Self) -> (u32, u32) {
        let dies = input.last == self.first && input.first < self.first;
        let may_overlap = dies && (self.flags & OVER_ALL != 0 || self.over == input.root);
        let bytes = |units: u16, most: u32| match units {
            units if may_overlap && units < u16::MAX => most.min(u32::from(units) * ALIGNMENT),
            _ => most,
        };
        (bytes(self.lead, self.size), bytes(self.lag, input.size))
    }

    /// Where this can't start because of `other`, which has its place: behind the first offset and before
    /// the second.
    fn forbidden_by(&self, other: &Self) -> (i64, i64) {
        // The later of the two is the one that may lie over the other.
        let (before, behind) = if self.first >= other.first {
            self.distances(other)
        } else {
            let (lead, lag) = other.distances(self);
            (lag, lead)
        };
        let at = i64::from(other.offset);
        if (before, behind) == (0, 0) {
            // Just where the other is, or clear of it.
            return match self.offset.cmp(&other.offset) {
                Ordering::Less => (at - i64::from(self.size), at),
                Ordering::Equal => (at, at),
                Ordering::Greater => (at, at + i64::from(other.size)),
            };
        }
        (at - i64::from(before), at + i64::from(behind))
    }
}

/// The records, from the end of a block of memory backwards, so that a plan can grow from its start.
struct Records<'m> {
    words: &'m mut [u32],
    /// Records asked for, also those that found no room.
    len: usize,
    /// The one placed lowest in the arena.
    first: u16,
}

/// Records lie from the end of the memory backwards.
fn range(words: usize, i: usize) -> Option<core::ops::Range<usize>> {
    let end = words.checked_sub(i.checked_mul(Record::WORDS)?)?;
    Some(end.checked_sub(Record::WORDS)?..end)
}

impl Records<'_> {
    /// Where record `i` lies in the memory.
    fn range(&self, i: usize) -> Option<core::ops::Range<usize>> {
        range(self.words.len(), i)
    }

    /// Record `i`; `None` beyond the last, however much memory there is.
    fn get(&self, i: usize) -> Option<Record> {
        if i >= self.len {
            return None;
        }
        self.words.get(self.range(i)?)?.first_chunk().copied().map(Record::from_words)
    }

    fn set(&mut self, i: usize, record: Record) {
        let slot = self.range(i).and_then(|range| self.words.get_mut(range));
        if let Some(slot) = slot {
            slot.copy_from_slice(&record.to_words());
        }
    }

    fn update(&mut self, i: usize, change: impl FnOnce(&mut Record)) {
        if let Some(mut record) = self.get(i) {
            change(&mut record);
            self.set(i, record);
        }
    }

    fn push(&mut self, record: Record) {
        self.len += 1;
        self.set(self.len - 1, record);
    }

    /// Gives record `i` the lowest offset at which it overlaps none that is placed and alive with it.
    /// Returns where it ends.
    fn place(&mut self, i: usize) -> u32 {
        let Some(mut record) = self.get(i) else {
            return 0;
        };
        // Moved on past whatever is in the way, until nothing is.
        loop {
            let start = record.offset;
            let mut at = self.first;
            while let Some(other) = self.get(at.into()) {
                if other.is_alive_with(&record) {
                    let (behind, before) = record.forbidden_by(&other);
                    if behind < record.offset.into() && i64::from(record.offset) < before {
                        let offset = u32::try_from(before).unwrap_or(u32::MAX);
                        record.offset = offset.checked_next_multiple_of(ALIGNMENT).unwrap_or(u32::MAX);
                    }
                }
                at = other.next;
            }
            if record.offset == start {
                break;
            }
        }
        record.flags |= PLACED;
        let end = record.end();
        // Into the list, before the first that starts at or behind it.
        let mut before = END;
        let mut after = self.first;
        while let Some(other) = self.get(after.into())
            && other.offset < record.offset
        {
            before = after;
            after = other.next;
        }
        record.next = after;
        self.set(i, record);
        match before {
            END => self.first = i as u16,
            _ => self.update(before.into(), |record| record.next = i as u16),
        }
        end
    }
}

/// A subgraph at the place where it is called; the first one, which runs.
#[derive(Clone, Copy, Debug, Default)]
pub struct Frame {
    /// Its number in the file.
    pub subgraph: u32,
    /// Number of its tensor 0, when the tensors of each call are counted.
    pub first_tensor: u32,
    /// Number of its first operator in the file.
    pub first_op: u32,
    /// Its first step in the plan; the copies into its inputs stand before.
    pub first_step: u32,
}

/// Where a model's tensors lie: what a plan is written from.
pub trait Places {
    /// Where a tensor lies that is no constant and no handle.
    fn place(&self, frame: &Frame, tensor: &Tensor<'_>) -> Option<Place>;

    /// Output `b` of an operator is its input `a`, left where it is.
    fn share_a_place(&self, frame: &Frame, a: &Tensor<'_>, b: &Tensor<'_>) -> bool;

    /// Where the scratch memory of an operator lies, the `i`-th that has some and whose first step is `step`.
    fn scratch(&self, step: u32, i: usize) -> Option<Place>;

    /// Where the state of a [slot](kinglet_tflite::Model::slot_count) lies, and its initial value; `None`
    /// when it has none.
    fn slot(&self, slot: u32) -> Option<StateInit>;
}

/// Where everything lies.
#[derive(Debug)]
pub struct Layout<'m> {
    words: &'m mut [u32],
    len: usize,
    /// The records after those of tensors: of slots, then of scratch memory.
    slots: usize,
    scratch: usize,
    /// Bytes of arena that the model needs.
    pub arena_bytes: u32,
    /// Bytes of state memory that the model needs.
    pub state_bytes: u32,
    /// Steps of the plan.
    pub steps: u32,
}

impl<'m> Layout<'m> {
    /// Lays out a graph's tensors. `words` is working memory: 24 bytes a tensor.
    ///
    /// # Errors
    /// [`PlanError::Model`] when an operator is refused, reads what nothing has written, or writes what is
    /// written already; [`PlanError::MemoryTooSmall`]; [`PlanError::ArenaTooLarge`].
    pub fn new<S: OpSet>(
        graph: &Graph<'_>,
        options: &Options,
        words: &'m mut [u32],
    ) -> Result<Self, PlanError> {
        let mut census = Census::default();
        census.count::<S>(graph, 0)?;
        let slots_at = census.tensors as usize;
        let slots = if S::OPS & STATE_OPS != 0 { graph.model().slot_count()? } else { 0 };
        let scratch_at = slots_at.saturating_add(slots as usize);
        let mut records = Records { words, len: scratch_at, first: END };
        for id in 0..scratch_at {
            records.set(id, Record { root: id as u16, ..Record::EMPTY });
        }
        // With too little memory nothing can be said of lifetimes, but the operators' scratch is counted
        // all the same: the error is to say how much is needed.
        let fits = scratch_at.saturating_mul(Record::WORDS) <= records.words.len();
        let mut steps = 0;
        if fits && scratch_at < END.into() {
            if S::OPS & STATE_OPS != 0 {
                find_slots::<S>(graph, slots_at, &mut records)?;
            }
            let first = graph.tensor_count();
            let mut lives =
                Lives { records: &mut records, options, slots_at, time: 0, steps: 0, next_tensor: first };
            lives.model::<S>(graph)?;
            steps = lives.steps;
        }
        if steps > MAX_STEPS {
            return Err(ModelError::from(Reason::TooManyOps).into());
        }
        if records.len >= END.into() {
            return Err(ModelError::from(Reason::TooManyTensors).into());
        }
        let needed = records.len.saturating_mul(Record::WORDS);
        if needed > records.words.len() {
            return Err(PlanError::MemoryTooSmall { needed: needed * 4, given: records.words.len() * 4 });
        }
        let state_bytes = place_state(&mut records);
        let arena_bytes = place_arena(&mut records);
        if arena_bytes >= Place::LIMIT || state_bytes >= Place::LIMIT {
            return Err(PlanError::ArenaTooLarge);
        }
        let len = records.len;
        let words = records.words;
        Ok(Self { words, len, slots: slots_at, scratch: scratch_at, arena_bytes, state_bytes, steps })
    }

    /// Words that the layout needs.
    pub fn words(&self) -> usize {
        self.len * Record::WORDS
    }

    /// Gives back the part of its memory that it does not need.
    pub(crate) fn split(self) -> (&'m mut [u32], Self) {
        let at = self.words.len().saturating_sub(self.words());
        // In bounds: `at` is at most the length.
        let (front, words) = self.words.split_at_mut_checked(at).unwrap_or_default();
        (front, Self { words, ..self })
    }

    fn record(&self, i: usize) -> Option<Record> {
        let words = self.words.get(range(self.words.len(), i)?)?;
        words.first_chunk().copied().map(Record::from_words)
    }
}

impl Places for Layout<'_> {
    fn place(&self, frame: &Frame, tensor: &Tensor<'_>) -> Option<Place> {
        let root = self.record(number(frame, tensor.id))?.root;
        let record = self.record(root.into())?;
        let region = if record.flags & STATE != 0 { Region::State } else { Region::Arena };
        (record.flags & PLACED != 0).then(|| Place::new(region, record.offset)).flatten()
    }

    fn share_a_place(&self, frame: &Frame, a: &Tensor<'_>, b: &Tensor<'_>) -> bool {
        let root = |tensor: &Tensor<'_>| self.record(number(frame, tensor.id)).map(|record| record.root);
        root(a) == root(b) && root(a).is_some()
    }

    fn scratch(&self, _step: u32, i: usize) -> Option<Place> {
        let record = self.record(self.scratch.checked_add(i)?)?;
        Place::new(Region::Arena, record.offset)
    }

    fn slot(&self, slot: u32) -> Option<StateInit> {
        let record = self.record(self.slots.checked_add(slot as usize)?)?;
        let placed = record.flags & PLACED != 0;
        // The low half of what is its first time in other records is the value that it starts with.
        placed.then_some(StateInit { offset: record.offset, bytes: record.size, fill: record.first as u8 })
    }
}

/// A tensor's number among those of all calls.
fn number(frame: &Frame, id: u32) -> usize {
    frame.first_tensor.saturating_add(id) as usize
}

/// The operators that have slots, or need them.
const STATE_OPS: u128 = CONTROL | VARIABLES;

/// Counts what there is when subgraphs stand where they are called.
#[derive(Default)]
struct Census {
    tensors: u32,
    called_ops: u32,
}

impl Census {
    fn count<S: OpSet>(&mut self, graph: &Graph<'_>, depth: u32) -> Result<(), PlanError> {
        self.tensors = self.tensors.saturating_add(graph.tensor_count());
        if S::OPS & CONTROL == 0 {
            return Ok(());
        }
        if depth > 0 {
            self.called_ops = self.called_ops.saturating_add(graph.op_count());
        }
        if self.called_ops > MAX_CALLED_OPS {
            return Err(ModelError::from(Reason::TooManyCalls).into());
        }
        for node in graph.nodes() {
            let node = node?;
            let calls =
                matches!(OpKind::from_code(node.code), Some(OpKind::If | OpKind::While | OpKind::CallOnce));
            if !calls {
                continue;
            }
            // An operator that is refused is found again when lifetimes are.
            let (a, b) = match graph.op::<S>(node.index) {
                Ok(Op::If(If { branches: [a, b], .. })) => (a, Some(b)),
                Ok(Op::While(While { condition, body })) => (condition, Some(body)),
                Ok(Op::CallOnce(CallOnce { init, .. })) => (init, None),
                _ => continue,
            };
            if depth >= MAX_DEPTH {
                let error = ModelError::from(Reason::NestedTooDeep).at_op(node.index, node.code);
                return Err(error.in_subgraph(graph.index()).into());
            }
            for callee in [Some(a), b].into_iter().flatten() {
                self.count::<S>(&graph.sibling(callee)?, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Gives every variable that something assigns to, and every CALL_ONCE, its size and initial value.
fn find_slots<S: OpSet>(
    graph: &Graph<'_>,
    slots_at: usize,
    records: &mut Records<'_>,
) -> Result<(), PlanError> {
    let model = graph.model();
    let record = |slot: u32| slots_at.saturating_add(slot as usize);
    if S::has(OpKind::CallOnce) {
        // A byte that says that the call is still to be made.
        model.for_each_slot(|slot, is_call_once| {
            if is_call_once {
                records.update(record(slot), |record| {
                    (record.size, record.first) = (1, 1);
                    record.flags |= WRITTEN | STATE;
                });
            }
        })?;
    }
    if S::has(OpKind::AssignVariable) {
        model.for_each_assignment(|slot, value| {
            let known = records.get(record(slot)).filter(|record| record.size > 0);
            if known.is_some() {
                return check_slot(known, &value);
            }
            records.update(record(slot), |record| {
                record.size = value.byte_len();
                record.first = variable_fill(&value).into();
                record.last = value.dtype as u16;
                record.flags |= WRITTEN | STATE;
            });
            Ok(())
        })?;
    }
    Ok(())
}

/// What every byte of a resource variable is at first: the low byte of the zero point of what is assigned
/// to it. TFLM: `MicroResourceVariables::Allocate`.
pub(crate) fn variable_fill(value: &Tensor<'_>) -> u8 {
    let zero_point = value.quantization.scale(0).and_then(|_| value.quantization.zero_point(0));
    zero_point.unwrap_or(0) as u8
}

/// A variable has the type and the length of a tensor.
fn check_slot(record: Option<Record>, tensor: &Tensor<'_>) -> Result<(), ModelError> {
    let at = |reason: Reason| ModelError::from(reason).at_tensor(tensor.id);
    match record {
        Some(record) if record.size == 0 => Err(at(Reason::NeverAssigned)),
        Some(record) if (record.size, record.last) == (tensor.byte_len(), tensor.dtype as u16) => Ok(()),
        Some(_) => Err(at(Reason::VariableDiffers)),
        None => Err(at(Reason::BadIndex)),
    }
}

/// Finds lifetimes, and counts steps, by going through the operators as they run.
struct Lives<'l, 'm> {
    records: &'l mut Records<'m>,
    options: &'l Options,
    slots_at: usize,
    time: u16,
    steps: u32,
    /// Number of the next call's tensor 0.
    next_tensor: u32,
}

impl Lives<'_, '_> {
    fn model<S: OpSet>(&mut self, graph: &Graph<'_>) -> Result<(), PlanError> {
        let frame = Frame::default();
        for id in graph.inputs().iter().flatten() {
            let tensor = graph.graph_input(id)?;
            self.records.update(id as usize, |record| {
                record.size = tensor.byte_len();
                record.flags |= WRITTEN;
            });
        }
        self.operators::<S>(graph, &frame)?;
        for id in graph.inputs().iter().chain(graph.outputs().iter()).flatten() {
            check_type(&graph.tensor(id)?)?;
        }
        let end = self.tick()?;
        for id in graph.outputs().iter().flatten() {
            self.read(&frame, &graph.tensor(id)?, end)?;
        }
        Ok(())
    }

    /// The next time.
    fn tick(&mut self) -> Result<u16, ModelError> {
        self.time = self.time.checked_add(1).ok_or(Reason::TooManyOps)?;
        Ok(self.time)
    }

    fn operators<S: OpSet>(&mut self, graph: &Graph<'_>, frame: &Frame) -> Result<(), PlanError> {
        for index in 0..graph.op_count() {
            let node = graph.node(index)?;
            // First what the graph says, so that an operator may rely on it.
            let op = graph.op::<S>(index)?;
            self.operator::<S>(graph, frame, &node, &op).map_err(|error| match error {
                PlanError::Model(error) => error.at_op(index, node.code).in_subgraph(graph.index()).into(),
                error => error,
            })?;
        }
        Ok(())
    }

    fn operator<S: OpSet>(
        &mut self,
        graph: &Graph<'_>,
        frame: &Frame,
        node: &Node<'_>,
        op: &Op<'_>,
    ) -> Result<(), PlanError> {
        let time = self.tick()?;
        for id in node.inputs.iter().flatten() {
            self.read(frame, &graph.tensor(id)?, time)?;
        }
        match op {
            Op::If(op) if S::has(OpKind::If) => return self.branches::<S>(graph, frame, node, op),
            Op::While(op) if S::has(OpKind::While) => return self.repeat::<S>(graph, frame, node, op),
            Op::CallOnce(op) if S::has(OpKind::CallOnce) => {
                // The jump, and the step that notes that the call was made.
                self.steps = self.steps.saturating_add(2);
                self.call::<S>(graph, frame, None, op.init)?;
                return Ok(());
            }
            Op::ReadVariable(op) if S::has(OpKind::ReadVariable) => {
                let slot = self.slots_at.saturating_add(op.slot as usize);
                check_slot(self.records.get(slot), &op.output)?;
            }
            _ => {}
        }
        for id in node.outputs.iter().flatten() {
            self.write(frame, &graph.tensor(id)?, time)?;
        }
        // A reshape of an activation leaves it where it is.
        if let Op::Reshape(reshape) = &op
            && matches!(reshape.input.storage, Storage::Activation)
        {
            share(self.records, number(frame, reshape.input.id), number(frame, reshape.output.id));
        }
        self.steps = self.steps.saturating_add(prepare::step_count::<S>(op));
        let Choice { scratch, overlap, .. } = prepare::choose::<S>(op, self.options)?;
        if self.options.overlap {
            let inputs = [node.inputs.get(0), node.inputs.get(1)];
            lay_over(graph, frame, self.records, overlap, inputs, node.outputs.get(0))?;
        }
        if scratch > 0 {
            let root = self.records.len as u16;
            self.records.push(Record {
                size: scratch,
                first: time,
                last: time,
                root,
                flags: WRITTEN,
                ..Record::EMPTY
            });
        }
        Ok(())
    }

    fn branches<S: OpSet>(
        &mut self,
        graph: &Graph<'_>,
        frame: &Frame,
        node: &Node<'_>,
        op: &If<'_>,
    ) -> Result<(), PlanError> {
        // One jump to the second branch, one over it.
        self.steps = self.steps.saturating_add(2);
        let [then_branch, else_branch] = op.branches;
        let inner = self.call::<S>(graph, frame, Some((node.inputs, 1)), then_branch)?;
        let time = self.copy_out(&graph.sibling(then_branch)?, &inner)?;
        for id in node.outputs.iter().flatten() {
            self.write(frame, &graph.tensor(id)?, time)?;
        }
        let inner = self.call::<S>(graph, frame, Some((node.inputs, 1)), else_branch)?;
        let time = self.copy_out(&graph.sibling(else_branch)?, &inner)?;
        for id in node.outputs.iter().flatten() {
            self.read(frame, &graph.tensor(id)?, time)?;
        }
        Ok(())
    }

    fn repeat<S: OpSet>(
        &mut self,
        graph: &Graph<'_>,
        frame: &Frame,
        node: &Node<'_>,
        op: &While,
    ) -> Result<(), PlanError> {
        let time = self.time;
        for id in node.outputs.iter().flatten() {
            let tensor = graph.tensor(id)?;
            self.write(frame, &tensor, time)?;
            self.steps = self.steps.saturating_add(tensor.has_size().into());
        }
        // One jump behind the loop, one back.
        self.steps = self.steps.saturating_add(2);
        let inner = self.call::<S>(graph, frame, Some((node.outputs, 0)), op.condition)?;
        let condition = graph.sibling(op.condition)?;
        let time = self.tick()?;
        for id in condition.outputs().iter().flatten() {
            self.read(&inner, &condition.tensor(id)?, time)
                .map_err(|error| error.in_subgraph(op.condition))?;
        }
        let inner = self.call::<S>(graph, frame, Some((node.outputs, 0)), op.body)?;
        let time = self.copy_out(&graph.sibling(op.body)?, &inner)?;
        for id in node.outputs.iter().flatten() {
            self.read(frame, &graph.tensor(id)?, time)?;
        }
        Ok(())
    }

    /// A subgraph, called with the tensors in a list from some position on.
    fn call<S: OpSet>(
        &mut self,
        graph: &Graph<'_>,
        frame: &Frame,
        arguments: Option<(Indices<'_>, usize)>,
        callee: u32,
    ) -> Result<Frame, PlanError> {
        let time = self.tick()?;
        let callee = graph.sibling(callee)?;
        let inner = Frame { first_tensor: self.next_tensor, ..Frame::default() };
        self.next_tensor = self.next_tensor.saturating_add(callee.tensor_count());
        if let Some((ids, first)) = arguments {
            for id in ids.iter().skip(first).flatten() {
                self.read(frame, &graph.tensor(id)?, time)?;
            }
        }
        for id in callee.inputs().iter().flatten() {
            let tensor = callee.tensor(id)?;
            self.write(&inner, &tensor, time).map_err(|error| error.in_subgraph(callee.index()))?;
            self.steps = self.steps.saturating_add(tensor.has_size().into());
        }
        self.operators::<S>(&callee, &inner)?;
        Ok(inner)
    }

    /// Reads a subgraph's outputs; returns when.
    fn copy_out(&mut self, callee: &Graph<'_>, inner: &Frame) -> Result<u16, ModelError> {
        let time = self.tick()?;
        for id in callee.outputs().iter().flatten() {
            let tensor = callee.tensor(id)?;
            self.read(inner, &tensor, time).map_err(|error| error.in_subgraph(callee.index()))?;
            self.steps = self.steps.saturating_add(tensor.has_size().into());
        }
        Ok(time)
    }

    /// Notes that a tensor is read at `time`.
    fn read(&mut self, frame: &Frame, tensor: &Tensor<'_>, time: u16) -> Result<(), ModelError> {
        let at = |reason: Reason| ModelError::from(reason).at_tensor(tensor.id);
        let number = number(frame, tensor.id);
        match tensor.storage {
            Storage::Constant { .. } => {}
            // The tensors of a subgraph that is called from two places would be two variables.
            Storage::Variable if frame.first_tensor > 0 => return Err(at(Reason::VariableInSubgraph)),
            Storage::Variable => self.records.update(number, |record| {
                record.size = tensor.byte_len();
                record.flags |= WRITTEN | STATE;
            }),
            Storage::Activation => {
                let record = self.records.get(number).ok_or(at(Reason::BadIndex))?;
                if record.flags & WRITTEN == 0 {
                    return Err(at(Reason::NotProduced));
                }
                self.records.update(record.root.into(), |root| root.last = root.last.max(time));
            }
        }
        Ok(())
    }

    /// Notes that a tensor is written at `time`.
    fn write(&mut self, frame: &Frame, tensor: &Tensor<'_>, time: u16) -> Result<(), ModelError> {
        let at = |reason: Reason| ModelError::from(reason).at_tensor(tensor.id);
        let number = number(frame, tensor.id);
        let record = self.records.get(number).ok_or(at(Reason::BadIndex))?;
        if record.flags & WRITTEN != 0 {
            return Err(at(Reason::WrittenTwice));
        }
        self.records.update(number, |record| {
            record.size = tensor.byte_len();
            record.first = time;
            record.last = time;
            record.flags |= WRITTEN;
        });
        Ok(())
    }
}

/// Inputs and outputs of the model that no operator has checked are of a type that has a size.
fn check_type(tensor: &Tensor<'_>) -> Result<(), ModelError> {
    match tensor.dtype {
        DType::Resource | DType::Other => Err(ModelError::from(Reason::UnsupportedType).at_tensor(tensor.id)),
        _ => Ok(()),
    }
}

/// `output` lies where `input` lies.
fn share(records: &mut Records<'_>, input: usize, output: usize) {
    let Some(root) = records.get(input).map(|record| record.root) else {
        return;
    };
    let Some(last) = records.get(output).map(|record| record.last) else {
        return;
    };
    records.update(output, |record| {
        record.root = root;
        record.size = 0;
    });
    records.update(root.into(), |record| record.last = record.last.max(last));
}

/// Notes which inputs an operator's output may lie over.
fn lay_over(
    graph: &Graph<'_>,
    frame: &Frame,
    records: &mut Records<'_>,
    overlap: Overlap,
    inputs: [Option<u32>; 2],
    output: Option<u32>,
) -> Result<(), ModelError> {
    let (Some(output), [Some(first), second]) = (output, inputs) else {
        return Ok(());
    };
    let to = graph.tensor(output)?;
    // Whether the output may lie over this input, and how.
    let distances = |id: u32, i: usize| {
        let from = graph.tensor(id)?;
        Ok::<_, ModelError>(match overlap {
            Overlap::Elements if from.shape.len() == to.shape.len() => {
                Some((Overlap::element_lead(from.byte_len(), to.byte_len()), u32::MAX))
            }
            Overlap::Rows(distances) if i == 0 => Some((distances.lead, distances.lag)),
            Overlap::InPlace if i == 0 => Some((0, 0)),
            _ => None,
        })
    };
    let (one, two) = (distances(first, 0)?, second.map_or(Ok(None), |id| distances(id, 1))?);
    let over = match (one, two, second) {
        (None, Some(_), Some(second)) => second,
        _ => first,
    };
    let Some((lead, lag)) = one.max(two) else {
        return Ok(());
    };
    let units = |bytes: u32| u16::try_from(bytes.div_ceil(ALIGNMENT)).unwrap_or(u16::MAX);
    let root = records.get(number(frame, over)).map_or(END, |record| record.root);
    records.update(number(frame, output), |record| {
        record.over = root;
        record.lead = units(lead);
        record.lag = units(lag);
        if one.is_some() && two.is_some() {
            record.flags |= OVER_ALL;
        }
    });
    Ok(())
}

/// Variables lie one after the other: they are alive always.
fn place_state(records: &mut Records<'_>) -> u32 {
    let mut end = 0u32;
    for i in 0..records.len {
        let Some(record) = records.get(i) else { break };
        if record.flags & STATE != 0 {
            records.update(i, |record| {
                record.offset = end;
                record.flags |= PLACED;
            });
            end = end.saturating_add(record.size).checked_next_multiple_of(ALIGNMENT).unwrap_or(u32::MAX);
        }
    }
    end
}

/// In which order tensors get their places.
#[derive(Clone, Copy)]
enum Order {
    /// The largest first.
    Size,
    /// First those that are alive at this time, then outwards from it.
    Outwards(u16),
    /// The last first.
    Backwards,
}

impl Order {
    /// The record with the greatest key is placed first.
    fn key(self, record: &Record) -> (Reverse<u16>, u32, u16) {
        let distance = match self {
            Self::Size => 0,
            Self::Outwards(time) => record.first.saturating_sub(time).max(time.saturating_sub(record.last)),
            Self::Backwards => u16::MAX - record.first,
        };
        (Reverse(distance), record.size, record.first)
    }
}

/// Places everything in the arena by each order, and keeps the smaller result. Returns its size in bytes.
fn place_arena(records: &mut Records<'_>) -> u32 {
    let outwards = Order::Outwards(widest_time(records));
    let mut best = (place_in_order(records, outwards), outwards);
    for order in [Order::Size, Order::Backwards] {
        let bytes = place_in_order(records, order);
        if bytes < best.0 {
            best = (bytes, order);
        }
    }
    place_in_order(records, best.1)
}

fn in_arena(record: &Record) -> bool {
    record.size > 0 && record.flags & STATE == 0
}

/// The time at which most bytes are alive: the step that decides the arena's size.
fn widest_time(records: &Records<'_>) -> u16 {
    let all = || (0..records.len).filter_map(|i| records.get(i)).filter(in_arena);
    let bytes_alive = |time: u16| {
        let alive = all().filter(|record| record.first <= time && time <= record.last);
        alive.fold(0u32, |sum, record| sum.saturating_add(record.size))
    };
    // The sum grows only when a tensor is written.
    all().map(|record| record.first).max_by_key(|&time| (bytes_alive(time), Reverse(time))).unwrap_or(0)
}

fn place_in_order(records: &mut Records<'_>, order: Order) -> u32 {
    records.first = END;
    for i in 0..records.len {
        records.update(i, |record| {
            if in_arena(record) {
                record.flags &= !PLACED;
                record.offset = 0;
            }
        });
    }
    let mut end = 0;
    loop {
        let waiting = (0..records.len)
            .filter_map(|i| Some((i, records.get(i)?)))
            .filter(|(_, record)| in_arena(record) && record.flags & PLACED == 0);
        // Among equals the first.
        let next = waiting.max_by_key(|(i, record)| (order.key(record), Reverse(*i)));
        let Some((i, _)) = next else { return end };
        end = end.max(records.place(i).checked_next_multiple_of(ALIGNMENT).unwrap_or(u32::MAX));
        if end >= Place::LIMIT {
            return end;
        }
    }
}

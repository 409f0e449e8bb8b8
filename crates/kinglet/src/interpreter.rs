//! Running a plan.

use core::cell::Cell;
use core::marker::PhantomData;

use kinglet_kernels::ops::jump;
use kinglet_kernels::{Call, Element as _, Fault, Kernel, Place, Region, Target, Word, quant};
use kinglet_plan::{Constants as _, InFile, IoTensor, Options, Plan, PlanError, Planner, Step};
use kinglet_tflite::{AllOps, DType, Model, OpSet};

use crate::ALIGNMENT;
use crate::dispatch::Dispatch;
use crate::error::{Error, InvokeError, TensorError};
use crate::memory::{Memory, Usage};
use crate::tensor::{Element, TensorInfo};

/// A model that is ready to run.
///
/// `D` says which kernels the program contains: every one by default, those of
/// [`ops!`](crate::ops)`[...]`, or those that [`include_model!`](crate::include_model) found in the model.
///
/// An inference: write the inputs, [`invoke`](Self::invoke), read the outputs. Inputs may be overwritten
/// while it runs, so write them before each.
#[derive(Debug)]
pub struct Interpreter<'a, D = AllOps> {
    plan: Plan<'a>,
    constants: &'a [u8],
    prepared: &'a [u8],
    arena: &'a mut [u8],
    state: &'a mut [u8],
    usage: Usage,
    /// The step that [`step`](Self::step) runs next.
    next: usize,
    max_iterations: u32,
    /// How often loops may still run in this inference.
    iterations_left: u32,
    dispatch: PhantomData<fn() -> D>,
}

/// An interpreter may be moved to another thread.
const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Interpreter<'static>>();
};

/// How often loops may run in one inference if nobody says otherwise.
const MAX_ITERATIONS: u32 = 1 << 20;

/// When [`Interpreter::invoke_with`] calls its hook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The operator's next step begins.
    Start,
    /// The next step is another operator's, or there is none.
    End,
}

/// What [`Interpreter::step`] has done.
#[derive(Clone, Copy, Debug)]
pub struct StepDone<'i> {
    /// Number of the operator in the file, counted through all subgraphs.
    pub op: u32,
    /// The operator is complete: the next step is another's. An operator that runs subgraphs goes on behind
    /// theirs.
    pub op_done: bool,
    /// The bytes of the operator's first output; whole once the operator is complete.
    pub output: &'i [u8],
}

impl<'a, D: Dispatch + OpSet> Interpreter<'a, D> {
    /// Loaded mode: checks the model's operators and plans its first subgraph in the memory given.
    ///
    /// # Errors
    /// [`Error::Model`] when the model is refused, [`Error::Misaligned`],
    /// [`Error::MemoryTooSmall`] and the like, with the bytes needed.
    pub fn new(model: &Model<'a>, memory: impl Into<Memory<'a>>) -> Result<Self, Error> {
        Self::with_options(model, memory, &Options::default())
    }

    /// As [`Interpreter::new`], with a choice of reference arithmetic.
    ///
    /// # Errors
    /// As [`Interpreter::new`].
    pub fn with_options(
        model: &Model<'a>,
        memory: impl Into<Memory<'a>>,
        options: &Options,
    ) -> Result<Self, Error> {
        if !is_aligned(model.bytes()) {
            return Err(Error::Misaligned);
        }
        let Memory { arena, state, prepared } = memory.into();
        let mut options = options.with_prepared(prepared.is_some());
        // Kernels of another instruction set are for plans that are only looked at, or tested.
        if !options.how.target.is_linked() {
            options = options.with_target(Target::native());
        }
        let prepared = prepared.unwrap_or_default();
        match state {
            None => Self::in_one_slice(model, arena, prepared, &options),
            Some(state) => Self::in_two_slices(model, arena, state, prepared, &options),
        }
    }

    /// The plan grows from the start of the slice, the planner's working memory from its end; then arena
    /// and state take what is behind the plan.
    fn in_one_slice(
        model: &Model<'a>,
        slice: &'a mut [u8],
        prepared: &'a mut [u8],
        options: &Options,
    ) -> Result<Self, Error> {
        let given = slice.len();
        let words = words(slice)?;
        let mut constants = InFile::new(model.bytes().len() as u32, prepared);
        let planner = Planner::new::<D>(model.graph(0)?, *options, words)?;
        let (arena_bytes, state_bytes) = (planner.arena_bytes(), planner.state_bytes());
        let working_bytes = planner.working_bytes();
        let total = |plan_bytes: usize| {
            let to_run = align(plan_bytes) + align(state_bytes) + arena_bytes;
            to_run.max(plan_bytes + working_bytes)
        };
        let len = planner.write::<D>(&mut constants).map_err(|error| match error {
            PlanError::MemoryTooSmall { needed, .. } => {
                Error::MemoryTooSmall { needed: total(needed), given }
            }
            error => error.into(),
        })?;
        let usage = Usage {
            arena_bytes,
            state_bytes,
            plan_bytes: len * 4,
            total_bytes: total(len * 4),
            prepared_bytes: constants.prepared_len() as usize,
        };
        let prepared = constants.into_prepared();
        let too_small = Error::MemoryTooSmall { needed: usage.total_bytes, given };
        if given < usage.total_bytes {
            return Err(too_small);
        }
        let (plan, rest) = slice.split_at_mut_checked(align(usage.plan_bytes)).ok_or(too_small)?;
        let (state, arena) = rest.split_at_mut_checked(align(state_bytes)).ok_or(too_small)?;
        Self::start(plan, model, prepared, arena, state, usage)
    }

    /// The plan is at the start of the state memory; the arena is the planner's working memory.
    fn in_two_slices(
        model: &Model<'a>,
        arena: &'a mut [u8],
        state: &'a mut [u8],
        prepared: &'a mut [u8],
        options: &Options,
    ) -> Result<Self, Error> {
        let (given_arena, given_state) = (arena.len(), state.len());
        let arena_too_small = |needed| Error::ArenaTooSmall { needed, given: given_arena };
        let mut constants = InFile::new(model.bytes().len() as u32, prepared);
        let planner =
            Planner::new::<D>(model.graph(0)?, *options, words(arena)?).map_err(|error| match error {
                PlanError::MemoryTooSmall { needed, .. } => arena_too_small(needed),
                error => error.into(),
            })?;
        let (arena_bytes, state_bytes) = (planner.arena_bytes(), planner.state_bytes());
        let needed_arena = arena_bytes.max(planner.working_bytes());
        let state_too_small = |plan_bytes: usize| Error::StateTooSmall {
            needed: align(plan_bytes) + state_bytes,
            given: given_state,
        };
        let len = planner.write_to::<D>(words(state)?, &mut constants).map_err(|error| match error {
            PlanError::MemoryTooSmall { needed, .. } => state_too_small(needed),
            error => error.into(),
        })?;
        let plan_bytes = len * 4;
        if given_arena < needed_arena {
            return Err(arena_too_small(needed_arena));
        }
        let total_bytes = align(plan_bytes) + align(state_bytes) + needed_arena;
        let prepared_bytes = constants.prepared_len() as usize;
        let usage = Usage { arena_bytes, state_bytes, plan_bytes, total_bytes, prepared_bytes };
        let prepared = constants.into_prepared();
        let (plan, state) = state
            .split_at_mut_checked(align(plan_bytes))
            .filter(|(_, state)| state.len() >= state_bytes)
            .ok_or(state_too_small(plan_bytes))?;
        Self::start(plan, model, prepared, arena, state, usage)
    }

    fn start(
        plan: &'a mut [u8],
        model: &Model<'a>,
        prepared: &'a [u8],
        arena: &'a mut [u8],
        state: &'a mut [u8],
        usage: Usage,
    ) -> Result<Self, Error> {
        let plan = Plan::new(words(plan)?)?;
        Self::assemble(plan, model.bytes(), prepared, arena, state, usage)
    }
}

impl<'a, D: Dispatch> Interpreter<'a, D> {
    /// Static mode: runs a plan that was made, and checked, before. [`include_model!`](crate::include_model)
    /// calls this.
    ///
    /// # Errors
    /// [`Error::Plan`] when the plan is damaged or was made for other constants,
    /// [`Error::Misaligned`], [`Error::MemoryTooSmall`] and the like.
    pub fn from_plan(
        plan: &'a [u8],
        constants: &'a [u8],
        memory: impl Into<Memory<'a>>,
    ) -> Result<Self, Error> {
        let words: &[u32] = bytemuck::try_cast_slice(plan).map_err(|_| Error::Misaligned)?;
        let plan = Plan::new(words)?;
        let Memory { arena, state, prepared: _ } = memory.into();
        let (arena_bytes, state_bytes) = (plan.arena_bytes(), plan.state_bytes());
        // The state comes first, so that it is aligned whatever the arena's length.
        let total_bytes = align(state_bytes) + arena_bytes;
        let usage =
            Usage { arena_bytes, state_bytes, plan_bytes: words.len() * 4, total_bytes, prepared_bytes: 0 };
        let given = arena.len();
        let (state, arena) = match state {
            Some(state) => (state, arena),
            None => arena
                .split_at_mut_checked(align(state_bytes))
                .filter(|(_, arena)| arena.len() >= arena_bytes)
                .ok_or(Error::MemoryTooSmall { needed: total_bytes, given })?,
        };
        Self::assemble(plan, constants, &[], arena, state, usage)
    }

    fn assemble(
        plan: Plan<'a>,
        constants: &'a [u8],
        prepared: &'a [u8],
        arena: &'a mut [u8],
        state: &'a mut [u8],
        usage: Usage,
    ) -> Result<Self, Error> {
        if !is_aligned(arena) || !is_aligned(state) {
            return Err(Error::Misaligned);
        }
        if constants.len() < plan.constant_bytes() {
            return Err(Error::Plan(kinglet_plan::check::CheckError::OtherGraph));
        }
        if prepared.len() < plan.prepared_bytes() {
            let (needed, given) = (plan.prepared_bytes(), prepared.len());
            return Err(Error::PreparedTooSmall { needed, given });
        }
        let (given_arena, given_state) = (arena.len(), state.len());
        let arena = arena
            .get_mut(..usage.arena_bytes)
            .ok_or(Error::ArenaTooSmall { needed: usage.arena_bytes, given: given_arena })?;
        let state = state
            .get_mut(..usage.state_bytes)
            .ok_or(Error::StateTooSmall { needed: usage.state_bytes, given: given_state })?;
        let mut net = Self {
            plan,
            constants,
            prepared,
            arena,
            state,
            usage,
            next: 0,
            max_iterations: MAX_ITERATIONS,
            iterations_left: 0,
            dispatch: PhantomData,
        };
        net.reset();
        Ok(net)
    }

    /// Sets how often loops may run in one inference, all loops together: 1,048,576 unless this is called.
    /// A loop that would run more often stops the inference with
    /// [`Fault::IterationLimit`](crate::Fault::IterationLimit).
    pub fn set_max_iterations(&mut self, iterations: u32) {
        self.max_iterations = iterations;
    }

    /// Forgets everything: variables get their initial values, what a CALL_ONCE has done is done again in the
    /// next inference, and an inference that was begun with [`step`](Self::step) starts over.
    pub fn reset(&mut self) {
        self.begin();
        for init in self.plan.state_inits() {
            let start = init.offset as usize;
            if let Some(bytes) =
                self.state.get_mut(start..).and_then(|rest| rest.get_mut(..init.bytes as usize))
            {
                bytes.fill(init.fill);
            }
        }
    }

    /// Runs the model once, from the first operator to the last.
    ///
    /// # Errors
    /// [`InvokeError`] when loops run more often than [the limit](Self::set_max_iterations), or the plan is
    /// damaged: one made by kinglet is not.
    pub fn invoke(&mut self) -> Result<(), InvokeError> {
        self.begin();
        if !D::JUMPS {
            return self.plan.steps().try_for_each(|step| self.run_step(&step));
        }
        while let Some(step) = self.plan.step(self.next) {
            self.run_and_go_on(&step)?;
        }
        Ok(())
    }

    /// As [`invoke`](Self::invoke), and calls `hook` at the start and at the end of each run of steps of one
    /// operator, with the operator's number in the file: for measuring. An operator that runs subgraphs, and
    /// one in a loop, starts and ends several times. Programs that do not call this do not contain it.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub fn invoke_with(&mut self, mut hook: impl FnMut(u32, Phase)) -> Result<(), InvokeError> {
        self.begin();
        let mut running = None;
        while let Some(step) = self.plan.step(self.next) {
            let op = u32::from(step.op);
            if running != Some(op) {
                if let Some(done) = running {
                    hook(done, Phase::End);
                }
                hook(op, Phase::Start);
                running = Some(op);
            }
            self.run_and_go_on(&step)?;
        }
        if let Some(done) = running {
            hook(done, Phase::End);
        }
        Ok(())
    }

    /// Runs one step of the plan: at most one operator, or one block of its rows. `None` when the
    /// inference is complete; the next call begins another.
    ///
    /// Between steps the program may do other things. What a step wrote can be read until a later step
    /// needs the place.
    ///
    /// # Errors
    /// As [`invoke`](Self::invoke).
    pub fn step(&mut self) -> Result<Option<StepDone<'_>>, InvokeError> {
        let at = self.next;
        let Some(step) = self.plan.step(at) else {
            self.begin();
            return Ok(None);
        };
        self.run_and_go_on(&step)?;
        let same_op = |other: &Step| other.op == step.op;
        let op_done = !self.plan.step(self.next).as_ref().is_some_and(same_op);
        // The operator's first step says where its first output lies.
        let first = (0..at).rev().map_while(|i| self.plan.step(i).filter(same_op)).last().unwrap_or(step);
        let output = self.bytes_at(first.output, first.output_bytes).unwrap_or(&[]);
        Ok(Some(StepDone { op: step.op.into(), op_done, output }))
    }

    /// The next step is the first.
    fn begin(&mut self) {
        self.next = 0;
        if D::JUMPS {
            self.iterations_left = self.max_iterations;
        }
    }

    /// Runs a step and finds the next. Whatever the plan, every way back is counted, so that there is an end.
    #[inline]
    fn run_and_go_on(&mut self, step: &Step) -> Result<(), InvokeError> {
        if D::JUMPS && step.kernel == Kernel::Jump.id() {
            let fault = |fault| InvokeError { op: step.op, fault };
            if let Some(target) = jump::target(&self.call(step)).map_err(fault)? {
                let target = target as usize;
                if target <= self.next {
                    self.iterations_left =
                        self.iterations_left.checked_sub(1).ok_or(fault(Fault::IterationLimit))?;
                }
                self.next = target;
                return Ok(());
            }
        } else {
            self.run_step(step)?;
        }
        self.next = self.next.saturating_add(1);
        Ok(())
    }

    #[inline]
    fn run_step(&mut self, step: &Step) -> Result<(), InvokeError> {
        let call = self.call(step);
        D::run(step.kernel, &call).map_err(|fault| InvokeError { op: step.op, fault })
    }

    #[inline]
    fn call(&mut self, step: &Step) -> Call<'_> {
        Call {
            arena: Cell::from_mut(bytemuck::cast_slice_mut::<u8, i8>(self.arena)).as_slice_of_cells(),
            state: Cell::from_mut(bytemuck::cast_slice_mut::<u8, i8>(self.state)).as_slice_of_cells(),
            constants: self.constants,
            prepared: self.prepared,
            plan: self.plan.words(),
            params: step.params as usize,
            rows: step.first_row..step.end_row,
        }
    }

    /// How much memory the model takes.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The plan.
    pub fn plan(&self) -> Plan<'a> {
        self.plan
    }

    /// Number of inputs.
    pub fn input_count(&self) -> usize {
        self.plan.input_count()
    }

    /// Number of outputs.
    pub fn output_count(&self) -> usize {
        self.plan.output_count()
    }

    /// What input `i` is.
    pub fn input_info(&self, i: usize) -> Option<TensorInfo<'a>> {
        self.plan.input(i).map(|io| TensorInfo::new(&io, self.constants))
    }

    /// What output `i` is.
    pub fn output_info(&self, i: usize) -> Option<TensorInfo<'a>> {
        self.plan.output(i).map(|io| TensorInfo::new(&io, self.constants))
    }

    /// The number of the input called `name`.
    pub fn input_named(&self, name: &str) -> Option<usize> {
        (0..self.input_count()).find(|&i| self.input_info(i).is_some_and(|info| info.name == name.as_bytes()))
    }

    /// The number of the output called `name`.
    pub fn output_named(&self, name: &str) -> Option<usize> {
        (0..self.output_count())
            .find(|&i| self.output_info(i).is_some_and(|info| info.name == name.as_bytes()))
    }

    /// The bytes of input `i`, little-endian.
    pub fn input_bytes_mut(&mut self, i: usize) -> Option<&mut [u8]> {
        let io = self.plan.input(i)?;
        let start = io.place.offset();
        match io.place.region()? {
            Region::Arena => self.arena.get_mut(start..)?.get_mut(..io.bytes as usize),
            _ => None,
        }
    }

    /// The bytes of output `i`, little-endian.
    pub fn output_bytes(&self, i: usize) -> Option<&[u8]> {
        let io = self.plan.output(i)?;
        self.bytes_at(io.place, io.bytes)
    }

    /// The arena. Between invokes it is free for other uses, another model for example: what it holds is
    /// not needed once the outputs have been read, and inputs are written before each invoke.
    pub fn arena_mut(&mut self) -> &mut [u8] {
        self.arena
    }

    /// What lies at a place that the plan names: for tools that look at tensors between steps. `None` when
    /// it is not within its memory.
    pub fn bytes_at(&self, place: Place, len: u32) -> Option<&[u8]> {
        let memory: &[u8] = match place.region()? {
            Region::Arena => self.arena,
            Region::State => self.state,
            Region::Constants => self.constants,
            Region::Prepared => self.prepared,
        };
        memory.get(place.offset()..)?.get(..len as usize)
    }

    /// The elements of input `i`, to be written.
    ///
    /// # Errors
    /// [`TensorError::NoSuchTensor`], [`TensorError::WrongType`].
    pub fn input<T: Element>(&mut self, i: usize) -> Result<&mut [T], TensorError> {
        let io = self.plan.input(i).ok_or(TensorError::NoSuchTensor)?;
        let bytes = self.input_bytes_mut(i).ok_or(TensorError::NoSuchTensor)?;
        if io.dtype != T::DTYPE {
            return Err(TensorError::WrongType);
        }
        bytemuck::try_cast_slice_mut(bytes).map_err(|_| TensorError::WrongType)
    }

    /// The elements of output `i`.
    ///
    /// # Errors
    /// [`TensorError::NoSuchTensor`], [`TensorError::WrongType`].
    pub fn output<T: Element>(&self, i: usize) -> Result<&[T], TensorError> {
        let io = self.plan.output(i).ok_or(TensorError::NoSuchTensor)?;
        let bytes = self.output_bytes(i).ok_or(TensorError::NoSuchTensor)?;
        if io.dtype != T::DTYPE {
            return Err(TensorError::WrongType);
        }
        bytemuck::try_cast_slice(bytes).map_err(|_| TensorError::WrongType)
    }

    /// Writes real values to input `i`: `round(x / scale) + zero_point`, saturating; a float32 input
    /// takes them as they are.
    ///
    /// # Errors
    /// [`TensorError::NoSuchTensor`], [`TensorError::WrongLength`], [`TensorError::NotQuantized`],
    /// [`TensorError::WrongType`] for types that have no scale.
    pub fn quantize_input(&mut self, i: usize, values: &[f32]) -> Result<(), TensorError> {
        let io = self.plan.input(i).ok_or(TensorError::NoSuchTensor)?;
        check_len(&io, values.len())?;
        let bytes = self.input_bytes_mut(i).ok_or(TensorError::NoSuchTensor)?;
        for (value, bytes) in values.iter().zip(bytes.chunks_exact_mut(element_bytes(&io)?)) {
            let q = quant::quantize(*value, io.scale, io.zero_point);
            match io.dtype {
                DType::Int8 => bytes.copy_from_slice(&i8::saturating_from(q).to_le_bytes()),
                DType::UInt8 => bytes.copy_from_slice(&u8::saturating_from(q).to_le_bytes()),
                DType::Int16 => bytes.copy_from_slice(&i16::saturating_from(q).to_le_bytes()),
                DType::Int32 => bytes.copy_from_slice(&q.to_le_bytes()),
                _ => bytes.copy_from_slice(&value.to_le_bytes()),
            }
        }
        Ok(())
    }

    /// Reads output `i` as real values: `scale * (q - zero_point)`; a float32 output gives its own.
    ///
    /// # Errors
    /// As [`quantize_input`](Self::quantize_input).
    pub fn dequantize_output(&self, i: usize, values: &mut [f32]) -> Result<(), TensorError> {
        let io = self.plan.output(i).ok_or(TensorError::NoSuchTensor)?;
        check_len(&io, values.len())?;
        let bytes = self.output_bytes(i).ok_or(TensorError::NoSuchTensor)?;
        for (value, bytes) in values.iter_mut().zip(bytes.chunks_exact(element_bytes(&io)?)) {
            let q = match io.dtype {
                DType::Int8 => i8::from_bytes(bytes).map(i32::from),
                DType::UInt8 => u8::from_bytes(bytes).map(i32::from),
                DType::Int16 => i16::from_bytes(bytes).map(i32::from),
                _ => i32::from_bytes(bytes),
            };
            let q = q.unwrap_or(0);
            *value = match io.dtype {
                DType::Float32 => f32::from_word(q as u32),
                _ => io.scale * q.wrapping_sub(io.zero_point) as f32,
            };
        }
        Ok(())
    }
}

fn check_len(io: &IoTensor, given: usize) -> Result<(), TensorError> {
    let expected = io.shape.len() as usize;
    if given == expected { Ok(()) } else { Err(TensorError::WrongLength { expected, given }) }
}

/// Bytes of an element that can be seen as a real number; at least 1.
fn element_bytes(io: &IoTensor) -> Result<usize, TensorError> {
    match io.dtype {
        DType::Float32 => Ok(4),
        _ if io.scale == 0.0 => Err(TensorError::NotQuantized),
        DType::Int8 | DType::UInt8 => Ok(1),
        DType::Int16 => Ok(2),
        DType::Int32 => Ok(4),
        _ => Err(TensorError::WrongType),
    }
}

fn is_aligned(memory: &[u8]) -> bool {
    memory.is_empty() || memory.as_ptr().addr().is_multiple_of(ALIGNMENT)
}

fn align(bytes: usize) -> usize {
    bytes.next_multiple_of(ALIGNMENT)
}

/// Memory as words; bytes that do not fill one are left out.
fn words(memory: &mut [u8]) -> Result<&mut [u32], Error> {
    if !is_aligned(memory) {
        return Err(Error::Misaligned);
    }
    let len = memory.len() & !3;
    let whole = memory.get_mut(..len).unwrap_or_default();
    bytemuck::try_cast_slice_mut(whole).map_err(|_| Error::Misaligned)
}

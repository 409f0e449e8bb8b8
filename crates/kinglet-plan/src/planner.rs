//! From a graph to a plan.

use kinglet_kernels::{Choice, How, Kernel, Place, Target};
use kinglet_tflite::ops::{CONTROL, VARIABLES};
use kinglet_tflite::{Graph, OpSet, Storage, Tensor};

use crate::layout::{Frame, Layout, Places};
use crate::plan::{IoTensor, Plan, PlanWriter, StateInit};
use crate::prepare::{self, Emit};
use crate::{PlanError, check};

/// Which reference the arithmetic follows where TFLite's own versions differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Reference {
    /// TFLM, and TFLite up to 2.19: FULLY_CONNECTED requantises with integers.
    #[default]
    Tflite,
    /// LiteRT since TensorFlow 2.20: FULLY_CONNECTED requantises in float64.
    Litert,
}

/// What a plan is made for.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Options {
    /// The kernel family, and whether constants may be prepared for it.
    pub how: How,
    /// The arithmetic to follow.
    pub reference: Reference,
    /// Outputs may lie over inputs that nobody reads afterwards.
    pub overlap: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { how: How::default(), reference: Reference::default(), overlap: true }
    }
}

impl Options {
    /// The same, following `reference`.
    #[must_use]
    pub const fn with_reference(mut self, reference: Reference) -> Self {
        self.reference = reference;
        self
    }

    /// The same, for the kernels of `target`.
    #[must_use]
    pub const fn with_target(mut self, target: Target) -> Self {
        self.how.target = target;
        self
    }

    /// The same, with constants prepared for the kernels where there is a layout of their own, or not.
    #[must_use]
    pub const fn with_prepared(mut self, prepare: bool) -> Self {
        self.how.prepare = prepare;
        self
    }
}

/// Where constants end up: the plan names them by offset.
pub trait Constants {
    /// The place of `bytes`, which lie at `offset` in the model file; the same again when asked again.
    /// `None` when there is no room.
    fn place(&mut self, offset: u32, bytes: &[u8]) -> Option<Place>;

    /// The place of `len` bytes that `fill` writes: a layer's constants in the layout of its kernel.
    /// Asked for only where [`How::prepare`] is set. `None` when there can be no room.
    fn prepare(&mut self, len: u32, fill: &mut dyn FnMut(&mut [u8])) -> Option<Place>;

    /// Bytes of constants that the plan may name.
    fn len(&self) -> u32;

    /// Bytes of prepared constants that are not among these.
    fn prepared_len(&self) -> u32;

    /// There are none.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Constants are read from the model file, which stays where it is; what is prepared goes into a block of
/// memory.
#[derive(Debug)]
pub struct InFile<'m> {
    len: u32,
    prepared: &'m mut [u8],
    /// Bytes asked for so far, also those that found no room.
    used: u32,
}

impl<'m> InFile<'m> {
    /// Prepared constants start at multiples of this many bytes.
    pub const ALIGNMENT: u32 = 64;

    /// For a file of `len` bytes, with a block for what is prepared.
    pub fn new(len: u32, prepared: &'m mut [u8]) -> Self {
        Self { len, prepared, used: 0 }
    }

    /// The block with what was prepared.
    pub fn into_prepared(self) -> &'m [u8] {
        self.prepared
    }
}

impl Constants for InFile<'_> {
    fn place(&mut self, offset: u32, _bytes: &[u8]) -> Option<Place> {
        Place::new(kinglet_kernels::Region::Constants, offset)
    }

    fn prepare(&mut self, len: u32, fill: &mut dyn FnMut(&mut [u8])) -> Option<Place> {
        let start = self.used;
        self.used = start.checked_add(len)?.checked_next_multiple_of(Self::ALIGNMENT)?;
        if let Some(block) = self.prepared.get_mut(start as usize..).and_then(|b| b.get_mut(..len as usize)) {
            fill(block);
        }
        Place::new(kinglet_kernels::Region::Prepared, start)
    }

    fn len(&self) -> u32 {
        self.len
    }

    fn prepared_len(&self) -> u32 {
        self.used
    }
}

/// The first half of planning: every operator is checked, and every tensor has its place.
#[derive(Debug)]
pub struct Planner<'g, 'm> {
    graph: Graph<'g>,
    options: Options,
    layout: Layout<'m>,
    free: &'m mut [u32],
}

impl<'g, 'm> Planner<'g, 'm> {
    /// Checks the operators of `graph` and lays out its tensors. `words` is working memory, 24 bytes a
    /// tensor, taken from its end; what is left of it is free for the plan.
    ///
    /// # Errors
    /// [`PlanError::Model`], [`PlanError::MemoryTooSmall`], [`PlanError::ArenaTooLarge`].
    pub fn new<S: OpSet>(
        graph: Graph<'g>,
        options: Options,
        words: &'m mut [u32],
    ) -> Result<Self, PlanError> {
        let layout = Layout::new::<S>(&graph, &options, words)?;
        let (free, layout) = layout.split();
        Ok(Self { graph, options, layout, free })
    }

    /// Bytes of arena that the plan will need.
    pub fn arena_bytes(&self) -> usize {
        self.layout.arena_bytes as usize
    }

    /// Bytes of state memory that the plan will need.
    pub fn state_bytes(&self) -> usize {
        self.layout.state_bytes as usize
    }

    /// Bytes of working memory in use.
    pub fn working_bytes(&self) -> usize {
        self.layout.words() * 4
    }

    /// Writes the plan to the start of what is left of the working memory, and has it checked. Returns
    /// its number of words.
    ///
    /// # Errors
    /// As [`Planner::write_to`].
    pub fn write<S: OpSet>(mut self, constants: &mut impl Constants) -> Result<usize, PlanError> {
        let free = core::mem::take(&mut self.free);
        self.write_to::<S>(free, constants)
    }

    /// Writes the plan to the start of `words`, and has it checked. Returns its number of words.
    ///
    /// # Errors
    /// [`PlanError::MemoryTooSmall`] with the bytes that the plan needs,
    /// [`PlanError::Model`] when the scales of an operator are beyond TFLite's arithmetic.
    pub fn write_to<S: OpSet>(
        &self,
        words: &mut [u32],
        constants: &mut impl Constants,
    ) -> Result<usize, PlanError> {
        let given = words.len() * 4;
        let mut writer = PlanWriter::new(words, self.layout.steps);
        emit::<S>(&self.graph, &self.options, &self.layout, &mut writer, constants)?;
        let memory = (self.layout.arena_bytes, self.layout.state_bytes);
        let len = writer.finish(memory, constants.len(), constants.prepared_len());
        let Some(words) = words.get(..len) else {
            return Err(PlanError::MemoryTooSmall { needed: len.saturating_mul(4), given });
        };
        check::check_layout::<S>(&Plan::new(words)?, &self.graph, constants.len() as usize)?;
        Ok(len)
    }
}

/// Writes all of a plan but its header, with tensors where `places` says. Returns the number of steps.
pub(crate) fn emit<S: OpSet>(
    graph: &Graph<'_>,
    options: &Options,
    places: &dyn Places,
    writer: &mut PlanWriter<'_>,
    constants: &mut impl Constants,
) -> Result<u32, PlanError> {
    for (ids, is_input) in [(graph.inputs(), true), (graph.outputs(), false)] {
        for id in ids.iter().flatten() {
            let io = io_tensor(&graph.tensor(id)?, places, constants)?;
            writer.io(&io, is_input);
        }
    }
    writer.end_io();
    state_inits::<S>(graph, places, writer)?;

    let next_tensor = graph.tensor_count();
    let mut emit = Emit {
        places,
        constants,
        writer,
        options,
        frame: Frame::default(),
        choice: Choice::new(Kernel::Nothing),
        backwards: false,
        scratch: Place::NONE,
        params_at: 0,
        op: 0,
        next_step: 0,
        next_scratch: 0,
        next_tensor,
    };
    prepare::emit_graph::<S>(graph, &mut emit)?;
    Ok(emit.next_step)
}

fn io_tensor(
    tensor: &Tensor<'_>,
    places: &dyn Places,
    constants: &mut impl Constants,
) -> Result<IoTensor, PlanError> {
    let place = match tensor.storage {
        Storage::Constant { offset, bytes } => constants.place(offset, bytes),
        _ => places.place(&Frame::default(), tensor),
    };
    let (scale, zero_point) = tensor.per_tensor().unwrap_or((0.0, 0));
    Ok(IoTensor {
        place: place.ok_or(PlanError::ArenaTooLarge)?,
        bytes: tensor.byte_len(),
        dtype: tensor.dtype,
        shape: tensor.shape,
        scale,
        zero_point,
        name: constants.place(tensor.name_offset, tensor.name).unwrap_or(Place::NONE),
        name_bytes: tensor.name.len() as u32,
    })
}

/// TFLM fills an int8 variable with its zero point, others with 0. Resource variables follow.
fn state_inits<S: OpSet>(
    graph: &Graph<'_>,
    places: &dyn Places,
    writer: &mut PlanWriter<'_>,
) -> Result<(), PlanError> {
    for id in 0..graph.tensor_count() {
        // Operators check the tensors that they use; others may have no size, as an LSTM's intermediates.
        let Some(tensor) = graph.tensor(id).ok().filter(|it| matches!(it.storage, Storage::Variable)) else {
            continue;
        };
        if let Some(place) = places.place(&Frame::default(), &tensor) {
            let zero_point = match tensor.dtype {
                kinglet_tflite::DType::Int8 => tensor.quantization.zero_point(0).unwrap_or(0),
                _ => 0,
            };
            let offset = place.offset() as u32;
            writer.state_init(StateInit { offset, bytes: tensor.byte_len(), fill: zero_point as u8 });
        }
    }
    if S::OPS & (CONTROL | VARIABLES) != 0 {
        for slot in 0..graph.model().slot_count()? {
            if let Some(init) = places.slot(slot) {
                writer.state_init(init);
            }
        }
    }
    Ok(())
}

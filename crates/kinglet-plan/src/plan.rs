//! The plan format: 32-bit words, little-endian when stored.
//!
//! | words | what |
//! |---|---|
//! | 0..12 | header: see [`Header`] |
//! | then | steps, [`Step::WORDS`] each |
//! | then | inputs and outputs, in the model's order, of varying length: see [`IoTensor`] |
//! | then | initial values of the state: see [`StateInit`] |
//! | then | parameter blocks and tables, named by word index |

use kinglet_kernels::{Footprint, Kernel, Params, Place, Word, quant::Multiplier};
use kinglet_tflite::{DType, Shape};

use crate::check::CheckError;

/// "KPLN", little-endian.
const MAGIC: u32 = 0x4e4c_504b;
/// Version of the format in this file.
const VERSION: u16 = 1;

/// The header's words.
#[derive(Clone, Copy)]
struct Header {
    arena_bytes: u32,
    state_bytes: u32,
    /// Bytes of constants that the plan was made for.
    constant_bytes: u32,
    /// Bytes of prepared constants that are not among these.
    prepared_bytes: u32,
    steps: u32,
    inputs: u16,
    outputs: u16,
    /// Word indices.
    io: u32,
    state_inits: u32,
    params: u32,
    /// Words of the whole plan.
    words: u32,
}

impl Header {
    const WORDS: usize = 12;

    fn to_words(self) -> [u32; Self::WORDS] {
        [
            MAGIC,
            (VERSION, 0).to_word(),
            self.arena_bytes,
            self.state_bytes,
            self.constant_bytes,
            self.steps,
            (self.inputs, self.outputs).to_word(),
            self.io,
            self.state_inits,
            self.params,
            self.words,
            self.prepared_bytes,
        ]
    }

    fn from_words(words: &[u32]) -> Option<Self> {
        let &[
            magic,
            version,
            arena_bytes,
            state_bytes,
            constant_bytes,
            steps,
            io_counts,
            io,
            state_inits,
            params,
            total,
            prepared_bytes,
        ] = words.first_chunk::<{ Self::WORDS }>()?;
        let (inputs, outputs) = <(u16, u16)>::from_word(io_counts);
        let header = Self {
            arena_bytes,
            state_bytes,
            constant_bytes,
            prepared_bytes,
            steps,
            inputs,
            outputs,
            io,
            state_inits,
            params,
            words: total,
        };
        let version_fits = <(u16, u16)>::from_word(version).0 == VERSION;
        let in_order =
            total as usize <= words.len() && params <= total && state_inits <= params && io <= state_inits;
        let steps_fit = (steps as usize).checked_mul(Step::WORDS)?.checked_add(Self::WORDS)? == io as usize;
        (magic == MAGIC && version_fits && in_order && steps_fit).then_some(header)
    }
}

/// One call of one kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Number of the kernel.
    pub kernel: u16,
    /// Number of the operator in the file, counted through all subgraphs.
    pub op: u16,
    /// Word index of the kernel's parameters.
    pub params: u32,
    /// First output row to compute. When it lies behind `end_row`, rows `end_row..first_row` are computed, the
    /// last first.
    pub first_row: u32,
    /// The row after the last.
    pub end_row: u32,
    /// Where the operator's first output lies.
    pub output: Place,
    /// Its length in bytes.
    pub output_bytes: u32,
}

impl Step {
    /// Words a step takes.
    pub const WORDS: usize = 6;

    #[inline]
    fn from_words(words: [u32; Self::WORDS]) -> Self {
        let [ids, params, first_row, end_row, output, output_bytes] = words;
        let (kernel, op) = <(u16, u16)>::from_word(ids);
        Self { kernel, op, params, first_row, end_row, output: Place::from_word(output), output_bytes }
    }

    fn to_words(self) -> [u32; Self::WORDS] {
        [
            (self.kernel, self.op).to_word(),
            self.params,
            self.first_row,
            self.end_row,
            self.output.to_word(),
            self.output_bytes,
        ]
    }
}

/// An input or output of the model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IoTensor {
    /// Where it lies.
    pub place: Place,
    /// Its length in bytes.
    pub bytes: u32,
    /// Element type.
    pub dtype: DType,
    /// Dimensions.
    pub shape: Shape,
    /// Scale; 0 when the tensor is not quantised.
    pub scale: f32,
    /// Zero point.
    pub zero_point: i32,
    /// Where its name lies among the constants.
    pub name: Place,
    /// Length of the name in bytes.
    pub name_bytes: u32,
}

/// Element types that an [`IoTensor`] can have, by their number in a plan.
const DTYPES: [DType; 8] = [
    DType::Int8,
    DType::Int16,
    DType::Int32,
    DType::Int64,
    DType::UInt8,
    DType::Bool,
    DType::Float32,
    DType::Int4,
];

impl IoTensor {
    /// Words before the dimensions.
    const WORDS: usize = 7;

    /// Reads one, and the number of words it takes.
    fn from_words(words: &[u32]) -> Option<(Self, usize)> {
        let &[place, bytes, kind, scale, zero_point, name, name_bytes] =
            words.first_chunk::<{ Self::WORDS }>()?;
        let (dtype, rank) = <(u16, u16)>::from_word(kind);
        let dims = words.get(Self::WORDS..)?.get(..usize::from(rank))?;
        let tensor = Self {
            place: Place::from_word(place),
            bytes,
            dtype: *DTYPES.get(usize::from(dtype))?,
            shape: Shape::new(dims.iter().map(|&dim| dim as i32)).ok()?,
            scale: f32::from_bits(scale),
            zero_point: zero_point as i32,
            name: Place::from_word(name),
            name_bytes,
        };
        Some((tensor, Self::WORDS.saturating_add(dims.len())))
    }
}

/// A part of the state that `reset` fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StateInit {
    /// Byte offset in the state memory.
    pub offset: u32,
    /// Its length in bytes.
    pub bytes: u32,
    /// The value of each byte.
    pub fill: u8,
}

impl StateInit {
    /// Words one takes.
    const WORDS: usize = 3;
}

/// A plan, read where it lies.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    words: &'a [u32],
    steps: &'a [[u32; Step::WORDS]],
}

impl<'a> Plan<'a> {
    /// Reads a plan: magic number, version and the order of its parts are checked here; what the steps
    /// do is for [`check`](crate::check) to prove.
    ///
    /// # Errors
    /// [`CheckError::Header`].
    pub fn new(words: &'a [u32]) -> Result<Self, CheckError> {
        let header = Header::from_words(words).ok_or(CheckError::Header)?;
        let words = words.get(..header.words as usize).ok_or(CheckError::Header)?;
        let steps = words.get(Header::WORDS..header.io as usize).ok_or(CheckError::Header)?;
        Ok(Self { words, steps: steps.as_chunks().0 })
    }

    fn header_word(&self, i: usize) -> u32 {
        self.words.get(i).copied().unwrap_or(0)
    }

    /// All words, parameter blocks and tables included.
    pub fn words(&self) -> &'a [u32] {
        self.words
    }

    /// Bytes of arena that the plan needs.
    pub fn arena_bytes(&self) -> usize {
        self.header_word(2) as usize
    }

    /// Bytes of state memory that the plan needs.
    pub fn state_bytes(&self) -> usize {
        self.header_word(3) as usize
    }

    /// Bytes of constants that the plan was made for.
    pub fn constant_bytes(&self) -> usize {
        self.header_word(4) as usize
    }

    /// Bytes of prepared constants that the plan needs, beside the others.
    pub fn prepared_bytes(&self) -> usize {
        self.header_word(11) as usize
    }

    /// Number of steps.
    #[inline]
    pub fn step_count(&self) -> usize {
        self.steps.len()
    }

    /// Step `i`.
    #[inline]
    pub fn step(&self, i: usize) -> Option<Step> {
        self.steps.get(i).copied().map(Step::from_words)
    }

    /// The steps in order.
    #[inline]
    pub fn steps(&self) -> impl Iterator<Item = Step> + use<'a> {
        self.steps.iter().copied().map(Step::from_words)
    }

    /// What a step of this plan touches; `None` when its kernel or its parameters do not exist.
    pub fn footprint(&self, step: &Step) -> Option<Footprint<'a>> {
        let words = self.words.get(step.params as usize..)?;
        Footprint::new(Kernel::from_id(step.kernel)?, words)
    }

    /// Number of inputs.
    pub fn input_count(&self) -> usize {
        self.io_counts().0.into()
    }

    /// Number of outputs.
    pub fn output_count(&self) -> usize {
        self.io_counts().1.into()
    }

    /// Input `i`, in the model's order.
    pub fn input(&self, i: usize) -> Option<IoTensor> {
        if i < self.input_count() { self.io(i) } else { None }
    }

    /// Output `i`, in the model's order.
    pub fn output(&self, i: usize) -> Option<IoTensor> {
        if i < self.output_count() { self.io(self.input_count().checked_add(i)?) } else { None }
    }

    fn io_counts(&self) -> (u16, u16) {
        <(u16, u16)>::from_word(self.header_word(6))
    }

    fn io(&self, i: usize) -> Option<IoTensor> {
        self.all_io().nth(i)
    }

    /// The inputs in the model's order; fewer than there are when the plan is damaged.
    pub fn inputs(&self) -> impl Iterator<Item = IoTensor> + use<'a> {
        self.all_io().take(self.input_count())
    }

    /// The outputs, as [`inputs`](Self::inputs).
    pub fn outputs(&self) -> impl Iterator<Item = IoTensor> + use<'a> {
        self.all_io().skip(self.input_count()).take(self.output_count())
    }

    fn all_io(&self) -> impl Iterator<Item = IoTensor> + use<'a> {
        let (start, end) = (self.header_word(7) as usize, self.header_word(8) as usize);
        let mut rest = self.words.get(start..end).unwrap_or(&[]);
        core::iter::from_fn(move || {
            let (tensor, len) = IoTensor::from_words(rest)?;
            rest = rest.get(len..)?;
            Some(tensor)
        })
    }

    /// What `reset` fills the state with.
    pub fn state_inits(&self) -> impl Iterator<Item = StateInit> + use<'a> {
        let (start, end) = (self.header_word(8) as usize, self.header_word(9) as usize);
        let words = self.words.get(start..end).unwrap_or(&[]);
        let inits: &[[u32; StateInit::WORDS]] = words.as_chunks().0;
        inits.iter().map(|&[offset, bytes, fill]| StateInit { offset, bytes, fill: fill as u8 })
    }
}

/// Writes a plan into memory that may turn out too small: it goes on counting, so that the error can say
/// how much is needed.
#[derive(Debug)]
pub struct PlanWriter<'m> {
    words: Words<'m>,
    /// Words written so far, also those that found no room.
    len: usize,
    header: Header0,
}

/// What the writer learns of the header as it goes.
#[derive(Debug, Default)]
struct Header0 {
    steps: u32,
    inputs: u16,
    outputs: u16,
    io: u32,
    state_inits: u32,
    params: u32,
}

/// What a [`PlanWriter`] does with words.
#[derive(Debug)]
enum Words<'m> {
    Write(&'m mut [u32]),
    /// Compares with those that are there; false once one differs.
    Compare(&'m [u32], bool),
}

impl<'m> PlanWriter<'m> {
    /// Starts a plan of `steps` steps.
    pub(crate) fn new(words: &'m mut [u32], steps: u32) -> Self {
        Self::start(Words::Write(words), steps)
    }

    /// Starts a plan that is compared with the words of another.
    pub(crate) fn compare(words: &'m [u32], steps: u32) -> Self {
        Self::start(Words::Compare(words, true), steps)
    }

    fn start(words: Words<'m>, steps: u32) -> Self {
        let len = Header::WORDS + steps as usize * Step::WORDS;
        let header = Header0 { steps, io: len as u32, ..Header0::default() };
        Self { words, len, header }
    }

    /// Index of the next word.
    pub fn position(&self) -> u32 {
        self.len as u32
    }

    fn put(&mut self, at: usize, word: u32) {
        match &mut self.words {
            Words::Write(words) => {
                if let Some(slot) = words.get_mut(at) {
                    *slot = word;
                }
            }
            Words::Compare(words, same) => *same &= words.get(at) == Some(&word),
        }
    }

    /// Appends a word.
    pub fn word(&mut self, word: u32) {
        self.put(self.len, word);
        self.len = self.len.saturating_add(1);
    }

    /// Leaves out a word that [`fill`](Self::fill) will write. Returns its index.
    pub(crate) fn reserve(&mut self) -> u32 {
        self.len = self.len.saturating_add(1);
        self.position().saturating_sub(1)
    }

    /// Writes the word at an index that was reserved.
    pub(crate) fn fill(&mut self, at: u32, word: u32) {
        self.put(at as usize, word);
    }

    /// Appends a parameter block.
    pub fn params(&mut self, params: &impl Params) {
        params.for_each_word(|word| self.word(word));
    }

    /// Appends a requantisation table: multipliers, then shifts, four to a word.
    pub fn requant(&mut self, factors: impl Iterator<Item = Multiplier> + Clone) {
        for factor in factors.clone() {
            self.word(factor.multiplier as u32);
        }
        let mut shifts = [0i8; 4];
        let mut filled = 0;
        for factor in factors {
            if let Some(slot) = shifts.get_mut(filled) {
                *slot = factor.shift;
            }
            filled += 1;
            if filled == shifts.len() {
                self.word(shifts.to_word());
                (shifts, filled) = ([0; 4], 0);
            }
        }
        if filled > 0 {
            self.word(shifts.to_word());
        }
    }

    /// Appends an input, or an output; all inputs come first.
    pub(crate) fn io(&mut self, tensor: &IoTensor, is_input: bool) {
        if is_input {
            self.header.inputs = self.header.inputs.saturating_add(1);
        } else {
            self.header.outputs = self.header.outputs.saturating_add(1);
        }
        let dtype = DTYPES.iter().position(|&dtype| dtype == tensor.dtype).unwrap_or(0);
        self.word(tensor.place.to_word());
        self.word(tensor.bytes);
        self.word((dtype as u16, tensor.shape.rank() as u16).to_word());
        self.word(tensor.scale.to_bits());
        self.word(tensor.zero_point as u32);
        self.word(tensor.name.to_word());
        self.word(tensor.name_bytes);
        for &dim in tensor.shape.dims() {
            self.word(dim);
        }
    }

    /// Ends the inputs and outputs: initial values of the state follow.
    pub(crate) fn end_io(&mut self) {
        self.header.state_inits = self.position();
        self.header.params = self.position();
    }

    /// Appends an initial value of the state.
    pub(crate) fn state_init(&mut self, init: StateInit) {
        for word in [init.offset, init.bytes, init.fill.into()] {
            self.word(word);
        }
        self.header.params = self.position();
    }

    /// Sets step `i`.
    pub(crate) fn step(&mut self, i: u32, step: Step) {
        let start = Header::WORDS + i as usize * Step::WORDS;
        for (k, word) in step.to_words().into_iter().enumerate() {
            self.put(start + k, word);
        }
    }

    /// Writes the header. Returns the number of words that the plan takes; when that is more than there
    /// was room for, the plan is not there.
    pub(crate) fn finish(
        &mut self,
        (arena_bytes, state_bytes): (u32, u32),
        constant_bytes: u32,
        prepared_bytes: u32,
    ) -> usize {
        let header = Header {
            arena_bytes,
            state_bytes,
            constant_bytes,
            prepared_bytes,
            steps: self.header.steps,
            inputs: self.header.inputs,
            outputs: self.header.outputs,
            io: self.header.io,
            state_inits: self.header.state_inits,
            params: self.header.params,
            words: self.position(),
        };
        for (i, word) in header.to_words().into_iter().enumerate() {
            self.put(i, word);
        }
        self.len
    }

    /// A plan that was compared is the same to its last word.
    pub(crate) fn is_same(&self) -> bool {
        matches!(self.words, Words::Compare(words, true) if words.len() == self.len)
    }
}
